# node's http server, as a cluster of two.
. "$HERE/lib.sh"
case $1 in
units) echo serve ;;
run)
	cp "$HERE/server.js" server.js
	"$WATCH" node server.js "$PORT" >server.log 2>&1 &
	server=$!
	url=http://127.0.0.1:$PORT
	until_ok curl -sf "$url/"
	for path in /a /b; do
		echo "= POST $path: $(curl -s -d "body of $path" "$url$path")"
	done
	load "$url/x" cluster
	kill -TERM $server
	ended $server
	echo "= log: $(tr '\n' ' ' <server.log)"
	;;
esac
