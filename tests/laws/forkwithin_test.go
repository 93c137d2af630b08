package laws

import "testing"

// A call that returns in another process than it was made in, by each instrument.
func TestForkWithinCall(t *testing.T) {
	exe := program(t, "forkwithin.c", "-rdynamic")
	for _, instrument := range []string{"hist", "count", "log"} {
		t.Run(instrument, func(t *testing.T) {
			rep := same(t, with(p(exe+":*@"+instrument, "libc:fork"), "--start", "never"), exe, "60")
			rep.exact(t)
			if calls, _ := rep.function("work"); calls != 60*4 {
				t.Errorf("%d calls of work, of %d", calls, 60*4)
			}
		})
	}
}
