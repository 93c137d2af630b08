package launcher

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Process is a target that Start started, and Wait waits for.
type Process struct {
	PID     int
	signals chan os.Signal
	in      inherited
	group   *witness
}

// Status is how a target ended.
type Status struct {
	Code   int             // exit status, when Signal is 0
	Signal syscall.Signal  // the signal that ended it, or 0
	Raw    unix.WaitStatus // the same as wait4 gave it
}

// String says it in words.
func (s Status) String() string {
	if s.Signal != 0 {
		return fmt.Sprintf("killed by %s", unix.SignalName(s.Signal))
	}
	return fmt.Sprintf("exit status %d", s.Code)
}

// Forwarded signals: those that someone sends to the process he knows, which is
// ours. Stop signals are not here, they follow the target (Wait); nor are the
// terminal's SIGWINCH and SIGCONT, which the target gets itself.
var forwarded = append([]syscall.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2,
	unix.SIGALRM, unix.SIGVTALRM, unix.SIGIO, unix.SIGPWR, unix.SIGSTKFLT,
}, realtime()...)

// realtime are the real-time signals that the C library leaves to programs and
// that os/signal can catch.
func realtime() []syscall.Signal {
	var s []syscall.Signal
	for n := 35; n <= 64; n++ {
		s = append(s, syscall.Signal(n))
	}
	return s
}

// Start starts the target in our process group and session, on our standard
// descriptors, with env, and with the signal state and limits that this process
// was itself started with.
func Start(t *Target, env []string) (*Process, error) {
	p := &Process{signals: make(chan os.Signal, 64), in: inheritedState()}
	p.in.restoreIgnored()
	// From here on a signal that would end us must reach the target instead. Handlers
	// are reset in the new process by the runtime; what is ignored stays ignored.
	for _, sig := range append([]syscall.Signal{unix.SIGTSTP, unix.SIGTTIN}, forwarded...) {
		if !p.in.ignores(sig) {
			signal.Notify(p.signals, sig)
		}
	}
	p.group = newWitness()
	pid, err := p.in.fork(t, env)
	if err != nil {
		p.group.end()
		signal.Stop(p.signals)
		return nil, execRefusal(t, err)
	}
	// What we found ignored is passed on as well, now that the target has inherited
	// that: it may catch it nevertheless, as a server does that a script has started
	// in the background, where shells ignore SIGINT and SIGQUIT. One that comes before
	// this, while the target is being started, is ignored: dispositions are inherited at fork.
	for _, sig := range forwarded {
		if p.in.ignores(sig) {
			signal.Notify(p.signals, sig)
		}
	}
	p.PID = pid
	return p, nil
}

func execRefusal(t *Target, err error) error {
	r := &Refusal{Reason: NotExecutable, Object: t.Path, Detail: err.Error()}
	switch {
	case errors.Is(err, unix.ENOENT):
		r.Reason = NotFound
	case errors.Is(err, unix.E2BIG):
		r.Hint = "arguments and environment together are too long"
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ENOMEM):
		return fmt.Errorf("start '%s': %w", t.Path, err)
	}
	return r
}

// change is what wait4 has to say of the target.
type change struct {
	status unix.WaitStatus
	err    error
}

// Wait waits until the target has ended. Meanwhile it passes signals on to it,
// and stops and continues with it.
func (p *Process) Wait() (Status, error) {
	changes := make(chan change)
	go func() {
		for {
			c := p.wait()
			changes <- c
			if c.err != nil || c.status.Exited() || c.status.Signaled() {
				return
			}
		}
	}()
	defer signal.Stop(p.signals)
	defer p.group.end()
	var changed *change
	var overdue <-chan time.Time
	for {
		select {
		case sig := <-p.signals:
			got := p.group.await([]syscall.Signal{sig.(syscall.Signal)}, p.more)
			for _, sig := range got {
				p.pass(sig)
			}
			continue
		case <-overdue:
			overdue = nil
			select {
			case c := <-changes:
				changed = &c
			default:
				// We were continued, and alone: the target is to run on, too.
				unix.Kill(p.PID, unix.SIGCONT)
				continue
			}
		case c := <-changes:
			changed = &c
		}
		overdue = nil
		switch c := changed; {
		case c.err == unix.ECHILD && p.in.ignores(unix.SIGCHLD):
			// The target ended before we could catch SIGCHLD again: there is no status.
			return Status{}, nil
		case c.err != nil:
			return Status{}, fmt.Errorf("wait for target: %w", c.err)
		case c.status.Exited():
			return Status{Code: c.status.ExitStatus(), Raw: c.status}, nil
		case c.status.Signaled():
			return Status{Signal: c.status.Signal(), Raw: c.status}, nil
		case c.status.Stopped():
			// Stop by the same signal, so that the shell sees the job stop. When raise
			// returns, we were continued; so was the target, unless the signal was
			// meant for us alone, and then wait4 says so, or that it stopped anew.
			// What /proc says of it now could be either.
			if raise(c.status.StopSignal()) == nil {
				overdue = time.After(continueTogether)
			}
		}
	}
}

// continueTogether is how long after us the target may be continued by the one
// who continues us: he signals a group process by process.
const continueTogether = 50 * time.Millisecond

func (p *Process) wait() (c change) {
	for {
		_, c.err = unix.Wait4(p.PID, &c.status, unix.WUNTRACED|unix.WCONTINUED, nil)
		if c.err != unix.EINTR {
			return c
		}
	}
}

// more appends the signals that have come meanwhile.
func (p *Process) more(got []syscall.Signal) []syscall.Signal {
	for len(got) < 1024 {
		select {
		case sig := <-p.signals:
			got = append(got, sig.(syscall.Signal))
		default:
			return got
		}
	}
	return got
}

// pass gives the target a signal that we got.
func (p *Process) pass(sig syscall.Signal) {
	switch sig {
	case unix.SIGTSTP, unix.SIGTTIN:
		return // from the terminal, which asks the target too; we stop when it does
	case unix.SIGINT, unix.SIGQUIT:
		if inForeground() {
			return // from the terminal, which signals its whole foreground group
		}
	case unix.SIGHUP:
		if terminalGone() {
			return // likewise
		}
	}
	if p.group.group(sig) {
		return // the target has got it, too
	}
	unix.Kill(p.PID, sig)
}

// inForeground says whether we are in the foreground group of a terminal.
func inForeground() bool {
	tty, err := openTerminal()
	if err != nil {
		return false
	}
	defer unix.Close(tty)
	pgrp, err := unix.IoctlGetInt(tty, unix.TIOCGPGRP)
	return err == nil && pgrp == unix.Getpgrp()
}

// terminalGone says whether our controlling terminal was hung up.
func terminalGone() bool {
	tty, err := openTerminal()
	if err == nil {
		unix.Close(tty)
	}
	return err == unix.EIO
}

func openTerminal() (int, error) {
	return unix.Open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
}

// raise sends this thread a signal with its default action, and puts action and
// mask back if that is survived.
func raise(sig syscall.Signal) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if sig != unix.SIGSTOP && sig != unix.SIGKILL {
		act, err := getAction(sig)
		if err != nil {
			return err
		}
		if err := setAction(sig, sigaction{handler: sigDfl}); err != nil {
			return err
		}
		defer setAction(sig, act)
	}
	old, err := setMask(unix.SIG_UNBLOCK, 1<<(sig-1))
	if err != nil {
		return err
	}
	defer setMask(unix.SIG_SETMASK, old)
	return unix.Tgkill(unix.Getpid(), unix.Gettid(), sig)
}

// Exit ends this process the way the target ended: with its exit status, or by
// the signal that killed it, without a core dump of our own.
func (s Status) Exit() {
	if s.Signal == 0 {
		os.Exit(s.Code)
	}
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	// A limit of zero doesn't keep the kernel from piping a dump to a handler.
	unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	raise(s.Signal)
	os.Exit(128 + int(s.Signal))
}
