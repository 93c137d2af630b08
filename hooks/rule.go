package hooks

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// RuleKind says what a rule does to a call.
type RuleKind uint8

const (
	RuleFault RuleKind = iota + 1 // it fails, or is cut short
	RuleDelay                     // it is made later
	RuleDeny                      // it is refused
	RuleAudit                     // as RuleDeny, but it is only told
	RuleBreak                     // a breakpoint: the thread waits until it is released

	RuleNative   RuleKind = 8  // a callback of the user's, in a shared object
	RuleCallback RuleKind = 32 // a Go callback is asked (package callbacks)
)

func (k RuleKind) String() string {
	switch k {
	case RuleNative:
		return "native"
	case RuleCallback:
		return "callback"
	}
	return [...]string{"", "fault", "delay", "deny", "audit", "break"}[min(k, RuleBreak)]
}

// MaxRules is the most a spec may have: SEAM_MAX_RULES of preload/core/abi.h.
const MaxRules = 64

// MaxDelay is the longest a rule may hold up a call.
const MaxDelay = time.Minute

// How long a thread waits at a breakpoint, if it is not released.
const (
	DefaultBreak = 30 * time.Second
	MaxBreak     = time.Hour
)

// Rule is what is to be done to some calls. Which functions it is for says the
// probe that names it (Probe.Rule).
type Rule struct {
	Text   string // as it can be given again, with its seed
	Kind   RuleKind
	When   []Filter `json:",omitempty"` // all must hold
	Any    bool     `json:",omitempty"` // one of the errors the function can return
	Errno  uint16   `json:",omitempty"`
	Ret    string   `json:",omitempty"` // a number, NULL, or the name of a result
	Short  uint32   `json:",omitempty"` // bytes
	Delay  int64    `json:",omitempty"` // ns; of a breakpoint the longest wait
	Jitter int64    `json:",omitempty"` // ns, up to Delay; of a breakpoint its serial, which grows; 0: there is none
	After  int64    `json:",omitempty"` // ns since the program started
	Nth    uint64   `json:",omitempty"`
	Every  uint64   `json:",omitempty"`
	Max    uint64   `json:",omitempty"`
	Chance uint64   `json:",omitempty"` // of 2^64; 0: always
	Seed   uint64   `json:",omitempty"`
	Native *Native  `json:",omitempty"` // of RuleNative

	Callback uint32 `json:",omitempty"` // RuleCallback: its number among those that are compiled in; Delay is how long a call waits for it
	Position uint8  `json:",omitempty"` // RuleCallback: SEAM_POS_* of abi.h
}

// What a bound rule does, as SEAM_ACT_* of abi.h.
const (
	ActFault = 1
	ActShort = 2
	ActDelay = 3
	ActDeny  = 4
	ActAudit = 5
	ActBreak = 6

	ActNative   = 16
	ActCallback = 32
)

// Positions of a callback, as SEAM_POS_* of abi.h.
const (
	PosPre     = 1
	PosPost    = 2
	PosFailing = 3
)

// MayRefuse: a call of it need not be made, and can be given a result.
func MayRefuse(h *Hook) bool {
	return h.Flags&(HookNoReturn|HookExit) == 0 && !neverReturns(h.Name) && h.Ret.Type != TFloat
}

// How its error is expressed, as SEAM_RULE_* of abi.h.
const (
	RuleErrno = 1 // in errno
	RuleCode  = 2 // it is the result
	RuleNeg   = 4 // with RuleCode: negative

	RulePost    = 8  // of ActNative: after the call
	RuleFailing = 16 // of ActNative: after the call, if it failed
)

// maxRuleErrs is SEAM_RULE_ERRS of abi.h.
const maxRuleErrs = 24

// BoundRule is a rule with all that depends on the function resolved.
type BoundRule struct {
	What, Flags uint8
	CountArg    uint8
	Ret         int64
	Errs        []uint16
	When        []CFilter
	Odd         bool // the function is not known to return this error
}

// RuleError says why a rule can't be applied to a function.
type RuleError struct {
	Item  string // what of the rule: "errno", "ret", "short", "any", "when", "" the function
	Index int    // of "when"
	Func  string
	Msg   string
	Hint  string
}

func (e *RuleError) Error() string { return e.Func + ": " + e.Msg }

// ResolveRule binds a rule to a function.
func ResolveRule(h *Hook, r *Rule) (*BoundRule, error) {
	b := &BoundRule{Ret: -1}
	fail := func(item, msg, hint string) (*BoundRule, error) {
		return nil, &RuleError{Item: item, Func: h.Name, Msg: msg, Hint: hint}
	}
	for i := range r.When {
		switch r.When[i].Kind {
		case FilterFailed, FilterMinDuration:
			return nil, &RuleError{Item: "when", Index: i, Func: h.Name, Msg: "a rule acts before the call: whether it fails is not known yet"}
		}
		c, err := resolveFilter(h, &r.When[i])
		if err != nil {
			fe := err.(*FilterError)
			return nil, &RuleError{Item: "when", Index: i, Func: h.Name, Msg: fe.Msg, Hint: fe.Hint}
		}
		b.When = append(b.When, c)
	}
	switch {
	case r.Kind == RuleNative:
		return b, b.native(h, r)
	case r.Kind == RuleAudit:
		b.What = ActAudit
		return b, nil
	case r.Kind == RuleCallback:
		b.What, b.CountArg = ActCallback, r.Position
		switch {
		case r.Position == PosPre:
		case h.EntryOnly || h.Flags&(HookNoReturn|HookExit) != 0 || neverReturns(h.Name):
			return fail("", "its return is not seen", "a callback before the call is possible")
		case r.Position == PosFailing && h.Fail.Op == FailNever:
			return fail("", "it is not known when it fails", "a prototype with a 'fails' clause, or a callback after each call")
		}
		return b, nil
	case r.Kind == RuleDelay:
		b.What = ActDelay
		return b, nil
	case r.Kind == RuleBreak:
		b.What = ActBreak
		return b, nil
	case r.Short > 0:
		arg, why := shortArg(h)
		if why != "" {
			return fail("short", why, "short reads and writes are for read, pread, write, pwrite, send, sendto, recv, recvfrom and their like")
		}
		b.What, b.CountArg = ActShort, arg
		return b, nil
	}
	b.What = ActFault
	if r.Kind == RuleDeny {
		b.What = ActDeny
	}
	switch {
	case h.Flags&(HookNoReturn|HookExit) != 0 || neverReturns(h.Name):
		return fail("", "it does not return to its caller, so it can't fail", "a delay is possible")
	case h.Ret.Type == TFloat:
		return fail("", "its result is a floating point number, which a rule can't give", "")
	}
	return b, b.result(h, r)
}

// result fills in what a call that is not made returns.
func (b *BoundRule) result(h *Hook, r *Rule) error {
	fail := func(item, msg, hint string) error {
		return &RuleError{Item: item, Func: h.Name, Msg: msg, Hint: hint}
	}
	deny := r.Kind == RuleDeny
	if r.Errno != 0 {
		b.Errs, b.Odd = []uint16{r.Errno}, !isDocumented(h.Name, r.Errno)
	}
	if r.Ret != "" {
		v, err := resultNamed(h, r.Ret)
		if err != nil {
			return err
		}
		b.Ret = v
		if len(b.Errs) > 0 {
			b.Flags = RuleErrno
		}
		return nil
	}
	coded := h.Ret.Type == TErrno
	if b.Ret = failing(h); !h.Errno && !coded {
		switch names := Errors(h.Name); {
		case r.Errno != 0:
			hint := "give the result: ret="
			if len(names) > 0 {
				hint += oneOf(names[:min(len(names), 3)])
			}
			return fail("errno", "it does not tell its failure in errno", hint)
		case h.Ret.Type == TVoid && deny:
		case r.Any || deny && len(names) > 0:
			b.Flags = RuleCode
			for _, n := range names {
				v, ok := codeOf(h, n)
				if !ok || len(b.Errs) == maxRuleErrs {
					continue
				}
				if v = int64(int32(v)); v < 0 {
					b.Flags |= RuleNeg
					v = -v
				}
				if deny && n != "SQLITE_PERM" && n != "SQLITE_AUTH" && n != "EAI_FAIL" {
					continue
				}
				b.Errs = append(b.Errs, uint16(v))
			}
			if deny && len(b.Errs) > 1 {
				b.Errs = b.Errs[:1]
			}
			if len(b.Errs) == 0 {
				return fail("any", "which errors it returns is not known", "give one: ret=")
			}
		case h.Fail.Op == FailNever:
			return fail("", "it is not known how it fails", "give the result of the call: ret=, or a prototype with a 'fails' clause: --proto")
		}
		return nil
	}
	if b.Flags = RuleErrno; coded {
		b.Flags = RuleCode
	}
	switch {
	case r.Any:
		for _, n := range Errors(h.Name) {
			if e, ok := errnoNumber(n); ok && len(b.Errs) < maxRuleErrs {
				b.Errs = append(b.Errs, e)
			}
		}
		if len(b.Errs) == 0 {
			return fail("any", "which errors it returns is not known", "give one: errno=")
		}
	case r.Errno == 0:
		b.Errs = []uint16{denial(h.Name)}
	}
	return nil
}

// denial is the errno of a refused call.
func denial(function string) uint16 {
	name := "EACCES"
	if l := Errors(function); len(l) > 0 && !slices.Contains(l, name) && slices.Contains(l, "EPERM") {
		name = "EPERM"
	}
	e, _ := errnoNumber(name)
	return e
}

// failing is a result that says that the call failed.
func failing(h *Hook) int64 {
	switch {
	case h.Ret.Type == TVoid:
		return 0
	case h.Fail.Op == FailEQ:
		return h.Fail.Vals[0]
	case h.Fail.Op == FailNever && (h.Ret.Type == TPtr || h.Ret.Type == TString):
		return 0
	}
	return -1
}

// resultNamed is the value of ret=.
func resultNamed(h *Hook, text string) (int64, error) {
	if h.Ret.Type == TVoid {
		return 0, &RuleError{Item: "ret", Func: h.Name, Msg: "it returns nothing"}
	}
	if v, ok := parseNumber(text); ok {
		return v, nil
	}
	if text == "NULL" {
		return 0, nil
	}
	if v, ok := codeOf(h, text); ok {
		return int64(int32(v)), nil
	}
	if n, ok := errnoNumber(text); ok && h.Ret.Type == TErrno {
		return int64(n), nil
	}
	if v, ok := constants()[text]; ok {
		return v, nil
	}
	return 0, &RuleError{Item: "ret", Func: h.Name, Msg: "not a number or a known result: " + strconv.Quote(text), Hint: constantHint(text)}
}

// neverReturns: functions whose return is not to their caller, or twice.
func neverReturns(name string) bool {
	switch strings.TrimLeft(name, "_") {
	case "setjmp", "sigsetjmp", "longjmp", "siglongjmp", "longjmp_chk", "getcontext", "setcontext", "swapcontext", "exit", "quick_exit", "thrd_exit", "abort", "pthread_exit", "cxa_throw", "cxa_rethrow", "Unwind_RaiseException", "Unwind_Resume", "libc_start_main", "assert_fail", "stack_chk_fail":
		return true
	}
	return false
}

// shortArg is the word that counts the bytes of a transfer, or why there is none.
func shortArg(h *Hook) (uint8, string) {
	switch h.Name {
	case "read", "__read_chk", "pread", "pread64", "__pread_chk", "__pread64_chk", "write", "pwrite", "pwrite64",
		"send", "sendto", "recv", "__recv_chk", "recvfrom", "__recvfrom_chk", "sendfile", "sendfile64", "copy_file_range", "splice", "tee", "getrandom":
		for _, name := range []string{"count", "len", "size", "buflen", "length"} {
			for i := range h.Args {
				if a := &h.Args[i]; a.Name == name && a.Word >= 0 && a.Word < maxRegs {
					return uint8(a.Word), ""
				}
			}
		}
	case "readv", "writev", "preadv", "pwritev", "preadv64", "pwritev64", "preadv2", "pwritev2", "preadv64v2", "pwritev64v2", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "vmsplice":
		return 0, "its bytes are counted by a vector, of which a rule can't make a shorter one"
	case "fread", "fwrite", "__fread_chk":
		return 0, "a short count of it means the end of the file, or an error"
	}
	return 0, "it does not transfer a count of bytes"
}

// numbers are what a rule's line says: when it acts, on calls of whatever function.
func (r *Rule) numbers() [8]uint64 {
	return [...]uint64{r.Nth, r.Every, r.Max, r.Chance, r.Seed, uint64(r.After), uint64(r.Delay), uint64(r.Jitter)}
}

func (r *Rule) setNumbers(v [8]uint64) {
	r.Nth, r.Every, r.Max, r.Chance, r.Seed, r.After, r.Delay, r.Jitter = v[0], v[1], v[2], v[3], v[4], int64(v[5]), int64(v[6]), int64(v[7])
}

// withoutWhen leaves what a plan depends on.
func (r *Rule) withoutWhen() {
	r.Text = ""
	r.setNumbers([8]uint64{})
	if r.Native != nil {
		r.Native = &Native{Position: r.Native.Position}
	}
}

// appendLine writes the line for the core: the numbers, the kind, the text.
func (r *Rule) appendLine(b []byte) []byte {
	b = append(b, "rule"...)
	for _, v := range r.numbers() {
		b = strconv.AppendUint(append(b, ' '), v, 10)
	}
	return append(append(b, " "+r.Kind.String()+" "+r.Text...), '\n')
}

// parseLine is the inverse, for a line without its first word.
func (r *Rule) parseLine(line string) bool {
	var v [8]uint64
	for i := range v {
		word, rest, ok := strings.Cut(line, " ")
		n, err := strconv.ParseUint(word, 10, 64)
		if err != nil || !ok {
			return false
		}
		v[i], line = n, rest
	}
	r.setNumbers(v)
	kind, text, ok := strings.Cut(line, " ")
	r.Text = text
	return ok && kind == r.Kind.String()
}

func (r *Rule) check() error {
	p := Probe{Text: r.Text, Sym: "x", Instrument: Log, Filters: r.When}
	switch {
	case (r.Kind == RuleNative) != (r.Native != nil):
		return &RuleError{Msg: "a callback without its file"}
	case r.Kind == RuleNative && r.Native.check() != nil:
		return r.Native.check()
	case (r.Kind < RuleFault || r.Kind > RuleBreak) && r.Kind != RuleNative && r.Kind != RuleCallback:
		return &RuleError{Msg: "unknown kind of rule"}
	case strings.ContainsAny(r.Text, "\n\x00") || len(r.Text) > maxRuleText:
		return &RuleError{Msg: "its text is too long, or has a line break"}
	case r.Kind == RuleCallback && (r.Position < PosPre || r.Position > PosFailing || r.Callback >= MaxRules || r.Delay == 0):
		return &RuleError{Msg: "not a callback"}
	case r.Kind == RuleBreak && (r.Delay < 0 || r.Delay > int64(MaxBreak) || r.Jitter < 0),
		r.Kind != RuleBreak && (r.Delay < 0 || r.Delay > int64(MaxDelay) || r.Jitter < 0 || r.Jitter > r.Delay), r.After < 0:
		return &RuleError{Msg: "a time out of range"}
	}
	return p.check()
}
