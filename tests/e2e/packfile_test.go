package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// TestUserPack: a pack in a file, for a library that is loaded late: its
// declarations name the arguments, its rules act, and without the library it costs nothing.
func TestUserPack(t *testing.T) {
	prog := compile(t, "worker.c", "-rdynamic")
	late := compile(t, "late.c", "-shared", "-fPIC")
	dir := t.TempDir()
	file := filepath.Join(dir, "lateness.yaml")
	pack := "pack: lateness\nlibrary: late\nfunctions:\n  - int late_work(int number) fails < 0\nfaults:\n  - late_work:ret=-7,nth=10\n"
	if err := os.WriteFile(file, []byte(pack), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, given string }{{"by name", "lateness"}, {"by path", file}} {
		t.Run(tc.name, func(t *testing.T) {
			res, r := watch(t, []string{"-H", tc.given}, harness.Cmd{Args: []string{prog, late}, Env: []string{"SEAM_HOOKS_PATH=" + dir}})
			exact(t, r)
			f := function(r, "late_work")
			if f.Calls != 35 || f.Errors != 1 {
				t.Errorf("%+v", f)
			}
			// the tenth call is the constructor's five and the program's fifth, of 2 * 4
			if !strings.Contains(res.Stdout, "late 855\n") {
				t.Errorf("%v", res)
			}
		})
	}
	plain := harness.Run(t, harness.Cmd{Args: []string{prog}})
	res, r := watch(t, []string{"-H", file}, harness.Cmd{Args: []string{prog}})
	if res.Stdout != plain.Stdout || len(r.Functions) != 0 {
		t.Errorf("without the library: %v %+v", res, r.Functions)
	}
}
