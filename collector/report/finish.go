package report

import (
	"sort"

	"github.com/seam-project/seam/wire"
)

// Report makes the report of what all closed streams gathered. It may be
// called more than once.
func (b *Builder) Report() *Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := &Report{Version: Version, StartNS: b.first, EndNS: b.last, Target: b.target,
		Refusals: b.refusalList(), Cut: []Cut{}}
	if r.StartNS == 0 {
		r.EndNS = 0
	}
	b.reportFunctions(r)
	b.reportSQL(r)
	b.reportFiles(r)
	b.reportHosts(r)
	b.reportProcs(r)
	b.reportThreads(r)
	b.reportInFlight(r)
	b.reportRules(r)
	b.reportErrors(r)
	b.reportAccount(r)
	return r
}

// top cuts a sorted list and notes it. over counts what was never kept.
func top[T any](r *Report, list string, all []T, limit int, over, overCalls uint64, calls func(*T) uint64) []T {
	kept := all
	if len(all) > limit {
		kept = all[:limit]
		over += uint64(len(all) - limit)
		for i := limit; i < len(all); i++ {
			overCalls += calls(&all[i])
		}
	}
	if over > 0 {
		r.Cut = append(r.Cut, Cut{List: list, Kept: len(kept), Other: over, Calls: overCalls})
	}
	return kept
}

func (b *Builder) reportFunctions(r *Report) {
	all := make([]Function, 0, len(b.funcs))
	totals := make(map[funcKey]*funcStat, len(b.funcs))
	for k, f := range b.funcs {
		c := *f
		if f.hist != nil {
			h := *f.hist
			c.hist = &h
		}
		c.byErrno = append([]errnoN(nil), f.byErrno...)
		totals[k] = &c
	}
	get := func(p *Probe) *funcStat {
		k := funcKey{p.Lib, p.Name}
		f := totals[k]
		if f == nil {
			f = &funcStat{pack: p.Pack, kind: p.Kind}
			totals[k] = f
		}
		return f
	}
	for _, a := range b.arenas {
		for _, c := range a.counts {
			if c.row.Calls > 0 || c.row.Errors > 0 {
				get(c.probe).addCounts(&c.row)
			}
			r.Account.Counted += c.row.Calls
		}
		if a.account != nil {
			for id, n := range a.account.ByProbe {
				if p := a.defs[id]; p != nil && n > 0 {
					get(p).dropped += n
				}
			}
		}
	}
	for k, f := range totals {
		p50, p99 := f.quantiles()
		e := Function{Lib: k.lib, Name: k.name, Pack: f.pack, Kind: f.kind, Calls: f.calls, Returned: f.returned, Errors: f.errors,
			ByErrno: errnoCounts(f.byErrno), TotalNS: f.total, MeanNS: f.mean(), P50NS: p50, P99NS: p99, MaxNS: f.max,
			ReturnsLost: f.lost, Dropped: f.dropped}
		if f.open > 0 && !execs(k.name) {
			e.InFlight = uint64(f.open)
		}
		all = append(all, e)
	}
	sort.Slice(all, func(i, j int) bool {
		x, y := &all[i], &all[j]
		switch {
		case x.TotalNS != y.TotalNS:
			return x.TotalNS > y.TotalNS
		case x.Calls != y.Calls:
			return x.Calls > y.Calls
		case x.Lib != y.Lib:
			return x.Lib < y.Lib
		}
		return x.Name < y.Name
	})
	r.Functions = top(r, "functions", all, b.opt.Top, 0, 0, func(f *Function) uint64 { return f.Calls })
}

// addCounts adds the totals of a probe that keeps no records.
func (f *funcStat) addCounts(row *wire.CountRow) {
	f.calls += row.Calls
	if !row.HasHist {
		return
	}
	var n uint64
	if f.hist == nil {
		f.hist = new(Hist)
	}
	for _, k := range row.Buckets {
		n += k.N
		f.hist.Add(k.Upper-k.Upper/16, k.N) // near the middle of a bucket a quarter as wide as its octave
	}
	f.returned += n
	f.total += row.SumNS
	f.max = max(f.max, row.MaxNS)
	f.errors += row.Errors
}

func (b *Builder) reportSQL(r *Report) {
	all := make([]Statement, 0, len(b.sql.m))
	for _, s := range b.sql.m {
		p50, p99 := s.quantiles()
		all = append(all, Statement{SQL: s.sql, SQLCut: s.cut, DB: s.db, Executions: s.calls, Running: s.running, Rows: s.rows,
			Errors: s.errors, LastRC: s.lastRC, LastError: s.lastMsg, TotalNS: s.total, P50NS: p50, P99NS: p99, MaxNS: s.max})
	}
	sort.Slice(all, func(i, j int) bool {
		x, y := &all[i], &all[j]
		switch {
		case x.TotalNS != y.TotalNS:
			return x.TotalNS > y.TotalNS
		case x.Executions != y.Executions:
			return x.Executions > y.Executions
		case x.SQL != y.SQL:
			return x.SQL < y.SQL
		}
		return x.DB < y.DB
	})
	r.SQL = top(r, "sql", all, b.opt.Top, b.sql.cut, b.sql.other.calls, func(s *Statement) uint64 { return s.Executions })
}

func (b *Builder) reportFiles(r *Report) {
	all := make([]File, 0, len(b.files.m))
	for path, f := range b.files.m {
		if f.calls() == 0 {
			continue
		}
		all = append(all, File{Path: path, Opens: f.opens, Other: f.other, Errors: f.errors, ByErrno: errnoCounts(f.byErrno),
			Reads: f.reads, Read: f.read, Writes: f.writes, Written: f.writen, TotalNS: f.total})
	}
	sort.Slice(all, func(i, j int) bool {
		x, y := &all[i], &all[j]
		switch {
		case x.Read+x.Written != y.Read+y.Written:
			return x.Read+x.Written > y.Read+y.Written
		case x.Opens+x.Other != y.Opens+y.Other:
			return x.Opens+x.Other > y.Opens+y.Other
		}
		return x.Path < y.Path
	})
	r.Files = top(r, "files", all, b.opt.Top, b.files.cut, b.files.other.calls(), func(f *File) uint64 { return f.Opens + f.Other + f.Reads + f.Writes })
}

func (b *Builder) reportHosts(r *Report) {
	all := make([]Host, 0, len(b.hosts.m))
	for addr, h := range b.hosts.m {
		if h.calls() == 0 && h.sent == 0 && h.received == 0 && h.errors == 0 {
			continue
		}
		all = append(all, Host{Address: addr, Connects: h.connects, Accepts: h.accepts, Binds: h.binds, Lookups: h.lookups,
			Errors: h.errors, ByErrno: errnoCounts(h.byErrno), TotalNS: h.total, Sent: h.sent, Received: h.received})
	}
	sort.Slice(all, func(i, j int) bool {
		x, y := &all[i], &all[j]
		if x.Sent+x.Received != y.Sent+y.Received {
			return x.Sent+x.Received > y.Sent+y.Received
		}
		if x.TotalNS != y.TotalNS {
			return x.TotalNS > y.TotalNS
		}
		return x.Address < y.Address
	})
	r.Hosts = top(r, "hosts", all, b.opt.Top, b.hosts.cut, b.hosts.other.calls(), func(h *Host) uint64 {
		return h.Connects + h.Accepts + h.Binds + h.Lookups
	})
}

func (b *Builder) reportProcs(r *Report) {
	r.Processes = top(r, "processes", b.procs.tree(), max(10*b.opt.Top, 1000), b.procs.over, 0, func(p *Process) uint64 { return p.Calls })
}

func (b *Builder) reportInFlight(r *Report) {
	all := []OpenCall{}
	for _, a := range b.arenas {
		for _, o := range a.carry.open {
			if o.probe.gone {
				continue
			}
			all = append(all, OpenCall{PID: int(o.pid), TID: int(o.tid), Lib: o.probe.Lib, Name: o.probe.Name, Arg: o.text, StartNS: o.t})
		}
	}
	sort.Slice(all, func(i, j int) bool {
		x, y := &all[i], &all[j]
		switch {
		case x.StartNS != y.StartNS:
			return x.StartNS < y.StartNS
		case x.PID != y.PID:
			return x.PID < y.PID
		case x.TID != y.TID:
			return x.TID < y.TID
		}
		return x.Name < y.Name
	})
	r.InFlight = top(r, "in_flight", all, min(b.opt.Top, 100), 0, 0, func(*OpenCall) uint64 { return 1 })
}

func (b *Builder) reportErrors(r *Report) {
	r.Errors = []Error{}
	for _, e := range b.errors {
		r.Errors = append(r.Errors, *e)
	}
	sort.Slice(r.Errors, func(i, j int) bool {
		x, y := &r.Errors[i], &r.Errors[j]
		if x.Count != y.Count {
			return x.Count > y.Count
		}
		if x.Code != y.Code {
			return x.Code < y.Code
		}
		return x.Text < y.Text
	})
}

// lossKind sorts the core's counters: calls that were produced and not
// delivered, calls that were not produced, and the rest.
var lossKind = map[string]byte{
	"oldest": 'd', "newest": 'd', "timeout": 'd', "no_thread": 'd',
	"reentrant": 's', "agent": 's',
	"return": '-', // its total is returns_lost
}

func (b *Builder) reportAccount(r *Report) {
	acc := &r.Account
	acc.DroppedBy, acc.Skipped, acc.Notes = map[string]uint64{}, map[string]uint64{}, map[string]uint64{}
	acc.Truncated = b.trunc
	for _, a := range b.arenas {
		acc.Arenas++
		acc.Delivered += a.delivered
		acc.Duplicates += a.dups
		c := a.account
		if c == nil {
			acc.Incomplete++
			acc.Produced += a.delivered
			continue
		}
		acc.Dropped += c.Dropped
		acc.ReturnsLost += c.ReturnsLost
		for k, n := range c.Lost {
			if n == 0 {
				continue
			}
			switch lossKind[k] {
			case 'd':
				acc.DroppedBy[k] += n
			case 's':
				acc.Skipped[k] += n
			case '-':
			default:
				acc.Notes[k] += n
			}
		}
		if !a.final {
			acc.Incomplete++
			acc.Produced += max(c.Produced, a.delivered+c.Dropped)
			continue
		}
		acc.Produced += c.Produced
		counted := a.delivered
		if counted < c.Delivered && a.start != 0 && a.start < b.session {
			acc.Elsewhere += c.Delivered - counted
			counted = c.Delivered
		}
		if d := int64(c.Produced - counted - c.Dropped); d != 0 || counted != c.Delivered {
			if d == 0 {
				d = int64(c.Delivered - counted)
			}
			acc.Unaccounted += max(d, -d)
			acc.Broken = append(acc.Broken, Broken{PID: a.pid, Produced: c.Produced, Delivered: c.Delivered, Counted: a.delivered, Dropped: c.Dropped})
		}
	}
	sort.Slice(acc.Broken, func(i, j int) bool { return acc.Broken[i].PID < acc.Broken[j].PID })
	if len(acc.Broken) > 20 {
		acc.Broken = acc.Broken[:20]
	}
}
