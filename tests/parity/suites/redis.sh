# redis's own tests, of Debian's source package, with Debian's redis; a unit is a file of tests.
. "$HERE/lib.sh"
case $1 in
setup)
	source_package redis "$(dpkg-query -W -f '${source:Version}' redis-server)"
	mkdir "$WORK/tree"
	cd "$WORK/redis"
	cp -r tests utils runtest redis.conf sentinel.conf "$WORK/tree"
	mkdir "$WORK/tree/src"
	for p in server cli benchmark sentinel check-aof check-rdb; do ln -s "/usr/bin/redis-$p" "$WORK/tree/src/redis-$p"; done
	;;
units)
	cd "$WORK/tree"
	sed -n '/^set ::all_tests {/,/^}/p' tests/test_helper.tcl | sed '1d;$d' | tr -d ' \t'
	;;
run)
	cp -r "$WORK/tree" tree
	cd tree
	exec "$WATCH" ./runtest --clients 1 --baseport "$PORT" --portcount 90 --timeout 600 --single "$2"
	;;
esac
