package main

// command is a subcommand.
type command struct {
	name    string
	args    string // as help shows them
	summary string
	about   string
	target  bool // a program and its arguments follow: flags end at the first word
	hidden  bool // not in help: for seam itself
	run     func(*app, *flags) (int, error)
}

func commands() []*command {
	return []*command{
		{name: "run", args: "[flags] [--] program [args…]", target: true, run: (*app).run,
			summary: "start a program, watch it, print a report when it ends",
			about: `The program runs as if it had been started directly: same input, output, terminal,
signals and exit status. The report goes to standard error.

Signals that you send to seam are passed on to the program; ^C, ^\ and ^Z reach it
from the terminal, as always.`},
		{name: "exec", args: "[flags] [--] program [args…]", target: true, run: (*app).exec,
			summary: "become a program that reports to a socket",
			about: `seam replaces itself by the program: same process, nothing in between. Read what it
reports with 'seam listen' on the same socket.`},
		{name: "env", args: "[flags]", run: (*app).env,
			summary: "print the environment that makes programs report to a socket",
			about: `In a shell:            eval "$(seam env --hooks sqlite)"
For docker, systemd:   seam env --format env-file > seam.env
In a unit file:        seam env --format systemd

All programs started with that environment report to the socket, if somebody
listens ('seam listen'); if nobody does, they just run.`},
		{name: "attach", args: "--pid PID [flags]", run: (*app).attach,
			summary: "watch a process that runs already, and was started for that",
			about: `The process must have been started with the environment of 'seam env --dormant', which
costs it nothing but a mapped library. It stands still for some milliseconds, as for
a debugger, and is then watched until it ends or you press ^C. The report goes to
standard error.

While 'seam collect' or 'seam run --control' runs, or with --socket, the process reports
there, and seam attach ends at once. With the former it watches what all processes of
that collector watch; -p and -H are added to that.`},
		{name: "collect", args: "[flags]", run: (*app).collect,
			summary: "read what programs report, and let what they watch be changed while they run",
			about: `Programs that are started with the environment of 'seam env', or by 'seam exec', for the
same socket, connect and get the probes that are in force here: those of -p and -H, of
the file of --config, and of 'seam probe add'.

  seam collect --config probes.yaml     probes:
  seam ps                                 - libc:open*
  seam probe add 'libc:write' --for 10m   - probe: libsqlite3:sqlite3_step slower 5ms
  seam probe ls                             for: 10m
  seam detach --pid 1234                hooks: [net]

Nothing is printed, unless --live or --json is given.`},
		{name: "ps", args: "[flags]", run: (*app).ps,
			summary: "list the processes that are watched, or could be"},
		{name: "probe", args: "[add PROBE [flags] | rm ID… | ls]", run: (*app).probe,
			summary: "change what running processes watch, and see what became of it",
			about: `For the processes of 'seam collect' and 'seam run --control'. PROBE is as for -p, or the
name of a pack. What each process said of it is on standard error; the probe's id is
printed. A probe that is added --for a time is removed then, even if the collector
is gone: the processes do it themselves.`},
		{name: "break", args: "[add FUNCTION [flags] | wait [ID] | release [ID] | rm ID… | ls]", run: (*app).breaks,
			summary: "have threads wait before a call, see who waits, and let them go on",
			about: `For the processes of 'seam collect' and 'seam run --control'. FUNCTION is as in a rule,
[LIB:]FUNCTION[:ITEM,…]. Each thread that calls it waits before the call, until it is
released, its timeout is over, the breakpoint is removed, or the collector is gone.

  seam break add 'libsqlite3:sqlite3_step' --when 'pStmt!=0' --timeout 1m    prints b1
  seam break wait b1 --threads 2      until two threads wait there; who, and where
  seam break release b1               the one that came first goes on; the breakpoint stays
  seam break release b1 --all
  seam break rm b1                    everybody goes on`},
		{name: "detach", args: "[--pid PID]", run: (*app).detach,
			summary: "take everything out of running processes"},
		{name: "listen", args: "[flags]", run: (*app).listen,
			summary: "print the events that programs report to a socket",
			about:   `Prints each event as a line of JSON, or as aligned text on a terminal.`},
		{name: "report", args: "[flags] file", run: (*app).report,
			summary: "print the report of a saved stream"},
		{name: "doctor", args: "[flags] program | --library LIBRARY", run: (*app).doctor,
			summary: "say what could be watched in a program or a library, and what couldn't, and why"},
		{name: "hooks", args: "[ls | show pack|function… | check file… | header]", run: (*app).hooks,
			summary: "list the packs, and what they know of each function",
			about:   `'seam hooks header' prints the C header for callbacks of your own (--native): docs/native.md.`},
		{name: "build", args: "--with DIR [flags]", run: (*app).build,
			summary: "make a seam with Go callbacks of your own compiled in",
			about: `It takes Go, make, gcc, binutils, and the source of seam. The program that is made is used
like seam; the callbacks run in the programs that it watches. See docs/callbacks.md.

  package myhooks
  func init() { callbacks.Register("libc:open*:path^=/data", callbacks.Pre, look) }
  func look(c *callbacks.Call) error { c.Note("%s", c.Text("path")); return nil }

  seam build --with ./myhooks -o seam-mine
  ./seam-mine run -- program args…`},
		{name: "plan", args: "[live] spec object…", hidden: true, run: (*app).plan,
			summary: "make the plans for objects, for a program that is loading them"},
		{name: "version", run: (*app).version, summary: "print the version"},
		{name: "help", args: "[command]", run: (*app).help, summary: "print this, or what a command does"},
	}
}

func commandNamed(name string) *command {
	for _, c := range commands() {
		if c.name == name {
			return c
		}
	}
	return nil
}
