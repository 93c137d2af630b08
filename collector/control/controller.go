package control

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seam-project/seam/collector"
	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/yamlfile"
	"github.com/seam-project/seam/wire"
)

// Options of a Controller.
type Options struct {
	// Base has the settings of the specs, and the probes that stay in each.
	Base *hooks.Spec

	// Prepare makes the plans for a spec, for the objects that processes have loaded
	// and those installed, writes the spec file, and returns its path.
	// Before it is written, complete is called.
	Prepare func(spec *hooks.Spec, objects []string, complete func(*hooks.Spec)) (string, error)

	// Link is where processes that are started later find the spec: a link to
	// the file that is in force.
	Link string

	// Config is a file of probes, which is watched; "" none.
	Config string

	// ErrLog is told what a person should hear of; hint may be "".
	ErrLog func(msg, hint string)
}

// A Controller holds the set and talks to the agents. Its methods may be called
// from any goroutine.
type Controller struct {
	opt Options
	c   *collector.Collector

	change sync.Mutex // held while the set is changed and told

	mu      sync.Mutex
	set     *Set
	agents  map[*collector.Agent]*member
	spec    version
	n       uint64            // number of the last request
	gone    map[string]uint64 // calls by probe, of agents that have left
	let     map[[16]byte]bool // arenas of processes that were let go
	said    chan struct{}     // closed and replaced when an agent has answered, or left
	watch   *fileWatch
	stopped chan struct{}
	work    sync.WaitGroup
	asking  atomic.Int32 // clients that wait for an answer
}

// version is a spec that was told.
type version struct {
	path string
	hash uint64
	ids  []string // of the probes, by index in the spec
}

// member is an agent and what it said.
type member struct {
	joined   time.Time
	asked    uint64   // number of the last request
	spec     version  // that it asks for
	answered uint64   // number of the last request that it answered
	ids      []string // of the probes that it answered for
	status   *wire.Status
	detached bool
}

// New makes the first spec of the probes. Call Start when there is a collector.
func New(opt Options, first []*Probe, breaks []*Break) (*Controller, error) {
	c := &Controller{opt: opt, set: NewSet(opt.Base), agents: make(map[*collector.Agent]*member), gone: make(map[string]uint64), let: make(map[[16]byte]bool),
		said: make(chan struct{}), stopped: make(chan struct{})}
	if err := c.set.Add(first...); err != nil {
		return nil, err
	}
	for _, b := range breaks {
		if err := c.set.AddBreak(b); err != nil {
			return nil, err
		}
	}
	if opt.Config != "" {
		abs, err := filepath.Abs(opt.Config)
		if err != nil {
			return nil, err
		}
		c.opt.Config = abs
		// watched first: no change is missed
		if c.watch, err = watchFile(abs); err != nil {
			return nil, err
		}
		probes, err := ReadConfig(abs)
		if err == nil {
			err = c.set.Replace(abs, probes)
		}
		if err != nil {
			c.watch.close()
			return nil, err
		}
	}
	return c, nil
}

// Start writes the first spec and begins to serve. Prepare may be called from here on.
func (c *Controller) Start(col *collector.Collector) error {
	c.c = col
	c.change.Lock()
	defer c.change.Unlock()
	if err := c.tell(); err != nil {
		return err
	}
	c.work.Go(c.tick)
	if c.watch != nil {
		c.work.Go(c.follow)
	}
	return nil
}

// Stop ends it. Processes keep what they have.
func (c *Controller) Stop() {
	close(c.stopped)
	if c.watch != nil {
		c.watch.close()
	}
	c.work.Wait()
	for end := time.Now().Add(answerWithin); c.asking.Load() > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	c.c.Disarm(nil, 0) // nobody can let threads go on any more
	c.mu.Lock()
	defer c.mu.Unlock()
	if to, err := os.Readlink(c.opt.Link); err == nil && to == c.spec.path {
		os.Remove(c.opt.Link)
	}
}

// SpecPath is what SEAM_SPEC has to name.
func (c *Controller) SpecPath() string { return c.opt.Link }

func (c *Controller) log(err error) {
	if c.opt.ErrLog == nil {
		return
	}
	msg, hint := err.Error(), ""
	switch e := err.(type) {
	case *Error:
		hint = e.Hint
	case *yamlfile.Error:
		hint = e.Hint
	}
	c.opt.ErrLog(msg, hint)
}

// edit changes the set by f and tells everybody. When any of it fails the set stays as
// it was. It returns the number of the request.
func (c *Controller) edit(f func(*Set) error) (uint64, error) {
	c.change.Lock()
	defer c.change.Unlock()
	c.mu.Lock()
	before := *c.set
	err := f(c.set)
	c.mu.Unlock()
	if err == nil {
		err = c.tell()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		*c.set = before
		return 0, err
	}
	return c.n, nil
}

// tell writes the spec of the set, and asks all agents for it. c.change is held.
func (c *Controller) tell() error {
	c.mu.Lock()
	set := *c.set
	c.mu.Unlock()
	v, err := c.write(set.Spec(), set.Complete)
	if err != nil {
		return err
	}
	if err := c.relink(v.path); err != nil {
		return err
	}
	c.mu.Lock()
	first := c.spec.path == ""
	c.spec = v
	c.n++
	for a, m := range c.agents {
		c.ask(a, m)
	}
	c.mu.Unlock()
	if !first {
		c.c.Follow(v.path, v.hash, true)
	}
	return nil
}

// write prepares a spec for what processes have loaded now.
func (c *Controller) write(spec *hooks.Spec, complete func(*hooks.Spec) []string) (v version, err error) {
	v.path, err = c.opt.Prepare(spec, c.objects(), func(spec *hooks.Spec) { v.ids = complete(spec) })
	v.hash = spec.Hash()
	return v, err
}

// relink has the link name another file, at once.
func (c *Controller) relink(path string) error {
	tmp := fmt.Sprintf("%s.%d", c.opt.Link, os.Getpid())
	os.Remove(tmp)
	err := os.Symlink(path, tmp)
	if err == nil {
		err = os.Rename(tmp, c.opt.Link)
	}
	if err != nil {
		os.Remove(tmp)
		return fmt.Errorf("write spec: %w", err)
	}
	return nil
}

// objects are the files of which connected processes have code mapped.
func (c *Controller) objects() (all []string) {
	c.mu.Lock()
	pids := make(map[int]bool)
	for a := range c.agents {
		pids[a.Peer] = true
	}
	c.mu.Unlock()
	seen := make(map[string]bool)
	for pid := range pids {
		for _, path := range mapped(pid) {
			if !seen[path] {
				seen[path] = true
				all = append(all, path)
			}
		}
	}
	return all
}

// ask asks an agent for the spec that is in force; c.mu is held.
func (c *Controller) ask(a *collector.Agent, m *member) {
	if m.detached {
		return
	}
	m.asked, m.spec = c.n, c.spec
	msg := wire.AppendControl(nil, &wire.Control{Type: wire.MsgRespec, N: c.n, Spec: c.spec.path})
	go a.Send(msg) // an agent that is gone is told of by the end of its connection
}

// Joined implements collector.Control.
func (c *Controller) Joined(a *collector.Agent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := &member{joined: time.Now()}
	c.agents[a] = m
	if c.spec.path != "" {
		c.ask(a, m)
	}
	c.announce()
}

// Status implements collector.Control.
func (c *Controller) Status(a *collector.Agent, s *wire.Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.agents[a]
	if m == nil || s.N < m.answered {
		return
	}
	m.answered = s.N
	if s.N == m.asked {
		m.ids = m.spec.ids
		st := *s
		st.Probes = slices.Clone(s.Probes)
		m.status = &st
	}
	c.announce()
}

// Left implements collector.Control.
func (c *Controller) Left(a *collector.Agent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.agents[a]; m != nil {
		for id, n := range m.calls(a) {
			c.gone[id] += n
		}
		if m.detached {
			c.let[a.Hello.Arena] = true
		}
		delete(c.agents, a)
	}
	c.announce()
}

func (c *Controller) announce() {
	close(c.said)
	c.said = make(chan struct{})
}

// calls is how often the functions of each probe were called in a process.
func (m *member) calls(a *collector.Agent) map[string]uint64 {
	out := make(map[string]uint64)
	if m.status == nil {
		return out
	}
	for i, p := range m.status.Probes {
		if i >= len(m.ids) {
			break
		}
		for _, id := range p.IDs {
			out[m.ids[i]] += a.Calls(id)
		}
	}
	return out
}

// await waits until all agents have answered a request, or the time is over.
func (c *Controller) await(n uint64, d time.Duration) {
	over := time.After(d)
	for {
		c.mu.Lock()
		waiting := false
		for _, m := range c.agents {
			waiting = waiting || m.asked <= n && m.answered < m.asked && m.asked != 0
		}
		said := c.said
		c.mu.Unlock()
		if !waiting && !c.c.Silent() {
			return
		}
		select {
		case <-said:
		case <-time.After(tickEvery): // one that is silent may have ended
		case <-over:
			return
		}
	}
}

// answerWithin is how long the end waits for answers that are about to be given: what a client asked for may
// be why the program ended.
const answerWithin = time.Second

const tickEvery = 100 * time.Millisecond

// tick ends probes whose time, or whose calls, are over.
func (c *Controller) tick() {
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	for {
		select {
		case <-c.stopped:
			return
		case now := <-t.C:
			over, v, lives := c.due(now)
			// Some may have begun with another spec while that was told, or may have to end
			// a probe without us.
			c.c.Follow(v.path, v.hash, lives)
			if !over {
				continue
			}
			if _, err := c.edit(func(s *Set) error {
				s.expire(now, c.spent)
				return nil
			}); err != nil {
				c.log(fmt.Errorf("end probes: %w", err))
			}
		}
	}
}

// due tells whether some probe is over, which spec is in force, and whether a probe
// has a lifespan.
func (c *Controller) due(now time.Time) (over bool, v version, lives bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.set.probes {
		over = over || !p.Until.IsZero() && !now.Before(p.Until) || c.spent(p)
		lives = lives || !p.Until.IsZero()
	}
	return over, c.spec, lives
}

// spent tells whether a probe has had its calls; c.mu is held.
func (c *Controller) spent(p *Probe) bool {
	return p.Calls > 0 && c.total(p.ID) >= p.Calls
}

// total is the calls of a probe in all processes; c.mu is held.
func (c *Controller) total(id string) uint64 {
	n := c.gone[id]
	for a, m := range c.agents {
		n += m.calls(a)[id]
	}
	return n
}

// settle is how long a file must be left alone before it is read: editors write in steps.
const settle = 50 * time.Millisecond

// follow applies the configuration whenever it changes.
func (c *Controller) follow() {
	changes := make(chan struct{}, 1)
	c.work.Go(func() {
		defer close(changes)
		for c.watch.next() {
			select {
			case changes <- struct{}{}:
			default:
			}
		}
	})
	for range changes {
		time.Sleep(settle)
		probes, err := ReadConfig(c.opt.Config)
		if err == nil {
			_, err = c.edit(func(s *Set) error { return s.Replace(c.opt.Config, probes) })
		}
		if err != nil {
			c.log(fmt.Errorf("nothing has changed: %w", err))
		}
	}
}

// Add adds probes and returns the number of the request.
func (c *Controller) Add(probes ...*Probe) (uint64, error) {
	return c.edit(func(s *Set) error { return s.Add(probes...) })
}

// Remove removes a probe.
func (c *Controller) Remove(id string) (uint64, error) {
	return c.edit(func(s *Set) error { return s.Remove(id) })
}

// Detach takes everything out of a process, 0: of all, and lets go of it.
func (c *Controller) Detach(pid int) (uint64, error) {
	c.change.Lock()
	defer c.change.Unlock()
	settings := *c.opt.Base
	settings.Probes, settings.Rules = nil, nil
	nothing := NewSet(&settings)
	v, err := c.write(nothing.Spec(), nothing.Complete)
	if err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	found := false
	c.n++
	for a, m := range c.agents {
		if m.detached || pid != 0 && a.Peer != pid && a.Hello.PID != pid {
			continue
		}
		found, m.detached = true, true
		m.asked, m.spec = c.n, v
		c.c.Disarm(&a.Hello.Arena, 0)
		go a.Send(wire.AppendControl(nil, &wire.Control{Type: wire.MsgDetach, N: c.n, Spec: v.path}))
	}
	if !found && pid != 0 {
		return 0, c.notAnAgent(pid)
	}
	if pid == 0 { // and those without an agent
		c.set.probes, c.set.breaks, c.set.native, c.set.base = nil, nil, nil, nothing.base
		c.spec = v
		c.c.Disarm(nil, 0)
		if err := c.relink(v.path); err != nil {
			return 0, err
		}
		c.c.Follow(v.path, v.hash, true)
	}
	return c.n, nil
}

// LetGo takes everything out of all processes that are connected, or will be within d.
func (c *Controller) LetGo(d time.Duration) {
	for end := time.Now().Add(d); ; {
		n, err := c.Detach(0)
		if err != nil {
			c.log(err)
			return
		}
		c.await(n, time.Until(end))
		ps := c.Processes()
		if !slices.ContainsFunc(ps, func(p ProcessView) bool { return p.State != StateDetached }) || time.Now().After(end) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// notAnAgent says why a process can't be told anything itself.
func (c *Controller) notAnAgent(pid int) error {
	ps := c.c.Processes()
	i := slices.IndexFunc(ps, func(p collector.Process) bool { return p.PID == pid })
	if i < 0 {
		return &Error{Msg: fmt.Sprintf("process %d is not connected", pid), Hint: "seam ps lists those that are"}
	}
	for a := range c.agents {
		if a.Hello.Arena == ps[i].Arena {
			return &Error{Msg: fmt.Sprintf("process %d is watched by the agent of process %d, which made it", pid, a.Hello.PID), Hint: fmt.Sprintf("seam detach --pid %d takes everything out of both", a.Hello.PID)}
		}
	}
	return &Error{Msg: fmt.Sprintf("process %d has no agent yet", pid), Hint: "its agent starts when it calls a function that is watched; try again then"}
}
