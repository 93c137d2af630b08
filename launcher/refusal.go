package launcher

import (
	"errors"
	"fmt"
)

// Reason says why a target can't be started or can't be served.
type Reason uint8

// The closed list of reasons. A number is never reused.
const (
	NotFound       Reason = iota + 1 // no such file, or not in PATH
	IsDirectory                      // the name of a directory
	NotExecutable                    // no permission to execute it
	NotELF                           // neither an ELF file nor a script
	Damaged                          // starts like an ELF file, but isn't a whole one
	NotProgram                       // an ELF file, but not something that can be executed
	Static                           // statically linked: there is no loader to preload us
	Privileged                       // set-user-ID, set-group-ID, or file capabilities
	OtherMachine                     // other architecture or word size
	Musl                             // linked against musl's loader
	UnknownLoader                    // an interpreter that isn't glibc's
	BadInterpreter                   // the #! line names something that can't be used
	ScrubsEnviron                    // its #! line starts it with an empty environment
)

var reasons = [...]struct{ name, sentence string }{
	NotFound:       {"not-found", "no such program"},
	IsDirectory:    {"is-directory", "is a directory"},
	NotExecutable:  {"not-executable", "can't be executed"},
	NotELF:         {"not-elf", "is neither a program nor a script"},
	Damaged:        {"damaged", "is a damaged ELF file"},
	NotProgram:     {"not-program", "is an ELF file, but not a program"},
	Static:         {"static", "is statically linked"},
	Privileged:     {"privileged", "gains privileges when it starts"},
	OtherMachine:   {"other-machine", "is for another machine"},
	Musl:           {"musl", "is linked against musl"},
	UnknownLoader:  {"unknown-loader", "uses an unknown program interpreter"},
	BadInterpreter: {"bad-interpreter", "names an interpreter that can't be used"},
	ScrubsEnviron:  {"scrubs-environment", "starts with an emptied environment"},
}

// String returns the reason's name, as it appears in doctor's JSON.
func (r Reason) String() string {
	if int(r) < len(reasons) && reasons[r].name != "" {
		return reasons[r].name
	}
	return fmt.Sprintf("reason-%d", uint8(r))
}

// Refusal is the error of a target that won't be started.
type Refusal struct {
	Reason Reason
	Object string // the file, or the name as it was given
	Detail string // what was seen, may be empty
	Hint   string // what to do about it, may be empty
}

func (r *Refusal) Error() string {
	s := r.Reason.String()
	if int(r.Reason) < len(reasons) && reasons[r.Reason].sentence != "" {
		s = reasons[r.Reason].sentence
	}
	if r.Reason == NotFound {
		s = fmt.Sprintf("%s: '%s'", s, r.Object)
	} else {
		s = fmt.Sprintf("'%s' %s", r.Object, s)
	}
	if r.Detail != "" {
		s += ": " + r.Detail
	}
	return s
}

// Exit codes of seam's own failures, as env(1) and timeout(1) use them.
const (
	ExitFailure  = 125 // seam itself failed
	ExitCannot   = 126 // the target was found but can't be started
	ExitNotFound = 127 // the target was not found
)

// ExitCode is the status seam ends with when err kept the target from starting.
func ExitCode(err error) int {
	var r *Refusal
	if !errors.As(err, &r) {
		return ExitFailure
	}
	if r.Reason == NotFound {
		return ExitNotFound
	}
	return ExitCannot
}
