package main

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seam-project/seam/tests/measure"
)

const manyProbes = 1000

// manyFlags are a thousand probes, each by the name of a function of libc.
func manyFlags() ([]string, error) {
	f, err := elf.Open("/lib/x86_64-linux-gnu/libc.so.6")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	syms, err := f.DynamicSymbols()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range syms {
		if s.Section != elf.SHN_UNDEF && elf.ST_TYPE(s.Info) == elf.STT_FUNC && !strings.HasPrefix(s.Name, "_") {
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) < manyProbes {
		return nil, fmt.Errorf("libc exports only %d functions", len(names))
	}
	var flags []string
	for _, n := range names[:manyProbes] {
		flags = append(flags, "-p", "libc:"+n)
	}
	return flags, nil
}

// many is what a thousand probes cost at the start: the process itself, with its
// plans in the cache, and seam run as a whole, with and without.
func (b *bench) many() error {
	flags, err := manyFlags()
	if err != nil {
		return err
	}
	cache := b.path("cache")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return err
	}
	if err := os.Setenv("XDG_CACHE_HOME", cache); err != nil {
		return err
	}
	one := []string{"-p", "libc:open"}
	for _, w := range [][]string{one, flags} { // the library is unpacked, plans are made
		if _, err := b.whole(w); err != nil {
			return err
		}
	}
	ways := []struct {
		name string
		run  func() (float64, error)
	}{
		{"in the process: plain", func() (float64, error) { return milliseconds(b.spawn(nil)) }},
		{"in the process: 1 probe", func() (float64, error) { return milliseconds(b.spawnUnder(one...)) }},
		{"in the process: 1,000 probes, plan cached", func() (float64, error) { return milliseconds(b.spawnUnder(flags...)) }},
		{"seam run: 1 probe, plan cached", func() (float64, error) { return b.whole(one) }},
		{"seam run: 1,000 probes, plan cached", func() (float64, error) { return b.whole(flags) }},
		{"seam run: 1,000 probes, first time", func() (float64, error) {
			plans, _ := filepath.Glob(filepath.Join(cache, "seam", "plans*", "*.*")) // and what was found in them
			if len(plans) == 0 {
				return 0, fmt.Errorf("no plans in %s", cache)
			}
			for _, p := range plans {
				if err := os.Remove(p); err != nil {
					return 0, err
				}
			}
			return b.whole(flags)
		}},
	}
	got := make([][]float64, len(ways))
	for range b.rounds {
		for i, w := range ways {
			v, err := w.run()
			if err != nil {
				return err
			}
			got[i] = append(got[i], v)
		}
	}
	fmt.Printf("\n%d probes of libc, /bin/true, ms (median of %d rounds; the least)\n", manyProbes, b.rounds)
	for i, w := range ways {
		base := 0 // of the three in the process; of the others, seam run with one probe
		if i >= 3 {
			base = 3
		}
		fmt.Printf("  %-48s %7.2f   least %7.2f   added %7.2f   least %7.2f\n", w.name, measure.Median(got[i]), slices.Min(got[i]),
			measure.Median(got[i])-measure.Median(got[base]), slices.Min(got[i])-slices.Min(got[base]))
	}
	return nil
}

func milliseconds(out string, err error) (float64, error) {
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.Fields(out)[0], 64)
}

// whole times seam run, from start to end, in milliseconds.
func (b *bench) whole(flags []string) (float64, error) {
	t := time.Now()
	cmd := exec.Command(b.seam, append(append([]string{"run", "-q"}, flags...), "--", "/bin/true")...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return 0, err
	}
	return float64(time.Since(t)) / 1e6, nil
}
