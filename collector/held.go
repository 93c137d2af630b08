package collector

import (
	"bytes"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/preload/plan"
	"github.com/seam-project/seam/wire"
	"github.com/seam-project/seam/wire/arena"
	"github.com/seam-project/seam/wire/drain"
)

// A held arena is one whose memory we have. k.mu guards it, except drainer and
// stream, which belong to the step that runs.
type held struct {
	k     *keeper
	id    [16]byte
	a     *arena.Arena
	pid   uint32 // of the process that made it, as it says
	peer  uint32 // the same as the kernel says: another number in another pid namespace
	pidfd int
	pids  []uint32 // that said hello for this arena
	ino   uint64   // of the memfd, to find it in /proc/PID/maps

	mainDead  bool
	busy      bool                 // a step runs
	claimed   bool                 // we hold the owner word
	over      bool                 // finish has begun: nobody is left that we wait for
	deserted  time.Time            // since when it looks as if nobody drains
	left      map[uint32]time.Time // processes that live and have the arena no more: since when that was seen
	forking   time.Time            // since when only children that are not registered yet keep it
	looked    time.Time            // when the process table was last checked thoroughly
	asked     time.Time            // when a claimed one's processes were last asked after
	passed    time.Time            // when its last pass ended
	idle      int                  // passes without a call, up to idleFrom
	notBefore time.Time            // no pass before that because chunks are full
	told      uint64               // hash of the spec that its processes were told to follow, 0 none
	toldAt    time.Time            // when they were, or were asked for an agent

	d   *drain.Drainer
	out *feed // of d; nil when there is none, or it ended
}

// alive tells whether any process may still write to the arena; k.mu is held.
func (h *held) alive() bool {
	if !h.mainDead {
		if h.pidfd < 0 && gone(h.peer) {
			h.mainDead = true
		} else if last, ok := h.k.latest[h.pid]; !ok || last.id == h.id {
			return true
		}
	}
	thorough := time.Since(h.looked) > 500*time.Millisecond || len(h.left) > 0
	if thorough {
		h.looked = time.Now()
	}
	// Children that are begun while we look must not be missed: looked at in this
	// order, one is counted as begun, or registered, or was registered meanwhile.
	uid, begun := h.a.LastProc(), h.a.Forking()
	for i := range h.a.Procs() {
		p := &h.a.Procs()[i]
		pid := atomic.LoadUint32(&p.Pid)
		if atomic.LoadUint32(&p.State) != arena.ProcLive || pid == 0 || pid == h.pid {
			continue
		}
		if atomic.LoadUint32(&p.Ns) != 0 && h.pid == h.peer {
			// Of another process id namespace: its number means nothing here. Its memory does.
			if !thorough || h.mapped() {
				return true
			}
		} else if h.lives(pid, thorough) || h.leaving(pid) {
			return true
		}
	}
	// A child whose parent died before it could register itself.
	if h.a.LastProc() != uid {
		return true
	}
	if begun > 0 || h.a.Forking() > 0 {
		if h.forking.IsZero() {
			h.forking = time.Now()
		}
		return time.Since(h.forking) < forkGrace
	}
	return false
}

// forkGrace is how long a child may take from fork to its first instruction. A
// fork that failed is waited for too, once.
const forkGrace = 250 * time.Millisecond

// uses tells whether a process is, or was, one of the arena's.
func (h *held) uses(pid uint32) bool {
	if pid == h.peer || h.pid != h.peer {
		return true
	}
	for i := range h.a.Procs() {
		if atomic.LoadUint32(&h.a.Procs()[i].Pid) == pid {
			return true
		}
	}
	return false
}

// lives tells whether process pid still uses the arena.
func (h *held) lives(pid uint32, thorough bool) bool {
	if last, ok := h.k.latest[pid]; ok && last.id != h.id {
		return false // it announced another one since: exec, or the pid was used again
	}
	if h.pid != h.peer {
		// Another pid namespace: the number means nothing here. The core notes
		// ends it sees; those it can't see are settled by Finish.
		return true
	}
	if gone(pid) {
		return false
	}
	return !thorough || h.maps(pid)
}

// leaving tells whether a process that has the arena no more may be about to announce another one: it
// executes a program, whose library says hello a moment later.
func (h *held) leaving(pid uint32) bool {
	if last, ok := h.k.latest[pid]; ok && last.id != h.id || gone(pid) {
		delete(h.left, pid)
		return false
	}
	since, ok := h.left[pid]
	if !ok {
		if h.left == nil {
			h.left = make(map[uint32]time.Time)
		}
		since = time.Now()
		h.left[pid] = since
	}
	return time.Since(since) < forkGrace
}

// maps tells whether process pid has the arena mapped: not, when its number was
// used again or it went on as a program that does not load seam.
func (h *held) maps(pid uint32) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(int(pid)) + "/maps")
	if err != nil {
		return !os.IsNotExist(err) // may not look: believe the process table
	}
	if len(b) == 0 { // its first thread has ended, others may not have
		return true
	}
	return h.ino == 0 || bytes.Contains(b, []byte(" "+strconv.FormatUint(h.ino, 10)+" "))
}

// mapped tells whether any process that we may look at, but this one, has the arena mapped.
func (h *held) mapped() bool {
	all, err := os.ReadDir("/proc")
	for _, e := range all {
		pid, _ := strconv.Atoi(e.Name())
		if pid > 0 && pid != os.Getpid() {
			if b, err := os.ReadFile("/proc/" + e.Name() + "/maps"); err == nil && h.ino != 0 && bytes.Contains(b, []byte(" "+strconv.FormatUint(h.ino, 10)+" ")) {
				return true
			}
		}
	}
	return err != nil
}

// gone tells whether a process has ended, reaped or not. For 0 it is false:
// nobody is meant.
func gone(pid uint32) bool {
	if pid == 0 {
		return false
	}
	if unix.Kill(int(pid), 0) == unix.ESRCH {
		return true
	}
	b, err := os.ReadFile("/proc/" + strconv.Itoa(int(pid)) + "/stat")
	if err != nil {
		return os.IsNotExist(err)
	}
	return zombie(b)
}

// zombie reads /proc/PID/stat. A process whose first thread has ended looks like
// a zombie too; it lives as long as it has others.
func zombie(stat []byte) bool {
	const threads = 17                                         // fields behind the state
	f := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // the name before may hold anything
	return len(f) > threads && (f[0][0] == 'Z' && len(f[threads]) == 1 && f[threads][0] <= '1' || f[0][0] == 'X')
}

// orphanAfter is how long an arena must look deserted where appearances may
// deceive for a moment.
const orphanAfter = 100 * time.Millisecond

// orphan tells whether nobody drains an arena whose processes live; k.mu is held.
func (h *held) orphan() bool {
	who, died := h.a.Owner()
	deserted := false
	switch {
	case died: // the agent is dead, children live
		return true
	case who == 0 && h.mainDead: // it never had one
		return true
	case who == 0:
		// An agent starts before the arena is full. When it is full and stays
		// so there will be none. Children that ended leave chunks that only
		// a drainer finds to be done with.
		deserted = h.a.UsedChunks()*4 >= h.a.NumChunks()*3
	case who != arena.OwnerCollector && h.pid == h.peer:
		// Dead, though its thread was not on a robust list.
		deserted = gone(h.a.OwnerPID())
	}
	if !deserted {
		h.deserted = time.Time{}
		return false
	}
	if h.deserted.IsZero() {
		h.deserted = time.Now()
	}
	return time.Since(h.deserted) >= orphanAfter
}

// claim takes the owner word of an orphan; k.mu is held.
func (h *held) claim() bool {
	if h.claimed {
		return true
	}
	self := uint32(os.Getpid())
	if who, died := h.a.Owner(); who != 0 && !died {
		h.a.TakeOwner(arena.OwnerCollector, self)
		h.claimed = true
	} else {
		h.claimed = h.a.TryOwn(arena.OwnerCollector, self)
	}
	return h.claimed
}

// guarded runs f with faults on the shared memory turned into an error: another
// process made it, and this one must outlive whatever it did.
func (h *held) guarded(what string, f func() error) (ok bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			h.k.c.note("adopt", fmt.Sprintf("%s: %v", what, p), "")
			ok = false
		}
	}()
	if err := f(); err != nil {
		h.k.c.note("adopt", fmt.Sprintf("%s: %v", what, err), "")
		return false
	}
	return true
}

// open makes the drainer and the stream it writes to, which is followed, saved
// and counted like a connection's.
func (h *held) open() {
	if h.d != nil {
		return
	}
	c := h.k.c
	h.out = c.feed()
	h.d = drain.New(h.a, h.out, drain.Options{
		Hello:  wire.Hello{V: wire.Version, PID: int(h.pid), From: "collector"},
		SQL:    h.k.takeShadow(h.id),
		Upto:   func(uid uint64) uint32 { return c.b.Upto(h.id, uid) },
		Alive:  h.threadLives,
		Native: c.native(),
		Reason: func(id uint8) string { return plan.Reason(id).String() },
	})
}

// threadLives is drain.Options.Alive.
func (h *held) threadLives(pid, tid, ns uint32) bool {
	h.k.mu.Lock()
	mainDead, over := h.mainDead, h.over
	last, moved := h.k.latest[pid]
	h.k.mu.Unlock()
	switch {
	case over && (h.pid != h.peer || ns != 0):
		// Another pid namespace: nobody can be asked, and a thread that is taken for
		// living keeps from the account what its last chunk says.
		return false
	case ns != 0:
		return true
	case moved && last.id != h.id:
		return false
	case pid == h.pid && mainDead:
		return false
	case h.pid != h.peer:
		return pid != h.pid || !gone(h.peer)
	case gone(pid):
		return false
	}
	return tid == 0 || arena.Alive(pid, tid)
}

// pass drains what is there while processes live.
func (h *held) pass() bool {
	var calls uint64
	ok := h.guarded("drain arena of a living process", func() error {
		h.open()
		for range 64 {
			n, err := h.d.Pass()
			calls += n
			if err != nil || n == 0 || h.a.FullChunks() < h.worth() {
				return err
			}
		}
		return nil
	})
	h.k.mu.Lock()
	h.passing(calls)
	h.k.mu.Unlock()
	if !ok { // give up on it rather than try again and again
		h.close()
		return true
	}
	return false
}

// finish drains the arena of dead processes to its end.
func (h *held) finish() bool {
	h.k.mu.Lock()
	h.over = true
	h.k.mu.Unlock()
	h.guarded("drain arena of ended process", func() error {
		if who, _ := h.a.Owner(); who != arena.OwnerCollector {
			h.a.TakeOwner(arena.OwnerCollector, uint32(os.Getpid()))
		}
		h.a.Rescue()
		h.open()
		_, err := h.d.Finish()
		return err
	})
	h.close()
	return true
}

// finalise settles an arena when the collector ends. Processes that still run
// keep it; we read what is there if nobody else does.
func (h *held) finalise() bool {
	h.k.mu.Lock()
	alive := !h.mainDead && !gone(h.peer) && h.lives(h.pid, true)
	if !alive {
		h.mainDead = true
		// A process that was killed may take a moment to go, and so does a fork that was begun to be one.
		for end := time.Now().Add(2 * forkGrace); ; {
			h.looked = time.Time{}
			if alive = h.alive(); !alive || h.pid != h.peer || time.Now().After(end) {
				break
			}
			h.k.mu.Unlock()
			time.Sleep(forkGrace / 10)
			h.k.mu.Lock()
		}
		if alive && h.pid != h.peer {
			// The process table can't be checked; an agent that drains can.
			who, died := h.a.Owner()
			alive = who != 0 && who != arena.OwnerCollector && !died
		}
	}
	// Of a process that goes on, and that nobody drains, what there is is told.
	claimed := h.claimed || alive && h.k.conns[h.id] == 0 && h.a.TryOwn(arena.OwnerCollector, uint32(os.Getpid()))
	h.claimed = claimed
	h.k.mu.Unlock()
	if !alive {
		return h.finish()
	}
	if claimed {
		h.pass()
	}
	h.close()
	return true
}

// close ends our stream and waits until it is counted.
func (h *held) close() {
	if h.out != nil {
		h.out.end()
		h.out = nil
	}
	if h.claimed {
		h.a.ReleaseOwner(arena.OwnerCollector)
	}
}

// release frees what the arena holds.
func (h *held) release() {
	h.a.Close()
	if h.pidfd >= 0 {
		unix.Close(h.pidfd)
		h.pidfd = -1
	}
	h.k.c.b.Release(h.id)
}
