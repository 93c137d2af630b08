package torture

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/tests/harness"
)

// A killing is one way to kill a target.
type killing struct {
	threads, children, pause int
	ask                      bool // each process has its own agent
	flags                    []string
	how                      string
}

// How a target's processes are killed.
const (
	atOnce   = "group"    // all with one call
	oneByOne = "children" // the children first, in any order, each at a moment of its own
	orphans  = "parent"   // the parent first
	anyOrder = "any"      // in any order
)

func (k killing) String() string {
	s := fmt.Sprintf("%d threads, %d children, pause %d µs", k.threads, k.children, k.pause)
	if k.children > 0 {
		s += ", killed: " + k.how
	}
	if k.ask {
		s += ", an agent each"
	}
	return s + fmt.Sprintf(", %v", k.flags)
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func newKilling(r *rand.Rand) killing {
	k := killing{threads: pick(r, 1, 1, 4), children: pick(r, 0, 0, 2, 4), pause: pick(r, 0, 0, 50, 1000), how: atOnce}
	if k.children > 0 {
		k.how = pick(r, atOnce, oneByOne, orphans, anyOrder)
		k.ask = r.IntN(2) == 0
	}
	k.flags = append(pick(r, nil, []string{"--start", "now"}, []string{"--start", "demand"}, []string{"--start", "first"}, []string{"--start", "never"}),
		pick(r, nil, []string{"--buffer", "64k"}, []string{"--buffer", "512k"})...)
	k.flags = append(k.flags, pick(r, []string{"--on-full", "drop-oldest"}, []string{"--on-full", "drop-oldest"},
		[]string{"--on-full", "drop-newest"}, []string{"--on-full", "block", "--block-timeout", "2ms"})...)
	return k
}

// TestSIGKILL kills processes at random moments. What each thread had counted
// itself by then is what seam must account for: delivered or dropped, each call once.
func TestSIGKILL(t *testing.T) {
	exe := compile(t, "kill.c", "kill", append(fakeSQLite(t), "-rdynamic")...)
	r := random(t)
	var calls, delivered, dropped, took, again uint64
	cut := 0
	n := rounds(24, 200)
	for i := range n {
		k := newKilling(r)
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			y := newTally(t)
			ask := "0"
			if k.ask {
				ask = "1"
			}
			flags := append(append([]string{}, k.flags...), "-p", exe+":logged", "-p", exe+":counted@count", "-p", exe+":timed@hist", "-H", "sqlite")
			c, file := watched(t, flags, harness.Cmd{Args: []string{exe, y.path, strconv.Itoa(k.threads), strconv.Itoa(k.children), strconv.Itoa(k.pause), ask}})
			run := harness.Start(t, c)
			k.kill(t, r, y)
			if res := run.Wait(); res.Signal != syscall.SIGKILL {
				t.Errorf("seam did not end as its target did: %v", res)
			}
			rep := readReport(t, file)
			law(t, rep)
			for f, name := range []string{"logged", "counted", "timed"} {
				least, most := y.calls(f)
				got, lost := accounted(rep, name)
				if got+lost < least || got+lost > most {
					t.Errorf("%s: %d delivered and %d dropped, but %d calls had returned and %d were begun", name, got, lost, least, most)
				}
				if f == 0 {
					calls, delivered, dropped = calls+least, delivered+got, dropped+lost
				}
			}
			cut += rep.Account.Truncated
			again += rep.Account.Duplicates
			took += uint64(1 + k.children)
			if t.Failed() {
				t.Logf("%v", k)
			}
		})
	}
	t.Logf("%d runs, %d processes killed: %d calls counted by themselves, %d delivered and %d dropped (%d more were under way); %d connections cut in a message, %d events sent twice and counted once",
		n, took, calls, delivered, dropped, delivered+dropped-calls, cut, again)
}

// kill kills the target when it has come to a random point.
func (k killing) kill(t *testing.T, r *rand.Rand, y *tally) {
	t.Helper()
	early := r.IntN(6) == 0 // sometimes before all of it is there
	if !early {
		eventually(t, "process at work", func() bool { return y.word(0) == uint64(1+k.children) && y.slots() == (1+k.children)*k.threads })
	}
	eventually(t, "first call", func() bool { least, _ := y.calls(0); return least > 0 })
	nap := func() { time.Sleep(time.Duration(r.IntN(30000)) * time.Microsecond) }
	nap()
	var pids []int
	for i := range y.slots() {
		if pid := y.slotPID(i); pid != 0 && pid != y.pid() && !slices.Contains(pids, pid) {
			pids = append(pids, pid)
		}
	}
	r.Shuffle(len(pids), func(i, j int) { pids[i], pids[j] = pids[j], pids[i] })
	switch {
	case k.how == atOnce || early:
	case k.how == oneByOne:
		for _, pid := range pids {
			kill(t, pid)
			nap()
		}
	case k.how == orphans:
		kill(t, y.pid())
		nap()
	case k.how == anyOrder:
		pids = append(pids, y.pid())
		r.Shuffle(len(pids), func(i, j int) { pids[i], pids[j] = pids[j], pids[i] })
		for _, pid := range pids[1:] {
			kill(t, pid)
			nap()
		}
	}
	// The group is the target's own: setpgid in kill.c. Nobody is left in it where all were killed before.
	if err := unix.Kill(-y.pid(), unix.SIGKILL); err != nil && err != unix.ESRCH {
		t.Fatal(err)
	}
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := unix.Kill(pid, unix.SIGKILL); err != nil && err != unix.ESRCH {
		t.Fatal(err)
	}
}
