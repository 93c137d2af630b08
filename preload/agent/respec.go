package agent

import (
	"os"
	"sync"
	"time"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/preload/core"
	"github.com/seam-project/seam/preload/plan"
)

// State is what became of a spec in this process.
type State struct {
	Hash   uint64       // of the spec that is in force
	Probes []ProbeState // by index in the spec's probes
}

// ProbeState is what became of one probe. Neither sites nor refusals: it is dormant,
// as nothing that is loaded has such a function.
type ProbeState struct {
	Sites   []Site
	Refused []Refused
}

// Site is a function that is patched.
type Site struct {
	Object, Symbol string
	ID             int // in the arena's site table, as in the stream
}

// Refused is a function that is not, or, when the reason is a note, that is patched in a
// lesser way.
type Refused struct {
	Object, Symbol string
	Reason         plan.Reason
	Detail         string
}

var respecLock sync.Mutex

// Respec makes what is patched in this process equal to the spec file at path.
// When it fails nothing has changed.
func Respec(path string) (State, error) {
	respecLock.Lock()
	defer respecLock.Unlock()
	text, err := os.ReadFile(path)
	if err != nil {
		return State{}, err
	}
	spec, err := hooks.ParseSpec(text)
	if err != nil {
		return State{}, err
	}
	a, err := core.Respec(path)
	if err != nil {
		return State{}, err
	}
	return stateOf(spec, a), nil
}

func stateOf(spec *hooks.Spec, a core.Applied) State {
	st := State{Hash: a.Hash, Probes: make([]ProbeState, len(spec.Probes))}
	for _, s := range a.Sites {
		if s.Probe >= len(st.Probes) { // of an object without a plan nothing is known
			for i := range spec.Probes {
				if hooks.MatchLib(spec.Probes[i].Lib, s.Object) {
					st.Probes[i].Refused = append(st.Probes[i].Refused, Refused{s.Object, s.Symbol, plan.Reason(s.Reason), ""})
				}
			}
			continue
		}
		p := &st.Probes[s.Probe]
		if s.Reason == 0 {
			p.Sites = append(p.Sites, Site{s.Object, s.Symbol, s.ID})
		} else {
			p.Refused = append(p.Refused, Refused{s.Object, s.Symbol, plan.Reason(s.Reason), ""})
		}
	}
	// A rule is in force, too, at functions that another probe has.
	for i := range spec.Probes {
		if spec.Probes[i].Rule == 0 || len(st.Probes[i].Sites) > 0 {
			continue
		}
		for _, s := range a.Sites {
			if s.Reason == 0 && s.Probe < len(st.Probes) && names(&spec.Probes[i], s.Object, s.Symbol) {
				st.Probes[i].Sites = append(st.Probes[i].Sites, Site{s.Object, s.Symbol, s.ID})
			}
		}
	}
	for _, o := range a.Refusals {
		refusals, ok := plan.ParseRefusals(o.Packed)
		if !ok {
			continue
		}
		for _, r := range refusals {
			for i := range spec.Probes {
				if names(&spec.Probes[i], o.Object, r.Name) {
					st.Probes[i].Refused = append(st.Probes[i].Refused, Refused{o.Object, r.Name, r.Reason, r.Detail})
					break // the first probe of a function has it, as in the plan
				}
			}
		}
	}
	return st
}

// names reports whether a probe is for this function of this object, by the names
// that both have.
func names(p *hooks.Probe, object, symbol string) bool {
	in := p.Has != "" || hooks.MatchLib(p.Lib, object)
	return in && (p.Pack != "" || p.Sym == symbol || p.As == symbol || hooks.Glob(p.Sym, symbol))
}

// followEvery is how often the agent looks whether another process that shares its
// arena was given a newer spec: without a thread that waits for it, as making
// one needs a lock that a thread inside dlopen holds.
const followEvery = 250 * time.Millisecond

func followNewest() {
	defer stopOnPanic()
	for ; ; time.Sleep(followEvery) {
		if core.Behind() {
			respecLock.Lock()
			core.Follow()
			respecLock.Unlock()
		}
	}
}
