package arena

import (
	"errors"
	"fmt"
	"math/bits"
	"sync/atomic"
	"time"
)

// Bounds of a believable arena: far above what the core makes, low enough that
// a hostile header can't make a reader allocate or scan without end.
const (
	maxSize    = 4 << 30
	maxChunks  = 1 << 20
	maxChunk   = 16 << 20
	minChunk   = 256
	maxThreads = 1 << 20
	maxSites   = 1 << 16
	maxShards  = 1 << 10
	maxParks   = 1 << 12
)

// ErrInvalid is wrapped when an arena's header does not hold together.
var ErrInvalid = errors.New("arena header is invalid")

// Info is the part of the header that never changes, copied once.
type Info struct {
	ID        [16]byte
	SpecHash  uint64
	Size      uint64
	Policy    uint32
	Clock     uint32
	BlockNS   uint64
	TSC0      uint64
	Mono0     uint64
	Real0     uint64
	ChunkSize uint32
}

// Arena is a checked view of a mapped arena. Its slices were cut from bounds
// that were validated once; whatever the producers write later can make values
// wrong, not accesses.
type Arena struct {
	Info
	mem    []byte
	mapped bool

	head     *Header
	procs    []Proc
	threads  []Thread
	chunks   []Chunk
	free     []uint64
	sites    []Site
	defs     []byte
	counters []uint64 // nshards rows of len(sites)
	hists    []Hist   // nshardsHist rows of nhists
	nhists   int
	ends     []End
	rules    []RuleState
	notes    []Note
	parks    *Parks // nil: no breakpoints here
	breaks   []Break
	parked   []ParkedThread
	data     []byte
	info     []byte
}

// region is one checked part of the mapping.
func region(size uint64, name string, off, count, elem, align uint64) error {
	switch {
	case off%align != 0:
		return fmt.Errorf("%w: %s at %d is not aligned", ErrInvalid, name, off)
	case off < headerSize || off > size || count > (size-off)/elem:
		return fmt.Errorf("%w: %s at %d, %d of %d bytes, exceed %d bytes", ErrInvalid, name, off, count, elem, size)
	}
	return nil
}

func limit(name string, v, lo, hi uint64) error {
	if v < lo || v > hi {
		return fmt.Errorf("%w: %s is %d, not in %d..%d", ErrInvalid, name, v, lo, hi)
	}
	return nil
}

// check validates a private copy of the header against the size of the mapping.
func check(h *Header, size uint64) error {
	if string(h.Magic[:]) != Magic {
		return fmt.Errorf("%w: bad magic %q", ErrInvalid, h.Magic[:])
	}
	if h.Version != Version {
		return fmt.Errorf("%w: version %d, want %d", ErrInvalid, h.Version, Version)
	}
	if h.Size > size {
		return fmt.Errorf("%w: size %d, mapped %d", ErrInvalid, h.Size, size)
	}
	size = h.Size
	return errors.Join(
		limit("size", size, headerSize, maxSize),
		limit("clock", uint64(h.Clock), 0, ClockMono),
		limit("policy", uint64(h.Policy), 0, Block),
		limit("chunk count", uint64(h.Nchunks), 1, maxChunks),
		limit("chunk size", uint64(h.ChunkSize), minChunk, maxChunk),
		limit("chunk size modulo 8", uint64(h.ChunkSize%8), 0, 0),
		limit("thread count", uint64(h.Nthreads), 1, maxThreads),
		limit("process count", uint64(h.Nprocs), 1, maxThreads),
		limit("site count", uint64(h.Nsites), 0, maxSites),
		limit("shard count", uint64(h.Nshards), 0, maxShards),
		limit("histogram shard count", uint64(h.NshardsHist), 0, maxShards),
		limit("histogram count", uint64(h.Nhists), 0, maxSites),
		region(size, "processes", uint64(h.ProcsOff), uint64(h.Nprocs), procSize, 8),
		region(size, "threads", uint64(h.ThreadsOff), uint64(h.Nthreads), threadSize, 8),
		region(size, "chunks", uint64(h.MetasOff), uint64(h.Nchunks), chunkSize, 8),
		region(size, "free map", uint64(h.FreeOff), (uint64(h.Nchunks)+63)/64, 8, 8),
		region(size, "sites", uint64(h.SitesOff), uint64(h.Nsites), siteSize, 8),
		region(size, "definitions", uint64(h.DefsOff), uint64(h.DefsSize), 1, 1),
		region(size, "counters", uint64(h.CountersOff), uint64(h.Nshards)*uint64(h.Nsites), 8, 8),
		region(size, "histograms", uint64(h.HistOff), uint64(h.NshardsHist)*uint64(h.Nhists), histSize, 8),
		limit("end count", uint64(h.Nends), 0, maxThreads),
		region(size, "ends", uint64(h.EndsOff), uint64(h.Nends), endSize, 8),
		limit("rule count", uint64(h.Nrules), 0, MaxRules),
		region(size, "rules", max(uint64(h.RulesOff), headerSize), uint64(h.Nrules), ruleSize, 8),
		limit("note count", uint64(h.Nnotes), 0, maxThreads),
		region(size, "notes", max(uint64(h.RulesOff), headerSize)+uint64(h.Nrules)*ruleSize, uint64(h.Nnotes), noteSize, 8),
		limit("count of parked threads", uint64(h.Nparks), 0, maxParks),
		region(size, "parked threads", max(uint64(h.ParksOff), headerSize), (parksSize+uint64(h.Nrules)*breakSize+uint64(h.Nparks)*parkedSize)*uint64(min(h.Nparks, 1)), 1, 8),
		region(size, "hand-overs", uint64(h.HandoverOff), uint64(h.Nhandover), handoverSize, 8),
		region(size, "data", h.DataOff, uint64(h.Nchunks)*uint64(h.ChunkSize), 1, 8),
	)
}

// NumSites is the number of probe ids in use.
func (a *Arena) NumSites() int {
	return min(int(atomic.LoadUint32(&a.head.SitesUsed)), len(a.sites))
}

// Site is the entry of a probe id, nil when it is not in use, or not complete.
func (a *Arena) Site(id uint32) *Site {
	if int(id) >= a.NumSites() || atomic.LoadUint64(&a.sites[id].Key) == 0 {
		return nil
	}
	return &a.sites[id]
}

// Def is a site's definition (hooks.EncodeDef), nil when its place makes no
// sense. The bytes are in the arena.
func (a *Arena) Def(s *Site) []byte {
	return a.blob(atomic.LoadUint32(&s.DefOff), atomic.LoadUint32(&s.DefLen))
}

func (a *Arena) blob(off, n uint32) []byte {
	if uint64(off)+uint64(n) > uint64(len(a.defs)) {
		return nil
	}
	return a.defs[off : off+n : off+n]
}

// ProcessInfo is the msgpack map about the process that made the arena.
func (a *Arena) ProcessInfo() []byte { return a.info }

// EachRefusals calls f for each object's refusals, newest first, and returns a
// token that a later call takes to see only what was added since.
func (a *Arena) EachRefusals(since uint32, f func(object string, refusals []byte)) uint32 {
	const size = 16
	newest := atomic.LoadUint32(&a.head.Refusals)
	at := newest
	// A chain has at most as many links as there is room for: no endless loop.
	for n := len(a.defs) / size; at != 0 && at != since && n > 0; n-- {
		b := a.blob(at, size)
		if b == nil {
			break
		}
		next, blob, name := le32(b), le32(b[4:]), le32(b[8:])
		obj := a.blob(at+size, name)
		if obj == nil {
			break
		}
		ref := a.blob(at+size+name, blob)
		if ref == nil {
			break
		}
		f(string(obj), ref)
		at = next
	}
	return newest
}

// EachRule calls f for each of the arena's rules, from 1, with a copy of its state
// and its text: the kind, a blank, and what the user wrote.
func (a *Arena) EachRule(f func(n int, s *RuleState, text string)) {
	for i := range a.rules {
		r := &a.rules[i]
		if atomic.LoadUint32(&r.TextLen) == 0 {
			continue // not used
		}
		s := RuleState{Matched: atomic.LoadUint64(&r.Matched), Acted: atomic.LoadUint64(&r.Acted), Skipped: atomic.LoadUint64(&r.Skipped),
			TextOff: atomic.LoadUint32(&r.TextOff), TextLen: atomic.LoadUint32(&r.TextLen)}
		text := string(a.blob(s.TextOff, s.TextLen))
		f(i+1, &s, text[:min(len(text), maxRuleText)])
	}
}

const maxRuleText = 1024

// Rule is the state of a rule, from 0; nil when there is none.
func (a *Arena) Rule(i int) *RuleState {
	if i < 0 || i >= len(a.rules) {
		return nil
	}
	return &a.rules[i]
}

// EachNote calls f for each note that was not told yet, oldest first, with a copy of it, and where to
// mark that it was told: 1. since is what the last call returned, 0 at first. Notes that were
// overwritten are not there any more.
func (a *Arena) EachNote(since uint32, f func(n *Note, text string, told *uint32)) uint32 {
	n := atomic.LoadUint32(&a.head.Notes)
	size := uint32(len(a.notes))
	if size == 0 {
		return n
	}
	if n-since > size {
		since = n - size
	}
	const inTheMaking = 8 // as for ends
	for ; since != n; since++ {
		p := &a.notes[since%size]
		number := atomic.LoadUint32(&p.Number)
		if number == 0 && n-since <= inTheMaking {
			break
		}
		if c := *p; number == since+1 && atomic.LoadUint32(&p.Number) == number && c.Told == 0 {
			f(&c, string(c.Text[:min(int(c.Len), len(c.Text))]), &p.Told)
		}
	}
	return since
}

// Procs and Threads are the tables; their fields change and are loaded with
// atomics. Entries of processes are taken in turn: those behind the last that was
// ever used are left out.
func (a *Arena) Procs() []Proc {
	const inTheMaking = 64
	n := uint64(atomic.LoadUint32(&a.head.ProcUid)) + inTheMaking
	return a.procs[:min(n, uint64(len(a.procs)))]
}

// NumProcs is how many entries Procs may ever have.
func (a *Arena) NumProcs() int { return len(a.procs) }

// EachEnd calls f for the ends of children that were noted since, oldest first,
// and returns the token for the next call. Ends that were overwritten are not
// there any more.
func (a *Arena) EachEnd(since uint32, f func(e *End)) uint32 {
	n := atomic.LoadUint32(&a.head.Ends)
	size := uint32(len(a.ends))
	if size == 0 {
		return n
	}
	if n-since > size {
		since = n - size
	}
	const inTheMaking = 8 // by as many threads at once; one that died in it must not be waited for for long
	for ; since != n; since++ {
		p := &a.ends[since%size]
		number := atomic.LoadUint32(&p.Number)
		if number == 0 && n-since <= inTheMaking {
			break // being written: next time
		}
		if e := *p; number == since+1 && atomic.LoadUint32(&p.Number) == number {
			f(&e)
		}
	}
	return since
}

func (a *Arena) Threads() []Thread { return a.threads }

// NumChunks is the number of chunks.
func (a *Arena) NumChunks() int { return len(a.chunks) }

// Data is the memory of a chunk.
func (a *Arena) Data(i int) []byte {
	lo := i * int(a.ChunkSize)
	hi := lo + int(a.ChunkSize)
	return a.data[lo:hi:hi]
}

// Epoch makes every thread take the slow path once.
func (a *Arena) BumpEpoch() { atomic.AddUint32(&a.head.Epoch, 1) }

// SetWish asks for the agent to start at the next safe call.
func (a *Arena) SetWish(on bool) {
	var v uint32
	if on {
		v = 1
	}
	atomic.StoreUint32(&a.head.Wish, v)
}

// Publish tells the processes that share the arena, and have no agent to be told, where
// the spec is that they are to follow: they do at their next call. False: the path is too long.
func (a *Arena) Publish(path string) bool {
	if len(path) >= len(a.head.SpecPath) {
		return false
	}
	for try := 0; ; try++ {
		seq := atomic.LoadUint32(&a.head.SpecSeq)
		if seq&1 != 0 && try < publishTries {
			time.Sleep(100 * time.Microsecond) // an agent is at it: the last one counts
			continue
		}
		// still odd: whoever wrote was killed
		if !atomic.CompareAndSwapUint32(&a.head.SpecSeq, seq, seq|1) {
			continue
		}
		n := copy(a.head.SpecPath[:], path)
		clear(a.head.SpecPath[n:])
		atomic.StoreUint32(&a.head.SpecSeq, seq&^1+2)
		a.BumpEpoch()
		return true
	}
}

const publishTries = 50

// Wish tells whether the agent is asked for.
func (a *Arena) Wish() bool { return atomic.LoadUint32(&a.head.Wish) != 0 }

// Forking is the number of forked children that may not be in the process table
// yet. One whose fork failed, or that was killed at once, is counted for ever.
func (a *Arena) Forking() int { return int(int32(atomic.LoadUint32(&a.head.Forking))) }

// LastProc is the number of the process that registered last.
func (a *Arena) LastProc() uint32 { return atomic.LoadUint32(&a.head.ProcUid) }

// UsedChunks says, about, how many chunks are not free.
func (a *Arena) UsedChunks() int {
	n := len(a.chunks)
	for i := range a.free {
		n -= bits.OnesCount64(atomic.LoadUint64(&a.free[i]))
	}
	return n
}

// FullChunks says, about, how many chunks wait to be drained.
func (a *Arena) FullChunks() int { return int(int32(atomic.LoadUint32(&a.head.Nfull))) }

// PolicyName is the name on the stream.
func (a *Arena) PolicyName() string {
	return [...]string{"drop-oldest", "drop-newest", "block"}[min(a.Policy, Block)]
}
