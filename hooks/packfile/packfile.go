// Package packfile reads packs that users wrote: YAML files that say what the
// functions of a library mean, which of them to watch, and what to do with their calls.
//
//	pack: billing
//	about: what the billing library charges
//	library: libbilling             # as in a probe: a name, a pattern, or a path
//	functions:                      # declarations, as --proto takes them
//	  - int bill_open(const char *path, out int *id) fails < 0
//	  - int bill_charge(int id, secret const char *card, long cents) fails != 0
//	watch:                          # optional; without it, each of the functions
//	  - bill_charge slower 1ms      # as -p takes it, without the library
//	faults:                         # optional, as --fault, --delay and --deny take them
//	  - bill_charge:ret=-5,nth=3
//	audits:                         # optional, as denies, but calls pass and are told of
//	  - bill_open:path!in=/var/lib/bills
//	native: billing.so              # optional: callbacks, as --native takes them; relative to this file
package packfile

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/trusted"
	"github.com/seam-project/seam/hooks/yamlfile"
)

// Pack is what one file says.
type Pack struct {
	Name, About, Library, File string

	Hooks  []*hooks.Hook // of Protos, in their order
	Protos []string      // declarations
	Probes []string      // as -p takes them, with the library
	// Rules, as --fault, --delay and --deny take them.
	Faults, Delays, Denies []string
	Audits                 []string // as Denies, but only told
	Natives                []string // shared objects with callbacks
}

// Suffix of the files that are found by name.
const Suffix = ".yaml"

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// Dirs are the folders that are looked through, the first has precedence: those of
// $SEAM_HOOKS_PATH, the user's, the system's.
func Dirs() []string {
	var dirs []string
	for _, d := range filepath.SplitList(os.Getenv("SEAM_HOOKS_PATH")) {
		if d != "" {
			dirs = append(dirs, d)
		}
	}
	if d, err := os.UserConfigDir(); err == nil {
		dirs = append(dirs, filepath.Join(d, "seam", "hooks"))
	}
	return append(dirs, "/etc/seam/hooks", "/usr/share/seam/hooks")
}

// List is all files that can be found by name, the first of each name.
func List() (files []string) {
	seen := map[string]bool{}
	for _, d := range Dirs() {
		entries, err := os.ReadDir(d)
		if err != nil {
			continue // most are not there
		}
		for _, e := range entries {
			if name, ok := strings.CutSuffix(e.Name(), Suffix); ok && nameForm.MatchString(name) && !seen[name] {
				seen[name] = true
				files = append(files, filepath.Join(d, e.Name()))
			}
		}
	}
	return files
}

// IsPath tells whether a pack is named by its file.
func IsPath(name string) bool {
	return strings.ContainsRune(name, '/') || strings.HasSuffix(name, Suffix)
}

// Find reads the pack of a name or a path. Nil: there is none of that name.
func Find(name string) (*Pack, error) {
	if IsPath(name) {
		return Read(name)
	}
	for _, f := range List() {
		if filepath.Base(f) != name+Suffix {
			continue
		}
		p, err := Read(f)
		if err == nil && p.Name != name {
			err = &yamlfile.Error{File: f, Msg: fmt.Sprintf("the pack in it is '%s'", p.Name), Hint: "name the file " + p.Name + Suffix}
		}
		return p, err
	}
	return own(name)
}

//go:embed own/*.yaml
var ownFiles embed.FS

// Own are the names of the packs of this form that seam itself has.
func Own() (names []string) {
	entries, _ := ownFiles.ReadDir("own")
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), Suffix))
	}
	return names
}

// own reads one of them; nil: there is none of that name.
func own(name string) (*Pack, error) {
	text, err := ownFiles.ReadFile("own/" + name + Suffix)
	if err != nil {
		return nil, nil
	}
	p := &Pack{File: "seam's own"}
	if err := yamlfile.Parse(name+Suffix, text, p.top); err != nil {
		return nil, err
	}
	return p, p.complete()
}

// Read reads a file. One that others can write is refused: what a pack says is
// done in programs of the one who uses it.
func Read(file string) (*Pack, error) {
	if err := trust(file); err != nil {
		return nil, err
	}
	p := &Pack{File: file}
	if err := yamlfile.Read(file, p.top); err != nil {
		return nil, err
	}
	return p, p.complete()
}

func trust(file string) error {
	var e *trusted.Error
	if err := trusted.Check(file, "a pack decides what is done in your programs"); errors.As(err, &e) {
		return &yamlfile.Error{File: file, Msg: e.Msg, Hint: e.Hint}
	}
	return nil
}

func (p *Pack) top(r *yamlfile.Reader, n *yaml.Node) {
	text := func(to *string, ok func(string) bool, must string) func(*yaml.Node) {
		return func(v *yaml.Node) {
			s, is := r.Scalar(v)
			if is && !ok(s) {
				r.Fail(v, 0, fmt.Sprintf("'%s' can't be: %s", s, must), "")
			}
			*to = s
		}
	}
	type item struct {
		node *yaml.Node
		text string
	}
	list := func(to *[]item) func(*yaml.Node) {
		return func(v *yaml.Node) {
			r.Items(v, func(e *yaml.Node) {
				if s, ok := r.Scalar(e); ok {
					*to = append(*to, item{e, s})
				}
			})
		}
	}
	var object string
	var functions, watch, faults, delays, denies, audits []item
	r.Fields(n,
		yamlfile.Key{Name: "pack", Read: text(&p.Name, nameForm.MatchString, "lower-case letters, digits, - and _, at most 32")},
		yamlfile.Key{Name: "about", Read: text(&p.About, func(string) bool { return true }, "")},
		yamlfile.Key{Name: "library", Read: text(&p.Library, func(s string) bool { return s != "" && !strings.ContainsAny(s, " \n") }, "a library's name, a pattern, or a path")},
		yamlfile.Key{Name: "functions", Read: list(&functions)},
		yamlfile.Key{Name: "watch", Read: list(&watch)},
		yamlfile.Key{Name: "faults", Read: list(&faults)},
		yamlfile.Key{Name: "delays", Read: list(&delays)},
		yamlfile.Key{Name: "denies", Read: list(&denies)},
		yamlfile.Key{Name: "audits", Read: list(&audits)},
		yamlfile.Key{Name: "native", Read: text(&object, func(s string) bool { return s != "" }, "the name of a file")})
	if r.Err != nil {
		return
	}
	if p.Name == "" || p.Library == "" {
		r.Fail(n, 0, "a pack needs 'pack', its name, and 'library'", "library: libz")
		return
	}
	for _, f := range functions {
		hs, err := hooks.UserProto(f.text)
		if err != nil {
			r.FailText(f.node, err)
			return
		}
		p.Protos, p.Hooks = append(p.Protos, f.text), append(p.Hooks, hs...)
	}
	for _, w := range watch {
		text := p.Library + ":" + w.text
		if _, err := hooks.ParseProbe(text); err != nil {
			if pe, ok := err.(*hooks.ProbeError); ok {
				pe.Col -= len(p.Library) + 1 // the column in what stands in the file
			}
			r.FailText(w.node, err)
			return
		}
		p.Probes = append(p.Probes, text)
	}
	for _, k := range []struct {
		kind hooks.RuleKind
		from []item
		to   *[]string
	}{{hooks.RuleFault, faults, &p.Faults}, {hooks.RuleDelay, delays, &p.Delays}, {hooks.RuleDeny, denies, &p.Denies}, {hooks.RuleAudit, audits, &p.Audits}} {
		for _, i := range k.from {
			if _, _, _, err := hooks.ParseRule(k.kind, i.text, 1, p.Hooks); err != nil {
				r.FailText(i.node, err)
				return
			}
			*k.to = append(*k.to, i.text)
		}
	}
	if object != "" {
		if !filepath.IsAbs(object) {
			object = filepath.Join(filepath.Dir(p.File), object)
		}
		p.Natives = []string{object}
	}
	if len(p.Probes) == 0 {
		for _, h := range p.Hooks {
			p.Probes = append(p.Probes, p.Library+":"+h.Name)
		}
	}
}

// complete: there is something to do, under a name of its own.
func (p *Pack) complete() error {
	switch {
	case p.Name == "":
		return &yamlfile.Error{File: p.File, Msg: "is empty", Hint: "a pack needs 'pack', 'library' and 'functions'"}
	case len(p.Probes)+len(p.Faults)+len(p.Delays)+len(p.Denies)+len(p.Audits)+len(p.Natives) == 0:
		return &yamlfile.Error{File: p.File, Msg: "the pack has no functions, nothing to watch, no rules and no callbacks"}
	case slices.Contains(hooks.Packs(), p.Name):
		return &yamlfile.Error{File: p.File, Msg: fmt.Sprintf("there is a pack '%s' in seam itself", p.Name), Hint: "give it another name"}
	}
	return nil
}
