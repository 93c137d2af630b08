package launcher

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestViews(t *testing.T) {
	dir := t.TempDir()
	lib := filepath.Join(dir, libraryName)
	if err := os.WriteFile(lib, []byte("library"), 0o500); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second finds the links there
		path, err := views(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range append(append([]string{}, platforms64...), platforms32...) {
			real, err := filepath.EvalSymlinks(strings.ReplaceAll(path, dstToken, p))
			want := lib
			if p[0] == 'i' {
				want = filepath.Join(dir, emptyName, libraryName)
			}
			if err != nil || real != want {
				t.Errorf("%s is %s, %v; want %s", p, real, err, want)
			}
			if strings.Contains(real, "libasan.so") {
				t.Errorf("a static address sanitizer would refuse %s", real)
			}
		}
		if !strings.Contains(path, "libasan.so") {
			t.Errorf("a dynamic address sanitizer would refuse %s", path)
		}
		stub := filepath.Join(dir, emptyName, libraryName)
		if have, err := os.ReadFile(stub); err != nil || !bytes.Equal(have, emptyLibrary32()) {
			t.Errorf("the empty library is %q, %v", have, err)
		}
		os.Remove(stub)
	}
	path := filepath.Join(dir, viewsName, "x86_64")
	os.Remove(path)
	if err := os.Symlink("/elsewhere", path); err != nil {
		t.Fatal(err)
	}
	if _, err := views(dir); err == nil {
		t.Error("a link to elsewhere was taken")
	}
}

func TestEmptyLibrary(t *testing.T) {
	f, err := elf.NewFile(bytes.NewReader(emptyLibrary32()))
	if err != nil {
		t.Fatal(err)
	}
	if f.Class != elf.ELFCLASS32 || f.Machine != elf.EM_386 || f.Type != elf.ET_DYN {
		t.Errorf("%+v", f.FileHeader)
	}
	for _, p := range f.Progs {
		if p.Flags&elf.PF_X != 0 {
			t.Errorf("segment %v is executable", p.Type)
		}
	}
}
