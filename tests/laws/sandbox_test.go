package laws

import (
	"strings"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// confinements are the modes of guest.c's sandbox: how the program confines
// itself, how often it does all its confined work, and whether from then on
// seam may not make system calls.
var confinements = []struct {
	how   string
	works int
	quiet bool
}{
	{"strict", 2, true}, {"kill", 2, true}, {"seccomp", 2, true}, {"errno", 2, true}, {"tsync-alone", 2, true},
	{"tsync", 5, true}, {"threads", 4, true}, {"fork", 3, true},
	{"tsc", 2, false}, {"landlock", 2, false}, {"capset", 2, false}, {"asking", 2, false}, {"refused", 2, false},
}

// A program that forbids itself nearly everything, to the letter, is not killed
// for what seam does; and all it does is recorded.
func TestSandboxes(t *testing.T) {
	exe := program(t, "guest.c", "-rdynamic", "-w")
	flags := with(p(exe+":work", exe+":work_and", exe+":did"), "-H", "file,net,proc", "--on-full", "drop-newest", "--buffer", "32m")
	for _, tc := range confinements {
		t.Run(tc.how, func(t *testing.T) {
			t.Parallel()
			for _, start := range starts {
				t.Run(start, func(t *testing.T) {
					rep := same(t, with(flags, "--start", start), exe, "sandbox", tc.how)
					rep.exact(t)
					calls, _ := rep.function("did")
					// threads that spin may fill the buffer
					if calls += rep.dropped("did"); calls != uint64(3000*tc.works) {
						t.Errorf("%d calls of did were seen, want %d: %+v", calls, 3000*tc.works, rep.Account)
					}
					if calls, inFlight := rep.function("work_and"); calls != 1 || inFlight != 0 {
						t.Errorf("work_and: %d calls, %d in flight", calls, inFlight)
					}
					if got := rep.said("confined"); got != tc.quiet {
						t.Errorf("said to be confined: %v, want %v: %+v", got, tc.quiet, rep.Errors)
					}
					ended := start == "now" && (tc.quiet || tc.how == "landlock" || tc.how == "capset" || tc.how == "refused")
					if got := rep.said("agent-ended"); ended && !got || got && !ended && start != "demand" {
						t.Errorf("said that the agent was ended: %v, want %v: %+v", got, ended, rep.Errors)
					}
					if rep.said("agent-outside") {
						t.Error("agent threads stayed outside")
					}
				})
			}
		})
	}
}

// A program that is started under a filter of which nothing is known is left alone.
func TestStartedUnderAFilter(t *testing.T) {
	exe := program(t, "underfilter.c")
	for _, what := range []string{"kill", "errno"} {
		same(t, []string{"-H", "file"}, exe, what, "/usr/bin/id", "-u")
	}
}

// Real programs that confine themselves.
func TestSandboxedPrograms(t *testing.T) {
	for _, tc := range []struct {
		program string
		args    []string
		quiet   bool
	}{
		{"file", []string{"/bin/ls", "/etc/passwd"}, false}, // with any LD_PRELOAD it leaves its sandbox out
		{"man", []string{"-P", "cat", "ls"}, true},
		{"bwrap", []string{"--ro-bind", "/", "/", "--unshare-user", "/usr/bin/id", "-u"}, false},
		{"setpriv", []string{"--no-new-privs", "/usr/bin/id", "-u"}, false},
		{"setpriv", []string{"--bounding-set=-all", "--inh-caps=-all", "/usr/bin/id", "-u"}, false},
	} {
		exe := harness.Program(t, tc.program)
		for _, start := range starts {
			t.Run(tc.program+" "+strings.Join(tc.args, " ")+" "+start, func(t *testing.T) {
				rep := same(t, []string{"-H", "file", "--start", start}, append([]string{exe}, tc.args...)...)
				rep.exact(t)
				if got := rep.said("confined"); got != tc.quiet {
					t.Errorf("said to be confined: %v, want %v: %+v", got, tc.quiet, rep.Errors)
				}
			})
		}
	}
}
