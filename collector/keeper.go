package collector

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/hooks/sqlshape"
	"github.com/seam-project/seam/wire/arena"
)

// A keeper holds the arenas that processes announced, watches the processes,
// and drains what they leave. One goroutine watches; draining goes on a few
// others, so that one large arena does not hold up the rest.
type keeper struct {
	c      *Collector
	bell   int // eventfd
	done   chan struct{}
	slots  chan struct{} // bounds the drains at once
	drains sync.WaitGroup

	mu     sync.Mutex
	arenas map[[16]byte]*held
	conns  map[[16]byte]int // open connections by arena, also of arenas without memory
	latest map[uint32]image // by pid: what it announced last
	sql    shadows
	graves []*held // over, to be released by whoever listens to their doorbells
	ending bool
	ended  bool

	door arena.Doorbell
	deaf chan struct{} // closed when nobody listens any more
}

// image is the arena of one program image, and which connection told of it.
type image struct {
	id    [16]byte
	order uint64 // peerConn.order
}

// tick is how often owners are looked at, and arenas without an agent drained.
const tick = 50 // ms

func newKeeper(c *Collector) (*keeper, error) {
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("create eventfd: %w", err)
	}
	k := &keeper{c: c, bell: bell, done: make(chan struct{}), slots: make(chan struct{}, 2),
		arenas: make(map[[16]byte]*held), conns: make(map[[16]byte]int), latest: make(map[uint32]image),
		sql: shadows{of: make(map[[16]byte]*sqlshape.Shadow)}, deaf: make(chan struct{})}
	if c.opt.Drains {
		go k.listen()
	} else {
		close(k.deaf)
	}
	go k.run()
	return k, nil
}

// wake makes the watcher look now.
func (k *keeper) wake() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ring()
}

func (k *keeper) ring() {
	if !k.ended {
		unix.Write(k.bell, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
}

// idle tells whether no arena is held and nothing drains.
func (k *keeper) idle() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.arenas) == 0
}

// hello takes what a peer's first message brought. It takes fd and pidfd over
// when it keeps them, and sets them to -1.
func (k *keeper) hello(m *hello, order uint64, cred *unix.Ucred, fd, pidfd *int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.conns[m.arena]++
	defer k.ring()
	defer k.announced(uint32(m.pid), image{m.arena, order})
	if *fd < 0 || k.arenas[m.arena] != nil || k.ending || m.arena == [16]byte{} {
		return
	}
	a, err := arena.Map(*fd)
	if err == nil && a.ID != m.arena {
		a.Close()
		err = fmt.Errorf("%w: it is not the one announced", arena.ErrInvalid)
	}
	if err != nil {
		k.c.note("bad-arena", err.Error(), "what this process had not sent when it ended can't be read")
		return
	}
	h := &held{k: k, id: m.arena, a: a, pid: uint32(m.pid), peer: uint32(cred.Pid), pidfd: *pidfd}
	var st unix.Stat_t
	if unix.Fstat(*fd, &st) == nil {
		h.ino = st.Ino
	}
	// The process may have ended before its connection was accepted.
	h.mainDead = *pidfd < 0 && (cred.Pid <= 0 || gone(uint32(cred.Pid)))
	*pidfd = -1
	k.arenas[m.arena] = h
	if k.c.opt.Drains && a.TryOwn(arena.OwnerCollector, uint32(os.Getpid())) {
		h.claimed, h.passed = true, time.Now()
		k.door.Ring()
	}
}

// announced notes which arena a process uses: one that announces another has
// left the one before, by exec. Which one that is the order of the connections
// tells: their first messages are read at the same time. k.mu is held.
func (k *keeper) announced(pid uint32, m image) {
	h, last := k.arenas[m.id], k.latest[pid]
	if h == nil || pid == 0 || last.order > m.order {
		return
	}
	k.latest[pid] = m
	if last.id != m.id {
		h.pids = append(h.pids, pid)
	}
}

// forget undoes announced when an arena is released: pids are used again. k.mu
// is held.
func (k *keeper) forget(h *held) {
	for _, pid := range h.pids {
		if k.latest[pid].id == h.id {
			delete(k.latest, pid)
		}
	}
}

// bye notes that a connection that spoke of an arena ended.
func (k *keeper) bye(m *hello) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.conns[m.arena]--; k.conns[m.arena] <= 0 {
		// What was delivered stays known: the core's hello, with the memory, may
		// be read after an agent's whole stream.
		delete(k.conns, m.arena)
		if k.arenas[m.arena] == nil {
			k.sql.idle(m.arena, k.follows)
		}
	}
	k.ring()
}

// stop drains what can be drained and ends the watcher.
func (k *keeper) stop() {
	k.mu.Lock()
	if !k.ending {
		k.ending = true
		k.ring()
	}
	k.mu.Unlock()
	<-k.done
}

func (k *keeper) run() {
	defer close(k.done)
	var fds []unix.PollFd
	var polled []*held
	for {
		k.mu.Lock()
		fds, polled = append(fds[:0], unix.PollFd{Fd: int32(k.bell), Events: unix.POLLIN}), polled[:0]
		for _, h := range k.arenas {
			if h.pidfd >= 0 && !h.mainDead {
				fds = append(fds, unix.PollFd{Fd: int32(h.pidfd), Events: unix.POLLIN})
				polled = append(polled, h)
			}
		}
		wait := k.pause()
		if k.ending {
			for _, h := range k.arenas {
				h.a.Disarm(0) // nobody else could let them go on
			}
			k.mu.Unlock()
			break
		}
		k.mu.Unlock()
		n, err := unix.Poll(fds, wait)
		if err != nil && err != unix.EINTR {
			k.c.note("poll", "watch processes: "+err.Error(), "")
			return
		}
		if n > 0 && fds[0].Revents != 0 {
			var b [8]byte
			unix.Read(k.bell, b[:])
		}
		k.mu.Lock()
		if n > 0 {
			for i, h := range polled {
				h.mainDead = h.mainDead || fds[i+1].Revents != 0
			}
		}
		k.beat()
		for _, h := range k.arenas {
			if !h.busy {
				k.look(h)
			}
		}
		k.mu.Unlock()
	}
	k.drains.Wait()
	k.mu.Lock()
	for _, h := range k.arenas {
		k.start(h, h.finalise)
	}
	k.mu.Unlock()
	k.drains.Wait()
	k.mu.Lock()
	k.ended = true
	unix.Close(k.bell)
	k.mu.Unlock()
	k.door.Ring()
	<-k.deaf
	k.mu.Lock()
	k.bury()
	k.mu.Unlock()
}

// look decides what an arena needs; k.mu is held.
func (k *keeper) look(h *held) {
	busy := k.conns[h.id] > 0
	if now := time.Now(); h.claimed && !h.mainDead {
		if h.due(now) {
			k.start(h, h.pass)
			return
		}
		if now.Sub(h.asked) < tick*time.Millisecond {
			return
		}
		h.asked = now
	}
	if busy && !h.mainDead {
		return // the common case: its agent lives, or says hello
	}
	// What a dead agent sent is read first, all of it.
	if !h.alive() {
		if !busy && !k.c.expects(h.uses) {
			k.start(h, h.finish)
		}
		return
	}
	if !busy && (h.claimed || h.orphan()) && !k.c.expects(h.uses) && h.claim() {
		k.start(h, h.pass)
	}
}

// maxGraves bounds the arenas that are over and still mapped: each is released by whoever may wait for
// its doorbell, which is woken for many at once.
const maxGraves = 32

// bury releases what is over, if nobody listens; k.mu is held.
func (k *keeper) bury() {
	select {
	case <-k.deaf:
		for _, h := range k.graves {
			h.release()
		}
		k.graves = nil
	default:
	}
}

// start runs a step of an arena on a goroutine; k.mu is held.
func (k *keeper) start(h *held, step func() (over bool)) {
	h.busy = true
	if h.claimed && h.a.Urgent(h.worth()) {
		k.door.Ring() // listen waits for that
	}
	k.drains.Add(1)
	hands.do(func() {
		defer k.drains.Done()
		k.slots <- struct{}{}
		over := step()
		<-k.slots
		k.mu.Lock()
		defer k.mu.Unlock()
		h.busy = false
		if over {
			delete(k.arenas, h.id)
			delete(k.sql.of, h.id)
			k.forget(h)
			k.graves = append(k.graves, h)
			k.bury()
			k.ring()
			if len(k.graves) >= maxGraves {
				k.door.Ring()
			}
			return
		}
		if h.claimed && h.a.Urgent(h.worth()) {
			k.ring()
		}
		k.door.Ring()
	})
}
