package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/seam-project/seam/collector/learn"
	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/policy"
)

// learnMS is how long a call may wait for room in a learning run: what is dropped is
// not learned.
const learnMS = 10000

// learns prepares a learning run. What it has to see comes first: of two probes for a function the
// first has it.
func (f *flags) learns(s *hooks.Spec) error {
	if f.learn == "" {
		return nil
	}
	if f.enforce != "" || f.audit {
		return &problem{msg: "--learn and --enforce in one run", hint: "learn first; then enforce, with --audit to only be told"}
	}
	if f.controlled() {
		return &problem{msg: "--learn while what is watched can be changed", hint: "leave out --control and --config"}
	}
	if _, err := os.Stat(f.learn); err == nil {
		if _, err := policy.Read(f.learn); err != nil {
			return err
		}
	} else if _, err := os.Stat(filepath.Dir(f.learn)); err != nil {
		return &problem{msg: fmt.Sprintf("--learn: no folder for '%s'", f.learn), hint: "give a file in a folder that is there"}
	}
	f.learner = learn.New()
	if !f.set.Changed("on-full") && !f.set.Changed("block-timeout") {
		s.OnFull, s.BlockMS = hooks.Block, learnMS
	}
	return nil
}

// learned writes what was learned, and says what was not.
func (a *app) learned(f *flags, r *report.Report) {
	if f.learner == nil {
		return
	}
	p, err := policy.Read(f.learn)
	if err != nil {
		if _, missing := os.Stat(f.learn); !errors.Is(missing, fs.ErrNotExist) {
			a.warn("%s", err)
			return
		}
		p = &policy.Policy{}
	}
	if err := f.learner.Policy(p).Write(f.learn); err != nil {
		a.warn("write '%s': %s", f.learn, err)
	}
	if r.Account.Dropped > 0 {
		a.warn("%d calls were dropped, and not learned from; learn again, or with a larger --buffer", r.Account.Dropped)
	}
	for what, n := range f.learner.Unknown() {
		a.warn("not learned: %s, of which only a part or no absolute form is known; it would be refused", several(n, what))
	}
}

// enforced are the rules of --enforce.
func (f *flags) enforced() ([]string, error) {
	if f.enforce == "" {
		return nil, nil
	}
	file, err := filepath.Abs(f.enforce)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(file, "\n#") {
		return nil, &problem{msg: fmt.Sprintf("--enforce: the path '%s' has a # or a line break in it", file)}
	}
	p, err := policy.Read(file)
	if err != nil {
		return nil, err
	}
	rules := p.Rules(file)
	if len(rules) == 0 {
		return nil, &problem{msg: fmt.Sprintf("--enforce: '%s' restricts nothing", f.enforce), hint: "it has none of the lists: programs, connects, files, sql"}
	}
	return rules, nil
}
