package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// losses: of the calls that were made, how many were recorded, and how many the tool says it lost.
func (b *bench) losses() error {
	const children = 4
	type scenario struct {
		name string
		made func(t tool) int
		args func(t tool, fn string) []string
		own  bool // needs a function of a library, not a system call
		all  bool // in each round: it varies
		dies bool
	}
	n := func(share, most int) func(t tool) int {
		return func(t tool) int { return b.size(min(t.full/share, most)) }
	}
	full, tail, forked, some := n(1, 1<<30), n(1, 5000), n(20, 20_000), n(20, 20_000)
	scenarios := []scenario{
		{"full rate, one thread", full, func(t tool, fn string) []string { return []string{"sustain", fn, strconv.Itoa(full(t))} }, false, true, false},
		{"killed by SIGKILL", tail, func(t tool, fn string) []string { return []string{"kill", fn, strconv.Itoa(tail(t))} }, false, false, true},
		{"4 forked children", func(t tool) int { return children * forked(t) }, func(t tool, fn string) []string {
			return []string{"fork", fn, strconv.Itoa(forked(t)), strconv.Itoa(children)}
		}, false, false, false},
		{"pointer from dlsym", some, func(t tool, _ string) []string { return []string{"dlsym", strconv.Itoa(some(t))} }, true, false, false},
		{"by a library loaded late", some, func(t tool, _ string) []string { return []string{"late", b.path("plugin.so"), strconv.Itoa(some(t))} }, true, false, false},
	}
	tools := b.use(counting, seamRun, seamBlock, uftraceArgs, uftracePlain, lttng, bpftrace, ltrace, ltraceInside, strace, perfTrace)
	type key struct{ tool, scenario string }
	share, told, untold, made := map[key][]float64{}, map[key][]float64{}, map[key][]float64{}, map[key]int{}
	for round := range b.rounds {
		for _, s := range scenarios {
			if round >= 3 && !s.all {
				continue
			}
			for _, t := range tools {
				if b.broken[t.name] != "" || t.syscalls && s.own {
					continue
				}
				fn := b.functions()["work_six"]
				if t.syscalls {
					fn = b.functions()["write"]
				}
				r, dir, err := b.recorded(t, []function{fn}, time.Minute, append([]string{b.path("field")}, s.args(t, fn.name)...))
				var exit *exec.ExitError
				if s.dies && errors.As(err, &exit) {
					err = nil
				}
				var seen, lost int
				if err == nil {
					seen, lost, err = t.seen(b, dir, r, fn)
				}
				os.RemoveAll(dir)
				if err != nil {
					if err := b.failed(t, fmt.Errorf("%s: %w", s.name, err)); err != nil {
						return err
					}
					continue
				}
				k := key{t.name, s.name}
				made[k] = s.made(t)
				share[k] = append(share[k], 100*float64(seen)/float64(made[k]))
				told[k] = append(told[k], float64(lost))
				untold[k] = append(untold[k], float64(made[k]-seen-lost))
			}
		}
	}
	table := Table{ID: "losses", Title: "Calls recorded, of those that were made, with each tool's defaults", Unit: "%", Digits: 1,
		Notes: []string{"*made*: calls in each run; *told*: what the tool says it lost, in its own unit: LTTng counts events, two a call; bpftrace and perf trace records. *silent*: calls that are neither there nor told.",
			"`work_six`; `write` for strace and perf trace, which see system calls only. seam's default, when its buffer is full, is to drop the oldest: `--on-full block` waits instead."}}
	for _, s := range scenarios {
		table.Columns = append(table.Columns, s.name)
	}
	for _, t := range tools {
		row := Row{Name: t.name, Why: b.broken[t.name]}
		for _, s := range scenarios {
			k := key{t.name, s.name}
			c := cell(share[k], nil)
			switch {
			case t.syscalls && s.own:
				c = Cell{Text: "not a system call"}
			case c.Rounds > 0:
				c.Text = "of " + number(float64(made[k]), 0)
				if l := cell(told[k], nil).Median; l > 0 {
					c.Text += "; told " + number(l, 0)
				}
				if l := cell(untold[k], nil).Median; l > 0 && cell(told[k], nil).Median == 0 {
					c.Text += "; silent " + number(l, 0)
				}
			}
			if c.Min == c.Max && c.Rounds > 0 {
				c.Rounds = 1
			}
			row.Cells = append(row.Cells, c)
		}
		table.Rows = append(table.Rows, row)
	}
	b.part.Tables = append(b.part.Tables, table)
	return nil
}
