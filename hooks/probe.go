package hooks

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ParseProbe reads what a user writes after -p:
//
//	[LIB:]FUNCTION[@INSTRUMENT] [if COND [and COND]...] [failed] [slower TIME]
//	LIB:+ADDRESS[@INSTRUMENT] ...
//
// LIB is a library as one says it (libc, libssl.so.3, libpy*) or, with a /,
// a file; without it any object matches. FUNCTION is a name or a glob
// (* ? [a-z]), exported or not; with :: it is one of C++, without its arguments.
// ADDRESS is where it is in the file, as nm and objdump print it.
// INSTRUMENT is log (the default), count or hist.
//
// COND compares an argument, by name or by position from 0, with a number, a
// constant (O_CREAT, AF_INET, SIGTERM) or a prefix; calls for which one does not
// hold leave no record:
//
//	ARG == N   ARG != N   ARG < N   ARG <= N   ARG > N   ARG >= N
//	ARG & BITS            any of these bits
//	ARG ^= "/etc/"        starts with;   ARG !^= "/proc/"  does not
//	ARG ~ 10.0.0.0/8      a socket address in this range; ARG !~ unix:/run/  not so
//
// The name path means a file's name, whatever the prototype calls it; of a function
// that has only a descriptor it means what that is open on.
//
// failed keeps the calls that fail, slower the calls that took at least TIME.
//
//	libc:open*
//	libc:write@hist
//	libc:open* if file ^= "/etc/" failed
//	libc:openat if oflag & O_CREAT and file !^= /tmp/
//	libsqlite3:sqlite3_step slower 5ms
//	./app:do_work@count
//	./app:+0x1234
//	./app:Parser::parse*
func ParseProbe(text string) (Probe, error) {
	s := probeScanner{text: text}
	p := Probe{Text: text, Instrument: Log}
	if !utf8.ValidString(text) {
		// The spec travels as JSON, which has no other text.
		at := strings.IndexRune(text, utf8.RuneError)
		s.fail(max(at, 0), "not UTF-8 text", "")
	}
	s.target(&p)
	s.clauses(&p)
	if s.err != nil {
		return Probe{}, s.err
	}
	return p, nil
}

// ProbeHelp is the grammar as the command's help shows it.
func ProbeHelp() string {
	return `A probe is  [LIB:]FUNCTION[@INSTRUMENT] [if COND [and COND]...] [failed] [slower TIME]

  LIB         libc, libsqlite3, libssl.so.3, libpy*, ./app, /abs/lib.so; left out: any object
  FUNCTION    a name, or a pattern of * ? [a-z]; static functions too, and C++ (Parser::parse*);
              or +0x1234, the address of one in the file, as nm prints it
  INSTRUMENT  log (each call; the default), count (how many), hist (how long)
  COND        ARG == N, also != < <= > >=    ARG & BITS    ARG ^= "prefix"    ARG !^= "prefix"
              ARG ~ 10.0.0.0/8    ARG !~ fd00::/8    ARG ~ unix:/run/
              ARG is an argument's name, or its position from 0;
              path is the file's name or, of a call that has only a descriptor, what that is open on
              N is 12, -1, 0x1f, 0o644, 64k, 1M, or a constant such as O_CREAT, AF_INET, SIGTERM
  failed      only calls that fail
  slower TIME only calls that take at least TIME: 100us, 5ms, 1.5s

  libc:open*                              every open in libc
  libc:write@hist                         how long writes take
  'libc:open* if file ^= "/etc/" failed'  what is missing in /etc
  'libc:openat if oflag & O_CREAT'        files that may be created
  'libsqlite3:sqlite3_step slower 5ms'    slow steps
  ./app:do_work@count                     how often the program's own function is called
`
}

type probeScanner struct {
	text string
	stop byte // ends a word, besides blanks; 0: nothing else does
	pos  int
	err  *ProbeError

	lists Lists // nil: there are none
}

func (s *probeScanner) fail(pos int, msg, hint string) {
	if s.err == nil {
		s.err = &ProbeError{Text: s.text, Col: pos + 1, Msg: msg, Hint: hint}
	}
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func (s *probeScanner) space() {
	for s.pos < len(s.text) && blank(s.text[s.pos]) {
		s.pos++
	}
}

const probeForm = "a probe is LIB:FUNCTION, for instance libc:open*"

// target reads LIB:FUNCTION@INSTRUMENT.
func (s *probeScanner) target(p *Probe) {
	s.space()
	start := s.pos
	if s.pos < len(s.text) && (s.text[s.pos] == '"' || s.text[s.pos] == '\'') {
		// Only a file name needs quotes: "./my app":work
		p.Lib, _ = s.quoted()
		if s.err != nil {
			return
		}
		if s.pos == len(s.text) || s.text[s.pos] != ':' {
			s.fail(s.pos, "expected ':' and a function name", probeForm)
			return
		}
		s.pos++
	} else if i := libEnd(s.word()); i >= 0 {
		p.Lib = s.text[start : start+i]
		if p.Lib == "" {
			s.fail(start, "expected a library before ':'", "leave out the ':' to mean any object")
			return
		}
		s.pos = start + i + 1
	} else {
		s.pos = start
	}
	at := s.pos
	p.Sym = s.word()
	if i := strings.IndexByte(p.Sym, '@'); i >= 0 {
		s.instrument(p, p.Sym[i+1:], at+i+1)
		p.Sym = p.Sym[:i]
	}
	switch {
	case p.Sym == "":
		s.fail(at, "expected a function name", probeForm)
	case p.Sym[0] == '+':
		s.offset(p, at)
	case strings.IndexByte(p.Sym, '/') >= 0:
		s.fail(at, "a function name has no '/'", "name the function after a ':': "+p.Sym+":main")
	default:
		for i := 0; i < len(p.Sym); i++ {
			if c := p.Sym[i]; c <= ' ' || c == 0x7f || strings.IndexByte("=<>&\"'(),;", c) >= 0 {
				hint := probeForm
				if c == '(' {
					hint = "a function is named without its arguments: ns::Parser::parse"
				}
				s.fail(at+i, "unexpected "+strconv.QuoteRune(rune(c))+" in a function name", hint)
				return
			}
		}
		if i := openBracket(p.Sym); i >= 0 {
			s.fail(at+i, "the '[' is not closed", "a pattern has * ? [a-z]; a name has no '['")
		}
		if len(p.Sym) > 4096 || len(p.Lib) > 4096 {
			s.fail(at, "the name is too long", "")
		}
	}
	for i := 0; i < len(p.Lib); i++ {
		if c := p.Lib[i]; c < ' ' || c == 0x7f {
			s.fail(start, "a control character in the library's name", "")
		}
	}
}

// libEnd is where the colon is that ends LIB, or -1: the last one, not counting
// the pairs of C++.
func libEnd(w string) int {
	last := -1
	for i := 0; i < len(w); i++ {
		if w[i] != ':' {
			continue
		}
		if i > 0 && i+1 < len(w) && w[i+1] == ':' && (i+2 == len(w) || w[i+2] != ':') {
			i++
			continue
		}
		last = i
	}
	return last
}

// offset checks an address that stands for a function.
func (s *probeScanner) offset(p *Probe, at int) {
	switch {
	case !isOffset(p.Sym):
		s.fail(at+1, "not an address: "+strconv.Quote(p.Sym[1:]), "as nm and objdump print it: +0x1234")
	case p.Lib == "":
		s.fail(at, "an address needs the file it is in", "for instance ./app:"+p.Sym)
	case IsGlob(p.Lib):
		s.fail(at, "an address is in one file, not in all that match a pattern", "")
	}
}

// isOffset: +ADDRESS.
func isOffset(sym string) bool {
	if len(sym) < 2 || sym[0] != '+' {
		return false
	}
	_, err := strconv.ParseUint(sym[1:], 0, 64)
	return err == nil
}

// openBracket is where a pattern has a '[' without its ']', or -1. A ']' right
// behind the '[', or its '!', is one of the set.
func openBracket(pattern string) int {
	for i := 0; i < len(pattern); i++ {
		if pattern[i] == '\\' {
			i++
			continue
		}
		if pattern[i] != '[' {
			continue
		}
		open := i
		if i++; i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^') {
			i++
		}
		end := strings.IndexByte(pattern[min(i+1, len(pattern)):], ']')
		if end < 0 {
			return open
		}
		i += 1 + end
	}
	return -1
}

func (s *probeScanner) instrument(p *Probe, name string, pos int) {
	for _, i := range []Instrument{Log, Count, Hist} {
		if i.String() == name {
			p.Instrument = i
			return
		}
	}
	s.fail(pos, "unknown instrument "+strconv.Quote(name), "log, count or hist")
}

// word takes the characters up to the next blank.
func (s *probeScanner) word() string {
	start := s.pos
	for s.pos < len(s.text) && !blank(s.text[s.pos]) && (s.stop == 0 || s.text[s.pos] != s.stop) {
		s.pos++
	}
	return s.text[start:s.pos]
}

// quoted takes a text in quotes; a backslash takes the next character as it is.
func (s *probeScanner) quoted() (string, bool) {
	open := s.pos
	q := s.text[s.pos]
	var b []byte
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == q:
			s.pos++
			return string(b), true
		case c == '\\' && s.pos+1 < len(s.text):
			s.pos++
			b = append(b, s.text[s.pos])
		default:
			b = append(b, c)
		}
	}
	s.fail(open, "the quote is not closed", "end the text with "+string(q)+"; a backslash takes the next character as it is")
	return "", false
}

func (s *probeScanner) clauses(p *Probe) {
	for s.err == nil {
		s.space()
		if s.pos == len(s.text) {
			return
		}
		at := s.pos
		switch w := s.word(); w {
		case "if":
			s.conds(p)
		case "failed":
			s.add(p, at, Filter{Kind: FilterFailed})
		case "slower":
			s.slower(p)
		case "log", "count", "hist":
			s.instrument(p, w, at)
		case "and":
			s.fail(at, "'and' joins two conditions after 'if'", "")
		default:
			hint := "after the function: " + oneOf([]string{"if", "failed", "slower", "log", "count", "hist"})
			if strings.ContainsAny(w, "=<>&^") {
				hint = "conditions follow the word 'if'"
			} else if near := nearest(w, []string{"if", "failed", "slower", "count", "hist"}); len(near) > 0 && len(w) > 2 {
				hint = "did you mean " + near[0] + "?"
			}
			s.fail(at, "unexpected "+strconv.Quote(w), hint)
		}
	}
}

func (s *probeScanner) add(p *Probe, at int, f Filter) {
	if len(p.Filters) == MaxFilters {
		s.fail(at, "too many conditions", "at most "+strconv.Itoa(MaxFilters))
		return
	}
	p.Filters = append(p.Filters, f)
}

func (s *probeScanner) slower(p *Probe) {
	s.space()
	at := s.pos
	w := s.word()
	d, err := time.ParseDuration(w)
	switch {
	case w == "":
		s.fail(at, "expected a time after 'slower'", "100us, 5ms, 1.5s")
	case err != nil:
		s.fail(at, "not a time: "+strconv.Quote(w), "a number with a unit: 100us, 5ms, 1.5s")
	case d < 0:
		s.fail(at, "a time can't be negative", "")
	default:
		s.add(p, at, Filter{Kind: FilterMinDuration, Value: int64(d)})
	}
}

// conds reads COND and COND ...
func (s *probeScanner) conds(p *Probe) {
	for s.err == nil {
		s.cond(p)
		save := s.pos
		s.space()
		if s.word() != "and" {
			s.pos = save
			return
		}
	}
}

var cmpTokens = []struct {
	text string
	kind FilterKind
	cmp  Cmp
}{
	// Longer ones first.
	{"!in=", FilterIn, CmpNE}, {"in=", FilterIn, CmpEQ}, {"!*=", FilterHas, CmpNE}, {"*=", FilterHas, CmpEQ},
	{"!~", FilterAddr, CmpNE}, {"~", FilterAddr, CmpEQ},
	{"!^=", FilterPrefix, CmpNE}, {"^=", FilterPrefix, CmpEQ}, {"==", FilterInt, CmpEQ}, {"!=", FilterInt, CmpNE},
	{"<=", FilterInt, CmpLE}, {">=", FilterInt, CmpGE}, {"<", FilterInt, CmpLT}, {">", FilterInt, CmpGT}, {"&", FilterInt, CmpAnd},
}

func (s *probeScanner) cond(p *Probe) {
	s.space()
	at := s.pos
	for s.pos < len(s.text) && isIdent(s.text[s.pos], false) {
		s.pos++
	}
	f := Filter{Arg: s.text[at:s.pos]}
	if f.Arg == "" {
		s.fail(at, "expected an argument's name", `for instance: if file ^= "/etc/"`)
		return
	}
	s.space()
	op := s.pos
	for _, t := range cmpTokens {
		if strings.HasPrefix(s.text[s.pos:], t.text) {
			f.Kind, f.Cmp = t.kind, t.cmp
			s.pos += len(t.text)
			break
		}
	}
	if f.Kind == 0 {
		hint := "== != < <= > >= & for numbers, ^= !^= for the start of a string, *= !*= for what is in it, ~ !~ for addresses, in= !in= for lists"
		if op < len(s.text) && s.text[op] == '=' {
			hint = "equality is =="
		}
		s.fail(op, "expected a comparison", hint)
		return
	}
	s.space()
	switch f.Kind {
	case FilterPrefix, FilterHas:
		s.prefix(&f)
	case FilterIn:
		s.list(&f)
	case FilterAddr:
		s.addr(&f)
	default:
		s.value(&f)
	}
	s.add(p, at, f)
}

func (s *probeScanner) addr(f *Filter) {
	at := s.pos
	f.Str = s.word()
	if _, _, ok := addrRange(f.Str); !ok {
		s.fail(at, "not a range of addresses: "+strconv.Quote(f.Str), "10.0.0.0/8, fd00::/8, 10.0.0.1:443, [::1]:80, unix or unix:/run/")
	}
}

func (s *probeScanner) prefix(f *Filter) {
	at := s.pos
	if at < len(s.text) && (s.text[at] == '"' || s.text[at] == '\'') {
		f.Str, _ = s.quoted()
	} else {
		f.Str = s.word()
	}
	switch {
	case f.Str == "":
		s.fail(at, "expected the start of a string", `for instance: file ^= "/etc/"`)
	case len(f.Str) > 64:
		s.fail(at, "the prefix is longer than 64 bytes", "")
	case strings.IndexByte(f.Str, 0) >= 0:
		s.fail(at, "a C string holds no NUL", "")
	}
}

// value reads N: a number, or constants joined by |.
func (s *probeScanner) value(f *Filter) {
	at := s.pos
	w := s.word()
	if w == "" {
		s.fail(at, "expected a number or a constant", "for instance 4096, 0x1f, 64k, O_CREAT")
		return
	}
	if w[0] == '"' || w[0] == '\'' {
		s.fail(at, "a string can't be compared with "+f.Cmp.String(), "use ^= for the start of a string")
		return
	}
	pos := at
	for part := range strings.SplitSeq(w, "|") {
		v, ok := parseNumber(part)
		if !ok {
			if v, ok = constants()[part]; !ok {
				s.fail(pos, "not a number or a known constant: "+strconv.Quote(part), constantHint(part))
				return
			}
		}
		f.Value |= v
		pos += len(part) + 1
	}
}

func constantHint(w string) string {
	if h := didYouMean(w, constantNames()); h != "" {
		return h
	}
	return "for instance 4096, 0x1f, 64k, O_CREAT, AF_INET, SIGTERM"
}

func constantNames() []string {
	names := make([]string, 0, 512)
	for n := range constants() {
		names = append(names, n)
	}
	return sorted(names)
}

// parseNumber reads 12, -1, 0x1f, 0o644, 0644, 64k, 1M, 2G.
func parseNumber(w string) (int64, bool) {
	shift := 0
	if n := len(w); n > 1 && !strings.HasPrefix(w, "0x") {
		switch w[n-1] {
		case 'k', 'K':
			shift = 10
		case 'M':
			shift = 20
		case 'G':
			shift = 30
		}
		if shift > 0 {
			w = w[:n-1]
		}
	}
	v, err := strconv.ParseInt(w, 0, 64)
	if err != nil {
		u, uerr := strconv.ParseUint(w, 0, 64)
		if uerr != nil {
			return 0, false
		}
		v = int64(u)
	}
	if shift > 0 && (v > 1<<(62-shift) || v < -1<<(62-shift)) {
		return 0, false
	}
	return v << shift, true
}
