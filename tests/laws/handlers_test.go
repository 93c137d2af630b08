package laws

import (
	"fmt"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// Signal handlers that call hooked functions: they jump out of wherever they came
// in, run on tiny alternate stacks, switch coroutines, sample for a profiler. The program goes on
// as without seam, and each call is told, or counted as lost or skipped.
func TestHandlers(t *testing.T) {
	exe := program(t, "handlers.c", "-rdynamic", "-w")
	probes := p(exe+":work", exe+":tick", exe+":after", exe+":named", exe+":touch")
	for _, mode := range []string{"jump", "fault", "altstack", "coroutines", "profiled", "takers"} {
		bare := harness.Run(t, harness.Cmd{Args: []string{exe, mode}})
		flags := [][]string{{"--start", "demand"}, {"--start", "now"}, {"--start", "never"}}
		if mode == "jump" {
			flags = append(flags, []string{"--buffer", "64k"}, []string{"--buffer", "64k", "--on-full", "drop-newest"}, []string{"--buffer", "128k", "--on-full", "block"})
		}
		for _, f := range flags {
			t.Run(fmt.Sprint(mode, f), func(t *testing.T) {
				res, rep := watched(t, with(probes, append(f, "-q")...), exe, mode)
				if res.Stdout != bare.Stdout || res.Code != bare.Code || res.Signal != bare.Signal {
					t.Fatalf("seam changed the program\nbare:    %v\nwatched: %v", bare, res)
				}
				var works, ticks, jumps, more uint64
				if _, err := fmt.Sscanf(res.Stderr, "work %d tick %d jumps %d", &works, &ticks, &jumps); err != nil {
					t.Fatalf("%v: %v", err, res)
				}
				switch mode {
				case "jump":
					more = 2000 // after the storm
				case "fault":
					more = 5000 // that did not return
				case "coroutines":
					jumps = 2 // of those left behind at the end
				}
				rep.exact(t)
				// A call that the program counted and a jump prevented was never made.
				all := works + ticks + more
				if got := rep.Account.Produced + rep.Account.Skipped["reentrant"]; got > all || got+jumps < all {
					t.Errorf("%d calls, %d of them perhaps never made; %d produced or skipped: %+v", all, jumps, got, rep.Account)
				}
				if mode != "jump" {
					return
				}
				if jumps < 100 {
					t.Errorf("only %d jumps: the test tests nothing", jumps)
				}
				var after uint64
				for _, f := range rep.Functions {
					if f.Name == "after" {
						after = f.Calls + f.Dropped // told, or counted as lost
					}
				}
				if after != more {
					t.Errorf("%d of %d calls after the storm were seen: %+v", after, more, rep.Account)
				}
			})
		}
	}
}
