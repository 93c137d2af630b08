package main

import (
	"fmt"
	"strings"

	"github.com/seam-project/seam/hooks"
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
		return 0, t.flush()
	}
	if args[0] != "show" {
		return 0, oneOf("subcommand of seam hooks", args[0], []string{"ls", "show"})
	}
	if len(args) == 1 {
		return 0, &problem{msg: "seam hooks show needs a pack or a function", hint: "packs: " + strings.Join(hooks.Packs(), ", ")}
	}
	for _, name := range args[1:] {
		list := hooks.PackHooks(name)
		if list == nil {
			for _, n := range hooks.Names() {
				if hooks.Glob(name, n) {
					h, _ := hooks.Lookup("", n)
					list = append(list, h)
				}
			}
		}
		if list == nil {
			return 0, oneOf("pack or function", name, append(hooks.Packs(), hooks.Names()...))
		}
		for _, h := range list {
			fmt.Fprintln(a.out, prototype(h))
		}
	}
	return 0, nil
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
