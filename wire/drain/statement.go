package drain

import (
	"github.com/seam-project/seam/hooks/sqlshape"
	"github.com/seam-project/seam/wire"
	"github.com/seam-project/seam/wire/arena"
)

// statements is the SQL side of a drainer: the machine that turns calls into
// executions, and what it has said since the last event.
type statements struct {
	m     *sqlshape.SQLite
	call  sqlshape.Call
	out   []byte
	n     uint64
	base  int64
	calls bool // anything was fed at all
}

// init begins with m, or from nothing.
func (s *statements) init(m *sqlshape.SQLite) {
	emit := func(q *sqlshape.Statement) {
		s.out = wire.AppendStatement(s.out, q.Start-s.base, q.Dur, q.DB, q.SQL, q.Rows, int64(q.RC), q.Msg, q.Flags)
		s.n++
	}
	if m == nil {
		s.m = sqlshape.New(emit)
		return
	}
	s.m, s.calls = m, true
	m.SetEmit(emit)
}

// take moves what was said to the events of the open section.
func (s *statements) take(buf []byte) ([]byte, uint64) {
	n := s.n
	buf = append(buf, s.out...)
	s.out, s.n = s.out[:0], 0
	return buf, n
}

// sqlCall prepares the machine's view of the call that s.dec decoded last.
func (d *Drainer) sqlCall(r *arena.Ref, s *site, seq uint32, words []uint64, ret uint64, start, end int64, in around) *sqlshape.Call {
	c := &d.sqls.call
	*c = sqlshape.Call{Op: s.op, PID: r.PID, Thread: r.ThreadUID, Seq: seq, Start: start, End: end, Internal: in.library, Inside: in.exec}
	c.FromRecord(s.dec, words, ret)
	d.sqls.base, d.sqls.calls = d.base, true
	return c
}

// around says what a call was made in.
type around struct {
	library bool // a call of the library that does not run statements of the program
	exec    bool // one that does
}

func (a *around) add(s *site) {
	switch {
	case s.op.Executes():
		a.exec = true
	case s.hook.Pack == "sqlite":
		a.library = true
	}
}

// around says what the call with this number was made in: the first n calls of
// the stack and the open calls of the thread enclose it.
func (d *Drainer) around(t *thread, n int, seq uint32) (a around) {
	for i := range d.stack[:n] {
		a.add(&d.sites[d.stack[i].site])
	}
	for i := range t.opens {
		o := &t.opens[i]
		if !o.left && int32(seq-o.seq) > 0 {
			a.add(&d.sites[o.site])
		}
	}
	return a
}

// sqlAside reports what a process has under way, in a section of its own: no
// thread says it.
func (d *Drainer) sqlAside(pid uint32, tell func(pid uint32)) {
	if !d.sqls.calls {
		return
	}
	if d.batch.Sections() == 0 {
		d.begin(d.clock.ns(d.clock.now()))
	}
	d.sqls.base = d.base
	tell(pid)
	if d.sqls.n == 0 {
		if d.batch.Sections() == 0 {
			d.seq--
			d.batch.Clear()
		}
		return
	}
	d.batch.Section(&wire.Section{PID: pid})
	var n uint64
	d.batch.Buf, n = d.sqls.take(d.batch.Buf)
	d.batch.Events += uint32(n)
	d.batch.EndSection(0)
}
