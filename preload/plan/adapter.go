package plan

import "github.com/seam-project/seam/hooks"

// lookup finds the hook that probe p means for a function of obj: known by the
// name asked for, or by one of the other names of the same code.
func lookup(obj *Object, p *hooks.Probe, name string, aliases []string) (*hooks.Hook, bool) {
	h, ok := lookupName(obj, p, name)
	for i := 0; !ok && i < len(aliases); i++ {
		if h, ok = lookupName(obj, p, aliases[i]); ok {
			other := *h
			other.Name = name
			h = &other
		}
	}
	return h, ok
}

func lookupName(obj *Object, p *hooks.Probe, name string) (*hooks.Hook, bool) {
	h, ok := hooks.Lookup(obj.Name(), name)
	if ok && p.Pack != "" && h.Pack != p.Pack {
		return nil, false
	}
	return h, ok
}

// ops is the hook's capture program in the form of a plan file.
func ops(h *hooks.Hook) []Op {
	var out []Op
	for _, o := range hooks.Ops(h) {
		out = append(out, Op(o))
	}
	return out
}

// resolve binds a probe's filters to the arguments of one function.
func resolve(h *hooks.Hook, fs []hooks.Filter) ([]Filter, error) {
	bound, err := hooks.ResolveFilters(h, fs)
	if err != nil {
		return nil, err
	}
	return planFilters(bound), nil
}

func planFilters(bound []hooks.CFilter) (out []Filter) {
	for i := range bound {
		c := &bound[i]
		out = append(out, Filter{What: uint8(c.What), Arg: c.Arg, Cmp: uint8(c.Cmp), Width: c.Width,
			Signed: c.Signed, Value: c.Value, Str: string(c.Str[:min(int(c.Len), len(c.Str))]), Set: c.Set})
	}
	return out
}
