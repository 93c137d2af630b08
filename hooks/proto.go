package hooks

import (
	"slices"
	"strconv"
	"strings"
	"sync"
)

// ParseProto reads declarations of functions, and of the types they use: C,
// with marks for what C can't say. docs/prototypes.md describes the language.
//
//	fd open|open64(const char *file, flags(open) oflag, mode_t mode, ...) fails -1 errno
//	ssize_t recv(fd sockfd, out secret void *buf[ret], size_t len, flags(msg) flags) fails -1 errno
//	struct req { uint32_t op; char name[16]; }; int work(const struct req *r) fails < 0; void stop(void)
//
// Functions are separated by ';', and those of one prototype by |. An error
// is a *ProbeError.
func ParseProto(text string) ([]*Hook, error) {
	return parseProto(&protoParser{text: text})
}

func parseProto(p *protoParser) ([]*Hook, error) {
	var hooks []*Hook
	for p.err == nil && (p.peek() != 0 || len(hooks) == 0) {
		if !p.typeDecl() {
			hooks = append(hooks, p.function()...)
		}
	}
	if p.err != nil {
		return nil, p.err
	}
	return hooks, nil
}

// function reads one prototype: a Hook for each of its names.
func (p *protoParser) function() []*Hook {
	p.lens = nil
	h, names := p.decl()
	if p.err != nil {
		return nil
	}
	hooks := make([]*Hook, len(names))
	for i, n := range names {
		c := *h
		c.Name = n
		c.Args = slices.Clone(h.Args)
		hooks[i] = &c
	}
	if p.peek() != 0 {
		p.expect(';', "a declaration ends with ';'")
	}
	return hooks
}

// CapString is how much of a string is captured where a prototype says nothing, in bytes.
const CapString = 256

// Capture caps where a prototype says nothing.
const (
	capString   = CapString
	capSQL      = 1024
	capStrv     = 512
	capSockaddr = 128
	capMost     = 1536 // one item must leave room in a record of at most 2040 bytes
)

type protoParser struct {
	text  string
	pos   int
	err   *ProbeError
	lens  []countRef // by argument
	decls declarations
	user  bool // the text is a user's
	own   bool // seam's own types are being read: there are none yet
}

// countRef is a [count] to resolve when all argument names are known.
type countRef struct {
	name string
	pos  int
}

// fail notes the first error. Of a text of several lines it keeps the one.
func (p *protoParser) fail(pos int, msg, hint string) {
	if p.err != nil {
		return
	}
	p.err = &ProbeError{Text: p.text, Col: pos + 1, Msg: msg, Hint: hint}
	if start := strings.LastIndexByte(p.text[:pos], '\n') + 1; strings.IndexByte(p.text, '\n') >= 0 {
		p.err.Line = 1 + strings.Count(p.text[:pos], "\n")
		p.err.Text, _, _ = strings.Cut(p.text[start:], "\n")
		p.err.Col = pos - start + 1
	}
}

// space skips blanks and comments.
func (p *protoParser) space() {
	for p.pos < len(p.text) {
		rest := p.text[p.pos:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			p.pos++
		case strings.HasPrefix(rest, "//"):
			if i := strings.IndexByte(rest, '\n'); i >= 0 {
				p.pos += i
			} else {
				p.pos = len(p.text)
			}
		case strings.HasPrefix(rest, "/*"):
			i := strings.Index(rest[2:], "*/")
			if i < 0 {
				p.fail(p.pos, "the comment is not closed", "a comment ends with */")
				p.pos = len(p.text)
				return
			}
			p.pos += i + 4
		default:
			return
		}
	}
}

func (p *protoParser) peek() byte {
	p.space()
	if p.pos == len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

// accept takes the character c if it is next.
func (p *protoParser) accept(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.pos++
	return true
}

func (p *protoParser) expect(c byte, hint string) bool {
	if p.accept(c) {
		return true
	}
	msg := "expected '" + string(c) + "'"
	if p.pos == len(p.text) {
		msg += ", the text ends"
	}
	p.fail(p.pos, msg, hint)
	return false
}

func isIdent(c byte, first bool) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || !first && c >= '0' && c <= '9'
}

func (p *protoParser) ident() string {
	p.space()
	start := p.pos
	for p.pos < len(p.text) && isIdent(p.text[p.pos], p.pos == start) {
		p.pos++
	}
	return p.text[start:p.pos]
}

func (p *protoParser) number() (int64, bool) {
	p.space()
	start := p.pos
	if p.pos < len(p.text) && p.text[p.pos] == '-' {
		p.pos++
	}
	for p.pos < len(p.text) && (isIdent(p.text[p.pos], false)) {
		p.pos++
	}
	v, err := strconv.ParseInt(p.text[start:p.pos], 0, 64)
	if u, uerr := strconv.ParseUint(p.text[start:p.pos], 0, 64); err != nil && uerr == nil {
		v, err = int64(u), nil // all bits, as a mask has them
	}
	if err != nil {
		p.fail(start, "expected a number", "")
	}
	return v, err == nil
}

// ctype is a type as read, before it becomes an Arg.
type ctype struct {
	words  []string
	stars  int
	pos    int
	set    string // of flags(), enum()
	size   uint8
	in     bool
	out    bool
	secret bool
}

func (p *protoParser) decl() (*Hook, []string) {
	h := &Hook{}
	t, name, _ := p.typeAndName()
	if p.err != nil {
		return nil, nil
	}
	if slices.Contains(clauseNames, t.words[0]) {
		p.fail(t.pos, "unexpected "+strconv.Quote(t.words[0]), "clauses stand before the ';'")
		return nil, nil
	}
	if name == "" {
		p.fail(p.pos, "expected a function name", "write it as in C: int work(int n, const char *name)")
		return nil, nil
	}
	names := []string{name}
	for p.accept('|') {
		n := p.ident()
		if n == "" {
			p.fail(p.pos, "expected a function name after |", "")
			return nil, nil
		}
		names = append(names, n)
	}
	h.Ret = p.arg(t, "ret")
	if h.Ret.Word = -1; h.Ret.Type == TStruct {
		// What a result points at is not read.
		h.Ret.Type, h.Ret.Set, h.Ret.Cap, h.Ret.Fields = TPtr, "", 0, nil
	}
	if p.err != nil || !p.expect('(', "the parameters follow the name in parentheses") {
		return nil, nil
	}
	p.params(h)
	if p.err != nil {
		return nil, nil
	}
	p.counts(h)
	if h.Ret.Type == TErrno {
		h.Fail = Fail{Op: FailNE, Width: 4}
	}
	p.clauses(h)
	h.layout()
	return h, names
}

func (p *protoParser) params(h *Hook) {
	if p.accept(')') {
		return
	}
	for p.err == nil {
		if p.peek() == '.' {
			if !strings.HasPrefix(p.text[p.pos:], "...") {
				p.fail(p.pos, "expected '...'", "")
				return
			}
			p.pos += 3
			h.Variadic = true
			p.expect(')', "... must be the last parameter")
			return
		}
		t, name, pos := p.typeAndName()
		if p.err != nil {
			return
		}
		if len(t.words) == 1 && t.words[0] == "void" && t.stars == 0 && name == "" && len(h.Args) == 0 {
			p.expect(')', "(void) means: no parameters")
			return
		}
		if name == "" {
			name = "arg" + strconv.Itoa(len(h.Args))
		}
		for i := range h.Args {
			if h.Args[i].Name == name {
				p.fail(pos, "parameter "+name+" is there twice", "")
				return
			}
		}
		if len(h.Args) == 32 {
			p.fail(pos, "too many parameters", "at most 32")
			return
		}
		p.lens = append(p.lens, countRef{})
		h.Args = append(h.Args, p.param(t, name))
		if p.accept(',') {
			continue
		}
		p.expect(')', "parameters are separated by commas")
		return
	}
}

// param reads what may follow a parameter's name and makes the Arg.
func (p *protoParser) param(t ctype, name string) Arg {
	vector, counted, lenPtr := false, false, false
	if p.accept('[') {
		if p.accept(']') {
			vector = true
		} else {
			lenPtr = p.accept('*')
			p.space()
			pos := p.pos
			if c := p.ident(); c != "" {
				counted = true
				p.lens[len(p.lens)-1] = countRef{name: c, pos: pos}
			} else if _, ok := p.number(); !ok {
				return Arg{} // int pair[2] is a plain pointer: nothing more to note
			}
			if !p.expect(']', "") {
				return Arg{}
			}
			if !counted {
				t.stars++
			}
		}
	}
	if vector && t.stars == 1 && t.words[0] == "char" {
		a := Arg{Name: name, Type: TStrv, Size: 8, Len: LenNone, Cap: capStrv}
		return p.caps(t, a)
	}
	if vector {
		t.stars++
	}
	a := p.arg(t, name)
	if counted {
		a.LenPtr = lenPtr
		switch {
		case a.Type == TSQL:
		case t.stars == 1 && t.words[0] == "struct" && len(t.words) > 1 && t.words[1] == "sockaddr":
			a.Type, a.Cap, a.Set, a.Size = TSockaddr, capSockaddr, "", 8
		case t.stars == 1 && p.vector(t, &a):
			if lenPtr {
				p.fail(t.pos, "a count behind a pointer counts bytes", "write const void *"+name+"[*n]")
			}
		case t.stars <= 1:
			a.Type, a.Size, a.Set, a.Cap = TBuffer, 8, "", 0
		default:
			p.fail(t.pos, "a count needs a pointer to bytes", "write const void *"+name+"[n]")
		}
	}
	return p.caps(t, a)
}

// vector makes a an array, when its elements are more than bytes.
func (p *protoParser) vector(t ctype, a *Arg) bool {
	elem := t
	elem.stars, elem.out, elem.secret = 0, false, false
	f := Field{}
	switch base := strings.Join(t.words, " "); {
	case t.words[0] == "struct":
		if p.structOf(t.words[1]) == nil && structSize(t.words[1]) == 0 {
			return false // nothing is known of it
		}
		if stride(t.words[1]) == 0 && p.structOf(t.words[1]) == nil {
			p.fail(t.pos, "arrays of struct "+t.words[1]+" can't be shown", "write const void *"+a.Name+"[n], where n counts bytes")
			return true
		}
	case t.set == "" && t.words[0] != "enum":
		if sc, ok := scalars()[base]; !ok || sc.Size < 2 || sc.Type == TSQL {
			return false
		}
	}
	p.fieldType(elem, &f)
	*a = Arg{Name: a.Name, Type: TVec, Size: 8, Len: a.Len, LenPtr: a.LenPtr, Word: -1, Unit: f.Size, Cap: max(capVec/f.Size, 1) * f.Size}
	switch {
	case f.Type != TStruct:
		a.Fields = []Field{f}
	case p.decls.structs[f.Set] != nil:
		a.Fields = f.Fields
		fallthrough
	default:
		a.Set = f.Set
	}
	if l := p.structOf(f.Set); f.Type == TStruct && l != nil && l.captured() < l.size && hasSecret(l.fields) {
		p.fail(t.pos, "arrays of structures with secrets can't be shown", "write secret const void *"+a.Name+"[n]")
	}
	if a.Cap > capMost {
		p.fail(t.pos, "the elements are too large", "at most "+strconv.Itoa(capMost)+" bytes")
	}
	return true
}

// caps reads {N} and applies out and secret.
func (p *protoParser) caps(t ctype, a Arg) Arg {
	a.Out, a.Secret = t.out, t.secret
	if p.accept('{') {
		pos := p.pos
		n, ok := p.number()
		if !ok || !p.expect('}', "") {
			return a
		}
		if n < 0 || n > capMost {
			p.fail(pos, "the cap is out of range", "0 to "+strconv.Itoa(capMost)+" bytes")
			return a
		}
		a.Cap = uint16(n)
	}
	if a.Secret {
		a.Cap = 0
	}
	return a
}

// typeAndName reads marks, a type, stars and, if there is one, a name.
func (p *protoParser) typeAndName() (t ctype, name string, namePos int) {
	t, name, namePos = p.rawTypeAndName()
	if len(t.words) == 1 {
		if d, ok := p.decls.typedefs[t.words[0]]; ok {
			t.words, t.set, t.size = d.words, d.set, d.size
			t.stars += d.stars
		}
	}
	return t, name, namePos
}

func (p *protoParser) rawTypeAndName() (t ctype, name string, namePos int) {
	p.space()
	t.pos = p.pos
	for p.err == nil {
		c := p.peek()
		if c == '*' {
			p.pos++
			t.stars++
			continue
		}
		pos := p.pos
		w := p.ident()
		if w == "" {
			if c == '(' && len(t.words) > 0 && p.funcPtr(&t, &name) {
				return t, name, pos
			}
			break
		}
		switch w {
		case "const", "restrict", "__restrict", "__const", "volatile":
			continue
		case "in":
			t.in = true
			continue
		case "out":
			t.out = true
			continue
		case "secret":
			t.secret = true
			continue
		case "flags", "enum":
			if p.peek() == '(' && len(t.words) == 0 {
				p.setType(&t, w)
				continue
			}
		}
		if (t.stars > 0 || t.complete()) && !extends(t.words, w) {
			if len(t.words) == 0 {
				p.fail(pos, "expected a type", "")
			}
			return t, w, pos
		}
		t.words = append(t.words, w)
	}
	if p.err == nil && len(t.words) == 0 {
		msg := "expected a type"
		if p.pos == len(p.text) {
			msg += ", the text ends"
		}
		p.fail(p.pos, msg, "write it as in C: int work(int n, const char *name)")
	}
	return t, "", p.pos
}

// funcPtr reads (*name)(...), if that is what follows.
func (p *protoParser) funcPtr(t *ctype, name *string) bool {
	save := p.pos
	p.pos++
	if !p.accept('*') {
		p.pos = save
		return false
	}
	*name = p.ident()
	if !p.expect(')', "a function pointer is written type (*name)(...)") || !p.expect('(', "a function pointer is written type (*name)(...)") {
		return true
	}
	for depth := 1; depth > 0; p.pos++ {
		switch p.peek() {
		case 0:
			p.fail(p.pos, "expected ')', the text ends", "")
			return true
		case '(':
			depth++
		case ')':
			depth--
		}
	}
	t.words, t.stars = []string{"void"}, 1
	return true
}

func (p *protoParser) setType(t *ctype, w string) {
	p.accept('(')
	p.space()
	pos := p.pos
	t.set = p.ident()
	t.size = 4
	t.words = []string{w}
	if sets()[t.set] == nil { // as most are; those are not declared ones
		decl := p.setOf(t.set)
		switch {
		case decl != nil:
			t.size = decl.size
		case p.own || !knownSet(t.set):
			p.fail(pos, "unknown set "+strconv.Quote(t.set), p.setHint(t.set))
			return
		}
	}
	if p.accept(',') {
		p.space()
		at := p.pos
		n, ok := p.number()
		if ok && n != 1 && n != 2 && n != 4 && n != 8 {
			p.fail(at, "a size is 1, 2, 4 or 8", "")
		}
		t.size = uint8(n)
	}
	p.expect(')', "")
}

func (p *protoParser) setHint(name string) string {
	if p.own {
		return ""
	}
	names := setNames()
	for n := range p.decls.sets {
		names = append(names, n)
	}
	return didYouMean(name, sorted(names))
}

func didYouMean(s string, names []string) string {
	if near := nearest(s, names); len(near) > 0 {
		return "did you mean " + oneOf(near) + "?"
	}
	return ""
}

// complete reports whether the words read so far name a type.
func (t *ctype) complete() bool {
	switch {
	case len(t.words) == 0:
		return false
	case t.words[0] == "struct", t.words[0] == "union", t.words[0] == "enum" && t.set == "":
		return len(t.words) == 2
	}
	return true
}

// extends reports whether w continues a multi-word type (unsigned long int).
func extends(words []string, w string) bool {
	if len(words) == 0 {
		return false
	}
	switch words[len(words)-1] {
	case "unsigned", "signed":
		return w == "int" || w == "long" || w == "short" || w == "char"
	case "long":
		return w == "long" || w == "int" || w == "unsigned" || w == "double"
	case "short":
		return w == "int" || w == "unsigned"
	}
	return false
}

// scalars are the types that are not pointers.
var scalars = sync.OnceValue(func() map[string]Arg {
	return map[string]Arg{
		"void": {Type: TVoid}, "char": {Type: TInt, Size: 1}, "signed char": {Type: TInt, Size: 1}, "unsigned char": {Type: TUint, Size: 1},
		"int8_t": {Type: TInt, Size: 1}, "uint8_t": {Type: TUint, Size: 1}, "bool": {Type: TUint, Size: 1}, "_Bool": {Type: TUint, Size: 1},
		"short": {Type: TInt, Size: 2}, "short int": {Type: TInt, Size: 2}, "unsigned short": {Type: TUint, Size: 2}, "unsigned short int": {Type: TUint, Size: 2},
		"int16_t": {Type: TInt, Size: 2}, "uint16_t": {Type: TUint, Size: 2},
		"int": {Type: TInt, Size: 4}, "signed": {Type: TInt, Size: 4}, "signed int": {Type: TInt, Size: 4}, "unsigned": {Type: TUint, Size: 4}, "unsigned int": {Type: TUint, Size: 4},
		"int32_t": {Type: TInt, Size: 4}, "uint32_t": {Type: TUint, Size: 4}, "wchar_t": {Type: TInt, Size: 4},
		"long": {Type: TInt, Size: 8}, "long int": {Type: TInt, Size: 8}, "signed long": {Type: TInt, Size: 8}, "long long": {Type: TInt, Size: 8}, "long long int": {Type: TInt, Size: 8},
		"unsigned long": {Type: TUint, Size: 8}, "unsigned long int": {Type: TUint, Size: 8}, "unsigned long long": {Type: TUint, Size: 8}, "unsigned long long int": {Type: TUint, Size: 8},
		"int64_t": {Type: TInt, Size: 8}, "uint64_t": {Type: TUint, Size: 8}, "intptr_t": {Type: TInt, Size: 8}, "uintptr_t": {Type: TUint, Size: 8},
		"size_t": {Type: TUint, Size: 8}, "ssize_t": {Type: TInt, Size: 8}, "ptrdiff_t": {Type: TInt, Size: 8},
		"off_t": {Type: TInt, Size: 8}, "off64_t": {Type: TInt, Size: 8}, "loff_t": {Type: TInt, Size: 8}, "time_t": {Type: TInt, Size: 8}, "clock_t": {Type: TInt, Size: 8},
		"dev_t": {Type: TUint, Size: 8}, "ino_t": {Type: TUint, Size: 8}, "nfds_t": {Type: TUint, Size: 8}, "pthread_t": {Type: TUint, Size: 8},
		// -1 has a meaning for ids: "leave it as it is".
		"uid_t": {Type: TInt, Size: 4}, "gid_t": {Type: TInt, Size: 4}, "id_t": {Type: TInt, Size: 4}, "key_t": {Type: TInt, Size: 4},
		"socklen_t": {Type: TUint, Size: 4}, "useconds_t": {Type: TUint, Size: 4}, "clockid_t": {Type: TInt, Size: 4},
		"wint_t": {Type: TUint, Size: 4}, "pthread_key_t": {Type: TUint, Size: 4}, "suseconds_t": {Type: TInt, Size: 8}, "rlim_t": {Type: TUint, Size: 8},
		"locale_t": {Type: TPtr, Size: 8}, "iconv_t": {Type: TPtr, Size: 8}, "timer_t": {Type: TPtr, Size: 8},
		"nlink_t": {Type: TUint, Size: 8}, "blksize_t": {Type: TInt, Size: 8}, "blkcnt_t": {Type: TInt, Size: 8}, "fsblkcnt_t": {Type: TUint, Size: 8},
		"pid_t": {Type: TPid, Size: 4}, "mode_t": {Type: TMode, Size: 4}, "fd": {Type: TFD, Size: 4}, "dirfd": {Type: TFD, Size: 4, Set: dirfdSet}, "errno_t": {Type: TErrno, Size: 4},
		"wstatus": {Type: TEnum, Size: 4, Set: wstatusSet},
		"float":   {Type: TFloat, Size: 4}, "double": {Type: TFloat, Size: 8},
		"sql": {Type: TSQL, Size: 8, Cap: capSQL}, "sql16": {Type: TSQL, Size: 8, Cap: capSQL, Set: utf16Set},
	}
})

// arg turns a type into an Arg.
func (p *protoParser) arg(t ctype, name string) Arg {
	a := Arg{Name: name, Len: LenNone, Word: -1, Out: t.out, Secret: t.secret}
	base := strings.Join(t.words, " ")
	sc, known := scalars()[base]
	switch {
	case t.set != "":
		sc, known = Arg{Type: TEnum, Size: t.size, Set: t.set}, true
		if t.words[0] == "flags" {
			sc.Type = TFlags
		}
		if s := p.decls.sets[t.set]; s != nil {
			sc.Vals = s.vals
			if s.flags != (sc.Type == TFlags) {
				p.fail(t.pos, t.set+" was declared with the other word", "flags NAME { … } is used as flags(NAME), enum as enum(NAME)")
			}
		}
	case t.words[0] == "enum" && len(t.words) == 2:
		sc, known = Arg{Type: TInt, Size: 4}, true
		if s := p.setOf(t.words[1]); s != nil && !s.flags {
			sc = Arg{Type: TEnum, Size: s.size, Set: t.words[1]}
			if !p.own && p.decls.sets[sc.Set] != nil {
				sc.Vals = s.vals
			}
		}
	}
	switch {
	case t.stars == 0 && (t.words[0] == "struct" || t.words[0] == "union"):
		p.fail(t.pos, "a "+base+" by value can't be shown", "one of at most 8 bytes: write an integer of its size")
		return a
	case t.stars == 0:
		if !known {
			p.fail(t.pos, "unknown type "+strconv.Quote(base), typeHint(base))
			return a
		}
		a.Type, a.Size, a.Set, a.Cap, a.Vals = sc.Type, sc.Size, sc.Set, sc.Cap, sc.Vals
		if (t.out || t.in) && a.Type != TSQL {
			mark := "out"
			if t.in {
				mark = "in"
			}
			p.fail(t.pos, "an "+mark+" argument must be a pointer", "write "+mark+" "+base+" *"+name)
		}
	case t.stars == 1 && base == "char":
		a.Type, a.Size, a.Cap = TString, 8, capString
	case t.stars == 1 && t.words[0] == "struct" && len(t.words) == 2 && p.decls.structs[t.words[1]] != nil:
		l := p.decls.structs[t.words[1]]
		a.Type, a.Set, a.Size, a.Cap, a.Fields = TStruct, t.words[1], 8, l.captured(), l.fields
	case t.stars == 1 && t.words[0] == "struct" && len(t.words) == 2 && structSize(t.words[1]) > 0:
		a.Type, a.Set = TStruct, t.words[1]
		a.Cap = structSize(a.Set)
		a.Size = 8
	case t.stars == 1 && t.in && known && sc.Type != TVoid && sc.Type != TSQL:
		elem := Field{Type: sc.Type, Size: uint16(sc.Size), Set: sc.Set, Vals: sc.Vals}
		a.Type, a.Size, a.Cap, a.Fields = TStruct, 8, elem.Size, []Field{elem}
	case t.stars == 1 && t.out && known && sc.Type != TVoid && sc.Type != TFloat && sc.Type != TSQL:
		a.Type, a.Size, a.Set, a.Vals = sc.Type, sc.Size, sc.Set, sc.Vals
		a.Cap = uint16(sc.Size)
	case t.stars == 2 && t.out && base == "char":
		a.Type, a.Size, a.Cap, a.Ref = TString, 8, capString, true
	case t.stars >= 2 && t.out:
		a.Type, a.Size, a.Cap = TPtr, 8, 8
	default:
		// Without a count or a known struct nothing is read behind it.
		a.Type, a.Size, a.Out = TPtr, 8, false
	}
	return a
}

func typeHint(base string) string {
	var names []string
	for n := range scalars() {
		names = append(names, n)
	}
	slices.Sort(names)
	if h := didYouMean(base, names); h != "" {
		return h
	}
	return "write an integer type of its size, or a pointer"
}

// counts resolves the [count] of each argument.
func (p *protoParser) counts(h *Hook) {
	for i, c := range p.lens {
		if c.name == "" {
			continue
		}
		a := &h.Args[i]
		if c.name == "ret" {
			a.Len = LenRet
			if !a.Out {
				p.fail(c.pos, "only an out argument can be counted by the result", "")
			}
			continue
		}
		for j := range h.Args {
			if h.Args[j].Name == c.name {
				a.Len = int8(j)
			}
		}
		if a.Len == LenNone {
			var names []string
			for j := range h.Args {
				names = append(names, h.Args[j].Name)
			}
			p.fail(c.pos, "no parameter "+strconv.Quote(c.name), didYouMean(c.name, names))
			return
		}
	}
}
