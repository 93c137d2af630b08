package plan

import (
	"strconv"
	"strings"

	"github.com/seam-project/seam/hooks"
)

// hook finds what is known about the function that probe p names: from the
// user, else from a pack, else from the compiler. nil: a pack was asked for,
// and has no such function. note says why the compiler's word was not taken.
func (b *builder) hook(p *hooks.Probe, s *Symbol, name string, aliases []string) (h *hooks.Hook, from ProtoSource, note string) {
	if p.Pack == "" && s.Clone == "" {
		for _, n := range append([]string{name, s.Name}, aliases...) {
			if h := b.userProto(n); h != nil {
				c := *h
				c.Name = name
				return &c, UserProto, ""
			}
		}
	}
	if s.Clone == "" {
		if h, ok := lookup(b.obj, p, name, aliases); ok {
			if b.spec.Brief && p.Pack != "" {
				h = hooks.Brief(h)
			}
			return h, PackProto, ""
		}
	}
	if p.Pack != "" {
		return nil, NoProto, ""
	}
	if p.Instrument != hooks.Count || len(p.Filters) > 0 {
		if h, note = b.dwarfProto(p, s, aliases); h != nil {
			h.Name = name
			return h, DWARFProto, ""
		}
	}
	return hooks.Unknown(name), NoProto, note
}

// userProto is the prototype that the user gave for a function of this name.
func (b *builder) userProto(name string) *hooks.Hook {
	if b.protos == nil {
		b.protos = map[string]*hooks.Hook{}
		for _, text := range b.spec.Protos {
			hs, err := hooks.UserProto(text)
			if err != nil {
				continue // Spec.Check has said so
			}
			for _, h := range hs {
				b.protos[h.Name] = h
			}
		}
	}
	return b.protos[name]
}

// dwarfProto asks the compiler's debug information. An object that is not
// named, and is not the program, is asked only for what it has itself.
func (b *builder) dwarfProto(p *hooks.Probe, s *Symbol, aliases []string) (*hooks.Hook, string) {
	if b.obj.inner() && (hooks.IsGlob(p.Sym) || b.many()) {
		return nil, ""
	}
	info := b.files().dwarf(p.Lib != "" || b.obj.program())
	if info == nil {
		return nil, ""
	}
	name := s.Name
	if s.From == Offset && len(aliases) > 0 {
		name = aliases[0]
	}
	h, why := info.Prototype(name, s.Addr, s.Clone != "")
	if h != nil && strings.Contains(s.Clone, ".isra") {
		h.Ret = hooks.Unknown(name).Ret // it may have lost its result, too
		h.Ret.Type = hooks.TStruct
		h.Ret.Size = 0
	}
	return h, why
}

// mostNamed functions of libc named one by one are still asked of its debug file.
// Above, they are treated like a pattern: reading that file takes longer than all
// the planning, and what people look at there has a prototype.
const mostNamed = 100

func (b *builder) many() bool {
	if b.named == 0 {
		b.named = 1
		for i := range b.spec.Probes {
			if p := &b.spec.Probes[i]; p.Pack == "" && LibMatches(p.Lib, b.obj) {
				b.named++
			}
		}
	}
	return b.named > mostNamed
}

// doubt makes a function entry-only whose prototype may say too little of the
// stack: one that takes a variable number of arguments, or whose arguments are
// only the user's word. A pack's prototypes are known to be right.
func (b *builder) doubt(h *hooks.Hook, from ProtoSource, s *Symbol, f body) *refusal {
	switch {
	case h.EntryOnly, from != UserProto && from != DWARFProto:
		return nil
	case from == DWARFProto && !h.Variadic && s.Clone == "", from == UserProto && h.StackCopy > 0 && !h.Variadic:
		return nil
	}
	if f.code == nil {
		h.EntryOnly = true
		return &refusal{StackArgsUnknown, "its code is not known"}
	}
	ok, detail := framesafe(b.obj, f, &b.room)
	if ok {
		return nil
	}
	h.EntryOnly = true
	return &refusal{StackArgsUnknown, detail}
}

// unfit says why what a symbol names cannot be taken for a function.
func (b *builder) unfit(s *Symbol) *refusal {
	if s.From == Exported {
		return nil
	}
	if i := strings.LastIndex(s.Name, ".cold"); i > 0 {
		return &refusal{PartOfFunction, ""}
	}
	if b.goCode(s.Addr) {
		return &refusal{ForeignStack, ""}
	}
	if s.From == DebugFile {
		if f, ok := b.obj.frameAt(s.Addr); ok && f.lo != s.Addr {
			return &refusal{NotFunctionStart, "inside the function at 0x" + hex(f.lo)}
		}
	}
	return nil
}

// goCode: the address is in what Go's linker laid out. Without Go's symbols
// all the code of such an object is suspected.
func (b *builder) goCode(addr uint64) bool {
	f := b.files().self
	if f == nil || !f.Has(".gopclntab") && !f.Has(".data.rel.ro.gopclntab") {
		return false
	}
	lo, hi := b.obj.byName["runtime.text"], b.obj.byName["runtime.etext"]
	if len(lo) == 0 || len(hi) == 0 {
		return true
	}
	return addr >= b.obj.Symbols[lo[0]].Addr && addr < b.obj.Symbols[hi[0]].Addr
}

// picker: the loader calls the code at addr to choose an implementation.
func (b *builder) picker(addr uint64) bool {
	for _, i := range b.obj.symbolsAt(addr) {
		if b.obj.Symbols[i].Type == SymIFunc {
			return true
		}
	}
	return false
}

// isOffset: the probe names an address instead of a function.
func isOffset(sym string) bool { return sym != "" && sym[0] == '+' }

// offset plans the function at an address. That one starts there has to be
// known: from a symbol, or from the unwinding tables, which stripped files
// have too.
func (b *builder) offset(p *hooks.Probe) {
	addr, err := strconv.ParseUint(p.Sym[1:], 0, 64)
	if err != nil {
		return // ParseProbe has said so
	}
	name := p.Sym
	if p.As != "" {
		name = p.As
	}
	if !b.obj.executable(addr) {
		b.refuse(name, NotCode, "")
		return
	}
	s := Symbol{Name: name, Type: SymNone, Addr: addr, From: Offset}
	for _, i := range b.obj.symbolsAt(addr) {
		at := &b.obj.Symbols[i]
		if s.Type == SymNone {
			s.Type = at.Type
		}
		if at.Type == SymIFunc {
			s.Type = SymIFunc
		}
		s.Size = max(s.Size, at.Size)
	}
	if s.Type == SymNone || s.Size == 0 {
		f, ok := b.obj.frameAt(addr)
		switch {
		case ok && f.lo == addr && f.entered:
			s.Type, s.Size = SymFunc, max(s.Size, f.size)
		case ok && f.lo == addr:
			b.refuse(name, NotFunctionStart, "the stack is not as at a call")
			return
		case ok:
			b.refuse(name, NotFunctionStart, "it is inside the function at 0x"+hex(f.lo))
			return
		default:
			b.refuse(name, NotFunctionStart, b.nearby(addr))
			return
		}
	}
	b.symbol(p, &s, true)
}

// nearby says which symbol's code an address is in.
func (b *builder) nearby(addr uint64) string {
	for i := range b.obj.byAddr {
		s := &b.obj.Symbols[b.obj.byAddr[i]]
		if s.Addr < addr && addr-s.Addr < s.Size {
			return "it is inside " + s.Name + ", +0x" + hex(addr-s.Addr)
		}
	}
	return ""
}

// handoverCalls are what the agent calls for a hand-over (preload/agent).
var handoverCalls = []string{"sqlite3_errmsg", "sqlite3_db_handle", "sqlite3_db_mutex", "sqlite3_mutex_try", "sqlite3_mutex_leave"}

// helpers notes where the functions are that a hand-over calls, in an object
// that does not export them.
func (b *builder) helpers(site *Site, h *hooks.Hook) {
	if site.Flags&FlagHandover == 0 || len(b.exports.byName[handoverCalls[0]]) > 0 {
		return
	}
	for _, name := range handoverCalls {
		// Of several functions of one name none can be known to be the right one.
		if at := b.obj.byName[name]; len(at) == 1 && b.obj.Symbols[at[0]].Type == SymFunc {
			h.Helpers = append(h.Helpers, hooks.Helper{Name: name, Addr: b.obj.Symbols[at[0]].Addr})
		}
	}
}
