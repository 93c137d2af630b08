package arena

import (
	"testing"
	"time"
)

// A Ring ends a Wait that has begun, and one that comes after it.
func TestRingEndsWait(t *testing.T) {
	const far = 20 * time.Second
	var b Doorbell
	for i := range 20 {
		seen := b.Seen()
		done := make(chan time.Duration)
		go func() {
			t0 := time.Now()
			b.Wait(nil, 1, seen, far)
			done <- time.Since(t0)
		}()
		time.Sleep(time.Duration(i) * time.Millisecond)
		b.Ring()
		if d := <-done; d > far/2 {
			t.Fatalf("round %d: it ended after %v, by itself", i, d)
		}
	}
}
