package plan

import "encoding/binary"

// maxInsn is the longest x86 instruction, in bytes.
const maxInsn = 15

// encoding is the scheme an instruction is written in.
type encoding uint8

const (
	encLegacy encoding = iota
	encVEX
	encEVEX
)

// Opcode maps.
const (
	mapOne  = 0 // one-byte opcodes
	map0F   = 1
	map0F38 = 2
	map0F3A = 3
)

// noReg stands for "no base" or "no index" in a memory operand.
const noReg = 0xff

// insn is one decoded instruction: just enough to move it and to follow the
// stack pointer through it.
type insn struct {
	len    int
	enc    encoding
	opmap  uint8
	op     uint8
	rex    uint8
	opsize bool // 0x66 prefix
	rep    byte // 0xf2, 0xf3 or 0
	addr32 bool // 0x67 prefix
	seg    bool // fs or gs: not an address on the stack

	hasModRM       bool
	mod, reg, rm   uint8 // reg and rm with their REX bits
	mem            bool  // the r/m operand is in memory
	base, index    uint8 // noReg when absent
	disp           int64
	dispOff        int // where the displacement is, dispLen bytes
	dispLen        int
	ripRel         bool
	imm            int64 // sign-extended immediate
	immOff, immLen int

	rel    bool  // a branch with a relative target
	target int64 // of that branch: offset from the end of the instruction
}

func (in *insn) isEndbr64() bool {
	return in.len == 4 && in.opmap == map0F && in.op == 0x1e && in.rep == 0xf3 && in.mod == 3 && in.reg == 7 && in.rm == 2
}

// Properties of opcodes: what follows the opcode byte.
const (
	pBad   = 1 << iota // invalid in 64-bit mode, or unknown: refuse
	pModRM             // a ModRM byte
	pImm8
	pImmZ  // 4 bytes; 2 with 0x66
	pRel8  // branch
	pRel32 // branch
	pImm16
	pMoffs // 8-byte address
	pImmV  // 8 bytes with REX.W, else as pImmZ
)

// oneByte and twoByte hold the properties of each legacy opcode, filled from
// the ranges below. They are arrays of bits, not maps: reading them is all the
// work of measuring an instruction.
var oneByte, twoByte = func() (one, two [256]uint16) {
	set := func(t *[256]uint16, lo, hi int, p uint16) {
		for i := lo; i <= hi; i++ {
			t[i] = p
		}
	}
	for i := 0; i < 0x40; i += 8 { // the eight arithmetic groups
		set(&one, i, i+3, pModRM)
		one[i+4], one[i+5] = pImm8, pImmZ
		set(&one, i+6, i+7, pBad)
	}
	set(&one, 0x40, 0x4f, pBad) // REX, which nothing but an opcode may follow
	for _, i := range []int{0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3} {
		one[i] = pBad // a prefix behind REX
	}
	set(&one, 0x60, 0x62, pBad)
	one[0x63] = pModRM
	one[0x68], one[0x69], one[0x6a], one[0x6b] = pImmZ, pModRM|pImmZ, pImm8, pModRM|pImm8
	set(&one, 0x70, 0x7f, pRel8)
	one[0x80], one[0x81], one[0x82], one[0x83] = pModRM|pImm8, pModRM|pImmZ, pBad, pModRM|pImm8
	set(&one, 0x84, 0x8f, pModRM)
	one[0x9a] = pBad
	set(&one, 0xa0, 0xa3, pMoffs)
	one[0xa8], one[0xa9] = pImm8, pImmZ
	set(&one, 0xb0, 0xb7, pImm8)
	set(&one, 0xb8, 0xbf, pImmV)
	one[0xc0], one[0xc1], one[0xc2] = pModRM|pImm8, pModRM|pImm8, pImm16
	set(&one, 0xc4, 0xc5, pBad) // VEX: handled before the table
	one[0xc6], one[0xc7], one[0xc8] = pModRM|pImm8, pModRM|pImmZ, pImm16|pImm8
	one[0xca], one[0xcd], one[0xce] = pImm16, pImm8, pBad
	set(&one, 0xd0, 0xd3, pModRM)
	set(&one, 0xd4, 0xd6, pBad)
	set(&one, 0xd8, 0xdf, pModRM)
	set(&one, 0xe0, 0xe3, pRel8)
	set(&one, 0xe4, 0xe7, pImm8)
	one[0xe8], one[0xe9], one[0xea], one[0xeb] = pRel32, pRel32, pBad, pRel8
	one[0xf6], one[0xf7], one[0xfe], one[0xff] = pModRM, pModRM, pModRM, pModRM

	set(&two, 0x00, 0xff, pModRM)
	for _, i := range []int{0x05, 0x06, 0x07, 0x08, 0x09, 0x0b, 0x0e, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x37,
		0x77, 0xa0, 0xa1, 0xa2, 0xa8, 0xa9, 0xaa} {
		two[i] = 0
	}
	for _, i := range []int{0x04, 0x0a, 0x0c, 0x24, 0x25, 0x26, 0x27, 0x36, 0x39, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f,
		0x7a, 0x7b} {
		two[i] = pBad
	}
	for _, i := range []int{0x0f, 0x70, 0x71, 0x72, 0x73, 0xa4, 0xac, 0xba, 0xc2, 0xc4, 0xc5, 0xc6} {
		two[i] = pModRM | pImm8
	}
	set(&two, 0x80, 0x8f, pRel32)
	set(&two, 0xc8, 0xcf, 0)
	return one, two
}()

// decode reads the instruction at the start of b, as a 64-bit processor would.
// ok is false when the bytes are not an instruction that is known here; then
// in.len is 0.
func decode(b []byte) (in insn, ok bool) {
	if len(b) > maxInsn {
		b = b[:maxInsn]
	}
	in.base, in.index = noReg, noReg
	i := 0
prefixes:
	for ; i < len(b); i++ {
		switch b[i] {
		case 0x66:
			in.opsize = true
		case 0xf2, 0xf3:
			in.rep = b[i]
		case 0x67:
			in.addr32 = true
		case 0x64, 0x65:
			in.seg = true
		case 0xf0, 0x2e, 0x36, 0x3e, 0x26:
		default:
			break prefixes
		}
	}
	if i < len(b) && b[i]&0xf0 == 0x40 {
		in.rex = b[i]
		i++
	}
	if i >= len(b) {
		return insn{}, false
	}
	var props uint16
	op := b[i]
	i++
	switch {
	case op == 0xc4 || op == 0xc5 || op == 0x62:
		if in.rex != 0 || in.opsize || in.rep != 0 {
			return insn{}, false // #UD
		}
		i, props, ok = in.vector(b, i, op)
		if !ok {
			return insn{}, false
		}
	case op == 0x0f:
		if i >= len(b) {
			return insn{}, false
		}
		in.op, in.opmap = b[i], map0F
		i++
		props = twoByte[in.op]
		if in.op == 0x38 || in.op == 0x3a {
			if i >= len(b) {
				return insn{}, false
			}
			props, in.opmap = pModRM, map0F38
			if in.op == 0x3a {
				props, in.opmap = pModRM|pImm8, map0F3A
			}
			in.op = b[i]
			i++
		}
		if in.opmap == map0F && in.op == 0x78 && (in.opsize || in.rep != 0) {
			return insn{}, false // SSE4a extrq/insertq: two more immediates
		}
	default:
		in.op = op
		props = oneByte[op]
	}
	if props&pBad != 0 {
		return insn{}, false
	}
	if props&pModRM != 0 {
		if i, ok = in.modrm(b, i); !ok {
			return insn{}, false
		}
		if in.enc == encLegacy && in.opmap == mapOne {
			props, ok = in.group(props)
			if !ok {
				return insn{}, false
			}
		}
	}
	if i, ok = in.immediate(b, i, props); !ok {
		return insn{}, false
	}
	in.len = i
	return in, true
}

// vector reads the rest of a VEX or EVEX prefix and the opcode.
func (in *insn) vector(b []byte, i int, lead byte) (int, uint16, bool) {
	n := 2
	switch lead {
	case 0xc5:
		n = 1
	case 0x62:
		n = 3
	}
	if i+n >= len(b) {
		return 0, 0, false
	}
	p := b[i : i+n]
	in.enc = encVEX
	switch lead {
	case 0xc5:
		in.opmap = map0F
		in.rex = ^p[0] >> 5 & 4 // R
	case 0xc4:
		in.opmap = p[0] & 0x1f
		in.rex = ^p[0] >> 5 & 7 // R, X, B
	case 0x62:
		in.enc = encEVEX
		if p[0]&0x08 != 0 || p[1]&0x04 == 0 {
			return 0, 0, false
		}
		in.opmap = p[0] & 7
		in.rex = ^p[0] >> 5 & 7
	}
	in.op = b[i+n]
	i += n + 1
	switch in.opmap {
	case map0F:
		switch in.op {
		case 0x77:
			if in.enc == encEVEX {
				return 0, 0, false
			}
			return i, 0, true
		case 0x70, 0x71, 0x72, 0x73, 0xc2, 0xc4, 0xc5, 0xc6:
			return i, pModRM | pImm8, true
		}
		return i, pModRM, true
	case map0F38:
		return i, pModRM, true
	case map0F3A:
		return i, pModRM | pImm8, true
	case 5, 6: // half-precision
		if in.enc == encEVEX {
			return i, pModRM, true
		}
	}
	return 0, 0, false
}

// modrm reads the ModRM byte, the SIB byte and the displacement.
func (in *insn) modrm(b []byte, i int) (int, bool) {
	if i >= len(b) {
		return 0, false
	}
	m := b[i]
	i++
	in.hasModRM = true
	in.mod, in.reg, in.rm = m>>6, m>>3&7, m&7
	if in.rex&4 != 0 {
		in.reg |= 8
	}
	rexB := in.rex << 3 & 8
	if in.mod == 3 || in.opmap == map0F && in.enc == encLegacy && in.op >= 0x20 && in.op <= 0x23 {
		in.mod = 3
		in.rm |= rexB
		return i, true
	}
	in.mem = true
	n := [3]int{0, 1, 4}[in.mod]
	switch in.rm {
	case 4:
		if i >= len(b) {
			return 0, false
		}
		sib := b[i]
		i++
		if x := sib>>3&7 | in.rex<<2&8; x != 4 {
			in.index = x
		}
		if sib&7 == 5 && in.mod == 0 {
			n = 4
		} else {
			in.base = sib&7 | rexB
		}
	case 5:
		if in.mod == 0 {
			in.ripRel, n = true, 4
			break
		}
		fallthrough
	default:
		in.base = in.rm | rexB
	}
	in.rm |= rexB
	if i+n > len(b) {
		return 0, false
	}
	in.dispOff, in.dispLen = i, n
	in.disp = signed(b[i : i+n])
	return i + n, true
}

// group settles the opcodes whose shape depends on the ModRM byte.
func (in *insn) group(props uint16) (uint16, bool) {
	sub := in.reg & 7
	switch in.op {
	case 0xf6:
		if sub < 2 {
			props |= pImm8
		}
	case 0xf7:
		if sub < 2 {
			props |= pImmZ
		}
	case 0x8f: // other values: XOP
		return props, sub == 0
	case 0xc6:
		return props, sub == 0 // xabort is another: refuse transactions
	case 0xc7:
		return props, sub == 0 // xbegin
	case 0xfe:
		return props, sub < 2
	case 0xff:
		return props, sub != 7
	case 0x8d:
		return props, in.mem
	}
	return props, true
}

// immediate reads what follows the operands.
func (in *insn) immediate(b []byte, i int, props uint16) (int, bool) {
	n := 0
	if props&pImm16 != 0 {
		n += 2
	}
	if props&(pImm8|pRel8) != 0 {
		n++
	}
	if props&pImmV != 0 && in.rex&8 != 0 {
		n += 8
	} else if props&(pImmZ|pImmV) != 0 {
		if n += 4; in.opsize && in.rex&8 == 0 {
			n -= 2
		}
	}
	if props&pMoffs != 0 {
		if n += 8; in.addr32 {
			n -= 4
		}
	}
	if props&pRel32 != 0 {
		n += 4
	}
	if i+n > len(b) {
		return 0, false
	}
	in.immOff, in.immLen = i, n
	in.imm = signed(b[i : i+n])
	if props&(pRel8|pRel32) != 0 {
		if in.opsize && in.rex&8 == 0 {
			return 0, false // Intel and AMD disagree on what 0x66 means here
		}
		in.rel, in.target = true, in.imm
	}
	return i + n, true
}

func signed(b []byte) int64 {
	switch len(b) {
	case 1:
		return int64(int8(b[0]))
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	case 8:
		return int64(binary.LittleEndian.Uint64(b))
	}
	return 0
}

func (in *insn) legacy(opmap, op uint8) bool {
	return in.enc == encLegacy && in.opmap == opmap && in.op == op
}

// isCall: a call of any kind.
func (in *insn) isCall() bool {
	return in.legacy(mapOne, 0xe8) || in.legacy(mapOne, 0xff) && (in.reg&7 == 2 || in.reg&7 == 3)
}

// modrmAt is the offset of the ModRM byte, which an instruction without an
// immediate ends with, but for its SIB byte and displacement.
func (in *insn) modrmAt() int {
	at := in.len - in.dispLen - 1
	if in.mem && in.rm&7 == 4 {
		at--
	}
	return at
}

// isJcc: a conditional jump by flags.
func (in *insn) isJcc() bool {
	return in.enc == encLegacy && (in.opmap == mapOne && in.op&0xf0 == 0x70 || in.opmap == map0F && in.op&0xf0 == 0x80)
}

// isLoop: loop, loope, loopne, jrcxz: conditional jumps that exist only with
// an 8-bit target.
func (in *insn) isLoop() bool {
	return in.enc == encLegacy && in.opmap == mapOne && in.op >= 0xe0 && in.op <= 0xe3
}

// isJmp: a jump to a fixed place.
func (in *insn) isJmp() bool { return in.legacy(mapOne, 0xe9) || in.legacy(mapOne, 0xeb) }

// isJmpIndirect: a jump through a register or memory.
func (in *insn) isJmpIndirect() bool {
	return in.legacy(mapOne, 0xff) && (in.reg&7 == 4 || in.reg&7 == 5)
}

func (in *insn) isRet() bool {
	return in.legacy(mapOne, 0xc3) || in.legacy(mapOne, 0xc2) || in.legacy(mapOne, 0xcb) || in.legacy(mapOne, 0xca) || in.legacy(mapOne, 0xcf)
}

// isTrap: an instruction that is not meant to be passed.
func (in *insn) isTrap() bool {
	return in.legacy(map0F, 0x0b) || in.legacy(mapOne, 0xf4) || in.legacy(mapOne, 0xcc)
}

// ends: control never reaches the next instruction.
func (in *insn) ends() bool { return in.isJmp() || in.isJmpIndirect() || in.isRet() || in.isTrap() }

// isNop: padding.
func (in *insn) isNop() bool {
	return in.enc == encLegacy && (in.opmap == mapOne && in.op == 0x90 && in.rex == 0 && in.rep == 0 ||
		in.opmap == map0F && in.op == 0x1f)
}
