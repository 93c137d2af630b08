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
	"github.com/seam-project/seam/hooks"
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
	spec, err := f.spec()
	if err != nil {
		return 0, err
	}
	cache, err := launcher.OpenCache(a.environ)
	if err != nil {
		return 0, err
	}
	library, err := a.library(cache)
	if err != nil {
		return 0, err
	}
	p, err := openDormant(cache, f.pid)
	if err != nil {
		return 0, err
	}
	if f.socket != "" {
		if spec.Socket, err = launcher.AbsSocket(f.socket); err != nil {
			return 0, err
		}
		return 0, a.wake(p, cache, library, spec, false)
	}
	return a.attachAndRead(f, p, cache, library, spec)
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

// wake makes the plans and the spec, and has the process watch.
func (a *app) wake(p *attach.Process, cache *launcher.Cache, library string, spec *hooks.Spec, adopts bool) error {
	prepared, err := launcher.PrepareObjects(cache, library, spec, p.Objects())
	if err != nil {
		return fmt.Errorf("prepare target: %w", err)
	}
	patches, err := p.Patches(prepared.Planned)
	if err != nil {
		return err
	}
	a.warnings(prepared)
	_, err = p.Wake(attach.Call{Spec: prepared.Spec, Socket: spec.Socket, Adopts: adopts, Library: library, Patches: patches})
	return err
}

// attachAndRead is the reader, too, until the process ends or seam is interrupted.
func (a *app) attachAndRead(f *flags, p *attach.Process, cache *launcher.Cache, library string, spec *hooks.Spec) (int, error) {
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
	c, err := collector.Listen(opt)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	c.SetTarget(commandLine(p.PID))
	spec.Socket = c.Socket()
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
	if err := a.wake(p, cache, library, spec, true); err != nil {
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
		wait = 50 * time.Millisecond // it goes on: only what is on its way
	}
	stop()
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

func commandLine(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
}
