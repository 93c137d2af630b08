package sqlshape

import (
	"bytes"
	"time"
)

// Flags of a statement, as in docs/protocol.md.
const (
	FlagRunning  = 1 // not at its end when reported
	FlagCut      = 2 // SQL is not the whole text
	FlagInternal = 4 // run by the library itself: reading the schema, shadow tables
)

// Statement is one execution of an SQL statement.
type Statement struct {
	PID    uint32
	Thread uint32 // of its last step
	DB     []byte // file name as opened, ":memory:"; nil unknown
	SQL    []byte // normalised; nil unknown
	Rows   int64
	RC     int32
	Msg    []byte // of a failed one; nil unknown
	Start  int64  // of its first step
	Dur    int64  // sum of its steps
	Flags  uint64
}

// Limits of what is remembered, over all processes.
const (
	maxStmts   = 8192
	maxDBs     = 1024
	maxProcs   = 4096
	maxThreads = 4096
	maxTexts   = 4096
	maxOpen    = 16 // calls of one thread that have not returned
	maxFailed  = 4  // its failures that wait for a message
	maxReuse   = 4  // databases, or statements, at one address
	maxText    = 4096
)

// SQLite is the state machine. It is for one goroutine.
type SQLite struct {
	emit  func(*Statement)
	procs map[uint32]*proc
	texts map[string][]byte // interned: most statements are prepared again and again
	lru   stmt              // head of the ring of all statements, most recently used first
	nstmt int
	ndb   int
	nthr  int
	nfail int  // failures that wait for a message
	blind bool // fed by a Shadow: a call comes before those that it was made in
	out   Statement

	// Evicted counts statements, databases, threads and processes forgotten
	// for want of room. What they do later is reported without SQL or file.
	Evicted uint64
}

type proc struct {
	dbs     map[uint64]*db
	stmts   map[uint64]*stmt
	threads map[uint32]*thread
	forked  bool // Fork was told of it
}

type db struct {
	file []byte
	born int64 // end of its open
	old  *db   // that was at this address before, see proc.db
}

// stmt is a prepared statement and the execution it is in.
type stmt struct {
	prev, next *stmt
	pid        uint32
	handle     uint64
	owner      *db   // nil unknown
	born       int64 // end of its prepare
	old        *stmt // that was at this address before, see proc.stmt
	sql        []byte
	cut        bool
	internal   bool
	made       mark   // its prepare
	maker      uint32 // the thread of that
	thread     uint32 // that prepared or last stepped it

	active bool // an execution is under way
	rows   int64
	rc     int32
	start  int64
	dur    int64
}

// thread is what is known of a thread's recent calls, to tell what ran inside
// an exec.
type thread struct {
	inner    mark // the last prepare or step
	innerErr mark // the last of them that failed
	open     []Call
	failed   []failure // inside an exec that has not returned
}

// mark is a place in the calls of a thread.
type mark struct {
	set bool
	seq uint32
	t   int64
}

// clockSlack is how far the clocks of two drainers may differ.
const clockSlack = int64(time.Millisecond)

func (c *Call) mark() mark { return mark{true, c.Seq, c.Start} }

// in tells whether the call at m was made inside c, or after it. Its number says
// so; the time tells a number from the same one four billion calls ago.
func (m mark) in(c *Call) bool {
	return m.set && int32(m.seq-c.Seq) > 0 && m.t >= c.Start-clockSlack
}

// New makes a machine that gives each execution to emit, whose argument is
// valid during the call.
func New(emit func(*Statement)) *SQLite {
	s := &SQLite{emit: emit, procs: map[uint32]*proc{}, texts: map[string][]byte{}}
	s.lru.prev, s.lru.next = &s.lru, &s.lru
	return s
}

// Feed takes a complete call.
func (s *SQLite) Feed(c *Call) {
	if c.Op == OpNone {
		return
	}
	p := s.proc(c.PID)
	if s.nfail > 0 {
		s.abandoned(p, c)
	}
	if s.blind {
		s.enclosed(p, c)
	}
	switch c.Op {
	case OpOpen:
		s.opened(p, c)
	case OpClose:
		if d := p.db(c.Handle, c.Start); d != nil && c.RC == rcOK {
			s.closed(p, c.Handle, d)
		}
	case OpPrepare:
		s.prepared(p, c)
	case OpStep:
		s.stepped(p, c)
	case OpReset, OpFinalize:
		st := p.stmt(c.Handle, c.Start)
		if st == nil {
			return
		}
		s.finish(st, c.Thread, nil)
		if c.Op == OpFinalize {
			s.forget(p, st)
		}
	case OpExec, OpTable:
		s.executed(p, c)
	}
}

// Enter takes a call that has not returned yet; its Leave brings the rest.
func (s *SQLite) Enter(c *Call) {
	if c.Op == OpNone {
		return
	}
	p := s.proc(c.PID)
	if s.blind {
		s.enclosed(p, c)
	}
	t := s.thread(p, c.Thread)
	if len(t.open) == maxOpen {
		t.open = append(t.open[:0], t.open[1:]...)
		s.Evicted++
	}
	k := *c
	k.Text, k.Msg = clip(c.Text), nil
	t.open = append(t.open, k)
}

// Leave takes the return of a call given to Enter: same PID, Thread, Seq and
// Op. What it lacks is taken from there.
func (s *SQLite) Leave(c *Call) {
	if c.Op == OpNone {
		return
	}
	t := s.thread(s.proc(c.PID), c.Thread)
	for i := len(t.open) - 1; i >= 0; i-- {
		o := &t.open[i]
		if o.Seq != c.Seq || o.Op != c.Op {
			continue
		}
		full := *c
		full.Start, full.Internal, full.Inside = o.Start, c.Internal || o.Internal, c.Inside || o.Inside
		if full.Handle == 0 {
			full.Handle = o.Handle
		}
		if full.Text == nil {
			full.Text, full.Cut = o.Text, o.Cut
		}
		t.open = append(t.open[:i], t.open[i+1:]...)
		s.Feed(&full)
		return
	}
	s.Feed(c)
}

// SetEmit changes who is told.
func (s *SQLite) SetEmit(emit func(*Statement)) { s.emit = emit }

// Lost tells that the return of an Enter will never come.
func (s *SQLite) Lost(pid, thr, seq uint32) {
	p := s.procs[pid]
	if p == nil || p.threads[thr] == nil {
		return
	}
	t := p.threads[thr]
	for i := range t.open {
		if t.open[i].Seq == seq {
			t.open = append(t.open[:i], t.open[i+1:]...)
			return
		}
	}
}

func (s *SQLite) opened(p *proc, c *Call) {
	if c.Out == 0 {
		return
	}
	// A failed open gives a handle too, from which only its message is taken.
	d := &db{file: clip(c.Text), born: c.End, old: p.dbs[c.Out]}
	s.ndb++
	p.dbs[c.Out] = d // statements of one that was at this address keep theirs
	for o, n := d, 1; o.old != nil; o = o.old {
		if n++; n > maxReuse {
			s.closed(p, c.Out, o.old)
			break
		}
	}
	if s.ndb > maxDBs {
		s.dropDB(d)
	}
	if failed(c.RC) {
		s.report(Statement{PID: c.PID, Thread: c.Thread, DB: d.file, RC: c.RC, Msg: c.Msg, Start: c.Start, Dur: c.End - c.Start}, c.Internal)
	}
}

// closed forgets a database.
func (s *SQLite) closed(p *proc, handle uint64, d *db) {
	s.ndb--
	if at := p.dbs[handle]; at != d {
		for at.old != d {
			at = at.old
		}
		at.old = d.old
	} else if d.old != nil {
		p.dbs[handle] = d.old
	} else {
		delete(p.dbs, handle)
	}
}

// dropDB forgets any one database but one.
func (s *SQLite) dropDB(but *db) {
	for _, p := range s.procs {
		for h, d := range p.dbs {
			if d != but {
				s.closed(p, h, d)
				s.Evicted++
				return
			}
		}
	}
}

func (s *SQLite) prepared(p *proc, c *Call) {
	t := s.thread(p, c.Thread)
	t.inner = c.mark()
	sql, whole := First(c.Text)
	cut := c.Cut && !whole
	if failed(c.RC) {
		t.innerErr = c.mark()
		out := Statement{PID: c.PID, Thread: c.Thread, SQL: sql, RC: c.RC, Msg: c.Msg, Start: c.Start, Dur: c.End - c.Start}
		d := p.db(c.Handle, c.Start)
		if d != nil {
			out.DB = d.file
		}
		if cut {
			out.Flags |= FlagCut
		}
		s.failure(t, c, out, d, c.Internal || ownSQL(sql))
		return
	}
	if c.Out == 0 {
		return // an empty text or a comment: nothing to run
	}
	for old, n := p.stmts[c.Out], 1; old != nil; n++ {
		next := old.old
		if !old.made.set || old.maker == c.Thread || n >= maxReuse {
			// Its finalize was not seen: made inside the library, or lost.
			s.finish(old, c.Thread, nil)
			s.forget(p, old)
		} // else it may come: the calls of another thread are not in order with ours
		old = next
	}
	st := s.add(p, c.PID, c.Out)
	st.owner, st.sql, st.cut, st.born = p.db(c.Handle, c.Start), s.intern(sql), cut, c.End
	st.internal = c.Internal || ownSQL(sql)
	st.made, st.maker, st.thread = c.mark(), c.Thread, c.Thread
}

func (s *SQLite) stepped(p *proc, c *Call) {
	t := s.thread(p, c.Thread)
	t.inner = c.mark()
	st := p.stmt(c.Handle, c.Start)
	if st == nil {
		st = s.add(p, c.PID, c.Handle)
		st.internal = c.Internal
	} else if s.lru.next != st {
		st.unlink()
		st.insert(&s.lru)
	}
	if !st.active {
		st.active, st.rows, st.dur, st.start = true, 0, 0, c.Start
	}
	st.thread = c.Thread
	st.dur += max(c.End-c.Start, 0)
	st.rc = c.RC
	switch c.RC {
	case rcRow:
		st.rows++
	case rcDone:
		s.finish(st, c.Thread, nil)
	default:
		t.innerErr = c.mark()
		st.active = false
		s.failure(t, c, st.statement(c.Thread, c.Msg, 0), st.owner, st.internal)
	}
}

// executed takes the end of an exec or get_table. The statements it ran have
// mostly been counted; what it left half-way ends here.
func (s *SQLite) executed(p *proc, c *Call) {
	t := s.thread(p, c.Thread)
	inside, counted := t.inner.in(c), t.innerErr.in(c)
	if len(t.failed) > 0 {
		s.explain(p, t, c)
	}
	if inside {
		// What ran inside was used last, so it is at the front of the ring.
		for st, others := s.lru.next, 0; st != &s.lru && others < 64; {
			next := st.next
			others++
			if st.pid == c.PID && st.thread == c.Thread && st.maker == c.Thread && st.made.in(c) {
				if st.active && failed(c.RC) {
					st.rc = c.RC // the callback asked to stop
					s.finish(st, c.Thread, c.Msg)
					counted = true
				}
				s.finish(st, c.Thread, nil)
				s.forget(p, st)
				others = 0
			}
			st = next
		}
	} else if c.Op == OpExec {
		t.inner = c.mark() // for an outer exec or get_table
	}
	if inside && (counted || !failed(c.RC)) || len(c.Text) == 0 && !failed(c.RC) {
		return
	}
	out := Statement{PID: c.PID, Thread: c.Thread, SQL: c.Text, RC: c.RC, Msg: c.Msg, Start: c.Start, Dur: c.End - c.Start}
	d := p.db(c.Handle, c.Start)
	if d != nil {
		out.DB = d.file
	}
	if c.Cut {
		out.Flags |= FlagCut
	}
	internal := c.Internal || ownSQL(c.Text)
	if !failed(c.RC) {
		s.report(out, internal)
		return
	}
	if !counted {
		t.innerErr = c.mark()
	}
	s.failure(t, c, out, d, internal)
}

// finish reports the execution that a statement is in, if it is in one.
func (s *SQLite) finish(st *stmt, thr uint32, msg []byte) {
	if !st.active {
		return
	}
	st.active = false
	s.report(st.statement(thr, msg, 0), st.internal)
}

// statement is the execution that st is in.
func (st *stmt) statement(thr uint32, msg []byte, flags uint64) Statement {
	out := Statement{PID: st.pid, Thread: thr, SQL: st.sql, Rows: st.rows, RC: st.rc, Msg: msg, Start: st.start, Dur: st.dur, Flags: flags}
	if st.owner != nil {
		out.DB = st.owner.file
	}
	if st.cut {
		out.Flags |= FlagCut
	}
	return out
}

func (s *SQLite) report(out Statement, internal bool) {
	if internal {
		out.Flags |= FlagInternal
	}
	out.Dur = max(out.Dur, 0)
	s.out = out
	s.emit(&s.out)
	s.out = Statement{}
}

// Fork gives the child what its parent knows: prepared statements and open
// databases are in its memory too. Executions stay the parent's. It may come
// after the child's first calls; what these told is kept. Only the first news of
// a child counts: each drainer of an arena tells all its processes again.
func (s *SQLite) Fork(parent, child uint32) {
	from := s.procs[parent]
	if from == nil || parent == child {
		return
	}
	to := s.proc(child)
	if to.forked {
		return
	}
	to.forked = true
	owners := make(map[*db]*db, len(from.dbs))
	for h, d := range from.dbs {
		if to.dbs[h] == nil && s.ndb < maxDBs {
			c := &db{file: d.file, born: d.born}
			owners[d] = c
			to.dbs[h] = c
			s.ndb++
		}
	}
	for h, st := range from.stmts {
		old := to.stmts[h]
		if old != nil && old.sql != nil {
			continue
		}
		if s.nstmt >= maxStmts {
			s.Evicted++
			break
		}
		if old == nil {
			old = s.add(to, child, h)
		}
		old.sql, old.cut, old.internal = st.sql, st.cut, st.internal
		if old.owner = owners[st.owner]; old.owner == nil {
			old.owner = st.owner
		}
	}
}

// End reports what a process has under way, and forgets it.
func (s *SQLite) End(pid uint32) {
	p := s.procs[pid]
	if p == nil {
		return
	}
	s.Running(pid)
	s.drop(pid, p)
}

// Running reports what a process has under way as running; it stays. Failures
// that wait for a message go without.
func (s *SQLite) Running(pid uint32) {
	if p := s.procs[pid]; p != nil {
		for _, t := range p.threads {
			s.giveUp(t, len(t.failed))
		}
	}
	for st := s.lru.next; st != &s.lru; st = st.next {
		if st.pid == pid && st.active {
			s.report(st.statement(st.thread, nil, FlagRunning), st.internal)
		}
	}
}

func (s *SQLite) drop(pid uint32, p *proc) {
	for _, t := range p.threads {
		s.giveUp(t, len(t.failed))
	}
	for _, st := range p.stmts {
		for st != nil {
			next := st.old
			s.forget(p, st)
			st = next
		}
	}
	for _, d := range p.dbs {
		for ; d != nil; d = d.old {
			s.ndb--
		}
	}
	s.nthr -= len(p.threads)
	delete(s.procs, pid)
}

func (s *SQLite) proc(pid uint32) *proc {
	p := s.procs[pid]
	if p == nil {
		if len(s.procs) >= maxProcs {
			for old, q := range s.procs {
				s.drop(old, q)
				s.Evicted++
				break
			}
		}
		p = &proc{dbs: map[uint64]*db{}, stmts: map[uint64]*stmt{}, threads: map[uint32]*thread{}}
		s.procs[pid] = p
	}
	return p
}

func (s *SQLite) thread(p *proc, id uint32) *thread {
	t := p.threads[id]
	if t == nil {
		if s.nthr >= maxThreads {
			// Only calls in progress are lost with a thread.
			for _, q := range s.procs {
				for _, old := range q.threads {
					s.giveUp(old, len(old.failed))
				}
				s.Evicted += uint64(len(q.threads))
				s.nthr -= len(q.threads)
				clear(q.threads)
			}
		}
		t = &thread{}
		p.threads[id] = t
		s.nthr++
	}
	return t
}

// stmt is the statement that was at an address when a call began, nil unknown.
// Calls of one thread come in order, those of two threads need not: the address
// of a statement that one of them finalized may be another's before that is
// known. Nobody has a handle before the call that made it returned.
func (p *proc) stmt(handle uint64, t int64) *stmt {
	st := p.stmts[handle]
	if st == nil || st.old == nil {
		return st
	}
	best := st
	for st = st.old; st != nil; st = st.old {
		if closer(st.born, best.born, t) {
			best = st
		}
	}
	return best
}

// db is the same for databases.
func (p *proc) db(handle uint64, t int64) *db {
	d := p.dbs[handle]
	if d == nil || d.old == nil {
		return d
	}
	best := d
	for d = d.old; d != nil; d = d.old {
		if closer(d.born, best.born, t) {
			best = d
		}
	}
	return best
}

// closer tells whether a thing born at a is more likely meant at t than one born
// at b: the last born before, or the first if none was.
func closer(a, b, t int64) bool {
	if (a <= t) != (b <= t) {
		return a <= t
	}
	return (a > b) == (a <= t)
}

func (s *SQLite) add(p *proc, pid uint32, handle uint64) *stmt {
	if s.nstmt >= maxStmts {
		old := s.lru.prev
		s.forget(s.procs[old.pid], old)
		s.Evicted++
	}
	st := &stmt{pid: pid, handle: handle, old: p.stmts[handle]}
	st.insert(&s.lru)
	p.stmts[handle] = st
	s.nstmt++
	return st
}

func (s *SQLite) forget(p *proc, st *stmt) {
	st.unlink()
	s.nstmt--
	if at := p.stmts[st.handle]; at != st {
		for at.old != st {
			at = at.old
		}
		at.old = st.old
	} else if st.old != nil {
		p.stmts[st.handle] = st.old
	} else {
		delete(p.stmts, st.handle)
	}
}

func (st *stmt) insert(head *stmt) {
	st.prev, st.next = head, head.next
	head.next.prev, head.next = st, st
}

func (st *stmt) unlink() {
	st.prev.next, st.next.prev = st.next, st.prev
}

// intern keeps one copy of each text.
func (s *SQLite) intern(b []byte) []byte {
	if b == nil {
		return nil
	}
	if len(b) > maxText {
		b = b[:maxText]
	}
	if t, ok := s.texts[string(b)]; ok {
		return t
	}
	if len(s.texts) >= maxTexts {
		clear(s.texts) // statements keep theirs
	}
	t := bytes.Clone(b)
	s.texts[string(t)] = t
	return t
}

// clip is a copy of bounded size, nil for nil.
func clip(b []byte) []byte {
	return bytes.Clone(b[:min(len(b), maxText)])
}
