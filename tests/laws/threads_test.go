package laws

import (
	"fmt"
	"testing"
)

// Each thread's calls are in the account, to the last one: told or counted as dropped.
func TestThreads(t *testing.T) {
	exe := program(t, "threads.c", "-rdynamic", "-w")
	for _, mode := range []string{"live", "brief", "two", "storm"} {
		for _, flags := range [][]string{nil, {"--start", "now"}, {"--on-full", "drop-newest", "--buffer", "64k"}} {
			t.Run(fmt.Sprint(mode, flags), func(t *testing.T) {
				res, rep := watched(t, with(p(exe+":work", exe+":tick"), flags...), exe, mode)
				var works, ticks, wrong uint64
				var err error
				if mode == "storm" {
					_, err = fmt.Sscanf(res.Stdout, "work %d tick %d wrong %d", &works, &ticks, &wrong)
				} else {
					_, err = fmt.Sscanf(res.Stdout, "work %d wrong %d", &works, &wrong)
				}
				if err != nil || wrong != 0 || res.Code != 0 || res.Signal != 0 {
					t.Fatalf("the program went wrong: %v", res)
				}
				rep.exact(t)
				if got := rep.Account.Produced + rep.Account.Skipped["reentrant"]; got != works+ticks {
					t.Errorf("%d calls, %d produced or skipped: %+v", works+ticks, got, rep.Account)
				}
			})
		}
	}
	t.Run("count", func(t *testing.T) {
		for mode, want := range map[string]uint64{"live": 10000, "brief": 100000, "two": 600000} {
			_, rep := watched(t, p(exe+":work@count"), exe, mode)
			if calls, _ := rep.function("work"); calls != want {
				t.Errorf("%s: counted %d calls, want %d", mode, calls, want)
			}
		}
	})
	t.Run("hist", func(t *testing.T) {
		_, rep := watched(t, p(exe+":work@hist"), exe, "two")
		if calls, _ := rep.function("work"); calls != 600000 {
			t.Errorf("measured %d calls, want 600000", calls)
		}
	})
}
