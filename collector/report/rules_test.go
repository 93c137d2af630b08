package report_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/wire"
)

// What rules did is added up over programs that were executed, old totals do not take
// anything back, and the command to do it again can be given to a shell.
func TestRules(t *testing.T) {
	b := report.NewBuilder(report.Options{})
	stream := func(arena byte, totals ...[]wire.Rule) {
		raw := wire.AppendHello(nil, &wire.Hello{V: wire.Version, PID: int(arena), From: "agent", Arena: [16]byte{arena}, Start: 1})
		for _, rules := range totals {
			raw = wire.AppendRules(raw, 1, rules)
		}
		feed(t, b, raw)
	}
	feed(t, b, wire.AppendHello(nil, &wire.Hello{V: wire.Version, PID: 9, From: "collector", Start: 1, Argv: []string{"./app", "it's", "a\nb"}}))
	rules := func(n uint64) []wire.Rule {
		return []wire.Rule{{N: 1, Kind: "audit", Text: "execve:path!^=/usr/bin", Matched: n, Acted: n}, {N: 2, Kind: "fault", Text: "write:errno=EIO,nth=3", Matched: 10 * n, Skipped: 1}}
	}
	stream(1, rules(2), rules(5), rules(4))
	stream(2, rules(1))
	r := b.Report()
	want := []report.Rule{{N: 1, Kind: "audit", Text: "execve:path!^=/usr/bin", Matched: 6, Acted: 6}, {N: 2, Kind: "fault", Text: "write:errno=EIO,nth=3", Matched: 60, Skipped: 2}}
	if !reflect.DeepEqual(r.Rules, want) {
		t.Errorf("%+v, want %+v", r.Rules, want)
	}
	var out bytes.Buffer
	if err := r.WriteText(&out, report.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nRules\n", "6      6", "audit execve:path!^=/usr/bin",
		`again: seam run --deny 'execve:path!^=/usr/bin' --fault write:errno=EIO,nth=3 --audit -- ./app 'it'\''s' $'a\nb'`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s\nlacks %q", out.String(), want)
		}
	}
}
