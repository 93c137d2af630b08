package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// sqliteWork makes and fills a database, in as many transactions as there are rows, and says
// which of them it was told are on the disk.
const sqliteWork = `
import sqlite3, sys
con = sqlite3.connect(sys.argv[1], isolation_level=None)
for i in range(int(sys.argv[2])):
    try:
        con.execute("pragma synchronous=full")
        con.execute("begin immediate")
        con.execute("insert into t(v) values (?)", (str(i) * 300,))
        con.execute("commit")
        print(i, flush=True)
    except sqlite3.Error as e:
        print("error:", e, flush=True)
        try: con.execute("rollback")
        except sqlite3.Error: pass
`

// Whatever write to its files fails, and however: a database stays whole, and has all
// that it said it has. nth goes up until no call is left to fail.
func TestSqliteSurvivesEachFault(t *testing.T) {
	py, sh := harness.Program(t, "python3"), harness.Program(t, "sqlite3")
	for _, fault := range []string{"pwrite64:errno=ENOSPC", "pwrite64:errno=EIO", "fdatasync:errno=EIO", "pwrite64:short=512"} {
		for _, journal := range []string{"delete", "wal"} {
			if journal == "wal" && !strings.HasPrefix(fault, "pwrite64:errno") {
				continue
			}
			t.Run(fault+" "+journal, func(t *testing.T) {
				t.Parallel()
				hit := 0
				for nth := 1; ; nth++ {
					if nth > 400 {
						t.Fatal("no end to the calls")
					}
					dir := shortDir(t)
					db := filepath.Join(dir, "a.db")
					if res := harness.Run(t, harness.Cmd{Args: []string{sh, db, "pragma journal_mode=" + journal + "; create table t(v text); insert into t values('first');"}}); res.Code != 0 {
						t.Fatal(res)
					}
					text := fmt.Sprintf("%s,path^=%s,nth=%d", fault, dir, nth)
					res, r := watch(t, []string{"--fault", text, "-H", "none"}, harness.Cmd{Args: []string{py, "-c", sqliteWork, db, "1"}})
					u := rule(t, r, 1)
					if u.Matched < uint64(nth) {
						break
					}
					hit += int(u.Acted)
					told := 0
					for line := range strings.Lines(res.Stdout) {
						if !strings.HasPrefix(line, "error:") {
							told++
						}
					}
					check := harness.Run(t, harness.Cmd{Args: []string{sh, db, "pragma integrity_check; select count(*) >= " + fmt.Sprint(told+1) + " from t;"}})
					if check.Stdout != "ok\n1\n" || check.Code != 0 {
						t.Errorf("%s: after %q: %v", text, res.Stdout, check)
					}
					if res.Code != 0 {
						t.Errorf("%s: %v", text, res)
					}
				}
				if hit < 3 {
					t.Errorf("only %d calls were made to fail", hit)
				}
			})
		}
	}
}

// shortDir is a folder whose name fits a condition, and has no comma in it.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "acts")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// Programs say what is wrong when a call fails.
func TestProgramsReportTheError(t *testing.T) {
	bash := harness.Program(t, "bash")
	for _, tc := range []struct {
		name, rule, script string
		wants              []string
	}{
		{"tar", "write:errno=ENOSPC,path^=DIR/a.tar", "echo x >a; tar -cf a.tar a", []string{"tar", "No space left on device"}},
		{"tar", "openat:errno=EMFILE,file^=secret", "mkdir d; echo x >d/secret; tar -cf a.tar d", []string{"secret", "Too many open files"}},
		{"git", "write:errno=EIO,path^=DIR/r/.git/objects,nth=1", "git init -q r; cd r; echo x >f; git add f", []string{"Input/output error"}},
		{"git", "rename*:errno=EACCES,max=1", "git init -q r; cd r; git config a.b c", []string{"ermission denied"}},
		{"python3", "write:errno=ENOSPC,path^=DIR/f", `python3 -c 'open("f", "w", 1).write("line\n")'`, []string{"OSError: [Errno 28] No space left on device"}},
		{"python3", "libc:mkdir:errno=EROFS", `python3 -c 'import os; os.mkdir("x")'`, []string{"Read-only file system"}},
		{"python3", "sqlite3_prepare_v2:any,seed=7,nth=1", `python3 -c 'import sqlite3; sqlite3.connect("a.db").execute("create table t(a)")'`, []string{"rror"}},
	} {
		t.Run(tc.name+" "+tc.rule, func(t *testing.T) {
			harness.Program(t, tc.name)
			dir := shortDir(t)
			env := []string{"HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1"}
			res, r := watch(t, []string{"--fault", strings.ReplaceAll(tc.rule, "DIR", dir)}, harness.Cmd{Args: []string{bash, "-c", "set -e; cd " + dir + "; " + tc.script}, Dir: dir, Env: env})
			if res.Code == 0 && res.Signal == 0 {
				t.Errorf("it did not notice: %v", res)
			}
			for _, want := range tc.wants {
				if !strings.Contains(res.Stderr, want) {
					t.Errorf("%v: lacks %q", res, want)
				}
			}
			if u := rule(t, r, 1); u.Acted == 0 {
				t.Errorf("%+v", u)
			}
			if strings.Contains(res.Stderr, "panic") {
				t.Errorf("%v", res)
			}
		})
	}
}
