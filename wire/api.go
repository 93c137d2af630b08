package wire

// Version is the protocol version in hello.
const Version = 1

// Message types, the first element of each value on the stream.
const (
	MsgHello = iota
	MsgProbe
	MsgBatch
	MsgCounts
	MsgAccount
	MsgError
	MsgProcess
	MsgBye
	MsgRefusal
	_       // MsgSize
	MsgRule // what rules did
)

// Event kinds, the first element of each event in a section.
const (
	EvCall = iota
	EvEnter
	EvLeave
	EvStatement
	EvLost
)

// Status of an argument that is not simply a value; on the wire [status, value?].
const (
	ArgOK       = 0
	ArgCut      = 1
	ArgNull     = 2
	ArgBad      = 3
	ArgSkipped  = 4
	ArgWithheld = 5
)

// Hello is the first message on a connection. Unknown keys are ignored.
type Hello struct {
	V         int
	PID, PPID int
	Arena     [16]byte
	From      string // "core", "agent", "collector"
	Exe       string
	Argv      []string
	Cwd       string
	Start     int64 // epoch ns
	Spec      uint64
	Policy    string
	Buffer    int64
	Ver       string
}

// Process is the birth or the end of a process, or the name of a thread.
type Process struct {
	PID, PPID int
	What      string // "fork": it began, PID is the child; "end"; "thread": it has this name from now on
	Status    int    // exit status, or StatusUnknown
	Signal    int    // that killed it, or 0
	Core      bool   // and it left a core
	Agent     bool   // an agent ran in it
	Dropped   uint64 // calls of it lost

	TID    int    // What "thread"
	Thread uint32 // as in Section
	Name   string
}

// ArgDef describes one argument or result of a probe.
type ArgDef struct {
	Name string
	Type string // names as in hooks.Type.String(): "int" "uint" "ptr" "fd" "string" "buffer" "flags" "enum" "sockaddr" "strv" "sql" "float" "void" "struct" "pid" "mode" "errno"
	Out  bool
	Set  string
}

// ProbeDef is the meaning of a probe id.
type ProbeDef struct {
	ID    uint32
	Name  string
	Lib   string
	Pack  string
	Kind  string // "call", "entry", "count", "hist"
	Args  []ArgDef
	Ret   ArgDef
	Fail  string
	Errno bool
}

// Section heads the events of one thread in one chunk.
type Section struct {
	PID, TID, Thread uint32
	Chunk            uint64
	Upto             uint32
	First            uint32
}

// Value is an argument or result as decoded from the stream. Exactly one of
// the payload fields is meaningful, by Kind.
type Value struct {
	Kind   ValueKind
	Status uint8 // Arg* constants
	Int    int64 // also the bits of a Uint, and a withheld value's length
	Str    []byte
	List   []Value // strings of a vector; key, value, key, value ... of a map
}

// ValueKind tags Value.
type ValueKind uint8

const (
	VNil ValueKind = iota
	VInt
	VUint
	VStr
	VList
	VMap
)

// Event is one event of a section. Seq and T are absolute (First and base
// already added; T is epoch ns).
type Event struct {
	Kind  uint8
	ID    uint32
	Seq   uint32
	T     int64
	Dur   int64
	Ret   Value
	Err   int32 // 0 ok, -1 failed without errno, else errno
	Args  []Value
	Msg   []byte // extra.msg
	Rules uint64 // rules that acted on it: bit n-1 for rule n
	DB    []byte // statement
	SQL   []byte
	Rows  int64
	RC    int64
	Flags int64
}

// HistBucket is a bucket of a histogram: N values of at most Upper ns.
type HistBucket struct {
	Upper int64
	N     uint64
}

// CountDef is the state of a counting or histogram probe.
type CountRow struct {
	ID           uint32
	Calls        uint64
	HasHist      bool
	SumNS, MaxNS int64
	Errors       uint64
	Buckets      []HistBucket
}

// Account is the balance of an arena: Produced = Delivered + Dropped when
// nothing is in flight.
type Account struct {
	Produced, Delivered, Dropped, ReturnsLost uint64
	ByProbe                                   map[uint32]uint64
	Lost                                      map[string]uint64
}

// Rule is what one of the rules that act on calls did so far, in all processes
// of an arena.
type Rule struct {
	N       int    // its number, from 1
	Kind    string // "fault", "delay", "deny", "audit"
	Text    string // as it can be given again
	Matched uint64 // calls for which its conditions held
	Acted   uint64
	Skipped uint64 // calls it could not be applied to
}

// RuleHandler may be implemented by a Handler that wants to know of rules.
type RuleHandler interface {
	Rules(t int64, rules []Rule)
}

// Handler receives what a Decoder reads, in stream order. Pointers, slices and
// byte slices are valid until the method returns: copy what you keep.
type Handler interface {
	Hello(*Hello)
	Probe(*ProbeDef)
	Batch(seq uint64, base int64)
	Section(*Section)
	Event(*Section, *Event)
	Counts(t int64, rows []CountRow)
	Account(t int64, a *Account)
	Error(t int64, code, text, advice string, count uint64)
	Process(t int64, p *Process)
	Bye(t int64, a *Account)
	Refusal(object, symbol, reason, detail string)
}
