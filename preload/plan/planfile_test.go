package plan

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seam-project/seam/hooks"
)

// samplePlan uses every field.
func samplePlan() *Plan {
	return &Plan{
		SpecHash: 0x0123456789abcdef, ID: Identity{Dev: 1, Ino: 2, Size: 3, MtimeNS: 4}, TextLo: 0x1000, TextHi: 0x9000,
		Sites: []Site{
			{Name: "f", Vaddr: 0x1230, Kind: Full, Instrument: 1, Flags: FlagErrno | FlagGuard, NRegs: 6, NStack: 2, NCopy: 3,
				Orig: []byte{1, 2, 3, 4, 5, 6, 7}, Tramp: []byte{0x90, 0xe9, 0, 0, 0, 0},
				Fixes:   []Fix{{At: 2, Kind: FixRel32, Addend: 4, Target: 0x1237}},
				Ops:     []Op{{1, 1, 0, 1, 256, 1}, {2, 2, 0xff, 6, 64, 1}, {7, 0, 0, 2, 10, 1}},
				Filters: []Filter{{What: 1, Arg: 0, Cmp: 3, Width: 4, Signed: true, Value: -7}, {What: 2, Arg: 1, Cmp: 1, Str: "/tmp/"}, {What: 4, Value: 1e6}},
				FailOp:  1, RetWidth: 4, FailVals: [3]int64{-1, 2, -3}, Handover: 2, Def: []byte{0x81, 0xa1, 'n', 1}},
			{Name: "lists", Vaddr: 0x1900, Kind: Full, Instrument: 1, NRegs: 6, Orig: []byte{1, 2, 3, 4, 5}, Tramp: []byte{0xc3}, RetWidth: 8,
				Filters: []Filter{{What: filtHas, Arg: 1, Cmp: 2, Str: "/../"}, {What: filtWithin, Arg: 1, Cmp: 2, Str: "\x01\x00\x01\x00\xff\x00\x00\x00\x02" + string(make([]byte, 11)), Set: []string{"/etc/.", "/srv"}}},
				Rules: []Rule{{What: 4, Flags: 1, ID: 3, Ret: -1, Errs: []uint16{13}, When: []Filter{
					{What: filtAddrs, Arg: 1, Cmp: 2, Width: 2, Str: "\x02\x00\x00\x00\x00\x00\x00\x00", Set: []string{"10.0.0.0/8", "unix:/run/"}},
					{What: filtShape, Arg: 1, Cmp: 2, Str: "\x01\x02\x00\x01", Set: []string{"select ?", "select a from t"}},
					{What: filtWithin, Arg: 1, Cmp: 1, Str: "\x01\x00\x01\x00\xff\x00\x00\x00\xff" + string(make([]byte, 11))}}}}},
			{Name: "g", Vaddr: 0x2000, Kind: Guard, Flags: FlagGuard, Orig: make([]byte, maxPatch), Tramp: []byte{0xc3}, RetWidth: 8},
		},
		Refusals: []Refusal{{"h", TooShort, "3 bytes"}, {string(make([]byte, 40)), Reason(200), string(make([]byte, 300))}},
	}
}

func TestRoundTrip(t *testing.T) {
	for name, p := range map[string]*Plan{"sample": samplePlan(), "empty": {}, "libc": mustBuild(t, libc, hooks.Probe{Sym: "*e*"})} {
		got, err := Decode(p.Encode())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(p, got); d != "" {
			t.Errorf("%s (-in +out):\n%s", name, d)
		}
	}
}

// reseal makes the check sum right again after tampering.
func reseal(b []byte) []byte {
	le.PutUint64(b[hdrCheck:], checksum(b[checkFrom:]))
	return b
}

func TestDecodeRefuses(t *testing.T) {
	site := func(off int) int { return headerSize + off }
	for _, tc := range []struct {
		name string
		edit func([]byte) []byte
		want error
	}{
		{"nothing", func(b []byte) []byte { return nil }, ErrNotPlan},
		{"magic", func(b []byte) []byte { b[0] = 'X'; return b }, ErrNotPlan},
		{"version", func(b []byte) []byte { b[hdrVersion]++; return b }, ErrVersion},
		{"one byte of the body", func(b []byte) []byte { b[len(b)-20] ^= 1; return b }, ErrChecksum},
		{"cut", func(b []byte) []byte { return b[:len(b)-8] }, ErrBadPlan},
		{"too many sites", func(b []byte) []byte { le.PutUint32(b[hdrNsites:], 1<<30); return reseal(b) }, ErrBadPlan},
		{"sites beyond the end", func(b []byte) []byte { le.PutUint32(b[hdrSites:], 0xffffffff); return reseal(b) }, ErrBadPlan},
		{"refusals beyond the end", func(b []byte) []byte { le.PutUint32(b[hdrRefLn:], 0xffffffff); return reseal(b) }, ErrBadPlan},
		{"kind", func(b []byte) []byte { b[site(siteKind)] = 9; return reseal(b) }, ErrBadPlan},
		{"patch too short", func(b []byte) []byte { b[site(sitePatch)] = 4; return reseal(b) }, ErrBadPlan},
		{"patch too long", func(b []byte) []byte { b[site(sitePatch)] = 25; return reseal(b) }, ErrBadPlan},
		{"too many words", func(b []byte) []byte { b[site(siteNstack)] = 7; return reseal(b) }, ErrBadPlan},
		{"copies less than it captures", func(b []byte) []byte { b[site(siteNcopy)] = 1; return reseal(b) }, ErrBadPlan},
		{"trampoline beyond the end", func(b []byte) []byte { le.PutUint32(b[site(siteTrampOff):], 0xfffffff0); return reseal(b) }, ErrBadPlan},
		{"fix beyond the trampoline", func(b []byte) []byte { b[le.Uint32(b[site(siteFixOff):])] = 3; return reseal(b) }, ErrBadPlan},
		{"op on a word that is not captured", func(b []byte) []byte { b[le.Uint32(b[site(siteOpsOff):])+1] = 8; return reseal(b) }, ErrBadPlan},
		{"op at entry and return", func(b []byte) []byte { b[le.Uint32(b[site(siteOpsOff):])+3] = 3; return reseal(b) }, ErrBadPlan},
		{"filter of width 3", func(b []byte) []byte { b[le.Uint32(b[site(siteFiltOff):])+4] = 3; return reseal(b) }, ErrBadPlan},
		{"filter with a long prefix", func(b []byte) []byte { b[le.Uint32(b[site(siteFiltOff):])+3] = 65; return reseal(b) }, ErrBadPlan},
		{"name beyond the end", func(b []byte) []byte { le.PutUint32(b[site(siteNameOff):], uint32(len(b))); return reseal(b) }, ErrBadPlan},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := Decode(tc.edit(samplePlan().Encode())); !errors.Is(err, tc.want) {
				t.Errorf("error %v, want %v", err, tc.want)
			}
		})
	}
}

func TestKey(t *testing.T) {
	// The core computes the same: FNV-1a 64 over five little-endian words.
	if got := Key(0, Identity{}); got != "40d69e0cf0f65c45" {
		t.Errorf("key of zeros %s", got)
	}
	id := Identity{Dev: 1, Ino: 2, Size: 3, MtimeNS: 4}
	seen := map[string]bool{}
	for _, k := range []string{Key(5, id), Key(6, id), Key(5, Identity{Dev: 2, Ino: 1, Size: 3, MtimeNS: 4}), Key(5, Identity{Dev: 1, Ino: 2, Size: 4, MtimeNS: 3}), Key(5, Identity{Dev: 1, Ino: 2, Size: 3, MtimeNS: 5})} {
		if len(k) != 16 || seen[k] {
			t.Errorf("key %q", k)
		}
		seen[k] = true
	}
}

func TestCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "plans")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	p := samplePlan()
	if _, err := Load(dir, p.SpecHash, p.ID); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("load from an empty cache: %v", err)
	}
	if err := Store(dir, p); err != nil {
		t.Fatal(err)
	}
	got, err := Load(dir, p.SpecHash, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(p, got); d != "" {
		t.Error(d)
	}
	names, _ := os.ReadDir(dir)
	name := filepath.Join(dir, Key(p.SpecHash, p.ID)+".plan")
	if st, err := os.Stat(name); err != nil || st.Mode().Perm() != 0o600 || len(names) != 1 {
		t.Errorf("cache holds %v, %v", names, err)
	}

	other := p.ID
	other.MtimeNS++
	if err := os.Rename(name, filepath.Join(dir, Key(p.SpecHash, other)+".plan")); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir, p.SpecHash, other); !errors.Is(err, ErrBadPlan) {
		t.Errorf("a plan for another file was loaded: %v", err)
	}
	if err := os.Symlink(filepath.Join(dir, Key(p.SpecHash, other)+".plan"), name); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir, p.SpecHash, p.ID); err == nil {
		t.Error("a symbolic link was followed")
	}
	for _, mode := range []os.FileMode{0o770, 0o702} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		if err := Store(dir, p); !errors.Is(err, ErrNotPrivate) {
			t.Errorf("stored into a folder of mode %o: %v", mode, err)
		}
		if _, err := Load(dir, p.SpecHash, p.ID); !errors.Is(err, ErrNotPrivate) {
			t.Errorf("loaded from a folder of mode %o: %v", mode, err)
		}
	}
}
