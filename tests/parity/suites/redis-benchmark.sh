# redis under redis-benchmark, with a snapshot and a rewrite of its log under way.
. "$HERE/lib.sh"
case $1 in
units) echo benchmark ;;
run)
	"$WATCH" redis-server --port "$PORT" --bind 127.0.0.1 --dir "$PWD" --appendonly yes --save '' >server.log 2>&1 &
	server=$!
	cli="redis-cli -p $PORT"
	until_ok $cli ping
	$cli debug sleep 0 >/dev/null 2>&1 || :
	$cli bgsave >/dev/null
	redis-benchmark -p "$PORT" -q -n $((LOAD * 10000)) -c 20 -r 1000 -t set,get,incr,lpush,rpush,lpop,sadd,hset,mset >bench.out
	tr '\r' '\n' <bench.out | sed -n 's/^\([A-Za-z]*\).*: \([0-9.]*\) requests per second.*/rate \1 \2/p'
	$cli bgrewriteaof >/dev/null
	redis-benchmark -p "$PORT" -q -n $((LOAD * 5000)) -c 20 -P 16 -t set,get >/dev/null
	until_ok sh -c "$cli info persistence | grep -q aof_rewrite_in_progress:0"
	for key in rdb_last_bgsave_status aof_last_bgrewrite_status aof_last_write_status; do
		echo "= $key: $($cli info persistence | tr -d '\r' | sed -n "s/^$key://p")"
	done
	echo "= failed calls: $($cli info errorstats | tr -d '\r' | grep -v '^#' | tr '\n' ' ')"
	echo "= list length: $($cli llen mylist)"
	kill -TERM $server
	ended $server
	;;
esac
