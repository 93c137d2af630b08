package plan

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	funcAddr  = 0x1000   // where f is, unless the source says otherwise
	trampAddr = 0x100000 // where its trampoline will be
)

// source is a test function, with the directives in its comments.
type source struct {
	file              string
	start, size, next int
}

func readSource(t *testing.T, file string) source {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := source{file: file, start: funcAddr, size: -1}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) != 3 || f[0] != "#" {
			continue
		}
		n, err := strconv.ParseInt(f[2], 0, 32)
		if err != nil {
			continue
		}
		switch f[1] {
		case "start":
			s.start = int(n)
		case "size":
			s.size = int(n)
		case "next":
			s.next = int(n)
		}
	}
	return s
}

// assemble turns a source into the bytes it has at addr.
func assemble(t *testing.T, file string, addr int) []byte {
	t.Helper()
	dir := t.TempDir()
	obj, bin := filepath.Join(dir, "x.o"), filepath.Join(dir, "x.bin")
	syms := []string{"--defsym", "data=0x5004", "--defsym", "data2=0x5104", "--defsym", "elsewhere=0x8000"}
	if strings.HasSuffix(file, ".out.S") {
		syms = append(syms, "--defsym", "f="+strconv.Itoa(funcAddr))
	}
	for _, c := range [][]string{
		{"gcc", "-c", "-o", obj, file},
		append([]string{"ld", "--oformat=binary", "-e", "0", "-Ttext=0x" + strconv.FormatInt(int64(addr), 16), "-o", bin, obj}, syms...),
	} {
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", c, err, out)
		}
	}
	code, err := os.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func (s source) body(code []byte) body {
	f := body{vaddr: uint64(s.start), code: code, size: len(code)}
	if s.size >= 0 {
		f.size = s.size
	}
	if s.next > 0 {
		f.next = f.vaddr + uint64(s.next)
	}
	return f
}

// place applies the fixes as the core does.
func place(m moved, at, bias uint64) []byte {
	code := append([]byte(nil), m.code...)
	for _, f := range m.fixes {
		switch f.Kind {
		case FixRel32:
			le.PutUint32(code[f.At:], uint32(f.Target+bias-(at+uint64(f.At)+uint64(f.Addend))))
		case FixAbs64:
			le.PutUint64(code[f.At:], f.Target+bias)
		}
	}
	return code
}

func TestGoldenTrampolines(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.in.S")
	if len(files) < 15 {
		t.Fatalf("only %d golden sources", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".in.S"), func(t *testing.T) {
			t.Parallel()
			s := readSource(t, file)
			m, r := relocate(s.body(assemble(t, file, s.start)))
			if r != nil {
				t.Fatalf("refused: %v %s", r.reason, r.detail)
			}
			got := place(m, trampAddr, 0)
			want := assemble(t, strings.TrimSuffix(file, ".in.S")+".out.S", trampAddr)
			// The golden sources are written with the assembler's choice of
			// jump length; the planner's is always near.
			if !bytes.Equal(got, want) {
				t.Errorf("trampoline\n got % x\nwant % x", got, want)
			}
			if m.patchLen < jumpLen || m.patchLen > maxPatch {
				t.Errorf("patch of %d bytes", m.patchLen)
			}
		})
	}
}

func TestGoldenRefusals(t *testing.T) {
	files, _ := filepath.Glob("testdata/refuse/*.S")
	if len(files) < 15 {
		t.Fatalf("only %d sources", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".S"), func(t *testing.T) {
			t.Parallel()
			s := readSource(t, file)
			m, r := relocate(s.body(assemble(t, file, s.start)))
			want, _, _ := strings.Cut(filepath.Base(file), ".")
			if r == nil {
				t.Fatalf("not refused: % x", m.code)
			}
			if got := r.reason.String(); got != want {
				t.Errorf("refused for %s (%s), want %s", got, r.detail, want)
			}
		})
	}
}
