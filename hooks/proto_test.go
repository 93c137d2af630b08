package hooks

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func one(t *testing.T, text string) *Hook {
	t.Helper()
	hs, err := ParseProto(text)
	if err != nil {
		t.Fatalf("ParseProto(%q): %v", text, err)
	}
	return hs[0]
}

func TestParseProtoArgs(t *testing.T) {
	for _, c := range []struct {
		text string
		want []Arg
	}{
		{"void f(void)", nil},
		{"void f()", nil},
		{"int work(int n, const char *name)", []Arg{
			{Name: "n", Type: TInt, Size: 4, Len: -1},
			{Name: "name", Type: TString, Size: 8, Len: -1, Word: 1, Cap: 256}}},
		{"int f(unsigned long long int, short, const FILE *restrict f)", []Arg{
			{Name: "arg0", Type: TUint, Size: 8, Len: -1},
			{Name: "arg1", Type: TInt, Size: 2, Len: -1, Word: 1},
			{Name: "f", Type: TPtr, Size: 8, Len: -1, Word: 2}}},
		{"int f(double x, fd fd, float y, mode_t m)", []Arg{
			{Name: "x", Type: TFloat, Size: 8, Len: -1, Word: -1},
			{Name: "fd", Type: TFD, Size: 4, Len: -1},
			{Name: "y", Type: TFloat, Size: 4, Len: -1, Word: -1},
			{Name: "m", Type: TMode, Size: 4, Len: -1, Word: 1}}},
		{"ssize_t f(out char *buf[ret]{64}, size_t n)", []Arg{
			{Name: "buf", Type: TBuffer, Size: 8, Len: LenRet, Out: true, Cap: 64},
			{Name: "n", Type: TUint, Size: 8, Len: -1, Word: 1}}},
		{"int f(const struct sockaddr *a[n], socklen_t n, out struct sockaddr *b[*m], socklen_t *m)", []Arg{
			{Name: "a", Type: TSockaddr, Size: 8, Len: 1, Cap: 128},
			{Name: "n", Type: TUint, Size: 4, Len: -1, Word: 1},
			{Name: "b", Type: TSockaddr, Size: 8, Len: 3, LenPtr: true, Out: true, Cap: 128, Word: 2},
			{Name: "m", Type: TPtr, Size: 8, Len: -1, Word: 3}}},
		{"int f(char *const argv[], char **envp, out char **err, out foo **res, out int *n)", []Arg{
			{Name: "argv", Type: TStrv, Size: 8, Len: -1, Cap: 512},
			{Name: "envp", Type: TPtr, Size: 8, Len: -1, Word: 1},
			{Name: "err", Type: TString, Size: 8, Len: -1, Word: 2, Cap: 256, Out: true, Ref: true},
			{Name: "res", Type: TPtr, Size: 8, Len: -1, Word: 3, Cap: 8, Out: true},
			{Name: "n", Type: TInt, Size: 4, Len: -1, Word: 4, Cap: 4, Out: true}}},
		{"void f(int (*cb)(void *, int (*)(int)), flags(open) o, enum(ioctl, 8) e, enum colour c)", []Arg{
			{Name: "cb", Type: TPtr, Size: 8, Len: -1},
			{Name: "o", Type: TFlags, Size: 4, Len: -1, Word: 1, Set: "open"},
			{Name: "e", Type: TEnum, Size: 8, Len: -1, Word: 2, Set: "ioctl"},
			{Name: "c", Type: TInt, Size: 4, Len: -1, Word: 3}}},
		{"int f(secret int key, secret const char *pw, int n)", []Arg{
			{Name: "key", Type: TInt, Size: 4, Len: -1, Word: -1, Secret: true},
			{Name: "pw", Type: TString, Size: 8, Len: -1, Word: 1, Secret: true},
			{Name: "n", Type: TInt, Size: 4, Len: -1, Word: 2}}},
		{"int f(int pair[2], const struct timespec *t, struct nosuch *u)", []Arg{
			{Name: "pair", Type: TPtr, Size: 8, Len: -1},
			{Name: "t", Type: TStruct, Size: 8, Len: -1, Word: 1, Set: "timespec", Cap: 16},
			{Name: "u", Type: TPtr, Size: 8, Len: -1, Word: 2}}},
	} {
		h := one(t, c.text)
		if d := cmp.Diff(c.want, h.Args); d != "" {
			t.Errorf("%s: %s", c.text, d)
		}
	}
}

func TestParseProtoClauses(t *testing.T) {
	for _, c := range []struct {
		text string
		fail Fail
		say  string
	}{
		{"int f(int a) fails -1 errno", Fail{Op: FailEQ, Width: 4, Vals: [3]int64{-1, 0, 0}}, "ret == -1"},
		{"long f(int a) fails < 0", Fail{Op: FailLT, Width: 8}, "ret < 0"},
		{"int f(int a) fails != 0", Fail{Op: FailNE, Width: 4}, "ret != 0"},
		{"void *f(int a) fails null", Fail{Op: FailEQ, Width: 8}, "ret == NULL"},
		{"int f(int a) fails not 0 100 101", Fail{Op: FailNotIn, Width: 4, Vals: [3]int64{0, 100, 101}}, "ret not in 0, 100, 101"},
		{"int f(int a) fails not 0", Fail{Op: FailNotIn, Width: 4}, "ret not in 0"},
		{"errno_t f(int a)", Fail{Op: FailNE, Width: 4}, "ret != 0"},
		{"int f(int a)", Fail{}, ""},
	} {
		h := one(t, c.text)
		if h.Fail != c.fail || h.FailText() != c.say {
			t.Errorf("%s: %+v %q, want %+v %q", c.text, h.Fail, h.FailText(), c.fail, c.say)
		}
	}
	if f := one(t, "int f(int a) fails not 0 100 101").Fail; f.Failed(100) || f.Failed(0) || !f.Failed(1) || f.Failed(101|5<<32) {
		t.Error("the rule compares more than its width, or not its values")
	}
	if f := one(t, "int f(int a) fails -1").Fail; !f.Failed(0xffffffff) || f.Failed(0) {
		t.Error("-1 in 32 bits has not failed")
	}
	h := one(t, "int a|b|c(int x, ...) stack 3 entry forks handover db")
	if !h.Variadic || h.StackCopy != 3 || !h.EntryOnly || h.Flags != HookForks || h.Handover != HandoverSqliteDB {
		t.Errorf("clauses: %+v", h)
	}
	hs, _ := ParseProto("int a|b|c(int x)")
	hs[0].Args[0].Name = "changed"
	if len(hs) != 3 || hs[1].Name != "b" || hs[1].Args[0].Name != "x" {
		t.Errorf("names: %+v", hs)
	}
}

func TestParseProtoErrors(t *testing.T) {
	for _, c := range []struct {
		text string
		col  int
		msg  string
		hint string
	}{
		{"", 1, "expected a type", "int work"},
		{"int", 4, "expected a function name", "int work"},
		{"int f", 6, "expected '('", ""},
		{"int f(int a", 12, "expected ')'", ""},
		{"int f(itn a)", 7, `unknown type "itn"`, "int"},
		{"int f(int a, int a)", 18, "parameter a is there twice", ""},
		{"int f(void *b[len], int n)", 15, `no parameter "len"`, ""},
		{"int f(void *buf[lne], int len)", 17, `no parameter "lne"`, "did you mean len?"},
		{"int f(const void *b[ret])", 21, "only an out argument", ""},
		{"int f(flags(opne) x)", 13, `unknown set "opne"`, "open"},
		{"int f(out int x)", 7, "an out argument must be a pointer", "out int *x"},
		{"int f(int a) fials -1", 14, `unexpected "fials"`, "fails"},
		{"int f(int a) fails not", 23, "expected a number", ""},
		{"int f(int a) fails not 1 2 3 4", 30, "at most three values", ""},
		{"void f(int a) fails -1", 20, "without an integer result", ""},
		{"int f(const char *a{9999})", 21, "the cap is out of range", ""},
		{"int f(int a) stack 99", 19, "stack words", ""},
		{"int f(int a, ..., int b)", 17, "expected ')'", "... must be the last"},
	} {
		_, err := ParseProto(c.text)
		var pe *ProbeError
		if !errors.As(err, &pe) {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if pe.Col != c.col || !strings.Contains(pe.Msg+pe.Error(), c.msg) || !strings.Contains(pe.Hint, c.hint) {
			t.Errorf("%q: column %d %q hint %q, want %d %q %q", c.text, pe.Col, pe.Msg, pe.Hint, c.col, c.msg, c.hint)
		}
	}
}

func FuzzParseProto(f *testing.F) {
	for _, p := range packs {
		for line := range strings.Lines(p.text) {
			f.Add(strings.TrimSpace(line))
		}
	}
	for line := range strings.Lines(knownTypes) {
		f.Add(strings.TrimSpace(line) + " int f(struct request *r)")
	}
	f.Add(requestProto)
	f.Add("int f(int (*cb)(((")
	f.Fuzz(func(t *testing.T, text string) {
		hs, err := ParseProto(text)
		if err != nil {
			var pe *ProbeError
			if !errors.As(err, &pe) || pe.Col < 1 || pe.Col > len(text)+1 {
				t.Fatalf("%q: %v", text, err)
			}
			pe.Caret()
			return
		}
		for _, h := range hs {
			safeHook(t, h)
			sent, _, _, err := DecodeDef(EncodeDef(h, "x", "", Log))
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			safeHook(t, sent)
		}
	})
}

// safeHook decodes calls of all sorts with a hook: nothing may go out of bounds.
func safeHook(t *testing.T, h *Hook) {
	t.Helper()
	ops := Ops(h)
	nregs, nstack, ncopy := Words(h)
	if nregs > 6 || nregs+nstack > MaxWords || ncopy < nstack {
		t.Fatalf("%s: words %d %d %d", h.Name, nregs, nstack, ncopy)
	}
	var items []byte
	for i := range ops {
		if int(ops[i].Arg) >= nregs+nstack && ops[i].Op != OpRetStr {
			t.Fatalf("%s: operation on word %d of %d", h.Name, ops[i].Arg, nregs+nstack)
		}
		items = append(items, item8(i, statusOK, []byte("ab\x00cd"))...)
	}
	words := slices.Repeat([]uint64{^uint64(0)}, MaxWords)
	d := NewDecoder(h, nil)
	for n := 0; n <= MaxWords; n += 3 {
		for cut := 0; cut <= len(items); cut += 5 {
			wellFormed(t, d.AppendCall(nil, words[:n], items[:cut], nil, 5, false))
			wellFormed(t, d.AppendRet(nil, 5, false))
		}
		wellFormed(t, d.AppendEnter(nil, words[:n], items))
		wellFormed(t, d.AppendLeave(nil, words[:n], items, 1<<63, n == 0))
	}
}

// item8 is a payload item as the core writes it.
func item8(op int, status byte, b []byte) []byte {
	out := append([]byte{byte(len(b)), byte(len(b) >> 8), status, byte(op)}, b...)
	for len(out)%8 != 0 {
		out = append(out, 0)
	}
	return out
}

// wellFormed checks that b is exactly one msgpack value.
func wellFormed(t *testing.T, b []byte) {
	t.Helper()
	r := &mpReader{b: b}
	r.skip()
	if r.err != nil || len(r.b) != 0 {
		t.Fatalf("not one msgpack value: %x (%v, %d left)", b, r.err, len(r.b))
	}
}
