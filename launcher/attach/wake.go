package attach

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// SEAM_WAKE_* of preload/core/load.h.
const (
	resultDone    = 1
	resultAwake   = 2
	resultLoader  = 3
	resultMemory  = 4
	resultSpec    = 5
	resultNothing = 6
	resultArena   = 7
)

// A Call is what a process is woken with.
type Call struct {
	Spec    string // path of the spec file; the plans it needs are in the cache
	Socket  string // the reader's socket
	Adopts  bool   // the reader drains what a process leaves behind
	Library string // how LD_PRELOAD names the library, for programs the process executes
	Patches []Range
}

const (
	wakeWithin  = 5 * time.Second // until seam_wake has returned
	tryWithin   = 5 * time.Second // until no thread is where it must not be
	pause       = 2 * time.Millisecond
	argumentsAt = 16 << 10 // from the top of the stack
)

// errBusy: not now.
var errBusy = errors.New("busy")

// Took is how long the process stood still.
type Took struct {
	Stopped time.Duration
	Tries   int
	Threads int
}

// Wake has a dormant process watch.
func (p *Process) Wake(c Call) (Took, error) {
	type answer struct {
		took Took
		err  error
	}
	done := make(chan answer)
	go func() {
		// Never unlocked: when this thread ends with the goroutine, the kernel lets go
		// of whatever it still traces.
		runtime.LockOSThread()
		took, err := p.wakeUp(c)
		done <- answer{took, err}
	}()
	a := <-done
	return a.took, a.err
}

func (p *Process) wakeUp(c Call) (Took, error) {
	var took Took
	mem, err := os.OpenFile(p.proc("mem"), os.O_RDWR, 0)
	if err != nil {
		return took, p.why(err)
	}
	defer mem.Close()
	for end := time.Now().Add(tryWithin); ; {
		took.Tries++
		err := p.try(c, mem, &took)
		if !errors.Is(err, errBusy) {
			return took, err
		}
		if time.Now().After(end) {
			return took, &Error{p.PID, "does not leave the code that is to be patched, or loads libraries all the time", "try again, or name other functions"}
		}
		time.Sleep(pause)
	}
}

// try stops the process, wakes it, and lets it go on.
func (p *Process) try(c Call, mem *os.File, took *Took) error {
	begun := time.Now()
	s, err := p.stop()
	if err != nil {
		return err
	}
	defer func() {
		s.release()
		took.Stopped = time.Since(begun)
	}()
	took.Threads = len(s.threads)
	w, err := p.state(mem)
	switch {
	case err != nil:
		return err
	case w.Magic != wakeMagic, w.Result == resultDone:
		return p.outcome(resultAwake)
	}
	var b [24]byte // struct r_debug: version, r_map, r_brk
	if _, err := mem.ReadAt(b[:], int64(w.Loader)); err != nil {
		return p.why(err)
	}
	brk := binary.LittleEndian.Uint64(b[16:])
	patches := append(slices.Clone(c.Patches), Range{brk, brk + 5})
	slices.SortFunc(patches, func(a, b Range) int { return cmp.Compare(a.Lo, b.Lo) })
	if s.inside(patches, mem) {
		return errBusy
	}
	result, err := s.call(c, w, mem)
	if err != nil {
		return err
	}
	if result == resultLoader {
		return errBusy
	}
	return p.outcome(result)
}

func (p *Process) outcome(result int32) error {
	switch result {
	case resultDone:
		return nil
	case resultAwake:
		return &Error{p.PID, "is watched already, or was not started dormant", "a process that is watched gets other probes with: seam probe add"}
	case resultNothing:
		return &Error{p.PID, "has nothing that the probes name", "seam doctor PROGRAM says what there is"}
	case resultMemory, resultArena:
		return &Error{p.PID, "has no memory left for it", "give a smaller --buffer, or raise its limits"}
	case resultSpec:
		return &Error{p.PID, "can't read its spec", "it must be able to read seam's cache"}
	}
	return fmt.Errorf("process %d answers %d", p.PID, result)
}

// call has one thread call seam_wake.
func (s *stopper) call(c Call, w *waking, mem *os.File) (int32, error) {
	t := s.threads[s.p.PID]
	for _, other := range s.threads {
		if t == nil {
			t = other // the first thread has ended
		}
	}
	v, err := t.save()
	if err != nil {
		return 0, s.p.why(err)
	}
	// the arguments: strings at the top of its stack
	reader := ""
	if c.Adopts {
		reader = "seam"
	}
	at := w.StackHi - argumentsAt
	sp := (at-64)&^15 - 8 // as behind a call
	var args [4]uint64
	var block []byte
	for i, text := range []string{c.Spec, c.Socket, reader, c.Library} {
		args[i] = at + uint64(len(block))
		block = append(append(block, text...), 0)
	}
	if len(block) > argumentsAt {
		return 0, &Error{s.p.PID, "can't be given such long paths", "use a shorter --socket, or another XDG_CACHE_HOME"}
	}
	if c.Library == "" {
		args[3] = 0
	}
	if _, err := mem.WriteAt(block, int64(at)); err != nil {
		return 0, s.p.why(err)
	}
	if _, err := mem.WriteAt(make([]byte, 4), int64(s.p.waking)+resultOffset); err != nil {
		return 0, s.p.why(err)
	}
	all := ^uint64(0)
	for _, sig := range []unix.Signal{unix.SIGILL, unix.SIGTRAP, unix.SIGBUS, unix.SIGFPE, unix.SIGSEGV, unix.SIGSYS} {
		all &^= 1 << (sig - 1) // the kernel resets the action of one that is blocked and raised
	}
	if err := ptrace(setSigmask, t.tid, sigmaskSize, uintptr(unsafe.Pointer(&all))); err != nil {
		return 0, s.p.why(err)
	}
	regs := v.regs
	regs.Rip, regs.Rsp, regs.Rbp = s.p.wake, sp, 0
	regs.Rdi, regs.Rsi, regs.Rdx, regs.Rcx = args[0], args[1], args[2], args[3]
	regs.R8 = binary.LittleEndian.Uint64(v.mask[:])
	regs.Rax, regs.Orig_rax = 0, ^uint64(0) // not in a system call: nothing is made again here
	regs.Eflags = 0x202
	if err := unix.PtraceSetRegs(t.tid, &regs); err != nil {
		return 0, errors.Join(s.p.why(err), t.restore(v))
	}
	result, late, err := s.watch(t, mem)
	if !s.seized[t.tid] {
		return 0, err
	}
	if err := errors.Join(err, t.restore(v)); err != nil {
		return 0, err
	}
	for _, sig := range late {
		unix.Tgkill(s.p.PID, t.tid, sig)
	}
	return result, nil
}

// watch lets a thread run until there is a result, and stops it again. late are
// signals that somebody sent it meanwhile.
func (s *stopper) watch(t *thread, mem *os.File) (result int32, late []unix.Signal, err error) {
	if err := unix.PtraceCont(t.tid, 0); err != nil {
		return 0, nil, s.p.why(err)
	}
	var failed error
	asked := false
	end := time.Now().Add(wakeWithin)
	for nap := 50 * time.Microsecond; ; nap = min(2*nap, time.Millisecond) {
		var st unix.WaitStatus
		n, err := unix.Wait4(t.tid, &st, unix.WALL|unix.WNOHANG, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil || n == t.tid && !st.Stopped():
			s.seized[t.tid] = false
			return 0, nil, &Error{s.p.PID, "has ended meanwhile", ""}
		case n == t.tid && st>>16 == eventStop && asked:
			return result, late, failed
		case n == t.tid && st>>16 == eventStop: // somebody stops the process: when we are done
			unix.PtraceCont(t.tid, 0)
			continue
		case n == t.tid:
			sig := st.StopSignal()
			var info [128]byte
			ptrace(unix.PTRACE_GETSIGINFO, t.tid, 0, uintptr(unsafe.Pointer(&info)))
			if code := int32(binary.LittleEndian.Uint32(info[8:])); code > 0 && failed == nil {
				// Its own registers are put back: it goes on, unwatched.
				return 0, nil, fmt.Errorf("wake process %d: %s in the library", s.p.PID, unix.SignalName(sig))
			}
			late = append(late, sig)
			unix.PtraceCont(t.tid, 0)
			continue
		}
		if !asked {
			var b [4]byte
			if _, err := mem.ReadAt(b[:], int64(s.p.waking)+resultOffset); err == nil {
				result = int32(binary.LittleEndian.Uint32(b[:]))
			}
			if result == 0 && time.Now().After(end) {
				failed = fmt.Errorf("wake process %d: no answer within %s", s.p.PID, wakeWithin)
			}
			if result != 0 || failed != nil {
				asked = true
				if err := ptrace(unix.PTRACE_INTERRUPT, t.tid, 0, 0); err != nil {
					return 0, nil, s.p.why(err)
				}
				continue
			}
		}
		time.Sleep(nap)
	}
}
