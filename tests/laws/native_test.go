package laws

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// Law 3, with a callback of the user's that uses every register that a function may use.
func TestNativeVectors(t *testing.T) {
	gcc := harness.Program(t, "gcc")
	host := compiled(t, gcc, "vectors_host.c", "-rdynamic")
	cb := compiled(t, gcc, "vectors_cb.c", "-shared", "-fPIC", "-I"+filepath.Join(harness.Root(), "hooks/native"))
	for _, flags := range [][]string{{"-H", "none"}, {"-p", host + ":quiet*", "-p", host + ":wide"}} {
		res, r := watched(t, append([]string{"--native", cb}, flags...), host)
		if res.Code != 0 || !strings.Contains(res.Stdout, " bad 0\n") {
			t.Errorf("%q: %v", flags, res)
		}
		if flags[0] == "-p" && r.Account.Produced < 9 {
			t.Errorf("%d calls", r.Account.Produced)
		}
	}
}
