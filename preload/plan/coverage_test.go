package plan

import (
	"testing"

	"golang.org/x/arch/x86/x86asm"

	"github.com/seam-project/seam/hooks"
)

// Of whole libraries, as Debian has them, 99 % of what they export is reachable: the
// floors are what was measured on Debian 12, minus a little. framed is the share of
// functions that are recorded with their return although no prototype is known.
func TestCoverage(t *testing.T) {
	for _, tc := range []struct {
		lib               string
		reachable, framed float64
	}{
		{libc, 0.998, 0.87},
		{sqlite, 1, 0.82},
		{ssl, 1, 0.85},
		{crypto, 1, 0.88},
		{python3, 1, 0.85},
		{libstdcpp, 1, 0.6},
	} {
		t.Run(tc.lib, func(t *testing.T) {
			t.Parallel()
			o := open(t, tc.lib)
			c, err := Cover(o)
			if err != nil {
				t.Fatal(err)
			}
			p, err := Build(o, &hooks.Spec{Probes: []hooks.Probe{{Sym: "*"}}})
			if err != nil {
				t.Fatal(err)
			}
			full, once := 0, 0
			for i := range p.Sites {
				s := &p.Sites[i]
				if s.Picker == 0 || s.ByPointer() {
					once++
					if s.Kind == Full {
						full++
					}
				}
				if !s.ByPointer() && !equivalent(t, s, o.text(make([]byte, maxWhole), s.Vaddr)) {
					t.Errorf("%s: trampoline is not the prologue\n%s", s.Name, p.Explain(s.Name))
				}
			}
			framed := float64(full) / float64(once)
			t.Logf("%d functions: %d inline, %d picked, %d by pointer, %d refused; %.2f%% framed; %v", c.Functions, c.Inline, c.Picked, c.Pointer, c.Refused, 100*framed, c.Reasons)
			if c.Reachable() < tc.reachable {
				t.Errorf("%.2f%% reachable, want %.2f%%", 100*c.Reachable(), 100*tc.reachable)
			}
			if framed < tc.framed {
				t.Errorf("%.2f%% framed, want %.2f%%", 100*framed, 100*tc.framed)
			}
			if c.Inline+c.Picked+c.Pointer+c.Refused != c.Functions || float64(c.Inline+c.Picked) < 0.99*float64(c.Functions) {
				t.Errorf("%+v", c)
			}
		})
	}
}

// equivalent checks a trampoline against the bytes it displaces, instruction
// by instruction, with x86asm where it can be trusted: same operation, same
// operands, same target. code is the function, for those that move as a whole.
func equivalent(t *testing.T, s *Site, code []byte) bool {
	t.Helper()
	fixed := map[int]Fix{}
	for _, f := range s.Fixes {
		fixed[int(f.At)] = f
	}
	from, to := s.Orig, s.Tramp
	o := 0 // in the trampoline
	ended := false
	for at := 0; at < len(from); {
		if o >= len(to) {
			return ended // the rest is the padding of a short function
		}
		a, ok := decode(from[at:])
		if !ok {
			return false
		}
		ended = a.ends()
		b, ok := decode(to[o:])
		if !ok {
			return false
		}
		next := s.Vaddr + uint64(at+a.len)
		if a.isCall() { // push 0(%rip); jmp; the address behind the call
			j, ok := decode(to[o+6:])
			data := o + 6 + j.len
			x, err1 := x86asm.Decode(from[at:], 64)
			y, err2 := x86asm.Decode(to[o+6:], 64)
			f, has := fixed[data]
			if !ok || string(to[o:o+2]) != "\xff\x35" || o+6+int(le.Uint32(to[o+2:])) != data || !has || f.Kind != FixAbs64 || f.Target != next ||
				data+8 != len(to) || at+a.len != len(from) || err1 != nil || err2 != nil || x.Op != x86asm.CALL || y.Op != x86asm.JMP {
				return false
			}
			if f, has := fixed[o+7]; a.rel {
				return has && f.Target == next+uint64(a.target)
			}
			return a.ripRel && fixed[o+8].Target == next+uint64(a.disp) || !a.ripRel && x.Args == y.Args
		}
		if a.isLoop() { // past a jump around a near jump
			n := a.len - 1
			if string(to[o:o+n]) != string(from[at:at+n]) || string(to[o+n:o+n+4]) != "\x02\xeb\x05\xe9" {
				return false
			}
			if f, has := fixed[o+n+4]; has && f.Target != next+uint64(a.target) {
				return false
			}
			at, o = at+a.len, o+n+8
			if at < len(from) {
				continue
			}
			a = insn{}
			b = a
		}
		switch {
		case a.len == 0:
		case a.rel:
			if a.isJmp() != b.isJmp() || a.isJcc() != b.isJcc() || a.op&15 != b.op&15 && a.isJcc() {
				return false
			}
			if f, ok := fixed[o+b.immOff]; ok && (f.Target != next+uint64(a.target) || int(f.Addend) != 4) {
				return false
			}
		case a.ripRel:
			f, ok := fixed[o+b.dispOff]
			if !ok || a.len != b.len || f.Target != next+uint64(a.disp) || int(f.Addend) != b.len-b.dispOff {
				return false
			}
		default:
			if string(from[at:at+a.len]) != string(to[o:o+b.len]) {
				return false
			}
		}
		if a.len > 0 && a.enc == encLegacy && !a.isEndbr64() && !a.rel {
			x, err1 := x86asm.Decode(from[at:], 64)
			y, err2 := x86asm.Decode(to[o:], 64)
			if err1 != nil || err2 != nil || x.Op != y.Op || x.Len != a.len || y.Len != b.len {
				return false
			}
		}
		at += a.len
		o += b.len
		if o == len(to) && a.ends() && at > len(s.Orig) {
			return true // all of it
		}
		if at >= len(from) && !a.ends() {
			// And back.
			j, ok := decode(to[o:])
			f, has := fixed[o+1]
			if (!ok || !has || !j.isJmp()) && len(code) > len(from) {
				from = code
				continue
			}
			return ok && j.isJmp() && has && f.Target == s.Vaddr+uint64(len(from)) && o+j.len == len(to)
		}
	}
	return o == len(to)
}
