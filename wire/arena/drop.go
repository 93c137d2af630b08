package arena

import "sync/atomic"

// Site.Dropped is a count and the mark of the thread that added to it last
// (preload/core/drop.c).
const (
	droppedCount = 1<<44 - 1
	markShift    = 44
	markThreads  = 1<<12 - 1
	seqShift     = 56
)

// settle completes the drop that thread i, which is dead, was in the middle of:
// calls are counted as lost and can't be read any more, both or neither. Doing it
// again changes nothing.
func (a *Arena) settle(i int) {
	t := &a.threads[i]
	seq := atomic.LoadUint64(&t.DropSeq)
	if seq == atomic.LoadUint64(&t.DropDone) || int(t.DropSite) >= len(a.sites) {
		return
	}
	s := &a.sites[t.DropSite]
	mark := uint64(i)<<markShift | seq<<seqShift
	for {
		word := atomic.LoadUint64(&s.Dropped)
		// Whoever overwrites a mark says first that it was there: in this order
		// one of the two is seen.
		if word&^droppedCount == mark || atomic.LoadUint64(&t.DropSeen) == seq {
			break
		}
		a.acknowledge(s, t.DropSite, word)
		if atomic.CompareAndSwapUint64(&s.Dropped, word, (word+uint64(t.DropCalls))&droppedCount|mark) {
			break
		}
	}
	if k := int(t.DropChunk) - 1; k < 0 {
		atomic.StoreUint64(&t.Produced, max(atomic.LoadUint64(&t.Produced), t.DropProduced))
	} else if k < len(a.chunks) {
		c := &a.chunks[k]
		if atomic.LoadUint32(&c.State)&^ChunkBusy == ChunkStolen {
			atomic.StoreUint32(&c.Consumed, max(atomic.LoadUint32(&c.Consumed), min(t.DropUpto, atomic.LoadUint32(&c.Committed))))
		}
	}
	atomic.StoreUint64(&t.DropDone, seq)
}

// acknowledge tells the thread whose mark is about to be overwritten that its
// addition was made.
func (a *Arena) acknowledge(s *Site, site uint32, word uint64) {
	i := word >> markShift & markThreads
	if i >= uint64(len(a.threads)) {
		return
	}
	o := &a.threads[i]
	seen, seq := atomic.LoadUint64(&o.DropSeen), atomic.LoadUint64(&o.DropSeq)
	if seq == seen || seq == atomic.LoadUint64(&o.DropDone) || seq&0xff != word>>seqShift || o.DropSite != site {
		return
	}
	if atomic.LoadUint64(&s.Dropped) == word {
		atomic.CompareAndSwapUint64(&o.DropSeen, seen, seq)
	}
}
