package hooks

import (
	"fmt"
	"slices"
	"strings"
)

// ProbeError says what is wrong with a probe or a prototype, and where.
type ProbeError struct {
	What string // what it is: "--fault"; "" a probe
	Text string // what was parsed; of several lines, the one
	Line int    // 1-based, of a text of several lines; 0: it is one line
	Col  int    // 1-based, in bytes
	Msg  string
	Hint string // what to write instead; may be empty
}

func (e *ProbeError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("line %d: %q: column %d: %s", e.Line, e.Text, e.Col, e.Msg)
	}
	return fmt.Sprintf("%q: column %d: %s", e.Text, e.Col, e.Msg)
}

// Caret is the text with a mark under the column, for a terminal.
func (e *ProbeError) Caret() string {
	col := min(max(e.Col-1, 0), len(e.Text))
	var pad strings.Builder
	for _, r := range e.Text[:col] {
		if r == '\t' {
			pad.WriteByte('\t')
		} else {
			pad.WriteByte(' ')
		}
	}
	return e.Text + "\n" + pad.String() + "^"
}

// nearest returns those of names closest to s, best first, at most three and
// none that needs more than a third of its letters changed.
func nearest(s string, names []string) []string {
	type cand struct {
		name string
		d    int
	}
	var best []cand
	for _, n := range names {
		d := distance(s, n)
		if strings.HasPrefix(n, s) && s != "" {
			d = min(d, 1)
		}
		if d > max(1, max(len(s), len(n))/3) {
			continue
		}
		i := len(best)
		for i > 0 && best[i-1].d > d {
			i--
		}
		best = append(best[:i], append([]cand{{n, d}}, best[i:]...)...)
		if len(best) > 3 {
			best = best[:3]
		}
	}
	out := make([]string, len(best))
	for i, c := range best {
		out[i] = c.name
	}
	return out
}

// Nearest is the edit-distance suggestion behind "did you mean".
func Nearest(s string, names []string) []string { return nearest(s, names) }

// distance counts the letters to change, add, drop or swap with their
// neighbour; long names are compared by length only.
func distance(a, b string) int {
	const most = 64
	if len(a) > most || len(b) > most {
		return max(len(a), len(b))
	}
	var rows [3][most + 1]int
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur, up, up2 := &rows[i%3], &rows[(i+2)%3], &rows[(i+1)%3]
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			d := up[j-1]
			if a[i-1] != b[j-1] {
				d++
			}
			d = min(d, up[j]+1, cur[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, up2[j-2]+1)
			}
			cur[j] = d
		}
	}
	return rows[len(a)%3][len(b)]
}

// oneOf renders names for a hint: `a`, `b` or `c`.
func oneOf(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}
