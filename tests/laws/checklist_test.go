package laws

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// instruments are the ways in which a function can be patched: each has its own
// path through the assembly. The last two are filters that keep the call out.
func instruments(exe, fn string) []string {
	probe := exe + ":" + fn
	return []string{probe, probe + "@count", probe + "@hist", probe + " if 1 == 77", probe + "@count if 1 == 77", probe + " slower 1h"}
}

// What a function is called with and what it returns: every register, with
// random values, over many chunks of records.
func TestRegisters(t *testing.T) {
	exe := program(t, "registers.c", "-rdynamic", testdata("registers.S"))
	for _, start := range []string{"demand", "now"} {
		for _, probe := range instruments(exe, "spill") {
			t.Run(start+" "+probe[len(exe)+1:], func(t *testing.T) {
				same(t, with(p(probe), "--start", start), exe, "4000")
			})
		}
	}
}

// callbacks are native ones that come after the call.
func callbacks(t *testing.T) string {
	return compiled(t, harness.Program(t, "gcc"), "stepped_cb.c", "-shared", "-fPIC", "-O2", "-I"+filepath.Join(harness.Root(), "hooks/native"))
}

// Registers that the ABI lets a function destroy, but this one leaves alone:
// within one file gcc knows that (-fipa-ra) and keeps its own values there.
func TestRegistersThatTheOriginalLeavesAlone(t *testing.T) {
	exe := program(t, "registers.c", "-rdynamic", testdata("registers.S"))
	for _, probe := range instruments(exe, "spill") {
		t.Run(probe[len(exe)+1:], func(t *testing.T) { same(t, p(probe), exe, "4000", "all") })
	}
	t.Run("callback after", func(t *testing.T) { same(t, with(p(exe+":spill"), "--native", callbacks(t)), exe, "4000", "all") })
	real := program(t, "ipara.c", "-rdynamic")
	t.Run("gcc callback after", func(t *testing.T) {
		sameCmd(t, with(p(real+":leaf"), "--native", callbacks(t)), harness.Cmd{Args: []string{real}, Deadline: deadline / 4})
	})
	for _, probe := range instruments(real, "leaf") {
		t.Run("gcc "+probe[len(real)+1:], func(t *testing.T) {
			sameCmd(t, p(probe), harness.Cmd{Args: []string{real}, Deadline: deadline / 4})
		})
	}
}

func TestPrologues(t *testing.T) {
	exe := program(t, "prologues.c", "-rdynamic", testdata("prologues.S"), "-Wl,-z,noexecstack")
	for _, instrument := range []string{"log", "count", "hist"} {
		t.Run(instrument, func(t *testing.T) {
			rep := same(t, p(exe+":*@"+instrument), exe)
			rep.exact(t)
			for fn, want := range map[string]uint64{"early_rip": 400, "early_branch": 400, "early_lea": 200, "early_jump": 200, "with_endbr": 200,
				"tail_call": 200, "tail_endbr": 200, "red_zone": 200, "pushes_first": 200, "early_call": 200, "loop_to_start": 200, "loop_into_start": 200, "early_jrcxz": 200, "sets_flags": 200} {
				if fn == "early_call" && instrument == "hist" {
					want = 0 // it takes its return address off the stack: not to be framed
				}
				if calls, _ := rep.function(fn); calls != want {
					t.Errorf("%s: %d calls, want %d", fn, calls, want)
				}
			}
		})
	}
}

// Arguments and results of every shape, of functions that seam has no prototype of.
func TestShapes(t *testing.T) {
	exe := program(t, "shapes.c", "-g0", "-rdynamic", "-Wl,-z,execstack")
	for _, instrument := range []string{"log", "count", "hist"} {
		t.Run(instrument, func(t *testing.T) {
			rep := same(t, p(exe+":*@"+instrument), exe)
			rep.exact(t)
			if instrument != "log" {
				return
			}
			for _, fn := range []string{"sum10", "take_big", "sum_doubles", "mixed", "give_ld", "give_cld", "variadic"} {
				if k := rep.kind(fn); k != "entry" {
					t.Errorf("%s takes arguments on the stack and no prototype says how many: patched as %q", fn, k)
				}
			}
			if calls, _ := rep.function("deep"); calls != 45150 {
				t.Errorf("recursion: %d calls, want 45150", calls)
			}
		})
	}
}

// longjmp, pthread_exit and pthread_cancel out of calls, signal handlers and
// coroutines on other stacks, fork and vfork inside.
func TestJumps(t *testing.T) {
	exe := program(t, "jumps.c", "-rdynamic")
	for _, start := range []string{"demand", "now"} {
		for _, instrument := range []string{"log", "count", "hist"} {
			t.Run(start+" "+instrument, func(t *testing.T) {
				rep := same(t, with(p(exe+":*@"+instrument, "libc:*jmp*", "libc:fork", "libc:vfork", "libc:swapcontext"), "--start", start, "--on-full", "block"), exe)
				rep.exact(t)
				if instrument == "log" {
					for fn, want := range map[string]uint64{"jumps": 20000, "through": 20000, "sjumps": 20000, "switches": 8000, "forks": 20, "on_altstack": 300} {
						if calls, _ := rep.function(fn); calls != want {
							t.Errorf("%s: %d calls, want %d", fn, calls, want)
						}
					}
				}
			})
		}
	}
}

func TestExceptions(t *testing.T) {
	exe := program(t, "throws.cpp", "-rdynamic")
	for _, instrument := range []string{"log", "count", "hist"} {
		t.Run(instrument, func(t *testing.T) { same(t, p(exe+":*@"+instrument), exe).exact(t) })
	}
}

// A signal at every single instruction of a hooked call, with a handler that
// makes hooked calls: each of them is told, or counted as skipped.
func TestSignalAtEveryInstruction(t *testing.T) {
	exe, cb := program(t, "stepped.c", "-rdynamic"), callbacks(t)
	for name, probes := range map[string][]string{
		"log":    p(exe+":work", exe+":tick"),
		"filter": p(exe+":work if 0 > 20", exe+":tick"),
		"hist":   p(exe+":work@hist", exe+":tick"),
		"after":  with(p(exe+":work", exe+":tick"), "--native", cb),
		"hists":  p(exe+":work@hist", exe+":tick@hist"),
		"slow":   p(exe+":work slower 1h", exe+":tick"),
		"count":  p(exe+":work@count", exe+":tick"),
		"string": with(p(exe+":work", exe+":tick"), "--proto", "long work(const char *s)"),
		"small":  with(p(exe+":work", exe+":tick"), "--buffer", "64k", "--on-full", "drop-newest"),
	} {
		t.Run(name, func(t *testing.T) {
			// no start: it blocks signals, and a blocked single step kills
			args := []string{exe, "200"}
			if name == "string" {
				args = append(args, "string")
			}
			res, rep := watched(t, with(probes, "--start", "never"), args...)
			var works, ticks, wrong uint64
			if _, err := fmt.Sscanf(res.Stdout, "work %d tick %d wrong %d", &works, &ticks, &wrong); err != nil || wrong != 0 {
				t.Fatalf("the program went wrong: %v", res)
			}
			rep.exact(t)
			calls, _ := rep.function("tick")
			for _, f := range rep.Functions {
				if f.Name == "tick" {
					calls += f.Dropped
				}
			}
			if skipped := rep.Account.Skipped["reentrant"]; calls+skipped != ticks {
				t.Errorf("%d calls of tick in the handler, %d told or dropped, %d skipped", ticks, calls, skipped)
			}
			if got, _ := rep.function("work"); got != works && name != "slow" && name != "filter" && name != "small" {
				t.Errorf("%d calls of work, %d told", works, got)
			}
			if calls < ticks/20 {
				t.Errorf("only %d of %d calls in the handler were seen", calls, ticks)
			}
		})
	}
}

// The handler leaves by siglongjmp, from every instruction. Where that abandons
// seam in the middle of a record the thread is not recorded any more: what it
// calls then is counted as skipped, and nothing worse happens.
func TestJumpFromEveryInstruction(t *testing.T) {
	exe := program(t, "stepjump.c", "-rdynamic")
	for name, probes := range map[string][]string{
		"log":    p(exe+":work", exe+":after"),
		"string": with(p(exe+":work", exe+":after"), "--proto", "long work(const char *s)"),
		"hist":   p(exe+":work@hist", exe+":after"),
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{exe}
			if name == "string" {
				args = append(args, "thirty bytes, which are ASCII.")
			}
			res, rep := watched(t, with(probes, "--start", "never"), args...)
			var jumps, after uint64
			if _, err := fmt.Sscanf(res.Stdout, "jumps %d after %d", &jumps, &after); err != nil {
				t.Fatalf("the program went wrong: %v", res)
			}
			rep.exact(t)
			calls, _ := rep.function("after")
			if skipped := rep.Account.Skipped["reentrant"]; calls+skipped < after {
				t.Errorf("%d calls after %d jumps out of handlers, %d were seen and %d skipped", after, jumps, calls, skipped)
			}
		})
	}
}

// What must not be patched is refused, with its reason.
func TestRefused(t *testing.T) {
	_, rep := watched(t, p("libc:__stack_chk_fail", "libc:environ"), "/bin/true")
	var got []string
	for _, r := range rep.Refusals {
		for _, n := range r.Names {
			got = append(got, n[strings.LastIndexByte(n, ':')+1:]+" "+r.Reason)
		}
	}
	slices.Sort(got)
	want := []string{"__stack_chk_fail protected", "environ data-symbol"}
	if !slices.Equal(got, want) {
		t.Errorf("refusals %q, want %q", got, want)
	}
}
