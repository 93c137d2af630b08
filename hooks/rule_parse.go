package hooks

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxRuleText bounds a rule's text: the core reads all of them from the spec's head.
const maxRuleText = 512

// ParseRule reads a rule of the given kind:
//
//	[LIB:]FUNCTION:ITEM[,ITEM]...
//	[LIB:]PACK:ITEM[,ITEM]...
//
// FUNCTION is as in ParseProbe. An ITEM is what happens (errno=ENOSPC, ret=0, any,
// short=N; a time, for a delay), when (nth=N every=N p=P after=TIME max=N), what
// random choices come from (seed=N), or a condition on an argument (when=COND,
// or just COND), of which all must hold.
//
// seed is used where the rule needs one and has none; the text of the rule then
// says it. protos are the user's prototypes. The probe that is returned names the
// functions; its Rule is the caller's to set. warnings are for people.
func ParseRule(kind RuleKind, text string, seed uint64, protos []*Hook) (r Rule, p Probe, warnings []string, err error) {
	return ParseRuleWith(nil, kind, text, seed, protos)
}

// ParseRuleWith is ParseRule for a rule that may name lists in files.
func ParseRuleWith(lists Lists, kind RuleKind, text string, seed uint64, protos []*Hook) (r Rule, p Probe, warnings []string, err error) {
	s := ruleScanner{probeScanner: probeScanner{text: text, stop: ',', lists: lists}, at: map[string]int{}}
	s.rule = Rule{Text: text, Kind: kind}
	p = Probe{Text: kind.option() + " " + text, Instrument: Log, Filters: []Filter{{Kind: FilterRuled}}}
	if !utf8.ValidString(text) {
		s.fail(max(strings.IndexRune(text, utf8.RuneError), 0), "not UTF-8 text", "")
	}
	if len(text) > maxRuleText-40 || strings.ContainsAny(text, "\n\x00") {
		s.fail(0, "too long, or with a line break", "at most "+strconv.Itoa(maxRuleText-40)+" bytes")
	}
	if s.err == nil {
		s.target(&p)
	}
	for s.err == nil && s.pos < len(text) {
		s.item()
	}
	if s.err == nil {
		s.whole()
	}
	if s.err == nil {
		warnings = s.functions(&p, protos)
	}
	if kind == RuleBreak && s.rule.Delay == 0 {
		s.rule.Delay = int64(DefaultBreak)
	}
	if s.err != nil {
		s.err.What = kind.option()
		return Rule{}, Probe{}, nil, s.err
	}
	if s.rule.Chance != 0 || s.rule.Any || s.rule.Jitter != 0 {
		if _, given := s.at["seed"]; !given {
			s.rule.Seed = seed
			s.rule.Text += ",seed=" + strconv.FormatUint(seed, 10)
		}
	}
	return s.rule, p, warnings, nil
}

// AddCondition adds a condition to a rule's text, which need not be right.
func AddCondition(kind RuleKind, text, cond string) string {
	s := ruleScanner{probeScanner: probeScanner{text: text, stop: ','}, at: map[string]int{}}
	s.rule.Kind = kind
	s.target(new(Probe))
	sep := ","
	if s.err == nil && s.pos == len(text) {
		sep = ":"
	}
	return text + sep + "when=" + strings.TrimSpace(cond)
}

// option is the flag that gives a rule of this kind.
func (k RuleKind) option() string {
	if k == RuleAudit {
		return "--deny"
	}
	if k == RuleCallback {
		return "callback"
	}
	return "--" + k.String()
}

// RuleHelp is the grammar as the command's help shows it.
func RuleHelp() string {
	return `A rule is  [LIB:]FUNCTION:ITEM,ITEM…  or  [LIB:]PACK:ITEM,ITEM…

  --fault     errno=ENOSPC   fail with this error      ret=0   return this and do nothing
              any            fail with one of the errors the function can return
              short=N        transfer at most N bytes (read, write, send, recv and their like)
  --delay     200ms          wait before the call      jitter=50ms   give or take as much
  --deny      nothing, or errno=: refuse the call (EACCES or EPERM);  --audit: only tell of it
  --break     nothing, or timeout=30s: the thread waits before the call until it is released
  which calls nth=N, every=N, p=0.01 (seed=N), after=2s, max=N
              COND or when=COND, as in a probe's 'if'; all must hold:
              path^=/data    starts with;  path!^=/usr/bin  does not
              path*=/../     contains;  path in=/srv|/tmp  leads into a folder;  path!in=/srv  out of it
              addr~10.0.0.0/8   addr!~fd00::/8   addr~10.0.0.1:443   addr~unix:/run/

  --fault 'write:errno=ENOSPC,nth=3'               the third write fails
  --fault 'libc:file:any,p=0.01,seed=42'           a call in a hundred to a file fails, each time the same ones
  --fault 'pwrite64:path^=/data,short=1,every=10'  each tenth write to a file below /data writes a byte
  --delay 'connect:200ms,jitter=50ms'
  --deny 'execve:path!^=/usr/bin'
  --deny 'connect:addr!~10.0.0.0/8,addr!~unix'
  --break 'libsqlite3:sqlite3_step:nth=2,timeout=1m'
`
}

const ruleForm = "a rule is FUNCTION:ITEM,ITEM…, for instance write:errno=ENOSPC,nth=3"

type ruleScanner struct {
	probeScanner
	rule   Rule
	at     map[string]int // where an item's value is
	whenAt []int
	fnAt   int
}

// target reads what stands before the items.
func (s *ruleScanner) target(p *Probe) {
	var parts []string
	for len(parts) < 2 {
		from := s.pos
		end := segment(s.text[from:])
		part := strings.TrimSpace(s.text[from : from+end])
		last := from+end == len(s.text)
		bare := last && (s.rule.Kind == RuleDeny || s.rule.Kind == RuleAudit || s.rule.Kind == RuleBreak || s.rule.Kind == RuleCallback) && part != "any" // libc:execve
		if len(parts) > 0 && (last && !bare || !isName(part)) {
			break
		}
		s.fnAt = from
		parts = append(parts, part)
		s.pos = min(from+end+1, len(s.text))
		if last {
			break
		}
	}
	inner := probeScanner{text: strings.Join(parts, ":")}
	if len(parts) == 2 && parts[0] == "" {
		s.fail(0, "expected a library before ':'", ruleForm)
		return
	}
	var q Probe
	inner.target(&q)
	switch {
	case inner.err != nil:
		s.fail(s.fnAt, inner.err.Msg, ruleForm)
		return
	case q.Instrument != Log && q.Instrument != 0 || strings.Contains(parts[len(parts)-1], "@"):
		s.fail(s.fnAt, "a rule has no instrument", "probe the function, too: -p '"+q.Sym+"@count'")
		return
	}
	p.Lib = q.Lib
	if p.Sym = q.Sym; PackHooks(q.Sym) != nil {
		p.Pack, p.Sym = q.Sym, "*"
	}
}

// segment is the length of what stands before the next ':' that is not one of C++'s.
func segment(t string) int {
	for i := 0; i < len(t); i++ {
		if t[i] != ':' {
			continue
		}
		if i+1 < len(t) && t[i+1] == ':' {
			i++
			continue
		}
		return i
	}
	return len(t)
}

// isName: no item, which has an operator or a comma in it.
func isName(t string) bool { return t != "" && !strings.ContainsAny(t, "=<>&~, \"'") }

// item reads one item and the comma behind it.
func (s *ruleScanner) item() {
	s.space()
	at := s.pos
	for s.pos < len(s.text) && isIdent(s.text[s.pos], false) {
		s.pos++
	}
	word := s.text[at:s.pos]
	s.space()
	rest := s.text[s.pos:]
	switch {
	case strings.HasPrefix(rest, "=") && !strings.HasPrefix(rest, "=="):
		s.pos++
		s.space()
		s.value(word, at)
	case word == "any" && (rest == "" || rest[0] == ','):
		s.once("any", at)
		s.rule.Any = true
	case word != "" && (rest == "" || rest[0] == ',' || rest[0] == '.') || word == "":
		s.pos = at
		s.bare(at)
	default:
		s.pos = at
		s.when()
	}
	if s.err != nil {
		return
	}
	s.space()
	if s.pos == len(s.text) {
		return
	}
	if s.text[s.pos] != ',' {
		s.fail(s.pos, "expected ',' before the next item", "")
		return
	}
	if s.pos++; strings.TrimSpace(s.text[s.pos:]) == "" {
		s.fail(s.pos-1, "nothing after the ','", "leave it out")
	}
}

var ruleKeys = []string{"errno", "ret", "short", "any", "nth", "every", "p", "seed", "after", "max", "when", "jitter", "timeout"}

// bare reads an item that is a single word: the time of a delay.
func (s *ruleScanner) bare(at int) {
	w := s.word()
	d, err := time.ParseDuration(w)
	switch {
	case w == "":
		s.fail(at, "expected an item", ruleForm)
	case err != nil && s.rule.Kind == RuleDelay:
		s.fail(at, "not a time or an item: "+strconv.Quote(w), "for instance connect:200ms")
	case err != nil:
		hint := didYouMean(w, ruleKeys)
		if _, ok := errnoNumber(w); ok {
			hint = "errno=" + w
		} else if hint == "" {
			hint = "an item is " + oneOf(ruleKeys) + ", or a condition"
		}
		s.fail(at, "unknown item "+strconv.Quote(w), hint)
	case s.rule.Kind != RuleDelay:
		s.fail(at, "a time belongs to a delay", "--delay '"+s.text+"'")
	case d <= 0 || d > MaxDelay:
		s.fail(at, "a delay is more than 0 and at most "+MaxDelay.String(), "for instance connect:200ms")
	default:
		s.once("delay", at)
		s.rule.Delay = int64(d)
	}
}

func (s *ruleScanner) once(key string, at int) {
	if _, twice := s.at[key]; twice {
		s.fail(at, key+" is there twice", "")
	}
	s.at[key] = at
}

// when reads a condition.
func (s *ruleScanner) when() {
	var p Probe
	p.Filters = s.rule.When
	at := s.pos
	s.cond(&p)
	s.rule.When, s.whenAt = p.Filters, append(s.whenAt, at)
}

// value reads what follows KEY=.
func (s *ruleScanner) value(key string, keyAt int) {
	if key == "when" {
		s.when()
		return
	}
	at := s.pos
	w := s.word()
	r := &s.rule
	s.once(key, at)
	switch key {
	case "errno":
		n, ok := errnoNumber(w)
		if v, err := strconv.ParseUint(w, 10, 16); err == nil && v > 0 && v < 4096 {
			n, ok = uint16(v), true
		}
		if !ok {
			s.fail(at, "unknown errno "+strconv.Quote(w), didYouMean(strings.ToUpper(w), errnoNames()))
		}
		r.Errno = n
	case "ret":
		if r.Ret = w; w == "" {
			s.fail(at, "expected a result after ret=", "a number, NULL, or a name such as SQLITE_BUSY")
		}
	case "short":
		v, ok := parseNumber(w)
		if !ok || v < 1 || v > math.MaxInt32 {
			s.fail(at, "not a number of bytes: "+strconv.Quote(w), "at least 1: a transfer of 0 bytes means the end")
		}
		r.Short = uint32(v)
	case "nth":
		r.Nth = s.count(w, at)
	case "every":
		r.Every = s.count(w, at)
	case "max":
		r.Max = s.count(w, at)
	case "seed":
		v, err := strconv.ParseUint(w, 0, 64)
		if err != nil {
			s.fail(at, "not a seed: "+strconv.Quote(w), "a number from 0 on")
		}
		r.Seed = v
	case "p":
		v, err := strconv.ParseFloat(w, 64)
		if err != nil || !(v > 0 && v <= 1) {
			s.fail(at, "not a probability: "+strconv.Quote(w), "more than 0, at most 1")
			return
		}
		if f := math.Ldexp(v, 64); f < math.MaxUint64 {
			r.Chance = max(uint64(f), 1)
		}
	case "timeout":
		d, err := time.ParseDuration(w)
		switch {
		case r.Kind != RuleBreak:
			s.fail(keyAt, "a timeout belongs to a breakpoint", "--break '"+s.text+"'")
		case err != nil || d <= 0 || d > MaxBreak:
			s.fail(at, "not a time to wait at a breakpoint: "+strconv.Quote(w), "more than 0 and at most "+MaxBreak.String()+", for instance 30s")
		}
		r.Delay = int64(d)
	case "after", "jitter":
		d, err := time.ParseDuration(w)
		if err != nil || d < 0 {
			s.fail(at, "not a time: "+strconv.Quote(w), "a number with a unit: 100us, 5ms, 1.5s")
		}
		if key == "after" {
			r.After = int64(d)
		} else {
			r.Jitter = int64(d)
		}
	default:
		hint := didYouMean(key, ruleKeys)
		if hint == "" {
			hint = "an item is " + oneOf(ruleKeys) + "; equality is =="
		}
		s.fail(keyAt, "unknown item "+strconv.Quote(key), hint)
	}
}

func (s *ruleScanner) count(w string, at int) uint64 {
	v, err := strconv.ParseUint(w, 10, 63)
	if err != nil || v == 0 {
		s.fail(at, "not a number of calls: "+strconv.Quote(w), "from 1 on")
	}
	return v
}

// whole checks what items may go together.
func (s *ruleScanner) whole() {
	r := &s.rule
	pos := func(key string) int { return s.at[key] }
	_, hasDelay := s.at["delay"]
	_, hasJitter := s.at["jitter"]
	acts := 0
	for _, on := range []bool{r.Any, r.Short > 0, r.Errno != 0 || r.Ret != ""} {
		if on {
			acts++
		}
	}
	switch {
	case r.Nth != 0 && r.Every != 0:
		s.fail(pos("every"), "nth and every in one rule", "nth=3 is the third call; every=3 each third")
	case hasJitter && r.Kind != RuleDelay:
		s.fail(pos("jitter"), "jitter belongs to a delay", "--delay 'connect:200ms,jitter=50ms'")
	case r.Kind == RuleDelay && !hasDelay:
		s.fail(len(s.text), "expected a time", "for instance connect:200ms")
	case r.Kind == RuleDelay && acts > 0:
		s.fail(0, "a delay does not fail the call, too", "give both: --delay and --fault")
	case r.Jitter > r.Delay:
		s.fail(pos("jitter"), "more jitter than delay", "at most the delay itself")
	case r.Kind == RuleFault && acts == 0:
		s.fail(len(s.text), "expected what is to happen", "errno=EIO, ret=0, any, or short=1")
	case r.Kind == RuleCallback && (acts > 0 || hasDelay):
		s.fail(0, "what happens to a call is the callback's to say", "only conditions, and nth, every, p, after, max")
	case acts > 1:
		s.fail(0, "a rule does one thing: any, short, or errno and ret", "give two rules")
	case r.Kind == RuleBreak && acts > 0:
		s.fail(0, "a breakpoint does not fail the call, too", "give both: --break and --fault")
	case (r.Kind == RuleDeny || r.Kind == RuleAudit) && (r.Any || r.Short > 0):
		s.fail(0, "a refused call has one error", "errno=EPERM, or --fault for the others")
	}
}

// functions looks the rule's functions up, so that what can't be is said before
// anything runs.
func (s *ruleScanner) functions(p *Probe, protos []*Hook) (warnings []string) {
	var list []*Hook
	switch {
	case p.Pack != "":
		if list = PackHooks(p.Pack); p.Lib == "" || MatchLib(p.Lib, "libc.so.6") && packOf(p.Pack).lib == "libc" {
			p.Lib = packOf(p.Pack).lib
		}
	case p.Sym[0] == '+':
		list = []*Hook{Unknown(p.Sym)}
	default:
		list = s.named(p, protos)
	}
	if s.err != nil {
		return nil
	}
	fits, known := 0, map[string]bool{}
	var first error
	for _, h := range list {
		b, err := ResolveRule(h, &s.rule)
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		if fits++; b.Odd && !known[h.Name] {
			known[h.Name] = true
			warnings = append(warnings, h.Name+" is not known to fail with "+ErrnoName(int(s.rule.Errno))+"; it is made to all the same (its errors: "+strings.Join(Errors(h.Name), " ")+")")
		}
	}
	if fits > 0 {
		if len(list) > 1 {
			return nil // of many, some may well not know it
		}
		return warnings
	}
	at := s.fnAt
	re, ok := first.(*RuleError)
	if !ok {
		s.fail(at, "no function it could be applied to", "")
		return nil
	}
	switch {
	case re.Item == "when" && re.Index < len(s.whenAt):
		at = s.whenAt[re.Index]
	case s.at[re.Item] > 0:
		at = s.at[re.Item]
	}
	s.fail(at, re.Func+": "+re.Msg, re.Hint)
	return nil
}

// named finds the functions that a name or a pattern stands for.
func (s *ruleScanner) named(p *Probe, protos []*Hook) (list []*Hook) {
	for _, h := range protos {
		if Glob(p.Sym, h.Name) {
			list = append(list, h)
		}
	}
	if len(list) > 0 {
		return list
	}
	libc := p.Lib == "" || MatchLib(p.Lib, "libc.so.6")
	if IsGlob(p.Sym) {
		for _, n := range Names() {
			if Glob(p.Sym, n) {
				if h, ok := Lookup("", n); ok {
					list = append(list, h)
				}
			}
		}
	} else if h, ok := Lookup(p.Lib, p.Sym); ok {
		list = append(list, h)
	}
	switch {
	case len(list) == 0 && libc:
		hint := didYouMean(p.Sym, append(Names(), Packs()...))
		if hint == "" {
			hint = "say which library has it (./app:" + p.Sym + "), and declare it with --proto"
		}
		s.fail(s.fnAt, "unknown function "+strconv.Quote(p.Sym), hint)
	case len(list) == 0:
		list = []*Hook{Unknown(p.Sym)}
	case p.Lib == "":
		p.Lib = packOf(list[0].Pack).lib
	}
	return list
}

func errnoNames() []string {
	var names []string
	for n := range errnoNumbers() {
		names = append(names, n)
	}
	return sorted(names)
}

// addrRange reads what follows ~: an address, with a prefix length or a port, or
// unix, or unix: and the start of a path.
func addrRange(text string) (b [64]byte, n int, ok bool) {
	const unixKind, inetKind, inet6Kind = 1, 2, 10
	if rest, is := strings.CutPrefix(text, "unix"); is {
		path, colon := strings.CutPrefix(rest, ":")
		if !colon && rest != "" || len(path) > 44 {
			return b, 0, false
		}
		b[0], b[1] = unixKind, byte(len(path))
		return b, 20 + copy(b[20:], path), true
	}
	var ip netip.Addr
	bits, port := -1, uint16(0)
	if pre, err := netip.ParsePrefix(text); err == nil {
		ip, bits = pre.Addr(), pre.Bits()
	} else if ap, err := netip.ParseAddrPort(text); err == nil && ap.Port() != 0 {
		ip, port = ap.Addr(), ap.Port()
	} else if ip, err = netip.ParseAddr(text); err != nil {
		return b, 0, false
	}
	if ip.Zone() != "" {
		return b, 0, false
	}
	if bits < 0 {
		bits = ip.BitLen()
	}
	b[0], b[1], b[2], b[3] = inetKind, byte(bits), byte(port), byte(port>>8)
	if ip.Is6() {
		b[0] = inet6Kind
	}
	copy(b[4:], ip.AsSlice())
	return b, 20, true
}
