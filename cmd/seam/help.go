package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/seam-project/seam/hooks"
)

// version is set by the build.
var version string

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

func (a *app) version(f *flags) (int, error) {
	if err := noArguments("version", f.set.Args()); err != nil {
		return 0, err
	}
	fmt.Fprintf(a.out, "seam %s %s/%s %s\n", versionText(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	return 0, nil
}

func (a *app) help(f *flags) (int, error) {
	if f.set.NArg() == 0 {
		a.usage(a.out)
		return 0, nil
	}
	c := commandNamed(f.set.Arg(0))
	if c == nil {
		return 0, unknownCommand(f.set.Arg(0))
	}
	a.commandHelp(a.out, c)
	return 0, nil
}

func (a *app) usage(w io.Writer) {
	fmt.Fprint(w, "seam watches what a program asks of its C libraries: no root, no ptrace, no rebuild.\n\n"+
		"  seam run -- program args…\n\ncommands\n")
	for _, c := range commands() {
		if !c.hidden {
			fmt.Fprintf(w, "  %-9s %s\n", c.name, c.summary)
		}
	}
	fmt.Fprint(w, "\n'seam help COMMAND' tells more.\n")
}

func (a *app) commandHelp(w io.Writer, c *command) {
	fmt.Fprintf(w, "%s\n\n  seam %s\n", sentence(c.summary), strings.TrimSpace(c.name+" "+c.args))
	if c.about != "" {
		fmt.Fprintf(w, "\n%s\n", c.about)
	}
	own := optionsOf(c)
	if len(own) > 0 {
		fmt.Fprint(w, "\nflags\n")
	}
	probes := false
	for _, o := range own {
		probes = probes || o.name == "probe"
		left := "    "
		if o.short != "" {
			left = "-" + o.short + ", "
		}
		left += "--" + o.name
		switch {
		case o.without != "":
			left += o.arg
		case o.arg != "":
			left += " " + o.arg
		}
		help := o.help
		if o.env != "" {
			help += " [" + o.env + "]"
		}
		fmt.Fprintf(w, "  %-24s %s\n", left, help)
	}
	if commandHas(c, "fault") {
		fmt.Fprintf(w, "\n%s", hooks.RuleHelp())
	}
	if probes {
		fmt.Fprintf(w, "\n%s\npacks: %s\n", hooks.ProbeHelp(), strings.Join(hooks.Packs(), ", "))
	}
}

func commandHas(c *command, name string) bool {
	return slices.ContainsFunc(optionsOf(c), func(o option) bool { return o.name == name })
}

func sentence(s string) string {
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
