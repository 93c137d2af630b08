package hooks

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"sync"
)

// Field is one member of a declared structure.
type Field struct {
	Name   string    // "" for the elements of an array
	Type   Type      // an integer, TPtr, TFloat, TString (char array), TBuffer (byte array) or TStruct
	Size   uint16    // bytes of one element; of TString and TBuffer 1
	Off    uint16    // bytes from the start of the structure
	Count  uint16    // elements of an array; 0: no array
	Set    string    // as in Arg
	Vals   []EnumVal // as in Arg
	Secret bool      // never shown, and never read: nothing from here on is
	Fields []Field   // TStruct: the members; nil: Set names a structure of seam's own
}

// EnumVal names a value of an enumeration or a bit of a flag set.
type EnumVal struct {
	Name  string
	Value int64
	Mask  int64 // flag sets: the bits that Value is one alternative of; 0: those of Value
}

// Bounds of what a declaration may hold.
const (
	maxFields = 128 // of one structure, members of members included
	maxNest   = 4
	maxStruct = 4096 // bytes
)

// capVec is how much of an array is captured where a prototype says nothing.
const capVec = 512

// layout is a structure as declared.
type layout struct {
	size   uint16 // as sizeof
	align  uint16
	fields []Field
}

// captured is how many bytes must be read to show the fields: up to the end
// of the last one that no secret stands before.
func (l *layout) captured() uint16 {
	secret := firstSecret(l.fields, 0)
	return min(capturedOf(l.fields, 0, secret), capMost)
}

// firstSecret is where the first secret is; MaxInt when there is none.
func firstSecret(fields []Field, base int) int {
	first := math.MaxInt
	for i := range fields {
		f := &fields[i]
		at := base + int(f.Off)
		if !f.Secret {
			at = firstSecret(f.Fields, at)
		}
		first = min(first, at)
	}
	return first
}

func capturedOf(fields []Field, base, secret int) uint16 {
	end := uint16(0)
	for i := range fields {
		f := &fields[i]
		switch from := base + int(f.Off); {
		case f.Secret || from >= secret:
		case from+int(f.bytes()) <= secret:
			end = max(end, uint16(from)+f.bytes())
		default:
			end = max(end, capturedOf(f.Fields, from, secret))
		}
	}
	return end
}

func hasSecret(fields []Field) bool {
	for i := range fields {
		if fields[i].Secret || hasSecret(fields[i].Fields) {
			return true
		}
	}
	return false
}

// bytes is the size of a field, all elements together.
func (f *Field) bytes() uint16 { return f.Size * max(f.Count, 1) }

// appendFields appends a structure as a map. What b does not reach is said
// not to have been captured.
func (d *Decoder) appendFields(dst []byte, fields []Field, b []byte) []byte {
	dst = appendMap(dst, len(fields))
	for i := range fields {
		dst = appendStr(dst, fields[i].Name)
		dst = d.appendField(dst, &fields[i], b)
	}
	return dst
}

func (d *Decoder) appendField(dst []byte, f *Field, b []byte) []byte {
	switch {
	case f.Secret:
		return appendWithheld(dst, statusWithheld, int64(f.bytes()), true)
	case int(f.Off) >= len(b) && f.bytes() > 0, f.Type != TStruct && int(f.Off)+int(f.bytes()) > len(b):
		return appendStatus(dst, statusSkipped)
	}
	b = b[min(int(f.Off), len(b)):]
	switch {
	case f.Type == TString:
		b = b[:f.bytes()]
		for i, c := range b {
			if c == 0 {
				b = b[:i]
				break
			}
		}
		return d.appendContent(dst, b, false)
	case f.Type == TBuffer:
		return d.appendContent(dst, b[:f.bytes()], false)
	case f.Count == 0:
		return d.appendElem(dst, f, b)
	}
	n := min(int(f.Count), len(b)/int(max(f.Size, 1)))
	dst = appendArray(dst, n)
	for i := range n {
		dst = d.appendElem(dst, f, b[i*int(f.Size):])
	}
	return dst
}

// appendElem appends one value that b begins with.
func (d *Decoder) appendElem(dst []byte, f *Field, b []byte) []byte {
	if f.Type == TStruct {
		b = b[:min(len(b), int(f.Size))]
		if len(f.Fields) > 0 {
			return d.appendFields(dst, f.Fields, b)
		}
		return d.appendStruct(dst, f.Set, b)
	}
	var raw [8]byte
	if f.Size > 8 || copy(raw[:], b[:min(len(b), int(f.Size))]) < int(f.Size) {
		return appendStatus(dst, statusSkipped)
	}
	v := binary.LittleEndian.Uint64(raw[:])
	if f.Type == TFloat {
		x, bits := math.Float64frombits(v), 64
		if f.Size == 4 {
			x, bits = float64(math.Float32frombits(uint32(v))), 32
		}
		d.buf = strconv.AppendFloat(d.buf[:0], x, 'g', -1, bits)
		return appendText(dst, d.buf)
	}
	a := Arg{Type: f.Type, Size: uint8(f.Size), Set: f.Set, Vals: f.Vals}
	return d.appendScalar(dst, &a, v, nil)
}

// appendVec appends an array that an argument points at.
func (d *Decoder) appendVec(dst []byte, a *Arg, b []byte, cut bool) []byte {
	if a.Unit == 0 {
		return appendStatus(dst, statusBad)
	}
	if cut {
		dst = append(dst, 0x92, statusCut)
	}
	f := Field{Type: TStruct, Size: a.Unit, Set: a.Set, Fields: a.Fields}
	if len(a.Fields) == 1 && a.Fields[0].Name == "" {
		f = a.Fields[0]
	}
	n := len(b) / int(a.Unit)
	dst = appendArray(dst, n)
	for i := range n {
		dst = d.appendElem(dst, &f, b[i*int(a.Unit):])
	}
	return dst
}

// appendBits renders v as the names of a declared flag set, joined by |; what
// has no name in hex.
func appendBits(dst []byte, vals []EnumVal, v uint64) []byte {
	start := len(dst)
	rest := v
	for i := range vals {
		e := &vals[i]
		bits, mask := uint64(e.Value), uint64(e.Mask)
		switch {
		case mask != 0:
			if v&mask != bits {
				continue
			}
		case bits == 0:
			if v != 0 || len(dst) > start {
				continue
			}
		case rest&bits != bits:
			continue
		default:
			mask = bits
		}
		dst = append(appendBar(dst, start), e.Name...)
		rest &^= mask
	}
	if rest != 0 || len(dst) == start {
		dst = appendBar(dst, start)
		if rest == 0 {
			return append(dst, '0')
		}
		dst = append(dst, "0x"...)
		dst = strconv.AppendUint(dst, rest, 16)
	}
	return dst
}

var (
	declaredOnce sync.Once
	declaredVal  declarations
)

// declared are seam's own structures and sets that are written in the language
// of prototypes. They are parsed at first use.
func declared() *declarations {
	declaredOnce.Do(func() {
		p := &protoParser{text: knownTypes, own: true}
		for p.err == nil && p.peek() != 0 {
			if !p.typeDecl() {
				p.fail(p.pos, "expected a declaration", "")
			}
		}
		declaredVal = p.decls
		declaredVal.err = p.err
	})
	return &declaredVal
}

// ownStruct and ownSet find one of them. A name that is not there, as most are
// not, is not worth parsing the others; both are asked for each value that is
// decoded.
func ownStruct(name string) *layout {
	if declaredNames()[name]&aStruct == 0 {
		return nil
	}
	return declared().structs[name]
}

func ownSet(name string) *declSet {
	if declaredNames()[name]&aSet == 0 {
		return nil
	}
	return declared().sets[name]
}

const (
	aStruct = 1 << iota
	aSet
)

// declaredNames says what knownTypes declares under a name: a line begins with
// the kind and the name.
var declaredNames = sync.OnceValue(func() map[string]uint8 {
	names := make(map[string]uint8, 128)
	for line := range strings.Lines(knownTypes) {
		kind, rest, _ := strings.Cut(line, " ")
		name, _, _ := strings.Cut(rest, " ")
		switch kind {
		case "struct":
			names[name] |= aStruct
		case "enum", "flags":
			names[name] |= aSet
		}
	}
	return names
})

// declarations are what a text declares besides functions.
type declarations struct {
	sets     map[string]*declSet
	structs  map[string]*layout
	typedefs map[string]ctype
	err      *ProbeError
}

// declSet is an enumeration or a flag set.
type declSet struct {
	flags bool
	size  uint8
	vals  []EnumVal
}

// valsOf are the names of the values of a set, if they are declared ones.
func valsOf(set string, own []EnumVal) []EnumVal {
	if own != nil || set == "" {
		return own
	}
	if s := ownSet(set); s != nil {
		return s.vals
	}
	return nil
}
