package arena_test

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/wire/arena"
	"github.com/seam-project/seam/wire/arena/arenatest"
)

func small() *arenatest.Mem {
	return arenatest.New(arenatest.Config{Chunks: 3, ChunkSize: 512, Defs: [][]byte{[]byte("def")}, Sites: []arena.Site{{Nwords: 1}},
		Refusals: map[string][]byte{"/a": []byte("ra"), "/b": []byte("rb")}})
}

// memfd is an arena as another process would send it.
func memfd(t *testing.T, b []byte, seals int) int {
	t.Helper()
	fd, err := unix.MemfdCreate("arena", unix.MFD_ALLOW_SEALING|unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if _, err := unix.Write(fd, b); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		t.Fatal(err)
	}
	return fd
}

func TestMap(t *testing.T) {
	m := small()
	m.Thread(0, 0).Call(0, []uint64{1}, 2)
	a, err := arena.Map(memfd(t, m.B, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW))
	if err != nil {
		t.Fatal(err)
	}
	r, ok := a.Acquire(0, 1)
	if !ok || r.To != 24+32 || r.UID != 1 || string(a.Def(a.Site(0))) != "def" {
		t.Errorf("chunk %+v, %v", r, ok)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}

	if _, err := arena.Map(memfd(t, m.B, unix.F_SEAL_GROW)); !errors.Is(err, arena.ErrInvalid) {
		t.Errorf("not sealed: %v", err)
	}
	if _, err := arena.Map(memfd(t, m.B[:len(m.B)-4096], unix.F_SEAL_SHRINK)); !errors.Is(err, arena.ErrInvalid) {
		t.Errorf("too short: %v", err)
	}
	if _, err := arena.Map(memfd(t, m.B[:100], unix.F_SEAL_SHRINK)); !errors.Is(err, arena.ErrInvalid) {
		t.Errorf("much too short: %v", err)
	}
	if fd, err := unix.Open("/dev/zero", unix.O_RDWR, 0); err == nil {
		if _, err := arena.Map(fd); err == nil {
			t.Error("/dev/zero was mapped")
		}
		unix.Close(fd)
	}
}

// TestHeader damages each field that bounds something.
func TestHeader(t *testing.T) {
	for name, damage := range map[string]func(h *arena.Header){
		"magic":            func(h *arena.Header) { h.Magic[0]++ },
		"version":          func(h *arena.Header) { h.Version++ },
		"size":             func(h *arena.Header) { h.Size *= 2 },
		"no size":          func(h *arena.Header) { h.Size = 0 },
		"clock":            func(h *arena.Header) { h.Clock = 2 },
		"policy":           func(h *arena.Header) { h.Policy = 3 },
		"chunks":           func(h *arena.Header) { h.Nchunks = math.MaxUint32 },
		"no chunks":        func(h *arena.Header) { h.Nchunks = 0 },
		"chunk size":       func(h *arena.Header) { h.ChunkSize = 1 << 24 },
		"odd chunk size":   func(h *arena.Header) { h.ChunkSize = 511 },
		"threads":          func(h *arena.Header) { h.Nthreads = 1 << 20 },
		"thread place":     func(h *arena.Header) { h.ThreadsOff = math.MaxUint32 &^ 7 },
		"unaligned":        func(h *arena.Header) { h.ThreadsOff++ },
		"over the header":  func(h *arena.Header) { h.MetasOff = 64 },
		"processes":        func(h *arena.Header) { h.Nprocs = 1 << 19 },
		"free map":         func(h *arena.Header) { h.FreeOff = uint32(h.Size) },
		"sites":            func(h *arena.Header) { h.Nsites = 1 << 16 },
		"definitions":      func(h *arena.Header) { h.DefsSize = math.MaxUint32 },
		"shards":           func(h *arena.Header) { h.Nshards = math.MaxUint32 },
		"histograms":       func(h *arena.Header) { h.Nhists = 1 << 16 },
		"histogram shards": func(h *arena.Header) { h.Nhists, h.NshardsHist = 1, math.MaxUint32 },
		"hand-overs":       func(h *arena.Header) { h.Nhandover = math.MaxUint32 },
		"data":             func(h *arena.Header) { h.DataOff = math.MaxUint64 &^ 7 },
		"data beyond":      func(h *arena.Header) { h.DataOff += 8192 },
	} {
		m := small()
		damage(m.H)
		if _, err := arena.FromMemory(unsafe.Pointer(&m.B[0]), uint64(len(m.B))); !errors.Is(err, arena.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLateLies: what is damaged after the header was checked bounds nothing.
func TestLateLies(t *testing.T) {
	m := small()
	a := m.Arena()
	for i := range 512 {
		m.B[i] = 0xff
	}
	m.Sites[0].DefOff, m.Sites[0].DefLen = 1, math.MaxUint32
	exercise(a)
	if a.Def(a.Site(0)) != nil {
		t.Error("a definition outside its region was returned")
	}
}

// exercise calls everything that reads an arena.
func exercise(a *arena.Arena) {
	a.Recover()
	a.EachRefusals(0, func(string, []byte) {})
	var h arena.Hist
	for id := range uint32(min(a.NumSites(), 1000)) {
		s := a.Site(id)
		if s == nil {
			continue
		}
		a.Def(s)
		a.Counter(id)
		a.ReadHist(s, &h)
	}
	a.Account(nil)
	a.Reap(nil, func(uint32, uint32, uint32) bool { return false })
	for i := range min(a.NumChunks(), 1000) {
		a.Pending(i)
		uid, _ := a.Peek(i)
		if r, ok := a.Acquire(i, uid); ok {
			arena.WalkCalls(a.Data(i)[r.From:r.To], func(uint32) {})
			a.Commit(&r, 1)
		}
	}
	a.PolicyName()
	a.ProcessInfo()
}

func FuzzArenaHeader(f *testing.F) {
	m := small()
	m.Thread(0, 0).Call(0, []uint64{1}, 2)
	head := int(unsafe.Sizeof(arena.Header{}))
	f.Add(m.B[:head], []byte{}, uint16(0))
	f.Add(m.B[:16], []byte{255, 255, 255, 255}, uint16(m.H.ThreadsOff))
	for off := 0; off < 208; off += 4 {
		b := append([]byte(nil), m.B[:head]...)
		binary.LittleEndian.PutUint32(b[off:], math.MaxUint32-7)
		f.Add(b, []byte{}, uint16(0))
	}
	f.Fuzz(func(t *testing.T, header, body []byte, at uint16) {
		m := small()
		defer m.Unmap()
		m.Thread(0, 0).Call(0, []uint64{1}, 2)
		copy(m.B[:head], header)
		copy(m.B[min(int(at), len(m.B)):], body)
		a, err := arena.FromMemory(unsafe.Pointer(&m.B[0]), uint64(len(m.B)))
		if err != nil {
			return
		}
		exercise(a)
	})
}

// TestProtocol follows one chunk around.
func TestProtocol(t *testing.T) {
	m := small()
	a := m.Arena()
	th := m.Thread(0, 0)
	th.Call(0, []uint64{1}, 2)
	if a.LastUID() != 1 || !a.Pending(0) || a.Pending(1) {
		t.Fatal("one chunk should be pending")
	}
	if _, ok := a.Acquire(1, 0); ok {
		t.Error("a free chunk was acquired")
	}
	if _, ok := a.Acquire(0, 9); ok || m.Ch[0].State != arena.ChunkActive {
		t.Error("a chunk with another uid was acquired")
	}
	r, ok := a.Acquire(0, 1)
	if !ok || r.From != 0 || r.To != 56 || r.ThreadUID != 1 || r.PID != 100 || r.TID != 200 {
		t.Fatalf("%+v %v", r, ok)
	}
	th.Call(0, []uint64{1}, 2)
	th.HandBack()
	if m.Ch[0].State != arena.ChunkFull|arena.ChunkBusy {
		t.Errorf("state %#x", m.Ch[0].State)
	}
	a.Commit(&r, 1)
	if m.Ch[0].State != arena.ChunkFull || m.Ch[0].Consumed != 56 || a.Delivered() != 1 {
		t.Errorf("after the first commit: %+v", m.Ch[0])
	}
	r, ok = a.Acquire(0, 1)
	if !ok || r.From != 56 || r.To != 112 {
		t.Fatalf("%+v %v", r, ok)
	}
	m.H.Waiting = 1
	a.Commit(&r, 1)
	if m.Ch[0].State != arena.ChunkFree || m.Free[0] != 7 || m.H.Nfull != 0 || m.H.Space != 1 || a.Delivered() != 2 {
		t.Errorf("after the second commit: %+v free %#x nfull %d space %d", m.Ch[0], m.Free[0], m.H.Nfull, m.H.Space)
	}
}

// TestRescue: a process was killed while it wrote off a chunk.
func TestRescue(t *testing.T) {
	m := small()
	a := m.Arena()
	th := m.Thread(0, 0)
	th.Call(0, []uint64{1}, 2)
	th.Call(0, []uint64{1}, 2)
	th.HandBack()
	c := &m.Ch[0]
	c.State, c.Consumed = arena.ChunkStolen, 56 // one of the two calls is counted as dropped
	a.Rescue()
	r, ok := a.Acquire(0, 1)
	if !ok || r.From != 56 || r.To != 112 {
		t.Errorf("what was not written off yet: %+v %v", r, ok)
	}
	a.Release(&r)
	c.State, c.Consumed = arena.ChunkStolen, 112
	if a.Rescue(); c.State != arena.ChunkStolen {
		t.Error("a chunk that was written off came back")
	}
}

// TestRecover interrupts a commit after each of its stores.
func TestRecover(t *testing.T) {
	for stores := range 4 {
		m := small()
		a := m.Arena()
		m.Thread(0, 0).Call(0, []uint64{1}, 2)
		m.H.Delivered, m.H.DeliveredNext = 10, 10
		m.H.CommitChunk, m.H.CommitUpto, m.H.CommitUid = 0, 56, 1
		if stores > 0 {
			m.H.DeliveredNext = 11
		}
		if stores > 1 {
			m.Ch[0].Consumed = 56
		}
		if stores > 2 {
			m.H.Delivered = 11
		}
		a.Recover()
		want := uint64(11)
		if stores == 0 {
			want = 10
		}
		if done := m.Ch[0].Consumed == 56; a.Delivered() != want || done != (want == 11) {
			t.Errorf("after %d stores: delivered %d, consumed %d", stores, a.Delivered(), m.Ch[0].Consumed)
		}
		a.Recover()
		if a.Delivered() != want {
			t.Error("recovered twice")
		}
	}
}

func TestAccount(t *testing.T) {
	m := small()
	a := m.Arena()
	t0, t1 := m.Thread(0, 0), m.Thread(1, math.MaxUint32-1)
	t1.SetBase(1<<32 - 2)
	t0.Call(0, []uint64{1}, 0)
	for range 5 {
		t1.Call(0, []uint64{1}, 0) // the numbers wrap, produced is not up to date
	}
	m.Th[5].Produced, m.H.ThreadsUsed = 1000, 6 // nobody has the entry now
	// The chunk says it, whoever has read it.
	want := uint64(1000 + 1 + (1<<32 - 2) + 5)
	if got := a.Account(nil).Produced; got != want {
		t.Errorf("produced without what was read: %d, want %d", got, want)
	}
	m.Ch[t1.Chunk()].ThreadUid = 77 // another thread's chunk says nothing
	if got := a.Account(nil).Produced; got != 1000+1+(1<<32-2)+1 {
		t.Errorf("produced without chunk and what was read: %d", got)
	}
	seen := []arena.Seen{{}, {UID: 2, Seq: t1.Seq, Any: true}}
	if got := a.Account(seen).Produced; got != want {
		t.Errorf("produced %d, want %d", got, want)
	}
	seen[1].UID = 99 // of the thread that had the entry before
	if got := a.Account(seen).Produced; got == want {
		t.Error("another thread's number was used")
	}
	m.Ch[t1.Chunk()].ThreadUid = 2
	dead := func(pid, tid, ns uint32) bool { return false }
	for range 2 {
		a.Reap(nil, dead)
		if got := a.Account(nil).Produced; got != want {
			t.Errorf("after reaping: produced %d, want %d", got, want)
		}
	}
	if m.Ch[0].State != arena.ChunkFull || m.Ch[1].State != arena.ChunkFull || m.H.Nfull != 2 {
		t.Error("chunks of the dead were not handed back")
	}
}

func TestRefusalChain(t *testing.T) {
	m := small()
	a := m.Arena()
	got := map[string]string{}
	last := a.EachRefusals(0, func(o string, b []byte) { got[o] = string(b) })
	if len(got) != 2 || got["/a"] != "ra" || got["/b"] != "rb" {
		t.Errorf("got %v", got)
	}
	a.EachRefusals(last, func(o string, b []byte) { t.Errorf("%s came again", o) })
	binary.LittleEndian.PutUint32(m.B[m.H.DefsOff+last:], last) // a loop
	a.EachRefusals(0, func(string, []byte) {})
}

func TestBuckets(t *testing.T) {
	for _, v := range []uint64{0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 100, 1 << 20, 1<<40 + 5, math.MaxUint64} {
		i := arena.BucketOf(v)
		if i < 0 || i >= arena.HistBuckets || v > arena.BucketUpper(i) || i > 0 && v <= arena.BucketUpper(i-1) {
			t.Errorf("%d is in bucket %d, (%d..%d]", v, i, arena.BucketUpper(max(i-1, 0)), arena.BucketUpper(i))
		}
	}
}

func TestWait(t *testing.T) {
	m := small()
	a := m.Arena()
	done := make(chan bool)
	go func() { a.Wait(10 * time.Second); close(done) }()
	for {
		select {
		case <-done:
			if atomic.LoadUint32(&m.H.Sleeping) != 0 {
				t.Error("still marked as sleeping")
			}
			return
		default:
			if atomic.LoadUint32(&m.H.Sleeping) != 0 {
				a.Wake()
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// A doorbell waits for all of several arenas, and for Ring; it would wait a minute for nothing.
func TestDoorbell(t *testing.T) {
	ms := []*arenatest.Mem{small(), small(), small()}
	as := make([]*arena.Arena, len(ms))
	for i, m := range ms {
		as[i] = m.Arena()
	}
	var b arena.Doorbell
	wake := []func(){func() { b.Ring() }, func() { as[0].Wake() }, func() { as[2].Wake() }}
	for i, f := range wake {
		done := make(chan bool)
		seen := b.Seen()
		go func() { b.Wait(as, 7, seen, time.Minute); close(done) }()
		for atomic.LoadUint32(&ms[2].H.Sleeping) != 7 {
			time.Sleep(time.Millisecond)
		}
		f()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatalf("%d: not woken", i)
		}
		for _, m := range ms {
			if atomic.LoadUint32(&m.H.Sleeping) != 0 {
				t.Error("still marked as sleeping")
			}
		}
	}
	seen := b.Seen()
	b.Ring()
	b.Wait(as, 7, seen, time.Minute) // rung since then
	ms[1].H.Nfull = 7
	b.Wait(as, 7, b.Seen(), time.Minute) // full already
}

func TestOwner(t *testing.T) {
	m := small()
	a := m.Arena()
	if !a.TryOwn(5, 50) || a.TryOwn(6, 60) || a.OwnerPID() != 50 {
		t.Fatal("the second owner got in")
	}
	m.H.Owner |= arena.OwnerDied
	if who, died := a.Owner(); who != 5 || !died {
		t.Errorf("owner %d, %v", who, died)
	}
	if !a.TryOwn(arena.OwnerCollector, 1) {
		t.Error("a dead owner kept the arena")
	}
	a.ReleaseOwner(7)
	if a.TryOwn(5, 50) {
		t.Error("released by somebody else")
	}
	a.ReleaseOwner(arena.OwnerCollector)
	if who, _ := a.Owner(); who != 0 {
		t.Errorf("owner %d after release", who)
	}
}

// TestRobust has a process own an arena and be killed.
func TestRobust(t *testing.T) {
	if os.Getenv("ARENA_OWNER") != "" {
		a, err := arena.Map(3)
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := a.OwnRobust(); !ok || err != nil {
			t.Fatal(ok, err)
		}
		unix.Kill(unix.Getpid(), unix.SIGKILL)
		select {}
	}
	m := small()
	fd := memfd(t, m.B, unix.F_SEAL_SHRINK)
	a, err := arena.Map(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	dup, err := unix.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(dup), "arena")
	defer f.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^TestRobust$")
	cmd.Env = append(os.Environ(), "ARENA_OWNER=1")
	cmd.ExtraFiles = []*os.File{f}
	out, _ := cmd.CombinedOutput()
	if who, died := a.Owner(); who != 0 || !died {
		t.Fatalf("owner %d, died %v\n%s", who, died, out)
	}
	if !a.TryOwn(9, 9) {
		t.Error("not free")
	}
}
