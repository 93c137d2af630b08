package drain

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/sqlshape"
	"github.com/seam-project/seam/wire"
	"github.com/seam-project/seam/wire/arena"
	"github.com/seam-project/seam/wire/arena/arenatest"
)

// sqlSink keeps the statements of a stream.
type sqlSink struct {
	*sink
	got []string
}

func (s *sqlSink) Event(c *wire.Section, e *wire.Event) {
	if e.Kind == wire.EvStatement {
		s.got = append(s.got, fmt.Sprintf("pid=%d t=%d dur=%d db=%s sql=%s rows=%d rc=%d msg=%s flags=%d",
			c.PID, e.T-1_700_000_000_000_000_000, e.Dur, e.DB, e.SQL, e.Rows, e.RC, e.Msg, e.Flags))
		return
	}
	s.sink.Event(c, e)
}

// sqlite writes the records of calls of the library.
type sqlite struct {
	th    *arenatest.Thread
	hooks []*hooks.Hook
	names map[string]int
	seqs  []uint32 // of calls that have not returned
}

// pop makes the last of those return.
func (q *sqlite) pop(name string, rc int, items []byte) {
	n := len(q.seqs) - 1
	q.leave(name, q.seqs[n], rc, items)
	q.seqs = q.seqs[:n]
}

// item is the payload of an argument's operation.
func (q *sqlite) item(name string, arg int, data string) []byte {
	h := q.hooks[q.names[name]]
	for i, op := range hooks.Ops(h) {
		if int(op.Arg) == int(h.Args[arg].Word) {
			return arenatest.Item(byte(i), 0, data)
		}
	}
	panic("argument is not captured")
}

func (q *sqlite) enter(name string, word0 uint64, items []byte) uint32 {
	n := q.names[name]
	regs, stack, _ := hooks.Words(q.hooks[n])
	words := make([]uint64, regs+stack)
	for i := range words {
		words[i] = ^uint64(0)
	}
	words[0] = word0
	seq, _ := q.th.Enter(arena.RecEnter, n, words, items)
	return seq
}

func (q *sqlite) leave(name string, seq uint32, rc int, items []byte) {
	errno := -1
	if rc != 0 && rc < 100 {
		errno = 0
	}
	q.th.Leave(q.names[name], seq, uint64(rc), errno, items)
}

func (q *sqlite) call(name string, word0 uint64, rc int, enter, leave []byte) {
	q.leave(name, q.enter(name, word0, enter), rc, leave)
}

func handle(v uint64) string { var b [8]byte; le.PutUint64(b[:], v); return string(b[:]) }

// library makes an arena with sites for functions of the library.
func library(t *testing.T, names ...string) (*arenatest.Mem, *sqlite) {
	t.Helper()
	q := &sqlite{names: map[string]int{}}
	cfg := arenatest.Config{Chunks: 8, ChunkSize: 4096}
	for i, name := range names {
		h, ok := hooks.Lookup("libsqlite3.so.0", name)
		if !ok {
			t.Fatalf("no hook %s", name)
		}
		def, as := packDef(t, "libsqlite3.so.0", name)
		cfg.Defs, cfg.Sites = append(cfg.Defs, def), append(cfg.Sites, as)
		q.hooks, q.names[name] = append(q.hooks, h), i
	}
	m := arenatest.New(cfg)
	q.th = m.Thread(0, 0)
	return m, q
}

func TestStatements(t *testing.T) {
	m, q := library(t, "sqlite3_open", "sqlite3_prepare_v2", "sqlite3_step", "sqlite3_finalize")
	s := &sqlSink{sink: newSink()}
	c := &conn{}
	d := New(m.Arena(), c, Options{Alive: always})
	const db, st = 0xdb, 0x57
	q.call("sqlite3_open", 0x1000, 0, q.item("sqlite3_open", 0, "a.db"), q.item("sqlite3_open", 1, handle(db)))
	q.call("sqlite3_prepare_v2", db, 0, q.item("sqlite3_prepare_v2", 1, "SELECT x FROM t WHERE id = 42"), q.item("sqlite3_prepare_v2", 3, handle(st)))
	t0 := q.th.Now + 10 - 1000
	q.call("sqlite3_step", st, 100, nil, nil)
	if _, err := d.Pass(); err != nil { // in the middle of an execution
		t.Fatal(err)
	}
	step := q.enter("sqlite3_step", st, nil)
	if _, err := d.Pass(); err != nil { // in the middle of a call
		t.Fatal(err)
	}
	q.leave("sqlite3_step", step, 101, nil)
	q.call("sqlite3_step", st, 19, nil, arenatest.Item(arena.OpReply, 0, "UNIQUE constraint failed"))
	q.call("sqlite3_step", st, 100, nil, nil)
	if _, err := d.Finish(); err != nil {
		t.Fatal(err)
	}
	if err := wire.NewDecoder(&c.buf).Run(s); err != nil {
		t.Fatal(err)
	}
	want := []string{
		fmt.Sprintf("pid=100 t=%d dur=20 db=a.db sql=SELECT x FROM t WHERE id = ? rows=1 rc=101 msg= flags=0", t0),
		fmt.Sprintf("pid=100 t=%d dur=10 db=a.db sql=SELECT x FROM t WHERE id = ? rows=0 rc=19 msg=UNIQUE constraint failed flags=0", t0+40),
		fmt.Sprintf("pid=100 t=%d dur=10 db=a.db sql=SELECT x FROM t WHERE id = ? rows=1 rc=100 msg= flags=1", t0+60),
	}
	if diff := cmp.Diff(want, s.got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n, _ := s.delivered(); n != 6 || s.bye.Delivered != 6 || s.bye.Produced != 6 {
		t.Errorf("delivered %d, bye %+v", n, s.bye)
	}
}

// follower is a reader that keeps a shadow.
type follower struct {
	*sqlSink
	ops    map[uint32]sqlshape.Op
	shadow *sqlshape.Shadow
}

func (f *follower) Probe(d *wire.ProbeDef) {
	f.ops[d.ID] = sqlshape.OpOf(d.Name)
	f.sqlSink.Probe(d)
}

func (f *follower) Event(sec *wire.Section, e *wire.Event) {
	if e.Kind != wire.EvStatement {
		f.shadow.Event(f.ops[e.ID], sec, e)
	}
	f.sqlSink.Event(sec, e)
}

// A drainer that takes over says what the one before would have said: of what
// is prepared, of what runs, and of what failed inside an exec. It does not
// matter where the first stops.
func TestStatementsOfTwoDrainers(t *testing.T) {
	const db, st = 0xdb, 0x57
	steps := []func(q *sqlite){
		func(q *sqlite) {
			q.call("sqlite3_open", 0x1000, 0, q.item("sqlite3_open", 0, "a.db"), q.item("sqlite3_open", 1, handle(db)))
		},
		func(q *sqlite) {
			q.seqs = append(q.seqs, q.enter("sqlite3_prepare_v2", db, q.item("sqlite3_prepare_v2", 1, "SELECT 1")))
		},
		func(q *sqlite) { q.pop("sqlite3_prepare_v2", 0, q.item("sqlite3_prepare_v2", 3, handle(st))) },
		func(q *sqlite) { q.call("sqlite3_step", st, 100, nil, nil) },
		func(q *sqlite) { q.seqs = append(q.seqs, q.enter("sqlite3_step", st, nil)) },
		func(q *sqlite) { q.pop("sqlite3_step", 101, nil) },
		func(q *sqlite) {
			q.seqs = append(q.seqs, q.enter("sqlite3_exec", db, q.item("sqlite3_exec", 1, "SELECT nope(2)")))
		},
		func(q *sqlite) {
			q.seqs = append(q.seqs, q.enter("sqlite3_prepare_v2", db, q.item("sqlite3_prepare_v2", 1, "SELECT nope(2)")))
		},
		func(q *sqlite) { q.pop("sqlite3_prepare_v2", 1, nil) },
		func(q *sqlite) { q.call("sqlite3_finalize", 0, 0, nil, nil) },
		func(q *sqlite) { q.pop("sqlite3_exec", 1, arenatest.Item(arena.OpReply, 0, "no such function")) },
		func(q *sqlite) { q.call("sqlite3_step", st, 100, nil, nil) },
	}
	var want []string
	for stop := range len(steps) + 1 {
		m, q := library(t, "sqlite3_open", "sqlite3_prepare_v2", "sqlite3_step", "sqlite3_finalize", "sqlite3_exec")
		f := &follower{sqlSink: &sqlSink{sink: newSink()}, ops: map[uint32]sqlshape.Op{}, shadow: sqlshape.NewShadow()}
		c := &conn{}
		d := New(m.Arena(), c, Options{Alive: always})
		for _, step := range steps[:stop] {
			step(q)
			if stop%2 == 0 { // in one pass, or in many
				if _, err := d.Pass(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := d.Pass(); err != nil {
			t.Fatal(err)
		}
		if err := wire.NewDecoder(&c.buf).Run(f); err != nil {
			t.Fatal(err)
		}
		c = &conn{}
		d = New(m.Arena(), c, Options{Alive: always, SQL: f.shadow.Take()})
		for _, step := range steps[stop:] {
			step(q)
		}
		if _, err := d.Finish(); err != nil {
			t.Fatal(err)
		}
		s := &sqlSink{sink: newSink(), got: f.got}
		if err := wire.NewDecoder(&c.buf).Run(s); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = s.got
			for i, sql := range []string{"sql=SELECT ? rows=1 rc=101 msg= flags=0", "sql=SELECT nope(?) rows=0 rc=1 msg=no such function flags=0", "sql=SELECT ? rows=1 rc=100 msg= flags=1"} {
				if len(want) != 3 || !strings.Contains(want[i], sql) || !strings.Contains(want[i], "db=a.db") {
					t.Fatalf("one drainer says %q", want)
				}
			}
		}
		if diff := cmp.Diff(want, s.got); diff != "" {
			t.Errorf("stopped after %d: -one drainer +two:\n%s", stop, diff)
		}
		// With nothing left only the first knows what a living thread made.
		if n := s.bye; stop < len(steps) && (n.Delivered != 8 || n.Produced != 8) {
			t.Errorf("stopped after %d: bye %+v", stop, n)
		}
	}
}
