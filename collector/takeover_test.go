package collector

import (
	"bytes"
	"testing"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/wire"
	"github.com/seam-project/seam/wire/arena"
	"github.com/seam-project/seam/wire/arena/arenatest"
	"github.com/seam-project/seam/wire/drain"
)

// dying is an agent's connection: what was in the arena when its last batch had
// been written, and not committed, is what a SIGKILL there leaves.
type dying struct {
	bytes.Buffer
	m    *arenatest.Mem
	left []byte
}

func (c *dying) Write(b []byte) (int, error) {
	n, err := c.Buffer.Write(b)
	c.left = append(c.left[:0], c.m.B...)
	return n, err
}

// TestAgentTakesOver lets an agent send what another one had sent and not committed
// when it was killed, with more behind it. The reader must count each call once,
// whichever connection it reads first, and however it changes between them.
func TestAgentTakesOver(t *testing.T) {
	list, err := hooks.ParseProto("int f(long a)")
	if err != nil {
		t.Fatal(err)
	}
	m := arenatest.New(arenatest.Config{Chunks: 4, ChunkSize: 4096, Defs: [][]byte{hooks.EncodeDef(list[0], "libx.so", "", hooks.Log)}, Sites: []arena.Site{{Nwords: 1, Kind: arena.SiteFull}}})
	alive := func(pid, tid, ns uint32) bool { return true }
	th := []*arenatest.Thread{m.Thread(0, 0), m.Thread(1, 0)}
	call := func(n int) {
		for i := range n {
			th[i%2].Call(0, []uint64{1}, 2)
		}
	}
	call(9)
	first := &dying{m: m}
	d := drain.New(m.Arena(), first, drain.Options{Hello: wire.Hello{PID: 100, From: "agent"}, Alive: alive})
	if _, err := d.Pass(); err != nil {
		t.Fatal(err)
	}
	call(6)
	if _, err := d.Pass(); err != nil {
		t.Fatal(err)
	}
	copy(m.B, first.left) // killed
	call(20)
	var second bytes.Buffer
	d = drain.New(m.Arena(), &second, drain.Options{Hello: wire.Hello{PID: 101, From: "agent"}, Alive: alive})
	for range 2 { // what the other one may have sent, and what follows
		if _, err := d.Pass(); err != nil {
			t.Fatal(err)
		}
	}
	var last bytes.Buffer // when all are dead
	d = drain.New(m.Arena(), &last, drain.Options{Hello: wire.Hello{PID: 100, From: "collector"}, Alive: func(pid, tid, ns uint32) bool { return false }})
	if n, err := d.Finish(); n != 0 || err != nil {
		t.Fatalf("%d calls are left, %v", n, err)
	}
	for name, turn := range map[string]func(i int) int{
		"the dead one's first": func(int) int { return 0 },
		"the new one's first":  func(int) int { return 1 },
		"by turns":             func(i int) int { return i % 2 },
		"two of the new one's": func(i int) int { return min(i%3, 1) },
	} {
		b := report.NewBuilder(report.Options{})
		decs := []*wire.Decoder{wire.NewDecoder(bytes.NewReader(first.Bytes())), wire.NewDecoder(bytes.NewReader(second.Bytes()))}
		streams := []*report.Stream{b.Stream(nil), b.Stream(nil)}
		for i := 0; decs[0] != nil || decs[1] != nil; i++ {
			k := turn(i)
			if decs[k] == nil {
				k = 1 - k
			}
			if err := decs[k].Next(streams[k]); err != nil {
				streams[k].Close(err)
				decs[k] = nil
			}
		}
		end, dec := b.Stream(nil), wire.NewDecoder(bytes.NewReader(last.Bytes()))
		for err := error(nil); err == nil; {
			if err = dec.Next(end); err != nil {
				end.Close(err)
			}
		}
		r := b.Report()
		if a := r.Account; a.Produced != 35 || a.Delivered != 35 || a.Unaccounted != 0 || a.Duplicates != 6 || len(r.Errors) != 0 {
			t.Errorf("%s: %+v %v", name, a, r.Errors)
		}
	}
}
