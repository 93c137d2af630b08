package arena

import (
	"math/bits"
	"sync/atomic"
)

// Ref is a chunk as the drainer took it: one consistent copy of its header.
type Ref struct {
	Index              int
	UID                uint64
	From, To           uint32 // the bytes to read
	Sent               uint32 // up to here a drainer before us may have sent them; 0 it did not
	Thread             uint32 // index of its entry in the thread table
	TID, PID           uint32
	ThreadUID, ProcUID uint32
	FirstSeq           uint32
	Bad                bool // committed and consumed made no sense; nothing can be read
}

// LastUID is the highest chunk uid given so far. A pass that loads it before it
// looks at the chunks, and leaves out those above it, reads the chunks of each
// thread in order: a thread takes its next chunk only when the one before is
// full.
func (a *Arena) LastUID() uint64 { return atomic.LoadUint64(&a.head.ChunkUid) }

// Peek is the uid and state of a chunk, without the BUSY flag, to choose by. It
// can be out of date at once.
func (a *Arena) Peek(i int) (uid uint64, state uint32) {
	c := &a.chunks[i]
	state = atomic.LoadUint32(&c.State) &^ ChunkBusy
	return atomic.LoadUint64(&c.Uid), state
}

// Taken yields the chunks that somebody took and nobody gave back. Of an arena that
// is hardly used, as a short process leaves it, only the bitmap is looked at: what
// describes 2,048 chunks is 32 pages, and each costs whoever touches it first a fault.
func (a *Arena) Taken(yield func(i int) bool) {
	for w := range a.free {
		for v := ^atomic.LoadUint64(&a.free[w]); v != 0; v &= v - 1 {
			i := 64*w + bits.TrailingZeros64(v)
			if i >= len(a.chunks) || !yield(i) {
				return
			}
		}
	}
}

// Used says whether a chunk is being filled or full.
func (a *Arena) Used(i int) bool {
	s := atomic.LoadUint32(&a.chunks[i].State) &^ ChunkBusy
	return s == ChunkActive || s == ChunkFull
}

// Pending says whether a chunk has anything to do for a drainer: bytes to read,
// or a full chunk to give back.
func (a *Arena) Pending(i int) bool {
	c := &a.chunks[i]
	switch atomic.LoadUint32(&c.State) &^ ChunkBusy {
	case ChunkActive:
		return atomic.LoadUint32(&c.Committed) != atomic.LoadUint32(&c.Consumed)
	case ChunkFull:
		return true
	}
	return false
}

// Acquire marks a chunk BUSY, so that nobody steals it, and describes what is in
// it. A chunk that is BUSY already was left so by a drainer before us; there is
// only one at a time. It fails when the chunk is free, being stolen, or was
// taken again since uid was peeked.
func (a *Arena) Acquire(i int, uid uint64) (Ref, bool) {
	c := &a.chunks[i]
	for {
		s := atomic.LoadUint32(&c.State)
		if k := s &^ ChunkBusy; k != ChunkActive && k != ChunkFull {
			return Ref{}, false
		}
		if s&ChunkBusy != 0 || atomic.CompareAndSwapUint32(&c.State, s, s|ChunkBusy) {
			break
		}
	}
	r := Ref{
		Index:     i,
		UID:       atomic.LoadUint64(&c.Uid),
		From:      atomic.LoadUint32(&c.Consumed),
		To:        atomic.LoadUint32(&c.Committed),
		Thread:    atomic.LoadUint32(&c.Thread),
		TID:       atomic.LoadUint32(&c.Tid),
		PID:       atomic.LoadUint32(&c.Pid),
		ThreadUID: atomic.LoadUint32(&c.ThreadUid),
		ProcUID:   atomic.LoadUint32(&c.ProcUid),
		FirstSeq:  atomic.LoadUint32(&c.FirstSeq),
	}
	if r.UID != uid {
		a.release(c)
		return Ref{}, false
	}
	if r.To > a.ChunkSize || r.From > r.To || r.From%8 != 0 || r.To%8 != 0 {
		r.From, r.To, r.Bad = 0, 0, true
	}
	if s := atomic.LoadUint32(&c.Sending); s > r.From && s <= r.To && s%8 == 0 {
		r.Sent = s
	}
	return r, true
}

// Release gives a chunk up unread.
func (a *Arena) Release(r *Ref) { a.release(&a.chunks[r.Index]) }

func (a *Arena) release(c *Chunk) {
	for {
		s := atomic.LoadUint32(&c.State)
		if s&ChunkBusy == 0 || atomic.CompareAndSwapUint32(&c.State, s, s&^ChunkBusy) {
			return
		}
	}
}

// setFree returns a full, BUSY chunk to the pool.
func (a *Arena) setFree(i int) {
	c := &a.chunks[i]
	if !atomic.CompareAndSwapUint32(&c.State, ChunkFull|ChunkBusy, ChunkFree) {
		return
	}
	atomic.OrUint64(&a.free[i/64], 1<<(i%64))
	atomic.AddUint32(&a.head.Nfull, ^uint32(0))
	if atomic.LoadUint32(&a.head.Waiting) != 0 {
		atomic.AddUint32(&a.head.Space, 1)
		futexWake(&a.head.Space, 1<<30)
	}
}

// handBack is ACTIVE -> FULL for a chunk whose thread is gone.
func (a *Arena) handBack(c *Chunk) {
	for {
		s := atomic.LoadUint32(&c.State)
		if s&^ChunkBusy != ChunkActive {
			return
		}
		if atomic.CompareAndSwapUint32(&c.State, s, ChunkFull|s&ChunkBusy) {
			atomic.AddUint32(&a.head.Nfull, 1)
			return
		}
	}
}
