package collector

import (
	"slices"

	"github.com/seam-project/seam/hooks/sqlshape"
	"github.com/seam-project/seam/wire"
)

// An agent knows which statements are prepared and which run. Its stream tells
// as much: we follow it, so that the drainer which takes over goes on where the
// agent was. A stream without probes of SQL costs nothing.

// shadows are what the agents of arenas know of SQL; keeper.mu guards it.
type shadows struct {
	of    map[[16]byte]*sqlshape.Shadow
	alone [][16]byte // of arenas whose memory we don't have, and no connection speaks
}

// maxAlone bounds them: the memory comes soon, or never.
const maxAlone = 16

// idle notes that the last connection of an arena without memory ended.
func (s *shadows) idle(id [16]byte, used func([16]byte) bool) {
	if s.of[id] == nil || slices.Contains(s.alone, id) {
		return
	}
	s.alone = slices.DeleteFunc(append(s.alone, id), used)
	if n := len(s.alone) - maxAlone; n > 0 {
		for _, old := range s.alone[:n] {
			delete(s.of, old)
		}
		s.alone = slices.Delete(s.alone, 0, n)
	}
}

// follows tells whether an arena's shadow has another end to wait for, or is
// gone; k.mu is held.
func (k *keeper) follows(id [16]byte) bool {
	return k.arenas[id] != nil || k.conns[id] > 0 || k.sql.of[id] == nil
}

// shadow is the one of an arena, or nil; with make it is made when there is none.
func (k *keeper) shadow(id [16]byte, make bool) *sqlshape.Shadow {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.sql.of[id]
	if s == nil && make {
		s = sqlshape.NewShadow()
		k.sql.of[id] = s
	}
	return s
}

// takeShadow is what the agents of an arena knew, nil when there was nothing.
func (k *keeper) takeShadow(id [16]byte) *sqlshape.SQLite {
	if s := k.shadow(id, false); s != nil {
		return s.Take()
	}
	return nil
}

// handler is who takes the next message.
func (h *hello) handler() wire.Handler {
	if h.sql != nil {
		return h.sql
	}
	return h
}

// Probe implements wire.Handler.
func (h *hello) Probe(d *wire.ProbeDef) {
	h.Stream.Probe(d)
	if h.keep == nil || d.Pack != "sqlite" || d.Kind != "call" || d.ID >= 1<<16 || h.Err() != nil {
		return
	}
	if _, ok := h.Arena(); !ok {
		return
	}
	op := sqlshape.OpOf(d.Name)
	if op == sqlshape.OpNone {
		return
	}
	if h.sql == nil {
		h.sql = &sqlStream{hello: h, shadow: h.keep.shadow(h.arena, true)}
	}
	h.sql.explain(d.ID, op)
}

// Process implements wire.Handler.
func (h *hello) Process(t int64, p *wire.Process) {
	h.Stream.Process(t, p)
	s := h.known()
	switch {
	case s == nil:
	case p.What == "fork":
		s.Fork(uint32(p.PPID), uint32(p.PID))
	case p.What == "end":
		s.End(uint32(p.PID))
	}
}

// Bye implements wire.Handler.
func (h *hello) Bye(t int64, a *wire.Account) {
	h.Stream.Bye(t, a)
	if s := h.known(); s != nil {
		s.Bye()
	}
}

// known is the arena's shadow, if any stream of it had SQL.
func (h *hello) known() *sqlshape.Shadow {
	if h.keep == nil || !h.seen || h.Err() != nil {
		return nil
	}
	return h.keep.shadow(h.arena, false)
}

// A sqlStream is a hello some probes of which are SQL's.
type sqlStream struct {
	*hello
	shadow *sqlshape.Shadow
	ops    []sqlshape.Op // by probe id
}

func (s *sqlStream) explain(id uint32, op sqlshape.Op) {
	for len(s.ops) <= int(id) {
		s.ops = append(s.ops, sqlshape.OpNone)
	}
	s.ops[id] = op
}

func (s *sqlStream) op(id uint32) sqlshape.Op {
	if uint64(id) < uint64(len(s.ops)) {
		return s.ops[id]
	}
	return sqlshape.OpNone
}

// Call implements wire.CallHandler.
func (s *sqlStream) Call(sec *wire.Section, c *wire.Call) bool {
	return s.op(c.ID) == sqlshape.OpNone && s.hello.Call(sec, c)
}

// Event implements wire.Handler.
func (s *sqlStream) Event(sec *wire.Section, e *wire.Event) {
	s.hello.Event(sec, e)
	if e.Kind == wire.EvStatement || s.Duplicate() {
		return
	}
	if op := s.op(e.ID); op != sqlshape.OpNone && s.Err() == nil {
		s.shadow.Event(op, sec, e)
	}
}
