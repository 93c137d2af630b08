package agent

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"
	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/callbacks"
	"github.com/seam-project/seam/preload/core"
	"github.com/seam-project/seam/wire/arena"
)

const (
	maxErrors    = 1000      // of a callback, in all processes; then it is switched off
	maxTold      = 3         // errors of a callback that are told one by one
	maxServers   = 24        // threads that run callbacks, those that hang in one counted
	callbackRoom = 8 << 20   // bytes of a callback's stack; more is a fatal error of Go
	heapRoom     = 256 << 20 // bytes of Go's heap; more is, too
	spinFor      = 20 * time.Microsecond
	vainMost     = 4  // looks at the bell in vain, one after the other, after which it is
	vainTry      = 64 // tried each so many times only
)

// servers are the threads that run callbacks. At least one is always free: who
// takes the last one's work makes another first.
type servers struct {
	a    *arena.Arena
	proc *arena.Proc
	pid  uint32
	spin bool // there is a processor for it

	mu      sync.Mutex
	number  int
	symbols map[string]uintptr // by load bias and name
	sites   map[uint32]*siteOf

	free atomic.Int32
	told sync.Map // slots whose call went on without them
}

// siteOf is what is known of a site whose calls were handed over.
type siteOf struct {
	hook    *hooks.Hook
	library string
}

// serveCallbacks runs callbacks for the life of the process, if there are any in
// this library.
func serveCallbacks(a *arena.Arena) {
	if len(callbacks.Registered()) == 0 {
		return
	}
	debug.SetMaxStack(callbackRoom)
	core.LimitMemory(heapRoom)
	callbacks.Attach(switcher{a})
	s := &servers{a: a, proc: &a.Procs()[core.ProcIndex()], pid: core.PID(), spin: runtime.GOMAXPROCS(0) > 1,
		symbols: map[string]uintptr{}, sites: map[uint32]*siteOf{}}
	s.more()
}

func (s *servers) more() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.number < maxServers {
		s.number++
		s.free.Add(1)
		go s.serve()
	}
}

// serve runs callbacks on a thread of its own.
func (s *servers) serve() {
	defer stopOnPanic()
	runtime.LockOSThread() // the bell is a futex: one thread sleeps on it
	slots := slots()
	bell := &s.proc.CbBell
	for vain := 0; ; {
		seen := atomic.LoadUint32(bell)
		if s.pass(slots) {
			continue
		}
		if s.spin && (vain < vainMost || vain%vainTry == 0) && s.rang(bell, seen) {
			vain = 0
			continue
		}
		vain++
		atomic.AddUint32(&s.proc.CbAsleep, 1)
		core.WaitBell(bell, seen, bellWait)
		atomic.AddUint32(&s.proc.CbAsleep, ^uint32(0))
	}
}

// rang looks at the bell for a while.
func (s *servers) rang(bell *uint32, seen uint32) bool {
	for began := time.Now(); time.Since(began) < spinFor; {
		for range 50 {
			if atomic.LoadUint32(bell) != seen {
				return true
			}
		}
	}
	return false
}

// pass takes what is asked. It returns whether anything was.
func (s *servers) pass(slots []arena.Handover) (any bool) {
	for i := range slots {
		h := &slots[i]
		st := atomic.LoadUint32(&h.State)
		if st == arena.HandoverFree || h.Pid != s.pid || h.What != arena.HandoverCallback {
			continue
		}
		switch st {
		case arena.HandoverAsked:
			if atomic.CompareAndSwapUint32(&h.State, arena.HandoverAsked, arena.HandoverTaken) {
				s.take(i, h)
				any = true
			}
		case arena.HandoverAbandoned:
			if _, told := s.told.LoadOrStore(i, true); !told {
				c := called(h)
				n := atomic.LoadUint64(&s.rule(c).Timeouts)
				if n <= maxTold {
					s.note(arena.NoteTimeout, h, n, "the call went on without it")
				}
			}
		}
	}
	return any
}

func called(h *arena.Handover) *arena.Called { return (*arena.Called)(unsafe.Pointer(&h.Reply)) }

func (s *servers) rule(c *arena.Called) *arena.RuleState { return s.a.Rule(int(c.Rule)) }

// take runs the callback that h asks for, and answers.
func (s *servers) take(i int, h *arena.Handover) {
	if s.free.Add(-1) == 0 {
		s.more()
	}
	defer s.free.Add(1)
	c := called(h)
	atomic.StoreUint32(&c.Server, uint32(unix.Gettid()))
	core.Hold() // from here on the library may be locked by us
	core.CatchFaults()
	var ch callbacks.Changes
	defer func() { // also when it ends the goroutine
		core.LeaveFaults()
		core.Unhold()
		s.answer(i, h, &ch)
	}()
	ch = s.run(h, c)
}

// answer says what a callback wants, if anybody waits for it still.
func (s *servers) answer(i int, h *arena.Handover, ch *callbacks.Changes) {
	c := called(h)
	c.Out, c.OutRet, c.OutErr, c.Changed = 0, ch.Ret, uint32(ch.Errno), ch.Words
	if ch.Refuse {
		c.Out |= arena.CallRefuse
	}
	if ch.SetRet {
		c.Out |= arena.CallRet
	}
	if ch.SetErrno {
		c.Out |= arena.CallErrno
	}
	c.OutWords = ch.Word
	if atomic.CompareAndSwapUint32(&h.State, arena.HandoverTaken, arena.HandoverDone) {
		if atomic.LoadUint32(&c.Asleep) != 0 {
			core.Wake(&h.State)
		}
		return
	}
	if r := s.rule(c); r != nil {
		atomic.AddUint32(&r.Stuck, ^uint32(0))
	}
	s.told.Delete(i)
	atomic.CompareAndSwapUint32(&h.State, arena.HandoverAbandoned, arena.HandoverFree) // its thread went on without us
}

var errNone = errors.New("no such callback in this library")

// run runs the callback, whatever it does.
func (s *servers) run(h *arena.Handover, c *arena.Called) (ch callbacks.Changes) {
	over := false
	defer func() {
		r := recover()
		switch {
		case r != nil:
			ch = callbacks.Changes{}
			s.failed(arena.NotePanic, h, panicText(r))
		case !over: // runtime.Goexit
			ch = callbacks.Changes{}
			s.failed(arena.NotePanic, h, "it ended its goroutine")
			runtime.UnlockOSThread() // the thread is good for others
			s.mu.Lock()
			s.number--
			s.mu.Unlock()
			s.more()
		}
	}()
	all := callbacks.Registered()
	if int(c.Callback) >= len(all) {
		s.failed(arena.NoteMisuse, h, errNone.Error())
		over = true
		return ch
	}
	at := s.site(h.Site)
	var err error
	ch, err = all[c.Callback].Run(&target{s, h}, &callbacks.Made{Hook: at.hook, Library: at.library,
		Words: h.Words[:min(int(c.Nwords), len(h.Words))], Ret: h.Ret, Errno: syscall.Errno(c.Err), Failed: c.Failed != 0, PID: int(h.Pid), TID: int(h.Tid)})
	over = true
	if err != nil {
		s.failed(arena.NoteError, h, err.Error())
	}
	if ch.Misuse != nil {
		s.failed(arena.NoteMisuse, h, ch.Misuse.Error())
	}
	return ch
}

// panicText is what a panic said. The value's own Error may panic, too.
func panicText(r any) (text string) {
	defer func() {
		if recover() != nil {
			text = "a panic of which the text can't be had"
		}
	}()
	if text = fmt.Sprint(r); strings.Contains(text, "SIGNONE") { // what Go makes of preload/core/faults.c
		return "a fault: a nil pointer, or memory that is not there"
	}
	return text
}

// failed counts an error of a callback, and tells of the first few.
func (s *servers) failed(code uint8, h *arena.Handover, text string) {
	r := s.rule(called(h))
	if r == nil {
		return
	}
	n := atomic.AddUint64(&r.Errors, 1)
	if n <= maxTold {
		s.note(code, h, n, text)
	}
	if n == maxErrors && atomic.OrUint32(&r.Off, arena.OffByErrors)&arena.OffByErrors == 0 {
		s.note(arena.NoteOff, h, n, fmt.Sprintf("switched off after %d errors", n))
	}
}

func (s *servers) note(code uint8, h *arena.Handover, n uint64, text string) {
	core.Note(code, called(h).Rule, h.Pid, h.Tid, n, text)
}

var unknownSite = &siteOf{hook: hooks.Unknown("?")}

// site is what the definition of a site says.
func (s *servers) site(id uint32) *siteOf {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := s.sites[id]; at != nil {
		return at
	}
	as := s.a.Site(id)
	if as == nil {
		return unknownSite
	}
	hook, lib, _, err := hooks.DecodeDef(append([]byte(nil), s.a.Def(as)...))
	if err != nil {
		return unknownSite
	}
	at := &siteOf{hook, lib}
	s.sites[id] = at
	return at
}

// switcher switches callbacks off and on, by their rules: they are the first of a spec, in the order of
// their numbers.
type switcher struct{ a *arena.Arena }

func (s switcher) Switch(number int, off bool) {
	r := s.a.Rule(number)
	if r == nil {
		return
	}
	if off {
		atomic.OrUint32(&r.Off, arena.OffByUser)
	} else {
		atomic.AndUint32(&r.Off, ^uint32(arena.OffByUser))
	}
}

// target is what a callback gets of the program, for one call.
type target struct {
	s *servers
	h *arena.Handover
}

func (t *target) Symbol(name string) uintptr {
	key := fmt.Sprintf("%x %s", t.h.LibBase, name)
	t.s.mu.Lock()
	fn, ok := t.s.symbols[key]
	t.s.mu.Unlock()
	if !ok {
		if fn = core.Symbol(uintptr(t.h.LibBase), name); fn == 0 {
			fn = planned(&request{t.h, t.s.a}, name)
		}
		t.s.mu.Lock()
		t.s.symbols[key] = fn
		t.s.mu.Unlock()
	}
	return fn
}

func (t *target) Bind(fptr any, fn uintptr)        { purego.RegisterFunc(fptr, fn) }
func (t *target) Peek(addr uintptr, to []byte) int { return core.Peek(addr, to) }
func (t *target) Note(text string)                 { t.s.note(arena.NoteSaid, t.h, 1, text) }

func (t *target) Syscall(fn uintptr, args ...uintptr) uintptr {
	r, _, _ := purego.SyscallN(fn, args...)
	return r
}
