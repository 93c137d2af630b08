package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seam-project/seam/wire"
)

// Rules implements wire.RuleHandler.
func (s *Stream) Rules(t int64, rules []wire.Rule) {
	if !s.ready() {
		return
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.saw(t)
	// Counts only grow: those of a sender that lost its turn are old news. A breakpoint that was removed may not be
	// told of any more, and another one have its number.
	all := s.arena.rules
	for i := range rules {
		r := &rules[i]
		r.Kind, r.Text = clip(r.Kind, 16), clip(r.Text, 1024)
		k := slices.IndexFunc(all, func(o wire.Rule) bool { return o.N == r.N && o.Kind == r.Kind && o.Text == r.Text })
		if k < 0 && len(all) < maxRules {
			all = append(all, *r)
		} else if k >= 0 {
			o := &all[k]
			o.Matched, o.Acted, o.Skipped = max(r.Matched, o.Matched), max(r.Acted, o.Acted), max(r.Skipped, o.Skipped)
		}
	}
	s.arena.rules = all
}

// maxRules bounds what is kept of an arena's rules, of all that it had.
const maxRules = 1024

// reportRules adds up what each rule did in all arenas: a program that the target
// executes has one of its own, with the same rules.
func (b *Builder) reportRules(r *Report) {
	at := map[string]int{}
	for _, a := range b.arenas {
		for i := range a.rules {
			w := &a.rules[i]
			key := w.Kind + " " + w.Text
			k, ok := at[key]
			if !ok {
				k = len(r.Rules)
				at[key] = k
				r.Rules = append(r.Rules, Rule{N: w.N, Kind: w.Kind, Text: w.Text})
			}
			t := &r.Rules[k]
			t.Matched += w.Matched
			t.Acted += w.Acted
			t.Skipped += w.Skipped
		}
	}
	slices.SortFunc(r.Rules, func(x, y Rule) int { return cmp.Or(cmp.Compare(x.N, y.N), cmp.Compare(x.Text, y.Text)) })
	for i := range r.Rules {
		r.Rules[i].Calls = b.actedOn(r.Rules[i].N)
	}
	if len(r.Rules) == 0 || len(r.Target) == 0 {
		return
	}
	r.Again = []string{"seam", "run"}
	audit, deny, file := false, false, ""
	for i := range r.Rules {
		kind := r.Rules[i].Kind
		if kind == "callback" { // compiled into that seam, which is not known here
			r.Again = nil
			return
		}
		if kind == "native" { // those of one file, as --native takes it
			if _, f, _ := strings.Cut(r.Rules[i].Text, " from /"); f != file {
				file = f
				r.Again = append(r.Again, "--native", "/"+f)
			}
			continue
		}
		if kind == "break" { // another run has nobody to release
			continue
		}
		deny = deny || kind == "deny"
		if kind == "audit" {
			kind, audit = "deny", true
		}
		r.Again = append(r.Again, "--"+kind, r.Rules[i].Text)
	}
	if len(r.Again) == 2 || audit && deny { // --audit is for all, but of a pack some are only told
		r.Again = nil
		return
	}
	if audit {
		r.Again = append(r.Again, "--audit")
	}
	r.Again = append(append(r.Again, "--"), r.Target...)
}

// shellCommand is an argv as a shell reads it back.
func shellCommand(argv []string) string {
	var b strings.Builder
	for i, a := range argv {
		if i > 0 {
			b.WriteByte(' ')
		}
		if strings.ContainsFunc(a, func(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError || r >= 0x80 && r < 0xa0 }) {
			b.WriteString(quoted(a))
			continue
		}
		a = Escape(a)
		if a == "" || strings.ContainsFunc(a, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_./:=,@%+-", r))
		}) {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		b.WriteString(a)
	}
	return b.String()
}

// quoted is a text with control characters, as bash and zsh read it.
func quoted(s string) string {
	var b strings.Builder
	b.WriteString("$'")
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\'' || c == '\\':
			b.WriteString(string([]byte{'\\', c}))
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + "'"
}

func (p *printer) rules(r *Report) {
	if len(r.Rules) == 0 {
		return
	}
	p.section("Rules")
	g := &grid{heads: []string{"rule", "matched", "acted", "skipped", "what"}, spare: []int{1}}
	for i := range r.Rules {
		u := &r.Rules[i]
		acted := count0(u.Acted)
		if u.Acted == 0 {
			acted = "0"
		}
		matched := Count(u.Matched)
		if u.Kind == "native" {
			matched = "" // its calls are not counted
		}
		g.add("", Count(uint64(u.N)), matched, acted, count0(u.Skipped), u.Kind+" "+Escape(u.Text))
	}
	p.grid(g)
	p.acted(r)
	if len(r.Again) > 0 {
		p.line("  again: " + shellCommand(r.Again))
	}
}
