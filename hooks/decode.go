package hooks

import (
	"encoding/binary"
	"strconv"
)

// Status of a payload item, as enum seam_read of abi.h, and of a value that is
// withheld; on the stream [status, value?].
const (
	statusOK       = 0
	statusCut      = 1
	statusNull     = 2
	statusBad      = 3
	statusSkipped  = 4
	statusWithheld = 5
)

const (
	itemHead = 4    // bytes of struct seam_item
	opReply  = 0xff // SEAM_OPIDX_REPLY
)

// Decoder turns the raw words and payload items of one function's calls into
// the values of the stream. It keeps scratch memory: one goroutine at a time.
type Decoder struct {
	h     *Hook
	argOp []int8 // by argument: index of its operation, -1 none
	retOp int8
	nops  int
	dep   []int8 // by argument: the one that says whether it was passed at all, -1 always
	sql   *SQLCache
	items [maxOps]item
	have  uint32 // bit per item
	reply item
	buf   []byte
	msg   []byte
}

type item struct {
	b      []byte
	status uint8
}

// NewDecoder prepares for the calls of one hook. The cache may be shared by
// the decoders of one goroutine; nil means that SQL is normalised each time.
func NewDecoder(h *Hook, cache *SQLCache) *Decoder {
	d := &Decoder{h: h, retOp: -1, sql: cache}
	d.argOp = make([]int8, len(h.Args))
	d.dep = make([]int8, len(h.Args))
	n := 0
	for i := range h.Args {
		d.argOp[i] = -1
		if _, ok := argOp(h, &h.Args[i]); ok && n < maxOps {
			d.argOp[i] = int8(n)
			n++
		}
		d.dep[i] = -1
		if h.Variadic {
			d.dep[i] = optional(h, i)
		}
	}
	d.nops = len(Ops(h))
	if d.nops > n {
		d.retOp = int8(n)
	}
	return d
}

// Hook is what the decoder was made for.
func (d *Decoder) Hook() *Hook { return d.h }

// optional finds the argument that decides whether argument i exists: open's
// mode without O_CREAT and fcntl's third with F_GETFL are whatever was in the
// register.
func optional(h *Hook, i int) int8 {
	for j := 0; j < i; j++ {
		a := &h.Args[j]
		if a.Type == TFlags && a.Set == "open" && h.Args[i].Type == TMode ||
			a.Type == TEnum && a.Set == "fcntl" && i == len(h.Args)-1 {
			return int8(j)
		}
	}
	return -1
}

// passed reports whether the optional argument i is there.
func (d *Decoder) passed(i int, words []uint64) bool {
	j := d.dep[i]
	if j < 0 {
		return true
	}
	v, ok := d.word(int(j), words)
	if !ok {
		return false
	}
	if d.h.Args[j].Type == TFlags {
		return openHasMode(v)
	}
	return fcntlHasArg(v)
}

// word is the captured word of argument i.
func (d *Decoder) word(i int, words []uint64) (uint64, bool) {
	w := int(d.h.Args[i].Word)
	if w < 0 || w >= len(words) {
		return 0, false
	}
	return words[w], true
}

// parse notes where the items are. Whatever does not add up ends it.
func (d *Decoder) parse(b []byte) {
	for len(b) >= itemHead {
		n := int(binary.LittleEndian.Uint16(b))
		if itemHead+n > len(b) {
			return
		}
		it := item{b: b[itemHead : itemHead+n], status: b[2]}
		switch op := b[3]; {
		case int(op) < d.nops:
			d.items[op] = it
			d.have |= 1 << op
		case op == opReply:
			d.reply = it
		}
		b = b[min((itemHead+n+7)&^7, len(b)):]
	}
}

func (d *Decoder) reset() {
	d.have = 0
	d.reply = item{}
}

// AppendEnter appends the array of arguments as known when the call began; an
// out argument is nil.
func (d *Decoder) AppendEnter(dst []byte, words []uint64, items []byte) []byte {
	d.reset()
	d.parse(items)
	if d.h.NoProto {
		return appendWords(dst, words)
	}
	dst = appendArray(dst, len(d.h.Args))
	for i := range d.h.Args {
		if d.h.Args[i].Out {
			dst = appendNil(dst)
		} else {
			dst = d.appendIn(dst, i, words)
		}
	}
	return dst
}

// AppendLeave appends the array of arguments that were known only at return;
// the others are nil. The words of the entry may be nil when they are gone.
func (d *Decoder) AppendLeave(dst []byte, words []uint64, items []byte, ret uint64, failed bool) []byte {
	d.reset()
	d.parse(items)
	dst = appendArray(dst, len(d.h.Args))
	for i := range d.h.Args {
		if d.h.Args[i].Out {
			dst = d.appendOut(dst, i, words, ret, failed)
		} else {
			dst = appendNil(dst)
		}
	}
	return dst
}

// Parse takes the items of a complete call, for Text and what is asked behind it, without appending anything.
func (d *Decoder) Parse(enter, leave []byte) {
	d.reset()
	d.parse(enter)
	d.parse(leave)
}

// AppendCall appends the array of all arguments of a complete call.
func (d *Decoder) AppendCall(dst []byte, words []uint64, enter, leave []byte, ret uint64, failed bool) []byte {
	d.Parse(enter, leave)
	if d.h.NoProto {
		return appendWords(dst, words)
	}
	dst = appendArray(dst, len(d.h.Args))
	for i := range d.h.Args {
		if d.h.Args[i].Out {
			dst = d.appendOut(dst, i, words, ret, failed)
		} else {
			dst = d.appendIn(dst, i, words)
		}
	}
	return dst
}

// AppendRet appends the result. It belongs to the items of the AppendLeave or
// AppendCall before it.
func (d *Decoder) AppendRet(dst []byte, ret uint64, failed bool) []byte {
	a := &d.h.Ret
	if d.retOp >= 0 && !failed {
		return d.appendItem(dst, a, int(d.retOp), nil, 0)
	}
	switch a.Type {
	case TVoid, TFloat:
		return appendNil(dst)
	case TStruct:
		if a.Size == 0 {
			return appendStatus(dst, statusSkipped) // in registers: not a pointer, and not all of it
		}
		return appendPtr(dst, ret)
	case TString, TBuffer, TSQL, TStrv, TSockaddr, TVec:
		return appendPtr(dst, ret)
	}
	if failed && a.Set == wstatusSet {
		return appendInt(dst, int64(int32(ret)))
	}
	return d.appendScalar(dst, a, ret, nil)
}

// Reply is what the agent fetched from the library for a failed call, from the
// items of the last AppendLeave or AppendCall: without the data that messages
// quote. It is valid until the next call is decoded.
func (d *Decoder) Reply() ([]byte, bool) {
	if d.reply.b == nil || d.reply.status > statusCut {
		return nil, false
	}
	d.msg = RedactMessage(d.msg[:0], d.reply.b)
	return d.msg, true
}

// ErrOf is the err of an event: 0, an errno, or -1 when the call failed and
// errno says nothing.
func (h *Hook) ErrOf(ret uint64, errno uint32, failed bool) int32 {
	switch {
	case !failed:
		return 0
	case h.Ret.Type == TErrno && int32(ret) > 0:
		return int32(ret)
	case h.Errno && errno != 0 && errno < 1<<16:
		return int32(errno)
	}
	return -1
}

func appendWords(dst []byte, words []uint64) []byte {
	dst = appendArray(dst, len(words))
	for _, w := range words {
		dst = appendUint(dst, w)
	}
	return dst
}

func appendStatus(dst []byte, status byte) []byte { return append(dst, 0x91, status) }

// appendWithheld notes how long the content would have been, if that is known.
func appendWithheld(dst []byte, status byte, n int64, known bool) []byte {
	if !known {
		return appendStatus(dst, status)
	}
	return appendInt(append(dst, 0x92, status), n)
}

func appendPtr(dst []byte, v uint64) []byte {
	if v == 0 {
		return appendNil(dst)
	}
	return appendUint(dst, v)
}

// appendIn appends an argument known at entry.
func (d *Decoder) appendIn(dst []byte, i int, words []uint64) []byte {
	a := &d.h.Args[i]
	v, ok := d.word(i, words)
	if !ok {
		if a.Secret {
			return appendStatus(dst, statusWithheld)
		}
		return appendStatus(dst, statusSkipped)
	}
	switch a.Type {
	case TInt, TPid:
		if d.dep[i] < 0 {
			return appendInt(dst, signExtend(v, a.Size))
		}
		fallthrough
	case TUint, TFD, TFlags, TEnum, TMode, TErrno:
		if !d.passed(i, words) {
			return appendNil(dst)
		}
		return d.appendScalar(dst, a, v, words)
	case TPtr:
		return appendPtr(dst, v)
	}
	if v == 0 {
		return appendNil(dst)
	}
	if op := d.argOp[i]; op >= 0 {
		return d.appendItem(dst, a, int(op), words, 0)
	}
	status := byte(statusSkipped)
	if a.Secret {
		status = statusWithheld
	}
	n, known := d.count(a, words, 0)
	return appendWithheld(dst, status, n, known)
}

// appendOut appends an argument known at return.
func (d *Decoder) appendOut(dst []byte, i int, words []uint64, ret uint64, failed bool) []byte {
	a := &d.h.Args[i]
	v, ok := d.word(i, words)
	if ok && v == 0 {
		return appendNil(dst)
	}
	if op := d.argOp[i]; op >= 0 {
		if failed && d.have&(1<<op) == 0 || a.Set == wstatusSet && int32(ret) == 0 && d.h.Ret.Type == TPid {
			// Nothing was stored: the call failed, or no child had changed.
			return appendNil(dst)
		}
		return d.appendItem(dst, a, int(op), words, ret)
	}
	if failed {
		return appendNil(dst)
	}
	status := byte(statusSkipped)
	if a.Secret {
		status = statusWithheld
	}
	n, known := d.count(a, words, ret)
	return appendWithheld(dst, status, n, known)
}

// count is the length that the counting argument or the result gives.
func (d *Decoder) count(a *Arg, words []uint64, ret uint64) (int64, bool) {
	switch {
	case a.Len == LenRet:
		return max(signExtend(ret, d.h.Ret.Size), 0), true
	case a.Len < 0 || a.LenPtr || int(a.Len) >= len(d.h.Args):
		return 0, false
	}
	n, ok := d.word(int(a.Len), words)
	if !ok {
		return 0, false
	}
	c := &d.h.Args[a.Len]
	if c.Type == TUint || c.Size == 8 && c.Type != TInt {
		return int64(zeroExtend(n, c.Size)), true
	}
	v := signExtend(n, c.Size)
	return v, v >= 0
}

func signExtend(v uint64, size uint8) int64 {
	switch size {
	case 1:
		return int64(int8(v))
	case 2:
		return int64(int16(v))
	case 4:
		return int64(int32(v))
	}
	return int64(v)
}

func zeroExtend(v uint64, size uint8) uint64 {
	switch size {
	case 1, 2, 4:
		return v & (1<<(8*size) - 1)
	}
	return v
}

// appendScalar appends an integer of any meaning.
func (d *Decoder) appendScalar(dst []byte, a *Arg, v uint64, words []uint64) []byte {
	switch a.Type {
	case TInt, TPid:
		return appendInt(dst, signExtend(v, a.Size))
	case TUint:
		return appendUint(dst, zeroExtend(v, a.Size))
	case TFD:
		if a.Set == dirfdSet && int32(v) == atFDCWD {
			return appendStr(dst, "AT_FDCWD")
		}
		return appendInt(dst, int64(int32(v)))
	case TPtr:
		return appendPtr(dst, v)
	case TMode:
		d.buf = strconv.AppendUint(append(d.buf[:0], '0'), zeroExtend(v, a.Size), 8)
		return appendText(dst, d.buf)
	case TErrno:
		if n := int(int32(v)); n > 0 {
			if s := ErrnoName(n); s != "" {
				return appendStr(dst, s)
			}
		}
		return appendInt(dst, int64(int32(v)))
	case TFlags:
		if s := sets()[a.Set]; s != nil {
			d.buf = s.appendTo(d.buf[:0], zeroExtend(v, a.Size))
			return appendText(dst, d.buf)
		}
		if vals := valsOf(a.Set, a.Vals); vals != nil {
			d.buf = appendBits(d.buf[:0], vals, zeroExtend(v, a.Size))
			return appendText(dst, d.buf)
		}
		return appendUint(dst, zeroExtend(v, a.Size))
	case TEnum:
		return d.appendEnum(dst, a, v, words)
	}
	return appendUint(dst, v)
}

func (d *Decoder) appendEnum(dst []byte, a *Arg, v uint64, words []uint64) []byte {
	switch a.Set {
	case wstatusSet:
		d.buf = appendWaitStatus(d.buf[:0], uint32(v))
		return appendText(dst, d.buf)
	case signalSet:
		if s := SignalName(int(int32(v))); s != "" {
			return appendStr(dst, s)
		}
		return appendInt(dst, int64(int32(v)))
	case sockoptSet:
		if s, ok := d.sockopt(a, v, words); ok {
			return appendStr(dst, s)
		}
		return appendInt(dst, int64(int32(v)))
	}
	if s := sets()[a.Set]; s != nil {
		if name, ok := s.lookup(zeroExtend(v, a.Size)); ok {
			return appendStr(dst, name)
		}
		if a.Set == sqliteSet {
			if name, ok := s.lookup(v & 0xff); ok {
				d.buf = strconv.AppendUint(append(append(d.buf[:0], name...), '('), v&0xffffffff, 10)
				return appendText(dst, append(d.buf, ')'))
			}
		}
	}
	vals := valsOf(a.Set, a.Vals)
	for i := range vals {
		if zeroExtend(uint64(vals[i].Value), a.Size) == zeroExtend(v, a.Size) {
			return appendStr(dst, vals[i].Name)
		}
	}
	if a.signed() {
		return appendInt(dst, signExtend(v, a.Size))
	}
	return appendUint(dst, zeroExtend(v, a.Size))
}

// sockopt names a socket option by the level in the argument before it.
func (d *Decoder) sockopt(a *Arg, v uint64, words []uint64) (string, bool) {
	for i := range d.h.Args {
		if d.h.Args[i].Set != "sol" {
			continue
		}
		level, ok := d.word(i, words)
		if s := sets()[optionSet(uint32(level))]; ok && s != nil {
			return s.lookup(v & 0xffffffff)
		}
	}
	return "", false
}

// appendItem appends what was read behind a pointer.
func (d *Decoder) appendItem(dst []byte, a *Arg, op int, words []uint64, ret uint64) []byte {
	if d.have&(1<<op) == 0 {
		return appendStatus(dst, statusSkipped)
	}
	it := d.items[op]
	switch it.status {
	case statusOK, statusCut:
	case statusNull:
		return appendNil(dst)
	case statusBad:
		return appendStatus(dst, statusBad)
	default:
		return appendStatus(dst, statusSkipped)
	}
	cut := it.status == statusCut
	switch a.Type {
	case TString, TBuffer:
		return d.appendContent(dst, it.b, cut)
	case TSQL:
		return d.appendSQL(dst, a, it.b, cut, words)
	case TStrv:
		return d.appendStrv(dst, it.b, cut)
	case TSockaddr:
		d.buf = AppendSockaddr(d.buf[:0], it.b)
		return appendText(dst, d.buf)
	case TStruct:
		if len(a.Fields) == 1 && a.Fields[0].Name == "" {
			return d.appendElem(dst, &a.Fields[0], it.b)
		}
		if a.Fields != nil {
			return d.appendFields(dst, a.Fields, it.b)
		}
		return d.appendStruct(dst, a.Set, it.b)
	case TVec:
		return d.appendVec(dst, a, it.b, cut)
	}
	// An out integer, pointer, flags ...
	if len(it.b) < int(max(a.Size, 1)) {
		return appendStatus(dst, statusBad)
	}
	var raw [8]byte
	copy(raw[:], it.b[:min(len(it.b), 8)])
	return d.appendScalar(dst, a, binary.LittleEndian.Uint64(raw[:]), words)
}

// appendContent appends text or bytes, redacted.
func (d *Decoder) appendContent(dst, b []byte, cut bool) []byte {
	if cut {
		dst = append(dst, 0x92, statusCut)
	}
	if !suspicious(b) {
		return appendText(dst, b)
	}
	d.buf = redact(d.buf[:0], b, cut)
	return appendText(dst, d.buf)
}

func (d *Decoder) appendSQL(dst []byte, a *Arg, b []byte, cut bool, words []uint64) []byte {
	b, cut = d.sqlText(a, b, cut, words)
	if cut {
		dst = append(dst, 0x92, statusCut)
	}
	if d.sql != nil {
		return appendText(dst, d.sql.Normalize(b))
	}
	d.buf = NormalizeSQL(d.buf[:0], b)
	return appendText(dst, d.buf)
}

// sqlText is the statement's own text: as far as its count says, as UTF-8.
func (d *Decoder) sqlText(a *Arg, b []byte, cut bool, words []uint64) ([]byte, bool) {
	if n, ok := d.count(a, words, 0); ok && a.Len != LenRet && n <= int64(len(b)) {
		b, cut = b[:n], false
	}
	if a.Set == utf16Set {
		var ended bool
		d.buf, ended = appendUTF16(d.buf[:0], b)
		// The copy: NormalizeSQL writes to the scratch that holds its input.
		return append([]byte(nil), d.buf...), cut && !ended
	}
	return b, cut
}

// appendStrv appends a vector; each string is followed by NUL, the last one
// not if it was cut.
func (d *Decoder) appendStrv(dst, b []byte, cut bool) []byte {
	if cut {
		dst = append(dst, 0x92, statusCut)
	}
	n := 0
	for i, c := range b {
		if c == 0 || i == len(b)-1 {
			n++
		}
	}
	dst = appendArray(dst, n)
	var r argvRedactor
	for len(b) > 0 {
		end := 0
		for end < len(b) && b[end] != 0 {
			end++
		}
		d.buf = r.next(d.buf[:0], b[:end], cut && end == len(b))
		dst = appendText(dst, d.buf)
		b = b[min(end+1, len(b)):]
	}
	return dst
}

// Text is the text of argument i of the call decoded last: redacted, or SQL
// normalised. It is valid until the next call is decoded.
func (d *Decoder) Text(i int, words []uint64) (text []byte, cut, ok bool) {
	b, a, cut, ok := d.content(i)
	if !ok {
		return nil, false, false
	}
	switch a.Type {
	case TSQL:
		b, cut = d.sqlText(a, b, cut, words)
		if d.sql != nil {
			return d.sql.Normalize(b), cut, true
		}
		d.buf = NormalizeSQL(d.buf[:0], b)
		return d.buf, cut, true
	case TString:
		if !suspicious(b) {
			return b, cut, true
		}
		d.buf = redact(d.buf[:0], b, cut)
		return d.buf, cut, true
	}
	return nil, false, false
}

// OutPointer is the pointer that the call decoded last stored behind argument
// i; 0 when it is not known.
func (d *Decoder) OutPointer(i int) uint64 {
	b, a, _, ok := d.content(i)
	if !ok || a.Type != TPtr || len(b) < 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

// content is what was read behind argument i.
func (d *Decoder) content(i int) (b []byte, a *Arg, cut, ok bool) {
	if i < 0 || i >= len(d.argOp) || d.argOp[i] < 0 || d.have&(1<<d.argOp[i]) == 0 {
		return nil, nil, false, false
	}
	it := &d.items[d.argOp[i]]
	if it.status > statusCut {
		return nil, nil, false, false
	}
	return it.b, &d.h.Args[i], it.status == statusCut, true
}
