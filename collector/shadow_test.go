package collector

import (
	"encoding/binary"
	"testing"

	"github.com/seam-project/seam/hooks/sqlshape"
)

// Shadows of arenas whose memory never comes don't pile up; those of others stay.
func TestShadowsAreBounded(t *testing.T) {
	k := &keeper{arenas: map[[16]byte]*held{}, conns: map[[16]byte]int{}, sql: shadows{of: map[[16]byte]*sqlshape.Shadow{}}}
	id := func(n int) (id [16]byte) {
		binary.LittleEndian.PutUint32(id[:], uint32(n))
		return id
	}
	k.shadow(id(0), true)
	k.sql.idle(id(0), k.follows)
	k.conns[id(0)] = 1 // spoken of again
	k.shadow(id(1), true)
	k.sql.idle(id(1), k.follows)
	k.arenas[id(1)] = &held{} // the memory came
	for i := 2; i < 1000; i++ {
		k.shadow(id(i), true)
		k.sql.idle(id(i), k.follows)
		k.sql.idle(id(i), k.follows)
	}
	k.sql.idle(id(5000), k.follows) // no SQL: nothing to remember
	if len(k.sql.of) != maxAlone+2 || len(k.sql.alone) != maxAlone {
		t.Errorf("%d shadows, %d alone", len(k.sql.of), len(k.sql.alone))
	}
	for _, n := range []int{0, 1, 999, 1000 - maxAlone} {
		if k.shadow(id(n), false) == nil {
			t.Errorf("the shadow of %d is gone", n)
		}
	}
	if k.takeShadow(id(0)) == nil || k.takeShadow(id(0)) != nil || k.takeShadow(id(2)) != nil {
		t.Error("a shadow is taken once, if it is there")
	}
}
