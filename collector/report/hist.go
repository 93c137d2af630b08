package report

import "math/bits"

// A Hist counts durations (nanoseconds) in log-linear buckets: values below 8
// have their own bucket, above that each power of two has 8. Interpolation
// inside the bucket keeps quantiles within a few per cent.
type Hist struct {
	n [histBuckets]uint64
}

const (
	histSub     = 8 // buckets per power of two
	histSubBits = 3
	histBuckets = (63-histSubBits)*histSub + histSub
)

func histIndex(v uint64) int {
	if v < histSub {
		return int(v)
	}
	e := uint(bits.Len64(v)) - 1
	return int(e-histSubBits+1)*histSub + int(v>>(e-histSubBits)&(histSub-1))
}

// histLow returns the smallest value of bucket i.
func histLow(i int) uint64 {
	if i < histSub {
		return uint64(i)
	}
	e := uint(i/histSub) + histSubBits - 1
	return 1<<e | uint64(i%histSub)<<(e-histSubBits)
}

// Add counts n durations of v nanoseconds; negative ones count as 0.
func (h *Hist) Add(v int64, n uint64) {
	if v < 0 {
		v = 0
	}
	h.n[histIndex(uint64(v))] += n
}

// Merge adds the counts of o.
func (h *Hist) Merge(o *Hist) {
	for i, n := range o.n {
		h.n[i] += n
	}
}

// Quantile returns the value below which the share q (0..1) of the durations
// lies, in nanoseconds, never above max. It is 0 when there are none.
func (h *Hist) Quantile(q float64, max int64) int64 {
	var total uint64
	for _, n := range h.n {
		total += n
	}
	if total == 0 {
		return 0
	}
	if total == 1 {
		return max
	}
	want := q * float64(total)
	var before float64
	for i, n := range h.n {
		if n == 0 {
			continue
		}
		if before+float64(n) >= want {
			low := float64(histLow(i))
			width := 1.0
			if i+1 < histBuckets {
				width = float64(histLow(i+1)) - low
			}
			if width <= 1 {
				return min(int64(low), max)
			}
			return min(int64(low+width*(want-before)/float64(n)), max)
		}
		before += float64(n)
	}
	return max
}
