package plan

import (
	"sort"

	"github.com/seam-project/seam/hooks"
)

// Coverage says how the functions that an object exports can be reached.
// A function counts once, however many names it has.
type Coverage struct {
	Functions int // all: the sum of the others
	Inline    int // its code is patched: every call is seen
	Picked    int // IFUNCs: the code the loader picks is patched, or the pointers to it rewritten
	Pointer   int // the pointers to it are rewritten: GOT slots, dlsym, tables; direct calls inside the library are not seen
	Refused   int
	Reasons   []CoverageReason // of those that are refused or reached by pointer, most frequent first
}

// CoverageReason counts functions that are not patched inline.
type CoverageReason struct {
	Reason Reason
	Names  []string // sorted
}

// Reachable is the share of functions whose calls are seen, 0 to 1.
func (c *Coverage) Reachable() float64 {
	if c.Functions == 0 {
		return 1
	}
	return 1 - float64(c.Refused)/float64(c.Functions)
}

// Cover plans all that an object exports. Arguments and results are not what it
// is about: an entry that is recorded is a call that is seen.
func Cover(o *Object) (*Coverage, error) {
	p, err := Build(o, &hooks.Spec{Probes: []hooks.Probe{{Sym: "*", Instrument: hooks.Log}}})
	if err != nil {
		return nil, err
	}
	inline, pointer, picked := map[uint64]bool{}, map[uint64]bool{}, map[uint64]bool{}
	for i := range p.Sites {
		switch s := &p.Sites[i]; {
		case s.Picker != 0:
			picked[s.Picker] = true
		case s.ByPointer():
			pointer[s.Vaddr] = true
		default:
			inline[s.Vaddr] = true
		}
	}
	why := map[string]Reason{}
	for _, r := range p.Refusals {
		if !r.Reason.Info().Note || r.Reason == ByPointer {
			why[r.Name] = r.Reason
		}
	}
	c := &Coverage{}
	reasons := map[Reason]*CoverageReason{}
	seen := map[uint64]bool{}
	for _, i := range o.byAddr {
		s := &o.Symbols[i]
		if s.Type != SymFunc && s.Type != SymIFunc || seen[s.Addr] {
			continue
		}
		seen[s.Addr] = true
		c.Functions++
		reason, name := Unreadable, s.Name
		for _, k := range o.symbolsAt(s.Addr) {
			if r, ok := why[o.Symbols[k].Name]; ok {
				reason, name = r, o.Symbols[k].Name
			}
		}
		switch {
		case picked[s.Addr]:
			c.Picked++
			continue
		case inline[s.Addr]:
			c.Inline++
			continue
		case pointer[s.Addr]:
			c.Pointer++
		default:
			c.Refused++
		}
		if reasons[reason] == nil {
			reasons[reason] = &CoverageReason{Reason: reason}
		}
		reasons[reason].Names = append(reasons[reason].Names, name)
	}
	for _, r := range reasons {
		sort.Strings(r.Names)
		c.Reasons = append(c.Reasons, *r)
	}
	sort.Slice(c.Reasons, func(i, j int) bool {
		a, b := &c.Reasons[i], &c.Reasons[j]
		return len(a.Names) > len(b.Names) || len(a.Names) == len(b.Names) && a.Reason < b.Reason
	})
	return c, nil
}
