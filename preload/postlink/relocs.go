package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
)

const (
	relaSize  = 24 // Elf64_Rela
	wordSize  = 8
	fewRelocs = 1000
)

// table is where the deferred relocations are, as words of 64 bits, and how many: see packed.
// dataLo to dataHi is what is relocated behind the part that is read-only afterwards.
type table struct{ addr, count, dataLo, dataHi uint64 }

type span struct{ lo, hi uint64 }

// goData are the parts of the image that only Go reads: its types, its
// initialised data and its module table. What the C core reads before Go runs
// lies outside them.
func (im *image) goData() ([]span, error) {
	var spans []span
	for _, names := range [][2]string{{"runtime.types", "runtime.itablink"}, {"runtime.data", "runtime.edata"}} {
		lo, err := im.sym(names[0])
		if err != nil {
			return nil, err
		}
		hi, err := im.sym(names[1])
		if err != nil {
			return nil, err
		}
		if hi.Value <= lo.Value {
			return nil, fmt.Errorf("%s is not before %s", names[0], names[1])
		}
		spans = append(spans, span{lo.Value, hi.Value})
	}
	for _, s := range im.file.Sections {
		if s.Name == ".go.module" {
			spans = append(spans, span{s.Addr, s.Addr + s.Size})
		}
	}
	return spans, nil
}

// packed says which words are to be relocated as the loaders of recent systems are told
// (DT_RELR): an even word is the address of one; an odd one has a bit, from the second
// on, for each of the 63 words that follow. Places are ascending, multiples of 8.
func packed(places []uint64) []byte {
	var b []byte
	for i := 0; i < len(places); {
		b = binary.LittleEndian.AppendUint64(b, places[i])
		next := places[i] + wordSize
		i++
		for i < len(places) {
			bits := uint64(0)
			for ; i < len(places) && places[i] < next+63*wordSize; i++ {
				bits |= 1 << ((places[i]-next)/wordSize + 1)
			}
			if bits == 0 {
				break
			}
			b = binary.LittleEndian.AppendUint64(b, bits|1)
			next += 63 * wordSize
		}
	}
	return b
}

// deferRelocations takes Go's relative relocations out of the loader's table. Their
// addends go to where they are added, and a table of the places lies behind the
// loader's, in the same section, in a fiftieth of the space.
func (im *image) deferRelocations() (table, error) {
	spans, err := im.goData()
	if err != nil {
		return table{}, err
	}
	dyn, err := im.dynamic(elf.DT_RELA, elf.DT_RELASZ, elf.DT_RELACOUNT)
	if err != nil {
		return table{}, err
	}
	addr, size := im.word(dyn[elf.DT_RELA]), im.word(dyn[elf.DT_RELASZ])
	at, err := im.offset(addr, size)
	if err != nil {
		return table{}, fmt.Errorf("relocations: %w", err)
	}
	relas := im.data[at : at+size]
	var kept []byte
	var places []uint64
	var relative uint64
	for r := range slices.Chunk(relas, relaSize) {
		place, info, addend := binary.LittleEndian.Uint64(r), binary.LittleEndian.Uint64(r[8:]), binary.LittleEndian.Uint64(r[16:])
		isRelative := elf.R_X86_64(info) == elf.R_X86_64_RELATIVE
		if isRelative && slices.ContainsFunc(spans, func(s span) bool { return place >= s.lo && place+8 <= s.hi }) {
			if place>>32 != 0 || addend>>32 != 0 {
				return table{}, fmt.Errorf("relocation at %#x: not in the first 4 GiB", place)
			}
			if place%wordSize != 0 {
				return table{}, fmt.Errorf("relocation at %#x: not a multiple of %d", place, wordSize)
			}
			to, err := im.offset(place, wordSize)
			if err != nil {
				return table{}, fmt.Errorf("relocation: %w", err)
			}
			binary.LittleEndian.PutUint64(im.data[to:], addend)
			places = append(places, place)
			continue
		}
		if isRelative { // the linker sorted them to the front, and they stay there
			relative++
		}
		kept = append(kept, r...)
	}
	if len(places) < fewRelocs {
		return table{}, errors.New("hardly a relocation is Go's: have its data symbols changed?")
	}
	slices.Sort(places)
	words := packed(slices.Compact(places))
	n := copy(relas, kept)
	copy(relas[n:], words)
	clear(relas[n+len(words):])
	binary.LittleEndian.PutUint64(im.data[dyn[elf.DT_RELASZ]:], uint64(n))
	binary.LittleEndian.PutUint64(im.data[dyn[elf.DT_RELACOUNT]:], relative)
	relro := im.prog(elf.PT_GNU_RELRO)
	if relro == nil {
		return table{}, errors.New("no PT_GNU_RELRO")
	}
	t := table{addr: addr + uint64(n), count: uint64(len(words) / wordSize), dataHi: places[len(places)-1] + wordSize}
	if i, _ := slices.BinarySearch(places, relro.Vaddr+relro.Memsz); i < len(places) {
		t.dataLo = places[i]
	} else {
		t.dataLo = t.dataHi
	}
	return t, nil
}

// dynamic finds the values of tags in the dynamic section, as offsets in the file.
func (im *image) dynamic(tags ...elf.DynTag) (map[elf.DynTag]uint64, error) {
	s := im.file.Section(".dynamic")
	if s == nil {
		return nil, errors.New("no dynamic section")
	}
	found := map[elf.DynTag]uint64{}
	for at := s.Offset; at+16 <= s.Offset+s.FileSize; at += 16 {
		if tag := elf.DynTag(im.word(at)); slices.Contains(tags, tag) {
			found[tag] = at + 8
		}
	}
	if len(found) != len(tags) {
		return nil, fmt.Errorf("of the dynamic tags %v only %d are there", tags, len(found))
	}
	return found, nil
}

func (im *image) word(at uint64) uint64 { return binary.LittleEndian.Uint64(im.data[at:]) }

const (
	pageSize  = 4096
	keptPages = 8 // SEAM_KEPT_PAGES
)

// keptPages are the pages of the file's writable part, after what is
// read-only once relocated, that hold more than Go's own: the core's variables
// and what the loader relocated. They can't be taken from the file again.
func (im *image) keptPages() (kept [keptPages]uint64, err error) {
	relro, data := im.prog(elf.PT_GNU_RELRO), im.file.Section(".data")
	goEnd, err := im.sym("runtime.edata")
	if err != nil {
		return kept, err
	}
	if relro == nil || data == nil {
		return kept, errors.New("no PT_GNU_RELRO or no .data")
	}
	var pages []uint64
	add := func(lo, hi uint64) {
		for p := lo &^ (pageSize - 1); p < hi; p += pageSize {
			if p >= relro.Vaddr+relro.Memsz && !slices.Contains(pages, p) {
				pages = append(pages, p)
			}
		}
	}
	add(goEnd.Value, data.Addr+data.Size)
	dyn, err := im.dynamic(elf.DT_RELA, elf.DT_RELASZ)
	if err != nil {
		return kept, err
	}
	size := im.word(dyn[elf.DT_RELASZ])
	at, err := im.offset(im.word(dyn[elf.DT_RELA]), size)
	if err != nil {
		return kept, err
	}
	for r := range slices.Chunk(im.data[at:at+size], relaSize) {
		place := binary.LittleEndian.Uint64(r)
		add(place, place+8)
	}
	if len(pages) > keptPages {
		return kept, fmt.Errorf("%d pages of data hold more than Go's own, at most %d are expected", len(pages), keptPages)
	}
	copy(kept[:], pages)
	return kept, nil
}

func (im *image) prog(t elf.ProgType) *elf.Prog {
	for _, p := range im.file.Progs {
		if p.Type == t {
			return p
		}
	}
	return nil
}

// trim makes the section of the loader's relocations end where they do: debuggers
// take what the section header says for relocations.
func trim(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	im := &image{data: data, file: f}
	dyn, err := im.dynamic(elf.DT_RELASZ)
	if err != nil {
		return err
	}
	var h elf.Header64
	if err := binary.Read(bytes.NewReader(data), binary.LittleEndian, &h); err != nil {
		return err
	}
	for i, s := range f.Sections {
		if s.Name == ".rela.dyn" {
			size := h.Shoff + uint64(i)*uint64(h.Shentsize) + 32 // sh_size
			binary.LittleEndian.PutUint64(data[size:], im.word(dyn[elf.DT_RELASZ]))
			return os.WriteFile(path, data, 0o755)
		}
	}
	return errors.New("no section .rela.dyn")
}
