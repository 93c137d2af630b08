package collector

import (
	"io"
	"sync"

	"github.com/seam-project/seam/collector/live"
	"github.com/seam-project/seam/collector/report"
)

// Event is one event as Options.OnEvent sees it.
type Event = report.Event

// Options of a Collector. The zero value listens on a socket of its own in a
// new private directory.
type Options struct {
	// Socket is the path of the socket to create; "" makes a directory for it
	// that Close removes. The path's last directory is made, for its user
	// alone, when it does not exist.
	Socket string

	// UID is a further user whose processes may connect; 0 means none. Those of
	// the collector's own effective user always may.
	UID int

	// Save gets a capture file (docs/protocol.md) of all streams; nil saves
	// nothing. It gets one Write per frame, from one goroutine at a time. The
	// first error ends the copy and is told in the report; the run goes on. It
	// is the caller's to close, after Finish.
	Save io.Writer

	// Live prints events as they come; nil prints nothing.
	Live *live.Printer

	// OnEvent is called for each event, one at a time, in the order of each
	// connection. The Event is valid until it returns. While it runs nothing is
	// read, so a slow one makes targets drop, or wait, as their policy says.
	OnEvent func(*Event)

	// Drains makes the collector drain the arenas of living processes that it gets the memory of, where
	// no agent does yet: launcher.Injection.Drains.
	Drains bool

	// ErrLog is told once of each kind of trouble that a person should hear of
	// before the report: a user's process was refused, a capture stopped. hint
	// may be "". It may be called from any goroutine; nil ignores it.
	ErrLog func(msg, hint string)

	// Control is told of agents, so that it can ask them for other probes; nil
	// asks for none.
	Control Control

	// Report bounds the report and what is kept for it.
	Report report.Options
}

// An Error is an error with an advice for the person who ran the command.
type Error struct {
	Err  error
	Hint string // what to do about it
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// observers passes events to Live and OnEvent.
type observers struct {
	live *live.Printer
	mu   sync.Mutex
	f    func(*Event)
}

func (o *observers) Observe(e *report.Event) {
	if o.live != nil {
		o.live.Observe(e)
	}
	if o.f != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.f(e)
	}
}

func (o *Options) observer() report.Observer {
	if o.Live == nil && o.OnEvent == nil {
		return nil
	}
	return &observers{live: o.Live, f: o.OnEvent}
}
