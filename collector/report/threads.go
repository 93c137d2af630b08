package report

import "sort"

// maxThreadNames bounds the threads of an arena whose names are remembered.
const maxThreadNames = 1 << 16

// nameThread notes that a thread has a name from now on. b.mu is held.
func (b *Builder) nameThread(a *arena, thread uint32, name string) {
	if a == nil || name == "" {
		return
	}
	if g := a.names[thread]; g != nil && g.Name == name {
		return // told anew on another connection
	}
	g := b.threads[name]
	if g == nil {
		if len(b.threads) >= b.opt.Keep {
			return
		}
		if b.threads == nil {
			b.threads = make(map[string]*ThreadGroup)
		}
		g = &ThreadGroup{Name: name}
		b.threads[name] = g
	}
	g.Threads++
	if a.names == nil {
		a.names = make(map[uint32]*ThreadGroup)
	}
	if len(a.names) < maxThreadNames {
		a.names[thread] = g
	}
}

// name says whose calls come next; nil: a thread's that has no name of its own.
// b.mu is held.
func (s *Stream) name(g *ThreadGroup) {
	if s.group != nil {
		s.group.Calls += s.delivered - s.groupFrom
	}
	s.group, s.groupFrom = g, s.delivered
}

// reportThreads fills Report.Threads, most calls first. b.mu is held.
func (b *Builder) reportThreads(r *Report) {
	all := make([]ThreadGroup, 0, len(b.threads))
	for _, g := range b.threads {
		all = append(all, *g)
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].Calls != all[j].Calls {
			return all[i].Calls > all[j].Calls
		}
		return all[i].Name < all[j].Name
	})
	r.Threads = top(r, "threads", all, b.opt.Top, 0, 0, func(g *ThreadGroup) uint64 { return g.Calls })
}
