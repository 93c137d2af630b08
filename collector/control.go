package collector

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seam-project/seam/wire"
	"github.com/seam-project/seam/wire/arena"
)

// Control is told of the agents that are connected, from the goroutines that read
// their streams. Its methods must not wait.
type Control interface {
	Joined(*Agent)
	Status(*Agent, *wire.Status) // valid until it returns
	Left(*Agent)
}

// An Agent is one connection of an agent.
type Agent struct {
	Hello wire.Hello
	Peer  int // its process as the kernel numbers it for us

	conn *net.UnixConn
	send sync.Mutex

	mu      sync.Mutex
	calls   map[uint32]uint64 // by probe id
	totals  map[uint32]uint64 // of probes that only count
	dropped atomic.Uint64
	all     atomic.Uint64
}

// sendWithin is how long an agent may take to take a request off its socket, which
// it does between two batches.
const sendWithin = time.Second

// Send sends the agent a request (wire.AppendControl).
func (a *Agent) Send(b []byte) error {
	a.send.Lock()
	defer a.send.Unlock()
	a.conn.SetWriteDeadline(time.Now().Add(sendWithin))
	_, err := a.conn.Write(b)
	return err
}

// Calls is how often the function with this id was called, as far as is known: those
// that were read on this connection.
func (a *Agent) Calls(id uint32) uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return max(a.calls[id], a.totals[id])
}

// All is the calls of all functions.
func (a *Agent) All() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := a.all.Load()
	for _, v := range a.totals {
		n += v
	}
	return n
}

// Dropped is how many calls of its arena were lost.
func (a *Agent) Dropped() uint64 { return a.dropped.Load() }

func (a *Agent) called(id uint32) {
	a.all.Add(1)
	a.mu.Lock()
	a.calls[id]++
	a.mu.Unlock()
}

// Call implements wire.CallHandler.
func (h *hello) Call(sec *wire.Section, c *wire.Call) bool {
	done := h.Stream.Call(sec, c)
	if done && h.agent != nil {
		h.agent.called(c.ID)
	}
	return done
}

// Event implements wire.Handler.
func (h *hello) Event(sec *wire.Section, e *wire.Event) {
	h.Stream.Event(sec, e)
	if h.agent != nil && (e.Kind == wire.EvCall || e.Kind == wire.EvEnter) && !h.Duplicate() {
		h.agent.called(e.ID)
	}
}

// Counts implements wire.Handler.
func (h *hello) Counts(t int64, rows []wire.CountRow) {
	h.Stream.Counts(t, rows)
	if h.agent == nil {
		return
	}
	h.agent.mu.Lock()
	defer h.agent.mu.Unlock()
	if h.agent.totals == nil {
		h.agent.totals = make(map[uint32]uint64)
	}
	for i := range rows {
		h.agent.totals[rows[i].ID] = rows[i].Calls
	}
}

// Account implements wire.Handler.
func (h *hello) Account(t int64, a *wire.Account) {
	h.Stream.Account(t, a)
	if h.agent != nil {
		h.agent.dropped.Store(a.Dropped)
	}
}

// Status implements wire.StatusHandler.
func (h *hello) Status(t int64, s *wire.Status) {
	if h.agent != nil && h.told != nil {
		h.told.Status(h.agent, s)
	}
}

// A Process is one that writes into an arena that the collector holds.
type Process struct {
	PID     int
	Name    string
	Arena   [16]byte
	Agent   bool // its agent runs
	NoAgent bool // it could not start
}

// Processes lists the processes that are known from their arenas and live, as
// they number themselves.
func (c *Collector) Processes() (out []Process) {
	c.keep.mu.Lock()
	defer c.keep.mu.Unlock()
	for id, h := range c.keep.arenas {
		if h.over {
			continue
		}
		procs := h.a.Procs()
		for i := range procs {
			p := &procs[i]
			pid := atomic.LoadUint32(&p.Pid)
			if atomic.LoadUint32(&p.State) != arena.ProcLive || gone(pid) {
				continue
			}
			name := string(p.Comm[:])
			for n := range p.Comm {
				if p.Comm[n] == 0 {
					name = string(p.Comm[:n])
					break
				}
			}
			state := atomic.LoadUint32(&p.GoState)
			out = append(out, Process{PID: int(pid), Name: name, Arena: id, Agent: state == goOn, NoAgent: state == goFailed || state == goParked})
		}
	}
	return out
}

// SEAM_GO_* of preload/core/abi.h.
const (
	goOn     = 2
	goFailed = 3
	goParked = 4
)

// wishFor is how long the processes of an arena without an agent are asked to start one.
// They follow a spec without, but only an agent can say what came of it; a server
// whose workers end sooner than that would start one in each.
const wishFor = 3 * time.Second

// Follow has processes without an agent follow a spec, unless they began with it, and
// asks for an agent: wish means even then.
func (c *Collector) Follow(path string, hash uint64, wish bool) {
	c.keep.mu.Lock()
	defer c.keep.mu.Unlock()
	for id, h := range c.keep.arenas {
		if c.keep.conns[id] > 0 || h.over {
			h.a.SetWish(false) // one is enough for all who share the arena
			continue
		}
		if h.told != hash {
			if h.told == 0 && h.a.SpecHash == hash {
				h.told = hash
			} else if h.a.Publish(path) {
				h.told, h.toldAt = hash, time.Now()
			}
		}
		if wish && h.toldAt.IsZero() {
			h.toldAt = time.Now()
		}
		h.a.SetWish(time.Since(h.toldAt) < wishFor)
		if h.a.Wish() {
			h.a.BumpEpoch() // each time: a thread's next call may be at a place where no agent can start
		}
	}
}

// Silent tells whether there are processes that Follow has asked for an agent, and whose
// agent has not said hello.
func (c *Collector) Silent() bool {
	c.keep.mu.Lock()
	defer c.keep.mu.Unlock()
	for id, h := range c.keep.arenas {
		if !h.over && !h.mainDead && c.keep.conns[id] == 0 && h.a.Wish() {
			return true
		}
	}
	return false
}
