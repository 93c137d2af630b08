package callbacks

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/seam-project/seam/hooks"
)

// Target is what the agent does for a callback in the program.
type Target interface {
	Symbol(name string) uintptr       // of the library of the call, 0 when it has none
	Bind(fptr any, fn uintptr)        // as purego.RegisterFunc
	Peek(addr uintptr, to []byte) int // bytes that could be read
	Note(text string)                 // onto the stream
	Syscall(fn uintptr, args ...uintptr) uintptr
}

// Call is one call of a hooked function.
type Call struct {
	target   Target
	position Position
	hook     *hooks.Hook
	library  string
	words    []uint64
	ret      uint64
	errno    syscall.Errno
	failed   bool
	pid, tid int
	Changes  Changes // what the callback wants; read by the agent
}

// Changes is what is to become of a call.
type Changes struct {
	Refuse, SetRet, SetErrno bool
	Ret                      uint64
	Errno                    syscall.Errno
	Words                    uint32 // those that are to be replaced, a bit each
	Word                     [12]uint64
	Misuse                   error // the first thing it asked for that can't be
}

// Made is what the agent knows of a call.
type Made struct {
	Hook     *hooks.Hook
	Library  string
	Words    []uint64
	Ret      uint64
	Errno    syscall.Errno
	Failed   bool
	PID, TID int
}

// Run runs the callback for a call, and returns what came of it. A panic is the
// agent's to recover.
func (c *Callback) Run(t Target, m *Made) (Changes, error) {
	call := Call{target: t, position: c.position, hook: m.Hook, library: m.Library, words: m.Words, ret: m.Ret, errno: m.Errno,
		failed: m.Failed, pid: m.PID, tid: m.TID}
	err := c.fn(&call)
	return call.Changes, err
}

// Function and Library are whose call it is: "open", "libc".
func (c *Call) Function() string { return c.hook.Name }
func (c *Call) Library() string  { return c.library }

// Position is when the callback runs.
func (c *Call) Position() Position { return c.position }

// PID and TID are the process and the thread that made the call. The callback runs in
// the same process, on another thread.
func (c *Call) PID() int { return c.pid }
func (c *Call) TID() int { return c.tid }

// Arg is an argument as the prototype says it is.
type Arg struct {
	Name  string
	Type  hooks.Type
	Value int64 // of an integer, with its sign; of what is smaller than 8 bytes the bytes that count; of a pointer its address
	Known bool  // false: it was not captured, as a floating point number, or one of too many
}

// Args are the arguments that the prototype names, in their order; without a prototype there are none.
func (c *Call) Args() []Arg {
	args := make([]Arg, len(c.hook.Args))
	for i := range args {
		a := &c.hook.Args[i]
		v, ok := c.value(a)
		args[i] = Arg{Name: a.Name, Type: a.Type, Value: v, Known: ok}
	}
	return args
}

// Words are the raw words of the call: those in registers first.
func (c *Call) Words() []uint64 { return c.words }

// arg finds an argument by its name or number, as conditions of rules do.
func (c *Call) arg(name string) *hooks.Arg { return c.hook.Named(name) }

func (c *Call) value(a *hooks.Arg) (int64, bool) {
	if a == nil || a.Word < 0 || int(a.Word) >= len(c.words) {
		return 0, false
	}
	return sized(c.words[a.Word], a), true
}

// sized is what a word means for an argument or a result: a register's upper bytes are
// anybody's.
func sized(w uint64, a *hooks.Arg) int64 {
	switch a.Type {
	case hooks.TFD, hooks.TPid, hooks.TErrno:
		return int64(int32(w))
	case hooks.TInt, hooks.TEnum:
		switch a.Size {
		case 1:
			return int64(int8(w))
		case 2:
			return int64(int16(w))
		case 4:
			return int64(int32(w))
		}
	case hooks.TUint, hooks.TFlags, hooks.TMode:
		switch a.Size {
		case 1:
			return int64(uint8(w))
		case 2:
			return int64(uint16(w))
		case 4:
			return int64(uint32(w))
		}
	}
	return int64(w)
}

// Int is the integer argument of that name, 0 when there is none that was captured.
func (c *Call) Int(name string) int64 {
	v, _ := c.value(c.arg(name))
	return v
}

// Pointer is the address in the argument of that name, 0 when there is none.
func (c *Call) Pointer(name string) uintptr { return uintptr(c.Int(name)) }

// maxText bounds what Text reads.
const maxText = 64 << 10

// Text is the C string that the argument of that name points at: as much of it as can be
// read, at most 64 KiB.
func (c *Call) Text(name string) string { return c.TextAt(c.Pointer(name)) }

// TextAt is the C string at an address of the target, or as much of it as can be read.
func (c *Call) TextAt(addr uintptr) string {
	var text []byte
	for addr != 0 && len(text) < maxText {
		var b [256]byte
		n := c.target.Peek(addr, b[:])
		for i, ch := range b[:n] {
			if ch == 0 {
				return string(append(text, b[:i]...))
			}
		}
		text = append(text, b[:n]...)
		if n < len(b) {
			break
		}
		addr += uintptr(n)
	}
	return string(text)
}

// Peek reads memory of the target and returns how many bytes there were to read: it can't fault.
func (c *Call) Peek(addr uintptr, to []byte) int {
	if len(to) == 0 {
		return 0
	}
	return c.target.Peek(addr, to)
}

// Ret is the result, for Post and Failing.
func (c *Call) Ret() int64 {
	if c.position == Pre {
		return 0
	}
	return sized(c.ret, &c.hook.Ret)
}

// Errno is errno as the call left it. It means something if the call failed and tells so by errno.
func (c *Call) Errno() syscall.Errno {
	if c.position == Pre {
		return 0
	}
	return c.errno
}

// Failed tells whether the result says that the call failed.
func (c *Call) Failed() bool { return c.failed }

func (c *Call) misuse(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if c.Changes.Misuse == nil {
		c.Changes.Misuse = err
	}
	return err
}

// SetInt changes an integer argument that was captured, before the call. Of a call that makes or
// waits for processes, or changes mappings or what the process may do, arguments stay as they are.
func (c *Call) SetInt(name string, v int64) error {
	a := c.arg(name)
	switch {
	case c.position != Pre:
		return c.misuse("SetInt: the call was made already")
	case a == nil:
		return c.misuse("SetInt: %s has no argument %q", c.hook.Name, name)
	case a.Word < 0 || int(a.Word) >= len(c.words):
		return c.misuse("SetInt: %s of %s was not captured", name, c.hook.Name)
	}
	switch a.Type {
	case hooks.TInt, hooks.TUint, hooks.TFD, hooks.TFlags, hooks.TEnum, hooks.TPid, hooks.TMode, hooks.TErrno:
	default:
		return c.misuse("SetInt: %s of %s is not an integer", name, c.hook.Name)
	}
	c.Changes.Words |= 1 << a.Word
	c.Changes.Word[a.Word] = uint64(v)
	return nil
}

// Refuse keeps the call from being made: its result is ret, and errno is set unless it is 0.
func (c *Call) Refuse(ret int64, errno syscall.Errno) error {
	if c.position != Pre {
		return c.misuse("Refuse: the call was made already")
	}
	if !hooks.MayRefuse(c.hook) {
		return c.misuse("Refuse: %s does not return to its caller, or returns a floating point number", c.hook.Name)
	}
	ch := &c.Changes
	ch.Refuse, ch.Ret, ch.SetErrno, ch.Errno = true, uint64(ret), errno != 0, errno
	return nil
}

// SetRet changes the result, after the call.
func (c *Call) SetRet(v int64) error {
	switch {
	case c.position == Pre:
		return c.misuse("SetRet: the call was not made yet; Refuse keeps it from being made")
	case c.hook.Ret.Type == hooks.TFloat || c.hook.Ret.Type == hooks.TVoid:
		return c.misuse("SetRet: the result of %s is not an integer or a pointer", c.hook.Name)
	}
	c.Changes.SetRet, c.Changes.Ret = true, uint64(v)
	return nil
}

// SetErrno changes errno, after the call.
func (c *Call) SetErrno(e syscall.Errno) error {
	if c.position == Pre {
		return c.misuse("SetErrno: the call was not made yet; Refuse has an errno")
	}
	c.Changes.SetErrno, c.Changes.Errno = true, e
	return nil
}

// ErrNoSymbol: the library does not export such a function.
var ErrNoSymbol = errors.New("no such function")

// Func makes *fptr a Go function that calls one of the library whose function this is:
// as purego.RegisterFunc does.
//
//	var errmsg func(db uintptr) string
//	if err := c.Func("sqlite3_errmsg", &errmsg); err != nil { … }
//
// The thread that made the call waits meanwhile, and may hold a lock that the function
// takes: then it waits, too, until the deadline. It may be kept for later calls if the library
// stays loaded.
func (c *Call) Func(name string, fptr any) error {
	at := c.target.Symbol(name)
	if at == 0 {
		return fmt.Errorf("%w in %s: %s", ErrNoSymbol, c.library, name)
	}
	c.target.Bind(fptr, at)
	return nil
}

// Symbol is the address of a function that the library exports, 0 when there is none; Invoke
// calls one with integers and pointers, cheaper than Func.
func (c *Call) Symbol(name string) uintptr { return c.target.Symbol(name) }

func (c *Call) Invoke(fn uintptr, args ...uintptr) uintptr { return c.target.Syscall(fn, args...) }

// Note leaves a text, of at most 224 bytes, in the stream: an event "callback-note". When many are left at
// once the oldest of them are lost.
func (c *Call) Note(format string, args ...any) { c.target.Note(fmt.Sprintf(format, args...)) }
