package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seam-project/seam/tests/measure"
)

// program is one that people run. measure gives values of which less is better, one for each column.
type program struct {
	name    string
	columns []string
	units   []string
	measure func(b *bench, t tool, dir string) ([]float64, error)
	what    string
}

var programs = []program{
	{"sqlite", []string{"sqlite bulk load"}, []string{"s"}, (*bench).sqlite, "sqlite3 DB <load.sql: 60,000 inserts in transactions of 1,000, synchronous=off"},
	{"python", []string{"python"}, []string{"s"}, (*bench).python, "python3 -m unittest -q test.test_tempfile test.test_json: start-up and test files"},
	{"gcc", []string{"gcc"}, []string{"s"}, (*bench).gcc, "gcc -O1 -c of one generated file with 400 functions"},
	{"make", []string{"make -j2"}, []string{"s"}, (*bench).make, "make -j2 of a generated project: 120 C files, 20 shell loops: some 2,000 short processes"},
	{"nginx", []string{"nginx throughput", "nginx p99"}, []string{"µs per request", "µs"}, (*bench).nginx, "nginx, one worker, access log; wrk -t1 -c16 -d2s, a file of 10 KB"},
	{"redis", []string{"redis"}, []string{"µs per request"}, (*bench).redis, "redis-server; redis-benchmark -c 20 -n 60000 -t set,get"},
}

// watched is what the peers are asked for where a list is needed: the calls of seam's default packs that these programs make most.
var watched = []string{"open", "open64", "openat", "read", "write", "writev", "pread64", "pwrite64", "close", "connect", "accept4", "recv", "send", "sqlite3_step"}

func (b *bench) wholeTools() []tool {
	list := strings.Join(watched, "+")
	seamWith := func(flags ...string) func(*bench, string, []function, []string) command {
		return func(b *bench, dir string, _ []function, args []string) command {
			return b.seamRun(dir, nil, flags, args)
		}
	}
	prefix := func(c ...string) func(*bench, string, []function, []string) command {
		return func(_ *bench, dir string, _ []function, args []string) command {
			all := slices.Clone(c)
			for i := range all {
				all[i] = strings.ReplaceAll(all[i], "DIR", dir)
			}
			return command{args: append(all, args...)}
		}
	}
	ld := lttng
	ld.how = "a session with field:*; LD_PRELOAD=lttngwrap.so: open, read, write, writev, recv, send, close, getenv, sqlite3_step"
	return []tool{
		plain,
		{name: "seam, default packs", how: "seam run --report FILE", wrap: seamWith(), seen: seenReport},
		{name: "seam, nothing matches", how: "seam run --report FILE -p libnone:none", wrap: seamWith("-p", "libnone:none")},
		{name: "uftrace", how: "uftrace record --force: library calls of the program itself", wrap: uftrace(false)},
		ld,
		{name: "perf trace", how: "perf trace -o FILE: all system calls", wrap: prefix("perf", "trace", "-o", "DIR/text")},
		{name: "strace", how: "strace -f -o FILE: all system calls", wrap: prefix("strace", "-f", "-o", "DIR/text")},
		{name: "ltrace", how: "ltrace -f -o FILE -e " + list, wrap: prefix("ltrace", "-f", "-o", "DIR/text", "-e", list)},
	}
}

// noUprobes is why: measured with a library of our own, a watched program died of SIGTRAP.
const noUprobes = "a uprobe on a function of libc goes into every process that maps libc, and breaks the patches of those that seam watches"

const longest = 90 * time.Second

// wholePrograms: what a whole program pays.
func (b *bench) wholePrograms() error {
	if err := os.Chmod(b.dir, 0o755); err != nil { // nginx's workers are another user
		return err
	}
	if err := b.material(); err != nil {
		return err
	}
	tools := b.use(b.wholeTools()...)
	change := Table{ID: "programs", Title: "Whole programs, over plain", Unit: "%", Digits: 1, Notes: []string{
		"Each value is over the plain run of the same round; *quiet*: the best run over the best plain run. Where a tool costs more than four times the plain run, it takes part in every third round only.",
		"nginx throughput and redis: time per request. seam records everything of its default packs (files, network, processes, sqlite) in all processes, with arguments, and reports on it; the peers record less: see the commands."}}
	absolute := Table{ID: "programs-absolute", Title: "The same, as measured", Digits: 2}
	account := Table{ID: "programs-account", Title: "What seam recorded, and what its buffer could not hold", Columns: []string{"events", "dropped"},
		Notes: []string{"With the default buffer and policy (8 MiB, drop the oldest); each drop is counted and reported."}}
	for _, t := range tools {
		change.Rows = append(change.Rows, Row{Name: t.name})
		absolute.Rows = append(absolute.Rows, Row{Name: t.name})
	}
	for _, p := range programs {
		b.part.Commands["program: "+p.name] = p.what
		got := make([][][]float64, len(tools)) // [tool][column] → rounds
		over := make([][][]float64, len(tools))
		why := make([]string, len(tools))
		slow := make([]bool, len(tools))
		for i := range tools {
			got[i], over[i] = make([][]float64, len(p.columns)), make([][]float64, len(p.columns))
		}
		var events, dropped []float64
		for round := range b.rounds {
			var base []float64
			for i, t := range tools {
				if why[i] != "" || slow[i] && round%3 != 0 {
					continue
				}
				began := time.Now()
				v, a, err := b.whole(p, t)
				if err != nil {
					err = fmt.Errorf("%s: %w", p.name, err)
					if err := b.failed(t, err); err != nil {
						return err
					}
					why[i] = err.Error()
					continue
				}
				if i == 0 {
					base = v
				}
				if t.seen != nil && t.name != lttng.name {
					events, dropped = append(events, float64(a.Produced)), append(dropped, float64(a.Dropped))
				}
				for j := range v {
					got[i][j] = append(got[i][j], v[j])
					over[i][j] = append(over[i][j], 100*(v[j]/base[j]-1))
				}
				slow[i] = v[0] > 4*base[0] && time.Since(began) > 2*time.Second
			}
		}
		for j, name := range p.columns {
			change.Columns = append(change.Columns, name)
			absolute.Columns = append(absolute.Columns, name+", "+p.units[j])
			for i, t := range tools {
				if why[i] != "" {
					failed := Cell{Text: "failed"}
					if strings.Contains(why[i], errLate.Error()) {
						failed.Text = fmt.Sprintf("more than %.0f s", longest.Seconds())
					} else if j == 0 {
						change.Notes = append(change.Notes, fmt.Sprintf("%s, `%s`", t.name, strings.ReplaceAll(why[i], "\n", " / ")))
					}
					change.Rows[i].Cells, absolute.Rows[i].Cells = append(change.Rows[i].Cells, failed), append(absolute.Rows[i].Cells, failed)
					continue
				}
				c := cell(over[i][j], nil)
				c.Quiet = 100 * (slices.Min(got[i][j])/slices.Min(got[0][j]) - 1)
				if i == 0 {
					c = Cell{Text: "0"}
				}
				change.Rows[i].Cells = append(change.Rows[i].Cells, c)
				absolute.Rows[i].Cells = append(absolute.Rows[i].Cells, cell(got[i][j], nil))
			}
		}
		account.Rows = append(account.Rows, Row{Name: p.name, Cells: []Cell{cell(events, nil), cell(dropped, nil)}})
	}
	change.Rows = append(change.Rows, Row{Name: "bpftrace", Why: noUprobes, NotRun: true})
	b.part.Tables = append(b.part.Tables, change, absolute, account)
	return nil
}

// whole measures one program under one tool.
func (b *bench) whole(p program, t tool) (v []float64, a measure.Balance, err error) {
	dir, err := os.MkdirTemp(b.dir, "run-")
	if err != nil {
		return nil, a, err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, a, err
	}
	if t.open != nil {
		if err := t.open(b, dir); err != nil {
			return nil, a, err
		}
	}
	v, err = p.measure(b, t, dir)
	if t.close != nil {
		if _, e := t.close(b, dir); err == nil {
			err = e
		}
	}
	if err == nil && strings.HasPrefix(t.name, "seam") {
		a, err = measure.Account(filepath.Join(dir, "report.json"))
		if err == nil && a.Produced != a.Delivered+a.Dropped {
			err = fmt.Errorf("the account is not even: %+v", a)
		}
	}
	return v, a, err
}

// timed runs a command under a tool to its end.
func (b *bench) timed(t tool, dir, stdin string, args ...string) ([]float64, error) {
	c := t.wrap(b, dir, nil, args)
	c.dir, c.stdin, c.deadline = dir, stdin, longest
	r := run(c)
	return []float64{r.wall.Seconds()}, r.orFile(dir).said()
}

// material writes what the programs work on.
func (b *bench) material() error {
	var sql, c, mk strings.Builder
	sql.WriteString("pragma synchronous = off;\ncreate table t(id integer primary key, name text, value real);\ncreate index by_name on t(name);\n")
	for i := range b.size(60_000) {
		if i%1000 == 0 {
			sql.WriteString(map[bool]string{true: "begin;\n", false: "commit; begin;\n"}[i == 0])
		}
		fmt.Fprintf(&sql, "insert into t values(%d, 'name %d', %d.5);\n", i, i*7919%100_003, i)
	}
	sql.WriteString("commit;\n")
	for i := range b.size(400) {
		fmt.Fprintf(&c, "int f%d(int a, int *p) { int s = %d; for (int i = 0; i < a; i++) s = s * 31 + p[i] %% (i + %d); return s; }\n", i, i, i+3)
	}
	files, loops := b.size(120), b.size(20)
	if b.quick {
		files, loops = 4, 2
	}
	mk.WriteString("all: " + strings.Join(sequence("f%d.o", files), " ") + " " + strings.Join(sequence("loop%d", loops), " ") + "\n")
	mk.WriteString("f%.o: f%.c\n\t@test -s $<\n\t@cc -O0 -c -o $@ $<\n")
	mk.WriteString("loop%:\n\t@i=0; while [ $$i -lt 50 ]; do i=$$(/usr/bin/expr $$i + 1); done\n")
	for dir, text := range map[string]string{"load.sql": sql.String(), "big.c": c.String(), "project/Makefile": mk.String()} {
		if err := os.MkdirAll(filepath.Dir(b.path(dir)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(b.path(dir), []byte(text), 0o644); err != nil {
			return err
		}
	}
	for i := range files {
		text := fmt.Sprintf("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nint f%d(int a) { printf(\"%%d\\n\", a); return a + %d; }\n", i, i)
		if err := os.WriteFile(b.path(fmt.Sprintf("project/f%d.c", i)), []byte(text), 0o644); err != nil {
			return err
		}
	}
	html := b.path("html")
	if err := os.MkdirAll(html, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(html, "index.html"), []byte(strings.Repeat("x", 10_000)), 0o644)
}

func sequence(format string, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf(format, i))
	}
	return all
}

func (b *bench) sqlite(t tool, dir string) ([]float64, error) {
	return b.timed(t, dir, b.path("load.sql"), "/usr/bin/sqlite3", filepath.Join(dir, "db"))
}

func (b *bench) python(t tool, dir string) ([]float64, error) {
	tests := []string{"test.test_tempfile", "test.test_json"}
	if b.quick {
		tests = []string{"test.test_bisect"}
	}
	return b.timed(t, dir, "", append([]string{"/usr/bin/python3", "-m", "unittest", "-q"}, tests...)...)
}

func (b *bench) gcc(t tool, dir string) ([]float64, error) {
	return b.timed(t, dir, "", "/usr/bin/gcc", "-O1", "-c", "-o", filepath.Join(dir, "big.o"), b.path("big.c"))
}

func (b *bench) make(t tool, dir string) ([]float64, error) {
	project := b.path("project")
	objects, _ := filepath.Glob(filepath.Join(project, "*.o"))
	for _, o := range objects {
		if err := os.Remove(o); err != nil {
			return nil, err
		}
	}
	return b.timed(t, dir, "", "/usr/bin/make", "-s", "-j2", "-C", project)
}

// served starts a server under a tool, has load measure it, and ends it as its operator would.
func (b *bench) served(t tool, dir string, port int, pidfile string, end syscall.Signal, args []string, load func() ([]float64, error)) ([]float64, error) {
	c := t.wrap(b, dir, nil, args)
	c.dir, c.deadline = dir, longest
	p, err := start(c)
	if err != nil {
		return nil, err
	}
	var v []float64
	err = errors.New("does not listen")
	for range 400 {
		conn, e := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), time.Second)
		if e == nil {
			conn.Close()
			v, err = load()
			break
		}
		if p.ctx.Err() != nil {
			break
		}
		time.Sleep(25 * time.Millisecond)
	}
	if text, e := os.ReadFile(pidfile); e == nil {
		if pid, e := strconv.Atoi(strings.TrimSpace(string(text))); e == nil && descends(pid) {
			syscall.Kill(pid, end)
		}
	} else {
		endTree(p.cmd.Process.Pid)
	}
	r := p.wait()
	if err != nil && r.status != nil {
		err = fmt.Errorf("%w: %w", err, r.orFile(dir).said())
	}
	if errors.Is(r.status, errLate) {
		err = errLate
	}
	return v, err
}

// descends: only what we started is killed.
func descends(pid int) bool {
	for all := parents(); pid > 1; pid = all[pid] {
		if pid == os.Getpid() {
			return true
		}
	}
	return false
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

var (
	wrkRate = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	wrkP99  = regexp.MustCompile(`99%\s+([0-9.]+)(us|ms|s)`)
)

// parseWrk returns µs per request and p99 in µs.
func parseWrk(out string) ([]float64, error) {
	rate, p99 := wrkRate.FindStringSubmatch(out), wrkP99.FindStringSubmatch(out)
	if rate == nil || p99 == nil {
		return nil, fmt.Errorf("wrk printed %q", out)
	}
	r, err := strconv.ParseFloat(rate[1], 64)
	if err == nil && r <= 0 {
		err = errors.New("no requests were served")
	}
	if err != nil {
		return nil, err
	}
	p, err := strconv.ParseFloat(p99[1], 64)
	return []float64{1e6 / r, p * map[string]float64{"us": 1, "ms": 1e3, "s": 1e6}[p99[2]]}, err
}

func (b *bench) nginx(t tool, dir string) ([]float64, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	conf := fmt.Sprintf(`worker_processes 1;
daemon off;
pid %[1]s/pid;
error_log %[1]s/error.log;
events { worker_connections 256; }
http {
	access_log %[1]s/access.log;
	client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	sendfile on;
	server { listen 127.0.0.1:%[2]d; root %[3]s; }
}
`, dir, port, b.path("html"))
	if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(conf), 0o644); err != nil {
		return nil, err
	}
	seconds := "2s"
	if b.quick {
		seconds = "1s"
	}
	args := []string{"/usr/sbin/nginx", "-e", filepath.Join(dir, "error.log"), "-c", filepath.Join(dir, "conf")}
	return b.served(t, dir, port, filepath.Join(dir, "pid"), syscall.SIGQUIT, args, func() ([]float64, error) {
		r := run(command{args: []string{"wrk", "-t1", "-c16", "-d" + seconds, "--latency", fmt.Sprintf("http://127.0.0.1:%d/", port)}})
		if r.status != nil {
			return nil, r.said()
		}
		return parseWrk(r.out)
	})
}

func (b *bench) redis(t tool, dir string) ([]float64, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	n := b.size(60_000)
	pidfile := filepath.Join(dir, "pid")
	args := []string{"/usr/bin/redis-server", "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir, "--appendonly", "no", "--save", "", "--pidfile", pidfile}
	return b.served(t, dir, port, pidfile, syscall.SIGTERM, args, func() ([]float64, error) {
		r := run(command{args: []string{"redis-benchmark", "-p", strconv.Itoa(port), "-c", "20", "-n", strconv.Itoa(n), "-q", "-t", "set,get"}, deadline: longest})
		if r.status != nil {
			return nil, r.said()
		}
		// Its figures in µs per request, for both commands; the wall time has its own start in it.
		return parseRedis(r.out)
	})
}

var redisRate = regexp.MustCompile(`([0-9.]+) requests per second`)

// parseRedis returns the mean µs per request. The last rate of each line is the final one.
func parseRedis(out string) ([]float64, error) {
	sum, n := 0.0, 0
	for line := range strings.Lines(out) {
		rates := redisRate.FindAllStringSubmatch(line, -1)
		if len(rates) == 0 {
			continue
		}
		v, err := strconv.ParseFloat(rates[len(rates)-1][1], 64)
		if err != nil || v <= 0 {
			return nil, fmt.Errorf("redis-benchmark printed %q", line)
		}
		sum, n = sum+1e6/v, n+1
	}
	if n == 0 {
		return nil, fmt.Errorf("redis-benchmark printed %q", out)
	}
	return []float64{sum / float64(n)}, nil
}
