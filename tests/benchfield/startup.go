package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// startup: what is added to a program that does nothing, what is added to its memory, and what an event takes on disk.
func (b *bench) startup() error {
	for _, f := range []func() (Table, error){b.starts, b.memory, b.bytes} {
		t, err := f()
		if err != nil {
			return err
		}
		b.part.Tables = append(b.part.Tables, t)
	}
	return nil
}

// way is one way to start /bin/true.
type way struct {
	name, how string
	times     int // in each round
	env, args []string
	lttng     bool
}

func (b *bench) starts() (Table, error) {
	listen, err := start(command{args: []string{b.seam, "listen", "--json", "--socket", b.path("s"), "-o", "/dev/null"}, deadline: time.Hour})
	if err != nil {
		return Table{}, err
	}
	defer func() {
		syscall.Kill(listen.cmd.Process.Pid, syscall.SIGTERM)
		listen.wait()
	}()
	for range 200 {
		if _, err := os.Stat(b.path("s")); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	inject := run(command{args: []string{b.seam, "env", "--format", "env-file", "--socket", b.path("s")}})
	if inject.status != nil {
		return Table{}, inject.said()
	}
	injected := []string{"SPAWN_ENV_SEAM_READER=seam"}
	for line := range strings.Lines(inject.out) {
		injected = append(injected, "SPAWN_ENV_"+strings.TrimSpace(line))
	}
	const target = "/bin/true"
	text := b.path("start.text")
	ways := []way{
		{"plain", "/bin/true", 100, nil, []string{target}, false},
		{"env", "/usr/bin/env /bin/true", 100, nil, []string{"/usr/bin/env", target}, false},
		{"an empty preload", "LD_PRELOAD=empty.so", 100, []string{"SPAWN_ENV_LD_PRELOAD=" + b.path("empty.so")}, []string{target}, false},
		{"preload by hand", "LD_PRELOAD=byhand.so", 100, []string{"SPAWN_ENV_LD_PRELOAD=" + b.path("byhand.so")}, []string{target}, false},
		{"seam env", "the environment that seam env prints; default packs, a reader", 100, injected, []string{target}, false},
		{"seam exec", "seam exec /bin/true; default packs, a reader", 40, []string{"SPAWN_ENV_SEAM_READER=seam"}, []string{b.seam, "exec", "--socket", b.path("s"), "--", target}, false},
		{"seam exec, nothing matches", "seam exec -p libnone:none /bin/true", 40, []string{"SPAWN_ENV_SEAM_READER=seam"}, []string{b.seam, "exec", "--socket", b.path("s"), "-p", "libnone:none", "--", target}, false},
		{"seam run", "seam run -q /bin/true; default packs", 20, nil, []string{b.seam, "run", "-q", "--", target}, false},
		{"LTTng-UST", "LD_PRELOAD=lttngwrap.so, a session that is on", 40, []string{"SPAWN_ENV_LD_PRELOAD=" + b.path("lttngwrap.so")}, []string{target}, true},
		{"uftrace", "uftrace record --force", 3, nil, []string{"/usr/bin/uftrace", "record", "--no-pager", "--force", "-d", b.path("start.u"), target}, false},
		{"strace", "strace -f -o FILE", 20, nil, []string{"/usr/bin/strace", "-f", "-o", text, target}, false},
		{"ltrace", "ltrace -f -o FILE", 3, nil, []string{"/usr/bin/ltrace", "-f", "-o", text, target}, false},
		{"perf trace", "perf trace -o FILE", 2, nil, []string{"/usr/bin/perf", "trace", "-o", text, target}, false},
		{"bpftrace", "bpftrace -e 'uprobe:LIB:work_six {…}' -c /bin/true, with a library that is not loaded", 2, nil, []string{b.bpftrace, "-o", text, "-e",
			"uprobe:" + b.path("libwork.so") + ":work_six { printf(\"w\\n\") }", "-c", target}, false},
	}
	got := make([][]float64, len(ways))
	quiet := make([][]float64, len(ways))
	for range b.rounds {
		for i, w := range ways {
			t := tool{name: w.name}
			if b.broken[t.name] != "" {
				continue
			}
			times := w.times
			if b.quick {
				times = 1
			}
			dir, err := os.MkdirTemp(b.dir, "start-")
			if err != nil {
				return Table{}, err
			}
			if w.lttng {
				err = b.lttngOpen(dir)
			}
			var r result
			if err == nil {
				r = run(command{env: w.env, args: append([]string{b.path("spawn"), strconv.Itoa(times)}, w.args...)})
				err = r.said()
			}
			if w.lttng {
				if _, e := b.lttngClose(); err == nil {
					err = e
				}
			}
			os.RemoveAll(dir)
			f := strings.Fields(lastLine(r.out))
			if err == nil && len(f) == 3 {
				med, e1 := strconv.ParseFloat(f[0], 64)
				min, e2 := strconv.ParseFloat(f[1], 64)
				if e1 == nil && e2 == nil {
					got[i], quiet[i] = append(got[i], med), append(quiet[i], min)
					continue
				}
			}
			if err == nil {
				err = fmt.Errorf("printed %q", r.out)
			}
			if err := b.failed(t, err); err != nil {
				return Table{}, err
			}
		}
	}
	table := Table{ID: "start", Title: "/bin/true, from before it is started until it has been waited for", Unit: "ms", Digits: 2, Columns: []string{"time", "× plain"}}
	base := cell(got[0], quiet[0])
	for i, w := range ways {
		b.part.Commands["start: "+w.name] = w.how
		row := Row{Name: w.name, Why: b.broken[w.name]}
		if c := cell(got[i], quiet[i]); c.Rounds > 0 {
			row.Cells = []Cell{c, {Median: c.Median / base.Median, Min: c.Min / base.Median, Max: c.Max / base.Median, Rounds: c.Rounds, Quiet: c.Quiet / base.Quiet}}
		}
		table.Rows = append(table.Rows, row)
	}
	return table, nil
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// memory is what the target says of itself after some calls.
func (b *bench) memory() (Table, error) {
	b.broken = map[string]string{}
	tools := b.use(plain, byhand, seamRun, seamAlone, uftraceArgs, lttng, ltrace, strace, perfTrace, bpftrace)
	table := Table{ID: "memory", Title: "Memory of the target after calls of work_six (200,000; slow tools fewer), over plain", Unit: "KiB", Columns: []string{"VmHWM", "VmRSS", "Pss"},
		Notes: []string{"Of the target alone: what daemons, tracers and readers use beside it is not in it. Shared buffers are in VmRSS as far as the target has touched them; Pss divides them among those that map them."}}
	got := make([][3][]float64, len(tools))
	for range min(b.rounds, 3) {
		for i, t := range tools {
			if b.broken[t.name] != "" {
				continue
			}
			r, dir, err := b.recorded(t, []function{b.functions()["work_six"]}, time.Minute,
				[]string{b.path("field"), "memory", strconv.Itoa(b.size(min(t.full, 200_000)))})
			os.RemoveAll(dir)
			var v [3]float64
			if err == nil {
				// The tool may print more, before or after.
				err = fmt.Errorf("printed %q", r.out)
				for line := range strings.Lines(r.out) {
					if n, _ := fmt.Sscan(line, &v[0], &v[1], &v[2]); n == 3 {
						err = nil
						break
					}
				}
			}
			if err != nil {
				if err := b.failed(t, err); err != nil {
					return table, err
				}
				continue
			}
			for j := range v {
				got[i][j] = append(got[i][j], v[j])
			}
		}
	}
	for i, t := range tools {
		row := Row{Name: t.name, Why: b.broken[t.name]}
		for j := range got[i] {
			c := cell(got[i][j], nil)
			if i > 0 {
				c = c.added(cell(got[0][j], nil))
			}
			row.Cells = append(row.Cells, c)
		}
		table.Rows = append(table.Rows, row)
	}
	return table, nil
}

// bytes is what a call takes in the file that a tool writes.
func (b *bench) bytes() (Table, error) {
	b.broken = map[string]string{}
	tools := b.use(seamSaved, uftracePlain, uftraceArgs, lttng, ltrace, strace, perfTrace, bpftrace)
	table := Table{ID: "bytes", Title: "Bytes in the tool's file for each call it recorded, entry and return", Unit: "bytes", Digits: 1, Columns: []string{"work_six", "write"},
		Notes: []string{"Of what was recorded, files of fixed size included: with few calls they count for more."}}
	for _, t := range tools {
		row := Row{Name: t.name}
		for _, name := range table.Columns {
			fn := b.functions()[name]
			if text := t.cannot(fn); text != "" {
				row.Cells = append(row.Cells, Cell{Text: text})
				continue
			}
			r, dir, err := b.recorded(t, []function{fn}, 2*time.Minute, []string{b.path("field"), "sustain", fn.name, strconv.Itoa(b.size(min(t.full, 100_000)))})
			var n int
			if err == nil {
				n, _, err = t.seen(b, dir, r, fn)
			}
			if err == nil && n == 0 {
				err = fmt.Errorf("saw nothing: %s", lastLine(r.err))
			}
			if err != nil {
				os.RemoveAll(dir)
				if err := b.failed(t, err); err != nil {
					return table, err
				}
				row.Why = b.broken[t.name]
				break
			}
			c := cell([]float64{float64(sizeOf(filepath.Join(dir, t.file))) / float64(n)}, nil)
			row.Cells = append(row.Cells, c)
			os.RemoveAll(dir)
		}
		table.Rows = append(table.Rows, row)
	}
	return table, nil
}

// size is n, or a little in a quick run.
func (b *bench) size(n int) int {
	if b.quick {
		return max(n/100, 100)
	}
	return n
}

func sizeOf(path string) (sum int64) {
	filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if i, err := d.Info(); err == nil {
				sum += i.Size()
			}
		}
		return nil
	})
	return sum
}
