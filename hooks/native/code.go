package native

import (
	"debug/elf"
	"encoding/binary"

	"golang.org/x/arch/x86/x86asm"

	"github.com/seam-project/seam/hooks"
)

// Most callbacks use general registers only, or a few xmm registers, and the host's other vector
// registers need not be saved around them: up to half of what a call costs. That is believed only of
// code that was seen: all that the callback can reach, through jumps and calls inside its file.
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

// uses tells what all that can run from an address on uses.
func (c *code) uses(from uint64) hooks.Registers {
	uses := hooks.NoVectors
	todo, seen := []uint64{from}, map[uint64]bool{}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for !seen[at] {
			if seen[at] = true; len(seen) > maxSeen {
				return hooks.AllRegisters
			}
			b := c.text(at)
			if len(b) >= 4 && b[0] == 0xf3 && b[1] == 0x0f && b[2] == 0x1e && b[3] == 0xfa { // endbr64
				at += 4
				continue
			}
			in, err := x86asm.Decode(b, 64)
			if err != nil || in.Op == 0 || in.Len == 0 {
				return hooks.AllRegisters
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
				return hooks.AllRegisters // who knows where to
			default:
				u := registers(&in)
				if u == hooks.AllRegisters {
					return u
				}
				uses = max(uses, u)
			}
			if next == 0 {
				break
			}
			at = next
		}
	}
	return uses
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

// sse are those that a compiler makes of floating point and of copies. They use xmm registers, and leave
// alone what is above 128 bits, as the same instructions in their newer form (VEX) do not.
var sse = map[x86asm.Op]bool{}

func init() {
	for _, op := range []x86asm.Op{
		x86asm.ADDPD, x86asm.ADDPS, x86asm.ADDSD, x86asm.ADDSS, x86asm.ANDNPD, x86asm.ANDNPS, x86asm.ANDPD, x86asm.ANDPS,
		x86asm.CMPPD, x86asm.CMPPS, x86asm.CMPSD_XMM, x86asm.CMPSS, x86asm.COMISD, x86asm.COMISS,
		x86asm.CVTDQ2PD, x86asm.CVTDQ2PS, x86asm.CVTPD2DQ, x86asm.CVTPD2PS, x86asm.CVTPS2DQ, x86asm.CVTPS2PD,
		x86asm.CVTSD2SI, x86asm.CVTSD2SS, x86asm.CVTSI2SD, x86asm.CVTSI2SS, x86asm.CVTSS2SD, x86asm.CVTSS2SI,
		x86asm.CVTTPD2DQ, x86asm.CVTTPS2DQ, x86asm.CVTTSD2SI, x86asm.CVTTSS2SI,
		x86asm.DIVPD, x86asm.DIVPS, x86asm.DIVSD, x86asm.DIVSS, x86asm.MAXPD, x86asm.MAXPS, x86asm.MAXSD, x86asm.MAXSS,
		x86asm.MINPD, x86asm.MINPS, x86asm.MINSD, x86asm.MINSS,
		x86asm.MOVAPD, x86asm.MOVAPS, x86asm.MOVD, x86asm.MOVDQA, x86asm.MOVDQU, x86asm.MOVHLPS, x86asm.MOVHPD, x86asm.MOVHPS,
		x86asm.MOVLHPS, x86asm.MOVLPD, x86asm.MOVLPS, x86asm.MOVMSKPD, x86asm.MOVMSKPS, x86asm.MOVQ, x86asm.MOVSD_XMM, x86asm.MOVSS,
		x86asm.MOVUPD, x86asm.MOVUPS, x86asm.MULPD, x86asm.MULPS, x86asm.MULSD, x86asm.MULSS, x86asm.ORPD, x86asm.ORPS,
		x86asm.PADDB, x86asm.PADDD, x86asm.PADDQ, x86asm.PADDW, x86asm.PAND, x86asm.PANDN, x86asm.PCMPEQB, x86asm.PCMPEQD, x86asm.PCMPEQW,
		x86asm.PMOVMSKB, x86asm.POR, x86asm.PSHUFD, x86asm.PSLLDQ, x86asm.PSLLQ, x86asm.PSRLDQ, x86asm.PSRLQ, x86asm.PSUBB, x86asm.PSUBD,
		x86asm.PSUBQ, x86asm.PUNPCKHQDQ, x86asm.PUNPCKLDQ, x86asm.PUNPCKLQDQ, x86asm.PXOR,
		x86asm.SHUFPD, x86asm.SHUFPS, x86asm.SQRTPD, x86asm.SQRTPS, x86asm.SQRTSD, x86asm.SQRTSS, x86asm.SUBPD, x86asm.SUBPS, x86asm.SUBSD, x86asm.SUBSS,
		x86asm.UCOMISD, x86asm.UCOMISS, x86asm.UNPCKHPD, x86asm.UNPCKHPS, x86asm.UNPCKLPD, x86asm.UNPCKLPS, x86asm.XORPD, x86asm.XORPS,
	} {
		sse[op] = true
	}
}

// registers tells what one instruction uses, which is neither a jump nor a call.
func registers(in *x86asm.Inst) hooks.Registers {
	if !allowed[in.Op] && !sse[in.Op] {
		return hooks.AllRegisters
	}
	uses := hooks.NoVectors
	for _, a := range in.Args {
		switch r, ok := a.(x86asm.Reg); {
		case !ok || r >= x86asm.AL && r <= x86asm.R15:
		case sse[in.Op] && r >= x86asm.X0 && r <= x86asm.X3:
			uses = max(uses, hooks.FewXMM)
		case sse[in.Op] && r >= x86asm.X4 && r <= x86asm.X15:
			uses = hooks.AnyXMM
		default:
			return hooks.AllRegisters
		}
	}
	return uses
}
