package launcher

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A witness tells a signal that was sent to our process group from one that was
// sent to us. The target is in the group, too: it has had the first, and only the
// second is for us to pass on. What the kernel says of a signal is the same for both.
//
// The witness is a process in our group that nobody knows, so what it gets was sent
// to the group. It blocks all signals, waits for them, and notes when each came.
type witness struct {
	pid  int
	page []byte // shared: word 0 our pid; words 1 to 64 when a signal last came, ns; 128 + n how often
	seen [65]uint64
}

const (
	// witnessWait is how long a signal that we got may take to reach the witness,
	// and so how much later a signal for us alone reaches the target.
	witnessWait = 10 * time.Millisecond
	// witnessNews is how old what the witness notes may be: two signals can arrive
	// as one with us and not with it.
	witnessNews = 200 * time.Millisecond
)

const (
	witnessCounts = 128 // words
	witnessStack  = 4096
)

func startWitness(page, stack uintptr) int

// newWitness returns nil when there can be none: then every signal is passed on.
func newWitness() *witness {
	page, err := unix.Mmap(-1, 0, 4096+witnessStack, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil
	}
	w := &witness{page: page}
	*w.word(0) = uint64(unix.Getpid())
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	old, err := setMask(unix.SIG_SETMASK, ^uint64(0))
	if err != nil {
		return nil
	}
	base := uintptr(unsafe.Pointer(&page[0]))
	w.pid = startWitness(base, base+4096+witnessStack)
	setMask(unix.SIG_SETMASK, old)
	if w.pid < 0 {
		unix.Munmap(page)
		return nil
	}
	return w
}

func (w *witness) word(i int) *uint64 { return (*uint64)(unsafe.Pointer(&w.page[8*i])) }

// await waits until the witness has noted all of the signals that we have got, but
// not for long. more adds those that come meanwhile.
func (w *witness) await(got []syscall.Signal, more func([]syscall.Signal) []syscall.Signal) []syscall.Signal {
	if w == nil {
		return got
	}
	for until := time.Now().Add(witnessWait); ; time.Sleep(witnessWait / 20) {
		got = more(got)
		var left [65]uint64
		all := true
		for _, sig := range got {
			left[sig]++
			all = all && atomic.LoadUint64(w.word(witnessCounts+int(sig)))-w.seen[sig] >= left[sig]
		}
		if all || time.Now().After(until) {
			return got
		}
	}
}

// group says whether a signal that we have got was sent to our group. Each note
// of the witness is good for one signal.
func (w *witness) group(sig syscall.Signal) bool {
	if w == nil {
		return false
	}
	n := atomic.LoadUint64(w.word(witnessCounts + int(sig)))
	if n == w.seen[sig] {
		return false
	}
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil ||
		now.Nano()-int64(atomic.LoadUint64(w.word(int(sig)))) > int64(witnessNews) {
		w.seen[sig] = n
		return false
	}
	w.seen[sig]++
	return true
}

func (w *witness) end() {
	if w == nil {
		return
	}
	unix.Kill(w.pid, unix.SIGKILL)
	for {
		if _, err := unix.Wait4(w.pid, nil, unix.WALL, nil); err != unix.EINTR {
			break
		}
	}
	unix.Munmap(w.page)
}
