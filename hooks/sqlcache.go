package hooks

import (
	"bytes"
	"hash/maphash"
)

// SQLCache remembers the normalised form of recently seen texts: a program
// prepares the same few statements again and again. It is bounded by entries
// and by bytes, and is not for concurrent use.
type SQLCache struct {
	max  int
	m    map[string]*sqlEntry
	head *sqlEntry // most recently used; the list is a ring
	size int

	seed  maphash.Seed
	seen  [512]uint64 // hashes of texts that came once, by their low bits
	norms map[string][]byte
	norm  int    // bytes of norms
	buf   []byte // scratch
	last  []byte // the text before, and
	is    []byte // what it became
}

type sqlEntry struct {
	raw        string
	norm       []byte
	prev, next *sqlEntry
}

// sqlCacheBytes bounds the texts a cache holds, and what they became.
const sqlCacheBytes = 1 << 20

// NewSQLCache makes a cache of at most that many texts.
func NewSQLCache(entries int) *SQLCache {
	return &SQLCache{max: max(entries, 1), m: make(map[string]*sqlEntry), seed: maphash.MakeSeed(), norms: make(map[string][]byte)}
}

// Normalize is NormalizeSQL, remembered. The result must not be changed.
//
// A text is kept when it comes a second time. Programs that write values into their statements never
// say the same twice, and nothing is allocated for theirs: what these become is the same each time.
func (c *SQLCache) Normalize(sql []byte) []byte {
	if c.is != nil && bytes.Equal(c.last, sql) {
		return c.is
	}
	if e := c.m[string(sql)]; e != nil {
		c.front(e)
		return e.norm
	}
	c.buf = NormalizeSQL(c.buf[:0], sql)
	norm := c.one(c.buf)
	c.last, c.is = append(c.last[:0], sql...), norm
	h := maphash.Bytes(c.seed, sql)
	if at := &c.seen[h%uint64(len(c.seen))]; *at != h {
		*at = h
		return norm
	}
	e := &sqlEntry{raw: string(sql), norm: norm}
	c.m[e.raw] = e
	c.size += len(e.raw)
	c.insert(e)
	for len(c.m) > 1 && (len(c.m) > c.max || c.size > sqlCacheBytes) {
		old := c.head.prev
		c.unlink(old)
		delete(c.m, old.raw)
		c.size -= len(old.raw)
	}
	return norm
}

// one is the copy of a normalised text that all who have it share.
func (c *SQLCache) one(norm []byte) []byte {
	if s, ok := c.norms[string(norm)]; ok {
		return s
	}
	if len(c.norms) >= 4*c.max || c.norm > sqlCacheBytes {
		clear(c.norms)
		c.norm = 0
	}
	s := append(make([]byte, 0, len(norm)), norm...)
	c.norms[string(s)] = s
	c.norm += len(s)
	return s
}

// Len is the number of texts held.
func (c *SQLCache) Len() int { return len(c.m) }

func (c *SQLCache) insert(e *sqlEntry) {
	if c.head == nil {
		e.prev, e.next = e, e
	} else {
		e.prev, e.next = c.head.prev, c.head
		e.prev.next, e.next.prev = e, e
	}
	c.head = e
}

func (c *SQLCache) unlink(e *sqlEntry) {
	e.prev.next, e.next.prev = e.next, e.prev
	if c.head == e {
		c.head = e.next
	}
}

func (c *SQLCache) front(e *sqlEntry) {
	if c.head != e {
		c.unlink(e)
		c.insert(e)
	}
}
