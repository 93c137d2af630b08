package hooks

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/vmihailenco/msgpack/v5"
)

// Every hook there is comes back from its definition, and captures the same.
func TestDefRoundTrip(t *testing.T) {
	hooks := []*Hook{Unknown("f")}
	for _, n := range Names() {
		h, _ := Lookup("", n)
		hooks = append(hooks, h)
	}
	for _, h := range hooks {
		b := EncodeDef(h, "libx.so.1", "", Log)
		got, lib, kind, err := DecodeDef(b)
		if err != nil {
			t.Fatalf("%s: %v", h.Name, err)
		}
		if d := cmp.Diff(h, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: %s", h.Name, d)
		}
		if lib != "libx.so.1" || kind != KindOf(h, Log) {
			t.Errorf("%s: lib %q kind %q", h.Name, lib, kind)
		}
		if d := cmp.Diff(Ops(h), Ops(got)); d != "" {
			t.Errorf("%s: operations %s", h.Name, d)
		}
	}
}

// Another msgpack library reads the keys that the protocol promises.
func TestDefIsTheProtocols(t *testing.T) {
	h, _ := Lookup("", "openat")
	var m map[string]any
	if err := msgpack.Unmarshal(EncodeDef(h, "libc.so.6", KindCall, Log), &m); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"name": "openat", "lib": "libc.so.6", "pack": "file", "kind": "call", "fail": "ret == -1", "errno": true}
	for k, v := range want {
		if m[k] != v {
			t.Errorf("%s = %v, want %v", k, m[k], v)
		}
	}
	args := m["args"].([]any)
	if a := args[2].(map[string]any); len(args) != 4 || a["n"] != "oflag" || a["t"] != "flags" || a["s"] != "open" {
		t.Errorf("args = %v", args)
	}
	h, _ = Lookup("", "read")
	_ = msgpack.Unmarshal(EncodeDef(h, "libc.so.6", KindCount, Count), &m)
	if a := m["args"].([]any)[1].(map[string]any); a["o"] != true || m["kind"] != "count" {
		t.Errorf("out argument %v, kind %v", a, m["kind"])
	}
}

func TestKindOf(t *testing.T) {
	open, _ := Lookup("", "open")
	vfork, _ := Lookup("", "vfork")
	for _, c := range []struct {
		h    *Hook
		i    Instrument
		want string
	}{{open, Log, "call"}, {vfork, Log, "entry"}, {open, Count, "count"}, {vfork, Count, "count"}, {open, Hist, "hist"}} {
		if got := KindOf(c.h, c.i); got != c.want {
			t.Errorf("%s %s: %s", c.h.Name, c.i, got)
		}
	}
}

func FuzzDecodeDef(f *testing.F) {
	for _, n := range []string{"open", "read", "recvfrom", "sqlite3_prepare16_v2", "execve", "getpid", "waitpid", "setsockopt"} {
		h, _ := Lookup("", n)
		f.Add(EncodeDef(h, "l", "", Log))
	}
	f.Add(EncodeDef(Unknown("f"), "", "", Hist))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, lib, kind, err := DecodeDef(b)
		if err != nil {
			return
		}
		h2, lib2, kind2, err := DecodeDef(EncodeDef(h, lib, kind+"x", Log))
		if err != nil || lib2 != lib || kind2 != kind+"x" {
			t.Fatalf("again: %v %q %q", err, lib2, kind2)
		}
		if d := cmp.Diff(h, h2, cmpopts.EquateEmpty()); d != "" && !bytes.Contains(b, []byte("NaN")) {
			t.Fatal(d)
		}
		if nregs, nstack, _ := Words(h); nregs+nstack > MaxWords {
			t.Fatal("too many words")
		}
		safeDecode(t, h)
	})
}

// safeDecode: as safeHook, for a hook whose parts need not fit together.
func safeDecode(t *testing.T, h *Hook) {
	var items []byte
	for i := range 18 {
		items = append(items, item8(i, byte(i%6), bytes.Repeat([]byte{byte(i), 0xff, 0}, 30))...)
	}
	d := NewDecoder(h, NewSQLCache(4))
	words := make([]uint64, MaxWords)
	for i := range words {
		words[i] = uint64(i) * 0x100000001
	}
	for n := range MaxWords + 1 {
		wellFormed(t, d.AppendCall(nil, words[:n], items, items, uint64(n), n%2 == 0))
		wellFormed(t, d.AppendRet(nil, uint64(n), n%3 == 0))
		wellFormed(t, d.AppendEnter(nil, words[:n], items[n:]))
		wellFormed(t, d.AppendLeave(nil, nil, items, ^uint64(0), false))
		for i := -1; i <= len(h.Args); i++ {
			d.Text(i, words[:n])
			d.OutPointer(i)
		}
	}
}
