package plan

import "encoding/binary"

// Dynamic section tags, as in elf.h. The dynamic section, not the section
// headers, is what the loader goes by, so a file without section headers
// is planned like any other.
const (
	dtNull      = 0
	dtNeeded    = 1
	dtHash      = 4
	dtStrtab    = 5
	dtSymtab    = 6
	dtRela      = 7
	dtRelasz    = 8
	dtStrsz     = 10
	dtSyment    = 11
	dtSoname    = 14
	dtPltrelsz  = 2
	dtJmprel    = 23
	dtGnuHash   = 0x6ffffef5
	dtVersym    = 0x6ffffff0
	dtFlags1    = 0x6ffffffb
	dtVerdef    = 0x6ffffffc
	dtVerdefnum = 0x6ffffffd

	df1PIE = 0x08000000

	symSize    = 24
	maxSymbols = 1 << 22
)

var le = binary.LittleEndian

// bytesAt reads up to n bytes of a segment from vaddr on.
func (o *Object) bytesAt(vaddr, n uint64) []byte {
	off, avail, ok := o.at(vaddr)
	if !ok {
		return nil
	}
	if off > o.size {
		return nil
	}
	b, _ := o.read(off, min(n, avail, o.size-off))
	return b
}

func (o *Object) dynamic(dyn []byte) {
	tags := map[uint64]uint64{}
	var needed []uint64
	for ; len(dyn) >= 16; dyn = dyn[16:] {
		tag, val := le.Uint64(dyn), le.Uint64(dyn[8:])
		if tag == dtNull {
			break
		}
		if tag == dtNeeded {
			needed = append(needed, val)
			continue
		}
		tags[tag] = val
	}
	o.PIEFlag = tags[dtFlags1]&df1PIE != 0
	o.tags = tags
	o.strtab = o.bytesAt(tags[dtStrtab], tags[dtStrsz])
	name := o.str
	for _, n := range needed {
		o.Needed = append(o.Needed, name(n))
	}
	if off, ok := tags[dtSoname]; ok {
		o.Soname = name(off)
	}
	n := o.symbolCount(tags)
	if n == 0 || tags[dtSyment] != symSize {
		return
	}
	syms := o.bytesAt(tags[dtSymtab], n*symSize)
	o.symtab = syms
	var versym []byte
	var versions map[uint16]string
	if v, ok := tags[dtVersym]; ok {
		versym = o.bytesAt(v, n*2)
		versions = o.versionNames(tags, name)
	}
	o.Symbols = make([]Symbol, 0, len(syms)/symSize)
	for i := 1; (i+1)*symSize <= len(syms); i++ {
		s := syms[i*symSize:]
		info, other, shndx := s[4], s[5], le.Uint16(s[6:])
		bind, vis := info>>4, other&3
		if shndx == 0 || shndx == 0xfff1 || bind == 0 || vis == 1 || vis == 2 {
			continue // undefined, absolute, local, internal, hidden
		}
		sym := Symbol{Name: name(uint64(le.Uint32(s))), Type: SymType(info & 15), Addr: le.Uint64(s[8:]), Size: le.Uint64(s[16:])}
		if sym.Name == "" {
			continue
		}
		if (i+1)*2 <= len(versym) {
			v := le.Uint16(versym[i*2:])
			sym.Hidden = v&0x8000 != 0
			sym.Version = versions[v&0x7fff]
		}
		o.Symbols = append(o.Symbols, sym)
	}
}

// symbolCount learns the length of the dynamic symbol table, which only the
// hash tables tell.
func (o *Object) symbolCount(tags map[uint64]uint64) uint64 {
	if h, ok := tags[dtHash]; ok {
		if b := o.bytesAt(h, 8); len(b) == 8 {
			return min(uint64(le.Uint32(b[4:])), maxSymbols)
		}
	}
	h, ok := tags[dtGnuHash]
	if !ok {
		return 0
	}
	hdr := o.bytesAt(h, 16)
	if len(hdr) < 16 {
		return 0
	}
	nbuckets, symoffset, bloom := uint64(le.Uint32(hdr)), uint64(le.Uint32(hdr[4:])), uint64(le.Uint32(hdr[8:]))
	bucketsAt := h + 16 + bloom*8
	buckets := o.bytesAt(bucketsAt, nbuckets*4)
	last := uint64(0)
	for ; len(buckets) >= 4; buckets = buckets[4:] {
		last = max(last, uint64(le.Uint32(buckets)))
	}
	if last < symoffset {
		return min(symoffset, maxSymbols) // nothing is exported
	}
	// The last chain ends at the first value with its lowest bit set.
	chain := o.bytesAt(bucketsAt+nbuckets*4+(last-symoffset)*4, 1<<16)
	for ; len(chain) >= 4; chain = chain[4:] {
		last++
		if chain[0]&1 != 0 {
			break
		}
	}
	return min(last, maxSymbols)
}

// versionNames reads the version definitions: index to name.
func (o *Object) versionNames(tags map[uint64]uint64, name func(uint64) string) map[uint16]string {
	names := map[uint16]string{}
	at, ok := tags[dtVerdef]
	if !ok {
		return names
	}
	n := min(tags[dtVerdefnum], 1<<15)
	for ; n > 0; n-- {
		d := o.bytesAt(at, 20)
		if len(d) < 20 {
			break
		}
		if aux := o.bytesAt(at+uint64(le.Uint32(d[12:])), 8); len(aux) == 8 && le.Uint16(d[6:]) > 0 {
			names[le.Uint16(d[4:])&0x7fff] = name(uint64(le.Uint32(aux)))
		}
		next := uint64(le.Uint32(d[16:]))
		if next == 0 {
			break
		}
		at += next
	}
	return names
}
