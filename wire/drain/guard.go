package drain

import (
	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/sqlshape"
	"github.com/seam-project/seam/wire/arena"
)

// guarded is records, except that a panic in a decoder costs the decoder and not
// the drainer: the site is from then on shown as raw words, and the run is done
// again. Nothing of a run is in the batch before it is complete.
func (d *Drainer) guarded(r *arena.Ref, t *thread, data []byte, at, end int) (int, uint64) {
	for {
		n, calls, ok := d.try(r, t, data, at, end)
		if ok {
			return n, calls
		}
		d.fault(faultShape)
		s := d.decoding
		if s == nil || s.raw {
			return end, 0 // not a decoder's doing: give the run up
		}
		s.raw, s.plain, s.native, s.op = true, false, false, sqlshape.OpNone
		s.dec = hooks.NewDecoder(hooks.Unknown(s.hook.Name), nil)
	}
}

func (d *Drainer) try(r *arena.Ref, t *thread, data []byte, at, end int) (n int, calls uint64, ok bool) {
	defer func() {
		if recover() != nil {
			d.sqls.out, d.sqls.n = d.sqls.out[:0], 0
		}
	}()
	d.decoding = nil
	n, calls = d.records(r, t, data, at, end)
	return n, calls, true
}
