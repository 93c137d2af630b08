package plan

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/seam-project/seam/hooks"
)

// ErrUnsupported: an object for another processor or class.
var ErrUnsupported = errors.New("not an x86-64 object")

// slack is how much is read past a function's end: what may be padding.
const slack = 16

// Bounds on the work one file can cause, whatever its symbols claim: bytes of
// one function, and of all functions that are looked at.
const (
	maxFunction = 1 << 20
	maxCode     = 128 << 20
)

// Build plans obj for spec. A function of which nothing can be done is a
// Refusal, not an error; errors are for objects that cannot be planned at all.
func Build(obj *Object, spec *hooks.Spec) (p *Plan, err error) { return build(obj, spec, false) }

// BuildLive is Build for a process that runs: the plan says, too, how each
// function can be patched while threads are in it.
func BuildLive(obj *Object, spec *hooks.Spec) (p *Plan, err error) { return build(obj, spec, true) }

func build(obj *Object, spec *hooks.Spec, live bool) (p *Plan, err error) {
	if !obj.Supported() {
		return nil, fmt.Errorf("plan %s: %w", obj.Name(), ErrUnsupported)
	}
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("plan %s: %w", obj.Name(), ErrDamaged)
		}
	}()
	b := builder{obj: obj, spec: spec, done: make(map[uint64]bool)}
	defer func() { b.aux.close() }()
	b.plan.SpecHash, b.plan.Live = spec.Hash(), live
	b.plan.ID = obj.ID
	b.plan.TextLo, b.plan.TextHi = obj.Text()
	deepest := Exported
	for i := range spec.Probes {
		if pr := &spec.Probes[i]; LibMatches(pr.Lib, obj) {
			deepest = max(deepest, b.need(pr))
		}
	}
	b.exports = obj
	b.ruled = map[uint64][]int{}
	if deepest > Exported {
		b.deepen(deepest)
	}
	var probes []int
	for i := range spec.Probes {
		if LibMatches(spec.Probes[i].Lib, obj) {
			probes = append(probes, i)
		}
	}
	each := func(ruled bool) {
		for _, i := range probes {
			if pr := &spec.Probes[i]; ruled == (pr.Rule > 0) {
				b.index = i
				b.probe(pr)
			}
		}
	}
	// Of one function first what watches it, then the rules that nothing else watches.
	b.collecting = true
	each(true)
	b.collecting = false
	each(false)
	each(true)
	if obj.Soname == guardSoname {
		b.internal()
	}
	sort.SliceStable(b.plan.Sites, func(i, j int) bool {
		x, y := &b.plan.Sites[i], &b.plan.Sites[j]
		if x.ByPointer() != y.ByPointer() { // last: they are for what nobody else took
			return y.ByPointer()
		}
		return x.Vaddr < y.Vaddr
	})
	if b.aux != nil {
		b.plan.Deps = b.aux.deps
	}
	return &b.plan, nil
}

type builder struct {
	obj     *Object // with all the symbols that the spec's probes need
	exports *Object // with those it exports
	aux     *files  // nil until something else is needed
	protos  map[string]*hooks.Hook
	spec    *hooks.Spec
	plan    Plan
	done    map[uint64]bool  // addresses that a probe has taken, or been refused
	ruled   map[uint64][]int // rules by address, from 0, ascending
	buf     []byte
	code    int // bytes read so far
	full    bool
	far     bits // farTargets
	room    states
	named   int // probes that name functions of this object, and 1; 0: not counted yet
	index   int // of the probe that is being planned, in the spec

	collecting bool // the rules' functions are looked for; nothing is planned
}

func (b *builder) refuse(name string, r Reason, detail string) {
	if b.collecting {
		return
	}
	b.plan.Refusals = append(b.plan.Refusals, Refusal{name, r, detail})
}

// need is how far this probe has to look: no further than where the very name
// it has is exported.
func (b *builder) need(p *hooks.Probe) Source {
	reach := b.obj.reach(p)
	name := p.Sym
	if p.Has != "" {
		name = p.Has
	}
	if !hooks.IsGlob(name) && len(b.obj.byName[name]) > 0 && b.obj.Symbols[b.obj.byName[name][0]].From == Exported {
		return Exported
	}
	return reach
}

// probe plans every function that one probe names.
func (b *builder) probe(p *hooks.Probe) {
	if p.Has != "" && len(b.obj.byName[p.Has]) == 0 {
		return
	}
	exports := builder{obj: b.exports}
	limit := exports.need(p)
	within := func(i int32) bool { return b.obj.Symbols[i].From <= limit }
	switch {
	case isOffset(p.Sym):
		b.offset(p)
	case p.Pack != "":
		for _, h := range hooks.PackHooks(p.Pack) {
			if hooks.Glob(p.Sym, h.Name) {
				for _, i := range b.obj.byName[h.Name] {
					if within(i) {
						b.symbol(p, &b.obj.Symbols[i], false)
					}
				}
			}
		}
	case !hooks.IsGlob(p.Sym):
		for _, i := range b.obj.byName[p.Sym] {
			if within(i) {
				b.symbol(p, &b.obj.Symbols[i], true)
			}
		}
	default:
		for i := range b.obj.Symbols {
			if within(int32(i)) && hooks.Glob(p.Sym, b.obj.Symbols[i].Name) {
				b.symbol(p, &b.obj.Symbols[i], false)
			}
		}
	}
}

// symbol plans one symbol. exact: it was asked for by its very name, so that
// even a variable deserves an answer.
func (b *builder) symbol(p *hooks.Probe, s *Symbol, exact bool) {
	if s.Type == SymFunc && s.From != Exported && b.picker(s.Addr) {
		s = &Symbol{Name: s.Name, Type: SymIFunc, Addr: s.Addr, From: s.From} // a second name of what picks, not of what runs
	}
	switch s.Type {
	case SymFunc:
	case SymIFunc:
		b.ifunc(p, s)
		return
	case SymNone:
		if !exact {
			return
		}
	default:
		if exact {
			b.refuse(s.Name, DataSymbol, "")
		}
		return
	}
	if b.collecting {
		b.ruled[s.Addr] = append(b.ruled[s.Addr], p.Rule-1)
		return
	}
	if b.done[s.Addr] {
		return
	}
	name, aliases := s.Name, b.aliases(s)
	if !exact && p.Pack == "" {
		name = b.bestName(p, s, aliases)
	}
	b.done[s.Addr] = true
	h, proto, note := b.hook(p, s, name, aliases)
	if h == nil {
		b.done[s.Addr] = false
		return
	}
	if p.As != "" {
		c := *h
		c.Name, name = p.As, p.As
		h = &c
	}
	names := append([]string{s.Name}, aliases...)
	for _, n := range names {
		if why := protectedReason(n); why != "" {
			b.refuse(name, Protected, why)
			return
		}
	}
	if r := b.unfit(s); r != nil {
		b.refuse(name, r.reason, r.detail)
		return
	}
	site, r := b.site(p, h, proto, s, names)
	if r != nil {
		b.refuse(name, r.reason, r.detail)
		if !r.reason.Info().Note {
			return
		}
	}
	if site == nil {
		return // a rule was all there was, and it does not fit
	}
	if len(b.plan.Sites) >= maxSites {
		if !b.full {
			b.full = true
			b.refuse(name, TooManySites, "from this one on")
		}
		return
	}
	site.From, site.Proto = s.From, proto
	if note != "" {
		b.refuse(name, ArgumentsUnknown, note)
	}
	b.plan.Sites = append(b.plan.Sites, *site)
}

// aliases are the other names of the code at s.
func (b *builder) aliases(s *Symbol) []string {
	var names []string
	for _, i := range b.obj.symbolsAt(s.Addr) {
		if n := b.obj.Symbols[i].Name; n != s.Name {
			names = append(names, n)
		}
	}
	return names
}

// bestName picks, among the names of one function that match a pattern, the
// one that says most: with a prototype, then with the fewest underscores in
// front, then the shortest.
func (b *builder) bestName(p *hooks.Probe, s *Symbol, aliases []string) string {
	best := s.Name
	if len(aliases) == 0 {
		return best
	}
	_, bestKnown := lookupName(b.obj, p, best)
	for _, n := range aliases {
		if !hooks.Glob(p.Sym, n) {
			continue
		}
		_, known := lookupName(b.obj, p, n)
		if known != bestKnown {
			if known {
				best, bestKnown = n, true
			}
			continue
		}
		if simpler(n, best) {
			best = n
		}
	}
	return best
}

func simpler(a, b string) bool {
	if ua, ub := underscores(a), underscores(b); ua != ub {
		return ua < ub
	}
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}

func underscores(s string) int {
	n := 0
	for n < len(s) && s[n] == '_' {
		n++
	}
	return n
}

// body reads a function and the little after it that padding may need.
func (b *builder) body(s *Symbol) (body, *refusal) {
	if !b.obj.executable(s.Addr) {
		return body{}, &refusal{NotCode, ""}
	}
	if s.Size == 0 {
		f, ok := b.obj.frameAt(s.Addr)
		if !ok || f.lo != s.Addr || !f.entered || f.size == 0 {
			return body{}, &refusal{NoSize, ""}
		}
		c := *s
		c.Size, s = f.size, &c
	}
	if s.Size > maxFunction {
		return body{}, &refusal{Unreadable, "larger than any function"}
	}
	n := int(s.Size) + slack
	if b.code += n; b.code > maxCode {
		return body{}, &refusal{Unreadable, "the file's functions overlap or are too large"}
	}
	if _, avail, ok := b.obj.at(s.Addr); ok && avail < uint64(n) {
		n = int(avail)
	}
	code := b.obj.lasting(&b.buf, n, s.Addr)
	if uint64(len(code)) < s.Size {
		return body{}, &refusal{Unreadable, ""}
	}
	next, _ := b.obj.nextSymbol(s.Addr)
	return body{vaddr: s.Addr, code: code, size: int(s.Size), next: next}, nil
}

// site plans one function. A refusal with a note comes with a site.
func (b *builder) site(p *hooks.Probe, h *hooks.Hook, proto ProtoSource, s *Symbol, names []string) (*Site, *refusal) {
	f, r := b.body(s)
	if r != nil && r.reason != NoSize {
		return nil, r
	}
	var m moved
	if r == nil {
		m, r = relocate(f)
	}
	if r != nil {
		if s.From != Exported {
			return nil, r
		}
		site, note := b.dress(&Site{}, p, h, proto, s, f, names)
		if site != nil && (note == nil || note.reason != StackArgsUnknown) {
			note = &refusal{ByPointer, r.reason.String() + " " + r.detail}
		}
		return site, note
	}
	return b.dress(&Site{Live: b.live(f, &m), Orig: append([]byte(nil), f.code[:m.patchLen]...), Tramp: m.code, Fixes: m.fixes, Flags: m.flags()},
		p, h, proto, s, f, names)
}

// dress completes a site that says how a function is reached: by its code, or
// by the pointers to it. f has no code when it is not known which code runs.
func (b *builder) dress(site *Site, p *hooks.Probe, h *hooks.Hook, proto ProtoSource, s *Symbol, f body, names []string) (*Site, *refusal) {
	site.Name, site.Vaddr, site.Probe, site.Instrument = h.Name, s.Addr, b.index, uint8(p.Instrument)
	if p.Instrument == 0 {
		site.Instrument = uint8(hooks.Log)
	}

	h2 := *h
	for _, n := range names {
		if mustBeEntryOnly(n) && !h2.NoProto {
			h2.EntryOnly = true
		}
	}
	doubt := b.doubt(&h2, proto, s, f)
	at := s.Addr
	if site.Picker != 0 {
		at = site.Picker
	}
	rules := b.rules(site, &h2, at, p)
	if len(rules) == 0 && p.Rule > 0 {
		return nil, nil
	}
	note := b.kind(site, &h2, f, names, p.Filters, rules)
	if note == nil && doubt != nil && site.Kind == Entry {
		note = doubt
	}
	if note != nil && !note.reason.Info().Note {
		return nil, note
	}
	if rules = b.afterwards(site, rules); len(rules) == 0 && p.Rule > 0 {
		return nil, nil
	}
	filters, err := resolve(&h2, p.Filters)
	if err != nil {
		return nil, &refusal{BadFilter, err.Error()}
	}
	site.Filters, site.Rules = filters, rules
	b.words(site, &h2)
	b.helpers(site, &h2)
	site.Def = hooks.EncodeDef(&h2, b.obj.Name(), defKind(site), hooks.Instrument(site.Instrument))
	return site, note
}

func (b *builder) live(f body, m *moved) Live {
	if !b.plan.Live {
		return Live{}
	}
	return b.obj.live(f, m)
}

// needsResult: a filter can be answered only when the call returns.
func needsResult(fs []hooks.Filter) bool {
	for i := range fs {
		if fs[i].Kind == hooks.FilterFailed || fs[i].Kind == hooks.FilterMinDuration {
			return true
		}
	}
	return false
}

// kind chooses the thunk.
//
//	           needs the result        does not
//	log        Full, else refused      Full, else Entry
//	hist       Full, else refused      Full, else refused
//	count      Full, else refused      Full with callbacks after the call, Entry with filters or other rules, else Count
func (b *builder) kind(site *Site, h *hooks.Hook, f body, names []string, filters []hooks.Filter, rules []Rule) *refusal {
	inst := hooks.Instrument(site.Instrument)
	late := needsResult(filters)
	needs := late || inst == hooks.Hist
	if inst == hooks.Count && !late && !slices.ContainsFunc(rules, after) {
		if site.Kind = Count; len(filters) > 0 || len(rules) > 0 {
			site.Kind = Entry
		}
		return nil
	}
	var why *refusal
	switch {
	case h.NoProto:
		for _, n := range names {
			if mustBeEntryOnly(n) {
				why = &refusal{ReturnsTwiceOrCaller, ""}
			}
		}
		if why == nil {
			if f.code == nil {
				why = &refusal{StackArgsUnknown, "its code is not known"}
			} else if ok, detail := framesafe(b.obj, f, &b.room); !ok {
				why = &refusal{StackArgsUnknown, detail}
			}
		}
	case h.EntryOnly:
		why = &refusal{}
	}
	if why == nil {
		site.Kind = Full
		h.EntryOnly = false
		return nil
	}
	if needs {
		return &refusal{NeedsReturn, why.detail}
	}
	site.Kind = Entry
	h.EntryOnly = true
	if why.reason == ReasonNone {
		return nil // its hook says so: nothing to explain
	}
	return why
}

// words fills in what is captured.
func (b *builder) words(site *Site, h *hooks.Hook) {
	site.FailOp, site.RetWidth, site.FailVals = uint8(h.Fail.Op), h.Fail.Width, h.Fail.Vals
	if site.RetWidth != 4 && site.RetWidth != 8 {
		site.RetWidth = 8
	}
	site.Flags |= SiteFlags(h.Flags) & (FlagNoReturn | FlagForks | FlagExec | FlagExit)
	if h.Errno {
		site.Flags |= FlagErrno
	}
	nregs, nstack, ncopy := hooks.Words(h)
	if site.Kind == Full {
		site.NCopy = uint8(min(ncopy, 255))
	}
	if site.Kind == Count {
		return
	}
	// A counter or a histogram keeps no words; filters still look at them.
	if hooks.Instrument(site.Instrument) == hooks.Log || len(site.Filters)+len(site.Rules) > 0 {
		site.NRegs, site.NStack = uint8(nregs), uint8(nstack)
	}
	if site.NCopy < site.NStack {
		site.NCopy = site.NStack
	}
	if hooks.Instrument(site.Instrument) != hooks.Log && len(site.Rules) == 0 {
		return
	}
	site.Ops = ops(h)
	if site.Kind == Full && h.Handover != hooks.HandoverNone {
		site.Handover = uint8(h.Handover)
		site.Flags |= FlagHandover
	}
}

// defKind is the probe's kind as the stream names it.
func defKind(s *Site) string {
	switch hooks.Instrument(s.Instrument) {
	case hooks.Count:
		return "count"
	case hooks.Hist:
		return "hist"
	}
	if s.Kind == Entry {
		return "entry"
	}
	return "call"
}

// internal plans functions of libc that the core itself must hear of: those by
// which processes come about or confine themselves, and, when arguments are read,
// those that change the address space. Sites that are there anyway are only marked.
func (b *builder) internal() {
	at := make(map[uint64]int, len(b.plan.Sites))
	for i := range b.plan.Sites {
		at[b.plan.Sites[i].Vaddr] = i
	}
	for _, name := range confiners {
		b.core(at, name, Guard, func(s *Site) { s.Flags |= FlagGuard })
	}
	for _, w := range watches {
		kind := Watch
		if w.frame {
			kind = Guard
		}
		b.core(at, w.name, kind, func(s *Site) { s.Watch = w.kind })
	}
	if capturesMemory(b.spec) {
		for _, name := range guards {
			b.core(at, name, Guard, func(s *Site) { s.Flags |= FlagGuard })
		}
	}
}

// core has set change the sites of one function, which are made if need be.
func (b *builder) core(at map[uint64]int, name string, kind Kind, set func(*Site)) {
	for _, index := range b.obj.byName[name] {
		s := &b.obj.Symbols[index]
		if s.Type != SymFunc {
			continue
		}
		if i, ok := at[s.Addr]; ok {
			set(&b.plan.Sites[i])
			continue
		}
		f, r := b.body(s)
		var m moved
		if r == nil {
			m, r = relocate(f)
		}
		if r != nil {
			b.refuse(name, r.reason, r.detail)
			continue
		}
		at[s.Addr] = len(b.plan.Sites)
		site := Site{Name: name, Vaddr: s.Addr, Kind: kind, Probe: -1, Live: b.live(f, &m),
			RetWidth: 8, Orig: append([]byte(nil), f.code[:m.patchLen]...), Tramp: m.code, Fixes: m.fixes}
		site.Flags |= m.flags()
		set(&site)
		b.plan.Sites = append(b.plan.Sites, site)
	}
}

// capturesMemory: some site of the spec, in whatever object, reads memory.
// Which functions a pattern will find is not known here, so a pattern counts.
func capturesMemory(spec *hooks.Spec) bool {
	if len(spec.Rules) > 0 {
		return true
	}
	for i := range spec.Probes {
		p := &spec.Probes[i]
		for j := range p.Filters {
			if p.Filters[j].Kind == hooks.FilterPrefix {
				return true
			}
		}
		if p.Instrument == hooks.Count || p.Instrument == hooks.Hist {
			continue
		}
		if p.Pack != "" || hooks.IsGlob(p.Sym) {
			return true
		}
		// The user's prototypes, and what DWARF may say of a function.
		if h, ok := hooks.Lookup("", p.Sym); !ok || len(spec.Protos) > 0 || len(hooks.Ops(h)) > 0 {
			return true
		}
	}
	return false
}
