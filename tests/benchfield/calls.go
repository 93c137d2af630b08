package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// calls: what one recorded call costs, entry and exit with arguments and return, over that of the same call alone.
func (b *bench) calls() error {
	tools := b.use(plain, byhand, seamRun, seamAlone, uftracePlain, uftraceArgs, lttng, bpftrace, ltrace, strace, perfTrace)
	for _, threads := range []int{1, 2} {
		t, err := b.callsBy(threads, tools)
		if err != nil {
			return err
		}
		b.part.Tables = append(b.part.Tables, t)
	}
	return nil
}

var perCall = []string{"work_six", "getenv", "write", "sqlite3_step"}

func (b *bench) callsBy(threads int, tools []tool) (Table, error) {
	known := b.functions()
	var fns []function
	for _, name := range perCall {
		fns = append(fns, known[name])
	}
	type key struct{ tool, function string }
	medians, quiets := map[key][]float64{}, map[key][]float64{}
	unseen := map[key]string{}
	for round := range b.rounds {
		for _, t := range tools {
			if b.broken[t.name] != "" {
				continue
			}
			bursts := t.rounds
			if b.quick {
				bursts = 5
			}
			args := []string{b.path("field"), "bursts", strconv.Itoa(threads), strconv.Itoa(t.burst), strconv.Itoa(bursts)}
			r, dir, err := b.recorded(t, fns, time.Minute, args)
			for line := range strings.Lines(r.out) {
				f := strings.Fields(line)
				if len(f) != 3 || err != nil {
					continue
				}
				med, e1 := strconv.ParseFloat(f[1], 64)
				min, e2 := strconv.ParseFloat(f[2], 64)
				if e1 != nil || e2 != nil {
					continue // the tool's own output
				}
				k := key{t.name, f[0]}
				medians[k], quiets[k] = append(medians[k], med), append(quiets[k], min)
			}
			// That it records all of them is looked at once: a call that is not seen costs little.
			for _, fn := range fns {
				if err != nil || round > 0 || t.seen == nil {
					break
				}
				if t.cannot(fn) != "" {
					continue
				}
				var n, lost int
				made := threads * t.burst * bursts
				if n, lost, err = t.seen(b, dir, r, fn); err == nil && n < made {
					unseen[key{t.name, fn.name}] = fmt.Sprintf("saw %d of %d", n, made)
					if lost > 0 {
						unseen[key{t.name, fn.name}] += ", told"
					}
				}
			}
			os.RemoveAll(dir)
			if err != nil {
				if err := b.failed(t, err); err != nil {
					return Table{}, err
				}
			}
		}
	}
	table := Table{ID: "calls-" + strconv.Itoa(threads), Digits: 1, Unit: "ns", Columns: perCall,
		Title: fmt.Sprintf("Added to a call, entry and exit, with arguments and return, %s", map[int]string{1: "one thread", 2: "two threads"}[threads])}
	for _, t := range tools {
		row := Row{Name: t.name, Why: b.broken[t.name]}
		for _, f := range perCall {
			k := key{t.name, f}
			c := cell(medians[k], quiets[k])
			if t.name != plain.name {
				p := key{plain.name, f}
				c = c.added(cell(medians[p], quiets[p]))
			}
			if c.Rounds > 0 {
				c.Text = unseen[k]
			}
			if text := t.cannot(known[f]); text != "" {
				c = Cell{Text: text}
			}
			row.Cells = append(row.Cells, c)
		}
		table.Rows = append(table.Rows, row)
	}
	table.Notes = []string{
		"Row *plain*: the whole call. Each value: the median of the rounds' medians over bursts of calls (lowest–highest of the rounds; *quiet* the least disturbed burst of all).",
		"`work_six`: six integers, 1 ns; `getenv`: a 32-byte name, not there; `write`: 33 bytes to /dev/null; `sqlite3_step`: a prepared INSERT in memory.",
		"After each burst a pause, so that what drains can keep up. *saw n of m*: the tool did not record all calls, so its figure says little.",
	}
	return table, nil
}
