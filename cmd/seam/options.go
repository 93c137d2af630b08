package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/seam-project/seam/collector/learn"
	"github.com/seam-project/seam/hooks"
)

// option is a row of the one table that flags, environment variables and help
// are made from.
type option struct {
	name, short string
	arg         string // what the value is called in help; "" for a switch
	without     string // the value when the flag is given without one; "" it can't be
	env         string // variable that gives the value when the flag doesn't
	help        string
	in          []string // commands that have it
	value       func(*flags) pflag.Value
}

// flags are the values of all options; a command reads those it has.
type flags struct {
	set       *pflag.FlagSet
	probes    list
	packs     list
	protos    declList
	faults    list
	delays    list
	denies    list
	natives   list
	breaks    list
	audits    list // of packs
	audit     bool
	learn     string // files of policies
	enforce   string
	learner   *learn.Learner
	note      func(string) // tells of what is odd in what was asked for
	debugDirs list
	onFull    hooks.OnFull
	blockMS   int
	buffer    int64
	start     hooks.Start

	agentDrains bool
	follow      hooks.Follow
	socket      string
	live        bool
	json        bool
	output      string
	report      string
	quiet       bool
	format      string
	explain     string
	libraries   list
	all         bool
	dormant     bool
	pid         int
	control     string
	config      string
	ruled       []hooks.Probe // of --fault and its like, once spec was made
	with        list
	source      string
	lives       time.Duration
	calls       uint64
	when        list
	timeout     time.Duration
	wait        time.Duration
	count       uint64
	tid         int
	command     *command
}

var options = []option{
	{name: "probe", short: "p", arg: "PROBE", env: "SEAM_PROBES", in: []string{"run", "exec", "env", "attach", "collect", "doctor"},
		help:  "watch these functions, e.g. 'libc:open*' (repeatable; in the variable: one per line)",
		value: func(f *flags) pflag.Value { return &f.probes }},
	{name: "hooks", short: "H", arg: "PACKS", env: "SEAM_HOOKS", in: []string{"run", "exec", "env", "attach", "collect", "doctor"},
		help:  "watch these packs of functions, comma-separated; 'all', 'none' (default: all, or none with -p)",
		value: func(f *flags) pflag.Value { return &commaList{&f.packs} }},
	{name: "proto", arg: "DECL", env: "SEAM_PROTOS", in: []string{"run", "exec", "env", "attach", "collect", "doctor"},
		help:  "a function's declaration, e.g. 'int work(int n, const char *name)' (repeatable; in the variable: one per line)",
		value: func(f *flags) pflag.Value { return &f.protos }},
	{name: "debug-dir", arg: "DIR", env: "SEAM_DEBUG_DIR", in: []string{"run", "exec", "env", "attach", "collect", "doctor"},
		help:  "look for debug files here, too: .build-id/xx/yyyy.debug, or by .gnu_debuglink (repeatable)",
		value: func(f *flags) pflag.Value { return &f.debugDirs }},
	{name: "fault", arg: "RULE", env: "SEAM_FAULTS", in: []string{"run", "exec", "env", "attach", "collect"},
		help:  "make calls fail, e.g. 'write:errno=ENOSPC,nth=3' (repeatable; in the variable: one per line)",
		value: func(f *flags) pflag.Value { return &f.faults }},
	{name: "delay", arg: "RULE", env: "SEAM_DELAYS", in: []string{"run", "exec", "env", "attach", "collect"},
		help:  "make calls wait, e.g. 'connect:200ms,jitter=50ms' (repeatable)",
		value: func(f *flags) pflag.Value { return &f.delays }},
	{name: "deny", arg: "RULE", env: "SEAM_DENIES", in: []string{"run", "exec", "env", "attach", "collect"},
		help:  "refuse calls, e.g. 'execve:path!^=/usr/bin' (repeatable)",
		value: func(f *flags) pflag.Value { return &f.denies }},
	{name: "break", arg: "RULE", env: "SEAM_BREAKS", in: []string{"run", "collect"},
		help:  "have threads wait before calls, e.g. 'libsqlite3:sqlite3_step', for 'seam break' (repeatable; with it there is --control)",
		value: func(f *flags) pflag.Value { return &f.breaks }},
	{name: "audit", env: "SEAM_AUDIT", in: []string{"run", "exec", "env", "attach", "collect"},
		help:  "let what --deny names, or --enforce, pass, and tell of it",
		value: func(f *flags) pflag.Value { return (*boolean)(&f.audit) }},
	{name: "native", arg: "FILE", env: "SEAM_NATIVES", in: []string{"run", "exec", "env", "collect"},
		help:  "call the callbacks in this shared object: docs/native.md (repeatable)",
		value: func(f *flags) pflag.Value { return &f.natives }},
	{name: "learn", arg: "FILE", env: "SEAM_LEARN", in: []string{"run"},
		help:  "add to a policy in FILE what the program executes, connects to, which files it names, and its SQL",
		value: func(f *flags) pflag.Value { return (*text)(&f.learn) }},
	{name: "enforce", arg: "FILE", env: "SEAM_ENFORCE", in: []string{"run", "exec", "env", "attach", "collect"},
		help:  "refuse what the policy in FILE does not name",
		value: func(f *flags) pflag.Value { return (*text)(&f.enforce) }},
	{name: "on-full", arg: "POLICY", env: "SEAM_ON_FULL", in: []string{"run", "exec", "env", "attach", "collect"},
		help:  "when the buffer is full: drop-oldest (default), drop-newest, or block",
		value: func(f *flags) pflag.Value { return (*onFull)(&f.onFull) }},
	{name: "block-timeout", arg: "TIME", env: "SEAM_BLOCK_TIMEOUT", in: []string{"run", "exec", "env", "attach", "collect"},
		help:  "longest time one call may wait with --on-full block (default 100ms)",
		value: func(f *flags) pflag.Value { return (*millis)(&f.blockMS) }},
	{name: "buffer", arg: "SIZE", env: "SEAM_BUFFER", in: []string{"run", "exec", "env", "attach", "collect"},
		help:  "size of the buffer in the target (default 8MiB)",
		value: func(f *flags) pflag.Value { return (*size)(&f.buffer) }},
	{name: "start", arg: "WHEN", env: "SEAM_START", in: []string{"run", "exec", "env", "attach", "collect"},
		help:  "when the agent starts in the target: demand (default), first, now, or never",
		value: func(f *flags) pflag.Value { return (*start)(&f.start) }},
	{name: "drain", arg: "WHO", env: "SEAM_DRAIN", in: []string{"run"},
		help:  "who empties the buffer of a running program: reader (seam itself, the default), or agent (a thread in the program)",
		value: func(f *flags) pflag.Value { return (*drainer)(&f.agentDrains) }},
	{name: "follow-exec", arg: "WHEN", env: "SEAM_FOLLOW_EXEC", in: []string{"run", "exec", "env", "attach", "collect"},
		help:  "watch the programs that the target executes: inherit (default; if it passes its environment on), always, or never",
		value: func(f *flags) pflag.Value { return (*follow)(&f.follow) }},
	{name: "socket", arg: "PATH", in: []string{"run", "attach"},
		help:  "where to listen for the target (default: a private path)",
		value: func(f *flags) pflag.Value { return (*text)(&f.socket) }},
	{name: "socket", arg: "PATH", env: "SEAM_SOCKET", in: []string{"exec", "env", "listen", "collect"},
		help:  "the reader's socket (default: the one 'seam listen' makes)",
		value: func(f *flags) pflag.Value { return (*text)(&f.socket) }},
	{name: "live", in: []string{"run", "attach", "collect"}, env: "SEAM_LIVE",
		help:  "print calls as they happen",
		value: func(f *flags) pflag.Value { return (*boolean)(&f.live) }},
	{name: "json", in: []string{"run", "attach", "collect", "listen", "report", "doctor", "ps", "probe", "break"},
		help:  "write for machines",
		value: func(f *flags) pflag.Value { return (*boolean)(&f.json) }},
	{name: "output", short: "o", arg: "FILE", env: "SEAM_OUTPUT", in: []string{"run", "attach", "collect", "listen"},
		help:  "save the stream, for 'seam report FILE'",
		value: func(f *flags) pflag.Value { return (*text)(&f.output) }},
	{name: "report", arg: "FILE", env: "SEAM_REPORT", in: []string{"run", "attach"},
		help:  "write the report to FILE instead of standard error",
		value: func(f *flags) pflag.Value { return (*text)(&f.report) }},
	{name: "quiet", short: "q", env: "SEAM_QUIET", in: []string{"run", "attach"},
		help:  "print no report and no warnings",
		value: func(f *flags) pflag.Value { return (*boolean)(&f.quiet) }},
	{name: "dormant", in: []string{"env"},
		help:  "only make programs ready for 'seam attach': nothing is watched until then",
		value: func(f *flags) pflag.Value { return (*boolean)(&f.dormant) }},
	{name: "control", arg: "[=PATH]", without: controlDefault, env: "SEAM_CONTROL", in: []string{"run", "collect"},
		help:  "let 'seam probe' and its like change what is watched, over a socket at PATH (default: where they look)",
		value: func(f *flags) pflag.Value { return (*text)(&f.control) }},
	{name: "control", arg: "PATH", env: "SEAM_CONTROL", in: []string{"ps", "probe", "break", "detach", "attach"},
		help:  "the control socket of the collector to ask (default: the one that runs)",
		value: func(f *flags) pflag.Value { return (*text)(&f.control) }},
	{name: "config", arg: "FILE", env: "SEAM_CONFIG", in: []string{"run", "collect"},
		help:  "watch the probes in this YAML file, too, and apply it again whenever it changes",
		value: func(f *flags) pflag.Value { return (*text)(&f.config) }},
	{name: "for", arg: "TIME", in: []string{"probe"},
		help:  "add: remove the probe after this time, e.g. 10m",
		value: func(f *flags) pflag.Value { return (*lifespan)(&f.lives) }},
	{name: "calls", arg: "N", in: []string{"probe"},
		help:  "add: remove the probe after about so many calls",
		value: func(f *flags) pflag.Value { return (*count)(&f.calls) }},
	{name: "when", arg: "COND", in: []string{"break"},
		help:  "add: only calls for which this holds, e.g. 'fd==3' (repeatable: all must hold)",
		value: func(f *flags) pflag.Value { return &f.when }},
	{name: "timeout", arg: "TIME", in: []string{"break"},
		help:  "add: a thread that nobody releases goes on after this time (default 30s)",
		value: func(f *flags) pflag.Value { return (*lifespan)(&f.timeout) }},
	{name: "threads", short: "n", arg: "N", in: []string{"break"},
		help:  "wait: until so many threads wait at once (default 1)",
		value: func(f *flags) pflag.Value { return (*count)(&f.count) }},
	{name: "wait", arg: "TIME", in: []string{"break"},
		help:  "wait: give up after this time, with status 1 (default 10s)",
		value: func(f *flags) pflag.Value { return (*lifespan)(&f.wait) }},
	{name: "tid", arg: "TID", in: []string{"break"},
		help:  "release: this thread",
		value: func(f *flags) pflag.Value { return (*pid)(&f.tid) }},
	{name: "pid", arg: "PID", in: []string{"break"},
		help:  "release: a thread of this process",
		value: func(f *flags) pflag.Value { return (*pid)(&f.pid) }},
	{name: "all", in: []string{"break"},
		help:  "release: all that wait, not only the one that came first",
		value: func(f *flags) pflag.Value { return (*boolean)(&f.all) }},
	{name: "pid", arg: "PID", in: []string{"detach"},
		help:  "the process to take everything out of (default: all)",
		value: func(f *flags) pflag.Value { return (*pid)(&f.pid) }},
	{name: "pid", arg: "PID", in: []string{"attach"},
		help:  "the process to attach to; one that was started with the environment of 'seam env --dormant'",
		value: func(f *flags) pflag.Value { return (*pid)(&f.pid) }},
	{name: "with", arg: "DIR", in: []string{"build"},
		help:  "a Go package that calls callbacks.Register (repeatable)",
		value: func(f *flags) pflag.Value { return &f.with }},
	{name: "output", short: "o", arg: "FILE", in: []string{"build"},
		help:  "where the program goes (default: ./seam- and the package's folder)",
		value: func(f *flags) pflag.Value { return (*text)(&f.output) }},
	{name: "source", arg: "DIR", env: "SEAM_SOURCE", in: []string{"build"},
		help:  "seam's own source (default: what the package's go.mod says)",
		value: func(f *flags) pflag.Value { return (*text)(&f.source) }},
	{name: "quiet", short: "q", in: []string{"build"},
		help:  "do not print where it is",
		value: func(f *flags) pflag.Value { return (*boolean)(&f.quiet) }},
	{name: "format", short: "f", arg: "FORMAT", in: []string{"env"},
		help:  "shell (default), env-file, or systemd",
		value: func(f *flags) pflag.Value { return (*text)(&f.format) }},
	{name: "explain", arg: "SYMBOL", in: []string{"doctor"},
		help:  "show how this function is patched, or why it can't be",
		value: func(f *flags) pflag.Value { return (*text)(&f.explain) }},
	{name: "library", arg: "LIBRARY", in: []string{"doctor"},
		help:  "say how much of a whole library can be watched, and what can't; repeatable, instead of a program",
		value: func(f *flags) pflag.Value { return (*list)(&f.libraries) }},
	{name: "all", short: "a", in: []string{"doctor"},
		help:  "list every function",
		value: func(f *flags) pflag.Value { return (*boolean)(&f.all) }},
}

func optionsOf(c *command) []option {
	var own []option
	for _, o := range options {
		if slices.Contains(o.in, c.name) {
			own = append(own, o)
		}
	}
	return own
}

// flags makes the flag set of one command.
func (a *app) flags(c *command) *flags {
	f := &flags{note: func(s string) { a.warn("%s", s) }, set: pflag.NewFlagSet(c.name, pflag.ContinueOnError), command: c,
		buffer: hooks.DefaultBuffer, blockMS: hooks.DefaultBlockMS, format: "shell"}
	f.set.SetInterspersed(!c.target)
	f.set.Usage = func() {}
	f.set.SortFlags = false
	for _, o := range optionsOf(c) {
		fl := f.set.VarPF(o.value(f), o.name, o.short, o.help)
		if o.arg == "" {
			fl.NoOptDefVal = "true"
		}
		if o.without != "" {
			fl.NoOptDefVal = o.without
		}
	}
	return f
}

// environment gives options that were not set on the command line the values of
// their variables.
func (f *flags) environment(environ []string) error {
	for _, o := range optionsOf(f.command) {
		if o.env == "" || f.set.Changed(o.name) {
			continue
		}
		for _, kv := range environ {
			v, ok := strings.CutPrefix(kv, o.env+"=")
			if !ok || v == "" {
				continue
			}
			if err := f.set.Set(o.name, v); err != nil {
				p := &problem{msg: fmt.Sprintf("%s='%s': %s", o.env, v, err)}
				if inner, ok := flagError(f.command, err).(*problem); ok {
					p = &problem{msg: fmt.Sprintf("%s: %s", o.env, strings.TrimPrefix(inner.msg, "--"+o.name+": ")), hint: inner.hint}
				}
				return p
			}
			break
		}
	}
	return nil
}

// The values. Set's errors reach the user through flagError.

type text string

func (v *text) String() string     { return string(*v) }
func (v *text) Set(s string) error { *v = text(s); return nil }
func (v *text) Type() string       { return "text" }

type boolean bool

func (v *boolean) String() string { return strconv.FormatBool(bool(*v)) }
func (v *boolean) Type() string   { return "bool" }
func (v *boolean) Set(s string) error {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return &problem{msg: fmt.Sprintf("not true or false: '%s'", s)}
	}
	*v = boolean(b)
	return nil
}

// list is repeatable; a line break separates, too, for the variable.
type list []string

func (v *list) String() string { return strings.Join(*v, "\n") }
func (v *list) Type() string   { return "list" }
func (v *list) Set(s string) error {
	for line := range strings.SplitSeq(s, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			*v = append(*v, line)
		}
	}
	return nil
}

// declList is repeatable. In a variable each line is a text of declarations,
// but one that ends with ';' or ',' or in braces goes on in the next.
type declList list

func (v *declList) String() string { return strings.Join(*v, "\n") }
func (v *declList) Type() string   { return "list" }
func (v *declList) Set(s string) error {
	text, depth := "", 0
	flush := func() {
		if text = strings.Trim(text, "; \t\r\n"); text != "" {
			*v = append(*v, text)
		}
		text, depth = "", 0
	}
	for line := range strings.SplitSeq(s, "\n") {
		text += line + "\n"
		code, _, _ := strings.Cut(line, "//")
		code = strings.TrimSpace(code)
		depth += strings.Count(code, "{") - strings.Count(code, "}")
		if code != "" && depth <= 0 && !strings.HasSuffix(code, ";") && !strings.HasSuffix(code, ",") {
			flush()
		}
	}
	flush()
	return nil
}

type commaList struct{ *list }

func (v *commaList) Set(s string) error {
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); name != "" {
			*v.list = append(*v.list, name)
		}
	}
	return nil
}

type onFull hooks.OnFull

func (v *onFull) String() string { return hooks.OnFull(*v).String() }
func (v *onFull) Type() string   { return "policy" }
func (v *onFull) Set(s string) error {
	o, ok := hooks.ParseOnFull(s)
	if !ok {
		return oneOf("policy", s, []string{"drop-oldest", "drop-newest", "block"})
	}
	*v = onFull(o)
	return nil
}

type start hooks.Start

func (v *start) String() string { return hooks.Start(*v).String() }
func (v *start) Type() string   { return "when" }
func (v *start) Set(s string) error {
	o, ok := hooks.ParseStart(s)
	if !ok {
		return oneOf("start", s, []string{"demand", "first", "now", "never"})
	}
	*v = start(o)
	return nil
}

// drainer is true for the agent.
type drainer bool

func (v *drainer) String() string {
	if *v {
		return "agent"
	}
	return "reader"
}
func (v *drainer) Type() string { return "who" }
func (v *drainer) Set(s string) error {
	if s != "reader" && s != "agent" {
		return oneOf("drainer", s, []string{"reader", "agent"})
	}
	*v = s == "agent"
	return nil
}

type follow hooks.Follow

func (v *follow) String() string { return hooks.Follow(*v).String() }
func (v *follow) Type() string   { return "when" }
func (v *follow) Set(s string) error {
	o, ok := hooks.ParseFollow(s)
	if !ok {
		return oneOf("follow-exec", s, []string{"inherit", "always", "never"})
	}
	*v = follow(o)
	return nil
}

type millis int

func (v *millis) String() string { return (time.Duration(*v) * time.Millisecond).String() }
func (v *millis) Type() string   { return "time" }
func (v *millis) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil {
		return &problem{msg: fmt.Sprintf("not a time: '%s'", s), hint: "a number with a unit: 50ms, 1.5s"}
	}
	if d < time.Millisecond || d > hooks.MaxBlockMS*time.Millisecond {
		return &problem{msg: fmt.Sprintf("'%s' is out of range", s), hint: fmt.Sprintf("from 1ms to %s", hooks.MaxBlockMS*time.Millisecond)}
	}
	*v = millis(d / time.Millisecond)
	return nil
}

type pid int

func (v *pid) String() string { return strconv.Itoa(int(*v)) }
func (v *pid) Type() string   { return "pid" }
func (v *pid) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return &problem{msg: fmt.Sprintf("not a process id: '%s'", s), hint: "a number, as ps prints it"}
	}
	*v = pid(n)
	return nil
}

type lifespan time.Duration

func (v *lifespan) String() string { return time.Duration(*v).String() }
func (v *lifespan) Type() string   { return "time" }
func (v *lifespan) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return &problem{msg: fmt.Sprintf("not a time: '%s'", s), hint: "a number with a unit: 30s, 10m, 2h"}
	}
	*v = lifespan(d)
	return nil
}

type count uint64

func (v *count) String() string { return strconv.FormatUint(uint64(*v), 10) }
func (v *count) Type() string   { return "count" }
func (v *count) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n == 0 {
		return &problem{msg: fmt.Sprintf("not a number of calls: '%s'", s), hint: "a number from 1"}
	}
	*v = count(n)
	return nil
}

type size int64

func (v *size) String() string { return strconv.FormatInt(int64(*v), 10) }
func (v *size) Type() string   { return "size" }
func (v *size) Set(s string) error {
	n, err := parseSize(s)
	if err != nil {
		return err
	}
	if n < hooks.MinBuffer || n > hooks.MaxBuffer {
		return &problem{msg: fmt.Sprintf("'%s' is out of range", s), hint: "from 64KiB to 1GiB"}
	}
	*v = size(n)
	return nil
}

// parseSize reads a number of bytes: 65536, 512k, 8MiB. All units are powers of 1024.
func parseSize(s string) (int64, error) {
	bad := &problem{msg: fmt.Sprintf("not a size: '%s'", s), hint: "a number of bytes, or with a unit: 512KiB, 8MiB"}
	digits := strings.TrimRight(s, "kKmMgGiIbB")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 {
		return 0, bad
	}
	shift := 0
	switch strings.ToLower(s[len(digits):]) {
	case "", "b":
	case "k", "kb", "kib":
		shift = 10
	case "m", "mb", "mib":
		shift = 20
	case "g", "gb", "gib":
		shift = 30
	default:
		return 0, bad
	}
	if n > (1<<62)>>shift {
		return 0, bad
	}
	return n << shift, nil
}
