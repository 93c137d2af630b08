package sqlshape

import (
	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/wire"
)

// FromEvent fills in a call from an event of the stream; c.Op, PID and Thread
// are the caller's. It works for call, enter and leave events.
func (c *Call) FromEvent(e *wire.Event) {
	c.Seq, c.Start, c.End = e.Seq, e.T, e.T+max(e.Dur, 0)
	if e.Kind == wire.EvLeave {
		// The time of a leave is its own, not that of its enter.
		c.Start, c.End = e.T-max(e.Dur, 0), e.T
	}
	c.Handle, c.Out, c.Text, c.Cut = 0, 0, nil, false
	if c.Op != OpOpen {
		c.Handle = pointer(e.Args, 0)
	}
	if i := c.Op.textArg(); i >= 0 && i < len(e.Args) {
		if v := &e.Args[i]; v.Kind == wire.VStr && v.Status <= wire.ArgCut {
			c.Text, c.Cut = v.Str, v.Status == wire.ArgCut
		}
	}
	if i := c.Op.outArg(len(e.Args)); i >= 0 {
		c.Out = pointer(e.Args, i)
	}
	c.Msg = e.Msg
	c.RC = 0
	switch e.Ret.Kind {
	case wire.VStr:
		c.RC = code(e.Ret.Str)
	case wire.VInt, wire.VUint:
		c.RC = int32(e.Ret.Int)
	}
}

// code is the result code of this name. The one that nearly every call has is
// known without looking for it.
func code(name []byte) int32 {
	switch string(name) {
	case "SQLITE_OK":
		return 0
	case "SQLITE_ROW":
		return 100
	case "SQLITE_DONE":
		return 101
	}
	if v, ok := hooks.EnumValue("sqlite", string(name)); ok {
		return int32(v)
	}
	return 1
}

func pointer(args []wire.Value, i int) uint64 {
	if i >= len(args) || args[i].Status != wire.ArgOK {
		return 0
	}
	switch args[i].Kind {
	case wire.VInt, wire.VUint:
		return uint64(args[i].Int)
	}
	return 0
}
