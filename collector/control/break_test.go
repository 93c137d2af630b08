package control

import (
	"strings"
	"testing"
	"time"

	"github.com/seam-project/seam/hooks"
)

func addBreak(t *testing.T, s *Set, text string, when ...string) *Break {
	t.Helper()
	b, err := NewBreak(text, when, 0, "/", nil)
	if err == nil {
		err = s.AddBreak(b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Breakpoints that stay keep their place among the rules; one that comes takes a free one, and its serial is above
// those of all before it: a process tells by it that the place has another.
func TestBreaksOfASet(t *testing.T) {
	base := hooks.NewSpec()
	r, p, _, err := hooks.ParseRule(hooks.RuleFault, "write:errno=EIO", 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	base.Rules, p.Rule = []hooks.Rule{r}, 1
	base.Probes = []hooks.Probe{p}
	s := NewSet(base)
	a, b := addBreak(t, s, "read"), addBreak(t, s, "libc:write", "fd==3", "count>1")
	if _, err := s.RemoveBreak("b1"); err != nil {
		t.Fatal(err)
	}
	spec := s.Spec()
	if len(spec.Rules) != 3 || spec.Rules[0].Kind != hooks.RuleFault || spec.Rules[1].Jitter != 0 || spec.Rules[2].Text != "b2 libc:write:when=fd==3,when=count>1" {
		t.Fatalf("%+v", spec.Rules)
	}
	if p := spec.Probes[len(spec.Probes)-1]; p.Rule != 3 || p.Sym != "write" {
		t.Errorf("%+v", p)
	}
	c := addBreak(t, s, "close")
	if c.slot != a.slot || c.ID != "b3" || c.serial <= b.serial || b.serial <= a.serial {
		t.Errorf("%+v after %+v", c, a)
	}
	text, err := s.Spec().Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := hooks.ParseSpec(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := back.Rules[1]; got.Kind != hooks.RuleBreak || uint64(got.Jitter) != c.serial || got.Delay != int64(hooks.DefaultBreak) {
		t.Errorf("%+v", got)
	}
	ids := s.Complete(back)
	if n := len(ids); n != 3 || ids[0] != "" || ids[1] != "b2" || ids[2] != "b3" {
		t.Errorf("%q", ids)
	}
	if base.Rules[0].Kind != hooks.RuleFault || len(base.Rules) != 1 {
		t.Errorf("the base has changed: %+v", base.Rules)
	}
}

// There are as many as there are numbers for rules.
func TestMostBreaks(t *testing.T) {
	s := NewSet(hooks.NewSpec())
	for range hooks.MaxRules {
		addBreak(t, s, "read")
	}
	b, err := NewBreak("read", nil, time.Second, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AddBreak(b); err == nil || err.(*Error).Hint != "remove one: seam break rm" {
		t.Errorf("%v", err)
	}
	if _, err := s.RemoveBreak("b17"); err != nil {
		t.Error(err)
	}
	if err := s.AddBreak(b); err != nil || b.slot != 16 {
		t.Errorf("%v, %+v", err, b)
	}
}

// What a breakpoint can't be is said.
func TestBadBreaks(t *testing.T) {
	for _, tc := range []struct {
		text, when, dir, want string
		timeout               time.Duration
	}{
		{text: "nosuch", want: `--break "nosuch", column 1: unknown function "nosuch"`},
		{text: "write:short=1", want: `a breakpoint does not fail the call, too`},
		{text: "./app:f", want: "'./app' is relative, and it is not known to what"},
		{text: "read", timeout: -1, want: "a thread can't wait -1ns"},
		{text: "read:timeout=0s", want: "not a time to wait at a breakpoint"},
		{text: "read:jitter=1s", want: "jitter belongs to a delay"},
		{text: "app:f", when: "n==1", want: `f: no argument "n"`},
	} {
		var when []string
		if tc.when != "" {
			when = []string{tc.when}
		}
		_, err := NewBreak(tc.text, when, tc.timeout, tc.dir, nil)
		if err == nil || !strings.Contains(failed(err).Error, tc.want) {
			t.Errorf("%+v: %v", tc, err)
		}
	}
	if _, err := NewBreak("app:f", []string{"n==1"}, 0, "", []string{"int f(int n)"}); err != nil {
		t.Errorf("with a declaration: %v", err)
	}
}
