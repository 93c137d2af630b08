package drain

import (
	"fmt"
	"strings"

	"github.com/seam-project/seam/wire"
	"github.com/seam-project/seam/wire/arena"
)

// noteTexts is how notes of callbacks are told, by arena.Note*.
var noteTexts = map[uint8]struct{ code, advice string }{
	arena.NoteSaid:    {"callback-note", ""},
	arena.NoteError:   {"callback-error", ""},
	arena.NotePanic:   {"callback-panic", "the call went on as it was"},
	arena.NoteTimeout: {"callback-timeout", "give it a longer deadline (callbacks.Timeout), or do less in it"},
	arena.NoteOff:     {"callback-off", "calls of its functions go on without it"},
	arena.NoteFatal:   {"callback-fatal", "calls go on; messages of libraries are not fetched any more"},
	arena.NoteMisuse:  {"callback-misuse", ""},
}

// notes appends what callbacks left to say.
func (d *Drainer) notes(b []byte, now int64) []byte {
	d.noted = d.a.EachNote(d.noted, func(n *arena.Note, text string, told *uint32) {
		t, ok := noteTexts[n.Code]
		if !ok {
			return
		}
		who := fmt.Sprintf("rule %d", n.Rule+1)
		d.a.EachRule(func(i int, _ *arena.RuleState, text string) {
			if i == int(n.Rule)+1 {
				who = strings.TrimPrefix(text, "callback ")
			}
		})
		at := ""
		if n.Tid != 0 {
			at = fmt.Sprintf(" in thread %d of process %d", n.Tid, n.Pid)
		}
		b = wire.AppendError(b, now, t.code, who+at+": "+strings.ToValidUTF8(text, "\uFFFD"), t.advice, n.Count)
		d.said = append(d.said, mark{told, 1})
	})
	return b
}
