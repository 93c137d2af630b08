package laws

import "testing"

// A program that is linked at a fixed address and takes the address of malloc is no
// allocator: an agent may start at its calls.
func TestAgentOfAProgramThatTakesMalloc(t *testing.T) {
	exe := program(t, "takesmalloc.c", "-no-pie", "-fno-pie")
	res, rep := watched(t, with(p("libc:getppid"), "-q", "--start", "first"), exe)
	if res.Stdout != "with an agent\n" || res.Code != 0 {
		t.Errorf("%v", res)
	}
	rep.exact(t)
}
