package native

import (
	"debug/elf"
	"encoding/binary"

	"golang.org/x/arch/x86/x86asm"
)

// Most callbacks use general registers only, and the host's vector registers need not
// be saved around them: a third of what a call costs. That is believed only of code that was
// seen: all that the callback can reach, through jumps and calls inside its file.
// Whatever is not understood counts as using them all.

// maxSeen bounds how much code of one callback is looked at, instructions.
const maxSeen = 4096

type code struct {
	obj   *elf.File
	relas map[uint64]uint64 // what the loader puts at an address: an address in the file; 0 something else
}

func newCode(obj *elf.File) *code {
	c := &code{obj: obj, relas: map[uint64]uint64{}}
	syms, _ := obj.DynamicSymbols()
	for _, s := range obj.Sections {
		if s.Type != elf.SHT_RELA || s.Size > 1<<24 {
			continue
		}
		b, err := s.Data()
		if err != nil {
			continue
		}
		for ; len(b) >= 24; b = b[24:] {
			at, info, addend := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
			c.relas[at] = 0
			switch elf.R_X86_64(info & 0xffffffff) {
			case elf.R_X86_64_RELATIVE:
				c.relas[at] = addend
			case elf.R_X86_64_64:
				// Another object may define the symbol before this one.
				if i := int(info>>32) - 1; i >= 0 && i < len(syms) && elf.ST_VISIBILITY(syms[i].Other) == elf.STV_PROTECTED {
					c.relas[at] = syms[i].Value + addend
				}
			}
		}
	}
	return c
}

// pointer is what the loader will have put at an address: an address in the file. known
// is false where that is not certain.
func (c *code) pointer(at, inPlace uint64) (to uint64, known bool) {
	if v, ok := c.relas[at]; ok {
		return v, v != 0
	}
	return inPlace, true // a packed relative relocation adds to what is there
}

// plain tells whether everything that can run from an address on uses general registers only.
func (c *code) plain(from uint64) bool {
	todo, seen := []uint64{from}, map[uint64]bool{}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for !seen[at] {
			if seen[at] = true; len(seen) > maxSeen {
				return false
			}
			b := c.text(at)
			if len(b) >= 4 && b[0] == 0xf3 && b[1] == 0x0f && b[2] == 0x1e && b[3] == 0xfa { // endbr64
				at += 4
				continue
			}
			in, err := x86asm.Decode(b, 64)
			if err != nil || in.Op == 0 || in.Len == 0 {
				return false
			}
			next := at + uint64(in.Len)
			rel, direct := in.Args[0].(x86asm.Rel)
			switch {
			case in.Op == x86asm.RET:
				next = 0
			case in.Op == x86asm.UD2 || in.Op == x86asm.HLT:
				next = 0
			case in.Op == x86asm.JMP && direct:
				todo = append(todo, next+uint64(int64(rel)))
				next = 0
			case direct: // a conditional jump, a loop, a call
				todo = append(todo, next+uint64(int64(rel)))
			case in.Op == x86asm.JMP || in.Op == x86asm.CALL:
				return false // who knows where to
			case !general(&in):
				return false
			}
			if next == 0 {
				break
			}
			at = next
		}
	}
	return true
}

// text is the code at an address of the file.
func (c *code) text(at uint64) []byte {
	for _, p := range c.obj.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 && at >= p.Vaddr && at-p.Vaddr < p.Filesz {
			return read(c.obj, at, 15)
		}
	}
	return nil
}

// allowed are the instructions that a compiler makes of integer code. None of them uses
// vector, mask or x87 registers.
var allowed = map[x86asm.Op]bool{}

func init() {
	for _, op := range []x86asm.Op{
		x86asm.ADC, x86asm.ADD, x86asm.AND, x86asm.BSF, x86asm.BSR, x86asm.BSWAP, x86asm.BT, x86asm.BTC, x86asm.BTR, x86asm.BTS,
		x86asm.CBW, x86asm.CDQ, x86asm.CDQE, x86asm.CMP, x86asm.CMPXCHG, x86asm.CQO, x86asm.CWD, x86asm.CWDE, x86asm.DEC, x86asm.DIV,
		x86asm.CMOVA, x86asm.CMOVAE, x86asm.CMOVB, x86asm.CMOVBE, x86asm.CMOVE, x86asm.CMOVG, x86asm.CMOVGE, x86asm.CMOVL, x86asm.CMOVLE,
		x86asm.CMOVNE, x86asm.CMOVNO, x86asm.CMOVNP, x86asm.CMOVNS, x86asm.CMOVO, x86asm.CMOVP, x86asm.CMOVS,
		x86asm.IDIV, x86asm.IMUL, x86asm.INC, x86asm.LEA, x86asm.LEAVE, x86asm.LFENCE, x86asm.LZCNT, x86asm.MFENCE, x86asm.MOV, x86asm.MOVSX, x86asm.MOVSXD,
		x86asm.MOVZX, x86asm.MUL, x86asm.NEG, x86asm.NOP, x86asm.NOT, x86asm.OR, x86asm.PAUSE, x86asm.POP, x86asm.POPCNT, x86asm.PUSH,
		x86asm.RCL, x86asm.RCR, x86asm.RDTSC, x86asm.ROL, x86asm.ROR, x86asm.SAR, x86asm.SBB, x86asm.SFENCE, x86asm.SHL, x86asm.SHLD, x86asm.SHR, x86asm.SHRD,
		x86asm.SETA, x86asm.SETAE, x86asm.SETB, x86asm.SETBE, x86asm.SETE, x86asm.SETG, x86asm.SETGE, x86asm.SETL, x86asm.SETLE,
		x86asm.SETNE, x86asm.SETNO, x86asm.SETNP, x86asm.SETNS, x86asm.SETO, x86asm.SETP, x86asm.SETS,
		x86asm.STOSB, x86asm.STOSD, x86asm.STOSQ, x86asm.STOSW, x86asm.MOVSB, x86asm.MOVSQ, x86asm.MOVSW, x86asm.SUB, x86asm.TEST, x86asm.TZCNT,
		x86asm.XADD, x86asm.XCHG, x86asm.XOR,
	} {
		allowed[op] = true
	}
}

func general(in *x86asm.Inst) bool {
	if !allowed[in.Op] {
		return false
	}
	for _, a := range in.Args {
		if r, ok := a.(x86asm.Reg); ok && (r < x86asm.AL || r > x86asm.R15) {
			return false
		}
	}
	return true
}
