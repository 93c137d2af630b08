# gunicorn: pre-forked workers that are replaced as they age, a reload, HTTP load.
. "$HERE/lib.sh"
case $1 in
units) echo serve ;;
run)
	cp "$HERE/app.py" app.py
	"$WATCH" /usr/bin/python3 -m gunicorn --preload -w 3 -b 127.0.0.1:"$PORT" --max-requests 500 --max-requests-jitter 100 app:app >server.log 2>&1 &
	server=$!
	url=http://127.0.0.1:$PORT
	until_ok curl -sf "$url/"
	for path in /a /b; do
		echo "= POST $path: $(curl -s -d "body of $path" "$url$path")"
	done
	load "$url/x" workers
	kill -HUP $server
	sleep 1
	load "$url/x" reloaded
	kill -TERM $server
	ended $server
	echo "= tracebacks: $(grep -c Traceback server.log || :)"
	;;
esac
