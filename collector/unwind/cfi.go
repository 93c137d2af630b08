package unwind

import (
	"encoding/binary"
	"errors"
	"sort"
)

var le = binary.LittleEndian

// errTable: unwinding tables that make no sense, or of a kind that is not read.
var errTable = errors.New("unwinding table is malformed")

// DWARF numbers of x86-64's registers.
const (
	regBP = 6
	regSP = 7
	regIP = 16
	nregs = 17
)

// A table is an object's unwinding table (.eh_frame), its entries by address.
type table struct {
	b    []byte
	addr uint64 // of b[0]
	fdes []fde
}

type fde struct {
	lo, hi uint64
	cie    *cie
	ops    []byte
}

type cie struct {
	code      uint64
	data      int64
	ra        uint64
	enc       byte
	augmented bool
	signal    bool // the frame of a signal's handler: its caller's address is that of an instruction that was not executed
	ops       []byte
}

const maxEntries = 1 << 20

// parse reads a table whose bytes are loaded at addr.
func parse(b []byte, addr uint64) *table {
	t := &table{b: b, addr: addr}
	cies := map[int]*cie{}
	for at := 0; at+8 <= len(b) && len(t.fdes) < maxEntries; {
		n := int(le.Uint32(b[at:]))
		if n == 0 || n < 4 || n > len(b)-at-4 {
			break
		}
		body, id := at+4, at+4-int(int32(le.Uint32(b[at+4:])))
		next := at + 4 + n
		if id != body && id >= 0 {
			c, ok := cies[id]
			if !ok {
				c = t.cie(id)
				cies[id] = c
			}
			if c != nil {
				t.fde(c, body+4, next)
			}
		}
		at = next
	}
	sort.Slice(t.fdes, func(i, j int) bool { return t.fdes[i].lo < t.fdes[j].lo })
	return t
}

func (t *table) cie(at int) *cie {
	if at+8 > len(t.b) {
		return nil
	}
	n := int(le.Uint32(t.b[at:]))
	if n < 5 || n > len(t.b)-at-4 || le.Uint32(t.b[at+4:]) != 0 {
		return nil
	}
	r := &reader{b: t.b[:at+4+n], at: at + 8}
	c := &cie{enc: 0}
	version := r.byte()
	var aug []byte
	for ch := r.byte(); ch != 0 && !r.bad; ch = r.byte() {
		aug = append(aug, ch)
	}
	c.code, c.data = r.uleb(), r.sleb()
	if version == 1 {
		c.ra = uint64(r.byte())
	} else {
		c.ra = r.uleb()
	}
	for i, ch := range aug {
		switch ch {
		case 'z':
			c.augmented = i == 0
			r.uleb()
		case 'R':
			c.enc = r.byte()
		case 'P':
			t.pointer(r, r.byte()&0x0f)
		case 'L':
			r.byte()
		case 'S':
			c.signal = true
		case 'B':
		default:
			return nil
		}
	}
	if r.bad || c.ra != regIP {
		return nil
	}
	c.ops = r.b[r.at:]
	return c
}

func (t *table) fde(c *cie, at, end int) {
	r := &reader{b: t.b[:end], at: at}
	lo := t.pointer(r, c.enc)
	size := t.pointer(r, c.enc&0x0f)
	if c.augmented {
		n := r.uleb()
		if n > uint64(end-r.at) {
			return
		}
		r.at += int(n)
	}
	if !r.bad && size > 0 && size < 1<<32 {
		t.fdes = append(t.fdes, fde{lo, lo + size, c, r.b[r.at:]})
	}
}

// pointer reads a pointer of an encoding that compilers use for code.
func (t *table) pointer(r *reader, enc byte) uint64 {
	base := uint64(0)
	if enc&0x70 == 0x10 {
		base = t.addr + uint64(r.at)
	}
	switch enc & 0x0f {
	case 0x00, 0x04, 0x0c:
		return base + r.fixed(8)
	case 0x02:
		return base + r.fixed(2)
	case 0x0a:
		return base + uint64(int64(int16(r.fixed(2))))
	case 0x03:
		return base + r.fixed(4)
	case 0x0b:
		return base + uint64(int64(int32(r.fixed(4))))
	}
	r.bad = true
	return 0
}

// find is the entry for an address.
func (t *table) find(pc uint64) *fde {
	i := sort.Search(len(t.fdes), func(i int) bool { return t.fdes[i].lo > pc }) - 1
	if i < 0 || pc >= t.fdes[i].hi {
		return nil
	}
	return &t.fdes[i]
}

// A reader reads an entry's bytes; beyond their end it is bad, and reads zeros.
type reader struct {
	b   []byte
	at  int
	bad bool
}

func (r *reader) byte() byte { return byte(r.fixed(1)) }

func (r *reader) fixed(n int) (v uint64) {
	if r.bad || n > len(r.b)-r.at {
		r.bad = true
		return 0
	}
	for i := range n {
		v |= uint64(r.b[r.at+i]) << (8 * i)
	}
	r.at += n
	return v
}

func (r *reader) uleb() (v uint64) {
	for shift := 0; shift < 64; shift += 7 {
		c := r.byte()
		v |= uint64(c&0x7f) << shift
		if c&0x80 == 0 {
			return v
		}
	}
	r.bad = true
	return 0
}

func (r *reader) sleb() int64 {
	v, shift := int64(0), 0
	for shift < 64 {
		c := r.byte()
		v |= int64(c&0x7f) << shift
		if shift += 7; c&0x80 == 0 {
			if shift < 64 && c&0x40 != 0 {
				v |= -1 << shift
			}
			return v
		}
	}
	r.bad = true
	return 0
}

func (r *reader) block() []byte {
	n := r.uleb()
	if r.bad || n > uint64(len(r.b)-r.at) {
		r.bad = true
		return nil
	}
	b := r.b[r.at : r.at+int(n)]
	r.at += int(n)
	return b
}

// How a register of the caller is found.
const (
	ruleSame = iota
	ruleUndefined
	ruleOffset // at CFA + off
	ruleValOffset
	ruleRegister
	ruleExpr // at what the expression says
	ruleValExpr
)

type rule struct {
	how  uint8
	reg  uint64
	off  int64
	expr []byte
}

// A row is the rules that hold at an address.
type row struct {
	cfa  rule // ruleOffset: of register reg; ruleExpr
	regs [nregs]rule
}

// run executes an entry's instructions up to an address.
func (f *fde) run(pc uint64) (row, error) {
	var now row
	if _, err := f.exec(f.cie.ops, ^uint64(0), &now, nil); err != nil {
		return now, err
	}
	first := now
	_, err := f.exec(f.ops, pc, &now, &first)
	return now, err
}

const maxRemembered = 16

func (f *fde) exec(ops []byte, pc uint64, now, first *row) (uint64, error) {
	r := &reader{b: ops}
	loc := f.lo
	var kept []row
	set := func(reg uint64, u rule) {
		if reg < nregs {
			now.regs[reg] = u
		}
	}
	for r.at < len(r.b) && !r.bad {
		op := r.byte()
		low := uint64(op & 0x3f)
		step := uint64(0)
		switch op & 0xc0 {
		case 0x40:
			step = low
		case 0x80:
			set(low, rule{how: ruleOffset, off: int64(r.uleb()) * f.cie.data})
			continue
		case 0xc0:
			if first != nil && low < nregs {
				now.regs[low] = first.regs[low]
			}
			continue
		}
		switch op {
		case 0x00: // nop
		case 0x02:
			step = r.fixed(1)
		case 0x03:
			step = r.fixed(2)
		case 0x04:
			step = r.fixed(4)
		case 0x05:
			reg := r.uleb()
			set(reg, rule{how: ruleOffset, off: int64(r.uleb()) * f.cie.data})
		case 0x06:
			if reg := r.uleb(); first != nil && reg < nregs {
				now.regs[reg] = first.regs[reg]
			}
		case 0x07:
			set(r.uleb(), rule{how: ruleUndefined})
		case 0x08:
			set(r.uleb(), rule{how: ruleSame})
		case 0x09:
			reg := r.uleb()
			set(reg, rule{how: ruleRegister, reg: r.uleb()})
		case 0x0a:
			if len(kept) == maxRemembered {
				return loc, errTable
			}
			kept = append(kept, *now)
		case 0x0b:
			if len(kept) == 0 {
				return loc, errTable
			}
			*now, kept = kept[len(kept)-1], kept[:len(kept)-1]
		case 0x0c:
			reg := r.uleb()
			now.cfa = rule{how: ruleOffset, reg: reg, off: int64(r.uleb())}
		case 0x0d:
			now.cfa.reg = r.uleb()
		case 0x0e:
			now.cfa.off = int64(r.uleb())
		case 0x0f:
			now.cfa = rule{how: ruleExpr, expr: r.block()}
		case 0x10:
			reg := r.uleb()
			set(reg, rule{how: ruleExpr, expr: r.block()})
		case 0x11:
			reg := r.uleb()
			set(reg, rule{how: ruleOffset, off: r.sleb() * f.cie.data})
		case 0x12:
			reg := r.uleb()
			now.cfa = rule{how: ruleOffset, reg: reg, off: r.sleb() * f.cie.data}
		case 0x13:
			now.cfa.off = r.sleb() * f.cie.data
		case 0x14:
			reg := r.uleb()
			set(reg, rule{how: ruleValOffset, off: int64(r.uleb()) * f.cie.data})
		case 0x16:
			reg := r.uleb()
			set(reg, rule{how: ruleValExpr, expr: r.block()})
		case 0x2e: // GNU_args_size
			r.uleb()
		default:
			if op&0xc0 == 0 {
				return loc, errTable
			}
		}
		if step > 0 {
			if loc += step * f.cie.code; loc > pc {
				return loc, nil
			}
		}
	}
	if r.bad {
		return loc, errTable
	}
	return loc, nil
}
