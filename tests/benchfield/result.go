package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"github.com/seam-project/seam/tests/measure"
)

// Cell is what the rounds of one measurement came to, or why there is nothing.
type Cell struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Rounds int     `json:"rounds"`
	// Quiet is the least disturbed value, for costs per call: the median is then what a busy machine makes of it.
	Quiet float64 `json:"quiet,omitempty"`
	// Text stands for a value that is none ("not a system call"), or goes with one.
	Text string `json:"text,omitempty"`
}

// Row is one tool or size. Why is a tool's own message when it does not work here.
type Row struct {
	Name  string `json:"name"`
	Cells []Cell `json:"cells,omitempty"`
	Why   string `json:"why,omitempty"`
	// NotRun: it was not tried, and Why is ours.
	NotRun bool `json:"not_run,omitempty"`
}

// Table has one column more than Columns: the rows' names.
type Table struct {
	ID      string   `json:"id"`
	Title   string   `json:"title"`
	Unit    string   `json:"unit,omitempty"`
	Digits  int      `json:"digits"`
	Columns []string `json:"columns"`
	Rows    []Row    `json:"rows"`
	Notes   []string `json:"notes,omitempty"`
}

// Part is what one section found. Each has its own file, so that sections can be run one by one.
type Part struct {
	Section  string            `json:"section"`
	When     string            `json:"when"`
	Machine  string            `json:"machine"`
	Load     string            `json:"load_before"`
	Seconds  float64           `json:"seconds"`
	Rounds   int               `json:"rounds"`
	Quick    bool              `json:"quick,omitempty"`
	Versions map[string]string `json:"versions"`
	Commands map[string]string `json:"commands"`
	Tables   []Table           `json:"tables"`
}

func cell(v, quiet []float64) Cell {
	if len(v) == 0 {
		return Cell{Text: "–"}
	}
	c := Cell{Median: measure.Median(v), Min: slices.Min(v), Max: slices.Max(v), Rounds: len(v)}
	if len(quiet) > 0 {
		c.Quiet = slices.Min(quiet)
	}
	return c
}

// added is c over plain, for costs that are added.
func (c Cell) added(plain Cell) Cell {
	if c.Rounds == 0 || plain.Rounds == 0 {
		return c
	}
	c.Median -= plain.Median
	c.Min -= plain.Median
	c.Max -= plain.Median
	c.Quiet -= plain.Quiet
	return c
}

func (p *Part) save(dir string) error {
	b, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, p.Section+".json"), append(b, '\n'), 0o644)
}

// find returns a cell by its table, row and column.
func find(parts []*Part, table, row, column string) (Cell, bool) {
	for _, p := range parts {
		for _, t := range p.Tables {
			if t.ID != table {
				continue
			}
			at := slices.Index(t.Columns, column)
			for _, r := range t.Rows {
				if r.Name == row && at >= 0 && at < len(r.Cells) && r.Cells[at].Rounds > 0 {
					return r.Cells[at], true
				}
			}
		}
	}
	return Cell{}, false
}
