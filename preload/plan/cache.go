package plan

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/seam-project/seam/preload/plan/debuginfo"
)

// ErrNotPrivate: others could put plans into the cache folder, and a plan says
// which code runs.
var ErrNotPrivate = errors.New("folder can be written by others")

// Key names the plan of one file for one spec in the cache.
func Key(specHash uint64, id Identity) string {
	var b [40]byte
	for i, v := range [...]uint64{specHash, id.Dev, id.Ino, id.Size, id.MtimeNS} {
		le.PutUint64(b[8*i:], v)
	}
	const hex = "0123456789abcdef"
	h := fnv1a64(b[:])
	var out [16]byte
	for i := range out {
		out[i] = hex[h>>(60-4*i)&15]
	}
	return string(out[:])
}

// CheckDir reports whether dir is fit to be a plan cache: ours, and writable
// by nobody else.
func CheckDir(dir string) error {
	st, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("check plan cache: %w", err)
	}
	return private(dir, st)
}

func private(name string, st os.FileInfo) error {
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok || int(sys.Uid) != os.Geteuid() || st.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("check plan cache %s: %w", name, ErrNotPrivate)
	}
	return nil
}

// File is where the plan of one file for one spec is in the cache.
func File(dir string, specHash uint64, id Identity) string { return cacheFile(dir, Key(specHash, id)) }

func cacheFile(dir, key string) string { return filepath.Join(dir, key+".plan") }

// Load reads the plan with this key from the cache. A plan that is not there
// is os.ErrNotExist; one that does not belong to (specHash, id) is ErrBadPlan.
func Load(dir string, specHash uint64, id Identity) (*Plan, error) {
	if err := CheckDir(dir); err != nil {
		return nil, err
	}
	name := cacheFile(dir, Key(specHash, id))
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("load plan: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("load plan: %w", err)
	}
	if !st.Mode().IsRegular() || st.Size() > maxPlanSize {
		return nil, fmt.Errorf("load plan %s: %w", name, ErrBadPlan)
	}
	if err := private(name, st); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxPlanSize))
	if err != nil {
		return nil, fmt.Errorf("load plan %s: %w", name, err)
	}
	p, err := Decode(b)
	if err != nil {
		return nil, fmt.Errorf("load plan %s: %w", name, err)
	}
	if p.SpecHash != specHash || p.ID != id {
		return nil, fmt.Errorf("load plan %s: for another file: %w", name, ErrBadPlan)
	}
	for i := range p.Deps {
		if d := &p.Deps[i]; debuginfo.Stat(d.Path) != d.ID {
			return nil, fmt.Errorf("load plan %s: %s has changed: %w", name, d.Path, ErrBadPlan)
		}
	}
	return p, nil
}

// Cached says whether Load would find a plan with this key, live if it must be, by its
// header and the files it was made from. What else is in it, whoever applies it checks.
func Cached(dir string, specHash uint64, id Identity, live bool) bool {
	if CheckDir(dir) != nil {
		return false
	}
	name := cacheFile(dir, Key(specHash, id))
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() || private(name, st) != nil {
		return false
	}
	var b [headerSize]byte
	if _, err := io.ReadFull(f, b[:]); err != nil || string(b[:8]) != planMagic || le.Uint32(b[hdrVersion:]) != planVersion ||
		int64(le.Uint32(b[hdrSize:])) != st.Size() || le.Uint64(b[hdrSpec:]) != specHash || le.Uint32(b[hdrLive:]) == 0 && live ||
		(Identity{Dev: le.Uint64(b[hdrDev:]), Ino: le.Uint64(b[hdrIno:]), Size: le.Uint64(b[hdrFsize:]), MtimeNS: le.Uint64(b[hdrMtime:])}) != id {
		return false
	}
	if le.Uint32(b[hdrNdeps:]) == 0 {
		return true
	}
	p, err := Load(dir, specHash, id) // rare: a debug file was looked for
	return err == nil && (p.Live || !live)
}

// Store writes the plan into the cache. Readers see the whole plan or none: it
// is written under another name and renamed.
func Store(dir string, p *Plan) error {
	if err := CheckDir(dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".plan-*") // mode 0600
	if err != nil {
		return fmt.Errorf("store plan: %w", err)
	}
	_, err = f.Write(p.Encode())
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), cacheFile(dir, Key(p.SpecHash, p.ID)))
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("store plan: %w", err)
	}
	return nil
}
