package laws

import (
	"path/filepath"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// guest is the program that looks at what it owns, with the packs and two of its
// own functions patched.
func guest(t testing.TB) (exe string, flags []string) {
	exe = program(t, "guest.c", "-rdynamic", "-w")
	return exe, with(p(exe+":work", exe+":fails"), "-H", "file,net,proc")
}

// starts are when the agent runs: after a while, from the beginning, never.
var starts = []string{"demand", "now", "never"}

// guestSame runs one of the program's modes with and without seam.
func guestSame(t *testing.T, mode ...string) {
	t.Helper()
	exe, flags := guest(t)
	for _, start := range starts {
		t.Run(start, func(t *testing.T) { same(t, with(flags, "--start", start), append([]string{exe}, mode...)...) })
	}
}

func TestErrno(t *testing.T) { guestSame(t, "errno") }

// NULL, unmapped, PROT_NONE, unterminated at the end of a page: the same result
// and errno.
func TestHostilePointers(t *testing.T) { guestSame(t, "pointers") }

// Memory that another thread unmaps, protects, moves and maps over, in a loop.
func TestUnmappedMeanwhile(t *testing.T) { guestSame(t, "unmaps") }

// A mapped file that another process truncates between two calls.
func TestTruncatedMeanwhile(t *testing.T) {
	guestSame(t, "truncated", filepath.Join(t.TempDir(), "file"))
}

// A string in a library that was unloaded: the loader unmaps it with its own munmap.
func TestUnloadedLibrary(t *testing.T) {
	guestSame(t, "unloaded", program(t, "named.c", "-shared", "-fPIC"))
}

// Memory unmapped by syscall(2), and heap given back.
func TestUnmappedByBareSystemCall(t *testing.T) { guestSame(t, "bare-unmap") }

func TestSmallStacks(t *testing.T) { guestSame(t, "stacks") }

func TestLimits(t *testing.T) {
	for _, what := range []string{"files", "processes", "memory"} {
		t.Run(what, func(t *testing.T) {
			exe, flags := guest(t)
			// An agent that is there before the limit is cannot stand down.
			for _, start := range []string{"demand", "never"} {
				t.Run(start, func(t *testing.T) {
					rep := same(t, with(flags, "--start", start), exe, "limits", what)
					rep.exact(t)
					// too little memory, or no thread to be had: said, once it was tried
					if said := rep.said("no-agent"); said != (start == "demand" && what != "files") {
						t.Errorf("said that there is no agent: %v: %+v", said, rep.Errors)
					}
				})
			}
		})
	}
	t.Run("memory from the start", func(t *testing.T) {
		exe, flags := guest(t)
		args := []string{"/bin/sh", "-c", "ulimit -v 300000; exec \"$0\" errno", exe}
		for _, start := range starts {
			t.Run(start, func(t *testing.T) {
				rep := same(t, with(flags, "--start", start), args...)
				rep.exact(t)
				if said := rep.said("no-agent"); said != (start != "never") {
					t.Errorf("said that there is no agent: %v: %+v", said, rep.Errors)
				}
			})
		}
	})
}

func TestEnds(t *testing.T) {
	exe, flags := guest(t)
	for _, how := range []string{"return", "exit", "_exit", "quick_exit", "abort", "term", "segv", "kill", "last", "main"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			for _, start := range starts {
				t.Run(start, func(t *testing.T) {
					sameCmd(t, with(flags, "--start", start), harness.Cmd{Args: []string{exe, "ends", how}, Deadline: deadline / 4})
				})
			}
		})
	}
}

// setuid and its like are broadcast to all threads by libc, which waits for
// their answers.
func TestIdentity(t *testing.T) { guestSame(t, "ids") }
