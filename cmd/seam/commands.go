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

With --socket the process reports to that reader ('seam listen', 'seam collect'), and
seam attach ends at once.`},
		{name: "listen", args: "[flags]", run: (*app).listen,
			summary: "print the events that programs report to a socket",
			about:   `Prints each event as a line of JSON, or as aligned text on a terminal.`},
		{name: "report", args: "[flags] file", run: (*app).report,
			summary: "print the report of a saved stream"},
		{name: "doctor", args: "[flags] program | --library LIBRARY", run: (*app).doctor,
			summary: "say what could be watched in a program or a library, and what couldn't, and why"},
		{name: "hooks", args: "[ls | show pack|function… | check file…]", run: (*app).hooks,
			summary: "list the packs, and what they know of each function"},
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
