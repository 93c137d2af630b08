package hooks

// Op mirrors struct seam_op of preload/core/abi.h: one thing to read behind an
// argument word, at entry or at return. Its index in Ops identifies the
// payload item it makes, so the order must be a pure function of the Hook.
type Op struct {
	Op, Arg, Len, When uint8
	Cap, Unit          uint16
}

// Operations, as SEAM_OP_* of abi.h.
const (
	OpStr    = 1
	OpBuf    = 2
	OpBufP   = 3
	OpMem    = 4
	OpStrv   = 5
	OpPStr   = 6
	OpRetStr = 7
	OpBuf32  = 8
)

// When an operation runs, as SEAM_WHEN_* of abi.h.
const (
	WhenEnter = 1
	WhenLeave = 2
	WhenOK    = 4
)

// OpLenRet in Op.Len: the return value counts.
const OpLenRet = 0xff

// Limits of the record format.
const (
	MaxWords = 12 // SEAM_MAX_WORDS
	maxRegs  = 6
	maxOps   = 16
)

// Ops is the hook's capture program.
func Ops(h *Hook) []Op {
	if h.NoProto {
		return nil
	}
	var ops []Op
	for i := range h.Args {
		if op, ok := argOp(h, &h.Args[i]); ok && len(ops) < maxOps {
			ops = append(ops, op)
		}
	}
	if h.Ret.Type == TString && h.Ret.Cap > 0 && !h.Ret.Secret && len(ops) < maxOps {
		ops = append(ops, Op{Op: OpRetStr, When: WhenLeave | WhenOK, Cap: h.Ret.Cap, Unit: 1})
	}
	return ops
}

// argOp is the operation of one argument. A secret has none: its content does
// not even reach the arena.
func argOp(h *Hook, a *Arg) (Op, bool) {
	if a.Word < 0 || a.Secret {
		return Op{}, false
	}
	op := Op{Arg: uint8(a.Word), When: WhenEnter, Cap: a.Cap, Unit: 1}
	if a.Out {
		op.When = WhenLeave | WhenOK
	}
	switch a.Type {
	case TString:
		op.Op = OpStr
		if a.Ref {
			op.Op = OpPStr
			// An error text is stored by the calls that fail.
			op.When &^= WhenOK
		}
	case TSQL:
		// Read up to the NUL; the decoder cuts at the count, if there is one.
		op.Op = OpStr
		if a.Set == utf16Set {
			if !countOp(h, a, &op) {
				return Op{}, false
			}
			op.Op = OpBuf // a negative count means: up to the NUL
		}
	case TStrv:
		op.Op = OpStrv
	case TBuffer, TSockaddr:
		if !countOp(h, a, &op) {
			return Op{}, false
		}
	case TVec:
		if op.Unit = a.Unit; !countOp(h, a, &op) {
			return Op{}, false
		}
	case TStruct:
		op.Op = OpMem
	case TPtr, TInt, TUint, TFD, TFlags, TEnum, TPid, TMode, TErrno:
		if !a.Out {
			return Op{}, false
		}
		op.Op, op.Cap = OpMem, uint16(a.Size)
	default:
		return Op{}, false
	}
	return op, op.Cap > 0
}

// countOp fills in a counted read; false when its count is not captured.
func countOp(h *Hook, a *Arg, op *Op) bool {
	op.Op = OpBuf
	if a.Len == LenRet {
		op.Len = OpLenRet
		if h.Ret.Size == 4 {
			op.Op = OpBuf32
		}
		return true
	}
	if a.Len < 0 || int(a.Len) >= len(h.Args) || h.Args[a.Len].Word < 0 {
		return false
	}
	op.Len = uint8(h.Args[a.Len].Word)
	switch {
	case a.LenPtr:
		op.Op = OpBufP
	case h.Args[a.Len].Size == 4:
		// The upper half of the register may hold anything.
		op.Op = OpBuf32
	}
	return true
}

// Words says how many argument words are captured from registers and from the
// stack, and how many stack words must be copied for the original's call.
func Words(h *Hook) (nregs, nstack, ncopy int) {
	if h.NoProto {
		return maxRegs, 0, int(h.StackCopy)
	}
	top := -1
	for i := range h.Args {
		top = max(top, int(h.Args[i].Word))
	}
	nregs = min(top+1, maxRegs)
	nstack = top + 1 - nregs
	return nregs, nstack, max(nstack, int(h.StackCopy))
}

// Unknown is the hook of a function nothing is known about: its argument
// registers are recorded raw, and it is never called through a frame, because
// it may take arguments on the stack.
func Unknown(name string) *Hook {
	return &Hook{
		Name: name, NoProto: true, EntryOnly: true,
		Ret: Arg{Name: "ret", Type: TUint, Size: 8, Len: LenNone, Word: -1},
	}
}

// layout assigns words to arguments as the System V ABI does: integers and
// pointers to six registers, then to the stack in order; floating point to
// eight vector registers, which are not captured, then to the stack too.
func (h *Hook) layout() {
	ints, floats, stack := 0, 0, 0
	for i := range h.Args {
		a := &h.Args[i]
		a.Word = -1
		switch {
		case a.Type == TFloat && floats < 8:
			floats++
		case a.Type != TFloat && ints < maxRegs:
			if !a.hidden() {
				a.Word = int8(ints)
			}
			ints++
		default:
			if w := maxRegs + stack; w < MaxWords && a.Type != TFloat && !a.hidden() {
				a.Word = int8(w)
			}
			stack++
		}
	}
	h.StackCopy = max(h.StackCopy, uint8(stack))
}

// hidden reports whether the word itself is the secret, not what it points at.
func (a *Arg) hidden() bool {
	if !a.Secret || a.Out {
		return false
	}
	switch a.Type {
	case TInt, TUint, TFD, TFlags, TEnum, TPid, TMode, TErrno:
		return true
	}
	return false
}
