package parity

import (
	"flag"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/tests/harness"
)

var (
	full  = flag.Bool("full", false, "run all that suites.go says, not the quick part")
	only  = flag.String("suite", "", "run these suites, comma-separated")
	units = flag.String("unit", "", "run these units, comma-separated, instead of the suites' own choice")
	write = flag.Bool("write", false, "save the results and write docs/parity.md")
)

// again is how often both sides of a unit are run again when a case differs.
const again = 5

func TestMain(m *testing.M) { harness.Main(m) }

// TestParity runs each suite plain and watched.
func TestParity(t *testing.T) {
	r := newRunner(t, *full)
	for i := range suites {
		s := &suites[i]
		if *only != "" && !slices.Contains(strings.Split(*only, ","), s.Name) {
			continue
		}
		if !*full && len(s.Quick) == 0 {
			continue
		}
		t.Run(s.Name, func(t *testing.T) { suite(t, r, s) })
	}
	if *write {
		must(t, writeTable())
	}
}

func suite(t *testing.T, r *runner, s *Suite) {
	for _, p := range s.Programs {
		harness.Program(t, p)
	}
	all := r.units(t, s)
	chosen := s.Quick
	if r.full {
		chosen = sample(all, s)
	}
	if *units != "" {
		chosen = strings.Split(*units, ",")
	}
	if len(chosen) == 0 {
		t.Fatal("nothing to run")
	}
	res := newResult(s, len(all), len(chosen))
	var mu sync.Mutex
	t.Run("units", func(t *testing.T) {
		for _, unit := range chosen {
			t.Run(strings.ReplaceAll(unit, "/", "."), func(t *testing.T) {
				if !slices.Contains(all, unit) {
					t.Fatalf("%s has no unit %s", s.Name, unit)
				}
				if s.Load == [2]int{} {
					t.Parallel() // a service's rate is measured alone
				}
				plain, seam := []*side{r.side(t, s, unit, false)}, []*side{r.side(t, s, unit, true)}
				if differ(plain[0], seam[0]) {
					n := again
					if plain[0].cases[theEnd] == hangs || seam[0].cases[theEnd] == hangs {
						n = 1 // each may take its deadline
					}
					for range n {
						plain = append(plain, r.side(t, s, unit, false))
						seam = append(seam, r.side(t, s, unit, true))
					}
				}
				diffs := differences(unit, plain, seam)
				complain(t, diffs, plain, seam)
				mu.Lock()
				defer mu.Unlock()
				res.add(plain[0], seam[0], diffs)
			})
		}
	})
	t.Log(res)
	if *write {
		must(t, res.save())
	}
}

// sample is what the full run takes of a suite's units.
func sample(all []string, s *Suite) []string {
	var list []string
	for i, unit := range all {
		if _, out := s.Out[unit]; !out && (i%max(s.Every, 1) == 0 || slices.Contains(s.Always, unit)) {
			list = append(list, unit)
		}
	}
	return list
}

// complain fails the test for what is not as it must be.
func complain(t *testing.T, diffs []Difference, plain, seam []*side) {
	t.Helper()
	bad := false
	for _, d := range diffs {
		if d.Excused {
			t.Logf("%s: %s: plain %s; under seam %s", d.Unit, d.Case, d.Plain, d.Seam)
			continue
		}
		bad = true
		t.Errorf("%s: %s: plain %s; under seam %s", d.Unit, d.Case, d.Plain, d.Seam)
	}
	for _, d := range seam {
		if d.trouble != "" && d.cases[theEnd] != plain[0].cases[theEnd] {
			t.Error(d.trouble)
		}
		if len(d.reports) == 0 && d.cases[theEnd] != hangs {
			t.Error("no report: nothing was watched")
		}
		for _, r := range d.reports {
			law(t, r)
		}
	}
	if bad {
		t.Logf("output under seam:\n%s", last(seam[0].output))
	}
}

// law is what holds for every run, whatever was dropped.
func law(t *testing.T, r *report.Report) {
	t.Helper()
	a := r.Account
	if a.Produced != a.Delivered+a.Dropped || a.Unaccounted != 0 || len(a.Broken) != 0 || a.Elsewhere != 0 {
		t.Errorf("account: produced %d, delivered %d, dropped %d, unaccounted %d, elsewhere %d: %+v", a.Produced, a.Delivered, a.Dropped, a.Unaccounted, a.Elsewhere, a.Broken)
	}
	// A suite may leave a process running: `sh -c 'sleep 3'` whose shell was killed.
	running := 0
	for _, p := range r.Processes {
		if !p.Ended {
			running++
		}
	}
	if a.Incomplete > running {
		t.Errorf("account: %d arenas without their final account, but %d processes still ran", a.Incomplete, running)
	}
	for _, e := range r.Errors {
		t.Logf("seam met an error: %s: %s (%d times)", e.Code, e.Text, e.Count)
	}
}

func last(s string) string {
	const most = 6000
	if len(s) > most {
		return "… " + s[len(s)-most:]
	}
	return s
}
