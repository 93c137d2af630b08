package sqlshape

import "bytes"

// First is the first statement of a normalised text: prepare compiles no more
// of it. Whole says that its end is in the text.
func First(sql []byte) (first []byte, whole bool) {
	trigger := isTrigger(sql)
	for i := 0; i < len(sql); i++ {
		switch c := sql[i]; c {
		case '"', '`', '[':
			if c == '[' {
				c = ']'
			}
			j := bytes.IndexByte(sql[i+1:], c)
			if j < 0 {
				return sql, false
			}
			i += j + 1
		case ';':
			if trigger && !endsBody(sql[:i]) {
				continue
			}
			return bytes.TrimRight(sql[:i], " "), true
		}
	}
	return sql, false
}

// isTrigger: the body of CREATE TRIGGER holds statements of its own.
func isTrigger(sql []byte) bool {
	var words [4][]byte
	n := 0
	for rest := sql; n < len(words) && len(rest) > 0; n++ {
		i := bytes.IndexByte(rest, ' ')
		if i < 0 {
			i = len(rest)
		}
		words[n] = rest[:i]
		rest = rest[min(i+1, len(rest)):]
	}
	if n < 2 || !bytes.EqualFold(words[0], []byte("create")) {
		return false
	}
	for _, w := range words[1:3] {
		if bytes.EqualFold(w, []byte("trigger")) {
			return true
		}
	}
	return false
}

// endsBody: ... ; END
func endsBody(sql []byte) bool {
	sql = bytes.TrimRight(sql, " ")
	if len(sql) < 4 || !bytes.EqualFold(sql[len(sql)-3:], []byte("end")) {
		return false
	}
	before := bytes.TrimRight(sql[:len(sql)-3], " ")
	return len(before) > 0 && before[len(before)-1] == ';'
}

// ownSQL recognises what SQLite runs to read a database's schema.
func ownSQL(sql []byte) bool {
	if len(sql) > 120 || !bytes.HasPrefix(sql, []byte("SELECT")) {
		return false
	}
	return bytes.HasSuffix(sql, []byte("master ORDER BY rowid")) && bytes.HasPrefix(sql, []byte("SELECT*FROM"))
}
