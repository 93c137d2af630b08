package policy

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/seam-project/seam/hooks"
)

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// What is written is read back; merging adds, sorts, and keeps empty lists: they allow nothing.
func TestReadWriteMerge(t *testing.T) {
	file := write(t, "programs: []\nfiles:\n  - /srv/www/\n  - /etc/.\nsql:\n  - SELECT  name FROM t WHERE id = 5 -- x\n")
	p, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	want := &Policy{Programs: []string{}, Files: []string{"/srv/www", "/etc/."}, SQL: []string{"SELECT name FROM t WHERE id = ?"}}
	if !reflect.DeepEqual(p, want) {
		t.Fatalf("%+v, want %+v", p, want)
	}
	p.Merge(&Policy{Programs: []string{"/bin/sh"}, Connects: []string{}, Files: []string{"/srv/www/a", "/srv/www/.", "/etc/passwd", "/srv/wwwx", "/etc/."}, SQL: []string{}})
	want = &Policy{Programs: []string{"/bin/sh"}, Connects: []string{}, Files: []string{"/etc/.", "/etc/passwd", "/srv/www", "/srv/wwwx"}, SQL: []string{"SELECT name FROM t WHERE id = ?"}}
	if !reflect.DeepEqual(p, want) {
		t.Fatalf("merged %+v, want %+v", p, want)
	}
	if err := p.Write(file); err != nil {
		t.Fatal(err)
	}
	if q, err := Read(file); err != nil || !reflect.DeepEqual(p, q) {
		t.Errorf("%v %+v, want %+v", err, q, p)
	}
	q := &Policy{}
	q.Merge(p)
	if q.Connects == nil {
		t.Error("an empty list became none: that restricts nothing")
	}
}

// A link out of a folder is not in the folder.
func TestLinkStaysBesideItsFolder(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	p := &Policy{}
	p.Merge(&Policy{Files: []string{dir, dir + "/link", dir + "/file"}})
	if want := []string{dir, dir + "/link"}; !reflect.DeepEqual(p.Files, want) {
		t.Errorf("%q, want %q", p.Files, want)
	}
}

// Every rule of a policy is one that --deny takes, also with an odd path.
func TestRulesParse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), `a "b", c`)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "p.yaml")
	p := &Policy{Programs: []string{"/bin/sh"}, Connects: []string{"10.0.0.0/8", "[::1]:80", "unix:/run/"}, Files: []string{"/srv"}, SQL: []string{"select ?"}}
	if err := p.Write(file); err != nil {
		t.Fatal(err)
	}
	rules := p.Rules(file)
	if len(rules) != 7 {
		t.Errorf("%q", rules)
	}
	for _, text := range rules {
		r, _, _, err := hooks.ParseRuleWith(Lists, hooks.RuleDeny, text, 1, nil)
		if err != nil || len(r.When) != 1 || len(r.When[0].Set) == 0 {
			t.Errorf("%s: %v %+v", text, err, r)
		}
	}
	if r := (&Policy{Connects: []string{}}).Rules(file); len(r) != 2 {
		t.Errorf("an empty list makes no rule: %q", r)
	}
}

func TestBadPolicies(t *testing.T) {
	for text, want := range map[string]string{
		"files:\n  - etc\n":                "2:5: 'etc' is not an absolute path",
		"connects:\n  - example.com\n":     "is not a range of addresses",
		"sql:\n  - '-- nothing'\n":         "is no statement",
		"file:\n  - /etc\n":                "unknown key 'file'",
		"files: /etc\n":                    "expected a list",
		"files:\n  - /a\nfiles:\n  - /b\n": "",
	} {
		_, err := Read(write(t, text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	file := write(t, "files: []\n")
	if err := os.Chmod(file, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(file); err == nil || !strings.Contains(err.Error(), "others can write") {
		t.Errorf("a file that others can write: %v", err)
	}
	if _, err := Lists(write(t, "files: []\n"), "sql"); err == nil {
		t.Error("a list that is not there is read")
	}
}
