# Python's multiprocessing: pools, queues, shared memory and a worker that dies, in each way to start a process.
. "$HERE/lib.sh"
case $1 in
units) printf '%s\n' fork spawn forkserver ;;
run)
	status=0
	"$WATCH" /usr/bin/python3 "$HERE/workers.py" "$2" || status=$?
	echo "= exit status: $status"
	;;
esac
