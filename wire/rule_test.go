package wire

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type ruleRecorder struct {
	recorder
	rules []Rule
}

func (r *ruleRecorder) Rules(t int64, rules []Rule) { r.rules = append([]Rule{}, rules...) }

// What rules did, and which of them acted on a call, comes out as it went in; a
// reader that does not know of rules reads on.
func TestRules(t *testing.T) {
	want := []Rule{{N: 1, Kind: "fault", Text: "write:errno=EIO", Matched: 1 << 40, Acted: 3}, {N: 64, Kind: "delay", Text: "x:1ms", Skipped: 9}}
	b := AppendRules(nil, 5, want)
	var batch Batch
	batch.Reset(1, 0)
	batch.Section(&Section{PID: 1, TID: 1, Thread: 1, Chunk: 1})
	sets := []uint64{1, 1 << 63, 5, 0}
	for _, set := range sets {
		n := byte(0x99)
		if set == 0 {
			n = 0x98
		}
		batch.Buf = AppendExtra(append(batch.Buf, n, EvCall, 1, 1, 0, 7, 0, 0, 0x90), nil, false, set)
		batch.Buf = AppendExtra(append(batch.Buf, n-3, EvEnter, 1, 2, 0, 0x90), nil, false, set)
		batch.Events += 2
	}
	batch.Buf = AppendExtra(append(batch.Buf, 0x99, EvCall, 1, 1, 0, 7, 0, 0, 0x90), []byte("told"), true, 2)
	batch.Events++
	batch.EndSection(8)
	b = append(b, batch.Finish()...)
	var got ruleRecorder
	if err := NewDecoder(bytes.NewReader(b)).Run(&got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.rules); diff != "" {
		t.Error(diff)
	}
	var seen []uint64
	var msg string
	for _, v := range got.got {
		if e, ok := v.(Event); ok {
			seen = append(seen, e.Rules)
			msg = string(e.Msg)
		}
	}
	if diff := cmp.Diff([]uint64{1, 1, 1 << 63, 1 << 63, 5, 5, 0, 0, 2}, seen); diff != "" || msg != "told" {
		t.Errorf("%s %q", diff, msg)
	}
	if err := NewDecoder(bytes.NewReader(b)).Run(null{}); err != nil {
		t.Error(err)
	}
	for i := range b {
		NewDecoder(bytes.NewReader(b[:i])).Run(&got)
	}
}
