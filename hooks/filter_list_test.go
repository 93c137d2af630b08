package hooks

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// How functions name files: which words, from where relative, and whether a link at the end is meant.
func TestNamesOfFiles(t *testing.T) {
	const no = noWord
	for fn, want := range map[string][9]byte{ // n, fd, arg, arg, dir, dir, keep, keep, flags
		"open":       {1, 0, 0, 0, no, 0, 0, 0, 1},
		"openat":     {1, 0, 1, 0, 0, 0, 0, 0, 2},
		"fopen":      {1, 0, 0, 0, no, 0, 0, 0, no},
		"lstat":      {1, 0, 0, 0, no, 0, 1, 0, no},
		"fstatat":    {1, 0, 1, 0, 0, 0, 0, 0, 3},
		"rename":     {2, 0, 0, 1, no, no, 1, 1, no},
		"renameat":   {2, 0, 1, 3, 0, 2, 1, 1, no},
		"linkat":     {2, 0, 1, 3, 0, 2, 1, 1, 4},
		"symlink":    {1, 0, 1, 0, no, 0, 1, 0, no}, // what it points to is a text
		"symlinkat":  {1, 0, 2, 0, 1, 0, 1, 0, no},
		"execve":     {1, 0, 0, 0, no, 0, 0, 0, no},
		"execveat":   {1, 0, 1, 0, 0, 0, 0, 0, 4},
		"fexecve":    {1, 1, 0, 0, no, 0, 0, 0, no},
		"ftruncate":  {1, 1, 0, 0, no, 0, 0, 0, no},
		"opendir":    {1, 0, 0, 0, no, 0, 0, 0, no},
		"__xstat":    {1, 0, 1, 0, no, 0, 0, 0, no},
		"unlinkat":   {1, 0, 1, 0, 0, 0, 1, 0, 2},
		"truncate64": {1, 0, 0, 0, no, 0, 0, 0, no},
	} {
		h, ok := Lookup("", fn)
		if !ok {
			t.Errorf("%s is not known", fn)
			continue
		}
		c, err := resolveFilter(h, &Filter{Kind: FilterIn, Arg: "path", Cmp: CmpNE, Set: []string{"/srv"}})
		if err != nil || c.What != FilterIn || [9]byte(c.Str[:9]) != want {
			t.Errorf("%s: %v %v, want %v", fn, err, c.Str[:9], want)
		}
		_, err = resolveFilter(h, &Filter{Kind: FilterIn, Arg: "names", Cmp: CmpNE, Set: []string{"/srv"}})
		if (err != nil) != (want[1] == 1) {
			t.Errorf("%s names: %v", fn, err)
		}
	}
}

func TestLists(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("/usr", link); err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string][]string{
		"path!in=/srv/www|/tmp/.":        {"/srv/www", "/tmp/."},
		"path!in=/srv/../etc/":           {"/etc"},
		"path!in=" + link:                {link, "/usr"},
		"path!in=" + link + "/nowhere/x": {link + "/nowhere/x", "/usr/nowhere/x"},
		"path!in=" + link + "/.":         {link + "/.", "/usr/."},
		"path!in=/|/.":                   {"/", "/."},
		`path in="/a,b|/c d"`:            {"/a,b", "/c d"},
		"path!in=@file#list":             {"/from/file"},
	} {
		lists := func(file, name string) ([]string, error) { return []string{"/from/" + file}, nil }
		r, _, _, err := ParseRuleWith(lists, RuleDeny, "open:"+in, 1, nil)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		got := map[string]bool{}
		for _, s := range r.When[0].Set {
			got[s] = true
		}
		for _, s := range want {
			if !got[s] {
				t.Errorf("%s: %q lacks %q", in, r.When[0].Set, s)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %q, want %q", in, r.When[0].Set, want)
		}
	}
	for text, want := range map[string]string{
		"open:path!in=srv":             "not an absolute path",
		"open:path!in=":                "expected a list",
		"open:path!in=/a||/b":          "an empty entry",
		"open:path!in=@file":           "which list",
		"open:oflag!in=/a":             "not the name of a file or an address",
		"connect:addr!in=10.0.0.0/8|x": "not a range",
		"getpid:path!in=/a":            "names no file",
		"read:names!in=/a":             "names no file",
	} {
		_, _, _, err := ParseRuleWith(func(string, string) ([]string, error) { return nil, nil }, RuleDeny, text, 1, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if _, _, _, err := ParseRule(RuleDeny, "open:path!in=@a#b", 1, nil); err == nil {
		t.Error("a list of a file is read where there are none")
	}
	for _, text := range []string{"10.0.0.0/8", "10.1.2.3", "10.0.0.1:443", "fd00::/8", "[::1]:80", "unix", "unix:/run/"} {
		b, n, ok := AddrRange(text)
		if got := AddrRangeText(b[:n]); !ok || got != text {
			t.Errorf("%s: %s", text, got)
		}
	}
	h, _ := Lookup("", "sqlite3_prepare16_v2")
	c, err := resolveFilter(h, &Filter{Kind: FilterIn, Arg: "sql", Cmp: CmpNE, Set: []string{"select ?"}})
	if err != nil || !reflect.DeepEqual(c.Set, []string(nil)) || c.What != FilterShape {
		t.Errorf("two-byte SQL: %v %+v", err, c)
	}
}
