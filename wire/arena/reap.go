package arena

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

func leadingZeros(v uint64) int { return bits.LeadingZeros64(v) }

// Alive asks the kernel whether a thread lives; tid 0 asks for the process. It
// is only good in the pid namespace in which the numbers were written.
func Alive(pid, tid uint32) bool {
	if pid == 0 || pid > 1<<30 || tid > 1<<30 {
		return false
	}
	var err error
	if tid == 0 {
		err = unix.Kill(int(pid), 0)
	} else {
		err = unix.Tgkill(int(pid), int(tid), 0)
	}
	return !errors.Is(err, unix.ESRCH)
}

// Reap recycles the entries of threads that are dead: the chunk such a thread
// was filling becomes FULL, and what it was counting is counted. The state LIVE ->
// REAPED decides who does it, because the core reaps threads of its own process
// too. It returns how many it found.
func (a *Arena) Reap(seen []Seen, alive func(pid, tid, ns uint32) bool) int {
	n := 0
	for i := range a.threadsUsed() {
		t := &a.threads[i]
		if atomic.LoadUint32(&t.State) != ThreadLive {
			continue
		}
		uid := atomic.LoadUint32(&t.Uid)
		if alive(atomic.LoadUint32(&t.Pid), atomic.LoadUint32(&t.Tid), atomic.LoadUint32(&t.Ns)) || uid != atomic.LoadUint32(&t.Uid) {
			continue
		}
		if !atomic.CompareAndSwapUint32(&t.State, ThreadLive, ThreadReaped) {
			continue
		}
		var s *Seen
		if i < len(seen) {
			s = &seen[i]
		}
		a.reap(i, uid, s)
		n++
	}
	return n
}

// reap settles a REAPED entry and frees it. If we are killed on the way the entry
// stays as it is, and Rescue does all of it again.
func (a *Arena) reap(i int, uid uint32, s *Seen) {
	t := &a.threads[i]
	a.settle(i)
	calls := threadProduced(t, s)
	for k := range a.Taken {
		if a.filledBy(k, i, uid) {
			if seq, ok := a.lastCall(k); ok {
				calls = max(calls, extend(calls, seq))
			}
		}
	}
	// Before a chunk is handed back: then what it held may be gone at once.
	atomic.StoreUint64(&t.Produced, calls)
	for k := range a.Taken {
		if a.filledBy(k, i, uid) {
			a.handBack(&a.chunks[k])
		}
	}
	if b := atomic.SwapUint32(&t.Shard, 0); b >= 1 && b <= 32 {
		atomic.AndUint32(&a.head.Shards, ^(uint32(1) << (b - 1)))
	}
	atomic.StoreUint32(&t.State, ThreadFree)
}

// filledBy tells whether chunk k is being filled by a thread.
func (a *Arena) filledBy(k, thread int, uid uint32) bool {
	c := &a.chunks[k]
	return atomic.LoadUint32(&c.State)&^ChunkBusy == ChunkActive &&
		atomic.LoadUint32(&c.Thread) == uint32(thread) && atomic.LoadUint32(&c.ThreadUid) == uid
}

// Rescue completes what was under way when the last processes ended: entries that
// their reaper did not live to free, and chunks that were being written off. What
// of these had not been counted as dropped is still there to be read. Only for an
// arena whose processes are all gone, and before Reap: a drop that is under way
// says how far a chunk is counted.
func (a *Arena) Rescue() {
	for i := range a.threadsUsed() {
		t := &a.threads[i]
		if atomic.LoadUint32(&t.State) == ThreadReaped {
			a.reap(i, atomic.LoadUint32(&t.Uid), nil)
		} else {
			a.settle(i)
		}
	}
	for i := range a.Taken {
		c := &a.chunks[i]
		s := atomic.LoadUint32(&c.State)
		if s&^ChunkBusy == ChunkStolen && atomic.LoadUint32(&c.Consumed) < atomic.LoadUint32(&c.Committed) {
			atomic.CompareAndSwapUint32(&c.State, s, ChunkFull|s&ChunkBusy)
		}
	}
}

// lastCall is the number of the last call entered in a chunk.
func (a *Arena) lastCall(i int) (seq uint32, ok bool) {
	data := a.Data(i)
	end := min(atomic.LoadUint32(&a.chunks[i].Committed), a.ChunkSize)
	WalkCalls(data[:end], func(s uint32) { seq, ok = s, true })
	return seq, ok
}

// WalkCalls calls f with the number of each call entered in a run of records, and
// stops at the first record that makes no sense.
func WalkCalls(b []byte, f func(seq uint32)) {
	for len(b) >= RecHead {
		w := binary.LittleEndian.Uint64(b)
		size := int(uint8(w>>24)) * 8
		if size < RecHead || size > len(b) {
			return
		}
		switch uint8(w>>16) & RecKind {
		case RecEnter, RecEntry:
			f(uint32(w >> 32))
		}
		b = b[size:]
	}
}
