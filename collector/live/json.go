package live

import (
	"math/bits"
	"strconv"
	"unicode/utf8"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/wire"
)

var kinds = [...]string{wire.EvCall: "call", wire.EvEnter: "enter", wire.EvLeave: "leave", wire.EvStatement: "statement", wire.EvLost: "lost"}

// AppendJSON appends one event as a JSON object, without a line end. Keys are
// only ever added.
//
//	always      type ("call" "enter" "leave" "lost" "statement"), t (epoch ns), pid, tid, thread, exe
//	calls       id, seq, lib, name, args (object by name); with a return: dur (ns), ret, err (errno, -1, 0), errno (name), msg; rules (numbers of those that acted)
//	statement   dur, db, sql, rows, rc, msg, running, cut
//
// Bytes that are not UTF-8 are replaced by U+FFFD. An argument that is not simply
// a value is {"status": "cut"|"null"|"bad"|"skipped"|"withheld", "value": …}.
func AppendJSON(b []byte, e *report.Event) []byte {
	b = append(b, `{"type":"`...)
	if int(e.Kind) < len(kinds) {
		b = append(b, kinds[e.Kind]...)
	}
	b = num(append(b, '"'), "t", e.T)
	b = num(b, "pid", int64(e.PID))
	b = num(b, "tid", int64(e.TID))
	b = num(b, "thread", int64(e.Thread))
	b = appendString(append(b, `,"exe":`...), e.Exe)
	if e.Kind == wire.EvStatement {
		b = num(b, "dur", e.Dur)
		b = textOrNull(b, "db", e.DB)
		b = textOrNull(b, "sql", e.SQL)
		b = num(b, "rows", e.Rows)
		b = num(b, "rc", e.RC)
		b = textOrNull(b, "msg", e.Msg)
		b = strconv.AppendBool(append(b, `,"running":`...), e.Flags&1 != 0)
		b = strconv.AppendBool(append(b, `,"cut":`...), e.Flags&2 != 0)
		return append(b, '}')
	}
	b = num(b, "id", int64(e.ID))
	b = num(b, "seq", int64(e.Seq))
	if p := e.Probe; p != nil {
		b = appendString(append(b, `,"lib":`...), p.Lib)
		b = appendString(append(b, `,"name":`...), p.Name)
	}
	if e.Kind == wire.EvLost {
		return append(b, '}')
	}
	b = append(b, `,"args":{`...)
	first := true
	for i := range e.Args {
		v := &e.Args[i]
		if e.Kind == wire.EvLeave && v.Kind == wire.VNil && v.Status == wire.ArgOK {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		name := ""
		if e.Probe != nil && i < len(e.Probe.Args) {
			name = e.Probe.Args[i].Name
		}
		if name == "" {
			name = "arg" + strconv.Itoa(i)
		}
		b = append(appendString(b, name), ':')
		b = jsonValue(b, v, 0)
	}
	b = append(b, '}')
	if e.Rules != 0 {
		b = append(b, `,"rules":[`...)
		for r := e.Rules; r != 0; r &= r - 1 {
			if r != e.Rules {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(bits.TrailingZeros64(r)+1), 10)
		}
		b = append(b, ']')
	}
	if e.Kind == wire.EvEnter {
		return append(b, '}')
	}
	b = num(b, "dur", e.Dur)
	b = jsonValue(append(b, `,"ret":`...), &e.Ret, 0)
	b = num(b, "err", int64(e.Err))
	if e.Err != 0 {
		b = appendString(append(b, `,"errno":`...), report.ErrnoName(e.Err))
	}
	if len(e.Msg) > 0 {
		b = appendString(append(b, `,"msg":`...), e.Msg)
	}
	return append(b, '}')
}

func num(b []byte, key string, v int64) []byte {
	b = append(append(append(b, `,"`...), key...), `":`...)
	return strconv.AppendInt(b, v, 10)
}

func textOrNull(b []byte, key string, s []byte) []byte {
	b = append(append(append(b, `,"`...), key...), `":`...)
	if s == nil {
		return append(b, "null"...)
	}
	return appendString(b, s)
}

var statusNames = [...]string{wire.ArgCut: "cut", wire.ArgNull: "null", wire.ArgBad: "bad", wire.ArgSkipped: "skipped", wire.ArgWithheld: "withheld"}

func jsonValue(b []byte, v *wire.Value, depth int) []byte {
	if v.Status == wire.ArgOK {
		return jsonPlain(b, v, depth)
	}
	status := "unknown"
	if int(v.Status) < len(statusNames) {
		status = statusNames[v.Status]
	}
	b = append(append(append(b, `{"status":"`...), status...), '"')
	switch v.Status {
	case wire.ArgWithheld:
		b = strconv.AppendInt(append(b, `,"value":`...), v.Int, 10)
	case wire.ArgCut:
		b = jsonPlain(append(b, `,"value":`...), v, depth)
	}
	return append(b, '}')
}

func jsonPlain(b []byte, v *wire.Value, depth int) []byte {
	if depth > 8 {
		return append(b, "null"...)
	}
	switch v.Kind {
	case wire.VInt:
		return strconv.AppendInt(b, v.Int, 10)
	case wire.VUint:
		return strconv.AppendUint(b, uint64(v.Int), 10)
	case wire.VStr:
		return appendString(b, v.Str)
	case wire.VList:
		b = append(b, '[')
		for i := range v.List {
			if i > 0 {
				b = append(b, ',')
			}
			b = jsonValue(b, &v.List[i], depth+1)
		}
		return append(b, ']')
	case wire.VMap:
		b = append(b, '{')
		for i := 0; i+1 < len(v.List); i += 2 {
			if i > 0 {
				b = append(b, ',')
			}
			if k := &v.List[i]; k.Kind == wire.VStr {
				b = appendString(b, k.Str)
			} else {
				b = appendString(b, strconv.FormatInt(k.Int, 10))
			}
			b = jsonValue(append(b, ':'), &v.List[i+1], depth+1)
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}

// appendString appends a JSON string; only ASCII control characters, quotes and
// backslashes need escapes, and U+2028/9 for readers that are JavaScript.
func appendString[T string | []byte](b []byte, s T) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
			i++
		case c < 0x20 || c == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			i++
		case c < 0x80:
			b = append(b, c)
			i++
		default:
			r, n := utf8.DecodeRune([]byte(s[i:min(i+4, len(s))]))
			switch {
			case r == utf8.RuneError && n <= 1:
				b = append(b, "\ufffd"...)
			case r == 0x2028 || r == 0x2029 || r >= 0x80 && r < 0xa0:
				b = append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
			default:
				b = append(b, s[i:i+n]...)
			}
			i += n
		}
	}
	return append(b, '"')
}
