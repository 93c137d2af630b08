package launcher

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seam-project/seam/hooks"
)

const libc = "/lib/x86_64-linux-gnu/libc.so.6"

func specOf(t *testing.T, probes ...string) *hooks.Spec {
	t.Helper()
	s := hooks.NewSpec()
	for _, text := range probes {
		p, err := hooks.ParseProbe(text)
		if err != nil {
			t.Fatal(err)
		}
		s.Probes = append(s.Probes, p)
	}
	return s
}

func TestPreplan(t *testing.T) {
	s := specOf(t, "libc:open", "libz:inflate")
	var err error
	if s.Plans, err = testCache(t).Plans(); err != nil {
		t.Fatal(err)
	}
	atStart := []string{"/usr/bin/true", libc, "/lib64/ld-linux-x86-64.so.2"}
	for round, fresh := range []bool{true, false, true} {
		work := Preplan(s, atStart, Installed())
		var names []string
		for _, w := range work {
			if w.Err != nil || w.Plan == nil {
				t.Fatalf("round %d: %s: %v", round, w.Path, w.Err)
			}
			if w.Fresh != fresh {
				t.Errorf("round %d: %s: fresh is %v", round, w.Path, w.Fresh)
			}
			if w.AtStart != (w.Path == libc) {
				t.Errorf("%s: at start is %v", w.Path, w.AtStart)
			}
			names = append(names, filepath.Base(w.Path))
		}
		if len(names) != 2 || names[0] != "libc.so.6" || !strings.HasPrefix(names[1], "libz.so") {
			t.Errorf("planned %v", names)
		}
		if round == 1 { // spoil the cache: the plans must be made again
			files, _ := filepath.Glob(s.Plans + "/*.plan")
			if len(files) != 2 {
				t.Errorf("%d plans in the cache", len(files))
			}
			for _, f := range files {
				os.Truncate(f, 50)
			}
		}
	}
}

// TestWidePatterns: a probe of any library must not plan the whole system.
func TestWidePatterns(t *testing.T) {
	s := specOf(t, "no_such_function")
	var err error
	if s.Plans, err = testCache(t).Plans(); err != nil {
		t.Fatal(err)
	}
	for _, w := range Preplan(s, []string{libc}, Installed()) {
		if filepath.Base(w.Path) != "libc.so.6" {
			t.Errorf("planned %s", w.Path)
		}
	}
}

func TestResolvePaths(t *testing.T) {
	dir := t.TempDir()
	os.Symlink("/bin/true", dir+"/link")
	t.Chdir(dir)
	s := specOf(t, "./link:main", "./other:f", "libc:open", "./lib*.so:g")
	if err := ResolvePaths(s, []string{"/usr/bin/true", libc}); err != nil {
		t.Fatal(err)
	}
	want := []string{"/usr/bin/true", dir + "/other", "libc", dir + "/lib*.so"}
	for i, p := range s.Probes {
		if p.Lib != want[i] {
			t.Errorf("%s: %s, want %s", p.Text, p.Lib, want[i])
		}
	}
}

func TestWarnings(t *testing.T) {
	dir := t.TempDir()
	src := write(t, dir+"/app.c", []byte("int do_work(int x) { return x * 3 + 1; }\nint _Z5twicei(int v) { return v * 2; }\n"+
		"int _ZNK5shape4areaEi(int v) { return v * 3; }\nint main(void) { return 0; }\n"), 0o600)
	app := dir + "/app"
	if out, err := exec.Command("gcc", "-rdynamic", "-o", app, src).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, tc := range []struct{ probe, want string }{
		{"libc:open", ""},
		{"libc:open*", ""},
		{"libc:opne", "matches nothing in libc.so.6; nearest: open"},
		{"libc:sokcet", "nearest: socket"},
		{"libc:nothing_like_it_at_all*", "matches nothing in libc.so.6"},
		{"libcx:open", "no library 'libcx'"},
		{"libz:inflate", ""}, // installed: may come later
		{"libz:inflat", "nearest: inflate"},
		{"libzz:inflate", "nearest: libz"},
		{"do_work", ""},
		{"do_wrok", "nearest: do_work"},
		{app + ":do_work", ""},
		{app + ":do_wrk", "matches nothing in app; nearest: do_work"},
		{app + ":twice", "matches nothing in app; nearest: ::twice"},
		{app + ":tw*", "nearest: ::twice"},
		{app + ":area", "nearest: shape::area"},
		{"/no/such/file:f", "there is no file /no/such/file"},
	} {
		t.Run(tc.probe, func(t *testing.T) {
			s := specOf(t, tc.probe)
			atStart := []string{app, libc}
			got := Warnings(s, PlanOnly(s, atStart), atStart, Installed())
			switch {
			case tc.want == "" && len(got) > 0:
				t.Errorf("warned: %s", got[0])
			case tc.want != "" && (len(got) != 1 || !strings.Contains(got[0].String(), tc.want)):
				t.Errorf("got %v, want %q", got, tc.want)
			}
		})
	}
}
