package agent

import (
	"os"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/preload/core"
	"github.com/seam-project/seam/preload/plan"
	"github.com/seam-project/seam/wire/arena"
)

// Run is the agent's life; preload/core/gostart.c sets the bounds of its memory and threads. It returns when there is nothing to do in this
// process.
func Run() {
	defer stopOnPanic()
	planMissing()
	core.Ready()

	mem, size := core.WaitArena()
	a, err := arena.FromMemory(mem, size)
	if err != nil {
		return // the header is our own: only a bug gets here, and then nothing is safe to read
	}
	go answer(a)
	serveCallbacks(a)
	go planOnRequest()
	go followNewest()
	core.WaitOwner()
	deliver(a)
}

// stopOnPanic ends a goroutine that panicked, with the agent: what it was
// doing is half done, so the arena goes back to whoever drains next.
func stopOnPanic() {
	if r := recover(); r != nil {
		core.Park()
	}
}

// planOnRequest plans for libraries that are loaded while the agent runs.
func planOnRequest() {
	defer stopOnPanic()
	for seen := uint32(0); ; {
		seen = core.PlanRequest(seen)
		planMissing()
		core.PlanDone(seen)
	}
}

// planMissing plans the objects for which the cache had no plan. The program
// waits for it, in its constructor or in dlopen.
func planMissing() {
	if _, _, any := core.Missing(0); !any {
		return
	}
	path, live := core.MissingSpec()
	text, err := os.ReadFile(path)
	if err != nil {
		return
	}
	spec, err := hooks.ParseSpec(text)
	if err != nil {
		return
	}
	// each answer removes an object from the list, unless it was no good: then skip it
	for skip := 0; ; {
		path, handle, ok := core.Missing(skip)
		if !ok {
			return
		}
		p, _, err := plan.Once(path, spec, live)
		if err != nil {
			skip++
			continue
		}
		core.PutPlan(handle, p.Encode())
		if next, _, _ := core.Missing(skip); next == path {
			skip++
		}
	}
}
