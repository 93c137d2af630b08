package live_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	. "github.com/seam-project/seam/collector/internal/streamtest"
	"github.com/seam-project/seam/collector/live"
	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/wire"
)

func show(t *testing.T, s *Stream, o live.Options) []string {
	t.Helper()
	var b bytes.Buffer
	p := live.NewPrinter(&b, o)
	st := report.NewBuilder(report.Options{}).Stream(p)
	st.Close(report.Run(wire.NewDecoder(bytes.NewReader(s.B)), st))
	if err := p.Flush(); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

func start() *Stream { return new(Stream).Hello("agent", 1, 4711, 1, "python3").Defs() }

func TestText(t *testing.T) {
	rdonly := Str("O_RDONLY")
	tests := []struct {
		ev   wire.Event
		want string
	}{
		{Call(Open, 1, 1234567, 12000, 3, 0, Str("/etc/passwd"), rdonly), `4711    python3      +0.001234 open("/etc/passwd", O_RDONLY) = 3 <12.0µs>`},
		{Call(Open, 1, 0, 900, -1, 2, Str("/no"), rdonly), `4711    python3      +0.000000 open("/no", O_RDONLY) = -1 ENOENT <900ns>`},
		{Call(Read, 1, 0, 1, 5, 0, Int(3), Withheld(5), Int(10)), `4711    python3      +0.000000 read(3, (withheld, 5 bytes), 10) = 5 <1ns>`},
		{Call(Step, 1, 0, 1, 100, 0, Int(0x7f00)), `4711    python3      +0.000000 sqlite3_step(0x7f00) = 100 <1ns>`},
		{Call(Open, 1, 0, 1, 3, 0, wire.Value{Kind: wire.VStr, Status: wire.ArgCut, Str: []byte("/long")}, wire.Value{Status: wire.ArgBad}),
			`4711    python3      +0.000000 open("/long"…, (unreadable)) = 3 <1ns>`},
		{Call(Open, 1, 0, 1, 3, 0, Str("a\"\x1b[2J\n\xff\u202e"), Int(0)), `4711    python3      +0.000000 open("a\"\x1b[2J\n\xff\u202e", 0) = 3 <1ns>`},
		{Enter(Read, 1, 5e6, Int(0)), `4711    python3      +0.005000 read(0 …`},
		{Leave(Read, 1, 5e6, 2e9, -1, 4, wire.Value{}, wire.Value{}, wire.Value{}), `4711    python3      +0.005000 … read() = -1 EINTR <2.00s>`},
		{Enter(Exit, 2, 0, Int(1)), `4711    python3      +0.000000 _exit(1)`},
		{wire.Event{Kind: wire.EvLost, ID: Read, Seq: 9}, `4711    python3      +0.000000 … read = ? (return lost)`},
		{Statement(0, 3e6, "app.db", "SELECT ?\x07", 2, 101, ""), `4711    python3      +0.000000 SQL SELECT ?\x07 = 2 rows <3.00ms> app.db`},
		{Statement(0, 3e6, "", "", 0, 1, "no such table"), `4711    python3      +0.000000 SQL (statement not seen) = 0 rows, code 1: no such table  <3.00ms>`},
		{Call(99, 1, 0, 1, 0, 0), `4711    python3      +0.000000 probe 99 (not explained)`},
	}
	for _, tt := range tests {
		if got := show(t, start().Batch(4711, 1, 1, tt.ev), live.Options{})[0]; got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestColorAndWidth(t *testing.T) {
	got := show(t, start().Batch(4711, 1, 1, Call(Open, 1, 0, 1, -1, 2, Str(strings.Repeat("é", 100)), Int(0))), live.Options{Color: true, Width: 60})[0]
	if !strings.HasPrefix(got, "\x1b[31m") || !strings.HasSuffix(got, "…\x1b[0m") {
		t.Errorf("no colour, or not cut: %q", got)
	}
	plain := strings.TrimSuffix(strings.TrimPrefix(got, "\x1b[31m"), "\x1b[0m")
	if n := len([]rune(plain)); n != 60 {
		t.Errorf("%d columns, want 60: %q", n, plain)
	}
}

func TestJSON(t *testing.T) {
	s := Demo()
	s.Batch(100, 9, 9, Call(Open, 77, 0, 1, -1, -1, Str("a\"\\\x00\x1b\xff\u2028é"), Withheld(8)),
		Call(Open, 78, 0, 1, 3, 0, wire.Value{Kind: wire.VList, List: []wire.Value{Str("x"), Int(1)}}, wire.Value{Kind: wire.VMap, List: []wire.Value{Str("k"), Str("v")}}))
	lines := show(t, s, live.Options{JSON: true})
	types := map[string]int{}
	for _, l := range lines {
		var m map[string]any
		if err := json.Unmarshal([]byte(l), &m); err != nil {
			t.Fatalf("%v: %s", err, l)
		}
		types[m["type"].(string)]++
		for _, k := range []string{"t", "pid", "tid", "thread", "exe"} {
			if _, ok := m[k]; !ok {
				t.Errorf("no %q in %s", k, l)
			}
		}
	}
	if types["call"] != 14 || types["enter"] != 3 || types["leave"] != 1 || types["statement"] != 2 {
		t.Errorf("types %v", types)
	}
	want := `{"type":"call","t":1700000000001000000,"pid":100,"tid":100,"thread":100,"exe":"python3","id":0,"seq":1,"lib":"libc.so.6","name":"open","args":{"file":"/etc/passwd","oflag":"O_RDONLY|O_CLOEXEC"},"dur":12000,"ret":3,"err":0}`
	if lines[0] != want {
		t.Errorf("got  %s\nwant %s", lines[0], want)
	}
	odd := lines[len(lines)-2]
	if !strings.Contains(odd, `"file":"a\"\\\u0000\u001b�\u2028é","oflag":{"status":"withheld","value":8}`) || !strings.Contains(odd, `"errno":"failed"`) {
		t.Errorf("odd bytes: %s", odd)
	}
}

type full struct{ n int }

func (f *full) Write(p []byte) (int, error) {
	f.n++
	return 0, errors.New("no space")
}

func TestWriterThatFails(t *testing.T) {
	f := new(full)
	p := live.NewPrinter(f, live.Options{})
	st := report.NewBuilder(report.Options{}).Stream(p)
	st.Close(report.Run(wire.NewDecoder(bytes.NewReader(Demo().B)), st))
	p.Flush()
	if p.Flush() == nil || p.Err() == nil || f.n != 1 {
		t.Errorf("%d writes, error %v; want one write and its error", f.n, p.Err())
	}
}

func BenchmarkJSON(b *testing.B) {
	ev := Call(Open, 1, 1234567, 12000, 3, 0, Str("/etc/passwd"), Str("O_RDONLY"))
	e := &report.Event{PID: 1, TID: 1, Exe: "python3", Probe: &report.Probe{Name: "open", Lib: "libc.so.6", Args: []wire.ArgDef{{Name: "file"}, {Name: "flags"}}}, Event: &ev}
	b.ReportAllocs()
	var buf []byte
	for range b.N {
		buf = live.AppendJSON(buf[:0], e)
	}
}
