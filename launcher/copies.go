package launcher

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/preload/plan"
)

// AddCopies makes the probes for copies of a pack's library definite, as far
// as can be told before the start: a program with sqlite linked into it defines
// sqlite's functions, often without exporting them. What is loaded later, and by
// the programs that this one starts, the core looks at itself.
func AddCopies(spec *hooks.Spec, atStart []string) { addCopies(spec, atStart, nil) }

func addCopies(spec *hooks.Spec, atStart []string, seen *watches) {
	for _, p := range slices.Clone(spec.Probes) {
		if p.Has == "" || p.Lib != "" {
			continue
		}
		for _, path := range atStart {
			if own, ok := hooks.PackProbe(p.Pack); ok && hooks.MatchLib(own.Lib, path) || system(path) {
				continue
			}
			o, err := plan.Open(path)
			if err != nil {
				continue
			}
			if o.Supported() {
				has, deps := o.Defines(p.Has, spec.Debug)
				for _, d := range deps {
					seen.dep(d)
				}
				if p := p; has {
					if p.Lib, err = filepath.EvalSymlinks(path); err == nil {
						spec.Probes = append(spec.Probes, p)
					}
				}
			}
			o.Close()
		}
	}
}

// system: a library of the distribution's, which shares instead of copying.
// One that does copy, and exports it, is found by the core.
func system(path string) bool {
	return strings.HasPrefix(path, "/lib/") || strings.HasPrefix(path, "/lib64/") || strings.HasPrefix(path, "/usr/lib/")
}
