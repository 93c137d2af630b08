package arena

import "sync/atomic"

// Seen is what a drainer knows of a thread beyond the arena: the number of the
// last call it read. Threads bring their `produced` up to date only when they
// change chunks.
type Seen struct {
	UID uint32 // of the thread
	Seq uint32
	Any bool
}

// Balance is the state of the account, except what the drainer itself counts.
type Balance struct {
	Produced, Dropped, ReturnsLost uint64
	ByProbe                        map[uint32]uint64
	Lost                           [len(LostNames)]uint64
}

// extend is the 64-bit call number whose low half is seq, near base.
func extend(base uint64, seq uint32) uint64 {
	return base + uint64(int64(int32(seq-uint32(base))))
}

// threadProduced is the number of calls entered by the threads that had entry t,
// as far as is known. seen is of the thread that has it now.
func threadProduced(t *Thread, seen *Seen) uint64 {
	n := atomic.LoadUint64(&t.Produced)
	if seen != nil && seen.Any && seen.UID == atomic.LoadUint32(&t.Uid) {
		n = max(n, extend(n, seen.Seq))
	}
	return n
}

// Account sums up the arena. seen is by index of the thread table and may be
// shorter. It is exact when nothing runs; when calls are entered meanwhile the
// parts are of slightly different moments.
func (a *Arena) Account(seen []Seen) Balance {
	b := Balance{ByProbe: map[uint32]uint64{}}
	b.Produced = a.produced(seen)
	for i := range a.NumSites() {
		s := &a.sites[i]
		if n := atomic.LoadUint64(&s.Dropped) & droppedCount; n != 0 {
			b.ByProbe[uint32(i)] = n
			b.Dropped += n
		}
		b.ReturnsLost += atomic.LoadUint64(&s.ReturnsLost)
	}
	for i := range b.Lost {
		b.Lost[i] = atomic.LoadUint64(&a.head.Lost[i])
	}
	// Calls of threads that got no entry have no number and no probe, but they
	// were made and they are lost.
	b.Produced += b.Lost[LostNoThread]
	b.Dropped += b.Lost[LostNoThread]
	return b
}

// produced adds up the thread table. An entry that is recycled keeps what its
// threads produced, so nothing is missed or counted twice meanwhile.
func (a *Arena) produced(seen []Seen) uint64 {
	var n uint64
	for i := range a.threadsUsed() {
		var s *Seen
		if i < len(seen) {
			s = &seen[i]
		}
		t := &a.threads[i]
		calls := threadProduced(t, s)
		if seq, ok := a.enteredIn(i, t); ok {
			calls = max(calls, extend(calls, seq))
		}
		n += calls
	}
	return n
}

// enteredIn is the number of the last call in the chunk that thread i fills. A
// drainer before this one may have read it, and a thread that is dead may count
// as alive, because another one has its number now: nobody else knows of it then.
func (a *Arena) enteredIn(i int, t *Thread) (seq uint32, ok bool) {
	k := int(atomic.LoadUint32(&t.Chunk)) - 1
	if k < 0 || k >= len(a.chunks) {
		return 0, false
	}
	c := &a.chunks[k]
	uid := atomic.LoadUint64(&c.Uid)
	if !a.filledBy(k, i, atomic.LoadUint32(&t.Uid)) {
		return 0, false
	}
	seq, ok = a.lastCall(k)
	return seq, ok && atomic.LoadUint64(&c.Uid) == uid // else it was taken again meanwhile
}

func (a *Arena) threadsUsed() int {
	return min(int(atomic.LoadUint32(&a.head.ThreadsUsed)), len(a.threads))
}

// Counter is the total of a counting probe over all shards.
func (a *Arena) Counter(id uint32) uint64 {
	var n uint64
	for at := int(id); int(id) < len(a.sites) && at < len(a.counters); at += len(a.sites) {
		n += atomic.LoadUint64(&a.counters[at])
	}
	return n
}

// ReadHist adds up a site's histogram over all shards into h; false when the
// site has none.
func (a *Arena) ReadHist(s *Site, h *Hist) bool {
	k := atomic.LoadUint32(&s.Hist)
	if k == NoHist || int64(k) >= int64(a.nhists) {
		return false
	}
	*h = Hist{}
	for at := int(k); at < len(a.hists); at += a.nhists {
		p := &a.hists[at]
		for i := range p.Bucket {
			h.Bucket[i] += atomic.LoadUint64(&p.Bucket[i])
		}
		h.Count += atomic.LoadUint64(&p.Count)
		h.Sum += atomic.LoadUint64(&p.Sum)
		h.Max = max(h.Max, atomic.LoadUint64(&p.Max))
		h.Errors += atomic.LoadUint64(&p.Errors)
	}
	return true
}

// BucketUpper is the largest value in a bucket, in ticks.
func BucketUpper(i int) uint64 {
	if i < 4 {
		return uint64(i)
	}
	e, sub := i/4+1, uint64(i%4)
	// 4+sub in units of 2^(e-2) is the bucket's lower end; the next one's, less one.
	return (4+sub+1)<<(e-2) - 1
}

// BucketOf is the bucket of a value.
func BucketOf(v uint64) int {
	if v < 4 {
		return int(v)
	}
	e := 63 - leadingZeros(v)
	return (e-1)*4 + int(v>>(e-2)&3)
}
