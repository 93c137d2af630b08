package hooks

import "strings"

// packWords are the clauses with which a pack says what a function does to
// the process, or what the agent does for it. A prototype from a user says
// only what its arguments are: a wrong word here would hurt the program.
var packWords = []string{"handover", "forks", "exec", "exit"}

// UserProto reads a prototype of a user's: what ParseProto reads, for
// functions of any object.
//
//	int work(int n, const char *name)
//	ssize_t take(int fd, out void *buf[ret], size_t len) fails -1 errno
func UserProto(text string) ([]*Hook, error) {
	hs, err := ParseProto(text)
	if err != nil {
		return nil, err
	}
	h := hs[0]
	if h.Handover != HandoverNone || h.Flags&(HookForks|HookExec|HookExit) != 0 {
		tail := strings.LastIndexByte(text, ')')
		for _, w := range packWords {
			if i := strings.Index(text[tail+1:], w); i >= 0 {
				return nil, &ProbeError{Text: text, Col: tail + 2 + i, Msg: "'" + w + "' is for packs", Hint: "a prototype says what the arguments and the result are"}
			}
		}
	}
	return hs, nil
}
