package drain

import (
	"strings"

	"github.com/seam-project/seam/wire"
	"github.com/seam-project/seam/wire/arena"
)

// rules appends what the rules did so far, when that is news on this connection.
func (d *Drainer) rules(b []byte, now int64) []byte {
	var list []wire.Rule
	var sum uint64
	d.a.EachRule(func(n int, s *arena.RuleState, text string) {
		kind, rule, _ := strings.Cut(text, " ")
		list = append(list, wire.Rule{N: n, Kind: kind, Text: rule, Matched: s.Matched, Acted: s.Acted, Skipped: s.Skipped})
		sum += s.Matched + s.Acted + s.Skipped
	})
	if len(list) == 0 || sum+1 == d.ruled {
		return b
	}
	d.ruled = sum + 1
	return wire.AppendRules(b, now, list)
}
