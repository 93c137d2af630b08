package control

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A fileWatch tells when a file has changed. Its directory is watched: editors put a
// new file in the place of the old one, and configuration managers exchange links.
type fileWatch struct {
	f    *os.File
	base string
}

func watchFile(path string) (*fileWatch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch '%s': %w", path, err)
	}
	w := &fileWatch{os.NewFile(uintptr(fd), "inotify"), filepath.Base(path)}
	const changes = unix.IN_CLOSE_WRITE | unix.IN_MOVED_TO | unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_ATTRIB
	if _, err := unix.InotifyAddWatch(fd, filepath.Dir(path), changes); err != nil {
		w.f.Close()
		return nil, fmt.Errorf("watch '%s': %w", path, err)
	}
	return w, nil
}

// next waits for a change; false: the watch was closed.
func (w *fileWatch) next() bool {
	buf := make([]byte, 64<<10)
	for {
		n, err := w.f.Read(buf)
		if err != nil {
			return false
		}
		for at := 0; at+unix.SizeofInotifyEvent <= n; {
			e := (*unix.InotifyEvent)(unsafe.Pointer(&buf[at]))
			name := strings.TrimRight(string(buf[at+unix.SizeofInotifyEvent:at+unix.SizeofInotifyEvent+int(e.Len)]), "\x00")
			// a link to what changed has another name: ..data in a mounted config map
			if name == w.base || strings.HasPrefix(name, "..") || e.Mask&unix.IN_Q_OVERFLOW != 0 {
				return true
			}
			at += unix.SizeofInotifyEvent + int(e.Len)
		}
	}
}

func (w *fileWatch) close() { w.f.Close() }
