package hooks

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestNormalizeSQL(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""}, {"  ;; ", ""}, {"select 1", "select ?"}, {"SELECT  a\n\t,b  FROM t -- x\nWHERE a=1;", "SELECT a, b FROM t WHERE a=?"},
		{"select 'it''s', 'b'", "select ?, ?"}, {"select 'a\\' , 'secret' from t", "select ?, ? from t"}, {"select 'open", "select ?"}, {"select 'a''", "select ?"},
		{"select x'4142', X'ff', x'41cut", "select ?, ?, ?"}, {"select 0x1F, 1.5e-3, .5, 5., 1_000, 1e+5, 5abc", "select ?, ?, ?, ?, ?, ?, ?"},
		{"select /* c 'x' */ 1 /* open", "select ?"}, {"select 1 --'", "select ?"}, {"a - -1", "a - -?"},
		{`select "id", "t"."a b" from "t" as "x y"`, `select "id", "t"."a b" from "t" as "x y"`}, {"select [a b 5], `c d` from [t]", "select [a b 5], `c d` from [t]"},
		{`select * from t where name = "bob"`, `select * from t where name = ?`}, {`select * from t where "a"."id" = "b"."id"`, `select * from t where "a"."id" = "b"."id"`},
		{`select "not a name!"`, "select ?"}, {`insert into "t" ("a", "b") values ("x", "y")`, `insert into "t" ("a", "b") values (?, ?)`}, {`select * from t where a in ("x", "y")`, `select * from t where a in (?)`},
		{`select * from t where a like "x%"`, "select * from t where a like ?"}, {`select "open`, "select ?"}, {"select [open", "select ?"}, {"select `open", "select ?"}, {`x = "a""b"`, "x = ?"},
		{"select * from t where a=?1 and b=:name and c=@p and d=$x and e=?", "select * from t where a=? and b=:name and c=@p and d=$x and e=?"}, {"select $x::y(5 secret), $z(abc)", "select $x::y secret), $z"},
		{"select * from a where x in (1,2,3) and y in ( 'a' , 'b' ) and z IN(?, ?2)", "select * from a where x in (?) and y in (?) and z IN(?)"},
		{"x in (-1, +2, - 3)", "x in (?)"}, {"x in (select 1)", "x in (select ?)"}, {"x in ()", "x in ()"}, {"x in (1, a)", "x in (?, a)"}, {"x in (:a, :b)", "x in (?)"}, {"x in ((1), 2)", "x in ((?), ?)"},
		{"insert into t values (1,'a'),(2,'b'),\n(3, 'c')", "insert into t values (?, ?)"}, {"insert into t values (1, now()), (2, now()) returning id", "insert into t values (?, now()) returning id"},
		{"insert into t values (1), (2), (3, 4)", "insert into t values (?), (?, ?)"}, {"values(1),(2)", "values(?)"}, {"insert into t values (-1, -2.5)", "insert into t values (?, ?)"},
		{"PRAGMA key = 'secret'", "PRAGMA key = ?"}, {`PRAGMA key = "mypassword"`, "PRAGMA key = ?"}, {"PRAGMA main.rekey=abc def;select 1", "PRAGMA main.rekey=? ?; select ?"}, {"pragma hexkey('aa')", "pragma hexkey(?)"}, {"pragma key = [abc]", "pragma key = ?"},
		{"PRAGMA journal_mode = WAL", "PRAGMA journal_mode = WAL"}, {"PRAGMA cache_size=-2000", "PRAGMA cache_size=?"}, {"PRAGMA table_info(\"t\")", "PRAGMA table_info(\"t\")"},
		{"ATTACH DATABASE 'f.db' AS aux KEY 'pw'", "ATTACH DATABASE ? AS aux KEY ?"}, {"attach 'f' as x key \"pw\"", "attach ? as x key ?"},
		{"create table t1 (id integer primary key, n text default 'x')", "create table t1 (id integer primary key, n text default ?)"}, {"select a.b1, c_2 from d3", "select a.b1, c_2 from d3"},
		{"select 'é', é from t", "select ?, é from t"}, {"a<=1 and b<>2 and c!=3 and d == 4 and e||'x'", "a<=? and b<>? and c!=? and d == ? and e||?"}, {"select a->>'$.x' from t", "select a->>? from t"},
		{"begin; select 1 ; commit;", "begin; select ?; commit"}, {"limit 10 offset 20", "limit ? offset ?"}, {"between 1 and 2", "between ? and ?"}, {"a\x00 'secret", "a"}, {"select\x01\x0b1", "select ?"},
		{"explain query plan select 1", "explain query plan select ?"}, {"select count( * ) from t", "select count(*) from t"}, {"select cast('1' as int)", "select cast(? as int)"}, {"where a = -5", "where a = ?"}, {"where a - 5", "where a - ?"},
	} {
		got := string(NormalizeSQL([]byte("p:"), []byte(c.in)))
		if got != "p:"+c.want {
			t.Errorf("%q\n got %q\nwant %q", c.in, strings.TrimPrefix(got, "p:"), c.want)
			continue
		}
		if again := string(NormalizeSQL(nil, []byte(c.want))); again != c.want {
			t.Errorf("%q is not stable: %q", c.want, again)
		}
	}
}

// Wherever a statement is cut, nothing of its literals shows.
func TestNormalizeCutAnywhere(t *testing.T) {
	sql := `INSERT INTO u (a, "b c") VALUES ('QQ1''QQ2', x'99887766', 998877, -99.88, "QQ3 QQ"), ("QQ4", 'QQ5 -- QQ', /* QQ */ 0x99) ; PRAGMA key = QQ6; select * from t where n = "QQ7" and m in ("QQ8", 99) and o like 'QQ9%'`
	for i := range len(sql) + 1 {
		got := NormalizeSQL(nil, []byte(sql[:i]))
		if bytes.Contains(got, []byte("QQ")) || bytes.ContainsAny(got, "'789") {
			t.Fatalf("%q: %q", sql[:i], got)
		}
	}
}

func FuzzNormalizeSQL(f *testing.F) {
	for _, s := range []string{"", "select 1", "x in (-1,", "values (1),(2", "pragma key=", `"a`, "[", "$x::(", "-- \n'", "a - - 'x'", "in ((", "values((),(", "/*", "?1?2", "x'a'b"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		once := NormalizeSQL(nil, b)
		if len(once) > 2*len(b) {
			t.Fatalf("%q grew to %q", b, once)
		}
		if bytes.IndexByte(once, '\'') >= 0 && bytes.IndexAny(once, "\"[`") < 0 {
			t.Fatalf("%q: %q has an open literal", b, once)
		}
		// A literal added to whatever came before shows nothing, unless that
		// left a quoted name or a comment open.
		open := bytes.ContainsAny(b, "\"'`[]\x00") || bytes.Contains(b, []byte("--")) || bytes.Contains(b, []byte("/*"))
		if !open && (len(b) == 0 || b[len(b)-1] != '-' && b[len(b)-1] != '/') {
			for _, lit := range []string{" 'QzQ''zQz", "'QzQ'", " x'QzQ'"} {
				if got := NormalizeSQL(nil, append(bytes.Clone(b), lit...)); bytes.Contains(got, []byte("QzQ")) {
					t.Fatalf("%q + %q: %q", b, lit, got)
				}
			}
		}
	})
}

func TestSQLCache(t *testing.T) {
	c := NewSQLCache(3)
	for round := range 3 {
		for i := range 5 {
			in := fmt.Sprintf("select %d from t%d", round, i)
			if got := string(c.Normalize([]byte(in))); got != fmt.Sprintf("select ? from t%d", i) {
				t.Fatal(got)
			}
			if c.Len() > 3 {
				t.Fatalf("%d entries", c.Len())
			}
		}
	}
	between := 0
	kept := func(text string) []byte { // what comes a second time is kept
		c.Normalize([]byte(text))
		between++
		c.Normalize(fmt.Append(nil, "between", between))
		return c.Normalize([]byte(text))
	}
	// The most recently used stay.
	kept("select 2 from t3")
	kept("new")
	kept("newer")
	if c.m["select 2 from t3"] == nil || c.Len() != 3 {
		t.Errorf("the one used last was dropped: %d entries", c.Len())
	}
	big := strings.Repeat("a", sqlCacheBytes)
	kept(big)
	if c.Len() != 1 || c.size != len(big) {
		t.Errorf("%d entries, %d bytes", c.Len(), c.size)
	}
	kept("x")
	if c.size > sqlCacheBytes || c.norm > 2*sqlCacheBytes {
		t.Errorf("%d bytes, %d of results", c.size, c.norm)
	}
	// What never comes again costs no memory.
	var once []byte
	i := 0
	if n := testing.AllocsPerRun(1000, func() {
		i++
		once = fmt.Appendf(once[:0], "insert into t values(%d)", i)
		if got := c.Normalize(once); string(got) != "insert into t values(?)" {
			t.Fatal(got)
		}
	}); n > 1.1 { // the number's own
		t.Errorf("%v allocations for a text that is new", n)
	}
	n := c.Len()
	if c.Normalize(fmt.Append(nil, "insert into t values(0)")); c.Len() > n {
		t.Error("a text was kept at once")
	}
	x := []byte("x")
	if n := testing.AllocsPerRun(10, func() { c.Normalize(x) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkNormalizeSQL(b *testing.B) {
	s := []byte("SELECT id, name, email FROM users WHERE id = 42 AND status IN ('a','b','c') ORDER BY created_at LIMIT 10")
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = NormalizeSQL(dst[:0], s)
	}
}
