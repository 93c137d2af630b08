package report

import "sort"

// refusals groups functions refused for one reason. Names are kept to count
// each once: every process of a target refuses the same ones.
type refusals struct {
	names  map[string]struct{}
	detail string
	over   uint64 // not kept
}

// maxNames is how many names of a group the report lists.
const maxNames = 12

func (b *Builder) addRefusal(object, symbol, reason, detail string) {
	r := b.refused[reason]
	if r == nil {
		if len(b.refused) >= 256 {
			reason = "other"
			r = b.refused[reason]
		}
		if r == nil {
			r = &refusals{names: make(map[string]struct{}), detail: detail}
			b.refused[reason] = r
		}
	}
	name := baseName(object)
	if symbol != "" {
		name += ":" + symbol
	}
	if _, ok := r.names[name]; ok {
		return
	}
	if len(r.names) >= maxRefusals {
		r.over++
		return
	}
	r.names[name] = struct{}{}
}

func (b *Builder) refusalList() []Refusal {
	out := []Refusal{}
	for reason, r := range b.refused {
		names := sortedKeys(r.names)
		n := uint64(len(names)) + r.over
		if len(names) > maxNames {
			names = names[:maxNames]
		}
		e := Refusal{Reason: reason, Detail: r.detail, Count: n, Names: names}
		if b.opt.Advice != nil {
			e.Advice = b.opt.Advice(reason)
		}
		out = append(out, e)
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Count != out[j].Count {
			return out[i].Count > out[j].Count
		}
		return out[i].Reason < out[j].Reason
	})
	return out
}
