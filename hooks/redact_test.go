package hooks

import (
	"bytes"
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	same := "\x00"
	for _, c := range []struct{ in, want string }{
		{"/etc/passwd", same}, {"", same}, {"http://localhost:8080/a?b=c", same}, {"a=b c:d", same}, {"/usr/lib/x.so:/y", same}, {"compass=3", same}, {"bypass: no", same},
		{"PATH=/bin TERM=xterm", same}, {"http://h:80/p?email=a@b.c", same}, {"ssh://git@host/r", same}, {"tokens are nice", same}, {"https://host/@user", same}, {"token", same}, {"--password", same},
		{"postgres://bob:hunter2@db/x", "postgres://bob:***@db/x"}, {"see postgres://u:p@h and redis://:pw@r:6379/0.", "see postgres://u:***@h and redis://:***@r:6379/0."},
		{"https://ghp_secret@github.com/x", "https://***@github.com/x"}, {"mysql://u:p/w@h/d", "mysql://u:***@h/d"}, {"amqp://u:p@ss@h/", "amqp://u:***@h/"},
		{"--password=hunter2", "--password=***"}, {"--db-password hunter2 -x", "--db-password *** -x"}, {"--api-key=abc&x=1", "--api-key=***&x=1"}, {"API_KEY=abc", "API_KEY=***"},
		{"aws_secret_access_key = AKIA/+x y", "aws_secret_access_key = *** y"}, {`{"token":"ab\"c","n":1}`, `{"token":"***","n":1}`}, {`{"Password": "x y"}`, `{"Password": "***"}`},
		{"Authorization: Bearer abc.def", "Authorization: ***"}, {"Proxy-Authorization: Basic QWxhZGRpbg==\r\nHost: a", "Proxy-Authorization: ***\r\nHost: a"}, {"bearer abcdefghijk x", "bearer *** x"}, {"basic research", "basic ***"},
		{"Cookie: a=b; c=d\nX: y", "Cookie: ***\nX: y"}, {"PGPASSWORD=x psql", "PGPASSWORD=*** psql"}, {"mysql_pwd=x", "mysql_pwd=***"}, {"dbPass=x", "dbPass=***"}, {"client_secret: x, y", "client_secret: *** y"},
		{"user=bob password='a b' host=h", "user=bob password='***' host=h"}, {"pass:hunter2", "pass:***"}, {"a?access_token=xyz#f", "a?access_token=***"}, {"X-Auth-Token:abc", "X-Auth-Token:***"}, {"SESSIONID=1;a", "SESSIONID=***"},
	} {
		if c.want == same {
			c.want = c.in
		}
		if got := string(Redact(nil, []byte(c.in))); got != c.want {
			t.Errorf("%q\n got %q\nwant %q", c.in, got, c.want)
		}
	}
	// A string that was cut may end within the password.
	if got := string(redact(nil, []byte("postgres://bob:hunt"), true)); got != "postgres://bob:***" {
		t.Error(got)
	}
	if got := string(redact(nil, []byte("postgres://bob:hunt"), false)); got != "postgres://bob:hunt" {
		t.Error(got)
	}
}

func TestRedactMessage(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"no such table: x", "no such table: x"}, {"near \"SELEC\": syntax error", "near \"SELEC\": syntax error"}, {"near \")\": syntax error", "near \")\": syntax error"},
		{"near \"5\": syntax error", "near ?: syntax error"}, {"near \"'pw'\": syntax error", "near ?: syntax error"}, {"near \"a\"b\": syntax error", "near ?: syntax error"},
		{"unrecognized token: \"'secret\"", "unrecognized token: ?"}, {"malformed MATCH expression: [secret]", "malformed MATCH expression: ?"}, {"bad JSON path: 'x'", "bad JSON path: ?"},
		{"can't open", "can't open"}, {"it can't be 'secret'", "it can't be ?"}, {"open \"half", "open ?"}, {"a\x00b", "a"}, {"UNIQUE constraint failed: u.email", "UNIQUE constraint failed: u.email"}, {"cannot reach postgres://u:p@h/", "cannot reach postgres://u:***@h/"},
	} {
		if got := string(RedactMessage(nil, []byte(c.in))); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

func TestRedactArgv(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"ls -l /", "ls -l /"}, {"app --password x y", "app --password *** y"}, {"app password x", "app password ***"}, {"password a", "password a"},
		{"getent passwd bob", "getent passwd bob"}, {"app --token=x --Secret y", "app --token=*** --Secret ***"}, {"/usr/bin/curl -u a:b http://c:d@e/", "/usr/bin/curl -u a:*** http://c:***@e/"},
		{"curl -u a -H Authorization:x", "curl -u a -H Authorization:***"}, {"mysql -psecret -p db", "mysql -p*** -p db"}, {"sshpass -p pw ssh h", "sshpass -p *** ssh h"}, {"ssh -p 22 h", "ssh -p 22 h"}, {"app -u a:b", "app -u a:b"},
	} {
		got := strings.Fields(c.in)
		RedactArgv(got)
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q\n got %q\nwant %q", c.in, s, c.want)
		}
	}
}

func FuzzRedact(f *testing.F) {
	for _, s := range []string{"", "x://", "://a:b@c", "--password ", "token='", "a\"password\":\"\\", "Authorization:"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		once := Redact([]byte("pre"), b)
		if !bytes.HasPrefix(once, []byte("pre")) || len(once) > 3+4*len(b)+8 {
			t.Fatalf("%q: %q", b, once)
		}
		redact(nil, b, true)
		RedactMessage(nil, b)
		// Wherever it stands, a password in the plainest form is masked.
		if bytes.ContainsAny(b, "'\"\\") {
			return
		}
		s := append(bytes.Clone(b), " --password=HUNTER2"...)
		if bytes.Contains(Redact(nil, s), []byte("HUNTER2")) {
			t.Fatalf("%q: %q", s, Redact(nil, s))
		}
	})
}

func BenchmarkRedactNothing(b *testing.B) {
	s := []byte("/usr/lib/python3.11/site-packages/foo/__init__.py")
	var dst []byte
	for b.Loop() {
		dst = Redact(dst[:0], s)
	}
}
