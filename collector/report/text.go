package report

import (
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// TextOptions say how a report is printed.
type TextOptions struct {
	// Width is the number of columns; 0 means not to cut lines.
	Width int
	// Color allows escape sequences.
	Color bool
	// Rows is the most rows of a section; default 20. The JSON has more.
	Rows int
}

// Terminal returns the options fit for f: its width and colour when it is a
// terminal and NO_COLOR is not set, plain text of unlimited width otherwise.
func Terminal(f *os.File) TextOptions {
	var o TextOptions
	ws, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return o
	}
	o.Width = 80
	if ws.Col >= 40 {
		o.Width = int(ws.Col)
	}
	o.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return o
}

const (
	bold  = "\x1b[1m"
	dim   = "\x1b[2m"
	red   = "\x1b[31m"
	reset = "\x1b[0m"
)

type printer struct {
	o TextOptions
	b strings.Builder
}

func (p *printer) style(code, s string) string {
	if !p.o.Color || s == "" {
		return s
	}
	return code + s + reset
}

func (p *printer) line(s string) {
	p.b.WriteString(strings.TrimRight(s, " "))
	p.b.WriteByte('\n')
}

func (p *printer) section(title string) {
	p.b.WriteByte('\n')
	p.line(p.style(bold, title))
}

// A grid is a section's rows: columns aligned to the right, then free text.
type grid struct {
	heads []string // the last one is that of the free text
	rows  [][]string
	notes []string // after the free text of a row, in the colour of errors
	mid   bool     // cut the free text in its middle
	spare []int    // columns that go first when there is little room
}

func (g *grid) add(note string, cells ...string) {
	g.rows = append(g.rows, cells)
	g.notes = append(g.notes, note)
}

// print writes the grid. Columns in which every row is "-" are left out.
func (p *printer) grid(g *grid) {
	n := len(g.heads) - 1
	w := make([]int, n)
	for c := range w {
		used := false
		for _, r := range g.rows {
			if r[c] != "-" {
				used = true
			}
			w[c] = max(w[c], width(r[c]))
		}
		if !used {
			w[c] = 0
			continue
		}
		w[c] = max(w[c], width(g.heads[c]))
	}
	if p.o.Width > 0 {
		room := p.o.Width - 2
		for _, n := range w {
			if n > 0 {
				room -= n + 2
			}
		}
		for _, c := range g.spare {
			if room >= 28 {
				break
			}
			if w[c] > 0 {
				room += w[c] + 2
				w[c] = 0
			}
		}
	}
	row := func(cells []string, note, style string) {
		var b strings.Builder
		used := 0
		for c := 0; c < n; c++ {
			if w[c] == 0 {
				continue
			}
			b.WriteString("  ")
			b.WriteString(strings.Repeat(" ", w[c]-width(cells[c])))
			b.WriteString(cells[c])
			used += 2 + w[c]
		}
		b.WriteString("  ")
		used += 2
		text := cells[n]
		if p.o.Width > 0 {
			room := max(p.o.Width-used, 16)
			if note != "" {
				note = fit(note, max(room/2, room-width(text)-2))
				room = max(room-width(note)-2, 8)
			}
			if g.mid {
				text = fitMiddle(text, room)
			} else {
				text = fit(text, room)
			}
		}
		if style != "" {
			p.line(p.style(style, b.String()+text))
			return
		}
		b.WriteString(text)
		if note != "" {
			b.WriteString("  ")
			b.WriteString(p.style(red, note))
		}
		p.line(b.String())
	}
	row(g.heads, "", dim)
	for i, r := range g.rows {
		row(r, g.notes[i], "")
	}
}

// more says that a section is not complete.
func (p *printer) more(shown, listed int, r *Report, list, what string) {
	hidden := uint64(listed - shown)
	for _, c := range r.Cut {
		if c.List == list {
			hidden += c.Other
		}
	}
	if hidden > 0 {
		p.line(p.style(dim, "  … and "+Count(hidden)+" more "+what))
	}
}

// WriteText prints the report for people. Its last line always tells how many
// events were produced, delivered and dropped, and what was not seen.
func (r *Report) WriteText(w io.Writer, o TextOptions) error {
	if o.Rows <= 0 {
		o.Rows = 20
	}
	p := &printer{o: o}
	p.head(r)
	p.functions(r)
	p.sql(r)
	p.files(r)
	p.hosts(r)
	p.processes(r)
	p.threads(r)
	p.inFlight(r)
	p.rules(r)
	p.refused(r)
	p.errors(r)
	p.account(r)
	_, err := io.WriteString(w, p.b.String())
	return err
}

func count0(n uint64) string {
	if n == 0 {
		return "-"
	}
	return Count(n)
}

func dur0(n uint64, ns int64) string {
	if n == 0 {
		return "-"
	}
	return Duration(ns)
}

func bytes0(n uint64) string {
	if n == 0 {
		return "-"
	}
	return Bytes(n)
}

func plural(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}

func (p *printer) head(r *Report) {
	parts := []string{}
	cmd := r.Target
	if len(cmd) == 0 && len(r.Processes) > 0 {
		if cmd = r.Processes[0].Argv; len(cmd) == 0 && r.Processes[0].Exe != "" {
			cmd = []string{r.Processes[0].Exe}
		}
	}
	if len(cmd) > 0 {
		parts = append(parts, fit(command(cmd), max(40, p.o.Width-30)))
	}
	if r.StartNS > 0 && r.EndNS > r.StartNS {
		parts = append(parts, Duration(r.EndNS-r.StartNS))
	}
	n := uint64(len(r.Processes))
	for _, c := range r.Cut {
		if c.List == "processes" {
			n += c.Other
		}
	}
	if n > 0 {
		parts = append(parts, plural(n, "process", "processes"))
	}
	p.line(p.style(bold, "seam: "+strings.Join(parts, " · ")))
	if r.Account.Delivered == 0 && r.Account.Counted == 0 {
		p.nothing(r, n)
	}
}

// nothing explains an empty report.
func (p *printer) nothing(r *Report, procs uint64) {
	switch {
	case procs == 0:
		p.line("  Nothing was seen: no process loaded seam's library, or none has a function that is probed. Statically")
		p.line("  linked, setuid and other-architecture programs can't be watched, and a program may start others")
		p.line("  with LD_PRELOAD removed.")
	case r.Account.Produced > 0:
		p.line("  Nothing was seen: calls were made, but none of them reached the report.")
	case len(r.Refusals) > 0:
		p.line("  Nothing was seen: no probed function was called, or those that were could not be instrumented (see Refused).")
	default:
		p.line("  Nothing was seen: no probed function was called.")
	}
	p.line("  hint: `seam doctor PROGRAM` tells which probes match where, and why others do not")
}

// command joins an argv as a shell would read it, near enough to recognise it.
func command(argv []string) string {
	var b strings.Builder
	for i, a := range argv {
		if i > 0 {
			b.WriteByte(' ')
		}
		a = Escape(a)
		if a == "" || strings.ContainsAny(a, " '\"$`\\*?&|;<>()") {
			a = "'" + a + "'"
		}
		b.WriteString(a)
	}
	return b.String()
}

func errnoNote(total uint64, l []ErrnoCount) string {
	if total == 0 {
		return ""
	}
	if len(l) == 0 {
		return plural(total, "error", "errors")
	}
	var parts []string
	for i, e := range l {
		if i == 4 {
			parts = append(parts, "…")
			break
		}
		if len(l) == 1 {
			parts = append(parts, e.Name)
		} else {
			parts = append(parts, Count(e.Count)+" "+e.Name)
		}
	}
	return strings.Join(parts, ", ")
}

func (p *printer) functions(r *Report) {
	if len(r.Functions) == 0 {
		return
	}
	p.section("Functions")
	g := &grid{heads: []string{"total", "calls", "mean", "p50", "p99", "max", "errors", "in flight", "function"}, spare: []int{2, 5, 3}}
	// Most rows are libc's; saying so in each is noise.
	libs := map[string]int{}
	for _, f := range r.Functions {
		libs[f.Lib]++
	}
	shown := r.Functions[:min(len(r.Functions), p.o.Rows)]
	for i := range shown {
		f := &shown[i]
		timed := f.Returned
		name := Escape(f.Name)
		if len(libs) > 1 && f.Lib != "" && !strings.HasPrefix(f.Lib, "libc.so") {
			name = Escape(shortLib(f.Lib)) + ":" + name
		}
		if f.Kind == "count" {
			name += "  (counted)"
		}
		note := errnoNote(f.Errors, f.ByErrno)
		if f.Dropped > 0 {
			note = join(note, Count(f.Dropped)+" dropped")
		}
		g.add(note, dur0(timed, f.TotalNS), Count(f.Calls), dur0(timed, f.MeanNS), dur0(timed, f.P50NS), dur0(timed, f.P99NS),
			dur0(timed, f.MaxNS), count0(f.Errors), count0(f.InFlight), name)
	}
	p.grid(g)
	p.more(len(shown), len(r.Functions), r, "functions", "functions")
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", " + b
}

// shortLib cuts "libsqlite3.so.0" to "libsqlite3".
func shortLib(s string) string {
	if i := strings.Index(s, ".so"); i > 0 {
		return s[:i]
	}
	return s
}

func (p *printer) sql(r *Report) {
	if len(r.SQL) == 0 {
		return
	}
	p.section("SQL")
	dbs := map[string]bool{}
	for _, s := range r.SQL {
		dbs[s.DB] = true
	}
	g := &grid{heads: []string{"total", "runs", "rows", "p50", "p99", "errors", "statement"}, spare: []int{3}}
	shown := r.SQL[:min(len(r.SQL), p.o.Rows)]
	for i := range shown {
		s := &shown[i]
		text := s.SQL
		if text == "" {
			text = "(statement not seen)"
		}
		text = Escape(strings.Join(strings.Fields(text), " "))
		if s.SQLCut {
			text += " …"
		}
		if len(dbs) > 1 && s.DB != "" {
			text = "[" + Escape(baseName(s.DB)) + "] " + text
		}
		note := ""
		if s.Errors > 0 {
			if note = Escape(s.LastError); note == "" {
				note = fmt.Sprintf("code %d", s.LastRC)
			}
		}
		if s.Running > 0 {
			note = join(note, Count(s.Running)+" still running")
		}
		g.add(note, Duration(s.TotalNS), Count(s.Executions), Count(uint64(max(s.Rows, 0))), Duration(s.P50NS), Duration(s.P99NS), count0(s.Errors), text)
	}
	p.grid(g)
	if len(dbs) == 1 && r.SQL[0].DB != "" {
		p.line(p.style(dim, "  database "+Escape(r.SQL[0].DB)))
	}
	p.more(len(shown), len(r.SQL), r, "sql", "statements")
}

func (p *printer) files(r *Report) {
	if len(r.Files) == 0 {
		return
	}
	p.section("Files")
	g := &grid{heads: []string{"read", "written", "opens", "other", "errors", "path"}, mid: true}
	shown := r.Files[:min(len(r.Files), (p.o.Rows+1)/2)]
	for i := range shown {
		f := &shown[i]
		g.add(errnoNote(f.Errors, f.ByErrno), bytes0(f.Read), bytes0(f.Written), count0(f.Opens), count0(f.Other), count0(f.Errors), Escape(f.Path))
	}
	p.grid(g)
	p.more(len(shown), len(r.Files), r, "files", "paths")
}

func (p *printer) hosts(r *Report) {
	if len(r.Hosts) == 0 {
		return
	}
	p.section("Hosts")
	g := &grid{heads: []string{"time", "connects", "accepts", "binds", "lookups", "sent", "received", "errors", "address"}, mid: true}
	shown := r.Hosts[:min(len(r.Hosts), p.o.Rows)]
	for i := range shown {
		h := &shown[i]
		g.add(errnoNote(h.Errors, h.ByErrno), Duration(h.TotalNS), count0(h.Connects), count0(h.Accepts), count0(h.Binds), count0(h.Lookups),
			bytes0(h.Sent), bytes0(h.Received), count0(h.Errors), Escape(h.Address))
	}
	p.grid(g)
	p.more(len(shown), len(r.Hosts), r, "hosts", "addresses")
}

func (p *printer) threads(r *Report) {
	if len(r.Threads) == 0 {
		return
	}
	p.section("Threads")
	g := &grid{heads: []string{"threads", "calls", "name"}}
	shown := r.Threads[:min(len(r.Threads), p.o.Rows)]
	for i := range shown {
		g.add("", Count(shown[i].Threads), count0(shown[i].Calls), Escape(shown[i].Name))
	}
	p.grid(g)
	p.more(len(shown), len(r.Threads), r, "threads", "names")
}

func (p *printer) inFlight(r *Report) {
	if len(r.InFlight) == 0 {
		return
	}
	p.section("Never returned")
	g := &grid{heads: []string{"pid", "after", "call"}}
	shown := r.InFlight[:min(len(r.InFlight), 10)]
	for i := range shown {
		c := &shown[i]
		call := Escape(c.Name)
		if c.Arg != "" {
			call += "  " + Escape(c.Arg)
		}
		g.add("", itoa(int64(c.PID)), Duration(c.StartNS-r.StartNS), call)
	}
	p.grid(g)
	p.more(len(shown), len(r.InFlight), r, "in_flight", "calls")
}

func (p *printer) refused(r *Report) {
	if len(r.Refusals) == 0 {
		return
	}
	p.section("Refused")
	for i, f := range r.Refusals {
		if i == p.o.Rows {
			p.line(p.style(dim, "  … and "+Count(uint64(len(r.Refusals)-i))+" more reasons"))
			break
		}
		names := make([]string, 0, 6)
		for k, n := range f.Names {
			if k == 5 {
				break
			}
			names = append(names, Escape(n))
		}
		s := strings.Join(names, ", ")
		if more := f.Count - uint64(len(names)); more > 0 {
			s += ", … " + Count(more) + " more"
		}
		p.line("  " + Escape(f.Reason) + ": " + Count(f.Count) + "  " + s)
		if f.Advice != "" {
			p.line(p.style(dim, "    hint: "+Escape(f.Advice)))
		}
	}
}

func (p *printer) errors(r *Report) {
	if len(r.Errors) == 0 {
		return
	}
	p.section("Errors of seam itself")
	for i, e := range r.Errors {
		if i == p.o.Rows {
			p.line(p.style(dim, "  … and "+Count(uint64(len(r.Errors)-i))+" more"))
			break
		}
		p.line("  " + p.style(red, Escape(e.Code)) + ": " + Escape(e.Text) + times(e.Count))
		if e.Advice != "" {
			p.line(p.style(dim, "    hint: "+Escape(e.Advice)))
		}
	}
}

func times(n uint64) string {
	if n <= 1 {
		return ""
	}
	return " (" + Count(n) + " times)"
}

// lossText says a core's counter in words.
var lossText = map[string]string{
	"oldest": "overwritten by newer ones", "newest": "the buffer was full", "timeout": "the buffer stayed full",
	"no_thread": "too many threads",
	"reentrant": "made inside seam itself", "agent": "by seam's own threads",
	"handover_timeout": "hand-overs that took too long", "handover_no_agent": "hand-overs without an agent",
	"start_failed": "agent starts that failed", "arg_unread": "arguments unreadable", "arg_cut": "arguments cut",
}

func lossWord(k string) string {
	if s := lossText[k]; s != "" {
		return s
	}
	return Escape(k)
}

func byReason(m map[string]uint64) string {
	keys := sortedKeys(m)
	sort.SliceStable(keys, func(i, j int) bool { return m[keys[i]] > m[keys[j]] })
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = Count(m[k]) + " " + lossWord(k)
	}
	return strings.Join(parts, ", ")
}

func (p *printer) account(r *Report) {
	a := &r.Account
	p.b.WriteByte('\n')
	for _, b := range a.Broken {
		p.line(p.style(red, fmt.Sprintf("seam bug: process %d produced %s events, %s were dropped, its sender says it delivered %s, and %s arrived",
			b.PID, Count(b.Produced), Count(b.Dropped), Count(b.Delivered), Count(b.Counted))))
	}
	if a.Unaccounted != 0 {
		p.line(p.style(red, "seam bug: "+plural(uint64(a.Unaccounted), "event is", "events are")+" unaccounted for: produced = delivered + dropped does not hold. Please report it."))
	}
	if a.Incomplete > 0 {
		p.line(plural(uint64(a.Incomplete), "queue", "queues") + " ended without a final account (a process still ran, or nobody could read what it left): events may be missing")
	}
	if len(a.Notes) > 0 {
		p.line(p.style(dim, "noted: "+byReason(a.Notes)))
	}
	s := Count(a.Produced) + " produced, " + Count(a.Delivered) + " delivered, "
	s += Count(a.Dropped) + " dropped"
	if len(a.DroppedBy) > 0 {
		s += " (" + byReason(a.DroppedBy) + ")"
	}
	if a.Dropped > 0 && (a.DroppedBy["oldest"] > 0 || a.DroppedBy["newest"] > 0) {
		p.line("hint: --buffer SIZE makes room for more, --on-full block waits instead of dropping")
	}
	if a.Elsewhere > 0 {
		s += ", " + Count(a.Elsewhere) + " to a reader before this one"
	}
	if a.Unaccounted != 0 {
		s += ", " + Count(uint64(a.Unaccounted)) + " UNACCOUNTED"
	}
	if a.Duplicates > 0 {
		s += ", " + Count(a.Duplicates) + " received twice"
	}
	if a.ReturnsLost > 0 {
		s += ", " + plural(a.ReturnsLost, "return", "returns") + " lost"
	}
	if a.Counted > 0 {
		s += "; " + plural(a.Counted, "call", "calls") + " counted"
	}
	if len(a.Skipped) > 0 {
		s += "; skipped: " + byReason(a.Skipped)
	}
	var refused uint64
	parts := []string{}
	for i, f := range r.Refusals {
		refused += f.Count
		if i < 3 {
			parts = append(parts, Count(f.Count)+" "+Escape(f.Reason))
		} else if i == 3 {
			parts = append(parts, "…")
		}
	}
	if refused > 0 {
		s += "; refused: " + strings.Join(parts, ", ")
	} else {
		s += "; nothing refused"
	}
	p.line(p.style(bold, "events: "+s))
}
