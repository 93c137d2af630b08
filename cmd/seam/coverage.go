package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/launcher"
	"github.com/seam-project/seam/preload/plan"
)

// How the functions of one library are reached, as --json writes it.
type coverage struct {
	Library   string              `json:"library"`
	Functions int                 `json:"functions"`
	Inline    int                 `json:"inline"`
	Picked    int                 `json:"ifunc"`
	Pointer   int                 `json:"pointer"`
	Refused   int                 `json:"refused"`
	Reasons   map[string][]string `json:"reasons"`
	order     []plan.CoverageReason
}

// libraries says how much of whole libraries can be watched.
func (a *app) libraries(f *flags) (int, error) {
	if f.set.NArg() > 0 {
		return 0, &problem{msg: "--library, and a program", hint: "one of them: seam doctor --library libssl.so.3, or seam doctor PROGRAM"}
	}
	var out []coverage
	for _, name := range f.libraries {
		path, err := findLibrary(name)
		if err != nil {
			return 0, err
		}
		o, err := plan.Open(path)
		if err != nil {
			return 0, &problem{msg: fmt.Sprintf("%s: %v", path, errors.Unwrap(err)), hint: "give a shared library: its path, or its name as ldconfig -p shows it"}
		}
		c, err := plan.Cover(o)
		o.Close()
		if err != nil {
			return 0, err
		}
		v := coverage{path, c.Functions, c.Inline, c.Picked, c.Pointer, c.Refused, map[string][]string{}, c.Reasons}
		for _, r := range c.Reasons {
			v.Reasons[r.Reason.String()] = r.Names
		}
		out = append(out, v)
	}
	if f.json {
		e := json.NewEncoder(a.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return 0, e.Encode(out)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-24s %9s %7s %6s %8s %8s %10s\n", "library", "functions", "inline", "ifunc", "pointer", "refused", "reachable")
	for _, c := range out {
		fmt.Fprintf(&b, "%-24s %9d %7d %6d %8d %8d %9.2f%%\n", filepath.Base(c.Library), c.Functions, c.Inline, c.Picked, c.Pointer, c.Refused,
			100*float64(c.Functions-c.Refused)/float64(max(c.Functions, 1)))
	}
	for _, c := range out {
		for _, r := range c.order {
			info := r.Reason.Info()
			fmt.Fprintf(&b, "\n%s: %d %s: %s\n", filepath.Base(c.Library), len(r.Names), info.Name, info.Sentence)
			names := r.Names
			if !f.all && len(names) > 20 {
				names = append(names[:20:20], fmt.Sprintf("and %d more (--all)", len(names)-20))
			}
			wrap(&b, "  ", names)
		}
	}
	_, err := a.out.Write([]byte(b.String()))
	return 0, err
}

// findLibrary is the file a library's name stands for: a path, the name the
// loader knows it by, or that without its number.
func findLibrary(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	var near string
	for _, path := range launcher.Installed() {
		base := filepath.Base(path)
		if base == name {
			return path, nil
		}
		if near == "" && (hooks.Glob(name, base) || strings.HasPrefix(base, name+".so")) {
			near = path
		}
	}
	if near == "" {
		return "", &problem{msg: fmt.Sprintf("no library %q is installed", name), hint: "give its path, or its name as ldconfig -p shows it"}
	}
	return near, nil
}
