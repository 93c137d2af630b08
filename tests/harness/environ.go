package harness

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// shared is a folder for what one test process makes once, such as seam's cache
// of plans: with a fresh one, each run would plan libc anew.
var shared = sync.OnceValues(func() (string, error) {
	// Not below TMPDIR as it is: socket paths must be short.
	return os.MkdirTemp("/tmp", "seam-test-")
})

// Shared returns a folder that lives as long as the test process.
func Shared(t testing.TB) string {
	t.Helper()
	dir, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Main runs the tests of a package and removes what they shared. Call it in
// TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if dir, err := shared(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// Environ is the environment that all commands get: the same on every machine,
// whoever runs the tests.
func Environ(t testing.TB) []string {
	t.Helper()
	dir := Shared(t)
	home := filepath.Join(dir, "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	return []string{
		"PATH=" + Path,
		"HOME=" + home,
		"XDG_CACHE_HOME=" + filepath.Join(dir, "cache"),
		"TMPDIR=" + dir,
		"LC_ALL=C.UTF-8",
		"TZ=UTC",
	}
}
