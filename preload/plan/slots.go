package plan

import "github.com/seam-project/seam/hooks"

// slot is a word of the object that the loader fills with the address of a
// function: what a call into another library goes through.
type slot struct {
	name string
	addr uint64 // of the object's own definition, 0 when it has none
}

// Relocation types of x86-64 that bind a slot to a symbol.
const (
	relGlobDat  = 6
	relJumpSlot = 7
	relaSize    = 24
	maxRelas    = 1 << 20
)

// slotAt says which function the word at vaddr will hold the address of. The
// table is read at first use: most plans never ask.
func (o *Object) slotAt(vaddr uint64) (slot, bool) {
	if o.slots == nil {
		o.slots = map[uint64]slot{}
		o.readSlots(o.tags[dtRela], o.tags[dtRelasz])
		o.readSlots(o.tags[dtJmprel], o.tags[dtPltrelsz])
	}
	s, ok := o.slots[vaddr]
	return s, ok
}

func (o *Object) readSlots(at, size uint64) {
	if at == 0 {
		return
	}
	rel := o.bytesAt(at, min(size, maxRelas*relaSize))
	for ; len(rel) >= relaSize; rel = rel[relaSize:] {
		info := le.Uint64(rel[8:])
		if t := uint32(info); t != relGlobDat && t != relJumpSlot {
			continue
		}
		i := info >> 32
		if (i+1)*symSize > uint64(len(o.symtab)) {
			continue
		}
		s := o.symtab[i*symSize:]
		sl := slot{name: o.str(uint64(le.Uint32(s)))}
		if le.Uint16(s[6:]) != 0 && SymType(s[4]&15) == SymFunc {
			sl.addr = le.Uint64(s[8:])
		}
		o.slots[le.Uint64(rel)] = sl
	}
}

// str is a name of the dynamic string table.
func (o *Object) str(off uint64) string {
	if off >= uint64(len(o.strtab)) {
		return ""
	}
	return cstring(o.strtab[off:])
}

// noReturn lists callees behind which there is no code of the caller's.
var noReturn = map[string]bool{
	"__stack_chk_fail": true, "abort": true, "exit": true, "_exit": true, "__assert_fail": true, "__chk_fail": true,
	"__fortify_fail": true, "longjmp": true, "siglongjmp": true, "__longjmp_chk": true, "pthread_exit": true,
	"_Unwind_Resume": true, "__cxa_throw": true, "__cxa_rethrow": true, "_ZSt9terminatev": true,
}

// calleeOf names the function of another object, or of this one through a
// slot, that an instruction at `at` calls or jumps to.
func (w *walker) calleeOf(at uint64, in *insn) (slot, bool) {
	switch {
	case in.mem && in.ripRel:
		return w.o.slotAt(at + uint64(in.len) + uint64(in.disp))
	case in.rel:
		// A stub of the procedure linkage table: [endbr64] jmp *slot(%rip).
		stub := at + uint64(in.len) + uint64(in.target)
		if !w.inside(stub) {
			return w.o.stubAt(stub)
		}
	}
	return slot{}, false
}

// stubAt reads the stub at an address, if there is one. The answers are kept,
// as the same few callees come again and again, and each costs a read.
func (o *Object) stubAt(at uint64) (slot, bool) {
	if s, ok := o.stubs[at]; ok {
		return s, s.name != ""
	}
	if o.stubs == nil {
		o.stubs = map[uint64]slot{}
	}
	var buf [2 * maxInsn]byte
	code, next := o.text(buf[:], at), at
	j, ok := decode(code)
	if ok && j.isEndbr64() {
		code, next = code[j.len:], next+uint64(j.len)
		j, ok = decode(code)
	}
	var s slot
	if ok && j.isJmpIndirect() && j.ripRel {
		s, _ = o.slotAt(next + uint64(j.len) + uint64(j.disp))
	}
	o.stubs[at] = s
	return s, s.name != ""
}

// tailCall follows a jump to another function. Into this object it is
// followed like a jump; of other objects only the prototypes are known.
func (w *walker) tailCall(s slot, st *stackState) string {
	switch {
	case mustBeEntryOnly(s.name):
		return "a tail call of " + s.name
	case s.addr != 0 && w.o.executable(s.addr):
		w.flow(s.addr, st)
		return ""
	}
	h, ok := hooks.Lookup("", s.name)
	if !ok || h.NoProto || h.Variadic || h.EntryOnly {
		return "a tail call of " + s.name
	}
	if _, nstack, ncopy := hooks.Words(h); nstack > 0 || ncopy > 0 {
		return "a tail call of " + s.name
	}
	return ""
}
