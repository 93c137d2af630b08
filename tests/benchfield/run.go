package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// command is one process to run, with a deadline.
type command struct {
	env      []string
	args     []string
	dir      string
	stdin    string // a file
	deadline time.Duration
}

// result is what a command printed and took.
type result struct {
	out, err string
	wall     time.Duration
	// cpu is that of the process and of what it waited for.
	cpu time.Duration
	// status is 0, or says how it ended.
	status error
}

var errLate = errors.New("deadline missed")

// run starts a command, waits, and ends what it left behind.
func run(c command) result {
	p, err := start(c)
	if err != nil {
		return result{status: err}
	}
	return p.wait()
}

type process struct {
	cmd      *exec.Cmd
	out, err bytes.Buffer
	began    time.Time
	cancel   context.CancelFunc
	ctx      context.Context
	args     []string
}

func start(c command) (*process, error) {
	if c.deadline == 0 {
		c.deadline = time.Minute
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.deadline)
	p := &process{cmd: exec.Command(c.args[0], c.args[1:]...), cancel: cancel, ctx: ctx, args: c.args}
	p.cmd.Env = append(environ(), c.env...)
	p.cmd.Dir = c.dir
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	if c.stdin != "" {
		f, err := os.Open(c.stdin)
		if err != nil {
			cancel()
			return nil, err
		}
		defer f.Close()
		p.cmd.Stdin = f
	}
	// A descendant that keeps the pipes does not hold us up.
	p.cmd.WaitDelay = time.Second
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	keep.Store(p.cmd.Process.Pid, true)
	return p, nil
}

func (p *process) wait() result {
	defer p.cancel()
	late := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(late)
		select {
		case <-p.ctx.Done():
			endTree(p.cmd.Process.Pid)
		case <-done:
		}
	}()
	err := p.cmd.Wait()
	wall := time.Since(p.began)
	close(done)
	<-late
	keep.Delete(p.cmd.Process.Pid)
	if errors.Is(p.ctx.Err(), context.DeadlineExceeded) {
		err = errLate
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	r := result{out: p.out.String(), err: p.err.String(), wall: wall, status: err}
	if s := p.cmd.ProcessState; s != nil {
		r.cpu = s.UserTime() + s.SystemTime()
	}
	endOrphans()
	return r
}

// said is the status, and what the command said about it.
func (r result) said() error {
	if r.status == nil {
		return nil
	}
	text := strings.TrimSpace(r.err)
	if text == "" {
		text = strings.TrimSpace(r.out)
	}
	if lines := strings.Split(text, "\n"); len(lines) > 2 {
		text = strings.Join(lines[len(lines)-2:], " / ")
	}
	if len(text) > 200 {
		text = text[:200] + "…"
	}
	return fmt.Errorf("%w: %s", r.status, text)
}

// environ is the same on every machine.
func environ() []string {
	return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + os.Getenv("HOME"), "LC_ALL=C.UTF-8", "TZ=UTC",
		lttngHome + "=" + os.Getenv(lttngHome)}
}

// keep has the processes that were started and are not waited for yet; the others are orphans that came to us.
var keep sync.Map

func kept(pid int) bool {
	_, ok := keep.Load(pid)
	return ok
}

// adopt makes orphans of what we start our children, so that none gets lost.
func adopt() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// parents maps each process to its parent.
func parents() map[int]int {
	all := map[int]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		_, after, ok := strings.Cut(string(b), ") ")
		f := strings.Fields(after)
		if !ok || len(f) < 2 {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		all[pid], _ = strconv.Atoi(f[1])
	}
	return all
}

// endTree kills a process and what descends from it.
func endTree(pid int) {
	all := parents()
	tree := []int{pid}
	for i := 0; i < len(tree); i++ {
		for child, parent := range all {
			if parent == tree[i] && !kept(child) {
				tree = append(tree, child)
			}
		}
	}
	for _, p := range slices.Backward(tree) {
		syscall.Kill(p, syscall.SIGKILL)
	}
}

// endOrphans kills what came to us as an orphan and reaps it.
func endOrphans() {
	for child, parent := range parents() {
		if parent == os.Getpid() && !kept(child) {
			endTree(child)
			syscall.Wait4(child, nil, 0, nil)
		}
	}
}

// endAll kills everything that we started, for when we are interrupted.
func endAll() {
	for child, parent := range parents() {
		if parent == os.Getpid() {
			keep.Delete(child)
			endTree(child)
		}
	}
}
