package wire

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// PutUint writes v, in its shortest form, at b[i:] and returns the index behind
// it. It needs 9 bytes of room. Together with PutInt it is for encoders that
// check their room once per event.
func PutUint(b []byte, i int, v uint64) int {
	if v < 0x80 {
		b[i] = byte(v)
		return i + 1
	}
	return putUintLong(b, i, v)
}

func putUintLong(b []byte, i int, v uint64) int {
	b = b[i : i+9]
	switch {
	case v < 1<<8:
		b[0], b[1] = 0xcc, byte(v)
		return i + 2
	case v < 1<<16:
		b[0] = 0xcd
		binary.BigEndian.PutUint16(b[1:], uint16(v))
		return i + 3
	case v < 1<<32:
		b[0] = 0xce
		binary.BigEndian.PutUint32(b[1:], uint32(v))
		return i + 5
	}
	b[0] = 0xcf
	binary.BigEndian.PutUint64(b[1:], v)
	return i + 9
}

// PutInt is PutUint for signed integers.
func PutInt(b []byte, i int, v int64) int {
	if uint64(v) < 0x80 {
		b[i] = byte(v)
		return i + 1
	}
	return putIntLong(b, i, v)
}

func putIntLong(b []byte, i int, v int64) int {
	if v < 0 {
		return putNegative(b, i, v)
	}
	return putUintLong(b, i, uint64(v))
}

func putNegative(b []byte, i int, v int64) int {
	b = b[i : i+9]
	switch {
	case v >= -32:
		b[0] = byte(v)
		return i + 1
	case v >= math.MinInt8:
		b[0], b[1] = 0xd0, byte(v)
		return i + 2
	case v >= math.MinInt16:
		b[0] = 0xd1
		binary.BigEndian.PutUint16(b[1:], uint16(v))
		return i + 3
	case v >= math.MinInt32:
		b[0] = 0xd2
		binary.BigEndian.PutUint32(b[1:], uint32(v))
		return i + 5
	}
	b[0] = 0xd3
	binary.BigEndian.PutUint64(b[1:], uint64(v))
	return i + 9
}

// Room returns b with room for at least n more bytes behind its length.
func Room(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b
	}
	return grow(b, n)
}

func grow(b []byte, n int) []byte {
	c := make([]byte, len(b), 2*cap(b)+n)
	copy(c, b)
	return c
}

// AppendNil appends nil.
func AppendNil(b []byte) []byte { return append(b, 0xc0) }

// AppendBool appends a boolean.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 0xc3)
	}
	return append(b, 0xc2)
}

// AppendUint appends v in its shortest form.
func AppendUint(b []byte, v uint64) []byte {
	if v < 0x80 {
		return append(b, byte(v))
	}
	var t [9]byte
	return append(b, t[:putUintLong(t[:], 0, v)]...)
}

// AppendInt appends v in its shortest form.
func AppendInt(b []byte, v int64) []byte {
	if uint64(v) < 0x80 {
		return append(b, byte(v))
	}
	var t [9]byte
	return append(b, t[:putIntLong(t[:], 0, v)]...)
}

func appendStrHead(b []byte, n int) []byte {
	switch {
	case n < 32:
		return append(b, 0xa0|byte(n))
	case n < 1<<8:
		return append(b, 0xd9, byte(n))
	case n < 1<<16:
		return append(b, 0xda, byte(n>>8), byte(n))
	}
	return append(b, 0xdb, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func appendBinHead(b []byte, n int) []byte {
	switch {
	case n < 1<<8:
		return append(b, 0xc4, byte(n))
	case n < 1<<16:
		return append(b, 0xc5, byte(n>>8), byte(n))
	}
	return append(b, 0xc6, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// AppendString appends s as str when it is valid UTF-8, else as bin. Strings of
// the target are anything; a reader's str must be decodable.
func AppendString(b []byte, s string) []byte {
	if utf8.ValidString(s) {
		b = appendStrHead(b, len(s))
	} else {
		b = appendBinHead(b, len(s))
	}
	return append(b, s...)
}

// AppendText is AppendString for bytes.
func AppendText(b, s []byte) []byte {
	if utf8.Valid(s) {
		b = appendStrHead(b, len(s))
	} else {
		b = appendBinHead(b, len(s))
	}
	return append(b, s...)
}

// AppendBin appends s as bin.
func AppendBin(b, s []byte) []byte {
	return append(appendBinHead(b, len(s)), s...)
}

// AppendArray appends the head of an array of n values.
func AppendArray(b []byte, n int) []byte {
	switch {
	case n < 16:
		return append(b, 0x90|byte(n))
	case n < 1<<16:
		return append(b, 0xdc, byte(n>>8), byte(n))
	}
	return append(b, 0xdd, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// AppendMap appends the head of a map of n pairs.
func AppendMap(b []byte, n int) []byte {
	switch {
	case n < 16:
		return append(b, 0x80|byte(n))
	case n < 1<<16:
		return append(b, 0xde, byte(n>>8), byte(n))
	}
	return append(b, 0xdf, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}
