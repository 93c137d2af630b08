package plan

import (
	"path"
	"slices"
	"strings"

	"github.com/seam-project/seam/hooks"
)

// Sizes of abi.h.
const (
	setSize      = 8
	setEntrySize = 16
	namesSize    = 20
	sqlSize      = 4
	sqlOwn       = 3 // offset
	noWord       = 0xff
	maxSet       = 1 << 16
)

// lists are the lists of one plan that conditions look something up in: each is
// written once, however many functions it is for.
type lists struct {
	at map[string]int64 // by listKey
}

func newLists() *lists { return &lists{at: map[string]int64{}} }

// listKey names a list by what is in it; "" there is none.
func listKey(f Filter) string {
	if f.What != filtWithin && f.What != filtAddrs && f.What != filtShape {
		return ""
	}
	kind := "texts\x00"
	if f.What == filtAddrs {
		kind = "addresses\x00" + string([]byte{f.Arg, f.Width})
	}
	return kind + strings.Join(f.Set, "\x00")
}

// place writes the lists that a site's conditions need and that are not there yet.
func (l *lists) place(b []byte, s *Site) []byte {
	all := s.Filters
	for i := range s.Rules {
		all = slices.Concat(all, s.Rules[i].When)
	}
	for _, f := range all {
		key := listKey(f)
		if _, there := l.at[key]; there || key == "" {
			continue
		}
		for len(b)%8 != 0 {
			b = append(b, 0)
		}
		l.at[key] = int64(len(b))
		if f.What == filtAddrs {
			b = l.appendFilters(b, addresses(f))
		} else {
			b = appendSet(b, f.Set)
		}
	}
	return b
}

// addresses are the conditions of which one must hold.
func addresses(f Filter) (fs []Filter) {
	for _, text := range f.Set {
		r, n, _ := hooks.AddrRange(text)
		fs = append(fs, Filter{What: filtAddr, Arg: f.Arg, Cmp: uint8(hooks.CmpEQ), Width: f.Width, Str: string(r[:n])})
	}
	return fs
}

// appendSet writes a struct seam_set.
func appendSet(b []byte, set []string) []byte {
	type entry struct {
		hash uint64
		text string
	}
	var list []entry
	for _, s := range set {
		list = append(list, entry{hooks.FNV1a([]byte(s)), s})
	}
	slices.SortFunc(list, func(x, y entry) int {
		switch {
		case x.hash < y.hash:
			return -1
		case x.hash > y.hash:
			return 1
		}
		return strings.Compare(x.text, y.text)
	})
	b = le.AppendUint64(b, uint64(len(list)))
	text := len(b) + len(list)*setEntrySize
	for _, e := range list {
		b = le.AppendUint64(b, e.hash)
		b = le.AppendUint32(b, uint32(text))
		b = le.AppendUint32(b, uint32(len(e.text)))
		text += len(e.text)
	}
	for _, e := range list {
		b = append(b, e.text...)
	}
	return b
}

// decodeList reads back the list that Value points at.
func (f *Filter) decodeList(b []byte) bool {
	off := f.Value
	switch f.What {
	case filtWithin, filtShape, filtAddrs:
		if off < headerSize || off > int64(len(b)) {
			return false
		}
		f.Value = 0
	default:
		return true
	}
	if f.What == filtAddrs {
		n := le.Uint32([]byte(f.Str))
		entries, ok := slice(b, uint32(off), n, filterSize, maxSet)
		for ; ok && len(entries) > 0; entries = entries[filterSize:] {
			if entries[0] != filtAddr || entries[3] > 64 {
				return false
			}
			f.Set = append(f.Set, hooks.AddrRangeText(entries[16:16+int(entries[3])]))
		}
		return ok
	}
	head, ok := slice(b, uint32(off), 1, setSize, 1)
	if !ok {
		return false
	}
	entries, ok := slice(b, uint32(off)+setSize, le.Uint32(head), setEntrySize, maxSet)
	if !ok {
		return false
	}
	last := uint64(0)
	for ; len(entries) > 0; entries = entries[setEntrySize:] {
		text, ok := slice(b, le.Uint32(entries[8:]), le.Uint32(entries[12:]), 1, maxPlanSize)
		hash := le.Uint64(entries)
		if !ok || hash < last || hash != hooks.FNV1a(text) {
			return false
		}
		last = hash
		f.Set = append(f.Set, string(text))
	}
	slices.Sort(f.Set)
	return true
}

// ownLibrary marks conditions on SQL in the library that runs it: what it asks
// itself is not the program's. A copy in another object has no code of its own.
func ownLibrary(fs []Filter, object string) []Filter {
	for i := range fs {
		if f := &fs[i]; f.What == filtShape && hooks.MatchLib("libsqlite3", path.Base(object)) {
			f.Str = f.Str[:sqlOwn] + "\x01"
		}
	}
	return fs
}

// validNames checks a struct seam_names.
func (f Filter) validNames(words uint8) bool {
	if len(f.Str) != namesSize || f.Cmp != 1 && f.Cmp != 2 || f.Str[0] < 1 || f.Str[0] > 2 || f.Str[8] != noWord && f.Str[8] >= words {
		return false
	}
	for i := range int(f.Str[0]) {
		if f.Str[2+i] >= words || f.Str[4+i] != noWord && f.Str[4+i] >= words {
			return false
		}
	}
	return true
}
