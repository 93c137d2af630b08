package debuginfo

import (
	"debug/dwarf"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/seam-project/seam/hooks"
)

// Prototype is what the file says about the arguments of the function called
// name that is entered at addr. nil: nothing, or nothing that can be trusted;
// why says in the second case what is wrong.
//
// The compiler says each argument's type, and for most where it is when the
// function begins. The first gives, by the rules of the ABI, the register of
// each; the second must agree, or the function is not called by those rules:
// compilers change the arguments of functions that nobody outside can call.
//
// clone: it is a copy that the compiler made of the function, with arguments
// left out or changed. There, only what it says of places counts.
func (i *Info) Prototype(name string, addr uint64, clone bool) (h *hooks.Hook, why string) {
	u, e := i.function(addr)
	if e == nil {
		return nil, ""
	}
	if !u.known() {
		return nil, "it is not of a language with C's rules"
	}
	is, chain := i.origin(e)
	for k := range chain {
		if cc, ok := chain[k].Val(dwarf.AttrCalling).(int64); ok && cc != ccNormal {
			return nil, "it has a calling convention of its own"
		}
	}
	l := layout{clone: clone, hook: &hooks.Hook{Name: name}}
	l.hook.Ret = hooks.Arg{Name: "ret", Len: hooks.LenNone, Word: -1, Type: hooks.TVoid}
	for k := range chain {
		if chain[k].Val(dwarf.AttrType) != nil {
			if why := l.result(is[k].typeOf(u, chain[k], 0)); why != "" {
				return nil, why
			}
			break
		}
	}
	frame, _ := e.Val(dwarf.AttrFrameBase).([]byte)
	cfa := len(frame) == 1 && frame[0] == opCFA
	var order []dwarf.Offset
	i.children(e, func(p *dwarf.Entry) bool {
		switch p.Tag {
		case dwarf.TagUnspecifiedParameters:
			l.hook.Variadic = true
		case dwarf.TagFormalParameter:
			if from, ok := p.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset); ok {
				order = append(order, from)
			}
			pis, ps := i.origin(p)
			var t ctype
			var name string
			for k := range ps {
				if t.kind == kUnknown && ps[k].Val(dwarf.AttrType) != nil {
					t = pis[k].typeOf(u, ps[k], 0)
				}
				if name == "" {
					name = pis[k].text(ps[k], dwarf.AttrName)
				}
			}
			at := i.placeOf(u, p, addr, cfa)
			why = l.param(name, t, at)
		}
		return why == ""
	})
	if why == "" && chain[0].Val(dwarf.AttrAbstractOrigin) != nil && l.given == 0 {
		why = l.missing(is[len(is)-1], chain[len(chain)-1])
	}
	if why != "" {
		return nil, why
	}
	if clone && len(order) == len(l.hook.Args) {
		// As declared: what is left out of a copy is listed last.
		sort.Stable(&byOrigin{order, l.hook.Args})
	}
	return l.finish(), ""
}

type byOrigin struct {
	at   []dwarf.Offset
	args []hooks.Arg
}

func (b *byOrigin) Len() int           { return len(b.at) }
func (b *byOrigin) Less(i, j int) bool { return b.at[i] < b.at[j] }
func (b *byOrigin) Swap(i, j int) {
	b.at[i], b.at[j] = b.at[j], b.at[i]
	b.args[i], b.args[j] = b.args[j], b.args[i]
}

// layout assigns arguments to registers and stack words as the System V ABI
// does.
type layout struct {
	hook                *hooks.Hook
	ints, floats, stack int
	given               int
	clone               bool
}

// The DWARF numbers of the argument registers.
var intRegs = [...]int{5, 4, 1, 2, 8, 9} // rdi rsi rdx rcx r8 r9

const xmm0 = 17

// Bounds: of arguments, and of the stack words that a call's frame copies.
const maxParams, maxStack = 32, 32

// result sets what is returned; a structure that is returned in memory takes
// the first register for its address.
func (l *layout) result(t ctype) string {
	r := &l.hook.Ret
	switch t.kind {
	case kUnknown:
		return "the type of its result is not understood"
	case kVoid:
	case kStruct:
		if t.memory || t.byRef {
			l.ints++
			r.Type, r.Size = hooks.TPtr, 8
		}
		// In registers it is halves of something: not shown.
		if r.Size == 0 {
			r.Type = hooks.TStruct
		}
	case kFloat:
		r.Type, r.Size = hooks.TFloat, uint8(t.size)
	default:
		scalar(r, t)
	}
	return ""
}

// scalar describes a value of one word.
func scalar(a *hooks.Arg, t ctype) {
	a.Size = uint8(t.size)
	switch t.kind {
	case kInt:
		a.Type = hooks.TInt
	case kUint:
		a.Type = hooks.TUint
	case kPtr:
		a.Type = hooks.TPtr
	case kString:
		a.Type, a.Cap = hooks.TString, hooks.CapString
	case kEnum:
		a.Type, a.Vals, a.Set = hooks.TEnum, t.vals, strings.TrimSuffix("enum "+t.name, " ")
		if len(t.vals) == 0 {
			a.Type, a.Set = hooks.TUint, ""
			if t.signed {
				a.Type = hooks.TInt
			}
		}
	}
}

func (l *layout) param(name string, t ctype, at where) string {
	if l.given++; l.given > maxParams {
		return "it has too many arguments"
	}
	if name == "" {
		name = "arg" + strconv.Itoa(len(l.hook.Args))
	}
	a := hooks.Arg{Name: name, Len: hooks.LenNone, Word: -1}
	ni, nf, words := 1, 0, 1
	switch t.kind {
	case kUnknown, kVoid:
		return "the type of " + name + " is not understood"
	case kFloat:
		ni, nf = 0, 1
		a.Type, a.Size = hooks.TFloat, uint8(t.size)
	case kStruct:
		a.Type, a.Size = hooks.TStruct, 8
		words = int(min((t.size+7)/8, 1<<10))
		switch {
		case t.byRef:
			a.Type, words = hooks.TPtr, 1
		case t.memory:
			ni = -1
		default:
			ni = 0
			for _, w := range t.words {
				switch w {
				case cInteger:
					ni++
				case cSSE:
					nf++
				}
			}
		}
	default:
		scalar(&a, t)
		if a.Type == hooks.TString && hooks.SecretName(name) {
			a.Secret, a.Cap = true, 0
		}
	}
	if l.clone {
		return l.placed(a, at)
	}
	want := where{kind: onStack, n: l.stack}
	word := len(intRegs) + l.stack
	if ni >= 0 && l.ints+ni <= len(intRegs) && l.floats+nf <= 8 {
		want = where{kind: inReg}
		if t.kind == kStruct && !t.byRef && t.words[0] == cSSE || ni == 0 {
			want.n = xmm0 + l.floats
		} else {
			want.n = intRegs[l.ints]
		}
		word = l.ints
		l.ints += ni
		l.floats += nf
	} else {
		if l.stack += words; l.stack > maxStack {
			return "it has too many arguments"
		}
	}
	switch {
	case at.kind == inReg && at != want, at.kind == onStack && (want.kind == onStack && at.n != want.n || want.kind == inReg):
		return name + " is not passed where its type says"
	}
	if a.Type != hooks.TFloat && a.Type != hooks.TStruct && at.kind != absent && word < hooks.MaxWords {
		a.Word = int8(word)
	}
	l.hook.Args = append(l.hook.Args, a)
	return ""
}

// placed takes an argument from where the compiler says that it is.
func (l *layout) placed(a hooks.Arg, at where) string {
	switch at.kind {
	case absent:
	case inReg:
		if word := slices.Index(intRegs[:], at.n); word >= 0 && a.Type != hooks.TFloat && a.Type != hooks.TStruct {
			a.Word = int8(word)
		}
	default:
		return "the compiler gave this copy of the function other arguments"
	}
	l.hook.Args = append(l.hook.Args, a)
	return ""
}

// missing: an instance of a function that names no parameters has lost them,
// if the function itself has some.
func (l *layout) missing(i *Info, abstract *dwarf.Entry) (why string) {
	i.children(abstract, func(p *dwarf.Entry) bool {
		if p.Tag == dwarf.TagFormalParameter || p.Tag == dwarf.TagUnspecifiedParameters {
			why = "its arguments are not described"
		}
		return why == ""
	})
	return why
}

func (l *layout) finish() *hooks.Hook {
	l.hook.StackCopy = uint8(l.stack)
	for i := range l.hook.Args {
		for j := range i {
			if l.hook.Args[j].Name == l.hook.Args[i].Name {
				l.hook.Args[i].Name += "_" + strconv.Itoa(i)
				break
			}
		}
	}
	return l.hook
}
