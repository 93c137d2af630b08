package sqlshape

import (
	"testing"

	"github.com/seam-project/seam/wire"
)

// stream makes the events of calls as a drainer does, for a Shadow.
type stream struct {
	sh  *Shadow
	sec wire.Section
}

func number(v uint64) wire.Value { return wire.Value{Kind: wire.VUint, Int: int64(v)} }

func (s *stream) event(kind uint8, name string, seq uint32, rc int, args ...wire.Value) {
	e := &wire.Event{Kind: kind, Seq: seq, T: int64(seq) * 1000, Dur: 10, Ret: wire.Value{Kind: wire.VInt, Int: int64(rc)}, Args: args}
	if kind == wire.EvLeave {
		e.T += 10
	}
	s.sh.Event(OpOf(name), &s.sec, e)
}

func (s *stream) open(seq uint32, file string, db uint64) {
	s.event(wire.EvCall, "sqlite3_open", seq, 0, wire.Value{Kind: wire.VStr, Str: []byte(file)}, number(db))
}

func (s *stream) prepare(kind uint8, seq uint32, rc int, db uint64, sql string, st uint64) {
	args := []wire.Value{number(db), {Kind: wire.VStr, Str: []byte(sql)}, {}, number(st), {}}
	s.event(kind, "sqlite3_prepare_v2", seq, rc, args...)
}

// taken gives what the state says from now on to a script.
func (s *stream) taken(t *testing.T) *script {
	t.Helper()
	r := newScript()
	emit := r.m.emit
	r.m, r.clock = s.sh.Take(), 10_000_000
	if r.m == nil {
		t.Fatal("nothing to take")
	}
	r.m.SetEmit(emit)
	return r
}

func TestShadow(t *testing.T) {
	at := wire.Section{PID: 1, Thread: 1}
	for _, c := range []struct {
		name   string
		before func(s *stream)
		after  string
		want   []string
	}{
		{"a statement goes on", func(s *stream) {
			s.open(1, "a.db", 1)
			s.prepare(wire.EvCall, 2, 0, 1, "A", 5)
			s.event(wire.EvCall, "sqlite3_step", 3, 100, number(5))
		}, "step h5 r101", []string{"p1 [a.db] [A] rows=1 rc=101 dur=20"}},
		{"a call that was under way", func(s *stream) {
			s.open(1, "a.db", 1)
			s.prepare(wire.EvEnter, 2, 0, 1, "A", 0)
		}, "-prepare q2 e3000 o5\nstep h5 r101", []string{"p1 [a.db] [A] rows=0 rc=101 dur=10"}},
		{"entered, then left", func(s *stream) {
			s.prepare(wire.EvEnter, 2, 0, 1, "A", 0)
			s.event(wire.EvLeave, "sqlite3_prepare_v2", 2, 0, wire.Value{}, wire.Value{}, wire.Value{}, number(5), wire.Value{})
		}, "step h5 r101", []string{"p1 - [A] rows=0 rc=101"}},
		{"its return is lost", func(s *stream) {
			s.prepare(wire.EvEnter, 2, 0, 1, "A", 0)
			s.event(wire.EvLost, "sqlite3_prepare_v2", 2, 0)
		}, "-prepare q2 e3000 o5\nstep h5 r101", []string{"p1 - - rows=0"}},
		{"it was reported", func(s *stream) {
			s.prepare(wire.EvCall, 2, 0, 1, "A", 5)
			s.event(wire.EvCall, "sqlite3_step", 3, 100, number(5))
			s.sh.Bye()
		}, "reset h5\nstep h5 r101", []string{"p1 - [A] rows=0 rc=101 dur=10"}},
		{"its process ended", func(s *stream) {
			s.prepare(wire.EvCall, 2, 0, 1, "A", 5)
			s.sh.End(1)
		}, "step h5 r101", []string{"p1 - - rows=0"}},
		{"a child, told of by two drainers", func(s *stream) {
			s.open(1, "a.db", 1)
			s.prepare(wire.EvCall, 2, 0, 1, "A", 5)
			s.sh.Fork(1, 2)
			s.prepare(wire.EvCall, 3, 0, 1, "B", 6)
			s.sh.Fork(1, 2)
		}, "step p2 h5 r101\nstep p2 h6 r101", []string{"p2 [a.db] [A] rows=0 rc=101", "p2 - - rows=0"}},
		{"what a statement prepared is internal, known late", func(s *stream) {
			s.prepare(wire.EvCall, 1, 0, 1, "A", 5)
			s.prepare(wire.EvCall, 3, 0, 1, "B", 6)
			s.event(wire.EvCall, "sqlite3_step", 2, 100, number(5))
		}, "step h6 r101\nstep h5 r101", []string{"p1 - [B] rows=0 rc=101 dur=10 flags=4", "p1 - [A] rows=1 rc=101 dur=20"}},
		{"the same, and it is under way", func(s *stream) {
			s.prepare(wire.EvCall, 1, 0, 1, "A", 5)
			s.prepare(wire.EvCall, 3, 0, 1, "B", 6)
			s.event(wire.EvEnter, "sqlite3_step", 2, 0, number(5))
		}, "step s3500 e3510 h6 r101\n-step q2 e4000 r101", []string{"p1 - [B] rows=0 rc=101 dur=10 flags=4", "p1 - [A] rows=0 rc=101 dur=2000"}},
		{"what exec prepared is not", func(s *stream) {
			s.prepare(wire.EvCall, 3, 0, 1, "B", 6)
			s.event(wire.EvEnter, "sqlite3_exec", 2, 0, number(1), wire.Value{Kind: wire.VStr, Str: []byte("B")})
		}, "step s3500 e3510 h6 r101\n-exec q2 e4000", []string{"p1 - [B] rows=0 rc=101 dur=10"}},
		{"a failure in an exec that is under way", func(s *stream) {
			s.prepare(wire.EvCall, 1, 1, 1, "before", 0) // reported already
			s.prepare(wire.EvCall, 3, 1, 1, "A", 0)
			s.event(wire.EvEnter, "sqlite3_exec", 2, 0, number(1), wire.Value{Kind: wire.VStr, Str: []byte("A")})
		}, "-exec q2 e4000 r1 !syntax", []string{"p1 - [A] rows=0 rc=1 dur=10 msg=syntax"}},
		{"a failure that returned later, to an exec that is under way", func(s *stream) {
			s.event(wire.EvEnter, "sqlite3_exec", 2, 0, number(1), wire.Value{Kind: wire.VStr, Str: []byte("A")})
			s.prepare(wire.EvEnter, 3, 0, 1, "A", 0)
			// An answer came, without a message.
			s.sh.Event(OpPrepare, &s.sec, &wire.Event{Kind: wire.EvLeave, Seq: 3, T: 3010, Dur: 10, Msg: []byte{}, Ret: wire.Value{Kind: wire.VInt, Int: 1}})
		}, "-exec q2 e4000 r1 !syntax", []string{"p1 - [A] rows=0 rc=1 dur=10 msg=syntax"}},
		{"failures that were reported", func(s *stream) {
			for i := range uint32(10) {
				s.prepare(wire.EvCall, 3*i+2, 1, 1, "A", 0)
				s.event(wire.EvCall, "sqlite3_exec", 3*i+1, 1, number(1), wire.Value{Kind: wire.VStr, Str: []byte("A")})
			}
		}, "exec q99 h1 r1 \"B\" !syntax", []string{"p1 - [B] rows=0 rc=1 dur=10 msg=syntax"}},
	} {
		s := &stream{sh: NewShadow(), sec: at}
		c.before(s)
		r := s.taken(t)
		if r.m.End(99); len(r.out) != 0 {
			t.Errorf("%s: said before anything happened: %q", c.name, r.out)
		}
		r.run(t, c.after)
		r.m.End(1)
		if len(r.out) != len(c.want) {
			t.Errorf("%s: got %q, want %q", c.name, r.out, c.want)
			continue
		}
		t.Run(c.name, func(t *testing.T) { check(t, r, c.want) })
		if s.sh.Take() != nil {
			t.Errorf("%s: taken twice", c.name)
		}
		s.open(9, "late", 9) // all of it is ignored
		s.sh.Fork(1, 2)
		s.sh.End(1)
		s.sh.Bye()
	}
}
