package hooks

import "bytes"

// mask stands for what was taken out.
const mask = "***"

// Redact appends s with credentials masked: the password of a URL
// (scheme://user:***@host), the value after a telling key (password=***,
// --api-key ***, "token": "***", Authorization: ***), and bearer tokens. When
// in doubt it masks: a lost word costs less than a leaked one.
func Redact(dst, s []byte) []byte {
	if !suspicious(s) {
		return append(dst, s...)
	}
	return redact(dst, s, false)
}

// suspicious is the cheap test that nearly every string fails: nothing that
// could join a key to its value.
func suspicious(s []byte) bool {
	return bytes.IndexByte(s, '=') >= 0 || bytes.IndexByte(s, ':') >= 0 || bytes.IndexByte(s, ' ') >= 0
}

// redact masks in one pass; cut says that the end of s is missing, so that
// what looks harmless may be the start of a credential.
func redact(dst, s []byte, cut bool) []byte {
	for i := 0; i < len(s); {
		if s[i] == ':' && bytes.HasPrefix(s[i:], schemeMark) && i > 0 && keyByte(s[i-1]) {
			n := len(schemeMark)
			dst = append(dst, s[i:i+n]...)
			i += n
			used, out := redactUserinfo(dst, s[i:], cut)
			dst, i = out, i+used
			continue
		}
		if !keyByte(s[i]) {
			dst = append(dst, s[i])
			i++
			continue
		}
		end := i
		for end < len(s) && keyByte(s[end]) {
			end++
		}
		key := s[i:end]
		dst = append(dst, key...)
		i = end
		if from, to, ok := secretValue(s, key, end); ok {
			dst = append(dst, s[end:from]...)
			dst = append(dst, mask...)
			i = to
		}
	}
	return dst
}

var schemeMark = []byte("://")

// keyByte is a character of a key or word.
func keyByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c >= 0x80
}

// redactUserinfo handles what follows ://, up to and with the @, if there is
// one. It returns how much of s it used.
func redactUserinfo(dst, s []byte, cut bool) (int, []byte) {
	end := bytes.IndexAny(s, " \t\r\n\"'<>")
	closed := end >= 0
	if !closed {
		end = len(s)
	}
	tok := s[:end]
	auth := tok
	if i := bytes.IndexAny(tok, "/?#"); i >= 0 {
		auth = tok[:i]
	}
	at := bytes.LastIndexByte(auth, '@')
	colon := bytes.IndexByte(auth, ':')
	if at < 0 && colon >= 0 && !digits(auth[colon+1:]) {
		// Not a port: a password with an unescaped / ? or # in it.
		at = bytes.LastIndexByte(tok, '@')
	}
	switch {
	case at >= 0 && colon >= 0 && colon < at:
		dst = append(append(dst, tok[:colon+1]...), mask...)
		return at, dst
	case at > 0:
		// user@ is a name to ssh, but http sends it as a token.
		if n := len(dst); n >= 5 && (bytes.HasSuffix(dst, []byte("http://")) || bytes.HasSuffix(dst, []byte("https://"))) {
			return at, append(dst, mask...)
		}
		return 0, dst
	case cut && !closed && len(auth) == len(tok) && colon >= 0:
		return len(tok), append(append(dst, tok[:colon+1]...), mask...)
	}
	return 0, dst
}

func digits(s []byte) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// secretValue finds the value that belongs to the key which ends at end, if
// the key is telling.
func secretValue(s, key []byte, end int) (from, to int, ok bool) {
	if scheme, is := authScheme(key); is {
		// Bearer TOKEN, Basic BASE64: only with the blank of the header's form.
		if from = skipBlanks(s, end); from > end && from < len(s) && len(key) == len(scheme) {
			to = valueEnd(s, from, 0)
			return from, to, to-from >= 8
		}
		return 0, 0, false
	}
	if !sensitive(key) {
		return 0, 0, false
	}
	i := end
	quotedKey := i < len(s) && (s[i] == '"' || s[i] == '\'')
	if quotedKey {
		i++
	}
	i = skipBlanks(s, i)
	switch {
	case i < len(s) && (s[i] == '=' || s[i] == ':') && !bytes.HasPrefix(s[i:], schemeMark):
		i++
		if i < len(s) && s[i-1] == ':' && s[i] == '=' {
			i++
		}
	case i > end && !quotedKey && bytes.HasPrefix(key, []byte("--")) && i < len(s) && s[i] != '-':
		// --password VALUE in a command line
	default:
		return 0, 0, false
	}
	i = skipBlanks(s, i)
	var q byte
	if i < len(s) && (s[i] == '"' || s[i] == '\'') {
		q = s[i]
		i++
	}
	if i == len(s) {
		return 0, 0, false
	}
	if q == 0 && endsFold(key, "authorization") || q == 0 && endsFold(key, "cookie") {
		return i, lineEnd(s, i), true
	}
	return i, valueEnd(s, i, q), true
}

func skipBlanks(s []byte, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	return i
}

// valueEnd is where a value ends: at its quote, or at what separates words.
func valueEnd(s []byte, i int, q byte) int {
	for ; i < len(s); i++ {
		c := s[i]
		if q != 0 {
			if c == '\\' {
				i++
			} else if c == q {
				return i
			}
			continue
		}
		if c <= ' ' || c == '&' || c == '"' || c == '\'' {
			return i
		}
	}
	return len(s)
}

func lineEnd(s []byte, i int) int {
	for ; i < len(s); i++ {
		if c := s[i]; c == '\n' || c == '\r' || c == '"' || c == '\'' {
			return i
		}
	}
	return len(s)
}

func authScheme(key []byte) (string, bool) {
	for _, s := range [...]string{"bearer", "basic", "negotiate"} {
		if len(key) == len(s) && endsFold(key, s) {
			return s, true
		}
	}
	return "", false
}

// sensitiveEnds are the words that a telling key ends with, without - _ and in
// lower case.
var sensitiveEnds = [...]string{
	"password", "passwd", "passphrase", "passwort", "pwd", "pass", "secret", "token", "apikey", "accesskey", "secretkey",
	"privatekey", "authkey", "encryptionkey", "authorization", "credential", "credentials", "cookie", "sessionid", "sessid", "signature", "userpwd",
}

// sensitive reports whether a key's value is a secret.
func sensitive(key []byte) bool {
	for len(key) > 0 && !alnum(key[len(key)-1]) {
		key = key[:len(key)-1]
	}
	if len(key) < 3 || len(key) > 64 {
		return false
	}
	for _, w := range sensitiveEnds {
		if endsFold(key, w) {
			return true
		}
	}
	return false
}

func alnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// endsFold reports whether key, without - and _ and in lower case, ends with
// word. What stands before a short word must not be part of a longer one:
// compass= is no password.
func endsFold(key []byte, word string) bool {
	i := len(key)
	for j := len(word) - 1; j >= 0; j-- {
		for i > 0 && (key[i-1] == '_' || key[i-1] == '-') && j < len(word)-1 {
			i--
		}
		if i == 0 || lower(key[i-1]) != word[j] {
			return false
		}
		i--
	}
	if len(word) > 5 || i == 0 || !alnum(key[i-1]) {
		return true
	}
	// dbPass, db2pass: a new word begins here; authtoken and the like are meant too.
	c, next := key[i-1], key[i]
	return c >= '0' && c <= '9' || next >= 'A' && next <= 'Z' && (c < 'A' || c > 'Z') || word != "pass" && word != "pwd"
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// RedactMessage appends an error message of a library, up to its NUL, without
// what it quotes of a statement's data: near "5": syntax error becomes near ?,
// while a name stays. Credentials are masked too.
func RedactMessage(dst, b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	for _, lead := range [...]string{"unrecognized token: ", "malformed MATCH expression: "} {
		if i := bytes.Index(b, []byte(lead)); i >= 0 {
			// To the end: the token may hold anything, quotes too.
			return append(append(dst, b[:i+len(lead)]...), '?')
		}
	}
	for len(b) > 0 {
		i := bytes.IndexAny(b, "\"'")
		if i < 0 {
			break
		}
		if b[i] == '\'' && i > 0 && alnum(b[i-1]) {
			dst = append(dst, b[:i+1]...) // can't
			b = b[i+1:]
			continue
		}
		end := quotedEnd(b, i)
		dst = redact(dst, b[:i], false)
		if b[i] == '"' && plainName(b[i+1:end]) && end < len(b) {
			dst = append(dst, b[i:end+1]...)
		} else {
			dst = append(dst, '?')
		}
		b = b[min(end+1, len(b)):]
	}
	return redact(dst, b, false)
}

// quotedEnd is where the quote that opens at i closes: at the last of its kind,
// since what is quoted may hold quotes.
func quotedEnd(b []byte, i int) int {
	for j := len(b) - 1; j > i; j-- {
		if b[j] == b[i] {
			return j
		}
	}
	return len(b)
}

// plainName reports whether a quoted word can only be a name or punctuation.
func plainName(w []byte) bool {
	if len(w) == 0 || len(w) > 64 {
		return false
	}
	if len(w) == 1 && !isDigit(w[0]) && w[0] != '\'' && w[0] != '"' {
		return true
	}
	for i, c := range w {
		if !sqlIdent(c) || i == 0 && isDigit(c) {
			return false
		}
	}
	return true
}

// argvRedactor masks in the strings of one argument vector, where a key and
// its value may be neighbours.
type argvRedactor struct {
	n        int
	prog     progKind
	maskNext bool
	userNext bool // the next is user:password
}

// RedactArgv masks the secrets of an argument vector in place: one string after
// the other, since what an option is called says what the next one holds.
func RedactArgv(argv []string) {
	var r argvRedactor
	for i, s := range argv {
		argv[i] = string(r.next(nil, []byte(s), false))
	}
}

// progKind: programs whose short options are known to take credentials.
type progKind uint8

const (
	progOther   progKind = iota
	progCurl             // -u user:password
	progMysql            // -ppassword; -p alone asks
	progSshpass          // -p password, -ppassword
)

func progOf(path []byte) progKind {
	switch string(path[bytes.LastIndexByte(path, '/')+1:]) {
	case "curl":
		return progCurl
	case "sshpass":
		return progSshpass
	case "mysql", "mysqldump", "mysqladmin", "mysqlimport", "mysqlshow", "mariadb", "mariadb-dump", "mariadb-admin":
		return progMysql
	}
	return progOther
}

func (r *argvRedactor) next(dst, s []byte, cut bool) []byte {
	first := r.n == 0
	r.n++
	switch {
	case first:
		r.prog = progOf(s)
	case r.maskNext:
		r.maskNext = false
		return append(dst, mask...)
	case r.userNext:
		r.userNext = false
		if i := bytes.IndexByte(s, ':'); i >= 0 {
			return append(append(dst, s[:i+1]...), mask...)
		}
	case len(s) > 1 && s[0] == '-':
		if r.prog > progCurl && s[1] == 'p' && len(s) > 2 {
			return append(append(dst, "-p"...), mask...)
		}
		r.option(s)
	default:
		r.maskNext = foldEq(s, "password") || foldEq(s, "passphrase")
	}
	if !suspicious(s) {
		return append(dst, s...)
	}
	return redact(dst, s, cut)
}

// option notes what an option says of the argument after it.
func (r *argvRedactor) option(s []byte) {
	whole := true
	for _, c := range s {
		whole = whole && keyByte(c)
	}
	switch string(s) {
	case "-u", "--user", "-U", "--proxy-user":
		r.userNext = r.prog == progCurl
	case "-p":
		r.maskNext = r.prog == progSshpass
	default:
		r.maskNext = whole && sensitive(s)
	}
}
