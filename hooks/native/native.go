// Package native reads what a shared object of callbacks (docs/native.md) has to say,
// from its file, without running any of it.
package native

import (
	"bytes"
	"debug/elf"
	_ "embed" // the header
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/trusted"
)

// Header is seam_callback.h.
//
//go:embed seam_callback.h
var Header string

// Symbol is the table of callbacks in a shared object.
const Symbol = "seam_callbacks"

// The layout of struct seam_callback.
const (
	abiVersion = 1
	entrySize  = 160
	textAt     = 8
	textSize   = 128
	callAt     = textAt + textSize
	reservedAt = callAt + 16
)

// maxEntries: each is a rule.
const maxEntries = hooks.MaxRules

// Error says what is wrong with a file, and what can be done.
type Error struct{ File, Msg, Hint string }

func (e *Error) Error() string { return fmt.Sprintf("'%s': %s", e.File, e.Msg) }

// Callback is an entry of the table.
type Callback struct {
	Position hooks.Position
	Function string // what it is for, as written
	Index    int    // in the table
	Uses     hooks.Registers
}

// File is what one shared object says.
type File struct {
	Path      string // absolute, without links
	Dev, Ino  uint64
	Size      uint64
	MtimeNS   uint64
	Callbacks []Callback
}

// Read reads a shared object. One that others can write is refused. Its errors are *Error.
func Read(file string) (*File, error) {
	fail := func(msg, hint string) (*File, error) { return nil, &Error{file, msg, hint} }
	path, err := filepath.Abs(file)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return fail(reason(err), "")
	}
	var te *trusted.Error
	if err := trusted.Check(path, "its code runs in your programs"); errors.As(err, &te) {
		return fail(te.Msg, te.Hint)
	}
	f, err := os.Open(path)
	if err != nil {
		return fail(reason(err), "")
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return fail("not a file", "")
	}
	obj, err := elf.NewFile(f)
	switch {
	case err != nil:
		return fail("not an ELF file", "build a shared object: cc -shared -fPIC -o cb.so cb.c")
	case obj.Machine != elf.EM_X86_64 || obj.Class != elf.ELFCLASS64:
		return fail("of another machine: "+obj.Machine.String(), "build it for x86-64")
	case obj.Type != elf.ET_DYN || isProgram(obj):
		return fail("not a shared object", "cc -shared -fPIC -o cb.so cb.c")
	}
	s := st.Sys().(*syscall.Stat_t)
	out := &File{Path: path, Dev: s.Dev, Ino: s.Ino, Size: uint64(s.Size), MtimeNS: uint64(s.Mtim.Nano())}
	if err := out.table(obj); err != nil {
		err.File = file
		return nil, err
	}
	return out, nil
}

func reason(err error) string {
	for inner := err; inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}

// isProgram: a position-independent program is ET_DYN, too.
func isProgram(obj *elf.File) bool {
	for _, p := range obj.Progs {
		if p.Type == elf.PT_INTERP {
			v, _ := obj.DynValue(elf.DT_FLAGS_1)
			return len(v) > 0 && v[0]&uint64(elf.DF_1_PIE) != 0
		}
	}
	return false
}

func (f *File) table(obj *elf.File) *Error {
	syms, err := obj.DynamicSymbols()
	var table *elf.Symbol
	for i := range syms {
		if s := &syms[i]; s.Name == Symbol && s.Section != elf.SHN_UNDEF {
			table = s
		}
	}
	switch {
	case table == nil:
		hint := "it must define and export seam_callbacks: seam hooks header"
		if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
			hint += " (its symbols can't be read: " + err.Error() + ")"
		}
		return &Error{Msg: "has no table of callbacks", Hint: hint}
	case elf.ST_TYPE(table.Info) != elf.STT_OBJECT:
		return &Error{Msg: Symbol + " is not data", Hint: "it is an array of struct seam_callback"}
	}
	b := read(obj, table.Value, table.Size)
	switch {
	case len(b) >= 4 && binary.LittleEndian.Uint32(b) != abiVersion:
		return &Error{Msg: fmt.Sprintf("its callbacks are of version %d of the ABI; this is version %d", binary.LittleEndian.Uint32(b), abiVersion), Hint: "build it with the header of this seam: seam hooks header"}
	case table.Size == 0 || table.Size%entrySize != 0 || uint64(len(b)) != table.Size:
		return &Error{Msg: fmt.Sprintf("%s has %d bytes, which is no number of entries of %d bytes", Symbol, table.Size, entrySize), Hint: "build it with the header of this seam: seam hooks header"}
	case table.Size/entrySize > maxEntries:
		return &Error{Msg: fmt.Sprintf("%d callbacks; at most %d", table.Size/entrySize, maxEntries), Hint: "a pattern can name several functions: open*"}
	}
	code := newCode(obj)
	for i := 0; len(b) > 0; i, b = i+1, b[entrySize:] {
		bad := func(msg, hint string) *Error {
			return &Error{Msg: fmt.Sprintf("callback %d: %s", i+1, msg), Hint: hint}
		}
		text, _, terminated := bytes.Cut(b[textAt:textAt+textSize], []byte{0})
		c := Callback{Position: hooks.Position(binary.LittleEndian.Uint32(b[4:])), Function: string(text), Index: i}
		at, known := code.pointer(table.Value+uint64(i)*entrySize+callAt, binary.LittleEndian.Uint64(b[callAt:]))
		switch {
		case binary.LittleEndian.Uint32(b) != abiVersion:
			return bad(fmt.Sprintf("of version %d of the ABI; this is version %d", binary.LittleEndian.Uint32(b), abiVersion), "build it with the header of this seam: seam hooks header")
		case c.Position < hooks.Pre || c.Position > hooks.Failing:
			return bad(fmt.Sprintf("its position is %d", c.Position), "SEAM_PRE, SEAM_POST or SEAM_FAILING")
		case !terminated || len(text) == 0:
			return bad("it names no function", "a text such as \"write\", ended by a 0")
		case binary.LittleEndian.Uint64(b[reservedAt:]) != 0:
			return bad("a reserved field is not 0", "build it with the header of this seam: seam hooks header")
		case known && at == 0:
			return bad("it has no code", "")
		}
		if known {
			c.Uses = code.uses(at)
		}
		f.Callbacks = append(f.Callbacks, c)
	}
	return nil
}

// read is the file's bytes at an address; fewer where there are none.
func read(obj *elf.File, addr, n uint64) []byte {
	for _, p := range obj.Progs {
		if p.Type == elf.PT_LOAD && addr >= p.Vaddr && addr-p.Vaddr < p.Filesz {
			b := make([]byte, min(n, p.Filesz-(addr-p.Vaddr), 1<<20))
			k, err := p.ReadAt(b, int64(addr-p.Vaddr))
			if err != nil && err != io.EOF {
				return nil
			}
			return b[:k]
		}
	}
	return nil
}
