package e2e

import (
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

	"github.com/seam-project/seam/breakpoint"
	"github.com/seam-project/seam/tests/harness"
)

// A stage is testdata/breaks.c with a breakpoint at work, b1.
type stage struct {
	t    *testing.T
	run  *harness.Running
	s    *breakpoint.Session
	b    *breakpoint.Breakpoint
	fifo *os.File
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

// Two threads that take two locks in opposite order, and the interleaving in which neither gets on.
func TestBreakpointDeadlock(t *testing.T) {
	g := onStage(t, "PROG:lock_account", "bank")
	g.waits(2) // each before its first lock
	_, err := g.b.ReleaseAll()
	g.must(err)
	eventually(t, "both before their second lock", func() bool {
		th, err := g.b.Wait(2, soon)
		return err == nil && len(th) == 2 && th[0].Since.After(time.Time{}) && g.second(th)
	})
	_, err = g.b.ReleaseAll()
	g.must(err)
	// the locks give up after a second; the one that does so first lets the other go on
	res := g.run.Wait()
	if res.Code != 0 || !strings.Contains(res.Stdout, "deadlock") {
		t.Errorf("%v", res)
	}
}

// second: the threads are on their second lock.
func (g *stage) second(th []breakpoint.Thread) bool {
	for _, w := range th {
		// the call of the second lock is further on in transfer
		if !strings.HasPrefix(w.Stack[0], "breaks!transfer+0x") {
			g.t.Fatalf("%q", w.Stack)
		}
	}
	return true
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
