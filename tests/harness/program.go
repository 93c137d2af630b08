package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Path is the search path of everything that runs in a test: Debian's own
// programs, not what a developer put before them.
const Path = "/usr/sbin:/usr/bin:/sbin:/bin"

// packages maps the programs and files that tests need to the Debian packages
// that have them. tests/packages.txt lists the same packages.
var packages = map[string]string{
	"redis-benchmark":                        "redis-tools",
	"stress-ng":                              "stress-ng",
	"wrk":                                    "wrk",
	"/usr/lib/python3.11/test/test_fork1.py": "libpython3.11-testsuite",
	"bash":                                   "bash",
	"curl":                                   "curl",
	"g++":                                    "g++",
	"gcc":                                    "gcc",
	"file":                                   "file",
	"gdb":                                    "gdb",
	"git":                                    "git",
	"gzip":                                   "gzip",
	"ltrace":                                 "ltrace",
	"strace":                                 "strace",
	"valgrind":                               "valgrind",
	"java":                                   "openjdk-17-jre-headless",
	"javac":                                  "openjdk-17-jdk-headless",
	"man":                                    "man-db",
	"make":                                   "make",
	"musl-gcc":                               "musl-tools",
	"node":                                   "nodejs",
	"objcopy":                                "binutils",
	"strip":                                  "binutils",
	"openssl":                                "openssl",
	"perl":                                   "perl",
	"python3":                                "python3",
	"sqlite3":                                "sqlite3",
	"tar":                                    "tar",
	"unshare":                                "util-linux",
	"wget":                                   "wget",
	"/usr/include/sqlite3.h":                 "libsqlite3-dev",
	"/usr/lib/x86_64-linux-gnu/libsqlite3.a": "libsqlite3-dev",
	"/usr/include/stdio.h":                   "libc6-dev",
	"busybox":                                "busybox",
	"bwrap":                                  "bubblewrap",
	"dumb-init":                              "dumb-init",
	"gunicorn":                               "gunicorn",
	"nginx":                                  "nginx-light",
	"redis-server":                           "redis-server",
	"setpriv":                                "util-linux",
	"ssh-keygen":                             "openssh-client",
	"sudo":                                   "sudo",
	"tini":                                   "tini",
	"tmux":                                   "tmux",
	"/usr/lib/postgresql/15/bin/postgres":    "postgresql",
	"/usr/lib/gcc/x86_64-linux-gnu/12/32/libgcc.a":                           "gcc-multilib",
	"/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1":                    "libfaketime",
	"/usr/lib/x86_64-linux-gnu/libeatmydata.so":                              "libeatmydata1",
	"/usr/lib/x86_64-linux-gnu/libjemalloc.so.2":                             "libjemalloc2",
	"/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4":                     "libtcmalloc-minimal4",
	"/usr/lib/python3/dist-packages/greenlet/":                               "python3-greenlet",
	"/usr/lib/python3/dist-packages/msgpack/":                                "python3-msgpack",
	"/usr/lib/python3/dist-packages/seccomp.cpython-311-x86_64-linux-gnu.so": "python3-seccomp",
	"/usr/sbin/sshd": "openssh-server",
	"firejail":       "firejail",
	"screen":         "screen",
	"ssh":            "openssh-client",
}

// Program returns the path of a program, or of a file, that packages knows.
func Program(t testing.TB, name string) string {
	t.Helper()
	pkg, ok := packages[name]
	if !ok {
		t.Fatalf("no Debian package is known for %s: add it to tests/harness/program.go and tests/packages.txt", name)
	}
	if filepath.IsAbs(name) {
		if _, err := os.Stat(name); err == nil {
			return name
		}
	} else {
		for _, dir := range filepath.SplitList(Path) {
			if p := filepath.Join(dir, name); unix.Access(p, unix.X_OK) == nil {
				return p
			}
		}
	}
	t.Fatalf("%s is missing: install Debian's package %s (tests/packages.txt lists all that tests need)", name, pkg)
	return ""
}

// Root is the top folder of the checkout.
var Root = sync.OnceValue(func() string {
	_, file, _, _ := runtime.Caller(0)
	if filepath.IsAbs(file) {
		return filepath.Join(filepath.Dir(file), "..", "..")
	}
	// Built with -trimpath: a test runs in its package's folder.
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			panic("harness: no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
})

type built struct {
	path string
	err  error
	out  []byte
}

// build makes bin/seam. Test packages run at the same time, hence the lock.
var build = sync.OnceValue(func() built {
	if path := os.Getenv("SEAM_BIN"); path != "" {
		return built{path: path}
	}
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "seam-test-build.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return built{err: err}
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return built{err: err}
	}
	out, err := exec.Command("make", "-C", Root(), "build").CombinedOutput()
	return built{filepath.Join(Root(), "bin", "seam"), err, out}
})

// Seam returns the path of bin/seam, built from what is in the checkout now, or
// of the program that the variable SEAM_BIN names.
func Seam(t testing.TB) string {
	t.Helper()
	b := build()
	if b.err != nil {
		t.Fatalf("make build: %v\n%s", b.err, b.out)
	}
	return b.path
}
