package attach

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	eventStop   = 128 // PTRACE_EVENT_STOP
	getSigmask  = 0x420a
	setSigmask  = 0x420b
	getRegset   = 0x4204
	setRegset   = 0x4205
	xstate      = 0x202 // NT_X86_XSTATE
	sigmaskSize = 8

	// stopWithin is how long a thread may take to stop. One that waits for its vfork
	// child does not stop at all before the child executes another program.
	stopWithin = 2 * time.Second
)

// thread is one that stands still.
type thread struct {
	tid  int
	regs unix.PtraceRegs
}

// A stopper holds all threads of a process.
type stopper struct {
	p       *Process
	threads map[int]*thread
	seized  map[int]bool // known to ptrace, and not gone
}

// stop stops all threads. On an error none is held any more.
func (p *Process) stop() (*stopper, error) {
	s := &stopper{p: p, threads: map[int]*thread{}, seized: map[int]bool{}}
	// A thread that runs may make others: look again until there is nothing new.
	for again := true; again; {
		again = false
		var fresh []int
		tids, err := p.tids()
		if err != nil {
			s.release()
			return nil, err
		}
		for _, tid := range tids {
			if _, known := s.seized[tid]; known {
				continue
			}
			again = true
			s.seized[tid] = false
			if err := ptrace(unix.PTRACE_SEIZE, tid, 0, 0); err != nil {
				if errors.Is(err, unix.ESRCH) || s.zombie(tid) {
					continue // it has ended; a process's first thread may, and the others go on
				}
				s.release()
				return nil, p.why(err)
			}
			s.seized[tid] = true
			if err := ptrace(unix.PTRACE_INTERRUPT, tid, 0, 0); err != nil && !errors.Is(err, unix.ESRCH) {
				s.release()
				return nil, p.why(err)
			}
			fresh = append(fresh, tid)
		}
		for _, tid := range fresh {
			if err := s.stopped(tid); err != nil {
				s.release()
				return nil, err
			}
		}
	}
	if len(s.threads) == 0 {
		s.release()
		return nil, &Error{p.PID, "has ended", ""}
	}
	return s, nil
}

func (p *Process) tids() ([]int, error) {
	entries, err := os.ReadDir(p.proc("task"))
	if err != nil {
		return nil, p.why(err)
	}
	var tids []int
	for _, e := range entries {
		if tid, err := strconv.Atoi(e.Name()); err == nil {
			tids = append(tids, tid)
		}
	}
	return tids, nil
}

func (s *stopper) zombie(tid int) bool {
	b, err := os.ReadFile(filepath.Join(s.p.proc("task"), strconv.Itoa(tid), "stat"))
	if err != nil {
		return true
	}
	i := bytes.LastIndexByte(b, ')')
	return i < 0 || i+2 >= len(b) || b[i+2] == 'Z' || b[i+2] == 'X'
}

// stopped waits until a thread that was interrupted stands still, and reads its registers.
func (s *stopper) stopped(tid int) error {
	end := time.Now().Add(stopWithin)
	for {
		st, ok, err := wait(tid, end)
		switch {
		case err != nil:
			return s.p.why(err)
		case !ok:
			return &Error{s.p.PID, fmt.Sprintf("does not stop: its thread %d waits in the kernel", tid),
				"it may be waiting for a child that it has just made; try again"}
		case !st.Stopped():
			s.seized[tid] = false
			delete(s.threads, tid)
			return nil // it has ended
		case st>>16 == eventStop:
			if sig := st.StopSignal(); sig != unix.SIGTRAP {
				return &Error{s.p.PID, "is stopped", fmt.Sprintf("continue it first: kill -CONT %d", s.p.PID)}
			}
			t := &thread{tid: tid}
			if err := unix.PtraceGetRegs(tid, &t.regs); err != nil {
				return s.p.why(err)
			}
			s.threads[tid] = t
			return nil
		default: // a signal was on its way: let it arrive, our stop comes behind it
			if err := unix.PtraceCont(tid, int(st.StopSignal())); err != nil && !errors.Is(err, unix.ESRCH) {
				return s.p.why(err)
			}
		}
	}
}

// wait waits for a traced thread to change; false: not in time.
func wait(tid int, end time.Time) (st unix.WaitStatus, ok bool, err error) {
	for nap := 20 * time.Microsecond; ; nap = min(2*nap, time.Millisecond) {
		n, err := unix.Wait4(tid, &st, unix.WALL|unix.WNOHANG, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, false, err
		case n == tid:
			return st, true, nil
		case time.Now().After(end):
			return 0, false, nil
		}
		time.Sleep(nap)
	}
}

// release lets all threads go on.
func (s *stopper) release() {
	for tid, held := range s.seized {
		if !held {
			continue
		}
		t := s.threads[tid]
		if t == nil {
			// seized, but it did not stop: only one that is stopped can be let go
			if st, ok, err := wait(tid, time.Now().Add(stopWithin)); err != nil || !ok || !st.Stopped() {
				continue // it goes on by itself when this thread of ours ends
			}
		} else if s.again(t) {
			unix.PtraceSetRegs(tid, &t.regs)
		}
		unix.PtraceDetach(tid)
	}
	clear(s.seized)
}

// Error numbers of the kernel's own: a system call that is to be made again.
const (
	restartSys   = -512
	restartNoInt = -513
	restartNoHnd = -514
	restartBlock = -516
)

// neverRestarted are calls that may fail with EINTR even when no signal was delivered:
// by their nature, or, on a socket, because it has a timeout.
var neverRestarted = []uint64{unix.SYS_EPOLL_WAIT, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_PWAIT2,
	unix.SYS_SEMOP, unix.SYS_SEMTIMEDOP, unix.SYS_RT_SIGTIMEDWAIT, unix.SYS_IO_GETEVENTS, unix.SYS_IO_PGETEVENTS,
	unix.SYS_READ, unix.SYS_READV, unix.SYS_RECVFROM, unix.SYS_RECVMSG, unix.SYS_RECVMMSG,
	unix.SYS_WRITE, unix.SYS_WRITEV, unix.SYS_SENDTO, unix.SYS_SENDMSG, unix.SYS_SENDMMSG,
	unix.SYS_ACCEPT, unix.SYS_ACCEPT4, unix.SYS_CONNECT}

// again has such a call made again, unless a signal is on its way, which has
// interrupted it as much as we did; true: the registers were changed. A timeout
// begins anew: it may take longer than was asked, never shorter.
func (s *stopper) again(t *thread) bool {
	if int64(t.regs.Rax) != -int64(unix.EINTR) || !slices.Contains(neverRestarted, t.regs.Orig_rax) || s.pending(t.tid) {
		return false
	}
	t.regs.Rax = t.regs.Orig_rax
	t.regs.Orig_rax = ^uint64(0)
	t.regs.Rip -= 2
	return true
}

// pending tells whether a signal waits to be delivered to a thread.
func (s *stopper) pending(tid int) bool {
	b, err := os.ReadFile(filepath.Join(s.p.proc("task"), strconv.Itoa(tid), "status"))
	if err != nil {
		return true
	}
	set := func(name string) uint64 {
		_, after, _ := bytes.Cut(b, []byte("\n"+name+":\t"))
		line, _, _ := bytes.Cut(after, []byte("\n"))
		v, _ := strconv.ParseUint(string(line), 16, 64)
		return v
	}
	return (set("SigPnd")|set("ShdPnd"))&^set("SigBlk") != 0
}

// inKernel: the thread is about to make its system call again, two bytes back.
func (t *thread) inKernel() bool {
	if int64(t.regs.Orig_rax) < 0 {
		return false
	}
	switch int64(t.regs.Rax) {
	case restartSys, restartNoInt, restartNoHnd, restartBlock, -int64(unix.EINTR):
		return true
	}
	return false
}

// A Range is bytes [Lo, Hi) that will be overwritten.
type Range struct{ Lo, Hi uint64 }

// within tells whether continuing at addr would execute the middle of something
// overwritten. ranges are by address.
func within(ranges []Range, addr uint64) bool {
	i := sort.Search(len(ranges), func(i int) bool { return ranges[i].Hi > addr })
	return i < len(ranges) && addr > ranges[i].Lo
}

const maxStack = 1 << 20 // of each thread, looked at for interrupted code

// inside tells whether a thread is, or after a signal handler will be, in the middle
// of bytes that are to be overwritten.
func (s *stopper) inside(ranges []Range, mem *os.File) bool {
	stacks := s.p.writable()
	for _, t := range s.threads {
		if within(ranges, t.regs.Rip) || t.inKernel() && within(ranges, t.regs.Rip-2) {
			return true
		}
		if s.returnsInto(ranges, t.regs.Rsp, stacks, mem) {
			return true
		}
	}
	return false
}

// ripInFrame is where rt_sigframe has the interrupted instruction's address,
// from its first word, which is the address of the code that returns from the handler.
const ripInFrame = 176

// writable lists the memory that the process can write to, by address.
func (p *Process) writable() (all []Range) {
	maps, _ := os.ReadFile(p.proc("maps"))
	for line := range bytes.Lines(maps) {
		at, rest, _ := bytes.Cut(line, []byte(" "))
		lo, hi, ok := bytes.Cut(at, []byte("-"))
		if !ok || len(rest) < 2 || rest[1] != 'w' {
			continue
		}
		l, _ := strconv.ParseUint(string(lo), 16, 64)
		h, _ := strconv.ParseUint(string(hi), 16, 64)
		all = append(all, Range{l, h})
	}
	return all
}

// returnsInto looks for signal frames on a stack, up to where it ends. A word that
// happens to look like one only costs another try.
func (s *stopper) returnsInto(ranges []Range, sp uint64, stacks []Range, mem *os.File) bool {
	sp &^= 7
	i := sort.Search(len(stacks), func(i int) bool { return stacks[i].Hi > sp })
	if i == len(stacks) || sp < stacks[i].Lo {
		return false
	}
	stack := make([]byte, min(stacks[i].Hi-sp, maxStack))
	n, _ := mem.ReadAt(stack, int64(sp))
	stack = stack[:n]
	for i := ripInFrame; i+8 <= len(stack); i += 8 {
		if within(ranges, binary.LittleEndian.Uint64(stack[i:])) &&
			restorer(mem, binary.LittleEndian.Uint64(stack[i-ripInFrame:])) {
			return true
		}
	}
	return false
}

// restorer: mov $15, %rax (or %eax); syscall.
func restorer(mem *os.File, addr uint64) bool {
	var b [9]byte
	if _, err := mem.ReadAt(b[:], int64(addr)); err != nil {
		return false
	}
	return string(b[:]) == "\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05" || string(b[:7]) == "\xb8\x0f\x00\x00\x00\x0f\x05"
}

func ptrace(request, tid int, addr, data uintptr) error {
	if _, _, e := unix.Syscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), addr, data, 0, 0); e != 0 {
		return e
	}
	return nil
}

// saved is what a thread needs to go on as if nothing had been.
type saved struct {
	regs unix.PtraceRegs
	mask [sigmaskSize]byte
	fp   []byte
}

func (t *thread) save() (*saved, error) {
	v := &saved{regs: t.regs, fp: make([]byte, 16<<10)}
	iov := unix.Iovec{Base: &v.fp[0]}
	iov.SetLen(len(v.fp))
	if err := ptrace(getRegset, t.tid, xstate, uintptr(unsafe.Pointer(&iov))); err != nil {
		return nil, err
	}
	v.fp = v.fp[:iov.Len]
	return v, ptrace(getSigmask, t.tid, sigmaskSize, uintptr(unsafe.Pointer(&v.mask)))
}

func (t *thread) restore(v *saved) error {
	iov := unix.Iovec{Base: &v.fp[0]}
	iov.SetLen(len(v.fp))
	return errors.Join(unix.PtraceSetRegs(t.tid, &v.regs),
		ptrace(setRegset, t.tid, xstate, uintptr(unsafe.Pointer(&iov))),
		ptrace(setSigmask, t.tid, sigmaskSize, uintptr(unsafe.Pointer(&v.mask))))
}
