// Package measure is what the benchmarks share: the machine, the median, seam's account.
package measure

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
)

// Machine is one line about where this was measured.
func Machine() string {
	cpu, kernel := "unknown CPU", ""
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
				cpu = strings.TrimSpace(v)
				break
			}
		}
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		kernel = strings.TrimSpace(string(b))
	}
	return fmt.Sprintf("%s, %d CPUs, Linux %s, %s", cpu, runtime.NumCPU(), kernel, runtime.Version())
}

// Balance is the part of a report that says what became of all records.
type Balance struct{ Produced, Delivered, Dropped uint64 }

// Account reads the balance of a report that `seam run --json --report PATH` wrote.
func Account(path string) (Balance, error) {
	var r struct{ Account Balance }
	b, err := os.ReadFile(path)
	if err != nil {
		return Balance{}, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return Balance{}, fmt.Errorf("read report: %w", err)
	}
	return r.Account, nil
}

// Median returns the middle one, the upper of two; 0 if there is none.
func Median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if len(v) == 0 {
		return 0
	}
	return v[len(v)/2]
}
