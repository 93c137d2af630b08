package main

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/native"
	"github.com/seam-project/seam/hooks/policy"
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
	if err := f.compiledIn(s, protos); err != nil {
		return err
	}
	enforced, err := f.enforced()
	if err != nil {
		return err
	}
	deny := hooks.RuleDeny
	if f.audit {
		deny = hooks.RuleAudit
		if len(f.denies) == 0 && f.enforce == "" {
			return &problem{msg: "--audit without --deny or --enforce", hint: "it lets what they refuse pass, and tells of it"}
		}
	}
	for _, k := range []struct {
		kind  hooks.RuleKind
		texts []string
	}{{hooks.RuleDelay, f.delays}, {deny, slices.Concat(f.denies, enforced)}, {hooks.RuleAudit, f.audits}, {hooks.RuleFault, f.faults}} {
		for _, text := range k.texts {
			r, p, warnings, err := hooks.ParseRuleWith(policy.Lists, k.kind, text, newSeed(), protos)
			if err != nil {
				return err
			}
			if err := addRule(s, r, p); err != nil {
				return err
			}
			for _, w := range warnings {
				if !f.quiet {
					f.note(w)
				}
			}
		}
	}
	return f.callbacks(s, protos)
}

func addRule(s *hooks.Spec, r hooks.Rule, p hooks.Probe) error {
	if len(s.Rules) == hooks.MaxRules {
		return &problem{msg: fmt.Sprintf("more than %d rules", hooks.MaxRules), hint: "a pattern can name several functions: open*"}
	}
	s.Rules = append(s.Rules, r)
	p.Rule = len(s.Rules)
	s.Probes = append(s.Probes, p)
	if copies, ok := hooks.PackCopies(p.Pack); ok {
		copies.Rule, copies.Instrument, copies.Filters = p.Rule, p.Instrument, p.Filters
		s.Probes = append(s.Probes, copies)
	}
	return nil
}

// callbacks adds those of --native: each is a rule, after all others, and a probe.
func (f *flags) callbacks(s *hooks.Spec, protos []*hooks.Hook) error {
	if len(f.natives) > 0 && f.command.name == "attach" {
		return &problem{msg: fmt.Sprintf("'%s': callbacks can't be loaded into a process that runs", f.natives[0]), hint: "start the program with it: seam run --native " + f.natives[0]}
	}
	for _, name := range f.natives {
		file, err := native.Read(name)
		if err != nil {
			return err
		}
		for _, c := range file.Callbacks {
			r, p, err := hooks.NewNative(hooks.Native{Position: c.Position, File: file.Path, Index: c.Index, Uses: c.Uses,
				Dev: file.Dev, Ino: file.Ino, Size: file.Size, MtimeNS: file.MtimeNS}, c.Function, protos)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if err := addRule(s, r, p); err != nil {
				return err
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
