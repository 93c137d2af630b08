package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/seam-project/seam/collector"
	"github.com/seam-project/seam/collector/live"
	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/launcher"
)

// lingering is how long the report waits for processes that the target has left
// behind. A program that leaves a daemon must not keep its caller waiting.
const lingering = time.Second

func reportOptions() report.Options {
	return report.Options{Advice: func(reason string) string { return reasonNamed(reason).Advice }}
}

// run starts the target, collects, and reports.
func (a *app) run(f *flags) (int, error) {
	spec, err := f.spec()
	if err != nil {
		return 0, err
	}
	t, err := a.target(f)
	if err != nil {
		return 0, err
	}
	cache, err := launcher.OpenCache(a.environ)
	if err != nil {
		return 0, err
	}
	dest, err := a.reportWriter(f)
	if err != nil {
		return 0, err
	}
	opt, saved, err := a.collectorOptions(f, a.err)
	if err != nil {
		return 0, err
	}
	var p *launcher.Prepared
	late := &lateControl{}
	if f.controlled() {
		opt.Control = late
	}
	opt.Drains = drains(f, spec)
	c, err := collector.Listen(opt)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	c.SetTarget(t.Argv)
	spec.Socket = c.Socket()
	if f.controlled() {
		p, late.steering, err = a.steerRun(f, cache, c, t, spec)
		defer late.steering.stop()
	} else {
		p, err = a.prepare(cache, spec, t)
	}
	if err != nil {
		return 0, err
	}
	if !f.quiet {
		a.warnings(p)
	}
	served := make(chan error, 1)
	go func() { served <- c.Serve() }()

	p.Injection.Adopts, p.Injection.Drains = true, opt.Drains
	proc, err := launcher.Start(t, launcher.Compose(a.environ, p.Injection))
	if err != nil {
		return 0, err
	}
	status, err := proc.Wait()
	if err != nil {
		return 0, err
	}
	c.TargetEnded(proc.PID, status.Raw)
	late.steering.stop()
	ctx, cancel := context.WithTimeout(context.Background(), lingering)
	r := c.Finish(ctx)
	cancel()
	c.Close()
	// From here on nothing may change how we end: that is the target's to say.
	if err := <-served; err != nil {
		a.warn("%s", err)
	}
	if err := saved.close(); err != nil {
		a.warn("write '%s': %s", f.output, err)
	}
	a.learned(f, r)
	if dest != nil {
		if err := a.writeReport(r, f, dest); err != nil {
			a.warn("write report: %s", err)
		}
	}
	status.Exit()
	return 0, nil
}

// drains tells whether seam itself drains the arenas of living processes: so no agent is
// started for that, unless one is there anyway.
func drains(f *flags, spec *hooks.Spec) bool {
	return !f.agentDrains && spec.Start == hooks.StartDemand && !f.controlled() &&
		!slices.ContainsFunc(spec.Rules, func(r hooks.Rule) bool { return r.Kind == hooks.RuleCallback })
}

// reportWriter opens where the report goes, before the target starts; nil for no
// report.
func (a *app) reportWriter(f *flags) (io.Writer, error) {
	switch {
	case f.report == "-":
		return a.out, nil
	case f.report != "":
		w, err := os.Create(f.report)
		if err != nil {
			return nil, &problem{msg: "write report: " + err.Error(), hint: "give --report a file in a directory that exists and is writable"}
		}
		return w, nil
	case f.quiet:
		return nil, nil
	}
	return a.err, nil
}

func (a *app) writeReport(r *report.Report, f *flags, w io.Writer) error {
	b := bufio.NewWriter(w)
	if f.json {
		if err := r.WriteJSON(b); err != nil {
			return err
		}
	} else if err := r.WriteText(b, textOptions(w)); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	if file, ok := w.(*os.File); ok && w != a.out && w != a.err {
		return file.Close()
	}
	return nil
}

func textOptions(w io.Writer) report.TextOptions {
	if f, ok := w.(*os.File); ok {
		return report.Terminal(f)
	}
	return report.TextOptions{}
}

// collectorOptions are what run and listen have in common: events go to w, if
// they are printed, and the stream to the file of --output.
func (a *app) collectorOptions(f *flags, w io.Writer) (collector.Options, *output, error) {
	rarerGC()
	opt := collector.Options{Socket: f.socket, Report: reportOptions()}
	if f.live {
		opt.Live = printer(w, f.json)
	}
	if !f.quiet {
		opt.ErrLog = func(msg, hint string) {
			a.warn("%s", msg)
			if hint != "" {
				fmt.Fprintf(a.err, "seam: hint: %s\n", hint)
			}
		}
	}
	if f.learner != nil {
		opt.OnEvent = f.learner.Observe
	}
	saved, err := openOutput(f.output)
	if err != nil {
		return opt, nil, err
	}
	if saved != nil {
		opt.Save = saved.file
	}
	return opt, saved, nil
}

// rarerGC lets the heap of a reader grow to five times what is in use, some 20 MB: what is
// live hardly changes, and looking through it was a tenth of a reader's time.
func rarerGC() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

func printer(w io.Writer, json bool) *live.Printer {
	t := textOptions(w)
	return live.NewPrinter(w, live.Options{JSON: json, Color: t.Color, Width: t.Width})
}

// output is the file of --output. It is written to as it comes: what was saved when
// the disk is full, or seam is killed, is in it.
type output struct{ file *os.File }

func openOutput(path string) (*output, error) {
	if path == "" {
		return nil, nil
	}
	// What a program did is nobody else's business.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, &problem{msg: "save stream: " + err.Error(), hint: "give --output a file in a directory that exists and is writable"}
	}
	return &output{f}, nil
}

func (o *output) close() error {
	if o == nil {
		return nil
	}
	return o.file.Close()
}

// listen prints what comes in until it is interrupted.
func (a *app) listen(f *flags) (int, error) {
	if err := noArguments("listen", f.set.Args()); err != nil {
		return 0, err
	}
	if f.socket == "" {
		cache, err := launcher.OpenCache(a.environ)
		if err != nil {
			return 0, err
		}
		f.socket = cache.Socket()
	}
	f.live = true
	f.json = f.json || !isTerminal(a.out)
	opt, saved, err := a.collectorOptions(f, a.out)
	if err != nil {
		return 0, err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	c, err := collector.Listen(opt)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if isTerminal(a.err) {
		fmt.Fprintf(a.err, "seam: listening on %s\n", c.Socket())
	}
	served := make(chan error, 1)
	go func() { served <- c.Serve() }()
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	stop() // a second signal ends us at once
	over, cancel := context.WithCancel(context.Background())
	cancel() // targets that still run are let go
	c.Finish(over)
	return 0, errors.Join(err, opt.Live.Flush(), saved.close())
}

// report prints the report of a saved stream.
func (a *app) report(f *flags) (int, error) {
	if f.set.NArg() != 1 {
		return 0, &problem{msg: "seam report needs one file", hint: "save one with: seam run -o FILE -- program"}
	}
	r, err := report.FromFile(f.set.Arg(0), reportOptions())
	if r != nil {
		if e := a.writeReport(r, f, a.out); e != nil {
			return 0, e
		}
	}
	switch {
	case err == nil:
		return 0, nil
	case r != nil:
		return 0, &problem{msg: err.Error(), hint: "the report is of what comes before"}
	}
	return 0, &problem{msg: err.Error(), hint: "give a file that 'seam run -o FILE' or 'seam listen -o FILE' saved"}
}
