package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seam-project/seam/collector/learn"
	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/packfile"
)

// spec makes the spec that the flags ask for. Single probes come before packs:
// of two that name the same function, the first has it.
func (f *flags) spec() (*hooks.Spec, error) {
	s := hooks.NewSpec()
	s.OnFull, s.BlockMS, s.Buffer, s.Start, s.Socket = f.onFull, f.blockMS, f.buffer, f.start, f.socket
	s.Follow = f.follow
	if err := f.learns(s); err != nil {
		return nil, err
	}
	packs, user, err := f.packNames()
	if err != nil {
		return nil, err
	}
	f.take(user)
	for _, text := range f.probes {
		p, err := hooks.ParseProbe(text)
		if err != nil {
			return nil, err
		}
		s.Probes = append(s.Probes, p)
	}
	for _, text := range f.protos {
		if _, err := hooks.UserProto(text); err != nil {
			return nil, err
		}
		s.Protos = append(s.Protos, text)
	}
	if err := f.rules(s); err != nil {
		return nil, err
	}
	for _, dir := range f.debugDirs {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		if st, err := os.Stat(abs); err != nil || !st.IsDir() {
			return nil, &problem{msg: fmt.Sprintf("--debug-dir: no folder '%s'", dir)}
		}
		s.Debug = append(s.Debug, abs)
	}
	ruled := s.Probes[len(f.probes):]
	s.Probes = slices.Clone(s.Probes[:len(f.probes)])
	if f.learn != "" {
		s.Probes = append(learn.Probes(), s.Probes...)
	}
	for _, name := range packs {
		p, ok := hooks.PackProbe(name)
		if !ok {
			return nil, oneOf("pack", name, append(hooks.Packs(), "all", "none"))
		}
		s.Probes = append(s.Probes, p)
		if p, ok := hooks.PackCopies(name); ok {
			s.Probes = append(s.Probes, p)
		}
	}
	s.Probes = append(s.Probes, ruled...)
	f.ruled = ruled
	s.Brief = f.command.name == "run" && !f.live && f.output == "" && !f.controlled() && len(s.Rules) == 0
	if len(s.Probes) == 0 && !f.controlled() && f.command.name != "collect" {
		return nil, &problem{msg: "nothing to watch", hint: "give a probe (-p 'libc:open*') or a pack (-H file)"}
	}
	return s, nil
}

// packNames sorts what --hooks names: packs of seam's own, and users'.
func (f *flags) packNames() (own []string, user []*packfile.Pack, err error) {
	if f.learn != "" {
		own = []string{"sqlite"} // the rest is learn.Probes
	}
	if len(f.packs) == 0 {
		if len(f.probes) > 0 || f.learn != "" {
			return own, nil, nil
		}
		return hooks.DefaultPacks(), nil, nil
	}
	for _, n := range f.packs {
		switch {
		case n == "none":
		case n == "all":
			own = append(own, hooks.Packs()...)
		case slices.Contains(hooks.Packs(), n):
			own = append(own, n)
		default:
			p, err := packfile.Find(n)
			if err != nil {
				return nil, nil, err
			}
			if p == nil {
				return nil, nil, oneOf("pack", n, slices.Concat(hooks.Packs(), userPacks(), []string{"all", "none"}))
			}
			user = append(user, p)
		}
	}
	slices.Sort(own)
	return slices.Compact(own), user, nil
}

// take adds what users' packs ask for, as if it stood on the command line.
func (f *flags) take(packs []*packfile.Pack) {
	for _, p := range packs {
		f.probes = append(f.probes, p.Probes...)
		f.protos = append(f.protos, p.Protos...)
		f.faults = append(f.faults, p.Faults...)
		f.delays = append(f.delays, p.Delays...)
		f.denies = append(f.denies, p.Denies...)
		f.audits = append(f.audits, p.Audits...)
		f.natives = append(f.natives, p.Natives...)
	}
}

// userPacks are the names of the packs in the folders for them.
func userPacks() (names []string) {
	names = packfile.Own()
	for _, f := range packfile.List() {
		names = append(names, strings.TrimSuffix(filepath.Base(f), packfile.Suffix))
	}
	return names
}
