package plan

// The refusals in a plan file are msgpack, so that the core can hand them to
// any reader without looking inside: an array of [name, reason id, detail].

func appendRefusals(b []byte, rs []Refusal) []byte {
	b = appendArray(b, len(rs))
	for i := range rs {
		b = append(b, 0x93)
		b = appendStr(b, rs[i].Name)
		b = appendSmall(b, byte(rs[i].Reason))
		b = appendStr(b, rs[i].Detail)
	}
	return b
}

func appendArray(b []byte, n int) []byte {
	switch {
	case n < 16:
		return append(b, 0x90|byte(n))
	case n < 1<<16:
		return append(b, 0xdc, byte(n>>8), byte(n))
	}
	return append(b, 0xdd, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func appendSmall(b []byte, v byte) []byte {
	if v < 0x80 {
		return append(b, v)
	}
	return append(b, 0xcc, v)
}

func appendStr(b []byte, s string) []byte {
	if len(s) > 0xffff {
		s = s[:0xffff]
	}
	switch n := len(s); {
	case n < 32:
		b = append(b, 0xa0|byte(n))
	case n < 256:
		b = append(b, 0xd9, byte(n))
	default:
		b = append(b, 0xda, byte(n>>8), byte(n))
	}
	return append(b, s...)
}

// packed reads the few msgpack forms that appendRefusals writes.
type packed struct {
	b   []byte
	bad bool
}

func (p *packed) take(n int) []byte {
	if n > len(p.b) {
		p.bad, p.b = true, nil
		return make([]byte, min(n, 4)) // callers of more check bad first
	}
	v := p.b[:n]
	p.b = p.b[n:]
	return v
}

func (p *packed) uint(n int) int {
	v := 0
	for _, c := range p.take(n) {
		v = v<<8 | int(c)
	}
	return v
}

func (p *packed) array() int {
	switch c := p.uint(1); {
	case c&0xf0 == 0x90:
		return c & 15
	case c == 0xdc:
		return p.uint(2)
	case c == 0xdd:
		return p.uint(4)
	}
	p.bad = true
	return 0
}

func (p *packed) small() byte {
	c := p.uint(1)
	switch {
	case c < 0x80:
		return byte(c)
	case c == 0xcc:
		return byte(p.uint(1))
	}
	p.bad = true
	return 0
}

func (p *packed) str() string {
	n := 0
	switch c := p.uint(1); {
	case c&0xe0 == 0xa0:
		n = c & 31
	case c == 0xd9:
		n = p.uint(1)
	case c == 0xda:
		n = p.uint(2)
	default:
		p.bad = true
	}
	if p.bad || n > len(p.b) {
		p.bad = true
		return ""
	}
	return string(p.take(n))
}

// ParseRefusals reads the refusals of a plan file, which the core hands on as they are.
func ParseRefusals(b []byte) ([]Refusal, bool) {
	p := packed{b: b}
	n := p.array()
	var rs []Refusal
	for i := 0; i < n && !p.bad; i++ {
		if p.array() != 3 {
			return nil, false
		}
		rs = append(rs, Refusal{Name: p.str(), Reason: Reason(p.small()), Detail: p.str()})
	}
	return rs, !p.bad && len(p.b) == 0
}
