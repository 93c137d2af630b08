package control

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/seam-project/seam/collector"
)

// BreakView is a breakpoint as `seam break ls` shows it.
type BreakView struct {
	ID        string         `json:"id"`
	Break     string         `json:"break"`
	Timeout   string         `json:"timeout"`
	By        string         `json:"by"`
	Added     time.Time      `json:"added"`
	Matched   uint64         `json:"matched"`           // calls for which its conditions held
	Parked    uint64         `json:"parked"`            // of those, calls that waited
	Expired   uint64         `json:"expired,omitempty"` // threads that went on at their deadline
	Skipped   uint64         `json:"skipped,omitempty"` // calls that should have waited and could not
	Processes []ProbeProcess `json:"processes"`
	Threads   []ThreadView   `json:"threads"` // that wait now, those that came first first
}

// ThreadView is a thread that waits.
type ThreadView struct {
	Break    string          `json:"break"` // id
	PID      int             `json:"pid"`
	TID      int             `json:"tid"`
	Thread   string          `json:"thread"`
	Function string          `json:"function"`
	Lib      string          `json:"lib"`
	Call     string          `json:"call"`
	Args     json.RawMessage `json:"args"`
	Since    time.Time       `json:"since"`
	Until    time.Time       `json:"until"` // then it goes on by itself
	Silent   bool            `json:"silent,omitempty"`
	Stack    []string        `json:"stack,omitempty"`
}

// lookEvery is how often threads that wait are looked for, while somebody wants to know.
const lookEvery = 2 * time.Millisecond

// AddBreak adds a breakpoint and returns the number of the request.
func (c *Controller) AddBreak(b *Break) (uint64, error) {
	return c.edit(func(s *Set) error { return s.AddBreak(b) })
}

// RemoveBreak removes one: whoever waits there goes on, and nobody waits there any more.
func (c *Controller) RemoveBreak(id string) (uint64, error) {
	c.mu.Lock()
	b, err := c.set.Break(id)
	c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	c.c.Disarm(nil, b.serial) // at once, whatever becomes of the code
	n, err := c.edit(func(s *Set) error { _, err := s.RemoveBreak(id); return err })
	c.c.Disarm(nil, b.serial) // in processes that began meanwhile
	return n, err
}

// threads are those that wait at a breakpoint, "" at any.
func (c *Controller) threads(id string, full bool) ([]collector.Waiting, map[uint64]string, error) {
	c.mu.Lock()
	names := make(map[uint64]string)
	serial := uint64(0)
	for _, b := range c.set.breaks {
		names[b.serial] = b.ID
	}
	if id != "" {
		b, err := c.set.Break(id)
		if err != nil {
			c.mu.Unlock()
			return nil, nil, err
		}
		serial = b.serial
	}
	c.mu.Unlock()
	all := c.c.Waiting(serial, full)
	return slices.DeleteFunc(all, func(w collector.Waiting) bool { return names[w.Serial] == "" }), names, nil
}

func threadView(w *collector.Waiting, id string) ThreadView {
	return ThreadView{Break: id, PID: w.PID, TID: w.TID, Thread: w.Thread, Function: w.Function, Lib: filepath.Base(w.Lib), Call: w.Call,
		Args: w.Args, Since: w.Since, Until: w.Until, Silent: w.Silent, Stack: w.Stack}
}

// Breaks lists the breakpoints, and who waits there.
func (c *Controller) Breaks() []BreakView {
	waits, _, _ := c.threads("", true)
	totals := c.c.BreakTotals()
	known := c.c.Processes()
	out := []BreakView{}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.set.breaks {
		t := totals[b.serial]
		v := BreakView{ID: b.ID, Break: b.Text, Timeout: b.Timeout.String(), By: b.By, Added: b.Added, Matched: t.Matched, Parked: t.Parked,
			Expired: t.Expired, Skipped: t.Skipped, Processes: []ProbeProcess{}, Threads: []ThreadView{}}
		for a, m := range c.agents {
			if !m.detached {
				v.Processes = append(v.Processes, m.view(a, b.ID))
			}
		}
		for _, k := range known {
			if !c.let[k.Arena] && !c.spokenFor(k) {
				v.Processes = append(v.Processes, ProbeProcess{PID: k.PID, Program: k.Name, State: "told"})
			}
		}
		slices.SortFunc(v.Processes, func(a, b ProbeProcess) int { return cmp.Compare(a.PID, b.PID) })
		for i := range waits {
			if waits[i].Serial == b.serial {
				v.Threads = append(v.Threads, threadView(&waits[i], b.ID))
			}
		}
		out = append(out, v)
	}
	return out
}

// WaitBreak waits until so many threads wait at a breakpoint at once, and tells of them.
func (c *Controller) WaitBreak(id string, n int, d time.Duration) ([]ThreadView, error) {
	end := time.Now().Add(d)
	for {
		waits, names, err := c.threads(id, false)
		if err != nil {
			return nil, err
		}
		if len(waits) >= n {
			if waits, names, err = c.threads(id, true); err != nil {
				return nil, err
			}
			if len(waits) < n {
				continue
			}
			out := []ThreadView{}
			for i := range waits {
				out = append(out, threadView(&waits[i], names[waits[i].Serial]))
			}
			return out, nil
		}
		if !time.Now().Before(end) {
			return nil, &Error{fmt.Sprintf("%d of %d threads wait at %s after %s", len(waits), n, cmp.Or(id, "any breakpoint"), d), c.whyNot(id)}
		}
		select {
		case <-c.stopped:
			return nil, &Error{"the collector ends", ""}
		case <-time.After(lookEvery):
		}
	}
}

// whyNot is what to look at when threads do not wait.
func (c *Controller) whyNot(id string) string {
	skipped := uint64(0)
	for _, v := range c.Breaks() {
		if v.ID == id || id == "" {
			skipped += v.Skipped
		}
	}
	if skipped > 0 {
		return fmt.Sprintf("%d calls should have waited and could not: more than %d at once, or in a process that may make no system calls", skipped, maxThreads)
	}
	return "seam break ls shows where the breakpoint is in force, and how many calls it met"
}

// ReleaseBreak lets threads go on that wait at a breakpoint, "" any: the one that came first, or all; of a process
// and a thread, if they are not 0.
func (c *Controller) ReleaseBreak(id string, pid, tid int, all bool) ([]ThreadView, error) {
	waits, names, err := c.threads(id, false)
	if err != nil {
		return nil, err
	}
	out := []ThreadView{}
	for i := range waits {
		w := &waits[i]
		if pid != 0 && w.PID != pid || tid != 0 && w.TID != tid || !c.c.LetGo(w) {
			continue
		}
		out = append(out, threadView(w, names[w.Serial]))
		if !all {
			break
		}
	}
	if len(out) == 0 {
		whose := ""
		if tid != 0 {
			whose = fmt.Sprintf("thread %d ", tid)
		} else if pid != 0 {
			whose = fmt.Sprintf("thread of process %d ", pid)
		} else {
			whose = "thread "
		}
		return nil, &Error{fmt.Sprintf("no %swaits at %s", whose, cmp.Or(id, "a breakpoint")), "seam break wait waits for one"}
	}
	return out, nil
}

// answerBreak answers the requests about breakpoints.
func (c *Controller) answerBreak(q *Request, wait time.Duration) *Response {
	one := func(id string) *Response {
		r := &Response{OK: true, ID: id}
		for _, v := range c.Breaks() {
			if v.ID == id {
				r.Breaks = []BreakView{v}
			}
		}
		return r
	}
	switch q.Do {
	case "break-add":
		var timeout time.Duration
		if q.Timeout != "" {
			d, err := time.ParseDuration(q.Timeout)
			if err != nil || d <= 0 {
				return failed(&Error{fmt.Sprintf("not a time: '%s'", q.Timeout), "a number with a unit: 500ms, 30s, 2m"})
			}
			timeout = d
		}
		b, err := NewBreak(q.At, q.When, timeout, q.Dir, c.opt.Base.Protos)
		if err != nil {
			return failed(err)
		}
		b.By, b.Added = "user", time.Now()
		n, err := c.AddBreak(b)
		if err != nil {
			return failed(err)
		}
		c.await(n, wait)
		return one(b.ID)
	case "break-rm":
		n, err := c.RemoveBreak(q.ID)
		if err != nil {
			return failed(err)
		}
		c.await(n, wait)
		return &Response{OK: true, ID: q.ID}
	case "break-ls":
		return &Response{OK: true, Breaks: c.Breaks()}
	case "break-wait":
		if q.Threads < 0 {
			return failed(&Error{fmt.Sprintf("can't wait for %d threads", q.Threads), "from 1 on"})
		}
		threads, err := c.WaitBreak(q.ID, max(q.Threads, 1), wait)
		if err != nil {
			return failed(err)
		}
		return &Response{OK: true, ID: q.ID, Threads: threads}
	}
	threads, err := c.ReleaseBreak(q.ID, q.PID, q.TID, q.All)
	if err != nil {
		return failed(err)
	}
	return &Response{OK: true, ID: q.ID, Threads: threads}
}

// maxThreads is how many may wait in one arena: NPARKS of preload/core/arena.c.
const maxThreads = 128
