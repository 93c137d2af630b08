package harness

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Deadline is how long a command may take when Cmd says nothing: far more than
// any needs on a busy machine, since reaching it means that something hangs.
const Deadline = 30 * time.Second

// Cmd is a command to run.
type Cmd struct {
	Args     []string
	Dir      string
	Env      []string      // added to the harness's own, which has nothing of the caller's
	Stdin    string        // what it can read; then the end
	Deadline time.Duration // 0: Deadline
	Stays    bool          // it may leave processes that run on; they are killed when the test ends
}

// Result is how a command ended. Two Results can be compared with ==.
type Result struct {
	Stdout, Stderr string
	Code           int            // exit status; 0 when Signal is set
	Signal         syscall.Signal // that killed it
}

func (r Result) String() string {
	how := fmt.Sprintf("exit status %d", r.Code)
	if r.Signal != 0 {
		how = "killed by " + r.Signal.String()
	}
	return fmt.Sprintf("%s\nstdout: %q\nstderr: %q", how, r.Stdout, r.Stderr)
}

var runs atomic.Uint64

// Running is a command that Start started.
type Running struct {
	t        testing.TB
	cmd      *exec.Cmd
	tree     *tree
	stdout   output
	stderr   output
	done     chan struct{}
	err      error
	deadline time.Duration
	stays    bool
}

// Run runs a command to its end. The test fails when it can't be started, hangs,
// or leaves processes behind.
func Run(t testing.TB, c Cmd) Result {
	t.Helper()
	return Start(t, c).Wait()
}

// Start starts a command. It must be waited for.
func Start(t testing.TB, c Cmd) *Running {
	t.Helper()
	tag := fmt.Sprintf("SEAM_HARNESS=%d.%d", os.Getpid(), runs.Add(1))
	r := &Running{t: t, done: make(chan struct{}), deadline: c.Deadline, stays: c.Stays}
	if r.deadline == 0 {
		r.deadline = Deadline
	}
	r.cmd = exec.Command(c.Args[0], c.Args[1:]...)
	r.cmd.Dir = c.Dir
	r.cmd.Env = append(Environ(t), tag)
	r.cmd.Env = append(r.cmd.Env, c.Env...)
	r.cmd.Stdin = strings.NewReader(c.Stdin)
	if c.Stdin == "" {
		r.cmd.Stdin = nil
	}
	// Pipes, not files: Wait sees whether their end comes when it should.
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, &r.stderr
	// No terminal, and a group of its own: what a test does with signals stays there.
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := r.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", c.Args[0], err)
	}
	r.tree = &tree{root: r.cmd.Process.Pid, tag: tag}
	t.Cleanup(func() { r.tree.kill() })
	go func() {
		r.err = r.cmd.Wait()
		close(r.done)
	}()
	return r
}

// PID is the process id of the command.
func (r *Running) PID() int { return r.cmd.Process.Pid }

// Stdout is what the command has written to its standard output so far.
func (r *Running) Stdout() string { return r.stdout.String() }

// Stderr is the same of its standard error.
func (r *Running) Stderr() string { return r.stderr.String() }

// Done is closed when the command has ended and its output is complete.
func (r *Running) Done() <-chan struct{} { return r.done }

// Signal sends the command, and nothing else, a signal.
func (r *Running) Signal(s syscall.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		r.t.Errorf("send %v: %v", s, err)
	}
}

// Wait waits for the end of the command and of its output.
func (r *Running) Wait() Result {
	r.t.Helper()
	timer := time.NewTimer(r.deadline)
	defer timer.Stop()
	select {
	case <-r.done:
	case <-timer.C:
		traces := r.tree.backtraces(r.t)
		r.tree.kill()
		select {
		case <-r.done:
		case <-time.After(5 * time.Second):
			r.t.Fatalf("%q hangs, and can't be killed:\n%s", r.cmd.Args, traces)
		}
		r.t.Fatalf("%q hangs: no end after %v\nstdout: %q\nstderr: %q\n%s", r.cmd.Args, r.deadline, tail(r.stdout.String()), tail(r.stderr.String()), traces)
	}
	if left := r.tree.left(); len(left) > 0 && !r.stays {
		traces := r.tree.backtraces(r.t)
		r.tree.kill()
		r.t.Errorf("%q left processes behind: %v\n%s", r.cmd.Args, left, traces)
	}
	ws, ok := r.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok {
		r.t.Fatalf("wait for %q: %v", r.cmd.Args, r.err)
	}
	res := Result{Stdout: r.stdout.String(), Stderr: r.stderr.String()}
	if ws.Signaled() {
		res.Signal = ws.Signal()
	} else {
		res.Code = ws.ExitStatus()
	}
	return res
}

// output gathers what a command writes, and can be looked at meanwhile.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func tail(s string) string {
	const most = 4000
	if len(s) <= most {
		return s
	}
	return "… " + strconv.Itoa(len(s)-most) + " bytes … " + s[len(s)-most:]
}
