package wire

import "encoding/binary"

// The parsing functions take the bytes and an index and return the index behind
// what they read, or -1: a plain value, because they run per event.

// head returns the bytes a value takes without its children, and how many
// children follow. size is 0 when b is too short to tell, -1 when the byte can't
// start a value.
func head(b []byte) (size int, kids uint64) {
	if len(b) == 0 {
		return 0, 0
	}
	c := b[0]
	switch {
	case c < 0x80 || c >= 0xe0 || c == 0xc0 || c == 0xc2 || c == 0xc3:
		return 1, 0
	case c < 0x90:
		return 1, 2 * uint64(c&15)
	case c < 0xa0:
		return 1, uint64(c & 15)
	case c < 0xc0:
		return 1 + int(c&31), 0
	}
	n := lengthBytes[c-0xc0]
	if len(b) <= int(n) {
		return 0, 0
	}
	switch c {
	case 0xc1:
		return -1, 0
	case 0xcc, 0xd0:
		return 2, 0
	case 0xcd, 0xd1:
		return 3, 0
	case 0xce, 0xd2, 0xca:
		return 5, 0
	case 0xcf, 0xd3, 0xcb:
		return 9, 0
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8: // fixext: a type byte and 1 2 4 8 16 bytes
		return 2 + 1<<(c-0xd4), 0
	case 0xc4, 0xd9:
		return 2 + int(b[1]), 0
	case 0xc5, 0xda:
		return 3 + int(binary.BigEndian.Uint16(b[1:])), 0
	case 0xc6, 0xdb:
		return 5 + int(binary.BigEndian.Uint32(b[1:])), 0
	case 0xc7:
		return 3 + int(b[1]), 0
	case 0xc8:
		return 4 + int(binary.BigEndian.Uint16(b[1:])), 0
	case 0xc9:
		return 6 + int(binary.BigEndian.Uint32(b[1:])), 0
	case 0xdc:
		return 3, uint64(binary.BigEndian.Uint16(b[1:]))
	case 0xdd:
		return 5, uint64(binary.BigEndian.Uint32(b[1:]))
	case 0xde:
		return 3, 2 * uint64(binary.BigEndian.Uint16(b[1:]))
	}
	return 5, 2 * uint64(binary.BigEndian.Uint32(b[1:])) // 0xdf
}

// lengthBytes is, for the types from 0xc0, the bytes of the length behind the
// type byte.
var lengthBytes = [32]uint8{
	4: 1, 5: 2, 6: 4, 7: 1, 8: 2, 9: 4, // bin, ext
	25: 1, 26: 2, 27: 4, // str
	28: 2, 29: 4, 30: 2, 31: 4, // array, map
}

// skip returns the index behind the value at b[i].
func skip(b []byte, i int) int {
	for open := uint64(1); open > 0; {
		if uint(i) >= uint(len(b)) {
			return -1
		}
		// The integers first, each in its own branch: a predicted branch is
		// quicker than a length that must be loaded before the next byte is known.
		switch c := b[i]; {
		case c < 0x80 || c >= 0xe0:
			i++
			open--
			continue
		case c == 0xcd:
			i += 3
			open--
			continue
		case c == 0xce:
			i += 5
			open--
			continue
		case c == 0xcf:
			i += 9
			open--
			continue
		}
		size, kids := head(b[i:])
		if size <= 0 || size > len(b)-i {
			return -1
		}
		i += size
		open += kids - 1
		if open > uint64(len(b)) {
			return -1
		}
	}
	if i > len(b) {
		return -1
	}
	return i
}

func skipN(b []byte, i, n int) int {
	for ; n > 0 && i >= 0; n-- {
		i = skip(b, i)
	}
	return i
}

// number reads an integer; unsigned ones above the range of int64 are VUint.
func number(b []byte, i int) (v int64, kind ValueKind, next int) {
	if uint(i) >= uint(len(b)) {
		return 0, 0, -1
	}
	c := b[i]
	if int8(c) >= -32 {
		return int64(int8(c)), VInt, i + 1
	}
	return numberLong(b, i)
}

func numberLong(b []byte, i int) (v int64, kind ValueKind, next int) {
	p := b[i+1:]
	switch b[i] {
	case 0xcc:
		if len(p) >= 1 {
			return int64(p[0]), VInt, i + 2
		}
	case 0xcd:
		if len(p) >= 2 {
			return int64(binary.BigEndian.Uint16(p)), VInt, i + 3
		}
	case 0xce:
		if len(p) >= 4 {
			return int64(binary.BigEndian.Uint32(p)), VInt, i + 5
		}
	case 0xcf:
		if len(p) >= 8 {
			v := int64(binary.BigEndian.Uint64(p))
			if v < 0 {
				return v, VUint, i + 9
			}
			return v, VInt, i + 9
		}
	case 0xd0:
		if len(p) >= 1 {
			return int64(int8(p[0])), VInt, i + 2
		}
	case 0xd1:
		if len(p) >= 2 {
			return int64(int16(binary.BigEndian.Uint16(p))), VInt, i + 3
		}
	case 0xd2:
		if len(p) >= 4 {
			return int64(int32(binary.BigEndian.Uint32(p))), VInt, i + 5
		}
	case 0xd3:
		if len(p) >= 8 {
			return int64(binary.BigEndian.Uint64(p)), VInt, i + 9
		}
	}
	return 0, 0, -1
}

// integer is number for fields that have no kind. The short form is inlined into
// its callers.
func integer(b []byte, i int) (int64, int) {
	if uint(i) < uint(len(b)) && int8(b[i]) >= -32 {
		return int64(int8(b[i])), i + 1
	}
	return integerLong(b, i)
}

func integerLong(b []byte, i int) (int64, int) {
	if uint(i) >= uint(len(b)) {
		return 0, -1
	}
	p := b[i+1:]
	switch {
	case b[i] == 0xcd && len(p) >= 2:
		return int64(binary.BigEndian.Uint16(p)), i + 3
	case b[i] == 0xce && len(p) >= 4:
		return int64(binary.BigEndian.Uint32(p)), i + 5
	}
	v, _, n := numberLong(b, i)
	return v, n
}

// text reads a str, a bin or nil; the bytes are b's own.
func text(b []byte, i int) ([]byte, int) {
	if uint(i) >= uint(len(b)) {
		return nil, -1
	}
	c := b[i]
	n, at := 0, 0
	switch {
	case c >= 0xa0 && c < 0xc0:
		n, at = int(c&31), i+1
	case c == 0xc0:
		return nil, i + 1
	case c == 0xc4 || c == 0xc5 || c == 0xc6 || c == 0xd9 || c == 0xda || c == 0xdb:
		size, _ := head(b[i:])
		if size == 0 {
			return nil, -1
		}
		at = i + 1 + int(lengthBytes[c-0xc0])
		n = size - (at - i)
	default:
		return nil, -1
	}
	if n > len(b)-at {
		return nil, -1
	}
	return b[at : at+n : at+n], at + n
}

// array reads the head of an array.
func array(b []byte, i int) (n, next int) {
	if uint(i) >= uint(len(b)) {
		return 0, -1
	}
	switch c := b[i]; {
	case c&0xf0 == 0x90:
		return int(c & 15), i + 1
	case c == 0xdc || c == 0xdd:
		size, kids := head(b[i:])
		if size == 0 || kids > uint64(len(b)) {
			return 0, -1
		}
		return int(kids), i + size
	}
	return 0, -1
}

// mapping reads the head of a map, n pairs.
func mapping(b []byte, i int) (n, next int) {
	if uint(i) >= uint(len(b)) {
		return 0, -1
	}
	switch c := b[i]; {
	case c&0xf0 == 0x80:
		return int(c & 15), i + 1
	case c == 0xde || c == 0xdf:
		size, kids := head(b[i:])
		if size == 0 || kids > 2*uint64(len(b)) {
			return 0, -1
		}
		return int(kids / 2), i + size
	}
	return 0, -1
}
