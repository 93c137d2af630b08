package sqlshape

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/wire"
)

// script feeds calls written one per line and returns what was emitted.
//
//	op [p<pid>] [t<thread>] [h<handle>] [o<out>] [r<rc>] [s<start>] [e<end>] [q<seq>] [i] [x] ["text"] [!message]
//	+op / -op   Enter and Leave
//
// i: internal, x: inside an exec. The number is the start when not given.
type script struct {
	m     *SQLite
	out   []string
	clock int64
}

func newScript() *script {
	s := &script{}
	s.m = New(func(st *Statement) {
		line := fmt.Sprintf("p%d %s %s rows=%d rc=%d dur=%d", st.PID, orNil(st.DB), orNil(st.SQL), st.Rows, st.RC, st.Dur)
		if st.Msg != nil {
			line += " msg=" + string(st.Msg)
		}
		if st.Flags != 0 {
			line += fmt.Sprintf(" flags=%d", st.Flags)
		}
		s.out = append(s.out, line)
	})
	return s
}

func orNil(b []byte) string {
	if b == nil {
		return "-"
	}
	return "[" + string(b) + "]"
}

var ops = map[string]Op{"open": OpOpen, "close": OpClose, "prepare": OpPrepare, "step": OpStep, "reset": OpReset, "finalize": OpFinalize, "exec": OpExec, "table": OpTable}

func (s *script) run(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			s.line(t, line)
		}
	}
}

func (s *script) line(t *testing.T, line string) {
	t.Helper()
	c := Call{PID: 1, Thread: 1, Start: s.clock, End: s.clock + 10}
	s.clock += 100
	if head, tail, ok := strings.Cut(line, ` "`); ok {
		text, msg, _ := strings.Cut(tail, `"`)
		c.Text = []byte(text)
		line = head
		if _, m, ok := strings.Cut(msg, "!"); ok {
			c.Msg = []byte(m)
		}
	} else if head, m, ok := strings.Cut(line, " !"); ok {
		line, c.Msg = head, []byte(m)
	}
	words := strings.Fields(line)
	name := strings.TrimLeft(words[0], "+-")
	c.Op = ops[name]
	if c.Op == OpNone {
		t.Fatalf("unknown %q", line)
	}
	for _, w := range words[1:] {
		var n int64
		fmt.Sscanf(w[1:], "%d", &n)
		switch w[0] {
		case 'p':
			c.PID = uint32(n)
		case 't':
			c.Thread = uint32(n)
		case 'h':
			c.Handle = uint64(n)
		case 'o':
			c.Out = uint64(n)
		case 'r':
			c.RC = int32(n)
		case 's':
			c.Start = n
		case 'e':
			c.End = n
		case 'q':
			c.Seq = uint32(n)
		case 'i':
			c.Internal = true
		case 'x':
			c.Inside = true
		case 'c':
			c.Cut = true
		default:
			t.Fatalf("unknown %q in %q", w, line)
		}
	}
	if c.Seq == 0 {
		c.Seq = uint32(c.Start)
	}
	switch words[0][0] {
	case '+':
		s.m.Enter(&c)
	case '-':
		s.m.Leave(&c)
	default:
		s.m.Feed(&c)
	}
}

func TestStatements(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"one execution", `
			open o1 "a.db"
			prepare h1 o5 "SELECT ?"
			step h5 r100
			step h5 r100
			step h5 r101
			finalize h5`, `p1 [a.db] [SELECT ?] rows=2 rc=101 dur=30`},
		{"prepared once, run three times", `
			prepare h1 o5 "INSERT"
			step h5 r101
			reset h5
			step h5 r101
			step h5 r101
			reset h5
			finalize h5`, `p1 - [INSERT] rows=0 rc=101 dur=10
			p1 - [INSERT] rows=0 rc=101 dur=10
			p1 - [INSERT] rows=0 rc=101 dur=10`},
		{"left half-way", `
			prepare h1 o5 "A"
			step h5 r100
			reset h5
			step h5 r100
			finalize h5`, "p1 - [A] rows=1 rc=100 dur=10\np1 - [A] rows=1 rc=100 dur=10"},
		{"never stepped", "prepare h1 o5 \"A\"\nreset h5\nfinalize h5", ""},
		{"an error, with the library's message, once", `
			open o1 "a"
			prepare h1 o5 "INSERT"
			step h5 r2067 !UNIQUE constraint failed
			reset h5 r2067
			finalize h5`, `p1 [a] [INSERT] rows=0 rc=2067 dur=10 msg=UNIQUE constraint failed`},
		{"busy, tried again", "prepare h1 o5 \"A\"\nstep h5 r5\nstep h5 r101", "p1 - [A] rows=0 rc=5 dur=10\np1 - [A] rows=0 rc=101 dur=10"},
		{"an error in preparing", `
			open o1 "a"
			prepare h1 r1 "SELEC" !near SELEC`, `p1 [a] [SELEC] rows=0 rc=1 dur=10 msg=near SELEC`},
		{"nothing to prepare", `prepare h1 o0 ""`, ""},
		{"only the first statement of a text", `prepare h1 o5 c "A; B"
			step h5 r101`, "p1 - [A] rows=0 rc=101 dur=10"},
		{"a text that was cut", `prepare h1 o5 c "A"
			step h5 r101`, "p1 - [A] rows=0 rc=101 dur=10 flags=2"},
		{"not seen from the start", "step h5 r100\nstep h5 r101\nfinalize h5", "p1 - - rows=1 rc=101 dur=20"},
		{"a failed open", `open o1 r14 "/x" !unable to open`, "p1 [/x] - rows=0 rc=14 dur=10 msg=unable to open"},
		{"exec: what runs inside counts, once", `
			open s0 e1 o1 "a"
			prepare s1010 e1020 h1 o5 "A; B"
			step s1030 e1040 h5 r101
			prepare s1050 e1060 h1 o5 "B"
			step s1070 e1080 h5 r100
			step s1081 e1082 h5 r101
			exec s1000 e1100 h1 "A; B"`, "p1 [a] [A] rows=0 rc=101 dur=10\np1 [a] [B] rows=1 rc=101 dur=11"},
		{"exec whose insides are not seen", `open o1 "a"
			exec h1 "A; B"`, "p1 [a] [A; B] rows=0 rc=0 dur=10"},
		{"exec of nothing", `exec h1 ""`, ""},
		{"exec that fails inside", `
			prepare s1010 e1020 h1 o5 "A"
			step s1030 e1040 h5 r19 !constraint
			exec s1000 e1100 h1 r19 "A" !constraint`, "p1 - [A] rows=0 rc=19 dur=10 msg=constraint"},
		{"exec that fails in preparing", `
			prepare s1010 e1020 h1 r1 "A" !syntax
			exec s1000 e1100 h1 r1 "A" !syntax`, "p1 - [A] rows=0 rc=1 dur=10 msg=syntax"},
		{"exec whose callback says stop", `
			prepare s1010 e1020 h1 o5 "A"
			step s1030 e1040 h5 r100
			exec s1000 e1100 h1 r4 "A" !query aborted`, "p1 - [A] rows=1 rc=4 dur=10 msg=query aborted"},
		{"a failing step inside exec has exec's message", `
			open s0 e1 o1 "a"
			prepare s1010 e1020 x h1 o5 "A"
			step s1030 e1040 x h5 r19
			finalize s1050 e1060 x h5 r19
			exec s1000 e1100 h1 r2067 "A; B" !constraint`, "p1 [a] [A] rows=0 rc=2067 dur=10 msg=constraint"},
		{"a failing prepare inside exec has exec's message", `
			open s0 e1 o1 "a"
			prepare s1010 e1020 x h1 r1 "A; B"
			exec s1000 e1100 h1 r1 "A; B" !syntax`, "p1 [a] [A] rows=0 rc=1 dur=10 msg=syntax"},
		{"it was reported first by its own message", `
			prepare s1010 e1020 x h1 r1 "A" !syntax
			exec s1000 e1100 h1 r1 "A" !other`, "p1 - [A] rows=0 rc=1 dur=10 msg=syntax"},
		{"exec entered in one batch, left in another", `
			prepare s1010 e1020 x h1 r1 "A"
			+exec q1000 s1000 h1 "A"
			prepare s1200 e1210 h1 r7 "B"
			-exec q1000 e1300 r7 !no memory`, "p1 - [A] rows=0 rc=1 dur=10\np1 - [B] rows=0 rc=7 dur=10 msg=no memory"},
		{"what a callback failed at is not why exec failed", `
			open s0 e1 o1 "a"
			open s2 e3 o2 "b"
			prepare s1010 e1020 x h1 o5 "A"
			step s1030 e1040 x h5 r100
			prepare s1050 e1060 x h1 r1 "C"
			prepare s1065 e1066 x h2 r19 "D"
			step s1070 e1080 x h5 r19
			finalize s1082 e1083 x h9
			prepare s1085 e1090 x h2 r19 "E"
			exec s1000 e1100 h1 r19 "A" !constraint`, `p1 [a] [C] rows=0 rc=1 dur=10
			p1 [b] [D] rows=0 rc=19 dur=1
			p1 [a] [A] rows=1 rc=19 dur=20 msg=constraint
			p1 [b] [E] rows=0 rc=19 dur=5`},
		{"exec succeeds after all", `
			prepare s1010 e1020 x h1 r1 "C"
			exec s1000 e1100 h1 "A"`, "p1 - [C] rows=0 rc=1 dur=10"},
		{"the message comes from get_table around exec", `
			prepare s1010 e1020 x h1 r1 "A"
			exec s1005 e1030 x h1 r1 "A"
			table s1000 e1100 h1 r1 "A" !syntax`, "p1 - [A] rows=0 rc=1 dur=10 msg=syntax"},
		{"get_table around exec, insides not seen", `
			exec s1005 e1030 x h1 r1 "A"
			table s1000 e1100 h1 r1 "A" !syntax`, "p1 - [A] rows=0 rc=1 dur=25 msg=syntax"},
		{"exec was left by a jump", `
			prepare s1010 e1020 x h1 r1 "A"
			prepare s1030 e1040 t2 h1 o5 "B"
			prepare s1050 e1060 h1 o6 "C"
			step s1070 e1080 h6 r101
			exec s1090 e1100 h1 r1 !other`, "p1 - [A] rows=0 rc=1 dur=10\np1 - [C] rows=0 rc=101 dur=10\np1 - - rows=0 rc=1 dur=10 msg=other"},
		{"more failures than are kept", `
			prepare s1010 x h1 r1 "A"
			prepare s1020 x h1 r1 "B"
			prepare s1030 x h1 r1 "C"
			prepare s1040 x h1 r1 "D"
			prepare s1050 x h1 r1 "E"
			exec s1000 e1100 h1 r1 "A" !syntax`, "p1 - [A]\np1 - [B]\np1 - [C]\np1 - [D]\np1 - [E] rows=0 rc=1 dur=0 msg=syntax"},
		{"threads whose calls come out of order share an address", `
			open t1 s10 e20 o1 "a"
			prepare t1 s30 e40 h1 o5 "A"
			open t2 s490 e500 o1 "b"
			prepare t2 s510 e520 h1 o5 "B"
			step t1 s50 e60 h5 r101
			step t1 s70 e80 h5 r100
			prepare t1 s90 e95 h1 o6 "C"
			step t1 s96 e97 h6 r101
			finalize t1 s100 e110 h5
			close t1 s120 e130 h1
			step t2 s530 e540 h5 r101
			step t2 s545 e550 h5 r100
			finalize t2 s560 e570 h5
			prepare t2 s580 e590 h1 o7 "D"
			step t2 s595 e596 h7 r101
			close t2 s600 e610 h1
			step t2 s620 e630 h5 r101`, `p1 [a] [A] rows=0 rc=101
			p1 [a] [C] rows=0 rc=101
			p1 [a] [A] rows=1 rc=100
			p1 [b] [B] rows=0 rc=101
			p1 [b] [B] rows=1 rc=100
			p1 [b] [D] rows=0 rc=101
			p1 - - rows=0 rc=101`},
		{"the later one was heard of first", `
			prepare t2 s510 e520 h1 o5 "B"
			prepare t1 s30 e40 h1 o5 "A"
			step t1 s50 e60 h5 r101
			step t2 s530 e540 h5 r101`, "p1 - [A]\np1 - [B]"},
		{"numbers go around", `
			prepare s1010 q5 h1 o6 "B"
			prepare s1020 q2147483700 h1 o5 "A"
			step s9000000 q4294967290 h6 r100
			step s9000001 q4294967295 h5 r101
			prepare s9000002 q0 x h1 r1 "C"
			exec s9000001 q4294967294 h1 r1 "C" !syntax
			step s9000010 q9 h6 r101`, "p1 - [A]\np1 - [C] rows=0 rc=1 dur=0 msg=syntax\np1 - [B] rows=1 rc=101"},
		{"the handle of exec's statement is free again", `
			prepare s1010 e1020 h1 o5 "A"
			step s1030 e1040 h5 r101
			exec s1000 e1100 h1 "A"
			step s1200 e1210 h5 r101`, "p1 - [A] rows=0 rc=101 dur=10\np1 - - rows=0 rc=101 dur=10"},
		{"get_table runs exec", `
			prepare s1010 e1020 h1 o5 "A"
			step s1030 e1040 h5 r101
			exec s1005 e1050 h1 "A"
			table s1000 e1100 h1 "A"`, "p1 - [A] rows=0 rc=101 dur=10"},
		{"get_table runs exec, insides not seen", `
			exec s1005 e1050 h1 "A"
			table s1000 e1100 h1 "A"`, "p1 - [A] rows=0 rc=0 dur=45"},
		{"another thread's statements are not exec's", `
			prepare s1010 e1020 t2 h1 o5 "B"
			step s1030 e1040 t2 h5 r100
			exec s1000 e1100 t1 h1 "A"
			step s1200 e1210 t2 h5 r101`, "p1 - [A] rows=0 rc=0 dur=100\np1 - [B] rows=1 rc=101 dur=20"},
		{"the library's own", `
			prepare h1 o5 i "SELECT x"
			step h5 r101
			prepare h1 o5 "SELECT*FROM"main".sqlite_master ORDER BY rowid"
			step h5 r101`, "p1 - [SELECT x] rows=0 rc=101 dur=10 flags=4\np1 - [SELECT*FROM"},
		{"close forgets the database, its statements remember", `
			open o1 "a"
			prepare h1 o5 "A"
			close h1
			open o1 "b"
			step h5 r101
			prepare h1 o6 "B"
			step h6 r101`, "p1 [a] [A] rows=0 rc=101 dur=10\np1 [b] [B] rows=0 rc=101 dur=10"},
		{"a close that is refused", `
			open o1 "a"
			close h1 r5
			prepare h1 o6 "B"
			step h6 r101`, "p1 [a] [B] rows=0 rc=101 dur=10"},
		{"finalize not seen", `
			prepare h1 o5 "A"
			step h5 r100
			prepare h1 o5 "B"
			step h5 r101`, "p1 - [A] rows=1 rc=100 dur=10\np1 - [B] rows=0 rc=101 dur=10"},
		{"processes do not mix", `
			prepare p1 h1 o5 "A"
			prepare p2 h1 o5 "B"
			step p1 h5 r101
			step p2 h5 r101`, "p1 - [A] rows=0 rc=101 dur=10\np2 - [B] rows=0 rc=101 dur=10"},
		{"entered in one batch, left in another", `
			+prepare q7 s1000 h1 "A"
			-prepare q7 s0 e1100 o5
			+step q8 s1200 h5
			-step q8 s0 e1300 r101`, "p1 - [A] rows=0 rc=101 dur=100"},
		{"leave without its enter", "-step q8 s1000 e1010 h5 r101", "p1 - - rows=0 rc=101 dur=10"},
	} {
		s := newScript()
		s.run(t, c.in)
		var want []string
		for l := range strings.Lines(c.want) {
			want = append(want, strings.TrimSpace(l))
		}
		ok := len(want) == len(s.out)
		for i := range min(len(want), len(s.out)) {
			ok = ok && strings.HasPrefix(s.out[i], want[i])
		}
		if !ok {
			t.Errorf("%s\n got %s\nwant %s", c.name, strings.Join(s.out, "\n     "), strings.Join(want, "\n     "))
		}
	}
}

func TestFork(t *testing.T) {
	s := newScript()
	s.run(t, `
		open o1 "a"
		prepare h1 o5 "A"
		step h5 r100`)
	s.m.Fork(1, 2)
	s.run(t, `
		step p2 h5 r101
		prepare p2 h1 o6 "C"
		step p2 h6 r101
		close p2 h1
		finalize p2 h5
		step h5 r101
		prepare h1 o7 "D"
		step h7 r101`)
	want := []string{"p2 [a] [A] rows=0 rc=101", "p2 [a] [C] rows=0", "p1 [a] [A] rows=1 rc=101 dur=20", "p1 [a] [D]"}
	check(t, s, want)

	// The news of the fork comes after the child's first calls.
	s = newScript()
	s.run(t, "open o1 \"a\"\nprepare h1 o5 \"A\"\nprepare h1 o6 \"B\"\nstep p2 h5 r100\nprepare p2 h1 o6 \"mine\"")
	s.m.Fork(1, 2)
	s.m.Fork(1, 2)
	s.m.Fork(9, 2)
	s.run(t, "step p2 h5 r101\nstep p2 h6 r101")
	check(t, s, []string{"p2 [a] [A] rows=1 rc=101 dur=20", "p2 - [mine]"})
}

func check(t *testing.T, s *script, want []string) {
	t.Helper()
	if len(s.out) != len(want) {
		t.Fatalf("got %q, want %q", s.out, want)
	}
	for i := range want {
		if !strings.HasPrefix(s.out[i], want[i]) {
			t.Errorf("got %q, want %q", s.out[i], want[i])
		}
	}
}

func TestEndReportsWhatRuns(t *testing.T) {
	s := newScript()
	s.run(t, "prepare h1 o5 \"A\"\nstep h5 r100\nprepare h1 o6 \"B\"")
	s.m.End(1)
	s.m.End(1)
	s.m.End(77)
	check(t, s, []string{"p1 - [A] rows=1 rc=100 dur=10 flags=1"})
	if s.m.nstmt != 0 || s.m.ndb != 0 || s.m.nthr != 0 || len(s.m.procs) != 0 {
		t.Errorf("left behind: %d %d %d %d", s.m.nstmt, s.m.ndb, s.m.nthr, len(s.m.procs))
	}
}

// A failure is told though its exec never returns.
func TestFailureWithoutExec(t *testing.T) {
	for name, end := range map[string]func(*SQLite){
		"end":     func(m *SQLite) { m.End(1) },
		"running": func(m *SQLite) { m.Running(1); m.Running(1) },
		"evicted": func(m *SQLite) {
			for pid := range uint32(3 * maxProcs) {
				m.Feed(&Call{Op: OpStep, PID: pid + 2, Handle: 7, RC: 100})
			}
		},
		"threads": func(m *SQLite) {
			for thr := range uint32(maxThreads) {
				m.Feed(&Call{Op: OpStep, PID: 1, Thread: thr + 2, Handle: 7, RC: 100})
			}
		},
	} {
		s := newScript()
		s.run(t, "prepare s1010 e1020 x h1 r1 \"A\"")
		if len(s.out) != 0 || s.m.nfail != 1 {
			t.Errorf("%s: told too early: %q", name, s.out)
		}
		end(s.m)
		if name == "evicted" && len(s.out) == 0 {
			continue // another process was forgotten
		}
		check(t, s, []string{"p1 - [A] rows=0 rc=1 dur=10"})
		if s.m.nfail != 0 {
			t.Errorf("%s: %d failures wait", name, s.m.nfail)
		}
	}
}

func TestLostReturn(t *testing.T) {
	s := newScript()
	s.run(t, `+prepare q7 s1000 h1 "A"`)
	s.m.Lost(1, 1, 7)
	s.m.Lost(1, 9, 7)
	s.m.Lost(9, 1, 7)
	s.run(t, "-prepare q7 e1100 o5\nstep h5 r101")
	check(t, s, []string{"p1 - - rows=0"})
}

// One address is reused again and again, by threads that never finalize.
func TestReuseIsBounded(t *testing.T) {
	s := New(func(*Statement) {})
	for i := range 100 {
		c := Call{Op: OpOpen, PID: 1, Thread: uint32(i), Out: 1, Start: int64(10 * i), End: int64(10*i + 1)}
		s.Feed(&c)
		c.Op, c.Handle, c.Out = OpPrepare, 1, 5
		s.Feed(&c)
	}
	stmts, dbs := 0, 0
	for st := s.procs[1].stmts[5]; st != nil; st = st.old {
		stmts++
	}
	for d := s.procs[1].dbs[1]; d != nil; d = d.old {
		dbs++
	}
	if stmts > maxReuse || dbs > maxReuse || s.nstmt != stmts || s.ndb != dbs {
		t.Errorf("%d statements, %d counted; %d databases, %d counted", stmts, s.nstmt, dbs, s.ndb)
	}
	s.End(1)
	if s.nstmt != 0 || s.ndb != 0 || s.lru.next != &s.lru {
		t.Errorf("left behind: %d statements, %d databases", s.nstmt, s.ndb)
	}
}

// Whatever comes, memory stays bounded, and the counts add up.
func TestBounds(t *testing.T) {
	s := New(func(*Statement) {})
	for i := range uint64(3 * maxStmts) {
		pid := uint32(1 + i%5)
		s.Feed(&Call{Op: OpOpen, PID: pid, Thread: uint32(i), Out: i + 1, Text: []byte("f")})
		s.Feed(&Call{Op: OpPrepare, PID: pid, Thread: uint32(i), Handle: i + 1, Out: i + 1, Text: fmt.Appendf(nil, "SELECT %d", i)})
		s.Enter(&Call{Op: OpExec, PID: pid, Thread: 1, Seq: uint32(i), Text: make([]byte, 10000)})
	}
	for pid := range uint32(2 * maxProcs) {
		s.Feed(&Call{Op: OpStep, PID: pid + 100, Handle: 7, RC: 100})
	}
	s.Fork(1, 2)
	ring, dbs, thr, stmts := 0, 0, 0, 0
	for st := s.lru.next; st != &s.lru; st = st.next {
		ring++
	}
	for _, p := range s.procs {
		dbs += len(p.dbs)
		thr += len(p.threads)
		stmts += len(p.stmts)
	}
	if ring != s.nstmt || stmts != ring || dbs != s.ndb || thr != s.nthr {
		t.Errorf("counts: ring %d, maps %d, n %d; dbs %d, n %d; threads %d, n %d", ring, stmts, s.nstmt, dbs, s.ndb, thr, s.nthr)
	}
	if ring > maxStmts || dbs > maxDBs || thr > maxThreads || len(s.procs) > maxProcs || len(s.texts) > maxTexts {
		t.Errorf("%d statements, %d databases, %d threads, %d processes, %d texts", ring, dbs, thr, len(s.procs), len(s.texts))
	}
	if s.Evicted == 0 {
		t.Error("nothing counted as evicted")
	}
}

// A call decoded from its record and the same call read from the stream are
// the same to the machine.
func TestRecordAndEventAgree(t *testing.T) {
	h, _ := hooks.Lookup("", "sqlite3_prepare_v3")
	dec := hooks.NewDecoder(h, hooks.NewSQLCache(4))
	words := []uint64{0x10, 0x20, ^uint64(0), 1, 0x30, 0}
	enter := append([]byte{10, 0, 0, 0}, "select 'x'\x00\x00"...)
	leave := append([]byte{8, 0, 0, 1}, 0x55, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	args := dec.AppendCall(nil, words, enter, leave, 0, false)
	var a Call
	a.Op = OpOf(h.Name)
	a.FromRecord(dec, words, 0)
	if a.Handle != 0x10 || a.Out != 0x55 || string(a.Text) != "select ?" || a.RC != 0 || a.Cut {
		t.Errorf("%+v of %x", a, args)
	}
	b := Call{Op: a.Op}
	b.FromEvent(&wire.Event{Kind: wire.EvCall, T: 5, Dur: 7, Ret: wire.Value{Kind: wire.VStr, Str: []byte("SQLITE_BUSY")}, Args: []wire.Value{
		{Kind: wire.VUint, Int: 0x10}, {Kind: wire.VStr, Str: []byte("select ?"), Status: wire.ArgCut}, {Kind: wire.VInt, Int: -1}, {Kind: wire.VStr}, {Kind: wire.VUint, Int: 0x55}, {}}})
	if b.Handle != 0x10 || b.Out != 0x55 || string(b.Text) != "select ?" || b.RC != 5 || !b.Cut || b.Start != 5 || b.End != 12 {
		t.Errorf("%+v", b)
	}
	var c Call
	c.Op = OpOf("sqlite3_open_v2")
	c.FromEvent(&wire.Event{Kind: wire.EvLeave, T: 50, Dur: 7, Args: []wire.Value{{}, {Kind: wire.VInt, Int: 9}}})
	if c.Out != 9 || c.Handle != 0 || c.Start != 43 || c.End != 50 {
		t.Errorf("%+v", c)
	}
}

func TestOpOf(t *testing.T) {
	n := 0
	for _, h := range hooks.PackHooks("sqlite") {
		if OpOf(h.Name) != OpNone {
			n++
		}
		if op := OpOf(h.Name); op.outArg(len(h.Args)) >= 0 && h.Args[op.outArg(len(h.Args))].Type != hooks.TPtr ||
			op.textArg() >= 0 && h.Args[op.textArg()].Type != hooks.TSQL && op != OpOpen {
			t.Errorf("%s: arguments are not where they are looked for", h.Name)
		}
	}
	if n != 16 {
		t.Errorf("%d functions of the pack matter", n)
	}
}

func TestFirst(t *testing.T) {
	for _, c := range []struct {
		in, want string
		whole    bool
	}{
		{"", "", false}, {"A", "A", false}, {"A ; B", "A", true}, {`SELECT "a;b"; C`, `SELECT "a;b"`, true}, {"SELECT [a;b], `c;d`; C", "SELECT [a;b], `c;d`", true}, {`S "a;`, `S "a;`, false},
		{"CREATE TRIGGER t AFTER INSERT ON x BEGIN DELETE FROM y; SELECT ?; END; B", "CREATE TRIGGER t AFTER INSERT ON x BEGIN DELETE FROM y; SELECT ?; END", true},
		{"create temp trigger t begin select ?; end", "create temp trigger t begin select ?; end", false}, {"CREATE TABLE t (a); B", "CREATE TABLE t (a)", true},
	} {
		if got, whole := First([]byte(c.in)); string(got) != c.want || whole != c.whole {
			t.Errorf("%q: %q %v", c.in, got, whole)
		}
	}
}

func FuzzMachine(f *testing.F) {
	f.Add([]byte{1, 1, 1, 0, 3, 1, 5, 0, 4, 5, 0, 100, 7, 1, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := New(func(st *Statement) {
			if st.Dur < 0 || st.Rows < 0 {
				t.Fatalf("%+v", st)
			}
		})
		s.blind = len(b)%2 == 1 // as in a Shadow
		for now := int64(0); len(b) >= 4; b, now = b[4:], now+3 {
			c := Call{Op: Op(b[0] & 0xf), PID: uint32(b[0] >> 6), Thread: uint32(b[0] >> 4 & 3), Seq: uint32(b[2]), Handle: uint64(b[1] & 7), Out: uint64(b[2] & 7),
				RC: int32(b[3]), Inside: b[2]&0x80 != 0, Start: now - int64(b[1]>>3), End: now + int64(int8(b[2])), Text: b[:2]}
			switch b[1] & 0xc0 {
			case 0x40:
				s.Enter(&c)
			case 0x80:
				s.Leave(&c)
			default:
				s.Feed(&c)
			}
			switch b[3] {
			case 250:
				s.Fork(c.PID, c.Thread)
			case 251:
				s.End(c.PID)
			case 252:
				s.Running(c.PID)
			case 253:
				s.Lost(c.PID, c.Thread, c.Seq)
			}
		}
	})
}

func BenchmarkStep(b *testing.B) {
	s := New(func(*Statement) {})
	s.Feed(&Call{Op: OpPrepare, Out: 5, Text: []byte("A")})
	c := Call{Op: OpStep, Handle: 5, RC: 100}
	b.ReportAllocs()
	for b.Loop() {
		s.Feed(&c)
	}
}
