package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// site is one kind of place that a call comes from.
type site struct {
	name    string
	flags   []string
	library string // its folder, with libsites.so
}

var sites = []site{
	{"lazy PLT", []string{"-Wl,-z,lazy"}, "."},
	{"-z now", []string{"-Wl,-z,now"}, "."},
	{"-fno-plt -z now", []string{"-fno-plt", "-Wl,-z,now"}, "."},
	{"IBT PLT", []string{"-fcf-protection=full", "-Wl,-z,ibtplt", "-Wl,-z,lazy"}, "."},
	{"non-PIE", []string{"-fno-pie", "-no-pie", "-Wl,-z,lazy"}, "."},
	{"address taken in the same object", []string{"-DTAKEN", "-Wl,-z,lazy"}, "."},
	{"function pointer", []string{"-DPOINTER"}, "."},
	{"dlsym(RTLD_DEFAULT)", []string{"-DDLSYM"}, "."},
	{"plugin, RTLD_NOW", []string{"-DPLUGIN=RTLD_NOW"}, "."},
	{"plugin, RTLD_LAZY", []string{"-DPLUGIN=RTLD_LAZY"}, "."},
	{"inside the library, PLT", []string{"-DINSIDE"}, "."},
	{"inside the library, -Bsymbolic", []string{"-DINSIDE"}, "symbolic"},
}

// sitesSeen: 100 calls of each kind, and how many of them each tool records.
func (b *bench) sitesSeen() error {
	const data = "tests/benchfield/testdata/"
	symbolic := b.path("symbolic")
	if err := os.Mkdir(symbolic, 0o755); err != nil {
		return err
	}
	builds := [][]string{
		{"-shared", "-fPIC", "-o", b.path("libsites.so"), data + "siteslib.c"},
		{"-shared", "-fPIC", "-Wl,-Bsymbolic", "-o", filepath.Join(symbolic, "libsites.so"), data + "siteslib.c"},
		{"-shared", "-fPIC", "-Wl,-z,lazy", "-DPLUGIN_SIDE", "-o", b.path("siteplugin.so"), data + "siteslib.c"},
	}
	for i, s := range sites {
		dir := filepath.Join(b.dir, s.library)
		builds = append(builds, slices.Concat([]string{"-fPIE", "-o", b.path(fmt.Sprintf("site%d", i))}, s.flags,
			[]string{data + "sites.c", "-Wl,--no-as-needed", filepath.Join(dir, "libsites.so"), "-Wl,-rpath," + dir}))
	}
	for _, c := range builds {
		if out, err := exec.Command("gcc", append([]string{"-O2"}, c...)...).CombinedOutput(); err != nil {
			return fmt.Errorf("compile: %w\n%s", err, out)
		}
	}
	tools := b.use(counting, seamRun, uftracePlain, lttng, bpftrace, ltrace, ltraceInside)
	seen := map[string][][]float64{}
	for _, t := range tools {
		seen[t.name] = make([][]float64, len(sites))
	}
	for range min(b.rounds, 3) {
		for i, s := range sites {
			for _, t := range tools {
				if b.broken[t.name] != "" {
					continue
				}
				fn := b.functions()["site_call"]
				fn.lib = filepath.Join(b.dir, s.library, "libsites.so")
				r, dir, err := b.recorded(t, []function{fn}, time.Minute, []string{b.path(fmt.Sprintf("site%d", i)), b.path("siteplugin.so")})
				if err == nil {
					var n int
					if n, _, err = t.seen(b, dir, r, fn); err == nil {
						seen[t.name][i] = append(seen[t.name][i], float64(n))
					}
				}
				os.RemoveAll(dir)
				if err != nil {
					if err := b.failed(t, fmt.Errorf("%s: %w", s.name, err)); err != nil {
						return err
					}
				}
			}
		}
	}
	table := Table{ID: "sites", Title: "Calls seen, of 100 of each kind", Columns: []string{"kinds seen"},
		Notes: []string{"A kind counts as seen when each round saw all 100 calls. strace and perf trace see system calls, and none of these."}}
	for _, s := range sites {
		table.Columns = append(table.Columns, s.name)
	}
	for _, t := range tools {
		row := Row{Name: t.name, Why: b.broken[t.name], Cells: []Cell{{}}}
		kinds := 0.0
		for i := range sites {
			c := cell(seen[t.name][i], nil)
			if c.Rounds > 0 && c.Min == 100 && c.Max == 100 {
				kinds++
			}
			if c.Min == c.Max && c.Rounds > 0 {
				c.Rounds = 1 // always the same: no range to show
			}
			row.Cells = append(row.Cells, c)
		}
		row.Cells[0] = Cell{Median: kinds, Min: kinds, Max: kinds, Rounds: 1, Text: fmt.Sprintf("of %d", len(sites))}
		if row.Why != "" {
			row.Cells[0] = Cell{Text: "–"}
		}
		table.Rows = append(table.Rows, row)
	}
	b.part.Tables = append(b.part.Tables, table)
	return nil
}
