// Package trusted tells whether only the user, and root, decide what is in a file.
package trusted

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Error says why a file is not trusted, and what can be done.
type Error struct{ Msg, Hint string }

func (e *Error) Error() string { return e.Msg }

// Check: the file, and the folder it is in, are ours or root's, and nobody else may
// write them. what is what the file decides, for the message. The error is a *Error.
func Check(file, what string) error {
	abs, err := filepath.Abs(file)
	if err != nil {
		return &Error{Msg: err.Error()}
	}
	for _, path := range []string{abs, filepath.Dir(abs)} {
		st, err := os.Stat(path)
		if err != nil {
			var pe *fs.PathError
			if errors.As(err, &pe) {
				err = pe.Err
			}
			return &Error{Msg: err.Error()}
		}
		owner := st.Sys().(*syscall.Stat_t).Uid
		sticky := path != abs && st.Mode()&os.ModeSticky != 0 // only its owner can replace the file
		if st.Mode().Perm()&0o022 != 0 && !sticky || owner != 0 && int(owner) != os.Geteuid() {
			return &Error{fmt.Sprintf("others can write %s: %s", path, what), "chmod go-w " + path + ", and let it be yours or root's"}
		}
	}
	return nil
}
