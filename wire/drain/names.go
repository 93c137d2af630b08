package drain

import (
	"bytes"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/seam-project/seam/wire"
	"github.com/seam-project/seam/wire/arena"
)

// renames is how many threads are asked for a new name at one look: a name costs
// some 10 µs, and a host may have thousands of threads.
const renames = 64

// named tells the name of a thread before its first events on a connection, unless it is
// the name of its process, which threads start with.
func (d *Drainer) named(r *arena.Ref, t *thread) {
	t.active = true
	if t.told || t == &d.stray {
		return
	}
	t.told = true
	e := &d.a.Threads()[r.Thread]
	if t.name == "" {
		t.name = comm(e.Comm[:])
		if atomic.LoadUint32(&e.Uid) != r.ThreadUID { // its entry is another's by now
			t.name = ""
			return
		}
	}
	if ps := d.a.Procs(); t.name == "" || int(e.Proc) < len(ps) && t.name == comm(ps[e.Proc].Comm[:]) {
		return
	}
	d.tellName(r.PID, r.TID, r.ThreadUID, t.name)
}

func (d *Drainer) tellName(pid, tid, uid uint32, name string) {
	d.pre = wire.AppendProcess(d.pre, d.clock.ns(d.clock.now()), &wire.Process{
		PID: int(pid), What: "thread", Status: wire.StatusUnknown, TID: int(tid), Thread: uid, Name: name})
}

// renamed asks the kernel for the names of threads that have called since the last
// look, some at a time, and tells those that changed.
func (d *Drainer) renamed() {
	for n, seen := 0, 0; n < renames && seen < len(d.threads); seen++ {
		d.nextName = (d.nextName + 1) % len(d.threads)
		t := &d.threads[d.nextName]
		if !t.active || !t.told {
			continue
		}
		t.active = false
		n++
		e := &d.a.Threads()[d.nextName]
		pid, tid := atomic.LoadUint32(&e.Pid), atomic.LoadUint32(&e.Tid)
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/comm", pid, tid))
		name := comm(bytes.TrimSuffix(b, []byte("\n")))
		if err != nil || name == "" || name == t.name ||
			atomic.LoadUint32(&e.State) != arena.ThreadLive || atomic.LoadUint32(&e.Uid) != t.uid {
			continue
		}
		t.name = name
		var to [len(e.Comm)]byte
		copy(to[:len(to)-1], name)
		e.Comm = to // for the drainer after this one
		d.tellName(pid, tid, t.uid, name)
	}
}

func comm(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}
