package control

import (
	"fmt"
	"os"
	"strings"
)

// mapped lists the files of which a process has code mapped.
func mapped(pid int) (paths []string) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(b)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 6)
		if len(f) < 6 || !strings.Contains(f[1], "x") {
			continue
		}
		path := strings.TrimLeft(f[5], " ")
		if strings.HasPrefix(path, "/") && !strings.HasSuffix(path, " (deleted)") {
			paths = append(paths, path)
		}
	}
	return paths
}
