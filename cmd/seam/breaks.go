package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/seam-project/seam/collector/control"
)

// breakWait is how long seam break wait waits.
const breakWait = 10 * time.Second

// breaks changes a collector's breakpoints, and lists who waits there.
func (a *app) breaks(f *flags) (int, error) {
	args := f.set.Args()
	if len(args) == 0 {
		args = []string{"ls"}
	}
	do, args := args[0], args[1:]
	if err := oneOf("subcommand of seam break", do, []string{"add", "wait", "release", "rm", "ls"}); err != nil {
		return 0, err
	}
	for _, o := range []struct{ flag, with string }{{"when", "add"}, {"timeout", "add"}, {"threads", "wait"}, {"wait", "wait"}, {"tid", "release"}, {"pid", "release"}, {"all", "release"}} {
		if f.set.Changed(o.flag) && do != o.with {
			return 0, &problem{msg: fmt.Sprintf("--%s goes with seam break %s", o.flag, o.with)}
		}
	}
	id := ""
	if do == "wait" || do == "release" {
		if len(args) > 1 {
			return 0, &problem{msg: fmt.Sprintf("seam break %s needs one breakpoint", do), hint: "or none, for any"}
		}
		id = strings.Join(args, "")
	}
	switch do {
	case "add":
		return a.breakAdd(f, args)
	case "rm":
		if len(args) == 0 {
			return 0, &problem{msg: "seam break rm needs the id of a breakpoint", hint: "seam break ls shows them"}
		}
		for _, id := range args {
			if _, err := a.ask(f, &control.Request{Do: "break-rm", ID: id}); err != nil {
				return 0, err
			}
		}
		return 0, nil
	case "wait":
		d := f.wait
		if d == 0 {
			d = breakWait
		}
		r, err := a.ask(f, &control.Request{Do: "break-wait", ID: id, Threads: int(min(f.count, 1<<20)), Wait: d.String()})
		if err != nil {
			return 0, refusal(err)
		}
		return 0, a.threads(f, r.Threads)
	case "release":
		r, err := a.ask(f, &control.Request{Do: "break-release", ID: id, PID: f.pid, TID: f.tid, All: f.all})
		if err != nil {
			return 0, refusal(err)
		}
		return 0, a.threads(f, r.Threads)
	}
	if err := noArguments("break ls", args); err != nil {
		return 0, err
	}
	r, err := a.ask(f, &control.Request{Do: "break-ls"})
	if err != nil {
		return 0, err
	}
	return 0, a.breakViews(f, r.Breaks)
}

// refusal is what the collector said: status 1, for scripts, where what failed here has another.
func refusal(err error) error {
	var e *control.Error
	if errors.As(err, &e) {
		return &problem{msg: e.Msg, hint: e.Hint, code: 1}
	}
	return err
}

func (a *app) breakAdd(f *flags, args []string) (int, error) {
	if len(args) != 1 {
		return 0, &problem{msg: "seam break add needs one function", hint: "for instance: seam break add 'libsqlite3:sqlite3_step'"}
	}
	dir, _ := os.Getwd()
	q := &control.Request{Do: "break-add", At: args[0], When: f.when, Dir: dir}
	if f.timeout > 0 {
		q.Timeout = f.timeout.String()
	}
	r, err := a.ask(f, q)
	if err != nil {
		return 0, err
	}
	if f.json {
		return 0, a.breakViews(f, r.Breaks)
	}
	fmt.Fprintln(a.out, r.ID)
	for _, v := range r.Breaks {
		for _, p := range v.Processes {
			fmt.Fprintf(a.err, "seam: process %d (%s): %s\n", p.PID, printable(p.Program), inWords(&p))
		}
		if len(v.Processes) == 0 {
			fmt.Fprintln(a.err, "seam: no process is connected")
		}
	}
	return 0, nil
}

// threads prints who waits, or goes on.
func (a *app) threads(f *flags, threads []control.ThreadView) error {
	if f.json {
		if threads == nil {
			threads = []control.ThreadView{}
		}
		return a.printJSON(threads)
	}
	for i := range threads {
		v := &threads[i]
		silent := ""
		if v.Silent {
			silent = ", silent"
		}
		fmt.Fprintf(a.out, "%s  %d/%d %s  %s  (%s%s)\n", v.Break, v.PID, v.TID, printable(v.Thread), printable(v.Call),
			time.Since(v.Since).Round(time.Millisecond), silent)
		if len(v.Stack) > 0 {
			fmt.Fprintf(a.out, "      %s!%s\n", printable(v.Lib), printable(v.Function))
		}
		for _, frame := range v.Stack {
			fmt.Fprintf(a.out, "      %s\n", printable(frame))
		}
	}
	return nil
}

func (a *app) breakViews(f *flags, views []control.BreakView) error {
	if f.json {
		if views == nil {
			views = []control.BreakView{}
		}
		return a.printJSON(views)
	}
	t := newTable(a.out, "ID", "BREAKPOINT", "TIMEOUT", "BY", "WAITING", "PARKED", "EXPIRED", "SKIPPED", "PID", "PROGRAM", "STATE")
	for i := range views {
		v := &views[i]
		t.row(v.ID, printable(v.Break), v.Timeout, printable(v.By), fmt.Sprint(len(v.Threads)), fmt.Sprint(v.Parked), fmt.Sprint(v.Expired), fmt.Sprint(v.Skipped), "", "", "")
		for k := range v.Processes {
			p := &v.Processes[k]
			t.row("", "", "", "", "", "", "", "", fmt.Sprint(p.PID), printable(p.Program), inWords(p))
		}
	}
	if err := t.flush(); err != nil {
		return err
	}
	for i := range views {
		if err := a.threads(f, views[i].Threads); err != nil {
			return err
		}
	}
	return nil
}
