package unwind

// regs are a frame's registers, as far as they are known.
type regs struct {
	v     [nregs]uint64
	known uint32
}

func (r *regs) set(i int, v uint64) { r.v[i], r.known = v, r.known|1<<i }

func (r *regs) get(i uint64) (uint64, bool) {
	return r.v[i%nregs], i < nregs && r.known>>i&1 != 0
}

// memory is what was copied of a stack, from address at up.
type memory struct {
	at uint64
	b  []byte
}

func (m memory) word(addr uint64) (uint64, bool) {
	off := addr - m.at
	if addr < m.at || off > uint64(len(m.b)) || uint64(len(m.b))-off < 8 {
		return 0, false
	}
	return le.Uint64(m.b[off:]), true
}

// caller makes the registers those of the frame above. False: it is not known.
func (f *fde) caller(r *regs, m memory, pc uint64) bool {
	row, err := f.run(pc)
	if err != nil {
		return false
	}
	var cfa uint64
	ok := false
	if row.cfa.how == ruleExpr {
		cfa, ok = eval(row.cfa.expr, r, m, 0, false)
	} else if cfa, ok = r.get(row.cfa.reg); ok {
		cfa += uint64(row.cfa.off)
	}
	if !ok {
		return false
	}
	var up regs
	for i := range row.regs {
		u := &row.regs[i]
		var v uint64
		ok := false
		switch u.how {
		case ruleSame:
			// of those that a function may change nothing is known
			if i == 3 || i == regBP || i >= 12 && i < 16 {
				v, ok = r.get(uint64(i))
			}
		case ruleOffset:
			v, ok = m.word(cfa + uint64(u.off))
		case ruleValOffset:
			v, ok = cfa+uint64(u.off), true
		case ruleRegister:
			v, ok = r.get(u.reg)
		case ruleExpr:
			if v, ok = eval(u.expr, r, m, cfa, true); ok {
				v, ok = m.word(v)
			}
		case ruleValExpr:
			v, ok = eval(u.expr, r, m, cfa, true)
		}
		if ok {
			up.set(i, v)
		}
	}
	if row.regs[regSP].how == ruleSame {
		up.set(regSP, cfa)
	}
	_, ip := up.get(regIP)
	sp, known := up.get(regSP)
	was, _ := r.get(regSP)
	if !ip || !known || sp <= was && !f.cie.signal {
		return false
	}
	*r = up
	return true
}

const maxDepth = 32

// eval evaluates the DWARF expressions that unwinding tables have.
func eval(expr []byte, regs *regs, m memory, cfa uint64, push bool) (uint64, bool) {
	var st []uint64
	if push {
		st = append(st, cfa)
	}
	r := &reader{b: expr}
	pop := func() uint64 {
		if len(st) == 0 {
			r.bad = true
			return 0
		}
		v := st[len(st)-1]
		st = st[:len(st)-1]
		return v
	}
	for r.at < len(r.b) && !r.bad && len(st) < maxDepth {
		op := r.byte()
		switch {
		case op >= 0x30 && op <= 0x4f: // lit
			st = append(st, uint64(op-0x30))
		case op >= 0x70 && op <= 0x8f: // breg
			v, ok := regs.get(uint64(op - 0x70))
			if !ok {
				return 0, false
			}
			st = append(st, v+uint64(r.sleb()))
		case op == 0x06: // deref
			v, ok := m.word(pop())
			if !ok {
				return 0, false
			}
			st = append(st, v)
		case op == 0x08:
			st = append(st, r.fixed(1))
		case op == 0x09:
			st = append(st, uint64(int64(int8(r.fixed(1)))))
		case op == 0x0a:
			st = append(st, r.fixed(2))
		case op == 0x0c:
			st = append(st, r.fixed(4))
		case op == 0x10:
			st = append(st, r.uleb())
		case op == 0x11:
			st = append(st, uint64(r.sleb()))
		case op == 0x12: // dup
			v := pop()
			st = append(st, v, v)
		case op == 0x1a:
			st = append(st, pop()&pop())
		case op == 0x1c:
			b, a := pop(), pop()
			st = append(st, a-b)
		case op == 0x22:
			st = append(st, pop()+pop())
		case op == 0x23:
			st = append(st, pop()+r.uleb())
		case op == 0x24:
			b, a := pop(), pop()
			st = append(st, a<<(b&63))
		case op == 0x2a: // ge
			b, a := pop(), pop()
			v := uint64(0)
			if int64(a) >= int64(b) {
				v = 1
			}
			st = append(st, v)
		default:
			return 0, false
		}
	}
	v := pop()
	return v, !r.bad
}
