// Command postlink finishes the agent library after the Go linker: it records
// where the parts of the Go runtime are that the core depends on, and makes
// the runtime's five ways to end the process lead to seam_park_entry.
//
// It also takes Go's own relocations away from the loader (relocs.go).
//
// It checks every fact it relies on and fails the build when one is not as
// expected, so that a new Go version cannot change them unnoticed.
//
//	postlink libseam.so
//	postlink -trim libseam.so    after strip, which would drop what no section holds
package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
)

const (
	factsMagic   = 0x3153544341464d53 // preload/core/facts.h
	sigtableSize = 65 * 24            // runtime.sigtable: 65 entries {int32 flags; string name}
	jmpLen       = 5
)

// fatal are the runtime functions that end the process or raise a signal in
// it (Go 1.26: runtime/sys_linux_amd64.s, runtime/signal_unix.go, runtime/asm_amd64.s).
var fatal = []string{"runtime.exit", "runtime.dieFromSignal", "runtime.raise", "runtime.raiseproc", "runtime.abort"}

// skipped do work at the start that the agent has no use for. Each is made to return at
// once, unless something is linked that needs what it does.
var skipped = []struct{ name, unless string }{
	// Reads the cgroup's CPU quota from three files, even where GODEBUG containermaxprocs=0 says
	// that nobody wants it (runtime/cgroup_linux.go). The core chooses GOMAXPROCS.
	{"runtime.defaultGOMAXPROCSInit", ""},
	// Makes packages follow GODEBUG; our settings are the runtime's own, which reads them itself.
	{"internal/godebug.init.0", ""},
	// Binds dlopen and its like, by reflection, for purego.Dlopen and its like.
	{"github.com/ebitengine/purego.init.0", "github.com/ebitengine/purego.Dl"},
}

func main() {
	do := run
	if len(os.Args) == 3 && os.Args[1] == "-trim" {
		do = trim
	} else if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: postlink [-trim] libseam.so")
		os.Exit(2)
	}
	if err := do(os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintf(os.Stderr, "postlink: %v\n", err)
		os.Exit(1)
	}
}

type image struct {
	data []byte
	file *elf.File
	syms map[string]elf.Symbol
}

func run(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	list, err := f.Symbols()
	if err != nil {
		return fmt.Errorf("read symbols of %s: %w", path, err)
	}
	im := &image{data: data, file: f, syms: make(map[string]elf.Symbol, len(list))}
	for _, s := range list {
		if s.Section != elf.SHN_UNDEF {
			im.syms[s.Name] = s
		}
	}
	if err := im.patchFatal(); err != nil {
		return err
	}
	if err := im.patchSkipped(); err != nil {
		return err
	}
	relocs, err := im.deferRelocations()
	if err != nil {
		return err
	}
	if err := im.writeFacts(relocs); err != nil {
		return err
	}
	return os.WriteFile(path, im.data, 0o755)
}

// offset turns a virtual address into a file offset of n bytes.
func (im *image) offset(vaddr, n uint64) (uint64, error) {
	for _, p := range im.file.Progs {
		if p.Type == elf.PT_LOAD && vaddr >= p.Vaddr && vaddr+n <= p.Vaddr+p.Filesz {
			return vaddr - p.Vaddr + p.Off, nil
		}
	}
	return 0, fmt.Errorf("address %#x has no bytes in the file", vaddr)
}

func (im *image) sym(name string) (elf.Symbol, error) {
	s, ok := im.syms[name]
	if !ok {
		return s, fmt.Errorf("symbol %s not found: does this Go version still have it?", name)
	}
	return s, nil
}

func (im *image) patchFatal() error {
	park, err := im.sym("seam_park_entry")
	if err != nil {
		return err
	}
	for _, name := range fatal {
		n := 0
		for _, variant := range []string{name, name + ".abi0"} { // one per calling convention
			s, ok := im.syms[variant]
			if !ok {
				continue
			}
			at, err := im.offset(s.Value, jmpLen)
			if err != nil {
				return fmt.Errorf("patch %s: %w", variant, err)
			}
			if elf.ST_TYPE(s.Info) != elf.STT_FUNC || !roomForJump(im.data[at:at+jmpLen], s.Size) {
				return fmt.Errorf("%s: no room for a jump of %d bytes", variant, jmpLen)
			}
			im.data[at] = 0xe9 // jmp rel32
			binary.LittleEndian.PutUint32(im.data[at+1:], uint32(park.Value-(s.Value+jmpLen)))
			n++
		}
		if n == 0 {
			return fmt.Errorf("symbol %s not found: does this Go version still have it?", name)
		}
	}
	return nil
}

func (im *image) patchSkipped() error {
	for _, f := range skipped {
		if f.unless != "" && im.linked(f.unless) {
			continue
		}
		s, err := im.sym(f.name)
		if err != nil {
			return err
		}
		at, err := im.offset(s.Value, 1)
		if err != nil {
			return fmt.Errorf("patch %s: %w", f.name, err)
		}
		im.data[at] = 0xc3 // ret: no arguments, no results
	}
	return nil
}

// linked says whether there is a function whose name begins like this.
func (im *image) linked(prefix string) bool {
	for name, s := range im.syms {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// roomForJump says whether a function's first bytes may be overwritten: it is
// long enough, or followed by the assembler's padding (runtime.abort is 3 bytes).
func roomForJump(code []byte, size uint64) bool {
	for i := size; i < uint64(len(code)); i++ {
		if code[i] != 0xcc {
			return false
		}
	}
	return size > 0
}

func (im *image) writeFacts(relocs table) error {
	facts, err := im.sym("seam_facts")
	if err != nil {
		return err
	}
	words := []uint64{factsMagic}
	for _, name := range []string{"_rt0_amd64_linux_lib", "runtime.sigtable", "pthread_g", "x_cgo_pthread_key_created"} {
		s, err := im.sym(name)
		if err != nil {
			return err
		}
		if name == "runtime.sigtable" && s.Size != sigtableSize {
			return fmt.Errorf("runtime.sigtable is %d bytes, expected %d", s.Size, sigtableSize)
		}
		words = append(words, s.Value)
	}
	words = append(words, 1<<len(fatal)-1, relocs.addr, relocs.count)
	kept, err := im.keptPages()
	if err != nil {
		return err
	}
	words = append(words, kept[:]...)
	words = append(words, relocs.dataLo, relocs.dataHi)
	for _, name := range []string{"runtime.text", "runtime.etext", "runtime.sigpanic0.abi0"} {
		s, err := im.sym(name)
		if err != nil {
			return err
		}
		words = append(words, s.Value)
	}
	if uint64(len(words)*8) != facts.Size {
		return errors.New("seam_facts and postlink disagree about the table's size")
	}
	at, err := im.offset(facts.Value, facts.Size)
	if err != nil {
		return fmt.Errorf("write seam_facts: %w", err)
	}
	for i, w := range words {
		binary.LittleEndian.PutUint64(im.data[at+uint64(i)*8:], w)
	}
	return nil
}
