package torture

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/seam-project/seam/tests/harness"
)

// TestRestarts starts Go again in forked children, four deep, from parents whose
// own Go is never at rest. What a child needs Go for is a message about a failed
// call; the library that gives it counts which process, and that not the calling
// thread, came to fetch it.
func TestRestarts(t *testing.T) {
	exe := compile(t, "restart.c", "restart", append(fakeSQLite(t), "-rdynamic")...)
	const depth = 4
	// Several runs: another parent, another state of its heap each time.
	runs, chains := rounds(2, 21), rounds(60, 250)
	var children, answered, late, failed uint64
	began := time.Now()
	for i := range runs {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			y := newTally(t)
			start := [...]string{"demand", "now", "first"}[i%3]
			res, r := watch(t, []string{"-p", exe + ":work", "-H", "sqlite", "--start", start},
				harness.Cmd{Args: []string{exe, y.path, strconv.Itoa(chains), strconv.Itoa(depth), "2", strconv.Itoa(2 + i%3)}, Deadline: 4 * time.Minute})
			if want := (harness.Result{Stdout: fmt.Sprintf("%d chains, 0 bad\n", chains)}); res != want {
				t.Fatalf("the program: %v, want %v", res, want)
			}
			law(t, r)
			kids, own, none, threads := y.word(0), y.word(1), y.word(2), y.word(3)
			if kids != uint64(chains*depth) || own+none != kids || y.word(5) != depth {
				t.Errorf("%d children, %d answered, %d not, %d deep", kids, own, none, y.word(5))
			}
			if threads < own {
				t.Errorf("%d children got an answer, only %d have a thread of the agent's", own, threads)
			}
			if n := y.word(4); n != 0 {
				t.Errorf("%d messages came from another process, or from the thread that asked", n)
			}
			notes := r.Account.Notes
			if said := notes["start_failed"] + notes["handover_timeout"] + notes["handover_no_agent"]; none > said {
				t.Errorf("%d children got no answer, but only %d failures are told: %v", none, said, notes)
			}
			if got, dropped := accounted(r, "work"); got+dropped != y.word(6) {
				t.Errorf("work: %d delivered and %d dropped, but it was called %d times", got, dropped, y.word(6))
			}
			if got, dropped := accounted(r, "sqlite3_prepare_v2"); got+dropped != y.word(8) {
				t.Errorf("prepare: %d delivered and %d dropped, but it was called %d times", got, dropped, y.word(8))
			}
			children += kids
			answered += own
			late += notes["handover_timeout"]
			failed += notes["start_failed"] + notes["handover_no_agent"]
		})
	}
	t.Logf("%d children, up to %d deep: Go restarted and answered in %d, not in %d (told: %d late, %d failed); %v, %.1f ms each",
		children, depth, answered, children-answered, late, failed, time.Since(began).Round(time.Second/10), float64(time.Since(began).Milliseconds())/float64(max(children, 1)))
	// The host going on without is what is promised; that it hardly ever has to, this.
	if children-answered > children/100 {
		t.Errorf("%d of %d children had to go on without an answer", children-answered, children)
	}
}
