package hooks

import "strings"

// LibGlobs translates the object part of a probe into what the core compares:
// globs on the base name of a loaded object, or exact paths (globs when they
// hold * ? [).
//
//	""           any object
//	"libc"       libc, libc.so.6, libc-2.31.so; not libcrypt.so.1
//	"libssl.so"  libssl.so, libssl.so.3
//	"libpy*"     everything whose base name matches
//	"/opt/a/app" that very file
func LibGlobs(pattern string) (libs, paths []string) {
	switch {
	case pattern == "":
		return []string{"*"}, nil
	case strings.ContainsRune(pattern, '/'):
		return nil, []string{pattern}
	case strings.Contains(pattern, ".so"):
		return []string{pattern, pattern + ".*"}, nil
	}
	return []string{pattern, pattern + ".so*", pattern + "-[0-9]*.so"}, nil
}

// MatchLib reports whether the object at path is one that pattern names.
func MatchLib(pattern, path string) bool {
	base := path[strings.LastIndexByte(path, '/')+1:]
	libs, paths := LibGlobs(pattern)
	for _, g := range libs {
		if Glob(g, base) {
			return true
		}
	}
	for _, g := range paths {
		if g == path || Glob(g, path) {
			return true
		}
	}
	return false
}

// IsGlob reports whether s holds a character that Glob treats specially.
func IsGlob(s string) bool { return strings.ContainsAny(s, "*?[\\") }

// Glob reports whether the whole of s matches pattern. * stands for any run of
// characters ('/' too), ? for one, [a-z] and [!a-z] for one of a set; a
// backslash takes the next character literally. An unclosed [ is itself. The
// time is bounded by len(pattern) * len(s): only the last * is ever retried.
func Glob(pattern, s string) bool {
	p, i := 0, 0
	star, mark := -1, 0
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			star, mark = p, i
			p++
			continue
		}
		if p < len(pattern) {
			if n, ok := globOne(pattern[p:], s[i]); ok {
				p += n
				i++
				continue
			}
		}
		if star < 0 {
			return false
		}
		mark++
		p, i = star+1, mark
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// globOne matches one character against the start of pattern (not a *) and
// says how much of the pattern it used.
func globOne(pattern string, c byte) (int, bool) {
	switch pattern[0] {
	case '?':
		return 1, true
	case '\\':
		if len(pattern) > 1 {
			return 2, pattern[1] == c
		}
	case '[':
		if n, ok := globSet(pattern, c); n > 0 {
			return n, ok
		}
	}
	return 1, pattern[0] == c
}

// globSet matches c against the set at the start of pattern; n is 0 when the
// set is not closed.
func globSet(pattern string, c byte) (n int, ok bool) {
	i := 1
	not := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if not {
		i++
	}
	hit := false
	for first := true; i < len(pattern); first = false {
		if pattern[i] == ']' && !first {
			return i + 1, hit != not
		}
		lo := pattern[i]
		hi := lo
		i++
		if i+1 < len(pattern) && pattern[i] == '-' && pattern[i+1] != ']' {
			hi = pattern[i+1]
			i += 2
		}
		if lo <= c && c <= hi {
			hit = true
		}
	}
	return 0, false
}
