// Package callbacks is how Go functions of yours are run for calls of C functions
// in a program that seam watches.
//
// A package registers them in its init functions:
//
//	func init() {
//		callbacks.Register("libsqlite3:sqlite3_step", callbacks.Failing, tell)
//	}
//
// `seam build --with ./thatpackage -o seam-mine` makes a seam that has them: its
// launcher knows which functions are to be patched, and the library it loads into
// programs runs the callbacks. See docs/callbacks.md.
//
// A callback runs on a thread of seam's in the target, while the thread that made
// the call waits for it, up to its deadline. It has file descriptors of its own,
// and its standard streams are /dev/null: it speaks by Call.Note and by its error.
package callbacks

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"time"
)

// Position says when a callback runs.
type Position uint8

const (
	Pre     Position = 1 // before the call: it may change arguments, or refuse it
	Post    Position = 2 // after each call: it may change the result and errno
	Failing Position = 3 // as Post, after a call that failed, as the function's prototype tells
)

func (p Position) String() string {
	switch p {
	case Pre:
		return "pre"
	case Post:
		return "post"
	case Failing:
		return "failing"
	}
	return fmt.Sprintf("position %d", uint8(p))
}

// Bounds and default of the time that a call waits for a callback.
const (
	DefaultTimeout = 100 * time.Millisecond
	MinTimeout     = time.Millisecond
	MaxTimeout     = time.Minute
)

// Func is a callback. An error changes nothing about the call: it is an event in
// the stream, and counted. Call is good only until it returns.
type Func func(*Call) error

// Callback is one that was registered.
type Callback struct {
	target   string
	position Position
	fn       Func
	timeout  time.Duration
	number   int
}

// Option is an option of Register.
type Option func(*Callback)

// Timeout is how long a call waits for the callback before it goes on without it.
func Timeout(d time.Duration) Option { return func(c *Callback) { c.timeout = d } }

var registered []*Callback

// Register asks for fn to be run for calls of the functions that target names:
// [LIB:]FUNCTION or [LIB:]PACK, as for a rule of seam, and behind a further ':' which
// calls, of which only those with conditions that hold cost more than some
// nanoseconds: "libc:open:path^=/data", "libc:write:fd==1,every=10". What is wrong
// with a target is told when seam starts. Only for init functions: both the launcher and the
// library in the target run them, and must come to the same list. A panic there ends either.
func Register(target string, position Position, fn Func, options ...Option) *Callback {
	c := &Callback{target: target, position: position, fn: fn, timeout: DefaultTimeout, number: len(registered)}
	for _, o := range options {
		o(c)
	}
	registered = append(registered, c)
	return c
}

// Registered are all callbacks, by their numbers.
func Registered() []*Callback { return registered }

// Off and On switch a callback off and on again, in this process and in those it has forked or was
// forked from: calls do not stop for it meanwhile. One that is in it is not interrupted. They do nothing in init
// functions, nor bring back a callback that was switched off for its errors.
func (c *Callback) Off() { c.turn(true) }
func (c *Callback) On()  { c.turn(false) }

func (c *Callback) turn(off bool) {
	if switcher != nil {
		switcher.Switch(c.number, off)
	}
}

// Switcher is who switches callbacks off and on: the agent.
type Switcher interface{ Switch(number int, off bool) }

var switcher Switcher

// Attach says who it is, before any callback runs.
func Attach(s Switcher) { switcher = s }

// Target, Position, Deadline and Number are what Register was given, and in which place.
func (c *Callback) Target() string          { return c.target }
func (c *Callback) Position() Position      { return c.position }
func (c *Callback) Deadline() time.Duration { return c.timeout }
func (c *Callback) Number() int             { return c.number }

// Name is that of the Go function.
func (c *Callback) Name() string {
	if c.fn == nil {
		return "nil"
	}
	f := runtime.FuncForPC(reflect.ValueOf(c.fn).Pointer())
	if f == nil {
		return "?"
	}
	name := f.Name()
	return name[strings.LastIndexByte(name, '/')+1:]
}

// Check says what is wrong with what Register was given, but for its target.
func (c *Callback) Check() error {
	switch {
	case c.fn == nil:
		return fmt.Errorf("no function")
	case c.position < Pre || c.position > Failing:
		return fmt.Errorf("unknown %s", c.position)
	case c.timeout < MinTimeout || c.timeout > MaxTimeout:
		return fmt.Errorf("a deadline of %s: it is from %s to %s", c.timeout, MinTimeout, MaxTimeout)
	}
	return nil
}
