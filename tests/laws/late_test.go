package laws

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// lateHost is a program that loads libraries late, in many ways, and two builds of a
// library for it, each of which calls late_inner three times in its constructor.
func lateHost(t *testing.T) (host, one, two string) {
	t.Helper()
	host = program(t, "latehost.c")
	one = program(t, "lateplugin.c", "-shared", "-fPIC")
	two = program(t, "lateplugin.c", "-shared", "-fPIC", "-DNUMBER=2")
	return
}

// Patched before their constructors run, whichever way they come, and whoever
// has to plan: by name nobody can foresee them, by path the launcher does.
func TestLateLibraries(t *testing.T) {
	host, lib, _ := lateHost(t)
	for _, way := range []struct {
		name  string
		calls uint64
	}{{"now", 13}, {"lazy", 13}, {"global", 13}, {"local", 13}, {"deepbind", 13}, {"threads", 83}, {"namespace", 65}} {
		for what, probe := range map[string]string{"by name": filepath.Base(lib), "by path": lib} {
			for _, start := range []string{"demand", "now", "never"} {
				t.Run(way.name+" "+what+" "+start, func(t *testing.T) {
					rep := same(t, with(p(probe+":late_*"), "--start", start), host, way.name, lib)
					rep.exact(t)
					for _, fn := range []string{"late_work", "late_inner"} {
						if calls, _ := rep.function(fn); calls != way.calls {
							t.Errorf("%s: %d calls, want %d, the constructor's among them", fn, calls, way.calls)
						}
					}
				})
			}
		}
	}
}

// What libc loads for itself.
func TestModulesOfLibc(t *testing.T) {
	host, _, _ := lateHost(t)
	for _, tc := range []struct{ way, probe, function string }{
		{"names", "libnss_compat*:_nss_compat_*", "_nss_compat_getpwnam_r"},
		{"charset", "CP1252.so:gconv*", "gconv"},
	} {
		t.Run(tc.way, func(t *testing.T) {
			rep := same(t, p(tc.probe), host, tc.way)
			rep.exact(t)
			if calls, _ := rep.function(tc.function); calls == 0 {
				t.Errorf("%s was not seen", tc.function)
			}
		})
	}
}

// In an auditor's program, objects have a namespace more: with a second libc,
// which runs inside the loader.
func TestAudited(t *testing.T) {
	host, lib, _ := lateHost(t)
	audit := program(t, "audit.c", "-shared", "-fPIC")
	for _, way := range []string{"now", "namespace"} {
		for _, start := range []string{"demand", "now"} {
			want := uint64(13)
			if way == "namespace" {
				want = 65
			}
			t.Run(way+" "+start, func(t *testing.T) {
				flags := with(p("*:late_inner", "libc:*", "ld-linux*:*"), "--start", start)
				rep := sameCmd(t, flags, harness.Cmd{Args: []string{host, way, lib}, Env: []string{"LD_AUDIT=" + audit}})
				rep.exact(t)
				if calls, _ := rep.function("late_inner"); calls != want {
					t.Errorf("%d calls, want %d", calls, want)
				}
			})
		}
	}
}

// A plugin in forked workers, whose parent records already, or has nothing yet,
// with and without the agent.
func TestLateInWorkers(t *testing.T) {
	host, lib, _ := lateHost(t)
	const workers = "100"
	for name, probes := range map[string][]string{
		"nothing else": p(filepath.Base(lib) + ":late_inner"),
		"parent too":   p(filepath.Base(lib)+":late_inner", "libc:fork"),
		"by path":      p(lib+":late_inner", "libc:fork"),
	} {
		for _, start := range []string{"demand", "now"} {
			t.Run(name+" "+start, func(t *testing.T) {
				rep := same(t, with(probes, "--start", start), host, "workers", lib, workers)
				rep.exact(t)
				if calls, _ := rep.function("late_inner"); calls != 1300 {
					t.Errorf("%d calls, want 1300", calls)
				}
			})
		}
	}
}

// Unloaded and loaded again, alternating with another build of the same
// library, mostly at the same place: nothing stale, nothing lost, and nothing grows.
func TestReload(t *testing.T) {
	host, one, two := lateHost(t)
	for _, start := range []string{"never", "now"} {
		t.Run(start, func(t *testing.T) {
			probes := p(filepath.Base(one)+":late_inner", filepath.Base(two)+":late_inner")
			args := []string{host, "reload", one, two, "6000"}
			if start == "never" {
				args = append(args, "growth") // the agent's threads take memory when they like
			}
			rep := same(t, with(probes, "--start", start), args...)
			rep.exact(t)
			if calls, _ := rep.function("late_inner"); calls != 6000*13 {
				t.Errorf("%d calls, want %d", calls, 6000*13)
			}
			n := 0
			for _, f := range rep.Functions {
				if strings.HasPrefix(f.Name, "late_") {
					n++
				}
			}
			if n != 2 {
				t.Errorf("two functions are told as %d", n)
			}
		})
	}
}
