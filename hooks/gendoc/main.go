// Command gendoc writes docs/functions.md: what seam knows of each function;
// with the argument errors docs/errors.md: how each can fail.
package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/seam-project/seam/hooks"
)

func main() {
	doc := functions
	if len(os.Args) == 2 && os.Args[1] == "errors" {
		doc = errors
	}
	if _, err := os.Stdout.Write(doc()); err != nil {
		fmt.Fprintln(os.Stderr, "gendoc:", err)
		os.Exit(1)
	}
}

// functions is the document.
func functions() []byte {
	var b bytes.Buffer
	total := 0
	sections := hooks.Sections()
	for i := range sections {
		for _, p := range sections[i].Protos {
			total += len(p)
		}
	}
	fmt.Fprintf(&b, `# Functions seam decodes

Written by `+"`make docs`"+`; the tests fail when it is out of date.

%d functions. Those of a pack are watched when the pack is (`+"`-H file`"+`; without -H and -p all packs are); the others when a probe names
them (`+"`-p libc:getpwnam`"+`). For other functions give a prototype: [prototypes.md](prototypes.md).

An argument is shown as its name, its type, and the set that names its values. **out**: read when the call has returned without failing.
**secret**: the content stays in the process, its length is shown. [n]: n counts the bytes, or the elements.
*entry*: called without a frame, since its caller matters, it returns twice or never, or takes numbers in vector registers: no result, no duration.
`, total)
	for i := range sections {
		s := &sections[i]
		title := s.Title
		if s.Pack != "" {
			title = "Pack " + s.Pack
		}
		fmt.Fprintf(&b, "\n## %s\n\n| function | arguments | result | fails when |\n|---|---|---|---|\n", title)
		for _, p := range s.Protos {
			row(&b, p)
		}
	}
	b.WriteString("\n## Sets\n\n| set | names |\n|---|---|\n")
	for _, d := range hooks.Sets() {
		names := strings.Join(d.Parts, " ")
		switch d.Name {
		case "signal":
			names = "SIGHUP … SIGRTMIN+30"
		case "wstatus":
			names = "exit 3, signal SIGKILL (core), stopped SIGTSTP, continued"
		case "sockopt":
			names = "by the level before it: so, tcp, ip, ip6"
		}
		fmt.Fprintf(&b, "| %s | %s |\n", d.Name, names)
	}
	b.WriteString("\n## Structures\n\n| struct | fields shown |\n|---|---|\n")
	for _, d := range hooks.Structs() {
		fmt.Fprintf(&b, "| %s | %s |\n", d.Name, strings.Join(d.Parts, " "))
	}
	return b.Bytes()
}

// errors is the document of the errors.
func errors() []byte {
	var b bytes.Buffer
	n := 0
	for _, part := range hooks.AllErrors() {
		for _, row := range part {
			n += len(row.Functions)
		}
	}
	fmt.Fprintf(&b, `# Errors functions return

Written by `+"`make docs`"+`; the tests fail when it is out of date.

What `+"`--fault FUNCTION:any`"+` draws from, and what `+"`errno=`"+` is compared with: the errors of %d functions that a caller may meet through no
fault of its own, as POSIX and Linux describe them. EFAULT, and what only nonsense brings about, is left out.
`, n)
	for i, title := range []string{"Files", "Network", "Processes", "Memory, threads, and others", "sqlite3"} {
		fmt.Fprintf(&b, "\n## %s\n\n| functions | errors |\n|---|---|\n", title)
		for _, row := range hooks.AllErrors()[i] {
			fmt.Fprintf(&b, "| `%s` | %s |\n", strings.Join(row.Functions, "` `"), strings.Join(row.Errors, " "))
		}
	}
	return b.Bytes()
}

// row is the functions of one prototype.
func row(b *bytes.Buffer, hs []*hooks.Hook) {
	var names, args []string
	for _, h := range hs {
		names = append(names, "`"+h.Name+"`")
	}
	h := hs[0]
	for i := range h.Args {
		args = append(args, "`"+h.Args[i].Name+"` "+kind(h, &h.Args[i]))
	}
	if h.Variadic {
		args = append(args, "…")
	}
	ret, fail := kind(h, &h.Ret), h.FailText()
	if h.EntryOnly {
		ret = "*entry*"
	}
	if fail != "" && h.Errno {
		fail += ", errno"
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s |\n", strings.Join(names, " "), strings.Join(args, ", "), ret, fail)
}

// kind says how an argument or a result is shown.
func kind(h *hooks.Hook, a *hooks.Arg) string {
	s := a.Type.String()
	if len(a.Fields) == 1 && a.Fields[0].Name == "" {
		f := &a.Fields[0]
		if s = f.Type.String(); a.Type == hooks.TVec {
			s = "array of " + s
		}
	}
	switch {
	case a.Set == "" || a.Type == hooks.TFD || a.Type == hooks.TSQL:
	case a.Type == hooks.TStruct:
		s = a.Set
	case a.Type == hooks.TVec:
		s = "array of " + a.Set
	case a.Set == "wstatus":
		s = a.Set
	default:
		s += " " + a.Set
	}
	switch n := int(a.Len); {
	case n == hooks.LenRet:
		s += "[result]"
	case n >= 0 && a.LenPtr:
		s += "[*" + h.Args[n].Name + "]"
	case n >= 0:
		s += "[" + h.Args[n].Name + "]"
	}
	if a.Secret {
		s = "**secret** " + s
	}
	if a.Out {
		s = "**out** " + s
	}
	return s
}
