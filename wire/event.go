package wire

// batch decodes sections and events. A position of -1 means malformed.
func (d *Decoder) batch(b []byte, i, n int, h Handler) int {
	if n < 4 {
		return -1
	}
	seq, i := integer(b, i)
	base, i := integer(b, i)
	nsec, i := array(b, i)
	if i < 0 {
		return -1
	}
	h.Batch(uint64(seq), base)
	ch, _ := h.(CallHandler)
	for ; nsec > 0; nsec-- {
		if i = d.section(b, i, base, h, ch); i < 0 {
			return -1
		}
	}
	return skipN(b, i, n-4)
}

func (d *Decoder) section(b []byte, i int, base int64, h Handler, ch CallHandler) int {
	n, i := array(b, i)
	if i < 0 || n < 7 {
		return -1
	}
	var f [6]int64
	for k := range f {
		if f[k], i = integer(b, i); i < 0 {
			return -1
		}
	}
	s := &d.sec
	*s = Section{PID: uint32(f[0]), TID: uint32(f[1]), Thread: uint32(f[2]),
		Chunk: uint64(f[3]), Upto: uint32(f[4]), First: uint32(f[5])}
	events, i := array(b, i)
	if i < 0 {
		return -1
	}
	h.Section(s)
	for ; events > 0; events-- {
		if d.fed && uint(i) < uint(len(b)) && b[i] == nativeMark {
			if i = d.native(b, i, base, h, ch); i < 0 {
				return -1
			}
			continue
		}
		if ch != nil {
			next, ok := d.fastCall(b, i, base)
			if ok && ch.Call(s, &d.call) {
				i = next
				continue
			}
		}
		if i = d.event(b, i, base, h); i < 0 {
			return -1
		}
	}
	return skipN(b, i, n-7)
}

// fastCall reads a call of the plain form into d.call; false when it has
// another form or is malformed.
func (d *Decoder) fastCall(b []byte, i int, base int64) (int, bool) {
	if len(b)-i < 9 || b[i] != 0x98 || b[i+1] != EvCall {
		return 0, false
	}
	c := &d.call
	c.HasFirst, c.Text = false, nil
	v, i := integer(b, i+2)
	c.ID = uint32(v)
	v, i = integer(b, i)
	c.Seq = uint32(v) + d.sec.First
	v, i = integer(b, i)
	c.T = v + base
	c.Dur, i = integer(b, i)
	if uint(i) < uint(len(b)) && b[i] == 0xc0 {
		c.Ret, c.RetKind = 0, VNil
		i++
	} else {
		c.Ret, c.RetKind, i = number(b, i)
	}
	if uint(i) < uint(len(b)) && b[i] == 0 { // most calls succeed
		c.Err = 0
		i++
	} else {
		v, i = integer(b, i)
		c.Err = int32(v)
	}
	if i < 0 {
		return 0, false
	}
	end := skip(b, i)
	if end < 0 {
		return 0, false
	}
	c.Args = b[i:end:end]
	return end, true
}

// event reads one event of any kind; kinds it does not know are skipped.
func (d *Decoder) event(b []byte, i int, base int64, h Handler) int {
	n, i := array(b, i)
	if i < 0 || n < 1 {
		return -1
	}
	kind, i := integer(b, i)
	if i < 0 {
		return -1
	}
	e := &d.ev
	*e = Event{Kind: uint8(kind)}
	d.vals.reset()
	var used int
	var v int64
	switch kind {
	case EvCall, EvLeave, EvEnter, EvLost:
		used = 4
		if n < used {
			return -1
		}
		v, i = integer(b, i)
		e.ID = uint32(v)
		v, i = integer(b, i)
		e.Seq = uint32(v) + d.sec.First
		v, i = integer(b, i)
		e.T = v + base
		if i < 0 {
			return -1
		}
		if kind == EvLost {
			break
		}
		used = 5
		if kind != EvEnter {
			used = 8
			if n < used {
				return -1
			}
			e.Dur, i = integer(b, i)
			if i < 0 {
				return -1
			}
			if i = d.vals.value(b, i, &e.Ret, 0); i < 0 {
				return -1
			}
			v, i = integer(b, i)
			e.Err = int32(v)
		}
		if n < used {
			return -1
		}
		var nargs int
		if nargs, i = array(b, i); i < 0 {
			return -1
		}
		if e.Args, i = d.vals.values(b, i, nargs, 0); i < 0 {
			return -1
		}
		if n > used { // the arguments are counted by now
			used++
			if i = extra(b, i, e); i < 0 {
				return -1
			}
		}
	case EvStatement:
		used = 9
		if n < used {
			return -1
		}
		e.T, i = integer(b, i)
		e.T += base
		e.Dur, i = integer(b, i)
		e.DB, i = text(b, i)
		e.SQL, i = text(b, i)
		e.Rows, i = integer(b, i)
		e.RC, i = integer(b, i)
		e.Msg, i = text(b, i)
		e.Flags, i = integer(b, i)
	default:
		return skipN(b, i, n-1)
	}
	if i < 0 {
		return -1
	}
	if i = skipN(b, i, n-used); i < 0 {
		return -1
	}
	h.Event(&d.sec, e)
	return i
}

func extra(b []byte, i int, e *Event) int {
	if uint(i) < uint(len(b)) && b[i] == 0xc0 {
		return i + 1
	}
	pairs, i := mapping(b, i)
	if i < 0 {
		return -1
	}
	for ; pairs > 0 && i >= 0; pairs-- {
		at := i
		key, j := text(b, i)
		if j < 0 { // a key that is not text is one we do not know
			i = skipN(b, at, 2)
			continue
		}
		switch string(key) {
		case "msg":
			e.Msg, i = text(b, j)
		case "rule":
			i = ruleBit(b, j, &e.Rules)
		case "rules":
			n, k := array(b, j)
			for ; n > 0 && k >= 0; n-- {
				k = ruleBit(b, k, &e.Rules)
			}
			i = k
		default:
			i = skip(b, j)
		}
	}
	return i
}
