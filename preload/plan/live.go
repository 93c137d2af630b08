package plan

import "sort"

// How a function can be patched while threads run in it (preload/core/live.c):
// one instruction is overwritten, by one store, so that nobody can stand in
// the middle of what is overwritten.

// LiveForm is SEAM_LIVE_*.
type LiveForm uint8

const (
	LiveNo    LiveForm = 0
	LiveWord  LiveForm = 1 // a 5-byte jump fits over the instruction, in one aligned word
	LiveShort LiveForm = 2 // a 2-byte jump fits, and one of Pads takes the 5-byte jump it leads to
)

const (
	liveSize = 48 // struct seam_live
	maxPads  = 6

	liveAt, liveUndo, liveForm, liveNpads, liveRel, liveFill = 0, 1, 2, 3, 4, 10

	word = 8 // the processor reads and writes an aligned word as one
)

// Live is struct seam_live.
type Live struct {
	At   uint8 // offset of the instruction that is overwritten
	Undo uint8 // bytes that the instructions before it have pushed
	Form LiveForm
	Pads []Pad
}

// Pad is a place for a jump between two functions, where no code runs.
type Pad struct {
	Rel  int8          // from the end of the 2-byte jump
	Fill [jumpLen]byte // what is there
}

// live says how the function m was taken from can be patched while it runs.
// The instruction is the first that is longer than a byte; those before it can
// only push a register, or do nothing.
func (o *Object) live(f body, m *moved) Live {
	l := Live{}
	if m.whole {
		return l // a thread in the original would jump into what is overwritten
	}
	at := 0
	for ; at < m.patchLen; at++ {
		in, ok := decode(f.code[at:])
		if !ok {
			return Live{}
		}
		if in.len > 1 || in.ends() {
			break
		}
		switch b := f.code[at]; {
		case b >= 0x50 && b <= 0x57 && b != 0x54: // push %rsp pushes what the others moved
			l.Undo += 8
		case b == 0x90:
		default:
			return Live{}
		}
	}
	in, ok := decode(f.code[at:])
	if !ok || at+in.len > len(f.code) {
		return Live{}
	}
	room := in.len
	if in.ends() {
		room = m.patchLen - at // behind it is padding: relocate has looked
	}
	l.At = uint8(at)
	a := f.vaddr + uint64(at)
	switch {
	case at+room > m.patchLen:
		return Live{}
	case room >= jumpLen && a%word+jumpLen <= word:
		l.Form = LiveWord
	case room >= 2 && a%word+2 <= word:
		if l.Pads = o.padsNear(a + 2); len(l.Pads) > 0 {
			l.Form = LiveShort
		}
	}
	if l.Form == LiveNo || comesBack(f.code[:m.patchLen], at+map[LiveForm]int{LiveWord: jumpLen, LiveShort: 2}[l.Form]) {
		return Live{}
	}
	return l
}

// comesBack: a jump among the displaced instructions leads into the first n bytes. A
// thread that stands before it would get there; others relocate has looked for.
func comesBack(code []byte, n int) bool {
	for at := 0; at < len(code); {
		in, ok := decode(code[at:])
		if !ok {
			return false // padding
		}
		at += in.len
		if t := int64(at) + in.target; in.rel && !in.isCall() && t >= 0 && t < int64(n) {
			return true
		}
	}
	return false
}

// gap is filler between two functions: [lo, hi), its bytes in code.
type gap struct {
	lo, hi uint64
	code   []byte
}

// padsNear lists places for a jump that a 2-byte jump ending at base reaches,
// the nearest first.
func (o *Object) padsNear(base uint64) []Pad {
	rows := o.fdeRows()
	var pads []Pad
	first := sort.Search(len(rows), func(i int) bool { return int64(rows[i].start-base) > -128+jumpLen-1 })
	for i := first; i < len(rows) && int64(rows[i].start-base) < 128+64; i++ {
		g := o.gapBefore(i)
		for at := g.lo; at+jumpLen <= g.hi; at += jumpLen {
			if d := int64(at - base); d >= -128 && d <= 127 {
				p := Pad{Rel: int8(d)}
				copy(p.Fill[:], g.code[at-g.lo:])
				pads = append(pads, p)
			}
		}
	}
	sort.SliceStable(pads, func(i, j int) bool { return abs8(pads[i].Rel) < abs8(pads[j].Rel) })
	return pads[:min(len(pads), maxPads)]
}

func abs8(v int8) int { return max(int(v), -int(v)) }

// gapBefore is the filler in front of the function that the i-th row of the
// unwinding table begins: nothing but no-ops and traps, behind a function whose
// last instruction does not go on, and no symbol in it.
func (o *Object) gapBefore(i int) gap {
	if g, ok := o.gaps[i]; ok {
		return g
	}
	if o.gaps == nil {
		o.gaps = make(map[int]gap)
	}
	g := o.findGap(i)
	o.gaps[i] = g
	return g
}

// maxBefore bounds the function whose end is looked at.
const maxBefore = 1 << 16

func (o *Object) findGap(i int) gap {
	rows := o.fdes
	if i == 0 {
		return gap{}
	}
	f, ok := o.readFDE(rows[i-1].fde)
	hi := rows[i].start
	end := f.lo + f.size
	if !ok || f.lo != rows[i-1].start || f.size == 0 || f.size > maxBefore || end+jumpLen > hi || hi-end > 64 {
		return gap{}
	}
	if next, ok := o.nextSymbol(end - 1); ok && next < hi {
		return gap{}
	}
	code := make([]byte, hi-f.lo)
	if len(o.text(code, f.lo)) != len(code) {
		return gap{}
	}
	at, ends := 0, false
	for at < int(f.size) {
		in, ok := decode(code[at:f.size])
		if !ok {
			return gap{}
		}
		at += in.len
		ends = in.ends() || in.isCall() // of what does not return: behind it is nothing
	}
	if !ends {
		return gap{}
	}
	fill := code[f.size:]
	for o := 0; o < len(fill); {
		in, ok := decode(fill[o:])
		switch {
		case fill[o] == 0xcc:
			o++
		case ok && in.isNop():
			o += in.len
		default:
			return gap{}
		}
	}
	// A function of less than five bytes is patched into its padding.
	lo := max(end, f.lo+jumpLen)
	if lo+jumpLen > hi {
		return gap{}
	}
	return gap{lo: lo, hi: hi, code: code[lo-f.lo:]}
}

func (l *Live) append(b []byte) []byte {
	d := make([]byte, liveSize)
	d[liveAt], d[liveUndo], d[liveForm], d[liveNpads] = l.At, l.Undo, byte(l.Form), byte(len(l.Pads))
	for i, p := range l.Pads {
		d[liveRel+i] = byte(p.Rel)
		copy(d[liveFill+i*jumpLen:], p.Fill[:])
	}
	return append(b, d...)
}

func (l *Live) decode(d []byte) bool {
	l.At, l.Undo, l.Form = d[liveAt], d[liveUndo], LiveForm(d[liveForm])
	n := int(d[liveNpads])
	if n > maxPads || l.Form > LiveShort || l.At > jumpLen || l.Undo > 8*l.At || l.Form == LiveShort && n == 0 {
		return false
	}
	for i := range n {
		p := Pad{Rel: int8(d[liveRel+i])}
		copy(p.Fill[:], d[liveFill+i*jumpLen:])
		l.Pads = append(l.Pads, p)
	}
	return true
}
