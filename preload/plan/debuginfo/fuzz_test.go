package debuginfo

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// tiny is a small real object, so that mutations stay near the interesting
// bytes.
func tiny(t testing.TB, flags ...string) []byte {
	t.Helper()
	lib := filepath.Join(t.TempDir(), "tiny.so")
	args := append([]string{"-shared", "-fPIC", "-nostdlib", "-Wl,--build-id", "-o", lib, "testdata/tiny.c"}, flags...)
	if out, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		t.Fatalf("gcc %v: %v\n%s", args, err, out)
	}
	b, err := os.ReadFile(lib)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// read does with a file all that the planner does.
func read(b []byte) (symbols, prototypes int) {
	f := New(bytes.NewReader(b), int64(len(b)), "/nowhere/tiny.so")
	if f == nil {
		return
	}
	defer f.Close()
	info, _ := f.DWARF(nil)
	f.debuglink()
	f.findAlt(nil)
	f.Symbols(func(s Symbol) bool {
		symbols++
		if info != nil {
			for _, clone := range []bool{false, true} {
				if h, _ := info.Prototype(s.Name, s.Addr, clone); h != nil && !clone {
					prototypes++
				}
			}
		}
		return symbols < 1000
	})
	return symbols, prototypes
}

var seeds = [][]string{{"-g", "-O0"}, {"-g", "-O2"}, {"-gdwarf-4", "-O2"}, {"-g", "-gz=zlib"}}

func TestTiny(t *testing.T) {
	for _, flags := range seeds {
		if s, p := read(tiny(t, flags...)); s < 2 || p < 2 {
			t.Errorf("%v: %d symbols, %d prototypes", flags, s, p)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, flags := range seeds {
		f.Add(tiny(f, flags...))
	}
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	f.Fuzz(func(t *testing.T, b []byte) { read(b) })
}
