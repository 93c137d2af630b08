// Package policy reads and writes policies: lists of what a program may do. A
// learning run writes one, people edit it, and an enforcing run refuses the rest.
//
//	programs:                # what it may execute
//	  - /usr/bin/git
//	connects:                # where it may connect to, as addr~ takes it
//	  - 127.0.0.1:5432
//	  - unix:/run/postgresql/
//	files:                   # which files it may name, and all below these folders
//	  - /srv/www
//	  - /etc/.               # the folder alone, without what is in it
//	sql:                     # which statements it may prepare, without their data
//	  - SELECT name FROM users WHERE id=?
//
// What has no list is not restricted; an empty list allows nothing.
package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/sqlshape"
	"github.com/seam-project/seam/hooks/trusted"
	"github.com/seam-project/seam/hooks/yamlfile"
)

// Policy is what one file says. A nil list restricts nothing.
type Policy struct {
	Programs, Connects, Files, SQL []string
}

// lists are the lists by their names, in the order of the file.
func (p *Policy) lists() []list {
	return []list{
		{"programs", "what it may execute: programs, or folders with programs", &p.Programs, checkPath},
		{"connects", "where it may connect to, as in addr~: 10.0.0.0/8, 10.0.0.1:443, [::1]:80, unix:/run/", &p.Connects, checkAddr},
		{"files", "which files it may name: files, folders with all that is below them, or with /. at the end the folder alone", &p.Files, checkPath},
		{"sql", "which statements it may prepare; ? stands for data", &p.SQL, checkSQL},
	}
}

type list struct {
	name, about string
	of          *[]string
	check       func(string) (string, error)
}

func checkPath(s string) (string, error) {
	if !strings.HasPrefix(s, "/") || strings.ContainsAny(s, "\x00\n") {
		return "", fmt.Errorf("'%s' is not an absolute path", s)
	}
	s, self := hooks.CutSelf(s)
	if s = filepath.Clean(s); self {
		s = strings.TrimSuffix(s, "/") + "/."
	}
	return s, nil
}

func checkAddr(s string) (string, error) {
	if _, _, ok := hooks.AddrRange(s); !ok {
		return "", fmt.Errorf("'%s' is not a range of addresses", s)
	}
	return s, nil
}

// checkSQL takes a statement as people write it, too.
func checkSQL(s string) (string, error) {
	shape, _ := sqlshape.First(hooks.NormalizeSQL(nil, []byte(s)))
	if len(shape) == 0 {
		return "", fmt.Errorf("'%s' is no statement", s)
	}
	if len(shape) > hooks.MaxShape {
		return "", fmt.Errorf("a statement of %d bytes; at most %d", len(shape), hooks.MaxShape)
	}
	return string(shape), nil
}

// Read reads a file. One that others can write is refused, as it decides what is
// refused in programs of the one who uses it.
func Read(file string) (*Policy, error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil, &yamlfile.Error{File: file, Msg: "no such file", Hint: "'seam run --learn " + file + " -- program' writes one"}
	}
	var te *trusted.Error
	if err := trusted.Check(file, "a policy decides what programs may do"); errors.As(err, &te) {
		return nil, &yamlfile.Error{File: file, Msg: te.Msg, Hint: te.Hint}
	}
	p := &Policy{}
	if err := yamlfile.Read(file, p.top); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Policy) top(r *yamlfile.Reader, n *yaml.Node) {
	var keys []yamlfile.Key
	for _, l := range p.lists() {
		keys = append(keys, yamlfile.Key{Name: l.name, Read: func(v *yaml.Node) {
			*l.of = []string{}
			r.Items(v, func(e *yaml.Node) {
				s, ok := r.Scalar(e)
				if !ok {
					return
				}
				s, err := l.check(s)
				if err != nil {
					r.Fail(e, 0, err.Error(), "")
					return
				}
				*l.of = append(*l.of, s)
			})
		}})
	}
	r.Fields(n, keys...)
}

// List is one of the lists by its name. It is an error if the policy does not have it.
func (p *Policy) List(name string) ([]string, error) {
	var names []string
	for _, l := range p.lists() {
		if l.name == name && *l.of != nil {
			return *l.of, nil
		}
		names = append(names, l.name)
	}
	return nil, fmt.Errorf("the policy has no list '%s'; its lists can be: %s", name, strings.Join(names, ", "))
}

// Lists reads lists of policies: a hooks.Lists.
func Lists(file, name string) ([]string, error) {
	p, err := Read(file)
	if err != nil {
		return nil, err
	}
	return p.List(name)
}

// Rules are what --deny takes, for all that the policy restricts. file is its path.
func (p *Policy) Rules(file string) (rules []string) {
	in := func(list string) string {
		return "!in=\"@" + strings.ReplaceAll(strings.ReplaceAll(file, `\`, `\\`), `"`, `\"`) + "#" + list + `"`
	}
	if p.Programs != nil {
		for _, f := range []string{"execve", "execveat", "fexecve"} {
			rules = append(rules, f+":path"+in("programs"))
		}
	}
	if p.Connects != nil {
		rules = append(rules, "connect:addr"+in("connects"), "sendto:addr"+in("connects"))
	}
	if p.Files != nil {
		rules = append(rules, "libc:file:names"+in("files"))
	}
	if p.SQL != nil {
		rules = append(rules, "libsqlite3:sqlite:sql"+in("sql"))
	}
	return rules
}

// Merge adds what q has. A file below a folder of the list is in it already.
func (p *Policy) Merge(q *Policy) {
	mine, others := p.lists(), q.lists()
	for i := range mine {
		if *mine[i].of == nil && *others[i].of == nil {
			continue
		}
		set := append(append([]string{}, *mine[i].of...), *others[i].of...) // not nil: that would allow all
		slices.Sort(set)
		*mine[i].of = slices.Compact(set)
	}
	p.Files = covered(p.Files)
}

// covered leaves out what is below another.
func covered(sorted []string) []string {
	if sorted == nil {
		return nil
	}
	in := map[string]bool{}
	for _, s := range sorted {
		in[s] = true
	}
	out := []string{}
	for _, s := range sorted {
		below := false
		for d, _ := hooks.CutSelf(s); ; d = filepath.Dir(d) {
			if below = d != s && in[d] && reaches(d, s); below || d == "/" {
				break
			}
		}
		if !below {
			out = append(out, s)
		}
	}
	return out
}

// reaches: s, below the folder d, is there also when links are followed.
func reaches(d, s string) bool {
	d, s = hooks.Target(d), hooks.Target(s)
	return d == "/" || s == d || strings.HasPrefix(s, d+"/")
}

// Write replaces a file, sorted.
func (p *Policy) Write(file string) error {
	var b bytes.Buffer
	b.WriteString("# What a program may do: 'seam run --enforce " + filepath.Base(file) + "' refuses the rest.\n" +
		"# Edit it; 'seam run --learn' adds to it, and keeps no comments. A list that is not there restricts nothing.\n")
	for _, l := range p.lists() {
		if *l.of == nil {
			continue
		}
		fmt.Fprintf(&b, "\n# %s\n", l.about)
		if len(*l.of) == 0 {
			fmt.Fprintf(&b, "%s: []\n", l.name)
			continue
		}
		y, err := yaml.Marshal(map[string][]string{l.name: *l.of})
		if err != nil {
			return err
		}
		b.Write(y)
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".policy-")
	if err != nil {
		return err
	}
	_, err = tmp.Write(b.Bytes())
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		os.Remove(tmp.Name())
	}
	return err
}
