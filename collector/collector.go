package collector

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/collector/capture"
	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/collector/unwind"
	"github.com/seam-project/seam/wire"
)

// A Collector reads the streams of targets. Its methods may be called from any
// goroutine.
type Collector struct {
	opt    Options
	end    *endpoint
	b      *report.Builder
	save   *capture.Writer // nil when nothing is saved
	obs    report.Observer
	keep   *keeper
	walker unwind.Walker

	selfMu     sync.Mutex
	self       *report.Stream // what the collector itself has to say, connection 0
	hello      wire.Hello     // its first message
	introduced bool
	ended      *wire.Process // the target, once it has ended
	endedAt    int64
	logged     map[string]bool

	nextID atomic.Uint64
	serve  sync.WaitGroup // running Serve calls
	work   sync.WaitGroup // connections

	mu       sync.Mutex
	conns    map[*peerConn]struct{}
	accepted uint64 // connections so far
	maxConn  int
	closed   bool
	cutting  bool // Finish cuts the connections that are left
}

// Listen creates the socket: mode 0600, whatever the umask. A socket that is
// there already is replaced when nobody answers on it. Errors a person can do
// something about are of type *Error, with a hint.
func Listen(o Options) (*Collector, error) {
	end, err := bind(o.Socket)
	if err != nil {
		return nil, err
	}
	c := &Collector{opt: o, end: end, b: report.NewBuilder(o.Report), obs: o.observer(),
		conns: make(map[*peerConn]struct{}), logged: make(map[string]bool), maxConn: 4096}
	var lim unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &lim) == nil && lim.Cur/3 < uint64(c.maxConn) {
		c.maxConn = max(int(lim.Cur/3), 8) // each process may cost three: connection, pidfd, and the arena's for a moment
	}
	if o.Save != nil {
		c.save = capture.NewWriter(o.Save)
	}
	c.hello = wire.Hello{V: wire.Version, PID: os.Getpid(), From: "collector", Start: time.Now().UnixNano()}
	c.self = c.b.Stream(nil)
	if c.keep, err = newKeeper(c); err != nil {
		end.ln.Close()
		end.remove()
		return nil, err
	}
	return c, nil
}

// Socket returns the absolute path of the socket, for SEAM_SOCKET.
func (c *Collector) Socket() string { return c.end.path }

// SetTarget names the command for the head of the report, and for that of the
// capture. It has no effect once Serve was called.
func (c *Collector) SetTarget(argv []string) {
	c.selfMu.Lock()
	defer c.selfMu.Unlock()
	if !c.introduced {
		c.hello.Argv = argv
	}
}

// TargetEnded tells how the target ended, as its parent was told. Call it before
// Finish.
func (c *Collector) TargetEnded(pid int, status unix.WaitStatus) {
	p := &wire.Process{PID: pid, What: "end", Status: wire.StatusUnknown}
	p.SetWaitStatus(uint32(status))
	c.selfMu.Lock()
	defer c.selfMu.Unlock()
	c.ended, c.endedAt = p, time.Now().UnixNano()
}

// introduce begins connection 0; c.selfMu is held.
func (c *Collector) introduce() {
	if c.introduced {
		return
	}
	c.introduced = true
	c.self.Hello(&c.hello)
	if c.save != nil {
		c.save.Frame(0, wire.AppendHello(nil, &c.hello))
	}
}

// Report returns the report of the connections that have ended so far. Finish
// returns the complete one.
func (c *Collector) Report() *report.Report { return c.b.Report() }

// note counts an error of the collector itself: in the report, and in the
// capture so that it reports the same.
func (c *Collector) note(code, text, advice string) {
	c.selfMu.Lock()
	defer c.selfMu.Unlock()
	c.introduce()
	c.self.Error(0, code, text, advice, 1)
	if c.save != nil {
		c.save.Frame(0, wire.AppendError(nil, 0, code, text, advice, 1))
	}
}

// log tells a person, once per code.
func (c *Collector) log(code, msg, hint string) {
	if c.opt.ErrLog == nil {
		return
	}
	c.selfMu.Lock()
	again := c.logged[code]
	c.logged[code] = true
	c.selfMu.Unlock()
	if !again {
		c.opt.ErrLog(msg, hint)
	}
}

// Serve accepts connections until Finish or Close; it then returns nil. It
// returns an error only when the socket can't be used any more.
func (c *Collector) Serve() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.serve.Add(1)
	c.mu.Unlock()
	defer c.serve.Done()
	c.selfMu.Lock()
	c.introduce()
	c.selfMu.Unlock()
	wait := time.Millisecond
	for {
		p, err := c.accept()
		if err != nil {
			switch {
			case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, os.ErrClosed):
				return nil
			case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE), errors.Is(err, unix.ENOMEM), errors.Is(err, unix.ENOBUFS):
				// Targets wait in the backlog, or go on without a reader.
				c.log("descriptors", fmt.Sprintf("accept connection: %v", reason(err)), "raise the limit of open files (ulimit -n)")
				time.Sleep(wait)
				wait = min(2*wait, 100*time.Millisecond)
				continue
			case errors.Is(err, unix.ECONNABORTED), errors.Is(err, unix.EINTR):
				continue
			}
			return fmt.Errorf("accept connection: %w", reason(err))
		}
		wait = time.Millisecond
		hands.do(func() {
			defer c.work.Done()
			c.handle(p)
			c.mu.Lock()
			delete(c.conns, p)
			c.mu.Unlock()
			p.conn.Close()
			c.keep.wake() // it may have been waited for
		})
	}
}

// A peerConn is a connection and what is known of who is at its other end.
type peerConn struct {
	conn  *net.UnixConn
	order uint64 // in which it was made, from 1
	pid   uint32 // 0 not known yet
	fresh bool   // has not said hello
	agent bool   // it is an agent's, of:
	arena [16]byte
}

// accept waits for a connection and puts it into the table. Both happen under
// c.mu: whoever holds it sees each connection in the backlog or in the table.
func (c *Collector) accept() (*peerConn, error) {
	raw, err := c.end.ln.SyscallConn()
	if err != nil {
		return nil, err
	}
	p := &peerConn{fresh: true}
	full := false
	rerr := raw.Read(func(ln uintptr) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.closed {
			err = os.ErrClosed
			return true
		}
		var fd int
		if fd, _, err = unix.Accept4(int(ln), unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK); err != nil {
			return err != unix.EAGAIN
		}
		if full = len(c.conns) >= c.maxConn; full {
			unix.Close(fd)
			return true
		}
		if p.conn, err = unixConn(fd); err != nil {
			return true
		}
		c.accepted++
		p.order = c.accepted
		c.conns[p] = struct{}{}
		c.work.Add(1)
		return true
	})
	switch {
	case rerr != nil:
		return nil, rerr
	case full:
		c.note("too-many", "connections refused: too many at once", "raise the limit of open files (ulimit -n)")
		return nil, unix.ECONNABORTED
	}
	return p, err
}

// unixConn makes a net.UnixConn of a descriptor, which it takes over.
func unixConn(fd int) (*net.UnixConn, error) {
	f := os.NewFile(uintptr(fd), "connection")
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := conn.(*net.UnixConn)
	if !ok {
		conn.Close()
		return nil, unix.EINVAL
	}
	return u, nil
}

// known notes which process a connection comes from, and whether it said hello.
func (c *Collector) known(p *peerConn, pid uint32, fresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.pid, p.fresh = pid, fresh
}

// turnWithin is how long an agent's stream may have to wait for the one before.
const turnWithin = 5 * time.Second

// turn waits until what the arena's earlier agents sent is read: one that was ended
// left its last batches in a socket, and the next one goes on behind them.
func (c *Collector) turn(p *peerConn, m *wire.Hello) {
	if m.From != "agent" || m.Arena == [16]byte{} {
		return
	}
	c.mu.Lock()
	p.agent, p.arena = true, m.Arena
	c.mu.Unlock()
	for end := time.Now().Add(turnWithin); c.earlier(p) && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}

// earlier tells whether an earlier connection is, or may turn out to be, of an
// agent of the same arena.
func (c *Collector) earlier(p *peerConn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for q := range c.conns {
		if q.order < p.order && !c.closed && (q.agent && q.arena == p.arena || q.fresh && (q.pid == p.pid || q.pid == 0)) {
			return true
		}
	}
	return false
}

// expects tells whether a connection may still turn out to be of one of these
// processes: it waits to be accepted, or has not said hello. When they are all
// dead, false means that nothing of theirs is to come.
func (c *Collector) expects(of func(pid uint32) bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.backlog() {
		return true
	}
	for p := range c.conns {
		if p.fresh && (p.pid == 0 || of(p.pid)) {
			return true
		}
	}
	return false
}

// Finish ends the collection: call it when the target has ended. It waits until
// all processes that connected are gone and everything they left is drained, or
// ctx is done: then connections of processes that still run are closed, which
// does them no harm, and the report says that their account is not complete. The
// target's processes may be gone long before; their records are drained from
// their arenas all the same.
func (c *Collector) Finish(ctx context.Context) *report.Report {
	c.settle(ctx)
	// No more connections: what is in the backlog now belongs to processes that
	// are not ours to wait for, or came too late.
	c.end.ln.SetDeadline(time.Now())
	c.serve.Wait()
	c.settle(ctx)
	c.mu.Lock()
	c.cutting = true
	for p := range c.conns {
		p.conn.SetReadDeadline(time.Now())
	}
	c.mu.Unlock()
	c.work.Wait()
	c.keep.stop()
	c.selfMu.Lock()
	if c.ended != nil {
		c.introduce()
		c.self.Process(c.endedAt, c.ended)
		if c.save != nil {
			c.save.Frame(0, wire.AppendProcess(nil, c.endedAt, c.ended))
		}
	}
	c.self.Close(nil)
	c.selfMu.Unlock()
	if c.save != nil {
		if lost, err := c.save.Err(); err != nil {
			text := fmt.Sprintf("the capture is not complete: %v", err)
			hint := "the report is not affected; free some space, or save to another place"
			c.b.Error("capture", fmt.Sprintf("%s; %s not saved", text, report.Bytes(lost)), hint, 1)
			c.log("capture", text, hint)
		}
	}
	if c.opt.Live != nil {
		c.opt.Live.Flush()
	}
	return c.b.Report()
}

func (c *Collector) ending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed || c.cutting
}

// deadline sets a connection's, unless connections are being cut.
func (c *Collector) deadline(conn *net.UnixConn, t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed && !c.cutting {
		conn.SetReadDeadline(t)
	}
}

// settle waits until nothing is left to read, or for ctx.
func (c *Collector) settle(ctx context.Context) {
	for {
		c.mu.Lock()
		quiet := !c.backlog() && len(c.conns) == 0
		c.mu.Unlock()
		if quiet && c.keep.idle() {
			return
		}
		c.keep.wake()
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// backlog tells whether a connection waits to be accepted.
func (c *Collector) backlog() bool {
	raw, err := c.end.ln.SyscallConn()
	if err != nil {
		return false
	}
	ready := false
	raw.Control(func(fd uintptr) {
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, _ := unix.Poll(p, 0)
		ready = n > 0 && p[0].Revents&unix.POLLIN != 0
	})
	return ready
}

// Close frees everything and removes the socket. Connections are cut; call
// Finish first when the report matters.
func (c *Collector) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	for p := range c.conns {
		p.conn.SetReadDeadline(time.Now())
	}
	c.mu.Unlock()
	err := c.end.ln.Close()
	c.end.remove()
	c.serve.Wait()
	c.work.Wait()
	c.keep.stop()
	return err
}
