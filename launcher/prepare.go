package launcher

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/preload/plan"
)

// Prepared is all that has to be on disk and in the environment for a spec to
// reach a target.
type Prepared struct {
	Injection
	Objects  []string  // loaded when the target starts; nil without a target
	Planned  []Planned // after Prepare, without those that were there if nobody needs them
	Warnings []Warning

	planned []plan.Identity // whose plans are in the cache, if a target's start was watched
}

// Prepare makes the plans and writes the spec; library is what Cache.Library
// returned. t is nil when the target isn't known yet; then plans are made for
// installed libraries only.
func Prepare(c *Cache, library string, spec *hooks.Spec, t *Target, environ []string) (*Prepared, error) {
	var objects []string
	var seen *watches
	if t != nil {
		objects, seen = Dependencies(t, environ), t.seen
	}
	return prepareObjects(c, library, spec, objects, seen, false)
}

// gc counts those who want less of it.
var gc struct {
	sync.Mutex
	n, percent int
	limit      int64
}

// lessGC has nothing collected below 256 MiB until what it returns is called: what is
// made meanwhile is used until the target starts, and looking through it took a
// fifth of the time.
func lessGC() func() {
	gc.Lock()
	defer gc.Unlock()
	if gc.n++; gc.n == 1 {
		gc.limit, gc.percent = debug.SetMemoryLimit(256<<20), debug.SetGCPercent(-1)
	}
	return func() {
		gc.Lock()
		defer gc.Unlock()
		if gc.n--; gc.n == 0 {
			debug.SetGCPercent(gc.percent)
			debug.SetMemoryLimit(gc.limit)
		}
	}
}

// PrepareObjects is Prepare for a target in which these objects are loaded. complete is
// called with the spec before it is written.
func PrepareObjects(c *Cache, library string, spec *hooks.Spec, objects []string, complete ...func(*hooks.Spec)) (*Prepared, error) {
	return prepareObjects(c, library, spec, objects, nil, true, complete...)
}

// prepareObjects is that; plans: they are wanted, not only that they are there.
func prepareObjects(c *Cache, library string, spec *hooks.Spec, objects []string, seen *watches, plans bool, complete ...func(*hooks.Spec)) (*Prepared, error) {
	defer lessGC()()
	p := &Prepared{Injection: Injection{Library: library, Socket: spec.Socket, Filters: Filters()}}
	var err error
	if spec.Plans, err = c.Plans(); err != nil {
		return nil, fmt.Errorf("make plan cache: %w", err)
	}
	if exe, err := os.Executable(); err == nil {
		spec.Planner = exe // for libraries that nobody could foresee
	}
	p.Objects = objects
	if err := ResolvePaths(spec, p.Objects); err != nil {
		return nil, err
	}
	ExpandCPlusPlus(spec, p.Objects)
	addCopies(spec, p.Objects, seen)
	for _, f := range complete {
		f(spec)
	}
	encoded, err := spec.Encode()
	if err != nil {
		return nil, err
	}
	installed := Installed()
	// Only what users named themselves is looked for in the plans: Warnings.
	own := slices.ContainsFunc(spec.Probes, func(p hooks.Probe) bool { return p.Pack == "" })
	found, before := "", false
	if own {
		found = foundNote(spec, p.Objects)
		before = noted(found)
	}
	p.Planned, p.planned = preplan(spec, p.Objects, installed, seen, true, plans || own && !before, before)
	if own && (!before || len(p.Planned) > 0) {
		if p.Warnings = warnings(spec, p.Planned, p.Objects, installed, seen); len(p.Warnings) == 0 {
			note(found)
		}
	}
	if p.Spec, err = c.StoreSpec(encoded); err != nil {
		return nil, err
	}
	return p, nil
}

// PrepareSpec makes the plans for a spec that somebody else has written.
func PrepareSpec(path string, objects []string) (*Prepared, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read spec: %w", err)
	}
	spec, err := hooks.ParseSpec(text)
	if err != nil {
		return nil, err
	}
	p := &Prepared{Injection: Injection{Spec: path}, Objects: objects}
	p.Planned = Preplan(spec, objects, Installed())
	return p, nil
}
