package wire

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type statuses struct {
	null
	got []Status
}

func (s *statuses) Status(_ int64, st *Status) { s.got = append(s.got, *st) }

func TestStatus(t *testing.T) {
	want := []Status{
		{N: 3, Spec: 1 << 63, Probes: []ProbeStatus{
			{State: ProbeApplied, IDs: []uint32{1, 70000}, Refused: 2, Reason: "ifunc", Detail: "memcpy"},
			{State: ProbeDormant}}},
		{N: 4, Error: "no such file"},
	}
	var b []byte
	for i := range want {
		b = AppendStatus(b, 7, &want[i])
	}
	h := new(statuses)
	d := NewDecoder(bytes.NewReader(b))
	for range want {
		if err := d.Next(h); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, h.got); diff != "" {
		t.Error(diff)
	}
	// A handler that does not know it skips it.
	if err := NewDecoder(bytes.NewReader(b)).Next(null{}); err != nil {
		t.Error(err)
	}
}

func TestControl(t *testing.T) {
	want := Control{Type: MsgDetach, N: 300, Spec: "/a/b.spec"}
	b := AppendControl(nil, &want)
	for n := range b {
		var c Control
		if size, err := DecodeControl(b[:n], &c); size != 0 || err != nil {
			t.Fatalf("%d bytes of %d: size %d, %v", n, len(b), size, err)
		}
	}
	var c Control
	if size, err := DecodeControl(append(b, 1, 2), &c); size != len(b) || err != nil || c != want {
		t.Errorf("%+v: %d, %v", c, size, err)
	}
	if _, err := DecodeControl([]byte("hello"), &c); err == nil {
		t.Error("text is taken for a request")
	}
}

func FuzzDecodeControl(f *testing.F) {
	f.Add(AppendControl(nil, &Control{Type: MsgRespec, N: 1, Spec: "x"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var c Control
		if size, err := DecodeControl(b, &c); size > len(b) || size < 0 || size > 0 && err != nil {
			t.Errorf("size %d of %d, %v", size, len(b), err)
		}
	})
}
