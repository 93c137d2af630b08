package live

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// long says whether the figures of docs/live.md are wanted.
var long = os.Getenv("SEAM_TORTURE") == "long"

func rounds(short, far int) int {
	if long {
		return far
	}
	return short
}

var (
	buildMu sync.Mutex
	built   = map[string]string{}
)

func once(name string, build func(out string)) string {
	buildMu.Lock()
	defer buildMu.Unlock()
	if built[name] == "" {
		built[name] = name
		build(name)
	}
	return built[name]
}

// compile builds testdata/name.
func compile(t testing.TB, name string, flags ...string) string {
	t.Helper()
	out := filepath.Join(harness.Shared(t), "live-"+strings.TrimSuffix(name, ".c"))
	return once(out, func(out string) {
		args := append([]string{harness.Program(t, "gcc"), "-O2", "-g", "-Wall", "-Werror", "-pthread", "-o", out,
			filepath.Join(harness.Root(), "tests/live/testdata", name)}, flags...)
		if r := harness.Run(t, harness.Cmd{Args: args}); r.Code != 0 || r.Signal != 0 {
			t.Fatalf("compile %s: %v", name, r)
		}
	})
}

// library is the agent with a way to ask it for another spec
// (preload/agent/respec_seamtest.go).
func library(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(harness.Shared(t), "live")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	script := `cd "$0" && flags=$(make -pn build 2>/dev/null | sed -n 's/^LIB_LDFLAGS := //p' | sed "s|\$(GODEBUGS)|$(sed -n 's/^GODEBUGS := //p' Makefile)|; s|\$(VERSION)|test|; s|\$(CURDIR)|$0|") &&
CGO_ENABLED=1 go build -tags seamtest -buildmode=c-shared -trimpath -ldflags="$flags" -o "$1" ./preload && go run ./preload/postlink "$1"`
	return once(filepath.Join(dir, "libseam.so"), func(out string) {
		r := harness.Run(t, harness.Cmd{Args: []string{"/bin/bash", "-c", script, harness.Root(), out}, Deadline: 5 * time.Minute,
			Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "XDG_CACHE_HOME=" + os.Getenv("XDG_CACHE_HOME"), "GOFLAGS=" + os.Getenv("GOFLAGS"), "GOPROXY=off"}})
		if r.Code != 0 || strings.Contains(r.Stderr, "undefined") {
			t.Fatalf("build the library: %v", r)
		}
	})
}

// spec writes a spec file with these probes and returns its path.
func spec(t testing.TB, probes ...string) string {
	t.Helper()
	s := hooks.NewSpec()
	s.Plans = filepath.Join(harness.Shared(t), "plans")
	s.Planner = harness.Seam(t)
	if err := os.MkdirAll(s.Plans, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, text := range probes {
		p, err := hooks.ParseProbe(text)
		if err != nil {
			t.Fatal(err)
		}
		s.Probes = append(s.Probes, p)
	}
	b, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.CreateTemp(t.TempDir(), "spec")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// run runs a program under seam, with the library that can be asked, and
// returns its result and the report.
func run(t testing.TB, deadline time.Duration, first []string, args ...string) (harness.Result, *report.Report) {
	t.Helper()
	dir := t.TempDir()
	out := filepath.Join(dir, "report.json")
	cmd := append([]string{harness.Seam(t), "run", "-q", "--json", "--report", out, "--start", "now"}, first...)
	cmd = append(cmd, "--", "/usr/bin/env", "LD_PRELOAD="+library(t), "SEAM_TEST_RESPEC="+filepath.Join(dir, "respec"))
	res := harness.Run(t, harness.Cmd{Args: append(cmd, args...), Deadline: deadline})
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatalf("no report: %v\n%v", err, res)
	}
	var rep report.Report
	if err := json.Unmarshal(b, &rep); err != nil {
		t.Fatal(err)
	}
	return res, &rep
}

// calls are those of a function that the report knows: recorded, counted or dropped.
func calls(rep *report.Report, name string) (n uint64) {
	for _, f := range rep.Functions {
		if f.Name == name {
			n += f.Calls + f.Dropped
		}
	}
	return n
}

// exact fails unless every call produced is accounted for.
func exact(t testing.TB, rep *report.Report) {
	t.Helper()
	a := rep.Account
	if a.Produced != a.Delivered+a.Dropped || a.Unaccounted != 0 || a.Duplicates != 0 || len(a.Broken) != 0 {
		t.Errorf("the account does not add up: %+v", a)
	}
}

// value is the number behind a word at the start of a line.
func value(t testing.TB, text, word string) (n [2]int64) {
	t.Helper()
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == word {
			for i := range min(2, len(f)-1) {
				v, err := strconv.ParseInt(f[1+i], 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				n[i] = v
			}
			return n
		}
	}
	t.Fatalf("no line %q in:\n%s", word, text)
	return n
}
