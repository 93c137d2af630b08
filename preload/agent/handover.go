package agent

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/ebitengine/purego"
	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/preload/core"
	"github.com/seam-project/seam/wire/arena"
)

// States of a hand-over, SEAM_HO_* of preload/core/abi.h.
const (
	hoFree      = 0
	hoAsked     = 2
	hoTaken     = 3
	hoDone      = 4
	hoAbandoned = 5
)

const bellWait = time.Second

// answer serves the hand-overs of this process: each is a host thread that
// waits, up to its deadline, inside a call.
func answer(a *arena.Arena) {
	defer stopOnPanic()
	runtime.LockOSThread() // the bell is a futex: one thread sleeps on it
	me := core.PID()
	bell := &a.Procs()[core.ProcIndex()].HoBell
	slots := a.Handovers()
	for {
		seen := atomic.LoadUint32(bell)
		for i := range slots {
			h := &slots[i]
			if atomic.LoadUint32(&h.State) == hoAsked && h.Pid == me &&
				atomic.CompareAndSwapUint32(&h.State, hoAsked, hoTaken) {
				serve(h)
			}
		}
		core.WaitBell(bell, seen, bellWait)
	}
}

func serve(h *arena.Handover) {
	core.Hold() // from here on the library may be locked by us
	h.ReplyLen = uint32(reply(h, h.Reply[:]))
	core.Unhold()
	if atomic.CompareAndSwapUint32(&h.State, hoTaken, hoDone) {
		core.Wake(&h.State)
		return
	}
	atomic.CompareAndSwapUint32(&h.State, hoAbandoned, hoFree) // its thread went on without us
}

// reply does what was asked and writes the answer to out; it returns its length.
func reply(h *arena.Handover, out []byte) int {
	var db uintptr
	switch hooks.Handover(h.What) {
	case hooks.HandoverSqliteDB:
		db = uintptr(h.Words[0])
	case hooks.HandoverSqliteStmt:
		if handle := library(h, "sqlite3_db_handle"); handle != 0 && h.Words[0] != 0 {
			db, _, _ = purego.SyscallN(handle, uintptr(h.Words[0]))
		}
	case hooks.HandoverSqliteOpen:
		db = core.LoadPointer(uintptr(h.Words[1]))
	}
	errmsg := library(h, "sqlite3_errmsg")
	if db == 0 || errmsg == 0 {
		return 0
	}
	leave, ok := lockDB(h, db)
	if !ok {
		return 0
	}
	msg, _, _ := purego.SyscallN(errmsg, db)
	n := core.CopyString(out, msg)
	leave()
	return n
}

// lockDB takes a connection's mutex if it is to be had. It is not while the
// waiting thread is inside another call of the library, which holds it: that
// call gets the message when it fails itself.
func lockDB(h *arena.Handover, db uintptr) (leave func(), ok bool) {
	mutexOf, try, release := library(h, "sqlite3_db_mutex"), library(h, "sqlite3_mutex_try"), library(h, "sqlite3_mutex_leave")
	if mutexOf == 0 || try == 0 || release == 0 {
		return func() {}, true // before 3.5.1, or built without threads
	}
	mutex, _, _ := purego.SyscallN(mutexOf, db)
	if mutex == 0 {
		return func() {}, true
	}
	if rc, _, _ := purego.SyscallN(try, mutex); int32(rc) != 0 {
		return nil, false
	}
	return func() { purego.SyscallN(release, mutex) }, true
}

var symbols = map[symbolKey]uintptr{} // of answer's goroutine alone

type symbolKey struct {
	base uint64
	name string
}

// library finds a function in the object whose call was handed over, not the
// first one of that name: a program may hold two copies of sqlite.
func library(h *arena.Handover, name string) uintptr {
	k := symbolKey{h.LibBase, name}
	fn, ok := symbols[k]
	if !ok {
		fn = core.Symbol(uintptr(h.LibBase), name)
		symbols[k] = fn
	}
	return fn
}
