package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/seam-project/seam/collector"
	"github.com/seam-project/seam/collector/control"
	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/launcher"
)

// A steering is the control side of a collector, for as long as a command runs.
type steering struct {
	*control.Controller
	first   *launcher.Prepared // for the first spec
	unbind  func()
	started bool
}

// steer makes the control side. objects are loaded in the target when it starts;
// settings are those of the flags, and so are the first probes.
func (a *app) steer(f *flags, cache *launcher.Cache, socket string, objects []string, settings *hooks.Spec) (*steering, error) {
	library, err := a.library(cache)
	if err != nil {
		return nil, err
	}
	link, err := cache.ControlSpec(socket)
	if err != nil {
		return nil, err
	}
	var first []*control.Probe
	add := func(p *control.Probe, err error) error {
		if err == nil {
			p.By, p.Added = "command line", time.Now()
			first = append(first, p)
		}
		return err
	}
	dir, _ := os.Getwd()
	for _, text := range f.probes {
		if err := add(control.NewProbe(text, dir)); err != nil {
			return nil, err
		}
	}
	packs, _, err := f.packNames() // users' are among the probes
	if err != nil {
		return nil, err
	}
	for _, name := range packs {
		if err := add(control.NewPack(name)); err != nil {
			return nil, err
		}
	}
	var breaks []*control.Break
	for _, text := range f.breaks {
		b, err := control.NewBreak(text, nil, 0, dir, settings.Protos)
		if err != nil {
			return nil, err
		}
		b.By, b.Added = "command line", time.Now()
		breaks = append(breaks, b)
	}
	s := &steering{}
	base := *settings
	base.Probes = f.ruled
	if !f.set.Changed("start") && f.command.name != "attach" {
		base.Start = hooks.StartNow // somebody must be there to be told
	}
	s.Controller, err = control.New(control.Options{
		Base: &base, Link: link, Config: f.config,
		ErrLog: func(msg, hint string) {
			a.warn("%s", msg)
			if hint != "" {
				fmt.Fprintf(a.err, "seam: hint: %s\n", hint)
			}
		},
		Prepare: func(spec *hooks.Spec, loaded []string, complete func(*hooks.Spec)) (string, error) {
			spec.Socket = socket
			p, err := launcher.PrepareObjects(cache, library, spec, append(loaded, objects...), complete)
			if err != nil {
				return "", err
			}
			if s.first == nil {
				s.first = p
			}
			return p.Spec, nil
		},
	}, first, breaks)
	return s, err
}

// start has the collector's agents told, and answers clients.
func (s *steering) start(c *collector.Collector, cache *launcher.Cache, path string) error {
	if err := s.Controller.Start(c); err != nil {
		return err
	}
	s.started = true
	if path == controlDefault {
		path = ""
	}
	ln, remove, err := control.Publish(cache.ControlDir(), path)
	if err != nil {
		s.Stop()
		return err
	}
	s.unbind = func() { ln.Close(); remove() }
	go s.Serve(ln)
	return nil
}

func (s *steering) stop() {
	if s == nil || !s.started {
		return
	}
	s.started = false
	if s.unbind != nil {
		s.unbind()
	}
	s.Stop()
}

// controlDefault is the value of --control without one.
const controlDefault = "\x00"

// controlled says whether the flags ask for a control side.
func (f *flags) controlled() bool { return f.control != "" || f.config != "" || len(f.breaks) > 0 }

// collect holds probes for all processes that connect, until it is interrupted.
func (a *app) collect(f *flags) (int, error) {
	if err := noArguments("collect", f.set.Args()); err != nil {
		return 0, err
	}
	if len(f.packs) == 0 && len(f.probes) == 0 {
		f.packs = list{"none"}
	}
	settings, err := f.spec()
	if err != nil {
		return 0, err
	}
	cache, err := launcher.OpenCache(a.environ)
	if err != nil {
		return 0, err
	}
	if f.socket == "" {
		f.socket = cache.Socket()
	}
	if f.socket, err = launcher.AbsSocket(f.socket); err != nil {
		return 0, err
	}
	f.live = f.live || f.json
	opt, saved, err := a.collectorOptions(f, a.out)
	if err != nil {
		return 0, err
	}
	steer, err := a.steer(f, cache, f.socket, nil, settings)
	if err != nil {
		return 0, err
	}
	opt.Control = steer
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	c, err := collector.Listen(opt)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if err := steer.start(c, cache, f.control); err != nil {
		return 0, err
	}
	defer steer.stop()
	if isTerminal(a.err) {
		fmt.Fprintf(a.err, "seam: collecting on %s\n", c.Socket())
	}
	served := make(chan error, 1)
	go func() { served <- c.Serve() }()
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	stop() // a second signal ends us at once
	steer.stop()
	over, cancel := context.WithCancel(context.Background())
	cancel() // targets that still run are let go
	c.Finish(over)
	if opt.Live != nil {
		err = errors.Join(err, opt.Live.Flush())
	}
	return 0, errors.Join(err, saved.close())
}

// client finds the collector that a command is for.
func (a *app) client(f *flags) (*control.Client, error) {
	if f.control != "" {
		c, err := control.Dial(f.control)
		var known *control.Error
		if err != nil && !errors.As(err, &known) {
			return nil, &problem{msg: fmt.Sprintf("no collector answers at '%s': %s", f.control, err), hint: "start one: seam collect"}
		}
		return c, err
	}
	cache, err := launcher.OpenCache(a.environ)
	if err != nil {
		return nil, err
	}
	c, err := control.Find(cache.ControlDir())
	if errors.Is(err, control.ErrNone) && f.command.name != "attach" {
		return nil, &problem{msg: err.Error(), hint: "start one: seam collect, or seam run --control -- program"}
	}
	return c, err
}

// ask is one request to it.
func (a *app) ask(f *flags, q *control.Request) (*control.Response, error) {
	c, err := a.client(f)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Do(q)
}

func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// ps lists the processes of the collectors, and those that are dormant.
func (a *app) ps(f *flags) (int, error) {
	if err := noArguments("ps", f.set.Args()); err != nil {
		return 0, err
	}
	all := []control.ProcessView{}
	if f.control != "" {
		r, err := a.ask(f, &control.Request{Do: "ps"})
		if err != nil {
			return 0, err
		}
		all = append(all, r.Processes...)
	} else {
		cache, err := launcher.OpenCache(a.environ)
		if err != nil {
			return 0, err
		}
		for _, c := range control.All(cache.ControlDir()) {
			if r, err := c.Do(&control.Request{Do: "ps"}); err == nil {
				all = append(all, r.Processes...)
			}
			c.Close()
		}
		all = append(all, control.Dormant(all)...)
	}
	if f.json {
		return 0, a.printJSON(all)
	}
	t := newTable(a.out, "PID", "PROGRAM", "STATE", "SINCE", "PROBES", "FUNCTIONS", "CALLS", "DROPPED")
	for _, p := range all {
		since := "-"
		if !p.Since.IsZero() {
			since = p.Since.Local().Format("15:04:05")
		}
		state := p.State
		if p.Agent != 0 {
			state += fmt.Sprintf(" (%d)", p.Agent)
		}
		t.row(fmt.Sprint(p.PID), printable(p.Program), state, since, fmt.Sprint(p.Probes), fmt.Sprint(p.Functions), fmt.Sprint(p.Calls), fmt.Sprint(p.Dropped))
	}
	return 0, t.flush()
}

// probe changes and lists what a collector's processes watch.
func (a *app) probe(f *flags) (int, error) {
	args := f.set.Args()
	if len(args) == 0 {
		args = []string{"ls"}
	}
	do, args := args[0], args[1:]
	if err := oneOf("subcommand of seam probe", do, []string{"add", "rm", "ls"}); err != nil {
		return 0, err
	}
	if do != "add" && (f.lives != 0 || f.calls != 0) {
		return 0, &problem{msg: "--for and --calls go with seam probe add"}
	}
	switch do {
	case "ls":
		if err := noArguments("probe ls", args); err != nil {
			return 0, err
		}
		r, err := a.ask(f, &control.Request{Do: "ls"})
		if err != nil {
			return 0, err
		}
		return 0, a.probeViews(f, r.Probes)
	case "rm":
		if len(args) == 0 {
			return 0, &problem{msg: "seam probe rm needs the id of a probe", hint: "seam probe ls shows them"}
		}
		for _, id := range args {
			if _, err := a.ask(f, &control.Request{Do: "rm", ID: id}); err != nil {
				return 0, err
			}
		}
		return 0, nil
	}
	if len(args) != 1 {
		return 0, &problem{msg: "seam probe add needs one probe", hint: "quote it: seam probe add 'libc:open* failed'"}
	}
	dir, _ := os.Getwd()
	q := &control.Request{Do: "add", Probe: args[0], Dir: dir, Calls: f.calls}
	if _, isPack := hooks.PackProbe(args[0]); isPack && !strings.Contains(args[0], ":") {
		q.Probe, q.Pack = "", args[0]
	}
	if f.lives > 0 {
		q.For = f.lives.String()
	}
	if q.Probe != "" && !control.IsNative(q.Probe) { // said here, with a mark under the column
		if _, err := hooks.ParseProbe(q.Probe); err != nil {
			return 0, err
		}
	}
	r, err := a.ask(f, q)
	if err != nil {
		return 0, err
	}
	if f.json {
		return 0, a.probeViews(f, r.Probes)
	}
	fmt.Fprintln(a.out, r.ID)
	for _, v := range r.Probes {
		for _, p := range v.Processes {
			fmt.Fprintf(a.err, "seam: process %d (%s): %s\n", p.PID, printable(p.Program), inWords(&p))
		}
		if len(v.Processes) == 0 {
			fmt.Fprintln(a.err, "seam: no process is connected")
		}
	}
	return 0, nil
}

// inWords says what became of a probe in a process.
func inWords(p *control.ProbeProcess) string {
	s := p.State
	switch p.State {
	case "applied":
		s = fmt.Sprintf("applied, %d functions", p.Functions)
		if p.Functions == 1 {
			s = "applied, 1 function"
		}
		if p.Refused > 0 {
			s += fmt.Sprintf(", %d refused: %s", p.Refused, p.Reason)
		}
	case "refused":
		s = "refused: " + p.Reason
	case "dormant":
		s = "dormant: nothing of that name is loaded, or another probe has it"
	case "failed":
		s = "failed: " + p.Reason
	case "asked":
		s = "asked, no answer yet"
	case "told":
		s = "told: it follows at its next call that is watched"
	}
	return printable(s)
}

func (a *app) probeViews(f *flags, views []control.ProbeView) error {
	if f.json {
		if views == nil {
			views = []control.ProbeView{}
		}
		return a.printJSON(views)
	}
	t := newTable(a.out, "ID", "PROBE", "BY", "CALLS", "EXPIRES", "PID", "PROGRAM", "STATE")
	for i := range views {
		v := &views[i]
		expires := "-"
		if !v.Expires.IsZero() {
			expires = max(time.Until(v.Expires), 0).Round(time.Second).String()
		}
		if v.MaxCalls > 0 {
			expires += fmt.Sprintf(" or %d calls", v.MaxCalls)
		}
		t.row(v.ID, printable(v.Probe), printable(v.By), fmt.Sprint(v.Calls), expires, "", "", "")
		for k := range v.Processes {
			p := &v.Processes[k]
			t.row("", "", "", fmt.Sprint(p.Calls), "", fmt.Sprint(p.PID), printable(p.Program), inWords(p))
		}
	}
	return t.flush()
}

// printable is a text that cannot steer a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

// detach takes everything out of a process, or of all.
func (a *app) detach(f *flags) (int, error) {
	if err := noArguments("detach", f.set.Args()); err != nil {
		return 0, err
	}
	r, err := a.ask(f, &control.Request{Do: "detach", PID: f.pid})
	if err != nil {
		return 0, err
	}
	for _, p := range r.Processes {
		if (f.pid == 0 || p.PID == f.pid) && p.State != control.StateDetached && p.State != control.StateNoAgent {
			a.warn("process %d has not answered yet", p.PID)
		}
	}
	return 0, nil
}

// A lateControl is a control side for a collector that must be there before it: the
// socket's path is in the spec. No agent connects until both are.
type lateControl struct{ *steering }

// steerRun makes the control side of seam run, and what its target starts with.
func (a *app) steerRun(f *flags, cache *launcher.Cache, c *collector.Collector, t *launcher.Target, settings *hooks.Spec) (*launcher.Prepared, *steering, error) {
	s, err := a.steer(f, cache, c.Socket(), launcher.Dependencies(t, a.environ), settings)
	if err != nil {
		return nil, nil, err
	}
	if err := s.start(c, cache, f.control); err != nil {
		return nil, nil, err
	}
	s.first.Spec = s.SpecPath()
	return s.first, s, nil
}

// followed is the spec of the collector at a socket, nil when there is none that has a
// control side. Then -p and -H have no place: what is watched is said there.
func (a *app) followed(f *flags, cache *launcher.Cache, socket string) (*control.Response, error) {
	var info *control.Response
	for _, c := range control.All(cache.ControlDir()) {
		if c.Info.Socket == socket {
			info = c.Info
		}
		c.Close()
	}
	if info != nil && (len(f.probes) > 0 || len(f.packs) > 0) {
		return nil, &problem{msg: fmt.Sprintf("the collector at %s says what is watched", socket),
			hint: "leave out -p and -H, and use seam probe add; or give another --socket"}
	}
	return info, nil
}

// join is what a program starts with that gets its probes from a collector: t may be
// nil, and objects are what it has loaded when it is known.
func (a *app) join(cache *launcher.Cache, info *control.Response, objects []string) (*launcher.Prepared, error) {
	library, err := a.library(cache)
	if err != nil {
		return nil, err
	}
	p, err := launcher.PrepareSpec(info.Spec, objects)
	if err != nil {
		return nil, err
	}
	p.Injection = launcher.Injection{Library: library, Spec: info.Spec, Socket: info.Socket, Adopts: true, Filters: launcher.Filters()}
	return p, nil
}
