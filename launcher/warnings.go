package launcher

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/preload/plan"
)

// Warning is about a probe that will, as far as can be told, see nothing.
type Warning struct {
	Probe string
	Text  string   // "matches nothing in libc.so.6"
	Near  []string // names it may have been meant to be
}

func (w Warning) String() string {
	s := fmt.Sprintf("probe '%s' %s", w.Probe, w.Text)
	if len(w.Near) > 0 {
		s += "; nearest: " + strings.Join(w.Near, ", ")
	}
	return s
}

const mostNear = 3

// Warnings looks for the probes among spec's that match nothing. Packs are left
// out: what they name is known to exist, and their libraries may come late.
func Warnings(spec *hooks.Spec, work []Planned, atStart, installed []string) []Warning {
	return warnings(spec, work, atStart, installed, nil)
}

func warnings(spec *hooks.Spec, work []Planned, atStart, installed []string, seen *watches) []Warning {
	var out []Warning
	k := known{debug: spec.Debug, seen: seen, plans: map[*plan.Plan]names{}, objects: map[string]names{}}
	for i := range spec.Probes {
		if p := &spec.Probes[i]; p.Pack == "" {
			if w, ok := k.warning(p, work, atStart, installed); ok {
				out = append(out, w)
			}
		}
	}
	return out
}

// names is a set of functions' names.
type names map[string]bool

func (n names) match(pattern string) bool {
	if !hooks.IsGlob(pattern) {
		_, ok := n[pattern]
		return ok
	}
	for name := range n {
		if hooks.Glob(pattern, name) {
			return true
		}
	}
	return false
}

// known is what was read for the probes so far: a thousand may name one library.
type known struct {
	debug   []string
	seen    *watches
	plans   map[*plan.Plan]names
	objects map[string]names // by path; nil: can't be read
}

// planned are the names of the functions that a plan has an answer for, of whichever kind.
func (k *known) planned(p *plan.Plan) names {
	if n, ok := k.plans[p]; ok || p == nil {
		return n
	}
	n := make(names, len(p.Sites)+len(p.Refusals))
	for i := range p.Sites {
		if p.Sites[i].Kind != plan.Guard {
			n[p.Sites[i].Name] = true
		}
	}
	for i := range p.Refusals {
		n[p.Refusals[i].Name] = true
	}
	k.plans[p] = n
	return n
}

// defined are the names of all that an object defines.
func (k *known) defined(path string) names {
	if n, ok := k.objects[path]; ok {
		return n
	}
	// It may be in a debug file. That is rare: mostly the plan has the answer.
	k.seen.never("a probe was looked for in " + path)
	var n names
	if o, err := plan.Open(path); err == nil {
		n = make(names, len(o.Symbols))
		for i := range o.Symbols {
			n[o.Symbols[i].Name] = false // a variable, until it turns out to be a function
		}
		o.Functions(k.debug, func(name string) { n[name] = true })
		o.Close()
	}
	k.objects[path] = n
	return n
}

func (k *known) warning(p *hooks.Probe, work []Planned, atStart, installed []string) (Warning, bool) {
	w := Warning{Probe: p.Text}
	for i := range work {
		if hooks.MatchLib(p.Lib, work[i].Path) && k.answers(work[i].Plan, p) {
			return w, false
		}
	}
	// Now look into the objects themselves: the plan may know the function by
	// another of its names.
	where, when := matching(p.Lib, atStart), "in what is loaded at start"
	if len(where) == 0 {
		if where = matching(p.Lib, installed); p.Lib == "" || len(where) > maxInstalled {
			return w, false
		}
		when = "in the installed libraries"
	}
	if len(where) == 0 {
		if strings.Contains(p.Lib, "/") {
			if hooks.IsGlob(p.Lib) || !missing(p.Lib) {
				return w, false // some file, that may be loaded later
			}
			w.Text = "matches nothing: there is no file " + p.Lib
			return w, true
		}
		w.Text = fmt.Sprintf("matches nothing yet: no library '%s' is loaded at start, nor installed", p.Lib)
		w.Near = nearLibraries(p.Lib, atStart, installed)
		return w, true
	}
	for _, path := range where {
		if k.defined(path).match(p.Sym) {
			return w, false
		}
	}
	var all []string
	for _, path := range where {
		for name, function := range k.defined(path) {
			if function {
				all = append(all, name)
			}
		}
	}
	slices.Sort(all)
	if len(where) == 1 {
		when = "in " + filepath.Base(where[0])
	}
	w.Text = "matches nothing " + when
	all = slices.Compact(all)
	if w.Near = plusPlus(p.Sym, all); len(w.Near) == 0 {
		w.Near = nearest(strings.Trim(p.Sym, "*?"), all)
	}
	return w, true
}

// plusPlus are the C++ functions that a name or pattern without :: may mean.
func plusPlus(sym string, names []string) (near []string) {
	if strings.Contains(sym, "::") {
		return nil
	}
	for _, n := range names {
		full := sourceName(n)
		if last := full[strings.LastIndexByte(full, ':')+1:]; full != "" && hooks.Glob(sym, last) && !slices.Contains(near, full) && len(near) < mostNear {
			near = append(near, full)
		}
	}
	return near
}

// sourceName is what a probe calls a C++ function of a plain name, _Z5twicei or _ZNK5shape4areaEi; else "".
func sourceName(linkage string) (full string) {
	rest, ok := strings.CutPrefix(linkage, "_Z")
	if !ok {
		return ""
	}
	rest, nested := strings.CutPrefix(rest, "N")
	if nested {
		rest = strings.TrimLeft(rest, "rVK")
	}
	for rest != "" && rest[0] >= '1' && rest[0] <= '9' {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.Atoi(rest[:digits])
		if err != nil || n > len(rest)-digits {
			return ""
		}
		full += "::" + rest[digits:digits+n]
		if rest = rest[digits+n:]; !nested {
			break
		}
	}
	if !nested {
		return full
	}
	if !strings.HasPrefix(rest, "E") {
		return "" // an operator, a template, ...
	}
	return strings.TrimPrefix(full, "::")
}

// nearest suggests names; two letters in the wrong order, the commonest slip, count
// as one mistake.
func nearest(name string, names []string) []string {
	var out []string
	for _, n := range names {
		if swapped(name, n) {
			out = append(out, n)
		}
	}
	for _, n := range plan.Nearest(name, names, mostNear) {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out[:min(len(out), mostNear)]
}

// swapped says whether a and b differ by two neighbouring letters changing places.
func swapped(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i+1 < len(a); i++ {
		if a[i] != b[i] {
			return a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
		}
	}
	return false
}

// answers: the plan has an answer for a function that the probe names.
func (k *known) answers(p *plan.Plan, probe *hooks.Probe) bool {
	n := k.planned(p)
	return probe.As != "" && n[probe.As] || n.match(probe.Sym)
}

func matching(lib string, objects []string) []string {
	var out []string
	for _, o := range objects {
		if hooks.MatchLib(lib, o) {
			out = append(out, o)
		}
	}
	return out
}

// nearLibraries suggests libraries in the short form in which probes name them.
func nearLibraries(lib string, objects ...[]string) []string {
	var names []string
	for _, list := range objects {
		for _, o := range list {
			name, _, _ := strings.Cut(filepath.Base(o), ".so")
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return nearest(strings.Trim(lib, "*?"), slices.Compact(names))
}
