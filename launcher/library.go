package launcher

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The build puts libseam.so there, and, to spare each start the hashing of it,
// libseam.so.sha256. Neither is in the repository; without them this package
// builds and refuses to unpack.
//
//go:embed all:embed
var embedded embed.FS

const libraryName = "libseam.so"

// ErrNoLibrary is the error of a seam that was built without its library.
var ErrNoLibrary = errors.New("this seam was built without its library")

// Library unpacks the library, unless it is there already, and returns what
// LD_PRELOAD has to name: see views.
func (c *Cache) Library() (string, error) {
	path, err := c.unpack(embedded)
	if err != nil {
		return "", fmt.Errorf("unpack library: %w", err)
	}
	preload, err := views(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("unpack library: %w", err)
	}
	return preload, nil
}

func (c *Cache) unpack(src fs.FS) (string, error) {
	lib, err := src.Open("embed/" + libraryName)
	if err != nil {
		return "", ErrNoLibrary
	}
	defer lib.Close()
	id, err := libraryID(src, lib)
	if err != nil {
		return "", err
	}
	dir, err := c.libraryDir(id)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, libraryName)
	if intact(path, lib) {
		return path, nil
	}
	if err := rewind(lib); err != nil {
		return "", err
	}
	err = writeFile(path, 0o555, func(f *os.File) error {
		_, err := io.Copy(f, lib)
		return err
	})
	if err != nil {
		return "", err
	}
	return path, nil
}

// everyones is where root unpacks the library. A program that root watches may start
// others as somebody else (a daemon that drops its privileges, su), and these
// inherit LD_PRELOAD: when they can't read what it names, the loader says so on their
// standard error. They find no spec that they can read, and are not watched.
const everyones = "/var/cache/seam"

// libraryDir is the directory of the library with this id: in the cache; root's is
// where everyone can read it, unless the environment names a cache.
func (c *Cache) libraryDir(id string) (string, error) {
	if os.Geteuid() == 0 && !c.named {
		dir := filepath.Join(everyones, id)
		if ownDir(everyones, 0o755) == nil && ownDir(dir, 0o755) == nil {
			return dir, nil
		}
	}
	return c.sub(id)
}

// libraryID names the directory of this very library.
func libraryID(src fs.FS, lib fs.File) (string, error) {
	if sum, err := fs.ReadFile(src, "embed/"+libraryName+".sha256"); err == nil {
		id, _, _ := strings.Cut(strings.TrimSpace(string(sum)), " ")
		if raw, err := hex.DecodeString(id); err == nil && len(raw) == sha256.Size {
			return id[:16], nil
		}
	}
	h := sha256.New()
	if _, err := io.Copy(h, lib); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), rewind(lib)
}

func rewind(f fs.File) error {
	s, ok := f.(io.Seeker)
	if !ok {
		return errors.New("embedded file can't be read twice")
	}
	_, err := s.Seek(0, io.SeekStart)
	return err
}

// intact compares the file at path with the embedded library, byte for byte, unless that
// very file was compared before: the target will run what is in it.
func intact(path string, lib io.Reader) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !ownedFile(st) {
		return false
	}
	state := stateOf(st)
	if compared(path, state) {
		return true
	}
	if !same(f, lib) {
		return false
	}
	noteCompared(path, state)
	return true
}

func same(f, lib io.Reader) bool {
	want, have := make([]byte, 256<<10), make([]byte, 256<<10)
	for {
		n, err := io.ReadFull(lib, want)
		m, _ := io.ReadFull(f, have)
		if n != m || !bytes.Equal(want[:n], have[:m]) {
			return false
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return true
		default:
			return false
		}
	}
}

// LibraryFile is the path of the unpacked library itself.
func (c *Cache) LibraryFile() (string, error) {
	path, err := c.unpack(embedded)
	if err != nil {
		return "", fmt.Errorf("unpack library: %w", err)
	}
	return path, nil
}
