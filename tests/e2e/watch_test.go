package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// watched is the command that runs c under seam with some flags, with its report
// as JSON in a file and not a word from seam on the target's descriptors.
func watched(t testing.TB, flags []string, c harness.Cmd) (harness.Cmd, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	args := append([]string{harness.Seam(t), "run", "-q", "--json", "--report", file}, flags...)
	c.Args = append(append(args, "--"), c.Args...)
	return c, file
}

// watch runs c under seam.
func watch(t testing.TB, flags []string, c harness.Cmd) (harness.Result, *report.Report) {
	t.Helper()
	c, file := watched(t, flags, c)
	res := harness.Run(t, c)
	return res, readReport(t, file)
}

func readReport(t testing.TB, file string) *report.Report {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := new(report.Report)
	if err := json.Unmarshal(b, r); err != nil {
		t.Fatalf("read report: %v\n%s", err, b)
	}
	return r
}

// law checks what holds for every run, whatever was dropped.
func law(t testing.TB, r *report.Report) {
	t.Helper()
	a := r.Account
	if a.Produced != a.Delivered+a.Dropped || a.Unaccounted != 0 || len(a.Broken) != 0 {
		t.Errorf("account: produced %d, delivered %d, dropped %d, unaccounted %d: %+v", a.Produced, a.Delivered, a.Dropped, a.Unaccounted, a.Broken)
	}
	if a.Incomplete != 0 {
		t.Errorf("account: %d arenas without their final account", a.Incomplete)
	}
	if a.Elsewhere != 0 {
		t.Errorf("account: %d calls delivered to another reader", a.Elsewhere)
	}
	for _, e := range r.Errors {
		t.Errorf("seam met an error: %s: %s (%d times)", e.Code, e.Text, e.Count)
	}
	var sum uint64
	for _, f := range r.Functions {
		if f.Kind == "call" || f.Kind == "entry" {
			sum += f.Calls
		}
	}
	if sum != a.Delivered && len(r.Cut) == 0 {
		t.Errorf("functions have %d calls in all, but %d were delivered", sum, a.Delivered)
	}
}

// exact checks that nothing was lost either.
func exact(t testing.TB, r *report.Report) {
	t.Helper()
	law(t, r)
	if a := r.Account; a.Dropped != 0 || a.ReturnsLost != 0 {
		t.Errorf("account: dropped %d of %d calls %v, and %d returns", a.Dropped, a.Produced, a.DroppedBy, a.ReturnsLost)
	}
	// A connection may be cut in a message, but only by the end of the process whose
	// agent was writing: once for each at most. What was cut is drained from the arena,
	// and law has checked that.
	ended := 0
	for _, p := range r.Processes {
		if p.Ended {
			ended++
		}
	}
	if n := r.Account.Truncated; n > ended {
		t.Errorf("%d connections were cut in a message, but only %d processes have ended", n, ended)
	}
}

// same runs the same thing without and with seam, each in a folder of its own that
// setup fills, and checks that nothing differs. It returns the folder of the
// watched run and its report.
func same(t *testing.T, flags []string, c harness.Cmd, setup func(dir string)) (string, *report.Report) {
	t.Helper()
	dirs := [2]string{}
	var files [2]string
	base := t.TempDir()
	for i := range dirs {
		// Names of the same length: a path in a buffer or a table moves nothing.
		dirs[i] = filepath.Join(base, "run"+string(rune('0'+i)))
		if err := os.Mkdir(dirs[i], 0o700); err != nil {
			t.Fatal(err)
		}
		if setup != nil {
			setup(dirs[i])
		}
	}
	c.Dir = dirs[0]
	want := harness.Run(t, c)
	files[0] = listing(t, dirs[0])
	c.Dir = dirs[1]
	got, rep := watch(t, flags, c)
	files[1] = listing(t, dirs[1])
	norm := func(s string) string { return strings.ReplaceAll(s, dirs[1], dirs[0]) }
	got.Stdout, got.Stderr = norm(got.Stdout), norm(got.Stderr)
	if got != want {
		t.Errorf("%q is not as without seam\nwithout: %v\nwith:    %v", c.Args, want, got)
	}
	if files[0] != files[1] {
		t.Errorf("%q left other files than without seam\nwithout:\n%s\nwith:\n%s", c.Args, files[0], files[1])
	}
	return dirs[1], rep
}

// listing names all files below dir, with their modes.
func listing(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		b.WriteString(info.Mode().String() + " " + rel + "\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// function finds a function's line; it is empty when there is none.
func function(r *report.Report, name string) report.Function {
	for _, f := range r.Functions {
		if f.Name == name {
			return f
		}
	}
	return report.Function{}
}

func file(r *report.Report, suffix string) report.File {
	for _, f := range r.Files {
		if strings.HasSuffix(f.Path, suffix) {
			return f
		}
	}
	return report.File{}
}

// statement finds the statement that starts with prefix.
func statement(r *report.Report, prefix string) report.Statement {
	for _, s := range r.SQL {
		if strings.HasPrefix(strings.ToLower(s.SQL), strings.ToLower(prefix)) {
			return s
		}
	}
	return report.Statement{}
}

func errnoCount(l []report.ErrnoCount, name string) uint64 {
	for _, e := range l {
		if e.Name == name {
			return e.Count
		}
	}
	return 0
}

// ran finds the processes whose program has this base name.
func ran(r *report.Report, name string) []report.Process {
	var list []report.Process
	for _, p := range r.Processes {
		if filepath.Base(p.Exe) == name {
			list = append(list, p)
		}
	}
	return list
}

var (
	compileMu sync.Mutex
	compiled  = map[string]string{}
)

// compile builds testdata/NAME.c and returns the program's path.
func compile(t testing.TB, name string, flags ...string) string {
	t.Helper()
	gcc := harness.Program(t, "gcc")
	harness.Program(t, "/usr/include/stdio.h")
	compileMu.Lock()
	defer compileMu.Unlock()
	key := name + " " + strings.Join(flags, " ")
	if path, ok := compiled[key]; ok {
		return path
	}
	out := filepath.Join(harness.Shared(t), strings.TrimSuffix(name, ".c"))
	for _, f := range flags {
		if f == "-shared" {
			out += ".so"
		}
	}
	args := append([]string{"-O1", "-g", "-Wall", "-Werror", "-pthread", "-o", out, filepath.Join(harness.Root(), "tests", "e2e", "testdata", name)}, flags...)
	cmd := exec.Command(gcc, args...)
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("compile %s: %v\n%s", name, err, msg)
	}
	compiled[key] = out
	return out
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}
