package laws

import (
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// The host's descriptors are its own: their numbers, what waits on them, what comes
// by a socket, and each byte of its files, whatever the agent is doing meanwhile.
func TestDescriptorNumbers(t *testing.T) {
	exe := program(t, "descriptors.c", "-rdynamic", "-w")
	for _, mode := range []string{"files", "waiting", "passing", "few", "daemon"} {
		for _, start := range starts {
			t.Run(mode+" "+start, func(t *testing.T) {
				flags := with(p(exe+":work"), "-H", "file,net,proc", "--start", start)
				rep := sameCmd(t, flags, harness.Cmd{Args: []string{exe, mode}, Dir: t.TempDir()})
				rep.exact(t)
				if calls, _ := rep.function("work"); calls == 0 {
					t.Error("no call was seen: the test tests nothing")
				}
			})
		}
	}
}
