package attach

import (
	"fmt"

	"github.com/seam-project/seam/launcher"
)

const page = 4096

// Patches says which bytes of the process the plans overwrite.
func (p *Process) Patches(planned []launcher.Planned) ([]Range, error) {
	var out []Range
	for i := range planned {
		plan := planned[i].Plan
		if plan == nil || !planned[i].AtStart {
			continue
		}
		for _, m := range p.Code {
			if m.Path != planned[i].Path {
				continue
			}
			if m.Gone {
				return nil, &Error{p.PID, fmt.Sprintf("runs a '%s' that was replaced on disk since", m.Path), "restart it: what the file says now is not what is in memory"}
			}
			bias := m.Lo - plan.TextLo&^(page-1)
			for j := range plan.Sites {
				at := bias + plan.Sites[j].Vaddr
				out = append(out, Range{at, at + uint64(len(plan.Sites[j].Orig))})
			}
		}
	}
	return out, nil
}
