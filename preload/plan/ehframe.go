package plan

import "sort"

// Unwinding tables say where functions begin and end, stripped or not: a
// compiler writes an entry (FDE) for each, and the linker a sorted index of
// them (.eh_frame_hdr).

// fdeRow is a row of that index.
type fdeRow struct{ start, fde uint64 }

const (
	maxFDEs = 1 << 22

	// Encodings of pointers in these tables (DW_EH_PE_*).
	ehAbs, ehUdata2, ehUdata4, ehUdata8 = 0x00, 0x02, 0x03, 0x04
	ehSdata2, ehSdata4, ehSdata8        = 0x0a, 0x0b, 0x0c
	ehPCRel, ehDataRel, ehOmit          = 0x10, 0x30, 0xff
)

// frameRange is the code that one FDE covers.
type frameRange struct {
	lo, size uint64
	// entered: on entry the stack is as a call leaves it. It is not where the
	// second piece of a function begins, nor in the linker's own code.
	entered bool
}

func (o *Object) fdeRows() []fdeRow {
	if o.fdes != nil || o.ehHdr == 0 {
		return o.fdes
	}
	o.fdes = []fdeRow{}
	h := o.bytesAt(o.ehHdr, 12)
	// Version 1, and the one encoding of the table that linkers write.
	if len(h) < 12 || h[0] != 1 || h[2] != ehUdata4 || h[3] != ehDataRel|ehSdata4 {
		return o.fdes
	}
	at := uint64(4)
	switch h[1] & 0x0f {
	case ehSdata4, ehUdata4:
		at += 4
	case ehSdata8, ehUdata8, ehAbs:
		at += 8
	default:
		return o.fdes
	}
	c := o.bytesAt(o.ehHdr+at, 4)
	if len(c) < 4 {
		return o.fdes
	}
	n := min(uint64(le.Uint32(c)), maxFDEs)
	t := o.bytesAt(o.ehHdr+at+4, n*8)
	o.fdes = make([]fdeRow, 0, len(t)/8)
	for ; len(t) >= 8; t = t[8:] {
		o.fdes = append(o.fdes, fdeRow{o.ehHdr + uint64(int64(int32(le.Uint32(t)))), o.ehHdr + uint64(int64(int32(le.Uint32(t[4:]))))})
	}
	if !sort.SliceIsSorted(o.fdes, func(i, j int) bool { return o.fdes[i].start < o.fdes[j].start }) {
		sort.SliceStable(o.fdes, func(i, j int) bool { return o.fdes[i].start < o.fdes[j].start })
	}
	return o.fdes
}

// frameAt finds the FDE whose code has the byte at addr.
func (o *Object) frameAt(addr uint64) (frameRange, bool) {
	rows := o.fdeRows()
	i := sort.Search(len(rows), func(i int) bool { return rows[i].start > addr }) - 1
	if i < 0 {
		return frameRange{}, false
	}
	f, ok := o.readFDE(rows[i].fde)
	if !ok || addr-f.lo >= f.size {
		return frameRange{}, false
	}
	return f, true
}

// ehReader reads an entry of .eh_frame.
type ehReader struct {
	b   []byte
	pos uint64 // address of b[0]
	bad bool
}

func (r *ehReader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return make([]byte, min(n, 8))
	}
	v := r.b[:n]
	r.b, r.pos = r.b[n:], r.pos+n
	return v
}

func (r *ehReader) uleb() (v uint64) {
	for shift := 0; shift < 64; shift += 7 {
		c := r.take(1)[0]
		v |= uint64(c&0x7f) << shift
		if c&0x80 == 0 {
			return v
		}
	}
	r.bad = true
	return 0
}

// pointer reads an encoded pointer; the range of an FDE has the same size and
// no base.
func (r *ehReader) pointer(enc byte, base bool) (v uint64) {
	pc := r.pos
	switch enc & 0x0f {
	case ehAbs, ehUdata8, ehSdata8:
		v = le.Uint64(r.take(8))
	case ehUdata4:
		v = uint64(le.Uint32(r.take(4)))
	case ehSdata4:
		v = uint64(int64(int32(le.Uint32(r.take(4)))))
		if !base {
			v &= 0xffffffff
		}
	case ehUdata2, ehSdata2:
		v = uint64(le.Uint16(r.take(2)))
	default:
		r.bad = true
	}
	if base && enc&0x70 == ehPCRel {
		v += pc
	}
	return v
}

// entry starts reading the entry at addr, behind its length.
func (o *Object) ehEntry(addr uint64) (*ehReader, bool) {
	h := o.bytesAt(addr, 4)
	if len(h) < 4 {
		return nil, false
	}
	n := uint64(le.Uint32(h))
	if n < 4 || n > 1<<16 {
		return nil, false
	}
	b := o.bytesAt(addr+4, n)
	return &ehReader{b: b, pos: addr + 4}, uint64(len(b)) == n
}

func (o *Object) readFDE(addr uint64) (frameRange, bool) {
	r, ok := o.ehEntry(addr)
	if !ok {
		return frameRange{}, false
	}
	at := r.pos
	back := uint64(le.Uint32(r.take(4)))
	if back == 0 {
		return frameRange{}, false // a CIE
	}
	c, ok := o.cie(at - back)
	if !ok || c.enc&0x70 != 0 && c.enc&0x70 != ehPCRel {
		return frameRange{}, false
	}
	f := frameRange{entered: !c.signal}
	f.lo = r.pointer(c.enc, true)
	f.size = r.pointer(c.enc, false)
	if c.augmented {
		r.take(r.uleb())
	}
	if f.entered {
		f.entered = startsAtCall(r.b)
	}
	return f, !r.bad
}

type cie struct {
	enc               byte
	augmented, signal bool
}

func (o *Object) cie(addr uint64) (c cie, ok bool) {
	r, ok := o.ehEntry(addr)
	if !ok || le.Uint32(r.take(4)) != 0 {
		return c, false
	}
	version := r.take(1)[0]
	var aug []byte
	for len(aug) < 16 {
		ch := r.take(1)[0]
		if ch == 0 {
			break
		}
		aug = append(aug, ch)
	}
	r.uleb() // code alignment
	r.uleb() // data alignment; its sign does not matter for the length
	if version == 1 {
		r.take(1)
	} else {
		r.uleb()
	}
	if len(aug) > 0 && aug[0] != 'z' {
		return c, false
	}
	for i, ch := range aug {
		switch ch {
		case 'z':
			c.augmented = i == 0
			r.uleb()
		case 'R':
			c.enc = r.take(1)[0]
		case 'P':
			r.pointer(r.take(1)[0]&0x0f, false)
		case 'L':
			r.take(1)
		case 'S':
			c.signal = true
		case 'B':
		default:
			return c, false
		}
	}
	return c, !r.bad
}

// startsAtCall looks at an FDE's instructions for the first address: a rule
// there means that the stack is not as at a call.
func startsAtCall(b []byte) bool {
	for _, op := range b {
		switch {
		case op == 0: // nop
		case op == 0x07: // undefined: the outermost function has no return address
			return true
		case op&0xc0 == 0x40, op >= 0x01 && op <= 0x04: // advance_loc
			return true
		default:
			return false
		}
	}
	return true
}
