package debuginfo

import (
	"debug/dwarf"
	"encoding/binary"
)

// where is the place of a parameter when its function is entered, as far as
// the compiler said.
type where struct {
	kind whereKind
	n    int // register, by DWARF number, or stack word
}

type whereKind uint8

const (
	unsaid  whereKind = iota // nothing about the moment of entry
	inReg                    // in a register
	onStack                  // in the caller's frame, n words behind the return address
	absent                   // not passed: optimised out, or a constant
)

// DWARF expression operators.
const (
	opReg0, opReg31 = 0x50, 0x6f
	opRegx          = 0x90
	opFbreg         = 0x91
	opPiece         = 0x93
	opCFA           = 0x9c
)

// placeOf says where parameter e of the function fn, entered at pc, is. cfa:
// the function's frame base is the canonical frame address.
func (i *Info) placeOf(u *unit, e *dwarf.Entry, pc uint64, cfa bool) where {
	f := e.AttrField(dwarf.AttrLocation)
	if f == nil {
		if e.Val(dwarf.AttrConstValue) != nil {
			return where{kind: absent}
		}
		return where{}
	}
	switch v := f.Val.(type) {
	case []byte:
		return expr(v, cfa)
	case int64:
		if f.Class == dwarf.ClassLocListPtr && v >= 0 {
			x, ok := i.atEntry(u, uint64(v), pc)
			return listed(x, ok, cfa)
		}
	case uint64:
		if f.Class == dwarf.ClassLocList {
			size := uint64(4)
			if u.is64 {
				size = 8
			}
			at := u.loclists + v*size
			if v > 1<<24 || at+size > uint64(len(i.loclists)) {
				return where{}
			}
			off := uint64(binary.LittleEndian.Uint32(i.loclists[at:]))
			if u.is64 {
				off = binary.LittleEndian.Uint64(i.loclists[at:])
			}
			x, ok := i.atEntry(u, u.loclists+off, pc)
			return listed(x, ok, cfa)
		}
	}
	return where{}
}

func listed(x []byte, ok, cfa bool) where {
	if !ok {
		return where{kind: absent}
	}
	return expr(x, cfa)
}

// expr understands the forms in which parameters arrive.
func expr(b []byte, cfa bool) where {
	if len(b) == 0 {
		return where{kind: absent}
	}
	switch op := b[0]; {
	case op >= opReg0 && op <= opReg31:
		if len(b) == 1 || b[1] == opPiece {
			return where{kind: inReg, n: int(op - opReg0)}
		}
	case op == opRegx:
		if v, n := uleb(b[1:]); n > 0 && v < 64 {
			return where{kind: inReg, n: int(v)}
		}
	case op == opFbreg && cfa:
		if v, n := sleb(b[1:]); n > 0 && 1+n == len(b) && v >= 0 && v < 1<<16 && v%8 == 0 {
			return where{kind: onStack, n: int(v / 8)}
		}
	case op >= 0x30 && op <= 0x4f || op >= 0x08 && op <= 0x11 || op == 0x9f || op == 0x9e:
		return where{kind: absent} // a value known without a place
	}
	return where{}
}

// Entries of .debug_loclists.
const (
	lleEnd, lleBaseX, lleStartXEndX, lleStartXLen, lleOffsets = 0, 1, 2, 3, 4
	lleDefault, lleBase, lleStartEnd, lleStartLen, lleView    = 5, 6, 7, 8, 9
)

// atEntry finds the expression of a location list that holds at pc.
func (i *Info) atEntry(u *unit, off, pc uint64) ([]byte, bool) {
	if u.version < 5 {
		return locAt(i.loc, off, u.low, pc)
	}
	b := cursor{b: i.loclists}
	b.skip(off)
	base := u.low
	for range 1 << 12 {
		var lo, hi uint64
		switch b.u8() {
		case lleBaseX:
			base = i.addrx(u, b.uleb())
			continue
		case lleBase:
			base = b.u64()
			continue
		case lleView:
			b.uleb()
			b.uleb()
			continue
		case lleStartXEndX:
			lo = i.addrx(u, b.uleb())
			hi = i.addrx(u, b.uleb())
		case lleStartXLen:
			lo = i.addrx(u, b.uleb())
			hi = lo + b.uleb()
		case lleOffsets:
			lo = base + b.uleb()
			hi = base + b.uleb()
		case lleDefault:
			lo, hi = 0, ^uint64(0)
		case lleStartEnd:
			lo, hi = b.u64(), b.u64()
		case lleStartLen:
			lo = b.u64()
			hi = lo + b.uleb()
		default:
			return nil, false
		}
		x := b.take(b.uleb())
		if b.bad {
			return nil, false
		}
		if lo <= pc && pc < hi {
			return x, true
		}
	}
	return nil, false
}

// locAt is atEntry for DWARF 4 and before.
func locAt(loc []byte, off, base, pc uint64) ([]byte, bool) {
	b := cursor{b: loc}
	b.skip(off)
	for range 1 << 12 {
		lo, hi := b.u64(), b.u64()
		if b.bad || lo == 0 && hi == 0 {
			return nil, false
		}
		if lo == ^uint64(0) {
			base = hi
			continue
		}
		x := b.take(b.u16())
		if b.bad {
			return nil, false
		}
		if base+lo <= pc && pc < base+hi {
			return x, true
		}
	}
	return nil, false
}

// addrx is an entry of .debug_addr.
func (i *Info) addrx(u *unit, n uint64) uint64 {
	at := u.addrs + n*8
	if n > 1<<28 || at+8 > uint64(len(i.addr)) || at < u.addrs {
		return ^uint64(0)
	}
	return binary.LittleEndian.Uint64(i.addr[at:])
}

// cursor reads within bounds.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n uint64) []byte {
	if c.bad || n > uint64(len(c.b)) {
		c.bad, c.b = true, nil
		return nil
	}
	v := c.b[:n]
	c.b = c.b[n:]
	return v
}

func (c *cursor) skip(n uint64) { c.take(n) }

func (c *cursor) u8() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) u16() uint64 {
	if b := c.take(2); b != nil {
		return uint64(binary.LittleEndian.Uint16(b))
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if b := c.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (c *cursor) uleb() uint64 {
	v, n := uleb(c.b)
	if n == 0 {
		c.bad = true
		return 0
	}
	c.b = c.b[n:]
	return v
}

func uleb(b []byte) (v uint64, n int) {
	for n < len(b) && n < 10 {
		v |= uint64(b[n]&0x7f) << (7 * n)
		n++
		if b[n-1]&0x80 == 0 {
			return v, n
		}
	}
	return 0, 0
}

func sleb(b []byte) (v int64, n int) {
	u, n := uleb(b)
	if n == 0 {
		return 0, 0
	}
	v = int64(u)
	if n < 10 && b[n-1]&0x40 != 0 {
		v |= -1 << (7 * n)
	}
	return v, n
}
