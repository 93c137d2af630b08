package report

import (
	"sync"

	"github.com/seam-project/seam/wire"
)

// Options bound a report. Zero values mean the defaults.
type Options struct {
	// Top is the most entries of a list that the Report keeps; default 1000.
	Top int
	// Keep is the most distinct paths, statements and addresses followed while
	// collecting, each; default 20000. It bounds memory.
	Keep int
	// Advice says what to do about a reason of refusal; it may be nil, and
	// returns "" when it knows nothing.
	Advice func(reason string) string
}

func (o *Options) fill() {
	if o.Top <= 0 {
		o.Top = 1000
	}
	if o.Keep <= 0 {
		o.Keep = 20000
	}
}

// A Builder gathers what Streams read and makes the Report. Its methods may be
// called from any goroutine.
type Builder struct {
	opt Options

	mu      sync.Mutex
	probes  map[string][]*Probe // by lib NUL name
	funcs   map[funcKey]*funcStat
	arenas  map[[16]byte]*arena
	sql     table[sqlStat]
	files   table[fileStat]
	hosts   table[hostStat]
	procs   procs
	threads map[string]*ThreadGroup // by name
	refused map[string]*refusals
	errors  map[errorKey]*Error
	acted   map[actedKey]uint64
	trunc   int
	target  []string
	first   int64 // earliest start, epoch ns
	last    int64
	session int64  // when this reader began, epoch ns; 0 unknown
	batches uint64 // read so far, of all streams
}

type funcKey struct{ lib, name string }

type funcStat struct {
	tally
	pack, kind string
	open       int64 // enters without their leave
	lost       uint64
	dropped    uint64
}

type errorKey struct{ code, text string }

// maxErrors and maxRefusals bound what peers can make us remember.
const (
	maxErrors   = 1000
	maxRefusals = 20000
)

// NewBuilder returns an empty Builder.
func NewBuilder(o Options) *Builder {
	o.fill()
	b := &Builder{
		opt:     o,
		probes:  make(map[string][]*Probe),
		funcs:   make(map[funcKey]*funcStat),
		arenas:  make(map[[16]byte]*arena),
		refused: make(map[string]*refusals),
		errors:  make(map[errorKey]*Error),
	}
	b.sql.limit, b.files.limit, b.hosts.limit = o.Keep, o.Keep, o.Keep
	return b
}

// Error counts an error of the reader's own side; text names it, advice may be
// empty. It is the same as an error message on a stream.
func (b *Builder) Error(code, text, advice string, count uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.addError(code, text, advice, count)
}

func (b *Builder) addError(code, text, advice string, count uint64) {
	code, text, advice = clip(code, 64), clip(text, 1024), clip(advice, 1024)
	k := errorKey{code, text}
	e := b.errors[k]
	if e == nil {
		if len(b.errors) >= maxErrors {
			k = errorKey{"other", "further errors"}
			if e = b.errors[k]; e == nil {
				e = &Error{Code: k.code, Text: k.text}
				b.errors[k] = e
			}
			e.Count += count
			return
		}
		e = &Error{Code: code, Text: text, Advice: advice}
		b.errors[k] = e
	}
	e.Count += count
}

// Upto returns how many bytes of the chunk with this uid streams have
// delivered: a drainer of the arena skips them, when the connections of those who
// drained it before have ended.
func (b *Builder) Upto(id [16]byte, uid uint64) uint32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.arenas[id]; a != nil {
		return a.seen.upto(uid)
	}
	return 0
}

// Delivered returns the calls counted for an arena by streams that are closed.
func (b *Builder) Delivered(id [16]byte) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.arenas[id]; a != nil {
		return a.delivered
	}
	return 0
}

// Final tells whether an arena's last account (bye) was seen.
func (b *Builder) Final(id [16]byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.arenas[id]
	return a != nil && a.final
}

// intern returns the Probe for d, shared with other processes.
func (b *Builder) intern(d *wire.ProbeDef) *Probe {
	k := d.Lib + "\x00" + d.Name
	l := b.probes[k]
	for _, p := range l {
		if p.same(d) {
			return p
		}
	}
	p := newProbe(d)
	if len(l) < 16 { // a hostile peer can't make this list grow
		b.probes[k] = append(l, p)
	}
	return p
}

func (b *Builder) arena(id [16]byte) *arena {
	a := b.arenas[id]
	if a == nil {
		a = &arena{id: id}
		b.arenas[id] = a
	}
	return a
}

func (b *Builder) function(p *Probe) *funcStat {
	k := funcKey{p.Lib, p.Name}
	f := b.funcs[k]
	if f == nil {
		f = &funcStat{pack: p.Pack, kind: p.Kind}
		b.funcs[k] = f
	}
	return f
}

func (b *Builder) saw(t int64) {
	if t > b.last {
		b.last = t
	}
}
