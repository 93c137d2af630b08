package laws

import "testing"

// An allocator with a lock and no handler of forks is right in a program with one
// thread. With the agent in it, a fork at the wrong moment left the child waiting
// for ever: AddressSanitizer's is such a one.
func TestAllocatorWithoutForks(t *testing.T) {
	exe := program(t, "ownmalloc.c", "-fno-builtin")
	for _, start := range starts {
		t.Run(start, func(t *testing.T) {
			same(t, []string{"--start", start}, exe, "300").exact(t)
		})
	}
}

// A fork that was refused has no child to wait for, and leaves errno as the
// kernel's refusal did; one that was not leaves errno alone.
func TestRefusedFork(t *testing.T) {
	exe := program(t, "failedfork.c")
	rep := same(t, nil, exe)
	rep.exact(t)
	if rep.Account.Incomplete != 0 {
		t.Errorf("%d queues are taken for incomplete: a child that never was is waited for", rep.Account.Incomplete)
	}
}
