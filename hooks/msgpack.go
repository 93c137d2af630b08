package hooks

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"
)

// The few msgpack forms that values and definitions are made of, written by
// appending (an event costs no allocation) and read within bounds.

func appendInt(dst []byte, v int64) []byte {
	switch {
	case v >= 0:
		return appendUint(dst, uint64(v))
	case v >= -32:
		return append(dst, byte(v))
	case v >= -1<<7:
		return append(dst, 0xd0, byte(v))
	case v >= -1<<15:
		return binary.BigEndian.AppendUint16(append(dst, 0xd1), uint16(v))
	case v >= -1<<31:
		return binary.BigEndian.AppendUint32(append(dst, 0xd2), uint32(v))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0xd3), uint64(v))
}

func appendUint(dst []byte, v uint64) []byte {
	switch {
	case v < 1<<7:
		return append(dst, byte(v))
	case v < 1<<8:
		return append(dst, 0xcc, byte(v))
	case v < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, 0xcd), uint16(v))
	case v < 1<<32:
		return binary.BigEndian.AppendUint32(append(dst, 0xce), uint32(v))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0xcf), v)
}

func appendNil(dst []byte) []byte { return append(dst, 0xc0) }

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 0xc3)
	}
	return append(dst, 0xc2)
}

func appendStr(dst []byte, s string) []byte {
	return append(appendStrHead(dst, len(s)), s...)
}

func appendStrHead(dst []byte, n int) []byte {
	switch {
	case n < 32:
		return append(dst, 0xa0|byte(n))
	case n < 1<<8:
		return append(dst, 0xd9, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, 0xda), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, 0xdb), uint32(n))
}

// appendText writes bytes of the target: str when they are UTF-8, else bin.
func appendText(dst, b []byte) []byte {
	if utf8.Valid(b) {
		return append(appendStrHead(dst, len(b)), b...)
	}
	n := len(b)
	switch {
	case n < 1<<8:
		dst = append(dst, 0xc4, byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, 0xc5), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint32(append(dst, 0xc6), uint32(n))
	}
	return append(dst, b...)
}

func appendArray(dst []byte, n int) []byte {
	if n < 16 {
		return append(dst, 0x90|byte(n))
	}
	return binary.BigEndian.AppendUint16(append(dst, 0xdc), uint16(n))
}

func appendMap(dst []byte, n int) []byte {
	if n < 16 {
		return append(dst, 0x80|byte(n))
	}
	return binary.BigEndian.AppendUint16(append(dst, 0xde), uint16(n))
}

var errMsgpack = errors.New("malformed msgpack")

// mpReader reads msgpack; after the first error everything it returns is zero.
type mpReader struct {
	b   []byte
	err error
}

func (r *mpReader) take(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.b) {
		r.err = errMsgpack
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *mpReader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *mpReader) be(n int) uint64 {
	var v uint64
	for _, c := range r.take(n) {
		v = v<<8 | uint64(c)
	}
	return v
}

// head reads the length of a container or text whose fixed form is base..base+mask.
func (r *mpReader) head(c, base, mask byte, forms [3]byte) int {
	switch {
	case c&^mask == base:
		return int(c & mask)
	case c == forms[0] && c != 0:
		return int(r.be(1))
	case c == forms[1]:
		return int(r.be(2))
	case c == forms[2]:
		return int(r.be(4))
	}
	r.err = errMsgpack
	return 0
}

// mapLen and arrayLen never return more than could follow.
func (r *mpReader) mapLen() int {
	n := r.head(r.byte(), 0x80, 0x0f, [3]byte{0, 0xde, 0xdf})
	if n > len(r.b)/2 {
		r.err = errMsgpack
		return 0
	}
	return n
}

func (r *mpReader) arrayLen() int {
	n := r.head(r.byte(), 0x90, 0x0f, [3]byte{0, 0xdc, 0xdd})
	if n > len(r.b) {
		r.err = errMsgpack
		return 0
	}
	return n
}

func (r *mpReader) str() string {
	return string(r.take(r.head(r.byte(), 0xa0, 0x1f, [3]byte{0xd9, 0xda, 0xdb})))
}

func (r *mpReader) bool() bool {
	switch r.byte() {
	case 0xc3:
		return true
	case 0xc2:
		return false
	}
	r.err = errMsgpack
	return false
}

func (r *mpReader) int() int64 {
	switch c := r.byte(); {
	case c < 0x80:
		return int64(c)
	case c >= 0xe0:
		return int64(int8(c))
	default:
		switch c {
		case 0xcc:
			return int64(r.be(1))
		case 0xcd:
			return int64(r.be(2))
		case 0xce:
			return int64(r.be(4))
		case 0xcf, 0xd3:
			return int64(r.be(8))
		case 0xd0:
			return int64(int8(r.be(1)))
		case 0xd1:
			return int64(int16(r.be(2)))
		case 0xd2:
			return int64(int32(r.be(4)))
		}
	}
	r.err = errMsgpack
	return 0
}

// intIn reads an integer that must lie in lo..hi.
func (r *mpReader) intIn(lo, hi int64) int64 {
	v := r.int()
	if v < lo || v > hi {
		r.err = errMsgpack
		return lo
	}
	return v
}

// skip passes over one value of any kind.
func (r *mpReader) skip() {
	for left := 1; left > 0 && r.err == nil; left-- {
		c := r.byte()
		switch {
		case c < 0x80 || c >= 0xe0 || c == 0xc0 || c == 0xc2 || c == 0xc3:
		case c < 0x90:
			left += 2 * int(c&0x0f)
		case c < 0xa0:
			left += int(c & 0x0f)
		case c < 0xc0:
			r.take(int(c & 0x1f))
		default:
			left += r.skipLong(c)
		}
		if left-1 > len(r.b) {
			r.err = errMsgpack
		}
	}
}

// skipLong passes over a value with a length or width of its own and says how
// many further values it announces.
func (r *mpReader) skipLong(c byte) int {
	switch c {
	case 0xc4, 0xd9:
		r.take(int(r.be(1)))
	case 0xc5, 0xda:
		r.take(int(r.be(2)))
	case 0xc6, 0xdb:
		r.take(int(r.be(4)))
	case 0xc7:
		r.take(int(r.be(1)) + 1)
	case 0xc8:
		r.take(int(r.be(2)) + 1)
	case 0xc9:
		r.take(int(r.be(4)) + 1)
	case 0xcc, 0xd0:
		r.take(1)
	case 0xcd, 0xd1, 0xd4:
		r.take(2)
	case 0xd5:
		r.take(3)
	case 0xca, 0xce, 0xd2:
		r.take(4)
	case 0xd6:
		r.take(5)
	case 0xcb, 0xcf, 0xd3:
		r.take(8)
	case 0xd7:
		r.take(9)
	case 0xd8:
		r.take(17)
	case 0xdc:
		return int(r.be(2))
	case 0xdd:
		return int(r.be(4))
	case 0xde:
		return 2 * int(r.be(2))
	case 0xdf:
		return 2 * int(r.be(4))
	default:
		r.err = errMsgpack
	}
	return 0
}
