package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

func TestPythonSqlite(t *testing.T) {
	py := harness.Program(t, "python3")
	_, r := same(t, nil, harness.Cmd{Args: []string{py, "app.py"}}, func(dir string) {
		write(t, filepath.Join(dir, "app.py"), `
import sqlite3, sys, threading
c = sqlite3.connect("app.db")
c.execute("create table t(a integer primary key, b)")
for i in range(300):
    c.execute("insert into t values(?, ?)", (i, "value %d" % i))
c.commit()
print(c.execute("select count(*) from t where b like 'value%'").fetchall())
for row in c.execute("select * from t where a < 7"):
    print(row)
for q in ("insert into missing values(1)", "insert into t values(3, 'again')"):
    try:
        c.execute(q)
    except sqlite3.Error as e:
        print(type(e).__name__, e)
c.commit()
def reader(n):
    d = sqlite3.connect("app.db")
    assert d.execute("select sum(a) from t").fetchone() == (300 * 299 // 2,)
    for i in range(50):
        d.execute("select b from t where a = ?", (i,)).fetchone()
    d.close()
ts = [threading.Thread(target=reader, args=(n,)) for n in range(4)]
for x in ts: x.start()
for x in ts: x.join()
c.close()
print("end", file=sys.stderr)
sys.exit(7)
`)
	})
	exact(t, r)
	for _, want := range []struct {
		sql          string
		runs, errors uint64
		rows         int64
		msg          string
	}{
		{"create table t", 1, 0, 0, ""},
		{"insert into t values", 301, 1, 0, "UNIQUE constraint failed: t.a"},
		{"insert into missing", 1, 1, 0, "no such table: missing"},
		{"select * from t where a <", 1, 0, 7, ""},
		{"select sum", 4, 0, 4, ""},
		{"select b from t where a", 200, 0, 200, ""},
	} {
		var runs, errors uint64
		var rows int64
		var msg, db string
		// Literals and parameters normalise to the same text or not: that is the
		// normaliser's business, so sum up.
		for _, s := range r.SQL {
			if strings.HasPrefix(strings.ToLower(s.SQL), want.sql) {
				runs, errors, rows = runs+s.Executions, errors+s.Errors, rows+s.Rows
				if s.LastError != "" {
					msg = s.LastError
				}
				db = s.DB
			}
		}
		if runs != want.runs || errors != want.errors || rows != want.rows || msg != want.msg {
			t.Errorf("%s: %d executions, %d errors, %d rows, %q; want %d, %d, %d, %q", want.sql, runs, errors, rows, msg, want.runs, want.errors, want.rows, want.msg)
		}
		if !strings.HasSuffix(db, "app.db") {
			t.Errorf("%s: database %q", want.sql, db)
		}
	}
	if f := file(r, "app.db"); f.Opens == 0 || f.Written == 0 || f.Read == 0 {
		t.Errorf("app.db: %+v", f)
	}
	if f := file(r, "/pyvenv.cfg"); errnoCount(f.ByErrno, "ENOENT") == 0 {
		t.Errorf("pyvenv.cfg was looked for in vain: %+v", f)
	}
	for _, s := range r.SQL {
		if strings.Contains(s.SQL, "again") || strings.Contains(s.SQL, "value") && !strings.Contains(s.SQL, "values") {
			t.Errorf("a literal is in the report: %s", s.SQL)
		}
	}
}

func TestSqliteShell(t *testing.T) {
	sh := harness.Program(t, "sqlite3")
	_, r := same(t, nil, harness.Cmd{Args: []string{sh, "shop.db"}, Stdin: `
.bail off
create table item(id integer primary key, name text not null);
insert into item(name) values ('a'), ('b'), ('c');
select id, name from item order by id desc;
insert into item(name) values (null);
select * from nowhere;
.quit
`}, nil)
	exact(t, r)
	if s := statement(r, "select id"); s.Executions != 1 || s.Rows != 3 || !strings.HasSuffix(s.DB, "shop.db") {
		t.Errorf("select: %+v", s)
	}
	var messages []string
	for _, s := range r.SQL {
		if s.LastError != "" {
			messages = append(messages, s.LastError)
		}
	}
	all := strings.Join(messages, "\n")
	for _, want := range []string{"NOT NULL constraint failed: item.name", "no such table: nowhere"} {
		if !strings.Contains(all, want) {
			t.Errorf("no statement failed with %q: %q", want, messages)
		}
	}
}

func TestBash(t *testing.T) {
	bash := harness.Program(t, "bash")
	for _, tc := range []struct{ name, script string }{
		{"pipeline", `set -o pipefail; printf '%s\n' c a b | sort | tr a-z A-Z | tail -n 2; echo "${PIPESTATUS[@]}"; false | true; echo $?`},
		{"subshells", `x=1; (x=2; (x=3; echo $x); echo $x; exit 9); echo $? $x; y=$(echo one; exit 4); echo $? "$y"`},
		{"traps", `trap 'echo bye $?' EXIT; trap 'echo usr1' USR1; kill -USR1 $$; trap 'echo err' ERR; false; exit 42`},
		{"background", `for i in 1 2 3; do (exit $i) & p[i]=$!; done; for i in 3 2 1; do wait ${p[i]}; echo $?; done; wait`},
		{"killed", `sleep 60 & kill -TERM $!; wait $!; echo $?; (bash -c 'kill -KILL $$'; echo $?) 2>/dev/null; kill -SEGV $$`},
		{"descriptors", `exec 3<>file 4>&1 5>&2; echo out >&4; echo err >&5; echo line >&3; exec 3>&- 4>&-; ls /proc/self/fd | wc -l; cat file; read -r x < <(echo sub); echo $x; wc -c <<<here`},
		{"sigpipe", `yes | head -n 3; echo "${PIPESTATUS[@]}"`},
		{"not found", `nosuchcommand; echo $?; /etc/passwd; echo $?; exec /nonexistent/program`},
		{"limits", `ulimit -n 64; ulimit -s; umask; umask 077; ulimit -c 0; (ulimit -v 3000000; echo inner); type -t echo`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, r := same(t, nil, harness.Cmd{Args: []string{bash, "-c", tc.script}}, nil)
			exact(t, r)
			if len(ran(r, "bash")) == 0 {
				t.Errorf("no bash in the report: %+v", r.Processes)
			}
		})
	}
}

func TestGit(t *testing.T) {
	harness.Program(t, "git")
	bash := harness.Program(t, "bash")
	script := `set -e
export HOME=$PWD GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_AUTHOR_DATE='1700000000 +0000'
export GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org GIT_COMMITTER_DATE='1700000000 +0000'
git -c init.defaultBranch=main init -q one
cd one
for i in $(seq 40); do echo "line $i" > f$i; done
git add .
git commit -q -m first
echo more >> f7
git diff --stat
git commit -q -a -m second
git log --oneline
git checkout -q -b side HEAD~1
echo side > g; git add g; git commit -q -m third
git merge -q -m merge main
git log --graph --format=%s
cd ..
git clone -q --no-local one two
git -C two fsck --full
git -C two rev-parse HEAD
git -C two show HEAD:nosuch || echo "exit $?"
`
	dir, r := same(t, nil, harness.Cmd{Args: []string{bash, "-c", script}}, nil)
	exact(t, r)
	if n := len(ran(r, "git")); n < 15 {
		t.Errorf("%d git processes are in the report", n)
	}
	if f := file(r, "one/.git/index.lock"); f.Path == "" {
		if f = file(r, ".git/index.lock"); f.Path == "" {
			t.Error("the index was locked, but no file says so")
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "two", "f7")); err != nil {
		t.Error(err)
	}
}

func TestTarGzip(t *testing.T) {
	harness.Program(t, "gzip")
	harness.Program(t, "tar")
	bash := harness.Program(t, "bash")
	script := `set -e
mkdir src; for i in $(seq 60); do head -c $((i*997)) /dev/zero | tr '\0' "$(printf '\\%03o' $((64+i)))" > src/f$i; done
ln -s f1 src/link; chmod 640 src/f2
tar --sort=name --mtime=@0 --owner=0 --group=0 -czf a.tgz src
gzip -t a.tgz
tar -tzf a.tgz | wc -l
mkdir out; tar -C out -xzf a.tgz
diff -r src out/src && echo same
gzip -k9n src/f9; cksum < src/f9.gz
tar -xzf src/f9 || echo "exit $?"
`
	_, r := same(t, nil, harness.Cmd{Args: []string{bash, "-c", script}}, nil)
	exact(t, r)
	if f := file(r, "a.tgz"); f.Opens == 0 || f.Written == 0 && f.Read == 0 {
		t.Errorf("a.tgz: %+v", f)
	}
	if len(ran(r, "tar")) < 4 || len(ran(r, "gzip")) < 4 {
		t.Errorf("%d tar, %d gzip processes", len(ran(r, "tar")), len(ran(r, "gzip")))
	}
}

// webServer starts a server on the loopback interface and returns its port.
func webServer(t *testing.T) int {
	t.Helper()
	py := harness.Program(t, "python3")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "page.txt"), strings.Repeat("0123456789abcdef", 4096))
	port := filepath.Join(dir, "port")
	script := `
import http.server, os, sys
class H(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *a): pass
    def date_time_string(self, timestamp=None): return "Thu, 01 Jan 1970 00:00:00 GMT"
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
open("port.new", "w").write(str(s.server_address[1]))
os.rename("port.new", "port")
s.serve_forever()
`
	harness.Start(t, harness.Cmd{Args: []string{py, "-c", script}, Dir: dir})
	n := 0
	eventually(t, "the web server's port", func() bool {
		b, err := os.ReadFile(port)
		if err != nil {
			return false
		}
		n, err = strconv.Atoi(string(b))
		return err == nil
	})
	return n
}

func TestCurlAndWget(t *testing.T) {
	port := webServer(t)
	closed := closedPort(t)
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	for _, tc := range []struct {
		name string
		args []string
		code int
	}{
		{"curl", []string{"-sS", "--noproxy", "*", "http://" + addr + "/page.txt"}, 0},
		{"curl", []string{"-sSf", "--noproxy", "*", "http://" + addr + "/missing"}, 22},
		{"curl", []string{"-s", "--noproxy", "*", fmt.Sprintf("http://127.0.0.1:%d/", closed)}, 7},
		{"wget", []string{"-q", "--no-proxy", "-O", "-", "http://" + addr + "/page.txt"}, 0},
		{"wget", []string{"-q", "--no-proxy", "-O", "-", "http://" + addr + "/missing"}, 8},
	} {
		t.Run(tc.name+strconv.Itoa(tc.code), func(t *testing.T) {
			prog := harness.Program(t, tc.name)
			_, r := same(t, nil, harness.Cmd{Args: append([]string{prog}, tc.args...)}, nil)
			exact(t, r)
			var seen bool
			for _, h := range r.Hosts {
				switch h.Address {
				case addr:
					seen = true
					if tc.code == 0 && h.Received < 65536 {
						t.Errorf("received %d bytes of 65536 from %s", h.Received, addr)
					}
				case fmt.Sprintf("127.0.0.1:%d", closed):
					seen = true
				}
			}
			if !seen {
				t.Errorf("hosts: %+v", r.Hosts)
			}
		})
	}
}

// closedPort returns a port of the loopback interface on which nobody listens.
func closedPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	return port
}

func TestNode(t *testing.T) {
	node := harness.Program(t, "node")
	_, r := same(t, nil, harness.Cmd{Args: []string{node, "app.js"}}, func(dir string) {
		write(t, filepath.Join(dir, "app.js"), `
const fs = require('fs'), cp = require('child_process'), http = require('http');
fs.writeFileSync('data.txt', 'x'.repeat(10000));
console.log(fs.readFileSync('data.txt').length, fs.existsSync('none'));
try { fs.readFileSync('missing.txt') } catch (e) { console.log(e.code) }
console.log(cp.execFileSync('/bin/echo', ['from', 'echo']).toString().trim());
console.log(cp.spawnSync('/bin/sh', ['-c', 'exit 5']).status);
const s = http.createServer((q, a) => a.end('hello ' + q.url));
s.listen(0, '127.0.0.1', () => {
  http.get({port: s.address().port, host: '127.0.0.1', path: '/p'}, r => {
    let b = ''; r.on('data', d => b += d); r.on('end', () => {
      console.log(b);
      fs.promises.readFile('data.txt').then(d => { console.log(d.length); s.close(); process.exitCode = 3; });
    });
  });
});
`)
	})
	exact(t, r)
	if f := file(r, "missing.txt"); errnoCount(f.ByErrno, "ENOENT") == 0 {
		t.Errorf("missing.txt: %+v", f)
	}
	if len(ran(r, "echo")) != 1 {
		t.Errorf("%d echo processes", len(ran(r, "echo")))
	}
}

func TestPerl(t *testing.T) {
	perl := harness.Program(t, "perl")
	_, r := same(t, nil, harness.Cmd{Args: []string{perl, "app.pl", "x"}, Stdin: "one\ntwo\n"}, func(dir string) {
		write(t, filepath.Join(dir, "app.pl"), `
use strict; use POSIX ();
while (<STDIN>) { print "in: $_" }
open(my $f, '>', 'out.txt') or die; print $f "text\n"; close $f;
open(my $m, '<', 'absent.txt') or print "absent: $!\n";
my $pid = fork(); if (!$pid) { print "child\n"; close STDOUT; POSIX::_exit(4) }
waitpid($pid, 0); print "status ", $? >> 8, "\n";
print `+"`echo shell; exit 2`"+`; print $? >> 8, "\n";
$SIG{ALRM} = sub { print "alarm\n" }; kill ALRM => $$;
eval { die "inside\n" }; print "caught $@";
die "the end\n";
`)
	})
	exact(t, r)
	if f := file(r, "absent.txt"); errnoCount(f.ByErrno, "ENOENT") == 0 {
		t.Errorf("absent.txt: %+v", f)
	}
}

func TestGccAndMake(t *testing.T) {
	harness.Program(t, "gcc")
	mk := harness.Program(t, "make")
	// Without ./prog and main.o's path in the output, both runs print the same.
	_, r := same(t, nil, harness.Cmd{Args: []string{mk, "-j2"}}, func(dir string) {
		write(t, filepath.Join(dir, "main.c"), "#include <stdio.h>\nint half(int);\nint main(void) { printf(\"%d\\n\", half(84)); return 0; }\n")
		write(t, filepath.Join(dir, "half.c"), "int half(int n) { return n / 2; }\n")
		write(t, filepath.Join(dir, "bad.c"), "int f(void) { return undeclared; }\n")
		write(t, filepath.Join(dir, "Makefile"), `
all: run bad
run: prog
	@./prog
prog: main.o half.o
	@gcc -o $@ $^
%.o: %.c
	@gcc -O1 -c -o $@ $<
bad: run
	@gcc -c bad.c
`)
	})
	exact(t, r)
	for _, name := range []string{"make", "cc1", "as", "ld"} {
		found := false
		for _, p := range r.Processes {
			base := filepath.Base(p.Exe)
			found = found || base == name || strings.HasSuffix(base, "-"+name) || strings.HasPrefix(base, name+".") || strings.Contains(base, "-"+name+".")
		}
		if !found {
			t.Errorf("no %s process in the report", name)
		}
	}
	if f := file(r, "half.o"); f.Written == 0 {
		t.Errorf("half.o: %+v", f)
	}
}

func TestCSqlite(t *testing.T) {
	harness.Program(t, "/usr/include/sqlite3.h")
	prog := compile(t, "sqlite.c", "-lsqlite3")
	_, r := same(t, []string{"-H", "sqlite"}, harness.Cmd{Args: []string{prog, "3", "200"}}, nil)
	exact(t, r)
	if s := statement(r, "insert into n values"); s.Executions != 600 || s.Errors != 0 {
		t.Errorf("insert: %+v", s)
	}
	if s := statement(r, "select a from n"); s.Executions != 3 || s.Rows != 600 {
		t.Errorf("select: %+v", s)
	}
	if s := statement(r, "select nofunction_parent"); s.Errors != 1 || s.LastError != "no such function: nofunction_parent" {
		t.Errorf("the failing statement: %+v", s)
	}
	if n := r.Account.Notes; n["handover_timeout"] != 0 {
		// sqlite3_exec holds the database's mutex while it calls sqlite3_prepare_v2.
		t.Errorf("the program's thread waited for an answer that could not come: %v", n)
	}
}

func TestScriptWithInterpreterLine(t *testing.T) {
	sh := harness.Program(t, "bash")
	var script string
	_, r := same(t, nil, harness.Cmd{Args: []string{"./script", "a b"}}, func(dir string) {
		script = filepath.Join(dir, "script")
		write(t, script, "#!"+sh+" -e\necho \"$0 $1\"\nfalse\necho not reached\n")
	})
	exact(t, r)
}
