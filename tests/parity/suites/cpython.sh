# CPython's own tests, as Debian packages them; a unit is a test module.
. "$HERE/lib.sh"
case $1 in
units) /usr/bin/python3 -m test --list-tests ;;
run)
	# ThreadedVSOCKSocketStreamTest waits for ever for a connection where the machine is a virtual one with vsock.
	exec "$WATCH" /usr/bin/python3 -m test --junit-xml "$PWD/cases.xml" -i 'test.test_socket.ThreadedVSOCKSocketStreamTest.*' "$2"
	;;
esac
