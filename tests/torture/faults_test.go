package torture

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/tests/harness"
)

// phases are the parts of a run in which system calls fail, by the marks at which
// they begin and end (testdata/faults.c).
var phases = []struct {
	name     string
	from, to int
}{
	{"load", 0, 101},
	{"start of Go", 102, 103},
	{"restart in a child", 104, 105},
}

var faults = []struct {
	name string
	call int
	errs []unix.Errno
}{
	{"mmap", unix.SYS_MMAP, []unix.Errno{unix.ENOMEM}},
	{"mprotect", unix.SYS_MPROTECT, []unix.Errno{unix.ENOMEM, unix.EACCES}},
	{"munmap", unix.SYS_MUNMAP, []unix.Errno{unix.EINVAL}},
	{"madvise", unix.SYS_MADVISE, []unix.Errno{unix.EINVAL}},
	{"open", unix.SYS_OPEN, []unix.Errno{unix.EMFILE, unix.EACCES}},
	{"openat", unix.SYS_OPENAT, []unix.Errno{unix.EMFILE, unix.EACCES}},
	{"read", unix.SYS_READ, []unix.Errno{unix.EIO}},
	{"fstat", unix.SYS_FSTAT, []unix.Errno{unix.ENOMEM}},
	{"stat", unix.SYS_STAT, []unix.Errno{unix.EACCES}},
	{"socket", unix.SYS_SOCKET, []unix.Errno{unix.EMFILE, unix.EPERM}},
	{"connect", unix.SYS_CONNECT, []unix.Errno{unix.ECONNREFUSED, unix.EACCES}},
	{"getsockopt", unix.SYS_GETSOCKOPT, []unix.Errno{unix.ENOPROTOOPT}},
	{"sendmsg", unix.SYS_SENDMSG, []unix.Errno{unix.ENOBUFS}},
	{"memfd_create", unix.SYS_MEMFD_CREATE, []unix.Errno{unix.EMFILE, unix.ENOSYS}},
	{"ftruncate", unix.SYS_FTRUNCATE, []unix.Errno{unix.ENOSPC}},
	{"fcntl", unix.SYS_FCNTL, []unix.Errno{unix.EPERM}},
	{"getrandom", unix.SYS_GETRANDOM, []unix.Errno{unix.ENOSYS}},
	{"clone3", unix.SYS_CLONE3, []unix.Errno{unix.EAGAIN, unix.EPERM, unix.ENOMEM}},
	{"unshare", unix.SYS_UNSHARE, []unix.Errno{unix.EPERM}},
	{"close_range", unix.SYS_CLOSE_RANGE, []unix.Errno{unix.ENOSYS}},
	{"set_robust_list", unix.SYS_SET_ROBUST_LIST, []unix.Errno{unix.ENOSYS}},
	{"sched_getaffinity", unix.SYS_SCHED_GETAFFINITY, []unix.Errno{unix.EPERM}},
	{"prctl", unix.SYS_PRCTL, []unix.Errno{unix.EPERM}},
	{"prlimit64", unix.SYS_PRLIMIT64, []unix.Errno{unix.EPERM}},
	{"pipe2", unix.SYS_PIPE2, []unix.Errno{unix.EMFILE}},
	{"eventfd2", unix.SYS_EVENTFD2, []unix.Errno{unix.EMFILE}},
	{"epoll_create1", unix.SYS_EPOLL_CREATE1, []unix.Errno{unix.EMFILE}},
}

// inShort are the calls that the short sweep lets fail.
const inShort = " mmap mprotect open socket memfd_create ftruncate clone3 unshare "

// TestFaults lets the Nth system call of a kind fail, for every N, while the
// library is loaded, while Go starts, and while it starts again in a forked child. The
// program must not notice, and what is not done must be said.
func TestFaults(t *testing.T) {
	exe := compile(t, "faults.c", "faults", append(fakeSQLite(t), "-rdynamic")...)
	tool := compile(t, "inject.c", "inject")
	bare := harness.Run(t, harness.Cmd{Args: []string{exe, newTally(t).path}})
	if bare.Code != 11 {
		t.Fatalf("without seam: %v", bare)
	}
	// Plans are in the cache, and libraries' too: what fails is what fails in every start.
	if _, rep := inject(t, tool, exe, 1, 2, 0, 0, 0, bare); rep.answered != 1 || rep.inChild != 1 {
		t.Fatalf("without a fault: %+v", rep)
	}
	table := []string{"| while | call | errno | calls | runs | program not seen | library not seen | report says incomplete | no agent | child without |", "|---|---|---|---|---|---|---|---|---|---|"}
	total := 0
	for _, ph := range phases {
		for _, f := range faults {
			if !long && !strings.Contains(inShort, " "+f.name+" ") {
				continue
			}
			for i, errno := range f.errs {
				if !long && i > 0 {
					break
				}
				t.Run(fmt.Sprintf("%s, %s, %s", ph.name, f.name, unix.ErrnoName(errno)), func(t *testing.T) {
					var calls, runs, blind, half, partly, without, childWithout int
					for n := 1; ; n += rounds(1+n, 1) { // the short sweep: 1, 3, 7, 15, ...
						seen, rep := inject(t, tool, exe, ph.from, ph.to, f.call, int(errno), n, bare)
						if seen < n {
							calls = max(calls, seen)
							break
						}
						runs++
						if !rep.seen {
							blind++
						}
						if !rep.asked {
							half++
						}
						if rep.incomplete {
							partly++
						}
						if rep.answered == 0 {
							without++
						}
						if rep.inChild == 0 {
							childWithout++
						}
						if t.Failed() {
							t.Fatalf("at call %d", n)
						}
					}
					total += runs
					if runs > 0 {
						table = append(table, fmt.Sprintf("| %s | %s | %s | %d | %d | %d | %d | %d | %d | %d |", ph.name, f.name, unix.ErrnoName(errno), calls, runs, blind, half, partly, without, childWithout))
					}
				})
			}
		}
	}
	t.Logf("%d faults\n%s", total, strings.Join(table, "\n"))
}

type injected struct {
	answered, inChild uint64
	seen              bool // seam recorded calls of the program's own function
	asked             bool // and of the library
	incomplete        bool // the report says that something is missing
}

// inject runs the program with one fault and checks that it is as without seam.
func inject(t *testing.T, tool, exe string, from, to, call, errno, n int, bare harness.Result) (seen int, rep injected) {
	t.Helper()
	y := newTally(t)
	count := filepath.Join(t.TempDir(), "count")
	num := strconv.Itoa
	res, r := watch(t, []string{"--drain", "agent", "-p", exe + ":logged", "-H", "sqlite"},
		harness.Cmd{Args: []string{tool, num(from), num(to), num(call), num(errno), num(n), count, "--", exe, y.path}})
	if res != bare {
		t.Errorf("the program noticed\nwithout seam: %v\nwith:         %v", bare, res)
	}
	b, err := os.ReadFile(count)
	if err != nil {
		t.Fatal(err)
	}
	if seen, err = strconv.Atoi(strings.TrimSpace(string(b))); err != nil {
		t.Fatal(err)
	}
	rep = injected{answered: y.word(0), inChild: y.word(1)}
	made, _ := y.calls(0)
	got, dropped := accounted(r, "logged")
	rep.seen = got+dropped > 0
	// A reader that could not get the arena's memory has what the agent sent. It
	// says so when that is not all.
	rep.incomplete = r.Account.Incomplete > 0
	// That an agent could not start, or nothing at all is seen, is what such a fault is told as, and nothing else is.
	told := func(code string) int {
		had := len(r.Errors)
		r.Errors = slices.DeleteFunc(r.Errors, func(e report.Error) bool { return e.Code == code })
		return had - len(r.Errors)
	}
	absent := told("not-watched")
	if rep.seen && absent > 0 {
		t.Error("the program is said not to be watched, but it was")
	}
	if !rep.seen && absent == 0 && len(r.Refusals) == 0 {
		t.Errorf("the program's own function was not watched, and nothing says why: %+v", r.Processes)
	}
	if missing := told("no-agent"); missing > 0 && rep.answered+rep.inChild == 2 {
		t.Error("an agent is said to be missing, but both messages were fetched")
	}
	if !rep.incomplete {
		law(t, r)
	}
	if rep.seen && !rep.incomplete && got+dropped != made || got+dropped > made {
		t.Errorf("%d calls were made, %d delivered and %d dropped: %+v", made, got, dropped, r.Account)
	}
	asked, lost := accounted(r, "sqlite3_prepare_v2")
	rep.asked = asked+lost > 0
	notes := r.Account.Notes
	if said := notes["start_failed"] + notes["handover_timeout"] + notes["handover_no_agent"]; rep.asked && !rep.incomplete && said < 2-rep.answered-rep.inChild {
		t.Errorf("%d messages were not fetched, but only %d failures are told: %v", 2-rep.answered-rep.inChild, said, notes)
	}
	return seen, rep
}
