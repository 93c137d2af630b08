package hooks

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// table is the text of all packs, by function. A prototype is parsed when it is
// asked for: a program of which ten functions are watched pays for ten.
type table struct {
	lines  []tableLine
	byName map[string]int32 // into lines
	twice  []string         // names that are there more than once: a defect

	mu sync.Mutex // guards the parsed part of lines
}

// tableLine is one prototype, of one or more functions.
type tableLine struct {
	pack  string
	title string // of the part of the table it stands in
	text  string
	names string // as in the text: a|b|c

	parsed bool
	hooks  []*Hook
	err    error
}

// tables and knownTable find the functions' names at first use: those of the
// packs, and the others, which a run of the packs alone does not need.
var (
	tables     = sync.OnceValue(func() *table { return buildTable(packs[:len(packs)-1], 512) })
	knownTable = sync.OnceValue(func() *table { return buildTable(packs[len(packs)-1:], 1024) })
)

// find is the prototype of one function, from wherever; nil when there is none.
func find(name string) *Hook {
	if h := tables().hook(name); h != nil {
		return h
	}
	return knownTable().hook(name)
}

func buildTable(packs []pack, size int) *table {
	t := &table{lines: make([]tableLine, 0, size), byName: make(map[string]int32, 2*size)}
	for i := range packs {
		title := ""
		for line := range strings.Lines(packs[i].text) {
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' {
				if s, ok := strings.CutPrefix(line, "## "); ok {
					title = s
				}
				continue
			}
			names := lineNames(line)
			for n := range strings.SplitSeq(names, "|") {
				if _, ok := t.byName[n]; ok {
					t.twice = append(t.twice, n)
					continue
				}
				t.byName[n] = int32(len(t.lines))
			}
			t.lines = append(t.lines, tableLine{pack: packs[i].name, title: title, text: line, names: names})
		}
	}
	return t
}

// lineNames are the function names of a prototype in a table: what stands
// before the parenthesis that is not that of flags(…) or enum(…).
func lineNames(line string) string {
	from := 0
	for {
		i := strings.IndexByte(line[from:], '(')
		if i < 0 {
			return ""
		}
		i += from
		start := i
		for start > 0 && (isIdent(line[start-1], false) || line[start-1] == '|') {
			start--
		}
		if w := line[start:i]; w != "flags" && w != "enum" {
			return w
		}
		from = i + 1
	}
}

// parse returns the hooks of a line. The text is seam's own: what is wrong
// with it the tests find, and here it costs only its own functions.
func (t *table) parse(i int32) []*Hook {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := &t.lines[i]
	if !l.parsed {
		l.parsed = true
		l.hooks, l.err = ParseProto(l.text)
		for _, h := range l.hooks {
			h.Pack = l.pack
		}
	}
	return l.hooks
}

// hook is the prototype of one function; nil when there is none.
func (t *table) hook(name string) *Hook {
	i, ok := t.byName[name]
	if !ok {
		return nil
	}
	for _, h := range t.parse(i) {
		if h.Name == name {
			return h
		}
	}
	return nil
}

// pack are all hooks of a pack, in the order of its text.
func (t *table) pack(name string) (list []*Hook) {
	for i := range t.lines {
		if t.lines[i].pack == name {
			list = append(list, t.parse(int32(i))...)
		}
	}
	return list
}

// check reports the first defect of the tables' text.
func (t *table) check() error {
	if err := declared().err; err != nil {
		return fmt.Errorf("parse the known types: %w", err)
	}
	if len(t.twice) > 0 {
		return fmt.Errorf("%s is there twice", t.twice[0])
	}
	for i := range t.lines {
		l := &t.lines[i]
		if t.parse(int32(i)); l.err != nil {
			return fmt.Errorf("parse pack %q: %w", l.pack, l.err)
		}
		if got := len(l.hooks); got != 1+strings.Count(l.names, "|") {
			return fmt.Errorf("pack %q: %s: %d functions", l.pack, l.names, got)
		}
	}
	return nil
}

// Section is a part of what is known: the functions of a pack, or of one
// subject.
type Section struct {
	Pack   string // "" when no pack has them
	Title  string
	Protos [][]*Hook // those of one prototype together
}

// Sections are all known functions, in the order of the tables.
func Sections() (list []Section) {
	for _, t := range []*table{tables(), knownTable()} {
		list = t.sections(list)
	}
	return list
}

func (t *table) sections(list []Section) []Section {
	for i := range t.lines {
		l := &t.lines[i]
		if n := len(list); n == 0 || list[n-1].Pack != l.pack || list[n-1].Title != l.title {
			list = append(list, Section{Pack: l.pack, Title: l.title})
		}
		s := &list[len(list)-1]
		s.Protos = append(s.Protos, t.parse(int32(i)))
	}
	return list
}

// Described is a set or a structure, and what it is made of.
type Described struct {
	Name  string
	Parts []string // names of the values, or of the fields
}

// Sets are the sets of names that prototypes may refer to, in order.
func Sets() (list []Described) {
	for _, n := range setNames() {
		d := Described{Name: n}
		if s := sets()[n]; s != nil {
			for _, v := range append(append([]named(nil), s.vals...), s.bits...) {
				if v.name != "" {
					d.Parts = append(d.Parts, v.name)
				}
			}
		}
		for _, e := range valsOf(n, nil) {
			d.Parts = append(d.Parts, e.Name)
		}
		list = append(list, d)
	}
	return list
}

// Structs are the structures that are declared in the language, in order.
func Structs() (list []Described) {
	for _, n := range slices.Sorted(maps.Keys(declared().structs)) {
		d := Described{Name: n}
		for _, f := range declared().structs[n].fields {
			d.Parts = append(d.Parts, f.Name)
		}
		list = append(list, d)
	}
	return list
}
