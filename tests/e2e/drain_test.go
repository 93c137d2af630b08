package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/tests/harness"
)

// busy fills many times the buffer it is given, in a process, two children, and a program that it executes.
const busy = `
import os, sys
def work():
    for i in range(20000):
        try: os.stat('/nowhere/%d' % (i % 3))
        except OSError: pass
for _ in range(2):
    if os.fork() == 0:
        work()
        os._exit(0)
work()
for _ in range(2): os.wait()
if len(sys.argv) == 1: os.execv(sys.executable, [*sys.orig_argv, 'again'])
`

// seam run drains the buffers of programs that run, so no agent is started for it; and with --drain agent one is.
func TestWhoDrains(t *testing.T) {
	python := harness.Program(t, "python3")
	for _, who := range []string{"reader", "agent"} {
		t.Run(who, func(t *testing.T) {
			flags := []string{"--drain", who, "-H", "file,proc", "--buffer", "256k", "--on-full", "block", "--block-timeout", "10s"}
			_, r := same(t, flags, harness.Cmd{Args: []string{python, "-S", "-c", busy}}, nil)
			exact(t, r)
			if r.Account.Dropped != 0 {
				t.Errorf("%d calls dropped", r.Account.Dropped)
			}
			if n := function(r, "stat").Calls + function(r, "fstatat").Calls + function(r, "stat64").Calls; n < 6*20000 {
				t.Errorf("%d calls of stat, of %d", n, 6*20000)
			}
			agents := 0
			for _, p := range r.Processes {
				if p.Agent {
					agents++
				}
			}
			if (agents > 0) != (who == "agent") {
				t.Errorf("%d agents", agents)
			}
		})
	}
}

// meanings does what a report is made of: files by relative and absolute names, directories' descriptors,
// descriptors that are duplicated, passed to children and used again, sockets, errors, statements.
const meanings = `
import os, socket, sqlite3, sys
os.mkdir('d')
d = os.open('d', os.O_RDONLY)
for i in range(30):
    f = os.open('f%d' % (i % 3), os.O_RDWR | os.O_CREAT, dir_fd=d if i % 2 else None)
    os.write(f, b'x' * i); os.lseek(f, 0, 0); os.read(f, 10); g = os.dup(f); os.close(f); os.write(g, b'yy'); os.close(g)
    for name in '/nowhere', os.path.abspath('f0'), 'f1', '':
        try: os.stat(name)
        except OSError: pass
        try: os.unlink(name + 'x', dir_fd=d)
        except OSError: pass
    try: os.close(999)
    except OSError: pass
    try: os.read(998, 1)
    except OSError: pass
    try: os.read(70000, 1)
    except OSError: pass
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()
c = socket.create_connection(s.getsockname()); a, _ = s.accept()
for i in range(20): c.send(b'z' * 100); a.recv(50); a.recv(50)
db = sqlite3.connect('db')
db.execute('create table t(a, b)')
for i in range(40): db.execute("insert into t values(%d, 'secret %d')" % (i, i)); db.execute('select * from t where a = ?', (i,)).fetchall()
try: db.execute('select nothing from nowhere')
except sqlite3.Error: pass
db.commit()
if os.fork() == 0:
    os.write(1, b'child\n'); os.write(d, b''); os._exit(3)
os.wait()
`

// A report is the same whether its calls were encoded, and saved, or went straight to it.
func TestReportWithoutEncoding(t *testing.T) {
	python := harness.Program(t, "python3")
	base := t.TempDir()
	of := func(more ...string) *report.Report {
		dir := filepath.Join(base, "here")
		if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
			t.Fatal(err)
		}
		flags := append([]string{"--buffer", "4M", "-H", "file,net,proc,sqlite"}, more...)
		res, r := watch(t, flags, harness.Cmd{Dir: dir, Args: []string{python, "-S", "-c", meanings}})
		if res.Code != 0 {
			t.Fatal(res)
		}
		exact(t, r)
		return r
	}
	// facts is what does not depend on time.
	facts := func(r *report.Report) []string {
		var all []string
		for _, f := range r.Functions {
			all = append(all, fmt.Sprintf("function %s: %d of %d returned, errors %d %v", f.Name, f.Returned, f.Calls, f.Errors, f.ByErrno))
		}
		for _, f := range r.Files {
			f.TotalNS, f.Path = 0, filepath.Base(f.Path)
			all = append(all, fmt.Sprintf("file: %+v", f))
		}
		for _, h := range r.Hosts {
			h.TotalNS, h.Address = 0, strings.TrimRight(h.Address, "0123456789") // the port is another each time
			all = append(all, fmt.Sprintf("host: %+v", h))
		}
		for _, q := range r.SQL {
			q.DB = filepath.Base(q.DB)
			q.TotalNS, q.P50NS, q.P99NS, q.MaxNS = 0, 0, 0, 0
			all = append(all, fmt.Sprintf("statement: %+v", q))
		}
		for _, p := range r.Processes {
			if p.Status == nil {
				t.Fatalf("no status: %+v", p)
			}
			all = append(all, fmt.Sprintf("process: %d calls, status %d", p.Calls, *p.Status))
		}
		slices.Sort(all)
		return all
	}
	plain, saved := facts(of()), facts(of("-o", filepath.Join(t.TempDir(), "capture")))
	if d := cmp.Diff(plain, saved); d != "" {
		t.Errorf("straight (-), saved (+):\n%s", d)
	}
	if len(plain) < 60 {
		t.Errorf("only %d facts:\n%s", len(plain), strings.Join(plain, "\n"))
	}
}
