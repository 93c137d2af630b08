package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/launcher"
	"github.com/seam-project/seam/preload/plan"
)

// The diagnosis, as --json writes it.
type diagnosis struct {
	Program  string    `json:"program"`
	Path     string    `json:"path,omitempty"`
	ELF      string    `json:"elf,omitempty"`
	Loader   string    `json:"loader,omitempty"`
	Via      []string  `json:"via,omitempty"`
	Refused  *refused  `json:"refused,omitempty"`
	Notes    []string  `json:"notes,omitempty"`
	Objects  []string  `json:"objects"`
	Plans    []objPlan `json:"plans"`
	Warnings []string  `json:"warnings"`
	Totals   totals    `json:"totals"`
	explain  []string  // texts
	code     int
}

type refused struct {
	Reason string `json:"reason"`
	Text   string `json:"text"`
	Hint   string `json:"hint,omitempty"`
}

type objPlan struct {
	Object  string       `json:"object"`
	Error   string       `json:"error,omitempty"`
	Sites   []siteRow    `json:"sites"`
	Refused []refusalRow `json:"refused"`
}

type siteRow struct {
	Name      string `json:"name"`
	Kind      string `json:"kind"` // full, entry, count
	Displaced int    `json:"displaced"`
	Address   uint64 `json:"address"`
	Note      string `json:"note,omitempty"`
	Symbol    string `json:"symbol"` // where it was found: .dynsym, .symtab, debug file, offset
	Prototype string `json:"prototype,omitempty"`
	Reach     string `json:"reach"` // what is patched: code, ifunc (the code that the loader picks), pointer (all pointers to it)
}

type refusalRow struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
}

type totals struct {
	Full    int `json:"full"`
	Entry   int `json:"entry_only"`
	Count   int `json:"count_only"`
	Picked  int `json:"ifunc"`
	Pointer int `json:"pointer"`
	Refused int `json:"refused"`
}

// doctor says what seam could do with a program.
func (a *app) doctor(f *flags) (int, error) {
	if len(f.libraries) > 0 {
		return a.libraries(f)
	}
	if f.set.NArg() == 0 {
		return 0, &problem{msg: "no program given", hint: "seam doctor [flags] program"}
	}
	if f.explain != "" && len(f.probes) == 0 && len(f.packs) == 0 {
		f.probes = list{f.explain}
	}
	spec, err := f.spec()
	if err != nil {
		return 0, err
	}
	d := diagnosis{Program: f.set.Arg(0), Objects: []string{}, Plans: []objPlan{}, Warnings: []string{}}
	t, err := launcher.Check(f.set.Args(), a.environ)
	var r *launcher.Refusal
	switch {
	case errors.As(err, &r):
		d.Refused = &refused{Reason: r.Reason.String(), Text: r.Error(), Hint: r.Hint}
		d.code = launcher.ExitCode(err)
	case err != nil:
		return 0, err
	default:
		if err := d.examine(t, spec, f.explain, a.environ); err != nil {
			return 0, err
		}
	}
	if f.json {
		e := json.NewEncoder(a.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return d.code, e.Encode(d)
	}
	return d.code, d.print(a.out, f.all)
}

func (d *diagnosis) examine(t *launcher.Target, spec *hooks.Spec, explain string, environ []string) error {
	d.Path, d.ELF, d.Loader, d.Via, d.Notes = t.Path, t.ELF, t.Loader, t.Via, t.Notes
	d.Objects = launcher.Dependencies(t, environ)
	if err := launcher.ResolvePaths(spec, d.Objects); err != nil {
		return err
	}
	launcher.ExpandCPlusPlus(spec, d.Objects)
	launcher.AddCopies(spec, d.Objects)
	work := launcher.PlanOnly(spec, d.Objects)
	for _, w := range launcher.Warnings(spec, work, d.Objects, launcher.Installed()) {
		d.Warnings = append(d.Warnings, w.String())
	}
	for _, w := range work {
		d.add(&w)
		if explain != "" && w.Plan != nil && names(w.Plan, explain) {
			d.explain = append(d.explain, w.Path+"\n"+w.Plan.Explain(explain))
		}
	}
	if explain != "" && d.explain == nil {
		d.explain = []string{fmt.Sprintf("%s: in none of the objects loaded at start\n", explain)}
	}
	return nil
}

func names(p *plan.Plan, symbol string) bool {
	return slices.ContainsFunc(p.Sites, func(s plan.Site) bool { return s.Name == symbol }) ||
		slices.ContainsFunc(p.Refusals, func(r plan.Refusal) bool { return r.Name == symbol })
}

func (d *diagnosis) add(w *launcher.Planned) {
	o := objPlan{Object: w.Path, Sites: []siteRow{}, Refused: []refusalRow{}}
	if w.Err != nil {
		o.Error = w.Err.Error()
	}
	if w.Plan != nil {
		notes := map[string]string{}
		for _, r := range w.Plan.Refusals {
			if info := r.Reason.Info(); info.Note {
				notes[r.Name] = info.Name
			} else {
				o.Refused = append(o.Refused, refusalRow{r.Name, info.Name, r.Detail})
				d.Totals.Refused++
			}
		}
		for _, s := range w.Plan.Sites {
			reach := "code"
			if s.Picker != 0 {
				if !s.ByPointer() {
					continue // one of many, of which the loader picks one
				}
				reach = "ifunc"
				d.Totals.Picked++
			} else if s.ByPointer() {
				reach = "pointer"
				d.Totals.Pointer++
			}
			switch s.Kind {
			case plan.Full:
				d.Totals.Full++
			case plan.Entry:
				d.Totals.Entry++
			case plan.Count:
				d.Totals.Count++
			default:
				continue // seam's own, not asked for
			}
			o.Sites = append(o.Sites, siteRow{s.Name, s.Kind.String(), len(s.Orig), s.Vaddr, notes[s.Name], s.From.String(), s.Proto.String(), reach})
		}
	}
	if len(o.Sites)+len(o.Refused) > 0 || o.Error != "" {
		d.Plans = append(d.Plans, o)
	}
}

// print writes the diagnosis for people.
func (d *diagnosis) print(w io.Writer, all bool) error {
	var b strings.Builder
	line := func(key, value string) { fmt.Fprintf(&b, "%-10s %s\n", key, value) }
	line("program", d.Program)
	if d.Refused != nil {
		line("refused", d.Refused.Text)
		if d.Refused.Hint != "" {
			line("hint", d.Refused.Hint)
		}
		_, err := io.WriteString(w, b.String())
		return err
	}
	if len(d.Via) > 0 {
		line("via", strings.Join(d.Via, " → "))
	}
	line("runs", d.ELF)
	line("loader", d.Loader)
	for _, n := range d.Notes {
		line("note", n)
	}
	line("verdict", "can be watched")
	fmt.Fprintf(&b, "\nloaded at start\n")
	for _, o := range d.Objects {
		fmt.Fprintf(&b, "  %s\n", o)
	}
	for _, o := range d.Plans {
		o.print(&b, all)
	}
	if len(d.Plans) == 0 {
		fmt.Fprintf(&b, "\nno probe matches in these objects\n")
	}
	for _, text := range d.explain {
		fmt.Fprintf(&b, "\n%s", text)
	}
	fmt.Fprintf(&b, "\n%d functions in full, %d entry only, %d count only; %d refused\n",
		d.Totals.Full, d.Totals.Entry, d.Totals.Count, d.Totals.Refused)
	if d.Totals.Picked+d.Totals.Pointer > 0 {
		fmt.Fprintf(&b, "%d of them by the code that the loader picks, %d by the pointers to them\n", d.Totals.Picked, d.Totals.Pointer)
	}
	for _, x := range d.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", x)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (o *objPlan) print(b *strings.Builder, all bool) {
	fmt.Fprintf(b, "\n%s\n", o.Object)
	if o.Error != "" {
		fmt.Fprintf(b, "  can't be planned: %s\n", o.Error)
	}
	if all {
		for _, s := range o.Sites {
			note := s.Note
			if note != "" {
				note = "  " + note
			}
			proto := s.Prototype
			if proto == "" {
				proto = "-"
			}
			how := fmt.Sprintf("%2d bytes", s.Displaced)
			if s.Reach != "code" {
				how = s.Reach
			}
			fmt.Fprintf(b, "  %-6s %-8s at %#08x  %-10s  %-7s  %s%s\n", s.Kind, how, s.Address, s.Symbol, proto, s.Name, note)
		}
	} else {
		for _, kind := range []string{"full", "entry", "count"} {
			var names []string
			for _, s := range o.Sites {
				if s.Kind == kind {
					names = append(names, s.Name)
				}
			}
			if len(names) > 0 {
				slices.Sort(names)
				wrap(b, fmt.Sprintf("  %-6s %4d  ", kind, len(names)), slices.Compact(names))
			}
		}
	}
	o.sources(b)
	for _, r := range o.Refused {
		info := reasonNamed(r.Reason)
		detail := ""
		if r.Detail != "" {
			detail = " (" + r.Detail + ")"
		}
		fmt.Fprintf(b, "  refused      %s: %s%s\n", r.Name, info.Sentence, detail)
	}
}

// sources says where the functions and their arguments are known from, unless
// it is all exports and packs.
func (o *objPlan) sources(b *strings.Builder) {
	symbols, protos := map[string]int{}, map[string]int{}
	plain := true
	for _, s := range o.Sites {
		symbols[s.Symbol]++
		protos[s.Prototype]++
		plain = plain && s.Symbol == plan.Exported.String() && (s.Prototype == "" || s.Prototype == plan.PackProto.String())
	}
	if plain {
		return
	}
	list := func(heading string, n map[string]int, names ...string) {
		var parts []string
		for _, name := range names {
			if n[name] > 0 {
				shown := name
				if name == "" {
					shown = "none"
				}
				parts = append(parts, fmt.Sprintf("%d %s", n[name], shown))
			}
		}
		fmt.Fprintf(b, "  %-12s %s\n", heading, strings.Join(parts, ", "))
	}
	list("found in", symbols, plan.Exported.String(), plan.Local.String(), plan.DebugFile.String(), plan.Offset.String())
	list("arguments", protos, plan.UserProto.String(), plan.PackProto.String(), plan.DWARFProto.String(), "")
}

func reasonNamed(name string) plan.ReasonInfo {
	for _, r := range plan.Reasons() {
		if r.Name == name {
			return r
		}
	}
	return plan.ReasonInfo{Name: name, Sentence: name}
}

// wrap writes words after a heading, in lines of at most 100 columns.
func wrap(b *strings.Builder, heading string, words []string) {
	const width = 100
	b.WriteString(heading)
	col := len(heading)
	for i, w := range words {
		if col+len(w)+1 > width && i > 0 {
			b.WriteString("\n" + strings.Repeat(" ", len(heading)))
			col = len(heading)
		}
		b.WriteString(w)
		col += len(w) + 1
		if i < len(words)-1 {
			b.WriteByte(' ')
		}
	}
	b.WriteByte('\n')
}
