package plan

import (
	"bytes"
	"testing"

	"github.com/seam-project/seam/hooks"
)

// everything plans all functions of a library, for a process that runs.
func everything(t *testing.T, path string) (*Object, *Plan) {
	t.Helper()
	o, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	spec := hooks.NewSpec()
	spec.Probes = []hooks.Probe{{Lib: o.Soname, Sym: "*", Instrument: hooks.Count}}
	p, err := BuildLive(o, spec)
	if err != nil {
		t.Fatal(err)
	}
	return o, p
}

// TestLive checks, for each function of some libraries, that what would be
// overwritten is one instruction behind pushes, in one aligned word, and that
// pads are filler that no function covers.
func TestLive(t *testing.T) {
	for _, path := range []string{"/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0", "/usr/lib/x86_64-linux-gnu/libssl.so.3"} {
		o, p := everything(t, path)
		can, all := 0, 0
		for i := range p.Sites {
			s := &p.Sites[i]
			l := &s.Live
			if s.Picker != 0 {
				continue // one of many, of which one runs
			}
			all++
			if l.Form == LiveNo {
				continue
			}
			can++
			at, undo := 0, 0
			for at < int(l.At) {
				if s.Orig[at] != 0x90 {
					undo += 8
				}
				in, ok := decode(s.Orig[at:])
				if !ok || in.len != 1 {
					t.Fatalf("%s: at +%d is no one-byte instruction", s.Name, at)
				}
				at += in.len
			}
			in, ok := decode(s.Orig[at:])
			n := map[LiveForm]int{LiveWord: jumpLen, LiveShort: 2}[l.Form]
			if !ok || in.len < n && !in.ends() || at+in.len > len(s.Orig) || undo != int(l.Undo) {
				t.Errorf("%s: % x: form %d at +%d, undo %d", s.Name, s.Orig, l.Form, l.At, l.Undo)
			}
			a := s.Vaddr + uint64(at)
			if a/word != (a+uint64(n)-1)/word {
				t.Errorf("%s: 0x%x is not in one word", s.Name, a)
			}
			for _, pad := range l.Pads {
				checkPad(t, o, s.Name, a+2+uint64(int64(pad.Rel)), pad)
			}
		}
		share := 100 * float64(can) / float64(all)
		t.Logf("%s: %d of %d functions (%.1f %%) can be patched in a process that runs", o.Soname, can, all, share)
		if share < 90 {
			t.Errorf("%s: %.1f %%, want 90", o.Soname, share)
		}
		q, err := Decode(p.Encode())
		if err != nil || !q.Live || len(q.Sites) != len(p.Sites) || q.Sites[0].Live.Form != p.Sites[0].Live.Form || q.Sites[0].Probe != p.Sites[0].Probe {
			t.Errorf("%s: not the same after encoding: %v", o.Soname, err)
		}
	}
}

func checkPad(t *testing.T, o *Object, name string, at uint64, pad Pad) {
	t.Helper()
	if got := o.text(make([]byte, jumpLen), at); !bytes.Equal(got, pad.Fill[:]) {
		t.Errorf("%s: pad at 0x%x holds % x, said % x", name, at, got, pad.Fill)
	}
	for b := at; b < at+jumpLen; b++ {
		if f, ok := o.frameAt(b); ok {
			t.Errorf("%s: pad byte 0x%x is of the function at 0x%x", name, b, f.lo)
		}
		if len(o.symbolsAt(b)) > 0 {
			t.Errorf("%s: pad byte 0x%x has a symbol", name, b)
		}
	}
}

// TestNotLive is the choice of the instruction, case by case.
func TestNotLive(t *testing.T) {
	for _, c := range []struct {
		name string
		code []byte
		want Live
	}{
		{"a 5-byte instruction in one word", []byte{0xb8, 1, 0, 0, 0, 0xc3}, Live{Form: LiveWord}},
		{"a return and padding", []byte{0xc3, 0x90, 0x90, 0x90, 0x90, 0x90}, Live{Form: LiveWord}},
		{"behind a push it crosses words or not", []byte{0x53, 0xb8, 1, 0, 0, 0, 0x5b, 0xc3}, Live{At: 1, Undo: 8, Form: LiveWord}},
		{"two bytes, and no pad", []byte{0x53, 0x89, 0xfb, 0x89, 0xd8, 0x5b, 0xc3}, Live{}},
		{"push of the stack pointer", []byte{0x54, 0xb8, 1, 0, 0, 0, 0x58, 0xc3}, Live{}},
		{"a jump back to it", []byte{0xb8, 1, 0, 0, 0, 0x74, 0xf9, 0xc3}, Live{}},
		{"a jump back among what is moved", []byte{0x90, 0x39, 0xc0, 0x74, 0xfb, 0xc3}, Live{}},
		{"a pop", []byte{0x58, 0xb8, 1, 0, 0, 0, 0x50, 0xc3}, Live{}},
	} {
		f := body{vaddr: 0x1000, code: c.code, size: len(c.code)}
		if c.code[0] == 0xc3 {
			f.size = 1
		}
		m, r := relocate(f)
		if r != nil {
			t.Errorf("%s: %v %s", c.name, r.reason, r.detail)
			continue
		}
		if got := (&Object{}).live(f, &m); got.Form != c.want.Form || got.At != c.want.At || got.Undo != c.want.Undo {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	// the same bytes, where the jump would cross into the next word
	f := body{vaddr: 0x1000 + 4, code: []byte{0xb8, 1, 0, 0, 0, 0xc3}, size: 6}
	m, r := relocate(f)
	if r != nil {
		t.Fatal(r.reason)
	}
	if got := (&Object{}).live(f, &m); got.Form != LiveNo {
		t.Errorf("across words: %+v", got)
	}
}
