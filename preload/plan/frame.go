package plan

import "slices"

// The question this file answers: may a function without a prototype be called
// through a frame? The thunk's frame moves the function's stack by some bytes,
// so the answer is no if the function reads arguments from the stack, or looks
// at its return address, or hands over to another function that may.
//
// The answer is found by following every path from the first instruction with
// the depth of the stack: how far rsp is below where it was at entry, as a
// lower bound. A byte at [rsp+x] is the function's own exactly if x < depth.
// Registers that hold copies of the stack pointer are followed too. Whatever
// is not understood means no.

// maxSteps bounds the analysis of one function, in instructions.
const maxSteps = 20000

// Register numbers.
const (
	rAX, rCX, rDX, rSP, rBP = 0, 1, 2, 4, 5
)

// Calls may change these.
const callClobbers = 1<<0 | 1<<1 | 1<<2 | 1<<6 | 1<<7 | 1<<8 | 1<<9 | 1<<10 | 1<<11

// stackState is what is known at one instruction. off[r] says how far register
// r points below the stack pointer at entry, for the registers in known. For
// rsp that is the depth.
type stackState struct {
	off   [16]int32
	known uint16
}

func (s *stackState) has(r uint8) bool { return r < 16 && s.known&(1<<r) != 0 }

func (s *stackState) set(r uint8, off int32) {
	s.off[r] = off
	s.known |= 1 << r
}

func (s *stackState) forget(r uint8) { s.known &^= 1 << r }

// meet joins what is known on another path: the lower bound of both. It
// reports whether s changed.
func (s *stackState) meet(t *stackState) bool {
	changed := false
	for r := uint8(0); r < 16; r++ {
		if !t.has(r) {
			continue
		}
		if !s.has(r) || t.off[r] < s.off[r] {
			s.set(r, t.off[r])
			changed = true
		}
	}
	return changed
}

// afterCall is the way past a call, which does not exist if the callee does
// not return. It is therefore tried last, and gives way to what is known of
// that place from other paths.
type afterCall struct {
	at uint64
	s  stackState
}

// states are what is known by address: of the function in a table, for it is asked at each step,
// and of what lies elsewhere in a map.
type states struct {
	lo     uint64
	inside []uint32 // by offset, which of all, from 1; 0: none
	far    map[uint64]uint32
	all    []stackState
}

// none forgets all, for another function.
func (m *states) none(f body) *states {
	m.lo, m.all = f.vaddr, m.all[:0]
	m.inside = slices.Grow(m.inside[:0], f.size)[:f.size]
	clear(m.inside)
	clear(m.far)
	return m
}

// at is nil if nothing is known. The result is good until the next put.
func (m *states) at(addr uint64) *stackState {
	var n uint32
	if d := addr - m.lo; d < uint64(len(m.inside)) {
		n = m.inside[d]
	} else {
		n = m.far[addr]
	}
	if n == 0 {
		return nil
	}
	return &m.all[n-1]
}

func (m *states) put(addr uint64, s *stackState) {
	m.all = append(m.all, *s)
	n := uint32(len(m.all))
	if d := addr - m.lo; d < uint64(len(m.inside)) {
		m.inside[d] = n
		return
	}
	if m.far == nil {
		m.far = map[uint64]uint32{}
	}
	m.far[addr] = n
}

// walker is one analysis.
type walker struct {
	o      *Object
	f      body
	states *states
	todo   []uint64
	after  []afterCall
	steps  int
	// switches: depth at the indirect jumps that are taken for switches, whose
	// targets are found by elimination.
	switchState *stackState
	swept       uint64 // unreached has looked at what is before this
	far         []byte // code outside the function, last read
	farAt       uint64
}

// framesafe reports whether f can be called through a frame, and if not, why. room is used, and has nothing for the caller.
func framesafe(o *Object, f body, room *states) (ok bool, why string) {
	w := walker{o: o, f: f, swept: f.vaddr, states: room.none(f)}
	var entry stackState
	entry.set(rSP, 0)
	w.flow(f.vaddr, &entry)
	for {
		for w.more() {
			at := w.todo[len(w.todo)-1]
			w.todo = w.todo[:len(w.todo)-1]
			if w.steps++; w.steps > maxSteps {
				return false, "the function is too large to follow"
			}
			if why := w.step(at); why != "" {
				return false, why + " at +" + utoa(int(int64(at-f.vaddr)))
			}
		}
		if w.switchState == nil {
			return true, ""
		}
		// A switch's targets are the code that nothing else reaches. It runs
		// at the depth of the switch.
		at, ok := w.unreached()
		if !ok {
			return true, ""
		}
		w.flow(at, w.switchState)
	}
}

// more reports whether there is something to do, in w.todo.
func (w *walker) more() bool {
	for len(w.todo) == 0 && len(w.after) > 0 {
		a := &w.after[0]
		w.after = w.after[1:]
		if old := w.states.at(a.at); old == nil || old.off[rSP] == a.s.off[rSP] {
			w.flow(a.at, &a.s)
		}
	}
	return len(w.todo) > 0
}

func (w *walker) inside(at uint64) bool { return at-w.f.vaddr < uint64(w.f.size) }

// code is what is at an address: of the function, or elsewhere in the object,
// where compilers move the unlikely parts.
func (w *walker) code(at uint64) []byte {
	if w.inside(at) {
		return w.f.code[at-w.f.vaddr : w.f.size]
	}
	if d := at - w.farAt; d < uint64(len(w.far)) && uint64(len(w.far))-d >= maxInsn {
		return w.far[d:]
	}
	if cap(w.far) == 0 {
		w.far = make([]byte, 1024)
	}
	w.far = w.o.text(w.far[:cap(w.far)], at)
	w.farAt = at
	return w.far
}

// flow says that control reaches `at` in state s.
func (w *walker) flow(at uint64, s *stackState) {
	if old := w.states.at(at); old != nil {
		if old.meet(s) {
			w.todo = append(w.todo, at)
		}
		return
	}
	w.states.put(at, s)
	w.todo = append(w.todo, at)
}

// unreached is the next instruction of the function that no path has come to,
// skipping filler. What lies before it has been dealt with, so that all calls
// together read the function once.
func (w *walker) unreached() (uint64, bool) {
	for w.inside(w.swept) {
		in, ok := decode(w.code(w.swept))
		if w.states.at(w.swept) == nil && (!ok || !in.isNop() && !in.isTrap()) {
			return w.swept, true
		}
		w.swept += uint64(max(in.len, 1))
	}
	return 0, false
}

// step follows one instruction; a text means the answer is no.
func (w *walker) step(at uint64) string {
	in, ok := decode(w.code(at))
	if !ok {
		return "unknown instruction"
	}
	s := *w.states.at(at)
	next := at + uint64(in.len)
	if why := touches(&s, &in); why != "" {
		return why
	}
	switch {
	case in.isRet():
		if !in.legacy(mapOne, 0xc3) {
			return "a return that also moves the stack"
		}
		if s.off[rSP] > 0 && !w.inside(at) {
			// Behind a call that does not return lies another function's code:
			// this path does not exist.
			return ""
		}
		if s.off[rSP] != 0 {
			return "a return at an unexpected depth"
		}
		return ""
	case in.isTrap():
		return ""
	case in.isJmp():
		return w.jump(next+uint64(in.target), &s)
	case in.isJcc(), in.isLoop():
		if why := w.jump(next+uint64(in.target), &s); why != "" {
			return why
		}
	case in.isJmpIndirect():
		return w.indirect(at, &in, &s)
	case in.isCall():
		if in.rel && in.target == 0 {
			return "a call for its return address"
		}
		for r := uint8(0); r < 16; r++ {
			if callClobbers&(1<<r) != 0 {
				s.forget(r)
			}
		}
		if callee, ok := w.calleeOf(at, &in); ok && noReturn[callee.name] {
			return ""
		}
		// A call that ends the function does not return.
		if next != w.f.vaddr+uint64(w.f.size) {
			w.after = append(w.after, afterCall{next, s})
		}
		return ""
	default:
		if why := effect(&s, &in); why != "" {
			return why
		}
	}
	if next == w.f.vaddr+uint64(w.f.size) {
		return "the function runs on past its end"
	}
	w.flow(next, &s)
	return ""
}

// jump follows a direct jump. One that leaves the function leads to one of its
// own unlikely parts, or is a tail call; either way the code there runs on the
// same stack, and is followed like the function's own.
func (w *walker) jump(target uint64, s *stackState) string {
	if !w.inside(target) && !w.o.executable(target) {
		return "a jump to nowhere"
	}
	w.flow(target, s)
	return ""
}

// indirect settles a jump through a register or memory: a switch, or a tail
// call. A tail call is made at depth 0; a switch that is, is recognised by how
// compilers write it: a table of offsets, added to the table's address.
func (w *walker) indirect(at uint64, in *insn, s *stackState) string {
	if callee, ok := w.calleeOf(at, in); ok && s.off[rSP] == 0 {
		return w.tailCall(callee, s)
	}
	if !w.inside(at) {
		return "an indirect jump outside the function"
	}
	if s.off[rSP] <= 0 && !w.isSwitch(at, in) {
		return "an indirect tail call"
	}
	if w.switchState == nil {
		c := *s
		w.switchState = &c
		return ""
	}
	if w.switchState.off[rSP] != s.off[rSP] {
		return "switches at different depths"
	}
	w.switchState.meet(s)
	return ""
}

// isSwitch looks at what comes right before an indirect jump.
func (w *walker) isSwitch(at uint64, jmp *insn) bool {
	if jmp.mem || jmp.mod != 3 {
		return false
	}
	// Decode forward from each of the last places where it may have started,
	// as instructions cannot be read backwards. The states say which places
	// are instructions.
	added, loaded := false, false
	for back := uint64(2); back <= 24 && back <= at-w.f.vaddr; back++ {
		if w.states.at(at-back) == nil {
			continue
		}
		in, ok := decode(w.code(at - back))
		if !ok {
			continue
		}
		if (in.legacy(mapOne, 0x01) && in.mod == 3 && in.rm == jmp.rm) || (in.legacy(mapOne, 0x03) && in.reg == jmp.rm) {
			added = true
		}
		if in.legacy(mapOne, 0x63) && in.mem && in.index != noReg {
			loaded = true
		}
	}
	return added && loaded
}

// touches says whether an operand reaches the return address or beyond.
func touches(s *stackState, in *insn) string {
	if !in.mem || in.seg || in.base == noReg || !s.has(in.base) {
		return ""
	}
	disp := in.disp
	if in.enc == encEVEX && in.dispLen == 1 && disp > 0 {
		disp *= 64 // scaled by the operand's size, at most this
	}
	if disp >= int64(s.off[in.base]) {
		if in.legacy(mapOne, 0x8d) {
			return "the address of the caller's stack is taken"
		}
		// The byte at rsp is probed by `or $0,(%rsp)` right at depth 0 too, but
		// that is the return address, which a frame has as well.
		if in.legacy(mapOne, 0x83) && in.imm == 0 && in.reg&7 == 1 {
			return ""
		}
		return "the caller's stack is used"
	}
	return ""
}

// effect applies what an instruction does to the stack pointer and its copies.
func effect(s *stackState, in *insn) string {
	if in.enc != encLegacy {
		return ""
	}
	if in.opmap != mapOne {
		return effect0F(s, in)
	}
	op := in.op
	switch {
	case op >= 0x50 && op <= 0x57: // push reg
		return push(s, in)
	case op >= 0x58 && op <= 0x5f: // pop reg
		r := op&7 | in.rex<<3&8
		if r == rSP || in.opsize {
			return "the stack pointer is loaded"
		}
		s.forget(r)
		return pop(s)
	case op == 0x68, op == 0x6a, op == 0x9c:
		return push(s, in)
	case op == 0x9d, op == 0x8f:
		if in.opsize || op == 0x8f && in.mod == 3 {
			return "an odd pop"
		}
		return pop(s)
	case op == 0xff && in.reg&7 == 6:
		return push(s, in)
	case op == 0xc8: // enter
		return "an enter instruction"
	case op == 0xc9: // leave
		if !s.has(rBP) {
			return "the stack pointer is loaded from a register that is not a frame pointer"
		}
		s.off[rSP] = s.off[rBP]
		s.forget(rBP)
		return pop(s)
	case op == 0x89 || op == 0x8b: // mov
		if in.mem {
			if op == 0x8b {
				if in.reg == rSP {
					return "the stack pointer is loaded from memory"
				}
				s.forget(in.reg)
			} else if s.has(in.reg) && s.off[in.reg] <= 0 {
				return "the address of the caller's stack is stored"
			}
			return ""
		}
		src, dst := in.reg, in.rm
		if op == 0x8b {
			src, dst = in.rm, in.reg
		}
		if in.rex&8 == 0 {
			if dst == rSP {
				return "the stack pointer is cut"
			}
			s.forget(dst)
			return ""
		}
		return move(s, dst, src, 0)
	case op == 0x8d: // lea
		if in.rex&8 == 0 || in.index != noReg || in.base == noReg || !s.has(in.base) {
			if in.reg == rSP {
				return "the stack pointer is computed"
			}
			s.forget(in.reg)
			return ""
		}
		return move(s, in.reg, in.base, int32(in.disp))
	case op == 0x81 || op == 0x83: // group 1, immediate
		if in.mem || in.reg&7 == 7 {
			return ""
		}
		return arith(s, in.rm, in.reg&7, in)
	case op < 0x40 && op&7 < 4: // arithmetic between registers
		kind := op >> 3
		dst, src := in.rm, in.reg
		if op&2 != 0 {
			dst, src = in.reg, in.rm
		}
		if in.mem && op&2 == 0 || kind == 7 {
			return ""
		}
		if op&1 == 0 { // bytes: a register number means another thing
			return ""
		}
		if dst == rSP {
			if kind == 5 && in.rex&8 != 0 { // sub: a variable-sized array; deeper
				return ""
			}
			return "the stack pointer is computed"
		}
		if !in.mem && src == rSP {
			return "the stack pointer is computed with"
		}
		s.forget(dst)
		return ""
	case op >= 0x91 && op <= 0x97: // xchg with rax
		r := op&7 | in.rex<<3&8
		if r == rSP {
			return "the stack pointer is exchanged"
		}
		s.forget(r)
		s.forget(rAX)
		return ""
	case op == 0x87:
		if in.reg == rSP || !in.mem && in.rm == rSP {
			return "the stack pointer is exchanged"
		}
		s.forget(in.reg)
		if !in.mem {
			s.forget(in.rm)
		}
		return ""
	case op >= 0xb8 && op <= 0xbf:
		r := op&7 | in.rex<<3&8
		if r == rSP {
			return "the stack pointer is loaded"
		}
		s.forget(r)
		return ""
	case op == 0x63, op == 0x69, op == 0x6b:
		if in.reg == rSP {
			return "the stack pointer is computed"
		}
		s.forget(in.reg)
		return ""
	case op == 0xc7 || op == 0xc1 || op == 0xd1 || op == 0xd3 || op == 0xf7 || op == 0xff:
		if in.mem {
			return ""
		}
		if in.rm == rSP && !(op == 0xf7 && in.reg&7 < 2) {
			return "the stack pointer is computed"
		}
		if op == 0xf7 && in.reg&7 >= 4 {
			s.forget(rAX)
			s.forget(rDX)
			return ""
		}
		if !(op == 0xf7 && in.reg&7 < 2) {
			s.forget(in.rm)
		}
		return ""
	}
	return ""
}

// effect0F is effect for the two-byte opcodes.
func effect0F(s *stackState, in *insn) string {
	if in.opmap != map0F {
		return ""
	}
	switch op := in.op; {
	case op == 0x05: // syscall
		s.forget(rAX)
		s.forget(rCX)
		s.forget(11)
	case op == 0xa0, op == 0xa8:
		return push(s, in)
	case op == 0xa1, op == 0xa9:
		return pop(s)
	case op&0xf0 == 0x40: // cmov: either value
		if in.reg == rSP || !in.mem && in.rm == rSP && in.rex&8 != 0 {
			return "the stack pointer is chosen"
		}
	case op == 0xaf, op == 0xb6, op == 0xb7, op == 0xbe, op == 0xbf, op == 0xb8, op == 0xbc, op == 0xbd:
		if in.reg == rSP {
			return "the stack pointer is computed"
		}
		s.forget(in.reg)
	case op == 0xc1, op == 0xb1, op >= 0xc8 && op <= 0xcf && in.rex&1 == 0 && op&7 == rSP:
		if op >= 0xc8 || in.reg == rSP || !in.mem && in.rm == rSP {
			return "the stack pointer is computed"
		}
	}
	return ""
}

func push(s *stackState, in *insn) string {
	if in.opsize {
		return "an odd push"
	}
	s.off[rSP] += 8
	return ""
}

func pop(s *stackState) string {
	if s.off[rSP] -= 8; s.off[rSP] < 0 {
		return "the return address is popped"
	}
	return ""
}

// move: dst = src + disp, where src may be a copy of the stack pointer.
func move(s *stackState, dst, src uint8, disp int32) string {
	if !s.has(src) {
		if dst == rSP {
			return "the stack pointer is loaded from another register"
		}
		s.forget(dst)
		return ""
	}
	off := int64(s.off[src]) - int64(disp)
	if off < 0 || off == 0 && dst != rSP || off > 1<<30 {
		return "the address of the caller's stack is taken"
	}
	s.set(dst, int32(off))
	return ""
}

// arith: reg OP= immediate.
func arith(s *stackState, r, kind uint8, in *insn) string {
	if !s.has(r) {
		return ""
	}
	switch {
	case in.rex&8 == 0:
	case kind == 5 || kind == 0: // sub, add
		d := in.imm
		if kind == 0 {
			d = -d
		}
		off := int64(s.off[r]) + d
		if off < 0 || off == 0 && r != rSP || off > 1<<30 {
			return "the address of the caller's stack is computed"
		}
		// A copy that is moved in a loop points somewhere in an object of the
		// function's own; where, is not known any more.
		if r != rSP && r != rBP {
			s.forget(r)
			return ""
		}
		s.off[r] = int32(off)
		return ""
	case kind == 4 && in.imm < 0: // and: aligned downwards, deeper
		return ""
	}
	if r == rSP {
		return "the stack pointer is computed"
	}
	s.forget(r)
	return ""
}
