package report

import (
	"sort"
	"strings"

	"github.com/seam-project/seam/hooks"
)

// A branch is a process, or several that did the same, with those they made.
type branch struct {
	p       *Process // one of them
	label   string   // what it ran, without arguments
	n       int
	calls   uint64
	dropped uint64
	agents  int
	took    int64 // of those whose start and end are known
	timed   int
	kids    []*branch
	shape   string // what makes two alike: programs and ends, theirs and their children's
}

// foldFrom is how many children of one process must be alike to be shown as one.
const foldFrom = 4

// branches makes a tree of a list with depths, parents first.
func branches(list []Process) []*branch {
	root := &branch{}
	path := []*branch{root}
	for i := range list {
		p := &list[i]
		b := &branch{p: p, n: 1, label: p.label(), calls: p.Calls, dropped: p.Dropped}
		if p.Agent {
			b.agents = 1
		}
		if d := p.took(); d >= 0 {
			b.took, b.timed = d, 1
		}
		path = path[:min(p.Depth, len(path)-1)+1]
		up := path[len(path)-1]
		up.kids = append(up.kids, b)
		path = append(path, b)
	}
	return root.kids
}

// label names what a process ran, one program after the other.
func (p *Process) label() string {
	var s []string
	for _, argv := range p.Execs {
		s = append(s, baseName(argv[0]))
	}
	switch {
	case len(p.Argv) > 0:
		s = append(s, baseName(p.Argv[0]))
	case p.Exe != "":
		s = append(s, baseName(p.Exe))
	}
	return strings.Join(s, " → ")
}

// took is how long a process lived, ns; -1 when that is not known.
func (p *Process) took() int64 {
	if !p.Ended || p.StartNS == 0 || p.EndNS <= p.StartNS {
		return -1
	}
	return p.EndNS - p.StartNS
}

// end says how a process ended.
func (p *Process) end() string {
	switch {
	case p.Signal != 0:
		s := hooks.SignalName(p.Signal)
		if s == "" {
			s = "signal " + itoa(int64(p.Signal))
		}
		if p.Core {
			s += " (core)"
		}
		return s
	case p.Status != nil:
		return "exit " + itoa(int64(*p.Status))
	case p.Ended:
		return "ended"
	}
	return "running"
}

func (p *Process) failed() bool { return p.Signal != 0 || p.Status != nil && *p.Status != 0 }

// fold makes one of children that are alike, if they are many, all the way down.
func fold(kids []*branch) []*branch {
	count := map[string]int{}
	for _, b := range kids {
		b.kids = fold(b.kids)
		below := map[string]bool{}
		for _, k := range b.kids {
			below[k.shape] = true
		}
		b.shape = b.label + "\x00" + b.p.end() + "\x00(" + strings.Join(sortedKeys(below), "\x01") + ")"
		count[b.shape]++
	}
	var out []*branch
	first := map[string]*branch{}
	for _, b := range kids {
		switch one := first[b.shape]; {
		case count[b.shape] < foldFrom:
			out = append(out, b)
		case one == nil:
			first[b.shape] = b
			out = append(out, b)
		default:
			one.merge(b)
		}
	}
	for _, b := range first {
		b.kids = joined(b.kids)
	}
	return out
}

// joined merges children of processes that became one: alike means one then,
// however few they are.
func joined(kids []*branch) []*branch {
	first := map[string]*branch{}
	var out []*branch
	for _, b := range kids {
		if one := first[b.shape]; one != nil {
			one.merge(b)
			continue
		}
		first[b.shape] = b
		out = append(out, b)
	}
	for _, b := range out {
		b.kids = joined(b.kids)
	}
	return out
}

func (b *branch) merge(o *branch) {
	b.n += o.n
	b.calls += o.calls
	b.dropped += o.dropped
	b.agents += o.agents
	b.took += o.took
	b.timed += o.timed
	b.kids = append(b.kids, o.kids...)
}

// flat lists a forest in the order in which it is shown, each with its depth.
func flat(kids []*branch, depth int, f func(b *branch, up *branch, depth int), up *branch) {
	for _, b := range kids {
		f(b, up, depth)
		flat(b.kids, depth+1, f, b)
	}
}

func (p *printer) processes(r *Report) {
	if len(r.Processes) == 0 || len(r.Processes) == 1 && !r.Processes[0].failed() {
		return
	}
	p.section("Processes")
	forest := fold(branches(r.Processes))
	lost := false
	all := 0
	flat(forest, 0, func(b, _ *branch, _ int) {
		all++
		lost = lost || b.dropped > 0
	}, nil)
	heads := []string{"pid", "calls", "time", "end", "command"}
	if lost {
		heads = []string{"pid", "calls", "dropped", "time", "end", "command"}
	}
	g := &grid{heads: heads}
	limit, shown, of := 2*p.o.Rows, 0, 0
	flat(forest, 0, func(b, up *branch, depth int) {
		// a failure is what one looks for: it is shown, however long the list
		if shown >= limit && !(b.p.failed() && shown < 2*limit) {
			return
		}
		shown++
		of += b.n
		pid, took := itoa(int64(b.p.PID)), "-"
		if b.n > 1 {
			pid = "×" + Count(uint64(b.n))
		}
		if b.timed > 0 {
			if took = Duration(b.took / int64(b.timed)); b.n > 1 {
				took = "~" + took
			}
		}
		cells := []string{pid, count0(b.calls)}
		if lost {
			cells = append(cells, count0(b.dropped))
		}
		cmd := strings.Repeat("  ", min(depth, 16)) + p.commandOf(b, up)
		switch {
		case b.agents > 0 && b.n == 1:
			cmd += "  [agent]"
		case b.agents > 0:
			cmd += "  [" + plural(uint64(b.agents), "agent", "agents") + "]"
		}
		g.add("", append(cells, took, b.p.end(), cmd)...)
	}, nil)
	p.grid(g)
	if all > shown {
		p.line(p.style(dim, "  … and "+plural(uint64(len(r.Processes)-of), "more process", "more processes")))
	}
	for _, c := range r.Cut {
		if c.List == "processes" {
			p.line(p.style(dim, "  … and "+Count(c.Other)+" that were not kept"))
		}
	}
}

// commandOf is what a branch ran: the command line of one process, the programs
// of several.
func (p *printer) commandOf(b, up *branch) string {
	q := b.p
	forked := len(q.Execs) == 0 && up != nil && (q.label() != "" && command(q.Argv) == command(up.p.Argv) && q.Exe == up.p.Exe)
	switch {
	case forked:
		return "(fork)" // it never became another program
	case b.label == "":
		return "(not watched)"
	case b.n > 1:
		return Escape(b.label)
	}
	cmd := command(q.Argv)
	if cmd == "" {
		cmd = Escape(q.Exe)
	}
	for k := len(q.Execs) - 1; k >= 0 && k >= len(q.Execs)-3; k-- {
		cmd = fit(command(q.Execs[k]), 40) + " → " + cmd
	}
	if p.o.Width == 0 {
		cmd = fit(cmd, 160)
	}
	return cmd
}

// byStart sorts processes by when they began; one of which only the end is known
// by that.
func byStart(l []*proc) {
	sort.SliceStable(l, func(i, j int) bool {
		if a, b := l[i].began(), l[j].began(); a != b {
			return a < b
		}
		return l[i].PID < l[j].PID
	})
}
