package launcher

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Cache is the private directory that holds what targets need on disk: the
// library, specs, and plans. All of it can be deleted at any time; a target
// that is running keeps what it has open.
type Cache struct {
	dir   string
	named bool // by XDG_CACHE_HOME
}

// OpenCache finds or makes the cache: under XDG_CACHE_HOME or ~/.cache, else
// under XDG_RUNTIME_DIR, TMPDIR, /tmp, /var/tmp or /dev/shm.
func OpenCache(environ []string) (*Cache, error) {
	var errs []error
	for _, dir := range cacheCandidates(environ) {
		err := privateDir(dir)
		if err == nil {
			v, ok := lookupEnv(environ, "XDG_CACHE_HOME")
			return &Cache{dir: dir, named: ok && filepath.IsAbs(v)}, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("find a private directory for seam's library: %w", errors.Join(errs...))
}

func cacheCandidates(environ []string) []string {
	var dirs []string
	own := fmt.Sprintf("seam-%d", os.Geteuid())
	add := func(key, sub string) {
		// The specification of these variables says to ignore relative values.
		if v, ok := lookupEnv(environ, key); ok && filepath.IsAbs(v) {
			dirs = append(dirs, filepath.Join(v, sub))
		}
	}
	if v, ok := lookupEnv(environ, "XDG_CACHE_HOME"); ok && filepath.IsAbs(v) {
		dirs = append(dirs, filepath.Join(v, "seam"))
	} else {
		add("HOME", ".cache/seam")
	}
	add("XDG_RUNTIME_DIR", own)
	add("TMPDIR", own)
	return append(dirs, "/tmp/"+own, "/var/tmp/"+own, "/dev/shm/"+own)
}

// privateDir makes dir, or finds that it is ours alone: see ownDir.
func privateDir(dir string) error { return ownDir(dir, 0o700) }

// ownDir makes dir with a mode, or finds that it is ours, that nobody else can write to
// it, that programs may be mapped from it, and that LD_PRELOAD can name it.
func ownDir(dir string, mode os.FileMode) error {
	// LD_PRELOAD is split at blanks and colons and has no quoting; $ starts
	// the loader's substitutions.
	if strings.ContainsAny(dir, " :$\t\n\"'\\") {
		return fmt.Errorf("use '%s': LD_PRELOAD can't hold such a path", dir)
	}
	if err := os.MkdirAll(dir, mode); err != nil {
		return err
	}
	euid := uint32(os.Geteuid())
	var parent, st unix.Stat_t
	if err := unix.Stat(filepath.Dir(dir), &parent); err != nil {
		return &os.PathError{Op: "stat", Path: filepath.Dir(dir), Err: err}
	}
	// Who can rename in the parent can put another library in our place.
	if parent.Uid != euid && parent.Uid != 0 || parent.Mode&0o022 != 0 && parent.Mode&unix.S_ISVTX == 0 {
		return fmt.Errorf("use '%s': others can write to its parent directory", dir)
	}
	if err := unix.Lstat(dir, &st); err != nil {
		return &os.PathError{Op: "lstat", Path: dir, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || st.Uid != euid {
		return fmt.Errorf("use '%s': it is not a directory of ours", dir)
	}
	if os.FileMode(st.Mode&0o777) != mode {
		if err := os.Chmod(dir, mode); err != nil {
			return err
		}
	}
	flags := mountFlags(dir)
	if flags&unix.ST_NOEXEC != 0 {
		return fmt.Errorf("use '%s': its file system is mounted noexec", dir)
	}
	if flags&unix.ST_RDONLY != 0 {
		return fmt.Errorf("use '%s': its file system is read-only", dir)
	}
	return unix.Access(dir, unix.W_OK)
}

// Dir is the cache's directory.
func (c *Cache) Dir() string { return c.dir }

// Plans is the directory of the plan cache. Each build of the library has its
// own: a plan holds what its planner knew.
func (c *Cache) Plans() (string, error) {
	name := "plans"
	if lib, err := embedded.Open("embed/" + libraryName); err == nil {
		defer lib.Close()
		id, err := libraryID(embedded, lib)
		if err != nil {
			return "", err
		}
		name += "-" + id
	}
	return c.sub(name)
}

func (c *Cache) sub(name string) (string, error) {
	dir := filepath.Join(c.dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return dir, nil
}

// StoreSpec writes an encoded spec under a name made from its content and
// returns its path. Targets and their children open it for as long as they
// start processes, so it is never changed and not removed at the end.
func (c *Cache) StoreSpec(encoded []byte) (string, error) {
	dir, err := c.sub("specs")
	if err != nil {
		return "", fmt.Errorf("write spec: %w", err)
	}
	path := filepath.Join(dir, contentName(encoded)+".spec")
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, encoded) {
		return path, nil
	}
	if err := writeFile(path, 0o600, func(f *os.File) error {
		_, err := f.Write(encoded)
		return err
	}); err != nil {
		return "", fmt.Errorf("write spec: %w", err)
	}
	return path, nil
}

func contentName(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// writeFile makes a file under a temporary name and renames it, so that nobody
// ever sees half of it.
func writeFile(path string, mode os.FileMode, fill func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	err = fill(f)
	if e := f.Chmod(mode); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// ownedFile says whether st is a regular file of ours that only we can write.
func ownedFile(st os.FileInfo) bool {
	sys, ok := st.Sys().(*syscall.Stat_t)
	return ok && st.Mode().IsRegular() && sys.Uid == uint32(os.Geteuid()) && st.Mode().Perm()&0o022 == 0
}

// maxSocket is the room for a path in struct sockaddr_un.
const maxSocket = 107

// Socket is where readers listen and targets connect when nobody says otherwise.
func (c *Cache) Socket() string {
	const name = "seam.sock"
	path := filepath.Join(c.dir, name)
	if len(path) <= maxSocket {
		return path
	}
	// A deep cache: the temporary directories have short names.
	own := fmt.Sprintf("seam-%d", os.Geteuid())
	for _, dir := range []string{"/tmp/" + own, "/var/tmp/" + own} {
		if privateDir(dir) == nil {
			return filepath.Join(dir, name)
		}
	}
	return path
}

// AbsSocket makes a socket's path absolute, for targets have directories of their
// own, and checks that the kernel takes it.
func AbsSocket(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("use socket '%s': %w", path, err)
	}
	if len(abs) > maxSocket {
		return "", fmt.Errorf("use socket '%s': the path is longer than %d bytes", abs, maxSocket)
	}
	return abs, nil
}

// ControlDir is where collectors publish their control sockets.
func (c *Cache) ControlDir() string { return filepath.Join(filepath.Dir(c.Socket()), "control") }

// ControlSpec is the link to the spec that the reader at a socket has in force.
func (c *Cache) ControlSpec(socket string) (string, error) {
	dir, err := c.sub("specs")
	if err != nil {
		return "", fmt.Errorf("write spec: %w", err)
	}
	return filepath.Join(dir, "control-"+contentName([]byte(socket))+".spec"), nil
}
