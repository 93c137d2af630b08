package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// Functions that are in no pack are decoded when a probe names them.
func TestKnownFunctions(t *testing.T) {
	prog := compile(t, "known.c")
	var flags []string
	for _, f := range []string{"poll", "setitimer", "pthread_sigmask", "setlocale", "sysconf", "inet_addr", "fnmatch", "connect"} {
		flags = append(flags, "-p", "libc:"+f)
	}
	for _, with := range [][]string{{"--start", "now"}, {"--start", "never"}} {
		got, lines := calls(t, append(with, flags...), harness.Cmd{Args: []string{prog}})
		if got.Code != 0 {
			t.Fatal(got)
		}
		sameCalls(t, lines, knownCalls)
	}
}

var knownCalls = []string{
	`poll([{fd=-1, events="POLLIN"}, {fd=-1, events="POLLOUT"}], 2, 0) = 0`,
	`setitimer(ITIMER_REAL, {it_interval="0", it_value="1000.5"}, NULL) = 0`,
	`pthread_sigmask(SIG_BLOCK, {set="SIGUSR1|SIGTERM"}, NULL) = 0`,
	`setlocale(LC_ALL, "C") = "C"`,
	`sysconf(_SC_PAGESIZE) = 4096`,
	`inet_addr("1.2.3.4") = 67305985`,
	`fnmatch("*.c", "known.c", FNM_PATHNAME|FNM_PERIOD) = 0`,
	// The upper half of the length's register is not part of it.
	`connect(-1, unix:@seam-nobody, 14) = -1 EBADF`,
}

// Structures and sets that a prototype declares are shown by name; a secret in
// one is not even read.
func TestDeclaredTypes(t *testing.T) {
	prog := compile(t, "known.c")
	decl := `flags mode { M_SLOW = 2, M_LATE = 0x10 };
		struct request { uint32_t op; char name[12]; secret uint64_t key; };
		int submit(const struct request *r[n], int n, flags(mode) mode) fails < 0`
	one := `flags mode { M_SLOW = 2, M_LATE = 0x10 };
		struct request { uint32_t op; char name[12]; uint64_t _; };
		int submit(const struct request *r[n], int n, flags(mode) mode) fails < 0`
	single := `struct request { uint32_t op; char name[12]; secret uint64_t key; };
		int submit(const struct request *r, int n, int mode)`
	if r := harness.Run(t, harness.Cmd{Args: []string{harness.Seam(t), "run", "-p", "submit", "--proto", decl, "--", prog}}); r.Code == 0 {
		t.Errorf("an array of structures with secrets: %v", r)
	}
	_, lines := calls(t, []string{"-p", prog + ":submit", "--proto", one}, harness.Cmd{Args: []string{prog}})
	sameCalls(t, lines, []string{
		`submit([{op=7, name="first"}], 1, M_SLOW) = 1`,
		`submit([{op=7, name="first"}, {op=8, name="second"}], 2, M_LATE) = -7 failed`,
	})
	_, lines = calls(t, []string{"-p", prog + ":submit", "--proto", single}, harness.Cmd{Args: []string{prog}})
	sameCalls(t, lines, []string{
		`submit({op=7, name="first", key=(withheld, 8 bytes)}, 1, 2) = 1`,
		`submit({op=7, name="first", key=(withheld, 8 bytes)}, 2, 16) = -7`,
	})
}

func sameCalls(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}
