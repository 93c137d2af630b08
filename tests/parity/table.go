package parity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seam-project/seam/tests/harness"
)

// Result is what the table says of a suite.
type Result struct {
	Suite       string            `json:"suite"`
	What        string            `json:"what"`
	Units       int               `json:"units"`     // that were run
	UnitsAll    int               `json:"units_all"` // that there are
	Cases       int               `json:"cases"`
	Outcomes    map[string]int    `json:"outcomes"` // plain side, of suites with the usual words for them
	Differences []Difference      `json:"differences"`
	PlainSec    float64           `json:"plain_s"`
	SeamSec     float64           `json:"seam_s"`
	Slower      float64           `json:"slower"` // by rate where the suite has one, else by time
	Produced    uint64            `json:"produced"`
	Delivered   uint64            `json:"delivered"`
	Dropped     uint64            `json:"dropped"`
	Processes   uint64            `json:"processes"`
	Errors      map[string]int    `json:"errors,omitempty"`
	Out         map[string]string `json:"out,omitempty"`
	Every       int               `json:"every,omitempty"`
	Always      []string          `json:"always,omitempty"`
	Date        string            `json:"date"`

	rated  int
	byRate float64
}

func newResult(s *Suite, all, chosen int) *Result {
	return &Result{Suite: s.Name, What: s.What, Units: chosen, UnitsAll: all, Outcomes: map[string]int{}, Errors: map[string]int{},
		Differences: []Difference{}, Out: s.Out, Every: s.Every, Always: s.Always, Date: time.Now().UTC().Format(time.DateOnly)}
}

// add counts a unit: the first run of each side, and what all runs showed.
func (r *Result) add(plain, seam *side, diffs []Difference) {
	for name, how := range plain.cases {
		if name == theEnd {
			continue
		}
		r.Cases++
		switch how {
		case "ok", "skipped", "failed", "error", "not ok", "ok skip", "not ok todo", "FAILED", "err", "skip", "ignore":
			r.Outcomes[how]++
		}
	}
	r.Differences = append(r.Differences, diffs...)
	r.PlainSec += plain.took.Seconds()
	r.SeamSec += seam.took.Seconds()
	if x := ratio(plain, seam); x > 0 {
		r.byRate += x
		r.rated++
		r.Slower = r.byRate / float64(r.rated)
	} else if r.rated == 0 {
		r.Slower = r.SeamSec / r.PlainSec
	}
	for _, rep := range seam.reports {
		r.Produced += rep.Account.Produced
		r.Delivered += rep.Account.Delivered
		r.Dropped += rep.Account.Dropped
		r.Processes += uint64(len(rep.Processes))
		for _, c := range rep.Cut {
			if c.List == "processes" {
				r.Processes += c.Other
			}
		}
		for _, e := range rep.Errors {
			r.Errors[e.Code] += int(e.Count)
		}
	}
}

// unexcused counts the differences that are seam's until shown otherwise.
func (r *Result) unexcused() (n int) {
	for _, d := range r.Differences {
		if !d.Excused {
			n++
		}
	}
	return n
}

func (r *Result) String() string {
	return fmt.Sprintf("%s: %d of %d units, %d cases, %d differences (%d more the plain side shows too), %.1f s plain, %.1f s under seam, %.2f times slower, %d calls, %d dropped",
		r.Suite, r.Units, r.UnitsAll, r.Cases, r.unexcused(), len(r.Differences)-r.unexcused(), r.PlainSec, r.SeamSec, r.Slower, r.Produced, r.Dropped)
}

func resultFile(name string) string {
	return filepath.Join(harness.Root(), "tests", "parity", "results", name+".json")
}

func (r *Result) save() error {
	b, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(resultFile("x")), 0o755); err != nil {
		return err
	}
	return os.WriteFile(resultFile(r.Suite), append(b, '\n'), 0o644)
}

// Marks in docs/parity.md between which the table is written.
const (
	tableBegin = "<!-- table: begin -->\n"
	tableEnd   = "<!-- table: end -->\n"
)

// writeTable puts the saved results into docs/parity.md.
func writeTable() error {
	var results []*Result
	for _, s := range suites {
		b, err := os.ReadFile(resultFile(s.Name))
		if os.IsNotExist(err) {
			continue
		} else if err != nil {
			return err
		}
		r := new(Result)
		if err := json.Unmarshal(b, r); err != nil {
			return fmt.Errorf("read %s: %w", resultFile(s.Name), err)
		}
		results = append(results, r)
	}
	path := filepath.Join(harness.Root(), "docs", "parity.md")
	doc, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(doc, []byte(tableBegin))
	_, after, ok2 := bytes.Cut(rest, []byte(tableEnd))
	if !ok || !ok2 {
		return fmt.Errorf("%s: no marks for the table", path)
	}
	return os.WriteFile(path, fmt.Appendf(nil, "%s%s%s%s%s", before, tableBegin, table(results), tableEnd, after), 0o644)
}

func table(results []*Result) string {
	var b strings.Builder
	b.WriteString("| suite | ran | cases | differences | slower | processes | events | dropped | command |\n|---|---|---:|---:|---:|---:|---:|---:|---|\n")
	for _, r := range results {
		ran := "all"
		if r.Units > 1 {
			ran = fmt.Sprintf("all %d units", r.Units)
		}
		if r.Units < r.UnitsAll {
			ran = fmt.Sprintf("%d of %d units", r.Units, r.UnitsAll)
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %.2f× | %d | %d | %d | `make parity SUITE=%s` |\n",
			r.What, ran, r.Cases, r.unexcused(), r.Slower, r.Processes, r.Delivered, r.Dropped, r.Suite)
	}
	for _, r := range results {
		if r.Every > 1 {
			fmt.Fprintf(&b, "\n* %s: one unit in %d of the suite's list was run%s.", r.Suite, r.Every, always(r.Always))
		}
		for unit, why := range r.Out {
			fmt.Fprintf(&b, "\n* %s: %s was not run: %s.", r.Suite, unit, why)
		}
	}
	b.WriteString("\n\n### Cases that differed\n\nOutcomes of all runs of each side. Excused is what the plain side does by itself.\n\n")
	b.WriteString("| suite | unit | case | plain | under seam | verdict |\n|---|---|---|---|---|---|\n")
	n := 0
	for _, r := range results {
		for _, d := range r.Differences {
			verdict := "**difference**"
			if d.Excused {
				verdict = "flaky plain too"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", r.Suite, d.Unit, cell(d.Case), cell(d.Plain), cell(d.Seam), verdict)
			n++
		}
	}
	if n == 0 {
		b.WriteString("| – | – | none | – | – | – |\n")
	}
	return b.String()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

func always(units []string) string {
	if len(units) == 0 {
		return ""
	}
	return ", and " + strings.Join(units, ", ")
}
