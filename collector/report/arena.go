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
	seen      chunks
	carry     carry
	lent      bool // carry is with a stream
	defs      map[uint32]*Probe
}

// chunks remembers how far each chunk was delivered. Entries not renewed for
// two generations are forgotten: by then the drainer has long marked the
// bytes as consumed in the arena itself.
type chunks struct {
	cur, old map[uint64]uint32
}

const chunkGeneration = 4096

func (c *chunks) upto(uid uint64) uint32 {
	return max(c.cur[uid], c.old[uid])
}

func (c *chunks) set(uid uint64, upto uint32) {
	if upto <= c.upto(uid) && c.cur[uid] != 0 {
		return
	}
	if len(c.cur) >= chunkGeneration {
		c.old, c.cur = c.cur, nil
	}
	if c.cur == nil {
		c.cur = make(map[uint64]uint32)
	}
	c.cur[uid] = max(upto, c.old[uid], c.cur[uid])
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
