// Package breakpoint has the threads of running programs wait before a call, for tests
// that need one interleaving and no other.
//
// The programs are those of `seam run --control` or `seam collect`, whose control
// socket (docs/control.md) this package talks to; it needs nothing else.
//
//	s, err := breakpoint.Dial("")
//	b, err := s.Add("libsqlite3:sqlite3_step", breakpoint.When("pStmt!=0"))
//	threads, err := b.Wait(2, 10*time.Second) // two threads are about to step
//	err = b.Release(threads[1])               // the second one goes first
//	err = b.Remove()                          // everybody goes on
package breakpoint

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// A Session asks one collector. Its methods, and those of its breakpoints, may be
// called from any goroutine.
type Session struct{ path string }

// A Breakpoint is a set of calls before which threads wait.
type Breakpoint struct {
	ID string
	s  *Session
}

// A Thread waits before a call.
type Thread struct {
	Break    string // the breakpoint's id
	PID, TID int
	Thread   string                     // its name
	Function string                     // that it is about to call
	Lib      string                     // which has it
	Call     string                     // the function with its arguments, for people
	Args     map[string]json.RawMessage // by name
	Since    time.Time
	Until    time.Time // then it goes on by itself
	Stack    []string  // callers, the innermost first: "lib!function+0x12"
}

// An Error is what the collector said, and its advice.
type Error struct{ Msg, Hint string }

func (e *Error) Error() string { return e.Msg }

type request struct {
	Do      string   `json:"do"`
	ID      string   `json:"id,omitempty"`
	At      string   `json:"at,omitempty"`
	When    []string `json:"when,omitempty"`
	Timeout string   `json:"timeout,omitempty"`
	Wait    string   `json:"wait,omitempty"`
	Dir     string   `json:"dir,omitempty"`
	Threads int      `json:"threads,omitempty"`
	PID     int      `json:"pid,omitempty"`
	TID     int      `json:"tid,omitempty"`
	All     bool     `json:"all,omitempty"`
}

type response struct {
	OK          bool
	Error, Hint string
	ID          string
	Threads     []Thread
}

// Dial finds a collector by its control socket; "": the one in $SEAM_CONTROL, or the
// only one that runs.
func Dial(path string) (*Session, error) {
	if path == "" {
		path = os.Getenv("SEAM_CONTROL")
	}
	if path != "" {
		s := &Session{path}
		_, err := s.do(&request{Do: "info"}, 0)
		return s, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	all, _ := filepath.Glob(filepath.Join(cache, "seam", "control", "[0-9]*"))
	var found []*Session
	for _, p := range all {
		s := &Session{p}
		if _, err := s.do(&request{Do: "info"}, 0); err == nil {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		return nil, &Error{fmt.Sprintf("%d collectors are running", len(found)), "name the control socket of one"}
	}
	return found[0], nil
}

// slack is how long an answer may take beyond what it waits for.
const slack = 10 * time.Second

// do asks, over a connection of its own: one that waits holds up nobody.
func (s *Session) do(q *request, wait time.Duration) (*response, error) {
	conn, err := net.Dial("unix", s.path)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(wait + slack))
	if err := json.NewEncoder(conn).Encode(q); err != nil {
		return nil, fmt.Errorf("ask the collector: %w", err)
	}
	r := new(response)
	if err := json.NewDecoder(bufio.NewReader(conn)).Decode(r); err != nil {
		return nil, fmt.Errorf("ask the collector: %w", err)
	}
	if !r.OK {
		return nil, &Error{r.Error, r.Hint}
	}
	return r, nil
}

// An Option says more of a breakpoint.
type Option func(*request)

// When is a condition on the call's arguments, as in a rule: "fd==3", `sql^="INSERT"`. Of several all must hold.
func When(cond string) Option { return func(q *request) { q.When = append(q.When, cond) } }

// Timeout is after what time a thread that nobody releases goes on: 30 s if it is not
// said, an hour at most.
func Timeout(d time.Duration) Option { return func(q *request) { q.Timeout = d.String() } }

// Add sets a breakpoint at [LIB:]FUNCTION[:ITEM,…] in all processes, and waits until they have
// said that it is in force, two seconds at most.
func (s *Session) Add(at string, options ...Option) (*Breakpoint, error) {
	q := &request{Do: "break-add", At: at}
	q.Dir, _ = os.Getwd()
	for _, o := range options {
		o(q)
	}
	r, err := s.do(q, 0)
	if err != nil {
		return nil, err
	}
	return &Breakpoint{r.ID, s}, nil
}

// Breakpoint is one that is there already: `seam run --break` makes b1, b2 and so on.
func (s *Session) Breakpoint(id string) *Breakpoint { return &Breakpoint{id, s} }

// maxWait is how long the collector lets one request wait.
const maxWait = time.Minute

// Wait waits until so many threads wait there at once, and returns all that do, those
// that came first first.
func (b *Breakpoint) Wait(threads int, d time.Duration) ([]Thread, error) {
	for end := time.Now().Add(d); ; {
		w := min(max(time.Until(end), 0), maxWait)
		r, err := b.s.do(&request{Do: "break-wait", ID: b.ID, Threads: threads, Wait: w.String()}, w)
		var said *Error
		if err == nil {
			return r.Threads, nil
		}
		if !errors.As(err, &said) || !time.Now().Before(end) {
			return nil, err
		}
	}
}

// Release lets one thread go on. The breakpoint stays.
func (b *Breakpoint) Release(t Thread) error {
	_, err := b.s.do(&request{Do: "break-release", ID: b.ID, PID: t.PID, TID: t.TID}, 0)
	return err
}

// ReleaseFirst lets the thread go on that came first, and returns it.
func (b *Breakpoint) ReleaseFirst() (Thread, error) {
	r, err := b.s.do(&request{Do: "break-release", ID: b.ID}, 0)
	if err != nil {
		return Thread{}, err
	}
	return r.Threads[0], nil
}

// ReleaseAll lets all go on that wait there now.
func (b *Breakpoint) ReleaseAll() ([]Thread, error) {
	r, err := b.s.do(&request{Do: "break-release", ID: b.ID, All: true}, 0)
	if err != nil {
		return nil, err
	}
	return r.Threads, nil
}

// Remove removes the breakpoint: whoever waits there goes on.
func (b *Breakpoint) Remove() error {
	_, err := b.s.do(&request{Do: "break-rm", ID: b.ID}, 0)
	return err
}
