package arena

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Owner is the current owner word: who drains, and whether the kernel has seen
// it die.
func (a *Arena) Owner() (who uint32, died bool) {
	v := atomic.LoadUint32(&a.head.Owner)
	return v &^ (OwnerDied | 1<<31), v&OwnerDied != 0
}

// OwnerPID is the process of the owner, 0 when there is none.
func (a *Arena) OwnerPID() uint32 { return atomic.LoadUint32(&a.head.OwnerPid) }

// TryOwn takes the owner word as `who` when nobody has it or its owner died.
// The winner must call Recover.
func (a *Arena) TryOwn(who, pid uint32) bool {
	for {
		v := atomic.LoadUint32(&a.head.Owner)
		if v&^(1<<31) != 0 && v&OwnerDied == 0 {
			return false
		}
		if atomic.CompareAndSwapUint32(&a.head.Owner, v, who) {
			atomic.StoreUint32(&a.head.OwnerPid, pid)
			return true
		}
	}
}

// TakeOwner takes the owner word from whoever has it: for a reader that knows
// that the owner is gone though the kernel did not say so.
func (a *Arena) TakeOwner(who, pid uint32) {
	atomic.StoreUint32(&a.head.Owner, who)
	atomic.StoreUint32(&a.head.OwnerPid, pid)
}

// Release gives the owner word up if it is who's.
func (a *Arena) ReleaseOwner(who uint32) {
	atomic.StoreUint32(&a.head.OwnerPid, 0)
	atomic.CompareAndSwapUint32(&a.head.Owner, who, 0)
}

// robust is struct robust_list_head with one entry. The kernel reads it when the
// thread dies, so it lives outside the Go heap, for ever.
type robust struct {
	next    uintptr
	offset  uintptr
	pending uintptr
	node    uintptr
}

// OwnRobust is TryOwn for the agent: the calling goroutine is locked to its
// thread, which must live as long as the agent drains, and the word is put on
// that thread's robust list: however the process dies, the kernel sets OwnerDied.
// The thread's former list is replaced; Go's threads hold no robust mutexes.
func (a *Arena) OwnRobust() (bool, error) {
	runtime.LockOSThread()
	page, err := unix.Mmap(-1, 0, unix.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		runtime.UnlockOSThread()
		return false, fmt.Errorf("map robust list: %w", err)
	}
	r := (*robust)(unsafe.Pointer(&page[0]))
	head, node := uintptr(unsafe.Pointer(r)), uintptr(unsafe.Pointer(&r.node))
	r.next, r.node = node, head
	r.offset = uintptr(unsafe.Pointer(&a.head.Owner)) - node
	_, _, e := syscall.RawSyscall(unix.SYS_SET_ROBUST_LIST, head, 3*unsafe.Sizeof(uintptr(0)), 0)
	if e != 0 {
		unix.Munmap(page)
		runtime.UnlockOSThread()
		return false, fmt.Errorf("set robust list: %w", e)
	}
	return a.TryOwn(uint32(unix.Gettid()), uint32(unix.Getpid())), nil
}
