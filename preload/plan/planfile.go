package plan

import (
	"errors"
	"fmt"

	"github.com/seam-project/seam/preload/plan/debuginfo"
)

// Sizes and offsets of preload/core/abi.h. layout_test.go compiles that header
// and compares.
const (
	planMagic   = "SEAMPLAN"
	planVersion = 9

	headerSize = 128
	siteSize   = 144
	fixSize    = 16
	depSize    = 40
	opSize     = 8
	filterSize = 80
	ruleSize   = 72

	checkFrom = 24 // the check sum covers what follows it

	hdrVersion, hdrSize, hdrCheck, hdrSpec   = 8, 12, 16, 24
	hdrDev, hdrIno, hdrFsize, hdrMtime       = 32, 40, 48, 56
	hdrNsites, hdrSites, hdrRefOff, hdrRefLn = 64, 68, 72, 76
	hdrTextLo, hdrTextHi                     = 80, 88
	hdrNdeps, hdrDeps                        = 96, 100
	hdrLive                                  = 104

	siteVaddr, siteKind, siteInstr, siteFlags, sitePatch   = 0, 8, 9, 10, 11
	siteNregs, siteNstack, siteNcopy, siteNops             = 12, 13, 14, 15
	siteOrig                                               = 16
	siteTrampOff, siteTrampLen, siteFixOff, siteNfix       = 40, 44, 48, 52
	siteOpsOff, siteFiltOff                                = 56, 60
	siteNfilt, siteFailOp, siteRetWidth, siteHandover      = 64, 65, 66, 67
	siteDefOff, siteDefLen, siteNameOff                    = 68, 72, 76
	siteFailVal, siteWatch, siteFrom, siteProto, siteProbe = 80, 104, 108, 109, 110
	sitePicker                                             = 112
	siteRulesOff, siteNrules                               = 136, 140

	ruleWhat, ruleFlags, ruleID, ruleNfilt, ruleNerr, ruleCountArg = 0, 1, 2, 3, 4, 5
	ruleFiltOff, ruleCount                                         = 8, 12
	ruleRet, ruleErr                                               = 16, 24

	noProbe = 0xffff

	maxSites    = 16384
	maxPlanSize = 64 << 20
	maxTramp    = 256
	maxFixes    = 16
	maxOps      = 32
	maxFilters  = 16
	maxRules    = 64
	maxRuleErrs = 24
	maxName     = 4096
	maxDeps     = 64
	maxDef      = 1 << 20
)

// Kind is SEAM_SITE_*.
type Kind uint8

const (
	Full  Kind = 1
	Entry Kind = 2
	Count Kind = 3
	Guard Kind = 4
	Watch Kind = 5
)

func (k Kind) String() string {
	switch k {
	case Full:
		return "full"
	case Entry:
		return "entry"
	case Count:
		return "count"
	case Guard:
		return "guard"
	case Watch:
		return "watch"
	}
	return "unknown"
}

// WatchKind is enum seam_watch: what the core itself must know of a call.
type WatchKind uint32

const (
	WatchNone WatchKind = iota
	WatchVfork
	WatchClone
	WatchSpawn
	WatchWait4
	WatchWaitid
	WatchExecve
	WatchExecveat
	WatchFexecve
	WatchSyscall
	WatchExit
)

// SiteFlags is SEAM_SF_*.
type SiteFlags uint8

const (
	FlagErrno    SiteFlags = 1
	FlagHandover SiteFlags = 2
	FlagNoReturn SiteFlags = 4
	FlagForks    SiteFlags = 8
	FlagExec     SiteFlags = 16
	FlagExit     SiteFlags = 32
	FlagGuard    SiteFlags = 64
	FlagPushes   SiteFlags = 128
)

// Op is struct seam_op.
type Op struct {
	Op, Arg, Len, When uint8
	Cap, Unit          uint16
}

// Filter is struct seam_filter.
type Filter struct {
	What, Arg, Cmp, Width uint8
	Signed                bool
	Value                 int64
	Str                   string   // at most 64 bytes
	Set                   []string // a list, sorted; Value is where it is then
}

// Rule is struct seam_rule.
type Rule struct {
	What, Flags, ID, CountArg uint8
	Count                     uint32
	Ret                       int64
	Errs                      []uint16
	When                      []Filter
}

// Site is struct seam_site.
type Site struct {
	Name       string
	Vaddr      uint64
	Kind       Kind
	Instrument uint8
	Flags      SiteFlags
	Watch      WatchKind
	NRegs      uint8
	NStack     uint8
	NCopy      uint8
	Orig       []byte // the displaced bytes; its length is patch_len
	Tramp      []byte
	Fixes      []Fix
	Ops        []Op
	Filters    []Filter
	Rules      []Rule
	FailOp     uint8
	RetWidth   uint8
	FailVals   [3]int64
	Handover   uint8
	Def        []byte
	From       Source
	Proto      ProtoSource
	Probe      int    // index in the spec's probes, -1: the core's own
	Picker     uint64 // of an IFUNC: the code that picks; else 0. A site for each implementation, and one by pointer
	Live       Live   // when the plan is Live
}

// ByPointer: not the function's code is patched, but all pointers to it.
func (s *Site) ByPointer() bool { return len(s.Orig) == 0 }

// Refusal says that a function is not patched, or, when its reason is a note,
// that it is patched in a lesser way.
type Refusal struct {
	Name   string
	Reason Reason
	Detail string
}

// Dep is another file that a plan was made from, or a place where one was
// looked for.
type Dep = debuginfo.Dep

// Plan is what to do with one ELF file for one spec.
type Plan struct {
	SpecHash       uint64
	ID             Identity
	TextLo, TextHi uint64
	Sites          []Site
	Refusals       []Refusal
	Deps           []Dep // other files it was made from, or that were looked for
	Live           bool  // it says of each site how it can be put in while threads run
}

const (
	fnvStart = 0xcbf29ce484222325
	fnvPrime = 0x100000001b3
)

// checksum is FNV-1a over little-endian 64-bit words in four lanes, then over the words
// and bytes that are left (preload/core/hash.c): a start-up reads 130 KiB of plan, and
// byte by byte that takes longer than all the patching.
func checksum(b []byte) uint64 {
	h := uint64(fnvStart)
	if len(b) >= 32 {
		lanes := [4]uint64{h, h + 1, h + 2, h + 3}
		for ; len(b) >= 32; b = b[32:] {
			for i := range lanes {
				lanes[i] = (lanes[i] ^ le.Uint64(b[8*i:])) * fnvPrime
			}
		}
		for _, l := range lanes {
			h = (h ^ l) * fnvPrime
		}
	}
	for ; len(b) >= 8; b = b[8:] {
		h = (h ^ le.Uint64(b)) * fnvPrime
	}
	for _, c := range b {
		h = (h ^ uint64(c)) * fnvPrime
	}
	return h
}

// fnv1a64 is the key of the plan cache.
func fnv1a64(b []byte) uint64 {
	h := uint64(fnvStart)
	for _, c := range b {
		h = (h ^ uint64(c)) * fnvPrime
	}
	return h
}

// Encode is the plan file.
func (p *Plan) Encode() []byte {
	n := headerSize + len(p.Sites)*siteSize
	b := make([]byte, n, n+len(p.Sites)*256)
	align := func() {
		for len(b)%8 != 0 {
			b = append(b, 0)
		}
	}
	lists := newLists()
	for i := range p.Sites {
		s := &p.Sites[i]
		align()
		b = lists.place(b, s)
		fixOff := len(b)
		for _, f := range s.Fixes {
			b = le.AppendUint16(b, f.At)
			b = append(b, byte(f.Kind), f.Addend, 0, 0, 0, 0)
			b = le.AppendUint64(b, f.Target)
		}
		opsOff := len(b)
		for _, o := range s.Ops {
			b = append(b, o.Op, o.Arg, o.Len, o.When)
			b = le.AppendUint16(b, o.Cap)
			b = le.AppendUint16(b, o.Unit)
		}
		filtOff := len(b)
		b = lists.appendFilters(b, s.Filters)
		var rulesOff int
		b, rulesOff = lists.appendRules(b, s.Rules)
		trampOff := len(b)
		b = append(b, s.Tramp...)
		defOff := len(b)
		b = append(b, s.Def...)
		nameOff := len(b)
		b = append(b, s.Name...)
		b = append(b, 0)

		d := b[headerSize+i*siteSize:][:siteSize]
		u32 := func(off, v int) { le.PutUint32(d[off:], uint32(v)) }
		le.PutUint64(d[siteVaddr:], s.Vaddr)
		d[siteKind], d[siteInstr], d[siteFlags], d[sitePatch] = byte(s.Kind), s.Instrument, byte(s.Flags), byte(len(s.Orig))
		d[siteNregs], d[siteNstack], d[siteNcopy], d[siteNops] = s.NRegs, s.NStack, s.NCopy, byte(len(s.Ops))
		copy(d[siteOrig:siteOrig+maxPatch], s.Orig)
		u32(siteTrampOff, trampOff)
		u32(siteTrampLen, len(s.Tramp))
		u32(siteFixOff, fixOff)
		u32(siteNfix, len(s.Fixes))
		u32(siteOpsOff, opsOff)
		u32(siteFiltOff, filtOff)
		d[siteNfilt], d[siteFailOp], d[siteRetWidth], d[siteHandover] = byte(len(s.Filters)), s.FailOp, s.RetWidth, s.Handover
		u32(siteDefOff, defOff)
		u32(siteDefLen, len(s.Def))
		u32(siteNameOff, nameOff)
		for j, v := range s.FailVals {
			le.PutUint64(d[siteFailVal+8*j:], uint64(v))
		}
		u32(siteWatch, int(s.Watch))
		d[siteFrom], d[siteProto] = byte(s.From), byte(s.Proto)
		le.PutUint64(d[sitePicker:], s.Picker)
		probe := noProbe
		if s.Probe >= 0 {
			probe = min(s.Probe, noProbe-1)
		}
		le.PutUint16(d[siteProbe:], uint16(probe))
		u32(siteNrules, len(s.Rules))
		u32(siteRulesOff, rulesOff)
	}
	refOff := len(b)
	b = appendRefusals(b, p.Refusals)
	refLen := len(b) - refOff
	align()
	depsOff, paths := len(b), 0
	for i := range p.Deps {
		b = append(b, make([]byte, depSize)...)
		paths += len(p.Deps[i].Path) + 1
	}
	for i := range p.Deps {
		dep, d := &p.Deps[i], b[depsOff+i*depSize:]
		for j, v := range [...]uint64{dep.ID.Dev, dep.ID.Ino, dep.ID.Size, dep.ID.MtimeNS} {
			le.PutUint64(d[8*j:], v)
		}
		le.PutUint32(d[32:], uint32(len(b)))
		b = append(append(b, dep.Path...), 0)
	}
	align()
	liveOff := 0
	if p.Live {
		liveOff = len(b)
		for i := range p.Sites {
			b = p.Sites[i].Live.append(b)
		}
	}

	copy(b, planMagic)
	le.PutUint32(b[hdrVersion:], planVersion)
	le.PutUint32(b[hdrSize:], uint32(len(b)))
	le.PutUint64(b[hdrSpec:], p.SpecHash)
	le.PutUint64(b[hdrDev:], p.ID.Dev)
	le.PutUint64(b[hdrIno:], p.ID.Ino)
	le.PutUint64(b[hdrFsize:], p.ID.Size)
	le.PutUint64(b[hdrMtime:], p.ID.MtimeNS)
	le.PutUint32(b[hdrNsites:], uint32(len(p.Sites)))
	le.PutUint32(b[hdrSites:], headerSize)
	le.PutUint32(b[hdrRefOff:], uint32(refOff))
	le.PutUint32(b[hdrRefLn:], uint32(refLen))
	le.PutUint64(b[hdrTextLo:], p.TextLo)
	le.PutUint64(b[hdrTextHi:], p.TextHi)
	le.PutUint32(b[hdrNdeps:], uint32(len(p.Deps)))
	le.PutUint32(b[hdrDeps:], uint32(depsOff))
	le.PutUint32(b[hdrLive:], uint32(liveOff))
	le.PutUint64(b[hdrCheck:], checksum(b[checkFrom:]))
	return b
}

// Errors of Decode.
var (
	ErrNotPlan  = errors.New("not a plan file")
	ErrVersion  = errors.New("plan file of another version")
	ErrChecksum = errors.New("plan file with a wrong check sum")
	ErrBadPlan  = errors.New("malformed plan file")
)

// Decode reads a plan file. It takes nothing on trust: every offset, count and
// enumeration is checked, so that what it accepts the core accepts too.
func Decode(b []byte) (*Plan, error) {
	if len(b) < headerSize || string(b[:8]) != planMagic {
		return nil, ErrNotPlan
	}
	if v := le.Uint32(b[hdrVersion:]); v != planVersion {
		return nil, fmt.Errorf("decode plan: version %d: %w", v, ErrVersion)
	}
	if uint64(le.Uint32(b[hdrSize:])) != uint64(len(b)) {
		return nil, fmt.Errorf("decode plan: size: %w", ErrBadPlan)
	}
	if le.Uint64(b[hdrCheck:]) != checksum(b[checkFrom:]) {
		return nil, ErrChecksum
	}
	p := &Plan{
		SpecHash: le.Uint64(b[hdrSpec:]),
		ID: Identity{Dev: le.Uint64(b[hdrDev:]), Ino: le.Uint64(b[hdrIno:]),
			Size: le.Uint64(b[hdrFsize:]), MtimeNS: le.Uint64(b[hdrMtime:])},
		TextLo: le.Uint64(b[hdrTextLo:]), TextHi: le.Uint64(b[hdrTextHi:]),
	}
	n := le.Uint32(b[hdrNsites:])
	sites, ok := slice(b, le.Uint32(b[hdrSites:]), n, siteSize, maxSites)
	if !ok {
		return nil, fmt.Errorf("decode plan: sites: %w", ErrBadPlan)
	}
	if n > 0 {
		p.Sites = make([]Site, n)
	}
	for i := range p.Sites {
		if !p.Sites[i].decode(b, sites[i*siteSize:][:siteSize]) {
			return nil, fmt.Errorf("decode plan: site %d: %w", i, ErrBadPlan)
		}
	}
	if off := le.Uint32(b[hdrLive:]); off != 0 {
		live, ok := slice(b, off, n, liveSize, maxSites)
		if !ok {
			return nil, fmt.Errorf("decode plan: live: %w", ErrBadPlan)
		}
		p.Live = true
		for i := range p.Sites {
			if !p.Sites[i].Live.decode(live[i*liveSize:][:liveSize]) {
				return nil, fmt.Errorf("decode plan: live, site %d: %w", i, ErrBadPlan)
			}
		}
	}
	ref, ok := slice(b, le.Uint32(b[hdrRefOff:]), le.Uint32(b[hdrRefLn:]), 1, maxPlanSize)
	if !ok {
		return nil, fmt.Errorf("decode plan: refusals: %w", ErrBadPlan)
	}
	if p.Refusals, ok = ParseRefusals(ref); !ok {
		return nil, fmt.Errorf("decode plan: refusals: %w", ErrBadPlan)
	}
	deps, ok := slice(b, le.Uint32(b[hdrDeps:]), le.Uint32(b[hdrNdeps:]), depSize, maxDeps)
	if !ok {
		return nil, fmt.Errorf("decode plan: files: %w", ErrBadPlan)
	}
	for ; len(deps) > 0; deps = deps[depSize:] {
		path, ok := stringAt(b, le.Uint32(deps[32:]))
		if !ok {
			return nil, fmt.Errorf("decode plan: files: %w", ErrBadPlan)
		}
		p.Deps = append(p.Deps, Dep{Path: path, ID: Identity{Dev: le.Uint64(deps), Ino: le.Uint64(deps[8:]),
			Size: le.Uint64(deps[16:]), MtimeNS: le.Uint64(deps[24:])}})
	}
	return p, nil
}

// stringAt is the NUL-terminated string at off.
func stringAt(b []byte, off uint32) (string, bool) {
	if uint64(off) >= uint64(len(b)) {
		return "", false
	}
	rest := b[off:]
	rest = rest[:min(len(rest), maxName+1)]
	s := cstring(rest)
	return s, len(s) < len(rest)
}

// slice is n items of size bytes at off, if that is within b and n <= limit.
func slice(b []byte, off, n uint32, size, limit int) ([]byte, bool) {
	if uint64(n) > uint64(limit) {
		return nil, false
	}
	end := uint64(off) + uint64(n)*uint64(size)
	if end > uint64(len(b)) {
		return nil, false
	}
	return b[off:end:end], true
}

func (s *Site) decode(b, d []byte) bool {
	u32 := func(off int) uint32 { return le.Uint32(d[off:]) }
	s.Vaddr = le.Uint64(d[siteVaddr:])
	s.Kind, s.Instrument, s.Flags = Kind(d[siteKind]), d[siteInstr], SiteFlags(d[siteFlags])
	s.NRegs, s.NStack, s.NCopy = d[siteNregs], d[siteNstack], d[siteNcopy]
	patch := int(d[sitePatch])
	if s.Kind < Full || s.Kind > Watch || s.Instrument > 3 || patch != 0 && patch < jumpLen || patch > maxPatch ||
		s.NRegs > 6 || int(s.NRegs)+int(s.NStack) > maxWords || s.NCopy < s.NStack {
		return false
	}
	s.Picker = le.Uint64(d[sitePicker:])
	s.Orig = append([]byte(nil), d[siteOrig:siteOrig+patch]...)
	tramp, ok := slice(b, u32(siteTrampOff), u32(siteTrampLen), 1, maxTramp)
	if !ok {
		return false
	}
	s.Tramp = append([]byte(nil), tramp...)
	fixes, ok := slice(b, u32(siteFixOff), u32(siteNfix), fixSize, maxFixes)
	if !ok {
		return false
	}
	for ; len(fixes) > 0; fixes = fixes[fixSize:] {
		f := Fix{At: le.Uint16(fixes), Kind: FixKind(fixes[2]), Addend: fixes[3], Target: le.Uint64(fixes[8:])}
		width := map4or8(f.Kind)
		if width == 0 || int(f.At)+width > len(s.Tramp) || f.Kind == FixRel32 && int(f.Addend) < width {
			return false
		}
		s.Fixes = append(s.Fixes, f)
	}
	words := s.NRegs + s.NStack
	ops, ok := slice(b, u32(siteOpsOff), uint32(d[siteNops]), opSize, maxOps)
	if !ok {
		return false
	}
	for ; len(ops) > 0; ops = ops[opSize:] {
		o := Op{ops[0], ops[1], ops[2], ops[3], le.Uint16(ops[4:]), le.Uint16(ops[6:])}
		if !o.valid(words) {
			return false
		}
		s.Ops = append(s.Ops, o)
	}
	if s.Filters, ok = decodeFilters(b, u32(siteFiltOff), d[siteNfilt], words); !ok {
		return false
	}
	rules, ok := slice(b, u32(siteRulesOff), u32(siteNrules), ruleSize, maxRules)
	if !ok {
		return false
	}
	for ; len(rules) > 0; rules = rules[ruleSize:] {
		var r Rule
		if !r.decode(b, rules[:ruleSize], words) {
			return false
		}
		s.Rules = append(s.Rules, r)
	}
	s.FailOp, s.RetWidth, s.Handover = d[siteFailOp], d[siteRetWidth], d[siteHandover]
	if s.FailOp > 4 {
		return false
	}
	def, ok := slice(b, u32(siteDefOff), u32(siteDefLen), 1, maxDef)
	if !ok {
		return false
	}
	if len(def) > 0 {
		s.Def = append([]byte(nil), def...)
	}
	if s.Name, ok = stringAt(b, u32(siteNameOff)); !ok {
		return false
	}
	for i := range s.FailVals {
		s.FailVals[i] = int64(le.Uint64(d[siteFailVal+8*i:]))
	}
	s.From, s.Proto = Source(d[siteFrom]), ProtoSource(d[siteProto])
	if s.Probe = int(le.Uint16(d[siteProbe:])); s.Probe == noProbe {
		s.Probe = -1
	}
	if s.From > Offset || s.Proto > DWARFProto {
		return false
	}
	if s.Watch = WatchKind(u32(siteWatch)); s.Watch > WatchExit {
		return false
	}
	return true
}

func map4or8(k FixKind) int {
	switch k {
	case FixRel32:
		return 4
	case FixAbs64:
		return 8
	}
	return 0
}

const (
	opStr, opRetStr   = 1, 7
	opBuf, opBufP     = 2, 3
	opBuf32           = 8 // the last one
	opLenRet          = 0xff
	whenEnter         = 1
	whenLeave, whenOK = 2, 4
	maxWords          = 12
)

func (o Op) valid(words uint8) bool {
	if o.Op < opStr || o.Op > opBuf32 || o.When&^(whenEnter|whenLeave|whenOK) != 0 {
		return false
	}
	enter, leave := o.When&whenEnter != 0, o.When&whenLeave != 0
	if enter == leave || enter && o.When&whenOK != 0 {
		return false
	}
	if o.Op == opRetStr {
		return leave
	}
	if o.Arg >= words {
		return false
	}
	switch o.Op {
	case opBuf, opBuf32:
		return o.Len == opLenRet && leave || o.Len < words
	case opBufP:
		return o.Len < words
	}
	return true
}

func (f Filter) valid(words uint8) bool {
	switch f.What {
	case filtInt:
		return f.Arg < words && f.Cmp >= 1 && f.Cmp <= 7 && (f.Width == 1 || f.Width == 2 || f.Width == 4 || f.Width == 8)
	case filtPrefix:
		return f.Arg < words && (f.Cmp == 1 || f.Cmp == 2)
	case filtAddr:
		return f.Arg < words && (f.Cmp == 1 || f.Cmp == 2) && (f.Width == 0xff || f.Width < words) && len(f.Str) >= addrRangeSize &&
			(f.Str[0] == 2 && f.Str[1] <= 32 || f.Str[0] == 10 && f.Str[1] <= 128 || f.Str[0] == 1 && int(f.Str[1]) == len(f.Str)-addrRangeSize)
	case filtFDPath:
		return f.Arg < words && (f.Cmp == 1 || f.Cmp == 2)
	case filtWithin:
		return f.validNames(words)
	case filtAddrs:
		return f.Arg < words && (f.Cmp == 1 || f.Cmp == 2) && (f.Width == 0xff || f.Width < words) && len(f.Str) == 8
	case filtShape:
		return len(f.Str) == sqlSize && f.Str[0] < words && (f.Str[1] < words || f.Str[1] == noWord) && (f.Cmp == 1 || f.Cmp == 2)
	case filtHas:
		return f.Arg < words && (f.Cmp == 1 || f.Cmp == 2) && f.Str != ""
	case filtFailed, filtMinDur, filtRuled:
		return true
	}
	return false
}

// SEAM_FILT_*.
const filtInt, filtPrefix, filtFailed, filtMinDur, filtRuled, filtAddr, filtFDPath, filtWithin, filtAddrs, filtHas, filtShape = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
