package live

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/tests/harness"
)

// counts fails unless the report knows these calls.
func counts(t *testing.T, rep *report.Report, want map[string]uint64) {
	t.Helper()
	exact(t, rep)
	for name, n := range want {
		if got := calls(rep, name); got != n {
			t.Errorf("%s: %d calls, want %d", name, got, n)
		}
	}
}

func steps(t *testing.T, first []string, args ...string) (harness.Result, *report.Report) {
	t.Helper()
	res, rep := run(t, time.Minute, first, append([]string{compile(t, "steps.c", "-ldl")}, args...)...)
	if res.Code != 0 || res.Signal != 0 {
		t.Fatal(res)
	}
	return res, rep
}

// TestForms puts a probe on functions of each shape and takes it off, twice; they return what they should
// in every state, and calls in between are recorded exactly.
func TestForms(t *testing.T) {
	on, off := spec(t, "live-steps:five", "live-steps:two", "live-steps:push1", "live-steps:push2", "live-steps:across", "live-steps:never", "live-steps:loops", "live-steps:turns"), spec(t)
	fns := []string{"five", "two", "push1", "push2", "across", "never", "loops", "turns"}
	var args []string
	all := func(n string) {
		for _, f := range fns {
			args = append(args, f+":"+n)
		}
	}
	for range 2 {
		all("1000")
		args = append(args, "spec:"+on)
		all("10")
		args = append(args, "spec:"+off)
	}
	all("1000")
	res, rep := steps(t, []string{"-p", "libc:getsid"}, args...)
	counts(t, rep, map[string]uint64{"five": 20, "two": 20, "push1": 20, "push2": 20, "across": 20, "never": 0, "loops": 0, "turns": 0})
	for _, f := range []string{"never", "loops", "turns"} {
		if n := strings.Count(res.Stdout, f+" not-live"); n != 2 {
			t.Errorf("%s: said %d times that it is not live, want 2\n%s", f, n, res.Stdout)
		}
	}
}

// TestOfTheStart takes out what was put in before the program ran, and puts it in again.
func TestOfTheStart(t *testing.T) {
	fns := []string{"five", "two", "push1", "push2", "across", "never", "loops", "turns"}
	var first, args []string
	for _, f := range fns {
		first = append(first, "-p", "live-steps:"+f)
	}
	probes := make([]string, len(fns))
	for i, f := range fns {
		probes[i] = "live-steps:" + f
	}
	all := func(n string) {
		for _, f := range fns {
			args = append(args, f+":"+n)
		}
	}
	on, off := spec(t, probes...), spec(t)
	all("10")
	args = append(args, "spec:"+off)
	all("1000")
	args = append(args, "spec:"+on)
	all("10")
	args = append(args, "spec:"+off)
	all("1000")
	_, rep := steps(t, first, args...)
	// What can't be put in again was in once. `across` and `never` can't be taken out: they were
	// silent, and speak again.
	counts(t, rep, map[string]uint64{"five": 20, "two": 20, "push1": 20, "push2": 20, "across": 20, "never": 20, "loops": 10, "turns": 10})
}

// TestChanges: another filter, another instrument, another kind; what is the same stays.
func TestChanges(t *testing.T) {
	big, small, count, hist := spec(t, "live-steps:five if 0 >= 90", "libc:getsid"), spec(t, "live-steps:five if 0 < 5", "libc:getsid"), spec(t, "live-steps:five@count", "libc:getsid"), spec(t, "live-steps:five@hist", "libc:getsid")
	_, rep := steps(t, []string{"-p", "libc:getsid"}, "getsid:5", "spec:"+big, "five:100", "getsid:5", "spec:"+small, "five:100", "getsid:5",
		"spec:"+count, "five:100", "getsid:5", "spec:"+hist, "five:100", "spec:"+big, "five:91", "getsid:5")
	counts(t, rep, map[string]uint64{"five": 10 + 5 + 100 + 100 + 1, "getsid": 25})
}

// TestBadSpec: what can't be read changes nothing.
func TestBadSpec(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad")
	if err := os.WriteFile(bad, []byte("seam-spec 1\nhash 1\nplans /nowhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	res, rep := steps(t, []string{"-p", "libc:getsid"}, "getsid:5", "spec:"+bad, "getsid:5", "spec:"+bad+".none", "getsid:5")
	counts(t, rep, map[string]uint64{"getsid": 15})
	if strings.Count(res.Stdout, "error") != 2 {
		t.Errorf("want two errors:\n%s", res.Stdout)
	}
}

// TestChildFollows: a forked child has no agent. It changes itself at its next
// call of a patched function.
func TestChildFollows(t *testing.T) {
	for _, instrument := range []string{"log", "count"} {
		t.Run(instrument, func(t *testing.T) {
			was, is := "libc:getppid@"+instrument, "libc:getpgid@"+instrument
			to := spec(t, "libc:getsid@"+instrument, is)
			_, rep := steps(t, []string{"-p", "libc:getsid@" + instrument, "-p", was}, "getppid:3", "follow:20", "spec:"+to, "child", "getpgid:7", "getppid:100")
			counts(t, rep, map[string]uint64{"getppid": 3, "getpgid": 7, "getsid": 20})
		})
	}
}

// TestGrandchildInherits: who is forked after a change has it.
func TestGrandchildInherits(t *testing.T) {
	to := spec(t, "libc:getpgid")
	_, rep := steps(t, []string{"-p", "libc:getppid"}, "getppid:3", "spec:"+to, "getppid:50", "getpgid:1", "follow:0", "child", "getpgid:7", "getppid:100")
	counts(t, rep, map[string]uint64{"getppid": 3, "getpgid": 8})
}

// TestLateLibraries: those that come after a change are patched by the new spec, and
// dormant probes say so.
func TestLateLibraries(t *testing.T) {
	plugin := filepath.Join(harness.Shared(t), "live-plugin.so")
	once(plugin, func(out string) {
		r := harness.Run(t, harness.Cmd{Args: []string{harness.Program(t, "gcc"), "-O2", "-shared", "-fPIC", "-o", out,
			filepath.Join(harness.Root(), "tests/live/testdata/plugin.c")}})
		if r.Code != 0 {
			t.Fatal(r)
		}
	})
	on, off := spec(t, "live-plugin:late_work", "libc:getsid"), spec(t, "libc:getsid")
	res, rep := steps(t, []string{"-p", "libc:getsid"}, "plugin:"+plugin, "spec:"+on, "plugin:"+plugin, "plugin:"+plugin, "getsid:2", "spec:"+off, "plugin:"+plugin,
		"spec:"+on, "plugin:"+plugin)
	counts(t, rep, map[string]uint64{"late_work": 30, "getsid": 2})
	if strings.Contains(res.Stdout, "late_work") {
		t.Errorf("the probe was dormant:\n%s", res.Stdout)
	}
}

// TestRigid: a system that lets no code be changed. What is not wanted any more
// is silent, and what is wanted is refused.
func TestRigid(t *testing.T) {
	on, off := spec(t, "libc:getppid", "libc:getsid"), spec(t, "libc:getsid")
	res, rep := steps(t, []string{"-p", "libc:getsid", "-p", "libc:getpgid"}, "getpgid:5", "rigid:0", "spec:"+on, "getpgid:50", "getppid:50", "getsid:5",
		"spec:"+off, "getsid:5", "spec:"+spec(t, "libc:getpgid", "libc:getsid"), "getpgid:5")
	if strings.Contains(res.Stdout, "no MDWE") {
		t.Skip("this kernel has no PR_SET_MDWE; Linux 6.3 does")
	}
	counts(t, rep, map[string]uint64{"getpgid": 10, "getppid": 0, "getsid": 10})
	if !strings.Contains(res.Stdout, "getppid patch-forbidden") {
		t.Errorf("getppid is not said to be refused:\n%s", res.Stdout)
	}
}

// TestOwnSitesStay: what the core itself must hear of - here, that the process
// confines itself - it hears of when the probe there is gone, too.
func TestOwnSitesStay(t *testing.T) {
	for _, first := range [][]string{{"-p", "libc:getsid"}, {"-p", "libc:getsid", "-p", "libc:prctl", "-p", "libc:munmap"}} {
		to := spec(t, "libc:getsid@count", "libc:prctl")
		_, rep := steps(t, first, "spec:"+to, "spec:"+spec(t), "spec:"+to, "spec:"+spec(t, "libc:getsid"), "getsid:5", "confine:0", "getsid:100")
		counts(t, rep, map[string]uint64{"getsid": 105, "prctl": 0})
		if rep.Account.Notes["confined"] != 1 {
			t.Errorf("notes %v: want one process that confined itself", rep.Account.Notes)
		}
	}
}

// TestUnplanned: where no plan can be had, what is there stays as it is, and the state says so.
func TestUnplanned(t *testing.T) {
	lib := filepath.Join(t.TempDir(), "libplain.so")
	r := harness.Run(t, harness.Cmd{Args: []string{harness.Program(t, "gcc"), "-O2", "-shared", "-fPIC", "-o", lib,
		filepath.Join(harness.Root(), "tests/live/testdata/plugin.c")}})
	if r.Code != 0 {
		t.Fatal(r)
	}
	from, to := spec(t, "libplain:late_work", "libc:getsid"), spec(t, "libplain:late_*", "libc:getsid")
	res, rep := steps(t, []string{"-p", "libc:getsid"}, "spec:"+from, "keep:"+lib, "late_work:3", "remove:"+lib, "getsid:1", "spec:"+to, "late_work:4", "getsid:1")
	counts(t, rep, map[string]uint64{"late_work": 7, "getsid": 2})
	if !strings.Contains(res.Stdout, "* unplanned") {
		t.Errorf("the library is not said to be unplanned:\n%s", res.Stdout)
	}
}
