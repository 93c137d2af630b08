package torture

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seam-project/seam/tests/harness"
)

// TestEnds compares every way for a process to end with the same end without seam:
// what its parent is told, whether there is a core file, what of its calls is
// accounted for, and how long it takes from the end until the parent knows.
func TestEnds(t *testing.T) {
	exe := compile(t, "ends.c", "ends", "-rdynamic")
	pairs := rounds(6, 200)
	table := []string{"| end | wait status | agent | plain: 10 %, median | watched: 10 %, median | delay: 10 %, median |", "|---|---|---|---|---|---|"}
	var most time.Duration
	for _, how := range []string{"return", "exit", "_exit", "quick_exit", "exit in a thread", "last thread", "SIGTERM", "SIGKILL", "abort", "SIGSEGV", "abort core", "SIGSEGV core"} {
		name, core := strings.CutSuffix(how, " core")
		for _, start := range []string{"demand", "now"} {
			for _, threads := range []int{0, 2} {
				if !long && threads > 0 && start == "now" || name == "last thread" && threads > 0 {
					continue // those that go on calling would keep the process
				}
				t.Run(fmt.Sprintf("%s, %d threads, %s", how, threads, start), func(t *testing.T) {
					e := runEnds(t, exe, pairs, name, core, threads, start)
					if threads == 0 {
						agent := map[string]string{"demand": "no", "now": "yes"}[start]
						table = append(table, fmt.Sprintf("| %s | %s | %s | %s, %s | %s, %s | %s, %s |", how, e.status, agent,
							ms(at(e.plain, 10)), ms(at(e.plain, 50)), ms(at(e.watched, 10)), ms(at(e.watched, 50)),
							ms(at(e.watched, 10)-at(e.plain, 10)), ms(at(e.watched, 50)-at(e.plain, 50))))
						most = max(most, at(e.watched, 50)-at(e.plain, 50))
					}
				})
			}
		}
	}
	t.Logf("%d of each; largest median delay %s\n%s", pairs, ms(most), strings.Join(table, "\n"))
}

func at(sorted []time.Duration, percent int) time.Duration { return sorted[len(sorted)*percent/100] }

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/1e6) }

type ends struct {
	status         string
	plain, watched []time.Duration
}

func runEnds(t *testing.T, exe string, pairs int, how string, core bool, threads int, start string) (e ends) {
	t.Helper()
	y, bare, dir := newTally(t), newTally(t), t.TempDir()
	if err := os.Rename(bare.path, y.path+".plain"); err != nil {
		t.Fatal(err)
	}
	flag := "0"
	if core {
		flag = "1"
	}
	res, r := watch(t, []string{"-p", exe + ":logged", "--start", start},
		harness.Cmd{Dir: dir, Args: []string{exe, y.path, strconv.Itoa(pairs), how, flag, strconv.Itoa(threads)}, Deadline: time.Minute})
	lines := strings.Split(strings.TrimSpace(res.Stdout), "\n")
	if res.Code != 0 || res.Signal != 0 || len(lines) != 2 {
		t.Fatalf("the program: %v", res)
	}
	var said [2]string
	for i, name := range []string{"plain ", "watched "} {
		head, times, ok := strings.Cut(lines[i], " :")
		if said[i], ok = strings.CutPrefix(head, name); !ok {
			t.Fatalf("the program: %v", res)
		}
		for _, f := range strings.Fields(times) {
			n, err := strconv.ParseInt(f, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				e.plain = append(e.plain, time.Duration(n))
			} else {
				e.watched = append(e.watched, time.Duration(n))
			}
		}
	}
	if said[0] != said[1] || strings.Contains(said[0], " ") {
		t.Errorf("wait status: %s without seam, %s with it", said[0], said[1])
	}
	e.status, _, _ = strings.Cut(said[0], "*")
	_, err := os.Stat(filepath.Join(dir, "core.plain"))
	_, werr := os.Stat(filepath.Join(dir, "core.watched"))
	if (err == nil) != (werr == nil) || !core && err == nil {
		t.Errorf("core file: without seam %v, with it %v", err, werr)
	}
	law(t, r)
	least, most := y.calls(0)
	got, dropped := accounted(r, "logged")
	if got+dropped < least || got+dropped > most || threads == 0 && least != most {
		t.Errorf("%d delivered and %d dropped, but %d calls had returned and %d were begun", got, dropped, least, most)
	}
	if least < uint64(pairs*3000) {
		t.Errorf("only %d calls were made", least)
	}
	return e
}
