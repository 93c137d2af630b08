package hooks

// packWords are the clauses with which a pack says what a function does to
// the process, or what the agent does for it. A prototype from a user says
// only what its arguments are: a wrong word here would hurt the program.
var packWords = []string{"handover", "forks", "exec", "exit"}

// UserProto reads a text of a user's: what ParseProto reads, for functions of
// any object, without the words that are for packs.
//
//	int work(int n, const char *name)
//	ssize_t take(int fd, out void *buf[ret], size_t len) fails -1 errno
func UserProto(text string) ([]*Hook, error) {
	return parseProto(&protoParser{text: text, user: true})
}
