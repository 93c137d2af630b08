package report

// Version is the version of the JSON report. Keys are added without a change;
// a key that is renamed, removed or given another unit changes it.
const Version = 1

// A Report is what was seen in one run. All times and durations are
// nanoseconds; times are since the Unix epoch. Lists are sorted as they are
// shown and already cut to the limits of Options; Cut says what was left out.
type Report struct {
	Version   int           `json:"version"`
	StartNS   int64         `json:"start_ns"` // of the first process; 0 when none was seen
	EndNS     int64         `json:"end_ns"`   // of the last event or process
	Target    []string      `json:"target,omitempty"`
	Functions []Function    `json:"functions"`
	SQL       []Statement   `json:"sql"`
	Files     []File        `json:"files"`
	Hosts     []Host        `json:"hosts"`
	Processes []Process     `json:"processes"`
	Threads   []ThreadGroup `json:"threads,omitempty"` // those with a name of their own, by name
	InFlight  []OpenCall    `json:"in_flight"`         // calls that had not returned, oldest first; not those of exec
	Rules     []Rule        `json:"rules,omitempty"`   // that act on calls, in the order they were given
	Again     []string      `json:"again,omitempty"`   // the command that does the same to the target
	Refusals  []Refusal     `json:"refusals"`
	Errors    []Error       `json:"errors"`
	Cut       []Cut         `json:"cut"`
	Account   Account       `json:"account"`
}

// A Function sums up the calls of one function of one library.
type Function struct {
	Lib         string       `json:"lib"`
	Name        string       `json:"name"`
	Pack        string       `json:"pack,omitempty"`
	Kind        string       `json:"kind"` // "call", "entry", "count" or "hist"
	Calls       uint64       `json:"calls"`
	Returned    uint64       `json:"returned"` // calls whose duration is known
	Errors      uint64       `json:"errors"`
	ByErrno     []ErrnoCount `json:"by_errno,omitempty"`
	TotalNS     int64        `json:"total_ns"` // of the calls that returned
	MeanNS      int64        `json:"mean_ns"`
	P50NS       int64        `json:"p50_ns"`
	P99NS       int64        `json:"p99_ns"`
	MaxNS       int64        `json:"max_ns"`
	InFlight    uint64       `json:"in_flight"`    // calls that had not returned; not those of exec, which has no return
	ReturnsLost uint64       `json:"returns_lost"` // calls whose return was dropped
	Dropped     uint64       `json:"dropped"`      // calls that were not delivered
}

// An ErrnoCount is how often calls failed in one way. Errno is -1, and Name
// "failed", where errno does not apply.
type ErrnoCount struct {
	Name  string `json:"name"`
	Errno int32  `json:"errno"`
	Count uint64 `json:"count"`
}

// A Statement sums up the executions of one normalised SQL statement.
type Statement struct {
	SQL        string `json:"sql"`
	SQLCut     bool   `json:"sql_cut,omitempty"`
	DB         string `json:"db,omitempty"`
	Executions uint64 `json:"executions"`
	Running    uint64 `json:"running,omitempty"` // of these, not finished when reported
	Rows       int64  `json:"rows"`
	Errors     uint64 `json:"errors"`
	LastRC     int64  `json:"last_rc,omitempty"`    // of the latest failed execution
	LastError  string `json:"last_error,omitempty"` // the library's message for it
	TotalNS    int64  `json:"total_ns"`
	P50NS      int64  `json:"p50_ns"`
	P99NS      int64  `json:"p99_ns"`
	MaxNS      int64  `json:"max_ns"`
}

// A File sums up the calls that named one path, and the bytes that went through
// descriptors known to be opened on it.
type File struct {
	Path    string       `json:"path"`
	Opens   uint64       `json:"opens"`
	Other   uint64       `json:"other_calls"` // stat, unlink, rename, ...
	Errors  uint64       `json:"errors"`
	ByErrno []ErrnoCount `json:"by_errno,omitempty"`
	Reads   uint64       `json:"reads"`
	Read    uint64       `json:"read_bytes"`
	Writes  uint64       `json:"writes"`
	Written uint64       `json:"written_bytes"`
	TotalNS int64        `json:"total_ns"`
}

// A Host sums up the calls that named one address or host name.
type Host struct {
	Address  string       `json:"address"`
	Connects uint64       `json:"connects"`
	Accepts  uint64       `json:"accepts"`
	Binds    uint64       `json:"binds"`
	Lookups  uint64       `json:"lookups"` // getaddrinfo and its like
	Errors   uint64       `json:"errors"`
	ByErrno  []ErrnoCount `json:"by_errno,omitempty"`
	TotalNS  int64        `json:"total_ns"`
	Sent     uint64       `json:"sent_bytes"`
	Received uint64       `json:"received_bytes"`
}

// A Process is one process of the target. Processes are listed in the order of
// the tree, parents first; Depth is 0 for a root.
type Process struct {
	PID     int        `json:"pid"`
	PPID    int        `json:"ppid"`
	Depth   int        `json:"depth"`
	Exe     string     `json:"exe,omitempty"`
	Argv    []string   `json:"argv,omitempty"`
	Execs   [][]string `json:"execs,omitempty"` // command lines it had before, oldest first
	StartNS int64      `json:"start_ns,omitempty"`
	EndNS   int64      `json:"end_ns,omitempty"`
	Ended   bool       `json:"ended"`
	Status  *int       `json:"status,omitempty"` // exit status, when it was seen
	Signal  int        `json:"signal,omitempty"` // that killed it
	Core    bool       `json:"core,omitempty"`   // and it left a core
	Agent   bool       `json:"agent,omitempty"`  // an agent ran in it
	Calls   uint64     `json:"calls"`
	Dropped uint64     `json:"dropped,omitempty"` // calls that were not delivered
}

// A ThreadGroup sums up the threads that had one name, other than their process's.
type ThreadGroup struct {
	Name    string `json:"name"`
	Threads uint64 `json:"threads"`
	Calls   uint64 `json:"calls"` // delivered, while they had it
}

// An OpenCall is a call that had not returned when the stream ended.
type OpenCall struct {
	PID     int    `json:"pid"`
	TID     int    `json:"tid"`
	Lib     string `json:"lib"`
	Name    string `json:"name"`
	Arg     string `json:"arg,omitempty"` // path or address, where one was named
	StartNS int64  `json:"start_ns"`
}

// A Rule is what was done to calls by a rule: --fault, --delay, --deny.
type Rule struct {
	N       int     `json:"rule"`
	Kind    string  `json:"kind"` // "fault", "delay", "deny", "audit"
	Text    string  `json:"text"` // as it can be given again, with its seed
	Matched uint64  `json:"matched"`
	Acted   uint64  `json:"acted"`
	Skipped uint64  `json:"skipped"`         // calls it could not be applied to
	Calls   []Acted `json:"calls,omitempty"` // what it acted on, where that has a name
}

// A Refusal groups what was not instrumented for the same reason.
type Refusal struct {
	Reason string   `json:"reason"`
	Advice string   `json:"advice,omitempty"`
	Detail string   `json:"detail,omitempty"` // of the first one
	Count  uint64   `json:"count"`            // distinct functions
	Names  []string `json:"names"`            // "object:symbol", the first few
}

// An Error groups errors that seam itself met.
type Error struct {
	Code   string `json:"code"`
	Text   string `json:"text"`
	Advice string `json:"advice,omitempty"`
	Count  uint64 `json:"count"`
}

// A Cut says that a list is not complete.
type Cut struct {
	List  string `json:"list"` // JSON name of the list
	Kept  int    `json:"kept"`
	Other uint64 `json:"other"`       // entries not listed
	Calls uint64 `json:"other_calls"` // calls, or executions, that belong to these
}

// An Account is the balance of all processes: Produced = Delivered + Dropped,
// and what else was not seen.
type Account struct {
	Produced    uint64            `json:"produced"`
	Delivered   uint64            `json:"delivered"` // as counted here
	Dropped     uint64            `json:"dropped"`
	DroppedBy   map[string]uint64 `json:"dropped_by"`
	Elsewhere   uint64            `json:"delivered_elsewhere"` // to a reader before this one
	ReturnsLost uint64            `json:"returns_lost"`
	Skipped     map[string]uint64 `json:"skipped"`     // not produced, by reason
	Notes       map[string]uint64 `json:"notes"`       // other counts of the core: arguments cut, hand-overs, ...
	Counted     uint64            `json:"counted"`     // calls of probes that only count
	Unaccounted int64             `json:"unaccounted"` // sum of |produced - delivered - dropped| over all arenas; not 0 is a bug in seam
	Duplicates  uint64            `json:"duplicates"`  // events delivered twice and counted once
	Arenas      int               `json:"arenas"`
	Incomplete  int               `json:"incomplete"` // arenas whose final account was not seen
	Broken      []Broken          `json:"broken,omitempty"`
	Truncated   int               `json:"truncated_connections"`
}

// Broken is an arena for which the balance does not hold.
type Broken struct {
	PID       int    `json:"pid"`
	Produced  uint64 `json:"produced"`
	Delivered uint64 `json:"delivered"` // as its sender says
	Counted   uint64 `json:"counted"`   // as received here
	Dropped   uint64 `json:"dropped"`
}
