package drain

import (
	"math/bits"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/wire/arena"
)

// clock turns ticks into epoch nanoseconds by a straight line through an anchor.
// From time to time it is anchored anew where the old line is, so that time never
// jumps, with a slope that meets the truth at about the next time.
type clock struct {
	read func() (ticks, mono uint64)

	ticks0, mono0, real0 uint64 // of the arena: the truth starts here

	anchor   uint64 // ticks
	anchorNS int64  // epoch
	slope    uint64 // ns per tick, 32.32, of the line
	rate     uint64 // ns per tick, 32.32, as measured: for durations
	next     uint64 // mono ns of the next calibration
	elapsed  uint64 // mono ns from arena start at the last one
	fixed    bool   // the unit is the nanosecond
}

const one = 1 << 32

// plausible slopes: 100 MHz to 20 GHz.
const (
	minRate = one / 20
	maxRate = one * 10
)

func newClock(a *arena.Arena, read func() (ticks, mono uint64)) *clock {
	c := &clock{read: read, ticks0: a.TSC0, mono0: a.Mono0, real0: a.Real0, slope: one, rate: one}
	c.anchor, c.anchorNS = a.TSC0, int64(a.Real0)
	if a.Clock == arena.ClockMono {
		c.anchor, c.fixed = a.Mono0, true
		return c
	}
	if c.read == nil {
		c.read = readClocks
	}
	c.calibrate()
	return c
}

// readClocks reads the tick counter and CLOCK_MONOTONIC as close together as
// three tries get them.
func readClocks() (ticks, mono uint64) {
	best := ^uint64(0)
	for range 3 {
		var ts unix.Timespec
		t0 := rdtsc()
		unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
		t1 := rdtsc()
		if d := t1 - t0; d < best {
			best, ticks, mono = d, t0+d/2, uint64(ts.Nano())
		}
	}
	return ticks, mono
}

// tick recalibrates when it is time.
func (c *clock) tick() {
	if c.fixed {
		return
	}
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	if uint64(ts.Nano()) >= c.next {
		c.calibrate()
	}
}

func (c *clock) calibrate() {
	t, m := c.read()
	if t <= c.ticks0 || m <= c.mono0 {
		c.next = m + 1e6
		return
	}
	dt, dm := t-c.ticks0, m-c.mono0
	rate := div32(dm, dt)
	if rate < minRate || rate > maxRate {
		c.next = m + 1e9
		return
	}
	truth := int64(c.real0 + dm)
	wait := min(max(dm, 1e6), 10e9)
	if c.elapsed == 0 {
		// The first line goes through the origin and now.
		c.anchor, c.anchorNS, c.slope = t, truth, rate
	} else {
		at := c.ns(t)
		// Make up for the difference until next time, by one part in 1000 at most.
		slew := min(max((truth-at)*1000/int64(wait), -1), 1)
		c.anchor, c.anchorNS = t, at
		c.slope = rate
		if diff := truth - at; slew == 0 && diff != 0 {
			c.slope += uint64(diff * int64(rate>>16) / int64(wait>>16))
		} else {
			c.slope += uint64(slew * int64(rate/1000))
		}
	}
	c.rate, c.elapsed = rate, dm
	c.next = m + wait
}

// div32 is a/b as 32.32 fixed point, saturating.
func div32(a, b uint64) uint64 {
	hi, lo := a>>32, a<<32
	if hi >= b {
		return ^uint64(0)
	}
	q, _ := bits.Div64(hi, lo, b)
	return q
}

func scale(d, rate uint64) uint64 {
	hi, lo := bits.Mul64(d, rate)
	return hi<<32 | lo>>32
}

// ns is the epoch time of a tick.
func (c *clock) ns(ticks uint64) int64 {
	if d := int64(ticks - c.anchor); d < 0 {
		return c.anchorNS - int64(scale(uint64(-d), c.slope))
	} else {
		return c.anchorNS + int64(scale(uint64(d), c.slope))
	}
}

// dur is the length of a span; spans that end before they start, as between
// processors whose counters differ, are 0.
func (c *clock) dur(from, to uint64) int64 {
	d := to - from
	if int64(d) < 0 {
		return 0
	}
	return int64(scale(d, c.rate))
}

// span is a number of ticks, ns.
func (c *clock) span(ticks uint64) int64 {
	return int64(min(scale(ticks, c.rate), 1<<63-1))
}

// now is the present tick.
func (c *clock) now() uint64 {
	if c.read != nil {
		t, _ := c.read()
		return t
	}
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return uint64(ts.Nano())
}
