package agent

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/preload/core"
	"github.com/seam-project/seam/preload/plan"
	"github.com/seam-project/seam/wire"
	"github.com/seam-project/seam/wire/arena"
	"github.com/seam-project/seam/wire/drain"
)

// How often the arena is looked at. A producer that fills many chunks wakes the
// agent before that.
const (
	busyWait = 10 * time.Millisecond
	idleWait = 100 * time.Millisecond
	idleFrom = 20 // passes without a call

	firstRetry = 20 * time.Millisecond
	lastRetry  = 2 * time.Second
)

// deliver drains the arena to the reader for as long as the process lives, over
// as many connections as it takes. Without a reader it leaves the arena alone: it
// fills, and its policy decides.
func deliver(a *arena.Arena) {
	path := core.SocketPath()
	var flush core.Flush
	var d *drain.Drainer
	ctl := newControl()
	retry := firstRetry
	for {
		conn, err := socket(-1), error(nil)
		if path != "" {
			conn, err = dial(path)
		}
		if denied(err) && core.ReaderAdopts() {
			core.GiveBack()
			standBy(a, &flush)
		}
		if path == "" || err != nil {
			if flush.Requested() {
				answerFlush(&flush) // nobody to tell
			}
			ctl.expire(time.Now())
			a.Wait(retry)
			retry = min(2*retry, lastRetry)
			continue
		}
		retry = firstRetry
		if d == nil {
			d = drain.New(a, conn, drain.Options{
				Hello:  wire.Hello{V: wire.Version, PID: int(core.PID()), From: "agent", Ver: version},
				Alive:  alive,
				Reason: func(id uint8) string { return plan.Reason(id).String() },
			})
		} else {
			d.Reset(conn)
		}
		ctl.reset()
		detached := serveReader(a, d, &flush, ctl, conn)
		conn.Close()
		if detached {
			standBy(a, &flush)
		}
	}
}

// alive is drain.Options.Alive. In another process id namespace nobody can be asked: their own
// core looks when it needs a place, and the reader when all is over.
func alive(pid, tid, ns uint32) bool {
	return ns != core.Namespace() || arena.Alive(pid, tid)
}

// denied tells whether the reader is not for this process: it has become another
// user's since it was loaded, as servers do that root starts.
func denied(err error) bool {
	return errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) || errors.Is(err, errForeign)
}

// standBy leaves the arena to others for good: an agent of another process, or
// the reader, who got its memory when the program was loaded.
func standBy(a *arena.Arena, flush *core.Flush) {
	for {
		if flush.Requested() {
			answerFlush(flush)
		}
		a.Wait(lastRetry)
	}
}

// answerFlush lets the host's thread go on. An agent that is about to be ended
// does nothing after that: what it would send might be sent again by the next one.
func answerFlush(flush *core.Flush) {
	flush.Done()
	if core.Ending() {
		core.Rest()
	}
}

// serveReader returns when the connection is no good any more, or, true, when the
// reader wants nothing more of this process.
func serveReader(a *arena.Arena, d *drain.Drainer, flush *core.Flush, ctl *control, conn socket) (detached bool) {
	idle := 0
	for {
		asked := flush.Requested()
		answer, over := ctl.listen(conn)
		if !over {
			answer = append(answer, ctl.expire(time.Now())...)
		}
		n, err := d.Pass()
		if err == nil && len(answer) > 0 {
			_, err = conn.Write(answer)
		}
		if err == nil && over {
			d.Finish()
			return true
		}
		if asked {
			if err == nil && !core.ReaderAdopts() {
				_, err = d.Finish()
			}
			answerFlush(flush)
		}
		if err != nil {
			return false
		}
		switch {
		case n > 0 && a.FullChunks() > 0:
			idle = 0 // without calls the number is wrong: a process was killed before it could count down
		case n > 0:
			idle = 0
			a.Wait(busyWait)
		default:
			idle++
			if idle < idleFrom {
				a.Wait(busyWait)
			} else {
				a.Wait(idleWait)
			}
		}
	}
}
