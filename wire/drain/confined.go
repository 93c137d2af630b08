package drain

import (
	"sync/atomic"

	"github.com/seam-project/seam/wire"
	"github.com/seam-project/seam/wire/arena"
)

type said struct{ code, text, advice string }

// confinedTexts is what is said of the bits of Proc.Confined.
var confinedTexts = []struct {
	bit uint32
	said
}{
	{arena.ConfQuiet, said{"confined", "a process runs under a system call filter that it set up: seam makes no system call in it any more",
		"calls are recorded; strings outside of the heap, the stack and loaded objects are not, messages of libraries neither, and programs it starts are not watched"}},
	{arena.ConfNoTSC, said{"confined-clock", "a process forbade itself the time stamp counter", "times in it are of a slower clock, a few milliseconds coarse under a system call filter"}},
	{arena.ConfThreads, said{"agent-ended", "a process confined itself, so its agent was ended: it would have stood outside", ""}},
	{arena.ConfStayed, said{"agent-outside", "a process confined itself, and its agent could not be ended in time: the agent's threads stand outside", "start it with --start never"}},
}

// noAgent is what is said of a process whose agent did not start, by SEAM_WHY_*.
var noAgent = map[uint32]said{
	1: {"no-agent", "the agent did not start: the Go runtime in the library is not as expected", "please report this"},
	2: {"no-agent", "the agent did not start: the limit on address space (RLIMIT_AS) is below 4 GiB", "raise the limit (ulimit -v); calls are recorded, messages of libraries are not"},
	3: {"no-agent", "the agent did not start: the process was made by a bare system call", "calls are recorded, messages of libraries are not"},
	4: {"no-agent", "the agent did not start: no thread could be had", "raise the limit on processes (ulimit -u); calls are recorded, messages of libraries are not"},
	5: {"no-agent", "the agent did not start: it could not have descriptors of its own", "calls are recorded, messages of libraries are not"},
	6: {"no-agent", "the agent did not start: no memory", "calls are recorded, messages of libraries are not"},
	7: {"no-agent", "the agent did not start in time", "calls are recorded, messages of libraries may be missing"},
}

// mark is what is to be set in the arena when what was appended is sent.
type mark struct {
	word *uint32
	bits uint32
}

// tellProcs appends what there is to say of processes that confined themselves
// or whose agent did not start. What was sent is marked in the arena: it is said
// once, whoever drains.
func (d *Drainer) tellProcs(b []byte, at int64) []byte {
	ps := d.a.Procs()
	for i := range ps {
		p := &ps[i]
		if st := atomic.LoadUint32(&p.State); st != arena.ProcLive && st != arena.ProcDead {
			continue
		}
		was, now := atomic.LoadUint32(&p.Confined), uint32(0)
		for _, t := range confinedTexts {
			if was&t.bit != 0 && was&(t.bit*arena.ConfTold) == 0 {
				now |= t.bit * arena.ConfTold
				b = wire.AppendError(b, at, t.code, t.text, t.advice, 1)
			}
		}
		s, ok := noAgent[atomic.LoadUint32(&p.GoReason)]
		if ok && atomic.LoadUint32(&p.GoState) == arena.GoFailed && was&arena.ConfNoAgent == 0 {
			now |= arena.ConfNoAgent
			b = wire.AppendError(b, at, s.code, s.text, s.advice, 1)
		}
		if now != 0 {
			d.said = append(d.said, mark{&p.Confined, now})
		}
	}
	return b
}
