package control

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seam-project/seam/hooks"
)

func probe(t *testing.T, by, text string) *Probe {
	t.Helper()
	p, err := NewProbe(text, "/dir")
	if err != nil {
		t.Fatal(err)
	}
	p.By = by
	return p
}

func ids(s *Set) string {
	var out []string
	for _, p := range s.Probes() {
		out = append(out, p.ID+"="+p.Text)
	}
	return strings.Join(out, " ")
}

func want(t *testing.T, s *Set, what string) {
	t.Helper()
	if got := ids(s); got != what {
		t.Errorf("got  %s\nwant %s", got, what)
	}
}

func TestSet(t *testing.T) {
	s := NewSet(hooks.NewSpec())
	if err := s.Add(probe(t, "user", "libc:read"), probe(t, "user", "libc:write")); err != nil {
		t.Fatal(err)
	}
	file := func(texts ...string) {
		t.Helper()
		var ps []*Probe
		for _, text := range texts {
			p := probe(t, "/f", text)
			if text == "libc:close" {
				p.lives, p.Until = time.Minute, time.Now().Add(time.Minute)
			}
			ps = append(ps, p)
		}
		if err := s.Replace("/f", ps); err != nil {
			t.Fatal(err)
		}
	}
	file("libc:open", "libc:close")
	want(t, s, "p1=libc:read p2=libc:write p3=libc:open p4=libc:close")
	file("libc:close", "libc:dup") // what stays keeps its id
	want(t, s, "p1=libc:read p2=libc:write p4=libc:close p5=libc:dup")

	// One whose time is over is not begun anew by a file that still has it, until that says something else.
	if gone := s.expire(time.Now().Add(2*time.Minute), func(*Probe) bool { return false }); len(gone) != 1 || gone[0].ID != "p4" {
		t.Fatalf("%v", gone)
	}
	file("libc:close", "libc:dup")
	want(t, s, "p1=libc:read p2=libc:write p5=libc:dup")
	file("libc:dup")
	file("libc:close", "libc:dup")
	want(t, s, "p1=libc:read p2=libc:write p6=libc:close p5=libc:dup")

	if err := s.Remove("p9"); err == nil || err.(*Error).Hint != "there are: p1, p2, p6, p5" {
		t.Errorf("%v", err)
	}
	if err := s.Remove("p1"); err != nil {
		t.Error(err)
	}
	s.expire(time.Now(), func(p *Probe) bool { return p.ID == "p2" })
	want(t, s, "p6=libc:close p5=libc:dup")

	// All or none.
	var many []*Probe
	for i := range hooks.MaxProbes + 1 {
		many = append(many, probe(t, "user", fmt.Sprintf("libc:f%d", i)))
	}
	if err := s.Add(many...); err == nil {
		t.Error("a spec of too many probes was accepted")
	}
	want(t, s, "p6=libc:close p5=libc:dup")
}

// A spec that was prepared has more probes than were asked for: their lifespans and their
// owners follow.
func TestComplete(t *testing.T) {
	s := NewSet(hooks.NewSpec())
	pack, err := NewPack("sqlite")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(50, 0)
	cxx := probe(t, "user", "./app:Parser::parse*")
	cxx.Until = at
	if err := s.Add(pack, cxx, probe(t, "user", "libc:read")); err != nil {
		t.Fatal(err)
	}
	spec := s.Spec()
	if n := len(spec.Probes); n < 3 || spec.Probes[0].Text != cxx.Text || spec.Probes[n-1].Pack != "sqlite" {
		t.Fatalf("single probes come first: %+v", spec.Probes)
	}
	one := spec.Probes[0]
	spec.Probes = append([]hooks.Probe{one}, spec.Probes...) // two functions of that name
	spec.Probes[0].Sym, spec.Probes[1].Sym = "_ZA", "_ZB"
	ids := s.Complete(spec)
	for i, id := range ids {
		want := "p1"
		switch spec.Probes[i].Text {
		case cxx.Text:
			want = "p2"
		case "libc:read":
			want = "p3"
		}
		if id != want {
			t.Errorf("probe %d, %s: %s", i, spec.Probes[i].Text, id)
		}
	}
	if len(spec.Until) != 2 || spec.Until[0] != at.UnixNano() || spec.Until[1] != at.UnixNano() {
		t.Errorf("%v", spec.Until)
	}
	b, err := spec.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := hooks.ParseSpec(b)
	if err != nil || again.Until[1] != at.UnixNano() || !again.Control {
		t.Errorf("%v %+v", err, again)
	}
}
