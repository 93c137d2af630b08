package wire

// slab hands out Values that live until the next event. Lists come from it and
// not from their own slices, so that memory is bounded by one event's budget
// whatever shapes a sender invents.
type slab struct {
	free []Value
	all  []Value
	left int
}

func (s *slab) reset() {
	s.free = s.all
	s.left = maxElems
}

func (s *slab) take(n int) []Value {
	if n > len(s.free) {
		if n > s.left {
			return nil
		}
		s.all = make([]Value, max(n, min(2*len(s.all), maxElems), 64))
		s.free = s.all
	}
	s.left -= n
	v := s.free[:n:n]
	s.free = s.free[n:]
	return v
}

// values reads n values into a list of the slab.
func (s *slab) values(b []byte, i, n, depth int) ([]Value, int) {
	if n > s.left || n > len(b)-i || depth > maxDepth {
		return nil, -1
	}
	list := s.take(n)
	for k := range list {
		v := &list[k]
		if uint(i) < uint(len(b)) {
			if c := b[i]; int8(c) >= -32 {
				v.Kind, v.Status, v.Int = VInt, ArgOK, int64(int8(c))
				i++
				continue
			} else if c == 0xcd || c == 0xce {
				v.Kind, v.Status = VInt, ArgOK
				if v.Int, i = integerLong(b, i); i < 0 {
					return nil, -1
				}
				continue
			}
		}
		if i = s.value(b, i, v, depth); i < 0 {
			return nil, -1
		}
	}
	return list, i
}

// value reads any value. Types the protocol does not use become VNil.
func (s *slab) value(b []byte, i int, v *Value, depth int) int {
	if uint(i) >= uint(len(b)) {
		return -1
	}
	v.Status = ArgOK
	switch c := b[i]; {
	case c >= 0xcc && c <= 0xd3:
		v.Int, v.Kind, i = numberLong(b, i)
		return i
	case int8(c) >= -32:
		v.Int, v.Kind = int64(int8(c)), VInt
		return i + 1
	case c >= 0xa0 && c < 0xc0 || c >= 0xc4 && c <= 0xc6 || c >= 0xd9 && c <= 0xdb:
		v.Kind = VStr
		v.Str, i = text(b, i)
		return i
	case c&0xf0 == 0x80 || c >= 0xde:
		n, at := mapping(b, i)
		if at < 0 {
			return -1
		}
		v.Kind = VMap
		v.List, i = s.values(b, at, 2*n, depth+1)
		return i
	case c&0xf0 == 0x90 || c == 0xdc || c == 0xdd:
		n, at := array(b, i)
		if at < 0 {
			return -1
		}
		// A vector holds strings; [status, value?] starts with a small integer.
		if n >= 1 && at < len(b) && b[at] < 0x80 {
			if depth >= maxDepth {
				return -1
			}
			status := b[at]
			i = at + 1
			v.Kind = VNil
			if n >= 2 {
				if i = s.value(b, i, v, depth+1); i < 0 {
					return -1
				}
				i = skipN(b, i, n-2)
			}
			v.Status = status
			return i
		}
		v.Kind = VList
		v.List, i = s.values(b, at, n, depth+1)
		return i
	}
	v.Kind = VNil
	return skip(b, i)
}

// StrArg is argument k of a Call when that is a text, read to its end or not; nil
// when it is anything else.
func StrArg(raw []byte, k int) []byte {
	n, i := array(raw, 0)
	if i < 0 || k < 0 || k >= n {
		return nil
	}
	if i = skipN(raw, i, k); i < 0 || i >= len(raw) {
		return nil
	}
	if c := raw[i]; c < 0xa0 || c >= 0xc0 && c != 0xd9 && c != 0xda {
		return nil
	}
	s, i := text(raw, i)
	if i < 0 {
		return nil
	}
	return s
}

// DecodeArgs decodes the arguments of a Call. The values are valid until the
// Decoder's next event.
func (d *Decoder) DecodeArgs(raw []byte) []Value {
	d.vals.reset()
	n, i := array(raw, 0)
	if i < 0 {
		return nil
	}
	list, _ := d.vals.values(raw, i, n, 0)
	return list
}

// DecodeValues decodes an array of values, as an event has its arguments. They share
// memory with b.
func DecodeValues(b []byte) ([]Value, error) {
	var s slab
	s.reset()
	n, i := array(b, 0)
	if i < 0 {
		return nil, ErrSyntax
	}
	list, i := s.values(b, i, n, 0)
	if i < 0 {
		return nil, ErrSyntax
	}
	return list, nil
}
