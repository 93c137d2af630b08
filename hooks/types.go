// Package hooks says what each library's functions mean: prototypes, what
// counts as failing, which arguments are strings or secrets, and how the raw
// words of a call become something a person reads. It is data and small
// decoders; nothing here patches, records or sends.
//
// It is imported by the agent (inside the target), the planner, the collector
// and the launcher, so it must not do I/O at init and must import little.
package hooks

// Type says how an argument or result is read and shown.
type Type uint8

const (
	TInt      Type = iota + 1 // signed integer of Size bytes
	TUint                     // unsigned integer of Size bytes
	TPtr                      // opaque pointer, shown in hex
	TFD                       // file descriptor (int)
	TString                   // NUL-terminated C string
	TBuffer                   // counted bytes; Len names the argument that counts
	TFlags                    // bit set named by Set, Size bytes
	TEnum                     // enumeration named by Set, Size bytes
	TSockaddr                 // struct sockaddr, counted by Len
	TStrv                     // NULL-terminated vector of C strings (argv)
	TSQL                      // C string holding SQL (counted by Len if >= 0, where a negative count means NUL-terminated)
	TFloat                    // passed in a vector register: not captured
	TVoid                     // result only
	TStruct                   // fixed Size bytes at a pointer, decoded by Set ("timespec", "stat", ...)
	TPid                      // process id (int)
	TMode                     // file mode, octal
	TErrno                    // an errno value as result (posix_spawn, pthread_*)
	TVec                      // counted elements of Unit bytes each; Len names the argument that counts
)

// No argument / the return value, as a counting argument.
const (
	LenNone = -1
	LenRet  = -2
)

// Arg is one argument, or the result, of a hooked function.
type Arg struct {
	Name   string
	Type   Type
	Size   uint8  // bytes of an integer, 1 2 4 8; pointers 8
	Out    bool   // a pointer: what it points at is read when the call returns
	Len    int8   // index of the counting argument, LenNone or LenRet
	LenPtr bool   // the counting argument is a pointer to the count (socklen_t *)
	Word   int8   // index into the captured words; -1 when not captured
	Set    string // flag set, enumeration or struct name
	Cap    uint16 // most bytes captured behind the pointer; 0: nothing is read
	Secret bool   // content never leaves the process: only its length is sent
	Ref    bool   // Out strings: the argument points at a pointer to the string
	Unit   uint16 // TVec: bytes of one element

	Vals   []EnumVal // TEnum, TFlags of a set that the prototype itself declares: its names
	Fields []Field   // TStruct, TVec of a structure that it declares: its members; of a TVec of integers: the one, without a name
}

// FailOp mirrors SEAM_FAIL_* of preload/core/abi.h.
type FailOp uint8

const (
	FailNever FailOp = iota
	FailEQ
	FailNE
	FailLT
	FailNotIn
)

// Fail is the rule that tells a failed call from its result.
type Fail struct {
	Op    FailOp
	Width uint8 // bytes of the result, signed: 4 or 8
	Vals  [3]int64
}

// Hook is what a pack says about one C function.
type Hook struct {
	Name      string // symbol
	Pack      string // "file", "net", ...; "" for a bare prototype
	Ret       Arg
	Args      []Arg
	NoProto   bool // nothing is known about the arguments; words are shown raw
	Variadic  bool
	EntryOnly bool // must not be called through a frame (returns twice or never, or its caller matters)
	StackCopy uint8
	Errno     bool // errno is meaningful on failure
	Fail      Fail
	Handover  Handover
	Flags     HookFlags
	Helpers   []Helper // functions of the same object that the hand-over calls, as far as they are not exported
}

// Helper is a function by its address in the ELF file.
type Helper struct {
	Name string
	Addr uint64
}

// HookFlags mirrors the SEAM_SF_* bits a hook sets itself.
type HookFlags uint8

const (
	HookNoReturn HookFlags = 4
	HookForks    HookFlags = 8
	HookExec     HookFlags = 16
	HookExit     HookFlags = 32
)

// Handover names what the agent does for a failing call while the host's
// thread waits. Zero: nothing is handed over.
type Handover uint8

const (
	HandoverNone       Handover = iota
	HandoverSqliteDB            // argument 0 is a sqlite3*: fetch sqlite3_errmsg
	HandoverSqliteStmt          // argument 0 is a sqlite3_stmt*: fetch sqlite3_errmsg of its database
	HandoverSqliteOpen          // argument 1 is a sqlite3**: fetch sqlite3_errmsg
)

// Instrument says what a site does with a call.
type Instrument uint8

const (
	Log   Instrument = 1 // a record of entry and one of exit
	Count Instrument = 2 // a counter, no record
	Hist  Instrument = 3 // a latency histogram, no record
)

// FilterKind mirrors SEAM_FILT_*.
type FilterKind uint8

const (
	FilterInt FilterKind = iota + 1
	FilterPrefix
	FilterFailed
	FilterMinDuration
	FilterRuled  // only calls that a rule acted on
	FilterAddr   // a socket address is in a range, as addrRange reads it
	FilterFDPath // what a descriptor is open on starts with a prefix
	FilterIn     // a file, an address or a statement is in a list; bound, it is about files
	FilterAddrs  // bound: about addresses
	FilterHas    // a text contains another
	FilterShape  // bound: about SQL
)

// Cmp mirrors SEAM_CMP_*.
type Cmp uint8

const (
	CmpEQ Cmp = iota + 1
	CmpNE
	CmpLT
	CmpLE
	CmpGT
	CmpGE
	CmpAnd
)

// Filter keeps a call out of the stream before a record is written. All
// filters of a probe must hold. Arg is a name or a decimal index, resolved
// against the hook when the plan is made.
type Filter struct {
	Kind  FilterKind
	Arg   string
	Cmp   Cmp
	Value int64  // integer operand; FilterMinDuration: nanoseconds
	Str   string // prefix, at most 64 bytes

	Set []string `json:",omitempty"` // FilterIn: the list
}

// Probe is what the user asked for: which functions of which objects, what to
// do with their calls.
type Probe struct {
	Text       string     // as written, for messages
	Lib        string     // object pattern: "libc", "libsqlite3", "libpython*", "./app", "/abs/lib.so"; "" any
	Sym        string     // function name glob (* ? [..])
	Instrument Instrument // Log when not said
	Filters    []Filter
	Pack       string // set when the probe comes from a pack: only that pack's hook applies
	Has        string `json:",omitempty"` // only objects that define this function, exported or not
	Rule       int    `json:",omitempty"` // 1 and up: it says which functions this of the spec's rules is for
	As         string `json:",omitempty"` // what the function is called in the stream, "" as in the object
}

// OnFull is the arena's policy when there is no free chunk.
type OnFull uint8

const (
	DropOldest OnFull = iota
	DropNewest
	Block
)

// Start says when the agent's Go runtime starts in the target.
type Start uint8

const (
	StartDemand Start = iota // when the arena fills or a callback needs it
	StartFirst               // at the first recorded call that allows it
	StartNow                 // in the constructor, before main, which waits for it only with rules or under control
	StartNever               // never; the collector drains
)

// Follow says what becomes of seam's part of the environment when the host
// executes another program.
type Follow uint8

const (
	FollowInherit Follow = iota // what the host passes on
	FollowAlways                // it is put back where the host left it out
	FollowNever                 // it is taken out: what the host executes runs unwatched
)

// Spec is everything a target needs to know, in one value. Hash identifies it:
// plans are cached per (ELF file, spec hash).
type Spec struct {
	Probes  []Probe
	OnFull  OnFull
	BlockMS int   // OnFull == Block: longest wait of one call, 1..60000
	Buffer  int64 // bytes of the chunk pool, 64 KiB .. 1 GiB
	Start   Start
	Follow  Follow        `json:",omitempty"`
	Brief   bool          `json:",omitempty"` // of packs only what a report tells is recorded: Brief
	Rules   []Rule        `json:",omitempty"`
	Protos  []string      `json:",omitempty"` // the user's prototypes, as UserProto reads them; for the user's probes they go before those of packs
	Debug   []string      `json:",omitempty"` // folders with debug files, absolute; looked at before the system's
	Socket  string        // path of the reader's Unix socket; not part of Hash
	Plans   string        // directory of the plan cache; not part of Hash
	Control bool          `json:"-"`          // the reader may ask for other probes: the agent is there even when there is nothing to watch; not part of Hash
	Until   map[int]int64 `json:"-"`          // when a probe's time is over, epoch ns, by its index; not part of Hash
	Planner string        `json:",omitempty"` // the seam command that makes plans that are not in the cache, "" none; not part of Hash
}
