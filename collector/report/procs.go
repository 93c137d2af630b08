package report

import (
	"github.com/seam-project/seam/wire"
)

// A proc is one process: a pid between its start and its end.
type proc struct {
	Process
	image int64 // start of the latest image, epoch ns
	sure  bool  // its end was told by somebody who saw it
	alike bool  // it runs what its parent ran: it has not executed anything
	queue any   // that of the latest image; nil: it had none of its own
}

// began is when a process began, as far as is known.
func (p *proc) began() int64 {
	if p.StartNS == 0 {
		return p.EndNS
	}
	return p.StartNS
}

// before notes a command line that exec replaced.
func (p *proc) before(exe string, argv []string) {
	if len(argv) == 0 {
		argv = []string{exe}
	}
	if len(p.Execs) < 32 {
		p.Execs = append(p.Execs, argv)
	}
}

// replaced notes that exec replaced what it ran; what it only had from its parent
// is nothing it ever executed.
func (p *proc) replaced() {
	if !p.alike {
		p.before(p.Exe, p.Argv)
	}
}

// wentOn tells an exec from a pid that was used again. Both look the same to
// whoever drained the old image, which is gone; but after an exec nobody saw an
// exit, and no time has passed; the parent is the same, or is gone.
func (p *proc) wentOn(ppid int, start int64) bool {
	const soon = 2e9 // ns; pids come round again after 32,768 processes at the least
	return !p.sure && start <= p.EndNS || p.Status == nil && ppid == p.PPID && start < p.EndNS+soon
}

// maxProcs bounds the processes that are remembered.
const maxProcs = 100_000

// procs knows the processes of a run, by pid; a pid that was used again is
// another process.
type procs struct {
	list  []*proc
	byPID map[int]*proc // the latest of each pid
	over  uint64
}

// get returns the process that has this pid now, making it if need be; nil when
// there are too many.
func (ps *procs) get(pid int) *proc {
	if p := ps.byPID[pid]; p != nil {
		return p
	}
	return ps.add(pid)
}

func (ps *procs) add(pid int) *proc {
	if len(ps.list) >= maxProcs {
		ps.over++
		return nil
	}
	if ps.byPID == nil {
		ps.byPID = make(map[int]*proc)
	}
	p := new(proc)
	p.PID = pid
	ps.list = append(ps.list, p)
	ps.byPID[pid] = p
	return p
}

// image records what a process said of itself when it (or an exec in it) began.
func (ps *procs) image(pid, ppid int, exe string, argv []string, start int64, newImage bool, queue any) *proc {
	p := ps.get(pid)
	if p == nil {
		return nil
	}
	if newImage && (p.Exe != "" || len(p.Argv) > 0) {
		switch {
		case p.Ended && p.wentOn(ppid, start):
			p.Ended, p.EndNS = false, 0
			p.replaced()
		case p.Ended && start > p.EndNS: // the pid was used again
			if p = ps.add(pid); p == nil {
				return nil
			}
		case start < p.image: // drained late: an image before the one we know
			p.before(exe, argv)
			if start != 0 {
				p.StartNS = min(p.StartNS, start)
			}
			return p
		default:
			p.replaced()
		}
	}
	if newImage {
		p.image, p.queue = start, queue
	}
	if ppid != 0 {
		p.PPID = ppid
	}
	if exe != "" || len(argv) > 0 {
		p.Exe, p.Argv, p.alike = exe, argv, false
	}
	if p.StartNS == 0 || start != 0 && start < p.StartNS {
		p.StartNS = start
	}
	return p
}

func (ps *procs) fork(t int64, pid, ppid int) {
	p := ps.byPID[pid]
	if p != nil && p.Ended && p.EndNS <= t {
		p = nil
	}
	if p == nil {
		if p = ps.add(pid); p == nil {
			return
		}
	}
	p.PPID = ppid
	if p.StartNS == 0 {
		p.StartNS = t
	}
	if parent := ps.byPID[ppid]; parent != nil && p.Exe == "" && len(p.Argv) == 0 {
		p.Exe, p.Argv, p.alike = parent.Exe, parent.Argv, true
	}
}

// end notes what somebody said of a process's end: the process itself as it
// called exit, its parent as wait told it, or whoever found it gone. queue is
// whose stream says so: that it is gone from one which it has left by executing
// a program is no end.
func (ps *procs) end(t int64, e *wire.Process, queue any) {
	p := ps.get(e.PID)
	if p == nil {
		return
	}
	sure := e.Signal != 0 || e.Status != wire.StatusUnknown
	if !sure && queue != nil && p.queue != nil && p.queue != queue {
		p.Dropped += e.Dropped
		return
	}
	if p.PPID == 0 {
		p.PPID = e.PPID
	}
	p.Ended = true
	switch { // who only finds it gone does so late
	case sure && !p.sure:
		p.EndNS, p.sure = t, true
	case sure || !p.sure:
		p.EndNS = max(p.EndNS, t)
	}
	p.Agent = p.Agent || e.Agent
	p.Dropped += e.Dropped
	if e.Signal != 0 { // what it meant to end with does not matter any more
		p.Status, p.Signal, p.Core = nil, e.Signal, e.Core
	} else if e.Status != wire.StatusUnknown && p.Signal == 0 {
		s := e.Status
		p.Status = &s
	}
}

// tree lists the processes parents first, each with its depth.
func (ps *procs) tree() []Process {
	sorted := append([]*proc(nil), ps.list...)
	byStart(sorted)
	// A child belongs to the latest process with its parent's pid that began
	// before it did.
	byPID := make(map[int][]*proc)
	for _, p := range sorted {
		byPID[p.PID] = append(byPID[p.PID], p)
	}
	kids := make(map[*proc][]*proc)
	var roots []*proc
	for _, p := range sorted {
		var parent *proc
		for _, q := range byPID[p.PPID] {
			if q != p && (parent == nil || q.began() <= p.began()) {
				parent = q
			}
		}
		if parent == nil || parent.began() > p.began() {
			roots = append(roots, p)
		} else {
			kids[parent] = append(kids[parent], p)
		}
	}
	out := make([]Process, 0, len(sorted))
	seen := make(map[*proc]bool)
	type item struct {
		p     *proc
		depth int
	}
	walk := func(root *proc) {
		stack := []item{{root, 0}}
		for len(stack) > 0 {
			it := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if seen[it.p] {
				continue
			}
			seen[it.p] = true
			e := it.p.Process
			e.Depth = it.depth
			out = append(out, e)
			k := kids[it.p]
			for i := len(k) - 1; i >= 0; i-- {
				stack = append(stack, item{k[i], it.depth + 1})
			}
		}
	}
	for _, r := range roots {
		walk(r)
	}
	for _, p := range sorted { // parents in a ring, with equal start times
		if !seen[p] {
			walk(p)
		}
	}
	return out
}
