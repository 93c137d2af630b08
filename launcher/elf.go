package launcher

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// The few ELF facts the launcher needs. debug/elf would read more than that and
// has panicked on odd files; here every offset and length is checked once,
// against the file's size, before it is used.

const (
	elfHeaderSize  = 64
	progHeaderSize = 56

	maxProgHeaders = 4096
	maxInterp      = 4096
	maxDynamic     = 1 << 20
	maxString      = 4096
	maxNeeded      = 4096

	etExec = 2
	etDyn  = 3

	ptLoad    = 1
	ptDynamic = 2
	ptInterp  = 3

	dtNeeded  = 1
	dtStrtab  = 5
	dtStrsz   = 10
	dtSoname  = 14
	dtRpath   = 15
	dtRunpath = 29
	dtFlags1  = 0x6ffffffb

	df1Nodeflib = 0x800
)

var errNotELF = errors.New("not an ELF file")

// errShape is what a damaged file is refused with.
type errShape string

func (e errShape) Error() string { return string(e) }

// errMachine is a sound ELF file for another machine.
type errMachine string

func (e errMachine) Error() string { return string(e) }

// object is what was read of one ELF file.
type object struct {
	kind       uint16 // ET_EXEC, ET_DYN, ...
	interp     string // "" without PT_INTERP
	dynamic    bool   // has PT_DYNAMIC
	soname     string
	needed     []string
	rpath      string
	runpath    string
	hasRunpath bool
	nodeflib   bool
}

type segment struct {
	kind       uint32
	off, vaddr uint64
	filesz     uint64
}

// readObjectFile opens and reads one ELF file.
func readObjectFile(path string) (*object, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, errNotELF
	}
	return readObject(f, uint64(st.Size()))
}

// readObject reads an ELF file of the given size.
func readObject(r io.ReaderAt, size uint64) (*object, error) {
	le := binary.LittleEndian
	if size < 4 {
		return nil, errNotELF
	}
	var h [elfHeaderSize]byte
	n, err := r.ReadAt(h[:min(size, elfHeaderSize)], 0)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read ELF header: %w", err)
	}
	if n < 4 || string(h[:4]) != "\x7fELF" {
		return nil, errNotELF
	}
	if n < 20 {
		return nil, errShape("the header is cut short")
	}
	if h[4] != 1 && h[4] != 2 || h[5] != 1 && h[5] != 2 {
		return nil, errShape("unknown class or byte order")
	}
	machine := le.Uint16(h[18:])
	if h[5] == 2 {
		machine = binary.BigEndian.Uint16(h[18:])
	}
	if name := machineName(machine); h[4] != 2 || h[5] != 1 || machine != nativeMachine {
		bits := "64-bit"
		switch {
		case h[4] == 1 && machine == machineX86_64:
			bits = "32-bit (x32)"
		case h[4] == 1:
			bits = "32-bit"
		}
		return nil, errMachine(bits + " " + name)
	}
	if n < elfHeaderSize {
		return nil, errShape("the header is cut short")
	}
	o := &object{kind: le.Uint16(h[16:])}
	phoff, phentsize, phnum := le.Uint64(h[32:]), le.Uint16(h[54:]), uint64(le.Uint16(h[56:]))
	if phnum == 0 {
		return o, nil
	}
	if phentsize != progHeaderSize || phnum > maxProgHeaders {
		return nil, errShape("odd program headers")
	}
	raw, err := readRange(r, size, phoff, phnum*progHeaderSize)
	if err != nil {
		return nil, errShape("the program headers lie outside the file")
	}
	segs := make([]segment, 0, phnum)
	for ; len(raw) >= progHeaderSize; raw = raw[progHeaderSize:] {
		segs = append(segs, segment{
			kind: le.Uint32(raw),
			off:  le.Uint64(raw[8:]), vaddr: le.Uint64(raw[16:]),
			filesz: le.Uint64(raw[32:]),
		})
	}
	for _, s := range segs {
		switch s.kind {
		case ptInterp:
			if s.filesz == 0 || s.filesz > maxInterp {
				return nil, errShape("odd interpreter name")
			}
			b, err := readRange(r, size, s.off, s.filesz)
			if err != nil {
				return nil, errShape("the interpreter's name lies outside the file")
			}
			o.interp = cString(b)
		case ptDynamic:
			o.dynamic = true
			if err := o.readDynamic(r, size, s, segs); err != nil {
				return nil, err
			}
		}
	}
	return o, nil
}

func (o *object) readDynamic(r io.ReaderAt, size uint64, s segment, segs []segment) error {
	le := binary.LittleEndian
	if s.filesz > maxDynamic {
		return errShape("the dynamic section is too large")
	}
	if s.filesz == 0 {
		return nil // a separate debug file: headers without contents
	}
	raw, err := readRange(r, size, s.off, s.filesz)
	if err != nil {
		return errShape("the dynamic section lies outside the file")
	}
	var strtab, strsz uint64
	var names []struct{ tag, val uint64 }
scan:
	for ; len(raw) >= 16; raw = raw[16:] {
		tag, val := le.Uint64(raw), le.Uint64(raw[8:])
		switch tag {
		case 0:
			break scan
		case dtStrtab:
			strtab = val
		case dtStrsz:
			strsz = val
		case dtFlags1:
			o.nodeflib = val&df1Nodeflib != 0
		case dtNeeded, dtSoname, dtRpath, dtRunpath:
			if len(names) >= maxNeeded {
				return errShape("too many dynamic entries")
			}
			names = append(names, struct{ tag, val uint64 }{tag, val})
		}
	}
	if len(names) == 0 {
		return nil
	}
	off, room, ok := fileOffset(segs, strtab)
	if !ok {
		return errShape("the string table lies outside the file")
	}
	strsz = min(strsz, room)
	for _, n := range names {
		if n.val >= strsz {
			return errShape("a name lies outside the string table")
		}
		b, err := readRange(r, size, off+n.val, min(strsz-n.val, maxString))
		if err != nil {
			return errShape("the string table lies outside the file")
		}
		str := cString(b)
		switch n.tag {
		case dtNeeded:
			o.needed = append(o.needed, str)
		case dtSoname:
			o.soname = str
		case dtRpath:
			o.rpath = str
		case dtRunpath:
			o.runpath, o.hasRunpath = str, true
		}
	}
	return nil
}

// fileOffset turns an address into an offset in the file, and says how many
// bytes of the file follow it in the same segment.
func fileOffset(segs []segment, vaddr uint64) (off, room uint64, ok bool) {
	for _, s := range segs {
		if s.kind == ptLoad && vaddr >= s.vaddr && vaddr-s.vaddr < s.filesz {
			d := vaddr - s.vaddr
			if s.off+d < s.off {
				return 0, 0, false
			}
			return s.off + d, s.filesz - d, true
		}
	}
	return 0, 0, false
}

func readRange(r io.ReaderAt, size, off, n uint64) ([]byte, error) {
	if off > size || n > size-off {
		return nil, io.ErrUnexpectedEOF
	}
	b := make([]byte, n)
	if _, err := r.ReadAt(b, int64(off)); err != nil && err != io.EOF {
		return nil, err
	}
	return b, nil
}

func cString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

const machineX86_64 = 62

func machineName(m uint16) string {
	switch m {
	case 3:
		return "x86"
	case 8:
		return "MIPS"
	case 20, 21:
		return "PowerPC"
	case 22:
		return "s390"
	case 40:
		return "ARM"
	case machineX86_64:
		return "x86-64"
	case 183:
		return "ARM64"
	case 243:
		return "RISC-V"
	case 258:
		return "LoongArch"
	}
	return fmt.Sprintf("machine %d", m)
}
