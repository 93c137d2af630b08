package unwind

import (
	"debug/elf"
	"os"
	"path/filepath"
	"testing"
)

// Tables are of files that others wrote: whatever they say, reading and running them ends.
func FuzzTable(f *testing.F) {
	if exe, err := os.Executable(); err == nil {
		if e, err := elf.Open(exe); err == nil {
			if s := e.Section(".eh_frame"); s != nil {
				if b, err := s.Data(); err == nil {
					f.Add(b[:min(len(b), 4096)], s.Addr)
				}
			}
		}
	}
	b, addr := libcTable(f)
	f.Add(b, addr)
	f.Fuzz(func(t *testing.T, b []byte, addr uint64) {
		tab := parse(b, addr)
		stack := make([]byte, 512)
		for i := range stack {
			stack[i] = byte(i)
		}
		for i := range tab.fdes[:min(len(tab.fdes), 64)] {
			e := &tab.fdes[i]
			if e.hi <= e.lo && e.hi != 0 {
				continue // wraps: nothing is found there
			}
			var r regs
			for k := range nregs {
				r.set(k, 0x1000+uint64(k))
			}
			was := r.v[regSP]
			if e.caller(&r, memory{0x1000, stack}, e.lo) && !e.cie.signal && r.v[regSP] <= was {
				t.Errorf("the stack does not go down: %#x after %#x", r.v[regSP], was)
			}
		}
	})
}

const libc = "/lib/x86_64-linux-gnu/libc.so.6"

func libcTable(t testing.TB) ([]byte, uint64) {
	e, err := elf.Open(libc)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	s := e.Section(".eh_frame")
	b, err := s.Data()
	if err != nil {
		t.Fatal(err)
	}
	return b[:8192], s.Addr
}

// At the first instruction of a function the caller is what a call left on the stack: for
// each function of libc whose entry is of the common kind.
func TestCallerAtEntry(t *testing.T) {
	e, err := elf.Open(libc)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	s := e.Section(".eh_frame")
	b, err := s.Data()
	if err != nil {
		t.Fatal(err)
	}
	tab := parse(b, s.Addr)
	syms, err := e.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	stack := make([]byte, 64)
	le.PutUint64(stack, 0x7777)
	found := 0
	for _, sym := range syms {
		if elf.ST_TYPE(sym.Info) != elf.STT_FUNC || sym.Section == elf.SHN_UNDEF {
			continue
		}
		f := tab.find(sym.Value)
		if f == nil || f.lo != sym.Value || f.cie.signal {
			continue
		}
		var r regs
		r.set(regSP, 0x1000)
		r.set(regBP, 0x5555)
		if !f.caller(&r, memory{0x1000, stack}, sym.Value) {
			continue // the outermost functions have none
		}
		if r.v[regIP] != 0x7777 || r.v[regSP] != 0x1008 || r.v[regBP] != 0x5555 {
			t.Errorf("%s: %#x", sym.Name, r.v)
		}
		found++
	}
	if found < 1000 {
		t.Errorf("%d functions were found", found)
	}
}

// Behind `push %rbp; mov %rsp, %rbp` and the like the rules of the place hold, not those of the entry.
func TestRowsOfAPlace(t *testing.T) {
	c := &cie{code: 1, data: -8, ra: regIP, ops: []byte{
		0x0c, 7, 8, // def_cfa rsp+8
		0x80 | regIP, 1, // ip at cfa-8
	}}
	f := &fde{lo: 0x100, hi: 0x200, cie: c, ops: []byte{
		0x41,                      // 0x101
		0x0e, 16, 0x80 | regBP, 2, // def_cfa_offset 16, bp at cfa-16
		0x43,        // 0x104
		0x0d, regBP, // def_cfa_register bp
		0x0a,                     // remember
		0x4c,                     // 0x110
		0x0c, 7, 8, 0xc0 | regBP, // def_cfa rsp+8, bp as at the entry
		0x41, // 0x111
		0x0b, // restore
	}}
	stack := make([]byte, 64)
	le.PutUint64(stack[16:], 0xb) // the caller's bp
	le.PutUint64(stack[24:], 0xa) // where it goes on
	le.PutUint64(stack, 0xc)
	for _, tc := range []struct{ pc, sp, ip, up, bp uint64 }{
		{0x100, 0x1018, 0xa, 0x1020, 0x1010},
		{0x101, 0x1010, 0xa, 0x1020, 0xb},
		{0x104, 0x1000, 0xa, 0x1020, 0xb},
		{0x10f, 0x1000, 0xa, 0x1020, 0xb},
		{0x110, 0x1018, 0xa, 0x1020, 0x1010},
		{0x111, 0x1000, 0xa, 0x1020, 0xb},
	} {
		var r regs
		r.set(regSP, tc.sp)
		r.set(regBP, 0x1010)
		if !f.caller(&r, memory{0x1000, stack}, tc.pc) || r.v[regIP] != tc.ip || r.v[regSP] != tc.up || r.v[regBP] != tc.bp {
			t.Errorf("at %#x: %#x", tc.pc, r.v)
		}
	}
}

// The expression that linkers write for a PLT: deeper by 8 behind its push.
func TestExpression(t *testing.T) {
	plt := []byte{0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22}
	for _, tc := range []struct{ ip, want uint64 }{{0x20, 0x1008}, {0x2a, 0x1008}, {0x2b, 0x1010}, {0x2f, 0x1010}} {
		var r regs
		r.set(regSP, 0x1000)
		r.set(regIP, tc.ip)
		if v, ok := eval(plt, &r, memory{}, 0, false); !ok || v != tc.want {
			t.Errorf("at %#x: %#x, %v", tc.ip, v, ok)
		}
	}
}

// A stack of this very process, of which no table is known where it is: what is not mapped is an address.
func TestNothingMapped(t *testing.T) {
	var w Walker
	got := w.Stack(os.Getpid(), 0x10, 0x1000, 0, nil, func(string) bool { return false })
	if len(got) != 1 || got[0] != "0x10" {
		t.Errorf("%q", got)
	}
	if o := w.load(os.Getpid(), filepath.Join(t.TempDir(), "none")); o != nil {
		t.Errorf("%+v", o)
	}
}
