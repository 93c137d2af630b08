package hooks

import (
	"maps"
	"path"
	"slices"
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
	{name: "", lib: "libc", also: libcAlso, text: knownText},
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
	return tables().pack(name)
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
	h := find(name)
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
	names := slices.AppendSeq(slices.Collect(maps.Keys(tables().byName)), maps.Keys(knownTable().byName))
	slices.Sort(names)
	return names
}
