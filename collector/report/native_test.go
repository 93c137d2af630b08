package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/wire"
)

// Calls in the native form make the same report as those that were encoded.
func TestNativeSaysTheSame(t *testing.T) {
	// made reports on calls of a function: some succeed, some fail, on two paths and three descriptors.
	made := func(def *wire.ProbeDef, n *wire.Native) []byte {
		b := NewBuilder(Options{})
		s := b.Stream(nil)
		var dec wire.Decoder
		feed := func(p []byte) {
			t.Helper()
			if err := dec.Feed(p, s); err != nil {
				t.Fatal(err)
			}
		}
		feed(wire.AppendHello(nil, &wire.Hello{V: wire.Version, PID: 7, Arena: [16]byte{1}, From: "agent", Exe: "/x", Start: 1}))
		feed(wire.AppendProbe(nil, def))
		opener := wire.ProbeDef{ID: 1, Name: "open", Lib: "libc.so.6", Pack: "file", Kind: hooks.KindCall,
			Args: []wire.ArgDef{{Name: "path", Type: "string"}}, Ret: wire.ArgDef{Type: "fd"}}
		feed(wire.AppendProbe(nil, &opener))
		var batch wire.Batch
		batch.Reset(1, 1000)
		batch.Section(&wire.Section{PID: 7, TID: 7, Thread: 1, Chunk: 1})
		for i := range 40 {
			e := wire.Event{Kind: wire.EvCall, Seq: uint32(2 * i), ID: 1, T: int64(100 * i), Dur: 5, Ret: wire.Value{Kind: wire.VInt, Int: int64(3 + i%3)},
				Args: []wire.Value{{Kind: wire.VStr, Str: fmt.Appendf(nil, "/opened/%d", i%2)}}}
			if i%4 == 0 {
				batch.Buf = wire.AppendEvent(batch.Buf, &e)
				batch.Events++
			}
			text := fmt.Appendf(nil, "/named/%d", i%2)
			e = wire.Event{Kind: wire.EvCall, Seq: uint32(2*i + 1), ID: 0, T: int64(100*i + 20), Dur: int64(10 + i), Ret: wire.Value{Kind: wire.VInt, Int: int64(i % 6)}}
			if i%5 == 0 {
				e.Err, e.Ret.Int = 2, -1
			}
			for k := range def.Args {
				v := wire.Value{Kind: wire.VInt, Int: int64(3 + i%3)}
				if def.Args[k].Type == "string" {
					v = wire.Value{Kind: wire.VStr, Str: text}
				}
				e.Args = append(e.Args, v)
			}
			if n == nil {
				batch.Buf = wire.AppendEvent(batch.Buf, &e)
			} else {
				c := wire.Call{ID: 0, Seq: e.Seq, T: e.T, Dur: e.Dur, Err: e.Err}
				if n.First || n.Text >= 0 {
					c.Ret, c.RetKind = e.Ret.Int, wire.VInt
				}
				if c.HasFirst = n.First; n.First {
					c.First = e.Args[0].Int
				}
				if n.Text >= 0 {
					c.Text = text
				}
				batch.Buf = wire.AppendNative(batch.Buf, &c)
			}
			batch.Events++
		}
		batch.EndSection(100)
		feed(batch.Finish())
		s.Close(nil)
		out, err := json.Marshal(b.Report())
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	native, files := 0, 0
	for _, pack := range hooks.Packs() {
		for _, h := range hooks.PackHooks(pack) {
			def := defOf(h)
			n := Native(def)
			if !n.OK {
				continue
			}
			native++
			full, short := made(def, nil), made(def, &n)
			if !bytes.Equal(full, short) {
				t.Errorf("%s:\nencoded %s\nnative  %s", h.Name, full, short)
			}
			if bytes.Contains(short, []byte("/named/")) {
				files++
			}
		}
	}
	if native < 100 || files < 30 {
		t.Errorf("%d functions in the native form, %d with a path", native, files)
	}
}
