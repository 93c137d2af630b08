//go:build seamtest

package agent

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// This file is in no release: a test that changes what is patched writes the name of
// a spec file into the file <base>.next, by renaming, and finds what came of it in <base>.done;
// base is SEAM_TEST_RESPEC in the environment of the host.
func init() { go respecOnRequest() }

func respecOnRequest() {
	base := hostVariable("SEAM_TEST_RESPEC")
	if base == "" {
		return
	}
	for ; ; time.Sleep(time.Millisecond) {
		b, err := os.ReadFile(base + ".next")
		if err != nil {
			continue
		}
		os.Remove(base + ".next")
		path, rounds := string(b), 1
		var other string
		if f := strings.Fields(path); len(f) == 3 { // two specs by turns, so many times
			path, other = f[0], f[1]
			fmt.Sscan(f[2], &rounds)
		}
		var out strings.Builder
		t0 := time.Now()
		for n := range rounds {
			st, err := Respec(path)
			if err == nil && other != "" {
				st, err = Respec(other)
			}
			if err != nil {
				fmt.Fprintf(&out, "error %v\n", err)
				break
			}
			if n < rounds-1 {
				continue
			}
			for i, p := range st.Probes {
				for _, s := range p.Sites {
					fmt.Fprintf(&out, "site %d %s %s %d\n", i, s.Object, s.Symbol, s.ID)
				}
				for _, r := range p.Refused {
					fmt.Fprintf(&out, "refused %d %s %s %s\n", i, r.Object, r.Symbol, r.Reason)
				}
			}
		}
		fmt.Fprintf(&out, "took %d\n", time.Since(t0).Nanoseconds())
		tmp := base + ".tmp"
		if os.WriteFile(tmp, []byte(out.String()), 0o600) == nil {
			os.Rename(tmp, base+".done")
		}
	}
}

// hostVariable is a variable of the host's environment; the agent's own has none of them.
func hostVariable(key string) string {
	environ, _ := os.ReadFile("/proc/self/environ")
	for line := range strings.SplitSeq(string(environ), "\x00") {
		if v, ok := strings.CutPrefix(line, key+"="); ok {
			return v
		}
	}
	return ""
}
