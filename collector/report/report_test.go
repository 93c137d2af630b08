package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seam-project/seam/collector/capture"
	. "github.com/seam-project/seam/collector/internal/streamtest"
	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/wire"
)

var update = flag.Bool("update", false, "write the golden files")

// feed reads the bytes of one connection into b.
func feed(t *testing.T, b *report.Builder, raw []byte) (broken bool) {
	t.Helper()
	dec := wire.NewDecoder(bytes.NewReader(raw))
	s := b.Stream(nil)
	return s.Close(report.Run(dec, s))
}

func build(t *testing.T, streams ...*Stream) *report.Report {
	t.Helper()
	b := report.NewBuilder(report.Options{})
	for _, s := range streams {
		feed(t, b, s.B)
	}
	return b.Report()
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		os.MkdirAll("testdata", 0o755)
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got; -update writes it anew):\n%s", name, d)
	}
}

func text(t *testing.T, r *report.Report, o report.TextOptions) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteText(&b, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	b := report.NewBuilder(report.Options{Advice: func(reason string) string {
		if reason == "too-short" {
			return "probe its caller instead"
		}
		return ""
	}})
	feed(t, b, Demo().B)
	r := b.Report()
	golden(t, "demo.txt", []byte(text(t, r, report.TextOptions{})))
	narrow := text(t, r, report.TextOptions{Width: 80})
	golden(t, "demo80.txt", []byte(narrow))
	var j bytes.Buffer
	if err := r.WriteJSON(&j); err != nil {
		t.Fatal(err)
	}
	golden(t, "demo.json", j.Bytes())
	var back report.Report
	d := json.NewDecoder(bytes.NewReader(j.Bytes()))
	d.DisallowUnknownFields()
	if err := d.Decode(&back); err != nil {
		t.Errorf("the JSON does not fit its own type: %v", err)
	}
}

func TestNothingFromATargetReachesTheTerminalRaw(t *testing.T) {
	evil := "\x1b]0;owned\x07\u202egnp.exe\x9b31m\n\r"
	s := new(Stream).Hello("agent", 1, 7, 1, evil, evil)
	s.B = wire.AppendProbe(s.B, &wire.ProbeDef{ID: 0, Name: evil, Lib: evil, Pack: "file", Kind: "call",
		Args: []wire.ArgDef{{Name: "file", Type: "string"}}, Ret: wire.ArgDef{Type: "fd"}})
	s.B = wire.AppendProbe(s.B, &wire.ProbeDef{ID: 1, Name: "connect", Lib: "l", Pack: "net", Kind: "call",
		Args: []wire.ArgDef{{Name: "fd", Type: "fd"}, {Name: "addr", Type: "sockaddr"}}})
	s.B = wire.AppendRefusal(s.B, evil, evil, evil, evil)
	s.B = wire.AppendError(s.B, 0, evil, evil, evil, 1)
	s.Batch(7, 1, 1, Call(0, 1, 0, 1, -1, 2, Str(evil)), Call(1, 2, 0, 1, -1, 2, Int(3), Str(evil)), Enter(0, 3, 5, Str(evil)),
		Statement(1, 1, evil, evil, 0, 1, evil))
	s.Bye(3, 3, 0, map[string]uint64{evil: 3})
	out := text(t, build(t, s), report.TextOptions{Rows: 100})
	for _, r := range out {
		if r != '\n' && (r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x202e || r == 0xfffd) {
			t.Fatalf("raw %U in the report:\n%q", r, out)
		}
	}
	if strings.Count(out, "owned") < 6 {
		t.Errorf("the names are not there at all:\n%s", out)
	}
}

func last(s string) string {
	l := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return l[len(l)-1]
}

func TestAccount(t *testing.T) {
	calls := func(n int) []wire.Event {
		var l []wire.Event
		for i := range n {
			l = append(l, Call(Getpid, uint32(i+1), int64(i), 100, 1, 0))
		}
		return l
	}
	start := func(from string, arena byte) *Stream { return new(Stream).Hello(from, arena, 50, 1, "p").Defs() }
	tests := []struct {
		name        string
		streams     []*Stream
		want        report.Account
		bug         bool
		lastLine    string
		notLastLine string
	}{
		{
			name:     "balanced",
			streams:  []*Stream{start("agent", 1).Batch(50, 1, 10, calls(3)...).OK()},
			want:     report.Account{Produced: 3, Delivered: 3, Arenas: 1},
			lastLine: "events: 3 produced, 3 delivered, 0 dropped; nothing refused",
		},
		{
			name:     "dropped",
			streams:  []*Stream{start("agent", 1).Batch(50, 1, 10, calls(3)...).Bye(10, 3, 7, map[string]uint64{"oldest": 7})},
			want:     report.Account{Produced: 10, Delivered: 3, Dropped: 7, DroppedBy: map[string]uint64{"oldest": 7}, Arenas: 1},
			lastLine: "events: 10 produced, 3 delivered, 7 dropped (7 overwritten by newer ones); nothing refused",
		},
		{
			name:     "an event got lost on the way",
			streams:  []*Stream{start("agent", 1).Batch(50, 1, 10, calls(3)...).Bye(4, 4, 0, nil)},
			want:     report.Account{Produced: 4, Delivered: 3, Unaccounted: 1, Arenas: 1, Broken: []report.Broken{{PID: 50, Produced: 4, Delivered: 4, Counted: 3}}},
			bug:      true,
			lastLine: "events: 4 produced, 3 delivered, 0 dropped, 1 UNACCOUNTED; nothing refused",
		},
		{
			name:    "the sender miscounts",
			streams: []*Stream{start("agent", 1).Batch(50, 1, 10, calls(3)...).Bye(3, 2, 1, nil)},
			want:    report.Account{Produced: 3, Delivered: 3, Dropped: 1, Unaccounted: 1, Arenas: 1, Broken: []report.Broken{{PID: 50, Produced: 3, Delivered: 2, Counted: 3, Dropped: 1}}},
			bug:     true,
		},
		{
			name: "errors of two arenas do not cancel out",
			streams: []*Stream{
				start("agent", 1).Batch(50, 1, 10, calls(3)...).Bye(4, 4, 0, nil),
				start("agent", 2).Batch(50, 1, 10, calls(3)...).Bye(2, 2, 0, nil)},
			want: report.Account{Produced: 6, Delivered: 6, Unaccounted: 2, Arenas: 2, Broken: []report.Broken{
				{PID: 50, Produced: 4, Delivered: 4, Counted: 3}, {PID: 50, Produced: 2, Delivered: 2, Counted: 3}}},
			bug: true,
		},
		{
			name: "killed, and the rest drained by the collector",
			streams: []*Stream{
				start("agent", 1).Batch(50, 1, 10, calls(3)...),
				start("collector", 1).Batch(50, 1, 30, calls(2)...).Bye(5, 5, 0, nil)},
			want: report.Account{Produced: 5, Delivered: 5, Arenas: 1},
		},
		{
			name: "the same chunk twice",
			streams: []*Stream{
				start("agent", 1).Batch(50, 1, 10, calls(3)...),
				start("agent", 1).Batch(50, 1, 10, calls(3)...).Batch(50, 1, 20, calls(1)...).Bye(4, 4, 0, nil)},
			want: report.Account{Produced: 4, Delivered: 4, Duplicates: 3, Arenas: 1},
		},
		{
			name:    "cut in a batch: its events do not count",
			streams: []*Stream{cutBy(start("agent", 1).Batch(50, 1, 10, calls(3)...).Batch(50, 1, 20, calls(2)...), 3)},
			want:    report.Account{Produced: 3, Delivered: 3, Arenas: 1, Incomplete: 1, Truncated: 1},
		},
		{
			name:    "only the core said hello",
			streams: []*Stream{new(Stream).Hello("core", 1, 50, 0)},
			want:    report.Account{Arenas: 1, Incomplete: 1},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := build(t, tt.streams...)
			got := r.Account
			empty := map[string]uint64{}
			for _, m := range []*map[string]uint64{&tt.want.DroppedBy, &tt.want.Skipped, &tt.want.Notes} {
				if *m == nil {
					*m = empty
				}
			}
			if len(got.Broken) == 2 && got.Broken[0].Produced < got.Broken[1].Produced {
				got.Broken[0], got.Broken[1] = got.Broken[1], got.Broken[0]
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("account (-want +got):\n%s", d)
			}
			out := text(t, r, report.TextOptions{})
			if strings.Contains(out, "seam bug:") != tt.bug {
				t.Errorf("bug told: %v, want %v:\n%s", !tt.bug, tt.bug, out)
			}
			if l := last(out); !strings.HasPrefix(l, "events: ") || tt.lastLine != "" && l != tt.lastLine {
				t.Errorf("last line %q, want %q", l, tt.lastLine)
			}
		})
	}
}

func cutBy(s *Stream, n int) *Stream {
	s.B = s.B[:len(s.B)-n]
	return s
}

func TestEarlierReader(t *testing.T) {
	b := report.NewBuilder(report.Options{})
	var self []byte
	self = wire.AppendHello(self, &wire.Hello{V: wire.Version, From: "collector", Start: T0 + 1})
	feed(t, b, self)
	feed(t, b, new(Stream).Hello("agent", 1, 50, 1, "p").Defs().Batch(50, 1, 10, Call(Getpid, 9, 5, 1, 1, 0)).Bye(9, 9, 0, nil).B)
	if a := b.Report().Account; a.Unaccounted != 0 || a.Elsewhere != 8 || a.Delivered != 1 {
		t.Errorf("unaccounted %d, elsewhere %d, delivered %d; want 0, 8, 1", a.Unaccounted, a.Elsewhere, a.Delivered)
	}
}

func TestEmptyReports(t *testing.T) {
	none := text(t, build(t), report.TextOptions{})
	idle := text(t, build(t, new(Stream).Hello("agent", 1, 50, 1, "true").OK()), report.TextOptions{})
	for _, tt := range []struct{ out, want string }{
		{none, "no process loaded seam's library"},
		{none, "seam doctor"},
		{idle, "no probed function was called"},
	} {
		if !strings.Contains(tt.out, tt.want) {
			t.Errorf("no %q in:\n%s", tt.want, tt.out)
		}
		if strings.Contains(tt.out, "Functions") || !strings.HasPrefix(last(tt.out), "events: 0 produced") {
			t.Errorf("unexpected:\n%s", tt.out)
		}
	}
}

func TestCallsInFlight(t *testing.T) {
	// The enter comes on one connection, the leave on the one that takes over.
	a := new(Stream).Hello("agent", 1, 50, 1, "p").Defs().
		Batch(50, 1, 10, Enter(Open, 1, 100, Str("/f"), Int(0)), Enter(Open, 2, 200, Str("/g"), Int(0)))
	c := new(Stream).Hello("collector", 1, 50, 1, "p").Defs().
		Batch(50, 1, 20, Leave(Open, 1, 100, 5000, 3, 0, wire.Value{}, wire.Value{}), Call(Read, 3, 300, 10, 42, 0, Int(3), Withheld(42), Int(42))).
		Bye(3, 3, 0, nil)
	r := build(t, a, c)
	if len(r.InFlight) != 1 || r.InFlight[0].Name != "open" || r.InFlight[0].Arg != "/g" {
		t.Errorf("in flight: %+v, want open of /g", r.InFlight)
	}
	for _, f := range r.Functions {
		if f.Name == "open" && (f.Calls != 2 || f.InFlight != 1 || f.TotalNS != 5000 || f.MeanNS != 5000) {
			t.Errorf("open: %+v", f)
		}
	}
	if len(r.Files) != 1 || r.Files[0].Path != "/f" || r.Files[0].Read != 42 {
		t.Errorf("files: %+v, want 42 bytes read from /f", r.Files)
	}
}

func TestExecThatSucceedsIsNotInFlight(t *testing.T) {
	s := new(Stream).Hello("agent", 1, 50, 1, "sh")
	s.B = wire.AppendProbe(s.B, &wire.ProbeDef{ID: 0, Name: "execve", Lib: "libc.so.6", Pack: "proc", Kind: "call"})
	r := build(t, s.Batch(50, 1, 1, Call(0, 1, 0, 10, -1, 2), Enter(0, 2, 5)).OK())
	if f := r.Functions[0]; len(r.InFlight) != 0 || f.InFlight != 0 || f.Calls != 2 || f.Returned != 1 || f.MeanNS != 10 {
		t.Errorf("in flight %+v, function %+v", r.InFlight, f)
	}
}

func TestExecAndPidReuse(t *testing.T) {
	hello := func(arena byte, start int64, argv ...string) *Stream {
		s := new(Stream)
		s.B = wire.AppendHello(s.B, &wire.Hello{V: wire.Version, PID: 9, PPID: 1, Arena: ID(arena), From: "agent", Argv: argv, Start: start})
		return s
	}
	exec := build(t, hello(1, T0, "sh", "-c", "ls"), hello(2, T0+5, "ls"))
	if len(exec.Processes) != 1 || len(exec.Processes[0].Execs) != 1 || exec.Processes[0].Argv[0] != "ls" || exec.Processes[0].Execs[0][0] != "sh" {
		t.Errorf("exec: %+v, want one process, sh and then ls", exec.Processes)
	}
	late := build(t, hello(2, T0+5, "ls"), hello(1, T0, "sh", "-c", "ls"))
	if d := cmp.Diff(exec.Processes, late.Processes); d != "" {
		t.Errorf("the order of arrival matters:\n%s", d)
	}
	first := hello(1, T0, "a")
	first.B = wire.AppendProcess(first.B, T0+3, &wire.Process{PID: 9, PPID: 1, What: "end", Status: 0})
	reuse := build(t, first, hello(2, T0+5, "b"))
	if len(reuse.Processes) != 2 {
		t.Errorf("pid used again: %+v, want two processes", reuse.Processes)
	}
}

func TestProcessTreeSurvivesNonsense(t *testing.T) {
	s := new(Stream).Hello("agent", 1, 1, 2, "a")
	s.B = wire.AppendProcess(s.B, T0, &wire.Process{PID: 2, PPID: 1, What: "fork", Status: 0})
	s.B = wire.AppendProcess(s.B, T0, &wire.Process{PID: 1, PPID: 2, What: "fork", Status: 0})
	s.B = wire.AppendProcess(s.B, T0, &wire.Process{PID: 3, PPID: 3, What: "fork", Status: 0})
	s.B = wire.AppendProcess(s.B, T0, &wire.Process{PID: -5, PPID: 1 << 40, What: "end", Status: 0})
	if n := len(build(t, s).Processes); n != 4 {
		t.Errorf("%d processes, want 4, each once", n)
	}
}

func TestBounds(t *testing.T) {
	b := report.NewBuilder(report.Options{Keep: 10, Top: 5})
	s := new(Stream).Hello("agent", 1, 50, 1, "p").Defs()
	var ev []wire.Event
	for i := range 100 {
		ev = append(ev, Call(Open, uint32(i+1), int64(i), 10, 3, 0, Str(fmt.Sprintf("/f%03d", i)), Int(0)))
	}
	feed(t, b, s.Batch(50, 1, 10, ev...).OK().B)
	r := b.Report()
	if len(r.Files) != 5 || len(r.Cut) != 1 || r.Cut[0].List != "files" || r.Cut[0].Calls != 95 {
		t.Errorf("%d files, cut %+v; want 5 and 95 calls for others", len(r.Files), r.Cut)
	}
	if out := text(t, r, report.TextOptions{}); !strings.Contains(out, "… and 95 more paths") {
		t.Errorf("the cut is not told:\n%s", out)
	}
}

func TestBrokenStreams(t *testing.T) {
	tests := []struct {
		name   string
		raw    []byte
		broken bool
		text   string
	}{
		{"no hello", new(Stream).Defs().B, true, "does not begin with hello"},
		{"other version", wire.AppendHello(nil, &wire.Hello{V: 9, Arena: ID(1)}), true, "version"},
		{"two hellos", new(Stream).Hello("agent", 1, 1, 1).Hello("agent", 2, 1, 1).B, true, "second hello"},
		{"garbage", []byte("GET / HTTP/1.1\r\n\r\n"), true, ""},
		{"garbage after a good start", new(Stream).Hello("agent", 1, 1, 1).Raw(0xc1, 0xc1).B, true, ""},
		{"probe explained twice", func() []byte {
			s := new(Stream).Hello("agent", 1, 1, 1).Defs()
			return wire.AppendProbe(s.B, &wire.ProbeDef{ID: 0, Name: "other", Lib: "x", Kind: "call"})
		}(), true, "explained twice"},
		{"cut", new(Stream).Hello("agent", 1, 1, 1).Raw(0x92).B, false, ""},
		{"empty", nil, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := report.NewBuilder(report.Options{})
			if got := feed(t, b, tt.raw); got != tt.broken {
				t.Errorf("broken %v, want %v", got, tt.broken)
			}
			r := b.Report()
			if (len(r.Errors) == 1) != tt.broken || tt.broken && !strings.Contains(r.Errors[0].Text, tt.text) {
				t.Errorf("errors %+v, want %q", r.Errors, tt.text)
			}
		})
	}
}

func TestCaptureCutAndCorrupt(t *testing.T) {
	var file bytes.Buffer
	w := capture.NewWriter(&file)
	raw := Demo().B
	for i := 0; i < len(raw); i += 50 {
		w.Frame(1, raw[i:min(i+50, len(raw))])
	}
	w.End(1)
	if _, err := w.Err(); err != nil {
		t.Fatal(err)
	}
	whole, err := report.FromCapture(bytes.NewReader(file.Bytes()), report.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(build(t, Demo()), whole); d != "" {
		t.Errorf("the capture gives another report:\n%s", d)
	}
	if _, err := report.FromCapture(strings.NewReader("#!/bin/sh\n"), report.Options{}, nil); !errors.Is(err, capture.ErrNotCapture) {
		t.Errorf("a script: %v, want ErrNotCapture", err)
	}
	for n := len(capture.Magic); n < file.Len(); n += 37 {
		r, err := report.FromCapture(bytes.NewReader(file.Bytes()[:n]), report.Options{}, nil)
		var ce *capture.Error
		if err != nil && (!errors.As(err, &ce) || !errors.Is(err, io.ErrUnexpectedEOF) || ce.Offset > int64(n)) {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if r == nil || r.Account.Delivered > whole.Account.Delivered {
			t.Fatalf("cut at %d: no report, or too much", n)
		}
	}
	bad := bytes.Clone(file.Bytes())
	at := len(capture.Magic) + 5*(50+4)
	bad[at] = 0xff
	r, err := report.FromCapture(bytes.NewReader(bad), report.Options{}, nil)
	if !errors.Is(err, capture.ErrCorrupt) || !strings.Contains(err.Error(), fmt.Sprint(at)) || r == nil {
		t.Errorf("corrupt at %d: %v", at, err)
	}
}

func FuzzStream(f *testing.F) {
	f.Add(Demo().B)
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add(new(Stream).Hello("agent", 1, 1, 1).Defs().Batch(1, 1, 1, Call(Open, 1, 0, -5, 1<<40, 0, Str(""), Int(0))).B)
	f.Fuzz(func(t *testing.T, raw []byte) {
		b := report.NewBuilder(report.Options{Keep: 50, Top: 10})
		for range 2 {
			dec := wire.NewDecoder(bytes.NewReader(raw))
			s := b.Stream(nil)
			s.Close(report.Run(dec, s))
		}
		r := b.Report()
		if err := r.WriteText(io.Discard, report.TextOptions{Width: 60}); err != nil {
			t.Fatal(err)
		}
		if err := r.WriteJSON(io.Discard); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzCapture(f *testing.F) {
	var file bytes.Buffer
	w := capture.NewWriter(&file)
	w.Frame(1, Demo().B)
	w.Frame(300, Demo().B[:80])
	w.End(1)
	f.Add(file.Bytes())
	f.Add([]byte(capture.Magic + "\x92\x01\xc6\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		report.FromCapture(bytes.NewReader(raw), report.Options{Keep: 50}, nil)
	})
}

func BenchmarkEvent(b *testing.B) {
	for _, bb := range []struct {
		name string
		ev   func(i uint32) wire.Event
	}{
		{"plain", func(i uint32) wire.Event { return Call(Getpid, i, int64(i)*100, int64(i%5000), 1, 0) }},
		{"read", func(i uint32) wire.Event {
			return Call(Read, i, int64(i)*100, int64(i%5000), 10, 0, Int(1), Withheld(10), Int(100))
		}},
		{"open", func(i uint32) wire.Event {
			return Call(Open, i, int64(i)*100, int64(i%5000), 3, 0, Str("/etc/passwd"), Str("O_RDONLY"))
		}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := new(Stream).Hello("agent", 1, 50, 1, "p").Defs()
			head := len(s.B)
			var ev []wire.Event
			for i := range 1000 {
				ev = append(ev, bb.ev(uint32(i)))
			}
			s.Batch(50, 1, 0, ev...)
			bu := report.NewBuilder(report.Options{})
			st := bu.Stream(nil)
			dec := wire.NewDecoder(&loop{head: s.B[:head], body: s.B[head:]})
			for range 20 {
				if err := dec.Next(st); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += 1000 {
				for range 2 { // the size, and the batch
					if err := dec.Next(st); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// loop is a head and then a body over and over.
type loop struct{ head, body, rest []byte }

func (l *loop) Read(p []byte) (int, error) {
	if len(l.head) > 0 {
		n := copy(p, l.head)
		l.head = l.head[n:]
		return n, nil
	}
	if len(l.rest) == 0 {
		l.rest = l.body
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// What the handler itself costs, without decoding.
func BenchmarkHandle(b *testing.B) {
	start := func() (*report.Stream, *wire.Section) {
		s := new(Stream).Hello("agent", 1, 50, 1, "p").Defs()
		st := report.NewBuilder(report.Options{}).Stream(nil)
		if err := report.Run(wire.NewDecoder(bytes.NewReader(s.B)), st); err != io.EOF {
			b.Fatal(err)
		}
		sec := &wire.Section{PID: 50, TID: 50, Thread: 50}
		st.Section(sec)
		return st, sec
	}
	b.Run("call", func(b *testing.B) {
		st, sec := start()
		c := wire.Call{ID: Getpid, RetKind: wire.VInt}
		b.ReportAllocs()
		for i := range b.N {
			c.T, c.Dur = int64(i)*100, int64(i%5000)
			st.Call(sec, &c)
		}
	})
	b.Run("read", func(b *testing.B) {
		st, sec := start()
		c := wire.Call{ID: Read, RetKind: wire.VInt, Ret: 10, Args: []byte{0x93, 1, 0x92, 5, 10, 100}}
		b.ReportAllocs()
		for i := range b.N {
			c.T, c.Dur = int64(i)*100, int64(i%5000)
			st.Call(sec, &c)
		}
	})
	b.Run("open", func(b *testing.B) {
		st, sec := start()
		ev := Call(Open, 1, 0, 0, 3, 0, Str("/etc/passwd"), Str("O_RDONLY"))
		b.ReportAllocs()
		for i := range b.N {
			ev.T, ev.Dur = int64(i)*100, int64(i%5000)
			st.Event(sec, &ev)
		}
	})
	b.Run("statement", func(b *testing.B) {
		st, sec := start()
		ev := Statement(0, 0, "/tmp/app.db", "SELECT name FROM users WHERE id = ?", 3, 101, "")
		b.ReportAllocs()
		for i := range b.N {
			ev.T, ev.Dur = int64(i)*100, int64(i%5000)
			st.Event(sec, &ev)
		}
	})
}
