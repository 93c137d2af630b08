package launcher

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/preload/plan/debuginfo"
)

// watches are what a start was found from: files, and places where there was none. While all of them
// are as they were, the same start is found again. Each is noted before it is looked at, so that what
// changes in between makes the watch fail, and not the start wrong. A nil *watches notes nothing.
type watches struct {
	list  []watch
	known map[string]bool
	began time.Time
	cwd   bool   // relative paths are good, as the current directory is part of the key
	doubt string // why the start can't be told from the watches; "" if it can
}

type watchKind uint32

// The kinds, as fastexec.c has them.
const (
	watchFile    watchKind = iota + 1 // stat finds the same file, unchanged
	watchNothing                      // stat finds none
	watchFolder                       // lstat finds the same folder, whatever came into it
	watchMount                        // the flags of the file system there
	watchEmpty                        // a folder with nothing in it, or none
)

// watch is one of them.
type watch struct {
	kind watchKind
	path string
	id   [8]uint64 // in the order of struct watch in fastexec.c
}

func newWatches() *watches { return &watches{known: map[string]bool{}, began: time.Now()} }

// never says that the start is to be found anew each time.
func (w *watches) never(why string) {
	if w != nil && w.doubt == "" {
		w.doubt = why
	}
}

// file notes the file at path, or that there is none.
func (w *watches) file(path string) { w.stat(path, true) }

// own notes a file in a folder of ours, where files come whole and are not changed.
func (w *watches) own(path string) { w.stat(path, false) }

func (w *watches) stat(path string, foreign bool) {
	if w.seen("f" + path) {
		return
	}
	if !filepath.IsAbs(path) && !w.cwd {
		w.never("depends on the current directory: " + path)
		return
	}
	var st unix.Stat_t
	switch err := unix.Stat(path, &st); {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		w.list = append(w.list, watch{kind: watchNothing, path: path})
		return
	case err != nil:
		w.never(path + ": " + err.Error())
		return
	}
	// A later change within the same tick of the clock could not be told from this state.
	if age := w.began.Sub(time.Unix(st.Ctim.Unix())); foreign && age < settled {
		w.never(path + ": has just changed")
	}
	w.list = append(w.list, watch{watchFile, path, [8]uint64{st.Dev, st.Ino, uint64(st.Size), uint64(st.Mode) | uint64(st.Uid)<<32,
		uint64(st.Mtim.Sec), uint64(st.Mtim.Nsec), uint64(st.Ctim.Sec), uint64(st.Ctim.Nsec)}})
}

// dep notes what was there when somebody else looked.
func (w *watches) dep(d debuginfo.Dep) {
	if w == nil {
		return
	}
	w.file(d.Path)
	if debuginfo.Stat(d.Path) != d.ID {
		w.never(d.Path + ": changes while it is looked at")
	}
}

// folder notes whose folder it is, and who may write to it.
func (w *watches) folder(path string) {
	if w.seen("d" + path) {
		return
	}
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		w.never(path + ": " + err.Error())
		return
	}
	w.list = append(w.list, watch{kind: watchFolder, path: path, id: [8]uint64{st.Dev, st.Ino, 0, uint64(st.Mode) | uint64(st.Uid)<<32}})
}

// mount notes how the file system at path is mounted.
func (w *watches) mount(path string) {
	if w.seen("m" + path) {
		return
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		w.never(path + ": " + err.Error())
		return
	}
	w.list = append(w.list, watch{kind: watchMount, path: path, id: [8]uint64{uint64(fs.Flags)}})
}

// empty notes that there is nothing in a folder.
func (w *watches) empty(path string) {
	if w.seen("e" + path) {
		return
	}
	entries, err := os.ReadDir(path)
	if len(entries) > 0 || err != nil && !errors.Is(err, unix.ENOENT) {
		w.never(path + ": something is in it")
	}
	w.list = append(w.list, watch{kind: watchEmpty, path: path})
}

func (w *watches) seen(what string) bool {
	if w == nil || w.known[what] {
		return true
	}
	w.known[what] = true
	return false
}
