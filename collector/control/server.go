package control

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/hooks"
)

// Request is a line that a client sends.
type Request struct {
	Do    string `json:"do"`              // ps, ls, add, rm, detach, info, break-add and so on
	Probe string `json:"probe,omitempty"` // add: as -p
	Dir   string `json:"dir,omitempty"`   // add: what paths in the probe are relative to
	Pack  string `json:"pack,omitempty"`  // add: as -H
	For   string `json:"for,omitempty"`   // add: how long, "10m"
	Calls uint64 `json:"calls,omitempty"` // add: about how many calls
	ID    string `json:"id,omitempty"`    // rm
	PID   int    `json:"pid,omitempty"`   // detach: 0 all
	Wait  string `json:"wait,omitempty"`  // how long to wait for answers of the processes, "2s"

	At      string   `json:"at,omitempty"`      // break-add: the function, as --break
	When    []string `json:"when,omitempty"`    // break-add: conditions
	Timeout string   `json:"timeout,omitempty"` // break-add: longest wait of a thread, "30s"
	Threads int      `json:"threads,omitempty"` // break-wait: how many; 0: one
	TID     int      `json:"tid,omitempty"`     // break-release: only this thread
	All     bool     `json:"all,omitempty"`     // break-release: not only the one that came first
}

// Response is the line that answers it.
type Response struct {
	OK        bool          `json:"ok"`
	Error     string        `json:"error,omitempty"`
	Hint      string        `json:"hint,omitempty"`
	ID        string        `json:"id,omitempty"` // add: of the new probe
	Processes []ProcessView `json:"processes,omitempty"`
	Probes    []ProbeView   `json:"probes,omitempty"`
	Breaks    []BreakView   `json:"breaks,omitempty"`
	Threads   []ThreadView  `json:"threads,omitempty"` // break-wait: that wait; break-release: that go on
	PID       int           `json:"pid,omitempty"`     // info: of the collector
	Socket    string        `json:"socket,omitempty"`  // info: where targets connect
	Spec      string        `json:"spec,omitempty"`    // info: what SEAM_SPEC has to name
	Argv      []string      `json:"argv,omitempty"`    // info: how it was started
}

const (
	defaultWait = 2 * time.Second
	maxWait     = time.Minute
	maxLine     = 64 << 10
	idleClient  = time.Minute
)

// Serve answers clients until the listener is closed. Only the collector's own user
// and root may ask.
func (c *Controller) Serve(ln *net.UnixListener) {
	for {
		conn, err := ln.AcceptUnix()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(10 * time.Millisecond) // out of descriptors
			continue
		}
		go func() {
			defer conn.Close()
			if mayAsk(conn) {
				c.client(conn)
			}
		}()
	}
}

func mayAsk(conn *net.UnixConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	ok := false
	raw.Control(func(fd uintptr) {
		cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		ok = err == nil && (cred.Uid == 0 || int(cred.Uid) == os.Geteuid())
	})
	return ok
}

func (c *Controller) client(conn *net.UnixConn) {
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, maxLine)
	out := json.NewEncoder(conn)
	for {
		conn.SetReadDeadline(time.Now().Add(idleClient))
		if !lines.Scan() {
			return
		}
		conn.SetDeadline(time.Now().Add(maxWait + idleClient))
		c.asking.Add(1)
		err := out.Encode(c.answer(lines.Bytes()))
		c.asking.Add(-1)
		if err != nil {
			return
		}
	}
}

func failed(err error) *Response {
	r := &Response{Error: err.Error()}
	var e *Error
	var pe *hooks.ProbeError
	switch {
	case errors.As(err, &pe):
		what := "probe"
		if pe.What != "" {
			what = pe.What
		}
		r.Error, r.Hint = fmt.Sprintf("%s %q, column %d: %s", what, pe.Text, pe.Col, pe.Msg), pe.Hint
	case errors.As(err, &e):
		r.Hint = e.Hint
	}
	return r
}

func (c *Controller) answer(line []byte) *Response {
	var q Request
	if err := json.Unmarshal(line, &q); err != nil {
		return failed(&Error{"not a request: " + err.Error(), `one JSON object on each line, for instance {"do": "ps"}`})
	}
	wait := defaultWait
	if q.Wait != "" {
		d, err := time.ParseDuration(q.Wait)
		if err != nil || d < 0 || d > maxWait {
			return failed(&Error{fmt.Sprintf("not a time to wait: '%s'", q.Wait), "from 0s to 1m"})
		}
		wait = d
	}
	switch q.Do {
	case "info":
		return &Response{OK: true, PID: os.Getpid(), Socket: c.c.Socket(), Spec: c.SpecPath(), Argv: os.Args}
	case "ps":
		return &Response{OK: true, Processes: c.Processes()}
	case "ls":
		return &Response{OK: true, Probes: c.Probes()}
	case "add":
		return c.add(&q, wait)
	case "rm":
		n, err := c.Remove(q.ID)
		if err != nil {
			return failed(err)
		}
		c.await(n, wait)
		return &Response{OK: true, ID: q.ID}
	case "detach":
		n, err := c.Detach(q.PID)
		if err != nil {
			return failed(err)
		}
		c.await(n, wait)
		return &Response{OK: true, Processes: c.Processes()}
	case "break-add", "break-rm", "break-ls", "break-wait", "break-release":
		return c.answerBreak(&q, wait)
	}
	return failed(&Error{fmt.Sprintf("unknown request '%s'", q.Do), "one of: ps, ls, add, rm, detach, info, break-add, break-rm, break-ls, break-wait, break-release"})
}

// add adds a probe and waits for what the processes say of it.
func (c *Controller) add(q *Request, wait time.Duration) *Response {
	var p *Probe
	var err error
	switch {
	case (q.Probe == "") == (q.Pack == ""):
		err = &Error{"neither a probe nor a pack, or both", `for instance {"do": "add", "probe": "libc:open*"}`}
	case IsNative(q.Probe):
		c.mu.Lock()
		p, err = c.set.newNative(q.Probe)
		c.mu.Unlock()
	case q.Probe != "":
		p, err = NewProbe(q.Probe, q.Dir)
	default:
		p, err = NewPack(q.Pack)
	}
	if err != nil {
		return failed(err)
	}
	p.By, p.Added, p.Calls = "user", time.Now(), q.Calls
	if q.For != "" {
		d, err := time.ParseDuration(q.For)
		if err != nil || d <= 0 {
			return failed(&Error{fmt.Sprintf("not a time: '%s'", q.For), "a number with a unit: 30s, 10m, 2h"})
		}
		p.Until = p.Added.Add(d)
	}
	n, err := c.Add(p)
	if err != nil {
		return failed(err)
	}
	c.await(n, wait)
	r := &Response{OK: true, ID: p.ID}
	for _, v := range c.Probes() {
		if v.ID == p.ID {
			r.Probes = []ProbeView{v}
		}
	}
	return r
}
