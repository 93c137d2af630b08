"""A small web application with the usual holes. Arguments: its folder, with files/
and users.db in it. Prints its port; /quit ends it. What it trusts it should not:

/ping?host=     a shell gets the text           (command injection)
/file?name=     a path is put together          (path traversal)
/user?name=     a statement is put together     (SQL injection)
/fetch?url=     whatever the URL names is asked  (SSRF)
"""
import http.server
import os
import sqlite3
import subprocess
import sys
import urllib.parse
import urllib.request

root = sys.argv[1]


def ping(host):
    return subprocess.run("echo pong " + host, shell=True, check=True, capture_output=True).stdout


def file(name):
    with open(os.path.join(root, "files", name), "rb") as f:
        return f.read()


def user(name):
    db = sqlite3.connect(os.path.join(root, "users.db"))
    try:
        return repr(db.execute("SELECT name, age FROM users WHERE name = '" + name + "'").fetchall()).encode()
    finally:
        db.close()


def fetch(url):
    with urllib.request.urlopen(url, timeout=5) as r:
        return r.read()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        at, _, query = self.path.partition("?")
        args = dict(urllib.parse.parse_qsl(query))
        status = 200
        try:
            body = {"/ping": ping, "/file": file, "/user": user, "/fetch": fetch}[at](**args)
        except FileNotFoundError as e:
            status, body = 404, str(e).encode()
        except PermissionError as e:
            status, body = 403, str(e).encode()
        except Exception as e:
            status, body = 500, repr(e).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(http.server.HTTPServer):
    def server_bind(self):  # without asking the resolver for its own name
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address


server = Server(("127.0.0.1", 0), Handler)
print("port", server.server_port, flush=True)
try:
    server.serve_forever()
except KeyboardInterrupt:
    pass
