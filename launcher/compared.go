package launcher

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// The library on disk is compared with the embedded one, 5 MB, before a target runs what is in it. That takes
// half of a start, so beside the library is noted which file was found to be the same: whatever is written
// to it later changes its ctime, which nobody can set back. The folder is ours alone, as the library is.
// What a crash of the machine may do to a file it does without one, so a note is good until the next boot.

// settled is how old a change must be before a later one is sure to have another time.
const settled = time.Second

func noteOf(path string) string { return path + ".compared" }

// stateOf is what tells this state of a file from any other. "" if there is nothing to tell it by.
func stateOf(st os.FileInfo) string {
	sys, ok := st.Sys().(*syscall.Stat_t)
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if !ok || err != nil || time.Since(time.Unix(sys.Ctim.Unix())) < settled {
		return ""
	}
	return fmt.Sprintf("%d %d %d %d.%09d %s", sys.Dev, sys.Ino, sys.Size, sys.Ctim.Sec, sys.Ctim.Nsec, boot)
}

// compared says whether the file with this identity was found to be the same before.
func compared(path, id string) bool {
	if id == "" {
		return false
	}
	f, err := os.Open(noteOf(path))
	if err != nil {
		return false
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !ownedFile(st) || st.Size() != int64(len(id)) {
		return false
	}
	text := make([]byte, len(id))
	n, _ := f.ReadAt(text, 0)
	return string(text[:n]) == id
}

// noteCompared does nothing where it can't: the next start compares again.
func noteCompared(path, id string) {
	if id == "" {
		return
	}
	_ = writeFile(noteOf(path), 0o444, func(f *os.File) error {
		_, err := f.WriteString(id)
		return err
	})
}
