package plan

import (
	"strings"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/preload/plan/debuginfo"
)

// Source is where a symbol was found.
type Source uint8

const (
	Exported  Source = iota // .dynsym
	Local                   // .symtab of the object
	DebugFile               // .symtab of its debug file
	Offset                  // an address that the probe names
)

func (s Source) String() string {
	return [...]string{".dynsym", ".symtab", "debug file", "offset"}[s&3]
}

// ProtoSource is where a site's prototype came from.
type ProtoSource uint8

const (
	NoProto ProtoSource = iota
	UserProto
	PackProto
	DWARFProto
)

func (s ProtoSource) String() string {
	return [...]string{"", "--proto", "pack", "DWARF"}[s&3]
}

// program: the object is one that is executed, not a library.
func (o *Object) program() bool { return o.Interp != "" && (o.Type == TypeExec || o.PIE()) }

// core libraries: their inner functions have conventions of their own, so that
// a pattern means what they export.
func (o *Object) inner() bool {
	return o.Soname == "libc.so.6" || strings.HasPrefix(o.Soname, "ld-linux")
}

// reach says how far the names of a probe go in this object. A debug file may
// lie far away and be large: it is looked at for objects that the probe names,
// and for the program.
func (o *Object) reach(p *hooks.Probe) Source {
	far := p.Lib != "" || o.program()
	switch {
	case p.Has != "":
		return DebugFile
	case p.Pack != "":
		return Exported
	case isOffset(p.Sym):
		return DebugFile
	case hooks.IsGlob(p.Sym) && o.inner():
		return Exported
	case !far:
		return Local
	}
	return DebugFile
}

// deepen is the object with the symbols of the sources up to limit, in the
// order of the sources. The object itself stays as it is, so that what a spec
// finds in it does not depend on what another one looked for.
func (b *builder) deepen(limit Source) {
	files := b.files()
	from := Local
	f := files.self
	if f == nil {
		return
	}
	if !f.HasSymbols() {
		if limit < DebugFile {
			return
		}
		if f = files.debugFile(); f == nil {
			return
		}
		from = DebugFile
	}
	o := *b.obj
	o.Symbols = o.Symbols[:len(o.Symbols):len(o.Symbols)]
	type key struct {
		name string
		addr uint64
	}
	known := make(map[key]bool, len(o.Symbols))
	for i := range o.Symbols {
		known[key{o.Symbols[i].Name, o.Symbols[i].Addr}] = true
	}
	f.Symbols(func(s debuginfo.Symbol) bool {
		sym := Symbol{Name: s.Name, Type: SymType(s.Type), Addr: s.Addr, Size: s.Size, From: from}
		if base, ok := cloneOf(s.Name); ok {
			sym.Name, sym.Clone = base, s.Name
		}
		if k := (key{sym.Name, sym.Addr}); !known[k] && o.executable(s.Addr) {
			known[k] = true
			o.Symbols = append(o.Symbols, sym)
		}
		return len(o.Symbols) < maxSymbols
	})
	o.index()
	b.obj = &o
}

// Defines reports whether the object has a function of that name: exported, in
// its .symtab, or, of a program, in its debug file. deps are where that was looked for.
func (o *Object) Defines(name string, debugDirs []string) (found bool, deps []debuginfo.Dep) {
	for _, i := range o.byName[name] {
		if o.Symbols[i].Type == SymFunc {
			return true, nil
		}
	}
	deps = o.unexported(debugDirs, o.program(), func(s debuginfo.Symbol) bool {
		found = s.Name == name && SymType(s.Type) == SymFunc
		return !found
	})
	return found, deps
}

// Functions calls each with the names of all functions of the object, those of
// its debug file too; names may come twice.
func (o *Object) Functions(debugDirs []string, each func(name string)) {
	for i := range o.Symbols {
		if t := o.Symbols[i].Type; t == SymFunc || t == SymIFunc {
			each(o.Symbols[i].Name)
		}
	}
	o.unexported(debugDirs, !o.inner(), func(s debuginfo.Symbol) bool {
		name := s.Name
		if base, ok := cloneOf(name); ok {
			name = base
		}
		each(name)
		return true
	})
}

// unexported calls each with what .symtab has; far: that of a debug file, when
// the object has none, which deps tell where it was looked for.
func (o *Object) unexported(debugDirs []string, far bool, each func(debuginfo.Symbol) bool) (deps []debuginfo.Dep) {
	f := files{self: debuginfo.New(o.r, int64(o.size), o.Path), dirs: debugDirs}
	defer f.close()
	from := f.self
	if from != nil && !from.HasSymbols() && far {
		from = f.debugFile()
	}
	if from != nil {
		from.Symbols(each)
	}
	return f.deps
}

// cloneOf is the function of which a symbol names a copy that the compiler
// made for some of its callers: parse.constprop.0, parse.isra.1.
func cloneOf(name string) (base string, ok bool) {
	i := strings.IndexByte(name, '.')
	if i <= 0 {
		return "", false
	}
	base, rest := name[:i], name[i+1:]
	for part := range strings.SplitSeq(rest, ".") {
		switch part {
		case "constprop", "isra", "lto_priv":
			ok = true
		default:
			for _, c := range part {
				if c < '0' || c > '9' {
					return "", false // .cold, .part, .llvm, a Go name
				}
			}
		}
	}
	return base, ok
}

// files are what is open of an object beside its segments.
type files struct {
	self    *debuginfo.File // the object by its section headers; nil: none
	dirs    []string
	far     *debuginfo.File // its debug file
	lookedF bool
	info    *debuginfo.Info
	lookedI bool
	deps    []debuginfo.Dep
}

func (b *builder) files() *files {
	if b.aux == nil {
		b.aux = &files{self: debuginfo.New(b.obj.r, int64(b.obj.size), b.obj.Path), dirs: b.spec.Debug}
	}
	return b.aux
}

func (f *files) debugFile() *debuginfo.File {
	if !f.lookedF && f.self != nil {
		f.lookedF = true
		var deps []debuginfo.Dep
		f.far, deps = f.self.FindDebug(f.dirs)
		f.deps = append(f.deps, deps...)
	}
	return f.far
}

// dwarf is what there is of DWARF: in the object, else, with far, in its debug
// file.
func (f *files) dwarf(far bool) *debuginfo.Info {
	if f.lookedI || f.self == nil {
		return f.info
	}
	from := f.self
	if !from.HasDWARF() {
		if !far {
			return nil
		}
		if from = f.debugFile(); from == nil {
			f.lookedI = true
			return nil
		}
	}
	f.lookedI = true
	var deps []debuginfo.Dep
	f.info, deps = from.DWARF(f.dirs)
	f.deps = append(f.deps, deps...)
	return f.info
}

func (f *files) close() {
	if f != nil {
		f.far.Close()
		f.self.Close()
	}
}
