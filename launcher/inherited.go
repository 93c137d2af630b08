package launcher

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Written by seam_entry, before the Go runtime starts; bit n-1 is signal n.
var (
	entrySeen    uint64
	entryIgnored uint64
	entryBlocked uint64
	entryClosed  uint64 // bit n: descriptor n was closed
)

// inherited is the state that a program started from here must find as this
// process found it.
type inherited struct {
	ignored uint64
	blocked uint64
	closed  uint64
	known   bool // read before the runtime started: blocked and closed are valid
}

// inheritedState returns the state at entry. In a program that was not linked
// with -E=seam_entry (tests, other users of this package) it is what the
// runtime has left to see.
func inheritedState() inherited {
	if entrySeen != 0 {
		return inherited{entryIgnored, entryBlocked, entryClosed, true}
	}
	var in inherited
	for n := 1; n <= 64; n++ {
		if act, err := getAction(syscall.Signal(n)); err == nil && act.handler == sigIgn {
			in.ignored |= 1 << (n - 1)
		}
	}
	return in
}

// restoreIgnored ignores again what was ignored at entry, so that programs
// started from here inherit it. SIGCHLD is left to the caller: while it is
// ignored there is no exit status to wait for.
//
// os/signal does not touch SIGPROF, and the runtime resets it in a new process:
// see fork.
func (in inherited) restoreIgnored() {
	for n := 1; n <= 64; n++ {
		if sig := syscall.Signal(n); in.ignores(sig) && sig != unix.SIGCHLD {
			signal.Ignore(sig)
		}
	}
}

// fork starts the target with the descriptors and the signal mask of entry.
func (in inherited) fork(t *Target, env []string) (pid int, err error) {
	attr := &syscall.ProcAttr{Env: env, Files: []uintptr{0, 1, 2}}
	for fd := range attr.Files {
		if in.closed&(1<<fd) != 0 {
			attr.Files[fd] = ^uintptr(0) // closed in the child
		}
	}
	if in.ignores(unix.SIGCHLD) {
		signal.Ignore(unix.SIGCHLD)
		// Caught again when the child has inherited it: we mean to wait.
		defer signal.Notify(make(chan os.Signal, 1), unix.SIGCHLD)
	}
	// The child inherits the mask of the thread that forks, from which the runtime
	// has taken the signals it needs.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if in.known {
		if old, err := setMask(unix.SIG_SETMASK, in.blocked); err == nil {
			defer setMask(unix.SIG_SETMASK, old)
		}
	}
	if in.known && in.ignores(unix.SIGPROF) {
		// seam_entry ignores it again, before there is a runtime, and goes on to the target.
		pid, err := syscall.ForkExec("/proc/self/exe", append([]string{ignoreSIGPROF, t.Path}, t.Argv...), attr)
		if err == nil {
			return pid, nil
		}
	}
	return syscall.ForkExec(t.Path, t.Argv, attr)
}

// ignoreSIGPROF is what seam_entry knows the detour by: 8 bytes, and the NUL that
// ends it.
const ignoreSIGPROF = "\x01sigprof"

// exec replaces this process by the target, with the descriptors and the signal
// state of entry. It returns only when it fails.
func (in inherited) exec(t *Target, env []string) error {
	in.restoreIgnored()
	if in.ignores(unix.SIGCHLD) {
		signal.Ignore(unix.SIGCHLD)
	}
	if in.ignores(unix.SIGPROF) {
		setAction(unix.SIGPROF, sigaction{handler: sigIgn})
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if in.known {
		for fd := range 3 {
			if in.closed&(1<<fd) != 0 {
				unix.CloseOnExec(fd)
			}
		}
		if old, err := setMask(unix.SIG_SETMASK, in.blocked); err == nil {
			defer setMask(unix.SIG_SETMASK, old)
		}
	}
	return syscall.Exec(t.Path, t.Argv, env)
}

func (in inherited) ignores(sig syscall.Signal) bool {
	return in.ignored&(1<<(sig-1)) != 0
}

const (
	sigDfl = 0
	sigIgn = 1
)

// sigaction is the kernel's, which has the restorer before the mask.
type sigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

func getAction(sig syscall.Signal) (act sigaction, err error) {
	_, _, e := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), 0, uintptr(unsafe.Pointer(&act)), 8, 0, 0)
	if e != 0 {
		return act, e
	}
	return act, nil
}

func setAction(sig syscall.Signal, act sigaction) error {
	_, _, e := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&act)), 0, 8, 0, 0)
	if e != 0 {
		return e
	}
	return nil
}

func setMask(how int, mask uint64) (old uint64, err error) {
	_, _, e := unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, uintptr(how), uintptr(unsafe.Pointer(&mask)), uintptr(unsafe.Pointer(&old)), 8, 0, 0)
	if e != 0 {
		return 0, e
	}
	return old, nil
}
