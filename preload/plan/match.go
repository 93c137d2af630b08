package plan

import (
	"path/filepath"
	"strings"

	"github.com/seam-project/seam/hooks"
)

// LibMatches reports whether obj is one that a probe's object pattern names:
// by its file's name or path, or by the name it gives itself.
// A pattern with a slash also means the file that a link leads to: a spec's
// paths are real ones.
func LibMatches(pattern string, obj *Object) bool {
	if hooks.MatchLib(pattern, obj.Path) || obj.Soname != "" && hooks.MatchLib(pattern, obj.Soname) {
		return true
	}
	if !strings.Contains(pattern, "/") {
		return false
	}
	real, err := filepath.EvalSymlinks(obj.Path)
	return err == nil && hooks.MatchLib(pattern, real)
}

// LibGlobs translates a probe's object pattern into the lib and path lines of
// a spec file: the rule the core applies, which LibMatches applies here.
func LibGlobs(pattern string) (lib, path []string) { return hooks.LibGlobs(pattern) }

// Nearest picks at most n of candidates that name may have been meant for,
// most alike first.
func Nearest(name string, candidates []string, n int) []string {
	near := hooks.Nearest(name, candidates)
	return near[:min(n, len(near))]
}
