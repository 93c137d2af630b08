package parity

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Difference is a case whose outcomes on the two sides are not the same.
type Difference struct {
	Unit  string `json:"unit"`
	Case  string `json:"case"`
	Plain string `json:"plain"` // outcomes of all runs, with their numbers
	Seam  string `json:"seam"`
	// Excused: the plain side alone has shown each outcome of the watched side.
	Excused bool `json:"excused"`
}

const absent = "absent"

// differ says whether any case of the two sides differs.
func differ(plain, seam *side) bool { return !maps.Equal(plain.cases, seam.cases) }

// differences compares all runs of a unit.
func differences(unit string, plain, seam []*side) []Difference {
	names := map[string]bool{}
	for _, d := range slices.Concat(plain, seam) {
		for name := range d.cases {
			names[name] = true
		}
	}
	var list []Difference
	for _, name := range slices.Sorted(maps.Keys(names)) {
		p, s := tally(plain, name), tally(seam, name)
		if maps.Equal(p, s) && len(p) == 1 {
			continue
		}
		d := Difference{Unit: unit, Case: name, Plain: words(p), Seam: words(s), Excused: true}
		for how := range s {
			if p[how] == 0 {
				d.Excused = false
			}
		}
		// Less variety under seam than without is no difference either, but
		// one that has never been seen plain is.
		list = append(list, d)
	}
	return list
}

func tally(runs []*side, name string) map[string]int {
	n := map[string]int{}
	for _, d := range runs {
		if how, ok := d.cases[name]; ok {
			n[how]++
		} else {
			n[absent]++
		}
	}
	return n
}

func words(n map[string]int) string {
	var w []string
	for _, how := range slices.Sorted(maps.Keys(n)) {
		w = append(w, fmt.Sprintf("%d× %s", n[how], how))
	}
	return strings.Join(w, ", ")
}

// ratio is how many times slower the watched side was: of the rates, if it has
// any, else of the time. 0 is unknown.
func ratio(plain, seam *side) float64 {
	sum, n := 0.0, 0
	for name, p := range plain.rates {
		if s := seam.rates[name]; s > 0 && p > 0 {
			sum += math.Log(p / s)
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return math.Exp(sum / float64(n))
}
