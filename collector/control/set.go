package control

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seam-project/seam/hooks"
)

// A Probe is one entry of the set: what somebody asked to be watched, and for how long.
type Probe struct {
	ID      string
	Text    string // the probe as it was written, or the name of a pack
	Pack    bool   // Text is a pack's name
	By      string // who asked: "command line", "user", or the path of a file
	Added   time.Time
	Until   time.Time     // the zero time: for as long as there is a collector
	Calls   uint64        // removed after about so many calls; 0: however many there are
	lives   time.Duration // how long, of one from a file
	entries []hooks.Probe // what it is in a spec
}

// NewProbe makes an entry, without an ID, of a probe's text. Files that it names are
// relative to dir.
func NewProbe(text, dir string) (*Probe, error) {
	p, err := hooks.ParseProbe(text)
	if err != nil {
		return nil, err
	}
	if strings.Contains(p.Lib, "/") && !filepath.IsAbs(p.Lib) {
		if !filepath.IsAbs(dir) {
			return nil, &Error{fmt.Sprintf("'%s' is relative, and it is not known to what", p.Lib), "give an absolute path"}
		}
		p.Lib = filepath.Join(dir, p.Lib)
	}
	return &Probe{Text: text, entries: []hooks.Probe{p}}, nil
}

// NewPack makes an entry of a pack's name.
func NewPack(name string) (*Probe, error) {
	p, ok := hooks.PackProbe(name)
	if !ok {
		e := &Error{Msg: fmt.Sprintf("unknown pack '%s'", name), Hint: "one of: " + strings.Join(hooks.Packs(), ", ")}
		if near := hooks.Nearest(name, hooks.Packs()); len(near) > 0 {
			e.Hint = "did you mean " + strings.Join(near, " or ") + "?"
		}
		return nil, e
	}
	e := &Probe{Text: name, Pack: true, entries: []hooks.Probe{p}}
	if c, ok := hooks.PackCopies(name); ok {
		e.entries = append(e.entries, c)
	}
	return e, nil
}

// An Error is an error with an advice for the person who asked.
type Error struct{ Msg, Hint string }

func (e *Error) Error() string { return e.Msg }

// A Set is the probes that all processes of a collector are to have. Single
// probes go before packs: of two that name the same function, the first has it.
type Set struct {
	base   hooks.Spec // the settings, and the probes that rules need
	probes []*Probe
	over   []*Probe // of files, and their time is over: the file still has them
	native []*Probe // the callbacks that programs were started with, whether they are in probes or not
	next   int

	breaks    []*Break
	nextBreak int
	serial    uint64 // of the last breakpoint
}

// NewSet is an empty set with the settings of a spec, and its probes, which stay.
func NewSet(base *hooks.Spec) *Set {
	s := &Set{base: *base}
	s.base.Control = true
	s.callbacks()
	return s
}

// Add gives entries their IDs and adds them. All or none: the whole must be a spec.
func (s *Set) Add(add ...*Probe) error { return s.Replace("", add) }

// Replace replaces the entries that somebody asked for, "" none, by others.
// Entries that are the same stay, with their IDs.
func (s *Set) Replace(by string, add []*Probe) error {
	keep := slices.Clone(s.probes)
	if by != "" {
		keep = slices.DeleteFunc(keep, func(p *Probe) bool { return p.By == by })
	}
	next := s.next
	over := slices.DeleteFunc(slices.Clone(s.over), func(o *Probe) bool { return o.By == by && !slices.ContainsFunc(add, o.same) })
	for _, p := range add {
		if slices.ContainsFunc(over, p.same) {
			continue
		}
		if i := slices.IndexFunc(s.probes, p.same); by != "" && i >= 0 {
			p = s.probes[i]
		} else {
			next++
			p.ID = fmt.Sprintf("p%d", next)
		}
		keep = append(keep, p)
	}
	trial := *s
	trial.probes = keep
	if err := trial.Spec().Check(); err != nil {
		return &Error{Msg: err.Error()}
	}
	s.probes, s.over, s.next = keep, over, next
	return nil
}

// same tells whether the same party asks for the same thing.
func (p *Probe) same(o *Probe) bool {
	return p.By == o.By && p.Text == o.Text && p.Pack == o.Pack && p.Calls == o.Calls && p.lives == o.lives
}

// Remove removes an entry.
func (s *Set) Remove(id string) error {
	i := slices.IndexFunc(s.probes, func(p *Probe) bool { return p.ID == id })
	if i < 0 {
		e := &Error{Msg: fmt.Sprintf("no probe '%s'", id), Hint: "there is none"}
		if len(s.probes) > 0 {
			e.Hint = "there are: "
			for i, p := range s.probes {
				if i > 0 {
					e.Hint += ", "
				}
				e.Hint += p.ID
			}
		}
		return e
	}
	s.probes = slices.Delete(slices.Clone(s.probes), i, i+1)
	return nil
}

// Probes are the entries.
func (s *Set) Probes() []*Probe { return slices.Clone(s.probes) }

// order is the entries in the order in which a spec has them.
func (s *Set) order() []*Probe {
	o := slices.Clone(s.probes)
	slices.SortStableFunc(o, func(a, b *Probe) int {
		switch {
		case a.Pack == b.Pack:
			return 0
		case b.Pack:
			return -1
		}
		return 1
	})
	return o
}

// Spec is what processes get, as far as it is known before it is prepared; see Complete.
func (s *Set) Spec() *hooks.Spec {
	spec := s.base
	spec.Probes, spec.Until = nil, nil
	for _, p := range s.order() {
		spec.Probes = append(spec.Probes, p.entries...)
	}
	spec.Probes = append(spec.Probes, s.base.Probes...)
	s.addBreaks(&spec)
	return &spec
}

// Complete says of each probe in a prepared spec, which may have more of them, when its
// time is over. It returns the IDs of the entries that they come from, "" unknown.
func (s *Set) Complete(spec *hooks.Spec) (ids []string) {
	spec.Until = nil
	for i := range spec.Probes {
		q := &spec.Probes[i]
		at := slices.IndexFunc(s.probes, func(p *Probe) bool {
			return p.entries[0].Text == q.Text && p.entries[0].Pack == q.Pack
		})
		if b := s.breakOf(q); b != nil {
			ids = append(ids, b.ID)
			continue
		}
		if at < 0 {
			ids = append(ids, "")
			continue
		}
		p := s.probes[at]
		ids = append(ids, p.ID)
		if !p.Until.IsZero() {
			if spec.Until == nil {
				spec.Until = map[int]int64{}
			}
			spec.Until[i] = p.Until.UnixNano()
		}
	}
	return ids
}

// expire removes the entries that are over: their time, or, as spent says, their calls.
func (s *Set) expire(now time.Time, spent func(*Probe) bool) (gone []*Probe) {
	s.probes = slices.DeleteFunc(slices.Clone(s.probes), func(p *Probe) bool {
		if (p.Until.IsZero() || now.Before(p.Until)) && !spent(p) {
			return false
		}
		gone = append(gone, p)
		return true
	})
	for _, p := range gone {
		if p.By != "" {
			s.over = append(s.over, p)
		}
	}
	return gone
}
