package control

import (
	"slices"
	"strings"
	"time"

	"github.com/seam-project/seam/hooks"
)

// Programs load shared objects with callbacks when they start, so which there are stays
// as it is. Each callback is an entry of the set, which can be removed, and added again.

// callbacks moves the probes of callbacks out of the base.
func (s *Set) callbacks() {
	var rest []hooks.Probe
	for _, p := range s.base.Probes {
		if p.Rule == 0 || s.base.Rules[p.Rule-1].Kind != hooks.RuleNative {
			rest = append(rest, p)
			continue
		}
		e := &Probe{Text: strings.TrimPrefix(p.Text, "--"), By: "command line", Added: time.Now(), entries: []hooks.Probe{p}}
		s.native = append(s.native, e)
	}
	if len(s.native) == 0 {
		return
	}
	s.base.Probes = rest
	_ = s.Add(slices.Clone(s.native)...) // the spec they come from was one
}

// IsNative tells whether the text of an entry names a callback: "native pre write from /opt/cb.so".
func IsNative(text string) bool { return strings.HasPrefix(text, "native ") }

// newNative makes an entry of a callback that programs were started with.
func (s *Set) newNative(text string) (*Probe, error) {
	var known []string
	for _, p := range s.native {
		if p.Text == text {
			return &Probe{Text: text, entries: p.entries}, nil
		}
		known = append(known, "'"+p.Text+"'")
	}
	e := &Error{Msg: "no such callback: '" + text + "'", Hint: "programs load callbacks when they start: give --native to the command that collects"}
	if len(known) > 0 {
		e.Hint = "there are: " + strings.Join(known, ", ")
	}
	return nil, e
}
