package debuginfo

import (
	"debug/dwarf"
	"unicode/utf8"

	"github.com/seam-project/seam/hooks"
)

type kind uint8

const (
	kUnknown kind = iota // not understood, so nothing that holds it can be passed on
	kVoid
	kInt
	kUint
	kFloat
	kEnum
	kPtr
	kString
	kStruct
)

// ctype is a type as far as passing a value of it goes.
type ctype struct {
	kind   kind
	size   uint64
	align  uint64
	name   string
	vals   []hooks.EnumVal
	signed bool
	words  [2]class // of a structure that travels in registers
	memory bool     // a structure that is passed on the stack
	byRef  bool     // a structure that is passed by the address of a copy
}

// class is the System V ABI's class of eight bytes.
type class uint8

const (
	cNone class = iota
	cInteger
	cSSE
)

// DWARF base type encodings.
const (
	ateBoolean, ateFloat, ateSigned, ateSignedChar, ateUnsigned, ateUnsignedChar, ateUTF = 2, 4, 5, 6, 7, 8, 0x10

	ccNormal, ccByReference, ccByValue = 1, 4, 5

	attrGNUVector = dwarf.Attr(0x2107)
	tagAtomic     = dwarf.Tag(0x47)
	tagImmut      = dwarf.Tag(0x4b)
	maxDepth      = 32
	maxMembers    = 256
	maxEnum       = 128
	maxEnumText   = 2048 // bytes of all names
)

// cplusplus: the language has objects that cannot be copied by their bytes.
func (u *unit) cplusplus() bool {
	switch u.lang {
	case 0x04, 0x11, 0x19, 0x1a, 0x21, 0x2b, 0x2e, 0x3a:
		return true
	}
	return false
}

// known: functions of this language are called as the C ABI says, so that the
// place of an argument follows from its type.
func (u *unit) known() bool {
	switch u.lang {
	case 0x01, 0x02, 0x0c, 0x10, 0x1d, 0x2c, 0x3e: // C, Objective-C
		return true
	}
	return u.cplusplus()
}

// typeOf resolves attribute type of e. An entry without it is void.
func (i *Info) typeOf(u *unit, e *dwarf.Entry, depth int) ctype {
	if e.Val(dwarf.AttrType) == nil {
		return ctype{kind: kVoid}
	}
	j, t := i.ref(e, dwarf.AttrType)
	if t == nil || depth > maxDepth {
		return ctype{}
	}
	size, _ := t.Val(dwarf.AttrByteSize).(int64)
	c := ctype{size: uint64(size), align: uint64(size), name: j.text(t, dwarf.AttrName)}
	if size < 0 {
		return ctype{}
	}
	if a, ok := t.Val(dwarf.AttrAlignment).(int64); ok && a > 8 {
		return ctype{}
	}
	switch t.Tag {
	case dwarf.TagTypedef, dwarf.TagConstType, dwarf.TagVolatileType, dwarf.TagRestrictType, tagAtomic, tagImmut:
		inner := j.typeOf(u, t, depth+1)
		if c.name != "" && inner.kind != kEnum && inner.kind != kStruct {
			inner.name = c.name
		}
		return inner
	case dwarf.TagBaseType:
		enc, _ := t.Val(dwarf.AttrEncoding).(int64)
		integer := c.size == 1 || c.size == 2 || c.size == 4 || c.size == 8
		switch {
		case (enc == ateSigned || enc == ateSignedChar) && integer:
			c.kind = kInt
		case (enc == ateUnsigned || enc == ateUnsignedChar || enc == ateUTF || enc == ateBoolean) && integer:
			c.kind = kUint
		case enc == ateFloat && (c.size == 4 || c.size == 8):
			c.kind = kFloat
		}
	case dwarf.TagPointerType, dwarf.TagReferenceType, dwarf.TagRvalueReferenceType:
		c.kind, c.size, c.align = kPtr, 8, 8
		if t.Tag == dwarf.TagPointerType && j.isChar(t) {
			c.kind = kString
		}
	case dwarf.TagUnspecifiedType: // decltype(nullptr)
		c.kind, c.size, c.align = kPtr, 8, 8
	case dwarf.TagEnumerationType:
		j.enum(u, t, &c, depth)
	case dwarf.TagStructType, dwarf.TagClassType, dwarf.TagUnionType:
		j.structure(u, t, &c, depth)
	}
	return c
}

// isChar: a pointer to char, of any const-ness and under any name.
func (i *Info) isChar(e *dwarf.Entry) bool {
	for range maxDepth {
		j, t := i.ref(e, dwarf.AttrType)
		if t == nil {
			return false
		}
		switch t.Tag {
		case dwarf.TagTypedef, dwarf.TagConstType, dwarf.TagVolatileType:
			i, e = j, t
			continue
		case dwarf.TagBaseType:
			size, _ := t.Val(dwarf.AttrByteSize).(int64)
			return size == 1 && j.text(t, dwarf.AttrName) == "char"
		}
		return false
	}
	return false
}

// enum reads the names of an enumeration's values. One with more than a
// definition should hold is shown by number.
func (i *Info) enum(u *unit, t *dwarf.Entry, c *ctype, depth int) {
	if c.size != 1 && c.size != 2 && c.size != 4 && c.size != 8 {
		return
	}
	c.kind = kEnum
	base := ctype{}
	if t.Val(dwarf.AttrType) != nil {
		base = i.typeOf(u, t, depth+1)
	}
	c.signed = base.kind == kInt
	text, full := 0, false
	i.children(t, func(e *dwarf.Entry) bool {
		if e.Tag != dwarf.TagEnumerator {
			return true
		}
		v, ok := e.Val(dwarf.AttrConstValue).(int64)
		name := i.text(e, dwarf.AttrName)
		if !ok || name == "" || !utf8.ValidString(name) {
			return true
		}
		if v < 0 && base.kind != kUint {
			c.signed = true
		}
		text += len(name)
		if full = len(c.vals) == maxEnum || text > maxEnumText; full {
			return false
		}
		c.vals = append(c.vals, hooks.EnumVal{Name: name, Value: v})
		return true
	})
	if full {
		c.vals = nil
	}
}

// children calls each with the direct children of e.
func (i *Info) children(e *dwarf.Entry, each func(*dwarf.Entry) bool) {
	if !e.Children {
		return
	}
	r := i.d.Reader()
	r.Seek(e.Offset)
	if _, err := r.Next(); err != nil {
		return
	}
	for range maxEntries {
		c, err := r.Next()
		if err != nil || c == nil || c.Tag == 0 || !each(c) {
			return
		}
		if c.Children {
			r.SkipChildren()
		}
	}
}

// structure classifies a structure or union that is passed by value.
func (i *Info) structure(u *unit, t *dwarf.Entry, c *ctype, depth int) {
	if t.Val(dwarf.AttrDeclaration) != nil {
		return
	}
	cc, said := t.Val(dwarf.AttrCalling).(int64)
	switch {
	case said && cc == ccByReference:
		c.kind, c.byRef = kStruct, true
		return
	case u.cplusplus() && (!said || cc != ccByValue):
		return // by its bytes or by reference: the file does not say
	}
	var words [2]class
	members := 0
	align, packed, ok := uint64(1), false, true
	i.flatten(u, t, 0, depth, &members, func(at uint64, f ctype) {
		if at%f.align != 0 {
			packed = true
		}
		align = max(align, f.align)
		cl := cInteger
		if f.kind == kFloat {
			cl = cSSE
		}
		for w := at / 8; w <= (at+f.size-1)/8 && w < 2; w++ {
			if words[w] != cInteger {
				words[w] = cl
			}
		}
	}, &ok)
	if !ok || c.size == 0 || members == 0 {
		return
	}
	c.kind, c.align = kStruct, align
	switch {
	case c.size > 16 || packed:
		c.memory = true
	case words[0] == cNone || c.size > 8 && words[1] == cNone:
		c.kind = kUnknown // padding alone in a word, or nothing in it: compilers differ
	default:
		c.words = words
	}
}

// flatten calls each with the scalars of a structure and where they are.
func (i *Info) flatten(u *unit, t *dwarf.Entry, at uint64, depth int, members *int, each func(uint64, ctype), ok *bool) {
	if depth > maxDepth {
		*ok = false
		return
	}
	i.children(t, func(e *dwarf.Entry) bool {
		if e.Tag != dwarf.TagMember && e.Tag != dwarf.TagInheritance || e.Val(dwarf.AttrExternal) != nil || e.Val(dwarf.AttrDeclaration) != nil {
			return true
		}
		if *members++; *members > maxMembers {
			*ok = false
			return false
		}
		off := uint64(0)
		if v, is := e.Val(dwarf.AttrDataMemberLoc).(int64); is {
			off = uint64(v)
		} else if e.Val(dwarf.AttrDataMemberLoc) != nil {
			*ok = false // computed: a virtual base
			return false
		}
		if bits, is := e.Val(dwarf.AttrDataBitOffset).(int64); is {
			each(at+uint64(bits)/8, ctype{kind: kUint, size: 1, align: 1})
			width, _ := e.Val(dwarf.AttrBitSize).(int64)
			each(at+uint64(bits+max(width, 1)-1)/8, ctype{kind: kUint, size: 1, align: 1})
			return true
		}
		if e.Val(dwarf.AttrBitSize) != nil {
			*ok = false // counted from the other end, before DWARF 4
			return false
		}
		i.member(u, e, at+off, depth+1, members, each, ok)
		return *ok
	})
}

// member adds one member, of the type that e names.
func (i *Info) member(u *unit, e *dwarf.Entry, at uint64, depth int, members *int, each func(uint64, ctype), ok *bool) {
	j, t := i.ref(e, dwarf.AttrType)
	for n := 0; t != nil && n < maxDepth; n++ {
		switch t.Tag {
		case dwarf.TagTypedef, dwarf.TagConstType, dwarf.TagVolatileType, tagAtomic:
			j, t = j.ref(t, dwarf.AttrType)
			continue
		}
		break
	}
	if t == nil {
		*ok = false
		return
	}
	switch t.Tag {
	case dwarf.TagStructType, dwarf.TagClassType, dwarf.TagUnionType:
		if a, is := t.Val(dwarf.AttrAlignment).(int64); is && a > 8 || t.Val(dwarf.AttrDeclaration) != nil {
			*ok = false
			return
		}
		j.flatten(u, t, at, depth, members, each, ok)
	case dwarf.TagArrayType:
		count := uint64(0)
		j.children(t, func(s *dwarf.Entry) bool {
			if s.Tag != dwarf.TagSubrangeType {
				return true
			}
			n, is := s.Val(dwarf.AttrCount).(int64)
			if up, has := s.Val(dwarf.AttrUpperBound).(int64); !is && has {
				n, is = up+1, true
			}
			if !is || n < 0 || n > 1<<30 {
				n = 0
			}
			if count == 0 {
				count = 1
			}
			count *= uint64(n)
			return count < 1<<30
		})
		size := j.sizeOf(t)
		if t.Val(attrGNUVector) != nil || size == 0 && count > 0 {
			*ok = false
			return
		}
		// Beyond the second word only the size matters, and the alignment,
		// which the first elements have too.
		for n := uint64(0); n < min(count, 16) && *ok; n++ {
			j.member(u, t, at+n*size, depth+1, members, each, ok)
		}
	default:
		f := i.typeOf(u, e, depth)
		if f.kind == kUnknown || f.kind == kVoid || f.size == 0 {
			*ok = false
			return
		}
		each(at, f)
	}
}

// sizeOf is the size of an array's element.
func (i *Info) sizeOf(array *dwarf.Entry) uint64 {
	j, t := i.ref(array, dwarf.AttrType)
	for n := 0; t != nil && n < maxDepth; n++ {
		if v, ok := t.Val(dwarf.AttrByteSize).(int64); ok && v > 0 {
			return uint64(v)
		}
		switch t.Tag {
		case dwarf.TagPointerType:
			return 8
		case dwarf.TagTypedef, dwarf.TagConstType, dwarf.TagVolatileType, tagAtomic:
			j, t = j.ref(t, dwarf.AttrType)
			continue
		}
		return 0
	}
	return 0
}
