package plan

import (
	"strings"

	"golang.org/x/arch/x86/x86asm"
)

// Explain says, for people, what the plan does with a symbol: the code before
// and after, or why it is left alone; "" when the plan does not know it.
func (p *Plan) Explain(symbol string) string {
	var b strings.Builder
	for i := range p.Refusals {
		r := &p.Refusals[i]
		if r.Name != symbol {
			continue
		}
		info := r.Reason.Info()
		what := "refused"
		if info.Note {
			what = "entry only"
			if r.Reason == ArgumentsUnknown {
				what = "arguments unknown"
			}
		}
		b.WriteString(symbol + ": " + what + " (" + info.Name + "): " + info.Sentence)
		if r.Detail != "" {
			b.WriteString(" [" + r.Detail + "]")
		}
		b.WriteString("\n  hint: " + info.Advice + "\n")
	}
	for i := range p.Sites {
		if s := &p.Sites[i]; s.Name == symbol {
			s.explain(&b)
		}
	}
	return b.String()
}

func (s *Site) explain(b *strings.Builder) {
	if s.ByPointer() {
		b.WriteString(s.Name + ": " + s.Kind.String() + ", by all pointers to ")
		if s.Picker == 0 {
			b.WriteString("0x" + hex(s.Vaddr) + "\n")
		} else {
			b.WriteString("what 0x" + hex(s.Picker) + " picks, if it is none of the functions above\n")
		}
		return
	}
	b.WriteString(s.Name + ": " + s.Kind.String() + " at 0x" + hex(s.Vaddr) + ", " + utoa(len(s.Orig)) + " bytes displaced\n")
	b.WriteString("  before\n")
	disassemble(b, s.Orig, s.Vaddr, nil)
	b.WriteString("  after\n    " + pad("0x"+hex(s.Vaddr), 18) + pad("e9 .. .. .. ..", 32) + "jmp thunk\n")
	b.WriteString("  trampoline\n")
	disassemble(b, s.Tramp, 0, s.Fixes)
}

// disassemble prints code that is at vaddr; fixes say what the places that
// are still open will refer to.
func disassemble(b *strings.Builder, code []byte, vaddr uint64, fixes []Fix) {
	for o := 0; o < len(code); {
		in, ok := decode(code[o:])
		n := in.len
		if !ok {
			n = len(code) - o
		}
		var raw strings.Builder
		for i, c := range code[o : o+n] {
			if i > 0 {
				raw.WriteByte(' ')
			}
			raw.WriteByte("0123456789abcdef"[c>>4])
			raw.WriteByte("0123456789abcdef"[c&15])
		}
		addr := "+0x" + hex(uint64(o))
		if vaddr != 0 {
			addr = "0x" + hex(vaddr+uint64(o))
		}
		b.WriteString("    " + pad(addr, 18) + pad(raw.String(), 32) + text(code[o:o+n], &in, ok, vaddr+uint64(o)))
		for _, f := range fixes {
			if int(f.At) >= o && int(f.At) < o+n {
				b.WriteString("  -> 0x" + hex(f.Target))
			}
		}
		b.WriteByte('\n')
		o += n
	}
}

// text is one instruction in AT&T syntax.
func text(code []byte, in *insn, ok bool, pc uint64) string {
	switch {
	case !ok:
		return "(not an instruction)"
	case in.isEndbr64():
		return "endbr64"
	case in.enc != encLegacy:
		return vectorText(code, in, pc)
	}
	x, err := x86asm.Decode(code, 64)
	if err != nil || x.Op == 0 || x.Len != in.len {
		return "(unknown)"
	}
	return x86asm.GNUSyntax(x, pc, nil)
}

// vectorText names a vector instruction as far as x86asm can.
func vectorText(code []byte, in *insn, pc uint64) string {
	// A few bytes more, as x86asm takes one too many of some.
	x, err := x86asm.Decode(append(append([]byte(nil), code...), 0x90), 64)
	if err != nil || x.Op == 0 {
		return "(vector instruction)"
	}
	op := strings.ToLower(x.Op.String())
	if in.ripRel {
		return op + " ... 0x" + hex(pc+uint64(in.len)+uint64(in.disp))
	}
	return op
}

func pad(s string, n int) string {
	if len(s) >= n {
		return s + " "
	}
	return s + strings.Repeat(" ", n-len(s))
}

func hex(v uint64) string {
	var b [16]byte
	i := len(b)
	for {
		i--
		b[i] = "0123456789abcdef"[v&15]
		if v >>= 4; v == 0 {
			return string(b[i:])
		}
	}
}
