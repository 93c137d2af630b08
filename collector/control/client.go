package control

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/collector"
)

// Publish makes the control socket: at path, or, "", at a place of its own. It is
// found in dir, under this process's id, by Find.
func Publish(dir, path string) (ln *net.UnixListener, remove func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("make directory of control sockets: %w", err)
	}
	entry := filepath.Join(dir, strconv.Itoa(os.Getpid()))
	if path == "" {
		return collector.ListenPrivate(entry)
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, nil, err
	}
	ln, unbind, err := collector.ListenPrivate(path)
	if err != nil {
		return nil, nil, err
	}
	os.Remove(entry) // of a process that had our id before
	if err := os.Symlink(path, entry); err != nil {
		ln.Close()
		unbind()
		return nil, nil, fmt.Errorf("publish control socket: %w", err)
	}
	return ln, func() { unbind(); os.Remove(entry) }, nil
}

// A Client asks one collector.
type Client struct {
	Path string
	Info *Response
	conn *net.UnixConn
	in   *bufio.Reader
}

// Dial connects to a control socket.
func Dial(path string) (*Client, error) {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	c := &Client{Path: path, conn: conn, in: bufio.NewReader(conn)}
	if err := c.foreign(); err != nil {
		conn.Close()
		return nil, err
	}
	if c.Info, err = c.Do(&Request{Do: "info"}); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// foreign refuses a collector of another user: what it says would be believed.
func (c *Client) foreign() error {
	raw, err := c.conn.SyscallConn()
	if err != nil {
		return err
	}
	var uid uint32
	var cerr error
	raw.Control(func(fd uintptr) {
		var cred *unix.Ucred
		if cred, cerr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); cerr == nil {
			uid = cred.Uid
		}
	})
	if cerr != nil {
		return cerr
	}
	if int(uid) != os.Geteuid() && os.Geteuid() != 0 && uid != 0 {
		return &Error{fmt.Sprintf("the collector at %s belongs to user %d", c.Path, uid), "ask as that user, or as root"}
	}
	return nil
}

// Close ends the conversation.
func (c *Client) Close() { c.conn.Close() }

// Do asks, and waits for the answer. A refusal is an *Error.
func (c *Client) Do(q *Request) (*Response, error) {
	b, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	c.conn.SetDeadline(time.Now().Add(maxWait + defaultWait))
	if _, err := c.conn.Write(append(b, '\n')); err != nil {
		return nil, fmt.Errorf("ask the collector: %w", err)
	}
	line, err := c.in.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("ask the collector: %w", err)
	}
	r := new(Response)
	if err := json.Unmarshal(line, r); err != nil {
		return nil, fmt.Errorf("ask the collector: %w", err)
	}
	if !r.OK {
		return nil, &Error{r.Error, r.Hint}
	}
	return r, nil
}

// ErrNone is the error of Find when no collector runs.
var ErrNone = errors.New("no collector is running")

// All connects to every collector that is published in dir. What is left of those that
// are gone is removed.
func All(dir string) (all []*Client) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if to, err := os.Readlink(path); err == nil {
			if _, err := os.Stat(path); err != nil {
				os.Remove(path)
				continue
			}
			path = to
		}
		c, err := Dial(path)
		switch {
		case err == nil:
			all = append(all, c)
		case errors.Is(err, unix.ECONNREFUSED):
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
	return all
}

// Find connects to the one collector that runs; when there are several, the one
// that is meant must be named.
func Find(dir string) (*Client, error) {
	all := All(dir)
	switch len(all) {
	case 0:
		return nil, ErrNone
	case 1:
		return all[0], nil
	}
	e := &Error{Msg: fmt.Sprintf("%d collectors are running", len(all)), Hint: "name one:"}
	slices.SortFunc(all, func(a, b *Client) int { return a.Info.PID - b.Info.PID })
	for _, c := range all {
		e.Hint += fmt.Sprintf("\n    --control %s   (process %d: %s)", c.Path, c.Info.PID, strings.Join(c.Info.Argv, " "))
		c.Close()
	}
	return nil, e
}
