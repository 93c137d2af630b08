package wire

import (
	"maps"
	"slices"
)

// MsgSize, [9, n], may stand before any other message: the value that follows
// it is n bytes long. A reader that knows it can wait for n bytes instead of
// looking for the end of the value; as every unknown type it may be ignored.
const MsgSize = 9

func appendKeyString(b []byte, key, v string) []byte {
	return AppendString(AppendString(b, key), v)
}

func appendKeyInt(b []byte, key string, v int64) []byte {
	return AppendInt(AppendString(b, key), v)
}

func appendKeyUint(b []byte, key string, v uint64) []byte {
	return AppendUint(AppendString(b, key), v)
}

// AppendHello appends the first message of a connection. A hello of the core
// has only the keys that the core itself writes.
func AppendHello(b []byte, h *Hello) []byte {
	b = append(b, 0x92, MsgHello)
	if h.From == "core" {
		b = AppendMap(b, 4)
	} else {
		b = AppendMap(b, 13)
	}
	b = appendKeyInt(b, "v", int64(h.V))
	b = appendKeyInt(b, "pid", int64(h.PID))
	b = AppendBin(AppendString(b, "arena"), h.Arena[:])
	b = appendKeyString(b, "from", h.From)
	if h.From == "core" {
		return b
	}
	b = appendKeyInt(b, "ppid", int64(h.PPID))
	b = appendKeyString(b, "exe", h.Exe)
	b = AppendArray(AppendString(b, "argv"), len(h.Argv))
	for _, s := range h.Argv {
		b = AppendString(b, s)
	}
	b = appendKeyString(b, "cwd", h.Cwd)
	b = appendKeyInt(b, "start", h.Start)
	b = appendKeyUint(b, "spec", h.Spec)
	b = appendKeyString(b, "policy", h.Policy)
	b = appendKeyInt(b, "buffer", h.Buffer)
	return appendKeyString(b, "ver", h.Ver)
}

func appendArgDef(b []byte, a *ArgDef) []byte {
	n := 2
	if a.Out {
		n++
	}
	if a.Set != "" {
		n++
	}
	b = AppendMap(b, n)
	b = appendKeyString(b, "n", a.Name)
	b = appendKeyString(b, "t", a.Type)
	if a.Out {
		b = AppendBool(AppendString(b, "o"), true)
	}
	if a.Set != "" {
		b = appendKeyString(b, "s", a.Set)
	}
	return b
}

// AppendProbe appends the meaning of a probe id.
func AppendProbe(b []byte, p *ProbeDef) []byte {
	b = append(b, 0x93, MsgProbe)
	b = AppendUint(b, uint64(p.ID))
	n := 6
	if p.Pack != "" {
		n++
	}
	if p.Fail != "" {
		n++
	}
	b = AppendMap(b, n)
	b = appendKeyString(b, "name", p.Name)
	b = appendKeyString(b, "lib", p.Lib)
	if p.Pack != "" {
		b = appendKeyString(b, "pack", p.Pack)
	}
	b = appendKeyString(b, "kind", p.Kind)
	b = AppendArray(AppendString(b, "args"), len(p.Args))
	for i := range p.Args {
		b = appendArgDef(b, &p.Args[i])
	}
	b = appendArgDef(AppendString(b, "ret"), &p.Ret)
	if p.Fail != "" {
		b = appendKeyString(b, "fail", p.Fail)
	}
	return AppendBool(AppendString(b, "errno"), p.Errno)
}

// AppendCounts appends the totals of counting and histogram probes.
func AppendCounts(b []byte, t int64, rows []CountRow) []byte {
	b = append(b, 0x93, MsgCounts)
	b = AppendInt(b, t)
	b = AppendArray(b, len(rows))
	for i := range rows {
		r := &rows[i]
		if !r.HasHist {
			b = AppendUint(AppendUint(append(b, 0x92), uint64(r.ID)), r.Calls)
			continue
		}
		b = AppendUint(AppendUint(append(b, 0x93), uint64(r.ID)), r.Calls)
		b = append(b, 0x95)
		b = AppendUint(b, r.Calls)
		b = AppendInt(b, r.SumNS)
		b = AppendInt(b, r.MaxNS)
		b = AppendUint(b, r.Errors)
		b = AppendArray(b, len(r.Buckets))
		for _, k := range r.Buckets {
			b = AppendUint(AppendInt(append(b, 0x92), k.Upper), k.N)
		}
	}
	return b
}

// AppendAccount appends the balance of an arena.
func AppendAccount(b []byte, t int64, a *Account) []byte {
	return appendBalance(b, MsgAccount, t, a)
}

// AppendBye appends the last message of a drainer that ends in order.
func AppendBye(b []byte, t int64, a *Account) []byte {
	return appendBalance(b, MsgBye, t, a)
}

func appendBalance(b []byte, msg byte, t int64, a *Account) []byte {
	b = append(b, 0x93, msg)
	b = AppendInt(b, t)
	b = AppendMap(b, 6)
	b = appendKeyUint(b, "produced", a.Produced)
	b = appendKeyUint(b, "delivered", a.Delivered)
	b = appendKeyUint(b, "dropped", a.Dropped)
	b = appendKeyUint(b, "returns_lost", a.ReturnsLost)
	b = AppendMap(AppendString(b, "by_probe"), len(a.ByProbe))
	for _, id := range slices.Sorted(maps.Keys(a.ByProbe)) {
		b = AppendUint(AppendUint(b, uint64(id)), a.ByProbe[id])
	}
	b = AppendMap(AppendString(b, "lost"), len(a.Lost))
	for _, name := range slices.Sorted(maps.Keys(a.Lost)) {
		b = appendKeyUint(b, name, a.Lost[name])
	}
	return b
}

// AppendError appends an error: what happened, what to do, how often so far.
func AppendError(b []byte, t int64, code, text, advice string, count uint64) []byte {
	b = append(b, 0x96, MsgError)
	b = AppendInt(b, t)
	b = AppendString(b, code)
	b = AppendString(b, text)
	b = AppendString(b, advice)
	return AppendUint(b, count)
}

// StatusUnknown is the status of a process whose end nobody saw.
const StatusUnknown = -1

// AppendProcess appends the birth or end of a process; what is not known is left
// out.
func AppendProcess(b []byte, t int64, p *Process) []byte {
	b = append(b, 0x96, MsgProcess)
	b = AppendInt(b, t)
	b = AppendInt(b, int64(p.PID))
	b = AppendInt(b, int64(p.PPID))
	b = AppendString(b, p.What)
	n := 0
	for _, there := range []bool{p.Status != StatusUnknown, p.Signal != 0, p.Core, p.Agent, p.Dropped != 0, p.TID != 0, p.Thread != 0, p.Name != ""} {
		if there {
			n++
		}
	}
	b = AppendMap(b, n)
	if p.Status != StatusUnknown {
		b = appendKeyInt(b, "status", int64(p.Status))
	}
	if p.Signal != 0 {
		b = appendKeyInt(b, "signal", int64(p.Signal))
	}
	if p.Core {
		b = append(AppendString(b, "core"), 0xc3)
	}
	if p.Agent {
		b = append(AppendString(b, "agent"), 0xc3)
	}
	if p.Dropped != 0 {
		b = appendKeyUint(b, "dropped", p.Dropped)
	}
	if p.TID != 0 {
		b = appendKeyInt(b, "tid", int64(p.TID))
	}
	if p.Thread != 0 {
		b = appendKeyUint(b, "thread", uint64(p.Thread))
	}
	if p.Name != "" {
		b = AppendString(AppendString(b, "name"), p.Name)
	}
	return b
}

// SetWaitStatus sets how the process ended from what wait4 says of it.
func (p *Process) SetWaitStatus(s uint32) {
	if sig := s & 0x7f; sig != 0 {
		p.Signal, p.Core = int(sig), s&0x80 != 0
	} else {
		p.Status = int(s >> 8 & 0xff)
	}
}

// AppendRefusal appends a function that was asked for and is not watched.
func AppendRefusal(b []byte, object, symbol, reason, detail string) []byte {
	b = append(b, 0x95, MsgRefusal)
	b = AppendString(b, object)
	b = AppendString(b, symbol)
	b = AppendString(b, reason)
	return AppendString(b, detail)
}
