package drain

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/wire"
	"github.com/seam-project/seam/wire/arena"
	"github.com/seam-project/seam/wire/arena/arenatest"
)

// sink is a reader that keeps accounts.
type sink struct {
	hello    []wire.Hello
	probes   map[uint32]wire.ProbeDef
	calls    map[[2]uint32]int // by thread and seq: how often delivered
	last     map[uint32]uint32
	unsorted int
	leaves   int
	upto     map[uint64]uint32
	log      []string // each event, when keep is set
	keep     bool
	account  *wire.Account
	bye      *wire.Account
	counts   map[uint32]wire.CountRow
	notes    []string
	undef    int // events of probes that were not defined
	bases    []int64
}

func newSink() *sink {
	return &sink{probes: map[uint32]wire.ProbeDef{}, calls: map[[2]uint32]int{}, last: map[uint32]uint32{},
		upto: map[uint64]uint32{}, counts: map[uint32]wire.CountRow{}}
}

func (s *sink) Hello(h *wire.Hello) {
	s.hello = append(s.hello, *h)
	s.probes = map[uint32]wire.ProbeDef{}
}
func (s *sink) Probe(p *wire.ProbeDef)       { s.probes[p.ID] = *p }
func (s *sink) Batch(seq uint64, base int64) { s.bases = append(s.bases, base) }
func (s *sink) Section(c *wire.Section)      { s.upto[c.Chunk] = max(s.upto[c.Chunk], c.Upto) }
func (s *sink) Counts(t int64, rows []wire.CountRow) {
	for _, r := range rows {
		s.counts[r.ID] = r
	}
}
func (s *sink) Account(t int64, a *wire.Account) { s.account = a }
func (s *sink) Bye(t int64, a *wire.Account)     { s.bye = a }
func (s *sink) Error(t int64, code, text, advice string, n uint64) {
	s.notes = append(s.notes, fmt.Sprintf("error %s %d", code, n))
}
func (s *sink) Process(t int64, p *wire.Process) {
	s.notes = append(s.notes, fmt.Sprintf("process %d %d %s %d", p.PID, p.PPID, p.What, p.Status))
}
func (s *sink) Refusal(object, symbol, reason, detail string) {
	s.notes = append(s.notes, fmt.Sprintf("refusal %s %s %s %s", object, symbol, reason, detail))
}

func (s *sink) Event(c *wire.Section, e *wire.Event) {
	if _, ok := s.probes[e.ID]; !ok && e.Kind != wire.EvStatement {
		s.undef++
	}
	switch e.Kind {
	case wire.EvCall, wire.EvEnter:
		s.calls[[2]uint32{c.Thread, e.Seq}]++
		if last, ok := s.last[c.Thread]; ok && int32(e.Seq-last) <= 0 {
			s.unsorted++
		}
		s.last[c.Thread] = e.Seq
	case wire.EvLeave:
		s.leaves++
	}
	if s.keep {
		var b strings.Builder
		fmt.Fprintf(&b, "%s id=%d seq=%d", [...]string{"call", "enter", "leave", "statement", "lost"}[e.Kind], e.ID, e.Seq)
		if e.Kind != wire.EvEnter {
			fmt.Fprintf(&b, " dur=%d ret=%s err=%d", e.Dur, show(&e.Ret), e.Err)
		}
		for i := range e.Args {
			b.WriteString(" " + show(&e.Args[i]))
		}
		if e.Msg != nil {
			fmt.Fprintf(&b, " msg=%s", e.Msg)
		}
		s.log = append(s.log, b.String())
	}
}

func show(v *wire.Value) string {
	var s string
	switch v.Kind {
	case wire.VNil:
		s = "nil"
	case wire.VInt:
		s = fmt.Sprint(v.Int)
	case wire.VUint:
		s = fmt.Sprint(uint64(v.Int))
	case wire.VStr:
		s = fmt.Sprintf("%q", v.Str)
	default:
		s = fmt.Sprint(len(v.List))
	}
	if v.Status != 0 {
		s = fmt.Sprintf("[%d %s]", v.Status, s)
	}
	return s
}

// delivered is the number of calls, and how many of them came more than once.
func (s *sink) delivered() (n uint64, twice int) {
	for _, k := range s.calls {
		n += uint64(k)
		if k > 1 {
			twice++
		}
	}
	return n, twice
}

// conn decodes as bytes arrive: what is cut at the end is ignored, as the
// protocol says.
type conn struct {
	s   *sink
	buf bytes.Buffer
}

func (c *conn) Write(b []byte) (int, error) { return c.buf.Write(b) }

func (c *conn) end(t *testing.T) {
	t.Helper()
	err := wire.NewDecoder(&c.buf).Run(c.s)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("decode: %v", err)
	}
}

func int6(name string) []byte {
	h := &hooks.Hook{Name: name, Ret: hooks.Arg{Name: "ret", Type: hooks.TInt, Size: 4, Len: hooks.LenNone, Word: -1}, Errno: true}
	for i := range 6 {
		h.Args = append(h.Args, hooks.Arg{Name: string(rune('a' + i)), Type: hooks.TInt, Size: 4, Len: hooks.LenNone, Word: int8(i)})
	}
	return hooks.EncodeDef(h, "libx.so", "", hooks.Log)
}

func asite(words uint8) arena.Site { return arena.Site{Nwords: words, Flags: arena.SiteErrno} }

var six = []uint64{1, 2, 3, 4, 5, 6}

func packDef(t *testing.T, lib, name string) ([]byte, arena.Site) {
	t.Helper()
	h, ok := hooks.Lookup(lib, name)
	if !ok {
		t.Fatalf("no hook %s", name)
	}
	regs, stack, _ := hooks.Words(h)
	return hooks.EncodeDef(h, lib, "", hooks.Log), asite(uint8(regs + stack))
}

func TestEvents(t *testing.T) {
	open, openSite := packDef(t, "libc.so.6", "open")
	m := arenatest.New(arenatest.Config{Chunks: 8, ChunkSize: 4096, Defs: [][]byte{int6("f"), open}, Sites: []arena.Site{asite(6), openSite}})
	openWords := make([]uint64, openSite.Nwords)
	openWords[0] = 0x1000
	th := m.Thread(0, 0)
	s := newSink()
	s.keep = true
	c := &conn{s: s}
	d := New(m.Arena(), c, Options{Alive: always})
	pass := func() {
		t.Helper()
		if _, err := d.Pass(); err != nil {
			t.Fatal(err)
		}
		c.end(t)
	}
	steps := []struct {
		name string
		do   func()
		want []string
	}{
		{"plain", func() { th.Call(0, []uint64{^uint64(0), 2, 3, 4, 1<<40 | 5, 200}, 0xffffffff) },
			[]string{"call id=0 seq=1 dur=10 ret=-1 err=0 -1 2 3 4 5 200"}},
		{"failed", func() {
			q, _ := th.Enter(arena.RecEnter, 0, six, nil)
			th.Leave(0, q, ^uint64(0), 2, nil)
		}, []string{"call id=0 seq=2 dur=10 ret=-1 err=2 1 2 3 4 5 6"}},
		{"failed without errno", func() {
			q, _ := th.Enter(arena.RecEnter, 0, six, nil)
			th.Leave(0, q, ^uint64(0), 0, nil)
		}, []string{"call id=0 seq=3 dur=10 ret=-1 err=-1 1 2 3 4 5 6"}},
		{"entry only", func() { th.Enter(arena.RecEntry, 0, six, nil) }, []string{"enter id=0 seq=4 1 2 3 4 5 6"}},
		{"nested", func() {
			a, _ := th.Enter(arena.RecEnter, 0, six, nil)
			b, _ := th.Enter(arena.RecEnter, 0, six, nil)
			th.Call(0, six, 1)
			th.Leave(0, b, 2, -1, nil)
			th.Leave(0, a, 3, -1, nil)
		}, []string{
			"call id=0 seq=7 dur=10 ret=1 err=0 1 2 3 4 5 6",
			"call id=0 seq=6 dur=30 ret=2 err=0 1 2 3 4 5 6",
			"call id=0 seq=5 dur=50 ret=3 err=0 1 2 3 4 5 6"}},
		{"still open", func() { th.Enter(arena.RecEnter, 0, six, nil) }, []string{"enter id=0 seq=8 1 2 3 4 5 6"}},
		{"returned later", func() { th.Leave(0, 8, 7, -1, nil) }, []string{"leave id=0 seq=8 dur=10 ret=7 err=0 nil nil nil nil nil nil"}},
		{"return of nothing known", func() { th.Leave(0, 99, 7, -1, nil) }, []string{"leave id=0 seq=99 dur=-1 ret=7 err=0 nil nil nil nil nil nil"}},
		{"jump over a frame", func() {
			a, _ := th.Enter(arena.RecEnter, 0, six, nil)
			th.Enter(arena.RecEnter, 0, six, nil)
			th.Leave(0, a, 3, -1, nil)
		}, []string{"enter id=0 seq=10 1 2 3 4 5 6", "call id=0 seq=9 dur=20 ret=3 err=0 1 2 3 4 5 6"}},
		{"string", func() {
			q, _ := th.Enter(arena.RecEnter, 1, openWords, arenatest.Item(0, 0, "/etc/passwd"))
			th.Leave(1, q, 3, -1, nil)
		}, []string{`call id=1 seq=11 dur=10 ret=3 err=0 "/etc/passwd" "O_RDONLY" nil`}},
		{"reply", func() {
			q, _ := th.Enter(arena.RecEnter, 1, openWords, arenatest.Item(0, 1, "/etc"))
			th.Leave(1, q, ^uint64(0), 13, arenatest.Item(arena.OpReply, 0, "no way"))
		}, []string{`call id=1 seq=12 dur=10 ret=-1 err=13 [1 "/etc"] "O_RDONLY" nil msg=no way`}},
		{"across chunks", func() {
			q, _ := th.Enter(arena.RecEnter, 0, six, nil)
			th.HandBack()
			th.Leave(0, q, 3, -1, nil)
		}, []string{"enter id=0 seq=13 1 2 3 4 5 6", "leave id=0 seq=13 dur=10 ret=3 err=0 nil nil nil nil nil nil"}},
	}
	for _, st := range steps {
		s.log = nil
		st.do()
		pass()
		if diff := cmp.Diff(st.want, s.log); diff != "" {
			t.Errorf("%s (-want +got):\n%s", st.name, diff)
		}
	}
	if s.undef != 0 {
		t.Errorf("%d events before their probe was defined", s.undef)
	}
	if p := s.probes[0]; p.Name != "f" || p.Lib != "libx.so" || p.Kind != "call" || len(p.Args) != 6 || p.Args[5].Type != "int" {
		t.Errorf("probe 0: %+v", p)
	}
}

func always(pid, tid, ns uint32) bool { return true }
func never(pid, tid, ns uint32) bool  { return false }

// TestPlain compares the fast encoder with the decoder it stands in for.
func TestPlain(t *testing.T) {
	words := []uint64{0, 1, ^uint64(0), 0x80, 0xfedcba9876543210, 1 << 63}
	for _, typ := range []hooks.Type{hooks.TInt, hooks.TUint, hooks.TPtr, hooks.TFD, hooks.TPid, hooks.TFloat, hooks.TVoid} {
		for _, size := range []uint8{1, 2, 4, 8} {
			a := hooks.Arg{Name: "x", Type: typ, Size: size, Len: hooks.LenNone}
			h := &hooks.Hook{Name: "f", Ret: a}
			for i := range words {
				a.Word = int8(i)
				if typ == hooks.TFloat {
					a.Word = -1
				}
				if typ != hooks.TVoid {
					h.Args = append(h.Args, a)
				}
			}
			m := arenatest.New(arenatest.Config{Chunks: 1, ChunkSize: 4096,
				Defs: [][]byte{hooks.EncodeDef(h, "l", "", hooks.Log)}, Sites: []arena.Site{asite(uint8(len(words)))}})
			d := New(m.Arena(), io.Discard, Options{})
			s := d.load(0)
			if !s.plain {
				t.Fatalf("type %v is not plain", typ)
			}
			raw := make([]byte, 8*len(words))
			for i, w := range words {
				le.PutUint64(raw[8*i:], w)
			}
			for _, ret := range words {
				got := appendPlainCall(nil, 3, 4, -5, 6, s, raw, ret, 0)
				args := s.dec.AppendCall(nil, words, nil, nil, ret, false)
				want := appendHead(nil, wire.EvCall, 8, 3, 4, -5)
				want = s.dec.AppendRet(wire.AppendInt(want, 6), ret, false)
				want = append(append(want, 0), args...)
				if !bytes.Equal(got, want) {
					t.Errorf("type %v size %d ret %#x:\n got %x\nwant %x", typ, size, ret, got, want)
				}
			}
		}
	}
}

func checkLaw(t *testing.T, s *sink, a *wire.Account) {
	t.Helper()
	if a == nil {
		t.Fatal("no account")
	}
	n, twice := s.delivered()
	if twice != 0 {
		t.Errorf("%d calls were delivered more than once", twice)
	}
	if n != a.Delivered {
		t.Errorf("reader counted %d calls, account says %d delivered", n, a.Delivered)
	}
	if a.Produced != a.Delivered+a.Dropped {
		t.Errorf("produced %d != delivered %d + dropped %d", a.Produced, a.Delivered, a.Dropped)
	}
	var by uint64
	for _, n := range a.ByProbe {
		by += n
	}
	if by != a.Dropped {
		t.Errorf("dropped %d, by probe %d", a.Dropped, by)
	}
	if s.undef != 0 {
		t.Errorf("%d events of undefined probes", s.undef)
	}
}

// TestLaw runs producers against a drainer that is too slow, in each policy.
func TestLaw(t *testing.T) {
	for _, policy := range []uint32{arena.DropOldest, arena.DropNewest, arena.Block} {
		m := arenatest.New(arenatest.Config{Chunks: 6, ChunkSize: 1024, Policy: policy,
			Defs: [][]byte{int6("f"), int6("g")}, Sites: []arena.Site{asite(6), asite(6)}})
		const threads, calls = 3, 4000
		var wg sync.WaitGroup
		var running atomic.Int32
		running.Store(threads)
		for i := range threads {
			th := m.Thread(i, ^uint32(0)-1000) // numbers wrap on the way
			th.SetBase(1<<32 - 1001)
			wg.Go(func() {
				defer running.Add(-1)
				for k := range calls {
					th.Call(k&1, six, uint64(k))
					if k%64 == 0 {
						runtime.Gosched()
					}
				}
				th.HandBack()
			})
		}
		s := newSink()
		c := &conn{s: s}
		d := New(m.Arena(), c, Options{BatchBytes: 2000, Alive: always})
		for running.Load() > 0 {
			if _, err := d.Pass(); err != nil {
				t.Fatal(err)
			}
			if policy != arena.Block {
				time.Sleep(200 * time.Microsecond)
			}
		}
		wg.Wait()
		if _, err := d.Finish(); err != nil {
			t.Fatal(err)
		}
		c.end(t)
		a := s.bye
		if a == nil {
			t.Fatal("no bye")
		}
		// The threads began with a number each: that many were never made here.
		a.Produced -= threads * (1<<32 - 1001)
		checkLaw(t, s, a)
		if a.Produced != threads*calls {
			t.Errorf("policy %d: produced %d, want %d", policy, a.Produced, threads*calls)
		}
		if s.unsorted != 0 {
			t.Errorf("policy %d: %d calls out of order", policy, s.unsorted)
		}
		if (a.Dropped == 0) != (policy == arena.Block) {
			t.Errorf("policy %d: %d dropped", policy, a.Dropped)
		}
	}
}

// dying is a connection that ends: at a byte, with an error or, as a killed
// drainer sees it, with no return at all.
type dying struct {
	conn
	left  int
	kill  bool
	whole bool
}

type killed struct{}

func (c *dying) Write(b []byte) (int, error) {
	if len(b) < c.left {
		c.left -= len(b)
		return c.conn.Write(b)
	}
	n := min(c.left, len(b)-1)
	if c.kill && c.whole {
		n = len(b) // written, and not committed
	}
	c.conn.Write(b[:n])
	c.left = 0
	if c.kill {
		panic(killed{})
	}
	return n, errors.New("gone")
}

// TestAdoption ends drainers at random bytes, by error and by death, at times
// between a batch and its commit, and lets others go on. Each call must arrive
// exactly once.
func TestAdoption(t *testing.T) {
	for round := range 60 {
		rng := rand.New(rand.NewPCG(uint64(round), 7))
		m := arenatest.New(arenatest.Config{Chunks: 12, ChunkSize: 1024,
			Defs: [][]byte{int6("f")}, Sites: []arena.Site{asite(6)}, Policy: arena.DropOldest})
		th := []*arenatest.Thread{m.Thread(0, 0), m.Thread(1, 0)}
		s := newSink()
		upto := func(uid uint64) uint32 { return s.upto[uid] }
		var d *Drainer
		produce := func() {
			for range rng.IntN(60) {
				q := th[rng.IntN(2)]
				if rng.IntN(8) == 0 {
					q.Enter(arena.RecEntry, 0, six, nil)
				} else {
					q.Call(0, six, 1)
				}
			}
		}
		for range 12 {
			produce()
			c := &dying{conn: conn{s: s}, left: 1 + rng.IntN(4000), kill: rng.IntN(2) == 0, whole: rng.IntN(2) == 0}
			if rng.IntN(4) == 0 {
				c.left = 1 << 30
			}
			if d == nil {
				d = New(m.Arena(), c, Options{BatchBytes: 300, Upto: upto, Alive: always})
			} else {
				d.Reset(c)
			}
			dead := func() (dead bool) {
				defer func() {
					if r := recover(); r != nil {
						if _, ok := r.(killed); !ok {
							panic(r)
						}
						dead = true
					}
				}()
				for range 3 {
					if _, err := d.Pass(); err != nil {
						return false
					}
					produce()
				}
				return rng.IntN(3) == 0 // killed between two passes
			}()
			c.end(t)
			if dead {
				d = nil
			}
		}
		for _, q := range th {
			q.End()
		}
		c := &conn{s: s}
		last := New(m.Arena(), c, Options{Upto: upto, Alive: never})
		if _, err := last.Finish(); err != nil {
			t.Fatal(err)
		}
		c.end(t)
		checkLaw(t, s, s.bye)
		if want := uint64(th[0].Seq + th[1].Seq); s.bye.Produced != want {
			t.Errorf("produced %d, want %d", s.bye.Produced, want)
		}
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
}

// TestTidings covers what is not a call: processes, refusals, totals.
func TestTidings(t *testing.T) {
	refused := []byte{0x91, 0x93, 0xa1, 'f', 7, 0xa3, 'w', 'h', 'y'}
	m := arenatest.New(arenatest.Config{Chunks: 4, ChunkSize: 1024, Defs: [][]byte{int6("c"), int6("h")},
		Sites:    []arena.Site{{Instrument: arena.Count, Nwords: 6}, {Instrument: arena.HistI, Nwords: 6}},
		Refusals: map[string][]byte{"/lib/x.so": refused},
		Info:     []byte{0x81, 0xa3, 'e', 'x', 'e', 0xa4, '/', 'b', 'i', 'n'}})
	m.Count[0], m.Count[2] = 5, 6 // two shards of two sites
	m.Hist[0].Bucket[arena.BucketOf(100)] = 3
	m.Hist[1].Bucket[arena.BucketOf(100)] = 1
	m.Hist[0].Count, m.Hist[0].Sum, m.Hist[0].Max = 3, 300, 100
	m.Hist[1].Count, m.Hist[1].Sum, m.Hist[1].Max, m.Hist[1].Errors = 1, 100, 101, 1
	m.Proc[1] = arena.Proc{State: arena.ProcDead, Pid: 101, Ppid: 100, Uid: 2, StartTs: 5000, EndTs: 6000, EndStatus: 3}
	m.H.Lost[4], m.H.Lost[9] = 2, 1
	s := newSink()
	c := &conn{s: s}
	d := New(m.Arena(), c, Options{Alive: never, Hello: wire.Hello{From: "collector", PID: 9}, Reason: func(id uint8) string { return fmt.Sprint("r", id) }})
	if _, err := d.Finish(); err != nil {
		t.Fatal(err)
	}
	c.end(t)
	want := []string{"refusal /lib/x.so f r7 why", "process 101 100 fork -1", "process 100 1 end -1", "process 101 100 end 3"}
	if diff := cmp.Diff(want, s.notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	if h := s.hello[0]; h.Exe != "/bin" || h.From != "collector" || h.PID != 9 || h.Spec != 0xfeed || h.Policy != "drop-oldest" || h.Buffer != 4096 || string(h.Arena[:]) != "arena-for-tests!" {
		t.Errorf("hello: %+v", h)
	}
	wantCounts := map[uint32]wire.CountRow{0: {ID: 0, Calls: 11},
		1: {ID: 1, Calls: 4, HasHist: true, SumNS: 400, MaxNS: 101, Errors: 1, Buckets: []wire.HistBucket{{Upper: 111, N: 4}}}}
	if diff := cmp.Diff(wantCounts, s.counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if s.bye.Lost["no_thread"] != 2 || s.bye.Lost["start_failed"] != 1 || s.bye.Produced != 2 || s.bye.Dropped != 2 {
		t.Errorf("bye: %+v", s.bye)
	}
}

// TestDeadThread recycles a killed thread exactly once and frees its chunk.
func TestDeadThread(t *testing.T) {
	m := arenatest.New(arenatest.Config{Chunks: 4, ChunkSize: 1024, Defs: [][]byte{int6("f")}, Sites: []arena.Site{asite(6)}})
	th := m.Thread(0, 0)
	for range 5 {
		th.Call(0, six, 0)
	}
	s := newSink()
	c := &conn{s: s}
	alive := always
	d := New(m.Arena(), c, Options{Reap: 1, Alive: func(p, q, ns uint32) bool { return alive(p, q, ns) }})
	d.Pass()
	th.Call(0, six, 0)
	th.End()
	alive = never
	for range 3 {
		time.Sleep(time.Microsecond)
		d.Pass()
	}
	if m.Th[0].State != arena.ThreadFree || m.Th[0].Produced != 6 {
		t.Errorf("thread state %d, produced %d", m.Th[0].State, m.Th[0].Produced)
	}
	if m.Free[0] != 0xf {
		t.Errorf("free map %#x", m.Free[0])
	}
	d.Finish()
	c.end(t)
	checkLaw(t, s, s.bye)
	if s.bye.Produced != 6 {
		t.Errorf("produced %d", s.bye.Produced)
	}
}

// TestCorrupt damages records and headers: the rest must go on.
func TestCorrupt(t *testing.T) {
	for _, tc := range []struct {
		name   string
		damage func(m *arenatest.Mem)
		want   string
	}{
		{"no size", func(m *arenatest.Mem) { m.Data[96+3] = 0 }, "error corrupt-record 1"},
		{"beyond committed", func(m *arenatest.Mem) { m.Data[96+3] = 255 }, "error corrupt-record 1"},
		{"no such site", func(m *arenatest.Mem) { m.Data[96] = 99 }, "error corrupt-record 1"},
		{"too small for its words", func(m *arenatest.Mem) { m.Data[96+3] = 3 }, "error corrupt-record 1"},
		{"unknown kind", func(m *arenatest.Mem) { m.Data[96+2] = 9 }, "error corrupt-record 1"},
		{"committed", func(m *arenatest.Mem) { m.Ch[0].Committed = 1 << 30 }, "error corrupt-chunk"},
		{"consumed", func(m *arenatest.Mem) { m.Ch[0].Consumed = 999 }, "error corrupt-chunk"},
		{"thread", func(m *arenatest.Mem) { m.Ch[0].Thread = 1 << 30 }, ""},
		{"definition", func(m *arenatest.Mem) { m.Sites[0].DefOff = 1 << 31 }, "error bad-definition 1"},
	} {
		m := arenatest.New(arenatest.Config{Chunks: 2, ChunkSize: 1024, Defs: [][]byte{int6("f")}, Sites: []arena.Site{asite(6)}})
		th := m.Thread(0, 0)
		for range 3 {
			th.Call(0, six, 0)
		}
		th.HandBack()
		th.Call(0, six, 0)
		tc.damage(m)
		s := newSink()
		c := &conn{s: s}
		d := New(m.Arena(), c, Options{Alive: always})
		if _, err := d.Finish(); err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		c.end(t)
		if tc.want != "" && !strings.Contains(strings.Join(s.notes, "\n"), tc.want) {
			t.Errorf("%s: got %q, want %q", tc.name, s.notes, tc.want)
		}
		if s.calls[[2]uint32{1, 4}] != 1 {
			t.Errorf("%s: the call in the next chunk was not delivered", tc.name)
		}
		if m.Free[0]&1 == 0 {
			t.Errorf("%s: the chunk was not given back", tc.name)
		}
	}
}

// TestDecoderPanics: a bug in the decoding of one function costs its arguments.
func TestDecoderPanics(t *testing.T) {
	m := arenatest.New(arenatest.Config{Chunks: 2, ChunkSize: 1024, Defs: [][]byte{int6("f"), int6("g")}, Sites: []arena.Site{asite(6), asite(6)}})
	th := m.Thread(0, 0)
	s := newSink()
	s.keep = true
	c := &conn{s: s}
	d := New(m.Arena(), c, Options{Alive: always})
	bad := d.load(1)
	bad.plain, bad.dec = false, nil
	th.Call(0, six, 0)
	th.Call(1, six, 0)
	if _, err := d.Finish(); err != nil {
		t.Fatal(err)
	}
	c.end(t)
	want := []string{"call id=0 seq=1 dur=10 ret=0 err=0 1 2 3 4 5 6", "call id=1 seq=2 dur=10 ret=0 err=0 1 2 3 4 5 6"}
	if diff := cmp.Diff(want, s.log); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"error shape-failed 1"}, s.notes); diff != "" {
		t.Errorf("notes: %s", diff)
	}
	checkLaw(t, s, s.bye)
}

func TestClock(t *testing.T) {
	// 2.5 ticks per ns; the first measurement is off by 200 ns.
	a := &arena.Arena{Info: arena.Info{Clock: arena.ClockTSC, TSC0: 1000, Mono0: 5000, Real0: 1e18}}
	mono, jitter := uint64(5000+2e6), int64(200)
	read := func() (uint64, uint64) {
		j := jitter
		jitter = 0
		return 1000 + uint64(float64(mono-5000)*2.5), uint64(int64(mono) + j)
	}
	c := newClock(a, read)
	var last int64
	for range 400 {
		mono += 50e6
		ticks := 1000 + uint64(float64(mono-5000)*2.5)
		if mono >= c.next {
			before := c.ns(ticks)
			c.calibrate()
			if after := c.ns(ticks); after != before {
				t.Fatalf("time jumps by %d ns at calibration", after-before)
			}
		}
		now := c.ns(ticks)
		if now <= last {
			t.Fatalf("time goes back: %d after %d", now, last)
		}
		last = now
	}
	truth := int64(1e18) + int64(mono-5000)
	if diff := last - truth; diff < -100 || diff > 100 {
		t.Errorf("after 20 s the clock is %d ns off", diff)
	}
	if got := c.dur(1000, 1000+2500); got < 999 || got > 1000 {
		t.Errorf("2500 ticks are %d ns", got)
	}
	if c.dur(10, 5) != 0 {
		t.Error("negative duration")
	}
}

func FuzzRecords(f *testing.F) {
	m := arenatest.New(arenatest.Config{Chunks: 2, ChunkSize: 1024, Defs: [][]byte{int6("f")}, Sites: []arena.Site{asite(6)}})
	th := m.Thread(0, 0)
	a, _ := th.Enter(arena.RecEnter, 0, six, nil)
	th.Call(0, six, 5)
	th.Leave(0, a, 1, 2, arenatest.Item(arena.OpReply, 0, "x"))
	th.Enter(arena.RecEnter, 0, six, arenatest.Item(0, 0, "abc"))
	th.Leave(0, 77, 1, 2, nil)
	f.Add(m.Data[:m.Ch[0].Committed], uint32(0), m.Ch[0].Committed)
	f.Add(m.Data[:96], uint32(8), uint32(96))
	f.Add([]byte{}, uint32(0), uint32(1<<31))
	for _, id := range []byte{1, 2} {
		other := append([]byte(nil), m.Data[:m.Ch[0].Committed]...)
		for at := 0; at+8 <= len(other); at += int(other[at+3]) * 8 {
			other[at] = id
		}
		f.Add(other, uint32(0), uint32(len(other)))
	}
	f.Fuzz(func(t *testing.T, data []byte, consumed, committed uint32) {
		open, openSite := packDef(t, "libc.so.6", "open")
		prep, prepSite := packDef(t, "libsqlite3.so.0", "sqlite3_prepare_v2")
		m := arenatest.New(arenatest.Config{Chunks: 2, ChunkSize: 1024, Defs: [][]byte{int6("f"), open, prep}, Sites: []arena.Site{asite(6), openSite, prepSite}})
		th := m.Thread(0, 0)
		th.Call(0, six, 1)
		copy(m.Data, data)
		m.Ch[0].Consumed, m.Ch[0].Committed = consumed, committed
		m.Ch[0].State = arena.ChunkFull
		s := newSink()
		var out bytes.Buffer
		d := New(m.Arena(), &out, Options{Alive: never, BatchBytes: 100})
		if _, err := d.Finish(); err != nil {
			t.Fatal(err)
		}
		if err := wire.NewDecoder(&out).Run(s); err != nil {
			t.Fatalf("the stream can't be read: %v", err)
		}
		if s.bye == nil {
			t.Fatal("no bye")
		}
		if n, _ := s.delivered(); n != s.bye.Delivered {
			t.Fatalf("reader counted %d, account says %d", n, s.bye.Delivered)
		}
		if m.Free[0]&1 == 0 {
			t.Fatal("chunk was not given back")
		}
	})
}

type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) { c.n += int64(len(b)); return len(b), nil }

// BenchmarkDrain is the cost of a call with six integers, from record to bytes.
func BenchmarkDrain(b *testing.B) {
	m := arenatest.New(arenatest.Config{Chunks: 128, ChunkSize: 64 << 10, Defs: [][]byte{int6("f")}, Sites: []arena.Site{asite(6)}})
	th := m.Thread(0, 0)
	const per = (64 << 10) / 96
	for range 64 * per {
		th.Call(0, []uint64{3, 0x7ffd1234, 4096, 0, 1, 70000}, 4096)
	}
	var out counter
	a := m.Arena()
	d := New(a, &out, Options{Alive: always})
	b.ReportAllocs()
	b.ResetTimer()
	n := 0
	for n < b.N {
		for i := range m.Ch {
			if m.Ch[i].Committed != 0 {
				m.Ch[i].Consumed, m.Ch[i].State = 0, arena.ChunkFull
			}
		}
		k, err := d.Pass()
		if err != nil {
			b.Fatal(err)
		}
		n += int(k)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/call")
	b.ReportMetric(float64(out.n)/float64(n), "bytes/call")
}
