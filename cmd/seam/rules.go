package main

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"github.com/seam-project/seam/hooks"
)

// rules adds what --fault, --delay and --deny ask for: a rule each, and a probe that
// says for which functions.
func (f *flags) rules(s *hooks.Spec) error {
	var protos []*hooks.Hook
	for _, text := range s.Protos {
		hs, err := hooks.UserProto(text)
		if err != nil {
			return err
		}
		protos = append(protos, hs...)
	}
	deny := hooks.RuleDeny
	if f.audit {
		deny = hooks.RuleAudit
		if len(f.denies) == 0 {
			return &problem{msg: "--audit without --deny", hint: "it lets what --deny names pass, and tells of it"}
		}
	}
	for _, k := range []struct {
		kind  hooks.RuleKind
		texts []string
	}{{hooks.RuleDelay, f.delays}, {deny, f.denies}, {hooks.RuleFault, f.faults}} {
		for _, text := range k.texts {
			r, p, warnings, err := hooks.ParseRule(k.kind, text, newSeed(), protos)
			if err != nil {
				return err
			}
			if len(s.Rules) == hooks.MaxRules {
				return &problem{msg: fmt.Sprintf("more than %d rules", hooks.MaxRules), hint: "a pattern can name several functions: open*"}
			}
			s.Rules = append(s.Rules, r)
			p.Rule = len(s.Rules)
			s.Probes = append(s.Probes, p)
			for _, w := range warnings {
				if !f.quiet {
					f.note(w)
				}
			}
		}
	}
	return nil
}

// newSeed is a seed that is short enough to be typed again.
func newSeed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return uint64(binary.LittleEndian.Uint32(b[:]))
}
