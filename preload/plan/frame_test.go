package plan

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seam-project/seam/hooks"
)

func buildLib(t testing.TB, args ...string) string {
	t.Helper()
	lib := filepath.Join(t.TempDir(), "libx.so")
	args = append([]string{"-shared", "-fPIC", "-o", lib}, args...)
	if out, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		t.Fatalf("gcc %v: %v\n%s", args, err, out)
	}
	return lib
}

// TestFrameSafety has a compiler write functions in several styles, and checks
// which may be called through a frame. A wrong yes would break a program; a
// wrong no only costs a duration.
func TestFrameSafety(t *testing.T) {
	for _, style := range [][]string{
		{"-O2"},
		{"-O1"},
		{"-O0"},
		{"-Os"},
		{"-O2", "-fno-omit-frame-pointer"},
		{"-O2", "-fstack-protector-all", "-fcf-protection=full"},
		{"-O2", "-mavx2", "-fstack-clash-protection", "-fno-plt"},
	} {
		t.Run(strings.Join(style, ""), func(t *testing.T) {
			t.Parallel()
			o := open(t, buildLib(t, append(style, "testdata/frame.c")...))
			p, err := Build(o, &hooks.Spec{Probes: []hooks.Probe{{Sym: "yes_*"}, {Sym: "no_*"}}})
			if err != nil {
				t.Fatal(err)
			}
			kinds := map[string]Kind{}
			for i := range p.Sites {
				kinds[p.Sites[i].Name] = p.Sites[i].Kind
			}
			if len(kinds) < 25 {
				t.Errorf("only %d sites: %v", len(kinds), p.Refusals)
			}
			for name, k := range kinds {
				if style[len(style)-1] == "-fno-plt" && (name == "yes_alloca" || name == "yes_big_frame") {
					continue // the loop that probes a large frame hides its depth
				}
				// With a frame pointer or the stack protector a tail call to
				// another library is an ordinary call.
				if k == Full && (name == "no_tail_calls_unknown" || name == "no_tail_calls_pointer") && !tailCalls(style) {
					continue
				}
				if yes := strings.HasPrefix(name, "yes_"); yes != (k == Full) {
					t.Errorf("%s: %v\n%s", name, k, p.Explain(name))
				}
			}
		})
	}
}

func tailCalls(style []string) bool {
	return style[0] == "-O2" && (len(style) == 1 || style[1] != "-fstack-protector-all") || style[0] == "-Os"
}
