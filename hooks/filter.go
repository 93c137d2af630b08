package hooks

import (
	"fmt"
	"strconv"
)

// CFilter mirrors struct seam_filter of preload/core/abi.h: a filter with its
// argument resolved to a captured word.
type CFilter struct {
	What   FilterKind
	Arg    uint8 // word
	Cmp    Cmp
	Len    uint8
	Width  uint8
	Signed bool
	Value  int64
	Str    [64]byte
	Set    []string // texts, ranges of addresses or shapes, sorted
}

// MaxFilters is the most a probe may have.
const MaxFilters = 8

// FilterError says why a filter can't be applied to a function.
type FilterError struct {
	Func string
	Msg  string
	Hint string
}

func (e *FilterError) Error() string { return fmt.Sprintf("filter %s: %s", e.Func, e.Msg) }

// ResolveFilters turns a probe's filters into those of one function.
func ResolveFilters(h *Hook, fs []Filter) ([]CFilter, error) {
	if len(fs) > MaxFilters {
		return nil, &FilterError{Func: h.Name, Msg: "too many conditions", Hint: "at most " + strconv.Itoa(MaxFilters)}
	}
	var out []CFilter
	for i := range fs {
		c, err := resolveFilter(h, &fs[i])
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func resolveFilter(h *Hook, f *Filter) (CFilter, error) {
	c := CFilter{What: f.Kind, Cmp: f.Cmp, Value: f.Value}
	bad := func(msg, hint string) (CFilter, error) {
		return CFilter{}, &FilterError{Func: h.Name, Msg: msg, Hint: hint}
	}
	switch f.Kind {
	case FilterFailed:
		if h.Fail.Op == FailNever {
			return bad("it is not known how it fails", "leave out 'failed' or name functions that can fail")
		}
		if h.EntryOnly {
			return bad("its return is not recorded, so 'failed' can't hold", "")
		}
		return c, nil
	case FilterMinDuration:
		if h.EntryOnly {
			return bad("its return is not recorded, so 'slower' can't hold", "")
		}
		if f.Value < 0 {
			return bad("a duration can't be negative", "")
		}
		return c, nil
	case FilterRuled:
		return c, nil
	case FilterIn:
		return resolveIn(h, f, c)
	case FilterInt, FilterPrefix, FilterAddr, FilterHas:
	default:
		return bad("unknown kind of condition", "")
	}
	if f.Cmp < CmpEQ || f.Cmp > CmpAnd {
		return bad("unknown comparison", "")
	}
	if h.NoProto {
		return resolveRaw(h, f, c)
	}
	i, hint := h.argIndex(f.Arg)
	if i < 0 && f.Arg == "path" && f.Kind == FilterHas {
		i = h.pathArg()
	}
	if i < 0 && f.Arg == "path" && f.Kind == FilterPrefix {
		if i = h.pathArg(); i >= 0 && h.Args[i].Type == TFD {
			c.What, c.Arg = FilterFDPath, uint8(h.Args[i].Word)
			c.Len = uint8(copy(c.Str[:], f.Str))
			return c, nil
		}
	}
	if i < 0 {
		return bad("no argument "+strconv.Quote(f.Arg), hint)
	}
	a := &h.Args[i]
	switch {
	case a.Word < 0:
		return bad("argument "+a.Name+" is not captured", "")
	case a.Out && (f.Kind == FilterPrefix || f.Kind == FilterHas || a.Type != TPtr || f.Value != 0):
		return bad("argument "+a.Name+" is known only when the call returns", "filters run before the call; use 'failed' or 'slower'")
	}
	c.Arg = uint8(a.Word)
	if f.Kind == FilterAddr {
		b, n, ok := addrRange(f.Str)
		switch {
		case a.Type != TSockaddr:
			return bad("argument "+a.Name+" is not a socket address", "~ is for the addresses of connect, bind, sendto")
		case !ok || f.Cmp != CmpEQ && f.Cmp != CmpNE:
			return bad("not a range of addresses", "")
		}
		c.Width = 0xff
		if a.Len >= 0 && !a.LenPtr && h.Args[a.Len].Word >= 0 {
			c.Width = uint8(h.Args[a.Len].Word)
		}
		c.Str, c.Len = b, uint8(n)
		return c, nil
	}
	if f.Kind == FilterPrefix || f.Kind == FilterHas {
		switch {
		case a.Secret:
			return bad("argument "+a.Name+" is secret", "")
		case a.Type != TString && (a.Type != TSQL || a.Set == utf16Set):
			return bad("argument "+a.Name+" is not a string", "compare it with == != < > or &")
		case f.Cmp != CmpEQ && f.Cmp != CmpNE:
			return bad("a string can only start with a prefix, or contain a text, or not", "use ^= !^= *= !*=")
		case len(f.Str) > len(c.Str):
			return bad("the prefix is longer than 64 bytes", "")
		}
		c.Len = uint8(copy(c.Str[:], f.Str))
		return c, nil
	}
	c.Width = 8
	switch a.Type {
	case TInt, TUint, TFlags, TEnum, TFD, TPid, TMode, TErrno:
		c.Width = max(a.Size, 1)
		c.Signed = a.signed()
	}
	if c.Width < 8 && !c.Signed && c.Cmp != CmpAnd {
		// 0xffffffff and -1 mean the same to a person.
		c.Value = int64(uint64(c.Value) & (1<<(8*c.Width) - 1))
	}
	return c, nil
}

// resolveRaw: with no prototype an argument is a register, by number.
func resolveRaw(h *Hook, f *Filter, c CFilter) (CFilter, error) {
	n, err := strconv.Atoi(f.Arg)
	if err != nil || n < 0 || n >= maxRegs {
		return CFilter{}, &FilterError{Func: h.Name, Msg: "no argument " + strconv.Quote(f.Arg),
			Hint: "nothing is known about its arguments: number them 0 to 5"}
	}
	c.Arg, c.Width, c.Signed = uint8(n), 8, true
	if f.Kind == FilterPrefix || f.Kind == FilterHas {
		if len(f.Str) > len(c.Str) {
			return CFilter{}, &FilterError{Func: h.Name, Msg: "the prefix is longer than 64 bytes"}
		}
		c.Width, c.Signed = 0, false
		c.Len = uint8(copy(c.Str[:], f.Str))
	}
	return c, nil
}

// argIndex finds an argument by name or decimal index.
func (h *Hook) argIndex(name string) (int, string) {
	var names []string
	for i := range h.Args {
		if h.Args[i].Name == name {
			return i, ""
		}
		names = append(names, h.Args[i].Name)
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 0 && n < len(h.Args) {
		return n, ""
	}
	if len(names) == 0 {
		return -1, "it has no arguments"
	}
	return -1, "its arguments are " + oneOf(names)
}

// Named is the argument of that name, nil when there is none. "path" is the one that is a
// file's name, whatever it is called.
func (h *Hook) Named(name string) *Arg {
	i, _ := h.argIndex(name)
	if i < 0 && name == "path" {
		if i = h.pathArg(); i >= 0 && h.Args[i].Type == TFD {
			i = -1
		}
	}
	if i < 0 {
		return nil
	}
	return &h.Args[i]
}

// pathArg is the argument that is a file's name, or, where there is none, a
// descriptor; -1 when there is neither.
func (h *Hook) pathArg() int {
	for i := range h.Args {
		if a := &h.Args[i]; a.Type == TString && !a.Out && !a.Secret && a.Word >= 0 {
			switch a.Name {
			case "file", "dir", "filename", "pathname", "name", "from", "command", "target", "template":
				return i
			}
		}
	}
	for i := range h.Args {
		if a := &h.Args[i]; a.Type == TFD && a.Set != dirfdSet && a.Word >= 0 && !a.Out {
			return i
		}
	}
	return -1
}

// signed says whether the integer's sign is shown.
func (a *Arg) signed() bool {
	switch a.Type {
	case TInt, TFD, TPid, TErrno:
		return true
	case TEnum:
		return a.Size == 4
	}
	return false
}
