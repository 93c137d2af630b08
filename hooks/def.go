package hooks

import (
	"errors"
	"fmt"
	"strconv"
)

// Kinds of a probe in the stream (docs/protocol.md, probe).
const (
	KindCall  = "call"
	KindEntry = "entry"
	KindCount = "count"
	KindHist  = "hist"
)

// KindOf is the kind of a probe with this hook and instrument.
func KindOf(h *Hook, instr Instrument) string {
	switch {
	case instr == Count:
		return KindCount
	case instr == Hist:
		return KindHist
	case h.EntryOnly:
		return KindEntry
	}
	return KindCall
}

// EncodeDef writes the msgpack map that defines a probe in the stream. Beyond
// what the protocol asks for it holds all that DecodeDef needs to make the
// Hook again: a drainer of another process decodes with nothing but this.
// An empty kind means KindOf.
func EncodeDef(h *Hook, lib, kind string, instr Instrument) []byte {
	if kind == "" {
		kind = KindOf(h, instr)
	}
	fail := h.FailText()
	n := 8
	for _, on := range []bool{h.Pack != "", fail != "", h.Errno, len(h.Helpers) > 0} {
		if on {
			n++
		}
	}
	b := appendMap(make([]byte, 0, 512), n)
	b = appendStr(appendStr(b, "name"), h.Name)
	b = appendStr(appendStr(b, "lib"), lib)
	if h.Pack != "" {
		b = appendStr(appendStr(b, "pack"), h.Pack)
	}
	b = appendStr(appendStr(b, "kind"), kind)
	b = appendArray(appendStr(b, "args"), len(h.Args))
	for i := range h.Args {
		b = appendArg(b, &h.Args[i])
	}
	b = appendArg(appendStr(b, "ret"), &h.Ret)
	if fail != "" {
		b = appendStr(appendStr(b, "fail"), fail)
	}
	if h.Errno {
		b = appendBool(appendStr(b, "errno"), true)
	}
	if len(h.Helpers) > 0 {
		b = appendMap(appendStr(b, "helpers"), len(h.Helpers))
		for _, f := range h.Helpers {
			b = appendUint(appendStr(b, f.Name), f.Addr)
		}
	}
	b = appendArray(appendStr(b, "rule"), 5)
	b = appendUint(b, uint64(h.Fail.Op))
	b = appendUint(b, uint64(h.Fail.Width))
	for _, v := range h.Fail.Vals {
		b = appendInt(b, v)
	}
	b = appendArray(appendStr(b, "site"), 6)
	b = appendUint(b, uint64(instr))
	b = appendUint(b, uint64(h.StackCopy))
	b = appendUint(b, uint64(h.Handover))
	b = appendUint(b, uint64(h.Flags))
	b = appendBool(b, h.NoProto)
	b = appendBool(b, h.EntryOnly)
	return appendBool(appendStr(b, "variadic"), h.Variadic)
}

// appendArg writes an argument: n t o s as in the protocol, and under d what
// decoding needs: [size, len, lenptr, word, cap, secret, ref].
func appendArg(b []byte, a *Arg) []byte {
	n := 3
	if a.Out {
		n++
	}
	for _, on := range []bool{a.Set != "", a.Unit > 0, len(a.Vals) > 0, len(a.Fields) > 0} {
		if on {
			n++
		}
	}
	b = appendMap(b, n)
	b = appendStr(appendStr(b, "n"), a.Name)
	b = appendStr(appendStr(b, "t"), a.Type.String())
	if a.Out {
		b = appendBool(appendStr(b, "o"), true)
	}
	if a.Set != "" {
		b = appendStr(appendStr(b, "s"), a.Set)
	}
	if a.Unit > 0 {
		b = appendUint(appendStr(b, "u"), uint64(a.Unit))
	}
	if len(a.Vals) > 0 {
		b = appendVals(appendStr(b, "v"), a.Vals)
	}
	if len(a.Fields) > 0 {
		b = appendFieldDefs(appendStr(b, "f"), a.Fields)
	}
	b = appendArray(appendStr(b, "d"), 7)
	b = appendUint(b, uint64(a.Size))
	b = appendInt(b, int64(a.Len))
	b = appendBool(b, a.LenPtr)
	b = appendInt(b, int64(a.Word))
	b = appendUint(b, uint64(a.Cap))
	b = appendBool(b, a.Secret)
	return appendBool(b, a.Ref)
}

// appendVals writes the names of values: [value, mask, name, …].
func appendVals(b []byte, vals []EnumVal) []byte {
	b = appendArray(b, 3*len(vals))
	for _, v := range vals {
		b = appendStr(appendInt(appendInt(b, v.Value), v.Mask), v.Name)
	}
	return b
}

// appendFieldDefs writes fields: [name, type, offset, size, count, set,
// secret, values, fields] each.
func appendFieldDefs(b []byte, fields []Field) []byte {
	b = appendArray(b, len(fields))
	for i := range fields {
		f := &fields[i]
		b = appendStr(appendStr(appendArray(b, 9), f.Name), f.Type.String())
		for _, n := range []uint16{f.Off, f.Size, f.Count} {
			b = appendUint(b, uint64(n))
		}
		b = appendBool(appendStr(b, f.Set), f.Secret)
		b = appendFieldDefs(appendVals(b, f.Vals), f.Fields)
	}
	return b
}

// Bounds of a definition: arguments, names of one's values, helpers.
const maxArgs, maxVals, maxHelpers = 32, 1024, 16

// DecodeDef makes the Hook again from what EncodeDef wrote. The bytes may come
// from a hostile arena: whatever it accepts is safe to decode calls with.
func DecodeDef(b []byte) (h *Hook, lib, kind string, err error) {
	r := &mpReader{b: b}
	h = &Hook{Ret: Arg{Type: TVoid, Len: LenNone, Word: -1}}
	for n := r.mapLen(); n > 0 && r.err == nil; n-- {
		switch r.str() {
		case "name":
			h.Name = r.str()
		case "lib":
			lib = r.str()
		case "pack":
			h.Pack = r.str()
		case "kind":
			kind = r.str()
		case "args":
			k := r.arrayLen()
			if k > maxArgs {
				r.err = errMsgpack
				break
			}
			h.Args = make([]Arg, k)
			for i := range h.Args {
				h.Args[i] = r.arg(k)
			}
		case "ret":
			h.Ret = r.arg(0)
		case "errno":
			h.Errno = r.bool()
		case "helpers":
			for k := r.mapLen(); k > 0 && r.err == nil; k-- {
				f := Helper{Name: r.str(), Addr: uint64(r.int())}
				if len(h.Helpers) == maxHelpers {
					r.err = errMsgpack
				}
				h.Helpers = append(h.Helpers, f)
			}
		case "rule":
			r.rule(&h.Fail)
		case "site":
			r.site(h)
		case "variadic":
			h.Variadic = r.bool()
		default:
			r.skip()
		}
	}
	if r.err != nil {
		return nil, "", "", fmt.Errorf("decode probe definition: %w", r.err)
	}
	if h.Name == "" {
		return nil, "", "", errors.New("decode probe definition: no name")
	}
	for i := range h.Args {
		// The args key may have come after what refers to it.
		if int(h.Args[i].Len) >= len(h.Args) {
			return nil, "", "", errors.New("decode probe definition: no such counting argument")
		}
	}
	return h, lib, kind, nil
}

func (r *mpReader) arg(nargs int) Arg {
	a := Arg{Len: LenNone, Word: -1}
	for n := r.mapLen(); n > 0 && r.err == nil; n-- {
		switch r.str() {
		case "n":
			a.Name = r.str()
		case "t":
			var ok bool
			if a.Type, ok = ParseType(r.str()); !ok {
				r.err = errMsgpack
			}
		case "o":
			a.Out = r.bool()
		case "s":
			a.Set = r.str()
		case "u":
			a.Unit = uint16(r.intIn(0, maxStruct))
		case "v":
			a.Vals = r.vals()
		case "f":
			left := maxFields
			a.Fields = r.fields(&left, maxNest)
		case "d":
			if r.arrayLen() < 7 {
				r.err = errMsgpack
			}
			a.Size = uint8(r.intIn(0, 8))
			a.Len = int8(r.intIn(LenRet, int64(max(nargs-1, 0))))
			a.LenPtr = r.bool()
			a.Word = int8(r.intIn(-1, MaxWords-1))
			a.Cap = uint16(r.intIn(0, 1<<16-1))
			a.Secret = r.bool()
			a.Ref = r.bool()
		default:
			r.skip()
		}
	}
	if a.Type == 0 {
		r.err = errMsgpack
	}
	return a
}

func (r *mpReader) vals() []EnumVal {
	n := r.arrayLen()
	if n%3 != 0 || n > 3*maxVals {
		r.err = errMsgpack
		return nil
	}
	var vals []EnumVal
	for ; n > 0 && r.err == nil; n -= 3 {
		e := EnumVal{Value: r.int(), Mask: r.int()}
		e.Name = r.str()
		vals = append(vals, e)
	}
	return vals
}

// fields reads at most *left fields in structures nested at most deep times.
func (r *mpReader) fields(left *int, deep int) []Field {
	n := r.arrayLen()
	if n > *left || n > 0 && deep == 0 {
		r.err = errMsgpack
		return nil
	}
	*left -= n
	var fields []Field
	for ; n > 0 && r.err == nil; n-- {
		if r.arrayLen() != 9 {
			r.err = errMsgpack
			return nil
		}
		f := Field{Name: r.str()}
		var ok bool
		if f.Type, ok = ParseType(r.str()); !ok {
			r.err = errMsgpack
			return nil
		}
		f.Off, f.Size, f.Count = uint16(r.intIn(0, maxStruct)), uint16(r.intIn(0, maxStruct)), uint16(r.intIn(0, maxStruct))
		f.Set, f.Secret = r.str(), r.bool()
		f.Vals, f.Fields = r.vals(), r.fields(left, deep-1)
		if int(f.Size)*int(max(f.Count, 1)) > maxStruct || f.Type == TStruct && f.Size == 0 || f.Type != TStruct && f.Size > 8 {
			r.err = errMsgpack
		}
		fields = append(fields, f)
	}
	return fields
}

func (r *mpReader) rule(f *Fail) {
	if r.arrayLen() != 5 {
		r.err = errMsgpack
		return
	}
	f.Op = FailOp(r.intIn(0, int64(FailNotIn)))
	f.Width = uint8(r.intIn(0, 8))
	for i := range f.Vals {
		f.Vals[i] = r.int()
	}
}

func (r *mpReader) site(h *Hook) {
	if r.arrayLen() != 6 {
		r.err = errMsgpack
		return
	}
	r.int() // the instrument is the site's own business
	h.StackCopy = uint8(r.intIn(0, 255))
	h.Handover = Handover(r.intIn(0, 255))
	h.Flags = HookFlags(r.intIn(0, 255))
	h.NoProto = r.bool()
	h.EntryOnly = r.bool()
}

// FailText is the failure rule as a reader sees it; "" when there is none.
func (h *Hook) FailText() string {
	v := func(i int) string { return strconv.FormatInt(h.Fail.Vals[i], 10) }
	switch h.Fail.Op {
	case FailEQ:
		if h.Ret.Type == TPtr && h.Fail.Vals[0] == 0 {
			return "ret == NULL"
		}
		return "ret == " + v(0)
	case FailNE:
		return "ret != " + v(0)
	case FailLT:
		return "ret < " + v(0)
	case FailNotIn:
		s := "ret not in " + v(0)
		for i := 1; i < 3 && h.Fail.Vals[i] != h.Fail.Vals[i-1]; i++ {
			s += ", " + v(i)
		}
		return s
	}
	return ""
}

// Failed applies the rule to a raw return value, as the core does.
func (f *Fail) Failed(ret uint64) bool {
	v := int64(ret)
	if f.Width == 4 {
		v = int64(int32(ret))
	}
	switch f.Op {
	case FailEQ:
		return v == f.Vals[0]
	case FailNE:
		return v != f.Vals[0]
	case FailLT:
		return v < f.Vals[0]
	case FailNotIn:
		return v != f.Vals[0] && v != f.Vals[1] && v != f.Vals[2]
	}
	return false
}
