package main

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// callback is the round trip to a Go callback: calls one after the other, and with time between
// them, in which both sides fall asleep.
func (b *bench) callback() error {
	for _, args := range [][]string{
		{"gcc", "-O2", "-shared", "-fPIC", "-o", b.path("libtrip.so"), "tests/bench/testdata/trip.c"},
		{"gcc", "-O2", "-o", b.path("trips"), "tests/bench/testdata/trips.c", b.path("libtrip.so")},
		{b.seam, "build", "--with", "tests/bench/testdata/callback", "--source", ".", "-o", b.path("seam-callback")},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", args[0], err, out)
		}
	}
	fmt.Printf("\nGo callback: a call's time, until the callback has answered, µs\n  %-26s %8s %8s\n", "", "median", "p99")
	for _, w := range []struct {
		name       string
		count, gap int
	}{{"one call after the other", b.sustain / 100, 0}, {"50 µs between calls", b.sustain / 1000, 50}, {"1 ms between calls", b.sustain / 10000, 1000}} {
		out, err := run(nil, b.path("seam-callback"), "run", "-q", "-H", "none", "--proto", "int work_trip(int n)", "--",
			b.path("trips"), strconv.Itoa(w.count), strconv.Itoa(w.gap))
		if err != nil {
			return err
		}
		var median, p99, wrong float64
		if _, err := fmt.Sscan(strings.TrimSpace(out), &median, &p99, &wrong); err != nil || wrong != 0 {
			return fmt.Errorf("callback: %q: %v", out, err)
		}
		fmt.Printf("  %-26s %8.1f %8.1f\n", w.name, median/1e3, p99/1e3)
	}
	return nil
}
