package drain

import (
	"encoding/binary"

	"github.com/seam-project/seam/wire"
)

var le = binary.LittleEndian

// plainRoom is more than the longest event of a plain site: heads, six integers
// of up to 9 bytes, 15 arguments.
const plainRoom = 16 + 6*9 + 15*9

// putWord writes a word in its form at b[i:].
func putWord(b []byte, i int, w word, v uint64) int {
	switch w.form {
	case signed:
		return wire.PutInt(b, i, int64(v<<w.shift)>>w.shift)
	case pointer:
		if v == 0 {
			b[i] = 0xc0
			return i + 1
		}
		return wire.PutUint(b, i, v)
	case unsigned:
		return wire.PutUint(b, i, v<<w.shift>>w.shift)
	}
	b[i] = 0xc0 // nothing
	return i + 1
}

// putArgs writes the arguments of a plain site; words are the bytes of the
// record behind its head.
func putArgs(b []byte, i int, args []word, words []byte) int {
	b[i] = 0x90 | byte(len(args))
	i++
	for k := range args {
		w := args[k]
		if w.form == notCaptured {
			b[i], b[i+1] = 0x91, wire.ArgSkipped
			i += 2
			continue
		}
		v := le.Uint64(words[w.at:])
		if v < 0x80 && (v != 0 || w.form != pointer) {
			b[i] = byte(v) // the same in every form
			i++
			continue
		}
		i = putWord(b, i, w, v)
	}
	return i
}

// appendPlainCall appends the call event of a plain site. This is the hot path
// of the whole stream: room is checked once.
func appendPlainCall(b []byte, id, seq uint32, t, dur int64, s *site, words []byte, ret uint64, err int32) []byte {
	b = wire.Room(b, plainRoom)
	p, i := b[:cap(b)], len(b)
	p[i], p[i+1] = 0x98, wire.EvCall
	i = wire.PutUint(p, i+2, uint64(id))
	i = wire.PutUint(p, i, uint64(seq))
	i = wire.PutInt(p, i, t)
	i = wire.PutInt(p, i, dur)
	i = putWord(p, i, s.ret, ret)
	i = wire.PutInt(p, i, int64(err))
	i = putArgs(p, i, s.args, words)
	return b[:i]
}

// appendNative appends the call of a site whose reader takes the native form; words are the bytes of its record behind the
// head. text is the one the reader needs, nil for none.
func (d *Drainer) appendNative(b []byte, id, seq uint32, t, dur int64, s *site, words []byte, ret uint64, errno uint32, failed bool, text []byte) []byte {
	c := &d.native
	c.ID, c.Seq, c.T, c.Dur, c.Err, c.Text = id, seq, t, dur, s.hook.ErrOf(ret, errno, failed), text
	c.Ret, c.RetKind, c.HasFirst = 0, wire.VNil, false
	if s.needs.First || s.needs.Ret || text != nil {
		c.Ret, c.RetKind = valueOf(s.ret, ret)
	}
	if s.needs.First {
		v, _ := valueOf(s.args[0], le.Uint64(words[s.args[0].at:]))
		c.First, c.HasFirst = v, v >= 0
	}
	return wire.AppendNative(b, c)
}

// nativeText is the text that the reader needs of the call that was parsed last; false when the call
// must be encoded.
func (s *site) nativeText(words []uint64) ([]byte, bool) {
	if s.needs.Text < 0 {
		return nil, true
	}
	text, _, ok := s.dec.Text(int(s.needs.Text), words)
	return text, ok && len(text) > 0 && (!s.needs.Rooted || text[0] == '/')
}

// valueOf is what putWord's bytes are decoded to.
func valueOf(w word, v uint64) (int64, wire.ValueKind) {
	switch w.form {
	case signed:
		return int64(v<<w.shift) >> w.shift, wire.VInt
	case pointer:
		if v == 0 {
			return 0, wire.VNil
		}
	case unsigned:
		v = v << w.shift >> w.shift
	default:
		return 0, wire.VNil
	}
	if int64(v) < 0 {
		return int64(v), wire.VUint
	}
	return int64(v), wire.VInt
}
