package e2e

import (
	"testing"
	"time"

	"github.com/seam-project/seam/tests/harness"
)

// eventually waits until something is so. It fails only after as long as a command
// may hang, so a slow machine makes no difference.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(harness.Deadline); !is(); {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
