package hooks

import (
	"cmp"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// typeDecl reads the declaration of a type, if one begins here:
//
//	enum colour { RED, GREEN = 3, BLUE };
//	flags mode { M_READ = 1, M_WRITE = 2, M_RDWR = 3, M_SLOW = 0x10 & 0x30 };
//	struct point { int x, int y; char name[16]; secret uint64_t key; };
//	typedef struct point point_t;
//
// An enumeration or flag set may say how wide it is: enum colour : uint8_t { … }.
func (p *protoParser) typeDecl() bool {
	start := p.pos
	switch w := p.ident(); w {
	case "typedef":
		p.typedef()
		return true
	case "struct", "union", "enum", "flags":
		p.space()
		at := p.pos
		name := p.ident()
		if c := p.peek(); c == '{' || name != "" && c == ':' && w != "struct" {
			p.typeBody(w, name, at)
			p.expect(';', "a declaration ends with ';'")
			return true
		}
	}
	p.pos = start
	return false
}

// typeBody reads what follows the word and the name.
func (p *protoParser) typeBody(w, name string, at int) {
	switch {
	case name == "":
		p.fail(at, "expected a name", w+" NAME { … };")
	case w == "union":
		p.fail(at, "unions can't be declared", "declare the bytes: char "+name+"[8]")
	case w == "struct":
		if p.decls.structs[name] != nil {
			p.fail(at, "struct "+name+" is there twice", "")
			return
		}
		l := p.structBody(at)
		if p.err == nil {
			put(&p.decls.structs, name, l)
		}
	default:
		if p.decls.sets[name] != nil || !p.own && knownSet(name) {
			p.fail(at, w+" "+name+" is there already", "choose another name")
			return
		}
		s := p.setBody(w == "flags")
		if p.err == nil {
			put(&p.decls.sets, name, s)
		}
	}
}

func put[T any](m *map[string]T, name string, v T) {
	if *m == nil {
		*m = map[string]T{}
	}
	(*m)[name] = v
}

// typedef reads: typedef TYPE NAME; also of a structure declared on the spot.
func (p *protoParser) typedef() {
	p.space()
	at := p.pos
	w := p.ident()
	p.space()
	nameAt := p.pos
	name := p.ident()
	var t ctype
	if (w == "struct" || w == "enum" || w == "flags") && p.peek() == '{' {
		if name == "" {
			// The tag, if there is none: the name that follows the body.
			if end := strings.IndexByte(p.text[p.pos:], '}'); end >= 0 {
				q := protoParser{text: p.text, pos: p.pos + end + 1}
				name = q.ident()
			}
		}
		p.typeBody(w, name, nameAt)
		t = ctype{words: []string{w, name}, pos: at}
		if w == "flags" {
			t = ctype{words: []string{w}, set: name, pos: at}
		}
		for p.accept('*') {
			t.stars++
		}
		nameAt = p.pos
		name = p.ident()
	} else {
		p.pos = at
		t, name, nameAt = p.typeAndName()
	}
	switch {
	case p.err != nil:
		return
	case name == "":
		p.fail(p.pos, "expected a name", "typedef TYPE NAME;")
		return
	case t.out || t.secret:
		p.fail(at, "marks belong to parameters", "leave out 'out' and 'secret'")
		return
	}
	if t.set != "" && t.size == 0 {
		t.size = 4
		if s := p.setOf(t.set); s != nil {
			t.size = s.size
		}
	}
	put(&p.decls.typedefs, name, t)
	p.pos = max(p.pos, nameAt)
	p.expect(';', "a declaration ends with ';'")
}

// setOf finds a declared set.
func (p *protoParser) setOf(name string) *declSet {
	if s := p.decls.sets[name]; s != nil || p.own {
		return s
	}
	return ownSet(name)
}

// structOf finds a declared structure.
func (p *protoParser) structOf(name string) *layout {
	if l := p.decls.structs[name]; l != nil || p.own {
		return l
	}
	return ownStruct(name)
}

// setBody reads [: TYPE] { NAME [= VALUE [& MASK]], … }.
func (p *protoParser) setBody(flags bool) *declSet {
	s := &declSet{flags: flags, size: 4}
	if p.accept(':') {
		t, name, pos := p.typeAndName()
		if p.err != nil {
			return s
		}
		a := p.arg(t, "")
		if p.err == nil && (name != "" || t.stars > 0 || a.Type != TInt && a.Type != TUint) {
			p.fail(pos, "expected an integer type", "for instance uint8_t")
		}
		s.size = a.Size
	}
	p.expect('{', "")
	next := int64(0)
	if flags {
		next = 1
	}
	for p.err == nil && !p.accept('}') {
		p.space()
		at := p.pos
		e := EnumVal{Name: p.ident(), Value: next}
		switch {
		case e.Name == "":
			p.fail(p.pos, "expected a name", "")
			return s
		case slices.ContainsFunc(s.vals, func(o EnumVal) bool { return o.Name == e.Name }):
			p.fail(at, e.Name+" is there twice", "")
			return s
		case len(s.vals) == maxVals:
			p.fail(at, "too many values", "at most "+strconv.Itoa(maxVals))
			return s
		}
		if p.accept('=') {
			e.Value = p.value(s.vals)
			if p.accept('&') {
				at = p.pos
				e.Mask = p.value(s.vals)
				if p.err == nil && (!flags || e.Mask == 0 || e.Value&^e.Mask != 0) {
					p.fail(at, "a mask covers the value of a flag", "NAME = VALUE & MASK: this value of these bits")
				}
			}
		}
		s.vals = append(s.vals, e)
		if next = e.Value + 1; flags {
			next = int64(1) << (bits.Len64(uint64(max(e.Value, e.Mask))) & 63)
		}
		if !p.accept(',') && p.peek() != '}' {
			p.fail(p.pos, "expected ',' or '}'", "")
		}
	}
	if flags {
		// Combined bits before the bits they are made of.
		slices.SortStableFunc(s.vals, func(a, b EnumVal) int {
			return cmp.Compare(bits.OnesCount64(uint64(b.Value|b.Mask)), bits.OnesCount64(uint64(a.Value|a.Mask)))
		})
	}
	return s
}

// value reads a number, an earlier name, N << N, or several of them joined by |.
func (p *protoParser) value(vals []EnumVal) int64 {
	v := int64(0)
	for p.err == nil {
		n := p.term(vals)
		if p.peek() == '<' && strings.HasPrefix(p.text[p.pos:], "<<") {
			p.pos += 2
			p.space()
			at := p.pos
			by := p.term(vals)
			if by < 0 || by > 63 {
				p.fail(at, "a shift is 0 to 63", "")
				return 0
			}
			n <<= uint(by)
		}
		v |= n
		if !p.accept('|') {
			break
		}
	}
	return v
}

func (p *protoParser) term(vals []EnumVal) int64 {
	if p.accept('(') {
		v := p.value(vals)
		p.expect(')', "")
		return v
	}
	p.space()
	at := p.pos
	if p.pos < len(p.text) && isIdent(p.text[p.pos], true) {
		name := p.ident()
		for i := range vals {
			if vals[i].Name == name {
				return vals[i].Value
			}
		}
		p.fail(at, "unknown value "+strconv.Quote(name), "a number, or a name that stands before it")
		return 0
	}
	v, _ := p.number()
	return v
}

// structBody reads { FIELD; … } and lays the fields out as C does.
func (p *protoParser) structBody(at int) *layout {
	l := &layout{align: 1}
	p.expect('{', "")
	size, total := 0, 0
	for p.err == nil && !p.accept('}') {
		f, align, ok := p.field()
		if !ok {
			return l
		}
		off := (size + align - 1) &^ (align - 1)
		if p.accept('@') {
			p.space()
			pos := p.pos
			n, ok := p.number()
			if ok && (n < int64(size) || n > maxStruct) {
				p.fail(pos, "the offset is before the end of the field before it, or too large", "bytes from the start of the structure")
				return l
			}
			off = int(n)
		}
		size = off + int(f.Size)*max(int(f.Count), 1)
		if size > maxStruct {
			p.fail(at, "the structure is too large", "at most "+strconv.Itoa(maxStruct)+" bytes")
			return l
		}
		f.Off = uint16(off)
		l.align = max(l.align, uint16(align))
		if f.Name != "_" {
			if slices.ContainsFunc(l.fields, func(o Field) bool { return o.Name == f.Name }) {
				p.fail(p.pos, "field "+f.Name+" is there twice", "")
				return l
			}
			l.fields = append(l.fields, f)
			if total += 1 + countFields(f.Fields); total > maxFields {
				p.fail(p.pos, "too many fields", "at most "+strconv.Itoa(maxFields))
				return l
			}
		}
		p.expect(';', "a field ends with ';'")
	}
	if p.err == nil && len(l.fields) == 0 {
		p.fail(at, "the structure has no fields to show", "")
	}
	l.size = uint16((size + int(l.align) - 1) &^ (int(l.align) - 1))
	return l
}

func countFields(fields []Field) int {
	n := len(fields)
	for i := range fields {
		n += countFields(fields[i].Fields)
	}
	return n
}

func nesting(fields []Field) int {
	n := 0
	for i := range fields {
		n = max(n, 1+nesting(fields[i].Fields))
	}
	return n
}

// field reads one field without its ';'.
func (p *protoParser) field() (f Field, align int, ok bool) {
	t, name, pos := p.typeAndName()
	switch {
	case p.err != nil:
		return f, 1, false
	case name == "":
		p.fail(p.pos, "expected the name of a field", "TYPE NAME; a field named _ is not shown")
		return f, 1, false
	case t.out:
		p.fail(t.pos, "a field has no direction", "leave out 'out'")
		return f, 1, false
	}
	f.Name, f.Secret = name, t.secret
	align = p.fieldType(t, &f)
	if p.err == nil && p.accept('[') {
		p.space()
		at := p.pos
		n, good := p.number()
		switch {
		case !good || !p.expect(']', ""):
			return f, 1, false
		case n < 1 || n > maxStruct:
			p.fail(at, "an array has 1 to "+strconv.Itoa(maxStruct)+" elements", "")
			return f, 1, false
		}
		f.Count = uint16(n)
		if f.Size == 1 && t.stars == 0 {
			switch {
			case t.words[len(t.words)-1] == "char" && len(t.words) == 1:
				f.Type = TString
			case f.Type == TInt || f.Type == TUint:
				f.Type = TBuffer
			}
		}
	}
	switch c := p.peek(); {
	case p.err != nil:
	case c == '[':
		p.fail(p.pos, "an array of arrays can't be declared", "declare it as one")
	case c == ':':
		p.fail(p.pos, "bit fields can't be declared", "declare the integer that holds them, as a flag set: flags(NAME) "+name)
	case c == ',':
		p.fail(p.pos, "expected ';'", "one field at a time")
	case int(f.Size)*max(int(f.Count), 1) > maxStruct:
		p.fail(pos, "the field is too large", "at most "+strconv.Itoa(maxStruct)+" bytes")
	}
	return f, align, p.err == nil
}

// fieldType sets what the type says, and returns the alignment.
func (p *protoParser) fieldType(t ctype, f *Field) int {
	if t.stars > 0 {
		f.Type, f.Size = TPtr, 8
		return 8
	}
	if t.words[0] == "struct" {
		name := t.words[1]
		f.Type, f.Set = TStruct, name
		if l := p.structOf(name); l != nil {
			f.Size, f.Fields = l.size, l.fields
			if 1+nesting(l.fields) > maxNest {
				p.fail(t.pos, "structures in structures, too deep", "at most "+strconv.Itoa(maxNest))
			}
			return int(l.align)
		}
		if f.Size = stride(name); f.Size == 0 {
			p.fail(t.pos, "unknown struct "+strconv.Quote(name), didYouMean(name, p.structNames()))
		}
		switch name {
		case "fdpair":
			return 4
		case "epoll_event":
			return 1 // packed
		}
		return 8
	}
	a := p.arg(t, f.Name)
	switch a.Type {
	case TInt, TUint, TFD, TFlags, TEnum, TPid, TMode, TErrno, TFloat, TPtr:
	default:
		p.fail(t.pos, "a field is an integer, a pointer, an array or a structure", "")
		return 1
	}
	f.Type, f.Size, f.Set, f.Vals = a.Type, uint16(a.Size), a.Set, a.Vals
	return max(int(a.Size), 1)
}

func (p *protoParser) structNames() []string {
	var names []string
	for n := range p.decls.structs {
		names = append(names, n)
	}
	if !p.own {
		for n := range declared().structs {
			names = append(names, n)
		}
	}
	for n := range structSizes() {
		names = append(names, n)
	}
	return sorted(names)
}
