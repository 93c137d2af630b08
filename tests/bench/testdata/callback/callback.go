// Package callback is the callback that tests/bench measures.
package callback

import (
	"time"

	"github.com/seam-project/seam/hooks/callbacks"
)

func init() {
	callbacks.Register("libtrip.so:work_trip", callbacks.Post, func(c *callbacks.Call) error { return c.SetRet(c.Ret() + 1) },
		callbacks.Timeout(10*time.Second))
}
