package wire

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// Limits of one stream. A value is held in memory as a whole, so its size
// bounds the decoder's memory.
const (
	MaxValue = 64 << 20 // bytes of one message
	maxCold  = 16 << 20 // bytes of one message that is not a batch
	maxItems = 1 << 17  // elements of a list in one of those
	maxDepth = 16       // nesting of an argument's value
	maxElems = 1 << 16  // decoded values of one event
)

// ErrSyntax is wrapped when bytes are not the message they should be.
var ErrSyntax = errors.New("not a message of this protocol")

// ErrTooLarge is wrapped when a value exceeds its limit.
var ErrTooLarge = errors.New("value exceeds its size limit")

// Error says where in a stream decoding ended. A stream that ends inside a
// value wraps io.ErrUnexpectedEOF: what came before it stands.
type Error struct {
	Offset int64 // of the message that could not be read
	What   string
	Err    error
}

func (e *Error) Error() string {
	return fmt.Sprintf("decode %s at offset %d: %v", e.What, e.Offset, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// CallHandler may be implemented by a Handler that can do without most
// arguments. It is offered each complete call whose result is an integer or nil
// and that has no extra; when it answers false, or does not implement this, the
// call comes as an Event.
type CallHandler interface {
	Call(s *Section, c *Call) (done bool)
}

// Call is a complete call with its arguments left encoded.
type Call struct {
	ID, Seq uint32
	T, Dur  int64
	Ret     int64
	RetKind ValueKind // VNil, VInt or VUint
	Err     int32
	Args    []byte // msgpack array; DecodeArgs reads it

	// In the native form there are no Args, but what Native says.
	First    int64
	HasFirst bool
	Text     []byte
}

// TextArg returns argument k when that is a text; nil when not.
func (c *Call) TextArg(k int) []byte {
	if c.Text != nil {
		return c.Text
	}
	return StrArg(c.Args, k)
}

// FirstInt returns the first argument when that is a small integer that is not negative, as
// descriptors are.
func (c *Call) FirstInt() (int64, bool) {
	if c.HasFirst {
		return c.First, true
	}
	b := c.Args
	if len(b) < 2 || b[0]&0xf0 != 0x90 || b[0] == 0x90 {
		return 0, false
	}
	switch c := b[1]; {
	case c < 0x80:
		return int64(c), true
	case c == 0xcc && len(b) > 2:
		return int64(b[2]), true
	case c == 0xcd && len(b) > 3:
		return int64(b[2])<<8 | int64(b[3]), true
	}
	return 0, false
}

// Decoder reads the messages of one stream.
type Decoder struct {
	r        io.Reader
	first    *[firstBuffer]byte
	buf      []byte // first, or a larger one
	pos, end int
	off      int64 // stream offset of buf[0]
	hint     int   // size of the next value, 0 unknown
	err      error // sticky
	fed      bool  // the batch comes from Feed

	sec  Section
	ev   Event
	call Call
	vals slab
}

const firstBuffer = 64 << 10

// A reader of thousands of short streams would clear and collect as many buffers.
var buffers = sync.Pool{New: func() any { return new([firstBuffer]byte) }}

// NewDecoder returns a Decoder that reads from r.
func NewDecoder(r io.Reader) *Decoder {
	first := buffers.Get().(*[firstBuffer]byte)
	return &Decoder{r: r, first: first, buf: first[:]}
}

// Close lets another Decoder have the buffer. This one must not be used any more.
func (d *Decoder) Close() {
	buffers.Put(d.first)
	d.first, d.buf, d.err = nil, nil, io.ErrClosedPipe
}

// Offset is the number of bytes of the stream that are decoded.
func (d *Decoder) Offset() int64 { return d.off + int64(d.pos) }

// Run decodes until the end of the stream. A clean end is nil.
func (d *Decoder) Run(h Handler) error {
	for {
		if err := d.Next(h); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
	}
}

// Next decodes one message. It returns io.EOF at a clean end of the stream, an
// *Error otherwise; errors repeat. Nothing of a batch reaches h before the
// whole batch has arrived, because a batch that was cut is sent again.
func (d *Decoder) Next(h Handler) error {
	if d.err != nil {
		return d.err
	}
	n, err := d.frame()
	if err == nil {
		err = d.message(d.buf[d.pos:d.pos+n], h)
	}
	if err != nil {
		if err != io.EOF {
			err = &Error{Offset: d.Offset(), What: "message", Err: err}
		}
		d.err = err
	}
	return err
}

// frame makes sure that the next value is in the buffer as a whole and returns
// its length.
func (d *Decoder) frame() (int, error) {
	if n := d.hint; n > 0 {
		d.hint = 0
		for d.end-d.pos < n {
			if err := d.fill(n); err != nil {
				return 0, noEOF(err)
			}
		}
		return n, nil
	}
	// Resumable scan: `open` values are still to come, whatever their nesting.
	// Each takes a byte, so more of them than a value may have bytes is an error.
	at, open := 0, uint64(1)
	for open > 0 {
		size, kids := head(d.buf[d.pos+at : d.end])
		if size < 0 {
			return 0, ErrSyntax
		}
		if size == 0 || uint64(size) > uint64(d.end-d.pos-at) {
			if uint64(at)+uint64(max(size, 1)) > MaxValue {
				return 0, ErrTooLarge
			}
			if err := d.fill(at + max(size, 1)); err != nil {
				if at == 0 && d.pos == d.end {
					return 0, err
				}
				return 0, noEOF(err)
			}
			continue
		}
		at += size
		open += kids - 1
		if uint64(at)+open > MaxValue {
			return 0, ErrTooLarge
		}
	}
	return at, nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// fill reads more; want is how many bytes from pos are needed, as far as known.
func (d *Decoder) fill(want int) error {
	if want > MaxValue {
		return ErrTooLarge
	}
	if d.pos > 0 && (d.pos == d.end || len(d.buf)-d.pos < want) {
		d.off += int64(d.pos)
		d.end = copy(d.buf, d.buf[d.pos:d.end])
		d.pos = 0
	}
	if d.end == len(d.buf) {
		// Only grown when full: a length is believed as far as bytes arrive.
		nb := make([]byte, 2*len(d.buf))
		copy(nb, d.buf)
		d.buf = nb
	}
	for range 100 {
		n, err := d.r.Read(d.buf[d.end:])
		if n < 0 || n > len(d.buf)-d.end {
			return errors.New("read: reader returned an impossible count")
		}
		d.end += n
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}
