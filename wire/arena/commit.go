package arena

import "sync/atomic"

// Sending notes that the bytes of a chunk up to r.To are about to be written to a
// stream. A drainer that takes over from one that did not live to commit them can't
// know whether the reader got them: it sends the very same bytes as a section of
// their own, which the reader knows by their end if it has them.
func (a *Arena) Sending(r *Ref) { atomic.StoreUint32(&a.chunks[r.Index].Sending, r.To) }

// Commit says that the bytes of a chunk up to r.To, with calls of them entered,
// have been delivered. It must follow the write to the stream, and keeps
// Header.Delivered equal to the calls in committed bytes even when we are killed
// at any instruction:
//
//	1 write the redo record (chunk, uid, upto)
//	2 delivered_next = delivered + calls: the record is armed
//	3 consumed = upto
//	4 delivered = delivered_next: disarmed
//
// Recover repeats 3 and 4 when it finds the record armed. A call is then either
// in committed bytes and counted, or in neither.
func (a *Arena) Commit(r *Ref, calls uint64) {
	h, c := a.head, &a.chunks[r.Index]
	if calls != 0 {
		n := atomic.LoadUint64(&h.Delivered) + calls
		atomic.StoreUint32(&h.CommitChunk, uint32(r.Index))
		atomic.StoreUint32(&h.CommitUpto, r.To)
		atomic.StoreUint64(&h.CommitUid, r.UID)
		atomic.StoreUint64(&h.DeliveredNext, n)
		atomic.StoreUint32(&c.Consumed, r.To)
		atomic.StoreUint64(&h.Delivered, n)
	} else {
		atomic.StoreUint32(&c.Consumed, r.To)
	}
	a.finish(r.Index, r.Bad)
}

// finish frees a BUSY chunk that is full and consumed, else drops the flag.
// What is left in a bad chunk is given up.
func (a *Arena) finish(i int, bad bool) {
	c := &a.chunks[i]
	// FULL is stored after the last commit: loaded in this order, nothing that
	// was committed meanwhile is overlooked.
	if atomic.LoadUint32(&c.State) == ChunkFull|ChunkBusy &&
		(bad || atomic.LoadUint32(&c.Committed) == atomic.LoadUint32(&c.Consumed)) {
		a.setFree(i)
		return
	}
	a.release(c)
}

// Recover completes the commit that a drainer before us did not. To be called
// by a new owner before it reads.
func (a *Arena) Recover() {
	h := a.head
	next := atomic.LoadUint64(&h.DeliveredNext)
	if next == atomic.LoadUint64(&h.Delivered) {
		return
	}
	i, upto := atomic.LoadUint32(&h.CommitChunk), atomic.LoadUint32(&h.CommitUpto)
	if int(i) < len(a.chunks) && upto <= a.ChunkSize {
		c := &a.chunks[i]
		if atomic.LoadUint64(&c.Uid) == atomic.LoadUint64(&h.CommitUid) && upto > atomic.LoadUint32(&c.Consumed) {
			atomic.StoreUint32(&c.Consumed, upto)
		}
	}
	atomic.StoreUint64(&h.Delivered, next)
}

// Delivered is the number of calls in all committed bytes.
func (a *Arena) Delivered() uint64 { return atomic.LoadUint64(&a.head.Delivered) }
