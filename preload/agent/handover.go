package agent

import (
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

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

// slots are the hand-overs of this process.
func slots() []arena.Handover {
	p, n := core.Handovers()
	return unsafe.Slice((*arena.Handover)(p), n)
}

// answer serves the hand-overs of this process: each is a host thread that
// waits, up to its deadline, inside a call.
func answer(a *arena.Arena) {
	defer stopOnPanic()
	runtime.LockOSThread() // the bell is a futex: one thread sleeps on it
	me := core.PID()
	bell := &a.Procs()[core.ProcIndex()].HoBell
	slots := slots()
	for rung := false; ; {
		seen := atomic.LoadUint32(bell)
		rung = rung || seen != 0
		for i := 0; i < len(slots) && rung; i++ { // before the first ring their pages are left alone
			h := &slots[i]
			if atomic.LoadUint32(&h.State) == hoAsked && h.Pid == me && h.What != arena.HandoverCallback &&
				atomic.CompareAndSwapUint32(&h.State, hoAsked, hoTaken) {
				serve(a, h)
			}
		}
		core.WaitBell(bell, seen, bellWait)
	}
}

func serve(a *arena.Arena, h *arena.Handover) {
	core.Hold() // from here on the library may be locked by us
	h.ReplyLen = uint32(reply(&request{h, a}, h.Reply[:]))
	core.Unhold()
	if atomic.CompareAndSwapUint32(&h.State, hoTaken, hoDone) {
		core.Wake(&h.State)
		return
	}
	atomic.CompareAndSwapUint32(&h.State, hoAbandoned, hoFree) // its thread went on without us
}

// request is a hand-over and where what is known of its site is found.
type request struct {
	*arena.Handover
	a *arena.Arena
}

// sqliteMisuse is SQLITE_MISUSE: sqlite looked at a handle and would not touch it.
// It may be closed, or point at anything.
const sqliteMisuse = 21

// reply does what was asked and writes the answer to out; it returns its length.
func reply(h *request, out []byte) int {
	if int32(h.Ret) == sqliteMisuse {
		return misuse(h, out)
	}
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

// misuse answers with what sqlite calls it, without the handle.
func misuse(h *request, out []byte) int {
	errstr := library(h, "sqlite3_errstr")
	if errstr == 0 {
		return 0 // before 3.7.15
	}
	msg, _, _ := purego.SyscallN(errstr, sqliteMisuse)
	return core.CopyString(out, msg)
}

// lockDB takes a connection's mutex if it is to be had. It is not while the
// waiting thread is inside another call of the library, which holds it: that
// call gets the message when it fails itself.
func lockDB(h *request, db uintptr) (leave func(), ok bool) {
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
	site uint32
	name string
}

// library finds a function in the object whose call was handed over, not the
// first one of that name: a program may hold two copies of sqlite. An object
// that does not export it was planned with its address.
func library(h *request, name string) uintptr {
	k := symbolKey{h.LibBase, h.Site, name}
	fn, ok := symbols[k]
	if !ok {
		if fn = core.Symbol(uintptr(h.LibBase), name); fn == 0 {
			fn = planned(h, name)
		}
		symbols[k] = fn
	}
	return fn
}

// planned is what the plan says of a function. The arena is shared with other
// processes, so nothing but code of that very object is called.
func planned(h *request, name string) uintptr {
	site := h.a.Site(h.Site)
	if site == nil {
		return 0
	}
	hook, _, _, err := hooks.DecodeDef(append([]byte(nil), h.a.Def(site)...))
	if err != nil {
		return 0
	}
	for _, f := range hook.Helpers {
		if at := uintptr(h.LibBase + f.Addr); f.Name == name && core.IsCode(uintptr(h.LibBase), at) {
			return at
		}
	}
	return 0
}
