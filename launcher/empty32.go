package launcher

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// emptyLibrary32 is a shared library for 32-bit x86 that contains nothing: one
// segment, read-only, with the tables a loader insists on, all of them empty.
func emptyLibrary32() []byte {
	const (
		headers = 52 + 3*32 // ELF header, three program headers
		dynamic = headers
		entries = 6
		hash    = dynamic + entries*8
		symtab  = hash + 4*4
		strtab  = symtab + 16
		size    = strtab + 4
	)
	le := binary.LittleEndian
	var b bytes.Buffer
	put := func(v any) { binary.Write(&b, le, v) } // to memory: cannot fail
	h := elf.Header32{Type: uint16(elf.ET_DYN), Machine: uint16(elf.EM_386), Version: uint32(elf.EV_CURRENT),
		Phoff: 52, Ehsize: 52, Phentsize: 32, Phnum: 3, Shentsize: 40}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS32), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	put(h)
	// The loader writes into the dynamic section, unless a machine's ABI says not to: so it is writable.
	put(elf.Prog32{Type: uint32(elf.PT_LOAD), Filesz: size, Memsz: size, Flags: uint32(elf.PF_R | elf.PF_W), Align: 4096})
	put(elf.Prog32{Type: uint32(elf.PT_DYNAMIC), Off: dynamic, Vaddr: dynamic, Paddr: dynamic, Filesz: entries * 8, Memsz: entries * 8,
		Flags: uint32(elf.PF_R | elf.PF_W), Align: 4})
	// Without this one the loader takes it that the library wants an executable stack.
	put(elf.Prog32{Type: uint32(elf.PT_GNU_STACK), Flags: uint32(elf.PF_R | elf.PF_W), Align: 16})
	for _, d := range []elf.Dyn32{
		{Tag: int32(elf.DT_HASH), Val: hash},
		{Tag: int32(elf.DT_SYMTAB), Val: symtab},
		{Tag: int32(elf.DT_SYMENT), Val: 16},
		{Tag: int32(elf.DT_STRTAB), Val: strtab},
		{Tag: int32(elf.DT_STRSZ), Val: 1},
		{Tag: int32(elf.DT_NULL)},
	} {
		put(d)
	}
	put([4]uint32{1, 1, 0, 0}) // one bucket, one symbol: the one that is none
	put(elf.Sym32{})
	put([4]byte{})
	return b.Bytes()
}
