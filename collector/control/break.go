package control

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seam-project/seam/hooks"
)

// A Break is a breakpoint: threads that call some functions wait before the call.
type Break struct {
	ID      string
	Text    string // as a rule has it: [LIB:]FUNCTION[:ITEM,…]
	Timeout time.Duration
	By      string
	Added   time.Time
	rule    hooks.Rule
	probe   hooks.Probe
	serial  uint64
	slot    int // index of its rule, behind the base's
}

// NewBreak makes a breakpoint, without an ID, of its text and of further conditions. Files
// that it names are relative to dir. timeout is the longest wait; 0: as the text says, or DefaultBreak.
// protos are the user's declarations.
func NewBreak(text string, when []string, timeout time.Duration, dir string, protos []string) (*Break, error) {
	var known []*hooks.Hook
	for _, text := range protos {
		hs, err := hooks.UserProto(text)
		if err != nil {
			return nil, err
		}
		known = append(known, hs...)
	}
	for _, cond := range when {
		text = hooks.AddCondition(hooks.RuleBreak, text, cond)
	}
	r, p, _, err := hooks.ParseRule(hooks.RuleBreak, text, uint64(time.Now().UnixNano()&0xffffffff), known)
	if err != nil {
		return nil, err
	}
	if strings.Contains(p.Lib, "/") && !filepath.IsAbs(p.Lib) {
		if !filepath.IsAbs(dir) {
			return nil, &Error{fmt.Sprintf("'%s' is relative, and it is not known to what", p.Lib), "give an absolute path"}
		}
		p.Lib = filepath.Join(dir, p.Lib)
	}
	if timeout != 0 {
		if timeout < 0 || timeout > hooks.MaxBreak {
			return nil, &Error{fmt.Sprintf("a thread can't wait %s", timeout), "more than 0 and at most " + hooks.MaxBreak.String()}
		}
		r.Delay = int64(timeout)
	}
	return &Break{Text: r.Text, Timeout: time.Duration(r.Delay), rule: r, probe: p}, nil
}

// firstSerial is above those of collectors before this one: an arena outlives them.
func firstSerial() uint64 { return uint64(time.Now().UnixMicro()) }

// AddBreak gives a breakpoint its ID and a place among the rules, and adds it.
func (s *Set) AddBreak(b *Break) error {
	for b.slot = 0; slices.ContainsFunc(s.breaks, func(o *Break) bool { return o.slot == b.slot }); b.slot++ {
	}
	if room := hooks.MaxRules - len(s.base.Rules); b.slot >= room {
		return &Error{fmt.Sprintf("there are %d breakpoints and rules", hooks.MaxRules), "remove one: seam break rm"}
	}
	trial := *s
	trial.nextBreak++
	if trial.serial++; trial.serial < firstSerial() {
		trial.serial = firstSerial()
	}
	b.ID, b.serial = fmt.Sprintf("b%d", trial.nextBreak), trial.serial
	b.rule.Jitter = int64(b.serial)
	b.rule.Text = b.ID + " " + b.Text
	b.probe.Text = "break " + b.rule.Text
	trial.breaks = append(slices.Clone(s.breaks), b)
	if err := trial.Spec().Check(); err != nil {
		return &Error{Msg: err.Error()}
	}
	*s = trial
	return nil
}

// RemoveBreak removes one.
func (s *Set) RemoveBreak(id string) (*Break, error) {
	b, err := s.Break(id)
	if err == nil {
		s.breaks = slices.DeleteFunc(slices.Clone(s.breaks), func(o *Break) bool { return o == b })
	}
	return b, err
}

// Break finds one.
func (s *Set) Break(id string) (*Break, error) {
	for _, b := range s.breaks {
		if b.ID == id {
			return b, nil
		}
	}
	e := &Error{Msg: fmt.Sprintf("no breakpoint '%s'", id), Hint: "there is none"}
	if len(s.breaks) > 0 {
		e.Hint = "there are: "
		for i, b := range s.breaks {
			if i > 0 {
				e.Hint += ", "
			}
			e.Hint += b.ID
		}
	}
	return nil, e
}

// addBreaks adds to a spec the rules of the breakpoints, each at its place, so that those that stay
// keep theirs, and their probes.
func (s *Set) addBreaks(spec *hooks.Spec) {
	rules, probes := slices.Clone(spec.Rules), spec.Probes
	first := len(rules)
	for _, b := range s.breaks {
		for len(rules) <= first+b.slot {
			rules = append(rules, hooks.Rule{Kind: hooks.RuleBreak, Text: "-"}) // a place that is free
		}
		rules[first+b.slot] = b.rule
		p := b.probe
		p.Rule = first + b.slot + 1
		probes = append(probes, p)
	}
	spec.Rules, spec.Probes = rules, probes
}

// breakOf is the breakpoint that a probe of a spec is for, or nil.
func (s *Set) breakOf(p *hooks.Probe) *Break {
	for _, b := range s.breaks {
		if p.Rule == len(s.base.Rules)+b.slot+1 {
			return b
		}
	}
	return nil
}
