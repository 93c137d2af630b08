package hooks

// SQLCache remembers the normalised form of recently seen texts: a program
// prepares the same few statements again and again. It is bounded by entries
// and by bytes, and is not for concurrent use.
type SQLCache struct {
	max  int
	m    map[string]*sqlEntry
	head *sqlEntry // most recently used; the list is a ring
	size int
}

type sqlEntry struct {
	raw        string
	norm       []byte
	prev, next *sqlEntry
}

// sqlCacheBytes bounds the texts a cache holds.
const sqlCacheBytes = 1 << 20

// NewSQLCache makes a cache of at most that many texts.
func NewSQLCache(entries int) *SQLCache {
	return &SQLCache{max: max(entries, 1), m: make(map[string]*sqlEntry)}
}

// Normalize is NormalizeSQL, remembered. The result must not be changed.
func (c *SQLCache) Normalize(sql []byte) []byte {
	if e := c.m[string(sql)]; e != nil {
		c.front(e)
		return e.norm
	}
	e := &sqlEntry{raw: string(sql), norm: NormalizeSQL(nil, sql)}
	c.m[e.raw] = e
	c.size += len(e.raw) + len(e.norm)
	c.insert(e)
	for len(c.m) > 1 && (len(c.m) > c.max || c.size > sqlCacheBytes) {
		old := c.head.prev
		c.unlink(old)
		delete(c.m, old.raw)
		c.size -= len(old.raw) + len(old.norm)
	}
	return e.norm
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
