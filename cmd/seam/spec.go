package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/seam-project/seam/hooks"
)

// spec makes the spec that the flags ask for. Single probes come before packs:
// of two that name the same function, the first has it.
func (f *flags) spec() (*hooks.Spec, error) {
	s := hooks.NewSpec()
	s.OnFull, s.BlockMS, s.Buffer, s.Start, s.Socket = f.onFull, f.blockMS, f.buffer, f.start, f.socket
	s.Follow = f.follow
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
	packs, err := f.packNames()
	if err != nil {
		return nil, err
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
	if len(s.Probes) == 0 {
		return nil, &problem{msg: "nothing to watch", hint: "give a probe (-p 'libc:open*') or a pack (-H file)"}
	}
	return s, nil
}

func (f *flags) packNames() ([]string, error) {
	if len(f.packs) == 0 {
		if len(f.probes) > 0 {
			return nil, nil
		}
		return hooks.DefaultPacks(), nil
	}
	var names []string
	for _, n := range f.packs {
		switch n {
		case "none":
		case "all":
			names = append(names, hooks.Packs()...)
		default:
			if err := oneOf("pack", n, append(hooks.Packs(), "all", "none")); err != nil {
				return nil, err
			}
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
