package e2e

import (
	"os"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// TestProcessNamespace: the numbers of a thread in another process id namespace
// say nothing about whether it lives. An agent that asked all the same took such threads
// for dead, and others wrote where they still wrote.
func TestProcessNamespace(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a process id namespace without a user namespace takes root")
	}
	prog := compile(t, "namespace.c", "-rdynamic", "-pthread")
	for _, args := range [][]string{{prog}, {prog, "leave"}} {
		_, r := same(t, []string{"-p", prog + ":ticks", "--start", "now"}, harness.Cmd{Args: args}, nil)
		exact(t, r)
		if f := function(r, "ticks"); f.Calls != 4200 {
			t.Errorf("%v: %d calls of 4200: %+v", args[1:], f.Calls, r.Account)
		}
	}
}
