package launcher

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var buildDir string

func TestMain(m *testing.M) {
	// Again as another user: say what Check says of one program.
	if path := os.Getenv("SEAM_TEST_CHECK"); path != "" {
		var r *Refusal
		if _, err := Check([]string{path}, nil); errors.As(err, &r) {
			fmt.Print(r.Reason)
		} else {
			fmt.Print("accepted")
		}
		os.Exit(0)
	}
	dir, err := os.MkdirTemp("", "seam-launcher-test-")
	if err != nil {
		panic(err)
	}
	buildDir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func mustRun(name string, args ...string) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		panic(string(out) + err.Error())
	}
}

// starter is testdata/start, linked as bin/seam is.
var starter = sync.OnceValue(func() string {
	path := filepath.Join(buildDir, "start")
	mustRun("go", "build", "-ldflags=-E=seam_entry", "-o", path, "./testdata/start")
	return path
})

// stateProgram is testdata/c/state.c.
var stateProgram = sync.OnceValue(func() string {
	path := filepath.Join(buildDir, "state")
	mustRun("gcc", "-O1", "-o", path, "testdata/c/state.c")
	return path
})

// compile builds a one-line C program.
func compile(t *testing.T, cc, name string, flags ...string) string {
	t.Helper()
	src := filepath.Join(t.TempDir(), "main.c")
	if err := os.WriteFile(src, []byte("int main(void) { return 0; }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), name)
	if msg, err := exec.Command(cc, append([]string{"-o", out, src}, flags...)...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cc, err, msg)
	}
	return out
}

func write(t *testing.T, path string, content []byte, mode os.FileMode) string {
	t.Helper()
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}
