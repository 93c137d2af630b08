// Package hooks has the callbacks of the tests: well-behaved ones and others.
package hooks

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/seam-project/seam/hooks/callbacks"
)

func init() {
	long := callbacks.Timeout(20 * time.Second) // a busy machine is no reason to go on without one that answers
	pre := func(name string, f callbacks.Func) {
		callbacks.Register("libcb.so:cb_"+name, callbacks.Pre, f, long)
	}
	post := func(name string, f callbacks.Func) {
		callbacks.Register("libcb.so:cb_"+name, callbacks.Post, f, long)
	}
	hangs := func(name string, f callbacks.Func) {
		callbacks.Register("libcb.so:cb_"+name, callbacks.Pre, f, callbacks.Timeout(50*time.Millisecond))
	}
	pre("change", func(c *callbacks.Call) error { return c.SetInt("v", c.Int("v")*2) })
	pre("refuse", func(c *callbacks.Call) error { return c.Refuse(-5, syscall.EPERM) })
	post("post", func(c *callbacks.Call) error { c.SetErrno(syscall.EDOM); return c.SetRet(c.Ret() + 100) })
	callbacks.Register("libcb.so:cb_fails", callbacks.Failing, fails, long)
	post("func", call)
	callbacks.Register("libcb.so:cb_text", callbacks.Pre, func(c *callbacks.Call) error {
		return c.Refuse(int64(len(c.Text("text"))), 0)
	}, long)
	pre("ping", func(c *callbacks.Call) error { return c.SetInt("v", 100) })

	pre("panic", func(c *callbacks.Call) error { panic(fmt.Sprint("no good: ", c.Int("v"))) })
	pre("nil", func(c *callbacks.Call) error { var p *int; return c.SetInt("v", int64(*p)) })
	pre("recurse", func(c *callbacks.Call) error { return c.SetInt("v", int64(deeper(1))) })
	pre("alloc", storm)
	hangs("loop", func(c *callbacks.Call) error {
		for n := 1; n != 0; n++ {
		}
		return nil
	})
	pre("self", self)
	pre("fork", func(c *callbacks.Call) error {
		if pid, _, _ := syscall.RawSyscall(syscall.SYS_FORK, 0, 0, 0); pid != 0 {
			syscall.Wait4(int(pid), nil, 0, nil)
		}
		return nil
	})
	hangs("block", func(c *callbacks.Call) error { select {} })
	post("err", func(c *callbacks.Call) error { return errors.New("as always") })
	pre("goexit", func(c *callbacks.Call) error { runtime.Goexit(); return nil })
	pre("exit", func(c *callbacks.Call) error { os.Exit(7); return nil })
	pre("misuse", func(c *callbacks.Call) error { c.SetRet(4); c.SetInt("w", 4); return nil })

	var slow *callbacks.Callback
	slow = callbacks.Register("libcb.so:cb_slow", callbacks.Post, func(c *callbacks.Call) error {
		slow.Off()
		time.Sleep(20 * time.Millisecond)
		return c.SetRet(77)
	}, long)

	many := callbacks.Register("libcb.so:cb_many", callbacks.Post, func(c *callbacks.Call) error { return c.SetRet(c.Ret() + 1000) }, long)
	callbacks.Register("libcb.so:cb_control", callbacks.Pre, func(c *callbacks.Call) error {
		if c.Int("v") != 0 {
			many.On()
		} else {
			many.Off()
		}
		return nil
	}, long)
}

func fails(c *callbacks.Call) error {
	c.Note("%s(%d) of %s: %v, failed %v", c.Function(), c.Int("v"), c.Library(), c.Errno(), c.Failed())
	c.SetErrno(syscall.EACCES)
	return c.SetRet(-2)
}

// call uses functions of the library whose call it is.
func call(c *callbacks.Call) error {
	var message func(int32) string
	if err := c.Func("cb_message", &message); err != nil {
		return err
	}
	if err := c.Func("cb_nothing_like_it", &message); !errors.Is(err, callbacks.ErrNoSymbol) {
		return fmt.Errorf("found: %v", err)
	}
	if message(7) != "seven" || message(8) != "other" {
		return errors.New(message(7))
	}
	return c.SetRet(int64(c.Invoke(c.Symbol("cb_add"), 40, 2)))
}

//go:noinline
func deeper(n int) int {
	var room [64]int
	room[n%64] = n
	return deeper(n+1) + room[(n+1)%64]
}

var kept [][]byte

func storm(c *callbacks.Call) error {
	for {
		b := make([]byte, 1<<20)
		for i := range b {
			b[i] = 1
		}
		kept = append(kept, b)
	}
}

// self calls the function it is for: the original runs, and no callback.
func self(c *callbacks.Call) error {
	if r := int32(c.Invoke(c.Symbol("cb_self"), 10)); r != 11 {
		return fmt.Errorf("cb_self(10) is %d", r)
	}
	return c.SetInt("v", 20)
}
