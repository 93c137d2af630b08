package launcher

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/preload/plan"
)

// maxInstalled bounds the libraries that are planned only because a child of
// the target might load them; a wide pattern must not delay the start.
const maxInstalled = 64

// Planned is one object and its plan.
type Planned struct {
	Path    string
	AtStart bool // in the target when it starts; else installed, for later and for children
	Fresh   bool // planned now; else found in the cache
	Plan    *plan.Plan
	Err     error
}

// Preplan sees to it that the plan cache has a plan for every object that spec
// asks about: those loaded at start, and the installed libraries. The core in
// the target then finds its work done and needs no Go to begin.
func Preplan(spec *hooks.Spec, atStart, installed []string) []Planned {
	work, _ := preplan(spec, atStart, installed, nil, true, true, false)
	return work
}

// PlanOnly plans the objects loaded at start and leaves the cache alone.
func PlanOnly(spec *hooks.Spec, atStart []string) []Planned {
	work, _ := preplan(spec, atStart, nil, nil, false, true, false)
	return work
}

// preplan does it. store: in the cache. plans: they are wanted; else a look at those
// that are there must do, unless, with all, one is not there. planned are the objects that have plans then.
func preplan(spec *hooks.Spec, atStart, installed []string, seen *watches, store, plans, all bool) (work []Planned, planned []plan.Identity) {
	libs, paths := spec.Globs()
	known := map[plan.Identity]bool{}
	hash, n := uint64(0), 0
	if !plans {
		hash = spec.Hash()
	}
	add := func(w Planned) {
		seen.file(w.Path)
		// A library is often installed under several names.
		id, err := fileIdentity(w.Path)
		if err != nil || known[id] {
			return
		}
		known[id] = true
		planned = append(planned, id)
		n++
		if !plans && plan.Cached(spec.Plans, hash, id, spec.Control) {
			return
		}
		work = append(work, w)
	}
	for _, p := range atStart {
		if matchesAny(libs, paths, p) {
			add(Planned{Path: p, AtStart: true})
		}
	}
	most := n + maxInstalled
	libs = narrow(libs)
	for _, p := range installed {
		if n < most && matchesAny(libs, paths, p) {
			add(Planned{Path: p})
		}
	}
	for _, p := range paths { // a file that is named, wherever it lies: it may be loaded later
		if !hooks.IsGlob(p) {
			add(Planned{Path: p})
		}
	}
	if !plans && all && len(work) > 0 {
		return preplan(spec, atStart, installed, seen, store, true, false)
	}
	// Objects differ in size by much: each worker takes the next that is left.
	var wg sync.WaitGroup
	next := make(chan *Planned, len(work))
	for i := range work {
		next <- &work[i]
	}
	close(next)
	for range min(len(work), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for w := range next {
				w.make(spec, store)
			}
		})
	}
	wg.Wait()
	return work, planned
}

// make gets the plan. Of a spec whose reader may change what is watched, plans must say
// how to patch what runs.
func (w *Planned) make(spec *hooks.Spec, store bool) {
	if store {
		w.Plan, w.Fresh, w.Err = plan.Once(w.Path, spec, spec.Control)
		return
	}
	o, err := plan.Open(w.Path)
	if err != nil {
		w.Err = err
		return
	}
	defer o.Close()
	w.Fresh = true
	w.Plan, w.Err = plan.Build(o, spec)
}

func fileIdentity(path string) (plan.Identity, error) {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return plan.Identity{}, err
	}
	return plan.Identity{Dev: st.Dev, Ino: st.Ino, Size: uint64(st.Size),
		MtimeNS: uint64(st.Mtim.Sec)*1e9 + uint64(st.Mtim.Nsec)}, nil
}

// matchesAny is the core's rule for which objects it loads a plan.
func matchesAny(libs, paths []string, object string) bool {
	base := filepath.Base(object)
	for _, g := range libs {
		if hooks.Glob(g, base) {
			return true
		}
	}
	for _, g := range paths {
		if g == object || hooks.IsGlob(g) && hooks.Glob(g, object) {
			return true
		}
	}
	if len(paths) == 0 {
		return false
	}
	real, err := filepath.EvalSymlinks(object)
	return err == nil && real != object && matchesAny(nil, paths, real)
}

// narrow leaves out the patterns that say nothing about the library.
func narrow(libs []string) []string {
	var out []string
	for _, g := range libs {
		if strings.Trim(g, "*?") != "" {
			out = append(out, g)
		}
	}
	return out
}

// Installed lists the libraries of /etc/ld.so.cache that this processor would
// use, by the path the loader opens.
func Installed() []string {
	libs := systemLibs()
	at := make(map[string]int, len(libs))
	var best []cachedLib
	for _, l := range libs {
		if i, ok := at[l.name]; !ok {
			at[l.name] = len(best)
			best = append(best, l)
		} else if l.better(best[i]) {
			best[i] = l
		}
	}
	paths := make([]string, len(best))
	for i, l := range best {
		paths[i] = l.path
	}
	return paths
}

// ResolvePaths makes the files that probes name absolute, and calls those that
// are loaded at start by the name they are loaded by: that is what the core
// compares.
func ResolvePaths(spec *hooks.Spec, atStart []string) error {
	for i := range spec.Probes {
		p := &spec.Probes[i]
		if !strings.Contains(p.Lib, "/") {
			continue
		}
		abs, err := filepath.Abs(p.Lib)
		if err != nil {
			return err
		}
		p.Lib = abs
		if hooks.IsGlob(abs) {
			continue
		}
		if real, err := filepath.EvalSymlinks(abs); err == nil {
			p.Lib = real
		}
	}
	return nil
}

// missing says whether path names nothing at all.
func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}
