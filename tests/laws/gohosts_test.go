package laws

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// goBuild builds a package of testdata, once.
func goBuild(t *testing.T, name, out string, env []string, flags ...string) string {
	t.Helper()
	out = filepath.Join(harness.Shared(t), out)
	if _, err := os.Stat(out); err == nil {
		return out
	}
	args := append([]string{"/usr/bin/env", "-C", harness.Root()}, env...)
	args = append(append(append(args, "go", "build", "-o", out), flags...), "./tests/laws/testdata/"+name)
	keep := []string{"GOPROXY=off"}
	for _, key := range []string{"PATH", "HOME", "XDG_CACHE_HOME", "GOFLAGS", "GOCACHE", "GOPATH", "GOMODCACHE"} {
		if v, ok := os.LookupEnv(key); ok || key == "XDG_CACHE_HOME" {
			keep = append(keep, key+"="+v)
		}
	}
	if r := harness.Run(t, harness.Cmd{Args: args, Env: keep, Deadline: 10 * deadline}); r.Code != 0 {
		t.Fatalf("build %s: %v", name, r)
	}
	return out
}

// Two Go runtimes in a process: the host's, which has the signals, and the agent's.
func TestGoPrograms(t *testing.T) {
	for name, exe := range map[string]string{
		"cgo":  goBuild(t, "gohost", "gohost", []string{"CGO_ENABLED=1"}),
		"pure": goBuild(t, "gohost", "gohost-pure", []string{"CGO_ENABLED=0"}, "-buildmode=pie"),
	} {
		for _, start := range starts {
			t.Run(name+" "+start, func(t *testing.T) {
				rep := same(t, []string{"--start", start, "--buffer", "1M"}, exe)
				rep.exact(t)
				if calls, _ := rep.function("open"); name == "cgo" && calls < 8000 {
					t.Errorf("%d calls of open are told, want at least 8000", calls)
				}
			})
		}
	}
}

// A Go library in a C program and in Python.
func TestGoPlugins(t *testing.T) {
	lib := goBuild(t, "goplugin", "goplugin.so", []string{"CGO_ENABLED=1"}, "-buildmode=c-shared")
	exe := program(t, "plugin.c", "-w", "-rdynamic", "-ldl")
	python := `
import ctypes, os, sys, threading
lib = ctypes.CDLL(sys.argv[1])
one = threading.Lock() # what two of them print has no order
def work():
    for i in range(300): open("/etc/passwd").close()
    with one: print("sum", lib.plugin_work(30)); sys.stdout.flush()
work()
ts = [threading.Thread(target=work) for _ in range(3)]
for t in ts: t.start()
for t in ts: t.join()
pid = os.posix_spawn("/bin/echo", ["echo", "spawned"], os.environ)
print(os.waitpid(pid, 0)[1])
sys.exit(4)
`
	for name, args := range map[string][]string{
		"c":      {exe, lib},
		"python": {harness.Program(t, "python3"), "-c", python, lib},
	} {
		for _, start := range starts {
			t.Run(name+" "+start, func(t *testing.T) {
				same(t, []string{"--start", start}, args...).exact(t)
			})
		}
	}
}
