package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/tests/harness"
)

// nwork builds testdata/nwork_host.c, its library, and the callbacks for one case.
func nwork(t testing.TB, defines ...string) (host, callbacks string) {
	t.Helper()
	gcc, src := harness.Program(t, "gcc"), filepath.Join(harness.Root(), "tests/e2e/testdata")
	dir := filepath.Join(harness.Shared(t), "nwork")
	compileMu.Lock()
	defer compileMu.Unlock()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	build := func(out string, args ...string) string {
		out = filepath.Join(dir, out)
		if _, ok := compiled[out]; !ok {
			r := harness.Run(t, harness.Cmd{Args: append([]string{gcc, "-O2", "-g", "-Wall", "-Wno-unused", "-Werror", "-pthread", "-o", out}, args...)})
			if r.Code != 0 {
				t.Fatalf("build %s: %v", out, r)
			}
			compiled[out] = out
		}
		return out
	}
	lib := build("nwork.so", "-shared", "-fPIC", filepath.Join(src, "nwork.c"))
	host = build("nwork_host", filepath.Join(src, "nwork_host.c"), lib)
	flags := []string{"-shared", "-fPIC", "-I" + filepath.Join(harness.Root(), "hooks/native"), filepath.Join(src, "nwork_cb.c")}
	for _, d := range defines {
		flags = append(flags, "-D"+d)
	}
	return host, build("cb_"+strings.Join(defines, "_")+".so", flags...)
}

const nworkProtos = "int work(int n) fails < 0; long work8(long a, long b, long c, long d, long e, long f, long g, long h)"

// native runs nwork_host.c with the callbacks of a case, and returns its lines.
func native(t *testing.T, flags []string, defines []string, args ...string) ([]string, *report.Report) {
	t.Helper()
	host, cb := nwork(t, defines...)
	res, r := watch(t, append([]string{"--native", cb, "--proto", nworkProtos}, flags...), harness.Cmd{Args: append([]string{host}, args...)})
	if res.Code != 0 || res.Signal != 0 || res.Stderr != "" {
		t.Fatalf("%q %q: %v", defines, args, res)
	}
	if !strings.ContainsRune(strings.Join(flags, " "), '@') { // else the acts are events, and the calls counted
		exact(t, r)
	}
	return strings.Split(strings.TrimSpace(res.Stdout), "\n"), r
}

// What callbacks change, the program gets, and the stream has; the rest stays as it is.
func TestNativeCallbacks(t *testing.T) {
	want := []string{"1 2 77", "5 14 77", "6 -5 25", "20 1020 10", "-3 -1 34", "33654391"}
	want[5] = fmt.Sprint(1 + 90 + 300 + 4000 + 50000 + 600000 + 7000000 + 30000000)
	for _, flags := range [][]string{{"-p", "nwork:work*"}, {"-H", "none"}, {"-p", "nwork:work@hist"}, {"-p", "nwork:work@count"}, {"-p", "nwork:work slower 1h"}} {
		lines, r := native(t, flags, []string{"CASE_BASIC"}, "basic")
		if strings.Join(lines, ",") != strings.Join(want, ",") {
			t.Errorf("%q: %q, want %q", flags, lines, want)
		}
		for n, acted := range map[int]uint64{1: 2, 2: 1, 3: 1, 4: 1, 5: 0} {
			if u := rule(t, r, n); u.Kind != "native" || u.Acted != acted || u.Skipped != 0 {
				t.Errorf("%q: rule %d acted %d times: %+v", flags, n, acted, u)
			}
		}
		if len(flags) == 2 && flags[0] == "-p" && strings.HasSuffix(flags[1], "*") {
			if f := function(r, "work"); f.Calls != 5 || f.Errors != 2 {
				t.Errorf("%+v", f)
			}
		} else if f := function(r, "work8"); f.Calls != 1 {
			t.Errorf("%q: each act is an event: %+v", flags, f)
		}
	}
}

// Callbacks that do what they should not. The host's results are right, and its calls go on
// being recorded.
func TestNativeDefence(t *testing.T) {
	probe := []string{"-p", "nwork:work"}
	t.Run("calls its own function", func(t *testing.T) {
		lines, r := native(t, probe, []string{"CASE_SELF"}, "basic")
		if lines[3] != "20 80 77" || function(r, "work").Calls != 5 {
			t.Errorf("%q %+v", lines, r.Functions)
		}
	})
	t.Run("errs", func(t *testing.T) {
		lines, r := native(t, probe, []string{"CASE_ERRS"}, "many", "3000")
		if strings.Join(lines, ",") != "bad 0,called 1000" || function(r, "work").Calls != 3000 {
			t.Errorf("%q %+v", lines, r.Functions)
		}
		said := 0
		for _, x := range r.Refusals {
			if x.Reason == "native-off" {
				said++
			}
		}
		if u := rule(t, r, 1); said != 1 || u.Skipped != 1000 || u.Acted != 0 {
			t.Errorf("switched off: said %d times, %+v %+v", said, u, r.Refusals)
		}
	})
	for _, c := range [][]string{{"CASE_FORKS"}, {"CASE_FORKS", "AFTER"}} {
		t.Run(strings.Join(c, " "), func(t *testing.T) {
			lines, r := native(t, probe, c, "fork")
			got := strings.Join(lines, ",")
			if strings.Count(got, "3 6 77") != 2 || !strings.Contains(got, "4 8 77") || !strings.HasSuffix(got, "child 1,5 10 77") {
				t.Errorf("%q", lines)
			}
			if f := function(r, "work"); f.Calls < 4 || f.Calls > 5 {
				t.Errorf("%+v", f)
			}
		})
	}
	for _, c := range [][]string{{"CASE_JUMP"}, {"CASE_JUMP", "AFTER"}} {
		t.Run(strings.Join(c, " "), func(t *testing.T) {
			lines, r := native(t, probe, c, "jump")
			if lines[0] != "jumped 99 bad 0 cancelled 1" {
				t.Errorf("%q", lines)
			}
			if f := function(r, "work"); c[len(c)-1] == "AFTER" && f.Calls != 401 || f.Calls < 301 {
				t.Errorf("%+v", f)
			}
		})
	}
	for _, mode := range []string{"threads", "signal", "vfork"} {
		t.Run(mode, func(t *testing.T) {
			lines, r := native(t, probe, []string{"CASE_COUNT"}, mode)
			var called uint64
			if lines[0] != "bad 0" || len(lines) != 2 {
				t.Fatalf("%q", lines)
			}
			if _, err := fmt.Sscanf(lines[1], "called %d", &called); err != nil {
				t.Fatal(err)
			}
			if f := function(r, "work"); called != 2*f.Calls || f.Calls < 40 {
				t.Errorf("%d times called, for %d calls", called, f.Calls)
			}
		})
	}
}
