package collector_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/seam-project/seam/collector"
)

func TestSocketIsPrivate(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	for _, path := range []string{"", filepath.Join(t.TempDir(), "new", "s")} {
		c, err := collector.Listen(collector.Options{Socket: path})
		if err != nil {
			t.Fatal(err)
		}
		got := c.Socket()
		if fi, err := os.Stat(got); err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("socket: %v, %v; want mode 0600", fi.Mode(), err)
		}
		if fi, err := os.Stat(filepath.Dir(got)); err != nil || fi.Mode().Perm() != 0o700 {
			t.Errorf("directory: %v, %v; want mode 0700", fi.Mode(), err)
		}
		c.Close()
		if _, err := os.Lstat(got); !os.IsNotExist(err) {
			t.Errorf("socket after Close: %v", err)
		}
		if _, err := os.Lstat(filepath.Dir(got)); path == "" && !os.IsNotExist(err) {
			t.Errorf("its directory after Close: %v", err)
		}
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	ln.Close() // as a reader that was killed leaves it
	c, err := collector.Listen(collector.Options{Socket: path})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := collector.Listen(collector.Options{Socket: path}); err == nil || !strings.Contains(err.Error(), "another reader") {
		t.Errorf("a second reader: %v", err)
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatalf("the first reader lost its socket: %v", err)
	}
	conn.Close()
}

func TestCloseLeavesAnothersSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	c, err := collector.Listen(collector.Options{Socket: path})
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(path)
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("Close removed a socket that is not its own: %v", err)
	}
}

func TestListenErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	os.WriteFile(file, []byte("precious"), 0o644)
	for _, tt := range []struct{ path, want string }{
		{"/tmp/" + strings.Repeat("x", 108), "at most 107"},
		{file, "not a socket"},
		{filepath.Join(file, "s"), "not a directory"},
		{filepath.Join(dir, "a", "b", "s"), "no such file"},
		{"/proc/s", ""},
	} {
		_, err := collector.Listen(collector.Options{Socket: tt.path})
		var he *collector.Error
		if !errors.As(err, &he) || he.Hint == "" || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v (%#v), want %q and a hint", tt.path, err, err, tt.want)
		}
	}
	if b, _ := os.ReadFile(file); string(b) != "precious" {
		t.Error("the file that was in the way is gone")
	}
}
