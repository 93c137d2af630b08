package hooks

import (
	"strings"
	"testing"
)

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		p, s string
		ok   bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "a/b", true}, {"open*", "openat", true}, {"open*", "reopen", false},
		{"*open*", "fopen64", true}, {"?x", "ax", true}, {"?x", "x", false}, {"[abc]", "b", true}, {"[a-c]z", "cz", true}, {"[!a-c]", "b", false}, {"[^a-c]", "d", true},
		{"[]a]", "]", true}, {"[]a]", "a", true}, {"[a-]", "-", true}, {"[", "[", true}, {"[a", "[a", true}, {"[a", "a", false}, {`\*`, "*", true}, {`\*`, "a", false}, {`a\`, `a\`, true},
		{"a*b*c", "axxbyyc", true}, {"a*b*c", "axxbyy", false}, {"libc-[0-9]*.so", "libc-2.31.so", true}, {"libc-[0-9]*.so", "libc-x.so", false},
	} {
		if Glob(c.p, c.s) != c.ok {
			t.Errorf("Glob(%q, %q) = %v", c.p, c.s, !c.ok)
		}
	}
	// Exponential in a matcher that backtracks over every star.
	if Glob(strings.Repeat("*a", 40)+"b", strings.Repeat("a", 4000)) {
		t.Error("matches")
	}
}

func TestMatchLib(t *testing.T) {
	for _, c := range []struct {
		p, path string
		ok      bool
	}{
		{"", "/any/thing", true}, {"libc", "/lib/libc.so.6", true}, {"libc", "libc-2.31.so", true}, {"libc", "/lib/libcrypt.so.1", false}, {"libc", "/lib/libc++.so.1", false},
		{"libssl.so", "/x/libssl.so.3", true}, {"libssl.so.3", "libssl.so.3", true}, {"libssl.so.1", "libssl.so.3", false}, {"libpython*", "libpython3.11.so.1.0", true},
		{"app", "/opt/app", true}, {"/opt/app", "/opt/app", true}, {"/opt/app", "/usr/opt/app", false}, {"/opt/*/app", "/opt/1/app", true},
	} {
		if MatchLib(c.p, c.path) != c.ok {
			t.Errorf("MatchLib(%q, %q) = %v", c.p, c.path, !c.ok)
		}
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("a*[b-d]?", "axxcz")
	f.Add("[", "[")
	f.Fuzz(func(t *testing.T, p, s string) {
		Glob(p, s)
		if !Glob("*", s) {
			t.Fatalf("* does not match %q", s)
		}
		lit := ""
		for i := range len(s) {
			lit += `\` + s[i:i+1]
		}
		if !Glob(lit, s) {
			t.Fatalf("%q does not match itself", s)
		}
	})
}
