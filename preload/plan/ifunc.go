package plan

import (
	"bytes"

	"github.com/seam-project/seam/hooks"
)

// An IFUNC is a function that picks: the loader calls it, and what it returns is
// the implementation for this processor. Which one that is the core asks it,
// once the object is relocated; the plan has a site for each that the picker's code
// names, and one more for an answer that is none of these (the kernel's own time() in
// the vDSO) or can't be patched: then the pointers to it are rewritten.

const maxPicks = 24 // implementations of one function

// ifunc plans the implementations that s may pick. exact: see symbol.
func (b *builder) ifunc(p *hooks.Probe, s *Symbol) {
	if b.collecting {
		b.ruled[s.Addr] = append(b.ruled[s.Addr], p.Rule-1)
		return
	}
	if b.done[s.Addr] {
		return
	}
	b.done[s.Addr] = true
	aliases := b.aliases(s)
	name := s.Name
	if p.Pack == "" && hooks.IsGlob(p.Sym) {
		name = b.bestName(p, s, aliases)
	}
	names := append([]string{s.Name}, aliases...)
	for _, n := range names {
		if why := protectedReason(n); why != "" {
			b.refuse(name, Protected, why)
			return
		}
	}
	h, proto, _ := b.hook(p, s, name, aliases)
	switch {
	case h == nil:
		b.done[s.Addr] = false
		return
	case proto == DWARFProto: // of the picker
		h, proto = hooks.Unknown(name), NoProto
	}
	if p.As != "" {
		c := *h
		c.Name, name = p.As, p.As
		h = &c
	}
	var last *refusal // of the site for any other answer: it says what can be had
	add := func(site *Site, r *refusal) {
		if site != nil && len(b.plan.Sites) < maxSites {
			site.From, site.Proto = s.From, proto
			b.plan.Sites = append(b.plan.Sites, *site)
		}
		last = r
	}
	for _, addr := range b.picks(s) {
		impl := Symbol{Name: s.Name, Type: SymFunc, Addr: addr, From: s.From}
		f, r := b.body(&impl)
		if r != nil || b.entered(f) {
			continue
		}
		m, r := relocate(f)
		if r != nil {
			continue
		}
		site, r := b.dress(&Site{Picker: s.Addr, Live: b.live(f, &m), Orig: f.code[:m.patchLen:m.patchLen], Tramp: m.code, Fixes: m.fixes, Flags: m.flags()}, p, h, proto, &impl, f, names)
		if site != nil {
			site.Orig = append([]byte(nil), site.Orig...) // out of the buffer for bodies
		}
		add(site, r)
	}
	add(b.dress(&Site{Picker: s.Addr}, p, h, proto, s, body{}, names))
	if last != nil {
		b.refuse(name, last.reason, last.detail)
	}
}

// picks are the functions whose addresses the code of a picker takes.
func (b *builder) picks(s *Symbol) []uint64 {
	f, r := b.body(s)
	if r != nil {
		return nil
	}
	var out []uint64
	seen := map[uint64]bool{s.Addr: true}
	for o := 0; o < f.size && len(out) < maxPicks; {
		in, ok := decode(f.code[o:f.size])
		if !ok {
			break
		}
		o += in.len
		at := uint64(0)
		next := f.vaddr + uint64(o)
		switch {
		case in.ripRel && in.legacy(mapOne, 0x8d): // lea
			at = next + uint64(in.disp)
		case in.ripRel && in.legacy(mapOne, 0x8b): // mov, from a slot
			sl, _ := b.obj.slotAt(next + uint64(in.disp))
			at = sl.addr
		case in.enc == encLegacy && in.opmap == mapOne && in.op&0xf8 == 0xb8: // mov $
			at = uint64(in.imm)
		}
		if at == 0 || seen[at] || !b.obj.executable(at) {
			continue
		}
		seen[at] = true
		if f, ok := b.obj.frameAt(at); ok && f.lo == at || !ok && len(b.obj.symbolsAt(at)) > 0 {
			out = append(out, at)
		}
	}
	return out
}

// entered: other functions may jump behind the first byte of f. Hand-written ones,
// as implementations of memcpy are, share their bodies.
func (b *builder) entered(f body) bool {
	lo, hi := f.vaddr+1, f.vaddr+jumpLen+maxInsn
	if b.far == nil {
		b.far = b.obj.farTargets()
	}
	for t := lo; t < hi; t++ {
		if b.far.has(t - b.plan.TextLo) {
			return true
		}
	}
	near := make([]byte, 128+int(hi-f.vaddr)+128)
	from := f.vaddr - 128
	near = b.obj.text(near, from)
	for o := range near {
		if at := from + uint64(o); at >= f.vaddr && at < f.vaddr+uint64(f.size) || o+2 > len(near) {
			continue
		}
		if op := near[o]; op&0xf0 == 0x70 || op == 0xeb {
			if t := from + uint64(o) + 2 + uint64(signed(near[o+1:o+2])); t >= lo && t < hi && b.boundary(from+uint64(o)) {
				return true
			}
		}
	}
	return false
}

// boundary: decoding the function around at comes by at. Where nothing is known
// of that function, it may.
func (b *builder) boundary(at uint64) bool {
	fr, ok := b.obj.frameAt(at)
	if !ok || fr.size > maxFunction {
		return true
	}
	code := b.obj.text(make([]byte, fr.size), fr.lo)
	for o := uint64(0); o < uint64(len(code)); {
		if fr.lo+o == at {
			return true
		}
		in, ok := decode(code[o:])
		if !ok {
			return true
		}
		o += uint64(in.len)
	}
	return false
}

// bits is a set of offsets; what is beyond its end is in it.
type bits []uint64

func (b bits) has(i uint64) bool { return i/64 >= uint64(len(b)) || b[i/64]>>(i%64)&1 != 0 }

// farTargets are the places, by offset in the text, that some near jump leads to,
// whatever byte it may be taken to begin at.
func (o *Object) farTargets() bits {
	lo, hi := o.Text()
	if hi-lo > maxCode {
		return bits{^uint64(0)} // too much to look through: all may be
	}
	out := make(bits, (hi-lo)/64+1)
	for i := range o.Segments {
		s := &o.Segments[i]
		if !s.Exec || s.Filesz > maxCode {
			continue
		}
		code := o.text(make([]byte, s.Filesz), s.Vaddr)
		for _, op := range [...]byte{0xe9, 0x0f} {
			for j := bytes.IndexByte(code, op); j >= 0 && j+6 <= len(code); {
				if at := j + 1; op == 0xe9 || code[at]&0xf0 == 0x80 {
					if op == 0x0f {
						at++
					}
					if t := s.Vaddr + uint64(at) + 4 + uint64(int64(int32(le.Uint32(code[at:])))); t >= lo && t < hi {
						out[(t-lo)/64] |= 1 << ((t - lo) % 64)
					}
				}
				next := bytes.IndexByte(code[j+1:], op)
				if next < 0 {
					break
				}
				j += 1 + next
			}
		}
	}
	return out
}
