package sqlshape

import (
	"sync"

	"github.com/seam-project/seam/wire"
)

// A Shadow follows what a drainer knows of SQL from the stream that it writes,
// so that whoever drains the arena after it can go on. Several streams of one
// arena may feed it, from any goroutine, one call at a time.
//
// A stream has a call before those that it was made in, unless these were under
// way at the end of a batch. So the Shadow learns late what was internal, and
// keeps what failed until it is known whether it was inside an exec.
type Shadow struct {
	mu   sync.Mutex
	m    *SQLite // nil when it was taken
	call Call
}

// NewShadow returns a Shadow that knows nothing yet.
func NewShadow() *Shadow {
	s := &Shadow{m: New(func(*Statement) {})}
	s.m.blind = true
	return s
}

// Event takes an event of a probe whose function is op.
func (s *Shadow) Event(op Op, sec *wire.Section, e *wire.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		return
	}
	c := &s.call
	switch e.Kind {
	case wire.EvLost:
		s.m.Lost(sec.PID, sec.Thread, e.Seq)
		return
	case wire.EvCall, wire.EvEnter, wire.EvLeave:
		*c = Call{Op: op, PID: sec.PID, Thread: sec.Thread}
		c.FromEvent(e)
	}
	switch e.Kind {
	case wire.EvCall:
		s.m.Feed(c)
	case wire.EvEnter:
		s.m.Enter(c)
	case wire.EvLeave:
		s.m.Leave(c)
	}
}

// Fork takes the news of a process.
func (s *Shadow) Fork(parent, child uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m != nil {
		s.m.Fork(parent, child)
	}
}

// End takes the news of the end of a process: the drainer reported what it had
// under way.
func (s *Shadow) End(pid uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m != nil {
		s.m.End(pid)
	}
}

// Bye takes the end of a stream in order: the drainer reported all that was
// under way.
func (s *Shadow) Bye() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		return
	}
	for st := s.m.lru.next; st != &s.m.lru; st = st.next {
		st.active = false
	}
	for _, p := range s.m.procs {
		for _, t := range p.threads {
			s.m.remove(t, 0, len(t.failed))
		}
	}
}

// Take hands the state over; nil when it was taken before. What comes later is
// ignored. Call SetEmit.
func (s *Shadow) Take() *SQLite {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.m
	s.m = nil
	if m == nil {
		return nil
	}
	m.blind = false
	for _, p := range m.procs {
		for _, t := range p.threads {
			m.keepWaiting(t)
		}
	}
	return m
}

// keepWaiting drops the failures that did not happen inside an exec which is
// still running: the drainer reported them.
func (s *SQLite) keepWaiting(t *thread) {
	for i := len(t.failed) - 1; i >= 0; i-- {
		c := Call{Seq: t.failed[i].at.seq, Start: t.failed[i].at.t}
		if !s.inside(t, &c) {
			s.remove(t, i, i+1)
		}
	}
}

// enclosed marks statements that were prepared inside c as the library's own.
func (s *SQLite) enclosed(p *proc, c *Call) {
	t := p.threads[c.Thread]
	if t == nil || !c.Op.encloses() || !t.inner.in(c) {
		return
	}
	for st, others := s.lru.next, 0; st != &s.lru && others < 16; st = st.next {
		others++
		if !st.internal && st.pid == c.PID && st.maker == c.Thread && st.made.in(c) {
			st.internal = true
			others = 0
		}
	}
}
