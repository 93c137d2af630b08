# nginx with two workers: static files, a proxy to itself, a reload under load.
. "$HERE/lib.sh"
case $1 in
units) echo serve ;;
run)
	mkdir html tmp.d
	head -c 20000 /dev/zero | tr '\0' x >html/index.html
	cat >nginx.conf <<-END
		worker_processes 2;
		daemon off;
		pid $PWD/pid;
		error_log $PWD/error.log info;
		events { worker_connections 512; }
		http {
			access_log $PWD/access.log;
			client_body_temp_path $PWD/tmp.d/b; proxy_temp_path $PWD/tmp.d/p; fastcgi_temp_path $PWD/tmp.d/f;
			uwsgi_temp_path $PWD/tmp.d/u; scgi_temp_path $PWD/tmp.d/s;
			sendfile on; gzip on;
			server {
				listen 127.0.0.1:$PORT;
				root $PWD/html;
				location /proxy/ { proxy_pass http://127.0.0.1:$PORT/; }
			}
		}
	END
	"$WATCH" nginx -e "$PWD/error.log" -c "$PWD/nginx.conf" &
	server=$!
	url=http://127.0.0.1:$PORT
	until_ok curl -sf "$url/"
	for path in / /proxy/ /missing; do
		echo "= GET $path: $(curl -s -w '%{http_code}' "$url$path" | md5sum)"
		echo "= GET $path compressed: $(curl -s --compressed -w '%{http_code}' "$url$path" | md5sum)"
	done
	load "$url/" static
	load "$url/proxy/" proxy
	# New workers come and the old ones end, which closes connections that are kept alive.
	load "$url/" reloading >reloading.out &
	loader=$!
	sleep 0.3
	kill -HUP $server
	wait $loader
	grep -v 'socket errors' reloading.out
	until_ok sh -c 'test "$(grep -c "worker process .* exited" error.log)" = 2'
	load "$url/" reloaded
	kill -QUIT $server
	ended $server
	echo "= workers' ends: $(grep -o 'worker process [0-9]* exited .*' error.log | sed 's/process [0-9]*/process/' | sort | uniq -c | tr -s ' \n' ' ')"
	echo "= errors logged: $(grep -cE '\[(alert|crit|emerg)\]' error.log || :)"
	;;
esac
