package drain

import (
	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/sqlshape"
	"github.com/seam-project/seam/wire"
	"github.com/seam-project/seam/wire/arena"
)

// site is what the drainer knows of one probe, decoded once from the arena.
type site struct {
	known     bool
	announced bool // defined on this connection
	raw       bool // its decoder failed: words are shown as they are
	plain     bool // all arguments and the result are integers: encoded here
	native    bool // its calls go out in the native form, as needs says
	needs     wire.Native
	errno     bool
	words     int // argument words in an ENTER record
	enter     int // bytes of an ENTER record, at least
	hook      *hooks.Hook
	lib, kind string
	args      []word
	ret       word
	dec       *hooks.Decoder
	op        sqlshape.Op
}

// word says how an integer stands in a captured word.
type word struct {
	form  uint8
	shift uint8 // bits above the integer
	at    uint16
}

const (
	notCaptured = iota
	signed
	unsigned
	pointer // unsigned, nil when 0
	nothing // void result
)

// wordOf is the form of an argument or result; false when it is more than a bare
// integer. For those it is, it agrees with hooks.Decoder, which is a good deal
// slower and does all others.
func wordOf(a *hooks.Arg, at int8) (word, bool) {
	w := word{at: uint16(8 * max(at, 0))}
	if s := a.Size; s == 1 || s == 2 || s == 4 {
		w.shift = 64 - 8*s
	}
	switch a.Type {
	case hooks.TInt, hooks.TPid:
		w.form = signed
	case hooks.TFD:
		w.form, w.shift = signed, 32
	case hooks.TUint:
		w.form = unsigned
	case hooks.TPtr:
		w.form, w.shift = pointer, 0
	case hooks.TVoid:
		w.form = nothing
	case hooks.TFloat:
		w.form = notCaptured
		return w, true
	default:
		return w, false
	}
	if a.Secret || a.Ref || a.Out || a.Set != "" {
		return w, false
	}
	if at < 0 {
		w.form = notCaptured
	}
	return w, true
}

// load decodes a site's definition. A site without a sane one still counts: its
// words are shown as they are.
func (d *Drainer) load(id uint32) *site {
	as := d.a.Site(id)
	if as == nil {
		return nil
	}
	for len(d.sites) <= int(id) {
		d.sites = append(d.sites, site{})
	}
	s := &d.sites[id]
	if s.known {
		return s
	}
	*s = site{known: true, words: min(int(as.Nwords), arena.MaxWords)}
	s.enter = arena.RecHead + 8*s.words
	h, lib, kind, err := hooks.DecodeDef(append([]byte(nil), d.a.Def(as)...))
	if err != nil {
		d.fault(faultDef)
		h, kind = hooks.Unknown("?"), hooks.KindCall
		if as.Kind == arena.SiteEntry {
			kind = hooks.KindEntry
		}
	}
	s.hook, s.lib, s.kind = h, lib, kind
	s.errno = h.Errno
	if h.Pack == "sqlite" {
		s.op = sqlshape.OpOf(h.Name)
	}
	s.plain = len(h.Args) < 16 && !h.NoProto && !h.Variadic && h.Pack != "sqlite"
	for i := range h.Args {
		a := &h.Args[i]
		if int(a.Word) >= s.words {
			a.Word = -1 // the record does not have it, whatever the definition says
		}
		w, ok := wordOf(a, a.Word)
		s.plain = s.plain && ok
		s.args = append(s.args, w)
	}
	var ok bool
	if s.ret, ok = wordOf(&h.Ret, 0); !ok {
		s.plain = false
	}
	if h.Ret.Type == hooks.TFloat {
		s.ret.form = nothing
	}
	s.dec = hooks.NewDecoder(h, d.sql)
	return s
}

// has tells whether what a reader needs of the calls is an integer, or a text, as the site has it.
func (s *site) has(n *wire.Native) bool {
	if n.First || n.Ret || n.Text >= 0 {
		if _, ok := wordOf(&s.hook.Ret, 0); !ok {
			return false
		}
	}
	if n.First {
		return len(s.hook.Args) > 0 && s.args[0].form == signed
	}
	return n.Text < 0 || int(n.Text) < len(s.hook.Args) && s.hook.Args[n.Text].Type == hooks.TString && !s.hook.Args[n.Text].Secret
}

// announce appends the definition of a probe to the messages that go before the
// batch.
func (d *Drainer) announce(id uint32, s *site) {
	s.announced = true
	h := s.hook
	p := wire.ProbeDef{ID: id, Name: h.Name, Lib: s.lib, Pack: h.Pack, Kind: s.kind, Fail: h.FailText(), Errno: s.errno}
	for i := range h.Args {
		a := &h.Args[i]
		p.Args = append(p.Args, wire.ArgDef{Name: a.Name, Type: a.Type.String(), Out: a.Out, Set: a.Set})
	}
	p.Ret = wire.ArgDef{Name: h.Ret.Name, Type: h.Ret.Type.String(), Set: h.Ret.Set}
	if d.opt.Native != nil && !s.raw {
		s.needs = d.opt.Native(&p)
		s.native = s.needs.OK && s.has(&s.needs)
	}
	d.pre = wire.AppendProbe(d.pre, &p)
}
