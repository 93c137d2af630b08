package plan

import (
	"errors"
	"slices"

	"github.com/seam-project/seam/hooks"
)

// rules binds the rules for the function at addr to it. One that names many
// functions leaves out those it does not fit; one that names this very function
// says why.
func (b *builder) rules(site *Site, h *hooks.Hook, addr uint64, p *hooks.Probe) (out []Rule) {
	for _, i := range b.ruled[addr] {
		if len(out) > 0 && int(out[len(out)-1].ID) == i {
			continue // by another name of the same function
		}
		r := &b.spec.Rules[i]
		bound, err := hooks.ResolveRule(h, r)
		if err != nil {
			if b.exactly(i) {
				detail := err.Error()
				var re *hooks.RuleError
				if errors.As(err, &re) {
					detail = re.Msg
				}
				b.refuse(site.Name, RuleNotApplied, "the "+r.Kind.String()+": "+detail)
			}
			continue
		}
		out = append(out, Rule{What: bound.What, Flags: bound.Flags, ID: uint8(i), CountArg: bound.CountArg, Count: r.Short + r.Callback, Ret: bound.Ret, Errs: bound.Errs, When: ownLibrary(planFilters(bound.When), b.obj.Name())})
	}
	return out
}

// after: a callback that is called after the function.
func after(r Rule) bool {
	return r.What == hooks.ActNative && r.Flags != 0 || r.What == hooks.ActCallback && r.CountArg != hooks.PosPre
}

// afterwards leaves out callbacks that are to be called after a function whose return is not seen.
func (b *builder) afterwards(site *Site, rules []Rule) []Rule {
	if site.Kind == Full || !slices.ContainsFunc(rules, after) {
		return rules
	}
	for i := range rules {
		if r := &rules[i]; after(*r) && b.exactly(int(r.ID)) {
			b.refuse(site.Name, RuleNotApplied, "the callback: the function's return can't be seen")
		}
	}
	return slices.DeleteFunc(rules, after)
}

// exactly: rule i is for one function that it names.
func (b *builder) exactly(i int) bool {
	for j := range b.spec.Probes {
		if p := &b.spec.Probes[j]; p.Rule == i+1 {
			return p.Pack == "" && !hooks.IsGlob(p.Sym)
		}
	}
	return false
}
