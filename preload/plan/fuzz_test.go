package plan

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seam-project/seam/hooks"
)

// Run these with -fuzzminimizetime 1x: with the default, the fuzzer spends the
// first minute of each find on making it smaller and executes next to nothing.

// buildAny plans everything in o and checks what must hold of any plan.
func buildAny(t *testing.T, o *Object) {
	p, err := Build(o, &hooks.Spec{Probes: []hooks.Probe{{Sym: "*", Instrument: hooks.Log}}})
	if err != nil {
		return
	}
	for i := range p.Sites {
		if s := &p.Sites[i]; !s.ByPointer() && !equivalent(t, s, o.text(make([]byte, maxWhole), s.Vaddr)) {
			t.Errorf("%q: trampoline is not the prologue\n%s", s.Name, p.Explain(s.Name))
		}
		p.Explain(p.Sites[i].Name)
	}
	if _, err := Decode(p.Encode()); err != nil {
		t.Errorf("own plan does not decode: %v", err)
	}
}

// tinyELF is a small real library, so that mutations stay near the interesting
// bytes.
func tinyELF(f *testing.F) []byte {
	lib := buildLib(f, "-O1", "-nostdlib", "-s", "-Wl,-z,noseparate-code", "testdata/tiny.c")
	b, err := os.ReadFile(lib)
	if err != nil {
		f.Fatal(err)
	}
	return b
}

func FuzzOpen(f *testing.F) {
	f.Add(tinyELF(f))
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	f.Add([]byte("\x7fELF\x01\x02\x01" + string(make([]byte, 64))))
	f.Fuzz(func(t *testing.T, b []byte) {
		if o, err := NewObject(bytes.NewReader(b), int64(len(b))); err == nil {
			o.Text()
			o.slotAt(0)
			buildAny(t, o)
		}
	})
}

func FuzzBuild(f *testing.F) {
	for _, code := range []string{
		"\xf3\x0f\x1e\xfa\x48\x83\xec\x08\xc3",
		"\x55\x48\x89\xe5\x5d\xc3",
		"\x74\x05\x8b\x07\xc3\x31\xc0\xc3",
		"\xc5\xfe\x6f\x05\x00\x01\x00\x00\xc5\xf8\x77\xc3",
		"\x62\xf3\x6d\x28\x25\x0d\x00\x01\x00\x00\x05\xc3",
		"\x48\x8b\x44\x24\x08\xff\xe0\x90",
		"\x83\xff\x06\x77\x10\x48\x8d\x15\x00\x00\x00\x00\x48\x63\x04\xba\x48\x01\xd0\xff\xe0",
	} {
		f.Add([]byte(code), uint16(len(code)), uint16(0))
	}
	f.Fuzz(func(t *testing.T, code []byte, size, next uint16) {
		if size == 0 || int(size) > len(code) {
			return
		}
		const at = 0x1000
		o := &Object{Path: "/x.so", Class: ClassELF64, Machine: MachineX8664, Type: TypeDyn,
			r: bytes.NewReader(code), size: uint64(len(code)),
			Segments: []Segment{{Vaddr: at, Filesz: uint64(len(code)), Memsz: uint64(len(code)), Exec: true}},
			Symbols:  []Symbol{{Name: "f", Type: SymFunc, Addr: at, Size: uint64(size)}}}
		if next > 0 {
			o.Symbols = append(o.Symbols, Symbol{Name: "g", Type: SymFunc, Addr: at + uint64(next), Size: 1})
		}
		o.index()
		buildAny(t, o)
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(samplePlan().Encode(), false)
	f.Add((&Plan{}).Encode(), false)
	f.Add(samplePlan().Encode(), true)
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		b = append([]byte(nil), b...)
		if seal && len(b) >= headerSize {
			copy(b, planMagic)
			le.PutUint32(b[hdrVersion:], planVersion)
			le.PutUint32(b[hdrSize:], uint32(len(b)))
			reseal(b)
		}
		p, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Decode(p.Encode())
		if err != nil {
			t.Fatalf("what was accepted does not decode: %v", err)
		}
		if d := cmp.Diff(p, again); d != "" {
			t.Error(d)
		}
	})
}
