"""Workers in other processes; prints what must not depend on who watches."""
import hashlib
import multiprocessing as mp
import os
import signal
import sqlite3
import sys
from multiprocessing import shared_memory


def digest(i):
    with open(__file__, "rb") as f:
        return hashlib.sha256(f.read() + bytes([i % 256])).hexdigest()


def square(inq, outq):
    for n in iter(inq.get, None):
        outq.put(n * n)


def query(n, end):
    db = sqlite3.connect(":memory:")
    db.execute("create table t(a)")
    db.executemany("insert into t values(?)", [(i,) for i in range(n)])
    end.send(db.execute("select sum(a) from t").fetchone()[0])


def add(lock, total, name, times):
    shm = shared_memory.SharedMemory(name)
    for _ in range(times):
        with lock:
            total.value += 1
            shm.buf[0] = (shm.buf[0] + 1) % 256
    shm.close()


def die(how):
    os.kill(os.getpid(), how)


def main(method):
    ctx = mp.get_context(method)
    with ctx.Pool(4, maxtasksperchild=20) as pool:
        print("= pool:", hashlib.sha256("".join(pool.map(digest, range(400), chunksize=5)).encode()).hexdigest())
    inq, outq = ctx.Queue(), ctx.Queue()
    workers = [ctx.Process(target=square, args=(inq, outq)) for _ in range(3)]
    for w in workers:
        w.start()
    for n in range(500):
        inq.put(n)
    for _ in workers:
        inq.put(None)
    print("= queue:", sum(outq.get() for _ in range(500)))
    for w in workers:
        w.join()
    print("= queue's workers:", [w.exitcode for w in workers])
    here, there = ctx.Pipe()
    workers = [ctx.Process(target=query, args=(n, there)) for n in (10, 100, 1000)]
    for w in workers:
        w.start()
    print("= sqlite:", sorted(here.recv() for _ in workers))
    for w in workers:
        w.join()
    shm = shared_memory.SharedMemory(create=True, size=16)
    lock, total = ctx.Lock(), ctx.Value("i", 0, lock=False)
    workers = [ctx.Process(target=add, args=(lock, total, shm.name, 300)) for _ in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    print("= shared memory:", total.value, shm.buf[0])
    shm.close()
    shm.unlink()
    for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV):
        w = ctx.Process(target=die, args=(how,))
        w.start()
        w.join()
        print(f"= killed by {how.name}:", w.exitcode)


if __name__ == "__main__":
    main(sys.argv[1])
