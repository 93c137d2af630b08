package hooks

import (
	"reflect"
	"strings"
	"testing"
)

func TestResolveFilters(t *testing.T) {
	for _, c := range []struct {
		fn, cond string
		want     CFilter
		str      string
	}{
		{"openat", "if oflag & O_CREAT", CFilter{What: FilterInt, Arg: 2, Cmp: CmpAnd, Width: 4, Value: 0o100}, ""},
		{"openat", `if file ^= "/etc"`, CFilter{What: FilterPrefix, Arg: 1, Cmp: CmpEQ, Len: 4}, "/etc"},
		{"openat", `if fd == AT_FDCWD`, CFilter{What: FilterInt, Arg: 0, Cmp: CmpEQ, Width: 4, Signed: true, Value: -100}, ""},
		{"write", "if count >= 4k", CFilter{What: FilterInt, Arg: 2, Cmp: CmpGE, Width: 8, Value: 4096}, ""},
		{"write", "if 0 == 2", CFilter{What: FilterInt, Arg: 0, Cmp: CmpEQ, Width: 4, Signed: true, Value: 2}, ""},
		{"lseek", "if offset < 0", CFilter{What: FilterInt, Arg: 1, Cmp: CmpLT, Width: 8, Signed: true}, ""},
		{"mkdir", "if mode == -1", CFilter{What: FilterInt, Arg: 1, Cmp: CmpEQ, Width: 4, Value: 0xffffffff}, ""},
		{"write", "failed", CFilter{What: FilterFailed}, ""},
		{"write", "slower 1us", CFilter{What: FilterMinDuration, Value: 1000}, ""},
		{"waitpid", "if status == NULL", CFilter{}, "!known only when"},
		{"sqlite3_prepare_v2", "if stmt == 0", CFilter{What: FilterInt, Arg: 3, Cmp: CmpEQ, Width: 8}, ""},
		{"sqlite3_prepare_v2", "if sql ^= SELECT", CFilter{What: FilterPrefix, Arg: 1, Cmp: CmpEQ, Len: 6}, "SELECT"},
		{"sqlite3_bind_int", "if value == 5", CFilter{}, "!not captured"},
		{"setenv", "if value ^= x", CFilter{}, "!secret"},
		{"openat", "if way ^= x", CFilter{}, `!no argument "way"`},
		{"openat", "if oflag ^= x", CFilter{}, "!not a string"},
		{"getpid", "failed", CFilter{}, "!not known how it fails"},
		{"vfork", "slower 1ms", CFilter{}, "!return is not recorded"},
		{"vfork", "failed", CFilter{}, "!return is not recorded"},
		{"?", "if 1 == 7", CFilter{What: FilterInt, Arg: 1, Cmp: CmpEQ, Width: 8, Signed: true, Value: 7}, ""},
		{"?", "if n == 7", CFilter{}, "!no argument"},
		{"?", "if 6 == 7", CFilter{}, "!no argument"},
	} {
		h, ok := Lookup("", c.fn)
		if !ok {
			h = Unknown("f")
		}
		p, err := ParseProbe("f " + c.cond)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ResolveFilters(h, p.Filters)
		if msg, bad := strings.CutPrefix(c.str, "!"); bad {
			if err == nil || !strings.Contains(err.Error(), msg) {
				t.Errorf("%s %s: %v, want %q", c.fn, c.cond, err, msg)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %s: %v", c.fn, c.cond, err)
			continue
		}
		copy(c.want.Str[:], c.str)
		if len(got) != 1 || !reflect.DeepEqual(got[0], c.want) {
			t.Errorf("%s %s: %+v, want %+v", c.fn, c.cond, got, c.want)
		}
	}
	if _, err := ResolveFilters(Unknown("f"), make([]Filter, MaxFilters+1)); err == nil {
		t.Error("too many filters pass")
	}
}
