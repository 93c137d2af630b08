// Package capture reads and writes capture files: the streams of several
// connections in one file, in the order in which they were read
// (docs/protocol.md, "Capture files").
package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/seam-project/seam/wire"
)

// Magic is the first line of a capture file.
const Magic = "seam-capture 1\n"

// MaxFrame is the most bytes of a stream in one frame.
const MaxFrame = 1 << 20

// ErrNotCapture is the error of a file that does not begin with Magic.
var ErrNotCapture = errors.New("not a seam capture file")

// ErrCorrupt is wrapped when a frame makes no sense.
var ErrCorrupt = errors.New("capture file is corrupt")

// An Error says where in a capture file reading ended; what came before it was
// read. A file that ends inside a frame wraps io.ErrUnexpectedEOF.
type Error struct {
	Offset int64 // of the frame that could not be read
	Err    error
}

func (e *Error) Error() string {
	if errors.Is(e.Err, io.ErrUnexpectedEOF) {
		return fmt.Sprintf("read capture: file ends inside a frame at offset %d", e.Offset)
	}
	return fmt.Sprintf("read capture at offset %d: %v", e.Offset, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// A Writer writes a capture file. It may be used by several goroutines. After
// the first error it drops everything and counts it: a full disk ends the copy,
// not the run.
type Writer struct {
	mu   sync.Mutex
	w    io.Writer
	buf  []byte
	err  error
	lost uint64
}

// NewWriter writes the magic line to w and returns a Writer. w gets one Write
// per frame. An error is kept for Err.
func NewWriter(w io.Writer) *Writer {
	c := &Writer{w: w}
	c.write([]byte(Magic))
	return c
}

// Frame adds bytes that were read from a connection.
func (c *Writer) Frame(conn uint64, p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(p) > 0 {
		n := min(len(p), MaxFrame)
		if c.err != nil {
			c.lost += uint64(len(p))
			return
		}
		c.buf = wire.AppendArray(c.buf[:0], 2)
		c.buf = wire.AppendUint(c.buf, conn)
		c.buf = wire.AppendBin(c.buf, p[:n])
		c.write(c.buf)
		if c.err != nil {
			c.lost += uint64(len(p))
			return
		}
		p = p[n:]
	}
}

// End notes that a connection ended.
func (c *Writer) End(conn uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.buf = wire.AppendArray(c.buf[:0], 2)
	c.buf = wire.AppendUint(c.buf, conn)
	c.buf = wire.AppendNil(c.buf)
	c.write(c.buf)
}

func (c *Writer) write(p []byte) {
	n, err := c.w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	c.err = err
}

// Err returns the error that ended the copy and how many bytes of streams were
// not written since.
func (c *Writer) Err() (lost uint64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost, c.err
}

// A Reader reads a capture file.
type Reader struct {
	r   *bufio.Reader
	off int64
	buf []byte
}

// NewReader checks the magic line. It returns ErrNotCapture, or the reader's
// own error.
func NewReader(r io.Reader) (*Reader, error) {
	c := &Reader{r: bufio.NewReaderSize(r, 256<<10), off: int64(len(Magic))}
	var head [len(Magic)]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil, ErrNotCapture
		}
		return nil, fmt.Errorf("read capture: %w", err)
	}
	if string(head[:]) != Magic {
		return nil, ErrNotCapture
	}
	return c, nil
}

// Offset is the position behind the last frame read.
func (c *Reader) Offset() int64 { return c.off }

// Next returns the next frame; end is true, and data empty, when the connection
// ended. data is valid until the next call. At the end of the file err is
// io.EOF, else an *Error.
func (c *Reader) Next() (conn uint64, data []byte, end bool, err error) {
	var n int64 // bytes of this frame so far
	fail := func(err error) (uint64, []byte, bool, error) {
		if err == io.EOF {
			if n == 0 {
				return 0, nil, false, io.EOF
			}
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, false, &Error{Offset: c.off, Err: err}
	}
	byte1 := func() (byte, error) {
		b, err := c.r.ReadByte()
		if err == nil {
			n++
		}
		return b, err
	}
	number := func(size int) (uint64, error) {
		var b [8]byte
		k, err := io.ReadFull(c.r, b[8-size:])
		n += int64(k)
		return binary.BigEndian.Uint64(b[:]), err
	}
	t, err := byte1()
	if err != nil {
		return fail(err)
	}
	if t != 0x92 {
		return fail(fmt.Errorf("%w: 0x%02x where a frame should begin", ErrCorrupt, t))
	}
	if t, err = byte1(); err != nil {
		return fail(err)
	}
	switch {
	case t < 0x80:
		conn = uint64(t)
	case t >= 0xcc && t <= 0xcf:
		if conn, err = number(1 << (t - 0xcc)); err != nil {
			return fail(err)
		}
	default:
		return fail(fmt.Errorf("%w: connection is not a number", ErrCorrupt))
	}
	if t, err = byte1(); err != nil {
		return fail(err)
	}
	var size uint64
	switch t {
	case 0xc0:
		c.off += n
		return conn, nil, true, nil
	case 0xc4, 0xc5, 0xc6:
		if size, err = number(1 << (t - 0xc4)); err != nil {
			return fail(err)
		}
	default:
		return fail(fmt.Errorf("%w: frame has no bytes", ErrCorrupt))
	}
	if size > MaxFrame {
		return fail(fmt.Errorf("%w: frame of %d bytes", ErrCorrupt, size))
	}
	if uint64(cap(c.buf)) < size {
		c.buf = make([]byte, size)
	}
	data = c.buf[:size]
	k, err := io.ReadFull(c.r, data)
	n += int64(k)
	if err != nil {
		return fail(err)
	}
	c.off += n
	return conn, data, false, nil
}
