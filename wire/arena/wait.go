package arena

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	futexWaitOp = 0 // shared between processes: not FUTEX_PRIVATE
	futexWakeOp = 1

	wakeAt = 64 // full chunks at which producers wake a drainer (WAKE_AT in chunk.c)
)

func futexWake(p *uint32, n int) {
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(p)), futexWakeOp, uintptr(n), 0, 0, 0)
}

func futexWait(p *uint32, seen uint32, d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(p)), futexWaitOp, uintptr(seen), uintptr(unsafe.Pointer(&ts)), 0, 0)
}

// Wait sleeps until a producer says that chunks are worth draining, or for d. It
// holds an OS thread meanwhile.
func (a *Arena) Wait(d time.Duration) {
	h := a.head
	seen := atomic.LoadUint32(&h.Work)
	atomic.StoreUint32(&h.Sleeping, 1)
	// A producer that began to wait for space before it could see the flag does
	// not wake us.
	if atomic.LoadUint32(&h.Waiting) != 0 || int32(atomic.LoadUint32(&h.Nfull)) >= wakeAt {
		d = min(d, time.Millisecond)
	}
	futexWait(&h.Work, seen, d)
	atomic.StoreUint32(&h.Sleeping, 0)
}

// Wake ends a Wait from another goroutine.
func (a *Arena) Wake() {
	atomic.AddUint32(&a.head.Work, 1)
	futexWake(&a.head.Work, 1<<30)
}
