package wire

import "encoding/binary"

// sizeHead is the length of the [9, n] that goes before each batch, with n in
// its longest form because it is filled in when the batch is complete.
const sizeHead = 7

// Batch builds one batch message in a buffer that is used again. Counts that
// are not known in advance are written in full width and filled in later.
//
//	Reset, { Section, events, EndSection }, Finish
//
// Events are appended to Buf by the caller, who adds them to Events.
type Batch struct {
	Buf    []byte
	Events uint32 // in the open section

	total    int
	nsec     uint32
	nsecAt   int
	seqAt    int
	uptoAt   int
	eventsAt int
}

// Reset starts an empty batch.
func (b *Batch) Reset(seq uint64, base int64) {
	b.Buf = append(b.Buf[:0], 0x92, MsgSize, 0xce, 0, 0, 0, 0)
	b.Buf = append(b.Buf, 0x94, MsgBatch)
	b.seqAt = len(b.Buf)
	b.Buf = append(b.Buf, 0xcf, 0, 0, 0, 0, 0, 0, 0, 0)
	binary.BigEndian.PutUint64(b.Buf[b.seqAt+1:], seq)
	b.Buf = AppendInt(b.Buf, base)
	b.nsecAt = len(b.Buf)
	b.Buf = append(b.Buf, 0xdd, 0, 0, 0, 0)
	b.nsec, b.Events, b.total = 0, 0, 0
}

// Section opens a section; s.Upto is given to EndSection.
func (b *Batch) Section(s *Section) {
	b.nsec++
	b.Events = 0
	p := append(b.Buf, 0x97)
	p = AppendUint(p, uint64(s.PID))
	p = AppendUint(p, uint64(s.TID))
	p = AppendUint(p, uint64(s.Thread))
	p = AppendUint(p, s.Chunk)
	b.uptoAt = len(p)
	p = append(p, 0xce, 0, 0, 0, 0)
	p = AppendUint(p, uint64(s.First))
	b.eventsAt = len(p)
	b.Buf = append(p, 0xdd, 0, 0, 0, 0)
}

// EndSection closes the open section.
func (b *Batch) EndSection(upto uint32) {
	binary.BigEndian.PutUint32(b.Buf[b.uptoAt+1:], upto)
	binary.BigEndian.PutUint32(b.Buf[b.eventsAt+1:], b.Events)
	b.total += int(b.Events)
}

// Sections is the number of sections so far.
func (b *Batch) Sections() int { return int(b.nsec) }

// Total is the number of events of the closed sections.
func (b *Batch) Total() int { return b.total }

// Len is the length of the message so far, bytes.
func (b *Batch) Len() int { return len(b.Buf) }

// Renumber gives the batch another seq, to send it on another connection.
func (b *Batch) Renumber(seq uint64) {
	binary.BigEndian.PutUint64(b.Buf[b.seqAt+1:], seq)
}

// Clear drops the batch.
func (b *Batch) Clear() { b.Buf, b.nsec, b.Events, b.total = b.Buf[:0], 0, 0, 0 }

// Finish completes the batch and returns its bytes, valid until Reset.
func (b *Batch) Finish() []byte {
	binary.BigEndian.PutUint32(b.Buf[b.nsecAt+1:], b.nsec)
	binary.BigEndian.PutUint32(b.Buf[3:], uint32(len(b.Buf)-sizeHead))
	return b.Buf
}

// AppendStatement appends a statement event. A nil db, sql or msg is sent as
// nil.
func AppendStatement(b []byte, t, dur int64, db, sql []byte, rows, rc int64, msg []byte, flags uint64) []byte {
	b = append(b, 0x99, EvStatement)
	b = AppendInt(b, t)
	b = AppendInt(b, dur)
	b = appendTextOrNil(b, db)
	b = appendTextOrNil(b, sql)
	b = AppendInt(b, rows)
	b = AppendInt(b, rc)
	b = appendTextOrNil(b, msg)
	return AppendUint(b, flags)
}

func appendTextOrNil(b, s []byte) []byte {
	if s == nil {
		return AppendNil(b)
	}
	return AppendText(b, s)
}

// AppendLost appends a call whose return record was dropped.
func AppendLost(b []byte, id, seq uint32, t int64) []byte {
	b = append(b, 0x94, EvLost)
	b = AppendUint(b, uint64(id))
	b = AppendUint(b, uint64(seq))
	return AppendInt(b, t)
}

// AppendEvent appends a call, enter or leave event from decoded values: for
// tests and tools, not for the hot path. seq and t are as on the stream, that
// is relative.
func AppendEvent(b []byte, e *Event) []byte {
	switch e.Kind {
	case EvStatement:
		return AppendStatement(b, e.T, e.Dur, e.DB, e.SQL, e.Rows, e.RC, e.Msg, uint64(e.Flags))
	case EvLost:
		return AppendLost(b, e.ID, e.Seq, e.T)
	case EvEnter:
		b = append(b, 0x95, EvEnter)
	default:
		if e.Msg != nil {
			b = append(b, 0x99, e.Kind)
		} else {
			b = append(b, 0x98, e.Kind)
		}
	}
	b = AppendUint(b, uint64(e.ID))
	b = AppendUint(b, uint64(e.Seq))
	b = AppendInt(b, e.T)
	if e.Kind != EvEnter {
		b = AppendInt(b, e.Dur)
		b = AppendValue(b, &e.Ret)
		b = AppendInt(b, int64(e.Err))
	}
	b = AppendArray(b, len(e.Args))
	for i := range e.Args {
		b = AppendValue(b, &e.Args[i])
	}
	if e.Kind != EvEnter && e.Msg != nil {
		b = AppendMap(b, 1)
		b = AppendText(AppendString(b, "msg"), e.Msg)
	}
	return b
}

// AppendValue appends a decoded value.
func AppendValue(b []byte, v *Value) []byte {
	if v.Status != ArgOK {
		if v.Kind == VNil {
			return append(b, 0x91, v.Status)
		}
		b = append(b, 0x92, v.Status)
	}
	switch v.Kind {
	case VInt:
		return AppendInt(b, v.Int)
	case VUint:
		return AppendUint(b, uint64(v.Int))
	case VStr:
		return AppendText(b, v.Str)
	case VList:
		b = AppendArray(b, len(v.List))
	case VMap:
		b = AppendMap(b, len(v.List)/2)
		for i := range v.List[:len(v.List)/2*2] {
			b = AppendValue(b, &v.List[i])
		}
		return b
	default:
		return AppendNil(b)
	}
	for i := range v.List {
		b = AppendValue(b, &v.List[i])
	}
	return b
}
