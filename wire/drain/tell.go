package drain

import (
	"sync/atomic"
	"time"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/wire"
	"github.com/seam-project/seam/wire/arena"
)

// proc is what was said about an entry of the process table.
type proc struct {
	uid   uint32
	told  bool // its birth, on this connection
	ended bool
	known bool // to the SQL side
}

// greet appends the first message of a connection.
func (d *Drainer) greet() {
	h := d.opt.Hello
	if h.Exe == "" {
		wire.DecodeInfo(append([]byte(nil), d.a.ProcessInfo()...), &h)
		h.From = d.opt.Hello.From
		hooks.RedactArgv(h.Argv) // the arena, which is the user's alone, has it as it is
		h.PPID = d.parent(h.PID)
	}
	h.V = wire.Version
	h.Arena = d.a.ID
	h.Spec = d.a.SpecHash
	h.Policy = d.a.PolicyName()
	h.Buffer = int64(d.a.NumChunks()) * int64(d.a.ChunkSize)
	if h.Start == 0 {
		h.Start = int64(d.a.Real0)
	}
	d.pre = wire.AppendHello(d.pre, &h)
}

// parent is the parent of the process that made the arena, or 0.
func (d *Drainer) parent(pid int) int {
	ps := d.a.Procs()
	for i := range ps {
		p := &ps[i]
		if atomic.LoadUint32(&p.Parent) == arena.NoParent && int(atomic.LoadUint32(&p.Pid)) == pid {
			return int(atomic.LoadUint32(&p.Ppid))
		}
	}
	return 0
}

// before appends what should stand before the next batch: refusals and births.
func (d *Drainer) before() {
	d.refused = d.a.EachRefusals(d.refused, func(object string, blob []byte) {
		d.pre = wire.AppendRefusals(d.pre, object, append([]byte(nil), blob...), d.opt.Reason)
	})
	ps := d.a.Procs()
	for i := range ps {
		p := &ps[i]
		if st := atomic.LoadUint32(&p.State); st != arena.ProcLive && st != arena.ProcDead {
			continue
		}
		uid := atomic.LoadUint32(&p.Uid)
		k := &d.procs[i]
		if k.uid != uid {
			*k = proc{uid: uid}
		}
		if k.told || uid == 0 {
			continue
		}
		k.told = true
		if atomic.LoadUint32(&p.Parent) == arena.NoParent {
			continue // hello has told of it
		}
		if !k.known {
			k.known = true
			d.sqls.m.Fork(atomic.LoadUint32(&p.Ppid), atomic.LoadUint32(&p.Pid))
		}
		d.pre = wire.AppendProcess(d.pre, d.clock.ns(atomic.LoadUint64(&p.StartTs)), &wire.Process{
			PID: int(atomic.LoadUint32(&p.Pid)), PPID: int(atomic.LoadUint32(&p.Ppid)), What: "fork", Status: wire.StatusUnknown})
	}
}

// after closes a pass: ends of processes, dead threads, and from time to time the
// totals. They go out before the next batch, or at the end of this pass.
func (d *Drainer) after() {
	now := time.Now()
	if !now.Before(d.nextReap) {
		d.nextReap = now.Add(d.opt.Reap)
		d.reaped = d.a.Reap(d.seen, d.opt.Alive)
		d.reapProcs(d.opt.Alive)
		d.renamed()
	}
	d.ends()
	if !now.Before(d.nextTold) {
		d.nextTold = now.Add(d.opt.Every)
		d.late = d.totals(d.late, now.UnixNano())
	}
}

// reapProcs marks processes that were killed as dead: nobody else will.
func (d *Drainer) reapProcs(alive func(pid, tid, ns uint32) bool) {
	ps := d.a.Procs()
	for i := range ps {
		p := &ps[i]
		if atomic.LoadUint32(&p.State) == arena.ProcLive && !alive(atomic.LoadUint32(&p.Pid), 0, atomic.LoadUint32(&p.Ns)) {
			atomic.CompareAndSwapUint64(&p.EndTs, 0, d.clock.now())
			atomic.CompareAndSwapUint32(&p.State, arena.ProcLive, arena.ProcDead)
		}
	}
}

// ends appends the ends of processes, behind the batch with their last calls.
func (d *Drainer) ends() {
	ps := d.a.Procs()
	for i := range ps {
		p, k := &ps[i], &d.procs[i]
		if k.ended || atomic.LoadUint32(&p.State) != arena.ProcDead || k.uid != atomic.LoadUint32(&p.Uid) {
			continue
		}
		k.ended = true
		d.sqlAside(atomic.LoadUint32(&p.Pid), d.sqls.m.End)
		d.late = d.processEnd(d.late, p)
	}
	d.waited = d.a.EachEnd(d.waited, func(e *arena.End) {
		m := wire.Process{PID: int(e.Pid), PPID: int(e.Ppid), What: "end", Status: wire.StatusUnknown}
		m.SetWaitStatus(e.Wstatus)
		d.late = wire.AppendProcess(d.late, d.clock.ns(e.Ts), &m)
	})
}

// processEnd appends the end of a process of this arena.
func (d *Drainer) processEnd(b []byte, p *arena.Proc) []byte {
	m := wire.Process{PID: int(atomic.LoadUint32(&p.Pid)), PPID: int(atomic.LoadUint32(&p.Ppid)), What: "end",
		Status: wire.StatusUnknown, Dropped: atomic.LoadUint64(&p.Dropped)}
	if s := atomic.LoadUint32(&p.EndStatus); s != arena.NoStatus {
		m.Status = int(s & 0xff)
	}
	switch atomic.LoadUint32(&p.GoState) {
	case arena.GoOn, arena.GoParked:
		m.Agent = true
	}
	return wire.AppendProcess(b, d.clock.ns(atomic.LoadUint64(&p.EndTs)), &m)
}

// totals appends counts, account and faults.
func (d *Drainer) totals(b []byte, now int64) []byte {
	b = d.notes(d.rules(d.counts(b, now), now), now)
	acc := d.account()
	d.nameDropped(&acc)
	b = wire.AppendAccount(b, now, &acc)
	return d.tellProcs(d.tellFaults(b, now), now)
}

// counts appends the counters and histograms that changed since they were last
// sent.
func (d *Drainer) counts(b []byte, now int64) []byte {
	var rows []wire.CountRow
	var h arena.Hist
	for id := range uint32(d.a.NumSites()) {
		as := d.a.Site(id)
		if as == nil {
			continue
		}
		row := wire.CountRow{ID: id}
		switch as.Instrument {
		case arena.Count:
			row.Calls = d.a.Counter(id)
		case arena.HistI:
			if !d.a.ReadHist(as, &h) {
				continue
			}
			row.Calls = h.Count
		default:
			continue
		}
		if row.Calls == d.counted[id] {
			continue
		}
		d.counted[id] = row.Calls
		if as.Instrument == arena.HistI {
			row.HasHist = true
			row.SumNS, row.MaxNS, row.Errors = d.clock.span(h.Sum), d.clock.span(h.Max), h.Errors
			for i, n := range h.Bucket {
				if n != 0 {
					row.Buckets = append(row.Buckets, wire.HistBucket{Upper: d.clock.span(arena.BucketUpper(i)), N: n})
				}
			}
		}
		if s := d.load(id); s != nil && !s.announced {
			d.announce(id, s)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return b
	}
	return wire.AppendCounts(b, now, rows)
}

func (d *Drainer) account() wire.Account {
	bal := d.a.Account(d.seen)
	acc := wire.Account{Produced: bal.Produced, Delivered: d.a.Delivered(), Dropped: bal.Dropped,
		ReturnsLost: bal.ReturnsLost, ByProbe: bal.ByProbe, Lost: map[string]uint64{}}
	for _, p := range d.pend {
		// Written before this account, committed after it.
		acc.Delivered += p.calls
	}
	for i, n := range bal.Lost {
		if n != 0 {
			acc.Lost[arena.LostNames[i]] = n
		}
	}
	return acc
}

// nameDropped defines the probes of which all calls so far were dropped: an
// account names probes by their ids alone.
func (d *Drainer) nameDropped(acc *wire.Account) {
	for id := range acc.ByProbe {
		if s := d.load(id); s != nil && !s.announced {
			d.announce(id, s)
		}
	}
}

// Account is the balance as of now, including what the drainer has read.
func (d *Drainer) Account() wire.Account { return d.account() }

// Finish drains until nothing is left, then sends the last totals and bye. It is
// for the end: of the process, or of all of them when a collector finishes an
// arena. Threads that Options.Alive calls dead are recycled first.
func (d *Drainer) Finish() (uint64, error) {
	var total uint64
	// A pass leaves out chunks taken while it ran; when the host still runs it
	// must not keep us.
	for range 8 {
		d.nextReap = time.Time{}
		n, err := d.Pass()
		total += n
		if err != nil {
			return total, err
		}
		if n == 0 && d.reaped == 0 {
			break
		}
	}
	ps := d.a.Procs()
	for i := range ps {
		if p := &ps[i]; atomic.LoadUint32(&p.State) == arena.ProcLive {
			d.sqlAside(atomic.LoadUint32(&p.Pid), d.sqls.m.Running)
		}
	}
	now := time.Now().UnixNano()
	d.late = d.rules(d.counts(d.late, now), now)
	d.late = d.notes(d.tellProcs(d.tellFaults(d.late, now), now), now)
	acc := d.account()
	d.nameDropped(&acc)
	d.late = wire.AppendBye(d.late, now, &acc)
	return total, d.send()
}
