// A Go shared library for programs in C and Python.
package main

import "C"

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// plugin_work uses what a runtime has: goroutines, timers, memory, processes, panics.
//
//export plugin_work
func plugin_work(n C.int) C.int {
	var mu sync.Mutex
	var wg sync.WaitGroup
	sum := 0
	for i := range int(n) {
		wg.Go(func() {
			time.Sleep(time.Millisecond)
			b := make([]byte, 1<<16)
			if _, err := os.ReadFile("/etc/passwd"); err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			sum += i + len(b)>>16
		})
	}
	wg.Wait()
	runtime.GC()
	func() {
		defer func() { recover() }()
		var p *int
		*p = 1
	}()
	out, err := exec.Command("/bin/echo", "from the plugin's child").Output()
	fmt.Fprint(os.Stdout, string(out))
	if err != nil {
		return -1
	}
	return C.int(sum)
}

func main() {}
