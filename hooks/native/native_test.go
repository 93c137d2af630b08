package native

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seam-project/seam/hooks"
)

// build makes a file of C code. The header is found.
func build(t *testing.T, name, code string, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	src, out := filepath.Join(dir, "x.c"), filepath.Join(dir, name)
	if err := os.WriteFile(src, []byte(code), 0o644); err != nil {
		t.Fatal(err)
	}
	if flags == nil {
		flags = []string{"-shared", "-fPIC"}
	}
	if msg, err := exec.Command("gcc", append([]string{"-O2", "-Wall", "-Werror", "-I.", "-o", out, src}, flags...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, msg)
	}
	return out
}

const two = `
#include "seam_callback.h"
#include <math.h>
#include <stdio.h>
static long n;
static __attribute__((noinline)) int deeper(long k) { return k > 3 ? -1 : 0; }
static int plain(struct seam_call *c) { n += c->arg[0] * 3 / (c->arg[1] | 1); return deeper(n); }
static int sse(struct seam_call *c) { c->result = (uint64_t)(c->arg[0] * 1.5); return SEAM_CHANGED; }
static int libc(struct seam_call *c) { puts(c->function->name); return 0; }
static int many(struct seam_call *c) { __asm__ volatile("pxor %xmm9, %xmm9"); return 0; }
static int vex(struct seam_call *c) { __asm__ volatile("vpxor %xmm1, %xmm1, %xmm1"); return 0; }
static int mmx(struct seam_call *c) { __asm__ volatile("movq %mm0, %mm1"); return 0; }
static int x87(struct seam_call *c) { static volatile long double d; d += 1; return 0; }
const struct seam_callback seam_callbacks[] = {
	SEAM_CALLBACK(SEAM_PRE, "write if fd == 3", plain),
	SEAM_CALLBACK(SEAM_POST, "libz:deflate*", sse),
	SEAM_CALLBACK(SEAM_FAILING, "open", libc),
	SEAM_CALLBACK(SEAM_PRE, "open", x87),
	SEAM_CALLBACK(SEAM_PRE, "open", many),
	SEAM_CALLBACK(SEAM_PRE, "open", vex),
	SEAM_CALLBACK(SEAM_PRE, "open", mmx),
};
`

func TestRead(t *testing.T) {
	for _, flags := range [][]string{{"-shared", "-fPIC"}, {"-shared", "-fPIC", "-s", "-fcf-protection=full", "-Os"}, {"-shared", "-fPIC", "-O0"}, {"-shared", "-fPIC", "-Wl,-z,pack-relative-relocs"}} {
		f, err := Read(build(t, "cb.so", two, flags...))
		if err != nil {
			t.Errorf("%q: %v", flags, err)
			continue
		}
		want := []Callback{{hooks.Pre, "write if fd == 3", 0, hooks.NoVectors}, {hooks.Post, "libz:deflate*", 1, hooks.FewXMM}, {hooks.Failing, "open", 2, hooks.AllRegisters},
			{hooks.Pre, "open", 3, hooks.AllRegisters}, {hooks.Pre, "open", 4, hooks.AnyXMM}, {hooks.Pre, "open", 5, hooks.AllRegisters}, {hooks.Pre, "open", 6, hooks.AllRegisters}}
		if len(f.Callbacks) != len(want) || !filepath.IsAbs(f.Path) || f.Ino == 0 || f.Size == 0 || f.MtimeNS == 0 {
			t.Fatalf("%q: %+v", flags, f)
		}
		for i, c := range f.Callbacks {
			if c != want[i] {
				t.Errorf("%q: %+v, want %+v", flags, c, want[i])
			}
		}
	}
}

// What can't be is said, with something to do about it.
func TestErrors(t *testing.T) {
	head := "#include \"seam_callback.h\"\nint f(struct seam_call *c) { return 0; }\n"
	so := func(code string, flags ...string) string { return build(t, "cb.so", head+code, flags...) }
	text := filepath.Join(t.TempDir(), "text.so")
	if err := os.WriteFile(text, []byte("not a library\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	writable := so("const struct seam_callback seam_callbacks[] = { SEAM_CALLBACK(SEAM_PRE, \"open\", f) };")
	if err := os.Chmod(writable, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, msg, hint string }{
		{filepath.Join(t.TempDir(), "none.so"), "no such file", ""},
		{t.TempDir(), "not a file", ""},
		{text, "not an ELF file", "cc -shared"},
		{build(t, "prog", "int main(void) { return 0; }", "-O1"), "not a shared object", "cc -shared"},
		{so(""), "has no table of callbacks", "seam hooks header"},
		{so("static const struct seam_callback hidden[] = { SEAM_CALLBACK(SEAM_PRE, \"open\", f) }; const void *keep(void) { return hidden; }"), "has no table of callbacks", "export"},
		{build(t, "fn.so", "void seam_callbacks(void) {}"), "is not data", ""},
		{build(t, "short.so", "const int seam_callbacks[3] = { 1 };"), "no number of entries", "the header of this seam"},
		{build(t, "version.so", "const int seam_callbacks[40] = { 9, 1 };"), "version 9", "the header of this seam"},
		{so("const struct seam_callback seam_callbacks[] = { SEAM_CALLBACK(4, \"open\", f) };"), "callback 1: its position is 4", "SEAM_PRE"},
		{so("const struct seam_callback seam_callbacks[] = { SEAM_CALLBACK(SEAM_PRE, \"open\", f), SEAM_CALLBACK(SEAM_PRE, \"\", f) };"), "callback 2: it names no function", ""},
		{so("const struct seam_callback seam_callbacks[] = { SEAM_CALLBACK(SEAM_PRE, \"open\", 0) };"), "callback 1: it has no code", ""},
		{so("const struct seam_callback seam_callbacks[65] = { SEAM_CALLBACK(SEAM_PRE, \"open\", f) };"), "65 callbacks; at most 64", ""},
		{writable, "others can write", "chmod go-w"},
	} {
		_, err := Read(c.file)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.Error(), c.msg) || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%s: %v, want %q, %q", c.file, err, c.msg, c.hint)
		}
	}
}
