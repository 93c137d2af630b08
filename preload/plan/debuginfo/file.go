package debuginfo

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Bounds on what is read of one file, in bytes after decompression.
const (
	maxTable   = 256 << 20 // of symbols, or of their names
	maxDebug   = 512 << 20 // all sections with DWARF
	maxLink    = 4096
	maxSymbols = 1 << 22
)

// Identity names one state of one file; the zero value: there is no file.
type Identity struct {
	Dev, Ino, Size, MtimeNS uint64
}

// Stat is the identity of the file at path, zero when there is none.
func Stat(path string) Identity {
	st, err := os.Stat(path)
	if err != nil || !st.Mode().IsRegular() {
		return Identity{}
	}
	return IdentityOf(st)
}

// IdentityOf takes it from what stat said.
func IdentityOf(st os.FileInfo) Identity {
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return Identity{}
	}
	return Identity{Dev: uint64(sys.Dev), Ino: sys.Ino, Size: uint64(sys.Size),
		MtimeNS: uint64(sys.Mtim.Sec)*1e9 + uint64(sys.Mtim.Nsec)}
}

// File is an ELF file by its section headers.
type File struct {
	Path    string
	BuildID []byte

	elf    *elf.File
	r      io.ReaderAt
	size   int64
	closer io.Closer
	info   *Info
	tried  bool // info is what there is
}

// New reads the section headers of an ELF file of size bytes. nil: it has none
// that make sense. The reader is not closed by Close.
func New(r io.ReaderAt, size int64, path string) *File {
	e, err := elf.NewFile(io.NewSectionReader(r, 0, size))
	if err != nil || e.Class != elf.ELFCLASS64 || e.Data != elf.ELFDATA2LSB {
		return nil
	}
	f := &File{Path: path, elf: e, r: r, size: size}
	f.BuildID = f.buildID()
	return f
}

// open is New for a file on disk; nil: not an ELF file.
func open(path string) *File {
	osf, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	st, err := osf.Stat()
	if err != nil || !st.Mode().IsRegular() {
		osf.Close()
		return nil
	}
	f := New(osf, st.Size(), path)
	if f == nil {
		osf.Close()
		return nil
	}
	f.closer = osf
	return f
}

// Close closes what New did not get from its caller, and the files found from
// here.
func (f *File) Close() {
	if f == nil {
		return
	}
	if f.info != nil {
		f.info.alt.close()
	}
	if f.closer != nil {
		f.closer.Close()
	}
}

// section is the content of a section, at most limit bytes of it decompressed;
// nil when there is none, or more.
func (f *File) section(name string, limit uint64) []byte {
	s := f.elf.Section(name)
	if s == nil || s.Type == elf.SHT_NOBITS || s.Size > limit || int64(s.FileSize) > f.size {
		return nil
	}
	b, err := s.Data()
	if err != nil || uint64(len(b)) > limit {
		return nil
	}
	return b
}

// Has reports whether there is a section of that name, with content.
func (f *File) Has(name string) bool {
	s := f.elf.Section(name)
	return s != nil && s.Type != elf.SHT_NOBITS && s.Size > 0
}

// debug is a DWARF section by the rest of its name: "info" is .debug_info, or
// .zdebug_info as older tools compressed it.
func (f *File) debug(name string) []byte {
	if b := f.section(".debug_"+name, maxDebug); b != nil {
		return b
	}
	b := f.section(".zdebug_"+name, maxDebug)
	if len(b) < 12 || string(b[:4]) != "ZLIB" {
		return nil
	}
	size := binary.BigEndian.Uint64(b[4:])
	z, err := zlib.NewReader(bytes.NewReader(b[12:]))
	if err != nil || size > maxDebug {
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(z, int64(size)))
	if err != nil || uint64(len(out)) != size {
		return nil
	}
	return out
}

// HasDWARF reports whether the file itself has prototypes to offer.
func (f *File) HasDWARF() bool { return f.Has(".debug_info") || f.Has(".zdebug_info") }

// HasSymbols reports whether the file has a .symtab.
func (f *File) HasSymbols() bool { return f.Has(".symtab") }

// Symbol is an entry of .symtab. Types and bindings are as in elf.h.
type Symbol struct {
	Name       string
	Type, Bind uint8
	Addr, Size uint64
}

// Symbols calls each with every code symbol that the file defines, until it
// returns false. Names are without version.
func (f *File) Symbols(each func(Symbol) bool) {
	sec := f.elf.Section(".symtab")
	if sec == nil || sec.Type != elf.SHT_SYMTAB || int(sec.Link) >= len(f.elf.Sections) || sec.Link == 0 {
		return
	}
	tab := f.section(".symtab", maxTable)
	link := f.elf.Sections[sec.Link]
	if link.Type != elf.SHT_STRTAB || link.Size > maxTable || int64(link.FileSize) > f.size {
		return
	}
	str, err := link.Data()
	if err != nil {
		return
	}
	for n := 0; len(tab) >= elf.Sym64Size && n < maxSymbols; tab, n = tab[elf.Sym64Size:], n+1 {
		typ, bind, shndx := tab[4]&15, tab[4]>>4, binary.LittleEndian.Uint16(tab[6:])
		if shndx == uint16(elf.SHN_UNDEF) || shndx == uint16(elf.SHN_ABS) || shndx == uint16(elf.SHN_COMMON) {
			continue
		}
		switch elf.SymType(typ) {
		case elf.STT_FUNC, elf.STT_GNU_IFUNC:
		case elf.STT_NOTYPE:
			if bind == uint8(elf.STB_LOCAL) {
				continue // a label
			}
		default:
			continue
		}
		off := binary.LittleEndian.Uint32(tab)
		if uint64(off) >= uint64(len(str)) {
			continue
		}
		name := str[off:]
		if i := bytes.IndexByte(name, 0); i >= 0 {
			name = name[:i]
		}
		if i := bytes.IndexByte(name, '@'); i > 0 {
			name = name[:i]
		}
		if len(name) == 0 || len(name) > maxLink {
			continue
		}
		if !each(Symbol{Name: string(name), Type: typ, Bind: bind,
			Addr: binary.LittleEndian.Uint64(tab[8:]), Size: binary.LittleEndian.Uint64(tab[16:])}) {
			return
		}
	}
}

// buildID is the content of the note NT_GNU_BUILD_ID.
func (f *File) buildID() []byte {
	if b := f.section(".note.gnu.build-id", maxLink); b != nil {
		return noteID(b)
	}
	for _, p := range f.elf.Progs {
		if p.Type != elf.PT_NOTE || p.Filesz > 1<<16 {
			continue
		}
		b := make([]byte, p.Filesz)
		if _, err := f.r.ReadAt(b, int64(p.Off)); err != nil {
			continue
		}
		if id := noteID(b); id != nil {
			return id
		}
	}
	return nil
}

func noteID(b []byte) []byte {
	for len(b) >= 12 {
		namesz, descsz, typ := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])
		name := uint64(12)
		desc := name + (uint64(namesz)+3)&^3
		end := desc + uint64(descsz)
		if end > uint64(len(b)) {
			return nil
		}
		if typ == 3 && string(b[name:name+uint64(namesz)]) == "GNU\x00" && descsz >= 2 && descsz <= 64 {
			return b[desc:end]
		}
		b = b[min((end+3)&^3, uint64(len(b))):]
	}
	return nil
}

// link reads .gnu_debuglink or .gnu_debugaltlink: a file name, and what comes
// behind its NUL.
func (f *File) link(section string) (name string, rest []byte) {
	b := f.section(section, maxLink)
	i := bytes.IndexByte(b, 0)
	if i <= 0 {
		return "", nil
	}
	return string(b[:i]), b[i+1:]
}

// debuglink is the name of the debug file and its CRC.
func (f *File) debuglink() (name string, crc uint32, ok bool) {
	b := f.section(".gnu_debuglink", maxLink)
	i := bytes.IndexByte(b, 0)
	at := (i + 4) &^ 3
	if i <= 0 || at+4 > len(b) || strings.ContainsRune(string(b[:i]), filepath.Separator) {
		return "", 0, false
	}
	return string(b[:i]), binary.LittleEndian.Uint32(b[at:]), true
}
