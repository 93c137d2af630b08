package live

import (
	"strconv"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/wire"
)

// CallText is a call that has not returned, as a line shows it: open("/etc/passwd", O_RDONLY).
func CallText(name string, defs []wire.ArgDef, args []wire.Value) string {
	e := &report.Event{Probe: &report.Probe{Args: defs}, Event: &wire.Event{Kind: wire.EvEnter, Args: args}}
	b := append(report.AppendEscaped(nil, []byte(name)), '(')
	return string(append(appendArgs(b, e), ')'))
}

// ArgsJSON is the arguments as a JSON object by name, as AppendJSON has them.
func ArgsJSON(defs []wire.ArgDef, args []wire.Value) []byte {
	b := []byte{'{'}
	for i := range args {
		if i > 0 {
			b = append(b, ',')
		}
		name := ""
		if i < len(defs) {
			name = defs[i].Name
		}
		if name == "" {
			name = "arg" + strconv.Itoa(i)
		}
		b = jsonValue(append(appendString(b, name), ':'), &args[i], 0)
	}
	return append(b, '}')
}
