package laws

import (
	"fmt"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// Each thread's calls are in the account, to the last one: told or counted as dropped.
func TestThreads(t *testing.T) {
	exe := program(t, "threads.c", "-rdynamic", "-w")
	for _, mode := range []string{"live", "brief", "crowd", "two", "storm"} {
		for _, flags := range [][]string{nil, {"--start", "now"}, {"--on-full", "drop-newest", "--buffer", "64k"}} {
			t.Run(fmt.Sprint(mode, flags), func(t *testing.T) {
				res, rep := watched(t, with(p(exe+":work", exe+":tick"), flags...), exe, mode)
				var works, ticks, wrong uint64
				var err error
				if mode == "storm" || mode == "crowd" {
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
	for _, instrument := range []string{"count", "hist"} {
		t.Run(instrument, func(t *testing.T) {
			for mode, want := range map[string]uint64{"live": 10000, "brief": 100000, "two": 600000} {
				_, rep := watched(t, p(exe+":work@"+instrument), exe, mode)
				if calls, _ := rep.function("work"); calls != want {
					t.Errorf("%s: counted %d calls, want %d", mode, calls, want)
				}
			}
			// handlers in the middle of it
			res, rep := watched(t, p(exe+":work@"+instrument, exe+":tick@"+instrument), exe, "storm")
			var works, ticks, wrong uint64
			if _, err := fmt.Sscanf(res.Stdout, "work %d tick %d wrong %d", &works, &ticks, &wrong); err != nil || wrong != 0 {
				t.Fatalf("the program went wrong: %v", res)
			}
			got, _ := rep.function("work")
			tick, _ := rep.function("tick")
			if n := got + tick + rep.Account.Skipped["reentrant"]; n != works+ticks {
				t.Errorf("storm: %d calls, %d counted or skipped: %+v", works+ticks, n, rep.Account)
			}
		})
	}
}

// 100,000 threads, one after the other, in an arena that has room for 2,048: all
// of their calls are told.
func TestManyThreads(t *testing.T) {
	exe := program(t, "threads.c", "-rdynamic", "-w")
	for _, start := range []string{"demand", "now"} {
		t.Run(start, func(t *testing.T) {
			c := harness.Cmd{Args: []string{exe, "brief", "100000"}, Deadline: 3 * deadline}
			res, rep := watchedCmd(t, with(p(exe+":work"), "--start", start, "--on-full", "block", "--block-timeout", "10s"), c)
			if res.Stdout != "work 500000 wrong 0\n" {
				t.Fatalf("the program went wrong: %v", res)
			}
			rep.exact(t)
			if a := rep.Account; a.Delivered != 500000 {
				t.Errorf("delivered %d of 500000 calls: %+v", a.Delivered, a)
			}
		})
	}
}

// More threads at once than the table has places: what those without one call is
// counted as lost, and places that become free are used again.
func TestThreadTableFull(t *testing.T) {
	exe := program(t, "threads.c", "-rdynamic", "-w")
	for _, start := range starts {
		rep := same(t, with(p(exe+":work", exe+":tick"), "--start", start, "--buffer", "16M"), exe, "crowd")
		rep.exact(t)
		if calls, _ := rep.function("tick"); calls != 100 {
			t.Errorf("%s: %d of 100 calls were seen after the crowd had gone", start, calls)
		}
		works, _ := rep.function("work")
		if lost := rep.Account.DroppedBy["no_thread"]; lost == 0 || works+lost != 10000 {
			t.Errorf("%s: %d calls were told and %d lost for want of a place, of 10000: %+v", start, works, lost, rep.Account)
		}
	}
}

// Threads that are cancelled where they wait, and in the middle of anything.
func TestCancel(t *testing.T) {
	exe := program(t, "threads.c", "-rdynamic", "-w")
	for _, start := range starts {
		rep := same(t, with(p(exe+":work", exe+":tick", "libc:read", "libc:poll", "libc:clock_nanosleep"), "--start", start), exe, "cancel")
		rep.exact(t)
		var works uint64
		for _, f := range rep.Functions {
			if f.Name == "work" {
				works = f.Calls + f.Dropped
			}
		}
		if works != 800 {
			t.Errorf("%s: %d of 800 calls of clean-up handlers are accounted for", start, works)
		}
	}
}

// Destructors of thread_local objects and pthread keys run when their thread ends,
// after all else: their calls are told.
func TestDestructors(t *testing.T) {
	exe := program(t, "destructors.cpp", "-rdynamic", "-w")
	for _, how := range [][]string{{exe}, {exe, "exit"}} {
		for _, start := range starts {
			res, rep := watched(t, with(p(exe+":work", exe+":tick"), "-q", "--start", start), how...)
			if res.Stdout != "wrong 0\n" || res.Code != 0 {
				t.Fatalf("the program went wrong: %v", res)
			}
			var works, ticks uint64
			if _, err := fmt.Sscanf(res.Stderr, "work %d tick %d", &works, &ticks); err != nil {
				t.Fatalf("%v: %v", err, res)
			}
			rep.exact(t)
			gotWorks, _ := rep.function("work")
			gotTicks, _ := rep.function("tick")
			if gotWorks != works || gotTicks != ticks {
				t.Errorf("%v %s: told %d of %d and %d of %d calls: %+v", how, start, gotWorks, works, gotTicks, ticks, rep.Account)
			}
		}
	}
}

// The first thread ends, others go on, and the end of the last is the end of the
// process, although the agent's threads live.
func TestLastThread(t *testing.T) {
	exe := program(t, "threads.c", "-rdynamic", "-w")
	for _, start := range starts {
		rep := same(t, with(p(exe+":work", "libc:write", "libc:usleep"), "--start", start), exe, "relay")
		rep.exact(t)
		if calls, _ := rep.function("work"); calls != 2100 {
			t.Errorf("%s: %d of 2100 calls were told: %+v", start, calls, rep.Account)
		}
	}
}

// Threads are told by their names: set before the first call, by another thread
// later on, and not those that are only their process's.
func TestThreadNames(t *testing.T) {
	exe := program(t, "threads.c", "-rdynamic", "-w")
	rep := same(t, with(p(exe+":work"), "--start", "now"), exe, "names")
	rep.exact(t)
	threads, calls := map[string]uint64{}, map[string]uint64{}
	for _, g := range rep.Threads {
		threads[g.Name], calls[g.Name] = g.Threads, g.Calls
	}
	delete(threads, "late") // ends as soon as it has its name: whoever looks may be too late
	if len(threads) != 2 || threads["early"] != 9 || calls["early"] != 9 || threads["given"] != 1 || calls["given"] < 1 || calls["given"] > 2 {
		t.Errorf("want early, 9 threads with 9 calls, and given, whose last call or two were made with that name: %+v", rep.Threads)
	}
}
