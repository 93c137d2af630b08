package control

import (
	"cmp"
	"path/filepath"
	"slices"
	"time"

	"github.com/seam-project/seam/collector"
	"github.com/seam-project/seam/wire"
)

// States of a process.
const (
	StateLive     = "live"     // its agent is connected
	StateShared   = "shared"   // it is watched, and another process's agent speaks for it
	StateNoAgent  = "no agent" // it is watched; an agent starts when it has to
	StateDetached = "detached" // nothing is watched any more
	StateDormant  = "dormant"  // seam attach may watch it; found by the client
)

// ProcessView is a process as `seam ps` shows it.
type ProcessView struct {
	PID       int       `json:"pid"`
	Program   string    `json:"program"`
	State     string    `json:"state"`
	Since     time.Time `json:"since,omitzero"`  // when its agent connected
	Probes    int       `json:"probes"`          // applied
	Functions int       `json:"functions"`       // patched for them
	Calls     uint64    `json:"calls"`           // of all processes that share its arena
	Dropped   uint64    `json:"dropped"`         // likewise
	Agent     int       `json:"agent,omitempty"` // the process that speaks for it
}

// ProbeView is a probe as `seam probe ls` shows it.
type ProbeView struct {
	ID        string         `json:"id"`
	Probe     string         `json:"probe"`
	Pack      bool           `json:"pack,omitempty"`
	By        string         `json:"by"`
	Added     time.Time      `json:"added"`
	Expires   time.Time      `json:"expires,omitzero"`
	MaxCalls  uint64         `json:"max_calls,omitempty"`
	Calls     uint64         `json:"calls"`
	Processes []ProbeProcess `json:"processes"`
}

// ProbeProcess is what became of a probe in a process.
type ProbeProcess struct {
	PID       int    `json:"pid"`
	Program   string `json:"program"`
	State     string `json:"state"` // applied, dormant, refused; "asked": no answer yet; "told": it has no agent to answer; "failed"
	Functions int    `json:"functions"`
	Refused   int    `json:"refused,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Calls     uint64 `json:"calls"`
}

func programOf(a *collector.Agent) string {
	if a.Hello.Exe == "" {
		return "?"
	}
	return filepath.Base(a.Hello.Exe)
}

// Processes lists what is known, by process id.
func (c *Controller) Processes() (out []ProcessView) {
	known := c.c.Processes()
	c.mu.Lock()
	defer c.mu.Unlock()
	speaks := make(map[[16]byte]*ProcessView)
	listed := make(map[int]bool)
	for a, m := range c.agents {
		v := ProcessView{PID: a.Hello.PID, Program: programOf(a), State: StateLive, Since: m.joined, Calls: a.All(), Dropped: a.Dropped()}
		if m.detached {
			v.State = StateDetached
		}
		applied := make(map[string]bool)
		if m.status != nil {
			for i, p := range m.status.Probes {
				v.Functions += len(p.IDs)
				if i < len(m.ids) && p.State == wire.ProbeApplied {
					applied[m.ids[i]] = true
				}
			}
		}
		v.Probes = len(applied)
		speaks[a.Hello.Arena] = &v
		listed[v.PID] = true
		out = append(out, v)
	}
	for _, p := range known {
		if listed[p.PID] {
			continue
		}
		listed[p.PID] = true
		v := ProcessView{PID: p.PID, Program: p.Name, State: StateNoAgent}
		if c.let[p.Arena] {
			v.State = StateDetached
		}
		if s := speaks[p.Arena]; s != nil {
			v.State, v.Agent, v.Probes, v.Functions = StateShared, s.PID, s.Probes, s.Functions
			if s.State == StateDetached {
				v.State = StateDetached
			}
		}
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b ProcessView) int { return cmp.Compare(a.PID, b.PID) })
	return out
}

// Probes lists the set, and what became of each probe in each process.
func (c *Controller) Probes() (out []ProbeView) {
	known := c.c.Processes()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.set.probes {
		v := ProbeView{ID: p.ID, Probe: p.Text, Pack: p.Pack, By: p.By, Added: p.Added, Expires: p.Until, MaxCalls: p.Calls, Calls: c.total(p.ID), Processes: []ProbeProcess{}}
		for a, m := range c.agents {
			if !m.detached {
				v.Processes = append(v.Processes, m.view(a, p.ID))
			}
		}
		for _, k := range known {
			if !c.let[k.Arena] && !c.spokenFor(k) {
				v.Processes = append(v.Processes, ProbeProcess{PID: k.PID, Program: k.Name, State: "told"})
			}
		}
		slices.SortFunc(v.Processes, func(a, b ProbeProcess) int { return cmp.Compare(a.PID, b.PID) })
		out = append(out, v)
	}
	return out
}

// spokenFor tells whether an agent is connected that shares a process's arena; c.mu is held.
func (c *Controller) spokenFor(p collector.Process) bool {
	for a := range c.agents {
		if a.Hello.Arena == p.Arena {
			return true
		}
	}
	return false
}

// view is what a process said of a probe.
func (m *member) view(a *collector.Agent, id string) ProbeProcess {
	v := ProbeProcess{PID: a.Hello.PID, Program: programOf(a), State: "asked", Calls: m.calls(a)[id]}
	switch {
	case m.status == nil || m.answered < m.asked && !slices.Contains(m.ids, id):
		return v
	case m.status.Error != "":
		v.State, v.Reason = "failed", m.status.Error
		return v
	}
	for i, p := range m.status.Probes {
		if i >= len(m.ids) || m.ids[i] != id {
			continue
		}
		v.Functions += len(p.IDs)
		v.Refused += p.Refused
		if v.Reason == "" && p.Refused > 0 {
			v.Reason = p.Reason + " (" + p.Detail + ")"
		}
		if v.State == "asked" || p.State == wire.ProbeApplied || v.State == wire.ProbeDormant {
			v.State = p.State
		}
	}
	return v
}
