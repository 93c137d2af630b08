package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine is one line about where this was measured.
func machine() string {
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

type balance struct{ Produced, Delivered, Dropped uint64 }

func account(path string) (balance, error) {
	var r struct{ Account balance }
	b, err := os.ReadFile(path)
	if err != nil {
		return balance{}, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return balance{}, fmt.Errorf("read report: %w", err)
	}
	return r.Account, nil
}
