// Package callbacks tests Go callbacks in programs: those of testdata/hooks, which `seam
// build` compiles in.
package callbacks

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

type built struct {
	seam, host string
	err        error
}

var (
	once sync.Once
	made built
)

// build makes the seam, the library and the program of these tests.
func build(dir string) (b built) {
	data := filepath.Join(harness.Root(), "tests", "callbacks", "testdata")
	b.seam, b.host = filepath.Join(dir, "seam-cb"), filepath.Join(dir, "host")
	for _, argv := range [][]string{
		{"gcc", "-O1", "-g", "-Wall", "-Werror", "-shared", "-fPIC", "-o", filepath.Join(dir, "libcb.so"), filepath.Join(data, "libcb.c")},
		{"gcc", "-O1", "-g", "-Wall", "-Werror", "-pthread", "-o", b.host, filepath.Join(data, "host.c"), "-L" + dir, "-lcb", "-Wl,-rpath," + dir},
		{filepath.Join(harness.Root(), "bin", "seam"), "build", "--with", filepath.Join(data, "hooks"), "--source", harness.Root(), "-o", b.seam},
	} {
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			b.err = fmt.Errorf("%q: %w\n%s", argv, err, out)
			return b
		}
	}
	return b
}

// protos are of the functions in testdata/libcb.c.
func protos() (flags []string) {
	for _, n := range strings.Fields("change refuse post func panic nil recurse alloc loop self fork block err goexit exit slow many control ping misuse") {
		flags = append(flags, "--proto", "int cb_"+n+"(int v)")
	}
	return append(flags, "--proto", "int cb_fails(int v) fails -1 errno", "--proto", "int cb_text(const char *text)")
}

// run runs the host and returns what it printed and the report.
func run(t *testing.T, args ...string) (harness.Result, *report.Report) {
	t.Helper()
	return runProgram(t, append([]string{ready(t).host}, args...)...)
}

func runProgram(t *testing.T, target ...string) (harness.Result, *report.Report) {
	t.Helper()
	b := ready(t)
	file := filepath.Join(t.TempDir(), "report.json")
	argv := append([]string{b.seam, "run", "-q", "--json", "--report", file, "-H", "none"}, protos()...)
	res := harness.Run(t, harness.Cmd{Args: append(append(argv, "--"), target...), Deadline: time.Minute})
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v\n%v", err, res)
	}
	r := new(report.Report)
	if err := json.Unmarshal(text, r); err != nil {
		t.Fatal(err)
	}
	return res, r
}

func ready(t *testing.T) built {
	t.Helper()
	harness.Seam(t)
	once.Do(func() { made = build(harness.Shared(t)) })
	b := made
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b
}

// told finds an error that is told of a callback.
func told(r *report.Report, code, function string) (n int, text string) {
	for _, e := range r.Errors {
		if e.Code == code && strings.Contains(e.Text, "cb_"+function+" ") {
			n++
			text = e.Text
		}
	}
	return n, text
}

func rule(r *report.Report, function string) report.Rule {
	for _, u := range r.Rules {
		if strings.HasSuffix(strings.Fields(u.Text)[1], ":cb_"+function) {
			return u
		}
	}
	return report.Rule{}
}

// What callbacks do to calls, and that it is counted.
func TestCallbacksAct(t *testing.T) {
	for _, tc := range []struct {
		function, value, want string
		acted                 uint64
	}{
		{"change", "3", "100 times 7 0\n", 100},
		{"refuse", "3", "100 times -5 1\n", 100},
		{"post", "3", "100 times 104 33\n", 100},
		{"fails", "-4", "100 times -2 13\n", 100},
		{"fails", "3", "100 times 4 0\n", 0},
		{"func", "3", "100 times 42 0\n", 100},
		{"self", "3", "100 times 21 0\n", 100},
	} {
		t.Run(tc.function+tc.value, func(t *testing.T) {
			res, r := run(t, tc.function, "100", tc.value)
			if res.Stdout != tc.want || res.Code != 0 || res.Stderr != "" {
				t.Errorf("want %q: %v", tc.want, res)
			}
			if u := rule(r, tc.function); u.Kind != "callback" || u.Acted != tc.acted || u.Matched != tc.acted || u.Skipped != 0 {
				t.Errorf("%+v", u)
			}
			for _, e := range r.Errors {
				if e.Code != "callback-note" {
					t.Errorf("%s: %s", e.Code, e.Text)
				}
			}
		})
	}
	res, r := run(t, "fails", "1", "-4")
	if _, text := told(r, "callback-note", "fails"); !strings.HasSuffix(text, "cb_fails(-4) of libcb.so: no such file or directory, failed true") {
		t.Errorf("%q %v", text, res)
	}
}

// Arguments are read without a fault.
func TestCallbackReads(t *testing.T) {
	if res, _ := run(t, "text"); res.Stdout != "5 0 0 6 0\n" {
		t.Error(res)
	}
}

// A forked child has an agent of its own when a callback needs one.
func TestCallbacksInChildren(t *testing.T) {
	res, r := run(t, "children", "change", "50")
	if want := strings.Repeat("50 times 7 0\n", 3); res.Stdout != want {
		t.Error(res)
	}
	if u := rule(r, "change"); u.Acted != 150 {
		t.Errorf("%+v", u)
	}
}

// Whatever a callback does, the original runs, its result is right, later calls go on, and
// what went wrong is told.
func TestDefence(t *testing.T) {
	for _, tc := range []struct {
		function string
		count    int
		code     string // that is told of it
		says     string
		off      bool // it is switched off in the end
		ends     bool // it ends the agent
	}{
		{"panic", 1500, "callback-panic", "no good: 3", true, false},
		{"nil", 1500, "callback-panic", "a fault: a nil pointer, or memory that is not there", true, false},
		{"err", 1500, "callback-error", "as always", true, false},
		{"goexit", 50, "callback-panic", "it ended its goroutine", false, false},
		{"misuse", 1500, "callback-misuse", "", true, false},
		{"loop", 30, "callback-timeout", "the call went on without it", true, false},
		{"block", 30, "callback-timeout", "the call went on without it", true, false},
		{"fork", 50, "", "", false, false},
		{"recurse", 10, "callback-fatal", "", false, true},
		{"alloc", 10, "callback-fatal", "", false, true},
		{"exit", 10, "callback-fatal", "", false, true},
	} {
		t.Run(tc.function, func(t *testing.T) {
			res, r := run(t, tc.function, fmt.Sprint(tc.count), "3", "change", "20")
			want := fmt.Sprintf("%d times 4 0\n20 times 7 0\n", tc.count)
			if tc.ends {
				want = fmt.Sprintf("%d times 4 0\n20 times 4 0\n", tc.count)
			}
			if res.Stdout != want || res.Code != 0 || res.Signal != 0 || res.Stderr != "" {
				t.Errorf("want %q: %v", want, res)
			}
			n, text := told(r, tc.code, tc.function)
			if tc.code != "" && (n < 1 || n > 3 || !strings.HasSuffix(text, tc.says)) {
				t.Errorf("%s was told %d times, %q: %+v", tc.code, n, text, r.Errors)
			}
			if n, _ := told(r, "callback-off", tc.function); (n == 1) != tc.off || n > 1 {
				t.Errorf("switched off: told %d times: %+v", n, r.Errors)
			}
			u := rule(r, tc.function)
			if tc.off && u.Matched >= uint64(tc.count) {
				t.Errorf("it was asked to the end: %+v", u)
			}
			if tc.code == "" && u.Acted != uint64(tc.count) {
				t.Errorf("%+v", u)
			}
			if c := rule(r, "change"); (c.Acted == 20) == tc.ends {
				t.Errorf("another callback: %+v", c)
			}
		})
	}
}

// In a process whose library has no callbacks, calls ask for them three times, and then no
// more: the others do not wait.
func TestNobodyTakesRequests(t *testing.T) {
	env := harness.Run(t, harness.Cmd{Args: []string{harness.Seam(t), "env", "-H", "none", "-p", "libc:getppid", "--socket", filepath.Join(t.TempDir(), "s")}})
	_, plain, ok := strings.Cut(env.Stdout, "LD_PRELOAD='")
	if plain, _, _ = strings.Cut(plain, "'"); !ok || env.Code != 0 {
		t.Fatal(env)
	}
	res, r := runProgram(t, "/usr/bin/env", "LD_PRELOAD="+plain, ready(t).host, "cold", "block", "200")
	if res.Stdout != "200 times 4 0\n" || res.Code != 0 {
		t.Error(res)
	}
	if u := rule(r, "block"); u.Acted != 0 || u.Skipped != 200 {
		t.Errorf("%+v", u)
	}
	n := 0
	for _, e := range r.Errors {
		if e.Code == "callback-off" && strings.Contains(e.Text, "asks for none any more") {
			n++
		}
	}
	if n != 1 || r.Account.Notes["handover_timeout"] != 3 {
		t.Errorf("told %d times, %v: %+v", n, r.Account.Notes, r.Errors)
	}
}

// A callback that is switched off while it runs still has its say about that call.
func TestRemovedWhileItRuns(t *testing.T) {
	if res, _ := run(t, "slow", "100"); res.Stdout != "1 times 77 0\n99 times 4 0\n" {
		t.Error(res)
	}
}

func TestComeAndGoWhileThreadsRun(t *testing.T) {
	if res, _ := run(t, "threads", "8", "20000"); res.Stdout != "0 wrong, on 1001, off 1, changed\n" {
		t.Error(res)
	}
}

// A host that lives by its faults, and one that dies of one, do so as without callbacks.
func TestFaultsOfTheHost(t *testing.T) {
	b := ready(t)
	plain := harness.Run(t, harness.Cmd{Args: []string{b.host, "segv", "change"}, Deadline: time.Minute})
	res, _ := run(t, "segv", "change")
	// between two callbacks it sees that the default is not in force: docs/callbacks.md
	seen := strings.ReplaceAll(strings.ReplaceAll(res.Stdout, "not default", "default"), "\n7,", "\n4,")
	if seen != plain.Stdout || res.Signal != plain.Signal || plain.Signal != syscall.SIGSEGV || res.Stderr != plain.Stderr {
		t.Errorf("plain %v\nwith callbacks %v", plain, res)
	}

	const script = "import ctypes, sys\nlib = ctypes.CDLL(sys.argv[1])\nwhile lib.cb_ping(0) not in (101, 1): pass\nfor i in range(100): lib.cb_change(3)\nprint(lib.cb_change(3), flush=True)\nctypes.string_at(0)"
	for _, flag := range []string{"-Bs", "-Xfaulthandler"} {
		argv := []string{"/usr/bin/python3", flag, "-c", script, filepath.Join(filepath.Dir(b.host), "libcb.so")}
		plain := harness.Run(t, harness.Cmd{Args: argv})
		res, _ := runProgram(t, argv...)
		if res.Signal != plain.Signal || plain.Signal != syscall.SIGSEGV || res.Stdout != "7\n" ||
			strings.Contains(res.Stderr, "Segmentation fault") != strings.Contains(plain.Stderr, "Segmentation fault") {
			t.Errorf("plain %v\nwith callbacks %v", plain, res)
		}
	}
}

// The example of docs/callbacks.md, in a module of its own that says where seam's source is.
func TestExampleInAModule(t *testing.T) {
	harness.Seam(t)
	doc, err := os.ReadFile(filepath.Join(harness.Root(), "docs", "callbacks.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(doc), "```go\n")
	code, _, _ = strings.Cut(code, "```")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":           "module example.com/app\n\ngo 1.26\n\nrequire github.com/seam-project/seam v0.0.0\n\nreplace github.com/seam-project/seam => " + harness.Root() + "\n",
		"myhooks/hooks.go": code,
		"myhooks/more.go":  "package myhooks\n\nimport (\n\t\"example.com/app/inner\"\n\t\"github.com/seam-project/seam/hooks/callbacks\"\n)\n\nfunc init() { callbacks.Register(\"libc:getppid\", callbacks.Post, look) }\n\nfunc look(c *callbacks.Call) error { return c.SetRet(inner.Answer) }\n",
		"inner/inner.go":   "package inner\n\nconst Answer = 4242\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command(filepath.Join(harness.Root(), "bin", "seam"), "build", "--with", "./myhooks")
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil || string(out) != filepath.Join(dir, "seam-myhooks")+"\n" {
		t.Fatalf("%v\n%s", err, out)
	}
	const script = `import os, sqlite3, time
for i in range(20000):
    if os.getppid() == 4242: break
    time.sleep(0.001)
try: open("/data/x", "w")
except OSError as e: print(e.errno)
db = sqlite3.connect(":memory:")
db.execute("create table t(a unique)")
db.execute("insert into t values (1)")
try: db.execute("insert into t values (1)")
except sqlite3.IntegrityError as e: print(e)
print(os.getppid())`
	file := filepath.Join(dir, "report")
	res := harness.Run(t, harness.Cmd{Args: []string{filepath.Join(dir, "seam-myhooks"), "run", "-q", "-H", "none", "--report", file, "--", "/usr/bin/python3", "-c", script}})
	if res.Stdout != "30\nUNIQUE constraint failed: t.a\n4242\n" || res.Code != 0 {
		t.Error(res)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "extended result code 2067") || !strings.Contains(string(text), "refused: /data/x") {
		t.Errorf("%v\n%s", err, text)
	}
}

// What can't be built is told in one line, with what to do.
func TestBuildRefuses(t *testing.T) {
	harness.Seam(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte("package a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args []string
		says string
	}{
		{nil, "no package to build with"},
		{[]string{"--with", "/nowhere"}, "there is no such folder"},
		{[]string{"--with", harness.Root() + "/docs"}, "no Go files in it"},
		{[]string{"--with", dir}, "the source of seam, which is needed to build it with callbacks, is not found"},
		{[]string{"--with", dir, "--source", dir}, "not the source of seam"},
	} {
		c := exec.Command(filepath.Join(harness.Root(), "bin", "seam"), append([]string{"build"}, tc.args...)...)
		c.Dir = dir
		out, err := c.CombinedOutput()
		if err == nil || !strings.HasPrefix(string(out), "seam: error: ") || !strings.Contains(string(out), tc.says) || !strings.Contains(string(out), "seam: hint: ") {
			t.Errorf("%q: %v\n%s", tc.args, err, out)
		}
	}
}
