package e2e

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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

// Callbacks that are taken out and put in again while 8 threads call them, and are in them.
// When the last is gone, the function is as it was.
func TestNativeLive(t *testing.T) {
	host, cb := nwork(t, "CASE_COUNT")
	d := newDesk(t)
	report, stop := filepath.Join(t.TempDir(), "report.json"), filepath.Join(t.TempDir(), "stop")
	r := d.start("run", "-q", "--json", "--report", report, "--control", "--native", cb, "--proto", nworkProtos, "-H", "none", "--", host, "until", stop)
	pid := d.live(filepath.Base(host))
	list := d.probes()
	if len(list) != 2 || !strings.HasPrefix(list[0].Probe, "native pre nwork:work from /") {
		t.Fatalf("%+v", list)
	}
	plain := workCode(t, host, 0)
	if bytes.Equal(workCode(t, host, pid), plain) {
		t.Fatal("it is not patched")
	}
	text := []string{list[0].Probe, list[1].Probe}
	ids := []string{list[0].ID, list[1].ID}
	for range 5 {
		d.seam("probe", "rm", ids[0])
		d.seam("probe", "rm", ids[1])
		if got := workCode(t, host, pid); !bytes.Equal(got, plain) {
			t.Fatalf("without callbacks it is patched: % x, was % x", got, plain)
		}
		for i := range ids {
			ids[i] = strings.TrimSpace(d.seam("probe", "add", text[i]))
		}
		if bytes.Equal(workCode(t, host, pid), plain) {
			t.Fatal("it is not patched again")
		}
	}
	if res := d.try("probe", "add", "native pre nwork:other from /x.so"); res.Code == 0 || !strings.Contains(res.Stderr, "hint: there are: 'native pre nwork:work from /") {
		t.Errorf("%v", res)
	}
	if err := os.WriteFile(stop, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if res := r.Wait(); res.Code != 0 || !strings.Contains(res.Stdout, "bad 0\n") {
		t.Errorf("%v", res)
	}
	exact(t, readReport(t, report))
}

// workCode is the first bytes of nwork.c's work, in a process or, 0, in the file.
func workCode(t *testing.T, host string, pid int) []byte {
	t.Helper()
	lib := filepath.Join(filepath.Dir(host), "nwork.so")
	f, err := elf.Open(lib)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	syms, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(syms, func(s elf.Symbol) bool { return s.Name == "work" })
	b := make([]byte, 12)
	if pid == 0 {
		for _, p := range f.Progs {
			if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 {
				p.ReadAt(b, int64(syms[i].Value-p.Vaddr))
			}
		}
		return b
	}
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(maps)) {
		if w := strings.Fields(line); len(w) == 6 && w[5] == lib && w[2] == "00000000" {
			base, _ := strconv.ParseUint(w[0][:strings.IndexByte(w[0], '-')], 16, 64)
			mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
			if err != nil {
				t.Fatal(err)
			}
			defer mem.Close()
			if _, err := mem.ReadAt(b, int64(base+syms[i].Value)); err != nil {
				t.Fatal(err)
			}
			return b
		}
	}
	t.Fatal("the library is not there")
	return nil
}

// The examples of docs/native.md, as they stand there.
func TestNativeExamples(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(harness.Root(), "docs/native.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := func(lang string) string {
		_, rest, _ := strings.Cut(string(text), "```"+lang+"\n")
		code, _, ok := strings.Cut(rest, "```")
		if !ok {
			t.Fatalf("docs/native.md has no %s", lang)
		}
		return code
	}
	dir := t.TempDir()
	header := harness.Run(t, harness.Cmd{Args: []string{harness.Seam(t), "hooks", "header"}})
	write(t, filepath.Join(dir, "seam_callback.h"), header.Stdout)
	write(t, filepath.Join(dir, "cb.c"), block("c"))
	write(t, filepath.Join(dir, "half.cc"), block("cpp"))
	for _, args := range [][]string{{"gcc", "-o", "cb.so", "cb.c"}, {"g++", "-o", "half.so", "half.cc"}} {
		args = append([]string{harness.Program(t, args[0]), "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror"}, args[1:]...)
		if r := harness.Run(t, harness.Cmd{Args: args, Dir: dir}); r.Code != 0 || r.Stderr != "" {
			t.Fatalf("%v", r)
		}
	}
	write(t, filepath.Join(dir, "x.yaml"), "pack: x\nlibrary: libc\nwatch: [read]\nnative: half.so\n")
	prog, _ := nwork(t, "CASE_COUNT")
	res := harness.Run(t, harness.Cmd{Args: []string{harness.Seam(t), "run", "-q", "--native", "./cb.so", "-H", "./x.yaml", "--", prog, "files"}, Dir: dir})
	if want := "-1 30, 1, 5, -1\n"; res.Stdout != want || res.Stderr != "write: -1 of 1 bytes\n" {
		t.Errorf("%v; want %q", res, want)
	}
}
