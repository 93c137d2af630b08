package plan

// Reason is why a function is not patched, or not the way it was asked for.
// The numbers are part of the plan file and of the stream's consumers: append,
// never renumber, never reuse.
type Reason uint8

const (
	ReasonNone           Reason = 0
	TooShort             Reason = 1
	CallInPrologue       Reason = 2
	BranchIntoPrologue   Reason = 3
	UnknownInstruction   Reason = 4
	RipRelativeRange     Reason = 5
	IFunc                Reason = 6
	NotCode              Reason = 7
	StackArgsUnknown     Reason = 8
	DataSymbol           Reason = 9
	Duplicate            Reason = 10
	LoopInPrologue       Reason = 11
	BranchToStart        Reason = 12
	NoSize               Reason = 13
	Protected            Reason = 14
	NeedsReturn          Reason = 15
	BadFilter            Reason = 16
	OverlapsSymbol       Reason = 17
	Unreadable           Reason = 18
	TooManySites         Reason = 19
	BytesDiffer          Reason = 20
	NoMemoryNear         Reason = 21
	PatchForbidden       Reason = 22
	SiteTableFull        Reason = 23
	PlanStale            Reason = 24
	ReturnsTwiceOrCaller Reason = 25
	Confined             Reason = 26
	NotFunctionStart     Reason = 27
	PartOfFunction       Reason = 28
	ForeignStack         Reason = 29
	ArgumentsUnknown     Reason = 30
	Unplanned            Reason = 31
	RuleNotApplied       Reason = 32
	NotLive              Reason = 33
	ByPointer            Reason = 34
	NativeNotLoaded      Reason = 35
	NativeOff            Reason = 36
)

// ReasonInfo is a row of the closed list.
type ReasonInfo struct {
	ID       Reason
	Name     string // stable, for machines
	Sentence string // what is so, for people
	Advice   string // what they can do
	// Note: the function is patched all the same, in a lesser way.
	Note bool
}

var reasons = [...]ReasonInfo{
	{TooShort, "too-short", "the function is shorter than the 5 bytes a jump needs", "probe the function it is called by", false},
	{CallInPrologue, "call-in-prologue", "the first 5 bytes hold a call that returns into them, takes its target from the stack, or, on a processor with shadow stacks, any call", "probe the function it calls, or one it is called by", false},
	{BranchIntoPrologue, "branch-into-prologue", "the function jumps back into its own first bytes, and is too large to be moved as a whole", "probe the function it is called by", false},
	{UnknownInstruction, "unknown-instruction", "the first bytes hold an instruction that cannot be moved", "report it with the output of seam doctor --explain", false},
	{RipRelativeRange, "rip-relative-out-of-range", "an operand is out of reach from where the trampoline had to be placed", "start the program with less of its address space taken near the library", false},
	{IFunc, "ifunc", "the loader picks the implementation, and this library came too late to be asked which one it is", "have the library loaded at start, or probe a caller", false},
	{NotCode, "not-code", "the symbol is not in an executable segment", "check the name", false},
	{StackArgsUnknown, "stack-arguments-unknown", "no prototype is known and the function may take arguments on the stack, so only its entry is recorded", "nothing: calls and arguments are seen, returns and durations are not", true},
	{DataSymbol, "data-symbol", "the symbol is a variable, not a function", "check the name", false},
	{Duplicate, "duplicate", "an earlier probe has this function", "remove one of the probes", false},
	{LoopInPrologue, "loop-in-prologue", "the first 5 bytes hold a loop or jrcxz (earlier versions; these are moved now)", "probe the function it is called by", false},
	{BranchToStart, "branch-to-start", "the function jumps back to its own first instruction, so every turn of the loop would count as a call, and is too large to be moved as a whole", "probe the function it is called by", false},
	{NoSize, "no-size", "the symbol has no size, so the end of the function is unknown", "probe the function it is called by", false},
	{Protected, "protected", "patching this function could break the program or seam itself", "probe a function it is called by", false},
	{NeedsReturn, "needs-return", "the instrument or filter needs the call's return, and this function can only be seen at entry", "use log or count without failed and duration filters", false},
	{BadFilter, "bad-filter", "a filter does not fit the function's arguments", "check the argument's name and type", false},
	{OverlapsSymbol, "overlaps-symbol", "another function starts inside the bytes that would be patched", "probe that function, or one they are called by", false},
	{Unreadable, "unreadable", "the function's bytes could not be read from the file", "check the file for truncation", false},
	{TooManySites, "too-many-sites", "the spec matches more functions of this file than one plan can hold", "use a narrower pattern", false},
	{BytesDiffer, "bytes-differ", "the bytes in memory are not those of the file: something else has patched the function", "remove the other tool, or start without it", false},
	{NoMemoryNear, "no-memory-near", "no memory could be had within reach of the function", "raise the address space limit", false},
	{PatchForbidden, "patch-forbidden", "the system does not let the program change its code", "check the security policy for execmod", false},
	{SiteTableFull, "site-table-full", "the table of sites in the arena is full", "use narrower patterns", false},
	{PlanStale, "plan-stale", "the plan in the cache is not for this file", "remove the plan cache", false},
	{ReturnsTwiceOrCaller, "entry-only", "the function returns twice, never, or depends on its caller, so only its entry is recorded", "nothing: calls and arguments are seen, returns and durations are not", true},
	{Confined, "confined", "the process had forbidden itself system calls when it loaded this library", "have the library loaded earlier", false},
	{NotFunctionStart, "not-a-function-start", "no symbol and no unwinding table says that a function starts at this address", "take the address from nm or objdump -d, of this very file", false},
	{PartOfFunction, "part-of-function", "the symbol names a piece of a function that the compiler moved elsewhere, which is jumped to and not called", "probe the function itself", false},
	{ForeignStack, "foreign-stack", "the function is Go code, whose runtime reads and moves its own stack", "probe the C functions that it calls", false},
	{ArgumentsUnknown, "arguments-unknown", "the debug information does not say for certain where this function's arguments are, so its registers are shown as they are", "give its declaration with --proto", true},
	{Unplanned, "unplanned", "no plan could be read or made for this library, so nothing in it is watched", "see that the program can read seam's cache, and that seam can write it", false},
	{RuleNotApplied, "rule-not-applied", "a rule names this function and can't be applied to it", "see docs/actions.md for what a rule can do to which function", true},
	{NotLive, "not-live", "the program runs, and this function's start cannot be replaced by a single store", "start the program with this probe", false},
	{ByPointer, "by-pointer", "the function's code cannot be patched, so calls through pointers to it are seen (from other objects, dlsym's, those of tables), direct calls inside its own library are not", "nothing, if it is called from outside", true},
	{NativeNotLoaded, "native-not-loaded", "the shared object with this callback could not be loaded, so the function runs without it", "see that the program can read it, and that it is not changed while programs start", true},
	{NativeOff, "native-off", "this callback said a thousand times that it failed, and is not called any more", "correct it, and start the program again", true},
}

// Reasons is the closed list, by ascending id.
func Reasons() []ReasonInfo { return reasons[:] }

// Info is the row of r; for a number that is not in the list it has a name
// that says so.
func (r Reason) Info() ReasonInfo {
	if r > 0 && int(r) <= len(reasons) {
		return reasons[r-1]
	}
	return ReasonInfo{ID: r, Name: "unknown-reason", Sentence: "the reason is not known to this version", Advice: "use one version of seam throughout"}
}

// String is the stable name.
func (r Reason) String() string { return r.Info().Name }
