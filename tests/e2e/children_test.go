package e2e

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/tests/harness"
)

// child is what a process of testdata/children.c noted of itself.
type child struct{ pid, ppid, calls, status uint32 }

// runChildren runs children.c and returns what its processes noted, and seam's report.
func runChildren(t *testing.T, flags []string, how string, calls int) (harness.Result, []child, *report.Report) {
	t.Helper()
	prog := compile(t, "children.c")
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, make([]byte, 1<<17), 0o600); err != nil {
		t.Fatal(err)
	}
	res, r := watch(t, flags, harness.Cmd{Args: []string{prog, path, how, strconv.Itoa(calls)}})
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	u32 := func(i int) uint32 { return binary.LittleEndian.Uint32(b[i:]) }
	var list []child
	for i := range int(u32(0)) {
		at := 8 + 16*i
		list = append(list, child{u32(at), u32(at + 4), u32(at + 8), u32(at + 12)})
	}
	return res, list, r
}

// TestEachProcessHasItsOwn compares, for every way to make a process, what seam
// says of each with what it noted itself: its calls, under its pid, below its parent.
func TestEachProcessHasItsOwn(t *testing.T) {
	for _, tc := range []struct {
		how       string
		processes int
		code      int
	}{
		{"fork", 1 + 3 + 6 + 12, 5},
		{"thread", 1 + 4*(1+2+4), 5},
		{"vfork", 1 + 9, 5},
		{"vfork-threads", 1 + 150, 5},
		{"spawn", 1 + 3, 5},
		{"clone", 1 + 6, 5},
		{"clone-vfork", 1 + 6, 5},
		{"clone-vm", 1 + 6, 5},
		{"bare", 1 + 4 + 2, 5},
		{"daemon", 3, 0},
		{"ends", 7, 5},
	} {
		for _, start := range []string{"demand", "now", "never"} {
			t.Run(tc.how+" "+start, func(t *testing.T) {
				res, list, r := runChildren(t, append([]string{"--start", start}, onlyGetppid...), tc.how, 300)
				if res != (harness.Result{Code: tc.code}) {
					t.Errorf("the program: %v", res)
				}
				if tc.how == "clone" || tc.how == "bare" { // without libc's handling of forks there is no agent, and that is said
					r.Errors = slices.DeleteFunc(r.Errors, func(e report.Error) bool {
						return e.Code == "no-agent" && strings.Contains(e.Text, "made by a bare system call")
					})
				}
				exact(t, r)
				if len(list) != tc.processes {
					t.Errorf("%d processes, want %d", len(list), tc.processes)
				}
				attributed(t, list, r)
				if tc.how == "ends" || tc.how == "fork" || tc.how == "vfork" || tc.how == "daemon" || tc.how == "thread" {
					endsKnown(t, list, r)
				}
			})
		}
	}
}

// endsKnown compares how processes ended with what they meant to end with.
func endsKnown(t *testing.T, list []child, r *report.Report) {
	t.Helper()
	for _, p := range r.Processes {
		for _, c := range list {
			if int(c.pid) != p.PID {
				continue
			}
			if sig := int(c.status & 0x7f); sig != 0 && p.Signal != sig || sig == 0 && (p.Signal != 0 || p.Status == nil || *p.Status != int(c.status>>8)) {
				t.Errorf("process %d ended with %#x, seam says signal %d, status %v, ended %v", c.pid, c.status, p.Signal, p.Status, p.Ended)
			}
		}
	}
}

// TestManyChildren makes more processes than the arena has chunks or places for
// threads, one after the other. Nothing tells of their ends: somebody must find
// out that their chunks can be drained.
func TestManyChildren(t *testing.T) {
	for _, start := range []string{"demand", "never"} {
		t.Run(start, func(t *testing.T) {
			flags := append([]string{"--start", start, "--on-full", "block", "--block-timeout", "60s"}, onlyGetppid...)
			res, list, r := runChildren(t, flags, "many", 5)
			if res != (harness.Result{Code: 5}) {
				t.Errorf("the program: %v", res)
			}
			law(t, r)
			if want := uint64(5 * len(list)); len(list) != 3001 || r.Account.Produced != want || r.Account.Delivered != want {
				t.Errorf("%d processes, want 3001; produced %d, delivered %d, want %d (%v)", len(list), r.Account.Produced, r.Account.Delivered, want, r.Account.DroppedBy)
			}
			attributed(t, list, r)
		})
	}
}

// attributed compares the processes of a report with what they noted themselves.
func attributed(t *testing.T, list []child, r *report.Report) {
	t.Helper()
	seen := map[int]report.Process{}
	for _, p := range r.Processes {
		seen[p.PID] = p
	}
	bad := 0
	for i, c := range list {
		p, ok := seen[int(c.pid)]
		if !ok || p.Calls != uint64(c.calls) || i > 0 && p.PPID != int(c.ppid) {
			t.Errorf("process %d, child of %d, called %d times; seam says (known: %v) child of %d, %d calls", c.pid, c.ppid, c.calls, ok, p.PPID, p.Calls)
			bad++
		}
		if bad > 10 {
			break
		}
	}
	if bad > 0 {
		t.Logf("%s", describe(r.Processes))
	}
}

// TestChildrenOfAnotherUser: workers that root's server made may not connect to the
// reader. Their agents leave the arena to it.
func TestChildrenOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	const calls = 300000 // each; more than the buffer holds
	prog := compile(t, "other-user.c", "-rdynamic")
	res, r := watch(t, []string{"-p", prog + ":work", "--on-full", "block", "--block-timeout", "30s"},
		harness.Cmd{Args: []string{prog, strconv.Itoa(calls)}})
	if res.Code != 0 || res.Stdout != "done 0\n" {
		t.Fatalf("the program: %v", res)
	}
	exact(t, r)
	if f := function(r, "work"); f.Calls != 2*calls {
		t.Errorf("%d calls arrived, %d were dropped; %d were made", f.Calls, f.Dropped, 2*calls)
	}
}

// TestLeftRunning: a program that is still there when the report is made is in
// it, as running, with what it has called so far.
func TestLeftRunning(t *testing.T) {
	_, r := watch(t, []string{"-p", "libc:clock_nanosleep", "-p", "libc:_exit"},
		harness.Cmd{Args: []string{harness.Program(t, "bash"), "-c", "sleep 600 >/dev/null 2>&1 & while read -r c < /proc/$!/comm; [ $c != sleep ]; do :; done; exit 0"}, Stays: true})
	if a := r.Account; a.Incomplete != 1 || a.Produced != a.Delivered+a.Dropped {
		t.Errorf("%+v", a)
	}
	i := slices.IndexFunc(r.Processes, func(p report.Process) bool { return len(p.Argv) == 2 && p.Argv[1] == "600" })
	if i < 0 || r.Processes[i].Ended || r.Processes[i].Calls != 1 {
		t.Errorf("%+v", r.Processes)
	}
}
