package sqlshape

// A failure inside an exec waits for the exec to return. Its own message can't
// be had: the exec holds the database's mutex, and who asked for the message
// would wait for the program while the program waits for it. The exec fails for
// the same reason, and its message can be had when it returns.

// failure is a statement that failed inside an exec which has not returned.
type failure struct {
	at       mark // its call
	owner    *db  // nil unknown
	out      Statement
	internal bool
}

// failure reports a failed call, or keeps it until the exec around it returns.
func (s *SQLite) failure(t *thread, c *Call, out Statement, owner *db, internal bool) {
	if len(c.Msg) > 0 || !s.inside(t, c) {
		s.report(out, internal)
		return
	}
	if len(t.failed) == maxFailed {
		s.giveUp(t, 1)
	}
	out.SQL = s.intern(out.SQL)
	t.failed = append(t.failed, failure{c.mark(), owner, out, internal})
	s.nfail++
}

// inside says whether a call was made inside an exec or get_table.
func (s *SQLite) inside(t *thread, c *Call) bool {
	if c.Inside || s.blind {
		return true
	}
	for i := range t.open {
		if o := &t.open[i]; o.Op.Executes() && c.mark().in(o) {
			return true
		}
	}
	return false
}

// abandoned looks for failures whose exec will not return: a call that came
// after them is not inside any.
func (s *SQLite) abandoned(p *proc, c *Call) {
	t := p.threads[c.Thread]
	if t == nil || len(t.failed) == 0 || s.inside(t, c) {
		return
	}
	n := 0
	for n < len(t.failed) && int32(c.Seq-t.failed[n].at.seq) > 0 {
		n++
	}
	s.giveUp(t, n)
}

// giveUp reports the first n failures of a thread without a message.
func (s *SQLite) giveUp(t *thread, n int) {
	for i := range t.failed[:n] {
		s.report(t.failed[i].out, t.failed[i].internal)
	}
	s.remove(t, 0, n)
}

func (s *SQLite) remove(t *thread, from, to int) {
	k := from + copy(t.failed[from:], t.failed[to:])
	clear(t.failed[k:])
	t.failed = t.failed[:k]
	s.nfail -= to - from
}

// explain reports the failures inside an exec that returned. The last that
// failed as the exec did is why it failed.
func (s *SQLite) explain(p *proc, t *thread, c *Call) {
	from := len(t.failed)
	for from > 0 && t.failed[from-1].at.in(c) {
		from--
	}
	if len(c.Msg) == 0 && failed(c.RC) && s.inside(t, c) {
		return // the one around it may tell
	}
	d := p.db(c.Handle, c.Start)
	for i := len(t.failed) - 1; i >= from && len(c.Msg) > 0; i-- {
		f := &t.failed[i]
		if f.out.RC&0xff == c.RC&0xff && (f.owner == nil || d == nil || f.owner == d) {
			f.out.RC, f.out.Msg = c.RC, c.Msg
			break
		}
	}
	for i := range t.failed[from:] {
		f := &t.failed[from+i]
		s.report(f.out, f.internal)
	}
	s.remove(t, from, len(t.failed))
}
