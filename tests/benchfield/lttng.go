package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lttngHome names the variable that tells an ordinary user's programs where their session daemon is.
const lttngHome = "LTTNG_HOME"

// lttngd is a session daemon of our own: root's, or the user's below LTTNG_HOME.
type lttngd struct{ daemon *process }

func (b *bench) lttngDo(args ...string) (string, error) {
	r := run(command{args: append([]string{"lttng"}, args...), deadline: 30 * time.Second})
	return r.err + r.out, r.said()
}

// lttngReady starts the daemon, once.
func (b *bench) lttngReady() error {
	if b.lttngd.daemon != nil {
		return nil
	}
	if _, err := b.lttngDo("list"); err == nil {
		return fmt.Errorf("a session daemon of LTTng runs already, and its settings are not known: stop it")
	}
	p, err := start(command{args: []string{"lttng-sessiond", "--no-kernel"}, deadline: 2 * time.Hour})
	if err != nil {
		return err
	}
	for range 100 {
		if _, err = b.lttngDo("list"); err == nil {
			b.lttngd.daemon = p
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	endTree(p.cmd.Process.Pid)
	return p.wait().said()
}

func (b *bench) lttngOpen(dir string) error {
	if err := b.lttngReady(); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"create", "field", "--output=" + filepath.Join(dir, "l")},
		{"enable-event", "-u", "field:*"},
		{"start"},
	} {
		if _, err := b.lttngDo(args...); err != nil {
			return err
		}
	}
	return nil
}

// lttngClose ends the session; what LTTng says of discarded events is in the text.
func (b *bench) lttngClose() (string, error) {
	text, err := b.lttngDo("stop")
	if _, e := b.lttngDo("destroy", "field"); err == nil {
		err = e
	}
	return text, err
}

func (b *bench) lttngEnd() {
	if p := b.lttngd.daemon; p != nil {
		syscall.Kill(p.cmd.Process.Pid, syscall.SIGTERM)
		for range 100 {
			if syscall.Kill(p.cmd.Process.Pid, 0) != nil {
				break
			}
			if _, err := os.Stat(fmt.Sprintf("/proc/%d/exe", p.cmd.Process.Pid)); err != nil {
				break // a zombie, until it is waited for
			}
			time.Sleep(50 * time.Millisecond)
		}
		endTree(p.cmd.Process.Pid)
		p.wait()
	}
}
