package live

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seam-project/seam/tests/harness"
)

// TestAsleepInside: a thread is inside a call when its probe goes, comes and goes. It
// returns, and its call is told once.
func TestAsleepInside(t *testing.T) {
	on, off := spec(t, "libc:read"), spec(t, "libc:getsid")
	res, rep := run(t, time.Minute, []string{"-p", "libc:getsid"}, compile(t, "race.c", "-ldl"), "sleeps", on, off)
	if res.Code != 0 || res.Signal != 0 {
		t.Fatal(res)
	}
	exact(t, rep)
	var n, back uint64
	for _, f := range rep.Functions {
		if f.Name == "read" {
			n, back = n+f.Calls, back+f.Calls-f.InFlight-f.ReturnsLost
		}
	}
	if n != 3 || back != 3 {
		t.Errorf("%d calls of read, %d came back; want 3 of each", n, back)
	}
}

// TestLibrariesMeanwhile changes the spec while threads load and unload the libraries it is about.
func TestLibrariesMeanwhile(t *testing.T) {
	args := []string{compile(t, "race.c", "-ldl"), "plugins", spec(t, "live-race*:late_work", "libc:getsid"), spec(t, "libc:getsid"), strconv.Itoa(rounds(300, 10000))}
	for i := range 3 {
		lib := filepath.Join(harness.Shared(t), "live-race"+strconv.Itoa(i)+".so")
		once(lib, func(out string) {
			r := harness.Run(t, harness.Cmd{Args: []string{harness.Program(t, "gcc"), "-O2", "-shared", "-fPIC", "-o", out,
				filepath.Join(harness.Root(), "tests/live/testdata/plugin.c")}})
			if r.Code != 0 {
				t.Fatal(r)
			}
		})
		args = append(args, lib)
	}
	res, rep := run(t, time.Duration(rounds(60, 1800))*time.Second, []string{"-p", "libc:getsid"}, args...)
	if res.Code != 0 || res.Signal != 0 {
		t.Fatal(res)
	}
	exact(t, rep)
	turns := value(t, res.Stdout, "turns")[0]
	if n := calls(rep, "late_work"); n == 0 || n > uint64(10*turns) {
		t.Errorf("%d calls of late_work were seen in %d turns of 10", n, turns)
	}
	t.Logf("%s, %d calls seen", strings.TrimSpace(res.Stdout), calls(rep, "late_work"))
}

// TestForksMeanwhile changes the spec while a thread forks: a child may begin in the middle of a change.
func TestForksMeanwhile(t *testing.T) {
	on, off := spec(t, "libc:getppid", "libc:waitpid", "libc:fork"), spec(t, "libc:getsid")
	res, rep := run(t, time.Duration(rounds(60, 1800))*time.Second, []string{"-p", "libc:getsid"}, compile(t, "race.c", "-ldl"), "forks", on, off, strconv.Itoa(rounds(300, 10000)))
	if res.Code != 0 || res.Signal != 0 {
		t.Fatal(res)
	}
	exact(t, rep)
	turns := value(t, res.Stdout, "turns")[0]
	if n := calls(rep, "getppid"); n == 0 || n > uint64(20*turns) {
		t.Errorf("%d calls of getppid were seen in %d children of 20", n, turns)
	}
	t.Logf("%s, %d calls seen", strings.TrimSpace(res.Stdout), calls(rep, "getppid"))
}
