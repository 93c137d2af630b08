package laws

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// Coroutines that switch inside watched calls, on stacks of 16 KiB, one of which is
// the one on which the agent has to be started.
func TestCoroutines(t *testing.T) {
	exe := program(t, "coroutines.c", "-rdynamic")
	for _, start := range starts {
		t.Run(start, func(t *testing.T) {
			rep := same(t, with(p(exe+":turn"), "-H", "file", "--start", start), exe, "50")
			rep.exact(t)
			if calls, inFlight := rep.function("turn"); calls != 50*200 || inFlight != 0 {
				t.Errorf("turn: %d calls, %d in flight", calls, inFlight)
			}
			if calls, _ := rep.function("open"); calls != 50*200 {
				t.Errorf("open: %d calls", calls)
			}
		})
	}
}

// Python's greenlets move pieces of one stack to and fro.
func TestGreenlets(t *testing.T) {
	harness.Program(t, "/usr/lib/python3/dist-packages/greenlet/")
	script := `
import greenlet, os, sqlite3
db = sqlite3.connect(":memory:")
def run(k):
    for i in range(100):
        try: os.open("/nonexistent/%d" % k, 0)
        except FileNotFoundError: pass
        try: db.execute("select nothing_%d()" % k)
        except sqlite3.OperationalError as e: assert "nothing_%d" % k in str(e)
        main.switch()
    return k
main = greenlet.getcurrent()
gs = [greenlet.greenlet(run) for _ in range(20)]
n = 0
for i in range(101):
    for k, g in enumerate(gs):
        n += (g.switch(k) if i == 0 else g.switch()) or 0
print(n)
`
	for _, start := range starts {
		t.Run(start, func(t *testing.T) {
			rep := same(t, []string{"-H", "file,sqlite", "--start", start}, harness.Program(t, "python3"), "-S", "-c",
				"import sys; sys.path.append('/usr/lib/python3/dist-packages')\n"+script)
			rep.exact(t)
			for _, f := range rep.Functions {
				if strings.HasPrefix(f.Name, "sqlite3_prepare") && f.Errors != 2000 {
					t.Errorf("%s: %d errors, want 2000", f.Name, f.Errors)
				}
			}
		})
	}
}

// places are where a program can find itself: each is a shell script that
// ends by running "$@" there. A user namespace makes them everybody's.
var places = map[string]string{
	"a user namespace":               `exec unshare -r "$@"`,
	"no /proc":                       `exec unshare -rm sh -c 'mount -t tmpfs none /proc && exec "$@"' sh "$@"`,
	"no /dev":                        `exec unshare -rm sh -c 'mount -t tmpfs none /dev && exec "$@"' sh "$@"`,
	"a read-only root":               `exec bwrap --ro-bind / / "$@"`,
	"no home":                        `unset HOME XDG_CACHE_HOME XDG_RUNTIME_DIR TMPDIR; exec "$@"`,
	"a cache that cannot be written": `export HOME=/proc/nowhere XDG_CACHE_HOME=/proc/nowhere; exec "$@"`,
}

func TestPlaces(t *testing.T) {
	for _, name := range []string{"unshare", "bwrap"} {
		harness.Program(t, name)
	}
	exe, flags := guest(t)
	for name, script := range places {
		t.Run(name, func(t *testing.T) {
			for _, start := range starts {
				t.Run(start, func(t *testing.T) {
					// the program goes there while it is watched
					rep := same(t, with(flags, "--start", start), "/bin/sh", "-c", script, "sh", exe, "errno")
					rep.exact(t)
					if calls, _ := rep.function("work"); calls+rep.dropped("work") != 60000 {
						t.Errorf("%d calls of work", calls)
					}
				})
			}
			t.Run("seam itself", func(t *testing.T) {
				bare := harness.Run(t, harness.Cmd{Args: []string{"/bin/sh", "-c", script, "sh", exe, "errno"}})
				if name == "a read-only root" {
					script = `exec bwrap --ro-bind / / --dev /dev "$@"` // there is nothing to be done without a place for the library
				}
				args := append([]string{"/bin/sh", "-c", script, "sh", harness.Seam(t), "run", "--json"}, flags...)
				got := harness.Run(t, harness.Cmd{Args: append(args, "--", exe, "errno")})
				rep := new(report)
				if err := json.Unmarshal([]byte(withoutWarnings(got.Stderr)), rep); err != nil {
					t.Fatalf("%v: %v", err, got)
				}
				rep.exact(t)
				if got.Stderr = bare.Stderr; got != bare {
					t.Errorf("bare:    %v\nwatched: %v", bare, got)
				}
			})
		})
	}
}

// A root without /proc, /dev, the library or anything else, entered in the
// middle: the agent starts there.
func TestChroot(t *testing.T) {
	exe, flags := guest(t)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, start := range starts {
		t.Run(start, func(t *testing.T) {
			rep := same(t, with(flags, "--start", start), harness.Program(t, "unshare"), "-r", exe, "chroot", dir)
			rep.exact(t)
			if calls, _ := rep.function("work"); calls+rep.dropped("work") != 100000 {
				t.Errorf("%d calls of work", calls)
			}
		})
	}
}
