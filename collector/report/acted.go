package report

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/seam-project/seam/wire"
)

// Acted is what a rule acted on: calls of one function about one thing.
type Acted struct {
	Function string `json:"function"`
	What     string `json:"what"` // its first text: a file, an address, a statement
	Calls    uint64 `json:"calls"`
}

// actedKey is a rule, by its number, a function, and what the call was about.
type actedKey struct {
	rule           int
	function, what string
}

// maxActed bounds what is kept of what rules acted on, and mostActed what the text
// report shows for each.
const (
	maxActed  = 10000
	mostActed = 5
)

// acted notes a call that rules acted on, if it is about something that has a name.
func (s *Stream) acted(p *Probe, ev *wire.Event) {
	if ev.Rules == 0 || ev.Kind != wire.EvCall && ev.Kind != wire.EvEnter {
		return
	}
	what := ""
	for i := range ev.Args {
		if v := &ev.Args[i]; v.Kind == wire.VStr && i < len(p.Args) && namesThing(p.Args[i].Type) {
			what = clip(string(v.Str), 256)
			break
		}
	}
	if what == "" {
		return
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	for r := ev.Rules; r != 0; r &= r - 1 {
		k := actedKey{bits.TrailingZeros64(r) + 1, p.Name, what}
		if s.b.acted == nil {
			s.b.acted = map[actedKey]uint64{}
		}
		if _, known := s.b.acted[k]; !known && len(s.b.acted) >= maxActed {
			continue
		}
		s.b.acted[k]++
	}
}

// namesThing: an argument of this type says what the call is about.
func namesThing(kind string) bool { return kind == "string" || kind == "sockaddr" || kind == "sql" }

// actedOn is what a rule acted on, the most frequent first.
func (b *Builder) actedOn(rule int) (list []Acted) {
	for k, n := range b.acted {
		if k.rule == rule {
			list = append(list, Acted{Function: k.function, What: k.what, Calls: n})
		}
	}
	slices.SortFunc(list, func(x, y Acted) int {
		return cmp.Or(cmp.Compare(y.Calls, x.Calls), cmp.Compare(x.Function, y.Function), cmp.Compare(x.What, y.What))
	})
	return list[:min(len(list), b.opt.Top)]
}

// acted prints what the rules acted on.
func (p *printer) acted(r *Report) {
	any := false
	for i := range r.Rules {
		any = any || len(r.Rules[i].Calls) > 0
	}
	if !any {
		return
	}
	g := &grid{heads: []string{"rule", "calls", "acted on"}}
	for i := range r.Rules {
		u := &r.Rules[i]
		for _, c := range u.Calls[:min(len(u.Calls), mostActed)] {
			g.add("", Count(uint64(u.N)), Count(c.Calls), c.Function+" "+Escape(c.What))
		}
		if more := len(u.Calls) - mostActed; more > 0 {
			g.add("", Count(uint64(u.N)), "", "… and "+Count(uint64(more))+" more")
		}
	}
	p.grid(g)
}
