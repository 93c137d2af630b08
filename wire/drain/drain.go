package drain

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/sqlshape"
	"github.com/seam-project/seam/wire"
	"github.com/seam-project/seam/wire/arena"
)

// Options of a Drainer. The zero value is good for the agent, but for Hello.
type Options struct {
	// Hello is the first message of each connection. The arena's identity,
	// policy, size and spec are filled in, and what the arena says about its
	// process where Exe is empty.
	Hello wire.Hello

	// Upto says how far the bytes of a chunk have been delivered by a drainer
	// that died before it could commit: the highest `upto` its reader received
	// for that uid. Nil: nobody knows, so they are sent again, as the arena says
	// they were.
	Upto func(uid uint64) uint32

	// SQL is what the drainer before this one knew of SQL, as its reader
	// followed it: sqlshape.Shadow. Nil: nothing.
	SQL *sqlshape.SQLite

	// Alive says whether a thread lives (tid 0: a process). ns is the process id namespace that its
	// numbers are of, as in the arena. Nil asks the kernel, whatever the namespace.
	Alive func(pid, tid, ns uint32) bool

	// Native says what a reader in this process needs of a probe's calls: they are written in the native
	// form (wire.AppendNative) then, where they have it. Nil: no such reader.
	Native func(*wire.ProbeDef) wire.Native

	// Reason names a refusal's reason by its id (plan.Reason.String). Nil: the
	// number.
	Reason func(id uint8) string

	BatchBytes int           // size at which a batch is sent, 128 KiB
	Every      time.Duration // between counts and account messages, 1 s
	Reap       time.Duration // between looks for dead threads and processes, 200 ms

	// Clock reads the arena's clock and CLOCK_MONOTONIC together, for tests.
	Clock func() (ticks, mono uint64)
}

// Drainer drains one arena to one connection at a time. It is not safe for
// concurrent use. Its user holds the arena's owner word.
type Drainer struct {
	a    *arena.Arena
	out  io.Writer
	opt  Options
	err  error // of the last write; sticky until Reset
	soft int   // bytes at which a batch ends with the current chunk
	hard int   // at which it ends with the current record

	clock *clock
	base  int64

	pre   []byte // messages that go before the batch
	late  []byte // messages that go behind it
	batch wire.Batch
	seq   uint64 // of the last batch on this connection
	ready bool   // batch is finished and was not written yet
	pend  []pending
	calls uint64

	sites    []site
	threads  []thread
	seen     []arena.Seen
	stray    thread // of chunks that name no thread
	stack    []entered
	decoding *site // by a decoder of hooks, last
	native   wire.Call
	sqls     statements
	shape    shaped
	sql      *hooks.SQLCache
	order    []candidate

	refused  uint32
	procs    []proc
	noted    uint32 // how many notes of callbacks were looked at
	waited   uint32 // how many ends of children were told
	faults   [numFaults]uint64
	told     [numFaults]uint64
	said     []mark            // of what is in late
	counted  map[uint32]uint64 // last sent count by probe
	ruled    uint64            // sum of the rules' counts as last sent, +1; 0: not sent
	nextTold time.Time
	nextReap time.Time
	nextName int // of threads: the last that was asked for its name
	reaped   int // threads, the last time
}

// pending is a chunk that is read and not committed.
type pending struct {
	ref   arena.Ref
	calls uint64
}

type candidate struct {
	uid   uint64
	index int
}

// New returns a Drainer that writes to out. It completes what a drainer before
// it left half committed: the caller must own the arena.
func New(a *arena.Arena, out io.Writer, opt Options) *Drainer {
	if opt.Alive == nil {
		opt.Alive = func(pid, tid, _ uint32) bool { return arena.Alive(pid, tid) }
	}
	if opt.Reason == nil {
		opt.Reason = func(id uint8) string { return strconv.Itoa(int(id)) }
	}
	if opt.BatchBytes <= 0 {
		opt.BatchBytes = 128 << 10
	}
	if opt.Every <= 0 {
		opt.Every = time.Second
	}
	if opt.Reap <= 0 {
		opt.Reap = 200 * time.Millisecond
	}
	a.Recover()
	d := &Drainer{a: a, opt: opt, soft: opt.BatchBytes, hard: 4 * opt.BatchBytes, clock: newClock(a, opt.Clock), sql: hooks.NewSQLCache(256)}
	d.sqls.init(opt.SQL)
	d.procs = make([]proc, a.NumProcs())
	d.Reset(out)
	return d
}

// Reset goes on with another connection: hello and definitions are sent again,
// then what could not be written to the last one.
func (d *Drainer) Reset(out io.Writer) {
	d.out, d.err = out, nil
	d.refused, d.seq, d.waited, d.noted = 0, 0, 0, 0
	d.counted, d.ruled = map[uint32]uint64{}, 0
	d.told = [numFaults]uint64{}
	d.nextTold = time.Time{}
	d.pre, d.late, d.said = d.pre[:0], d.late[:0], d.said[:0]
	for i := range d.threads {
		d.threads[i].told = false
	}
	for i := range d.procs {
		d.procs[i].told, d.procs[i].ended = false, false
	}
	d.greet()
	for i := range d.sites {
		if s := &d.sites[i]; s.announced {
			// The batch that is kept may use any of them.
			d.announce(uint32(i), s)
		}
	}
}

// Pass looks at every chunk once, writes what they hold, and commits what was
// written. It returns the number of calls delivered. After an error nothing more
// is written until Reset; the same error is returned.
func (d *Drainer) Pass() (n uint64, err error) {
	d.calls = 0
	if d.err != nil {
		return 0, d.err
	}
	d.clock.tick()
	if d.ready {
		if err := d.send(); err != nil {
			return d.calls, err
		}
	}
	// Those that fill the chunks up to this one are in the process table by now, and are told of first.
	last := d.a.LastUID()
	d.before()
	d.choose(last)
	for _, c := range d.order {
		if err := d.drainChunk(c); err != nil {
			return d.calls, err
		}
	}
	d.after()
	return d.calls, d.send()
}

// choose lists the chunks up to uid last, oldest first. Those taken since are
// left for the next pass, so that each thread's chunks are read in order.
func (d *Drainer) choose(last uint64) {
	d.order = d.order[:0]
	for i := range d.a.Taken {
		if !d.a.Used(i) {
			continue
		}
		if uid, _ := d.a.Peek(i); uid <= last {
			d.order = append(d.order, candidate{uid, i})
		}
	}
	slices.SortFunc(d.order, func(a, b candidate) int { return cmp.Compare(a.uid, b.uid) })
}

// drainChunk reads one chunk into the batch, writing batches as they fill.
func (d *Drainer) drainChunk(c candidate) error {
	for {
		if !d.a.Pending(c.index) {
			return nil
		}
		r, ok := d.a.Acquire(c.index, c.uid)
		if !ok {
			return nil
		}
		if r.Bad {
			d.fault(faultChunk)
		}
		if r.From == r.To {
			d.a.Commit(&r, 0)
			return nil
		}
		t := d.thread(&r)
		d.named(&r, t)
		data := d.a.Data(r.Index)
		var calls uint64
		from := r.From
		if d.opt.Upto != nil {
			if upto := min(d.opt.Upto(r.UID), r.To); upto > from {
				// Delivered by a drainer that did not live to commit it.
				arena.WalkCalls(data[from:upto], func(seq uint32) {
					calls++
					if t != &d.stray {
						d.seen[r.Thread] = arena.Seen{UID: r.ThreadUID, Seq: seq, Any: true}
					}
				})
				from = upto
			}
		}
		end := r.To
		again := d.opt.Upto == nil && r.Sent > from
		if again {
			end = r.Sent
		}
		if from < end {
			d.open(&r, data[from:end])
			at, n := d.guarded(&r, t, data, int(from), int(end))
			r.To = uint32(at)
			d.batch.EndSection(r.To)
			calls += n
			d.calls += n
		}
		d.pend = append(d.pend, pending{r, calls})
		if again || d.batch.Len() >= d.soft || len(d.pend) > d.a.NumChunks()/4 {
			// The pending chunks can't be stolen: never hold too many of them. And
			// what follows a section that may be there already is read when that
			// is committed.
			if err := d.send(); err != nil {
				return err
			}
		}
		if r.To == end && !again {
			return nil
		}
	}
}

// open makes sure there is a batch and opens a section of it.
func (d *Drainer) open(r *arena.Ref, first []byte) {
	if d.batch.Sections() == 0 {
		base := int64(d.a.Real0)
		if len(first) >= arena.RecHead {
			base = d.clock.ns(le.Uint64(first[8:]))
		}
		d.begin(base)
	}
	d.batch.Section(&wire.Section{PID: r.PID, TID: r.TID, Thread: r.ThreadUID, Chunk: r.UID, First: r.FirstSeq})
}

// begin starts a batch whose times are relative to base.
func (d *Drainer) begin(base int64) {
	d.seq++
	d.base = base
	d.batch.Reset(d.seq, base)
}

// send writes what has gathered and then commits it. When the write fails, all
// of it is kept for the next connection.
func (d *Drainer) send() error {
	if d.err != nil {
		return d.err
	}
	d.ready = len(d.pend) > 0 || d.batch.Sections() > 0 // if a write fails: kept
	if len(d.pre) > 0 {
		if err := d.write(d.pre); err != nil {
			return err
		}
		d.pre = d.pre[:0]
		if d.err != nil {
			return d.err
		}
	}
	if d.batch.Sections() > 0 {
		if d.seq == 0 { // left over from another connection
			d.seq = 1
			d.batch.Renumber(d.seq)
		}
		for i := range d.pend {
			d.a.Sending(&d.pend[i].ref)
		}
		if err := d.write(d.batch.Finish()); err != nil {
			return err
		}
		d.batch.Clear()
	}
	d.ready = false
	for i := range d.pend {
		d.a.Commit(&d.pend[i].ref, d.pend[i].calls)
	}
	d.pend = d.pend[:0]
	if len(d.late) > 0 && d.err == nil {
		if err := d.write(d.late); err != nil {
			return err
		}
		d.late = d.late[:0]
		for _, m := range d.said {
			atomic.OrUint32(m.word, m.bits)
		}
		d.said = d.said[:0]
	}
	return d.err
}

var errShortWrite = errors.New("short write")

func (d *Drainer) write(b []byte) error {
	n, err := d.out.Write(b)
	if err == nil && n < len(b) {
		err = errShortWrite
	}
	if err != nil {
		d.err = fmt.Errorf("write stream: %w", err)
	}
	if n >= len(b) {
		return nil // all of it was taken, whatever comes next: commit
	}
	return d.err
}

// Kept says whether a batch waits for another connection.
func (d *Drainer) Kept() bool { return d.ready }

// Wait sleeps until there is something to drain, or for t.
func (d *Drainer) Wait(t time.Duration) { d.a.Wait(t) }
