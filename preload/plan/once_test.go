package plan

import (
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seam-project/seam/hooks"
)

// Of many who want the same plan at the same time one makes it.
func TestOnce(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for round, spec := range []*hooks.Spec{
		{Probes: []hooks.Probe{{Sym: "*"}}, Plans: dir},
		{Probes: []hooks.Probe{{Sym: "sqlite3_*"}}, Plans: dir},
	} {
		var made atomic.Int32
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				p, fresh, err := Once(sqlite, spec, false)
				if err != nil || len(p.Sites) < 100 {
					t.Errorf("%v, %v", p, err)
				}
				if fresh {
					made.Add(1)
				}
			})
		}
		wg.Wait()
		if n := made.Load(); n != 1 {
			t.Errorf("round %d: made %d times", round, n)
		}
	}
}
