package arena

// The structs mirror preload/core/abi.h field by field; layout_test.go compiles
// that file and compares. A C name is its Go name in snake case.

const (
	Magic   = "SEAMAREN"
	Version = 3

	MaxWords    = 12  // SEAM_MAX_WORDS
	MaxRules    = 64  // SEAM_MAX_RULES
	HistBuckets = 252 // SEAM_HIST_BUCKETS
	NoHist      = 0xffffffff
	NoParent    = 0xffffffff
	NoStatus    = 0xffffffff
	OpReply     = 0xff // SEAM_OPIDX_REPLY
)

// Policies when there is no free chunk.
const (
	DropOldest = 0
	DropNewest = 1
	Block      = 2
)

// Units of the timestamps.
const (
	ClockTSC  = 0
	ClockMono = 1
)

// Values of Header.Owner that are not a thread id.
const (
	OwnerCollector = 0x3ffffffe
	OwnerDied      = 0x40000000 // FUTEX_OWNER_DIED, set by the kernel
)

// Header is struct seam_arena.
type Header struct {
	Magic                 [8]byte
	Version, Page         uint32
	Size                  uint64
	Id                    [16]byte
	SpecHash              uint64
	Policy, Clock         uint32
	BlockNs               uint64
	Tsc0, Mono0Ns         uint64
	Real0Ns               uint64
	ProcsOff, Nprocs      uint32
	ThreadsOff, Nthreads  uint32
	MetasOff, Nchunks     uint32
	FreeOff               uint32
	SitesOff, Nsites      uint32
	DefsOff, DefsSize     uint32
	CountersOff, Nshards  uint32
	HistOff, Nhists       uint32
	NshardsHist           uint32
	HandoverOff           uint32
	Nhandover             uint32
	ChunkSize             uint32
	_                     uint32
	DataOff               uint64
	InfoOff, InfoLen      uint32
	OrderOff              uint32
	EndsOff, Nends        uint32
	RulesOff, Nrules      uint32
	Nnotes                uint32
	ParksOff, Nparks      uint32
	_                     [40]byte
	Epoch                 uint32
	SitesUsed, DefsUsed   uint32
	Wish                  uint32
	HistsUsed             uint32
	Refusals              uint32
	_                     [40]byte
	Owner, OwnerPid       uint32
	_                     [56]byte
	ChunkUid              uint64
	Nfull, Work, Sleeping uint32
	Space, Waiting        uint32
	ThreadUid             uint32
	ThreadsUsed           uint32
	ThreadsHint           uint32
	ProcUid               uint32
	Forking               uint32
	Shards                uint32
	Ends                  uint32
	Notes                 uint32
	_                     [4]byte
	Lost                  [16]uint64
	Pad1                  uint64
	Delivered             uint64
	DeliveredNext         uint64
	CommitUid             uint64
	CommitChunk           uint32
	CommitUpto            uint32
	_                     [24]byte
	OldestUid             uint64
	_                     [56]byte
	SpecSeq               uint32
	SpecPath              [2044]byte
}

// Refusals is struct seam_refusals.
type Refusals struct {
	Next, Len, NameLen, Pad uint32
}

// States of a process entry.
const (
	ProcFree  = 0
	ProcLive  = 1
	ProcDead  = 2
	ProcSetup = 3
)

// States of the agent in a process.
const (
	GoOff = iota
	GoStarting
	GoOn
	GoFailed
	GoParked
)

// How a process confined itself, bits of Proc.Confined.
const (
	ConfQuiet = 1 << iota
	ConfNoTSC
	ConfThreads
	ConfStayed
)

// What the drainer has told of it.
const (
	ConfTold    = 256
	ConfNoAgent = 1 << 16
)

// Proc is struct seam_proc.
type Proc struct {
	State, Pid, Ppid uint32
	GoState          uint32
	StartTs, EndTs   uint64
	HoBell           uint32
	GoReason         uint32
	Comm             [16]byte
	EndStatus        uint32
	Parent           uint32
	Uid              uint32
	Ns               uint32
	Dropped          uint64
	Confined         uint32
	SpecSeq          uint32
	CbBell, CbAsleep uint32
	Pad              [8]uint32
}

// End is struct seam_end.
type End struct {
	Ts        uint64
	Pid, Ppid uint32
	Wstatus   uint32
	Pad       [2]uint32
	Number    uint32
}

// States of a thread entry.
const (
	ThreadFree   = 0
	ThreadLive   = 1
	ThreadSetup  = 2
	ThreadReaped = 3
)

// Thread is struct seam_thread.
type Thread struct {
	State, Tid, Pid uint32
	Proc            uint32
	Uid             uint32
	Chunk           uint32
	Produced        uint64
	DropProduced    uint64
	StartTs         uint64
	Comm            [16]byte
	Shard           uint32
	Copying         uint32
	ChunkBase       uint64
	DropSeq         uint64
	DropDone        uint64
	DropSite        uint32
	DropCalls       uint32
	DropChunk       uint32
	DropUpto        uint32
	DropSeen        uint64
	Ns, Pad2        uint32
}

// States of a chunk.
const (
	ChunkFree   = 0
	ChunkActive = 1
	ChunkFull   = 2
	ChunkStolen = 3
	ChunkBusy   = 0x100 // flag: the drainer is reading, nobody may steal it
)

// Chunk is struct seam_chunk.
type Chunk struct {
	Uid                 uint64
	State               uint32
	Committed, Consumed uint32
	Thread              uint32
	Tid, Pid            uint32
	ThreadUid, ProcUid  uint32
	FirstSeq            uint32
	Sending             uint32
	Proc                uint32
	Pad                 [3]uint32
}

// Kinds of a site.
const (
	SiteFull  = 1
	SiteEntry = 2
	SiteCount = 3
	SiteGuard = 4
	SiteWatch = 5
)

// Instruments of a site.
const (
	Log   = 1
	Count = 2
	HistI = 3
)

// SiteErrno is SEAM_SF_ERRNO in Site.Flags.
const SiteErrno = 1

// Site is struct seam_asite.
type Site struct {
	DefOff, DefLen                  uint32
	Addr                            uint64
	Dropped, ReturnsLost            uint64
	Hist                            uint32
	Kind, Instrument, Nwords, Flags uint8
	Key                             uint64
	Reserved                        [2]uint64
}

// Hist is struct seam_hist; its unit is the clock's tick.
type Hist struct {
	Bucket                  [HistBuckets]uint64
	Count, Sum, Max, Errors uint64
}

// RuleState is struct seam_rule_state.
type RuleState struct {
	Matched, Acted, Skipped uint64
	TextOff, TextLen        uint32
	Off, Stuck              uint32
	Timeouts, Errors        uint64
	Reserved                [1]uint64
	Nth, Every, Max         uint64
	Chance, Seed            uint64
	After, Delay, Jitter    uint64
}

// States of an entry for a parked thread, in the low bits of its word; above them is
// its ticket.
const (
	ParkFree = iota
	ParkClaimed
	ParkParked
	ParkReleased
)

// Parks is struct seam_parks.
type Parks struct {
	Beat, Deaf, Keeper uint32
	Ticket, Bell       uint32
	Pad                [11]uint32
}

// Break is struct seam_break.
type Break struct {
	Armed              uint64
	Expired, Abandoned uint64
	TextRoom, Writing  uint32
}

// ParkedThread is struct seam_parked.
type ParkedThread struct {
	State                   uint32
	Pid, Tid, Site          uint32
	Rule, Ns                uint32
	Serial                  uint64
	Since, Deadline, Looked uint64
	Frame                   uint64
	Caller, Sp, Bp          uint64
	Words                   [MaxWords]uint64
	Comm                    [16]byte
	ItemsLen, StackLen      uint32
	Pad                     [16]uint64
	Payload                 [2048]byte
	Stack                   [14000]byte
}

// Kinds of a record, in the low bits of Rec.Kind, and its flags.
const (
	RecEnter   = 1
	RecLeave   = 2
	RecEntry   = 3
	RecKind    = 0x0f
	RecFailed  = 0x10
	RecPayload = 0x20
	RecReply   = 0x40
	RecRules   = 0x80 // the last 8 bytes are the set of rules that acted
)

// Sizes of the fixed parts of records, bytes.
const (
	RecHead   = 16
	LeaveSize = 32
)

// Rec is struct seam_rec.
type Rec struct {
	Site  uint16
	Kind  uint8
	Size8 uint8
	Seq   uint32
	Ts    uint64
}

// Item is struct seam_item.
type Item struct {
	Len    uint16
	Status uint8
	Op     uint8
}

// States of a hand-over.
const (
	HandoverFree = iota
	HandoverClaimed
	HandoverAsked
	HandoverTaken
	HandoverDone
	HandoverAbandoned
)

// Handover is struct seam_handover.
type Handover struct {
	State          uint32
	Pid, Tid, Site uint32
	What           uint8
	Pad            [3]uint8
	ReplyLen       uint32
	Words          [MaxWords]uint64
	Ret            uint64
	LibBase        uint64
	Reply          [888]byte
}

// HandoverCallback is Handover.What of a request to run a callback; Reply is a
// Called then.
const HandoverCallback = 255

// Positions of a callback.
const (
	PosPre     = 1
	PosPost    = 2
	PosFailing = 3
)

// What a callback wants done, bits of Called.Out.
const (
	CallRet    = 1
	CallErrno  = 2
	CallRefuse = 4
)

// Called is struct seam_called.
type Called struct {
	Callback                       uint32
	Rule, Position, Failed, Nwords uint8
	Err                            uint32
	Asleep                         uint32
	Server                         uint32
	Out, Changed, OutErr           uint32
	OutRet                         uint64
	OutWords                       [MaxWords]uint64
}

// Why a callback is off, bits of RuleState.Off.
const (
	OffByErrors = 1
	OffByUser   = 2
)

// Codes of a note.
const (
	NoteSaid = iota + 1
	NoteError
	NotePanic
	NoteTimeout
	NoteOff
	NoteFatal
	NoteMisuse
)

// Note is struct seam_note.
type Note struct {
	Number     uint32
	Code, Rule uint8
	Len        uint16
	Pid, Tid   uint32
	Count      uint64
	Told, Pad  uint32
	Text       [224]byte
}

// LostNames are the names of Header.Lost's reasons (enum seam_lost) on the
// stream.
var LostNames = [...]string{
	"oldest", "newest", "timeout", "return", "no_thread", "reentrant", "agent",
	"handover_timeout", "handover_no_agent", "start_failed", "arg_unread", "arg_cut",
	"exec_as_is", "confined", "exec_out_of_reach",
}

// Indices into Header.Lost that the drainer's side needs.
const (
	LostOldest   = 0
	LostNewest   = 1
	LostReturn   = 3
	LostNoThread = 4
)
