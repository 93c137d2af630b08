package launcher

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/sys/unix"
)

func testCache(t *testing.T) *Cache {
	t.Helper()
	c, err := OpenCache([]string{"XDG_CACHE_HOME=" + t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOpenCache(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to make another user's directories")
	}
	base := t.TempDir()
	mk := func(name string, mode os.FileMode, uid int) string {
		p := filepath.Join(base, name)
		if err := os.MkdirAll(p, 0o755); err != nil {
			t.Fatal(err)
		}
		os.Chmod(p, mode)
		os.Chown(p, uid, uid)
		return p
	}
	own := "seam-0"
	good := mk("good", 0o755, 0)
	theirs := mk("theirs", 0o700, 65534)
	open := mk("open", 0o777, 0)
	sticky := mk("sticky", 0o777|os.ModeSticky, 0)
	planted := mk("planted", 0o777|os.ModeSticky, 0)
	mk("planted/"+own, 0o700, 65534)
	linked := mk("linked", 0o777|os.ModeSticky, 0)
	os.Symlink(good, filepath.Join(linked, own))
	loose := mk("loose", 0o755, 0)
	mk("loose/seam", 0o755, 0)
	for _, tc := range []struct {
		name string
		env  []string
		want string
	}{
		{"XDG", []string{"XDG_CACHE_HOME=" + good, "HOME=/nowhere"}, good + "/seam"},
		{"HOME", []string{"HOME=" + good}, good + "/.cache/seam"},
		{"relative XDG", []string{"XDG_CACHE_HOME=rel", "HOME=" + good}, good + "/.cache/seam"},
		{"made private", []string{"XDG_CACHE_HOME=" + loose}, loose + "/seam"},
		{"blank in the path", []string{"XDG_CACHE_HOME=" + good + "/a b", "TMPDIR=" + good}, good + "/" + own},
		{"colon in the path", []string{"XDG_CACHE_HOME=" + good + "/a:b", "TMPDIR=" + good}, good + "/" + own},
		{"dollar in the path", []string{"XDG_CACHE_HOME=" + good + "/$LIB", "TMPDIR=" + good}, good + "/" + own},
		{"another's home", []string{"XDG_CACHE_HOME=" + theirs, "TMPDIR=" + sticky}, sticky + "/" + own},
		{"parent writable by all", []string{"XDG_CACHE_HOME=" + open, "TMPDIR=" + sticky}, sticky + "/" + own},
		{"planted", []string{"TMPDIR=" + planted}, "/tmp/" + own},
		{"planted link", []string{"TMPDIR=" + linked}, "/tmp/" + own},
		{"not writable", []string{"XDG_CACHE_HOME=/proc", "TMPDIR=" + good}, good + "/" + own},
		{"noexec", []string{"XDG_CACHE_HOME=/dev/noexec-test", "TMPDIR=" + good}, good + "/" + own},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.name == "noexec" {
				dir := filepath.Join(base, "noexec")
				os.Mkdir(dir, 0o700)
				if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOEXEC, ""); err != nil {
					t.Skipf("mount: %v", err)
				}
				defer unix.Unmount(dir, 0)
				tc.env[0] = "XDG_CACHE_HOME=" + dir
			}
			c, err := OpenCache(tc.env)
			if err != nil {
				t.Fatal(err)
			}
			if c.Dir() != tc.want {
				t.Errorf("uses %s, want %s", c.Dir(), tc.want)
			}
			if st, _ := os.Lstat(c.Dir()); st.Mode().Perm() != 0o700 {
				t.Errorf("mode is %v", st.Mode())
			}
		})
	}
}

func TestUnpack(t *testing.T) {
	content := bytes.Repeat([]byte("library "), 100_000)
	sum := sha256.Sum256(content)
	id := hex.EncodeToString(sum[:8])
	src := fstest.MapFS{"embed/libseam.so": {Data: content}}
	c := testCache(t)
	path, err := c.unpack(src)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(c.Dir(), id, "libseam.so"); path != want {
		t.Errorf("path %s, want %s", path, want)
	}
	check := func(what string) os.FileInfo {
		t.Helper()
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: content differs (%v)", what, err)
		}
		st, err := os.Stat(path)
		if err != nil || st.Mode().Perm() != 0o555 {
			t.Fatalf("%s: %v, mode %v", what, err, st.Mode())
		}
		return st
	}
	first := check("new")
	for _, tc := range []struct {
		name  string
		spoil func()
		same  bool // nothing is to be written
	}{
		{"intact", func() {}, true},
		{"cut", func() { os.Truncate(path, 100) }, false},
		{"longer", func() { write(t, path, append(content[:len(content):len(content)], 0), 0o500) }, false},
		{"changed", func() { write(t, path, append([]byte("L"), content[1:]...), 0o500) }, false},
		{"writable by others", func() { os.Chmod(path, 0o522) }, false},
		{"gone", func() { os.Remove(path) }, false},
	} {
		tc.spoil()
		if _, err := c.unpack(src); err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		now := check(tc.name)
		if tc.same && !os.SameFile(first, now) {
			t.Errorf("%s: written again", tc.name)
		}
		first = now
	}
	// The sum made by the build gives the same name; a bad one is not believed.
	for _, text := range []string{hex.EncodeToString(sum[:]) + "  libseam.so\n", "nonsense", strings.Repeat("../", 30)} {
		src["embed/libseam.so.sha256"] = &fstest.MapFile{Data: []byte(text)}
		if p, err := c.unpack(src); err != nil || p != path {
			t.Errorf("with sum %.10q: %s, %v", text, p, err)
		}
	}
	if _, err := c.unpack(fstest.MapFS{"embed/.gitkeep": {}}); !errors.Is(err, ErrNoLibrary) {
		t.Errorf("without a library: %v", err)
	}
	left, _ := filepath.Glob(filepath.Join(c.Dir(), "*", ".new-*"))
	if len(left) > 0 {
		t.Errorf("temporary files left: %v", left)
	}
}

func TestStoreSpec(t *testing.T) {
	c := testCache(t)
	a, err := c.StoreSpec([]byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := c.StoreSpec([]byte("two"))
	again, _ := c.StoreSpec([]byte("one"))
	if a == b || a != again {
		t.Errorf("paths %s, %s, %s", a, b, again)
	}
	os.Truncate(a, 1)
	c.StoreSpec([]byte("one"))
	if got, _ := os.ReadFile(a); string(got) != "one" {
		t.Errorf("a cut spec stays: %q", got)
	}
	if st, _ := os.Stat(a); st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
}

func TestSockets(t *testing.T) {
	if s := (&Cache{dir: "/c/seam"}).Socket(); s != "/c/seam/seam.sock" {
		t.Error(s)
	}
	if s := (&Cache{dir: "/" + strings.Repeat("x", 200)}).Socket(); len(s) > maxSocket {
		t.Errorf("%s is too long for a socket", s)
	}
	if _, err := AbsSocket("/" + strings.Repeat("x", maxSocket)); err == nil {
		t.Error("a path that the kernel won't take was taken")
	}
	if s, err := AbsSocket("rel.sock"); err != nil || !filepath.IsAbs(s) {
		t.Errorf("%s, %v", s, err)
	}
}

// A library that was compared is not compared again, until it changes, however it changes.
func TestComparedOnce(t *testing.T) {
	content := bytes.Repeat([]byte("library "), 100_000)
	src := fstest.MapFS{"embed/libseam.so": {Data: content}}
	c := testCache(t)
	path, err := c.unpack(src)
	if err != nil {
		t.Fatal(err)
	}
	again := func(what string) {
		t.Helper()
		if p, err := c.unpack(src); err != nil || p != path {
			t.Fatalf("%s: %s, %v", what, p, err)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: content differs (%v)", what, err)
		}
	}
	noted := func() bool { _, err := os.Stat(noteOf(path)); return err == nil }
	again("at once")
	if noted() {
		t.Error("noted while another change could have the same time")
	}
	time.Sleep(settled + 100*time.Millisecond)
	again("later")
	if !noted() {
		t.Fatal("not noted")
	}
	// That the note is what is asked: it stands for the file, though the embedded one is another now.
	other := fstest.MapFS{"embed/libseam.so": {Data: append([]byte("L"), content[1:]...)}, "embed/libseam.so.sha256": &fstest.MapFile{
		Data: []byte(filepath.Base(filepath.Dir(path)) + strings.Repeat("0", 48))}}
	if p, err := c.unpack(other); err != nil || p != path {
		t.Fatalf("%s, %v", p, err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, content) {
		t.Error("compared, though it was noted")
	}
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	// The same size, inode and times: only the ctime tells.
	os.Chmod(path, 0o700)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("X"), 5); err != nil {
		t.Fatal(err)
	}
	f.Close()
	os.Chmod(path, 0o555)
	if err := os.Chtimes(path, st.ModTime(), st.ModTime()); err != nil {
		t.Fatal(err)
	}
	again("changed in place")
	// A note that others may have written is not believed.
	time.Sleep(settled + 100*time.Millisecond)
	again("later again")
	os.Chmod(path, 0o700)
	write(t, path, append([]byte("X"), content[1:]...), 0o555)
	st, err = os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(settled + 100*time.Millisecond)
	os.Remove(noteOf(path))
	write(t, noteOf(path), []byte(stateOf(st)), 0o666)
	os.Chmod(noteOf(path), 0o666)
	again("with a note that others can write")
}
