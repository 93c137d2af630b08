package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// function is one that tools are asked to record, with its arguments and what it returns.
type function struct {
	name, lib string // lib: the file that has it
	args      string // one letter each: i, p, s
	proto     string // for seam, if it is not in its tables
	// own marks, in a line about a system call, that it is the program's and not another's: its last argument
	own string
}

// tool is one way to record calls. Zero fields mean: nothing to do.
type tool struct {
	name string
	// how says in the document what is run.
	how string
	// syscalls: sees system calls only.
	syscalls bool
	// uprobes: the kernel puts its breakpoints into every process that maps the file, and on removal writes
	// the file's byte over what is there: never on a file that others may be running.
	uprobes bool
	// full is how many calls its measurements at full rate make.
	full int
	// burst and rounds are the size of one measurement of the cost per call.
	burst, rounds int
	// wrap returns what runs args with fns recorded into dir. No fns: what the tool records by itself.
	wrap func(b *bench, dir string, fns []function, args []string) command
	// open and close are called before and after each run, outside its time. What close returns is added to stderr.
	open  func(b *bench, dir string) error
	close func(b *bench, dir string) (string, error)
	// seen counts the calls of fn in what the tool wrote, and those that it says it lost.
	seen func(b *bench, dir string, r result, fn function) (count, lost int, err error)
	// file has what was recorded; "" is the whole dir.
	file string
}

func (b *bench) functions() map[string]function {
	return map[string]function{
		"work_six": {name: "work_six", lib: b.path("libwork.so"), args: "iiiiii",
			proto: "long work_six(long a, long b, long c, long d, long e, long f)"},
		"getenv":       {name: "getenv", lib: libc, args: "s"},
		"write":        {name: "write", lib: libc, args: "ipi", own: "33"},
		"sqlite3_step": {name: "sqlite3_step", lib: b.path(sqliteName), args: "p"},
		"site_call":    {name: "site_call", lib: b.path("libsites.so"), args: "i", proto: "long site_call(long a)"},
	}
}

const (
	libc = "/lib/x86_64-linux-gnu/libc.so.6"
	// A copy of it is in the bench's folder, so that uprobes reach nobody else.
	libsqlite  = "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0"
	sqliteName = "libsqlite3.so.0"
)

// cannot says why a tool is not asked for a function; "" if it is.
func (t tool) cannot(fn function) string {
	switch {
	case t.syscalls && fn.own == "":
		return "not a system call"
	case t.uprobes && fn.lib == libc:
		return "a uprobe on libc is in every process"
	}
	return ""
}

// ring is the size of byhand.c's: without a reader seam goes round in its buffer as that does in its ring.
const ring = "256KiB"

func preload(file string, more ...string) func(*bench, string, []function, []string) command {
	return func(b *bench, dir string, _ []function, args []string) command {
		env := []string{"LD_PRELOAD=" + b.path(file)}
		for _, m := range more {
			env = append(env, strings.ReplaceAll(m, "DIR", dir))
		}
		return command{env: env, args: args}
	}
}

var plain = tool{name: "plain", how: "the program alone", full: 1_000_000, burst: 2000, rounds: 100,
	wrap: func(_ *bench, _ string, _ []function, args []string) command { return command{args: args} }}

var byhand = tool{name: "preload by hand", how: "LD_PRELOAD, functions written for the purpose (tests/bench/testdata/byhand.c), into a ring that nobody reads",
	full: 1_000_000, burst: 2000, rounds: 100, wrap: preload("byhand.so")}

// counting is the interposer where counts matter.
var counting = tool{name: "preload by hand", how: "LD_PRELOAD, functions that count in a shared file (testdata/count.c)", full: 1_000_000,
	wrap: preload("count.so", "FIELD_COUNT=DIR/count"),
	open: func(_ *bench, dir string) error {
		return os.WriteFile(filepath.Join(dir, "count"), make([]byte, 4096), 0o600)
	},
	seen: func(_ *bench, dir string, _ result, fn function) (int, int, error) {
		return countShared(filepath.Join(dir, "count"), fn)
	},
}

var seamRun = tool{name: "seam", how: "seam run --report FILE -p PROBE…", full: 1_000_000, burst: 2000, rounds: 100, file: "stream",
	wrap: func(b *bench, dir string, fns []function, args []string) command {
		return b.seamRun(dir, fns, nil, args)
	},
	seen: seenReport,
}

var seamAlone = tool{name: "seam, nobody reads", how: "seam run -q --start never --buffer " + ring + " -p PROBE…: as the preload by hand, into a ring",
	full: 1_000_000, burst: 2000, rounds: 100,
	wrap: func(b *bench, dir string, fns []function, args []string) command {
		c := b.seamRun(dir, fns, []string{"--start", "never", "--buffer", ring}, args)
		return c
	},
}

var seamSaved = tool{name: "seam", how: "seam run -o FILE -p PROBE…", full: 1_000_000, file: "stream",
	wrap: func(b *bench, dir string, fns []function, args []string) command {
		return b.seamRun(dir, fns, []string{"-o", filepath.Join(dir, "stream")}, args)
	},
	seen: seenReport,
}

var seamBlock = tool{name: "seam --on-full block", how: "seam run --on-full block --block-timeout 10s -p PROBE…", full: 1_000_000,
	wrap: func(b *bench, dir string, fns []function, args []string) command {
		return b.seamRun(dir, fns, []string{"--on-full", "block", "--block-timeout", "10s"}, args)
	},
	seen: seenReport,
}

func seenReport(_ *bench, dir string, _ result, fn function) (int, int, error) {
	return countReport(filepath.Join(dir, "report.json"), fn)
}

func (b *bench) seamRun(dir string, fns []function, flags, args []string) command {
	c := []string{b.seam, "run", "--json", "--report", filepath.Join(dir, "report.json")}
	c = append(c, flags...)
	c = append(c, b.probes(fns)...)
	return command{args: append(append(c, "--"), args...)}
}

func (b *bench) probes(fns []function) []string {
	var c []string
	for _, f := range fns {
		lib := f.lib
		switch lib { // by name, as people write them
		case libc:
			lib = "libc"
		case b.path(sqliteName):
			lib = "libsqlite3"
		}
		c = append(c, "-p", lib+":"+f.name)
		if f.proto != "" {
			c = append(c, "--proto", f.proto)
		}
	}
	return c
}

func uftrace(args bool) func(b *bench, dir string, fns []function, cmd []string) command {
	return func(b *bench, dir string, fns []function, cmd []string) command {
		c := []string{"uftrace", "record", "--no-pager", "--force", "-d", filepath.Join(dir, "u")}
		for _, f := range fns {
			if !args {
				break
			}
			var spec []string
			for i, a := range f.args {
				spec = append(spec, fmt.Sprintf("arg%d/%s", i+1, map[rune]string{'i': "i64", 'p': "x64", 's': "s"}[a]))
			}
			c = append(c, "-A", f.name+"@"+strings.Join(spec, ","), "-R", f.name+"@retval/x64")
		}
		return command{args: append(c, cmd...)}
	}
}

func seenUftrace(_ *bench, dir string, r result, fn function) (int, int, error) {
	out := run(command{args: []string{"uftrace", "report", "--no-pager", "-f", "call", "-d", filepath.Join(dir, "u")}, deadline: 2 * time.Minute})
	if out.status != nil {
		return 0, 0, out.said()
	}
	return countUftrace(out.out, r.err+out.err, fn)
}

var uftraceArgs = tool{name: "uftrace, arguments and return", how: "uftrace record --force -A FUNCTION@arg1/i64,… -R FUNCTION@retval/x64 (its tracing of library calls)",
	full: 1_000_000, burst: 2000, rounds: 100, file: "u", wrap: uftrace(true), seen: seenUftrace}

var uftracePlain = tool{name: "uftrace, no arguments", how: "uftrace record --force", full: 1_000_000, burst: 2000, rounds: 100, file: "u",
	wrap: uftrace(false), seen: seenUftrace}

var lttng = tool{name: "LTTng-UST", how: "lttng create; lttng enable-event -u 'field:*'; lttng start; LD_PRELOAD=lttngwrap.so (testdata/lttngwrap.c, tp.h)",
	full: 500_000, burst: 2000, rounds: 100, file: "l", wrap: preload("lttngwrap.so"),
	open:  func(b *bench, dir string) error { return b.lttngOpen(dir) },
	close: func(b *bench, dir string) (string, error) { return b.lttngClose() },
	seen: func(b *bench, dir string, r result, fn function) (int, int, error) {
		return countLTTng(filepath.Join(dir, "l"), r.err, fn)
	},
}

func ltraceWrap(where string) func(b *bench, dir string, fns []function, args []string) command {
	return func(b *bench, dir string, fns []function, args []string) command {
		c := []string{"ltrace", "-f", "-o", filepath.Join(dir, "text")}
		var names []string
		for _, f := range fns {
			names = append(names, f.name)
		}
		if where == "-e" {
			c = append(c, "-e", strings.Join(names, "+"))
		} else {
			for _, n := range names {
				c = append(c, "-x", n)
			}
			c = append(c, "-L")
		}
		return command{args: append(c, args...)}
	}
}

func seenText(_ *bench, dir string, r result, fn function) (int, int, error) {
	return countText(filepath.Join(dir, "text"), r.err, fn)
}

var ltrace = tool{name: "ltrace", how: "ltrace -f -o FILE -e FUNCTION…", full: 5000, burst: 20, rounds: 15, file: "text", wrap: ltraceWrap("-e"), seen: seenText}

var ltraceInside = tool{name: "ltrace -x", how: "ltrace -f -o FILE -L -x FUNCTION…", full: 5000, file: "text", wrap: ltraceWrap("-x"), seen: seenText}

var strace = tool{name: "strace", how: "strace -f -o FILE -e trace=write", syscalls: true, full: 50_000, burst: 50, rounds: 30, file: "text",
	wrap: func(_ *bench, dir string, _ []function, args []string) command {
		return command{args: append([]string{"strace", "-f", "-o", filepath.Join(dir, "text"), "-e", "trace=write"}, args...)}
	}, seen: seenText}

var perfTrace = tool{name: "perf trace", how: "perf trace -o FILE -e write", syscalls: true, full: 200_000, burst: 500, rounds: 50, file: "text",
	wrap: func(_ *bench, dir string, _ []function, args []string) command {
		return command{args: append([]string{"perf", "trace", "-o", filepath.Join(dir, "text"), "-e", "write"}, args...)}
	}, seen: seenText}

var bpftrace = tool{name: "bpftrace", how: `bpftrace -o FILE -e 'uprobe:LIB:FUNCTION { printf(…arguments) } uretprobe:LIB:FUNCTION { printf(…retval) }' -c PROGRAM`,
	full: 100_000, burst: 200, rounds: 50, file: "text", uprobes: true,
	wrap: func(b *bench, dir string, fns []function, args []string) command {
		var text strings.Builder
		for _, f := range fns {
			if (tool{uprobes: true}).cannot(f) != "" {
				continue
			}
			format, values := "", ""
			for i, a := range f.args {
				format += map[rune]string{'i': " %d", 'p': " %p", 's': " %s"}[a]
				if a == 's' {
					values += fmt.Sprintf(", str(arg%d)", i)
				} else {
					values += fmt.Sprintf(", arg%d", i)
				}
			}
			fmt.Fprintf(&text, "uprobe:%s:%s { printf(\"%s(%s)\\n\"%s) } uretprobe:%[1]s:%[2]s { printf(\"= %%d\\n\", retval) } ", f.lib, f.name, f.name, format, values)
		}
		return command{args: []string{b.bpftrace, "-o", filepath.Join(dir, "text"), "-e", text.String(), "-c", strings.Join(args, " ")}}
	}, seen: seenText}

// recorded runs args under a tool and says what it printed; dir is fresh, and the caller's to remove.
func (b *bench) recorded(t tool, fns []function, deadline time.Duration, args []string) (r result, dir string, err error) {
	dir, err = os.MkdirTemp(b.dir, "run-")
	if err != nil {
		return r, "", err
	}
	if t.open != nil {
		if err := t.open(b, dir); err != nil {
			return r, dir, err
		}
	}
	c := t.wrap(b, dir, fns, args)
	c.deadline = deadline
	r = run(c)
	if t.close != nil {
		text, err := t.close(b, dir)
		if err != nil {
			return r, dir, err
		}
		r.err += text
	}
	return r, dir, r.orFile(dir).said()
}

// orFile: some tools write their own errors into the file that they were given.
func (r result) orFile(dir string) result {
	if strings.TrimSpace(r.err+r.out) == "" && r.status != nil {
		text, _ := os.ReadFile(filepath.Join(dir, "text"))
		r.err = string(text[max(0, len(text)-400):])
	}
	return r
}
