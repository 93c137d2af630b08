package control

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// Dormant finds the processes that were started for seam attach and were not
// attached to, as far as this user may look.
func Dormant(known []ProcessView) (out []ProcessView) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || slices.ContainsFunc(known, func(p ProcessView) bool { return p.PID == pid }) {
			continue
		}
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil || !bytes.Contains(append([]byte{0}, env...), []byte("\x00SEAM_DORMANT=1\x00")) {
			continue
		}
		maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
		if err != nil || !bytes.Contains(maps, []byte("/libseam.so\n")) || bytes.Contains(maps, []byte("memfd:seam-arena")) {
			continue
		}
		exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		out = append(out, ProcessView{PID: pid, Program: filepath.Base(exe), State: StateDormant})
	}
	return out
}
