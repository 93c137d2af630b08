package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/native"
	"github.com/seam-project/seam/hooks/packfile"
)

// hooks lists the packs, or shows what is known of functions.
func (a *app) hooks(f *flags) (int, error) {
	args := f.set.Args()
	if len(args) == 0 || args[0] == "ls" {
		if len(args) > 1 {
			return 0, &problem{msg: fmt.Sprintf("seam hooks ls takes no arguments: '%s'", args[1]), hint: "to see a pack: seam hooks show " + args[1]}
		}
		t := newTable(a.out, "PACK", "LIBRARY", "FUNCTIONS", "SUCH AS")
		for _, name := range hooks.Packs() {
			p, _ := hooks.PackProbe(name)
			list := hooks.PackHooks(name)
			var some []string
			for _, h := range list[:min(4, len(list))] {
				some = append(some, h.Name)
			}
			t.row(name, p.Lib, fmt.Sprint(len(list)), strings.Join(some, ", "))
		}
		for _, name := range packfile.Own() {
			if p, err := packfile.Find(name); err == nil {
				t.row(p.Name, p.Library, fmt.Sprint(len(p.Hooks)), p.About)
			}
		}
		var bad []string
		for _, file := range packfile.List() {
			p, err := packfile.Read(file)
			if err != nil {
				bad = append(bad, err.Error())
				continue
			}
			t.row(p.Name, p.Library, fmt.Sprint(len(p.Hooks)), file)
		}
		err := t.flush()
		for _, text := range bad {
			a.warn("%s", text)
		}
		return 0, err
	}
	switch args[0] {
	case "show":
	case "header":
		if len(args) > 1 {
			return 0, &problem{msg: fmt.Sprintf("seam hooks header takes no arguments: '%s'", args[1]), hint: "seam hooks header >seam_callback.h"}
		}
		_, err := fmt.Fprint(a.out, native.Header)
		return 0, err
	case "check":
		return 0, a.checkPacks(args[1:])
	default:
		return 0, oneOf("subcommand of seam hooks", args[0], []string{"ls", "show", "check", "header"})
	}
	if len(args) == 1 {
		return 0, &problem{msg: "seam hooks show needs a pack or a function", hint: "packs: " + strings.Join(slices.Concat(hooks.Packs(), userPacks()), ", ")}
	}
	for _, name := range args[1:] {
		list := hooks.PackHooks(name)
		if list == nil {
			p, err := packfile.Find(name)
			if err != nil {
				return 0, err
			}
			if p != nil {
				a.showPack(p)
				continue
			}
			for _, n := range hooks.Names() {
				if hooks.Glob(name, n) {
					h, _ := hooks.Lookup("", n)
					list = append(list, h)
				}
			}
		}
		if list == nil {
			return 0, oneOf("pack or function", name, slices.Concat(hooks.Packs(), userPacks(), hooks.Names()))
		}
		for _, h := range list {
			fmt.Fprintln(a.out, prototype(h))
		}
	}
	return 0, nil
}

// showPack prints what a user's pack has.
func (a *app) showPack(p *packfile.Pack) {
	if p.About != "" {
		fmt.Fprintf(a.out, "# %s\n", p.About)
	}
	for _, h := range p.Hooks {
		fmt.Fprintln(a.out, prototype(h))
	}
	for _, k := range []struct {
		what  string
		texts []string
	}{{"watches", p.Probes}, {"fault", p.Faults}, {"delay", p.Delays}, {"deny", p.Denies}, {"audit", p.Audits}, {"native", p.Natives}} {
		for _, text := range k.texts {
			fmt.Fprintf(a.out, "# %s %s\n", k.what, text)
		}
	}
}

// checkPacks reads packs and says what is wrong with the first that is wrong.
func (a *app) checkPacks(names []string) error {
	if len(names) == 0 {
		return &problem{msg: "seam hooks check needs a pack's file", hint: "seam hooks check ./mine" + packfile.Suffix}
	}
	for _, name := range names {
		p, err := packfile.Find(name)
		if err != nil {
			return err
		}
		if p == nil {
			return oneOf("pack", name, userPacks())
		}
		fmt.Fprintf(a.out, "%s: pack %s for %s: %s\n", p.File, p.Name, p.Library, strings.Join([]string{
			several(len(p.Hooks), "declaration"), several(len(p.Probes), "probe"), several(len(p.Faults)+len(p.Delays)+len(p.Denies)+len(p.Audits), "rule")}, ", "))
	}
	return nil
}

// several is "1 probe", "2 probes".
func several(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprint(n, " ", what)
}

// prototype is a hook on one line: what its arguments and result are, and when a
// call has failed.
func prototype(h *hooks.Hook) string {
	var args []string
	for _, x := range h.Args {
		s := x.Name + " " + x.Type.String()
		if x.Set != "" {
			s += ":" + x.Set
		}
		if x.Out {
			s += " out"
		}
		if x.Secret {
			s += " secret"
		}
		args = append(args, s)
	}
	if h.Variadic {
		args = append(args, "…")
	}
	s := fmt.Sprintf("%s(%s) %s", h.Name, strings.Join(args, ", "), h.Ret.Type)
	if h.EntryOnly {
		s += "  entry only"
	}
	if fail := h.FailText(); fail != "" {
		s += "  fails: " + fail
		if h.Errno {
			s += ", errno"
		}
	}
	return s
}
