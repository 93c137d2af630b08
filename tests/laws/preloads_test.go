package laws

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/seam-project/seam/tests/harness"
)

// neighbours are libraries that people preload, before and after ours.
func neighbours(t *testing.T) map[string]string {
	lib := func(name string) string { return harness.Program(t, "/usr/lib/x86_64-linux-gnu/"+name) }
	return map[string]string{
		"faketime":  lib("faketime/libfaketime.so.1"),
		"jemalloc":  lib("libjemalloc.so.2"),
		"tcmalloc":  lib("libtcmalloc_minimal.so.4"),
		"eatmydata": lib("libeatmydata.so"),
		"wrapper":   program(t, "wrapper.c", "-shared", "-fPIC", "-w"),
	}
}

// A program that uses what the neighbours change: memory, time, fsync, files;
// with threads, a fork, an exec, and failing statements for the agent to look at.
const neighbourly = `
import os, sqlite3, sys, threading, time
print(time.gmtime().tm_year, time.localtime(os.path.getmtime(sys.executable)).tm_year > 0)
def work(n):
    c = sqlite3.connect("n%d.db" % n)
    c.execute("create table t(a, b)")
    for i in range(200): c.execute("insert into t values(?, ?)", (i, "x" * i))
    c.commit()
    try: c.execute("select * from missing")
    except sqlite3.Error as e: assert "missing" in str(e)
    assert c.execute("select sum(a) from t").fetchone() == (19900,)
    c.close()
ts = [threading.Thread(target=work, args=(n,)) for n in range(3)]
for x in ts: x.start()
for x in ts: x.join()
f = open("file", "wb"); f.write(b"y" * 100000); f.flush(); os.fsync(f.fileno()); f.close()
sys.stdout.flush()
pid = os.fork()
if pid == 0:
    work(7)
    os.execlp("/bin/date", "date", "+%Y")
print(os.waitpid(pid, 0)[1])
for n in (0, 1, 2, 7): os.unlink("n%d.db" % n)
sys.exit(6)
`

// A neighbour in LD_PRELOAD works as it does alone, and does not change what seam
// sees or tells; nor is seam what it sees.
func TestPreloadedNeighbours(t *testing.T) {
	python := harness.Program(t, "python3")
	for name, lib := range neighbours(t) {
		for order, args := range map[string][]string{
			"behind ours": {"/usr/bin/env", "FAKETIME=2001-02-03 04:05:06", python, "-c", neighbourly},
			"before ours": {"/bin/sh", "-c", `FAKETIME="2001-02-03 04:05:06" LD_PRELOAD="$0${LD_PRELOAD:+:$LD_PRELOAD}" exec "$@"`, lib, python, "-c", neighbourly},
		} {
			run := harness.Cmd{Args: args, Dir: t.TempDir()}
			if order == "behind ours" {
				run.Env = []string{"LD_PRELOAD=" + lib}
			}
			bare := harness.Run(t, run)
			for _, start := range starts {
				t.Run(name+" "+order+" "+start, func(t *testing.T) {
					began := time.Now()
					got, rep := watchedCmd(t, []string{"--start", start}, run)
					got.Stderr = withoutWarnings(got.Stderr)
					if got != bare {
						t.Errorf("bare:    %v\nwatched: %v", bare, got)
					}
					rep.exact(t)
					if at := time.Unix(0, rep.StartNS); at.Before(began.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
						t.Errorf("the program started at %v, says the report, when it was %v", at, began)
					}
					if calls, _ := rep.function("sqlite3_step"); calls < 800 {
						t.Errorf("%d calls of sqlite3_step are told", calls)
					}
					if n, _ := filepath.Glob(filepath.Join(run.Dir, "*.db*")); len(n) != 0 {
						t.Errorf("left behind: %v", n)
					}
				})
			}
		}
	}
}
