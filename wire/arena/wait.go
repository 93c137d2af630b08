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

	wakeAt = 64 // full chunks at which producers wake a drainer in their own process
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
	atomic.StoreUint32(&h.Sleeping, wakeAt)
	// A producer that began to wait for space before it could see the flag does
	// not wake us.
	if a.Urgent(wakeAt) {
		d = min(d, time.Millisecond)
	}
	futexWait(&h.Work, seen, d)
	atomic.StoreUint32(&h.Sleeping, 0)
}

// Urgent tells whether chunks are worth draining now: that many are full, or a producer waits.
func (a *Arena) Urgent(full int) bool {
	return atomic.LoadUint32(&a.head.Waiting) != 0 || a.FullChunks() >= full
}

// Wake ends a Wait from another goroutine.
func (a *Arena) Wake() {
	atomic.AddUint32(&a.head.Work, 1)
	futexWake(&a.head.Work, 1<<30)
}

// waitv is struct futex_waitv.
type waitv struct {
	val, addr uint64
	flags, _  uint32
}

const (
	futex32  = 2   // FUTEX_32: without FUTEX_PRIVATE_FLAG, as futexWake
	maxWaitv = 128 // FUTEX_WAITV_MAX

	// without futex_waitv, which Linux has since 5.16, the arenas are looked at as often
	pollEvery = 5 * time.Millisecond
)

// A Doorbell waits for several arenas at once. It is for one goroutine, but for Ring.
type Doorbell struct {
	rung    uint32
	waiters [maxWaitv]waitv
}

// Ring ends a Wait, or the next one.
func (b *Doorbell) Ring() {
	atomic.AddUint32(&b.rung, 1)
	futexWake(&b.rung, 1<<30)
}

// Seen is to be asked before the arenas to wait for are chosen: a Ring since then ends the Wait at once.
func (b *Doorbell) Seen() uint32 { return atomic.LoadUint32(&b.rung) }

// Wait sleeps until one of the arenas is Urgent(full), or Ring, or for d. It holds an OS thread
// meanwhile. Of more than 127 arenas those behind are not waited for.
func (b *Doorbell) Wait(as []*Arena, full int, seen uint32, d time.Duration) {
	as = as[:min(len(as), maxWaitv-1)]
	b.waiters[0] = waitv{uint64(seen), uint64(uintptr(unsafe.Pointer(&b.rung))), futex32, 0}
	for i, a := range as {
		b.waiters[i+1] = waitv{uint64(atomic.LoadUint32(&a.head.Work)), uint64(uintptr(unsafe.Pointer(&a.head.Work))), futex32, 0}
		atomic.StoreUint32(&a.head.Sleeping, uint32(full))
		if a.Urgent(full) { // it may not have seen the flag
			d = 0
		}
	}
	if d > 0 {
		var ts unix.Timespec
		unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
		ts = unix.NsecToTimespec(ts.Nano() + int64(d))
		if _, _, e := unix.Syscall6(unix.SYS_FUTEX_WAITV, uintptr(unsafe.Pointer(&b.waiters)), uintptr(len(as)+1), 0,
			uintptr(unsafe.Pointer(&ts)), unix.CLOCK_MONOTONIC, 0); e == unix.ENOSYS {
			futexWait(&b.rung, seen, min(d, pollEvery))
		}
	}
	for _, a := range as {
		atomic.StoreUint32(&a.head.Sleeping, 0)
	}
}
