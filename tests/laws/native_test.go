package laws

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/native"
	"github.com/seam-project/seam/tests/harness"
)

// Law 3, with callbacks of the user's that use every register that a function may use, and with
// some that are seen to use only a few of them.
func TestNativeVectors(t *testing.T) {
	gcc := harness.Program(t, "gcc")
	host := compiled(t, gcc, "vectors_host.c", "-rdynamic")
	for _, name := range []string{"vectors_cb.c", "vectors_sse.c"} {
		cb := compiled(t, gcc, name, "-shared", "-fPIC", "-O2", "-I"+filepath.Join(harness.Root(), "hooks/native"))
		if name == "vectors_sse.c" {
			f, err := native.Read(cb)
			if err != nil || f.Callbacks[0].Uses != hooks.FewXMM || f.Callbacks[1].Uses != hooks.AnyXMM {
				t.Fatalf("%+v, %v: another way is tried than the one meant", f, err)
			}
		}
		for _, flags := range [][]string{{"-H", "none"}, {"-p", host + ":quiet*", "-p", host + ":wide"}} {
			res, r := watched(t, append([]string{"--native", cb}, flags...), host)
			if res.Code != 0 || !strings.Contains(res.Stdout, " bad 0\n") {
				t.Errorf("%s, %q: %v", name, flags, res)
			}
			if flags[0] == "-p" && r.Account.Produced < 9 {
				t.Errorf("%s: %d calls", name, r.Account.Produced)
			}
		}
	}
}
