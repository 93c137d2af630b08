package harness

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMain(m *testing.M) { Main(m) }

func TestPackageList(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(Root(), "tests", "packages.txt"))
	if err != nil {
		t.Fatal(err)
	}
	known := slices.Sorted(maps.Values(packages))
	if diff := cmp.Diff(slices.Compact(known), strings.Fields(string(b))); diff != "" {
		t.Errorf("tests/packages.txt is not what program.go says: -program.go +packages.txt\n%s", diff)
	}
}

func TestPrograms(t *testing.T) {
	for name := range packages {
		Program(t, name)
	}
}

func TestResult(t *testing.T) {
	for _, tc := range []struct {
		script string
		want   Result
	}{
		{"echo out; echo err >&2; exit 3", Result{Stdout: "out\n", Stderr: "err\n", Code: 3}},
		{"kill -TERM $$", Result{Signal: syscall.SIGTERM}},
		{"cat", Result{Stdout: "in"}},
		{`[ -t 0 ] || echo "$HOME" | grep -c /home`, Result{Stdout: "1\n"}},
	} {
		got := Run(t, Cmd{Args: []string{"/bin/sh", "-c", tc.script}, Stdin: "in"})
		if got != tc.want {
			t.Errorf("%s: got %v\nwant %v", tc.script, got, tc.want)
		}
	}
}

// recorder is a testing.TB whose failures are kept instead of failing the test.
type recorder struct {
	testing.TB
	said []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.said = append(r.said, format)
	for _, a := range args {
		if s, ok := a.(string); ok {
			r.said = append(r.said, s)
		}
	}
}
func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	panic(r)
}

// caught runs f and returns what it complained of.
func caught(t *testing.T, f func(testing.TB)) (said string) {
	r := &recorder{TB: t}
	defer func() {
		if p := recover(); p != nil && p != any(r) {
			panic(p)
		}
		said = strings.Join(r.said, "\n")
	}()
	f(r)
	return
}

func TestHangIsTracedAndKilled(t *testing.T) {
	var tr *tree
	said := caught(t, func(tb testing.TB) {
		r := Start(tb, Cmd{Args: []string{"/bin/sh", "-c", "sleep 600 & env -i sleep 601 & wait"}, Deadline: time.Second})
		tr = r.tree
		r.Wait()
	})
	if !strings.Contains(said, "hangs") {
		t.Errorf("a hang was not told: %q", said)
	}
	for _, each := range []string{"---- process ", "\nThread 1 "} {
		if n := strings.Count(said, each); n != 3 {
			t.Errorf("%d times %q, want it for the shell and two children:\n%s", n, each, said)
		}
	}
	if left := tr.members(); len(left) != 0 {
		t.Errorf("not killed: %v", left)
	}
}

func TestLeftoversFail(t *testing.T) {
	script := "sleep 600 >/dev/null 2>&1 & exit 0"
	said := caught(t, func(tb testing.TB) { Run(tb, Cmd{Args: []string{"/bin/sh", "-c", script}}) })
	if !strings.Contains(said, "left processes behind") {
		t.Errorf("a leftover process was not told: %q", said)
	}
}
