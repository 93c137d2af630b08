package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// growing is a table whose rows are sizes, measured in turn in each round.
type growing struct {
	id, title string
	columns   []string
	digits    int
	notes     []string
	sizes     []string
	measure   func(size int) ([]float64, error) // one value a column
}

// growth: how seam's cost grows with what it is asked for and with what it is put on.
func (b *bench) growth() error {
	for _, make := range []func() (growing, error){b.byProbes, b.byThreads, b.byProcesses, b.byString, b.byBuffer} {
		g, err := make()
		if err != nil {
			return err
		}
		got := map[[2]int][]float64{}
		for range b.rounds {
			for i, size := range g.sizes {
				v, err := g.measure(i)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", g.id, size, err)
				}
				for j := range v {
					got[[2]int{i, j}] = append(got[[2]int{i, j}], v[j])
				}
			}
		}
		t := Table{ID: g.id, Title: g.title, Columns: g.columns, Digits: g.digits, Notes: g.notes}
		for i, size := range g.sizes {
			row := Row{Name: size}
			for j := range g.columns {
				row.Cells = append(row.Cells, cell(got[[2]int{i, j}], nil))
			}
			t.Rows = append(t.Rows, row)
		}
		b.part.Tables = append(b.part.Tables, t)
	}
	return nil
}

// under runs the field program plain and under seam, and returns what each printed, with the share that was recorded.
func (b *bench) under(flags []string, fns []function, made int, args ...string) (plainOut, seamOut string, share float64, err error) {
	args = append([]string{b.path("field")}, args...)
	p := run(command{args: args})
	if p.status != nil {
		return "", "", 0, p.said()
	}
	dir, err := os.MkdirTemp(b.dir, "run-")
	if err != nil {
		return "", "", 0, err
	}
	defer os.RemoveAll(dir)
	r := run(b.seamRun(dir, fns, flags, args))
	if r.status != nil {
		return "", "", 0, r.said()
	}
	seen, _, err := countReport(filepath.Join(dir, "report.json"), fns[0])
	return p.out, r.out, 100 * float64(seen) / float64(made), err
}

func first(out string) (float64, error) {
	f := strings.Fields(out)
	if len(f) == 0 {
		return 0, fmt.Errorf("nothing was printed")
	}
	return strconv.ParseFloat(f[0], 64)
}

// pair is the two programs' first numbers.
func pair(a, b string) (x, y float64, err error) {
	if x, err = first(a); err == nil {
		y, err = first(b)
	}
	return x, y, err
}

func (b *bench) byProbes() (growing, error) {
	const functions = 1000
	var lib, prog strings.Builder
	for i := range functions {
		fmt.Fprintf(&lib, "__attribute__((noinline, noipa)) long fn_%04d(long a) { return 3 * a + %d; }\n", i, i)
	}
	prog.WriteString(`#include <stdio.h>
#include <stdlib.h>
#include <time.h>
long fn_0000(long);
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e9 + t.tv_nsec; }
int main(int argc, char **argv)
{
	volatile long sink = 0;
	double best = 1e18;
	for (int r = 0; argc > 1 && r < atoi(argv[1]); r++) {
		for (double until = now() + 500000; now() < until; )
			;
		double t = now();
		for (long i = 0; i < 2000; i++)
			sink += fn_0000(i);
		t = (now() - t) / 2000;
		best = t < best ? t : best;
	}
	printf("%.2f\n", best);
	return 0;
}
`)
	for name, text := range map[string]string{"many.c": lib.String(), "grow.c": prog.String()} {
		if err := os.WriteFile(b.path(name), []byte(text), 0o644); err != nil {
			return growing{}, err
		}
	}
	for _, c := range [][]string{
		{"-shared", "-fPIC", "-o", b.path("libmany.so"), b.path("many.c")},
		{"-o", b.path("grow"), b.path("grow.c"), b.path("libmany.so")},
	} {
		if out, err := exec.Command("gcc", append([]string{"-O2"}, c...)...).CombinedOutput(); err != nil {
			return growing{}, fmt.Errorf("compile: %w\n%s", err, out)
		}
	}
	patterns := []string{"", "fn_0000", "fn_000?", "fn_00??", "fn_0???"}
	rounds, times := "50", "20"
	if b.quick {
		rounds, times = "5", "2"
	}
	return growing{id: "growth-probes", title: "With the number of probes", digits: 2,
		columns: []string{"first start, with planning, ms", "start, ms", "a call, ns"},
		notes:   []string{"A program that calls one function of a library of 1,000. *first start*: `seam run` of it with an empty cache of plans; *start*: the program itself, injected, plans made; *a call*: the quietest of 50 bursts."},
		sizes:   []string{"no seam", "1 probe", "10", "100", "1,000"},
		measure: func(i int) ([]float64, error) {
			if i == 0 {
				began := time.Now()
				r := run(command{args: []string{b.path("grow")}})
				once := time.Since(began).Seconds() * 1e3
				if r.status != nil {
					return nil, r.said()
				}
				s := run(command{args: []string{b.path("spawn"), times, b.path("grow")}})
				c := run(command{args: []string{b.path("grow"), rounds}})
				start, call, err := pair(lastLine(s.out), c.out)
				return []float64{once, start, call}, err
			}
			dir, err := os.MkdirTemp(b.dir, "run-")
			if err != nil {
				return nil, err
			}
			defer os.RemoveAll(dir)
			probe := b.path("libmany.so") + ":" + patterns[i]
			began := time.Now()
			r := run(command{env: []string{"XDG_CACHE_HOME=" + dir}, args: []string{b.seam, "run", "-q", "-p", probe, "--", b.path("grow")}})
			once := time.Since(began).Seconds() * 1e3
			if r.status != nil {
				return nil, r.said()
			}
			// Nobody listens: a program that ends has nothing to wait for.
			e := run(command{args: []string{b.seam, "env", "--format", "env-file", "--socket", filepath.Join(dir, "nobody"), "-p", probe}})
			if e.status != nil {
				return nil, e.said()
			}
			var env []string
			for line := range strings.Lines(e.out) {
				env = append(env, "SPAWN_ENV_"+strings.TrimSpace(line))
			}
			// As the plans of `seam run`: made by the launcher, with the first run.
			warm := run(command{args: []string{b.seam, "run", "-q", "-p", probe, "--", b.path("grow"), rounds}})
			s := run(command{env: env, args: []string{b.path("spawn"), times, b.path("grow")}})
			start, call, err := pair(lastLine(s.out), warm.out)
			return []float64{once, start, call}, err
		}}, nil
}

func (b *bench) byThreads() (growing, error) {
	threads := []int{1, 4, 16, 64, 256}
	n := b.size(1_000_000)
	return growing{id: "growth-threads", title: "With the number of threads", digits: 1,
		columns: []string{"plain, ns per call", "seam, ns per call", "recorded, %"},
		notes:   []string{fmt.Sprintf("%s calls of `work_six` in all, at full rate, time over all threads; the default buffer, which drops the oldest when it is full.", number(float64(n), 0))},
		sizes:   []string{"1 thread", "4", "16", "64", "256"},
		measure: func(i int) ([]float64, error) {
			made := n / threads[i] * threads[i]
			p, s, share, err := b.under(nil, []function{b.functions()["work_six"]}, made, "threads", strconv.Itoa(n), strconv.Itoa(threads[i]))
			if err != nil {
				return nil, err
			}
			x, y, err := pair(p, s)
			return []float64{x, y, share}, err
		}}, nil
}

func (b *bench) byProcesses() (growing, error) {
	processes := []int{1, 10, 100, 500}
	const each = 200
	return growing{id: "growth-processes", title: "With the number of forked processes that live at once", digits: 2,
		columns: []string{"plain, ms per process", "seam, ms per process", "recorded, %"},
		notes:   []string{fmt.Sprintf("Each makes %d calls of `work_six` once all are there, and ends.", each)},
		sizes:   []string{"1 process", "10", "100", "500"},
		measure: func(i int) ([]float64, error) {
			p, s, share, err := b.under(nil, []function{b.functions()["work_six"]}, each*processes[i], "fork", "work_six", strconv.Itoa(each), strconv.Itoa(processes[i]))
			if err != nil {
				return nil, err
			}
			x, y, err := pair(p, s)
			return []float64{x / 1e6, y / 1e6, share}, err
		}}, nil
}

func (b *bench) byString() (growing, error) {
	lengths := []int{0, 16, 64, 256, 1024, 4096}
	const bursts, n = 50, 500
	return growing{id: "growth-string", title: "With the length of a string argument", digits: 1,
		columns: []string{"plain, ns per call", "seam, ns per call", "recorded, %"},
		notes:   []string{"`getenv` of a name of that length; the quietest of 50 bursts. The recorded part of a string has a cap."},
		sizes:   []string{"0 bytes", "16", "64", "256", "1,024", "4,096"},
		measure: func(i int) ([]float64, error) {
			p, s, share, err := b.under(nil, []function{b.functions()["getenv"]}, bursts*n, "string", strconv.Itoa(lengths[i]), strconv.Itoa(n))
			if err != nil {
				return nil, err
			}
			x, y, err := pair(p, s)
			return []float64{x, y, min(share, 100)}, err // its other calls, at the start, are seen too
		}}, nil
}

func (b *bench) byBuffer() (growing, error) {
	sizes := []string{"256KiB", "1MiB", "8MiB", "64MiB", "256MiB"}
	n := b.size(1_000_000)
	fns := []function{b.functions()["work_six"]}
	return growing{id: "growth-buffer", title: "With the size of the buffer (--buffer)", digits: 1,
		columns: []string{"seam, ns per call", "recorded, %", "VmRSS of the target, KiB"},
		notes:   []string{fmt.Sprintf("%s calls of `work_six` at full rate, without a pause: what is recorded depends on how fast the buffer is emptied, and on its size.", number(float64(n), 0))},
		sizes:   sizes,
		measure: func(i int) ([]float64, error) {
			flags := []string{"--buffer", sizes[i]}
			_, s, share, err := b.under(flags, fns, n, "sustain", "work_six", strconv.Itoa(n))
			if err != nil {
				return nil, err
			}
			_, m, _, err := b.under(flags, fns, n, "memory", strconv.Itoa(n))
			if err != nil {
				return nil, err
			}
			f := strings.Fields(m)
			if len(f) < 2 {
				return nil, fmt.Errorf("printed %q", m)
			}
			x, y, err := pair(s, f[1])
			return []float64{x, share, y}, err
		}}, nil
}
