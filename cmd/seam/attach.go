package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/collector"
	"github.com/seam-project/seam/collector/control"
	"github.com/seam-project/seam/launcher"
	"github.com/seam-project/seam/launcher/attach"
)

// attach watches a process that was started dormant.
func (a *app) attach(f *flags) (int, error) {
	if err := noArguments("attach", f.set.Args()); err != nil {
		return 0, err
	}
	if f.pid == 0 {
		return 0, &problem{msg: "seam attach needs --pid", hint: "for instance: seam attach --pid 1234 -H sqlite"}
	}
	cache, err := launcher.OpenCache(a.environ)
	if err != nil {
		return 0, err
	}
	p, err := openDormant(cache, f.pid)
	if err != nil {
		return 0, err
	}
	if f.socket == "" {
		c, err := a.client(f)
		switch {
		case err == nil:
			defer c.Close()
			return 0, a.attachTo(c, f, p, cache)
		case f.control != "" || !errors.Is(err, control.ErrNone):
			return 0, err
		}
		return a.attachAndRead(f, p, cache)
	}
	spec, err := f.spec()
	if err != nil {
		return 0, err
	}
	library, err := a.library(cache)
	if err != nil {
		return 0, err
	}
	if spec.Socket, err = launcher.AbsSocket(f.socket); err != nil {
		return 0, err
	}
	prepared, err := launcher.PrepareObjects(cache, library, spec, p.Objects())
	if err != nil {
		return 0, fmt.Errorf("prepare target: %w", err)
	}
	a.warnings(prepared)
	return 0, a.wake(p, prepared)
}

// attachTo has the process watch what the processes of a collector watch, and what the
// flags add to that.
func (a *app) attachTo(c *control.Client, f *flags, p *attach.Process, cache *launcher.Cache) error {
	var add []*control.Request
	dir, _ := os.Getwd()
	for _, text := range f.probes {
		add = append(add, &control.Request{Do: "add", Probe: text, Dir: dir})
	}
	packs := []string{}
	if len(f.packs) > 0 {
		own, user, err := f.packNames()
		if err != nil {
			return err
		}
		if len(user) > 0 {
			return &problem{msg: fmt.Sprintf("the pack '%s' can't be added to a collector that runs", user[0].Name), hint: "give it where the collector is started: seam collect -H " + user[0].Name}
		}
		packs = own
	}
	for _, name := range packs {
		add = append(add, &control.Request{Do: "add", Pack: name})
	}
	for _, q := range add {
		if _, err := c.Do(q); err != nil {
			return err
		}
	}
	prepared, err := a.join(cache, c.Info, p.Objects())
	if err != nil {
		return err
	}
	return a.wake(p, prepared)
}

// openDormant finds a process that can be woken.
func openDormant(cache *launcher.Cache, pid int) (*attach.Process, error) {
	file, err := cache.LibraryFile()
	if err != nil {
		return nil, err
	}
	p, err := attach.Open(pid, file)
	if err != nil {
		return nil, err
	}
	dormant, err := p.Dormant()
	if err == nil && !dormant {
		err = &attach.Error{PID: pid, Msg: "is watched already", Hint: "a process can be attached to when it was started with: seam env --dormant"}
	}
	return p, err
}

// wake has the process watch what was prepared.
func (a *app) wake(p *attach.Process, prepared *launcher.Prepared) error {
	patches, err := p.Patches(prepared.Planned)
	if err != nil {
		return err
	}
	// Not now: a thread of the process is ours until this is done.
	held := make(chan os.Signal, 8)
	signal.Notify(held, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(held)
	in := prepared.Injection
	took, err := p.Wake(attach.Call{Spec: in.Spec, Socket: in.Socket, Adopts: in.Adopts, Library: in.Library, Patches: patches})
	if err == nil && isTerminal(a.err) {
		fmt.Fprintf(a.err, "seam: process %d stood still for %s\n", p.PID, took.Stopped.Round(10*time.Microsecond))
	}
	return err
}

// attachAndRead is the reader, too, until the process ends or seam is interrupted.
func (a *app) attachAndRead(f *flags, p *attach.Process, cache *launcher.Cache) (int, error) {
	settings, err := f.spec()
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
	// Not SIGPIPE: what reads our output may end before we do.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	late := &lateControl{}
	opt.Control = late
	c, err := collector.Listen(opt)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	c.SetTarget(commandLine(p.PID))
	if late.steering, err = a.steer(f, cache, c.Socket(), p.Objects(), settings); err != nil {
		return 0, err
	}
	if err := late.start(c, cache, ""); err != nil {
		return 0, err
	}
	defer late.stop()
	prepared := late.first
	prepared.Spec, prepared.Adopts = late.SpecPath(), true
	if !f.quiet {
		a.warnings(prepared)
	}
	served := make(chan error, 1)
	go func() { served <- c.Serve() }()
	ended := make(chan struct{})
	if fd, err := unix.PidfdOpen(p.PID, 0); err == nil {
		go func() {
			defer close(ended)
			for {
				if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1); !errors.Is(err, unix.EINTR) {
					return
				}
			}
		}()
	}
	if err := a.wake(p, prepared); err != nil {
		return 0, err
	}
	if isTerminal(a.err) && !f.quiet {
		fmt.Fprintf(a.err, "seam: watching process %d; ^C to end\n", p.PID)
	}
	wait := lingering
	select {
	case err = <-served:
	case <-ended:
	case <-ctx.Done():
		late.LetGo(detachWithin) // it goes on without us
		wait = 50 * time.Millisecond
	}
	stop()
	late.stop()
	over, cancel := context.WithTimeout(context.Background(), wait)
	r := c.Finish(over)
	cancel()
	c.Close()
	if err != nil {
		return 0, err
	}
	if err := saved.close(); err != nil {
		a.warn("write '%s': %s", f.output, err)
	}
	if dest != nil {
		if err := a.writeReport(r, f, dest); err != nil {
			a.warn("write report: %s", err)
		}
	}
	return 0, nil
}

// detachWithin is how long seam attach waits for a process to be as it was before. One
// whose agent has not started, and that calls nothing, takes longer than any wait.
const detachWithin = 2 * time.Second

func commandLine(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
}
