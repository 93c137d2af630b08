package launcher

import (
	"slices"
	"strings"

	"github.com/ianlancetaylor/demangle"
	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/preload/plan"
)

// ExpandCPlusPlus replaces each probe for functions of C++ (Parser::parse*) by
// one for each function that it names in the objects loaded at start, under its
// linkage name. Planners of later libraries, which may run in the target, have
// no names to take apart.
func ExpandCPlusPlus(spec *hooks.Spec, atStart []string) {
	for i := 0; i < len(spec.Probes); i++ {
		p := spec.Probes[i]
		if p.Pack != "" || p.As != "" || !strings.Contains(p.Sym, "::") {
			continue
		}
		if found := linkageNames(&p, spec.Debug, atStart); len(found) > 0 {
			spec.Probes = slices.Replace(spec.Probes, i, i+1, found...)
			i += len(found) - 1
		}
	}
}

func linkageNames(p *hooks.Probe, debugDirs, atStart []string) (out []hooks.Probe) {
	pattern := strings.TrimPrefix(p.Sym, "::")
	for _, path := range atStart {
		o, err := plan.Open(path)
		if err != nil {
			continue
		}
		if plan.LibMatches(p.Lib, o) && o.Supported() {
			seen := map[string]bool{}
			o.Functions(debugDirs, func(name string) {
				if !strings.HasPrefix(name, "_Z") || seen[name] {
					return
				}
				seen[name] = true
				as, err := demangle.ToString(name, demangle.NoParams, demangle.NoClones)
				if err != nil || !hooks.Glob(pattern, as) || len(as) > 4096 {
					return
				}
				q := *p
				q.Lib, q.Sym, q.As = path, name, as
				out = append(out, q)
			})
		}
		o.Close()
	}
	return out
}
