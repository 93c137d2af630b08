package collector

import (
	"sync"
	"testing"
)

// However many jobs are under way, each is begun at once; a goroutine that is
// done takes another.
func TestCrew(t *testing.T) {
	c := make(crew)
	const n = 100
	var all sync.WaitGroup
	for range 3 {
		var begun sync.WaitGroup
		begun.Add(n)
		all.Add(n)
		for range n {
			c.do(func() {
				defer all.Done()
				begun.Done()
				begun.Wait() // for all the others: none waits for a free goroutine
			})
		}
		all.Wait()
	}
}
