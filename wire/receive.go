package wire

import "fmt"

// message decodes the value at the start of b, whose end is inside b, and moves
// the decoder behind it.
func (d *Decoder) message(b []byte, h Handler) error {
	n, i := array(b, 0)
	if i < 0 || n < 1 {
		return ErrSyntax
	}
	typ, i := integer(b, i)
	if i < 0 {
		return ErrSyntax
	}
	// Decoded lists take more memory than their bytes: other limits than for batches.
	if typ != MsgBatch && len(b) > maxCold {
		return ErrTooLarge
	}
	name, end := "", 0
	switch typ {
	case MsgHello:
		name, end = "hello", hello(b, i, n, h)
	case MsgProbe:
		name, end = "probe", probe(b, i, n, h)
	case MsgBatch:
		name, end = "batch", d.batch(b, i, n, h)
	case MsgCounts:
		name, end = "counts", counts(b, i, n, h)
	case MsgAccount:
		name, end = "account", balance(b, i, n, h.Account)
	case MsgBye:
		name, end = "bye", balance(b, i, n, h.Bye)
	case MsgError:
		name, end = "error", problem(b, i, n, h)
	case MsgProcess:
		name, end = "process", process(b, i, n, h)
	case MsgRefusal:
		name, end = "refusal", refusal(b, i, n, h)
	case MsgRule:
		name, end = "rule", rules(b, i, n, h)
	case MsgStatus:
		name, end = "status", status(b, i, n, h)
	case MsgSize:
		name, end = "size", d.size(b, i, n)
	default:
		end = skipN(b, i, n-1)
	}
	if end < 0 {
		if name == "" {
			return ErrSyntax
		}
		return fmt.Errorf("%s: %w", name, ErrSyntax)
	}
	d.pos += end
	if d.hint > MaxValue {
		return ErrTooLarge
	}
	return nil
}

func (d *Decoder) size(b []byte, i, n int) int {
	if n < 2 {
		return -1
	}
	v, i := integer(b, i)
	if i < 0 || v < 0 {
		return -1
	}
	d.hint = int(min(v, MaxValue+1))
	return skipN(b, i, n-2)
}

// pairs calls f for each pair of a map with a text key; f returns the index
// behind the value, or 0 to have it skipped.
func pairs(b []byte, i int, f func(key string, i int) int) int {
	n, i := mapping(b, i)
	for ; n > 0 && i >= 0; n-- {
		key, at := text(b, i)
		if at < 0 {
			i = skipN(b, i, 2)
			continue
		}
		if i = f(string(key), at); i == 0 {
			i = skip(b, at)
		}
	}
	return i
}

func str(b []byte, i int, s *string) int {
	v, i := text(b, i)
	*s = string(v)
	return i
}

func num[T int | int32 | int64 | uint32 | uint64](b []byte, i int, p *T) int {
	v, i := integer(b, i)
	*p = T(v)
	return i
}

// flag reads a boolean; other values are false.
func flag(b []byte, i int, p *bool) int {
	if uint(i) < uint(len(b)) {
		*p = b[i] == 0xc3
	}
	return skip(b, i)
}

func hello(b []byte, i, n int, h Handler) int {
	if n < 2 {
		return -1
	}
	var m Hello
	i = helloMap(b, i, &m)
	if i = skipN(b, i, n-2); i >= 0 {
		h.Hello(&m)
	}
	return i
}

// DecodeInfo reads the arena's map about its process, whose keys are those of
// hello, into h: what the map does not say stays as it is.
func DecodeInfo(b []byte, h *Hello) bool { return helloMap(b, 0, h) >= 0 }

func helloMap(b []byte, i int, m *Hello) int {
	return pairs(b, i, func(key string, i int) int {
		switch key {
		case "v":
			return num(b, i, &m.V)
		case "pid":
			return num(b, i, &m.PID)
		case "ppid":
			return num(b, i, &m.PPID)
		case "arena":
			v, i := text(b, i)
			copy(m.Arena[:], v)
			return i
		case "from":
			return str(b, i, &m.From)
		case "exe":
			return str(b, i, &m.Exe)
		case "argv":
			n, i := array(b, i)
			if n > maxItems {
				return -1
			}
			m.Argv = nil
			for ; n > 0 && i >= 0; n-- {
				var s string
				i = str(b, i, &s)
				m.Argv = append(m.Argv, s)
			}
			return i
		case "cwd":
			return str(b, i, &m.Cwd)
		case "start":
			return num(b, i, &m.Start)
		case "spec":
			return num(b, i, &m.Spec)
		case "policy":
			return str(b, i, &m.Policy)
		case "buffer":
			return num(b, i, &m.Buffer)
		case "ver":
			return str(b, i, &m.Ver)
		}
		return 0
	})
}

func argDef(b []byte, i int, a *ArgDef) int {
	return pairs(b, i, func(key string, i int) int {
		switch key {
		case "n":
			return str(b, i, &a.Name)
		case "t":
			return str(b, i, &a.Type)
		case "o":
			return flag(b, i, &a.Out)
		case "s":
			return str(b, i, &a.Set)
		}
		return 0
	})
}

func probe(b []byte, i, n int, h Handler) int {
	if n < 3 {
		return -1
	}
	var p ProbeDef
	if i = num(b, i, &p.ID); i < 0 {
		return -1
	}
	i = pairs(b, i, func(key string, i int) int {
		switch key {
		case "name":
			return str(b, i, &p.Name)
		case "lib":
			return str(b, i, &p.Lib)
		case "pack":
			return str(b, i, &p.Pack)
		case "kind":
			return str(b, i, &p.Kind)
		case "args":
			n, i := array(b, i)
			if n > maxItems {
				return -1
			}
			for ; n > 0 && i >= 0; n-- {
				var a ArgDef
				i = argDef(b, i, &a)
				p.Args = append(p.Args, a)
			}
			return i
		case "ret":
			return argDef(b, i, &p.Ret)
		case "fail":
			return str(b, i, &p.Fail)
		case "errno":
			return flag(b, i, &p.Errno)
		}
		return 0
	})
	if i = skipN(b, i, n-3); i >= 0 {
		h.Probe(&p)
	}
	return i
}

func counts(b []byte, i, n int, h Handler) int {
	if n < 3 {
		return -1
	}
	t, i := integer(b, i)
	rows, i := array(b, i)
	if rows > maxItems {
		return -1
	}
	var out []CountRow
	for ; rows > 0 && i >= 0; rows-- {
		var r CountRow
		if i = countRow(b, i, &r); i >= 0 {
			out = append(out, r)
		}
	}
	if i = skipN(b, i, n-3); i >= 0 {
		h.Counts(t, out)
	}
	return i
}

func countRow(b []byte, i int, r *CountRow) int {
	n, i := array(b, i)
	if i < 0 || n < 2 {
		return -1
	}
	i = num(b, i, &r.ID)
	i = num(b, i, &r.Calls)
	if n < 3 {
		return i
	}
	if uint(i) < uint(len(b)) && b[i] == 0xc0 {
		return skipN(b, i, n-2)
	}
	m, i := array(b, i)
	if i < 0 || m < 5 {
		return -1
	}
	r.HasHist = true
	var count uint64
	i = num(b, i, &count)
	i = num(b, i, &r.SumNS)
	i = num(b, i, &r.MaxNS)
	i = num(b, i, &r.Errors)
	buckets, i := array(b, i)
	for ; buckets > 0 && i >= 0; buckets-- {
		k, j := array(b, i)
		if j < 0 || k < 2 {
			return -1
		}
		var v HistBucket
		i = num(b, j, &v.Upper)
		i = num(b, i, &v.N)
		i = skipN(b, i, k-2)
		r.Buckets = append(r.Buckets, v)
	}
	i = skipN(b, i, m-5)
	return skipN(b, i, n-3)
}

func balance(b []byte, i, n int, f func(int64, *Account)) int {
	if n < 3 {
		return -1
	}
	t, i := integer(b, i)
	a := Account{ByProbe: map[uint32]uint64{}, Lost: map[string]uint64{}}
	i = pairs(b, i, func(key string, i int) int {
		switch key {
		case "produced":
			return num(b, i, &a.Produced)
		case "delivered":
			return num(b, i, &a.Delivered)
		case "dropped":
			return num(b, i, &a.Dropped)
		case "returns_lost":
			return num(b, i, &a.ReturnsLost)
		case "by_probe":
			n, i := mapping(b, i)
			for ; n > 0 && i >= 0; n-- {
				var id uint32
				var v uint64
				i = num(b, i, &id)
				i = num(b, i, &v)
				a.ByProbe[id] = v
			}
			return i
		case "lost":
			return pairs(b, i, func(key string, i int) int {
				var v uint64
				i = num(b, i, &v)
				a.Lost[key] = v
				return i
			})
		}
		return 0
	})
	if i = skipN(b, i, n-3); i >= 0 {
		f(t, &a)
	}
	return i
}

func problem(b []byte, i, n int, h Handler) int {
	if n < 6 {
		return -1
	}
	t, i := integer(b, i)
	var code, txt, advice string
	var count uint64
	i = str(b, i, &code)
	i = str(b, i, &txt)
	i = str(b, i, &advice)
	i = num(b, i, &count)
	if i = skipN(b, i, n-6); i >= 0 {
		h.Error(t, code, txt, advice, count)
	}
	return i
}

func process(b []byte, i, n int, h Handler) int {
	if n < 6 {
		return -1
	}
	t, i := integer(b, i)
	p := Process{Status: StatusUnknown}
	i = num(b, i, &p.PID)
	i = num(b, i, &p.PPID)
	i = str(b, i, &p.What)
	i = pairs(b, i, func(key string, i int) int {
		switch key {
		case "status":
			return num(b, i, &p.Status)
		case "signal":
			return num(b, i, &p.Signal)
		case "core":
			return flag(b, i, &p.Core)
		case "agent":
			return flag(b, i, &p.Agent)
		case "dropped":
			return num(b, i, &p.Dropped)
		case "tid":
			return num(b, i, &p.TID)
		case "thread":
			return num(b, i, &p.Thread)
		case "name":
			return str(b, i, &p.Name)
		}
		return 0
	})
	if i = skipN(b, i, n-6); i >= 0 {
		h.Process(t, &p)
	}
	return i
}

func refusal(b []byte, i, n int, h Handler) int {
	if n < 5 {
		return -1
	}
	var s [4]string
	for k := range s {
		i = str(b, i, &s[k])
	}
	if i = skipN(b, i, n-5); i >= 0 {
		h.Refusal(s[0], s[1], s[2], s[3])
	}
	return i
}
