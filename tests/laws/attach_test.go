package laws

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/tests/harness"
)

// dormant is the environment that makes a program ready to be attached to.
func dormant(t *testing.T) []string {
	t.Helper()
	res := harness.Run(t, harness.Cmd{Args: []string{harness.Seam(t), "env", "--dormant", "--format", "env-file"}})
	if res.Code != 0 {
		t.Fatalf("seam env --dormant: %v", res)
	}
	return strings.Fields(res.Stdout)
}

// A guestProcess is a program that goes on until its standard input ends.
type guestProcess struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out bytes.Buffer
	all chan struct{} // closed when out is complete
}

// sleeper starts a program with an environment and waits until it says "ready".
func sleeper(t *testing.T, env []string, args ...string) *guestProcess {
	t.Helper()
	g := &guestProcess{cmd: exec.Command(args[0], args[1:]...)}
	g.cmd.Env = append(harness.Environ(t), env...)
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	g.cmd.Stderr = os.Stderr
	in, err := g.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	g.in = in
	out, err := g.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.cmd.Process.Kill(); g.cmd.Wait() })
	line := make([]byte, 6)
	if _, err := io.ReadFull(out, line); err != nil || string(line) != "ready\n" {
		t.Fatalf("%v says %q: %v", args, line, err)
	}
	g.all = make(chan struct{})
	go func() {
		io.Copy(&g.out, out)
		close(g.all)
	}()
	return g
}

// end ends its input and returns what it said and how it ended.
func (g *guestProcess) end(t *testing.T) (string, error) {
	t.Helper()
	g.in.Close()
	select {
	case <-g.all:
	case <-time.After(deadline):
		stacks := harness.Run(t, harness.Cmd{Args: []string{harness.Program(t, "gdb"), "-batch", "-p", fmt.Sprint(g.cmd.Process.Pid), "-ex", "thread apply all bt"}})
		t.Fatalf("the program hangs:\n%s", stacks.Stdout)
	}
	err := g.cmd.Wait()
	return g.out.String(), err
}

// attached is seam attach, once it watches.
func attached(t *testing.T, pid int, flags ...string) (*harness.Running, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	args := append([]string{harness.Seam(t), "attach", "-q", "--json", "--report", file, "--pid", fmt.Sprint(pid)}, flags...)
	r := harness.Start(t, harness.Cmd{Args: args})
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if awake(pid) {
			return r, file
		}
		select {
		case <-r.Done():
			t.Fatalf("seam attach ended: %v", r.Wait())
		default:
		}
	}
	t.Fatal("seam attach does not come to an end")
	return nil, ""
}

// awake: the process has an arena, and nobody holds it.
func awake(pid int) bool {
	maps, _ := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return bytes.Contains(maps, []byte("memfd:seam-arena")) && bytes.Contains(status, []byte("TracerPid:\t0\n"))
}

// signalState is what the kernel says of each thread's signals. Threads that the
// agent makes are not the program's.
func signalState(pid int, tids []string) (s string) {
	line := regexp.MustCompile(`(?m)^Sig(Blk|Ign|Cgt):.*$`)
	for _, tid := range tids {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, tid))
		for _, l := range line.FindAllString(string(b), -1) {
			name, hex, _ := strings.Cut(l, ":\t")
			set, _ := strconv.ParseUint(hex, 16, 64)
			set |= 1 << (unix.SIGUSR1 - 1) // open while sigtimedwait lasts
			s += fmt.Sprintf("%s %s %x\n", tid, name, set)
		}
	}
	return s
}

func tasks(pid int) (tids []string) {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, e := range entries {
		tids = append(tids, e.Name())
	}
	return tids
}

func descriptors(t *testing.T, pid int) (fds []string) {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		to, _ := os.Readlink(filepath.Join("/proc", fmt.Sprint(pid), "fd", e.Name()))
		fds = append(fds, e.Name()+" "+to)
	}
	return fds
}

// A dormant process has a mapped library, and nothing else of seam.
func TestDormant(t *testing.T) {
	exe := program(t, "woken.c")
	g := sleeper(t, dormant(t), exe, "busy")
	pid := g.cmd.Process.Pid
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(maps, []byte("/libseam.so")) || bytes.Contains(maps, []byte("seam-arena")) {
		t.Errorf("not the library alone:\n%s", maps)
	}
	if n := len(tasks(pid)); n != 9 {
		t.Errorf("%d threads, the program made 9", n)
	}
	ours := descriptors(t, os.Getpid())                                                                                           // what these tests were started with, it has, too
	if fds := slices.DeleteFunc(descriptors(t, pid), func(fd string) bool { return slices.Contains(ours, fd) }); len(fds) > 3+8 { // its own, and what the threads open
		t.Errorf("descriptors: %v", fds)
	}
	for line := range strings.Lines(string(maps)) { // no code was changed: its pages are the file's
		if strings.Contains(line, "libc.so") && strings.Contains(line, "x") && strings.Contains(line, "rwx") {
			t.Errorf("code is open: %s", line)
		}
	}
	if out, err := g.end(t); out != "good\n" || err != nil {
		t.Errorf("%q %v", out, err)
	}
}

// Every system call that a thread may be blocked in goes on as if nothing had been:
// the same result, no EINTR, no timeout that is too early.
func TestAttachToBlocked(t *testing.T) {
	exe := program(t, "woken.c")
	bare := sleeper(t, nil, exe, "blocked")
	want, err := bare.end(t)
	if err != nil || strings.Contains(want, "early") {
		t.Fatalf("%q: %v", want, err)
	}
	for range 3 { // the first makes the plans, and may be late
		g := sleeper(t, dormant(t), exe, "blocked")
		pid := g.cmd.Process.Pid
		tids, fds := tasks(pid), descriptors(t, pid)
		before := signalState(pid, tids)
		r, file := attached(t, pid, "-H", "file,net")
		if after := signalState(pid, tids); after != before {
			t.Errorf("signals before:\n%safter:\n%s", before, after)
		}
		if after := descriptors(t, pid); !slices.Equal(fds, after) {
			t.Errorf("descriptors before: %v\nafter: %v", fds, after)
		}
		if got, err := g.end(t); got != want || err != nil {
			t.Errorf("bare:\n%swatched:\n%s%v", want, got, err)
		}
		if res := r.Wait(); res.Code != 0 {
			t.Errorf("seam attach: %v", res)
		}
		rep := readReport(t, file)
		rep.exact(t)
		if n, _ := rep.function("write"); n == 0 {
			t.Errorf("nothing was seen: %+v", rep.Functions)
		}
	}
}

// Threads that are inside the very functions that are patched, and inside malloc,
// with and without a timer that interrupts them everywhere.
func TestAttachToBusy(t *testing.T) {
	exe := program(t, "woken.c")
	probes := p("libc:malloc@count", "libc:free@count", "libc:calloc@count", "libc:realloc@count", "libc:open", "libc:write", "libc:close", "libc:getppid", "libc:memset@count")
	for _, mode := range []string{"busy", "signals"} {
		t.Run(mode, func(t *testing.T) {
			for range 5 {
				g := sleeper(t, dormant(t), exe, mode)
				pid := g.cmd.Process.Pid
				r, file := attached(t, pid, append(probes, "--buffer", "1MiB")...)
				time.Sleep(20 * time.Millisecond)
				out, err := g.end(t)
				if !strings.HasPrefix(out, "good\n") || strings.Contains(out, "no ticks") || err != nil {
					t.Fatalf("%q: %v", out, err)
				}
				if res := r.Wait(); res.Code != 0 {
					t.Errorf("seam attach: %v", res)
				}
				rep := readReport(t, file)
				rep.exact(t)
				for _, fn := range []string{"malloc", "open", "getppid"} {
					if n, _ := rep.function(fn); n+rep.dropped(fn) == 0 {
						t.Errorf("no call of %s was seen: %+v", fn, rep.Refusals)
					}
				}
			}
		})
	}
}

// A thread that is in the middle of the bytes that are to be overwritten, or will return
// there from a signal handler: it is waited for.
func TestAttachWhereAThreadIs(t *testing.T) {
	exe := program(t, "woken.c", "-rdynamic")
	for _, mode := range []string{"lingers", "handled"} {
		t.Run(mode, func(t *testing.T) {
			for range 3 {
				g := sleeper(t, dormant(t), exe, mode)
				r, file := attached(t, g.cmd.Process.Pid, "-p", exe+":lingers")
				time.Sleep(100 * time.Millisecond)
				if out, err := g.end(t); out != "good\n" || err != nil {
					t.Fatalf("%q: %v", out, err)
				}
				if res := r.Wait(); res.Code != 0 {
					t.Errorf("seam attach: %v", res)
				}
				rep := readReport(t, file)
				rep.exact(t)
				if n, _ := rep.function("lingers"); n == 0 {
					t.Errorf("no call was seen: %+v", rep.Refusals)
				}
			}
		})
	}
}

func TestAttachRefused(t *testing.T) {
	exe := program(t, "woken.c")
	try := func(t *testing.T, pid int, want string) {
		t.Helper()
		res := harness.Run(t, harness.Cmd{Args: []string{harness.Seam(t), "attach", "-q", "--pid", fmt.Sprint(pid), "-p", "libc:write"}})
		if res.Code == 0 || !strings.Contains(res.Stderr, want) || !strings.Contains(res.Stderr, "seam: error: process ") {
			t.Errorf("want %q: %v", want, res)
		}
	}
	t.Run("without the library", func(t *testing.T) {
		g := sleeper(t, nil, exe, "busy")
		try(t, g.cmd.Process.Pid, "does not have seam's library")
	})
	t.Run("stopped", func(t *testing.T) {
		g := sleeper(t, dormant(t), exe, "busy")
		pid := g.cmd.Process.Pid
		unix.Kill(pid, unix.SIGSTOP)
		for !stopped(pid) {
			time.Sleep(time.Millisecond)
		}
		try(t, pid, "is stopped")
		unix.Kill(pid, unix.SIGCONT)
		if out, err := g.end(t); out != "good\n" || err != nil {
			t.Errorf("%q %v", out, err)
		}
	})
	t.Run("nothing there", func(t *testing.T) {
		g := sleeper(t, dormant(t), exe, "busy")
		res := harness.Run(t, harness.Cmd{Args: []string{harness.Seam(t), "attach", "-q", "--pid", fmt.Sprint(g.cmd.Process.Pid), "-p", exe + ":no_such"}})
		if res.Code == 0 || !strings.Contains(res.Stderr, "nothing that the probes name") {
			t.Errorf("%v", res)
		}
		// and it is still dormant
		r, _ := attached(t, g.cmd.Process.Pid, "-p", "libc:write")
		try(t, g.cmd.Process.Pid, "is watched already")
		if out, err := g.end(t); out != "good\n" || err != nil {
			t.Errorf("%q %v", out, err)
		}
		r.Wait()
	})
	t.Run("no such process", func(t *testing.T) { try(t, 1<<22+1, "does not exist") })
}

func stopped(pid int) bool {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return bytes.Contains(b, []byte(") T "))
}
