package report

import "testing"

func TestHistBuckets(t *testing.T) {
	last := -1
	for _, v := range []uint64{0, 1, 7, 8, 9, 15, 16, 17, 18, 31, 32, 1000, 1 << 20, 1<<40 + 12345, 1<<62 - 1, 1 << 62, 1<<63 - 1} {
		i := histIndex(v)
		if i < last || i >= histBuckets {
			t.Fatalf("index of %d is %d, after %d, of %d", v, i, last, histBuckets)
		}
		last = i
		if low := histLow(i); low > v || i+1 < histBuckets && histLow(i+1) <= v {
			t.Errorf("%d is in bucket %d, which begins at %d", v, i, low)
		}
	}
}

func TestQuantiles(t *testing.T) {
	var h Hist
	if h.Quantile(0.5, 0) != 0 {
		t.Error("a quantile of nothing")
	}
	h.Add(-5, 1)
	if got := h.Quantile(0.5, 0); got != 0 {
		t.Errorf("of a negative duration: %d, want 0", got)
	}
	h = Hist{}
	for v := int64(1); v <= 100_000; v++ {
		h.Add(v, 1)
	}
	for _, tt := range []struct {
		q    float64
		want int64
	}{{0.01, 1000}, {0.5, 50_000}, {0.99, 99_000}, {1, 100_000}} {
		if got := h.Quantile(tt.q, 100_000); got < tt.want*98/100 || got > tt.want*102/100 {
			t.Errorf("quantile %v is %d, want %d within 2 %%", tt.q, got, tt.want)
		}
	}
}
