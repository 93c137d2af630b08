"""A small shop: what `make demo` watches. Nothing in it knows of seam."""
import os
import sqlite3
import subprocess
import sys
import tempfile

with tempfile.TemporaryDirectory() as home:
    path = os.path.join(home, "shop.db")
    db = sqlite3.connect(path)
    db.execute("create table orders(id integer primary key, customer text unique, cents integer)")
    with db:
        for i in range(500):
            db.execute("insert into orders(customer, cents) values (?, ?)", (f"customer {i}", 100 * i))
    total, = db.execute("select sum(cents) from orders where customer like 'customer 1%'").fetchone()
    print("total:", total)
    for customer in ("customer 7", "nobody"):
        print(customer, db.execute("select cents from orders where customer = ?", (customer,)).fetchone())
    try:
        db.execute("insert into orders(customer, cents) values ('customer 7', 1)")
    except sqlite3.IntegrityError as error:
        print("refused:", error)
    # a child process, without exec, that uses the database too
    if os.fork() == 0:
        own = sqlite3.connect(path)
        own.execute("select count(*) from orders").fetchone()
        os._exit(0)
    os.wait()
    print("rows:", subprocess.run(["sqlite3", path, "select count(*) from orders"],
                                  stdout=subprocess.PIPE, text=True, check=True).stdout.strip())
    try:
        open("/nonexistent/receipt")
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
