package torture

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seam-project/seam/tests/harness"
)

// scribbled are ways to be watched in which the arena is used in different ways. What a rule
// does depends on what is in the arena: these change no result.
var scribbled = []struct {
	name  string
	flags []string
}{
	{"plain", nil},
	{"full", []string{"--buffer=64KiB", "--start=never"}},
	{"block", []string{"--buffer=64KiB", "--on-full=block", "--block-timeout=2ms", "-p", "libc:*"}},
	{"kinds", []string{"-p", "libc:open*@hist", "-p", "libc:stat@count", "-p", "libc:getppid", "-p", "libc:close slower 1ms"}},
	{"agent", []string{"--start=now"}},
	{"rules", []string{"--delay=stat:20us,jitter=10us,every=3", "--audit", "--deny=open:path!in=/dev|/etc", "--delay=close:10us,p=0.5"}},
	{"breakpoints", []string{"--control=DIR/control", "--break=stat:every=5,timeout=1ms", "--break=getppid:timeout=1ms,nth=7"}},
}

// TestScribbled: a process that shares the arena, perhaps as another user, writes nonsense into
// it. The others see right results, do not crash, and go on; the reader ends, whatever it says.
func TestScribbled(t *testing.T) {
	exe := compile(t, "scribble.c", "scribble", "-I"+filepath.Join(harness.Root(), "preload/core"))
	ms := rounds(250, 2000)
	for _, s := range scribbled {
		for _, where := range []string{"head", "words", "tables", "records"} {
			t.Run(s.name+"/"+where, func(t *testing.T) {
				seed := rand.Uint32()
				args := []string{harness.Seam(t), "run", "--report=/dev/null"}
				for _, f := range s.flags {
					args = append(args, strings.ReplaceAll(f, "DIR", t.TempDir()))
				}
				args = append(args, "--", exe, fmt.Sprint(seed), where, fmt.Sprint(ms))
				r := harness.Run(t, harness.Cmd{Args: args, Deadline: time.Duration(ms)*time.Millisecond + 30*time.Second})
				if r.Code != 0 || r.Signal != 0 || r.Stdout != "done\n" || strings.Contains(r.Stderr, "panic") || strings.Contains(r.Stderr, "line ") {
					t.Errorf("seed %d: %v", seed, r)
				}
			})
		}
	}
}

// TestForeignSpec: where another spec is, processes that share an arena tell one another. It is
// read, and the planner it names run, only if no other user can have written it; a pipe is not waited for.
func TestForeignSpec(t *testing.T) {
	exe := compile(t, "scribble.c", "scribble", "-I"+filepath.Join(harness.Root(), "preload/core"))
	dir := t.TempDir()
	planned, planner := filepath.Join(dir, "planned"), filepath.Join(dir, "planner")
	if err := os.WriteFile(planner, []byte("#!/bin/sh\n: >"+planned+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	spec := func(t *testing.T, name string) string {
		path := filepath.Join(dir, name)
		text := fmt.Sprintf("seam-spec 1\nhash 1\nplans %s\nplanner %s\nlib libc.so*\njson {}\n", dir, planner)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		name string
		make func(t *testing.T, path string) error
		runs bool
	}{
		{"own", func(*testing.T, string) error { return nil }, true},
		{"writable", func(_ *testing.T, path string) error { return os.Chmod(path, 0o666) }, false},
		{"another's", func(t *testing.T, path string) error {
			if os.Geteuid() != 0 {
				t.Skip("only root can give files away")
			}
			return os.Chown(path, 65534, 65534)
		}, false},
		{"pipe", func(_ *testing.T, path string) error { os.Remove(path); return syscall.Mkfifo(path, 0o600) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			os.Remove(planned)
			path := spec(t, c.name)
			if err := c.make(t, path); err != nil {
				t.Fatal(err)
			}
			r := harness.Run(t, harness.Cmd{Args: []string{harness.Seam(t), "run", "--report=/dev/null", "--start=never", "--", exe, "1", "spec", "300", path}, Deadline: 30 * time.Second})
			if r.Code != 0 || r.Stdout != "done\n" {
				t.Errorf("%v", r)
			}
			if _, err := os.Stat(planned); (err == nil) != c.runs {
				t.Errorf("the planner was run: %v, want %v", err == nil, c.runs)
			}
		})
	}
}
