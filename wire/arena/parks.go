package arena

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A Wait is a thread that waits at a breakpoint, as it was when it was looked at.
type Wait struct {
	entry           int
	word            uint32
	PID, TID        uint32
	NS              uint32 // process id namespace, 0 that of the process that made the arena
	Site            uint32
	Serial          uint64 // of the breakpoint
	Since, Deadline uint64 // CLOCK_MONOTONIC, ns
	Looked          uint64 // when it last showed that it is there
	Caller, SP, BP  uint64 // where the call returns to, and the stack and frame pointer then
	Words           [MaxWords]uint64
	Thread          string
	Items           []byte // payload items, as in a record
	Stack           []byte // from SP up
}

// Breaks tells whether threads can wait in this arena's processes.
func (a *Arena) Breaks() bool { return a.parks != nil }

// Beat says that the collector is there, which threads that wait look for; it must be
// said again each second. pid is the collector's for the processes of namespace 0, or 0.
func (a *Arena) Beat(pid uint32) {
	if a.parks != nil {
		atomic.StoreUint32(&a.parks.Keeper, pid)
		atomic.AddUint32(&a.parks.Beat, 1)
	}
}

// Parked counts how often a thread has begun to wait.
func (a *Arena) Parked() uint32 {
	if a.parks == nil {
		return 0
	}
	return atomic.LoadUint32(&a.parks.Bell)
}

// Waits lists the threads that wait. full: with stack and payload. alive tells whether a
// thread is there: what one that is not has left is freed.
func (a *Arena) Waits(full bool, alive func(pid, tid, ns uint32) bool) (out []Wait) {
	for i := range a.parked {
		p := &a.parked[i]
		word := atomic.LoadUint32(&p.State)
		pid, tid, ns := atomic.LoadUint32(&p.Pid), atomic.LoadUint32(&p.Tid), atomic.LoadUint32(&p.Ns)
		if word&3 == ParkFree || tid == 0 {
			continue
		}
		if !alive(pid, tid, ns) {
			atomic.CompareAndSwapUint32(&p.State, word, ParkFree)
			continue
		}
		if word&3 != ParkParked {
			continue
		}
		w := Wait{entry: i, word: word, PID: pid, TID: tid, NS: ns, Site: p.Site, Serial: p.Serial, Since: p.Since, Deadline: p.Deadline,
			Looked: atomic.LoadUint64(&p.Looked), Caller: p.Caller, SP: p.Sp, BP: p.Bp, Words: p.Words}
		comm := p.Comm
		n := 0
		for n < len(comm) && comm[n] != 0 {
			n++
		}
		w.Thread = string(comm[:n])
		if full {
			w.Items = append([]byte(nil), p.Payload[:min(int(p.ItemsLen), len(p.Payload))]...)
			w.Stack = append([]byte(nil), p.Stack[:min(int(p.StackLen), len(p.Stack))]...)
		}
		if atomic.LoadUint32(&p.State) == word {
			out = append(out, w)
		}
	}
	return out
}

// LetGo lets a thread go on that waits. False: it does not any more.
func (a *Arena) LetGo(w *Wait) bool {
	p := &a.parked[w.entry]
	if !atomic.CompareAndSwapUint32(&p.State, w.word, w.word&^3|ParkReleased) {
		return false
	}
	futexWake(&p.State, 1)
	return true
}

// Disarm takes breakpoints back: those with the serial, 0 all. Whoever waits there goes
// on, and nobody else does wait.
func (a *Arena) Disarm(serial uint64) {
	if a.parks == nil {
		return
	}
	for i := range a.breaks {
		r := &a.breaks[i]
		if s := atomic.LoadUint64(&r.Armed); s != 0 && (serial == 0 || s == serial) {
			atomic.CompareAndSwapUint64(&r.Armed, s, 0)
		}
	}
	for i := range a.parked {
		p := &a.parked[i]
		word := atomic.LoadUint32(&p.State)
		if word&3 == ParkParked && (serial == 0 || atomic.LoadUint64(&p.Serial) == serial) &&
			atomic.CompareAndSwapUint32(&p.State, word, word&^3|ParkReleased) {
			futexWake(&p.State, 1)
		}
	}
}

// EachBreak calls f for each breakpoint that is in force, with a copy of its rule's state and of its own.
func (a *Arena) EachBreak(f func(s RuleState, b Break)) {
	for i := range a.breaks {
		r, k := &a.rules[i], &a.breaks[i]
		if armed := atomic.LoadUint64(&k.Armed); armed != 0 {
			f(RuleState{Matched: atomic.LoadUint64(&r.Matched), Acted: atomic.LoadUint64(&r.Acted), Skipped: atomic.LoadUint64(&r.Skipped)},
				Break{Armed: armed, Expired: atomic.LoadUint64(&k.Expired), Abandoned: atomic.LoadUint64(&k.Abandoned)})
		}
	}
}

// Now is the time in the unit of Wait.Since.
func Now() uint64 {
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return uint64(ts.Nano())
}
