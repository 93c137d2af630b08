# PostgreSQL 15: its regression suite (installcheck) and pgbench, on a watched server.
. "$HERE/lib.sh"
bin=/usr/lib/postgresql/15/bin
lib=/usr/lib/postgresql/15/lib
case $1 in
setup)
	source_package postgresql-15 "$(dpkg-query -W -f '${source:Version}' postgresql-15)"
	mkdir "$WORK/regress"
	cp -r "$WORK"/postgresql-15/src/test/regress/data "$WORK"/postgresql-15/src/test/regress/expected "$WORK"/postgresql-15/src/test/regress/sql \
		"$WORK"/postgresql-15/src/test/regress/parallel_schedule "$WORK"/postgresql-15/src/test/regress/resultmap "$WORK/regress"
	gcc -shared -fPIC -O2 -w -I/usr/include/postgresql/15/server -o "$WORK/regress/regress.so" "$WORK/postgresql-15/src/test/regress/regress.c"
	cp $lib/autoinc.so $lib/refint.so "$WORK/regress"
	;;
units) printf '%s\n' regress pgbench ;;
run)
	export PGHOST="$PWD" PGPORT="$PORT" PGUSER=postgres LC_ALL=C
	$bin/initdb -D data -U postgres -A trust -N --no-locale -E UTF8 >initdb.log
	cat >>data/postgresql.conf <<-END
		unix_socket_directories = '$PWD'
		listen_addresses = ''
		port = $PORT
		fsync = off
		max_connections = 60
	END
	"$WATCH" $bin/postgres -D data >server.log 2>&1 &
	server=$!
	until_ok $bin/pg_isready -q
	case $2 in
	regress)
		cp -r "$WORK/regress" regress
		(
			cd regress
			$lib/pgxs/src/test/regress/pg_regress --dlpath=. --inputdir=. --bindir=$bin --host="$PGHOST" --port="$PORT" --user=postgres \
				--schedule=parallel_schedule --max-connections=4 || :
		)
		;;
	pgbench)
		$bin/createdb bench
		$bin/pgbench -q -i -s 2 bench 2>/dev/null
		for mode in simple prepared; do
			$bin/pgbench -M $mode -c 8 -j 2 -T "$LOAD" bench | awk -v m=$mode '/^tps/ { print "rate pgbench-" m " " $3 } /failed/ { print "= " m " failed: " $5 }'
		done
		$bin/pgbench -C -c 4 -j 1 -T "$LOAD" bench | awk '/^tps/ { print "rate pgbench-connect " $3 } /failed/ { print "= connect failed: " $5 }'
		# Each transaction is in the history and in the three balances.
		$bin/psql -At bench -c "select '= balances agree: ' || count(*) from (select distinct s from (
			select sum(abalance) s from pgbench_accounts union select sum(tbalance) from pgbench_tellers
			union select sum(bbalance) from pgbench_branches union select sum(delta) from pgbench_history) a) b"
		;;
	esac
	kill -INT $server
	ended $server
	grep -cE 'PANIC|was terminated by|crash' server.log | sed 's/^/= crashes: /' || :
	;;
esac
