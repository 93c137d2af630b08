package collector

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/wire"
)

// helloWithin is how long a peer may take to say who it is.
const helloWithin = 10 * time.Second

// handle reads one connection to its end.
func (c *Collector) handle(p *peerConn) {
	conn := p.conn
	cred, pidfd, err := peer(conn)
	if err != nil {
		c.note("peer", "connections of which the kernel does not tell the user", "")
		return
	}
	defer func() {
		if pidfd >= 0 {
			unix.Close(pidfd)
		}
	}()
	if uid := int(cred.Uid); uid != os.Geteuid() && (c.opt.UID == 0 || uid != c.opt.UID) {
		text := fmt.Sprintf("connections of user %d refused", uid)
		hint := "a target's events go only to its own user: run seam as that user"
		c.note("other-user", text, hint)
		c.log("other-user", text, hint)
		return
	}
	c.known(p, uint32(cred.Pid), true)
	c.deadline(conn, time.Now().Add(helloWithin))
	buf := make([]byte, 4<<10)
	n, fd, err := firstRead(conn, buf)
	defer func() {
		if fd >= 0 {
			unix.Close(fd)
		}
	}()
	if n == 0 || err != nil { // connected and left: a probe for whether we live
		if errors.Is(err, os.ErrDeadlineExceeded) && !c.ending() {
			c.note("silent", "connections that sent nothing", "something that is not a seam target connected to the socket")
		}
		return
	}
	r := &tee{c: c, id: c.nextID.Add(1), r: conn, first: buf[:n]}
	c.follow(r, c.keep, func(m *wire.Hello) { c.turn(p, m) }, func(h *hello) {
		c.deadline(conn, time.Time{})
		c.keep.hello(h, p.order, cred, &fd, &pidfd)
		c.known(p, uint32(cred.Pid), false)
		if c.opt.Control != nil && h.from == "agent" {
			h.agent = &Agent{Hello: h.said, Peer: int(cred.Pid), conn: conn, calls: make(map[uint32]uint64)}
			c.opt.Control.Joined(h.agent)
		}
	}, func(h *hello) {
		c.keep.bye(h)
		if h.agent != nil {
			c.opt.Control.Left(h.agent)
		}
	})
}

// follow reads a stream to its end and closes it. The error is that of a peer
// that broke the protocol. begin is called after hello, end when the
// stream is closed and everything it brought is counted. k follows what its
// drainer knows; nil when that is nobody before us. turn, which may be nil, says
// when the stream may be followed.
func (c *Collector) follow(r *tee, k *keeper, turn func(*wire.Hello), begin, end func(*hello)) error {
	h := &hello{Stream: c.b.Stream(c.obs), keep: k, turn: turn, told: c.opt.Control}
	dec := wire.NewDecoder(r)
	defer dec.Close()
	begun := false
	for {
		err := dec.Next(h.handler())
		if err == nil {
			err = h.Err()
		}
		if err == nil {
			if !begun && h.seen && begin != nil {
				begun = true
				begin(h)
			}
			continue
		}
		broken := h.Close(err)
		if c.save != nil {
			c.save.End(r.id)
		}
		if begun {
			end(h)
		}
		if broken {
			c.log("bad-stream", "a connection was closed: "+err.Error(), "something that is not a seam target wrote to the socket")
			return err
		}
		return nil
	}
}

// A feed is the stream of a drainer in this process: what it writes is counted, and saved, before
// Write returns. Each Write is of whole messages.
type feed struct {
	c   *Collector
	id  uint64
	h   *hello
	dec wire.Decoder
	err error // of the first message that could not be read
}

func (c *Collector) feed() *feed {
	return &feed{c: c, id: c.nextID.Add(1), h: &hello{Stream: c.b.Stream(c.obs), told: c.opt.Control}}
}

// native says what is needed of calls that need not be encoded, nil where somebody looks at each one.
func (c *Collector) native() func(*wire.ProbeDef) wire.Native {
	if c.save != nil || c.obs != nil {
		return nil
	}
	return report.Native
}

func (f *feed) Write(p []byte) (int, error) {
	f.c.saved(f.id, p)
	err := f.dec.Feed(p, f.h)
	if err == nil {
		err = f.h.Err()
	}
	if f.c.opt.Live != nil {
		f.c.opt.Live.Flush()
	}
	if f.err = err; err != nil {
		return 0, err
	}
	return len(p), nil
}

// end hands what was counted to the report.
func (f *feed) end() {
	f.h.Close(f.err)
	if f.c.save != nil {
		f.c.save.End(f.id)
	}
}

// saved adds bytes of a stream to the capture.
func (c *Collector) saved(id uint64, p []byte) {
	if c.save == nil {
		return
	}
	c.save.Frame(id, p)
	if _, err := c.save.Err(); err != nil {
		c.log("capture", fmt.Sprintf("the capture stops here: %v", err), "the run goes on, and the report is not affected")
	}
}

// hello is a Stream that keeps what the first message said.
type hello struct {
	*report.Stream
	keep  *keeper // nil: its SQL is not followed
	turn  func(*wire.Hello)
	seen  bool
	arena [16]byte
	pid   int
	from  string
	sql   *sqlStream // nil: no SQL so far
	said  wire.Hello
	agent *Agent // nil: nobody is to be told
	told  Control
}

// Hello implements wire.Handler.
func (h *hello) Hello(m *wire.Hello) {
	if !h.seen {
		h.seen, h.arena, h.pid, h.from, h.said = true, m.Arena, m.PID, m.From, *m
		if h.turn != nil {
			h.turn(m)
		}
	}
	h.Stream.Hello(m)
}

// tee is the bytes of a connection on their way to the decoder and the capture.
// However reading ends, the stream ends there: a peer that was reset, or cut at
// a deadline, is read like one that closed.
type tee struct {
	c     *Collector
	id    uint64
	r     io.Reader
	first []byte
}

func (t *tee) Read(p []byte) (int, error) {
	var n int
	if len(t.first) > 0 {
		n = copy(p, t.first)
		t.first = t.first[n:]
	} else {
		if t.c.opt.Live != nil {
			t.c.opt.Live.Flush() // nothing more is here: show what there is
		}
		var err error
		if n, err = t.r.Read(p); n <= 0 && err != nil {
			return 0, io.EOF
		}
	}
	if n > 0 {
		t.c.saved(t.id, p[:n])
	}
	return n, nil
}

// peer tells who is at the other end, and gives a descriptor for its process,
// -1 when there is none.
func peer(conn *net.UnixConn) (cred *unix.Ucred, pidfd int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, -1, err
	}
	pidfd = -1
	cerr := raw.Control(func(fd uintptr) {
		if cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err != nil {
			return
		}
		// Of the connecting process itself, even if its pid is used again.
		if p, perr := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PEERPIDFD); perr == nil {
			pidfd = p
			unix.CloseOnExec(p)
		}
	})
	if err == nil {
		err = cerr
	}
	if err == nil && pidfd < 0 && cred.Pid > 0 {
		if p, perr := unix.PidfdOpen(int(cred.Pid), 0); perr == nil {
			pidfd = p
		}
	}
	return cred, pidfd, err
}

// firstRead reads the first bytes and the descriptor that may come with them,
// -1 when none did. Descriptors that come later are never received.
func firstRead(conn *net.UnixConn, buf []byte) (n, fd int, err error) {
	fd = -1
	oob := make([]byte, unix.CmsgSpace(8*4))
	n, on, _, _, err := conn.ReadMsgUnix(buf, oob) // sets MSG_CMSG_CLOEXEC
	if on == 0 {
		return n, fd, err
	}
	msgs, perr := unix.ParseSocketControlMessage(oob[:on])
	if perr != nil {
		return n, fd, err
	}
	for i := range msgs {
		fds, perr := unix.ParseUnixRights(&msgs[i])
		if perr != nil {
			continue
		}
		for _, f := range fds {
			if fd < 0 {
				fd = f
			} else {
				unix.Close(f)
			}
		}
	}
	return n, fd, err
}
