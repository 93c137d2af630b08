package wire

import (
	"bytes"
	"testing"
)

// plainBatch is a batch of n calls with six integer arguments.
func plainBatch(n int) []byte {
	var b Batch
	b.Reset(1, 1_700_000_000_000_000_000)
	b.Section(&Section{PID: 4000, TID: 4001, Thread: 7, Chunk: 99})
	e := Event{Kind: EvCall, ID: 3, Dur: 45, Ret: Value{Kind: VInt, Int: 4096}, Args: make([]Value, 6)}
	for k, v := range []int64{3, 0x7ffd1234, 4096, 0, 1, 70000} {
		e.Args[k] = Value{Kind: VInt, Int: v}
	}
	for i := range n {
		e.Seq, e.T = uint32(i), int64(i)*100
		b.Buf = AppendEvent(b.Buf, &e)
		b.Events++
	}
	b.EndSection(uint32(n * 96))
	return b.Finish()
}

type loop struct {
	b []byte
	r bytes.Reader
	n int
}

func (l *loop) Read(p []byte) (int, error) {
	if l.r.Len() == 0 {
		l.r.Reset(l.b)
	}
	return l.r.Read(p)
}

type countEvents struct {
	null
	n   int
	sum int64
}

func (c *countEvents) Event(s *Section, e *Event) { c.n++; c.sum += e.Dur + e.Args[1].Int }

type countCalls struct {
	null
	n   int
	sum int64
}

func (c *countCalls) Call(s *Section, k *Call) bool { c.n++; c.sum += k.Dur; return true }

// BenchmarkDecode is the cost of a call with six integers, from bytes to an
// Event, or to a Call for a reader that does not look at arguments.
func BenchmarkDecode(b *testing.B) {
	raw := plainBatch(4000)
	run := func(b *testing.B, raw []byte, h Handler, n func() int) {
		d := NewDecoder(&loop{b: raw})
		b.ReportAllocs()
		for n() < b.N {
			if err := d.Next(h); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("event", func(b *testing.B) { h := &countEvents{}; run(b, raw, h, func() int { return h.n }) })
	b.Run("call", func(b *testing.B) { h := &countCalls{}; run(b, raw, h, func() int { return h.n }) })
	b.Run("call unsized", func(b *testing.B) {
		h := &countCalls{}
		run(b, raw[sizeHead:], h, func() int { return h.n })
	})
}

func BenchmarkEncode(b *testing.B) {
	p := make([]byte, 256)
	args := [6]int64{3, 0x7ffd1234, 4096, 0, 1, 70000}
	b.ReportAllocs()
	for n := range b.N {
		i := PutUint(p, 2, 3)
		i = PutUint(p, i, uint64(n&0xfff))
		i = PutInt(p, i, int64(n&0xfff)*100)
		i = PutInt(p, i, 45)
		i = PutInt(p, i, 4096)
		i = PutInt(p, i, 0)
		i++
		for _, a := range args {
			i = PutInt(p, i, a)
		}
	}
}
