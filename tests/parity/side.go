package parity

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/tests/harness"
)

// ordinary is the user that runs the suites when we are root: programs that
// refuse root, or would change the machine as root, don't then.
const ordinary = 65534

// runner is what all units of a run share.
type runner struct {
	dir   string // short, readable by all, gone at the end
	full  bool
	count atomic.Uint32
}

func newRunner(t testing.TB, full bool) *runner {
	t.Helper()
	// Socket paths are made below it: short, and not in TMPDIR.
	dir, err := os.MkdirTemp("/tmp", "sp-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r := &runner{dir: dir, full: full}
	must(t, os.Chmod(dir, 0o755))
	b, err := os.ReadFile(harness.Seam(t))
	must(t, err)
	// A copy: an ordinary user may not be able to reach the checkout.
	must(t, os.WriteFile(filepath.Join(dir, "seam"), b, 0o755))
	for name, text := range map[string]string{
		"plain": "#!/bin/sh\nexec \"$@\"\n",
		"watch": "#!/bin/sh\nexec " + dir + "/seam run -q --json --report \"$REPORTS/$$.json\" --hooks all -- \"$@\"\n",
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755))
	}
	here := filepath.Join(dir, "suites")
	must(t, os.CopyFS(here, os.DirFS(filepath.Join(harness.Root(), "tests", "parity", "suites"))))
	r.own(t, filepath.Join(dir, "cache"))
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// own makes a folder that belongs to the user who runs the suites.
func (r *runner) own(t testing.TB, dir string) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o755))
	if os.Getuid() == 0 {
		must(t, os.Chown(dir, ordinary, ordinary))
	}
}

// script is the command that does one thing of a suite's script.
func (r *runner) script(s *Suite, dir string, args []string, env ...string) harness.Cmd {
	c := harness.Cmd{Dir: dir, Deadline: s.Deadline}
	if !r.full {
		c.Deadline = min(c.Deadline, 2*time.Minute)
	}
	if os.Getuid() == 0 {
		id := strconv.Itoa(ordinary)
		c.Args = []string{"/usr/bin/setpriv", "--reuid=" + id, "--regid=" + id, "--clear-groups"}
	}
	c.Args = append(c.Args, "/bin/sh", filepath.Join(r.dir, "suites", s.Name+".sh"))
	c.Args = append(c.Args, args...)
	c.Env = append([]string{
		"HERE=" + filepath.Join(r.dir, "suites"),
		"WORK=" + filepath.Join(r.dir, s.Name),
		"HOME=" + dir,
		"XDG_CACHE_HOME=" + filepath.Join(r.dir, "cache"),
	}, env...)
	return c
}

// units prepares a suite and lists its units.
func (r *runner) units(t testing.TB, s *Suite) []string {
	t.Helper()
	work := filepath.Join(r.dir, s.Name)
	r.own(t, work)
	if s.Setup {
		c := r.script(s, work, []string{"setup"}, "TMPDIR="+work)
		c.Deadline = time.Hour
		if res := harness.Run(t, c); res.Code != 0 || res.Signal != 0 {
			t.Fatalf("prepare %s: %v", s.Name, res)
		}
	}
	res := harness.Run(t, r.script(s, work, []string{"units"}, "TMPDIR="+work))
	if res.Code != 0 || res.Signal != 0 {
		t.Fatalf("list %s: %v", s.Name, res)
	}
	return strings.Fields(res.Stdout)
}

// side is one run of a unit.
type side struct {
	outcome
	took    time.Duration
	reports []*report.Report
	trouble string // what the harness says of a hang, or of processes left behind
	output  string
}

// The case that is the unit's own end, and how it may be.
const (
	theEnd = "(end)"
	hangs  = "hangs"
)

func (r *runner) side(t testing.TB, s *Suite, unit string, watched bool) *side {
	t.Helper()
	n := r.count.Add(1)
	// Both sides' folders have names of the same length.
	dir := filepath.Join(r.dir, fmt.Sprintf("r%05d", n))
	reports := filepath.Join(r.dir, fmt.Sprintf("j%05d", n))
	r.own(t, dir)
	r.own(t, filepath.Join(dir, "tmp"))
	r.own(t, reports)
	defer os.RemoveAll(dir)
	defer os.RemoveAll(reports)
	load := s.Load[0]
	watch := "plain"
	if r.full {
		load = s.Load[1]
	}
	if watched {
		watch = "watch"
	}
	c := r.script(s, dir, []string{"run", unit},
		"TMPDIR="+filepath.Join(dir, "tmp"), "REPORTS="+reports, "WATCH="+filepath.Join(r.dir, watch),
		fmt.Sprintf("PORT=%d", 20000+n%120*100), fmt.Sprintf("LOAD=%d", load))
	d := &side{outcome: outcome{cases: map[string]string{}, rates: map[string]float64{}}}
	begin := time.Now()
	res, said := run(t, c)
	d.took = time.Since(begin)
	d.trouble = said
	switch {
	case strings.Contains(said, "left processes behind"):
		d.cases[theEnd] = "leaves processes behind"
	case said != "":
		d.cases[theEnd] = hangs
	case res.Signal != 0:
		d.cases[theEnd] = "killed by " + res.Signal.String()
	default:
		d.cases[theEnd] = fmt.Sprintf("exit status %d", res.Code)
	}
	d.output = res.Stdout + res.Stderr
	if err := s.Format(&d.outcome, res.Stdout, dir); err != nil {
		t.Errorf("%s: %v", unit, err)
	}
	if watched && d.cases[theEnd] != hangs {
		d.reports = readReports(t, unit, reports)
	}
	return d
}

func readReports(t testing.TB, unit, dir string) (list []*report.Report) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	for _, f := range files {
		b, err := os.ReadFile(f)
		must(t, err)
		rep := new(report.Report)
		if err := json.Unmarshal(b, rep); err != nil {
			t.Errorf("%s: read report: %v", unit, err)
			continue
		}
		list = append(list, rep)
	}
	return list
}

// listener keeps what the harness complains of: on the plain side too it is an
// outcome, to be compared.
type listener struct {
	testing.TB
	said strings.Builder
}

func (l *listener) Helper()                           {}
func (l *listener) Errorf(format string, args ...any) { fmt.Fprintf(&l.said, format+"\n", args...) }
func (l *listener) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	panic(l)
}

func run(t testing.TB, c harness.Cmd) (res harness.Result, said string) {
	l := &listener{TB: t}
	defer func() {
		if p := recover(); p != nil && p != any(l) {
			panic(p)
		}
		said = l.said.String()
	}()
	res = harness.Run(l, c)
	return
}
