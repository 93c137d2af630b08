package report

// maxFD bounds the descriptors followed per process, maxFDProcs the processes
// followed per arena.
const (
	maxFD      = 1 << 14
	maxFDProcs = 4096
)

// An fdEnt says what a descriptor is, as far as calls told.
type fdEnt struct {
	file *fileStat
	host *hostStat
	sock bool
}

// An fdTab is the descriptor table of one process. It is a best effort: what
// was opened before the probes were in place, passed over a socket or inherited
// over exec is not known.
type fdTab struct {
	pid  uint32
	used bool // calls of the process itself were read
	ents []fdEnt
}

func (t *fdTab) get(fd int64) *fdEnt {
	if fd < 0 || fd >= int64(len(t.ents)) {
		return nil
	}
	return &t.ents[fd]
}

func (t *fdTab) set(fd int64, e fdEnt) {
	if fd < 0 || fd >= maxFD {
		return
	}
	for int64(len(t.ents)) <= fd {
		t.ents = append(t.ents, fdEnt{})
	}
	t.ents[fd] = e
}

func (t *fdTab) clone(pid uint32) *fdTab {
	return &fdTab{pid: pid, ents: append([]fdEnt(nil), t.ents...)}
}
