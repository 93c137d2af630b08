package collector

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/seam-project/seam/collector/live"
	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/wire"
	"github.com/seam-project/seam/wire/arena"
)

// Threads wait at breakpoints in the arenas that the collector holds (preload/core/breaks.c);
// it reads there who waits, and lets them go on. The agents have no part in it.

// A Waiting is a thread that waits at a breakpoint.
type Waiting struct {
	PID, TID int    // as its process numbers itself
	Thread   string // its name
	Serial   uint64 // of the breakpoint
	Function string
	Lib      string
	Call     string // the function with its arguments, for people
	Args     []byte // JSON, by name
	Since    time.Time
	Until    time.Time // its deadline
	Silent   bool      // it should have shown that it is there: its process is stopped, or a signal handler runs
	Stack    []string  // callers, the innermost first; see package unwind

	arena [16]byte
	w     arena.Wait
	def   []byte
	peer  int // its process as it is numbered here; 0 unknown
}

// silentAfter: a thread that waits looks around each 0.1 s.
const silentAfter = 2 * time.Second

// Waiting lists the threads that wait at a breakpoint, 0: at any, those that came first
// first. full: with arguments and stack.
func (c *Collector) Waiting(serial uint64, full bool) (out []Waiting) {
	c.keep.mu.Lock()
	mono := arena.Now()
	for id, h := range c.keep.arenas {
		waits := h.a.Waits(full, h.threadThere)
		for i := range waits {
			w := &waits[i]
			if serial != 0 && w.Serial != serial {
				continue
			}
			v := Waiting{PID: int(w.PID), TID: int(w.TID), Thread: w.Thread, Serial: w.Serial, arena: id, w: *w,
				Since: monoZero().Add(time.Duration(w.Since)), Until: monoZero().Add(time.Duration(w.Deadline)),
				Silent: mono > w.Looked && mono-w.Looked > uint64(silentAfter)}
			if s := h.a.Site(w.Site); s != nil {
				v.def = append([]byte(nil), h.a.Def(s)...)
				v.w.Items = append([]byte(nil), w.Items...)
			}
			if h.pid == h.peer && w.NS == 0 {
				v.peer = int(w.PID)
			}
			out = append(out, v)
		}
	}
	c.keep.mu.Unlock()
	slices.SortFunc(out, func(a, b Waiting) int {
		return cmp.Or(cmp.Compare(a.w.Since, b.w.Since), cmp.Compare(a.TID, b.TID))
	})
	for i := range out {
		out[i].explain()
		if full && out[i].peer != 0 {
			w := &out[i].w
			out[i].Stack = c.walker.Stack(out[i].peer, w.Caller, w.SP, w.BP, w.Stack, ours)
		}
	}
	return out
}

// monoZero is when the arenas' monotonic clock was 0. Read once: a thread that waits has the
// same times whenever it is told of.
var monoZero = sync.OnceValue(func() time.Time { return time.Now().Add(-time.Duration(arena.Now())) })

// ours: frames of seam's own, between a patched function and its caller.
func ours(path string) bool { return filepath.Base(path) == "libseam.so" }

// threadThere tells whether a thread of an arena's processes lives, as far as it can be asked.
func (h *held) threadThere(pid, tid, ns uint32) bool {
	if h.pid != h.peer || ns != 0 {
		return true
	}
	return !gone(pid) && arena.Alive(pid, tid)
}

// explain decodes the arguments; what can't be is shown as it is.
func (v *Waiting) explain() {
	defer func() {
		if recover() != nil { // the definition is another process's
			v.Args = []byte("{}")
		}
	}()
	v.Function, v.Args = "?", []byte("{}")
	h, lib, _, err := hooks.DecodeDef(v.def)
	if err != nil {
		return
	}
	v.Function, v.Lib = h.Name, lib
	for i := range h.Args {
		if h.Args[i].Word >= arena.MaxWords {
			h.Args[i].Word = -1
		}
	}
	args, err := wire.DecodeValues(hooks.NewDecoder(h, nil).AppendEnter(nil, v.w.Words[:], v.w.Items))
	if err != nil {
		return
	}
	defs := make([]wire.ArgDef, len(h.Args))
	for i := range defs {
		a := &h.Args[i]
		defs[i] = wire.ArgDef{Name: a.Name, Type: a.Type.String(), Out: a.Out, Set: a.Set}
	}
	v.Call, v.Args = live.CallText(h.Name, defs, args), live.ArgsJSON(defs, args)
}

// LetGo releases a thread. False: it has gone on already.
func (c *Collector) LetGo(v *Waiting) bool {
	c.keep.mu.Lock()
	defer c.keep.mu.Unlock()
	h := c.keep.arenas[v.arena]
	return h != nil && h.a.LetGo(&v.w)
}

// Disarm takes a breakpoint back, 0: all; in one arena, or, nil, in all. Whoever waits there goes on.
func (c *Collector) Disarm(in *[16]byte, serial uint64) {
	c.keep.mu.Lock()
	defer c.keep.mu.Unlock()
	for id, h := range c.keep.arenas {
		if in == nil || *in == id {
			h.a.Disarm(serial)
		}
	}
}

// A BreakTotal is what became of a breakpoint in all arenas that are held.
type BreakTotal struct {
	Matched   uint64 // calls for which its conditions held
	Parked    uint64 // calls that waited
	Skipped   uint64 // that did not though they should have: too many waited, or they may make no system call
	Expired   uint64 // went on at their deadline
	Processes int    // arenas that have it
}

// BreakTotals are the totals by serial.
func (c *Collector) BreakTotals() map[uint64]BreakTotal {
	out := map[uint64]BreakTotal{}
	c.keep.mu.Lock()
	defer c.keep.mu.Unlock()
	for _, h := range c.keep.arenas {
		h.a.EachBreak(func(s arena.RuleState, b arena.Break) {
			t := out[b.Armed]
			t.Matched += s.Matched
			t.Parked += s.Acted
			t.Skipped += s.Skipped
			t.Expired += b.Expired
			t.Processes++
			out[b.Armed] = t
		})
	}
	return out
}

// beat tells those who wait that we are there; k.mu is held.
func (k *keeper) beat() {
	pid := uint32(os.Getpid())
	for _, h := range k.arenas {
		if h.pid == h.peer {
			h.a.Beat(pid)
		} else {
			h.a.Beat(0)
		}
	}
}
