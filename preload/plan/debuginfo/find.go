package debuginfo

import (
	"bytes"
	"encoding/hex"
	"hash/crc32"
	"io"
	"path/filepath"
)

// Root is where distributions put debug files.
const Root = "/usr/lib/debug"

// maxCRC bounds the reading that a .gnu_debuglink asks for, in bytes.
const maxCRC = 1 << 30

// Dep is a place that was looked at, and what was there. Another answer there
// would have led to another result.
type Dep struct {
	Path string
	ID   Identity // zero: nothing
}

// FindDebug looks for the debug file of f, in dirs and then in Root:
//
//	DIR/.build-id/xx/yyyy.debug     by build-id
//	beside the object, in .debug/ beside it, DIR/path/of/object/    by .gnu_debuglink
//
// A file counts only if its build-id is the object's; without one, if it has
// the CRC that the object asks for. nil: there is none. The deps are what was
// looked at either way.
func (f *File) FindDebug(dirs []string) (*File, []Dep) {
	var deps []Dep
	try := func(path string, fits func(*File) bool) *File {
		d := Dep{Path: path, ID: Stat(path)}
		deps = append(deps, d)
		if d.ID == (Identity{}) {
			return nil
		}
		g := open(path)
		if g != nil && g.elf.Machine == f.elf.Machine && fits(g) {
			return g
		}
		g.Close()
		return nil
	}
	dirs = append(append([]string(nil), dirs...), Root)
	if len(f.BuildID) > 1 {
		id := hex.EncodeToString(f.BuildID)
		for _, dir := range dirs {
			same := func(g *File) bool { return bytes.Equal(g.BuildID, f.BuildID) }
			if g := try(filepath.Join(dir, ".build-id", id[:2], id[2:]+".debug"), same); g != nil {
				return g, deps
			}
		}
	}
	name, crc, ok := f.debuglink()
	if !ok || !filepath.IsAbs(f.Path) {
		return nil, deps
	}
	real, err := filepath.EvalSymlinks(f.Path)
	if err != nil {
		real = f.Path
	}
	dir := filepath.Dir(real)
	places := []string{filepath.Join(dir, name), filepath.Join(dir, ".debug", name)}
	for _, d := range dirs {
		places = append(places, filepath.Join(d, dir, name))
	}
	for _, p := range places {
		if p == real {
			continue
		}
		g := try(p, func(g *File) bool {
			return bytes.Equal(g.BuildID, f.BuildID) && g.crcIs(crc)
		})
		if g != nil {
			return g, deps
		}
	}
	return nil, deps
}

// crcIs compares the check sum that .gnu_debuglink has.
func (f *File) crcIs(want uint32) bool {
	if f.size > maxCRC {
		return false
	}
	h := crc32.NewIEEE()
	_, err := io.Copy(h, io.NewSectionReader(f.r, 0, f.size))
	return err == nil && h.Sum32() == want
}

// findAlt opens the file into which dwz moved what several debug files share.
func (f *File) findAlt(dirs []string) (*File, []Dep) {
	name, id := f.link(".gnu_debugaltlink")
	if name == "" || len(id) < 2 {
		return nil, nil
	}
	var places []string
	if filepath.IsAbs(name) {
		places = append(places, name)
	} else if filepath.IsAbs(f.Path) {
		places = append(places, filepath.Join(filepath.Dir(f.Path), name))
	}
	h := hex.EncodeToString(id)
	for _, d := range append(append([]string(nil), dirs...), Root) {
		places = append(places, filepath.Join(d, ".build-id", h[:2], h[2:]+".debug"))
	}
	var deps []Dep
	for _, p := range places {
		d := Dep{Path: p, ID: Stat(p)}
		deps = append(deps, d)
		if d.ID == (Identity{}) {
			continue
		}
		if g := open(p); g != nil {
			if bytes.Equal(g.BuildID, id) {
				return g, deps
			}
			g.Close()
		}
	}
	return nil, deps
}
