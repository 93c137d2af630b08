package laws

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seam-project/seam/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const deadline = 20 * time.Second

// report is what these tests read of seam's report.
type report struct {
	StartNS   int64 `json:"start_ns"`
	Functions []struct {
		Lib, Name, Kind string
		Calls, Errors   uint64
		InFlight        uint64 `json:"in_flight"`
		ReturnsLost     uint64 `json:"returns_lost"`
		Dropped         uint64
	}
	Threads []struct {
		Name           string
		Threads, Calls uint64
	}
	Processes []struct {
		PID    int
		Status *int
		Ended  bool
	}
	Refusals []struct {
		Reason string
		Count  uint64
		Names  []string
	}
	Errors []struct {
		Code, Text string
		Count      uint64
	}
	Account struct {
		Produced, Delivered, Dropped, Unaccounted, Duplicates, Incomplete uint64
		ReturnsLost                                                       uint64 `json:"returns_lost"`
		Skipped, Notes                                                    map[string]uint64
		DroppedBy                                                         map[string]uint64 `json:"dropped_by"`
		Broken                                                            []any
	}
}

func (r *report) function(name string) (calls, inFlight uint64) {
	for _, f := range r.Functions {
		if f.Name == name {
			calls += f.Calls
			inFlight += f.InFlight
		}
	}
	return
}

// dropped is how many calls of a function were counted as lost.
func (r *report) dropped(name string) (n uint64) {
	for _, f := range r.Functions {
		if f.Name == name {
			n += f.Dropped
		}
	}
	return n
}

// said tells whether the report has an error of this code.
func (r *report) said(code string) bool {
	for _, e := range r.Errors {
		if e.Code == code {
			return true
		}
	}
	return false
}

func (r *report) kind(name string) string {
	for _, f := range r.Functions {
		if f.Name == name {
			return f.Kind
		}
	}
	return ""
}

// exact fails the test unless every call that was produced is told or counted as lost.
func (r *report) exact(t *testing.T) {
	t.Helper()
	a := &r.Account
	if a.Produced != a.Delivered+a.Dropped || a.Unaccounted != 0 || a.Duplicates != 0 || len(a.Broken) != 0 {
		t.Errorf("the account is not exact: %+v", *a)
	}
}

var (
	programs   = make(map[string]string) // name and flags → path; empty: it does not compile
	programsMu sync.Mutex
)

// program compiles testdata/name, once, and returns the executable's path.
func program(t testing.TB, name string, flags ...string) string {
	t.Helper()
	compiler := "gcc"
	if strings.HasSuffix(name, ".cpp") {
		compiler = "g++"
	}
	return compiled(t, harness.Program(t, compiler), name, flags...)
}

// compiled is program with a compiler of one's own.
func compiled(t testing.TB, compiler, name string, flags ...string) string {
	t.Helper()
	key := filepath.Base(compiler) + " " + name
	for _, f := range flags {
		key += " " + filepath.Base(f)
	}
	programsMu.Lock()
	defer programsMu.Unlock()
	if out, ok := programs[key]; ok {
		if out == "" {
			t.Fatalf("%s did not compile", name)
		}
		return out
	}
	programs[key] = ""
	out := filepath.Join(harness.Shared(t), fmt.Sprintf("%s-%d", strings.TrimSuffix(name, filepath.Ext(name)), len(programs)))
	args := []string{compiler, "-O2", "-g", "-pthread", "-o", out, testdata(name)}
	args = append(args, flags...)
	if r := harness.Run(t, harness.Cmd{Args: args}); r.Code != 0 || r.Signal != 0 {
		t.Fatalf("compile %s: %v", name, r)
	}
	programs[key] = out
	return out
}

// watched runs a program under seam and returns how it ended and the report.
func watched(t testing.TB, flags []string, args ...string) (harness.Result, *report) {
	t.Helper()
	return watchedCmd(t, flags, harness.Cmd{Args: args})
}

func watchedCmd(t testing.TB, flags []string, c harness.Cmd) (harness.Result, *report) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	if i := slices.Index(flags, "--start"); i >= 0 && flags[i+1] == "demand" {
		flags = with(flags, "--drain", "agent") // else there would be no demand
	}
	c.Args = append(append([]string{harness.Seam(t), "run", "--json", "--report", file}, flags...), append([]string{"--"}, c.Args...)...)
	if c.Deadline == 0 {
		c.Deadline = deadline
	}
	res := harness.Run(t, c)
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("no report: %v\n%v", err, res)
	}
	return res, readReport(t, file)
}

func readReport(t testing.TB, file string) *report {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rep := new(report)
	if err := json.Unmarshal(b, rep); err != nil {
		t.Fatalf("report: %v", err)
	}
	return rep
}

// same runs a program with and without seam and fails the test when it can be
// told which is which.
func same(t testing.TB, flags []string, args ...string) *report {
	t.Helper()
	return sameCmd(t, flags, harness.Cmd{Args: args})
}

func sameCmd(t testing.TB, flags []string, c harness.Cmd) *report {
	t.Helper()
	if c.Deadline == 0 {
		c.Deadline = deadline
	}
	bare := harness.Run(t, c)
	got, rep := watchedCmd(t, flags, c)
	got.Stderr = withoutWarnings(got.Stderr)
	if got != bare {
		t.Errorf("%v %v: seam changed the program\nbare:    %v\nwatched: %v", flags, c.Args, bare, got)
	}
	return rep
}

// withoutWarnings removes seam's own lines: they are on standard error, before
// and after the program.
func withoutWarnings(s string) string {
	var keep []string
	for _, l := range strings.SplitAfter(s, "\n") {
		if !strings.HasPrefix(l, "seam: ") {
			keep = append(keep, l)
		}
	}
	return strings.Join(keep, "")
}

// p is -p for each probe.
func p(probes ...string) []string {
	var flags []string
	for _, s := range probes {
		flags = append(flags, "-p", s)
	}
	return flags
}

func with(flags []string, more ...string) []string {
	return append(append([]string(nil), more...), flags...)
}

func init() {
	if runtime.GOARCH != "amd64" {
		panic("laws: the programs in testdata are for x86-64")
	}
}

// testdata is the path of a file there.
func testdata(name string) string { return filepath.Join(harness.Root(), "tests/laws/testdata", name) }
