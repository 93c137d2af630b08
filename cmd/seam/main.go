package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/seam-project/seam/collector"
	"github.com/seam-project/seam/collector/control"
	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/native"
	"github.com/seam-project/seam/hooks/yamlfile"
	"github.com/seam-project/seam/launcher"
	"github.com/seam-project/seam/launcher/attach"
)

// app is one invocation, with what a test replaces.
type app struct {
	out, err io.Writer
	environ  []string
	library  func(*launcher.Cache) (string, error)

	args   []string
	warned bool
}

func main() {
	a := &app{out: os.Stdout, err: os.Stderr, environ: launcher.Environ(), library: (*launcher.Cache).Library}
	os.Exit(a.main(os.Args[1:]))
}

// main runs one command and returns the exit status.
func (a *app) main(args []string) int {
	a.args = args
	if len(args) == 0 {
		a.usage(a.err)
		return launcher.ExitFailure
	}
	name := args[0]
	switch name {
	case "-h", "--help":
		name = "help"
	case "--version":
		name = "version"
	}
	c := commandNamed(name)
	if c == nil {
		return a.fail(unknownCommand(name))
	}
	f := a.flags(c)
	err := f.set.Parse(args[1:])
	if errors.Is(err, pflag.ErrHelp) {
		a.commandHelp(a.out, c)
		return 0
	}
	if err != nil {
		return a.fail(flagError(c, err))
	}
	if err := f.environment(a.environ); err != nil {
		return a.fail(err)
	}
	code, err := c.run(a, f)
	if err != nil {
		return a.fail(err)
	}
	return code
}

// problem is an error with something to do about it.
type problem struct {
	msg, hint string
	code      int // 0: ExitFailure
}

func (p *problem) Error() string { return p.msg }

// fail says what went wrong and returns the exit status for it.
func (a *app) fail(err error) int {
	msg, hint, code := err.Error(), "", launcher.ExitCode(err)
	var p *problem
	var r *launcher.Refusal
	var pe *hooks.ProbeError
	var ce *collector.Error
	var ae *attach.Error
	var ye *yamlfile.Error
	var se *control.Error
	var ne *native.Error
	switch {
	case errors.As(err, &p):
		hint = p.hint
		if p.code != 0 {
			code = p.code
		}
	case errors.As(err, &r):
		hint = r.Hint
	case errors.As(err, &ce):
		hint = ce.Hint
	case errors.As(err, &ae):
		hint = ae.Hint
	case errors.As(err, &se):
		hint = se.Hint
	case errors.As(err, &ye):
		hint = ye.Hint
	case errors.As(err, &ne):
		hint = ne.Hint
	case errors.As(err, &pe):
		what := "probe"
		if pe.What != "" {
			what = pe.What
		}
		fmt.Fprintf(a.err, "seam: error: %s %q: %s\n", what, pe.Text, pe.Msg)
		for line := range strings.Lines(pe.Caret() + "\n") {
			fmt.Fprintf(a.err, "    %s", line)
		}
		if pe.Hint != "" {
			fmt.Fprintf(a.err, "seam: hint: %s\n", pe.Hint)
		}
		return code
	case errors.Is(err, launcher.ErrNoLibrary):
		hint = "build it with: make build"
	}
	fmt.Fprintf(a.err, "seam: error: %s\n", msg)
	if hint != "" {
		fmt.Fprintf(a.err, "seam: hint: %s\n", hint)
	}
	return code
}

func (a *app) warn(format string, args ...any) {
	a.warned = true
	fmt.Fprintf(a.err, "seam: warning: "+format+"\n", args...)
}

func unknownCommand(name string) error {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	p := &problem{msg: fmt.Sprintf("unknown command '%s'", name)}
	if near := hooks.Nearest(name, names); len(near) > 0 {
		p.hint = "did you mean 'seam " + near[0] + "'?"
	} else {
		p.hint = "to watch a program: seam run -- " + name
	}
	return p
}

// flagError turns pflag's complaint into ours, with the nearest names.
func flagError(c *command, err error) error {
	p := &problem{msg: err.Error(), hint: fmt.Sprintf("see: seam help %s", c.name)}
	var ne *pflag.NotExistError
	var vr *pflag.ValueRequiredError
	var iv *pflag.InvalidValueError
	switch {
	case errors.As(err, &ne):
		name := ne.GetSpecifiedName()
		if s := ne.GetSpecifiedShortnames(); s != "" {
			p.msg = fmt.Sprintf("seam %s has no flag -%s", c.name, name)
			break
		}
		p.msg = fmt.Sprintf("seam %s has no flag --%s", c.name, name)
		var names []string
		for _, o := range optionsOf(c) {
			names = append(names, o.name)
		}
		if near := hooks.Nearest(name, names); len(near) > 0 {
			p.hint = "did you mean --" + strings.Join(near, " or --") + "?"
		}
		if c.target {
			p.hint += " (flags for the program go behind its name)"
		}
	case errors.As(err, &vr):
		p.msg = fmt.Sprintf("--%s needs a value", vr.GetFlag().Name)
	case errors.As(err, &iv):
		p.msg = fmt.Sprintf("--%s: %s", iv.GetFlag().Name, iv.Unwrap())
		p.hint = ""
		var inner *problem
		if errors.As(err, &inner) {
			p.msg, p.hint = fmt.Sprintf("--%s: %s", iv.GetFlag().Name, inner.msg), inner.hint
		}
	}
	return p
}

// noArguments is the check of commands that take none.
func noArguments(c string, args []string) error {
	if len(args) > 0 {
		return &problem{msg: fmt.Sprintf("seam %s takes no arguments: '%s'", c, args[0]), hint: "see: seam help " + c}
	}
	return nil
}

// mostListed is how many values a hint still lists.
const mostListed = 12

// oneOf is the check of a value of which there are a few.
func oneOf(what, value string, of []string) error {
	if slices.Contains(of, value) {
		return nil
	}
	p := &problem{msg: fmt.Sprintf("unknown %s '%s'", what, value)}
	if near := hooks.Nearest(value, of); len(near) > 0 {
		p.hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	if len(of) <= mostListed {
		p.hint = strings.TrimSpace(p.hint + " one of: " + strings.Join(of, ", "))
	}
	return p
}
