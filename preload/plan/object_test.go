package plan

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestExportsAgreeWithDebugELF compares with the standard library, which goes
// by the section headers where Open goes by the dynamic section.
func TestExportsAgreeWithDebugELF(t *testing.T) {
	for _, lib := range []string{libc, sqlite, ssl, crypto, python3, "/lib64/ld-linux-x86-64.so.2"} {
		o := open(t, lib)
		f, err := elf.Open(lib)
		if err != nil {
			t.Fatal(err)
		}
		syms, err := f.DynamicSymbols()
		if err != nil {
			t.Fatal(err)
		}
		want := map[Symbol]bool{}
		for _, s := range syms {
			if s.Section == elf.SHN_UNDEF || s.Section == elf.SHN_ABS || elf.ST_BIND(s.Info) == elf.STB_LOCAL ||
				elf.ST_VISIBILITY(s.Other) == elf.STV_HIDDEN || elf.ST_VISIBILITY(s.Other) == elf.STV_INTERNAL {
				continue
			}
			want[Symbol{Name: s.Name, Version: s.Version, Hidden: s.VersionIndex.IsHidden(), Type: SymType(elf.ST_TYPE(s.Info)), Addr: s.Value, Size: s.Size}] = true
		}
		for _, s := range o.Symbols {
			if !want[s] {
				t.Errorf("%s: %+v is not known to debug/elf", lib, s)
			}
			delete(want, s)
		}
		for s := range want {
			t.Errorf("%s: %+v is missing", lib, s)
		}
		needed, _ := f.ImportedLibraries()
		soname, _ := f.DynString(elf.DT_SONAME)
		if !slices.Equal(o.Needed, needed) || o.Soname != soname[0] {
			t.Errorf("%s: needs %v, is %s; want %v, %v", lib, o.Needed, o.Soname, needed, soname)
		}
		f.Close()
	}
}

func TestProgramTypes(t *testing.T) {
	main := filepath.Join(t.TempDir(), "m.c")
	if err := os.WriteFile(main, []byte("int main(void) { return 0; }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		flags       []string
		static, pie bool
	}{
		{[]string{"-pie"}, false, true},
		{[]string{"-no-pie"}, false, false},
		{[]string{"-static"}, true, false},
		{[]string{"-static-pie"}, true, true},
	} {
		o := open(t, compile(t, main, tc.flags...))
		if o.Static() != tc.static || o.PIE() != tc.pie || !o.Supported() || (o.Interp == "") != tc.static {
			t.Errorf("%v: static %v, PIE %v, interpreter %q", tc.flags, o.Static(), o.PIE(), o.Interp)
		}
	}
	if o := open(t, libc); o.ID.Size == 0 || o.ID.Ino == 0 || o.ID.MtimeNS == 0 || o.Static() {
		t.Errorf("libc: %+v", o.ID)
	}
}

func TestOpenRefuses(t *testing.T) {
	if _, err := Open("build.go"); !errors.Is(err, ErrNotELF) {
		t.Errorf("a text: %v", err)
	}
	if _, err := Open("."); !errors.Is(err, ErrNotELF) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open("nonesuch"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	whole, err := os.ReadFile(ssl)
	if err != nil {
		t.Fatal(err)
	}
	// A file cut anywhere is refused or planned for what is left, never worse.
	for n := 0; n < len(whole); n += 1 + n/3 {
		if o, err := NewObject(bytes.NewReader(whole[:n]), int64(n)); err == nil {
			buildAny(t, o)
		}
	}
}
