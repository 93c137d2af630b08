package plan

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"

	"github.com/seam-project/seam/preload/plan/debuginfo"
)

// Identity names one state of one file. A plan is for exactly one.
type Identity = debuginfo.Identity

// Errors of Open that callers tell apart.
var (
	ErrNotELF  = errors.New("not an ELF file")
	ErrDamaged = errors.New("damaged ELF file")
)

// ELF constants that callers of Object need, as in elf.h.
const (
	ClassELF32 = 1
	ClassELF64 = 2

	TypeExec = 2 // at a fixed address
	TypeDyn  = 3 // shared object or position-independent program

	MachineX86   = 3
	MachineX8664 = 62
	MachineARM64 = 183
)

// SymType is the type of a dynamic symbol, as in elf.h.
type SymType uint8

const (
	SymNone   SymType = 0
	SymObject SymType = 1
	SymFunc   SymType = 2
	SymTLS    SymType = 6
	SymIFunc  SymType = 10
)

// Symbol is one definition of the object.
type Symbol struct {
	Name    string
	Version string // "" when the object has no versions
	Hidden  bool   // name@version, not name@@version: only old programs bind to it
	Type    SymType
	Addr    uint64 // virtual address in the file
	Size    uint64
	From    Source
	Clone   string // the symbol itself, when Name is the function that it is a compiler's copy of
}

// Segment is a loadable part of the file.
type Segment struct {
	Vaddr, Filesz, Memsz, Off uint64
	Exec, Write               bool
}

// Object is what seam needs to know of one ELF file.
type Object struct {
	Path     string
	ID       Identity
	Class    uint8
	Big      bool // big-endian
	Machine  uint16
	Type     uint16
	Interp   string // path of the program interpreter, "" when there is none
	Soname   string
	Needed   []string
	Segments []Segment
	Dynamic  bool     // it has a dynamic section
	PIEFlag  bool     // DF_1_PIE: a program, though of type TypeDyn
	Symbols  []Symbol // what the object exports

	r      io.ReaderAt
	size   uint64
	closer io.Closer
	byAddr []int32 // indexes of code symbols, by address
	byName map[string][]int32

	tags           map[uint64]uint64 // dynamic section
	symtab, strtab []byte
	slots          map[uint64]slot // by address; nil until asked for
	stubs          map[uint64]slot // by address of the stub; no name: not one
	ehHdr          uint64          // address of .eh_frame_hdr, 0 none
	fdes           []fdeRow        // its rows; nil until asked for
	gaps           map[int]gap     // in front of row i's function; live.go
	reads          int             // of code
	whole          *wholeText
}

// Open reads the ELF file at path. The object keeps the file open, because
// Build reads the code of the functions it plans: Close it.
func Open(path string) (*Object, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open object: %w", err)
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("stat object %s: %w", path, err)
	}
	if !st.Mode().IsRegular() {
		f.Close()
		return nil, fmt.Errorf("open object %s: %w", path, ErrNotELF)
	}
	o, err := NewObject(f, st.Size())
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("read object %s: %w", path, err)
	}
	o.Path, o.closer = path, f
	if abs, err := filepath.Abs(path); err == nil {
		o.Path = abs
	}
	o.ID = debuginfo.IdentityOf(st)
	return o, nil
}

// Close closes the file. The object's fields stay readable.
func (o *Object) Close() error {
	if o.closer == nil {
		return nil
	}
	return o.closer.Close()
}

// NewObject reads an ELF file of size bytes. Damage beyond the header leaves
// fields empty rather than failing where the loader would not fail either.
func NewObject(r io.ReaderAt, size int64) (o *Object, err error) {
	// Every read below is checked; this is for the one that is not.
	defer func() {
		if p := recover(); p != nil {
			o, err = nil, ErrDamaged
		}
	}()
	if size < 0 {
		size = 0
	}
	o = &Object{r: r, size: uint64(size)}
	if err := o.header(); err != nil {
		return nil, err
	}
	o.index()
	return o, nil
}

// Static: no loader will run, so nothing can be preloaded.
func (o *Object) Static() bool { return o.Interp == "" && !(o.Type == TypeDyn && o.Soname != "") }

// PIE: a program that is mapped anywhere.
func (o *Object) PIE() bool { return o.Type == TypeDyn && (o.PIEFlag || o.Interp != "") }

// Base is the file name, without folders.
func (o *Object) Base() string { return filepath.Base(o.Path) }

// Name is what the object is called in definitions and messages.
func (o *Object) Name() string {
	if o.Soname != "" {
		return o.Soname
	}
	return o.Base()
}

// Supported: this planner knows the object's instruction set.
func (o *Object) Supported() bool {
	return o.Class == ClassELF64 && !o.Big && o.Machine == MachineX8664
}

// Text is the range of addresses of the executable segments.
func (o *Object) Text() (lo, hi uint64) {
	for _, s := range o.Segments {
		if !s.Exec || s.Memsz == 0 {
			continue
		}
		if hi == 0 || s.Vaddr < lo {
			lo = s.Vaddr
		}
		hi = max(hi, s.Vaddr+s.Memsz)
	}
	return lo, hi
}

// read returns n bytes at a file offset. n is bounded by the file's size, so
// a lie in a header cannot make it allocate more than the file has.
func (o *Object) read(off, n uint64) ([]byte, bool) {
	if off > o.size || n > o.size-off {
		return nil, false
	}
	b := make([]byte, n)
	if m, err := o.r.ReadAt(b, int64(off)); m != len(b) && err != nil {
		return nil, false
	}
	return b, true
}

// at translates an address to a file offset and the number of bytes of the
// file that follow in the segment.
func (o *Object) at(vaddr uint64) (off, avail uint64, ok bool) {
	for i := range o.Segments {
		s := &o.Segments[i]
		if d := vaddr - s.Vaddr; vaddr >= s.Vaddr && d < s.Filesz {
			return s.Off + d, s.Filesz - d, true
		}
	}
	return 0, 0, false
}

// executable: vaddr is in an executable segment.
func (o *Object) executable(vaddr uint64) bool {
	for i := range o.Segments {
		if s := &o.Segments[i]; s.Exec && vaddr >= s.Vaddr && vaddr-s.Vaddr < s.Filesz {
			return true
		}
	}
	return false
}

// text fills buf with code from vaddr on, as much as its segment has.
func (o *Object) text(buf []byte, vaddr uint64) []byte {
	if !o.executable(vaddr) {
		return nil
	}
	off, avail, _ := o.at(vaddr)
	if off > o.size {
		return nil
	}
	n := min(uint64(len(buf)), avail, o.size-off)
	if o.reads++; o.reads >= manyReads {
		if whole := o.wholeText(); off >= whole.off && off+n <= whole.off+uint64(len(whole.code)) {
			return buf[:copy(buf[:n], whole.code[off-whole.off:])]
		}
	}
	m, err := o.r.ReadAt(buf[:n], int64(off))
	if err != nil && err != io.EOF {
		return nil
	}
	return buf[:m]
}

// An object of which many functions are read has its code read at once.
const (
	manyReads = 64
	mostText  = 16 << 20
)

type wholeText struct {
	off  uint64
	code []byte
}

// wholeText is the first executable segment, if it is not too large.
func (o *Object) wholeText() *wholeText {
	if o.whole == nil {
		o.whole = &wholeText{}
		for i := range o.Segments {
			if s := &o.Segments[i]; s.Exec && s.Filesz <= mostText {
				if code, ok := o.read(s.Off, s.Filesz); ok {
					*o.whole = wholeText{s.Off, code}
				}
				break
			}
		}
	}
	return o.whole
}

// lasting is as text, without a buffer when all code is in memory already. It is
// not to be written to.
func (o *Object) lasting(buf *[]byte, n int, vaddr uint64) []byte {
	if off, avail, ok := o.at(vaddr); ok && o.whole != nil && off >= o.whole.off && off-o.whole.off < uint64(len(o.whole.code)) {
		code := o.whole.code[off-o.whole.off:]
		n := min(uint64(n), avail, uint64(len(code)))
		return code[:n:n]
	}
	if cap(*buf) < n {
		*buf = make([]byte, max(n, 1<<16))
	}
	return o.text((*buf)[:n], vaddr)
}

func (o *Object) header() error {
	h, ok := o.read(0, 64)
	if !ok {
		if h, ok = o.read(0, 52); !ok {
			return ErrNotELF
		}
		h = append(h, make([]byte, 12)...)
	}
	if string(h[:4]) != "\x7fELF" || h[4] != ClassELF32 && h[4] != ClassELF64 || h[5] != 1 && h[5] != 2 {
		return ErrNotELF
	}
	o.Class, o.Big = h[4], h[5] == 2
	var bo binary.ByteOrder = binary.LittleEndian
	if o.Big {
		bo = binary.BigEndian
	}
	o.Type, o.Machine = bo.Uint16(h[16:]), bo.Uint16(h[18:])
	var phoff uint64
	var phentsize, phnum uint16
	if o.Class == ClassELF64 {
		phoff, phentsize, phnum = bo.Uint64(h[32:]), bo.Uint16(h[54:]), bo.Uint16(h[56:])
	} else {
		phoff, phentsize, phnum = uint64(bo.Uint32(h[28:])), bo.Uint16(h[42:]), bo.Uint16(h[44:])
	}
	least := uint16(56)
	if o.Class == ClassELF32 {
		least = 32
	}
	if phnum == 0 {
		return nil
	}
	if phentsize < least {
		return ErrDamaged
	}
	ph, ok := o.read(phoff, uint64(phentsize)*uint64(phnum))
	if !ok {
		return ErrDamaged
	}
	return o.programHeaders(ph, int(phentsize), bo)
}

// Program header types and flags, as in elf.h.
const (
	ptLoad, ptDynamic, ptInterp = 1, 2, 3
	ptEhFrame                   = 0x6474e550
	pfExec, pfWrite             = 1, 2
)

func (o *Object) programHeaders(ph []byte, size int, bo binary.ByteOrder) error {
	var dynOff, dynLen uint64
	for ; len(ph) >= size; ph = ph[size:] {
		typ := bo.Uint32(ph)
		var flags uint32
		var off, vaddr, filesz, memsz uint64
		if o.Class == ClassELF64 {
			flags = bo.Uint32(ph[4:])
			off, vaddr, filesz, memsz = bo.Uint64(ph[8:]), bo.Uint64(ph[16:]), bo.Uint64(ph[32:]), bo.Uint64(ph[40:])
		} else {
			flags = bo.Uint32(ph[24:])
			off, vaddr = uint64(bo.Uint32(ph[4:])), uint64(bo.Uint32(ph[8:]))
			filesz, memsz = uint64(bo.Uint32(ph[16:])), uint64(bo.Uint32(ph[20:]))
		}
		switch typ {
		case ptLoad:
			if off+filesz < off || vaddr+memsz < vaddr || vaddr+filesz < vaddr {
				return ErrDamaged
			}
			o.Segments = append(o.Segments, Segment{Vaddr: vaddr, Off: off, Filesz: filesz, Memsz: memsz,
				Exec: flags&pfExec != 0, Write: flags&pfWrite != 0})
		case ptDynamic:
			o.Dynamic = true
			dynOff, dynLen = off, filesz
		case ptEhFrame:
			o.ehHdr = vaddr
		case ptInterp:
			if b, ok := o.read(off, min(filesz, 4096)); ok {
				o.Interp = cstring(b)
			}
		}
	}
	// The rest is for planning, which knows one architecture; the launcher
	// says no to the others by machine and class.
	if o.Dynamic && o.Class == ClassELF64 && !o.Big {
		if dyn, ok := o.read(dynOff, min(dynLen, 1<<16)); ok {
			o.dynamic(dyn)
		}
	}
	return nil
}

func cstring(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// index prepares the look-ups of Build.
func (o *Object) index() {
	o.byName = make(map[string][]int32, len(o.Symbols))
	for i := range o.Symbols {
		s := &o.Symbols[i]
		o.byName[s.Name] = append(o.byName[s.Name], int32(i))
		if s.Type == SymFunc || s.Type == SymIFunc || s.Type == SymNone && o.executable(s.Addr) {
			o.byAddr = append(o.byAddr, int32(i))
		}
	}
	sort.Slice(o.byAddr, func(i, j int) bool {
		a, b := &o.Symbols[o.byAddr[i]], &o.Symbols[o.byAddr[j]]
		if a.Addr != b.Addr {
			return a.Addr < b.Addr
		}
		return o.byAddr[i] < o.byAddr[j]
	})
}

// symbolsAt are the code symbols at exactly addr.
func (o *Object) symbolsAt(addr uint64) []int32 {
	lo := sort.Search(len(o.byAddr), func(i int) bool { return o.Symbols[o.byAddr[i]].Addr >= addr })
	hi := lo
	for hi < len(o.byAddr) && o.Symbols[o.byAddr[hi]].Addr == addr {
		hi++
	}
	return o.byAddr[lo:hi]
}

// nextSymbol is the first code symbol above addr.
func (o *Object) nextSymbol(addr uint64) (uint64, bool) {
	i := sort.Search(len(o.byAddr), func(i int) bool { return o.Symbols[o.byAddr[i]].Addr > addr })
	if i == len(o.byAddr) {
		return 0, false
	}
	return o.Symbols[o.byAddr[i]].Addr, true
}
