package wire

import "encoding/binary"

// The native form of a call is for a drainer and a reader in one process, for whom encoding
// and decoding would be most of the work. It stands where an event stands in a batch, never on a
// stream: a Decoder takes it from Feed alone.
const (
	nativeMark = 0xc1 // no msgpack value begins with it
	nativeSize = 48
	nativeText = 1 << 16 // bytes of text, less one
)

// Native is what a reader needs of a probe's calls when they come in the native form: besides their time
// and whether they failed, which are always there.
type Native struct {
	OK     bool // else they must be encoded
	First  bool // the first argument, a descriptor, and the result, a number
	Ret    bool // the result, a number
	Text   int8 // this argument, a text, and the result; -1 none. Where it is no text, the call must be encoded
	Rooted bool // and where the text does not begin with a slash
}

// AppendNative appends a complete call in the native form. T and Seq are relative, as in an event.
func AppendNative(b []byte, c *Call) []byte {
	b = Room(b, nativeSize+len(c.Text))
	n := len(b)
	b = b[:n+nativeSize]
	p := b[n:]
	p[0], p[1], p[2], p[3] = nativeMark, byte(c.RetKind), 0, 0
	if c.HasFirst {
		p[2] = 1
	}
	le := binary.LittleEndian
	le.PutUint32(p[4:], c.ID)
	le.PutUint32(p[8:], c.Seq)
	le.PutUint32(p[12:], uint32(c.Err))
	le.PutUint64(p[16:], uint64(c.T))
	le.PutUint64(p[24:], uint64(c.Dur))
	le.PutUint64(p[32:], uint64(c.Ret))
	if c.Text == nil {
		le.PutUint64(p[40:], uint64(c.First))
		return b
	}
	text := c.Text[:min(len(c.Text), nativeText-1)]
	p[3] = 1
	le.PutUint64(p[40:], uint64(len(text)))
	return append(b, text...)
}

// native decodes the native form at b[i:] and gives it to ch, or, where that does not take it, to h
// as an Event without arguments.
func (d *Decoder) native(b []byte, i int, base int64, h Handler, ch CallHandler) int {
	if len(b)-i < nativeSize {
		return -1
	}
	p := b[i : i+nativeSize]
	i += nativeSize
	le := binary.LittleEndian
	c := &d.call
	*c = Call{ID: le.Uint32(p[4:]), Seq: le.Uint32(p[8:]) + d.sec.First, Err: int32(le.Uint32(p[12:])),
		T: int64(le.Uint64(p[16:])) + base, Dur: int64(le.Uint64(p[24:])), Ret: int64(le.Uint64(p[32:])), RetKind: ValueKind(p[1])}
	last := le.Uint64(p[40:])
	switch {
	case p[3] == 0:
		c.First, c.HasFirst = int64(last), p[2] != 0
	case last > uint64(len(b)-i):
		return -1
	default:
		c.Text = b[i : i+int(last)]
		i += int(last)
	}
	if ch == nil || !ch.Call(&d.sec, c) {
		d.ev = Event{Kind: EvCall, ID: c.ID, Seq: c.Seq, T: c.T, Dur: c.Dur, Ret: Value{Kind: c.RetKind, Int: c.Ret}, Err: c.Err}
		h.Event(&d.sec, &d.ev)
	}
	return i
}

// Feed decodes p, which holds whole messages, in place of a reader's bytes, and may hold calls in the
// native form. Errors are as Next's, and repeat.
func (d *Decoder) Feed(p []byte, h Handler) error {
	for len(p) > 0 && d.err == nil {
		n := d.hint
		batch := n > 0 // its length went before it
		if d.hint = 0; !batch {
			n = skip(p, 0)
		}
		err := ErrSyntax
		if n > 0 && n <= len(p) {
			d.fed = batch
			err = d.message(p[:n], h)
			d.fed, d.pos = false, 0
		}
		if err != nil {
			d.err = &Error{Offset: d.off, What: "message", Err: err}
			break
		}
		d.off += int64(n)
		p = p[n:]
	}
	return d.err
}
