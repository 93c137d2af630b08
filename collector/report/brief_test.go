package report

import (
	"testing"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/wire"
)

// defOf is what a drainer tells of a hook.
func defOf(h *hooks.Hook) *wire.ProbeDef {
	d := &wire.ProbeDef{Name: h.Name, Lib: "libc.so.6", Pack: h.Pack, Kind: hooks.KindCall, Errno: h.Errno}
	for i := range h.Args {
		a := &h.Args[i]
		d.Args = append(d.Args, wire.ArgDef{Name: a.Name, Type: a.Type.String(), Out: a.Out, Set: a.Set})
	}
	d.Ret = wire.ArgDef{Name: h.Ret.Name, Type: h.Ret.Type.String(), Set: h.Ret.Set}
	return d
}

// A brief record says all that a report is made of.
func TestBriefIsEnough(t *testing.T) {
	meant, fewer := 0, 0
	for _, pack := range hooks.Packs() {
		for _, h := range hooks.PackHooks(pack) {
			short := hooks.Brief(h)
			full, brief := newProbe(defOf(h)), newProbe(defOf(short))
			if full.role != brief.role || full.role != roleNone && full.fd != brief.fd || full.text != brief.text || full.dir != brief.dir {
				t.Errorf("%s: role, descriptor, text, folder %d %d %d %d, brief %d %d %d %d", h.Name,
					full.role, full.fd, full.text, full.dir, brief.role, brief.fd, brief.text, brief.dir)
			}
			if full.text >= 0 && (short.Args[full.text].Type != h.Args[full.text].Type || short.Args[full.text].Cap != h.Args[full.text].Cap) {
				t.Errorf("%s: its text is another", h.Name)
			}
			if full.role != roleNone {
				meant++
			}
			if len(hooks.Ops(short)) < len(hooks.Ops(h)) {
				fewer++
			}
		}
	}
	if meant < 100 || fewer < 50 {
		t.Errorf("%d functions mean something, of %d less is read", meant, fewer)
	}
}
