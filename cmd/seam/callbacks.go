package main

import (
	"fmt"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/callbacks"
)

// compiledIn adds a rule, and a probe that says for which functions, for each callback
// that was compiled in by 'seam build'.
func (f *flags) compiledIn(s *hooks.Spec, protos []*hooks.Hook) error {
	for _, c := range callbacks.Registered() {
		name := fmt.Sprintf("callback %s (%s)", c.Name(), c.Target())
		if err := c.Check(); err != nil {
			return &problem{msg: fmt.Sprintf("%s: %s", name, err), hint: "see what callbacks.Register is given"}
		}
		r, p, _, err := hooks.ParseRule(hooks.RuleCallback, c.Target(), newSeed(), protos)
		if err != nil {
			return err
		}
		r.Callback, r.Position, r.Delay = uint32(c.Number()), uint8(c.Position()), int64(c.Deadline())
		r.Text = fmt.Sprintf("%s %s %s", c.Position(), r.Text, c.Name())
		if err := addRule(s, r, p); err != nil {
			return err
		}
	}
	return nil
}
