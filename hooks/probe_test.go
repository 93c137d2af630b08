package hooks

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseProbe(t *testing.T) {
	for _, c := range []struct {
		text string
		want Probe
	}{
		{"open", Probe{Sym: "open", Instrument: Log}},
		{"libc:open*", Probe{Lib: "libc", Sym: "open*", Instrument: Log}},
		{"  ./app:do_work@count ", Probe{Lib: "./app", Sym: "do_work", Instrument: Count}},
		{"/a/b:c:f[ab]?", Probe{Lib: "/a/b:c", Sym: "f[ab]?", Instrument: Log}},
		{`"./my app":work hist`, Probe{Lib: "./my app", Sym: "work", Instrument: Hist}},
		{`libc:open* if file ^= "/etc/" failed`, Probe{Lib: "libc", Sym: "open*", Instrument: Log, Filters: []Filter{
			{Kind: FilterPrefix, Arg: "file", Cmp: CmpEQ, Str: "/etc/"}, {Kind: FilterFailed}}}},
		{`libc:openat if oflag & O_CREAT|O_TRUNC and file !^= /tmp/ slower 1.5ms`, Probe{Lib: "libc", Sym: "openat", Instrument: Log, Filters: []Filter{
			{Kind: FilterInt, Arg: "oflag", Cmp: CmpAnd, Value: 0o1100}, {Kind: FilterPrefix, Arg: "file", Cmp: CmpNE, Str: "/tmp/"},
			{Kind: FilterMinDuration, Value: 1500000}}}},
		{`write if 2>=64k and 0!=-1 if 1<0x10`, Probe{Sym: "write", Instrument: Log, Filters: []Filter{
			{Kind: FilterInt, Arg: "2", Cmp: CmpGE, Value: 65536}, {Kind: FilterInt, Arg: "0", Cmp: CmpNE, Value: -1},
			{Kind: FilterInt, Arg: "1", Cmp: CmpLT, Value: 16}}}},
		{`kill if sig == SIGTERM`, Probe{Sym: "kill", Instrument: Log, Filters: []Filter{{Kind: FilterInt, Arg: "sig", Cmp: CmpEQ, Value: 15}}}},
		{`f if s ^= "a \"b\\"`, Probe{Sym: "f", Instrument: Log, Filters: []Filter{{Kind: FilterPrefix, Arg: "s", Cmp: CmpEQ, Str: `a "b\`}}}},
	} {
		c.want.Text = c.text
		got, err := ParseProbe(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%q: %s", c.text, d)
		}
	}
}

func TestParseProbeErrors(t *testing.T) {
	for _, c := range []struct {
		text string
		col  int
		msg  string
		hint string
	}{
		{"", 1, "expected a function name", "libc:open*"},
		{"libc:", 6, "expected a function name", "libc:open*"},
		{":open", 1, "expected a library", "any object"},
		{"./app", 1, "has no '/'", "./app:main"},
		{"libc:[a-", 6, "not closed", "pattern"},
		{"libc:x[]", 7, "not closed", ""},
		{"libc:open@hits", 11, "unknown instrument", "hist"},
		{"libc:open if", 13, "expected an argument", "if file"},
		{"libc:open if fd", 16, "expected a comparison", "=="},
		{"libc:open if fd = 3", 17, "expected a comparison", "equality is =="},
		{"libc:open if fd ==", 19, "expected a number", ""},
		{"libc:open if fd == x", 20, "not a number", ""},
		{"libc:open if oflag & O_CRAET", 22, "not a number", "O_CREAT"},
		{"libc:open if oflag & O_CREAT|O_EXLC", 30, "not a number", "O_EXCL"},
		{`libc:open if file == "/etc"`, 22, "can't be compared", "^="},
		{`libc:open if file ^= "/etc`, 22, "not closed", ""},
		{"libc:open if file ^=", 21, "expected the start", ""},
		{"libc:open if file ^= " + strings.Repeat("x", 65), 22, "longer than 64", ""},
		{"libc:open fd == 3", 11, "unexpected", "if"},
		{"libc:open fd==3", 11, "unexpected", "'if'"},
		{"libc:open faild", 11, "unexpected", "failed"},
		{"libc:open slower", 17, "expected a time", "5ms"},
		{"libc:open slower 5", 18, "not a time", "unit"},
		{"libc:open slower -5ms", 18, "negative", ""},
		{"libc:open and x == 1", 11, "'and' joins", ""},
		{"open(file", 5, "unexpected", ""},
		{"f if a==1 and b==1 and c==1 and d==1 and e==1 and f==1 and g==1 and h==1 and i==1", 78, "too many", "8"},
	} {
		_, err := ParseProbe(c.text)
		var pe *ProbeError
		if !errors.As(err, &pe) {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if pe.Col != c.col || !strings.Contains(pe.Msg, c.msg) || !strings.Contains(pe.Hint, c.hint) || pe.Text != c.text {
			t.Errorf("%q: column %d %q hint %q, want %d %q %q", c.text, pe.Col, pe.Msg, pe.Hint, c.col, c.msg, c.hint)
		}
	}
	e := &ProbeError{Text: "a\tbé", Col: 4}
	if got := e.Caret(); got != "a\tbé\n \t ^" {
		t.Errorf("caret %q", got)
	}
}

// Each example of the help must be what it claims: a probe.
func TestProbeHelp(t *testing.T) {
	n := 0
	for line := range strings.Lines(ProbeHelp()) {
		text, _, ok := strings.Cut(strings.TrimSpace(line), "   ")
		if !ok {
			text, _, _ = strings.Cut(strings.TrimSpace(line), "'  ")
		}
		text = strings.Trim(text, "'")
		if !strings.Contains(text, ":") || strings.Contains(text, "[") || strings.HasPrefix(text, "N ") || strings.HasPrefix(text, "slower") {
			continue
		}
		n++
		if _, err := ParseProbe(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if n < 6 {
		t.Errorf("%d examples", n)
	}
}

func FuzzParseProbe(f *testing.F) {
	for _, s := range []string{"libc:open*", `"a b":c@hist if x ^= "\"" and 1 & O_CREAT|2 slower 5ms failed`, "f if a==0x7fffffffffffffffG", "", ":", "@", "\"", "a if b^='"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParseProbe(text)
		if err != nil {
			var pe *ProbeError
			if !errors.As(err, &pe) || pe.Col < 1 || pe.Col > len(text)+1 || pe.Msg == "" {
				t.Fatalf("%q: %v", text, err)
			}
			pe.Caret()
			return
		}
		if strings.HasPrefix(p.Lib, "/") || !strings.Contains(p.Lib, "/") {
			s := NewSpec()
			s.Probes = []Probe{p}
			b, err := s.Encode()
			if err != nil {
				t.Fatalf("%q parses, but: %v", text, err)
			}
			if _, err := ParseSpec(b); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
		ResolveFilters(Unknown("f"), p.Filters)
	})
}
