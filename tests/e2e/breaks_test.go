package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seam-project/seam/collector/breakpoint"
	"github.com/seam-project/seam/collector/control"
	"github.com/seam-project/seam/tests/harness"
)

// A stage is testdata/breaks.c with a breakpoint at work, b1.
type stage struct {
	t    *testing.T
	run  *harness.Running
	s    *breakpoint.Session
	b    *breakpoint.Breakpoint
	fifo *os.File
	sock string
}

// soon is more than anything here takes: a test that needs it fails.
const soon = 20 * time.Second

// onStage starts it. rule is the breakpoint, "" ./breaks:work.
func onStage(t *testing.T, rule string, args ...string) *stage {
	t.Helper()
	prog := compile(t, "breaks.c", "-rdynamic")
	if rule == "" {
		rule = prog + ":work"
	}
	dir, err := os.MkdirTemp("/tmp", "seam-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	g := &stage{t: t}
	g.fifo = fifo(t, dir)
	sock := filepath.Join(dir, "control")
	g.sock = sock
	g.run = harness.Start(t, harness.Cmd{Args: append([]string{harness.Seam(t), "run", "-q", "--control=" + sock, "--break", strings.ReplaceAll(rule, "PROG", prog), "-H", "none", "--", prog}, args...),
		Env: []string{"GO=" + g.fifo.Name(), "XDG_CACHE_HOME=" + dir}})
	eventually(t, "control socket", func() bool { g.s, err = breakpoint.Dial(sock); return err == nil })
	g.b = g.s.Breakpoint("b1")
	return g
}

func fifo(t *testing.T, dir string) *os.File {
	t.Helper()
	path := filepath.Join(dir, "go")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// waits are the threads that wait, once there are so many.
func (g *stage) waits(n int) []breakpoint.Thread {
	g.t.Helper()
	th, err := g.b.Wait(n, soon)
	if err != nil {
		g.t.Fatalf("%v\n%s", err, g.run.Stderr())
	}
	if len(th) != n {
		g.t.Fatalf("%d threads wait, not %d: %+v", len(th), n, th)
	}
	return th
}

func (g *stage) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// says waits for a line of the program's.
func (g *stage) says(line string) {
	g.t.Helper()
	eventually(g.t, line, func() bool { return slices.Contains(strings.Split(g.run.Stdout(), "\n"), line) })
}

// silent: the program has said nothing.
func (g *stage) silent() {
	g.t.Helper()
	if out := g.run.Stdout(); out != "" {
		g.t.Fatalf("a thread that should wait said %q", out)
	}
}

// ends waits for the program's end and compares what it said, sorted.
func (g *stage) ends(code int, lines ...string) {
	g.t.Helper()
	res := g.run.Wait()
	got := strings.Split(strings.TrimSpace(res.Stdout), "\n")
	slices.Sort(got)
	slices.Sort(lines)
	if res.Code != code || res.Signal != 0 || !slices.Equal(got, lines) {
		g.t.Errorf("%v\nwant status %d and %q", res, code, lines)
	}
}

// Threads wait, one goes on at a time, in the order that the test wants, and what is told of them is right.
func TestBreakpointThreads(t *testing.T) {
	g := onStage(t, "", "threads", "4")
	th := g.waits(4)
	g.silent()
	seen := map[string]bool{}
	for _, w := range th {
		n := strings.TrimPrefix(w.Thread, "worker-")
		seen[n] = true
		if w.Function != "work" || w.Lib != "breaks" || w.Call != "work("+n+")" && w.Call != "" && !strings.HasPrefix(w.Call, "work(") {
			t.Errorf("%+v", w)
		}
		if w.Until.Sub(w.Since).Round(time.Second) != 30*time.Second {
			t.Errorf("waits from %v to %v", w.Since, w.Until)
		}
		if len(w.Stack) < 3 || !regexp.MustCompile(`^breaks!one\+0x[0-9a-f]+$`).MatchString(w.Stack[0]) || !strings.HasPrefix(w.Stack[1], "libc.so.6") {
			t.Errorf("callers: %q", w.Stack)
		}
	}
	if len(seen) != 4 {
		t.Errorf("%v", seen)
	}
	slices.SortFunc(th, func(a, b breakpoint.Thread) int { return strings.Compare(b.Thread, a.Thread) })
	var want []string
	for i, w := range th {
		g.must(g.b.Release(w))
		want = append(want, fmt.Sprintf("result 100%d", 3-i))
		eventually(t, "the one that was released", func() bool { return strings.TrimSpace(g.run.Stdout()) == strings.Join(want, "\n") })
		if i < 3 {
			g.waits(3 - i)
		}
	}
	g.ends(0, want...)
}

// onBank starts two threads that take two locks in opposite order, with a breakpoint at each lock.
func onBank(t *testing.T) (run *harness.Running, sock string) {
	prog := compile(t, "breaks.c", "-rdynamic")
	dir, err := os.MkdirTemp("/tmp", "seam-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	sock = filepath.Join(dir, "control")
	at := prog + ":lock_account:"
	run = harness.Start(t, harness.Cmd{Args: []string{harness.Seam(t), "run", "-q", "--control=" + sock, "--break", at + "0==0", "--break", at + "0==1", "-H", "none", "--", prog, "bank"},
		Env: []string{"XDG_CACHE_HOME=" + dir}})
	eventually(t, "control socket", func() bool { _, err := breakpoint.Dial(sock); return err == nil })
	return run, sock
}

// deadlocked: each thread had one lock and waited for the other. The locks give up
// after some seconds: one thread does so first, and the other may get on then.
func deadlocked(t *testing.T, run *harness.Running) {
	t.Helper()
	if res := run.Wait(); res.Code != 0 || !strings.Contains(res.Stdout, "deadlock: waited in vain for account") {
		t.Errorf("%v", res)
	}
}

// The interleaving in which neither gets on, forced by two breakpoints.
func TestBreakpointDeadlock(t *testing.T) {
	run, sock := onBank(t)
	s, err := breakpoint.Dial(sock)
	zero, one := s.Breakpoint("b1"), s.Breakpoint("b2")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	first, err := zero.Wait(1, soon)
	must(err)
	second, err := one.Wait(1, soon)
	must(err)
	_, err = zero.ReleaseFirst()
	must(err)
	both, err := one.Wait(2, soon)
	must(err)
	if both[1].TID != first[0].TID {
		t.Errorf("%+v", both)
	}
	must(one.Release(second[0]))
	_, err = zero.Wait(1, soon)
	must(err)
	must(errors.Join(zero.Remove(), one.Remove()))
	deadlocked(t, run)
}

// The script of docs/breakpoints.md does the same.
func TestBreakpointScript(t *testing.T) {
	python := harness.Program(t, "python3")
	doc, err := os.ReadFile(filepath.Join(harness.Root(), "docs", "breakpoints.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, script, ok := strings.Cut(string(doc), "```python\n")
	script, _, _ = strings.Cut(script, "```")
	if !ok {
		t.Fatal("no script")
	}
	run, sock := onBank(t)
	if res := harness.Run(t, harness.Cmd{Args: []string{python, "-c", script, sock}}); res.Code != 0 || res.Stderr != "" {
		t.Errorf("%v", res)
	}
	deadlocked(t, run)
}

// writer is a program that changes an sqlite database.
const writer = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
try:
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO t VALUES (?)", [sys.argv[2]])
    db.execute("COMMIT")
    print(sys.argv[2], "committed")
except sqlite3.OperationalError as e:
    print(sys.argv[2], e)
`

// Two processes: one waits before it writes, with the lock; the other is refused it, each time. Whichever
// comes first.
func TestBreakpointTwoProcesses(t *testing.T) {
	d := newDesk(t)
	python := harness.Program(t, "python3")
	base := filepath.Join(t.TempDir(), "test.db")
	if res := harness.Run(t, harness.Cmd{Args: []string{python, "-c", "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('CREATE TABLE t (who)')", base}}); res.Code != 0 {
		t.Fatal(res)
	}
	sock := filepath.Join(strings.TrimPrefix(d.env[0], "XDG_CACHE_HOME="), "s")
	collect := d.start("collect", "--socket", sock)
	eventually(t, "the collector answers", func() bool { return d.try("break", "ls").Code == 0 })
	start := func(who string) *harness.Running {
		return harness.Start(t, harness.Cmd{Args: []string{harness.Seam(t), "exec", "--socket", sock, "--", python, "-c", writer, base, who}, Env: d.env})
	}
	for _, order := range [][2]string{{"one", "two"}, {"two", "one"}} {
		id := strings.TrimSpace(d.seam("break", "add", "libc:pwrite64", "--when", `path^="`+base+`"`))
		first := start(order[0])
		if out := d.seam("break", "wait", id, "--wait", soon.String()); !strings.Contains(out, "libsqlite3.so.0") {
			t.Errorf("who waits:\n%s", out)
		}
		second := start(order[1])
		if res := second.Wait(); res.Stdout != order[1]+" database is locked\n" {
			t.Errorf("%v", res)
		}
		d.seam("break", "rm", id)
		if res := first.Wait(); res.Stdout != order[0]+" committed\n" {
			t.Errorf("%v", res)
		}
	}
	collect.Signal(syscall.SIGTERM)
	collect.Wait()
}

// More threads than there are places: the call of the others goes on, and that is said.
func TestBreakpointFull(t *testing.T) {
	g := onStage(t, "", "threads", "132")
	g.waits(128)
	eventually(t, "four went on", func() bool { return strings.Count(g.run.Stdout(), "result") == 4 })
	var said *breakpoint.Error
	if _, err := g.b.Wait(129, 10*time.Millisecond); !errors.As(err, &said) || !strings.HasPrefix(said.Hint, "4 calls should have waited and could not") {
		t.Errorf("%v", said)
	}
	_, err := g.b.ReleaseAll()
	g.must(err)
	if res := g.run.Wait(); res.Code != 0 || strings.Count(res.Stdout, "result") != 132 {
		t.Errorf("%v", res)
	}
}

// Nobody waits: statuses for scripts, and what is wrong is said.
func TestBreakpointSaid(t *testing.T) {
	g := onStage(t, "", "loop", "0")
	ask := func(args ...string) harness.Result {
		return harness.Run(t, harness.Cmd{Args: append([]string{harness.Seam(t), "break"}, args...), Env: []string{"SEAM_CONTROL=" + g.sock}})
	}
	for _, tc := range []struct {
		args string
		code int
		says string
	}{
		{"wait b1 --wait 10ms", 1, "seam: error: 0 of 1 threads wait at b1 after 10ms\nseam: hint: seam break ls"},
		{"release b1", 1, "seam: error: no thread waits at b1\nseam: hint: seam break wait"},
		{"release b1 --tid 77", 1, "seam: error: no thread 77 waits at b1\n"},
		{"release b7", 1, "seam: error: no breakpoint 'b7'\nseam: hint: there are: b1\n"},
		{"rm b7", 125, "seam: error: no breakpoint 'b7'"},
		{"rm", 125, "seam: error: seam break rm needs the id"},
		{"add wirte", 125, "unknown function \"wirte\"\nseam: hint: did you mean write, fwrite or pwrite?"},
		{"add write --when fdd==3", 125, "no argument \"fdd\"\nseam: hint: its arguments are fd, buf or count"},
		{"add write:errno=EIO", 125, "a breakpoint does not fail the call, too\nseam: hint: give both: --break and --fault"},
		{"add write --timeout 2h", 125, "a thread can't wait 2h0m0s\nseam: hint: more than 0 and at most 1h0m0s"},
		{"ls --all", 125, "seam: error: --all goes with seam break release"},
		{"stop", 125, "subcommand of seam break"},
	} {
		if res := ask(strings.Fields(tc.args)...); res.Code != tc.code || !strings.Contains(res.Stderr, tc.says) {
			t.Errorf("seam break %s: %v\nwant status %d and %q", tc.args, res, tc.code, tc.says)
		}
	}
	if res := ask("ls"); res.Code != 0 || !strings.Contains(res.Stdout, "applied, 1 function") {
		t.Errorf("%v", res)
	}
	g.fifo.WriteString("q")
	g.ends(0, "")
}

// Forked children wait, each on its own.
func TestBreakpointForks(t *testing.T) {
	g := onStage(t, "", "forks", "3")
	th := g.waits(3)
	if th[0].PID == th[1].PID || th[1].PID == th[2].PID || th[0].TID != th[0].PID {
		t.Errorf("%+v", th)
	}
	g.silent()
	first, err := g.b.ReleaseFirst()
	g.must(err)
	if first.PID != th[0].PID {
		t.Errorf("%d went on, %d came first", first.PID, th[0].PID)
	}
	g.waits(2)
	_, err = g.b.ReleaseAll()
	g.must(err)
	g.ends(0, "result 1000", "result 1001", "result 1002")
}

// A condition, and the calls it is not for; the first call of the program is caught.
func TestBreakpointWhen(t *testing.T) {
	g := onStage(t, "PROG:work:nth=2", "loop", "3")
	g.waits(1)
	g.says("result 1000")
	if out := g.run.Stdout(); out != "result 1000\n" {
		t.Errorf("%q", out)
	}
	g.must(g.b.Release(g.waits(1)[0]))
	g.says("result 1002")
	g.fifo.WriteString("q")
	g.ends(0, "result 1000", "result 1001", "result 1002")
}

// A thread that nobody releases goes on after its time, and that is told.
func TestBreakpointTimeout(t *testing.T) {
	g := onStage(t, "PROG:work:timeout=300ms", "loop", "1")
	g.says("result 1000")
	ls := harness.Run(t, harness.Cmd{Args: []string{harness.Seam(t), "break", "ls", "--json"}, Env: []string{"SEAM_CONTROL=" + g.sock}})
	var views []control.BreakView
	if err := json.Unmarshal([]byte(ls.Stdout), &views); err != nil || len(views) != 1 || views[0].Matched != 1 || views[0].Parked != 1 || views[0].Expired != 1 {
		t.Errorf("%v, %+v", err, views)
	}
	g.fifo.WriteString("q")
	g.ends(0, "result 1000")
}

// Who waits goes on when the breakpoint is removed, and nobody waits there again.
func TestBreakpointRemoved(t *testing.T) {
	g := onStage(t, "", "loop", "1")
	g.waits(1)
	g.must(g.b.Remove())
	g.says("result 1000")
	g.fifo.WriteString("\x05")
	g.says("result 1005")
	var said *breakpoint.Error
	if err := g.b.Remove(); !errors.As(err, &said) || said.Msg != "no breakpoint 'b1'" {
		t.Errorf("%v", err)
	}
	g.fifo.WriteString("q")
	g.ends(0, "result 1000", "result 1005")
}

// Breakpoints come and go in a program that runs; each has its own counts and place.
func TestBreakpointsLive(t *testing.T) {
	g := onStage(t, "PROG:lock_account", "loop", "0")
	prog := compile(t, "breaks.c", "-rdynamic")
	for i := range 5 {
		b, err := g.s.Add(prog+":work", breakpoint.Timeout(time.Minute))
		g.must(err)
		g.fifo.Write([]byte{byte(10 + i)})
		g.b = b
		if w := g.waits(1)[0]; w.Break != b.ID {
			t.Errorf("%+v, want %s", w, b.ID)
		}
		g.must(b.Release(g.waits(1)[0]))
		g.says(fmt.Sprintf("result %d", 1010+i))
		if i%2 == 0 {
			g.fifo.Write([]byte{byte(20 + i)})
			g.waits(1)
		}
		g.must(b.Remove())
	}
	g.fifo.WriteString("q")
	g.ends(0, "result 1010", "result 1011", "result 1012", "result 1013", "result 1014", "result 1020", "result 1022", "result 1024")
}

// Signals are handled while a thread waits, which it goes on to do; errno is as it was.
func TestBreakpointSignals(t *testing.T) {
	g := onStage(t, "", "signals")
	g.waits(1)
	g.fifo.WriteString("x")
	g.says("signals 50")
	g.must(g.b.Release(g.waits(1)[0]))
	g.ends(0, "signals 50", "result 1001", "errno 77")
}

// A handler forks while its thread waits: the child does not, the parent does.
func TestBreakpointHandlerForks(t *testing.T) {
	g := onStage(t, "", "handler-forks")
	w := g.waits(1)[0]
	g.must(syscall.Kill(w.PID, syscall.SIGUSR1))
	g.says("child 1001")
	g.must(g.b.Release(g.waits(1)[0]))
	g.ends(0, "child 1001", "result 1001")
}

// A handler jumps out of the wait: nothing is left of it when its thread waits again.
func TestBreakpointHandlerJumps(t *testing.T) {
	g := onStage(t, "", "handler-jumps")
	w := g.waits(1)[0]
	g.must(syscall.Kill(w.PID, syscall.SIGUSR1))
	g.says("jumped 0")
	eventually(t, "the second wait, and it alone", func() bool {
		th, err := g.b.Wait(1, soon)
		return err == nil && len(th) == 1 && th[0].Since.After(w.Since)
	})
	g.must(g.b.Release(g.waits(1)[0]))
	g.ends(0, "jumped 0", "result 1002")
}

// A process ends, and another is forked, while a thread waits.
func TestBreakpointExit(t *testing.T) {
	g := onStage(t, "", "exit")
	g.waits(1)
	g.fifo.WriteString("x")
	g.ends(3, "")
}

func TestBreakpointForkBeside(t *testing.T) {
	g := onStage(t, "", "fork-beside")
	parent := g.waits(1)[0]
	g.fifo.WriteString("x")
	g.says("child 0")
	th := g.waits(2)
	if th[0].PID != parent.PID || th[1].PID == parent.PID {
		t.Errorf("%+v", th)
	}
	g.must(g.b.Release(th[1]))
	g.says("result 1002")
	g.must(g.b.Release(g.waits(1)[0]))
	g.ends(0, "child 0", "result 1002", "result 1001")
}

// pthread_cancel acts where it would have without: at the next point for it, after the wait.
func TestBreakpointCancel(t *testing.T) {
	g := onStage(t, "", "cancel")
	g.waits(1)
	g.fifo.WriteString("x")
	g.says("cancelled 0")
	g.waits(1)
	g.must(g.b.Release(g.waits(1)[0]))
	g.ends(0, "cancelled 0", "ended by it 1")
}

// The collector is killed: who waits goes on, and from then on nobody waits.
func TestBreakpointCollectorKilled(t *testing.T) {
	d := newDesk(t)
	prog := compile(t, "breaks.c", "-rdynamic")
	dir := t.TempDir()
	in := fifo(t, dir)
	sock := filepath.Join(strings.TrimPrefix(d.env[0], "XDG_CACHE_HOME="), "s")
	collect := d.start("collect", "--socket", sock, "--break", prog+":work:timeout=10m")
	eventually(t, "the collector answers", func() bool { return d.try("break", "ls").Code == 0 })
	prog1 := harness.Start(t, harness.Cmd{Args: []string{harness.Seam(t), "exec", "--socket", sock, "--", prog, "loop", "1"}, Env: append(d.env, "GO="+in.Name())})
	eventually(t, "the wait", func() bool { return d.try("break", "wait", "b1").Code == 0 })
	if out := prog1.Stdout(); out != "" {
		t.Fatalf("%q", out)
	}
	collect.Signal(syscall.SIGKILL)
	eventually(t, "the thread goes on", func() bool { return prog1.Stdout() == "result 1000\n" })
	in.WriteString("\x05")
	eventually(t, "nobody waits", func() bool { return prog1.Stdout() == "result 1000\nresult 1005\n" })
	in.WriteString("q")
	if res := prog1.Wait(); res.Code != 0 {
		t.Errorf("%v", res)
	}
	collect.Wait()
}

// The same when the process is let go.
func TestBreakpointDetach(t *testing.T) {
	d := newDesk(t)
	prog := compile(t, "breaks.c", "-rdynamic")
	in := fifo(t, t.TempDir())
	run := harness.Start(t, harness.Cmd{Args: []string{harness.Seam(t), "run", "-q", "--break", prog + ":work:timeout=10m", "--", prog, "loop", "1"}, Env: append(d.env, "GO="+in.Name())})
	eventually(t, "the wait", func() bool { return d.try("break", "wait", "b1").Code == 0 })
	d.seam("detach")
	eventually(t, "the thread goes on", func() bool { return run.Stdout() == "result 1000\n" })
	in.WriteString("\x05q")
	if res := run.Wait(); res.Code != 0 || res.Stdout != "result 1000\nresult 1005\n" {
		t.Errorf("%v", res)
	}
}

// Conditions on lists, put in while the program runs: the list is that breakpoint's, also when
// one takes the place of another with a list of the same length.
func TestBreakpointLists(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "seam-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, d := range []string{"a", "b", "c"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, d, "file"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g := &stage{t: t, fifo: fifo(t, dir), sock: filepath.Join(dir, "control")}
	g.run = harness.Start(t, harness.Cmd{Args: []string{harness.Seam(t), "run", "-q", "--control=" + g.sock, "-H", "none", "--",
		harness.Program(t, "bash"), "-c", `while read -r n f <&9 && [ "$f" ]; do : <"$f"; echo "$n"; done 9<>"$0"`, g.fifo.Name()},
		Env: []string{"XDG_CACHE_HOME=" + dir}})
	eventually(t, "control socket", func() bool { g.s, err = breakpoint.Dial(g.sock); return err == nil })
	n, said := 0, []string{}
	opens := func(file string) string {
		n++
		line := fmt.Sprint(n)
		fmt.Fprintln(g.fifo, line, filepath.Join(dir, file, "file"))
		said = append(said, line)
		return line
	}
	g.says(opens("a"))
	for _, d := range []string{"a", "b", "c", "a"} {
		b, err := g.s.Add("libc:open*", breakpoint.When("path in="+filepath.Join(dir, d)), breakpoint.Timeout(time.Minute))
		g.must(err)
		g.b = b
		for _, other := range []string{"a", "b", "c"} {
			if other != d {
				g.says(opens(other))
			}
		}
		line := opens(d)
		g.must(b.Release(g.waits(1)[0]))
		g.says(line)
		g.must(b.Remove())
	}
	g.fifo.WriteString("\n")
	g.ends(0, said...)
}
