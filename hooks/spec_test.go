package hooks

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sampleSpec() *Spec {
	s := NewSpec()
	for _, text := range []string{"libc:open* if file ^= \"/é<&>/\" failed", "/opt/a app:f@hist", "libssl.so.3:SSL_*", "g@count"} {
		text = strings.Replace(text, "/opt/a app", `"/opt/a app"`, 1)
		p, err := ParseProbe(text)
		if err != nil {
			panic(err)
		}
		s.Probes = append(s.Probes, p)
	}
	pp, _ := PackProbe("sqlite")
	s.Probes = append(s.Probes, pp)
	s.OnFull, s.BlockMS, s.Start, s.Plans, s.Socket = Block, 250, StartNow, "/home/u/.cache/seam/plans", "/run/s.sock"
	return s
}

func TestSpecFile(t *testing.T) {
	s := sampleSpec()
	b, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	head := lines[:7]
	want := []string{"seam-spec 1", head[1], "buffer 8388608", "on-full 2", "block-ms 250", "start 2", "plans /home/u/.cache/seam/plans"}
	if d := cmp.Diff(want, head); d != "" {
		t.Error(d)
	}
	for _, l := range []string{"lib libc.so*", "lib libc", "lib libc-[0-9]*.so", "path /opt/a app", "lib libssl.so.3", "lib *", "lib libsqlite3.so*"} {
		if !strings.Contains(string(b), "\n"+l+"\n") {
			t.Errorf("no line %q in\n%s", l, b)
		}
	}
	if n := strings.Count(string(b), "\nlib libc.so*\n"); n != 1 {
		t.Errorf("libc.so* is there %d times", n)
	}
	if !strings.HasPrefix(lines[len(lines)-2], "json {") || lines[len(lines)-1] != "" {
		t.Errorf("the last line is %q", lines[len(lines)-2])
	}
	got, err := ParseSpec(b)
	if err != nil {
		t.Fatal(err)
	}
	s.Socket = "" // named by the environment, not by the file
	if d := cmp.Diff(s, got); d != "" {
		t.Error(d)
	}
	if got.Hash() != s.Hash() {
		t.Error("the hash changed on the way")
	}
}

func TestSpecHash(t *testing.T) {
	base := sampleSpec().Hash()
	same := []func(*Spec){func(s *Spec) { s.Plans = "/x" }, func(s *Spec) { s.Socket = "/y" }}
	other := []func(*Spec){func(s *Spec) { s.Buffer = MinBuffer }, func(s *Spec) { s.Probes[0].Sym = "x" }, func(s *Spec) { s.OnFull = DropNewest },
		func(s *Spec) { s.Probes[0].Filters[0].Str = "/f" }, func(s *Spec) { s.Probes = s.Probes[1:] }, func(s *Spec) { s.Start = StartNever }}
	for i, f := range same {
		s := sampleSpec()
		if f(s); s.Hash() != base {
			t.Errorf("%d: the place changes the hash", i)
		}
	}
	for i, f := range other {
		s := sampleSpec()
		if f(s); s.Hash() == base {
			t.Errorf("%d: another spec, the same hash", i)
		}
	}
	empty, nilled := NewSpec(), NewSpec()
	empty.Probes = []Probe{}
	if empty.Hash() != nilled.Hash() {
		t.Error("no probes in two ways hash differently")
	}
	if FNV1a([]byte("a")) != 0xaf63dc4c8601ec8c {
		t.Error("not FNV-1a")
	}
}

func TestSpecRefused(t *testing.T) {
	for _, c := range []struct {
		f    func(*Spec)
		want string
	}{
		{func(s *Spec) { s.Buffer = 1 }, "buffer"}, {func(s *Spec) { s.BlockMS = 0 }, "may wait"}, {func(s *Spec) { s.BlockMS = 70000 }, "may wait"},
		{func(s *Spec) { s.OnFull = 9 }, "full-policy"}, {func(s *Spec) { s.Start = 9 }, "start"}, {func(s *Spec) { s.Plans = "a\nlib x" }, "line break"},
		{func(s *Spec) { s.Probes[0].Lib = "./app" }, "not absolute"}, {func(s *Spec) { s.Probes[0].Lib = "a\nb" }, "line break"}, {func(s *Spec) { s.Probes[0].Sym = "" }, "no function"},
		{func(s *Spec) { s.Probes[0].Instrument = 0 }, "instrument"}, {func(s *Spec) { s.Probes[0].Filters[0].Kind = 77 }, "condition"},
	} {
		s := sampleSpec()
		c.f(s)
		if _, err := s.Encode(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	good, _ := sampleSpec().Encode()
	for name, text := range map[string]string{
		"empty": "", "other magic": strings.Replace(string(good), "seam-spec 1", "seam-spec 2", 1), "cut": string(good[:len(good)-1]),
		"changed": strings.Replace(string(good), `"BlockMS":250`, `"BlockMS":251`, 1), "no json": "seam-spec 1\nhash 0\n",
	} {
		if _, err := ParseSpec([]byte(text)); err == nil {
			t.Errorf("%s: parses", name)
		}
	}
}

func FuzzParseSpec(f *testing.F) {
	b, _ := sampleSpec().Encode()
	f.Add(b)
	f.Add([]byte("seam-spec 1\nhash cbf29ce484222325\njson \n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseSpec(b)
		if err != nil {
			return
		}
		again, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		s2, err := ParseSpec(again)
		if err != nil || s2.Hash() != s.Hash() {
			t.Fatalf("not stable: %v", err)
		}
	})
}
