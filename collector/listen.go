package collector

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maxPath is what fits into sockaddr_un, without its NUL.
const maxPath = 107

// endpoint is the listening socket and what must be removed with it.
type endpoint struct {
	ln   *os.File
	path string
	dir  string // made for this socket alone, or ""
	dev  uint64 // of the socket's file: another one of that name is not ours
	ino  uint64
}

func bind(path string) (*endpoint, error) {
	e := &endpoint{path: path}
	if path == "" {
		if err := e.private(); err != nil {
			return nil, err
		}
	}
	if err := e.listen(); err != nil {
		if e.dir != "" {
			os.Remove(e.dir)
		}
		return nil, err
	}
	return e, nil
}

// ListenPrivate listens on a socket that only this user can connect to. remove deletes
// its file.
func ListenPrivate(path string) (ln *net.UnixListener, remove func(), err error) {
	e := &endpoint{path: path}
	if err := e.listen(); err != nil {
		return nil, nil, err
	}
	l, err := net.FileListener(e.ln)
	e.ln.Close()
	if err != nil {
		e.remove()
		return nil, nil, err
	}
	return l.(*net.UnixListener), e.remove, nil
}

// private makes a directory for the socket where only this user may look.
func (e *endpoint) private() error {
	for _, base := range []string{os.Getenv("XDG_RUNTIME_DIR"), os.TempDir(), "/tmp", "/dev/shm"} {
		if base == "" || !filepath.IsAbs(base) || len(base)+len("/seam-1234567890/sock") > maxPath {
			continue
		}
		dir, err := os.MkdirTemp(base, "seam-") // mode 0700
		if err != nil {
			continue
		}
		e.dir, e.path = dir, filepath.Join(dir, "sock")
		return nil
	}
	return &Error{errors.New("create directory for the socket: no directory is writable"),
		"set TMPDIR to a writable directory, or give a path with --socket"}
}

func (e *endpoint) listen() error {
	abs, err := filepath.Abs(e.path)
	if err != nil {
		return fmt.Errorf("find socket path: %w", err)
	}
	e.path = abs // targets have other working directories
	if len(e.path) > maxPath {
		return &Error{fmt.Errorf("create socket %s: path has %d bytes, at most %d are possible", e.path, len(e.path), maxPath),
			"use a shorter path, for instance below /tmp"}
	}
	parent := filepath.Dir(e.path)
	if err := os.Mkdir(parent, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return &Error{fmt.Errorf("create directory of socket: %w", err), "give the path of a directory that exists and is writable"}
	}
	unlock := lockDir(parent)
	defer unlock()
	err = e.tryListen()
	if errors.Is(err, unix.EADDRINUSE) {
		if err = e.stale(); err == nil {
			err = e.tryListen()
		}
	}
	switch {
	case err == nil:
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), errors.Is(err, unix.EROFS):
		return &Error{fmt.Errorf("create socket %s: %w", e.path, reason(err)), "the directory must be writable by you; give another path"}
	case errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ENOENT):
		return &Error{fmt.Errorf("create socket %s: %w", e.path, reason(err)), "give a path in a directory that exists"}
	default:
		var he *Error
		if errors.As(err, &he) {
			return err
		}
		return fmt.Errorf("create socket %s: %w", e.path, reason(err))
	}
	var st unix.Stat_t
	if err := unix.Lstat(e.path, &st); err != nil {
		e.ln.Close()
		return fmt.Errorf("stat socket %s: %w", e.path, err)
	}
	e.dev, e.ino = st.Dev, st.Ino
	if st.Mode&0o777 != 0o600 {
		if err := os.Chmod(e.path, 0o600); err != nil {
			e.ln.Close()
			e.remove()
			return fmt.Errorf("set mode of socket %s: %w", e.path, err)
		}
	}
	return nil
}

// reason is the errno inside an error whose other words would repeat ours.
func reason(err error) error {
	var e syscall.Errno
	if errors.As(err, &e) {
		return e
	}
	return err
}

// backlog is how many connections may wait to be accepted; the kernel may cut it.
const backlog = 4096

// tryListen binds. The mode of an unbound socket is what the kernel takes for
// its file, so nobody else can connect at any moment, whatever the umask.
func (e *endpoint) tryListen() error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	if err = unix.Fchmod(fd, 0o600); err == nil {
		err = unix.Bind(fd, &unix.SockaddrUnix{Name: e.path})
	}
	if err == nil {
		if err = unix.Listen(fd, backlog); err != nil {
			os.Remove(e.path)
		}
	}
	if err != nil {
		unix.Close(fd)
		return err
	}
	e.ln = os.NewFile(uintptr(fd), "listener") // not a net.Listener: those hide accept
	return nil
}

// stale removes what is in the way when it is a socket nobody listens on.
func (e *endpoint) stale() error {
	fi, err := os.Lstat(e.path)
	if err != nil {
		return err
	}
	if fi.Mode()&os.ModeSocket == 0 {
		return &Error{fmt.Errorf("create socket %s: a file that is not a socket is there", e.path), "remove it, or give another path"}
	}
	c, err := net.DialTimeout("unix", e.path, time.Second)
	if err == nil {
		c.Close()
		return &Error{fmt.Errorf("create socket %s: another reader listens on it", e.path), "stop that reader, or give another path with --socket"}
	}
	if !errors.Is(err, unix.ECONNREFUSED) {
		return &Error{fmt.Errorf("create socket %s: it exists, and whether anybody listens on it can't be told: %w", e.path, reason(err)), "remove it, or give another path"}
	}
	return os.Remove(e.path)
}

// lockDir keeps two readers from removing each other's socket as stale. It is
// held briefly; when the lock can't be had, one goes on without.
func lockDir(dir string) (unlock func()) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return func() {}
	}
	for range 100 {
		if unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	return func() { unix.Close(fd) }
}

// remove deletes the socket's file, if it is still ours, and its directory.
func (e *endpoint) remove() {
	var st unix.Stat_t
	if unix.Lstat(e.path, &st) == nil && st.Dev == e.dev && st.Ino == e.ino {
		os.Remove(e.path)
	}
	if e.dir != "" {
		os.Remove(e.dir)
	}
}
