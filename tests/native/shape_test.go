package native

import (
	"bufio"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/sqlshape"
)

// shaper runs testdata/shape.c.
type shaper struct {
	in  io.Writer
	out *bufio.Reader
}

func newShaper(t testing.TB) *shaper {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "shape")
	out, err := exec.Command("gcc", "-O2", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover", "-Wall", "-Wno-unused-function", "-o", exe, "testdata/shape.c").CombinedOutput()
	if err != nil {
		t.Fatalf("compile: %v\n%s", err, out)
	}
	cmd := exec.Command(exe)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v\n%s", err, errs.String())
		}
	})
	return &shaper{stdin, bufio.NewReader(stdout)}
}

// shape is what the core makes of a text.
func (s *shaper) shape(t testing.TB, sql string) (shape, first string, whole bool) {
	t.Helper()
	if _, err := s.in.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(sql))), sql...)); err != nil {
		t.Fatal(err)
	}
	var head [12]byte
	if _, err := io.ReadFull(s.out, head[:]); err != nil {
		t.Fatalf("%q: %v", sql, err)
	}
	b := make([]byte, binary.LittleEndian.Uint32(head[:]))
	if _, err := io.ReadFull(s.out, b); err != nil {
		t.Fatal(err)
	}
	return string(b), string(b[:binary.LittleEndian.Uint32(head[4:])]), binary.LittleEndian.Uint32(head[8:]) != 0
}

func (s *shaper) compare(t testing.TB, sql string) bool {
	t.Helper()
	want := hooks.NormalizeSQL(nil, []byte(sql))
	wantFirst, wantWhole := sqlshape.First(want)
	got, first, whole := s.shape(t, sql)
	if got != string(want) || first != string(wantFirst) || whole != wantWhole {
		t.Errorf("%q:\nthe core has %q, first %q %v\nGo has       %q, first %q %v", sql, got, first, whole, want, wantFirst, wantWhole)
		return false
	}
	if len(want) > len(sql)+len(sql)/2+1 {
		t.Errorf("%q: %d bytes become %d: %q", sql, len(sql), len(want), want)
	}
	return true
}

// pieces of which texts are made that meet each branch.
var pieces = strings.Split(`select|SELECT|insert into|values|VALUES|(|)|,|;|'|''|'a'|"|"a"|"a b"|`+"`|`x`"+`|[|]|[a b]|in|IN|not in|as|pragma|PRAGMA|key|rekey|main|.|.5|1|0x1F|1e-5|1_000|x'41'|X'|--|`+"\n"+`|/*|*/|/|*|-|+|=|==|<|>|<=|!=|<>|!|?|?1|:a|@p|$x|$x::y|$x(|#1|#|:|@|$|a|b1|_|é|create|temp|trigger|begin|end|END| |  |`+"\t"+`|like|limit|between|default|database|attach|is|null|||&|%|~|\|`+"\x7f|\x01|\xff|(1,2)|(?, ?)|in (1, -2)|values (1),(1)|a=-1", "|")

// TestShape: the core's shape of a statement is that of the agent.
func TestShape(t *testing.T) {
	s := newShaper(t)
	for _, sql := range []string{"", ";", "select 1", "select 'a' from t where b in (1,2,-3) -- x", "insert into t values (1,'a'),(2,'b')", "PRAGMA key = 'x'",
		"create trigger a after insert on b begin select 1; select 2; end; select 3", "select 1; drop table t", "a\x00b", "select " + strings.Repeat("a,", 2000), strings.Repeat(";a", 1000)} {
		s.compare(t, sql)
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	for range 10000 {
		var b strings.Builder
		for range r.IntN(24) {
			b.WriteString(pieces[r.IntN(len(pieces))])
			if r.IntN(3) == 0 {
				b.WriteByte(' ')
			}
		}
		sql := b.String()
		if r.IntN(8) == 0 {
			sql = sql[:r.IntN(len(sql)+1)]
		}
		if !s.compare(t, sql) {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzShape(f *testing.F) {
	s := newShaper(f)
	for _, p := range pieces {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, sql string) { s.compare(t, sql) })
}
