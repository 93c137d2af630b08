package live

import (
	"math/bits"
	"strconv"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/wire"
)

// maxString is how many bytes of a string a line shows, maxItems how many
// elements of a list.
const (
	maxString = 128
	maxItems  = 16
)

// appendText appends one line, without its end:
//
//	4711 python3 +0.001234 open("/etc/passwd", O_RDONLY) = 3 <12µs>
func appendText(b []byte, e *report.Event) []byte {
	b = pad(strconv.AppendUint(b, uint64(e.PID), 10), 0, 7)
	at := len(b)
	b = report.AppendEscaped(b, []byte(e.Exe))
	b = pad(b, at, 12)
	b = appendSince(b, e.T-e.T0)
	b = append(b, ' ')
	if e.Kind == wire.EvStatement {
		return appendStatement(b, e)
	}
	if e.Probe == nil {
		b = append(append(b, "probe "...), strconv.Itoa(int(e.ID))...)
		return append(b, " (not explained)"...)
	}
	switch e.Kind {
	case wire.EvCall, wire.EvEnter:
		b = report.AppendEscaped(b, []byte(e.Probe.Name))
		b = append(b, '(')
		b = appendArgs(b, e)
		if e.Kind == wire.EvEnter {
			if e.Probe.Kind == "entry" {
				return appendRules(append(b, ')'), e.Rules)
			}
			return appendRules(append(b, " …"...), e.Rules)
		}
		b = append(b, ')')
	case wire.EvLeave:
		b = append(b, "… "...)
		b = report.AppendEscaped(b, []byte(e.Probe.Name))
		b = append(b, '(')
		b = appendArgs(b, e)
		b = append(b, ')')
	case wire.EvLost:
		b = append(b, "… "...)
		b = report.AppendEscaped(b, []byte(e.Probe.Name))
		return append(b, " = ? (return lost)"...)
	}
	b = append(b, " = "...)
	b = appendRet(b, e)
	if len(e.Msg) > 0 {
		b = append(append(report.AppendEscaped(append(b, " ("...), clip(e.Msg)), ')'), ' ')
	} else {
		b = append(b, ' ')
	}
	b = append(append(append(b, '<'), report.Duration(e.Dur)...), '>')
	return appendRules(b, e.Rules)
}

// appendRules names the rules that acted on a call.
func appendRules(b []byte, rules uint64) []byte {
	for ; rules != 0; rules &= rules - 1 {
		b = append(strconv.AppendInt(append(b, " [rule "...), int64(bits.TrailingZeros64(rules)+1), 10), ']')
	}
	return b
}

func appendStatement(b []byte, e *report.Event) []byte {
	b = append(b, "SQL "...)
	if len(e.SQL) == 0 {
		b = append(b, "(statement not seen)"...)
	} else {
		b = report.AppendEscaped(b, e.SQL)
	}
	b = append(b, " = "...)
	b = strconv.AppendInt(b, e.Rows, 10)
	b = append(b, " rows"...)
	if e.RC != 0 && e.RC&0xff != 100 && e.RC&0xff != 101 {
		b = append(append(b, ", code "...), strconv.FormatInt(e.RC, 10)...)
		if len(e.Msg) > 0 {
			b = append(report.AppendEscaped(append(b, ": "...), clip(e.Msg)), ' ')
		}
	}
	if e.Flags&1 != 0 {
		b = append(b, ", running"...)
	}
	b = append(append(append(b, " <"...), report.Duration(e.Dur)...), '>')
	if len(e.DB) > 0 {
		b = report.AppendEscaped(append(b, ' '), e.DB)
	}
	return b
}

// appendSince appends seconds and microseconds: +0.001234.
func appendSince(b []byte, ns int64) []byte {
	sign := byte('+')
	if ns < 0 {
		sign, ns = '-', -ns
	}
	b = append(b, sign)
	b = strconv.AppendInt(b, ns/1e9, 10)
	b = append(b, '.')
	us := ns % 1e9 / 1e3
	for k := int64(100000); k > 0; k /= 10 {
		b = append(b, byte('0'+us/k%10))
	}
	return b
}

func pad(b []byte, from, n int) []byte {
	for len(b)-from < n {
		b = append(b, ' ')
	}
	return append(b, ' ')
}

func appendArgs(b []byte, e *report.Event) []byte {
	first := true
	for i := range e.Args {
		v := &e.Args[i]
		// A leave has nil for what its enter told.
		if e.Kind == wire.EvLeave && v.Kind == wire.VNil && v.Status == wire.ArgOK {
			continue
		}
		if !first {
			b = append(b, ", "...)
		}
		first = false
		d := def(e.Probe, i)
		if e.Kind == wire.EvLeave && d.Name != "" {
			b = append(report.AppendEscaped(b, []byte(d.Name)), '=')
		}
		b = appendValue(b, v, d.Type, 0)
	}
	return b
}

func def(p *report.Probe, i int) wire.ArgDef {
	if i < len(p.Args) {
		return p.Args[i]
	}
	return wire.ArgDef{}
}

func appendRet(b []byte, e *report.Event) []byte {
	if e.Ret.Kind == wire.VNil && e.Probe.Ret.Type == "float" {
		b = append(b, '_')
	} else if e.Ret.Kind == wire.VNil && e.Probe.Ret.Type != "void" && e.Probe.Ret.Type != "" && e.Ret.Status == wire.ArgOK {
		b = append(b, "NULL"...)
	} else if e.Ret.Kind == wire.VNil && e.Ret.Status == wire.ArgOK {
		b = append(b, "void"...)
	} else {
		b = appendValue(b, &e.Ret, e.Probe.Ret.Type, 0)
	}
	if e.Err != 0 {
		b = append(b, ' ')
		b = append(b, report.ErrnoName(e.Err)...)
	}
	return b
}

func clip(s []byte) []byte {
	if len(s) > 4*maxString {
		return s[:4*maxString]
	}
	return s
}

func appendQuoted(b, s []byte, cut bool) []byte {
	if len(s) > maxString {
		s, cut = s[:maxString], true
	}
	b = append(b, '"')
	for len(s) > 0 {
		k := 0
		for k < len(s) && s[k] != '"' && s[k] != '\\' {
			k++
		}
		b = report.AppendEscaped(b, s[:k])
		if s = s[k:]; len(s) > 0 {
			b = append(b, '\\', s[0])
			s = s[1:]
		}
	}
	b = append(b, '"')
	if cut {
		b = append(b, "…"...)
	}
	return b
}

func appendValue(b []byte, v *wire.Value, typ string, depth int) []byte {
	switch v.Status {
	case wire.ArgNull:
		return append(b, "NULL"...)
	case wire.ArgBad:
		return append(b, "(unreadable)"...)
	case wire.ArgSkipped:
		return append(b, '_')
	case wire.ArgWithheld:
		return append(strconv.AppendInt(append(b, "(withheld, "...), v.Int, 10), " bytes)"...)
	}
	cut := v.Status == wire.ArgCut
	switch v.Kind {
	case wire.VNil:
		return append(b, "NULL"...)
	case wire.VInt:
		switch {
		case typ == "ptr" && v.Int == 0:
			return append(b, "NULL"...)
		case typ == "ptr":
			return strconv.AppendUint(append(b, "0x"...), uint64(v.Int), 16)
		case typ == "mode":
			return strconv.AppendInt(append(b, '0'), v.Int, 8)
		case typ == "errno":
			if v.Int > 0 && v.Int < 4096 {
				return append(b, report.ErrnoName(int32(v.Int))...)
			}
		}
		return strconv.AppendInt(b, v.Int, 10)
	case wire.VUint:
		if typ == "ptr" {
			return strconv.AppendUint(append(b, "0x"...), uint64(v.Int), 16)
		}
		return strconv.AppendUint(b, uint64(v.Int), 10)
	case wire.VStr:
		switch typ {
		case "flags", "enum", "sockaddr", "mode", "fd", "errno", "int", "uint", "ptr":
			s := v.Str
			if len(s) > maxString {
				s = s[:maxString]
			}
			return report.AppendEscaped(b, s)
		}
		return appendQuoted(b, v.Str, cut)
	case wire.VList, wire.VMap:
		if depth > 4 {
			return append(b, "…"...)
		}
		open, end, step := byte('['), byte(']'), 1
		if v.Kind == wire.VMap {
			open, end, step = '{', '}', 2
		}
		b = append(b, open)
		for i := 0; i+step <= len(v.List); i += step {
			if i > 0 {
				b = append(b, ", "...)
			}
			if i >= maxItems*step {
				b = append(b, "…"...)
				break
			}
			if step == 2 {
				b = append(report.AppendEscaped(b, v.List[i].Str), '=')
				b = appendValue(b, &v.List[i+1], "", depth+1)
			} else {
				b = appendValue(b, &v.List[i], "", depth+1)
			}
		}
		if cut {
			b = append(b, "…"...)
		}
		return append(b, end)
	}
	return append(b, '?')
}
