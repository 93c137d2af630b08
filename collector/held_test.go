package collector

import (
	"os"
	"testing"
)

func TestZombie(t *testing.T) {
	for _, tt := range []struct {
		stat string
		want bool
	}{
		{"9 (a) Z) S 1 9 9 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 100 0 0", false},
		{"9 (sh) Z 1 9 9 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 100 0 0", true},
		{"9 (sh) Z 1 9 9 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 4 0 100 0 0", false}, // its first thread ended
		{"9 (sh) Z 1 9 9 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 12 0 100 0 0", false},
		{"9 (sh) X 1 9 9 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 0 0 100 0 0", true},
		{"", false},
		{"9 (sh)", false},
	} {
		if got := zombie([]byte(tt.stat)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.stat, got, tt.want)
		}
	}
}

func TestGone(t *testing.T) {
	if gone(0) || gone(uint32(os.Getpid())) || !gone(1<<22+1) {
		t.Errorf("gone: 0 %v, self %v, a pid that can't be %v", gone(0), gone(uint32(os.Getpid())), gone(1<<22+1))
	}
}

// TestImagesInOrder: first messages of one process, of before and after an exec, are
// read at the same time; the order of the connections tells which image is current.
func TestImagesInOrder(t *testing.T) {
	before, after := [16]byte{1}, [16]byte{2}
	for _, order := range [][]image{{{before, 1}, {after, 2}}, {{after, 2}, {before, 1}}} {
		k := &keeper{latest: map[uint32]image{}, arenas: map[[16]byte]*held{before: {id: before}, after: {id: after}}}
		for _, m := range order {
			k.announced(7, m)
		}
		if k.latest[7].id != after {
			t.Errorf("%v: the process is taken to use arena %x", order, k.latest[7].id)
		}
		k.forget(k.arenas[before])
		if k.latest[7].id != after {
			t.Error("the end of the image before made the current one forgotten")
		}
		k.forget(k.arenas[after])
		if len(k.latest) != 0 {
			t.Error("a process is remembered without its arena")
		}
	}
}
