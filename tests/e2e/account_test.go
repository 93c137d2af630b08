package e2e

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/tests/harness"
)

// onlyGetppid watches the one function that testdata's programs count.
var onlyGetppid = []string{"-p", "libc:getppid"}

// produced compares what seam saw of getppid with what the program counted: by at
// most as many calls as threads were under way when it ended.
func produced(t *testing.T, r *report.Report, y *tally, underWay uint64) {
	t.Helper()
	law(t, r)
	if p, n := r.Account.Produced, y.calls(); p < n || p > n+underWay {
		t.Errorf("produced %d, but the program counted %d calls", p, n)
	}
}

func TestKilledAtRandom(t *testing.T) {
	prog := compile(t, "calls.c")
	for i := range 20 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			y := newTally(t)
			flags := onlyGetppid
			// Sometimes there is an agent at work, sometimes only the memory is left.
			switch i % 4 {
			case 1:
				flags = append([]string{"--start", "now"}, flags...)
			case 2:
				flags = append([]string{"--start", "never"}, flags...)
			case 3:
				flags = append([]string{"--buffer", "64k"}, flags...)
			}
			threads := uint64(1 + i%3)
			c, file := watched(t, flags, harness.Cmd{Args: []string{prog, y.path, "0", strconv.FormatUint(threads, 10)}})
			run := harness.Start(t, c)
			kill := rand.Uint64N(100_000)
			if i%5 == 0 {
				kill = rand.Uint64N(50) // with only a few in memory
			}
			eventually(t, "calls", func() bool { return y.calls() >= kill && y.pid() != 0 })
			if err := unix.Kill(y.pid(), unix.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if res := run.Wait(); res.Signal != syscall.SIGKILL {
				t.Errorf("seam did not end as its target did: %v", res)
			}
			r := readReport(t, file)
			produced(t, r, y, threads)
			if t.Failed() {
				t.Logf("killed at %d, %v", kill, flags)
			}
		})
	}
}

func TestOnFull(t *testing.T) {
	prog := compile(t, "calls.c")
	const calls = 200_000
	for _, tc := range []struct {
		name    string
		flags   []string
		threads uint64
		drops   string // the only reason for which calls may be dropped
	}{
		{"drop-oldest", []string{"--on-full", "drop-oldest"}, 1, "oldest"},
		{"drop-oldest threads", []string{"--on-full", "drop-oldest"}, 3, "oldest"},
		{"drop-newest", []string{"--on-full", "drop-newest"}, 1, "newest"},
		{"drop-newest threads", []string{"--on-full", "drop-newest"}, 3, "newest"},
		{"block", []string{"--on-full", "block", "--block-timeout", "60s"}, 1, ""},
		{"block threads", []string{"--on-full", "block", "--block-timeout", "60s"}, 3, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			y := newTally(t)
			flags := append(append([]string{"--buffer", "64k"}, onlyGetppid...), tc.flags...)
			res, r := watch(t, flags, harness.Cmd{Args: []string{prog, y.path, strconv.Itoa(calls), strconv.FormatUint(tc.threads, 10)}})
			if res.Code != 5 || res.Stdout+res.Stderr != "" {
				t.Errorf("the program: %v", res)
			}
			law(t, r)
			if want := tc.threads * calls; r.Account.Produced != want || y.calls() != want {
				t.Errorf("produced %d, the program counted %d, want %d", r.Account.Produced, y.calls(), want)
			}
			for why, n := range r.Account.DroppedBy {
				if why != tc.drops {
					t.Errorf("dropped %d calls because of %q", n, why)
				}
			}
			if tc.drops == "" && r.Account.Dropped != 0 {
				t.Errorf("block dropped %d calls: %v", r.Account.Dropped, r.Account.DroppedBy)
			}
			if f := function(r, "getppid"); f.Calls != r.Account.Delivered || f.Dropped != r.Account.Dropped {
				t.Errorf("getppid: %d calls and %d dropped, in all %d and %d", f.Calls, f.Dropped, r.Account.Delivered, r.Account.Dropped)
			}
		})
	}
}

// TestNobodyReads fills the arena with --start never: nobody drains while the
// program runs, so the policies must have dropped what did not fit.
func TestNobodyDrainsWhileItRuns(t *testing.T) {
	prog := compile(t, "calls.c")
	for _, policy := range []string{"drop-oldest", "drop-newest", "block"} {
		t.Run(policy, func(t *testing.T) {
			y := newTally(t)
			flags := append([]string{"--start", "never", "--buffer", "64k", "--on-full", policy, "--block-timeout", "1ms"}, onlyGetppid...)
			res, r := watch(t, flags, harness.Cmd{Args: []string{prog, y.path, "20000", "1"}})
			if res.Code != 5 {
				t.Errorf("the program: %v", res)
			}
			produced(t, r, y, 0)
		})
	}
}

func TestClosesAllDescriptors(t *testing.T) {
	prog := compile(t, "calls.c")
	for _, start := range []string{"demand", "first", "now", "never"} {
		t.Run(start, func(t *testing.T) {
			y := newTally(t)
			flags := append([]string{"--start", start}, onlyGetppid...)
			res, r := watch(t, flags, harness.Cmd{Args: []string{prog, y.path, "20000", "1", "closed"}})
			if res != (harness.Result{Code: 5}) {
				t.Errorf("the program: %v", res)
			}
			exact(t, r)
			produced(t, r, y, 0)
			if y.ended() != 1 {
				t.Error("the program did not do all it should")
			}
		})
	}
}

func TestForks(t *testing.T) {
	prog := compile(t, "forks.c")
	const calls = 500
	for _, tc := range []struct {
		how       string
		processes uint64 // that call getppid
		runs      uint64 // of work
		alone     uint64 // calls outside of work
	}{
		{"wide", 9, 9, 0},
		{"nested", 7, 13, 0},
		{"orphan", 3, 3, 0},
		{"chain", 1, 6, 0},
		{"spawn", 7, 7, 4},
	} {
		for _, start := range []string{"demand", "now", "never"} {
			t.Run(tc.how+" "+start, func(t *testing.T) {
				y := newTally(t)
				flags := append([]string{"--start", start}, onlyGetppid...)
				res, r := watch(t, flags, harness.Cmd{Args: []string{prog, y.path, tc.how, strconv.Itoa(calls)}})
				if res != (harness.Result{Code: 3}) {
					t.Errorf("the program: %v", res)
				}
				exact(t, r)
				want := tc.runs*calls + tc.alone
				if y.calls() != want || r.Account.Produced != want {
					t.Errorf("produced %d, the program counted %d, want %d", r.Account.Produced, y.calls(), want)
				}
				// A vfork child's calls may be put down to its parent: same memory.
				var callers uint64
				for _, p := range r.Processes {
					if p.Calls >= calls {
						callers++
					}
				}
				if callers != tc.processes {
					t.Errorf("%d processes called, want %d: %s", callers, tc.processes, describe(r.Processes))
				}
			})
		}
	}
}

func describe(list []report.Process) string {
	s := ""
	for _, p := range list {
		s += fmt.Sprintf("\n%*s%d of %d: %d calls, %s", 2*p.Depth, "", p.PID, p.PPID, p.Calls, filepath.Base(p.Exe))
	}
	return s
}

func TestPythonForks(t *testing.T) {
	py := harness.Program(t, "python3")
	_, r := same(t, append([]string{"-p", "libc:getpgid"}, "-H", "proc,file"), harness.Cmd{Args: []string{py, "app.py"}}, func(dir string) {
		write(t, filepath.Join(dir, "app.py"), `
import multiprocessing, os, sys
def work(n):
    for i in range(100): os.getpgid(0)
    return n * n
if __name__ == "__main__":
    for i in range(3):
        pid = os.fork()
        if pid == 0:
            for _ in range(100): os.getpgid(0)
            os._exit(i)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    with multiprocessing.get_context("fork").Pool(3) as p:
        print(p.map(work, range(12), chunksize=1))
    p.join()
    q = multiprocessing.get_context("spawn").Process(target=work, args=(3,))
    q.start(); q.join()
    print(q.exitcode)
    sys.exit(9)
`)
	})
	exact(t, r)
	f := function(r, "getpgid")
	if want := uint64(3*100 + 12*100 + 100); f.Calls != want || f.Errors != 0 {
		t.Errorf("getpgid: %d calls, want %d", f.Calls, want)
	}
	if n := len(r.Processes); n < 1+3+3+1 {
		t.Errorf("%d processes: %s", n, describe(r.Processes))
	}
}

// TestMessageInForkedChild fails a statement in a forked child. The message is
// fetched by Go, which the child must start for itself.
func TestMessageInForkedChild(t *testing.T) {
	harness.Program(t, "/usr/include/sqlite3.h")
	prog := compile(t, "sqlite.c", "-lsqlite3")
	for _, start := range []string{"demand", "now"} {
		t.Run(start, func(t *testing.T) {
			_, r := same(t, []string{"-H", "sqlite", "--start", start}, harness.Cmd{Args: []string{prog, "2", "50", "fork"}}, nil)
			exact(t, r)
			for _, who := range []string{"parent", "child"} {
				s := statement(r, "select nofunction_"+who)
				if want := "no such function: nofunction_" + who; s.Errors != 1 || s.LastError != want {
					t.Errorf("%d errors, %q; want 1, %q (notes %v)", s.Errors, s.LastError, want, r.Account.Notes)
				}
			}
		})
	}
}
