package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

func TestOwnFunctions(t *testing.T) {
	prog := compile(t, "worker.c", "-rdynamic")
	late := compile(t, "late.c", "-shared", "-fPIC")
	dir := filepath.Dir(prog)
	for _, tc := range []struct {
		name  string
		flags []string
		fn    string
		kind  string
		calls uint64
	}{
		{"relative", []string{"-p", "./worker:do_work"}, "do_work", "call", 100},
		{"absolute", []string{"-p", prog + ":do_work"}, "do_work", "call", 100},
		{"any object", []string{"-p", "do_work"}, "do_work", "call", 100},
		{"count", []string{"-p", "./worker:do_work@count"}, "do_work", "count", 100},
		{"hist", []string{"-p", "./worker:do_work@hist"}, "do_work", "hist", 100},
		{"late library", []string{"-p", "late:late_work"}, "late_work", "call", 35},
		{"late library count", []string{"-p", "./late.so:late_work@count"}, "late_work", "count", 35},
		{"late library any", []string{"-p", "late_*"}, "late_work", "call", 35},
		{"integer", []string{"-p", "./worker:do_work if 0 == 3"}, "do_work", "call", 10},
		{"integers", []string{"-p", "./worker:do_work if 0 >= 3 and 0 != 5"}, "do_work", "call", 60},
		{"integer of libc", []string{"-p", "libc:lseek if whence == 2"}, "lseek", "call", 13},
		{"constant", []string{"-p", "libc:lseek if whence == SEEK_CUR"}, "lseek", "call", 13},
		{"prefix", []string{"-p", `libc:access if file ^= "/etc/"`}, "access", "call", 40},
		{"not prefix", []string{"-p", `libc:access if file !^= "/etc/"`}, "access", "call", 40},
		{"failed", []string{"-p", "libc:access failed"}, "access", "call", 30},
		{"prefix failed", []string{"-p", `libc:access if file ^= "/etc/" failed`}, "access", "call", 10},
		{"count filtered", []string{"-p", `libc:access@count if file ^= "/etc/"`}, "access", "count", 40},
		{"hist failed", []string{"-p", "libc:lseek@hist failed"}, "lseek", "hist", 40},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := harness.Cmd{Args: []string{"./worker", late}, Dir: dir}
			want := harness.Run(t, c)
			got, r := watch(t, tc.flags, c)
			if want.Stdout == "" || got.Code != want.Code || !strings.Contains(got.Stdout, "late 870\n") {
				t.Errorf("without: %v\nwith: %v", want, got)
			}
			exact(t, r)
			f := function(r, tc.fn)
			if f.Calls != tc.calls || f.Kind != tc.kind {
				t.Errorf("%+v\nwant %d calls, %s", r.Functions, tc.calls, tc.kind)
			}
			if a := r.Account; tc.kind == "call" && (a.Produced != tc.calls || a.Counted != 0) || tc.kind != "call" && (a.Produced != 0 || a.Counted != tc.calls) {
				t.Errorf("account: %+v", a)
			}
			if tc.kind == "hist" && (f.TotalNS <= 0 || f.P50NS <= 0 || f.MaxNS < f.P99NS) {
				t.Errorf("histogram: %+v", f)
			}
		})
	}
}

// TestSlower checks the duration filter against the program's own clock: what it
// measures from outside is at least what seam measures, and its sleeps are twice
// the limit, so load on the machine changes nothing.
func TestSlower(t *testing.T) {
	prog := compile(t, "worker.c", "-rdynamic")
	res, r := watch(t, []string{"-p", "./worker:slow_work slower 30ms"}, harness.Cmd{Args: []string{"./worker"}, Dir: filepath.Dir(prog)})
	exact(t, r)
	var slow uint64
	for line := range strings.Lines(res.Stdout) {
		fmt.Sscanf(line, "slow %d", &slow)
	}
	if f := function(r, "slow_work"); f.Calls < 2 || f.Calls > slow {
		t.Errorf("%d calls were kept; 2 slept for twice the limit, %d took at least the limit", f.Calls, slow)
	}
}

func TestWholeLibrary(t *testing.T) {
	harness.Program(t, "/usr/include/sqlite3.h")
	prog := compile(t, "sqlite.c", "-lsqlite3")
	_, r := same(t, []string{"-p", "libsqlite3:*"}, harness.Cmd{Args: []string{prog, "2", "100"}}, nil)
	exact(t, r)
	for name, calls := range map[string]uint64{"sqlite3_open": 3, "sqlite3_finalize": 0, "sqlite3_column_int": 200, "sqlite3_close": 3} {
		if f := function(r, name); f.Calls < max(calls, 1) {
			t.Errorf("%s: %d calls, want at least %d", name, f.Calls, calls)
		}
	}
}

func TestHistogramOfErrors(t *testing.T) {
	prog := compile(t, "worker.c", "-rdynamic")
	_, r := watch(t, []string{"-p", "libc:access@hist"}, harness.Cmd{Args: []string{prog}})
	exact(t, r)
	if f := function(r, "access"); f.Calls != 80 || f.Errors != 30 {
		t.Errorf("access: %+v", f)
	}
}

func TestErrnoIsExact(t *testing.T) {
	prog := compile(t, "worker.c", "-rdynamic")
	_, r := watch(t, []string{"-p", "libc:access", "-p", "libc:lseek"}, harness.Cmd{Args: []string{prog}})
	exact(t, r)
	if f := function(r, "access"); f.Calls != 80 || f.Errors != 30 || errnoCount(f.ByErrno, "ENOENT") != 30 {
		t.Errorf("access: %+v", f)
	}
	if f := function(r, "lseek"); f.Calls != 40 || f.Errors != 40 || errnoCount(f.ByErrno, "EBADF") != 40 {
		t.Errorf("lseek: %+v", f)
	}
}
