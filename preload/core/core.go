// Package core is the native part of seam: C and assembly that run on the
// host's threads inside a call. The Go side of this package is only what the
// agent needs of it. None of it may be called on a host's thread.
package core

/*
#cgo CFLAGS: -O2 -g -fno-stack-protector -fno-strict-aliasing -fvisibility=hidden -Wall -Wextra -Werror -Wno-unused-parameter
#cgo LDFLAGS: -ldl -lpthread
#include <stdlib.h>
#include "core.h"
*/
import "C"

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Ready tells the core that the agent runs: host threads that wait for the
// start go on.
func Ready() { C.seam_go_ready() }

// SpecPath is the spec file the process was started with.
func SpecPath() string { return C.GoString(&C.seam.spec_path[0]) }

// SocketPath is the reader's socket, "" when there is none.
func SocketPath() string { return C.GoString(&C.seam.socket[0]) }

// PID is this process's id.
func PID() uint32 { return uint32(C.seam.pid) }

// Namespace is this process's process id namespace, as the arena numbers them.
func Namespace() uint32 { return uint32(C.seam.ns) }

// Missing names the i-th object, from 0, that has no plan yet, and the handle
// for PutPlan; ok is false when there is none, or the constructor has gone on.
func Missing(i int) (path string, handle int, ok bool) {
	var p *C.char
	k := C.seam_missing(C.int(i), &p)
	if k == 0 {
		return "", 0, false
	}
	return C.GoString(p), int(k), true
}

// PutPlan gives the core an encoded plan; it is copied and checked.
func PutPlan(handle int, plan []byte) {
	if len(plan) > 0 {
		C.seam_put_plan(C.int(handle), unsafe.Pointer(&plan[0]), C.uint64_t(len(plan)))
	}
}

// MissingSpec is the spec file that the objects of Missing are to be planned for.
// live: their plans must say how to patch what runs.
func MissingSpec() (path string, live bool) {
	var l C.int
	p := C.seam_missing_spec(&l)
	return C.GoString(p), l != 0
}

// WaitArena waits until there is an arena, which there is once a function is
// patched. It stays mapped for as long as the process lives.
func WaitArena() (p unsafe.Pointer, size uint64) {
	for !wait(&C.seam.arena_ready, 0, time.Minute) {
	}
	return unsafe.Pointer(C.seam.arena), uint64(C.seam.arena_size)
}

// Handovers are the slots in which host threads ask the agent: struct seam_handover.
func Handovers() (p unsafe.Pointer, n int) {
	return unsafe.Pointer(&C.seam.handovers), C.SEAM_HANDOVERS
}

// WaitOwner waits until this process is the one that drains the arena: the
// core's anchor thread holds arena.owner. In a forked child that may be never.
func WaitOwner() {
	for !wait(&C.seam.owns, 0, time.Minute) {
	}
}

// Flush is what a host thread that is about to end the process asks for.
type Flush struct{ seen uint32 }

// Requested says whether there is a request that was not answered.
func (f *Flush) Requested() bool {
	v := atomic.LoadUint32((*uint32)(&C.seam.flush_asked))
	if v == f.seen {
		return false
	}
	f.seen = v
	return true
}

// Done answers it.
func (f *Flush) Done() {
	atomic.StoreUint32((*uint32)(&C.seam.flush_done), f.seen)
	wake((*uint32)(&C.seam.flush_done))
}

// Ending says that this agent is about to be ended from outside.
func Ending() bool { return atomic.LoadUint32((*uint32)(&C.seam.ending)) != 0 }

// ReaderAdopts says that the reader drains what an agent leaves.
func ReaderAdopts() bool { return C.seam.reader_adopts != 0 }

// Rest holds the calling thread until it is ended.
func Rest() { C.seam_park_thread() }

// ProcIndex is this process's entry in the arena's process table.
func ProcIndex() int { return int(C.seam.proc) }

// WaitBell waits until *bell differs from seen, at most d.
func WaitBell(bell *uint32, seen uint32, d time.Duration) {
	futex(bell, 0 /* FUTEX_WAIT */, seen, d)
}

// Wake wakes all who wait on w.
func Wake(w *uint32) { wake(w) }

func wake(w *uint32) {
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), 1 /* FUTEX_WAKE */, 1<<30, 0, 0, 0)
}

func futex(w *uint32, op uintptr, val uint32, d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), op, uintptr(val), uintptr(unsafe.Pointer(&ts)), 0, 0)
}

// wait waits until *w is no longer `not`, at most d.
func wait(w *C.uint32_t, not uint32, d time.Duration) bool {
	p := (*uint32)(w)
	if atomic.LoadUint32(p) == not {
		futex(p, 0, not, d)
	}
	return atomic.LoadUint32(p) != not
}

// Park ends the agent: the arena is given back and no host thread waits for it
// any more. The calling thread never returns.
func Park() { C.seam_park() }

// GiveBack lets another agent, or a reader that adopts, drain the arena.
func GiveBack() { C.seam_give_back() }

// Symbol is the address of a function of the loaded object with the given
// load bias, 0 when it has none of that name.
func Symbol(bias uintptr, name string) uintptr {
	s := C.CString(name)
	defer C.free(unsafe.Pointer(s))
	return uintptr(C.seam_symbol(C.uint64_t(bias), s))
}

// IsCode reports whether addr is in the code of the object with that load bias.
func IsCode(bias, addr uintptr) bool {
	return C.seam_is_code(C.uint64_t(bias), C.uint64_t(addr)) != 0
}

// LoadPointer reads the pointer at p, 0 when it cannot be read.
func LoadPointer(p uintptr) uintptr {
	var v C.uint64_t
	if C.seam_peek(C.uint64_t(p), unsafe.Pointer(&v), 8) != 8 {
		return 0
	}
	return uintptr(v)
}

// CopyString copies the C string at p into out, as far as it can be read and
// fits, and returns its length.
func CopyString(out []byte, p uintptr) int {
	n := int(C.seam_peek(C.uint64_t(p), unsafe.Pointer(&out[0]), C.uint(len(out))))
	for i := 0; i < n; i++ {
		if out[i] == 0 {
			return i
		}
	}
	return n
}

// Peek copies memory at p to out, as far as it can be read, and returns how many bytes.
func Peek(p uintptr, out []byte) int {
	if len(out) == 0 {
		return 0
	}
	return int(C.seam_peek(C.uint64_t(p), unsafe.Pointer(&out[0]), C.uint(len(out))))
}

// CatchFaults makes a fault on this thread, which its goroutine is locked to, a panic, where the
// host has no handler for it; LeaveFaults ends that.
func CatchFaults() { C.seam_faults_begin() }

// LeaveFaults ends it.
func LeaveFaults() { C.seam_faults_end() }

// LimitMemory bounds what the heap of Go may ever take: more is a fatal error.
func LimitMemory(bytes uint64) { C.seam_limit_memory(C.uint64_t(bytes)) }

// Note leaves a note about a callback for the reader.
func Note(code, rule uint8, pid, tid uint32, count uint64, text string) {
	C.seam_note(C.uint(code), C.uint(rule), C.uint32_t(pid), C.uint32_t(tid), C.uint64_t(count), (*C.char)(unsafe.Pointer(unsafe.StringData(text))), C.uint(len(text)))
}

// Hold says that this thread, which its goroutine is locked to, is about to hold
// something of the host's, such as a lock: it must not be ended now.
func Hold() { C.seam_hold() }

// Unhold says that it does not any more.
func Unhold() { C.seam_unhold() }

// PlanRequest waits until a thread inside dlopen asks for plans (Missing,
// PutPlan); PlanDone lets it go on. seen is what the last PlanRequest returned.
func PlanRequest(seen uint32) uint32 {
	for !wait(&C.seam.plan_asked, seen, time.Minute) {
	}
	return atomic.LoadUint32((*uint32)(&C.seam.plan_asked))
}

// PlanDone answers the request that PlanRequest returned.
func PlanDone(request uint32) {
	p := (*uint32)(&C.seam.plan_done)
	atomic.StoreUint32(p, request)
	wake(p)
}
