package debuginfo

import (
	"debug/dwarf"
	"encoding/binary"
	"sort"
)

// DWARF constants that debug/dwarf has no names for.
const (
	unitType, unitSkeleton, unitSplitCompile, unitSplitType = 2, 4, 5, 6

	maxUnits   = 1 << 20
	maxEntries = 1 << 20 // looked at in one unit
)

// Info is the DWARF of one file.
type Info struct {
	d        *dwarf.Data
	bytes    []byte // .debug_info
	str      []byte // .debug_str, for those that refer to this file as their alternate
	loc      []byte // .debug_loc: DWARF 4
	loclists []byte // .debug_loclists: DWARF 5
	addr     []byte // .debug_addr
	units    []*unit
	spans    []span // ascending
	alt      *altFile
}

type altFile struct {
	file *File
	info *Info
}

func (a *altFile) close() {
	if a != nil {
		a.file.Close()
	}
}

// unit is a compilation unit.
type unit struct {
	die      dwarf.Offset // of its first entry
	version  int
	is64     bool
	lang     int64
	low      uint64 // base of its location lists
	loclists uint64 // base of .debug_loclists indexes
	addrs    uint64 // base of .debug_addr indexes
	fns      map[uint64]dwarf.Offset
}

// span is a range of code of one unit.
type span struct {
	lo, hi uint64
	u      *unit
}

// DWARF is what the file says in .debug_info; nil when it has none that can be
// read. dirs are where a file that dwz split off is looked for; the deps say
// where that was.
func (f *File) DWARF(dirs []string) (*Info, []Dep) {
	if f.tried {
		return f.info, nil
	}
	f.tried = true
	total := uint64(0)
	for _, s := range f.elf.Sections {
		switch s.Name {
		case ".debug_info", ".debug_abbrev", ".debug_str", ".debug_ranges", ".debug_rnglists", ".debug_addr",
			".debug_str_offsets", ".debug_line_str", ".debug_loc", ".debug_loclists":
			total += s.Size
		}
	}
	if total > maxDebug {
		return nil, nil
	}
	i := f.dwarf()
	if i == nil {
		return nil, nil
	}
	i.index()
	var deps []Dep
	var g *File
	if g, deps = f.findAlt(dirs); g != nil {
		if a := g.dwarf(); a != nil {
			i.alt = &altFile{g, a}
		} else {
			g.Close()
		}
	}
	f.info = i
	return i, deps
}

func (f *File) dwarf() *Info {
	i := &Info{bytes: f.debug("info"), str: f.debug("str"), loc: f.debug("loc"), loclists: f.debug("loclists"), addr: f.debug("addr")}
	if len(i.bytes) == 0 {
		return nil
	}
	var err error
	if i.d, err = dwarf.New(f.debug("abbrev"), nil, nil, i.bytes, nil, nil, f.debug("ranges"), i.str); err != nil {
		return nil
	}
	for name, b := range map[string][]byte{".debug_addr": i.addr, ".debug_line_str": f.debug("line_str"),
		".debug_str_offsets": f.debug("str_offsets"), ".debug_rnglists": f.debug("rnglists")} {
		if len(b) > 0 && i.d.AddSection(name, b) != nil {
			return nil
		}
	}
	return i
}

// index notes which unit has which code. Units of types, and those that only
// refer to a file elsewhere (split DWARF), have none.
func (i *Info) index() {
	r := i.d.Reader()
	for off := uint64(0); off+12 <= uint64(len(i.bytes)) && len(i.units) < maxUnits; {
		b := i.bytes[off:]
		u := &unit{}
		size, head := uint64(binary.LittleEndian.Uint32(b)), uint64(4)
		if size == 0xffffffff && len(b) >= 24 {
			u.is64, size, head = true, binary.LittleEndian.Uint64(b[4:]), 12
		}
		if size < 7 || size > uint64(len(b))-head {
			return
		}
		word := uint64(4)
		if u.is64 {
			word = 8
		}
		u.version = int(binary.LittleEndian.Uint16(b[head:]))
		kind := 0
		if u.version >= 5 {
			kind = int(b[head+2])
			u.die = dwarf.Offset(off + head + 4 + word)
		} else {
			u.die = dwarf.Offset(off + head + 3 + word)
		}
		off += head + size
		switch kind {
		case unitType, unitSkeleton, unitSplitCompile, unitSplitType:
			continue
		}
		r.Seek(u.die)
		e, err := r.Next()
		if err != nil || e == nil || e.Tag != dwarf.TagCompileUnit {
			continue
		}
		ranges, err := i.d.Ranges(e)
		if err != nil || len(ranges) == 0 {
			continue
		}
		u.lang, _ = e.Val(dwarf.AttrLanguage).(int64)
		u.low, _ = e.Val(dwarf.AttrLowpc).(uint64)
		if v, ok := e.Val(dwarf.AttrLoclistsBase).(int64); ok {
			u.loclists = uint64(v)
		}
		if v, ok := e.Val(dwarf.AttrAddrBase).(int64); ok {
			u.addrs = uint64(v)
		}
		i.units = append(i.units, u)
		for _, p := range ranges {
			i.spans = append(i.spans, span{p[0], p[1], u})
		}
	}
	sort.SliceStable(i.spans, func(a, b int) bool { return i.spans[a].lo < i.spans[b].lo })
}

// function finds the entry that defines the function at addr.
func (i *Info) function(addr uint64) (*unit, *dwarf.Entry) {
	// The units' ranges do not overlap, except in odd files.
	k := sort.Search(len(i.spans), func(k int) bool { return i.spans[k].lo > addr })
	for n := 0; n < 64 && k > 0; n++ {
		k--
		if s := &i.spans[k]; addr < s.hi {
			if off, ok := i.functions(s.u)[addr]; ok {
				return s.u, i.entry(off)
			}
		}
	}
	return nil, nil
}

// functions lists a unit's functions by the address at which each is entered.
func (i *Info) functions(u *unit) map[uint64]dwarf.Offset {
	if u.fns != nil {
		return u.fns
	}
	u.fns = map[uint64]dwarf.Offset{}
	r := i.d.Reader()
	r.Seek(u.die)
	e, err := r.Next()
	if err != nil || e == nil || !e.Children {
		return u.fns
	}
	for n, depth := 0, 1; depth > 0 && n < maxEntries; n++ {
		e, err := r.Next()
		if err != nil || e == nil {
			break
		}
		switch {
		case e.Tag == 0:
			depth--
			continue
		case e.Tag == dwarf.TagNamespace || e.Tag == dwarf.TagModule:
			if e.Children {
				depth++
			}
			continue
		case e.Tag == dwarf.TagSubprogram:
			if at, ok := i.entered(e); ok {
				u.fns[at] = e.Offset
			}
		}
		if e.Children {
			r.SkipChildren()
		}
	}
	return u.fns
}

// entered is the address at which a function is entered: of one that is laid
// out in several pieces, the first.
func (i *Info) entered(e *dwarf.Entry) (uint64, bool) {
	if at, ok := e.Val(dwarf.AttrLowpc).(uint64); ok {
		return at, true
	}
	if e.Val(dwarf.AttrRanges) == nil {
		return 0, false
	}
	if at, ok := e.Val(dwarf.AttrEntrypc).(uint64); ok {
		return at, true
	}
	r, err := i.d.Ranges(e)
	if err != nil || len(r) == 0 {
		return 0, false
	}
	return r[0][0], true
}

// entry reads the entry at off.
func (i *Info) entry(off dwarf.Offset) *dwarf.Entry {
	r := i.d.Reader()
	r.Seek(off)
	e, err := r.Next()
	if err != nil || e == nil || e.Tag == 0 {
		return nil
	}
	return e
}

// ref follows a reference; it may lead into the alternate file.
func (i *Info) ref(e *dwarf.Entry, a dwarf.Attr) (*Info, *dwarf.Entry) {
	f := e.AttrField(a)
	if f == nil {
		return nil, nil
	}
	switch v := f.Val.(type) {
	case dwarf.Offset:
		if t := i.entry(v); t != nil {
			return i, t
		}
	case int64:
		if f.Class == dwarf.ClassReferenceAlt && i.alt != nil && v >= 0 && v < 1<<32 {
			if t := i.alt.info.entry(dwarf.Offset(v)); t != nil {
				return i.alt.info, t
			}
		}
	}
	return nil, nil
}

// text is a string attribute; "" when there is none.
func (i *Info) text(e *dwarf.Entry, a dwarf.Attr) string {
	f := e.AttrField(a)
	if f == nil {
		return ""
	}
	switch v := f.Val.(type) {
	case string:
		return v
	case int64:
		if f.Class == dwarf.ClassStringAlt && i.alt != nil && v >= 0 && v < int64(len(i.alt.info.str)) {
			s := i.alt.info.str[v:]
			for n, c := range s {
				if c == 0 {
					return string(s[:n])
				}
			}
		}
	}
	return ""
}

// origin is the entry and those that it completes: the declaration of a
// member function, the abstract instance of an inlined one.
func (i *Info) origin(e *dwarf.Entry) (is []*Info, es []*dwarf.Entry) {
	is, es = append(is, i), append(es, e)
	for range 4 {
		j, t := i.ref(e, dwarf.AttrAbstractOrigin)
		if t == nil {
			j, t = i.ref(e, dwarf.AttrSpecification)
		}
		if t == nil {
			break
		}
		i, e = j, t
		is, es = append(is, i), append(es, e)
	}
	return is, es
}
