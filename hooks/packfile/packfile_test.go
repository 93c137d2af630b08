package packfile

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seam-project/seam/hooks/yamlfile"
)

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

const billing = `
pack: billing
about: what the billing library charges
library: libbilling
functions:
  - int bill_open(const char *path, out int *id) fails < 0
  - int bill_charge(int id, secret const char *card, long cents) fails != 0
faults:
  - bill_charge:ret=-5,nth=3
denies:
  - 'connect:addr!~10.0.0.0/8'
`

func TestRead(t *testing.T) {
	p, err := Read(write(t, t.TempDir(), "billing.yaml", billing))
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "billing" || p.Library != "libbilling" || len(p.Hooks) != 2 || len(p.Protos) != 2 || p.About == "" {
		t.Errorf("%+v", p)
	}
	if !slices.Equal(p.Probes, []string{"libbilling:bill_open", "libbilling:bill_charge"}) || len(p.Faults) != 1 || len(p.Denies) != 1 {
		t.Errorf("%+v", p)
	}
	p, err = Read(write(t, t.TempDir(), "w.yaml", "pack: w\nlibrary: libz\nwatch: [deflate*, 'inflate@count']\n"))
	if err != nil || !slices.Equal(p.Probes, []string{"libz:deflate*", "libz:inflate@count"}) {
		t.Errorf("%+v %v", p, err)
	}
}

func TestErrors(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"", "is empty"},
		{"pack: a\nlibrary: l\n", "the pack has no functions"},
		{"pack: file\nlibrary: l\nwatch: [x]\n", "there is a pack 'file' in seam itself"},
		{"pack: A b\nlibrary: l\n", ":1:7: 'A b' can't be"},
		{"library: l\nwatch: [x]\n", ":1:1: a pack needs"},
		{"pack: a\nlibary: l\n", ":2:1: unknown key 'libary'"},
		{"pack: a\nlibrary: l\nfunctions:\n  - int f(int a, strin b)\n", ":4:18:"},
		{"pack: a\nlibrary: l\nfunctions:\n  - 'int f(int a) forks'\n", ":4:19:"},
		{"pack: a\nlibrary: l\nwatch:\n  - f@cuont\n", ":4:7:"},
		{"pack: a\nlibrary: l\nwatch: [f]\nfaults:\n  - write:errno=ENOSPCE\n", ":5:"},
		{"pack: a\nlibrary: l\nwatch: f\n", ":3:8: expected a list"},
		{"pack: [a]\nlibrary: l\n", ":1:7: expected a text"},
		{"pack: a\n\tlibrary: l\n", ":2: "},
	} {
		file := write(t, t.TempDir(), "p.yaml", tc.text)
		p, err := Read(file)
		var e *yamlfile.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), file+":") {
			t.Errorf("%q: %v, %+v; want %q", tc.text, err, p, tc.want)
		}
	}
}

// What others can write decides nothing.
func TestTrust(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "billing.yaml", billing)
	for _, tc := range []struct {
		path string
		mode os.FileMode
		ok   bool
	}{{file, 0o644, true}, {file, 0o664, false}, {file, 0o646, false}, {file, 0o600, true}, {dir, 0o777, false}, {dir, 0o777 | os.ModeSticky, true}, {dir, 0o755, true}} {
		if err := os.Chmod(tc.path, tc.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(file); (err == nil) != tc.ok {
			t.Errorf("%s %v: %v", tc.path, tc.mode, err)
		}
	}
	if os.Getuid() == 0 {
		if err := os.Chown(file, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(file); err == nil {
			t.Error("another user's file was read")
		}
	}
}

func TestFind(t *testing.T) {
	first, second, home := t.TempDir(), t.TempDir(), t.TempDir()
	t.Setenv("SEAM_HOOKS_PATH", first+":"+second)
	t.Setenv("XDG_CONFIG_HOME", home)
	mine := filepath.Join(home, "seam", "hooks")
	if err := os.MkdirAll(mine, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, second, "a.yaml", "pack: a\nlibrary: libsecond\nwatch: [x]\n")
	write(t, first, "a.yaml", "pack: a\nlibrary: libfirst\nwatch: [x]\n")
	write(t, mine, "b.yaml", "pack: b\nlibrary: libmine\nwatch: [x]\n")
	write(t, mine, "c.yaml", "pack: other\nlibrary: libmine\nwatch: [x]\n")
	write(t, mine, "Not-A-Pack.yaml", "")
	if p, err := Find("a"); err != nil || p.Library != "libfirst" {
		t.Errorf("%+v %v", p, err)
	}
	if p, err := Find("b"); err != nil || p.Library != "libmine" {
		t.Errorf("%+v %v", p, err)
	}
	if p, err := Find("none"); p != nil || err != nil {
		t.Errorf("%+v %v", p, err)
	}
	if _, err := Find("c"); err == nil || !strings.Contains(err.Error(), "the pack in it is 'other'") {
		t.Error(err)
	}
	if _, err := Find("./nowhere.yaml"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
}
