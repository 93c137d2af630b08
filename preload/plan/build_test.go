package plan

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seam-project/seam/hooks"
)

func mustBuild(t testing.TB, lib string, probes ...hooks.Probe) *Plan {
	t.Helper()
	p, err := Build(open(t, lib), &hooks.Spec{Probes: probes})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *Plan) site(name string) *Site {
	for i := range p.Sites {
		if p.Sites[i].Name == name {
			return &p.Sites[i]
		}
	}
	return nil
}

func (p *Plan) refusal(name string) (r Refusal) {
	for _, r := range p.Refusals {
		if r.Name == name {
			return r
		}
	}
	return r
}

// TestKinds: which thunk a probe leads to, or why to none.
func TestKinds(t *testing.T) {
	failed := []hooks.Filter{{Kind: hooks.FilterFailed}}
	slow := []hooks.Filter{{Kind: hooks.FilterMinDuration, Value: 1000}}
	byFD := []hooks.Filter{{Kind: hooks.FilterInt, Arg: "fd", Cmp: hooks.CmpGT, Value: 2}}
	for _, tc := range []struct {
		name   string
		probe  hooks.Probe
		kind   Kind
		refuse Reason
	}{
		{"prototype", hooks.Probe{Sym: "read"}, Full, 0},
		{"count", hooks.Probe{Sym: "read", Instrument: hooks.Count}, Count, 0},
		{"count filtered at entry", hooks.Probe{Sym: "read", Instrument: hooks.Count, Filters: byFD}, Entry, 0},
		{"count of failures", hooks.Probe{Sym: "read", Instrument: hooks.Count, Filters: failed}, Full, 0},
		{"histogram", hooks.Probe{Sym: "read", Instrument: hooks.Hist}, Full, 0},
		{"hook is entry-only", hooks.Probe{Sym: "dlsym"}, Entry, 0},
		{"histogram of entry-only", hooks.Probe{Sym: "dlsym", Instrument: hooks.Hist}, 0, NeedsReturn},
		{"duration of entry-only", hooks.Probe{Sym: "dlsym", Filters: slow}, 0, NeedsReturn},
		{"count of entry-only", hooks.Probe{Sym: "dlsym", Instrument: hooks.Count}, Count, 0},
		{"returns twice, not hooked", hooks.Probe{Sym: "_setjmp"}, Entry, ReturnsTwiceOrCaller},
		{"no prototype, registers only", hooks.Probe{Sym: "argz_count"}, Full, 0},
		{"no prototype, variadic", hooks.Probe{Sym: "obstack_printf"}, Entry, StackArgsUnknown},
		{"histogram of unknown arity", hooks.Probe{Sym: "obstack_printf", Instrument: hooks.Hist}, 0, NeedsReturn},
		{"ifunc", hooks.Probe{Sym: "strlen"}, Full, 0},
		{"variable", hooks.Probe{Sym: "stdout"}, 0, DataSymbol},
		{"protected", hooks.Probe{Sym: "__stack_chk_fail"}, 0, Protected},
		{"no such argument", hooks.Probe{Sym: "read", Filters: []hooks.Filter{{Kind: hooks.FilterInt, Arg: "nope", Cmp: hooks.CmpEQ}}}, 0, BadFilter},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.probe.Instrument == 0 {
				tc.probe.Instrument = hooks.Log
			}
			p := mustBuild(t, libc, tc.probe)
			var kind Kind
			if s := p.site(tc.probe.Sym); s != nil {
				kind = s.Kind
				if s.Instrument != uint8(tc.probe.Instrument) || len(s.Filters) != len(tc.probe.Filters) {
					t.Errorf("instrument %d, filters %v", s.Instrument, s.Filters)
				}
			}
			if r := p.refusal(tc.probe.Sym); kind != tc.kind || r.Reason != tc.refuse {
				t.Errorf("kind %v, reason %v (%s); want %v, %v", kind, r.Reason, r.Detail, tc.kind, tc.refuse)
			}
			if tc.kind == 0 && len(p.Sites) != 0 && p.site(tc.probe.Sym) != nil {
				t.Error("refused, and planned")
			}
		})
	}
}

func TestSiteFromPrototype(t *testing.T) {
	p := mustBuild(t, libc, hooks.Probe{Lib: "libc", Sym: "write", Instrument: hooks.Log,
		Filters: []hooks.Filter{{Kind: hooks.FilterInt, Arg: "fd", Cmp: hooks.CmpEQ, Value: -1}}})
	s := p.site("write")
	if s == nil {
		t.Fatalf("no site: %v", p.Refusals)
	}
	h, _ := hooks.Lookup("libc.so.6", "write")
	if s.NRegs != 3 || s.NStack != 0 || s.FailOp != uint8(h.Fail.Op) || s.FailVals != h.Fail.Vals || s.Flags&FlagErrno == 0 {
		t.Errorf("site %+v", s)
	}
	if len(s.Ops) != len(hooks.Ops(h)) || len(s.Def) == 0 {
		t.Errorf("ops %v, definition of %d bytes", s.Ops, len(s.Def))
	}
	if f := s.Filters[0]; f.What != filtInt || f.Arg != 0 || f.Width != 4 || !f.Signed || f.Value != -1 {
		t.Errorf("filter %+v", f)
	}
}

// TestAliases: code with several names is patched once, under the name asked
// for, and known by the name that has a prototype.
func TestAliases(t *testing.T) {
	byName := mustBuild(t, libc, hooks.Probe{Sym: "__write", Instrument: hooks.Log}, hooks.Probe{Sym: "write", Instrument: hooks.Count})
	if s := byName.site("__write"); len(byName.Sites)-internalCount(byName) != 1 || s == nil || s.NRegs != 3 || s.Instrument != uint8(hooks.Log) {
		t.Errorf("sites %+v", byName.Sites)
	}
	byGlob := mustBuild(t, libc, hooks.Probe{Sym: "*write", Instrument: hooks.Log})
	if byGlob.site("write") == nil || byGlob.site("__write") != nil {
		t.Error("a pattern prefers the odd name")
	}
	seen := map[uint64]string{}
	for _, s := range mustBuild(t, libc, hooks.Probe{Sym: "*"}).Sites {
		if s.Picker != 0 {
			continue // two may pick the same; the core patches it once
		}
		if other, ok := seen[s.Vaddr]; ok {
			t.Errorf("%s and %s at %x", s.Name, other, s.Vaddr)
		}
		seen[s.Vaddr] = s.Name
	}
}

// internal: nobody asked for the site but the core itself.
func (s *Site) internal() bool { return s.Kind == Guard || s.Kind == Watch }

func internalCount(p *Plan) (n int) {
	for i := range p.Sites {
		if p.Sites[i].internal() {
			n++
		}
	}
	return n
}

func guardCount(p *Plan) (n int) {
	for i := range p.Sites {
		if p.Sites[i].Flags&FlagGuard != 0 {
			n++
		}
	}
	return n
}

func TestFirstProbeWins(t *testing.T) {
	p := mustBuild(t, libc,
		hooks.Probe{Sym: "rea[d]", Instrument: hooks.Hist},
		hooks.Probe{Sym: "read", Instrument: hooks.Log})
	if s := p.site("read"); s == nil || s.Instrument != uint8(hooks.Hist) {
		t.Errorf("site %+v", s)
	}
}

func TestPacks(t *testing.T) {
	for _, tc := range []struct{ pack, lib, sym string }{
		{"file", libc, "open"}, {"net", libc, "connect"}, {"proc", libc, "fork"}, {"sqlite", sqlite, "sqlite3_step"},
	} {
		pr, ok := hooks.PackProbe(tc.pack)
		if !ok {
			t.Fatalf("no pack %s", tc.pack)
		}
		p := mustBuild(t, tc.lib, pr)
		s := p.site(tc.sym)
		if s == nil || s.Kind == Guard {
			t.Fatalf("%s: no site for %s", tc.pack, tc.sym)
		}
		for i := range p.Sites {
			if h, ok := hooks.Lookup(tc.lib, p.Sites[i].Name); !p.Sites[i].internal() && (!ok || h.Pack != tc.pack) {
				t.Errorf("%s: site for %s, which is not in it", tc.pack, p.Sites[i].Name)
			}
		}
		other := map[string]string{libc: sqlite, sqlite: libc}[tc.lib]
		if q := mustBuild(t, other, pr); len(q.Sites)-internalCount(q) != 0 {
			t.Errorf("%s: sites in %s", tc.pack, other)
		}
	}
}

// TestGuards: as soon as anything anywhere reads memory, libc's plan watches
// the functions that unmap it.
func TestGuards(t *testing.T) {
	want := []string{"brk", "madvise", "mmap", "mprotect", "mremap", "munmap", "sbrk", "shmat", "shmdt"}
	guards := func(p *Plan) (names []string) {
		for i := range p.Sites {
			if p.Sites[i].Kind == Guard && slices.Contains(want, p.Sites[i].Name) {
				names = append(names, p.Sites[i].Name)
			}
		}
		slices.Sort(names)
		return names
	}
	pack, _ := hooks.PackProbe("sqlite")
	if got := guards(mustBuild(t, libc, pack)); !slices.Equal(got, want) {
		t.Errorf("guards for the sqlite pack: %v", got)
	}
	if p := mustBuild(t, sqlite, pack); guardCount(p) != 0 {
		t.Error("guards outside libc")
	}
	if p := mustBuild(t, libc, hooks.Probe{Sym: "getpid", Instrument: hooks.Log}); len(guards(p)) != 0 {
		t.Error("guards although nothing is read")
	} else if guardCount(p) != len(confiners) {
		t.Errorf("%d guards, want the %d functions by which a process confines itself", guardCount(p), len(confiners))
	}
	prefix := hooks.Probe{Sym: "getenv", Instrument: hooks.Count, Filters: []hooks.Filter{{Kind: hooks.FilterPrefix, Arg: "name", Cmp: hooks.CmpEQ, Str: "L"}}}
	if p := mustBuild(t, libc, prefix); len(guards(p)) == 0 {
		t.Error("no guards although a filter reads a string")
	}
	p := mustBuild(t, libc, pack, hooks.Probe{Sym: "munmap", Instrument: hooks.Log})
	if s := p.site("munmap"); s == nil || s.Kind != Full || s.Flags&FlagGuard == 0 {
		t.Errorf("a probed guard: %+v", s)
	}
	for i := range p.Sites {
		if s := &p.Sites[i]; s.Kind == Guard && (s.Instrument != 0 || s.Flags != FlagGuard && s.Watch == WatchNone || len(s.Def) != 0) {
			t.Errorf("guard site %+v", s)
		}
	}
}

// TestWatches: libc's plan always tells the core how processes come about, and
// what executes programs.
func TestWatches(t *testing.T) {
	probe := hooks.Probe{Sym: "getpid", Instrument: hooks.Log}
	follow := func(f hooks.Follow, probes ...hooks.Probe) *Plan {
		obj, err := Open(libc)
		if err != nil {
			t.Fatal(err)
		}
		defer obj.Close()
		p, err := Build(obj, &hooks.Spec{Probes: probes, Follow: f})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, f := range []hooks.Follow{hooks.FollowInherit, hooks.FollowAlways, hooks.FollowNever} {
		p := follow(f, probe)
		for name, want := range map[string]Site{
			"vfork": {Kind: Watch, Watch: WatchVfork}, "clone": {Kind: Watch, Watch: WatchClone},
			"posix_spawn": {Kind: Guard, Watch: WatchSpawn}, "wait4": {Kind: Guard, Watch: WatchWait4}, "waitid": {Kind: Guard, Watch: WatchWaitid},
			"_exit": {Kind: Watch, Watch: WatchExit},
		} {
			if s := p.site(name); s == nil || s.Kind != want.Kind || s.Watch != want.Watch {
				t.Errorf("%v: %s: %+v", f, name, s)
			}
		}
		for _, name := range []string{"execve", "execveat", "fexecve"} {
			if s := p.site(name); s == nil || s.Kind != Watch {
				t.Errorf("%v: %s: %+v", f, name, s)
			}
		}
		// always there, see confiners
		if s := p.site("syscall"); s == nil || s.Kind != Guard || s.Watch != WatchSyscall {
			t.Errorf("%v: syscall: %+v", f, s)
		}
		if _, err := Decode(p.Encode()); err != nil {
			t.Error(err)
		}
	}
	p := follow(hooks.FollowAlways, hooks.Probe{Sym: "execve", Instrument: hooks.Log}, hooks.Probe{Sym: "vfork", Instrument: hooks.Count})
	if s := p.site("execve"); s == nil || s.Kind != Full || s.Watch != WatchExecve {
		t.Errorf("a probed execve: %+v", s)
	}
	if s := p.site("vfork"); s == nil || s.Kind != Count || s.Watch != WatchVfork {
		t.Errorf("a counted vfork: %+v", s)
	}
}

func TestBuildIsPure(t *testing.T) {
	probes := []hooks.Probe{{Lib: "libc", Sym: "str*"}, {Lib: "libc", Sym: "*open*", Instrument: hooks.Count}}
	a, b := mustBuild(t, libc, probes...).Encode(), mustBuild(t, libc, probes...).Encode()
	if string(a) != string(b) {
		t.Error("two plans of the same differ")
	}
}

func TestNothingHere(t *testing.T) {
	p := mustBuild(t, libc, hooks.Probe{Lib: "libssl", Sym: "*"})
	if len(p.Sites)+len(p.Refusals) != internalCount(p) {
		t.Errorf("sites in an object the probe does not name: %v", p.Sites)
	}
	if _, err := Decode(p.Encode()); err != nil {
		t.Error(err)
	}
}

func TestUnsupportedObject(t *testing.T) {
	if _, err := Build(&Object{Class: ClassELF64, Machine: MachineARM64}, &hooks.Spec{}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("error %v", err)
	}
}

func TestExplain(t *testing.T) {
	p := mustBuild(t, libc, hooks.Probe{Sym: "read", Instrument: hooks.Log}, hooks.Probe{Sym: "strlen", Instrument: hooks.Log}, hooks.Probe{Sym: "obstack_printf", Instrument: hooks.Log})
	for name, want := range map[string][]string{
		"read":           {"read: full", "before", "after", "jmp thunk", "trampoline", "jmpq"},
		"strlen":         {"strlen: full at 0x", "by all pointers to what 0x", "picks"},
		"obstack_printf": {"entry only (stack-arguments-unknown)", "trampoline"},
	} {
		got := p.Explain(name)
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: no %q in\n%s", name, w, got)
			}
		}
	}
	if got := p.Explain("nonesuch"); got != "" {
		t.Errorf("explained what is not there: %q", got)
	}
}

func TestReasonsAreClosed(t *testing.T) {
	names := map[string]bool{}
	for i, r := range Reasons() {
		if int(r.ID) != i+1 || r.Name == "" || r.Sentence == "" || r.Advice == "" || names[r.Name] {
			t.Errorf("row %d: %+v", i, r)
		}
		names[r.Name] = true
	}
	if Reason(200).String() != "unknown-reason" || Reason(0).String() != "unknown-reason" {
		t.Error("numbers outside the list have names")
	}
}

func TestLibMatches(t *testing.T) {
	o := &Object{Path: "/opt/x/libc.so.6", Soname: "libc.so.6"}
	versioned := &Object{Path: "/opt/x/libc-2.31.so", Soname: "libc.so.6"}
	for _, tc := range []struct {
		pattern string
		obj     *Object
		want    bool
	}{
		{"", o, true}, {"libc", o, true}, {"libc", versioned, true}, {"libc.so.6", versioned, true}, {"libcrypt", o, false},
		{"libc*", o, true}, {"/opt/x/libc.so.6", o, true}, {"/opt/*/libc*", o, true}, {"/lib/libc.so.6", o, false}, {"lib", o, false},
	} {
		if got := LibMatches(tc.pattern, tc.obj); got != tc.want {
			t.Errorf("%q matches %s: %v", tc.pattern, tc.obj.Path, got)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"open", "openat", "read", "sqlite3_step", "sqlite3_reset"}
	if d := cmp.Diff([]string{"sqlite3_step"}, Nearest("sqlite3_setp", names, 1)); d != "" {
		t.Error(d)
	}
	if got := Nearest("zzzzzzzz", names, 3); len(got) != 0 {
		t.Errorf("nearest to nothing: %v", got)
	}
}
