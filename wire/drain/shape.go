package drain

import (
	"github.com/seam-project/seam/hooks/sqlshape"
	"github.com/seam-project/seam/wire"
	"github.com/seam-project/seam/wire/arena"
)

// shaped is a private copy of one call's records, made before anything is
// decoded from them: the originals can change under a decoder.
type shaped struct {
	enter, leave [256 * 8]byte
	words        [arena.MaxWords]uint64
	args         []byte
}

// payload is what follows the fixed part of a record; head is its first word.
func payload(rec []byte, fixed int) []byte {
	if le.Uint64(rec)>>16&arena.RecPayload == 0 || len(rec) < fixed {
		return nil
	}
	return rec[fixed:]
}

// rulesOf takes the set of rules that acted off the end of a record of which
// fixed bytes are its least; 0 when none did.
func rulesOf(rec []byte, fixed int) ([]byte, uint64) {
	if le.Uint64(rec)>>16&arena.RecRules == 0 || len(rec) < fixed+8 {
		return rec, 0
	}
	at := len(rec) - 8
	return rec[:at], le.Uint64(rec[at:])
}

func (c *shaped) load(s *site, rec []byte) (words []uint64) {
	words = c.words[:s.words]
	for i := range words {
		words[i] = le.Uint64(rec[arena.RecHead+8*i:])
	}
	return words
}

// call appends a complete call: both its records are at hand.
func (d *Drainer) call(buf []byte, r *arena.Ref, th *thread, s *site, id, seq uint32, rec, leave []byte) []byte {
	c := &d.shape
	d.decoding = s
	rec, leave = c.enter[:copy(c.enter[:], rec)], c.leave[:copy(c.leave[:], leave)]
	rec, rules := rulesOf(rec, s.enter)
	leave, after := rulesOf(leave, arena.LeaveSize)
	rules |= after
	ts, end := le.Uint64(rec[8:]), le.Uint64(leave[8:])
	words := c.load(s, rec)
	ret, failed := le.Uint64(leave[16:]), le.Uint64(leave)>>16&arena.RecFailed != 0
	t, dur := d.clock.ns(ts)-d.base, d.clock.dur(ts, end)
	text, native := []byte(nil), s.native && rules == 0
	if native {
		s.dec.Parse(payload(rec, s.enter), payload(leave, arena.LeaveSize))
		text, native = s.nativeText(words)
	}
	if !native {
		c.args = s.dec.AppendCall(c.args[:0], words, payload(rec, s.enter), payload(leave, arena.LeaveSize), ret, failed)
	}
	if s.op != sqlshape.OpNone {
		seq := seq + r.FirstSeq
		d.sqls.m.Feed(d.sqlCall(r, s, seq, words, ret, t+d.base, t+d.base+dur, d.around(th, len(d.stack), seq)))
	}
	if native {
		return d.appendNative(buf, id, seq, t, dur, s, rec[arena.RecHead:], ret, le.Uint32(leave[24:]), failed, text)
	}
	return d.finish(buf, s, wire.EvCall, id, seq, t, dur, ret, le.Uint32(leave[24:]), failed, rules)
}

// finish appends a call or leave event around the arguments that were just
// decoded.
func (d *Drainer) finish(buf []byte, s *site, kind byte, id, seq uint32, t, dur int64, ret uint64, errno uint32, failed bool, rules uint64) []byte {
	msg, has := s.dec.Reply()
	n := 8
	if has || rules != 0 {
		n = 9
	}
	buf = appendHead(buf, kind, n, id, seq, t)
	buf = wire.AppendInt(buf, dur)
	buf = s.dec.AppendRet(buf, ret, failed)
	buf = wire.AppendInt(buf, int64(s.hook.ErrOf(ret, errno, failed)))
	buf = append(buf, d.shape.args...)
	return wire.AppendExtra(buf, msg, has, rules)
}

// returned appends the return of a call that was sent as `enter`. Without o its
// start is not known any more.
func (d *Drainer) returned(buf []byte, r *arena.Ref, s *site, id, seq uint32, o *open, rec []byte) []byte {
	c := &d.shape
	d.decoding = s
	leave, rules := rulesOf(c.leave[:copy(c.leave[:], rec)], arena.LeaveSize)
	end := le.Uint64(leave[8:])
	dur := int64(-1)
	var words []uint64
	if o != nil {
		dur = d.clock.dur(o.ts, end)
		words = o.words[:s.words]
	}
	ret, failed := le.Uint64(leave[16:]), le.Uint64(leave)>>16&arena.RecFailed != 0
	c.args = s.dec.AppendLeave(c.args[:0], words, payload(leave, arena.LeaveSize), ret, failed)
	if s.op != sqlshape.OpNone {
		t := d.clock.ns(end)
		d.sqls.m.Leave(d.sqlCall(r, s, seq+r.FirstSeq, words, ret, t-max(dur, 0), t, around{}))
	}
	return d.finish(buf, s, wire.EvLeave, id, seq, d.clock.ns(end)-d.base, dur, ret, le.Uint32(leave[24:]), failed, rules)
}

// enter appends a call that has not returned, or never does.
func (d *Drainer) enter(buf []byte, r *arena.Ref, s *site, id, seq uint32, rec []byte) []byte {
	c := &d.shape
	d.decoding = s
	rec = c.enter[:copy(c.enter[:], rec)]
	rec, rules := rulesOf(rec, s.enter)
	n := 5
	if rules != 0 {
		n = 6
	}
	buf = appendHead(buf, wire.EvEnter, n, id, seq, d.clock.ns(le.Uint64(rec[8:]))-d.base)
	return wire.AppendExtra(s.dec.AppendEnter(buf, c.load(s, rec), payload(rec, s.enter)), nil, false, rules)
}

// sqlEnter tells the machine of a call that was appended by enter and may
// return.
func (d *Drainer) sqlEnter(r *arena.Ref, s *site, seq uint32, ts uint64, in around) {
	t := d.clock.ns(ts)
	d.sqls.m.Enter(d.sqlCall(r, s, seq, d.shape.words[:s.words], 0, t, t, in))
}

func appendHead(buf []byte, kind byte, fields int, id, seq uint32, t int64) []byte {
	buf = append(buf, 0x90|byte(fields), kind)
	buf = wire.AppendUint(buf, uint64(id))
	buf = wire.AppendUint(buf, uint64(seq))
	return wire.AppendInt(buf, t)
}
