package report

import (
	"sort"

	"golang.org/x/sys/unix"
	"syscall"
)

// errnoSlots bounds the distinct errno values kept per function.
const errnoSlots = 48

// A tally counts calls that returned, and how they failed.
type tally struct {
	calls    uint64 // entered
	returned uint64
	errors   uint64
	total    int64
	max      int64
	hist     *Hist // made at the first return
	byErrno  []errnoN
}

type errnoN struct {
	errno int32
	n     uint64
}

func (t *tally) ret(dur int64) {
	t.returned++
	t.total += dur
	if dur > t.max {
		t.max = dur
	}
	if t.hist == nil {
		t.hist = new(Hist)
	}
	t.hist.Add(dur, 1)
}

func (t *tally) fail(errno int32, n uint64) {
	t.errors += n
	t.byErrno = addErrno(t.byErrno, errno, n)
}

func (t *tally) merge(o *tally) {
	t.calls += o.calls
	t.returned += o.returned
	t.errors += o.errors
	t.total += o.total
	t.max = max(t.max, o.max)
	if o.hist != nil {
		if t.hist == nil {
			t.hist = new(Hist)
		}
		t.hist.Merge(o.hist)
	}
	for _, e := range o.byErrno {
		t.byErrno = addErrno(t.byErrno, e.errno, e.n)
	}
}

func (t *tally) quantiles() (p50, p99 int64) {
	if t.hist == nil {
		return 0, 0
	}
	return t.hist.Quantile(0.50, t.max), t.hist.Quantile(0.99, t.max)
}

func (t *tally) mean() int64 {
	if t.returned == 0 {
		return 0
	}
	return t.total / int64(t.returned)
}

func addErrno(l []errnoN, errno int32, n uint64) []errnoN {
	for i := range l {
		if l[i].errno == errno {
			l[i].n += n
			return l
		}
	}
	if len(l) >= errnoSlots {
		l[len(l)-1].n += n
		l[len(l)-1].errno = -1
		return l
	}
	return append(l, errnoN{errno, n})
}

// ErrnoName returns the name of an errno value, "failed" for -1, or the number
// where it has no name.
func ErrnoName(errno int32) string {
	if errno == -1 {
		return "failed"
	}
	if errno > 0 {
		if s := unix.ErrnoName(syscall.Errno(errno)); s != "" {
			return s
		}
	}
	return "errno " + itoa(int64(errno))
}

func errnoCounts(l []errnoN) []ErrnoCount {
	if len(l) == 0 {
		return nil
	}
	out := make([]ErrnoCount, len(l))
	for i, e := range l {
		out[i] = ErrnoCount{ErrnoName(e.errno), e.errno, e.n}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Count != out[j].Count {
			return out[i].Count > out[j].Count
		}
		return out[i].Errno < out[j].Errno
	})
	return out
}

// A table maps names to what is known of them and stays within a limit: what
// does not fit goes to other.
type table[T any] struct {
	m     map[string]*T
	limit int
	other T
	cut   uint64 // look-ups that went to other
}

// at returns the entry of key, making it if there is room. The bytes of key are
// not kept.
func (t *table[T]) at(key []byte) *T {
	if e := t.m[string(key)]; e != nil {
		return e
	}
	return t.add(string(key))
}

func (t *table[T]) add(key string) *T {
	if e := t.m[key]; e != nil {
		return e
	}
	if len(t.m) >= t.limit {
		t.cut++
		return &t.other
	}
	if t.m == nil {
		t.m = make(map[string]*T)
	}
	e := new(T)
	t.m[key] = e
	return e
}

// mergeTable adds all of o to t.
func mergeTable[T any](t, o *table[T], add func(*T, *T)) {
	for _, k := range sortedKeys(o.m) { // the same entries find room, whatever the map's order
		add(t.add(k), o.m[k])
	}
	add(&t.other, &o.other)
	t.cut += o.cut
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

type sqlStat struct {
	tally
	db, sql string
	cut     bool
	running uint64
	rows    int64
	lastT   int64
	lastRC  int64
	lastMsg string
}

func (s *sqlStat) merge(o *sqlStat) {
	if s.sql == "" && s.db == "" {
		s.sql, s.db = o.sql, o.db
	}
	s.cut = s.cut || o.cut
	s.running += o.running
	s.rows += o.rows
	if o.errors > 0 && (s.errors == 0 || o.lastT > s.lastT) {
		s.lastT, s.lastRC, s.lastMsg = o.lastT, o.lastRC, o.lastMsg
	}
	s.tally.merge(&o.tally)
}

type fileStat struct {
	path           string
	opens, other   uint64
	errors         uint64
	byErrno        []errnoN
	reads, read    uint64
	writes, writen uint64
	total          int64
}

func (f *fileStat) fail(errno int32) {
	f.errors++
	f.byErrno = addErrno(f.byErrno, errno, 1)
}

func (f *fileStat) merge(o *fileStat) {
	f.opens += o.opens
	f.other += o.other
	f.errors += o.errors
	f.reads += o.reads
	f.read += o.read
	f.writes += o.writes
	f.writen += o.writen
	f.total += o.total
	for _, e := range o.byErrno {
		f.byErrno = addErrno(f.byErrno, e.errno, e.n)
	}
}

func (f *fileStat) calls() uint64 { return f.opens + f.other + f.reads + f.writes }

type hostStat struct {
	addr                              string
	connects, accepts, binds, lookups uint64
	errors                            uint64
	byErrno                           []errnoN
	total                             int64
	sent, received                    uint64
}

func (h *hostStat) fail(errno int32) {
	h.errors++
	h.byErrno = addErrno(h.byErrno, errno, 1)
}

func (h *hostStat) merge(o *hostStat) {
	h.connects += o.connects
	h.accepts += o.accepts
	h.binds += o.binds
	h.lookups += o.lookups
	h.errors += o.errors
	h.total += o.total
	h.sent += o.sent
	h.received += o.received
	for _, e := range o.byErrno {
		h.byErrno = addErrno(h.byErrno, e.errno, e.n)
	}
}

func (h *hostStat) calls() uint64 { return h.connects + h.accepts + h.binds + h.lookups }
