package hooks

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Position is when a callback is called.
type Position uint8

const (
	Pre     Position = iota + 1 // before the function
	Post                        // after it
	Failing                     // after it, if it failed
)

func (p Position) String() string { return [...]string{"", "pre", "post", "failing"}[min(p, Failing)] }

// Registers says what a callback's code was seen to use, besides general registers. The core knows
// the numbers.
type Registers uint8

const (
	AllRegisters Registers = iota // not known
	NoVectors                     // none
	FewXMM                        // xmm0 to xmm3, by instructions that leave what is above 128 bits alone
	AnyXMM                        // xmm0 to xmm15, likewise
)

// Native is a callback of the user's: an entry of the table in a shared object. All but Position
// is not part of the spec's hash: it changes no plan.
type Native struct {
	Position Position
	File     string    `json:"-"` // absolute
	Index    int       `json:"-"` // in the table
	Uses     Registers `json:"-"`
	// The file that was read: the one that is loaded must be the same.
	Dev, Ino, Size, MtimeNS uint64 `json:"-"`
}

// NewNative makes the rule, and the probe that says for which functions it is, of a callback
// for function, which is a probe without an instrument:
//
//	write      libz:deflate      open* if path ^= /etc/
//
// protos are the user's prototypes. The probe's Rule is the caller's to set.
func NewNative(n Native, function string, protos []*Hook) (r Rule, p Probe, err error) {
	what := n.Position.String() + " callback"
	q, err := ParseProbe(function)
	if err != nil {
		if pe, ok := err.(*ProbeError); ok {
			pe.What = what
		}
		return Rule{}, Probe{}, err
	}
	s := ruleScanner{probeScanner: probeScanner{text: function}, at: map[string]int{}}
	r = Rule{Kind: RuleNative, When: q.Filters, Native: &n, Text: fmt.Sprintf("%s %s from %s", n.Position, function, n.File)}
	s.rule = r
	for range q.Filters {
		s.whenAt = append(s.whenAt, 0)
	}
	p = Probe{Text: "--native " + r.Text, Lib: q.Lib, Sym: q.Sym, Instrument: Log, Filters: []Filter{{Kind: FilterRuled}}}
	switch {
	case q.Instrument != Log || strings.Contains(function, "@"):
		s.fail(strings.IndexByte(function, '@'), "a callback has no instrument", "probe the function, too: -p '"+q.Sym+"@count'")
	case len(r.Text) > maxRuleText:
		s.fail(0, "the path of its file is too long", "")
	}
	if s.err == nil {
		s.functions(&p, protos)
	}
	if s.err != nil {
		s.err.What = what
		return Rule{}, Probe{}, s.err
	}
	return r, p, nil
}

// native binds a callback to a function.
func (b *BoundRule) native(h *Hook, r *Rule) error {
	b.What = ActNative
	switch r.Native.Position {
	case Post:
		b.Flags = RulePost
	case Failing:
		b.Flags = RuleFailing
	default:
		return nil
	}
	switch {
	case h.Flags&(HookNoReturn|HookExit|HookExec|HookForks) != 0 || neverReturns(h.Name):
		return &RuleError{Func: h.Name, Msg: "it does not return as other functions do: nothing can be called after it", Hint: "SEAM_PRE is possible"}
	case r.Native.Position == Failing && h.Fail.Op == FailNever:
		return &RuleError{Func: h.Name, Msg: "it is not known when it fails", Hint: "declare it with a 'fails' clause: --proto; or SEAM_POST"}
	}
	return nil
}

func (n *Native) check() error {
	switch {
	case n.Position < Pre || n.Position > Failing:
		return &RuleError{Msg: "unknown position of a callback"}
	case n.File != "" && (!filepath.IsAbs(n.File) || strings.ContainsAny(n.File, "\n\x00")):
		return &RuleError{Msg: "the file of a callback is not an absolute path"}
	}
	return nil
}

// appendLine writes the line for the core that follows the rule's.
func (n *Native) appendLine(b []byte) []byte {
	if n == nil {
		return b
	}
	return fmt.Appendf(b, "native %d %d %d %d %d %d %s\n", n.Index, n.Uses, n.Dev, n.Ino, n.Size, n.MtimeNS, n.File)
}

// parseLine is the inverse, for a line without its first word.
func (n *Native) parseLine(line string) bool {
	if n == nil {
		return line == ""
	}
	words := strings.SplitN(line, " ", 7)
	if len(words) != 7 {
		return false
	}
	if k, err := fmt.Sscan(strings.Join(words[:6], " "), &n.Index, &n.Uses, &n.Dev, &n.Ino, &n.Size, &n.MtimeNS); err != nil || k != 6 {
		return false
	}
	n.File = words[6]
	return n.Uses <= AnyXMM && n.File != "" && n.Index >= 0 && n.check() == nil
}
