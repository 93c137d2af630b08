package report

import (
	"errors"
	"io"

	"github.com/seam-project/seam/hooks/sqlshape"
	"github.com/seam-project/seam/wire"
)

// Observer is told of each event as it comes, from the goroutine that reads its
// stream. The Event is valid until Observe returns.
type Observer interface{ Observe(*Event) }

// An Event is a wire.Event with what is needed to show it.
type Event struct {
	PID, TID uint32
	Thread   uint32
	Exe      string // of the process that sent the stream, base name
	Probe    *Probe // nil for a statement, and for an id that was never explained
	T0       int64  // epoch ns: start of the first process of the run
	*wire.Event
}

// ErrNoHello is the error of a stream that does not begin with hello.
var ErrNoHello = errors.New("stream does not begin with hello")

// ErrVersion is the error of a stream of another protocol version.
var ErrVersion = errors.New("protocol version not supported")

// maxProbe bounds probe ids: the arena numbers its sites with 16 bits.
const maxProbe = 1 << 16

// A Stream gathers the messages of one connection. It is a wire.Handler and
// must be used by one goroutine. Close hands what it gathered to its Builder.
type Stream struct {
	b   *Builder
	obs Observer
	ev  Event

	hello bool
	from  string
	arena *arena // nil for the reader's own stream
	err   error

	slots     []*slot // by probe id
	delivered uint64
	dups      uint64
	unknown   uint64 // events with an id that no probe message explained
	dup       bool   // the section was delivered before
	batch     uint64 // number of the batch that is read, unique over all streams
	lastT     int64

	group     *ThreadGroup // of the section's thread, if it has a name
	groupFrom uint64       // delivered when its section began

	who      *pidCalls
	calls    map[uint32]*pidCalls
	carry    carry
	borrowed bool   // carry goes back to the arena
	fds      *fdTab // of the section's process

	sql   table[sqlStat]
	files table[fileStat]
	hosts table[hostStat]
	key   []byte // scratch
}

// A slot is what one connection knows of one probe.
type slot struct {
	p       *Probe
	st      tally
	open    int64
	lost    uint64
	dropped uint64
}

type pidCalls struct {
	pid uint32
	n   uint64
}

// Stream returns a handler for one connection. obs may be nil.
func (b *Builder) Stream(obs Observer) *Stream {
	s := &Stream{b: b, obs: obs}
	s.sql.limit, s.files.limit, s.hosts.limit = b.opt.Keep, b.opt.Keep, b.opt.Keep
	return s
}

// Err returns why the stream must not be read on, or nil. Check it after each
// message.
func (s *Stream) Err() error { return s.err }

// From returns who writes the stream: "agent", "core", "collector" or, before
// hello, "".
func (s *Stream) From() string { return s.from }

// Arena returns the arena's identity; false before hello.
func (s *Stream) Arena() (id [16]byte, ok bool) {
	if s.arena == nil {
		return id, false
	}
	return s.arena.id, true
}

// Hello implements wire.Handler.
func (s *Stream) Hello(h *wire.Hello) {
	if s.err != nil {
		return
	}
	if s.hello {
		s.err = errors.New("second hello on a connection")
		return
	}
	if h.V != wire.Version {
		s.err = ErrVersion
		return
	}
	s.hello, s.from = true, clip(h.From, 32)
	s.ev.Exe = baseName(h.Exe)
	if s.ev.Exe == "" && len(h.Argv) > 0 {
		s.ev.Exe = baseName(h.Argv[0])
	}
	b := s.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if h.Arena == [16]byte{} { // the reader itself
		if h.From == "collector" {
			b.session, b.target = h.Start, h.Argv
		}
		return
	}
	a := b.arena(h.Arena)
	s.arena = a
	if a.pid == 0 {
		a.pid = h.PID
	}
	if h.From == "core" {
		b.procs.get(h.PID)
		return
	}
	first := a.start == 0 && h.Start != 0
	if first {
		a.start = h.Start
	}
	b.procs.image(h.PID, h.PPID, h.Exe, h.Argv, h.Start, first, a)
	if h.Start != 0 && (b.first == 0 || h.Start < b.first) {
		b.first = h.Start
	}
	s.ev.T0 = b.first
	b.saw(h.Start)
	a.final = false
	if !a.lent {
		s.carry, a.carry, a.lent, s.borrowed = a.carry, carry{}, true, true
		s.adopt()
	}
}

// ready tells whether a message of an arena may be handled.
func (s *Stream) ready() bool {
	if s.err != nil {
		return false
	}
	if !s.hello {
		s.err = ErrNoHello
		return false
	}
	return s.arena != nil
}

// Probe implements wire.Handler.
func (s *Stream) Probe(d *wire.ProbeDef) {
	if !s.ready() || d.ID >= maxProbe {
		return
	}
	s.b.mu.Lock()
	p := s.b.intern(d)
	s.b.mu.Unlock()
	for len(s.slots) <= int(d.ID) {
		s.slots = append(s.slots, nil)
	}
	if sl := s.slots[d.ID]; sl == nil {
		s.slots[d.ID] = &slot{p: p}
	} else if sl.p != p {
		s.err = errors.New("probe id explained twice")
	}
}

// Duplicate tells whether the events that come now were delivered before.
func (s *Stream) Duplicate() bool { return s.dup }

// Batch implements wire.Handler.
func (s *Stream) Batch(seq uint64, base int64) {
	if s.ready() {
		s.b.mu.Lock()
		s.b.batches++
		s.batch = s.b.batches
		s.b.mu.Unlock()
	}
}

// Section implements wire.Handler.
func (s *Stream) Section(sec *wire.Section) {
	if !s.ready() {
		return
	}
	s.dup = false
	if sec.Upto > 0 {
		s.b.mu.Lock()
		s.dup = !s.arena.seen.take(sec.Chunk, sec.Upto, s.batch)
		s.name(s.arena.names[sec.Thread])
		s.b.mu.Unlock()
	}
	if s.who == nil || s.who.pid != sec.PID {
		s.process(sec.PID)
	}
	s.ev.PID, s.ev.TID, s.ev.Thread = sec.PID, sec.TID, sec.Thread
}

// process makes pid the one whose events come next.
func (s *Stream) process(pid uint32) {
	w := s.calls[pid]
	if w == nil {
		w = &pidCalls{pid: pid}
		if s.calls == nil {
			s.calls = make(map[uint32]*pidCalls)
		}
		if len(s.calls) < maxProcs {
			s.calls[pid] = w
		}
	}
	s.who = w
	if s.fds = s.carry.fds[pid]; s.fds != nil {
		s.fds.used = true
	}
}

// table returns the descriptor table of the section's process.
func (s *Stream) table() *fdTab {
	if s.fds == nil {
		s.fds = &fdTab{pid: s.who.pid, used: true}
		s.keep(s.fds)
	}
	return s.fds
}

func (s *Stream) keep(t *fdTab) {
	if s.carry.fds == nil {
		s.carry.fds = make(map[uint32]*fdTab)
	}
	if len(s.carry.fds) < maxFDProcs {
		s.carry.fds[t.pid] = t
	}
}

// Call implements wire.CallHandler: it takes the calls whose arguments do not
// matter, or only their descriptor or path, which is most of them.
func (s *Stream) Call(sec *wire.Section, c *wire.Call) bool {
	if s.obs != nil || s.dup || s.arena == nil || s.err != nil || int(c.ID) >= len(s.slots) {
		return false
	}
	sl := s.slots[c.ID]
	if sl == nil {
		return false
	}
	switch sl.p.role {
	case roleNone:
	case roleRead, roleWrite:
		if sl.p.fd != 0 || sl.p.text >= 0 {
			return false
		}
		fd, ok := c.FirstInt()
		if !ok || c.RetKind != wire.VInt {
			return false
		}
		s.moved(sl.p, fd, c.Ret, c.Dur, c.Err)
	case roleClose:
		fd, ok := c.FirstInt()
		if !ok || sl.p.fd != 0 {
			return false
		}
		if s.fds != nil {
			s.fds.set1(fd, fdEnt{})
		}
	case roleOpen, rolePath:
		name := c.TextArg(sl.p.text)
		if len(name) == 0 || sl.p.dir >= 0 && name[0] != '/' {
			return false
		}
		s.path(sl.p, name, c.Ret, c.RetKind == wire.VInt, c.Dur, c.Err)
	case roleFork:
		if c.RetKind != wire.VInt {
			return false
		}
		s.forked(c.Ret)
	default:
		return false
	}
	s.count(sl, c.T, c.Dur, c.Err)
	return true
}

// count adds a complete call to the totals.
func (s *Stream) count(sl *slot, t, dur int64, errno int32) {
	s.delivered++
	s.who.n++
	if end := t + dur; end > s.lastT {
		s.lastT = end
	}
	sl.st.calls++
	sl.st.ret(dur)
	if errno != 0 {
		sl.st.fail(errno, 1)
	}
}

// Event implements wire.Handler.
func (s *Stream) Event(sec *wire.Section, ev *wire.Event) {
	if !s.ready() {
		return
	}
	if ev.Kind == wire.EvStatement {
		s.statement(ev)
		s.observe(nil, ev)
		return
	}
	if s.dup {
		if ev.Kind == wire.EvCall || ev.Kind == wire.EvEnter {
			s.dups++
		}
		return
	}
	var sl *slot
	if uint64(ev.ID) < uint64(len(s.slots)) {
		sl = s.slots[ev.ID]
	}
	if sl == nil {
		if ev.Kind == wire.EvCall || ev.Kind == wire.EvEnter {
			s.delivered++
			s.who.n++
			s.unknown++
		}
		s.observe(nil, ev)
		return
	}
	switch ev.Kind {
	case wire.EvCall:
		s.count(sl, ev.T, ev.Dur, ev.Err)
		if sl.p.role != roleNone {
			s.meaning(sl.p, ev, nil)
		}
	case wire.EvEnter:
		s.delivered++
		s.who.n++
		sl.st.calls++
		s.lastT = max(s.lastT, ev.T)
		if sl.p.Kind != "entry" {
			s.enter(sec, sl, ev)
		} else if sl.p.role != roleNone {
			s.meaning(sl.p, ev, nil)
		}
	case wire.EvLeave:
		k := openKey{sec.Thread, ev.Seq}
		o, ok := s.carry.open[k]
		if ok {
			delete(s.carry.open, k)
			sl.open--
			if ev.Dur < 0 {
				ev.Dur = max(0, ev.T-o.t) // its sender took over from the one that sent the entry
			}
		}
		s.lastT = max(s.lastT, ev.T)
		if ev.Dur >= 0 {
			sl.st.ret(ev.Dur)
		}
		if ev.Err != 0 {
			sl.st.fail(ev.Err, 1)
		}
		if sl.p.role != roleNone && ok {
			s.meaning(sl.p, ev, &o)
		}
	case wire.EvLost:
		k := openKey{sec.Thread, ev.Seq}
		if _, ok := s.carry.open[k]; ok {
			delete(s.carry.open, k)
			sl.open--
		}
		sl.lost++
	}
	s.acted(sl.p, ev)
	s.observe(sl.p, ev)
}

func (s *Stream) observe(p *Probe, ev *wire.Event) {
	if s.obs == nil {
		return
	}
	s.ev.Probe, s.ev.Event = p, ev
	s.obs.Observe(&s.ev)
	s.ev.Event = nil
}

// enter remembers a call that has not returned yet.
func (s *Stream) enter(sec *wire.Section, sl *slot, ev *wire.Event) {
	if len(s.carry.open) >= maxOpen {
		return
	}
	if s.carry.open == nil {
		s.carry.open = make(map[openKey]openCall)
	}
	k := openKey{sec.Thread, ev.Seq}
	if _, ok := s.carry.open[k]; ok {
		return
	}
	o := openCall{probe: sl.p, pid: sec.PID, tid: sec.TID, t: ev.T, fd: -1}
	if sl.p.fd >= 0 && sl.p.fd < len(ev.Args) {
		if v := &ev.Args[sl.p.fd]; v.Kind == wire.VInt {
			o.fd = v.Int
		}
	}
	if sl.p.text >= 0 && !sl.p.Args[sl.p.text].Out {
		o.text = string(s.text(sl.p, ev.Args))
	}
	s.carry.open[k] = o
	sl.open++
}

// Counts implements wire.Handler.
func (s *Stream) Counts(t int64, rows []wire.CountRow) {
	if !s.ready() {
		return
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	if s.arena.counts == nil {
		s.arena.counts = make(map[uint32]*countStat)
	}
	for i := range rows {
		r := &rows[i]
		if uint64(r.ID) >= uint64(len(s.slots)) || s.slots[r.ID] == nil {
			continue
		}
		c := s.arena.counts[r.ID]
		if c == nil {
			c = new(countStat)
			s.arena.counts[r.ID] = c
		}
		buckets := append(c.row.Buckets[:0], r.Buckets...)
		c.probe, c.row = s.slots[r.ID].p, *r
		c.row.Buckets = buckets
	}
	s.saw(t)
}

// saw moves the end of the run. A collector drains later than things happened.
func (s *Stream) saw(t int64) {
	if s.from != "collector" {
		s.b.saw(t)
	}
}

// Account implements wire.Handler.
func (s *Stream) Account(t int64, a *wire.Account) { s.balance(t, a, false) }

// Bye implements wire.Handler.
func (s *Stream) Bye(t int64, a *wire.Account) { s.balance(t, a, true) }

func (s *Stream) balance(t int64, a *wire.Account, final bool) {
	if !s.ready() {
		return
	}
	c := *a
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.saw(t)
	// Totals only grow: an account from a sender that lost its turn is old news.
	if old := s.arena.account; old == nil || c.Produced >= old.Produced {
		s.arena.account = &c
	}
	s.arena.final = s.arena.final || final
	if s.arena.defs == nil {
		s.arena.defs = make(map[uint32]*Probe)
	}
	for id := range c.ByProbe {
		if uint64(id) < uint64(len(s.slots)) && s.slots[id] != nil {
			s.arena.defs[id] = s.slots[id].p
		}
	}
}

// Error implements wire.Handler.
func (s *Stream) Error(t int64, code, text, advice string, count uint64) {
	s.ready()
	if s.err != nil {
		return
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.b.addError(code, text, advice, count)
}

// Process implements wire.Handler.
func (s *Stream) Process(t int64, p *wire.Process) {
	pid, ppid := p.PID, p.PPID
	if !s.ready() {
		if s.err == nil && p.What == "end" { // the reader knows how the program ended that it started
			s.b.mu.Lock()
			if s.b.procs.byPID[pid] != nil {
				s.b.procs.end(t, p, nil)
			}
			s.b.mu.Unlock()
		}
		return
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.saw(t)
	switch p.What {
	case "fork":
		s.b.procs.fork(t, pid, ppid)
		if pt := s.carry.fds[uint32(ppid)]; pt != nil && s.carry.fds[uint32(pid)] == nil {
			s.keep(pt.clone(uint32(pid)))
			if s.who != nil && s.who.pid == uint32(pid) {
				s.fds = s.carry.fds[uint32(pid)]
			}
		}
	case "thread":
		s.b.nameThread(s.arena, p.Thread, clip(p.Name, 64))
	case "end":
		s.b.procs.end(t, p, s.arena)
		delete(s.carry.fds, uint32(pid))
		if s.who != nil && s.who.pid == uint32(pid) {
			s.fds = nil
		}
	}
}

// Refusal implements wire.Handler.
func (s *Stream) Refusal(object, symbol, reason, detail string) {
	if !s.ready() {
		return
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.b.addRefusal(clip(object, 256), clip(symbol, 256), clip(reason, 64), clip(detail, 512))
}

// statement adds one execution of an SQL statement.
func (s *Stream) statement(ev *wire.Event) {
	s.lastT = max(s.lastT, ev.T+ev.Dur)
	if ev.Flags&sqlshape.FlagInternal != 0 && !sqlFailed(ev.RC) {
		return // the library reading its schema: not what the program asked for
	}
	s.key = append(append(append(s.key[:0], ev.DB...), 0), ev.SQL...)
	st := s.sql.at(s.key)
	if st.calls == 0 && st != &s.sql.other {
		st.db, st.sql = clip(string(ev.DB), 1024), clip(string(ev.SQL), 64<<10)
	}
	st.calls++
	st.rows += ev.Rows
	st.ret(ev.Dur)
	if ev.Flags&1 != 0 {
		st.running++
	}
	if ev.Flags&2 != 0 {
		st.cut = true
	}
	if sqlFailed(ev.RC) {
		st.errors++
		if ev.T >= st.lastT {
			st.lastT, st.lastRC = ev.T, ev.RC
			if st.lastMsg != string(ev.Msg) {
				st.lastMsg = clip(string(ev.Msg), 1024)
			}
		}
	}
}

// sqlFailed tells an error from SQLite's three ways of not failing: OK, ROW,
// DONE. Extended codes carry the primary one in their low byte.
func sqlFailed(rc int64) bool { return rc != 0 && rc&0xff != 100 && rc&0xff != 101 }

// Close ends the stream and hands what it gathered to the Builder. err is what
// decoding ended with; nil and io.EOF are a clean end. It returns true when the
// peer broke the protocol, false for an end at any byte, which is allowed.
func (s *Stream) Close(err error) (broken bool) {
	b := s.b
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case s.err != nil:
		broken = true
		b.addError("bad-stream", s.err.Error(), "something that is not a seam target wrote to the socket", 1)
	case err == nil || err == io.EOF:
	case errors.Is(err, io.ErrUnexpectedEOF):
		b.trunc++
	default:
		broken = true
		var de *wire.Error
		text := err.Error()
		if errors.As(err, &de) { // without the offset, so that like errors are counted together
			text = de.What + ": " + de.Err.Error()
		}
		b.addError("bad-stream", text, "something that is not a seam target wrote to the socket", 1)
	}
	if s.arena == nil {
		return broken
	}
	if s.unknown > 0 {
		b.addError("unexplained", "calls of a probe that the stream did not explain", "", s.unknown)
	}
	a := s.arena
	s.name(nil)
	a.delivered += s.delivered
	a.dups += s.dups
	b.saw(s.lastT)
	for _, sl := range s.slots {
		if sl == nil || sl.st.calls == 0 && sl.st.returned == 0 && sl.lost == 0 && sl.open == 0 {
			continue
		}
		f := b.function(sl.p)
		f.merge(&sl.st)
		f.open += sl.open
		f.lost += sl.lost
	}
	for pid, w := range s.calls {
		if p := b.procs.get(int(pid)); p != nil {
			p.Calls += w.n
		}
	}
	mergeTable(&b.sql, &s.sql, (*sqlStat).merge)
	mergeTable(&b.files, &s.files, (*fileStat).merge)
	mergeTable(&b.hosts, &s.hosts, (*hostStat).merge)
	if s.borrowed {
		a.carry, a.lent = s.carry, false
	}
	s.slots, s.calls, s.carry, s.who = nil, nil, carry{}, nil
	return broken
}

// Release forgets what is only needed while an arena may still speak.
func (b *Builder) Release(id [16]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.arenas[id]; a != nil && !a.lent {
		a.seen, a.carry.fds, a.names = chunks{}, nil, nil
	}
}
