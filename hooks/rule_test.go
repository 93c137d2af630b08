package hooks

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestParseRule(t *testing.T) {
	third := Rule{Kind: RuleFault, Errno: 28, Nth: 3}
	for _, c := range []struct {
		kind          RuleKind
		text          string
		want          Rule
		lib, sym, set string
	}{
		{RuleFault, "write:errno=ENOSPC,nth=3", third, "libc", "write", ""},
		{RuleFault, " libc:write : errno = ENOSPC , nth = 3 ", third, "libc", "write", ""},
		{RuleFault, "libc:file:any,p=0.5,seed=9", Rule{Kind: RuleFault, Any: true, Chance: 1 << 63, Seed: 9}, "libc", "*", "file"},
		{RuleFault, "sqlite:any,every=2", Rule{Kind: RuleFault, Any: true, Every: 2, Seed: 77}, "libsqlite3", "*", "sqlite"},
		{RuleFault, "sqlite3_step:ret=SQLITE_BUSY,max=5", Rule{Kind: RuleFault, Ret: "SQLITE_BUSY", Max: 5}, "libsqlite3", "sqlite3_step", ""},
		{RuleFault, "read:short=1k,after=2s", Rule{Kind: RuleFault, Short: 1024, After: 2e9}, "libc", "read", ""},
		{RuleFault, "open*:errno=2,when=path^=/data", Rule{Kind: RuleFault, Errno: 2, When: []Filter{{Kind: FilterPrefix, Arg: "path", Cmp: CmpEQ, Str: "/data"}}}, "libc", "open*", ""},
		{RuleFault, `access:errno=EIO,file^="/a,b:c",mode==R_OK`, Rule{Kind: RuleFault, Errno: 5, When: []Filter{
			{Kind: FilterPrefix, Arg: "file", Cmp: CmpEQ, Str: "/a,b:c"}, {Kind: FilterInt, Arg: "mode", Cmp: CmpEQ, Value: 4}}}, "libc", "access", ""},
		{RuleFault, "./app:ns::f:ret=-1", Rule{Kind: RuleFault, Ret: "-1"}, "./app", "ns::f", ""},
		{RuleFault, "./app:+0x10:ret=0", Rule{Kind: RuleFault, Ret: "0"}, "./app", "+0x10", ""},
		{RuleFault, "libx:thing:ret=NULL,0==3", Rule{Kind: RuleFault, Ret: "NULL", When: []Filter{{Kind: FilterInt, Arg: "0", Cmp: CmpEQ, Value: 3}}}, "libx", "thing", ""},
		{RuleDelay, "connect:200ms,jitter=50ms,seed=3", Rule{Kind: RuleDelay, Delay: 2e8, Jitter: 5e7, Seed: 3}, "libc", "connect", ""},
		{RuleDelay, "fsync:1.5s,p=1", Rule{Kind: RuleDelay, Delay: 15e8}, "libc", "fsync", ""},
		{RuleDeny, "execve", Rule{Kind: RuleDeny}, "libc", "execve", ""},
		{RuleDeny, "libc:execve", Rule{Kind: RuleDeny}, "libc", "execve", ""},
		{RuleDeny, "execve:path!^=/usr/bin", Rule{Kind: RuleDeny, When: []Filter{{Kind: FilterPrefix, Arg: "path", Cmp: CmpNE, Str: "/usr/bin"}}}, "libc", "execve", ""},
		{RuleAudit, "libc:connect:addr!~fd00::/8,errno=ECONNREFUSED", Rule{Kind: RuleAudit, Errno: 111, When: []Filter{{Kind: FilterAddr, Arg: "addr", Cmp: CmpNE, Str: "fd00::/8"}}}, "libc", "connect", ""},
	} {
		r, p, _, err := ParseRule(c.kind, c.text, 77, nil)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		c.want.Text = r.Text
		if r.Seed == 77 != strings.HasSuffix(r.Text, ",seed=77") || !strings.HasPrefix(r.Text, c.text) {
			t.Errorf("%s: text %q", c.text, r.Text)
		}
		when := r.When
		if !reflect.DeepEqual(when, c.want.When) {
			t.Errorf("%s: when %+v, want %+v", c.text, when, c.want.When)
		}
		r.When, c.want.When = nil, nil
		if got, want := jsonOf(t, r), jsonOf(t, c.want); got != want {
			t.Errorf("%s: %s, want %s", c.text, got, want)
		}
		if p.Lib != c.lib || p.Sym != c.sym || p.Pack != c.set {
			t.Errorf("%s: for %q %q %q, want %q %q %q", c.text, p.Lib, p.Sym, p.Pack, c.lib, c.sym, c.set)
		}
		// What the report tells must be what was asked for.
		again, _, _, err := ParseRule(c.kind, r.Text, 1, nil)
		if again.When = nil; err != nil || jsonOf(t, again) != jsonOf(t, r) {
			t.Errorf("%s: again %+v, %v", r.Text, again, err)
		}
	}
}

func jsonOf(t *testing.T, r Rule) string {
	t.Helper()
	b, err := json.Marshal(&r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A spec file has all of a rule; when it acts, and its seed, need no other plan.
func TestSpecWithRules(t *testing.T) {
	hash := map[uint64]bool{}
	for _, text := range []string{"write:errno=EIO,nth=3,path^=/data", "write:errno=EIO,every=7,p=0.25,seed=3,max=4,after=3s,path^=/data"} {
		s := NewSpec()
		for _, kind := range []RuleKind{RuleFault, RuleDeny} {
			r, p, _, err := ParseRule(kind, text, 1, nil)
			if err != nil {
				t.Fatal(err)
			}
			s.Rules = append(s.Rules, r)
			p.Rule = len(s.Rules)
			s.Probes = append(s.Probes, p)
		}
		b, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		hash[s.Hash()] = true
		got, err := ParseSpec(b)
		if err != nil {
			t.Fatal(err)
		}
		for i := range s.Rules {
			if a, b := jsonOf(t, s.Rules[i]), jsonOf(t, got.Rules[i]); a != b {
				t.Errorf("%s, read again %s", a, b)
			}
		}
		for _, bad := range []string{"rule 0 0 0 0 0 0 0 x fault y", "rule 0 0 fault y", "rule 0 0 0 0 0 0 0 0 delay y"} {
			lines := strings.Split(string(b), "\n")
			for i := range lines {
				if strings.HasPrefix(lines[i], "rule ") {
					lines[i] = bad
				}
			}
			if _, err := ParseSpec([]byte(strings.Join(lines, "\n"))); err == nil {
				t.Errorf("%q passes", bad)
			}
		}
	}
	if len(hash) != 1 {
		t.Error("when a rule acts changes the plan's key")
	}
}

// A caret stands where the error is.
func TestRuleErrorsPoint(t *testing.T) {
	for _, c := range []struct {
		kind RuleKind
		text string
		col  int
		msg  string
	}{
		{RuleFault, "libc:wirte:errno=EIO", 6, "unknown function"},
		{RuleFault, "write:errno=EIOO", 13, "unknown errno"},
		{RuleFault, "write:errno=EIO,nht=3", 17, "unknown item"},
		{RuleFault, "write:errno=EIO,count = 3", 17, "unknown item"},
		{RuleFault, "write:errno=EIO,count ^= 3", 17, "not a string"},
		{RuleFault, "connect:errno=EIO,addr~1.2.3.4.5", 24, "not a range"},
		{RuleFault, "sqlite3_step:errno=EIO", 20, "not tell its failure"},
		{RuleFault, "setjmp:ret=1", 1, ""},
		{RuleFault, "write:errno=EIO errno=EIO", 17, "expected ','"},
		{RuleFault, "write:errno=EIO,errno=EPERM", 23, "twice"},
		{RuleFault, ":errno=EIO", 1, ""},
		{RuleFault, "", 1, ""},
		{RuleFault, "write@count:errno=EIO", 1, "no instrument"},
		{RuleDelay, "write:1x", 7, "not a time"},
		{RuleDeny, "free:path^=/", 6, "no argument"},
	} {
		_, _, _, err := ParseRule(c.kind, c.text, 1, nil)
		var pe *ProbeError
		if !errors.As(err, &pe) || !strings.Contains(pe.Msg, c.msg) || pe.Col != c.col || pe.What == "" {
			t.Errorf("%q: %v, want %q at %d", c.text, err, c.msg, c.col)
		}
	}
}

func TestResolveRule(t *testing.T) {
	for _, c := range []struct {
		kind    RuleKind
		text    string
		what    uint8
		flags   uint8
		ret     int64
		errs    []uint16
		odd     bool
		comment string
	}{
		{RuleFault, "write:errno=ENOSPC", ActFault, RuleErrno, -1, []uint16{28}, false, "errno"},
		{RuleFault, "write:errno=EDOM", ActFault, RuleErrno, -1, []uint16{33}, true, "not one of its own"},
		{RuleFault, "fopen:errno=EMFILE", ActFault, RuleErrno, 0, []uint16{24}, false, "null"},
		{RuleFault, "mmap:errno=ENOMEM", ActFault, RuleErrno, -1, []uint16{12}, false, "MAP_FAILED"},
		{RuleFault, "pthread_create:errno=EAGAIN", ActFault, RuleCode, -1, []uint16{11}, false, "the code is the result"},
		{RuleFault, "getaddrinfo:ret=EAI_AGAIN", ActFault, 0, -3, nil, false, "negative code"},
		{RuleFault, "sqlite3_step:ret=SQLITE_BUSY", ActFault, 0, 5, nil, false, "code"},
		{RuleFault, "write:ret=0", ActFault, 0, 0, nil, false, "no failure at all"},
		{RuleFault, "read:ret=-1,errno=EINTR", ActFault, RuleErrno, -1, []uint16{4}, false, "both"},
		{RuleFault, "dup:any", ActFault, RuleErrno, -1, []uint16{9, 24}, false, "drawn"},
		{RuleFault, "sqlite3_close:any", ActFault, RuleCode, -1, []uint16{5}, false, "drawn code"},
		{RuleFault, "read:short=3", ActShort, 0, -1, nil, false, "short"},
		{RuleDeny, "execve", ActDeny, RuleErrno, -1, []uint16{13}, false, "EACCES"},
		{RuleDeny, "setsid", ActDeny, RuleErrno, -1, []uint16{1}, false, "EPERM where that is what it knows"},
		{RuleDeny, "sqlite3_exec", ActDeny, RuleCode, -1, []uint16{23}, false, "SQLITE_AUTH"},
		{RuleDeny, "getaddrinfo", ActDeny, RuleCode | RuleNeg, -1, []uint16{4}, false, "EAI_FAIL"},
		{RuleDeny, "sync", ActDeny, 0, 0, nil, false, "nothing to return"},
		{RuleAudit, "execve", ActAudit, 0, -1, nil, false, "audit"},
		{RuleDelay, "exit:1s", ActDelay, 0, -1, nil, false, "what ends the process can wait"},
	} {
		r, p, _, err := ParseRule(c.kind, c.text, 1, nil)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		h, _ := Lookup("", p.Sym)
		b, err := ResolveRule(h, &r)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		} else if b.What != c.what || b.Flags != c.flags || b.Ret != c.ret || !slices.Equal(b.Errs, c.errs) || b.Odd != c.odd {
			t.Errorf("%s (%s): %+v", c.text, c.comment, b)
		}
	}
}

// The table names functions that seam knows, and errors that exist; no function
// of the packs that sets errno is left out.
func TestErrnoTable(t *testing.T) {
	for name, errs := range documented() {
		h, ok := Lookup("", name)
		if !ok {
			t.Errorf("%s is in the table of errors, and not in that of functions", name)
			continue
		}
		for _, e := range errs {
			_, isErrno := errnoNumber(e)
			_, isCode := codeOf(h, e)
			if (h.Errno || h.Ret.Type == TErrno) != isErrno || !isErrno && !isCode {
				t.Errorf("%s: %s", name, e)
			}
		}
		if len(errs) == 0 || len(errs) != len(slices.Compact(slices.Sorted(slices.Values(errs)))) {
			t.Errorf("%s: %v", name, errs)
		}
	}
	for _, pack := range []string{"file", "net", "proc"} {
		for _, h := range PackHooks(pack) {
			if (h.Errno || h.Ret.Type == TErrno) && Errors(h.Name) == nil {
				t.Errorf("%s of pack %s: its errors are not in the table", h.Name, pack)
			}
		}
	}
}

func TestAddrRange(t *testing.T) {
	for text, want := range map[string][]byte{
		"10.0.0.0/8": {2, 8, 0, 0, 10, 0, 0, 0}, "127.0.0.1": {2, 32, 0, 0, 127, 0, 0, 1}, "1.2.3.4:443": {2, 32, 0xbb, 1, 1, 2, 3, 4},
		"fd00::/8": {10, 8, 0, 0, 0xfd}, "::1": {10, 128, 0, 0}, "[::1]:80": {10, 128, 80, 0}, "unix": {1, 0}, "unix:/run": {1, 4},
	} {
		b, n, ok := addrRange(text)
		if !ok || n < 20 || string(b[:len(want)]) != string(want) {
			t.Errorf("%s: % x %v", text, b[:n], ok)
		}
	}
	for _, text := range []string{"", "10.0.0/8", "10.0.0.0/33", "fe80::1%eth0", "unixx", "1.2.3.4:0", "unix:" + strings.Repeat("x", 45)} {
		if _, _, ok := addrRange(text); ok {
			t.Errorf("%q passes", text)
		}
	}
}

// Each example of the help must be what it claims.
func TestRuleHelp(t *testing.T) {
	n := 0
	for line := range strings.Lines(RuleHelp()) {
		f := strings.SplitN(strings.TrimSpace(line), " '", 2)
		if len(f) != 2 || !strings.HasPrefix(f[0], "--") {
			continue
		}
		text, _, _ := strings.Cut(f[1], "'")
		kind := map[string]RuleKind{"--fault": RuleFault, "--delay": RuleDelay, "--deny": RuleDeny, "--break": RuleBreak}[f[0]]
		if _, _, _, err := ParseRule(kind, text, 1, nil); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		n++
	}
	if n < 6 {
		t.Errorf("%d examples", n)
	}
}

func FuzzParseRule(f *testing.F) {
	for _, s := range []string{"write:errno=ENOSPC,nth=3", "libc:file:any,p=0.5,seed=9", "connect:addr!~fd00::/8", `a:b::c:ret=1,x^="\"",1&O_CREAT`, ":", "::", "a:", "a:,", "x:p=1e-300"} {
		for k := RuleFault; k <= RuleAudit; k++ {
			f.Add(uint8(k), s)
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, text string) {
		k := RuleKind(kind%4) + RuleFault
		r, p, _, err := ParseRule(k, text, 5, nil)
		if err != nil {
			var pe *ProbeError
			if !errors.As(err, &pe) || pe.Col < 1 || pe.Col > len(text)+1 {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		s := NewSpec()
		s.Rules = []Rule{r}
		p.Rule, p.Lib = 1, strings.ReplaceAll(p.Lib, "/", "")
		s.Probes = []Probe{p}
		b, err := s.Encode()
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if _, err := ParseSpec(b); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if _, _, _, err := ParseRule(k, r.Text, 6, nil); err != nil {
			t.Fatalf("%q is not again what %q was: %v", r.Text, text, err)
		}
	})
}
