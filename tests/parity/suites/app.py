"""What gunicorn serves: reads a file, hashes it together with the request's body, asks a database."""
import hashlib
import sqlite3


def app(env, start):
    body = env["wsgi.input"].read(int(env.get("CONTENT_LENGTH") or 0))
    with open(__file__, "rb") as f:
        digest = hashlib.sha256(f.read() + body).hexdigest()
    db = sqlite3.connect(":memory:")
    db.execute("create table t(a, b)")
    db.executemany("insert into t values(?, ?)", [(i, digest) for i in range(10)])
    (n,) = db.execute("select sum(a) from t").fetchone()
    db.close()
    start("200 OK", [("Content-Type", "text/plain")])
    return [f"{env['PATH_INFO']} {digest} {n}\n".encode()]
