// Package arenatest makes arenas in memory and fills them as the native core
// does, for tests of what drains them.
package arenatest

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/wire/arena"
)

var le = binary.LittleEndian

// Config of a made-up arena.
type Config struct {
	Chunks, ChunkSize int
	Threads           int
	Policy            uint32
	Defs              [][]byte // one site each
	Sites             []arena.Site
	Refusals          map[string][]byte
	Info              []byte
}

// Mem is an arena's memory and the writer's view of it.
type Mem struct {
	B     []byte
	H     *arena.Header
	Proc  []arena.Proc
	Th    []arena.Thread
	Ch    []arena.Chunk
	Free  []uint64
	Sites []arena.Site
	Count []uint64
	Hist  []arena.Hist
	Data  []byte
}

func at[T any](b []byte, off, n int) []T {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b[off])), n)
}

// New makes an arena. Its memory is not from the Go heap, so that it is aligned
// and stays where it is until Unmap: a view of it keeps nothing alive.
func New(c Config) *Mem {
	if c.Threads == 0 {
		c.Threads = 16
	}
	const procs, shards = 8, 2
	off := 4096
	take := func(n int) int {
		o := off
		off += (n + 63) &^ 63
		return o
	}
	h := arena.Header{Version: arena.Version, Page: 4096, Policy: c.Policy, Clock: arena.ClockMono,
		Mono0Ns: 1000, Real0Ns: 1_700_000_000_000_000_000, SpecHash: 0xfeed, BlockNs: 100e6}
	copy(h.Magic[:], arena.Magic)
	copy(h.Id[:], "arena-for-tests!")
	ns := len(c.Defs)
	var defs []byte
	defs = append(defs, make([]byte, 16)...)
	sites := make([]arena.Site, ns)
	hists := uint32(0)
	for i := range sites {
		if i < len(c.Sites) {
			sites[i] = c.Sites[i]
		}
		sites[i].DefOff, sites[i].DefLen = uint32(len(defs)), uint32(len(c.Defs[i]))
		defs = append(defs, c.Defs[i]...)
		if sites[i].Kind == 0 {
			sites[i].Kind = arena.SiteFull
		}
		if sites[i].Instrument == 0 {
			sites[i].Instrument = arena.Log
		}
		sites[i].Hist = arena.NoHist
		sites[i].Key = uint64(i + 1)
		if sites[i].Instrument == arena.HistI {
			sites[i].Hist = hists
			hists++
		}
	}
	for obj, blob := range c.Refusals {
		var head [16]byte
		le.PutUint32(head[0:], h.Refusals)
		le.PutUint32(head[4:], uint32(len(blob)))
		le.PutUint32(head[8:], uint32(len(obj)))
		h.Refusals = uint32(len(defs))
		defs = append(append(append(defs, head[:]...), obj...), blob...)
	}
	h.InfoOff, h.InfoLen = uint32(len(defs)), uint32(len(c.Info))
	defs = append(defs, c.Info...)
	h.Nprocs, h.Nthreads, h.Nchunks, h.Nsites = procs, uint32(c.Threads), uint32(c.Chunks), uint32(ns)
	h.Nshards, h.NshardsHist, h.Nhists, h.ChunkSize = shards, shards, hists, uint32(c.ChunkSize)
	h.DefsSize = uint32(len(defs))
	h.ProcsOff = uint32(take(procs * 128))
	h.ThreadsOff = uint32(take(c.Threads * 128))
	h.MetasOff = uint32(take(c.Chunks * 64))
	h.FreeOff = uint32(take((c.Chunks + 63) / 64 * 8))
	h.SitesOff = uint32(take(ns * 64))
	h.DefsOff = uint32(take(len(defs)))
	h.CountersOff = uint32(take(shards * ns * 8))
	h.HistOff = uint32(take(shards * int(hists) * 2048))
	h.HandoverOff = uint32(take(0))
	h.EndsOff, h.Nends = uint32(take(4*32)), 4
	h.DataOff = uint64(take(c.Chunks * c.ChunkSize))
	h.Size = uint64((off + 4095) &^ 4095)
	h.SitesUsed, h.DefsUsed = uint32(ns), uint32(len(defs))
	b, err := unix.Mmap(-1, 0, int(h.Size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		panic(err)
	}
	m := Wrap(b, h)
	*m.H = h
	copy(m.Sites, sites)
	copy(b[h.DefsOff:], defs)
	for i := range m.Ch {
		m.Free[i/64] |= 1 << (i % 64)
	}
	m.Proc[0] = arena.Proc{State: arena.ProcLive, Pid: 100, Ppid: 1, Uid: 1, Parent: arena.NoParent, EndStatus: arena.NoStatus}
	return m
}

// Unmap gives the memory back. It is for who makes many; nothing cut from it may be used again.
func (m *Mem) Unmap() {
	if err := unix.Munmap(m.B); err != nil {
		panic(err)
	}
}

// Wrap is the writer's view of memory with that header.
func Wrap(b []byte, h arena.Header) *Mem {
	return &Mem{B: b, H: &at[arena.Header](b, 0, 1)[0],
		Proc: at[arena.Proc](b, int(h.ProcsOff), int(h.Nprocs)), Th: at[arena.Thread](b, int(h.ThreadsOff), int(h.Nthreads)),
		Ch: at[arena.Chunk](b, int(h.MetasOff), int(h.Nchunks)), Free: at[uint64](b, int(h.FreeOff), int(h.Nchunks+63)/64),
		Sites: at[arena.Site](b, int(h.SitesOff), int(h.Nsites)), Count: at[uint64](b, int(h.CountersOff), int(h.Nshards*h.Nsites)),
		Hist: at[arena.Hist](b, int(h.HistOff), int(h.NshardsHist*h.Nhists)),
		Data: b[h.DataOff : h.DataOff+uint64(h.Nchunks)*uint64(h.ChunkSize)]}
}

// Arena is the drainer's view.
func (m *Mem) Arena() *arena.Arena {
	a, err := arena.FromMemory(unsafe.Pointer(&m.B[0]), uint64(len(m.B)))
	if err != nil {
		panic(fmt.Sprint("arenatest: ", err))
	}
	return a
}

// Thread writes calls as one thread of the target.
type Thread struct {
	m      *Mem
	ent    *arena.Thread
	idx    int
	Seq    uint32
	synced uint32
	prod   uint64
	chunk  int // -1 none
	pos    int
	Now    uint64
}

// Thread takes entry i of the thread table; its call numbers go on after seq,
// and so does its count of produced calls in the low half.
func (m *Mem) Thread(i int, seq uint32) *Thread {
	t := &Thread{m: m, ent: &m.Th[i], idx: i, Seq: seq, synced: seq, chunk: -1, Now: 2000}
	e := t.ent
	e.Tid, e.Pid = uint32(200+i), 100
	atomic.StoreUint32(&e.Uid, atomic.AddUint32(&m.H.ThreadUid, 1))
	atomic.StoreUint64(&e.Produced, 0)
	for {
		u := atomic.LoadUint32(&m.H.ThreadsUsed)
		if u > uint32(i) || atomic.CompareAndSwapUint32(&m.H.ThreadsUsed, u, uint32(i+1)) {
			break
		}
	}
	atomic.StoreUint32(&e.State, arena.ThreadLive)
	return t
}

// SetBase says how many calls the thread had entered before Seq.
func (t *Thread) SetBase(n uint64) {
	t.prod = n
	atomic.StoreUint64(&t.ent.Produced, n)
}

func (t *Thread) sync() {
	t.prod += uint64(t.Seq - t.synced)
	t.synced = t.Seq
	atomic.StoreUint64(&t.ent.Produced, t.prod)
}

func (t *Thread) takeFree() int {
	for w := range t.m.Free {
		for {
			v := atomic.LoadUint64(&t.m.Free[w])
			if v == 0 {
				break
			}
			b := 0
			for v>>b&1 == 0 {
				b++
			}
			if atomic.CompareAndSwapUint64(&t.m.Free[w], v, v&^(1<<b)) {
				return w*64 + b
			}
		}
	}
	return -1
}

func (t *Thread) steal() int {
	for range 8 {
		best := -1
		for i := range t.m.Ch {
			if atomic.LoadUint32(&t.m.Ch[i].State) == arena.ChunkFull &&
				(best < 0 || atomic.LoadUint64(&t.m.Ch[i].Uid) < atomic.LoadUint64(&t.m.Ch[best].Uid)) {
				best = i
			}
		}
		if best < 0 {
			return -1
		}
		c := &t.m.Ch[best]
		if atomic.CompareAndSwapUint32(&c.State, arena.ChunkFull, arena.ChunkStolen) {
			t.writeOff(best)
			atomic.AddUint32(&t.m.H.Nfull, ^uint32(0))
			return best
		}
	}
	return -1
}

func (m *Mem) data(i int) []byte {
	n := int(m.H.ChunkSize)
	return m.Data[i*n : (i+1)*n]
}

func (t *Thread) writeOff(i int) {
	c, d := &t.m.Ch[i], t.m.data(i)
	for at := c.Consumed; at < c.Committed; {
		w := le.Uint64(d[at:])
		s := &t.m.Sites[uint16(w)]
		if uint8(w>>16)&arena.RecKind == arena.RecLeave {
			atomic.AddUint64(&s.ReturnsLost, 1)
			atomic.AddUint64(&t.m.H.Lost[arena.LostReturn], 1)
		} else {
			atomic.AddUint64(&s.Dropped, 1)
			atomic.AddUint64(&t.m.H.Lost[arena.LostOldest], 1)
		}
		at += uint32(uint8(w>>24)) * 8
	}
}

// HandBack makes the thread's chunk FULL.
func (t *Thread) HandBack() {
	if t.chunk < 0 {
		return
	}
	c := &t.m.Ch[t.chunk]
	t.sync()
	atomic.StoreUint32(&t.ent.Chunk, 0)
	t.chunk = -1
	for {
		s := atomic.LoadUint32(&c.State)
		if atomic.CompareAndSwapUint32(&c.State, s, arena.ChunkFull|s&arena.ChunkBusy) {
			break
		}
	}
	atomic.AddUint32(&t.m.H.Nfull, 1)
}

// room makes sure of n bytes; false when there is no chunk to be had. number is 1
// when the record is a call that has its number already.
func (t *Thread) room(n int, number uint32) bool {
	if t.chunk >= 0 && t.pos+n <= int(t.m.H.ChunkSize) {
		return true
	}
	t.HandBack()
	i := t.takeFree()
	for i < 0 {
		switch t.m.H.Policy {
		case arena.DropOldest:
			if i = t.steal(); i < 0 {
				return false
			}
		case arena.Block:
			runtime.Gosched()
			i = t.takeFree()
		default:
			return false
		}
	}
	t.sync()
	c := &t.m.Ch[i]
	atomic.StoreUint64(&c.Uid, atomic.AddUint64(&t.m.H.ChunkUid, 1))
	atomic.StoreUint32(&c.Committed, 0)
	atomic.StoreUint32(&c.Sending, 0)
	atomic.StoreUint32(&c.Consumed, 0)
	atomic.StoreUint32(&c.Thread, uint32(t.idx))
	atomic.StoreUint32(&c.Tid, t.ent.Tid)
	atomic.StoreUint32(&c.Pid, t.ent.Pid)
	atomic.StoreUint32(&c.ThreadUid, atomic.LoadUint32(&t.ent.Uid))
	atomic.StoreUint32(&c.ProcUid, 1)
	atomic.StoreUint32(&c.FirstSeq, t.Seq-number)
	atomic.StoreUint64(&t.ent.ChunkBase, t.prod-uint64(number))
	atomic.StoreUint32(&c.State, arena.ChunkActive)
	atomic.StoreUint32(&t.ent.Chunk, uint32(i+1))
	t.chunk, t.pos = i, 0
	return true
}

// Chunk is the index of the chunk the thread fills.
func (t *Thread) Chunk() int { return t.chunk }

// Item encodes a payload item.
func Item(op, status byte, data string) []byte {
	b := make([]byte, (4+len(data)+7)&^7)
	le.PutUint16(b, uint16(len(data)))
	b[2], b[3] = status, op
	copy(b[4:], data)
	return b
}

func (t *Thread) put(site int, kind byte, seq uint32, words []uint64, items []byte) {
	size := 16 + 8*len(words) + len(items)
	d := t.m.data(t.chunk)[t.pos:]
	if len(items) > 0 {
		kind |= arena.RecPayload
	}
	t.Now += 10
	le.PutUint64(d, uint64(site)|uint64(kind)<<16|uint64(size/8)<<24|uint64(seq)<<32)
	le.PutUint64(d[8:], t.Now)
	for i, w := range words {
		le.PutUint64(d[16+8*i:], w)
	}
	copy(d[16+8*len(words):], items)
	t.pos += size
	atomic.StoreUint32(&t.m.Ch[t.chunk].Committed, uint32(t.pos))
}

// Enter writes an ENTER record and returns the call's number; false when it was
// dropped. kind is arena.RecEnter or arena.RecEntry.
func (t *Thread) Enter(kind byte, site int, words []uint64, items []byte) (uint32, bool) {
	t.Seq++
	if !t.room(16+8*len(words)+len(items), 1) {
		atomic.AddUint64(&t.m.Sites[site].Dropped, 1)
		atomic.AddUint64(&t.m.H.Lost[arena.LostNewest], 1)
		t.sync()
		return t.Seq, false
	}
	t.put(site, kind, t.Seq, words, items)
	return t.Seq, true
}

// Leave writes a LEAVE record; errno >= 0 means that the call failed.
func (t *Thread) Leave(site int, seq uint32, ret uint64, errno int, items []byte) {
	if !t.room(32+len(items), 0) {
		atomic.AddUint64(&t.m.Sites[site].ReturnsLost, 1)
		atomic.AddUint64(&t.m.H.Lost[arena.LostReturn], 1)
		return
	}
	kind := byte(arena.RecLeave)
	if errno >= 0 {
		kind |= arena.RecFailed
	}
	t.put(site, kind, seq, []uint64{ret, uint64(uint32(errno))}, items)
}

// Call is Enter and Leave.
func (t *Thread) Call(site int, words []uint64, ret uint64) {
	if seq, ok := t.Enter(arena.RecEnter, site, words, nil); ok {
		t.Leave(site, seq, ret, -1, nil)
	}
}

// End stops the thread without a word, as a kill does.
func (t *Thread) End() { t.chunk = -1 }
