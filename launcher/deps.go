package launcher

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxObjects bounds the walk over DT_NEEDED; no program comes near.
const maxObjects = 4096

// Dependencies lists the objects that are in the process when the program
// starts: the program, its loader and its libraries, in the order and by the
// names of the loader. It is for planning ahead and for doctor: what can't be
// found or read is left out, and the target's own loader has the last word.
func Dependencies(t *Target, environ []string) []string {
	w := newWalk(environ)
	w.caches = systemLibs
	w.seen = t.seen
	w.seen.file("/etc/ld.so.preload")
	w.seen.file(ldCachePath)
	return w.run(t.ELF, t.Loader, preloads(environ))
}

// preloads are the objects the user's own LD_PRELOAD and /etc/ld.so.preload name.
func preloads(environ []string) []string {
	var names []string
	if v, ok := lookupEnv(environ, "LD_PRELOAD"); ok {
		names = splitPreload(v)
	}
	if raw, err := os.ReadFile("/etc/ld.so.preload"); err == nil {
		for line := range strings.Lines(string(raw)) {
			line, _, _ = strings.Cut(line, "#")
			names = append(names, strings.FieldsFunc(line, func(r rune) bool { return r == ':' || r == ' ' || r == '\t' || r == '\n' })...)
		}
	}
	return names
}

// walk does what ld.so does between mapping the program and relocating it.
type walk struct {
	loader      string   // the program interpreter
	libraryPath []string // LD_LIBRARY_PATH
	hwcaps      []string
	caches      func() []cachedLib
	cache       []cachedLib
	cacheRead   bool
	objects     []*loaded
	seen        *watches
}

// loaded is an object in the process.
type loaded struct {
	*object
	path   string
	dir    string  // what $ORIGIN stands for
	parent *loaded // the object that asked for it, nil for the program and preloads
	names  []string
}

func newWalk(environ []string) *walk {
	w := &walk{hwcaps: hwcaps()}
	if v, ok := lookupEnv(environ, "LD_LIBRARY_PATH"); ok {
		w.libraryPath = strings.FieldsFunc(v, func(r rune) bool { return r == ':' || r == ';' })
		if v != "" && (strings.HasPrefix(v, ":") || strings.HasSuffix(v, ":") || strings.Contains(v, "::")) {
			w.libraryPath = append(w.libraryPath, ".")
		}
	}
	return w
}

func (w *walk) run(program, loader string, preload []string) []string {
	w.loader = loader
	exe := w.load(program, nil)
	if exe == nil {
		return nil
	}
	for _, name := range preload {
		w.need(name, exe)
	}
	// Breadth first, as the loader does: it decides whose library comes first.
	for i := 0; i < len(w.objects) && len(w.objects) < maxObjects; i++ {
		for _, name := range w.objects[i].needed {
			w.need(name, w.objects[i])
		}
	}
	paths := make([]string, 0, len(w.objects)+1)
	for _, o := range w.objects {
		paths = append(paths, o.path)
	}
	if loader != "" && !w.has(filepath.Base(loader)) {
		paths = append(paths, loader)
	}
	return paths
}

// load maps one file. It is nil if the file is not a library for this machine.
func (w *walk) load(path string, parent *loaded) *loaded {
	w.seen.file(path)
	o, err := readObjectFile(path)
	if err != nil {
		return nil
	}
	for _, l := range w.objects {
		if sameFile(l.path, path) {
			return l
		}
	}
	abs := path
	if a, err := filepath.Abs(path); err == nil {
		abs = a
	}
	real := abs
	if r, err := filepath.EvalSymlinks(abs); err == nil && parent == nil {
		real = r // the kernel's name of the program; libraries keep the name they were found by
	}
	l := &loaded{object: o, path: abs, dir: filepath.Dir(real), parent: parent, names: []string{o.soname, path}}
	if parent == nil {
		l.path = real
	}
	w.objects = append(w.objects, l)
	return l
}

func (w *walk) has(name string) bool {
	for _, o := range w.objects {
		if slices.Contains(o.names, name) {
			return true
		}
	}
	return false
}

// need finds a library by its DT_NEEDED name for the object by and loads it.
func (w *walk) need(name string, by *loaded) {
	if name == "" || w.has(name) {
		return
	}
	if w.loader != "" && name == filepath.Base(w.loader) && w.found(name, w.loader, by) {
		return // in the process since before the search began
	}
	if strings.Contains(name, "/") {
		for _, p := range expand(name, by.dir) {
			if l := w.load(p, by); l != nil {
				l.names = append(l.names, name)
				return
			}
		}
		return
	}
	// DT_RPATH counts only where there is no DT_RUNPATH, and is inherited along
	// the chain of those who asked.
	if !by.hasRunpath {
		for o := by; o != nil; o = o.parent {
			if !o.hasRunpath && w.search(name, by, splitPath(o.rpath, o.dir)) {
				return
			}
		}
		if exe := w.objects[0]; !exe.hasRunpath && w.search(name, by, splitPath(exe.rpath, exe.dir)) {
			return
		}
	}
	for _, dir := range w.libraryPath {
		if w.search(name, by, expand(dir, w.objects[0].dir)) {
			return
		}
	}
	if w.search(name, by, splitPath(by.runpath, by.dir)) {
		return
	}
	if !by.nodeflib {
		if !w.cacheRead {
			w.cache, w.cacheRead = w.caches(), true
		}
		if p := bestCached(w.cache, name); p != "" && w.found(name, p, by) {
			return
		}
		w.search(name, by, libDirs)
	}
}

// search looks for name in dirs, in their subdirectories for this processor first.
func (w *walk) search(name string, by *loaded, dirs []string) bool {
	for _, dir := range dirs {
		for _, h := range w.hwcaps {
			if w.found(name, filepath.Join(dir, "glibc-hwcaps", h, name), by) {
				return true
			}
		}
		if w.found(name, dir+"/"+name, by) {
			return true
		}
	}
	return false
}

func (w *walk) found(name, path string, by *loaded) bool {
	l := w.load(path, by)
	if l == nil {
		return false
	}
	l.names = append(l.names, name)
	return true
}

// splitPath splits a DT_RPATH or DT_RUNPATH; an empty element is the current directory.
func splitPath(list, origin string) []string {
	if list == "" {
		return nil
	}
	var dirs []string
	for _, d := range strings.Split(list, ":") {
		if d == "" {
			d = "."
		}
		dirs = append(dirs, expand(d, origin)...)
	}
	return dirs
}

// expand replaces $ORIGIN, $PLATFORM and $LIB; the last has one value per distribution
// family, so that there may be more than one result.
func expand(s, origin string) []string {
	if !strings.Contains(s, "$") {
		return []string{s}
	}
	r := strings.NewReplacer("${ORIGIN}", origin, "$ORIGIN", origin, "${PLATFORM}", platformName, "$PLATFORM", platformName)
	s = r.Replace(s)
	if !strings.Contains(s, "$LIB") && !strings.Contains(s, "${LIB}") {
		return []string{s}
	}
	var out []string
	for _, lib := range libNames {
		out = append(out, strings.NewReplacer("${LIB}", lib, "$LIB", lib).Replace(s))
	}
	return out
}

func sameFile(a, b string) bool {
	if a == b {
		return true
	}
	sa, err := os.Stat(a)
	if err != nil {
		return false
	}
	sb, err := os.Stat(b)
	return err == nil && os.SameFile(sa, sb)
}
