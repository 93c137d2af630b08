package launcher

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/seam-project/seam/hooks"
)

// A probe that named something is not looked for again, until what it is in changes.
func TestFoundNote(t *testing.T) {
	dir := t.TempDir()
	lib := filepath.Join(dir, "libmine.so")
	build := func(function string) {
		t.Helper()
		src := filepath.Join(dir, "mine.c")
		write(t, src, []byte("int "+function+"(int a) { return a * 7 + 1; }\nint other(void) { return 3; }\n"), 0o600)
		if out, err := exec.Command("gcc", "-O1", "-shared", "-fPIC", "-o", lib, src).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	environ := []string{"XDG_CACHE_HOME=" + dir, "PATH=/usr/bin:/bin", "LD_PRELOAD=" + lib}
	c, err := OpenCache(environ)
	if err != nil {
		t.Fatal(err)
	}
	prepare := func() *Prepared {
		t.Helper()
		target, err := Check([]string{"/bin/true"}, environ)
		if err != nil {
			t.Fatal(err)
		}
		spec := hooks.NewSpec()
		probe, err := hooks.ParseProbe("libmine:work")
		if err != nil {
			t.Fatal(err)
		}
		spec.Probes = []hooks.Probe{probe}
		p, err := Prepare(c, "/none.so", spec, target, environ)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	notes := func() int {
		m, _ := filepath.Glob(filepath.Join(dir, "seam", "plans*", "*.found"))
		return len(m)
	}

	build("werk")
	for range 2 {
		if p := prepare(); len(p.Warnings) != 1 || notes() != 0 {
			t.Errorf("misspelled: %v, %d notes", p.Warnings, notes())
		}
	}
	os.Remove(lib)
	build("work")
	if p := prepare(); len(p.Warnings) != 0 || notes() != 1 || len(p.Planned) != 2 {
		t.Errorf("found: %v, %d notes, %v", p.Warnings, notes(), p.Planned)
	}
	if p := prepare(); len(p.Warnings) != 0 || len(p.Planned) != 0 {
		t.Errorf("found again: %v, looked at %v", p.Warnings, p.Planned)
	}
	plans, _ := filepath.Glob(filepath.Join(dir, "seam", "plans*", "*.plan"))
	for _, f := range plans {
		os.Remove(f)
	}
	if p := prepare(); len(p.Warnings) != 0 || len(p.Planned) != 2 {
		t.Errorf("without its plan: %v, looked at %v", p.Warnings, p.Planned)
	}
	os.Remove(lib)
	build("werk_again")
	if p := prepare(); len(p.Warnings) != 1 {
		t.Errorf("it is gone: %v", p.Warnings)
	}
}
