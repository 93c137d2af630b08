package hooks

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
)

// pack is a table of prototypes and the libraries it speaks of.
type pack struct {
	name  string
	lib   string   // what a pack's probe names; see LibGlobs
	also  []string // further libraries whose functions of these names have these prototypes
	text  string
	has   string // a function that tells a copy of the library in another object; "" there are none
	inAny bool   // the names are unmistakable: the functions are known in any object (a program with its own copy)
}

// libcAlso: before glibc 2.34, and in musl, these held parts of libc.
var libcAlso = []string{"libpthread", "libdl", "librt", "libutil", "libanl", "libresolv", "libcrypt", "ld-linux*", "ld-musl*"}

var packs = []pack{
	{name: "file", lib: "libc", also: libcAlso, text: filePack},
	{name: "net", lib: "libc", also: libcAlso, text: netPack},
	{name: "proc", lib: "libc", also: libcAlso, text: procPack},
	{name: "sqlite", lib: "libsqlite3", text: sqlitePack, inAny: true, has: "sqlite3_prepare_v2"},
	{name: "", lib: "libc", also: libcAlso, text: barePack},
}

// table is all packs, parsed.
type table struct {
	byPack map[string][]*Hook
	byName map[string]*Hook
	err    error
}

// tables parses the packs at first use; a pack that does not parse is a
// defect that the tests catch, and costs only its own functions.
var tables = sync.OnceValue(func() *table {
	t := &table{byPack: map[string][]*Hook{}, byName: map[string]*Hook{}}
	for i := range packs {
		hooks, err := parseTable(packs[i].text)
		if err != nil && t.err == nil {
			t.err = fmt.Errorf("parse pack %q: %w", packs[i].name, err)
		}
		for _, h := range hooks {
			h.Pack = packs[i].name
			if t.byName[h.Name] != nil {
				t.err = fmt.Errorf("parse pack %q: %s is there twice", h.Pack, h.Name)
				continue
			}
			t.byName[h.Name] = h
			t.byPack[h.Pack] = append(t.byPack[h.Pack], h)
		}
	}
	return t
})

// parseTable reads one prototype per line; # starts a comment line.
func parseTable(text string) ([]*Hook, error) {
	var out []*Hook
	var first error
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		hooks, err := ParseProto(line)
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		out = append(out, hooks...)
	}
	return out, first
}

// Packs are the names of the packs.
func Packs() []string { return []string{"file", "net", "proc", "sqlite"} }

// DefaultPacks are those used when the user names none.
func DefaultPacks() []string { return Packs() }

// PackHooks are the hooks of a pack, in a fixed order; nil when there is no
// such pack. They are shared: don't change them.
func PackHooks(name string) []*Hook {
	if name == "" {
		return nil
	}
	return tables().byPack[name]
}

// PackProbe is the probe that stands for a whole pack: every function of the
// pack in the pack's library.
func PackProbe(name string) (Probe, bool) {
	for i := range packs {
		if packs[i].name == name && name != "" {
			return Probe{Text: "pack " + name, Lib: packs[i].lib, Sym: "*", Instrument: Log, Pack: name}, true
		}
	}
	return Probe{}, false
}

// Lookup finds what is known about a function of the object lib (a path, a
// file name, or "" for any). Prototypes of libc hold only in libc's objects: a
// function named connect elsewhere is another one. The Hook is shared: don't
// change it.
func Lookup(lib, name string) (*Hook, bool) {
	h := tables().byName[name]
	if h == nil {
		return nil, false
	}
	if lib == "" {
		return h, true
	}
	p := packOf(h.Pack)
	if p.inAny {
		return h, true
	}
	base := path.Base(lib)
	if MatchLib(p.lib, base) || slices.ContainsFunc(p.also, func(l string) bool { return MatchLib(l, base) }) {
		return h, true
	}
	return nil, false
}

// PackCopies is the probe that stands for copies of a pack's library in other
// objects: linked into the program, or into a library of its own.
func PackCopies(name string) (Probe, bool) {
	p, ok := PackProbe(name)
	if !ok || packOf(name).has == "" {
		return Probe{}, false
	}
	p.Lib, p.Has = "", packOf(name).has
	return p, true
}

func packOf(name string) *pack {
	for i := range packs {
		if packs[i].name == name {
			return &packs[i]
		}
	}
	return &packs[len(packs)-1]
}

// Names are all known function names, for "did you mean".
func Names() []string {
	t := tables()
	names := make([]string, 0, len(t.byName))
	for n := range t.byName {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
