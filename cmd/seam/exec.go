package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/launcher"
)

// target checks the program that the command line names.
func (a *app) target(f *flags) (*launcher.Target, error) {
	if f.set.NArg() == 0 {
		return nil, &problem{msg: "no program given", hint: fmt.Sprintf("seam %s [flags] -- program args…", f.command.name)}
	}
	check := launcher.Check
	if f.command.name == "exec" {
		check = launcher.CheckWatched
	}
	t, err := check(f.set.Args(), a.environ)
	if err != nil {
		return nil, err
	}
	if !f.quiet {
		for _, n := range t.Notes {
			a.warn("%s", n)
		}
	}
	return t, nil
}

// prepare puts on disk what the target needs.
func (a *app) prepare(c *launcher.Cache, spec *hooks.Spec, t *launcher.Target) (*launcher.Prepared, error) {
	lib, err := a.library(c)
	if err != nil {
		return nil, err
	}
	p, err := launcher.Prepare(c, lib, spec, t, a.environ)
	if err != nil {
		return nil, fmt.Errorf("prepare target: %w", err)
	}
	return p, nil
}

// exec becomes the target.
func (a *app) exec(f *flags) (int, error) {
	spec, err := f.spec()
	if err != nil {
		return 0, err
	}
	t, err := a.target(f)
	if err != nil {
		return 0, err
	}
	cache, err := launcher.OpenCache(a.environ)
	if err != nil {
		return 0, err
	}
	if spec.Socket == "" {
		return 0, &problem{msg: "seam exec needs --socket: nobody else will read what the program reports",
			hint: "start 'seam listen --socket PATH' and give the same path"}
	}
	if !filepath.IsAbs(spec.Socket) {
		t.Anew("the socket depends on the current directory")
	}
	if spec.Socket, err = launcher.AbsSocket(spec.Socket); err != nil {
		return 0, err
	}
	t.Empty(cache.ControlDir()) // else a collector there may say what is watched
	info, err := a.followed(f, cache, spec.Socket)
	if err != nil {
		return 0, err
	}
	var p *launcher.Prepared
	if info != nil {
		p, err = a.join(cache, info, launcher.Dependencies(t, a.environ))
	} else {
		p, err = a.prepare(cache, spec, t)
	}
	if err != nil {
		return 0, err
	}
	a.warnings(p)
	if info == nil && !a.warned {
		_ = cache.Remember(t, p, spec, a.args[:len(a.args)-f.set.NArg()+1], a.environ) // else the next start is found anew
	}
	return 0, launcher.Exec(t, launcher.Compose(a.environ, p.Injection))
}

func (a *app) warnings(p *launcher.Prepared) {
	for _, w := range p.Warnings {
		a.warn("%s", w)
	}
}

// env prints the environment to inject.
func (a *app) env(f *flags) (int, error) {
	if err := noArguments("env", f.set.Args()); err != nil {
		return 0, err
	}
	var names []string
	for _, n := range launcher.Formats {
		names = append(names, string(n))
	}
	if err := oneOf("format", f.format, names); err != nil {
		return 0, err
	}
	if f.dormant {
		return 0, a.dormantEnv(f, names)
	}
	spec, err := f.spec()
	if err != nil {
		return 0, err
	}
	cache, err := launcher.OpenCache(a.environ)
	if err != nil {
		return 0, err
	}
	if spec.Socket == "" {
		spec.Socket = cache.Socket()
	}
	if spec.Socket, err = launcher.AbsSocket(spec.Socket); err != nil {
		return 0, err
	}
	info, err := a.followed(f, cache, spec.Socket)
	if err != nil {
		return 0, err
	}
	var p *launcher.Prepared
	if info != nil {
		p, err = a.join(cache, info, nil)
	} else {
		p, err = a.prepare(cache, spec, nil)
	}
	if err != nil {
		return 0, err
	}
	a.warnings(p)
	return 0, a.render(p.Injection, f, names)
}

// dormantEnv prints the environment of programs that are only made ready.
func (a *app) dormantEnv(f *flags, formats []string) error {
	for _, name := range []string{"probe", "hooks", "proto", "debug-dir", "socket"} {
		if f.set.Changed(name) {
			return &problem{msg: "--dormant does not go with --" + name, hint: "give it to 'seam attach', when the process is to be watched"}
		}
	}
	cache, err := launcher.OpenCache(a.environ)
	if err != nil {
		return err
	}
	library, err := a.library(cache)
	if err != nil {
		return err
	}
	return a.render(launcher.Injection{Library: library, Filters: launcher.Filters(), Dormant: true}, f, formats)
}

func (a *app) render(in launcher.Injection, f *flags, formats []string) error {
	text, err := in.Render(launcher.Format(f.format), preloaded(a.environ))
	if err != nil {
		return &problem{msg: err.Error(), hint: "use another format: " + strings.Join(slices.DeleteFunc(formats, func(n string) bool { return n == f.format }), ", ")}
	}
	_, err = fmt.Fprint(a.out, text)
	return err
}

// preloaded is the LD_PRELOAD of our own environment.
func preloaded(environ []string) string {
	for _, kv := range environ {
		if v, ok := strings.CutPrefix(kv, "LD_PRELOAD="); ok {
			return v
		}
	}
	return ""
}
