package hooks

// NormalizeSQL appends a statement without what varies between executions and
// without data: literals become ?, comments go, runs of white space become one
// space, the lists of IN and the rows of VALUES are folded into one. Named
// parameters, identifiers and case stay. It is idempotent, works on text that
// was cut anywhere (the rest of an open literal is never shown) and costs one
// pass and no allocation.
//
// github.com/DataDog/go-sqllexer was tried for this, also in its SQLite mode
// (v0.2.6): it takes a backslash for an escape, so that 'a\' , 'secret' shows
// the second literal; it shows what PRAGMA key = "..." sets, keeps comments,
// and splits x'41', [name 5], ?1 and 1_000. That is not safe enough here, and
// at 4 µs a statement not fast either.
func NormalizeSQL(dst, sql []byte) []byte {
	n := sqlNormalizer{src: sql, dst: dst, base: len(dst)}
	return n.run()
}

// sqlTok is the kind of the last token written.
type sqlTok uint8

const (
	tokNone sqlTok = iota
	tokWord
	tokIdent // quoted
	tokValue // ? or a parameter
	tokOpen
	tokClose
	tokComma
	tokCompare // = == != <> < <= > >=
	tokOp      // any other punctuation
	tokSemi
)

// sqlWord is the last word, if it is one that matters.
type sqlWord uint8

const (
	wordOther sqlWord = iota
	wordIn
	wordValues
	wordAs
	wordPragma
	wordLiteral // LIKE, GLOB, MATCH, REGEXP, KEY, ...: a value follows
)

type sqlNormalizer struct {
	src  []byte
	pos  int
	dst  []byte
	base int

	tok    sqlTok
	word   sqlWord
	space  bool // white space is due before the next token
	pragma int8 // 1: the pragma's name follows, 2: of a secret pragma, drop all but the name

	in      int // where the list of IN begins in dst, just behind its (; 0 none
	inClean bool

	values   bool // in the rows of VALUES
	depth    int  // of parentheses since VALUES
	rowFrom  int  // of the current row
	firstLo  int  // of the first row
	firstHi  int
	rowsDone bool // a row has been completed
}

func (n *sqlNormalizer) run() []byte {
	for n.pos < len(n.src) {
		c := n.src[n.pos]
		switch {
		case c == 0:
			n.pos = len(n.src) // the end of a C string
		case c <= ' ' || c == 0x7f:
			n.pos++
			n.space = true
		case c == '-' && n.at(1) == '-':
			n.skipLine()
		case c == '/' && n.at(1) == '*':
			n.skipComment()
		case c == '\'':
			n.quotedEnd('\'')
			n.value()
		case c == '"':
			n.doubleQuoted()
		case c == '`':
			n.quotedIdent('`')
		case c == '[':
			n.bracketed()
		case c >= '0' && c <= '9', c == '.' && isDigit(n.at(1)) && n.tok != tokWord && n.tok != tokIdent:
			n.number()
		case c == '?':
			n.pos++
			for isDigit(n.at(0)) {
				n.pos++
			}
			n.value()
		case (c == ':' || c == '@' || c == '$' || c == '#') && sqlIdent(n.at(1)):
			n.param()
		case sqlIdent(c):
			n.identifier()
		default:
			n.punct(c)
		}
	}
	return n.finish()
}

// at is the character that many ahead, 0 past the end.
func (n *sqlNormalizer) at(k int) byte {
	if n.pos+k < len(n.src) {
		return n.src[n.pos+k]
	}
	return 0
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func sqlIdent(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || isDigit(c) || c >= 0x80
}

func (n *sqlNormalizer) skipLine() {
	for n.pos < len(n.src) && n.src[n.pos] != '\n' && n.src[n.pos] != 0 {
		n.pos++
	}
	n.space = true
}

func (n *sqlNormalizer) skipComment() {
	n.pos += 2
	for n.pos < len(n.src) && !(n.src[n.pos] == '*' && n.at(1) == '/') {
		n.pos++
	}
	n.pos = min(n.pos+2, len(n.src))
	n.space = true
}

// quotedEnd passes over a literal or name in quotes, in which the quote is
// doubled; false when it is not closed.
func (n *sqlNormalizer) quotedEnd(q byte) bool {
	for n.pos++; n.pos < len(n.src); n.pos++ {
		if n.src[n.pos] != q {
			continue
		}
		if n.at(1) != q {
			n.pos++
			return true
		}
		n.pos++
	}
	return false
}

// begin writes the white space that is due before a token.
func (n *sqlNormalizer) begin(tok sqlTok) {
	if n.tok == tokComma {
		n.space = true
	}
	if n.space && len(n.dst) > n.base && n.tok != tokOpen && tok != tokClose && tok != tokComma && tok != tokSemi {
		n.dst = append(n.dst, ' ')
	}
	n.space = false
	if tok != tokValue && tok != tokComma && tok != tokClose {
		n.inClean = false
	}
	n.tok = tok
}

// value writes a literal.
func (n *sqlNormalizer) value() {
	n.foldSign()
	n.begin(tokValue)
	n.dst = append(n.dst, '?')
	n.word = wordOther
}

// foldSign takes back a sign that belongs to the literal: (-1, +2), = -3.
func (n *sqlNormalizer) foldSign() {
	if n.tok != tokOp || len(n.dst) <= n.base {
		return
	}
	end := len(n.dst) - 1
	if c := n.dst[end]; c != '-' && c != '+' {
		return
	}
	before := end
	for before > n.base && n.dst[before-1] == ' ' {
		before--
	}
	if before > n.base {
		switch n.dst[before-1] {
		case '(', ',', '=', '<', '>':
		default:
			return
		}
	}
	n.dst = n.dst[:before]
	switch {
	case before == n.base:
		n.tok = tokNone
	case n.dst[before-1] == '(':
		n.tok = tokOpen
	case n.dst[before-1] == ',':
		n.tok = tokComma
	default:
		n.tok = tokCompare
		n.space = before < end
	}
	if n.in > 0 && (n.tok == tokOpen || n.tok == tokComma) {
		n.inClean = n.onlyValues()
	}
}

// onlyValues reports whether the list of IN so far holds only placeholders.
func (n *sqlNormalizer) onlyValues() bool {
	for _, c := range n.dst[n.in:] {
		if c != '?' && c != ',' && c != ' ' {
			return false
		}
	}
	return true
}

// number passes over digits and whatever is glued to them: 1e-5, 0x1F, 1_000.
func (n *sqlNormalizer) number() {
	for n.pos < len(n.src) {
		c := n.src[n.pos]
		switch {
		case sqlIdent(c) || c == '.':
			n.pos++
			if (c == 'e' || c == 'E') && (n.at(0) == '-' || n.at(0) == '+') && isDigit(n.at(1)) {
				n.pos++
			}
		default:
			n.value()
			return
		}
	}
	n.value()
}

// param writes a named parameter; the data-like tail $name(...) of Tcl goes.
func (n *sqlNormalizer) param() {
	n.foldSign()
	n.begin(tokValue)
	start := n.pos
	n.pos++
	for n.pos < len(n.src) && (sqlIdent(n.src[n.pos]) || n.src[start] == '$' && n.src[n.pos] == ':' && n.at(1) == ':') {
		if n.src[n.pos] == ':' {
			n.pos++
		}
		n.pos++
	}
	n.dst = append(n.dst, n.src[start:n.pos]...)
	if n.src[start] == '$' && n.at(0) == '(' {
		for n.pos < len(n.src) && n.src[n.pos] != ')' && n.src[n.pos] > ' ' {
			n.pos++
		}
		if n.at(0) == ')' {
			n.pos++
		}
	}
	n.word = wordOther
}

// doubleQuoted: a name by the standard, but SQLite takes it for a string when
// there is no such column. So it is shown only where it must be a name, or
// where it looks like one and no value is expected.
func (n *sqlNormalizer) doubleQuoted() {
	start := n.pos
	closed := n.quotedEnd('"')
	text := n.src[start:n.pos]
	dot := n.at(0) == '.' || n.tok == tokOp && len(n.dst) > n.base && n.dst[len(n.dst)-1] == '.'
	valueHere := n.tok == tokCompare || n.in > 0 || n.values || n.word == wordLiteral && n.tok == tokWord
	plain := closed && len(text) > 2 && sqlIdent(text[1]) && !isDigit(text[1])
	for _, c := range text[1:max(len(text)-1, 1)] {
		plain = plain && (sqlIdent(c) || c == '$')
	}
	name := closed && (dot || n.word == wordAs && n.tok == tokWord || plain && !valueHere)
	if n.pragma == 2 || !name {
		n.value()
		return
	}
	n.name(text)
}

// name writes a quoted name.
func (n *sqlNormalizer) name(text []byte) {
	n.begin(tokIdent)
	if n.pragma == 1 {
		n.pragma = 0
		if len(text) > 2 && secretPragma(text[1:len(text)-1]) {
			n.pragma = 2
		}
	}
	n.dst = append(n.dst, text...)
	n.word = wordOther
}

func (n *sqlNormalizer) quotedIdent(q byte) {
	start := n.pos
	if !n.quotedEnd(q) || n.pragma == 2 {
		n.value()
		return
	}
	n.name(n.src[start:n.pos])
}

func (n *sqlNormalizer) bracketed() {
	start := n.pos
	for n.pos < len(n.src) && n.src[n.pos] != ']' {
		n.pos++
	}
	if n.pos == len(n.src) || n.pragma == 2 {
		n.pos = min(n.pos+1, len(n.src))
		n.value()
		return
	}
	n.pos++
	n.name(n.src[start:n.pos])
}

// identifier writes a keyword or name, unless it starts a blob x'..'.
func (n *sqlNormalizer) identifier() {
	start := n.pos
	for n.pos < len(n.src) && (sqlIdent(n.src[n.pos]) || n.src[n.pos] == '$') {
		n.pos++
	}
	w := n.src[start:n.pos]
	if len(w) == 1 && w[0]|0x20 == 'x' && n.at(0) == '\'' {
		n.quotedEnd('\'')
		n.value()
		return
	}
	if n.pragma == 2 {
		n.value() // PRAGMA key = word
		return
	}
	n.begin(tokWord)
	n.dst = append(n.dst, w...)
	n.word = classify(w)
	switch {
	case n.pragma == 1:
		// The name; main.key has its schema before it.
		if n.at(0) != '.' {
			n.pragma = 0
			if secretPragma(w) {
				n.pragma = 2
			}
		}
	case n.word == wordPragma:
		n.pragma = 1
	case n.word == wordValues:
		n.values, n.depth, n.rowsDone = true, 0, false
	case n.values && n.depth == 0:
		n.values = false
	}
}

func (n *sqlNormalizer) punct(c byte) {
	n.pos++
	switch c {
	case '(':
		wasIn := n.word == wordIn && n.tok == tokWord
		n.begin(tokOpen)
		n.dst = append(n.dst, '(')
		if wasIn && n.in == 0 {
			n.in, n.inClean = len(n.dst), true
		}
		if n.values {
			if n.depth == 0 {
				n.rowFrom = len(n.dst) - 1
			}
			n.depth++
		}
	case ')':
		empty := n.tok == tokOpen
		n.begin(tokClose)
		n.closeList(empty)
	case ',':
		n.begin(tokComma)
		n.dst = append(n.dst, ',')
	case ';':
		n.begin(tokSemi)
		n.dst = append(n.dst, ';')
		n.pragma, n.values, n.in = 0, false, 0
		n.space = true
	case '=', '<', '>', '!':
		if n.tok == tokCompare && !n.space {
			n.dst = append(n.dst, c) // <= >= == <> !=
			break
		}
		n.begin(tokCompare)
		n.dst = append(n.dst, c)
	default:
		if n.pragma == 2 {
			n.space = true
			break // nothing of a secret pragma's value, whatever it is made of
		}
		n.begin(tokOp)
		n.dst = append(n.dst, c)
	}
	n.word = wordOther
}

// closeList ends a list of IN or a row of VALUES, folding what repeats.
func (n *sqlNormalizer) closeList(empty bool) {
	if n.in > 0 {
		if n.inClean && !empty {
			n.dst = append(n.dst[:n.in], '?')
		}
		n.in = 0
	}
	n.dst = append(n.dst, ')')
	if !n.values || n.depth == 0 {
		return
	}
	n.depth--
	if n.depth > 0 {
		return
	}
	row := n.dst[n.rowFrom:]
	if !n.rowsDone {
		n.rowsDone, n.firstLo, n.firstHi = true, n.rowFrom, len(n.dst)
		return
	}
	if string(row) == string(n.dst[n.firstLo:n.firstHi]) {
		n.dst = n.dst[:n.firstHi]
	}
}

// finish trims what a cut or a sloppy end leaves: spaces and semicolons.
func (n *sqlNormalizer) finish() []byte {
	for len(n.dst) > n.base && (n.dst[len(n.dst)-1] == ' ' || n.dst[len(n.dst)-1] == ';') {
		n.dst = n.dst[:len(n.dst)-1]
	}
	return n.dst
}

// secretPragma: the encryption extensions set their keys by pragma.
func secretPragma(w []byte) bool {
	for _, k := range [...]string{"key", "rekey", "hexkey", "hexrekey", "textkey", "textrekey", "cipher_salt"} {
		if foldEq(w, k) {
			return true
		}
	}
	return false
}

func classify(w []byte) sqlWord {
	switch len(w) {
	case 2:
		switch {
		case foldEq(w, "in"):
			return wordIn
		case foldEq(w, "as"):
			return wordAs
		case foldEq(w, "is"):
			return wordLiteral
		}
	case 3:
		if foldEq(w, "key") || foldEq(w, "not") {
			return wordLiteral
		}
	case 4:
		if foldEq(w, "like") || foldEq(w, "glob") || foldEq(w, "then") || foldEq(w, "else") || foldEq(w, "when") {
			return wordLiteral
		}
	case 5:
		if foldEq(w, "match") || foldEq(w, "limit") {
			return wordLiteral
		}
	case 6:
		switch {
		case foldEq(w, "values"):
			return wordValues
		case foldEq(w, "pragma"):
			return wordPragma
		case foldEq(w, "regexp"), foldEq(w, "attach"):
			return wordLiteral
		}
	case 7:
		if foldEq(w, "between") || foldEq(w, "default") {
			return wordLiteral
		}
	case 8:
		if foldEq(w, "database") {
			return wordLiteral
		}
	}
	return wordOther
}

// foldEq compares with a word in lower case.
func foldEq(w []byte, s string) bool {
	if len(w) != len(s) {
		return false
	}
	for i := range w {
		if lower(w[i]) != s[i] {
			return false
		}
	}
	return true
}
