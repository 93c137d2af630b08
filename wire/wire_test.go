package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/vmihailenco/msgpack/v5"
)

// null is a Handler that drops everything.
type null struct{}

func (null) Hello(*Hello)                                  {}
func (null) Probe(*ProbeDef)                               {}
func (null) Batch(uint64, int64)                           {}
func (null) Section(*Section)                              {}
func (null) Event(*Section, *Event)                        {}
func (null) Counts(int64, []CountRow)                      {}
func (null) Account(int64, *Account)                       {}
func (null) Error(int64, string, string, string, uint64)   {}
func (null) Process(int64, *Process)                       {}
func (null) Bye(int64, *Account)                           {}
func (null) Refusal(object, symbol, reason, detail string) {}

// recorder keeps deep copies of what it is given.
type recorder struct{ got []any }

func (r *recorder) add(v ...any) {
	if len(v) == 1 {
		r.got = append(r.got, v[0])
		return
	}
	r.got = append(r.got, fmt.Sprint(v...))
}
func (r *recorder) Hello(h *Hello)            { r.add(*h) }
func (r *recorder) Probe(p *ProbeDef)         { r.add(*p) }
func (r *recorder) Batch(seq uint64, b int64) { r.add("batch ", seq, " ", b) }
func (r *recorder) Section(s *Section)        { r.add(*s) }
func (r *recorder) Event(_ *Section, e *Event) {
	r.add(copyEvent(e))
}
func (r *recorder) Counts(t int64, rows []CountRow) { r.add(append([]CountRow{}, rows...)) }
func (r *recorder) Account(t int64, a *Account)     { r.add(*a) }
func (r *recorder) Bye(t int64, a *Account)         { r.add("bye"); r.add(*a) }
func (r *recorder) Error(t int64, code, text, advice string, n uint64) {
	r.add("error ", t, code, text, advice, n)
}
func (r *recorder) Process(t int64, p *Process) {
	r.add("process ", t, *p)
}
func (r *recorder) Refusal(o, s, why, detail string) { r.add("refusal ", o, s, why, detail) }

func copyEvent(e *Event) Event {
	c := *e
	c.Ret = copyValue(&e.Ret)
	c.Args = copyValues(e.Args)
	c.Msg, c.DB, c.SQL = bytes.Clone(e.Msg), bytes.Clone(e.DB), bytes.Clone(e.SQL)
	return c
}

func copyValues(vs []Value) []Value {
	var out []Value
	for i := range vs {
		out = append(out, copyValue(&vs[i]))
	}
	return out
}

// copyValue keeps only what Kind says is meaningful.
func copyValue(v *Value) Value {
	c := Value{Kind: v.Kind, Status: v.Status}
	switch v.Kind {
	case VInt, VUint:
		c.Int = v.Int
	case VStr:
		c.Str = bytes.Clone(v.Str)
	case VList, VMap:
		c.List = copyValues(v.List)
	}
	return c
}

func vi(n int64) Value       { return Value{Kind: VInt, Int: n} }
func vs(s string) Value      { return Value{Kind: VStr, Str: []byte(s)} }
func vl(list ...Value) Value { return Value{Kind: VList, List: list} }

// stream has every message there is; want is what a reader must make of it.
func stream() (raw []byte, want []any) {
	add := func(b []byte, w ...any) { raw = append(raw, b...); want = append(want, w...) }

	core := Hello{V: 1, PID: 9, Arena: [16]byte{1, 2, 3}, From: "core"}
	add(AppendHello(nil, &core), core)
	hello := Hello{V: 1, PID: 9, PPID: 8, Arena: [16]byte{15: 9}, From: "agent", Exe: "/bin/x\xff", Argv: []string{"x", "-y"},
		Cwd: "/", Start: 1 << 60, Spec: math.MaxUint64, Policy: "block", Buffer: 8 << 20, Ver: "1"}
	add(AppendHello(nil, &hello), hello)
	probe := ProbeDef{ID: 70000, Name: "open", Lib: "libc.so.6", Pack: "file", Kind: "call", Fail: "ret == -1", Errno: true,
		Args: []ArgDef{{Name: "path", Type: "string"}, {Name: "f", Type: "flags", Set: "open"}, {Name: "o", Type: "int", Out: true}},
		Ret:  ArgDef{Name: "ret", Type: "fd"}}
	add(AppendProbe(nil, &probe), probe)

	var b Batch
	b.Reset(5, 1e18)
	s1 := Section{PID: 1, TID: 2, Thread: 3, Chunk: 1 << 40, First: math.MaxUint32 - 1}
	b.Section(&s1)
	evs := []Event{
		{Kind: EvCall, ID: 1, Seq: 1, T: -5, Dur: 6, Ret: vi(-1), Err: 2, Args: []Value{vi(0), vi(-33), vi(1 << 33), vs("a"), {Kind: VUint, Int: -1}, {}}},
		{Kind: EvEnter, ID: 2, Seq: 2, T: 1 << 33, Args: []Value{vl(vs("a"), vs("")), {Kind: VMap, List: []Value{vs("k"), vi(1), vs("l"), vl(vs("z"))}}, vl()}},
		{Kind: EvLeave, ID: 2, Seq: 2, T: 4, Dur: -1, Ret: vs("r"), Err: -1, Args: []Value{{Kind: VStr, Status: ArgCut, Str: []byte("cut")}, {Status: ArgBad}, {Kind: VInt, Status: ArgWithheld, Int: 12}}, Msg: []byte("no\xff")},
		{Kind: EvStatement, T: 7, Dur: 8, DB: []byte("a.db"), Rows: 3, RC: 101, Flags: 1},
		{Kind: EvStatement, T: 7, SQL: []byte("SELECT ?"), Msg: []byte("m")},
		{Kind: EvLost, ID: 1, Seq: 4, T: 9},
	}
	want = append(want, "batch 5 1000000000000000000")
	s1.Upto = 77
	want = append(want, s1)
	for i := range evs {
		b.Buf = AppendEvent(b.Buf, &evs[i])
		b.Events++
		evs[i].T += 1e18
		if evs[i].Kind != EvStatement {
			evs[i].Seq += s1.First // wraps
		}
		want = append(want, evs[i])
	}
	b.EndSection(77)
	s2 := Section{Chunk: 9}
	b.Section(&s2)
	b.EndSection(0)
	want = append(want, s2)
	raw = append(raw, b.Finish()...)

	rows := []CountRow{{ID: 1, Calls: 5}, {ID: 2, Calls: 7, HasHist: true, SumNS: 9, MaxNS: 8, Errors: 1, Buckets: []HistBucket{{3, 4}, {1 << 40, 1}}}}
	add(AppendCounts(nil, 3, rows), rows)
	acc := Account{Produced: 10, Delivered: 7, Dropped: 3, ReturnsLost: 1, ByProbe: map[uint32]uint64{1: 2, 70000: 1}, Lost: map[string]uint64{"oldest": 3}}
	add(AppendAccount(nil, 4, &acc), acc)
	add(AppendError(nil, 5, "c", "t", "a", 9), "error 5cta9")
	add(AppendProcess(nil, 6, &Process{PID: 10, PPID: 9, What: "fork", Status: StatusUnknown}), "process 6 {10 9 fork -1 0 false false 0 0 0 }")
	add(AppendProcess(nil, 6, &Process{PID: 10, PPID: 9, What: "end", Status: 255, Dropped: 7}), "process 6 {10 9 end 255 0 false false 7 0 0 }")
	add(AppendProcess(nil, 6, &Process{PID: 10, PPID: 9, What: "end", Status: StatusUnknown, Signal: 11, Core: true, Agent: true}), "process 6 {10 9 end -1 11 true true 0 0 0 }")
	add(AppendProcess(nil, 6, &Process{PID: 10, What: "thread", Status: StatusUnknown, TID: 12, Thread: 3, Name: "worker"}), "process 6 {10 0 thread -1 0 false false 0 12 3 worker}")
	add(AppendRefusal(nil, "o", "s", "r", "d"), "refusal osrd")
	add(AppendBye(nil, 7, &acc), "bye", acc)
	return raw, want
}

func TestRoundTrip(t *testing.T) {
	raw, want := stream()
	for name, r := range map[string]io.Reader{
		"whole": bytes.NewReader(raw), "bytes": iotest.OneByteReader(bytes.NewReader(raw)), "data with EOF": iotest.DataErrReader(bytes.NewReader(raw)),
	} {
		var rec recorder
		if err := NewDecoder(r).Run(&rec); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, rec.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestForeign has another msgpack library read all of it: the stream is for
// readers that have nothing else.
func TestForeign(t *testing.T) {
	raw, _ := stream()
	dec := msgpack.NewDecoder(bytes.NewReader(raw))
	dec.SetMapDecoder(func(d *msgpack.Decoder) (any, error) { return d.DecodeUntypedMap() })
	n := 0
	for ; ; n++ {
		v, err := dec.DecodeInterfaceLoose()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("value %d: %v", n, err)
		}
		if l, ok := v.([]any); !ok || len(l) < 2 {
			t.Fatalf("value %d is %T", n, v)
		}
	}
	if n != 14 {
		t.Errorf("%d values", n)
	}
}

func TestEncoding(t *testing.T) {
	for _, tc := range []struct {
		got  []byte
		want string
	}{
		{AppendUint(nil, 0), "00"}, {AppendUint(nil, 127), "7f"}, {AppendUint(nil, 128), "cc80"}, {AppendUint(nil, 256), "cd0100"},
		{AppendUint(nil, 65536), "ce00010000"}, {AppendUint(nil, 1<<32), "cf0000000100000000"}, {AppendUint(nil, math.MaxUint64), "cfffffffffffffffff"},
		{AppendInt(nil, -1), "ff"}, {AppendInt(nil, -32), "e0"}, {AppendInt(nil, -33), "d0df"}, {AppendInt(nil, -128), "d080"},
		{AppendInt(nil, -129), "d1ff7f"}, {AppendInt(nil, -32769), "d2ffff7fff"}, {AppendInt(nil, math.MinInt64), "d38000000000000000"},
		{AppendInt(nil, 200), "ccc8"}, {AppendString(nil, "é"), "a2c3a9"}, {AppendString(nil, "\xff"), "c401ff"},
		{AppendString(nil, strings.Repeat("a", 32))[:2], "d920"}, {AppendString(nil, strings.Repeat("a", 256))[:3], "da0100"},
		{AppendString(nil, strings.Repeat("a", 1<<16))[:5], "db00010000"}, {AppendBin(nil, make([]byte, 256))[:3], "c50100"},
		{AppendBin(nil, make([]byte, 1<<16))[:5], "c600010000"}, {AppendArray(nil, 15), "9f"}, {AppendArray(nil, 16), "dc0010"},
		{AppendArray(nil, 1<<16), "dd00010000"}, {AppendMap(nil, 15), "8f"}, {AppendMap(nil, 16), "de0010"}, {AppendMap(nil, 1<<16), "df00010000"},
		{AppendNil(nil), "c0"}, {AppendBool(nil, true), "c3"}, {AppendBool(nil, false), "c2"},
	} {
		if got := hex.EncodeToString(tc.got); got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
	for _, v := range []int64{0, 1, 127, 128, 255, 256, 65535, 65536, 1<<32 - 1, 1 << 32, math.MaxInt64, -1, -32, -33, -128, -129, -32768, -32769, math.MinInt32, math.MinInt32 - 1, math.MinInt64} {
		b := AppendInt(nil, v)
		if got, kind, n := number(b, 0); got != v || kind != VInt || n != len(b) {
			t.Errorf("%d is read as %d (%d), %d of %d bytes", v, got, kind, n, len(b))
		}
	}
}

// TestUnknown: types, keys, elements and event kinds of a later version.
func TestUnknown(t *testing.T) {
	ext := []byte{0xc7, 3, 5, 1, 2, 3}
	var raw []byte
	raw = append(raw, 0x93, 0x7f) // a type we do not know, with a float and an ext
	raw = append(append(raw, 0xcb, 1, 2, 3, 4, 5, 6, 7, 8), ext...)
	raw = append(raw, 0x93, MsgHello, 0x83) // a key more, a key that is no text, an element more
	raw = AppendInt(AppendString(raw, "pid"), 7)
	raw = append(AppendString(raw, "new"), ext...)
	raw = append(raw, 5, 0x91, 1)
	raw = append(raw, 0x81, 1, 2)
	raw = append(raw, 0x95, MsgBatch, 1, 2) // an event of a later kind, elements more everywhere
	raw = append(raw, 0x91, 0x98, 1, 2, 3, 4, 5, 0, 0x92)
	raw = append(raw, 0x93, 42, 0x81, 0xa1, 'x', 1, 0xc0)
	raw = append(raw, 0x9a, EvCall, 1, 2, 3, 4, 5, 0, 0x91, 6, 0x81, 0xa1, 'q', 1, 0xc0)
	raw = append(raw, 0xc0, 0xc0)
	var rec recorder
	if err := NewDecoder(bytes.NewReader(raw)).Run(&rec); err != nil {
		t.Fatal(err)
	}
	want := []any{Hello{PID: 7}, "batch 1 2", Section{PID: 1, TID: 2, Thread: 3, Chunk: 4, Upto: 5},
		Event{Kind: EvCall, ID: 1, Seq: 2, T: 5, Dur: 4, Ret: vi(5), Args: []Value{vi(6)}}}
	if diff := cmp.Diff(want, rec.got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestCut ends the stream at every byte: whole values stand, a cut one is told
// from a clean end, and no event of a cut batch is seen.
func TestCut(t *testing.T) {
	raw, want := stream()
	ends := map[int]bool{0: true}
	for at := 0; at < len(raw); {
		at = skip(raw, at)
		ends[at] = true
	}
	for n := range raw {
		var rec recorder
		err := NewDecoder(bytes.NewReader(raw[:n])).Run(&rec)
		var e *Error
		switch {
		case err == nil && !ends[n]:
			t.Fatalf("cut at %d: no error", n)
		case err != nil && (!errors.Is(err, io.ErrUnexpectedEOF) || !errors.As(err, &e)):
			t.Fatalf("cut at %d: %v", n, err)
		case e != nil && !ends[int(e.Offset)]:
			t.Fatalf("cut at %d: offset %d is no start of a value", n, e.Offset)
		}
		if diff := cmp.Diff(want[:len(rec.got)], rec.got, cmp.Comparer(func(a, b Account) bool { return cmp.Equal(a.Lost, b.Lost) })); len(rec.got) > 0 && diff != "" {
			t.Fatalf("cut at %d: %s", n, diff)
		}
		for _, g := range rec.got {
			if g == "batch 5 1000000000000000000" && len(rec.got) < 12 {
				t.Fatalf("cut at %d: part of a batch was delivered", n)
			}
		}
	}
}

func TestBad(t *testing.T) {
	for _, tc := range []struct {
		name string
		hex  string
		want error
	}{
		{"not an array", "01", ErrSyntax},
		{"never used byte", "c1", ErrSyntax},
		{"garbage", "474554202f20485454502f312e310d0a", ErrSyntax},
		{"empty array", "90", ErrSyntax},
		{"type is a string", "92a16101", ErrSyntax},
		{"hello without map", "920001", ErrSyntax},
		{"batch of 4G sections", "940201 02ddffffffff", ErrTooLarge},
		{"string of 4G", "9200dbffffffff", ErrTooLarge},
		{"size of 1T", "9209cf0000010000000000", ErrTooLarge},
		{"size that lies", "920902 93060102" + "c0c0c0", ErrSyntax},
	} {
		raw, err := hex.DecodeString(strings.ReplaceAll(tc.hex, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		d := NewDecoder(bytes.NewReader(raw))
		err = d.Run(null{})
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
		if again := d.Next(null{}); again != err {
			t.Errorf("%s: the error does not last: %v", tc.name, again)
		}
	}
	deep := append([]byte{0x94, 2, 1, 2, 0x91, 0x97, 1, 2, 3, 4, 5, 6, 0x91, 0x95, 1, 1, 1, 1, 0x91}, bytes.Repeat([]byte{0x91}, 100000)...)
	deep = append(deep, 0xc0)
	if err := NewDecoder(bytes.NewReader(deep)).Run(null{}); !errors.Is(err, ErrSyntax) {
		t.Errorf("deep nesting: %v", err)
	}
}

// big yields one endless string.
type big struct{ n int }

func (r *big) Read(p []byte) (int, error) {
	if r.n == 0 {
		r.n = copy(p, []byte{0x92, 0, 0xdb, 0x7f, 0xff, 0xff, 0xff})
		return r.n, nil
	}
	r.n += len(p)
	return len(p), nil
}

func TestMemoryIsBounded(t *testing.T) {
	r := &big{}
	d := NewDecoder(r)
	if err := d.Run(null{}); !errors.Is(err, ErrTooLarge) {
		t.Fatal(err)
	}
	if r.n > 2*firstBuffer {
		t.Errorf("%d bytes were read for a value that is too large from the start", r.n)
	}
	// A size is believed as far as bytes arrive.
	d = NewDecoder(iotest.OneByteReader(bytes.NewReader([]byte{0x92, MsgSize, 0xce, 3, 0xff, 0xff, 0xff, 1, 2, 3})))
	if err := d.Run(null{}); !errors.Is(err, io.ErrUnexpectedEOF) || len(d.buf) > firstBuffer {
		t.Errorf("%v with a buffer of %d", err, len(d.buf))
	}
}

type callsOnly struct {
	recorder
	args [][]Value
	d    *Decoder
	done bool
}

func (c *callsOnly) Call(s *Section, k *Call) bool {
	c.add(fmt.Sprint("call ", k.ID, k.Seq, k.T, k.Dur, k.Ret, k.RetKind, k.Err))
	c.args = append(c.args, copyValues(c.d.DecodeArgs(k.Args)))
	return c.done
}

func TestCallHandler(t *testing.T) {
	raw, want := stream()
	h := &callsOnly{done: true}
	h.d = NewDecoder(bytes.NewReader(raw))
	if err := h.d.Run(h); err != nil {
		t.Fatal(err)
	}
	var ev Event
	for i, w := range want {
		if e, ok := w.(Event); ok && e.Kind == EvCall {
			ev = e
			want[i] = fmt.Sprint("call ", e.ID, e.Seq, e.T, e.Dur, e.Ret.Int, e.Ret.Kind, e.Err)
		}
	}
	if diff := cmp.Diff(want, h.got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([][]Value{ev.Args}, h.args); diff != "" {
		t.Errorf("args: %s", diff)
	}
}

func TestRefusals(t *testing.T) {
	blob := []byte{0x93, 0x93, 0xa1, 'f', 3, 0xa0, 0x94, 0xa1, 'g', 0xcc, 200, 0xa1, 'd', 1, 0x93, 0xa1}
	var rec recorder
	b := AppendRefusals(nil, "/l", blob, func(id uint8) string { return fmt.Sprint("r", id) })
	if err := NewDecoder(bytes.NewReader(b)).Run(&rec); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{"refusal /lfr3", "refusal /lgr200d"}, rec.got); diff != "" {
		t.Error(diff)
	}
}

func TestNoAllocation(t *testing.T) {
	h := &countEvents{}
	d := NewDecoder(&loop{b: plainBatch(1000)})
	for range 10 {
		d.Next(h)
	}
	if n := testing.AllocsPerRun(20, func() { d.Next(h) }); n > 0 {
		t.Errorf("%v allocations per message", n)
	}
}

func FuzzDecoder(f *testing.F) {
	raw, _ := stream()
	f.Add(raw)
	for at := 0; at < len(raw); {
		end := skip(raw, at)
		f.Add(raw[at:end])
		at = end
	}
	f.Add([]byte{0x92, 9, 0xce, 0, 0, 0, 9, 0x94, 2, 1, 2, 0x90})
	f.Fuzz(func(t *testing.T, b []byte) {
		var whole, split recorder
		err := NewDecoder(bytes.NewReader(b)).Run(&whole)
		h := &callsOnly{}
		h.d = NewDecoder(iotest.HalfReader(bytes.NewReader(b)))
		err2 := h.d.Run(h)
		if fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatalf("%v in one piece, %v in pieces", err, err2)
		}
		for _, g := range h.got {
			if s, ok := g.(string); !ok || !strings.HasPrefix(s, "call ") {
				split.got = append(split.got, g)
			}
		}
		if diff := cmp.Diff(whole.got, split.got); diff != "" {
			t.Fatal(diff)
		}
	})
}
