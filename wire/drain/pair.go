package drain

import (
	"github.com/seam-project/seam/hooks/sqlshape"
	"github.com/seam-project/seam/wire/arena"
)

// Limits of what is remembered of calls that have not returned.
const (
	lookBack = 64 // entries searched for the call that a return belongs to
	maxOpen  = 64 // sent enters kept per thread, to give their return a duration
)

// entered is an ENTER record of this pass whose return has not been seen. It
// points into the chunk.
type entered struct {
	at, size int
	seq      uint32
	site     uint16
}

// open is a call sent as `enter`. Losing it costs the duration, no more.
type open struct {
	seq   uint32
	site  uint16
	left  bool // by a jump, as far as can be told
	ts    uint64
	words [arena.MaxWords]uint64
}

// thread is what the drainer keeps per entry of the thread table.
type thread struct {
	uid    uint32
	opens  []open
	name   string
	told   bool // its name, on this connection
	active bool // since its name was last asked for
}

func (d *Drainer) thread(r *arena.Ref) *thread {
	if int(r.Thread) >= len(d.a.Threads()) {
		d.stray = thread{}
		return &d.stray
	}
	for len(d.threads) <= int(r.Thread) {
		d.threads = append(d.threads, thread{})
		d.seen = append(d.seen, arena.Seen{})
	}
	t := &d.threads[r.Thread]
	if t.uid != r.ThreadUID {
		*t = thread{uid: r.ThreadUID, opens: t.opens[:0]}
		d.seen[r.Thread] = arena.Seen{UID: r.ThreadUID}
	}
	return t
}

// records appends the events of data[at:end] to the batch and returns how far
// it came (short of end when the batch is full) and how many calls were entered
// on the way. It never reads beyond data and always gets on: a record that makes
// no sense ends the run as if the rest were not there.
func (d *Drainer) records(r *arena.Ref, t *thread, data []byte, at, end int) (int, uint64) {
	data = data[:end]
	var calls, events uint64
	var last uint32
	first := r.FirstSeq
	buf := d.batch.Buf
	d.stack = d.stack[:0]
	for at < end && len(buf) < d.hard {
		if end-at < arena.RecHead {
			d.fault(faultRecord)
			at = end
			break
		}
		w := le.Uint64(data[at:])
		size, id, seq := int(uint8(w>>24))*8, uint32(uint16(w)), uint32(w>>32)
		var s *site
		if int(id) < len(d.sites) && d.sites[id].known {
			s = &d.sites[id]
		} else {
			s = d.load(id)
		}
		if size < arena.RecHead || size > end-at || s == nil {
			d.fault(faultRecord)
			at = end
			break
		}
		if !s.announced {
			d.announce(id, s)
		}
		rec := data[at : at+size : at+size]
		switch uint8(w>>16) & arena.RecKind {
		case arena.RecEnter:
			if size < s.enter {
				d.fault(faultRecord)
				at = end
				continue
			}
			calls++
			last = seq
			// Most calls make no other recorded call: the return comes next.
			if next := at + size; end-next >= arena.LeaveSize {
				v := le.Uint64(data[next:])
				lsize := int(uint8(v>>24)) * 8
				if uint8(v>>16)&arena.RecKind == arena.RecLeave && uint32(v>>32) == seq && uint32(uint16(v)) == id &&
					lsize >= arena.LeaveSize && lsize <= end-next {
					leave := data[next : next+lsize : next+lsize]
					ts, end := le.Uint64(rec[8:]), le.Uint64(leave[8:])
					if s.native && s.needs.Text < 0 && s.op == sqlshape.OpNone && (w|v)>>16&arena.RecRules == 0 {
						buf = d.appendNative(buf, id, seq-first, d.clock.ns(ts)-d.base, d.clock.dur(ts, end), s, rec[arena.RecHead:],
							le.Uint64(leave[16:]), le.Uint32(leave[24:]), v>>16&arena.RecFailed != 0, nil)
					} else if s.plain && (w|v)>>16&(arena.RecPayload|arena.RecRules) == 0 {
						buf = appendPlainCall(buf, id, seq-first, d.clock.ns(ts)-d.base, d.clock.dur(ts, end),
							s, rec[arena.RecHead:], le.Uint64(leave[16:]), errOf(s, v, leave))
					} else {
						buf = d.call(buf, r, t, s, id, seq-first, rec, leave)
						if d.sqls.n > 0 {
							var n uint64
							buf, n = d.sqls.take(buf)
							events += n
						}
					}
					events++
					at = next + lsize
					continue
				}
			}
			d.stack = append(d.stack, entered{at: at, size: size, seq: seq, site: uint16(id)})
		case arena.RecLeave:
			if size < arena.LeaveSize {
				d.fault(faultRecord)
				at = end
				continue
			}
			var n int
			buf, n = d.leave(buf, r, t, s, id, seq, data, rec)
			events += uint64(n)
			if d.sqls.n > 0 {
				var n uint64
				buf, n = d.sqls.take(buf)
				events += n
			}
		case arena.RecEntry:
			if size < s.enter {
				d.fault(faultRecord)
				at = end
				continue
			}
			calls++
			last = seq
			buf = d.enter(buf, r, s, id, seq-first, rec)
			events++
		default: // a kind of record we do not know
			d.fault(faultRecord)
		}
		at += size
	}
	for i := range d.stack {
		buf = d.sendOpen(buf, r, t, data, i)
		events++
	}
	d.stack = d.stack[:0]
	d.batch.Buf = buf
	d.batch.Events += uint32(events)
	if calls > 0 && t != &d.stray {
		d.seen[r.Thread] = arena.Seen{UID: r.ThreadUID, Seq: last, Any: true}
	}
	return at, calls
}

// errOf is a plain call's err on the stream (hooks.Hook.ErrOf), from the head v
// of its LEAVE record.
func errOf(s *site, v uint64, leave []byte) int32 {
	if v>>16&arena.RecFailed == 0 {
		return 0
	}
	if e := le.Uint32(leave[24:]); s.errno && e != 0 && e < 1<<16 {
		return int32(e)
	}
	return -1
}

// leave handles a return that does not directly follow its call.
func (d *Drainer) leave(buf []byte, r *arena.Ref, t *thread, s *site, id, seq uint32, data, rec []byte) ([]byte, int) {
	n := 0
	for k, i := 0, len(d.stack)-1; i >= 0; k, i = k+1, i-1 {
		e := d.stack[i]
		match := e.seq == seq && uint32(e.site) == id
		if !match && k < lookBack {
			continue
		}
		// What was entered above it was left by a jump, or waits in another
		// coroutine. A search without result gives the whole stack up, so that an
		// enter never comes after its leave.
		from := i + 1
		if !match {
			from = 0
		}
		for j := from; j < len(d.stack); j++ {
			buf = d.sendOpen(buf, r, t, data, j)
			n++
		}
		if !match {
			d.stack = d.stack[:0]
			break
		}
		d.stack = d.stack[:i]
		t.leave(seq)
		return d.call(buf, r, t, s, id, seq-r.FirstSeq, data[e.at:e.at+e.size], rec), n + 1
	}
	for i := len(t.opens) - 1; i >= 0; i-- {
		o := &t.opens[i]
		if o.seq != seq || uint32(o.site) != id {
			continue
		}
		buf = d.returned(buf, r, s, id, seq-r.FirstSeq, o, rec)
		t.leave(seq)
		t.opens = append(t.opens[:i], t.opens[i+1:]...)
		return buf, n + 1
	}
	return d.returned(buf, r, s, id, seq-r.FirstSeq, nil, rec), n + 1
}

// leave marks the open calls that were entered after call seq, which returned:
// they were left by a jump, unless they wait in another coroutine.
func (t *thread) leave(seq uint32) {
	for i := range t.opens {
		if int32(t.opens[i].seq-seq) > 0 {
			t.opens[i].left = true
		}
	}
}

// sendOpen sends call i of the stack, which has not returned, as `enter`, and
// remembers it.
func (d *Drainer) sendOpen(buf []byte, r *arena.Ref, t *thread, data []byte, i int) []byte {
	e := &d.stack[i]
	s := &d.sites[e.site]
	rec := data[e.at : e.at+e.size : e.at+e.size]
	if len(t.opens) >= maxOpen {
		t.opens = append(t.opens[:0], t.opens[1:]...)
	}
	t.opens = append(t.opens, open{})
	o := &t.opens[len(t.opens)-1]
	o.seq, o.site, o.ts = e.seq, e.site, le.Uint64(rec[8:])
	for k := range s.words {
		o.words[k] = le.Uint64(rec[arena.RecHead+8*k:])
	}
	buf = d.enter(buf, r, s, uint32(e.site), e.seq-r.FirstSeq, rec)
	if s.op != sqlshape.OpNone {
		d.sqlEnter(r, s, e.seq, o.ts, d.around(t, i, e.seq))
	}
	return buf
}
