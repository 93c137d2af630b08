package drain

import "github.com/seam-project/seam/wire"

// fault is something wrong with what the arena holds. It is counted, told on the
// stream, and never stops the drainer.
type fault int

const (
	faultRecord fault = iota
	faultChunk
	faultDef
	faultShape
	numFaults
)

var faultTexts = [numFaults]struct{ code, text, advice string }{
	{"corrupt-record", "a record in the arena makes no sense; the rest of its chunk was given up",
		"the target may have written into seam's memory; calls of that chunk are missing"},
	{"corrupt-chunk", "a chunk's header makes no sense; what it held was given up",
		"the target may have written into seam's memory; calls of that chunk are missing"},
	{"bad-definition", "a probe's definition in the arena can't be read; its arguments are not shown",
		"use the same version of seam for the library and the reader"},
	{"shape-failed", "a decoder failed; the calls of its function are shown as raw words from here on",
		"please report this with the name of the function"},
}

func (d *Drainer) fault(f fault) { d.faults[f]++ }

// tellFaults appends an error for each fault whose count has grown.
func (d *Drainer) tellFaults(b []byte, now int64) []byte {
	for i, n := range d.faults {
		if n != d.told[i] {
			d.told[i] = n
			t := &faultTexts[i]
			b = wire.AppendError(b, now, t.code, t.text, t.advice, n)
		}
	}
	return b
}
