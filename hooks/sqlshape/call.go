package sqlshape

import "github.com/seam-project/seam/hooks"

// Op is what a function does to the state.
type Op uint8

const (
	OpNone Op = iota // not a function that matters here
	OpOpen
	OpClose
	OpPrepare
	OpStep
	OpReset
	OpFinalize
	OpExec
	OpTable
)

// OpOf is the Op of a function; resolve it once per probe.
func OpOf(function string) Op {
	switch function {
	case "sqlite3_open", "sqlite3_open_v2", "sqlite3_open16":
		return OpOpen
	case "sqlite3_close", "sqlite3_close_v2":
		return OpClose
	case "sqlite3_prepare", "sqlite3_prepare_v2", "sqlite3_prepare_v3",
		"sqlite3_prepare16", "sqlite3_prepare16_v2", "sqlite3_prepare16_v3":
		return OpPrepare
	case "sqlite3_step":
		return OpStep
	case "sqlite3_reset":
		return OpReset
	case "sqlite3_finalize":
		return OpFinalize
	case "sqlite3_exec":
		return OpExec
	case "sqlite3_get_table":
		return OpTable
	}
	return OpNone
}

// textArg is the argument that holds the text: SQL, or the file of an open.
func (o Op) textArg() int {
	switch o {
	case OpOpen:
		return 0
	case OpPrepare, OpExec, OpTable:
		return 1
	}
	return -1
}

// outArg is the argument behind which the call stores a handle.
func (o Op) outArg(nargs int) int {
	switch {
	case o == OpOpen:
		return 1
	case o == OpPrepare && nargs == 6: // prepare_v3 has its flags before it
		return 4
	case o == OpPrepare:
		return 3
	}
	return -1
}

// Call is one call of a function, as far as it matters here. Byte slices are
// copied when they are kept.
type Call struct {
	Op       Op
	PID      uint32
	Thread   uint32 // any number that is the same for all calls of a thread
	Seq      uint32 // the thread's call number
	Handle   uint64 // first argument: sqlite3 * or sqlite3_stmt *
	Out      uint64 // the handle that open or prepare stored
	Text     []byte // normalised SQL, or the file name of an open; nil unknown
	Cut      bool   // Text is not the whole text
	Internal bool   // made inside another call of the library that is not exec or get_table
	Inside   bool   // made inside an exec or get_table that was not given to Enter
	RC       int32
	Start    int64 // ns, any clock that all calls share
	End      int64
	Msg      []byte // the library's message for a failed call
}

// encloses reports whether what a call of this kind calls of the library is the
// library's own doing.
func (o Op) encloses() bool { return o != OpNone && !o.Executes() }

// Executes reports whether the function runs statements of the program by
// calling the others.
func (o Op) Executes() bool { return o == OpExec || o == OpTable }

// FromRecord fills in a call from what dec decoded last (AppendCall,
// AppendEnter or AppendLeave) and its words; the rest is the caller's.
func (c *Call) FromRecord(dec *hooks.Decoder, words []uint64, ret uint64) {
	c.Handle, c.Out, c.Text, c.Cut = 0, 0, nil, false
	if len(words) > 0 && c.Op != OpOpen {
		c.Handle = words[0]
	}
	if i := c.Op.textArg(); i >= 0 {
		if text, cut, ok := dec.Text(i, words); ok {
			c.Text, c.Cut = text, cut
		}
	}
	if i := c.Op.outArg(len(dec.Hook().Args)); i >= 0 {
		c.Out = dec.OutPointer(i)
	}
	c.RC = int32(ret)
	c.Msg, _ = dec.Reply()
}

// failed reports whether the result code is one of an error.
func failed(rc int32) bool { return rc != rcOK && rc != rcRow && rc != rcDone }

const (
	rcOK   = 0
	rcRow  = 100
	rcDone = 101
)
