//go:build seamtest

package agent

import (
	"os"
	"sync"
	"time"

	"github.com/seam-project/seam/preload/core"
)

// This file is in no release: tests/laws builds the library with it, to see
// that an agent that dies does so alone. The file that SEAM_TEST_CRASH names in
// the host's environment says how; it is removed when it was read.
func init() { go crash() }

func crash() {
	environ, err := os.ReadFile("/proc/self/environ")
	if err != nil {
		return
	}
	how := ""
	for len(environ) > 0 {
		n := 0
		for n < len(environ) && environ[n] != 0 {
			n++
		}
		const key = "SEAM_TEST_CRASH="
		if line := string(environ[:n]); len(line) > len(key) && line[:len(key)] == key {
			path := line[len(key):]
			b, err := os.ReadFile(path)
			if err != nil {
				return
			}
			how = string(b)
			os.Remove(path)
		}
		environ = environ[min(n+1, len(environ)):]
	}
	time.Sleep(2 * time.Millisecond) // let it have begun its work
	switch how {
	case "panic":
		panic("on purpose")
	case "map":
		m := make(map[int]int)
		for range 4 {
			go func() {
				for i := 0; ; i++ {
					m[i%100] = i
				}
			}()
		}
	case "unlock":
		new(sync.Mutex).Unlock()
	case "exit":
		os.Exit(3)
	case "stack":
		recurse(1)
	case "nilmap":
		var m map[string]int
		m[how] = 1
	case "park":
		core.Park()
	case "deadlock":
		var mu sync.Mutex
		mu.Lock()
		mu.Lock()
	}
}

//go:noinline
func recurse(n int) int {
	var pad [1 << 12]byte
	pad[n%len(pad)] = 1
	return recurse(n+1) + int(pad[(n+1)%len(pad)])
}
