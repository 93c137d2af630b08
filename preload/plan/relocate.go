package plan

import (
	"golang.org/x/arch/x86/x86asm"
)

const (
	jumpLen  = 5  // jmp rel32: what a patch writes
	maxPatch = 24 // SEAM_MAX_PATCH
	maxWhole = 96 // bytes of a function that is moved as a whole
)

// FixKind is SEAM_FIX_*: how a place in a trampoline is completed once it is
// known where the trampoline and the object are.
type FixKind uint8

const (
	FixRel32 FixKind = 1
	FixAbs64 FixKind = 2
)

// Fix is struct seam_fix.
type Fix struct {
	At     uint16 // offset of the place in the trampoline
	Kind   FixKind
	Addend uint8  // bytes from At to the end of the instruction
	Target uint64 // address in the ELF file
}

// refusal is a Reason with the particulars; nil means go ahead.
type refusal struct {
	reason Reason
	detail string
}

// moved is a function's start, ready to run elsewhere.
type moved struct {
	patchLen int    // bytes displaced, or covered by the jump if that is more
	code     []byte // the trampoline
	fixes    []Fix
	pushes   bool // it pushes a return address: no shadow stack would agree
	whole    bool // all of the function: it jumps back into its first bytes
}

func (m *moved) flags() SiteFlags {
	if m.pushes {
		return FlagPushes
	}
	return 0
}

// body is what relocation needs to know of a function.
type body struct {
	vaddr uint64
	code  []byte // the function's bytes, and some of what follows
	size  int    // of the function; <= len(code)
	next  uint64 // address of the next known symbol; 0: none
}

// relocate displaces whole instructions from the start of f, at least as many
// as a jump needs.
//
//  1. Measure: instructions are taken until they cover the jump, or until one
//     ends the function, when padding may make up the rest.
//  2. Move: each is copied; what is relative to its place becomes a Fix, and a
//     short branch its near form. A call becomes a push of the address behind
//     it in the function itself, and a jump: unwinders see what they always saw.
//  3. Bind: branches among the displaced instructions go to the moved ones.
//  4. Look back: if anything in the rest of the function jumps into the bytes
//     that are about to go, a small function moves as a whole, and another one
//     is refused.
func relocate(f body) (moved, *refusal) {
	var buf [jumpLen + 1]taken // at most one instruction per byte
	ins, end, r := measure(f, buf[:0], jumpLen)
	if r != nil {
		return moved{}, r
	}
	last := &ins[len(ins)-1].insn
	patchLen := max(end, jumpLen)
	if end < jumpLen {
		if !last.ends() {
			return moved{}, &refusal{TooShort, utoa(f.size) + " bytes"}
		}
		if r := padding(f, end); r != nil {
			return moved{}, r
		}
	}
	if f.next != 0 && f.next-f.vaddr < uint64(patchLen) {
		return moved{}, &refusal{OverlapsSymbol, "at +" + utoa(int(f.next-f.vaddr))}
	}
	m, r := displace(f, ins, end)
	if r == nil {
		r = branchesBack(f, end, patchLen)
	}
	if r != nil && (r.reason == BranchToStart || r.reason == BranchIntoPrologue) {
		if whole, ok := moveWhole(f); ok {
			m, r = whole, nil
			m.whole = true
		}
	}
	m.patchLen = patchLen
	return m, r
}

// taken is an instruction that moves, and where it was.
type taken struct {
	insn
	from int
}

// measure takes instructions until they cover need bytes or the function ends.
// A call is the last one taken: what follows runs where it always was.
func measure(f body, ins []taken, need int) ([]taken, int, *refusal) {
	end := 0
	for end < need && end < f.size {
		in, ok := decode(f.code[end:f.size])
		if !ok || !agrees(f.code[end:f.size], &in) {
			return nil, 0, &refusal{UnknownInstruction, "at +" + utoa(end)}
		}
		if in.ripRel && in.addr32 || in.legacy(mapOne, 0xcc) {
			return nil, 0, &refusal{UnknownInstruction, "at +" + utoa(end)}
		}
		ins = append(ins, taken{in, end})
		end += in.len
		if in.isCall() {
			// The callee returns to what follows: that must stay.
			if end < jumpLen || in.base == rSP && in.mem || in.legacy(mapOne, 0xff) && in.reg&7 != 2 {
				return nil, 0, &refusal{CallInPrologue, "at +" + utoa(end-in.len)}
			}
			break
		}
	}
	return ins, end, nil
}

// displace writes the trampoline of ins, the first end bytes of f.
func displace(f body, ins []taken, end int) (moved, *refusal) {
	type local struct{ at, target int }
	var locals []local
	var m moved
	to := make([]int, len(ins))
	m.code = make([]byte, 0, end+8*len(ins)+jumpLen)
	near := func(target uint64) { // the 4 bytes of a near branch
		if d := target - f.vaddr; d < uint64(end) {
			locals = append(locals, local{len(m.code), int(d)})
		} else {
			m.fixes = append(m.fixes, Fix{At: uint16(len(m.code)), Kind: FixRel32, Addend: 4, Target: target})
		}
		m.code = append(m.code, 0, 0, 0, 0)
	}
	for i := range ins {
		in, raw := &ins[i].insn, f.code[ins[i].from:ins[i].from+ins[i].len]
		to[i] = len(m.code)
		next := f.vaddr + uint64(ins[i].from+in.len)
		push := -1 // where the distance to the pushed address is
		if in.isCall() {
			m.code = append(m.code, 0xff, 0x35) // push 0(%rip)
			push = len(m.code)
			m.code = append(m.code, 0, 0, 0, 0)
			m.pushes = true
		}
		switch {
		case in.rel && in.isCall():
			m.code = append(m.code, 0xe9)
			if next+uint64(in.target) == f.vaddr { // a call of itself is a call like any other
				m.fixes = append(m.fixes, Fix{At: uint16(len(m.code)), Kind: FixRel32, Addend: 4, Target: f.vaddr})
				m.code = append(m.code, 0, 0, 0, 0)
			} else {
				near(next + uint64(in.target))
			}
		case in.rel:
			switch {
			case in.isJcc():
				m.code = append(m.code, 0x0f, 0x80|in.op&15)
			case in.isJmp():
				m.code = append(m.code, 0xe9)
			case in.isLoop(): // it has no near form: taken, it skips a jump around a near jump
				m.code = append(append(m.code, raw[:len(raw)-1]...), 2, 0xeb, 5, 0xe9)
			default:
				return moved{}, &refusal{UnknownInstruction, "at +" + utoa(ins[i].from)}
			}
			near(next + uint64(in.target))
		default:
			start := len(m.code)
			if in.ripRel {
				m.fixes = append(m.fixes, Fix{At: uint16(start + in.dispOff), Kind: FixRel32,
					Addend: uint8(in.len - in.dispOff), Target: next + uint64(in.disp)})
			}
			m.code = append(m.code, raw...)
			if in.ripRel {
				clear(m.code[start+in.dispOff : start+in.dispOff+4])
			}
			if in.isCall() { // call *x and jmp *x differ in three bits
				m.code[start+in.modrmAt()] ^= (2 ^ 4) << 3
			}
		}
		if push >= 0 {
			le.PutUint32(m.code[push:], uint32(len(m.code)-(push+4)))
			m.fixes = append(m.fixes, Fix{At: uint16(len(m.code)), Kind: FixAbs64, Target: next})
			m.code = append(m.code, 0, 0, 0, 0, 0, 0, 0, 0)
		}
	}
	if last := &ins[len(ins)-1].insn; !last.ends() && !last.isCall() {
		m.code = append(m.code, 0xe9)
		m.fixes = append(m.fixes, Fix{At: uint16(len(m.code)), Kind: FixRel32, Addend: 4, Target: f.vaddr + uint64(end)})
		m.code = append(m.code, 0, 0, 0, 0)
	}
bind:
	for _, l := range locals {
		for i := range ins {
			if ins[i].from == l.target {
				le.PutUint32(m.code[l.at:], uint32(int32(to[i]-(l.at+4))))
				continue bind
			}
		}
		return moved{}, &refusal{BranchIntoPrologue, "into the middle of an instruction"}
	}
	return m, nil
}

// moveWhole moves all of a small function that calls nothing, and so is never
// in the middle of a stack that is unwound: its loops stay among themselves.
func moveWhole(f body) (moved, bool) {
	if f.size > maxWhole {
		return moved{}, false
	}
	ins, end, r := measure(f, make([]taken, 0, maxWhole), f.size)
	if r != nil || end != f.size || !ins[len(ins)-1].ends() {
		return moved{}, false
	}
	for i := range ins {
		if ins[i].isCall() || ins[i].isJmpIndirect() { // a jump table's targets would be in the original
			return moved{}, false
		}
	}
	m, r := displace(f, ins, end)
	return m, r == nil && len(m.code) <= maxTramp && len(m.fixes) <= maxFixes
}

// agrees cross-checks the length of a legacy instruction with x86asm: moving
// an instruction by the wrong length is the one mistake that nothing later
// would notice. endbr64 and the vector encodings are beyond x86asm.
func agrees(b []byte, in *insn) bool {
	if in.enc != encLegacy || in.isEndbr64() {
		return true
	}
	x, err := x86asm.Decode(b, 64)
	return err == nil && x.Op != 0 && x.Len == in.len
}

// padding checks that the bytes between the end of a short function and the
// end of the jump are free: filler, not followed by an alignment boundary at
// which an unseen function could begin with just such bytes.
func padding(f body, end int) *refusal {
	short := &refusal{TooShort, utoa(f.size) + " bytes"}
	if f.size < jumpLen && (f.vaddr+uint64(f.size)-1)/16 != (f.vaddr+jumpLen-1)/16 {
		return short
	}
	for end < jumpLen {
		if end >= len(f.code) {
			return short
		}
		if f.code[end] == 0xcc {
			end++
			continue
		}
		in, ok := decode(f.code[end:])
		if !ok || !in.isNop() {
			return short
		}
		end += in.len
	}
	return nil
}

// branchesBack looks for jumps from the function's remaining bytes into the
// patched ones. Up to the first byte that is not a known instruction it
// decodes; from there on it takes every byte for a possible jump.
func branchesBack(f body, from, patchLen int) *refusal {
	o := from
	for o < f.size {
		in, ok := decode(f.code[o:f.size])
		if !ok {
			return jumpsAnywhere(f, o, patchLen)
		}
		o += in.len
		if !in.rel || in.isCall() {
			continue
		}
		if r := hits(int64(o)+in.target, o-in.len, patchLen); r != nil {
			return r
		}
	}
	return nil
}

func hits(target int64, at, patchLen int) *refusal {
	switch {
	case target == 0:
		return &refusal{BranchToStart, "from +" + utoa(at)}
	case target > 0 && target < int64(patchLen):
		return &refusal{BranchIntoPrologue, "from +" + utoa(at) + " to +" + utoa(int(target))}
	}
	return nil
}

// jumpsAnywhere is branchesBack without trust in where instructions start.
func jumpsAnywhere(f body, from, patchLen int) *refusal {
	for o := from; o < f.size; o++ {
		b := f.code[o:f.size]
		var target int64
		switch op := b[0]; {
		case len(b) >= 2 && (op&0xf0 == 0x70 || op >= 0xe0 && op <= 0xe3 || op == 0xeb):
			target = int64(o) + 2 + signed(b[1:2])
		case len(b) >= 5 && op == 0xe9:
			target = int64(o) + 5 + signed(b[1:5])
		case len(b) >= 6 && op == 0x0f && b[1]&0xf0 == 0x80:
			target = int64(o) + 6 + signed(b[2:6])
		default:
			continue
		}
		if r := hits(target, o, patchLen); r != nil {
			return r
		}
	}
	return nil
}

// utoa avoids strconv's and fmt's weight where one number is wanted.
func utoa(n int) string {
	if n < 0 {
		return "-" + utoa(-n)
	}
	var b [20]byte
	i := len(b)
	for {
		i--
		b[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return string(b[i:])
		}
	}
}
