// Package streamtest writes made-up streams, for tests of what reads them.
package streamtest

import "github.com/seam-project/seam/wire"

// T0 is when the processes of streamtest begin, epoch ns.
const T0 = 1_700_000_000_000_000_000

// A Stream gathers the bytes of one connection.
type Stream struct {
	B     []byte
	seq   uint64
	batch wire.Batch
	calls uint64
}

// ID returns an arena identity that differs by n.
func ID(n byte) (id [16]byte) {
	copy(id[:], "arena-for-tests")
	id[15] = n
	return id
}

// Hello begins the stream.
func (s *Stream) Hello(from string, arena byte, pid, ppid int, argv ...string) *Stream {
	h := wire.Hello{V: wire.Version, PID: pid, PPID: ppid, Arena: ID(arena), From: from, Policy: "drop-oldest", Buffer: 8 << 20, Ver: "test"}
	if from != "core" {
		h.Argv, h.Start = argv, T0
		if len(argv) > 0 {
			h.Exe = "/usr/bin/" + argv[0]
		}
	}
	s.B = wire.AppendHello(s.B, &h)
	return s
}

// Probes of Defs.
const (
	Open = iota
	Read
	Write
	Close
	Connect
	Getpid
	Exit
	Step
)

// Defs sends the definitions of the probes above.
func (s *Stream) Defs() *Stream {
	fd := wire.ArgDef{Name: "fd", Type: "fd"}
	size := wire.ArgDef{Name: "count", Type: "uint"}
	n := wire.ArgDef{Type: "int"}
	for _, p := range []wire.ProbeDef{
		{ID: Open, Name: "open", Pack: "file", Args: []wire.ArgDef{{Name: "file", Type: "string"}, {Name: "oflag", Type: "flags", Set: "open"}}, Ret: wire.ArgDef{Type: "fd"}},
		{ID: Read, Name: "read", Pack: "file", Args: []wire.ArgDef{fd, {Name: "buf", Type: "buffer", Out: true}, size}, Ret: n},
		{ID: Write, Name: "write", Pack: "file", Args: []wire.ArgDef{fd, {Name: "buf", Type: "buffer"}, size}, Ret: n},
		{ID: Close, Name: "close", Pack: "file", Args: []wire.ArgDef{fd}, Ret: n},
		{ID: Connect, Name: "connect", Pack: "net", Args: []wire.ArgDef{fd, {Name: "addr", Type: "sockaddr"}, {Name: "len", Type: "uint"}}, Ret: n},
		{ID: Getpid, Name: "getpid", Ret: wire.ArgDef{Type: "pid"}},
		{ID: Exit, Name: "_exit", Pack: "proc", Kind: "entry", Args: []wire.ArgDef{{Name: "status", Type: "int"}}, Ret: wire.ArgDef{Type: "void"}},
		{ID: Step, Name: "sqlite3_step", Lib: "libsqlite3.so.0", Pack: "sqlite", Args: []wire.ArgDef{{Name: "stmt", Type: "ptr"}}, Ret: n},
	} {
		if p.Kind == "" {
			p.Kind = "call"
		}
		if p.Lib == "" {
			p.Lib = "libc.so.6"
		}
		p.Errno = true
		s.B = wire.AppendProbe(s.B, &p)
	}
	return s
}

// Int and Str are argument values.
func Int(v int64) wire.Value  { return wire.Value{Kind: wire.VInt, Int: v} }
func Str(v string) wire.Value { return wire.Value{Kind: wire.VStr, Str: []byte(v)} }

// Withheld is the value of a secret of n bytes.
func Withheld(n int64) wire.Value {
	return wire.Value{Kind: wire.VInt, Status: wire.ArgWithheld, Int: n}
}

// Call is a complete call; t is ns since T0.
func Call(id uint32, seq uint32, t, dur, ret int64, errno int32, args ...wire.Value) wire.Event {
	return wire.Event{Kind: wire.EvCall, ID: id, Seq: seq, T: t, Dur: dur, Ret: Int(ret), Err: errno, Args: args}
}

// Enter is the beginning of a call, Leave its end.
func Enter(id, seq uint32, t int64, args ...wire.Value) wire.Event {
	return wire.Event{Kind: wire.EvEnter, ID: id, Seq: seq, T: t, Args: args}
}

// Leave is the end of a call.
func Leave(id, seq uint32, t, dur, ret int64, errno int32, args ...wire.Value) wire.Event {
	return wire.Event{Kind: wire.EvLeave, ID: id, Seq: seq, T: t, Dur: dur, Ret: Int(ret), Err: errno, Args: args}
}

// Statement is one execution of an SQL statement.
func Statement(t, dur int64, db, sql string, rows, rc int64, msg string) wire.Event {
	e := wire.Event{Kind: wire.EvStatement, T: t, Dur: dur, SQL: []byte(sql), Rows: rows, RC: rc}
	if db != "" {
		e.DB = []byte(db)
	}
	if msg != "" {
		e.Msg = []byte(msg)
	}
	return e
}

// Batch sends a batch of one section.
func (s *Stream) Batch(pid uint32, chunk uint64, upto uint32, events ...wire.Event) *Stream {
	s.seq++
	s.batch.Reset(s.seq, T0)
	s.batch.Section(&wire.Section{PID: pid, TID: pid, Thread: pid, Chunk: chunk})
	for i := range events {
		e := &events[i]
		if e.Kind == wire.EvCall || e.Kind == wire.EvEnter {
			s.calls++
		}
		s.batch.Buf = wire.AppendEvent(s.batch.Buf, e)
		s.batch.Events++
	}
	s.batch.EndSection(upto)
	s.B = append(s.B, s.batch.Finish()...)
	return s
}

// Calls is the number of calls sent so far.
func (s *Stream) Calls() uint64 { return s.calls }

// Bye ends the stream with a balance.
func (s *Stream) Bye(produced, delivered, dropped uint64, lost map[string]uint64) *Stream {
	a := wire.Account{Produced: produced, Delivered: delivered, Dropped: dropped, Lost: lost, ByProbe: map[uint32]uint64{}}
	if dropped > 0 {
		a.ByProbe[Read] = dropped
	}
	s.B = wire.AppendBye(s.B, T0+2e9, &a)
	return s
}

// OK ends the stream with a balance that holds.
func (s *Stream) OK() *Stream { return s.Bye(s.calls, s.calls, 0, nil) }

// Raw appends bytes.
func (s *Stream) Raw(b ...byte) *Stream {
	s.B = append(s.B, b...)
	return s
}

// Demo is a stream with something of everything.
func Demo() *Stream {
	s := new(Stream).Hello("agent", 1, 100, 1, "python3", "app.py", "--name", "a b").Defs()
	s.B = wire.AppendRefusal(s.B, "libc.so.6", "sysconf", "too-short", "4 bytes")
	s.B = wire.AppendRefusal(s.B, "libc.so.6", "getuid", "too-short", "3 bytes")
	s.B = wire.AppendError(s.B, T0, "callback", "a callback took too long", "raise its deadline", 3)
	flags := Str("O_RDONLY|O_CLOEXEC")
	s.Batch(100, 1, 4000,
		Call(Open, 1, 1e6, 12000, 3, 0, Str("/etc/passwd"), flags),
		Call(Read, 2, 2e6, 3000, 1500, 0, Int(3), Withheld(1500), Int(4096)),
		Call(Read, 3, 3e6, 1000, 0, 0, Int(3), Withheld(0), Int(4096)),
		Call(Close, 4, 4e6, 800, 0, 0, Int(3)),
		Call(Open, 5, 5e6, 9000, -1, 2, Str("/no/such\x1b[31mfile"), flags),
		Call(Connect, 6, 6e6, 250e3, 0, 0, Int(4), Str("127.0.0.1:80"), Int(16)),
		Call(Write, 7, 7e6, 5000, 300, 0, Int(4), Withheld(300), Int(300)),
		Call(Write, 8, 8e6, 5000, -1, 104, Int(4), Withheld(300), Int(300)),
		Call(Connect, 9, 9e6, 150e3, -1, 111, Int(5), Str("[::1]:5432"), Int(28)),
		Call(Write, 10, 10e6, 2000, 12, 0, Int(1), Withheld(12), Int(12)),
		Call(Step, 11, 11e6, 7e6, 101, 0, Int(0x1234)),
		Statement(11e6, 8e6, "/tmp/app.db", "SELECT name FROM users\n WHERE id = ?", 3, 101, ""),
		Statement(20e6, 1e6, "/tmp/app.db", "INSERT INTO users VALUES (?, ?)", 0, 19, "UNIQUE constraint failed: users.id"),
	)
	s.B = wire.AppendProcess(s.B, T0+30e6, &wire.Process{PID: 101, PPID: 100, What: "fork", Status: wire.StatusUnknown})
	s.Batch(101, 2, 900,
		Call(Getpid, 1, 31e6, 200, 101, 0),
		Enter(Read, 2, 32e6, Int(7)),
		Enter(Exit, 3, 33e6, Int(3)),
	)
	s.B = wire.AppendProcess(s.B, T0+34e6, &wire.Process{PID: 101, PPID: 100, What: "end", Status: 3})
	s.Batch(100, 1, 5000,
		Enter(Open, 12, 40e6, Str("/dev/slow"), flags),
	)
	s.Batch(100, 1, 5100,
		Leave(Open, 12, 40e6, 60e6, 6, 0, wire.Value{}, wire.Value{}),
	)
	s.B = wire.AppendCounts(s.B, T0+100e6, []wire.CountRow{{ID: Getpid, Calls: 0}})
	s.B = wire.AppendProcess(s.B, T0+120e6, &wire.Process{PID: 100, PPID: 1, What: "end", Status: 0})
	return s.Bye(20, 15, 5, map[string]uint64{"oldest": 5, "reentrant": 2, "arg_cut": 1})
}
