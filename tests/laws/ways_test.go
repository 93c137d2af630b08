package laws

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// The four functions of waylib.c, by how seam reaches them.
var wayFunctions = []string{"way_plain", "way_short", "way_picked", "way_picked_short"}

func byPointer(which int) bool { return which&1 == 1 }

// wayLib compiles the library, under one name in its own folder for each build.
func wayLib(t *testing.T, flags ...string) string {
	t.Helper()
	dir := filepath.Join(harness.Shared(t), "ways"+strings.ReplaceAll(strings.Join(flags, ""), ",", "_"))
	lib := filepath.Join(dir, "libways.so")
	if _, err := os.Stat(lib); err == nil {
		return lib
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "versions")
	if err := os.WriteFile(script, []byte("WAYS_1 { global: way_*; local: *; };\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{harness.Program(t, "gcc"), "-O2", "-shared", "-fPIC", "-Wl,-soname,libways.so", "-Wl,--version-script=" + script, "-o", lib, testdata("waylib.c")}
	if r := harness.Run(t, harness.Cmd{Args: append(args, flags...)}); r.Code != 0 {
		t.Fatal(r)
	}
	return lib
}

// 12 ways to come by a function, 100 calls each, in programs and libraries linked in
// every fashion: all are seen, of functions that can be patched, and of those
// that can only be reached by the pointers to them.
func TestEveryReference(t *testing.T) {
	ways := []string{"direct", "table", "default", "next", "versioned", "handle", "inside", "own table", "before", "now", "lazy", "deep"}
	for name, build := range map[string]struct{ host, lib []string }{
		"plain":     {},
		"no plt":    {host: []string{"-fno-plt"}, lib: []string{"-fno-plt"}},
		"bind now":  {host: []string{"-Wl,-z,now"}, lib: []string{"-Wl,-z,now"}},
		"bind lazy": {host: []string{"-Wl,-z,lazy", "-Wl,-z,norelro"}, lib: []string{"-Wl,-z,lazy", "-Wl,-z,norelro"}},
		"symbolic":  {lib: []string{"-Wl,-Bsymbolic"}},
		"ibt":       {host: []string{"-fcf-protection=full", "-Wl,-z,ibtplt"}, lib: []string{"-fcf-protection=full", "-Wl,-z,ibtplt"}},
		"non-pie":   {host: []string{"-no-pie", "-fno-pie"}},
		"sysv hash": {host: []string{"-Wl,--hash-style=sysv"}, lib: []string{"-Wl,--hash-style=sysv"}},
		"relr":      {host: []string{"-Wl,-z,pack-relative-relocs"}, lib: []string{"-Wl,-z,pack-relative-relocs"}},
	} {
		t.Run(name, func(t *testing.T) {
			lib := wayLib(t, build.lib...)
			dir := filepath.Dir(lib)
			link := append([]string{"-L" + dir, "-lways", "-Wl,-rpath," + dir}, build.host...)
			host := program(t, "ways.c", append([]string{"-O1"}, link...)...)
			plugin := program(t, "ways.c", append([]string{"-O1", "-DPLUGIN", "-shared", "-fPIC"}, append([]string{"-L" + dir, "-lways", "-Wl,-rpath," + dir}, build.lib...)...)...)
			for which, fn := range wayFunctions {
				seen := append([]string(nil), ways...)
				var unseen []string
				if byPointer(which) && name != "non-pie" { // there the address is that of a stub of the program's
					// what code had computed before is beyond reach, and so is a call that the linker bound
					seen, unseen = without(seen, "before"), append(unseen, "before")
					if name == "symbolic" && which == 1 {
						seen, unseen = without(seen, "inside"), append(unseen, "inside")
					}
				}
				for _, group := range []struct {
					ways []string
					each uint64
				}{{seen, 100}, {unseen, 0}} {
					args := append([]string{host, fmt.Sprint(which), plugin}, group.ways...)
					rep := same(t, p("libways.so:"+fn), args...)
					rep.exact(t)
					if calls, _ := rep.function(fn); calls != group.each*uint64(len(group.ways)) {
						t.Errorf("%s: %d calls seen of %d, %v", fn, calls, group.each*uint64(len(group.ways)), group.ways)
						for _, way := range group.ways {
							_, rep := watched(t, p("libways.so:"+fn), host, fmt.Sprint(which), plugin, way)
							calls, _ := rep.function(fn)
							t.Logf("%s: %d", way, calls)
						}
					}
				}
			}
		})
	}
}

func without(list []string, s string) []string {
	var out []string
	for _, l := range list {
		if l != s {
			out = append(out, l)
		}
	}
	return out
}

// The same of a library that comes late: its own pointers are not relocated yet
// when it is patched. What an IFUNC picks cannot be asked then, and that is said.
func TestEveryReferenceLate(t *testing.T) {
	host := program(t, "waylate.c")
	for _, flags := range [][]string{nil, {"-Wl,-z,now"}, {"-Wl,-Bsymbolic"}, {"-Wl,-z,pack-relative-relocs", "-Wl,-Bsymbolic"}, {"-Wl,--hash-style=sysv"}} {
		lib := wayLib(t, flags...)
		for which, fn := range wayFunctions {
			t.Run(fmt.Sprint(flags, " ", fn), func(t *testing.T) {
				rep := same(t, p(lib+":"+fn), host, lib, fmt.Sprint(which))
				rep.exact(t)
				want := uint64(400) // before, too: its constructor has not run when it is patched
				if which == 1 && len(flags) > 0 && strings.Contains(fmt.Sprint(flags), "symbolic") {
					want = 200 // the linker has bound the call inside, and made the constructor compute the address
				}
				if which >= 2 {
					want = 0
					refused := false
					for _, r := range rep.Refusals {
						refused = refused || r.Reason == "ifunc"
					}
					if !refused {
						t.Errorf("it is not said that %s is not seen: %+v", fn, rep.Refusals)
					}
				}
				if calls, _ := rep.function(fn); calls != want {
					t.Errorf("%d calls, want %d", calls, want)
				}
			})
		}
	}
}

// libc's own IFUNCs, those of the vDSO among them, and what libc itself calls.
func TestPickedFunctions(t *testing.T) {
	exe := program(t, "picked.c", "-fno-builtin")
	for _, instrument := range []string{"log", "count", "hist"} {
		t.Run(instrument, func(t *testing.T) {
			fns := []string{"strlen", "memset", "time", "gettimeofday", "strcmp"}
			var probes []string
			for _, fn := range fns {
				probes = append(probes, "libc:"+fn+"@"+instrument)
			}
			rep := same(t, p(probes...), exe)
			rep.exact(t)
			for _, fn := range fns {
				if calls, _ := rep.function(fn); calls != 300 {
					t.Errorf("%s: %d calls, want 300", fn, calls)
				}
			}
		})
	}
	t.Run("all", func(t *testing.T) {
		for _, start := range starts {
			same(t, with(p("libc:mem*", "libc:str*", "libc:wcs*", "libc:wmem*", "libc:*cpy*", "libc:*time*"), "--start", start), exe).exact(t)
		}
	})
}
