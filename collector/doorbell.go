package collector

import (
	"time"

	"github.com/seam-project/seam/wire/arena"
)

// Arenas that are drained while their processes live. Nobody sends anything then: the
// processes' threads fill chunks, and ring a doorbell in the arena's memory when many are full.

const (
	// worthFull is how many full chunks are worth a pass, an eighth of the default buffer: each pass costs
	// a wake-up, and takes the processor from somebody.
	worthFull = 256

	regularly  = 200 * time.Millisecond // passes when nothing rings
	regularly1 = 20 * time.Millisecond  // where somebody looks at each event
	rarely     = time.Second            // after some passes without a call
	idleFrom   = 5
	fruitless  = tick * time.Millisecond
)

// worth is how many full chunks of an arena are worth a pass.
func (h *held) worth() int { return min(worthFull, max(h.a.NumChunks()/8, 1)) }

// due tells whether a claimed arena of a living process should be drained now; k.mu is held.
func (h *held) due(now time.Time) bool {
	if h.a.Urgent(h.worth()) {
		return now.After(h.notBefore)
	}
	return now.Sub(h.passed) >= h.every()
}

// every is how often an arena is drained when nothing rings.
func (h *held) every() time.Duration {
	switch {
	case h.k.c.obs != nil:
		return regularly1
	case h.idle >= idleFrom:
		return rarely
	}
	return regularly
}

// pause is how long the keeper may sleep when nothing happens, ms; k.mu is held.
func (k *keeper) pause() int {
	if len(k.arenas) == 0 {
		return -1
	}
	wait := rarely
	for _, h := range k.arenas {
		if !h.claimed || h.mainDead {
			return tick
		}
		wait = min(wait, h.every())
	}
	return int(wait / time.Millisecond)
}

// passing notes the result of a pass; k.mu is held.
func (h *held) passing(calls uint64) {
	h.passed, h.notBefore = time.Now(), time.Time{}
	if calls > 0 {
		h.idle = 0
		return
	}
	if h.idle < idleFrom {
		h.idle++
	}
	if h.a.Urgent(h.worth()) { // nobody's word is believed twice
		h.notBefore = h.passed.Add(fruitless)
	}
}

// listen waits for the doorbells of claimed arenas, and has the keeper look when one rings.
func (k *keeper) listen() {
	defer close(k.deaf)
	var as []*arena.Arena
	for {
		seen := k.door.Seen()
		k.mu.Lock()
		graves, over := k.graves, k.ending
		k.graves = nil
		as = as[:0]
		now := time.Now()
		full, within := worthFull, time.Minute // whatever changes rings
		for _, h := range k.arenas {
			if now.Before(h.notBefore) {
				within = fruitless
			} else if h.claimed && !h.busy {
				as = append(as, h.a)
				full = min(full, h.worth())
			}
		}
		k.mu.Unlock()
		for _, h := range graves {
			h.release()
		}
		if over {
			return
		}
		k.door.Wait(as, full, seen, within)
		for _, a := range as {
			if a.Urgent(full) {
				// until a pass has begun, or the keeper thought otherwise
				seen = k.door.Seen()
				k.wake()
				k.door.Wait(nil, 0, seen, fruitless/5)
				break
			}
		}
	}
}
