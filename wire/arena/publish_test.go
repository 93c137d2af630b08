package arena_test

import (
	"strings"
	"testing"
)

// What is published is whole, and a writer that was killed in the middle holds nobody up.
func TestPublish(t *testing.T) {
	m := small()
	a := m.Arena()
	published := func(want string, seq uint32) {
		t.Helper()
		if got := strings.TrimRight(string(m.H.SpecPath[:]), "\x00"); got != want || m.H.SpecSeq != seq {
			t.Errorf("%q at %d, want %q at %d", got, m.H.SpecSeq, want, seq)
		}
	}
	epoch := m.H.Epoch
	if !a.Publish("/a/long/one.spec") {
		t.Fatal("not published")
	}
	published("/a/long/one.spec", 2)
	if m.H.Epoch == epoch {
		t.Error("nobody would look")
	}
	a.Publish("/b.spec")
	published("/b.spec", 4)
	m.H.SpecSeq = 5 // a writer was killed
	a.Publish("/c.spec")
	published("/c.spec", 6)
	if a.Publish(strings.Repeat("x", len(m.H.SpecPath))) {
		t.Error("a path that does not fit was published")
	}
	published("/c.spec", 6)
	a.SetWish(true)
	if !a.Wish() || m.H.Wish != 1 {
		t.Error("no wish")
	}
}
