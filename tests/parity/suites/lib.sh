# What the suites' scripts share. They are called, as an ordinary user, as
#
#	NAME.sh setup      once: prepare $WORK, which later calls only read
#	NAME.sh units      print what the suite consists of, one name a line
#	NAME.sh run UNIT   run that, in an empty folder
#
# with the variables
#
#	HERE   the folder of these scripts
#	WORK   the suite's own folder
#	WATCH  what to put before a command that is to be watched; on the plain side it just runs it
#	PORT   100 TCP ports from here on are free
#	LOAD   seconds of load, for services
#
# `run` prints what is compared as "= CASE: OUTCOME", and what is only measured as
# "rate NAME NUMBER" (higher is better). Suites with output of their own leave that to the gate.
set -eu

# source_package NAME [VERSION]: unpacks a Debian source package to $WORK/NAME. The
# system's own list of package sources stays as it is.
source_package() {
	apt=$WORK/apt
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	{
		echo 'deb-src http://deb.debian.org/debian bookworm main'
		echo 'deb-src http://deb.debian.org/debian bookworm-updates main'
		echo 'deb-src http://deb.debian.org/debian-security bookworm-security main'
	} >"$apt/sources.list"
	cat >"$apt/conf" <<-END
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::State::lists "$apt/lists";
		Dir::Cache "$apt/cache";
	END
	(
		export APT_CONFIG="$apt/conf"
		cd "$apt"
		[ -e updated ] || apt-get update -qq
		: >updated
		apt-get source -qq --download-only "$1${2:+=$2}"
		dpkg-source --no-check -x "$1"_*.dsc "$WORK/$1" >/dev/null
	)
}

# until_ok COMMAND...: tries it for 30 seconds.
until_ok() {
	n=0
	until "$@" >/dev/null 2>&1; do
		n=$((n + 1))
		[ $n -lt 600 ] || { echo "= started: no"; return 1; }
		sleep 0.05
	done
}

# ended PID: waits for a server, and says how it ended.
ended() {
	status=0
	wait "$1" || status=$?
	echo "= server's exit status: $status"
}

# load URL NAME: HTTP load on it. Any answer but 2xx and any failed connection is a difference.
load() {
	wrk -t1 -c16 -d"${LOAD}" "$1" >wrk.out
	awk -v name="$2" '
		/Requests\/sec/ { print "rate " name " " $2 }
		/Non-2xx/       { bad = $NF }
		/Socket errors/ { errors = $0 }
		END { print "= " name " not 2xx: " bad + 0; print "= " name " socket errors: " (errors ? errors : "none") }' wrk.out
}
