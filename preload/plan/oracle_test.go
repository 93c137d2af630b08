package plan

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/seam-project/seam/hooks"
)

// TestTrampolinesRun patches every function of a library that can be patched,
// and lets the library work: whatever relocation does to an instruction, the
// processor is the judge.
func TestTrampolinesRun(t *testing.T) {
	exe := compile(t, "testdata/oracle.c")
	for _, tc := range []struct{ lib, work string }{{libc, "libc"}, {sqlite, "sqlite"}, {crypto, "crypto"}} {
		t.Run(tc.work, func(t *testing.T) {
			t.Parallel()
			o := open(t, tc.lib)
			p, err := Build(o, &hooks.Spec{Probes: []hooks.Probe{{Sym: "*"}}})
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Sites) < 500 {
				t.Fatalf("only %d sites", len(p.Sites))
			}
			file := filepath.Join(t.TempDir(), "plan")
			if err := os.WriteFile(file, p.Encode(), 0o600); err != nil {
				t.Fatal(err)
			}
			run := func(args ...string) string {
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				cmd := exec.CommandContext(ctx, exe, args...)
				cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=/usr/bin:/bin"}
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("oracle %v: %v\n%s", args, err, out)
				}
				return string(out)
			}
			plain := run(tc.lib, tc.work)
			if len(plain) < 200 {
				t.Fatalf("the work printed only %q", plain)
			}
			if d := cmp.Diff(plain, run(tc.lib, tc.work, file)); d != "" {
				t.Errorf("patched library behaves differently (-plain +patched):\n%s", d)
			}
		})
	}
}

func open(t testing.TB, path string) *Object {
	t.Helper()
	o, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}
