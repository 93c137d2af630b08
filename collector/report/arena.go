package report

import "github.com/seam-project/seam/wire"

// An arena is one queue: a process and its forked children, over all
// connections that spoke of it. Builder.mu guards it, except what a Stream
// borrowed.
type arena struct {
	id    [16]byte
	pid   int
	start int64 // epoch ns, of the process that made it

	delivered uint64 // calls counted here, of closed streams
	dups      uint64
	account   *wire.Account
	final     bool // account is a bye
	counts    map[uint32]*countStat
	rules     []wire.Rule // latest totals
	seen      chunks
	carry     carry
	lent      bool // carry is with a stream
	defs      map[uint32]*Probe
	names     map[uint32]*ThreadGroup // by thread
}

// chunks remembers which sections of each chunk were delivered, by their ends.
// What an agent sent that was killed before it could say so, the next one sends
// again, in sections with the same ends, and both connections may be read at the
// same time: so it is the end that counts, not how far the chunk had come.
//
// Entries not renewed for two generations are forgotten: by then the drainer
// has long marked the bytes as consumed in the arena itself.
type chunks struct {
	cur, old map[uint64][]sectionEnd
}

// A sectionEnd is the end of a section, and the batch that brought it.
type sectionEnd struct {
	upto  uint32
	batch uint64 // unique over all streams
}

const (
	chunkGeneration = 4096
	maxSectionEnds  = 1024 // of a chunk; the core's have 4 KiB, and a record at least 24 bytes
)

// upto is how far a chunk was delivered, when all who sent of it have ended.
func (c *chunks) upto(uid uint64) uint32 {
	var most uint32
	for _, e := range c.of(uid) {
		most = max(most, e.upto)
	}
	return most
}

func (c *chunks) of(uid uint64) []sectionEnd {
	if ends, ok := c.cur[uid]; ok {
		return ends
	}
	return c.old[uid]
}

// take tells whether a section is new, and notes it. A batch may have several
// sections for the same bytes.
func (c *chunks) take(uid uint64, upto uint32, batch uint64) bool {
	ends := c.of(uid)
	for i := len(ends) - 1; i >= 0; i-- {
		if ends[i].upto == upto {
			return ends[i].batch == batch
		}
	}
	if len(ends) >= maxSectionEnds {
		ends = ends[1:]
	}
	if len(c.cur) >= chunkGeneration {
		c.old, c.cur = c.cur, nil
	}
	if c.cur == nil {
		c.cur = make(map[uint64][]sectionEnd)
	}
	c.cur[uid] = append(ends, sectionEnd{upto, batch})
	return true
}

// carry is what outlives a connection: the drainer after it goes on with it.
type carry struct {
	open map[openKey]openCall
	fds  map[uint32]*fdTab
}

type openKey struct{ thread, seq uint32 }

// maxOpen bounds the calls in flight that are remembered per arena.
const maxOpen = 1 << 16

type openCall struct {
	probe    *Probe
	pid, tid uint32
	t        int64
	text     string // path or address, for the return
	fd       int64
}

type countStat struct {
	probe *Probe
	row   wire.CountRow
}
