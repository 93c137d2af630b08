package laws

import (
	"regexp"
	"strings"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// Programs that inherit LD_PRELOAD and cannot have the library run as they would,
// without a word of the loader's; so do their parents and their children.
func TestProgramsThatCannotBeWatched(t *testing.T) {
	musl := harness.Program(t, "musl-gcc")
	harness.Program(t, "/usr/lib/gcc/x86_64-linux-gnu/12/32/libgcc.a")
	kinds := map[string]string{
		"32-bit":      program(t, "hello.c", "-m32"),
		"static":      program(t, "hello.c", "-static"),
		"musl":        compiled(t, musl, "hello.c"),
		"musl static": compiled(t, musl, "hello.c", "-static"),
	}
	for name, exe := range kinds {
		for _, start := range starts {
			t.Run(name+" "+start, func(t *testing.T) {
				same(t, []string{"--start", start}, "/bin/sh", "-c", `"$0"; echo $?; ls /etc/passwd; exec "$0"`, exe).exact(t)
			})
		}
		t.Run(name+" refused", func(t *testing.T) {
			r := harness.Run(t, harness.Cmd{Args: []string{harness.Seam(t), "run", "--", exe}})
			if r.Code != 126 || r.Stdout != "" || strings.Count(r.Stderr, "\n") != 2 {
				t.Errorf("not refused with a reason and a hint: %v", r)
			}
		})
	}
}

// findings keeps what a sanitizer says that is the same in any two runs.
func findings(stderr string) string {
	var keep []string
	for line := range strings.Lines(stderr) {
		for _, word := range []string{"ERROR:", "WARNING:", "SUMMARY:", "runtime error:", "runtime does not", "incompatible"} {
			if strings.Contains(line, word) {
				keep = append(keep, unstable.ReplaceAllString(line, ""))
				break
			}
		}
	}
	return strings.Join(keep, "")
}

var unstable = regexp.MustCompile(`0x[0-9a-f]+|==\d+==|pid=\d+`)

// The sanitizers run as they do alone, find what they find alone, and their
// programs are watched, wherever they are started.
func TestSanitizers(t *testing.T) {
	for _, kind := range []struct {
		flags  []string
		faults []string
	}{
		{[]string{"-fsanitize=address"}, []string{"none", "overflow", "free", "leak"}},
		{[]string{"-fsanitize=address", "-static-libasan"}, []string{"none", "overflow", "leak"}},
		{[]string{"-fsanitize=thread"}, []string{"none", "race"}},
		{[]string{"-fsanitize=undefined"}, []string{"none", "integer"}},
	} {
		exe := program(t, "sanitized.c", append([]string{"-w"}, kind.flags...)...)
		for _, fault := range kind.faults {
			t.Run(strings.Join(kind.flags, " ")+" "+fault, func(t *testing.T) {
				run := harness.Cmd{Args: []string{exe, fault}}
				bare := harness.Run(t, run)
				bare.Stderr = findings(bare.Stderr)
				for _, start := range starts {
					got, rep := watchedCmd(t, []string{"--start", start}, run)
					got.Stderr = findings(got.Stderr)
					if got != bare {
						t.Errorf("--start %s\nbare:    %v\nwatched: %v", start, bare, got)
					}
					rep.exact(t)
					if calls, _ := rep.function("open"); calls < 2501 {
						t.Errorf("%d calls of open are told, want at least 2501", calls)
					}
				}
			})
		}
		t.Run(strings.Join(kind.flags, " ")+" child", func(t *testing.T) {
			same(t, nil, "/bin/sh", "-c", `"$0" none; echo $?`, exe).exact(t)
		})
	}
}
