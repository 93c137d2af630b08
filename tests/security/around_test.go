package security

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// around runs testdata/around.c under a policy and returns what came of each way, and how
// many calls rules acted on.
func around(t *testing.T, policy string, args ...string) map[string]string {
	t.Helper()
	exe := filepath.Join(harness.Shared(t), "around")
	if _, err := os.Stat(exe); err != nil {
		if r := harness.Run(t, harness.Cmd{Args: []string{harness.Program(t, "gcc"), "-O1", "-Wall", "-Werror", "-o", exe, filepath.Join(harness.Root(), "tests/security/testdata/around.c")}}); r.Code != 0 {
			t.Fatal(r)
		}
	}
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	r := harness.Run(t, harness.Cmd{Args: append([]string{harness.Seam(t), "run", "-q", "--enforce", file, "--", exe}, args...), Deadline: deadline})
	if r.Code != 0 || r.Stderr != "" {
		t.Fatal(r)
	}
	came := map[string]string{}
	for l := range strings.Lines(r.Stdout) {
		way, what, _ := strings.Cut(strings.TrimSpace(l), ": ")
		came[way] = what
	}
	return came
}

// aroundDir is a folder with in, which policies allow, and out.
func aroundDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/tmp", "seam-around-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"in", "out"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, d, "prog"), b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"in/file": "", "out/secret": "", "in/link": "../out/secret", "in/folder": "../out", "in/dangling": "../out/new"} {
		path := filepath.Join(dir, name)
		if to != "" {
			err = os.Symlink(to, path)
		} else {
			err = os.WriteFile(path, []byte("text"), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// compare: these ways ended so; all others as the rest does.
func compare(t *testing.T, came map[string]string, rest string, other map[string]string) {
	t.Helper()
	for way, what := range came {
		want, ok := other[way]
		if !ok {
			want = rest
		}
		if what != want {
			t.Errorf("%s: %s, want %s", way, what, want)
		}
	}
	for way := range other {
		if came[way] == "" {
			t.Errorf("%s was not tried", way)
		}
	}
}

// TestAround tries to get around each list.
func TestAround(t *testing.T) {
	t.Run("files", func(t *testing.T) {
		dir := aroundDir(t)
		came := around(t, "files: ["+dir+"/in]\n", "files", dir)
		compare(t, came, "EACCES", map[string]string{"allowed": "done", "allowed, absolute": "done", "lstat": "done", "O_PATH, the link itself": "done"})
		if len(came) < 30 {
			t.Errorf("only %d ways: %v", len(came), came)
		}
		for _, name := range []string{"in/stolen", "out/new", "out/file"} {
			if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
				t.Errorf("%s is there", name)
			}
		}
		if b, err := os.ReadFile(filepath.Join(dir, "out/secret")); err != nil || string(b) != "text" {
			t.Errorf("%q, %v", b, err)
		}
	})
	t.Run("programs", func(t *testing.T) {
		dir := aroundDir(t)
		if err := os.Symlink("../out/prog", filepath.Join(dir, "in/link2")); err != nil {
			t.Fatal(err)
		}
		came := around(t, "programs: ["+dir+"/in/prog]\n", "programs", dir)
		compare(t, came, "status 100", map[string]string{"allowed": "status 0", "allowed descriptor": "status 0", "spawn": "EACCES", "search": "EACCES", "without the library": "EACCES"})
	})
	t.Run("connects", func(t *testing.T) {
		dir := aroundDir(t)
		listen := func(network, addr string) net.Listener {
			l, err := net.Listen(network, addr)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			return l
		}
		port := func() int { return listen("tcp4", "127.0.0.1:0").Addr().(*net.TCPAddr).Port }
		good, other := port(), port()
		listen("unix", dir+"/in/sock")
		listen("unix", dir+"/out/sock")
		came := around(t, fmt.Sprintf("connects: [\"127.0.0.1:%d\", \"unix:%s/in/\"]\n", good, dir), "connects", dir, fmt.Sprint(good), fmt.Sprint(other))
		compare(t, came, "EACCES", map[string]string{"allowed": "done", "allowed, as IPv6": "done", "allowed path": "done", "undone": "done"})
	})
}
