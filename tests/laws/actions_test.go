package laws

import "testing"

// A rule changes what it was asked to change: the result and errno of a refused call.
// Every other register is as it was, on each of the ways a call can take.
func TestRefusedCallsLeaveRegistersAlone(t *testing.T) {
	exe := program(t, "registers.c", "-rdynamic", testdata("registers.S"))
	for _, probe := range append(instruments(exe, "spill"), "") {
		t.Run(probe, func(t *testing.T) {
			flags := []string{"--fault", exe + ":spill:ret=-7"}
			if probe != "" {
				flags = with(p(probe), flags...)
			}
			res, rep := watched(t, flags, exe, "1000", "all", "refused")
			if res.Code != 0 || res.Stdout != "1000 calls, 0 wrong\n" {
				t.Errorf("%v", res)
			}
			if calls, _ := rep.function("spill"); calls != 1000 {
				t.Errorf("%d calls are told of", calls)
			}
		})
	}
}

// A rule that does not act, or only tells, or waits, changes nothing.
func TestRulesThatChangeNothing(t *testing.T) {
	exe := program(t, "registers.c", "-rdynamic", testdata("registers.S"))
	for _, flags := range [][]string{
		{"--fault", exe + ":spill:ret=-7,nth=1000000"},
		{"--fault", exe + ":spill:ret=-7,p=0.0000001,seed=1"},
		{"--deny", exe + ":spill:ret=-7", "--audit"},
		{"--delay", exe + ":spill:1ns"},
		{"--break", exe + ":spill:timeout=1ns"},
	} {
		for _, probe := range append(instruments(exe, "spill"), "") {
			t.Run(flags[0]+probe, func(t *testing.T) {
				if probe != "" {
					flags = with(p(probe), flags...)
				}
				same(t, flags, exe, "500", "all")
			})
		}
	}
	real := program(t, "ipara.c", "-rdynamic")
	same(t, []string{"--fault", real + ":leaf:ret=1,nth=1000000000"}, real)
}
