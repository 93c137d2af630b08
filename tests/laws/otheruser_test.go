package laws

import (
	"os"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// TestOtherUser has a program of root's start one as another user, who can't read
// root's files: not a word of the loader's may be on that one's standard error.
func TestOtherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to become another user")
	}
	res := harness.Run(t, harness.Cmd{
		// No XDG_CACHE_HOME: root's own cache, as when an administrator starts a service.
		Env: []string{"XDG_CACHE_HOME="},
		Args: []string{harness.Seam(t), "run", "-q", "--", "/bin/sh", "-c", "umask 077; setpriv --reuid=65534 --regid=65534 --clear-groups " +
			"/bin/sh -c 'id -u; echo err >&2; exit 3'"},
	})
	if want := (harness.Result{Stdout: "65534\n", Stderr: "err\n", Code: 3}); res != want {
		t.Errorf("got %v\nwant %v", res, want)
	}
}
