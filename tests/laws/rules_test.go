package laws

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// R1: no thread of Go's until it is needed, and none of the host's settings for it.
func TestNoThreadUntilNeeded(t *testing.T) {
	status := []string{"/bin/grep", "-E", "^(Threads|Sig[PBIC]|Shd|Seccomp|NoNewPrivs)", "/proc/self/status"}
	for _, flags := range [][]string{{}, p("libc:open*"), {"--start", "never"}, {"-H", "all"}, p("libc:*@count")} {
		same(t, flags, status...)
	}
	_, rep := watched(t, nil, status...)
	rep.exact(t)
}

func TestUserNamespace(t *testing.T) {
	unshare := harness.Program(t, "unshare")
	for _, flags := range [][]string{{}, p("libc:*"), {"--start", "never"}} {
		same(t, flags, unshare, "-Ur", "/usr/bin/id", "-u")
	}
}

func TestHostsGoSettingsAreNotTheAgents(t *testing.T) {
	exe, flags := guest(t)
	for _, env := range []string{"GODEBUG=gctrace=1,schedtrace=1,inittrace=1", "GOGC=off", "GOMAXPROCS=64", "GOTRACEBACK=crash", "GOMEMLIMIT=1"} {
		same(t, with(flags, "--start", "now"), "/usr/bin/env", env, exe, "errno") // for seam's own process it may count
	}
}

// R2: dispositions, masks and pending signals are the same, before and after the
// agent started, and it takes none of the host's signals.
func TestSignals(t *testing.T) { guestSame(t, "signals") }

func TestAgentBlocksAllSignals(t *testing.T) {
	exe, flags := guest(t)
	res, _ := watched(t, with(flags, "--start", "now"), exe, "agent")
	if want := "more than one thread, 0 take signals\n"; res.Stdout != want {
		t.Errorf("got %q, want %q", res.Stdout, want)
	}
}

// R3: the first open gives 3, nothing is inherited, closing everything harms nothing.
func TestDescriptors(t *testing.T) { guestSame(t, "fds") }

// R5: forked children that need an agent get one, whatever their parent's was doing.
func TestForks(t *testing.T) {
	harness.Program(t, "/usr/include/sqlite3.h")
	exe := program(t, "forks.c", "-rdynamic", "-lsqlite3")
	for name, args := range map[string][]string{"many": {"100", "1"}, "nested": {"8", "4"}} {
		for _, start := range []string{"demand", "now"} {
			t.Run(name+" "+start, func(t *testing.T) {
				rep := sameCmd(t, with(p(exe+":work@count"), "-H", "sqlite", "--start", start),
					harness.Cmd{Args: append([]string{exe}, args...), Deadline: 2 * deadline})
				rep.exact(t)
				if n := rep.Account.Notes["handover_no_agent"]; n != 0 {
					t.Errorf("%d hand-overs without an agent: %v", n, rep.Account.Notes)
				}
				for _, f := range rep.Functions {
					if f.Name == "sqlite3_prepare_v2" && f.Errors == 0 {
						t.Errorf("no failed prepare was seen")
					}
				}
			})
		}
	}
}

// R6: whatever kills the agent's Go leaves the host alone, and what was recorded
// still arrives.
func TestAgentsDeath(t *testing.T) {
	exe, flags := guest(t)
	lib := crashLibrary(t)
	for _, how := range []string{"panic", "map", "unlock", "exit", "stack", "nilmap", "deadlock"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "crash")
			if err := os.WriteFile(file, []byte(how), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"/usr/bin/env", "LD_PRELOAD=" + lib, "SEAM_TEST_CRASH=" + file, exe, "errno"}
			bare := harness.Run(t, harness.Cmd{Args: []string{exe, "errno"}})
			// env's own process has the real library; the program gets the one that crashes
			res, rep := watched(t, with(flags, "--start", "now"), args...)
			res.Stderr = withoutWarnings(res.Stderr)
			if res != bare {
				t.Errorf("the host noticed\nbare:    %v\nwatched: %v", bare, res)
			}
			if _, err := os.Stat(file); err == nil {
				t.Fatal("the agent never looked at the file: the test tests nothing")
			}
			rep.exact(t)
			calls, _ := rep.function("work")
			for _, f := range rep.Functions {
				if f.Name == "work" {
					calls += f.Dropped
				}
			}
			if calls != 60000 {
				t.Errorf("%d calls of work are accounted for, want 60000", calls)
			}
		})
	}
}

// crashLibrary builds the agent with a way to break it (preload/agent/crash_seamtest.go).
func crashLibrary(t *testing.T) string {
	t.Helper()
	if programs["crash"] != "" {
		return programs["crash"]
	}
	out := filepath.Join(harness.Shared(t), "libseam-crash.so")
	script := `cd "$0" && flags=$(make -pn build 2>/dev/null | sed -n 's/^LIB_LDFLAGS := //p' | sed "s|\$(GODEBUGS)|$(sed -n 's/^GODEBUGS := //p' Makefile)|; s|\$(VERSION)|test|; s|\$(CURDIR)|$0|") &&
CGO_ENABLED=1 go build -tags seamtest -buildmode=c-shared -trimpath -ldflags="$flags" -o "$1" ./preload && go run ./preload/postlink "$1"`
	r := harness.Run(t, harness.Cmd{Args: []string{"/bin/bash", "-c", script, harness.Root(), out}, Deadline: 10 * deadline,
		Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "XDG_CACHE_HOME=" + os.Getenv("XDG_CACHE_HOME"), "GOFLAGS=" + os.Getenv("GOFLAGS"), "GOPROXY=off"}})
	if r.Code != 0 {
		t.Fatalf("build the library: %v", r)
	}
	if strings.Contains(r.Stderr, "undefined") {
		t.Fatal(r.Stderr)
	}
	programs["crash"] = out
	return out
}
