// Package learn makes a policy of what a program does.
package learn

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/hooks/policy"
	"github.com/seam-project/seam/wire"
)

// folderOf is how many files of one folder make it the folder that is learned.
const folderOf = 3

// flagCut: of a statement only the beginning is known.
const flagCut = 2

// Learner gathers what events say. Observe is called by one goroutine at a time.
type Learner struct {
	programs, connects, files, sql map[string]bool

	procs   map[uint32]*proc
	running map[call]string // an exec that has not failed so far
	cut     map[string]int  // what was too long to be known as a whole, by what it was
}

type call struct{ pid, thread, seq uint32 }

// proc is what is known of a process: what relative names count from.
type proc struct {
	cwd  string
	dirs map[int64]string // by descriptor
}

// New is a Learner that has learned nothing.
func New() *Learner {
	return &Learner{programs: map[string]bool{}, connects: map[string]bool{}, files: map[string]bool{}, sql: map[string]bool{},
		procs: map[uint32]*proc{}, running: map[call]string{}, cut: map[string]int{}}
}

// Probes are what it has to see.
func Probes() (ps []hooks.Probe) {
	add := func(pack, sym string) {
		ps = append(ps, hooks.Probe{Text: "learn " + sym, Lib: "libc", Sym: sym, Instrument: hooks.Log, Pack: pack})
	}
	for _, n := range []string{"execve", "execveat", "fexecve"} {
		add("proc", n)
	}
	add("net", "connect")
	add("net", "sendto")
	for _, h := range hooks.PackHooks("file") {
		if len(h.FileArgs()) > 0 {
			add("file", h.Name)
		}
	}
	return ps
}

// Observe learns from one event.
func (l *Learner) Observe(e *report.Event) {
	if e.Kind == wire.EvStatement {
		switch {
		case len(e.SQL) == 0:
		case e.Flags&flagCut != 0:
			l.cut["statement"]++
		default:
			l.sql[string(e.SQL)] = true
		}
		return
	}
	if e.Probe == nil || e.Kind == wire.EvLost {
		return
	}
	p := l.proc(e.PID)
	switch name := e.Probe.Name; name {
	case "execve", "execveat", "fexecve":
		l.exec(e, p)
	case "connect", "sendto":
		if v := arg(e, "addr"); v != nil && v.Kind == wire.VStr {
			l.address(string(v.Str))
		}
	default:
		l.names(e, p)
	}
}

func arg(e *report.Event, name string) *wire.Value {
	for i := range e.Args {
		if i < len(e.Probe.Args) && e.Probe.Args[i].Name == name {
			return &e.Args[i]
		}
	}
	return nil
}

func (l *Learner) proc(pid uint32) *proc {
	p := l.procs[pid]
	if p == nil {
		p = &proc{dirs: map[int64]string{}}
		var err error
		if p.cwd, err = os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); err != nil {
			p.cwd, _ = os.Getwd()
		}
		l.procs[pid] = p
	}
	return p
}

// exec: what succeeds has no return, and its entry may be told before it fails.
func (l *Learner) exec(e *report.Event, p *proc) {
	k := call{e.PID, e.Thread, e.Seq}
	switch {
	case e.Kind == wire.EvLeave:
		delete(l.running, k)
	case e.Kind == wire.EvCall && e.Err != 0:
	default:
		if file := l.file(e, p, "file"); file != "" {
			l.running[k] = file
		} else if v := arg(e, "fd"); v != nil && e.Probe.Name == "fexecve" {
			if file, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", e.PID)); err == nil {
				l.running[k] = file
			}
		}
	}
}

func (l *Learner) address(text string) {
	if p, ok := strings.CutPrefix(text, "unix:"); ok && strings.HasPrefix(p, "@") || len(text) > 49 {
		l.cut["address"]++ // abstract, or longer than a range may be
		return
	}
	if _, _, ok := hooks.AddrRange(text); ok {
		l.connects[text] = true
	}
}

func (l *Learner) names(e *report.Event, p *proc) {
	if e.Kind == wire.EvLeave {
		return // the names were in its entry
	}
	for _, name := range []string{"file", "dir", "from", "to", "target"} {
		if name == "from" && strings.HasPrefix(e.Probe.Name, "symlink") {
			continue
		}
		file := l.file(e, p, name)
		if file == "" {
			continue
		}
		l.files[file] = true
		if e.Kind != wire.EvCall || e.Err != 0 {
			continue
		}
		switch {
		case e.Probe.Name == "chdir":
			p.cwd = file
		case strings.HasPrefix(e.Probe.Name, "open") && e.Ret.Int >= 0:
			p.dirs[e.Ret.Int] = file
		}
	}
}

// file is what an argument names, absolute; "" nothing that can be known.
func (l *Learner) file(e *report.Event, p *proc, name string) string {
	v := arg(e, name)
	if v == nil || v.Kind != wire.VStr || len(v.Str) == 0 {
		return ""
	}
	if v.Status != wire.ArgOK {
		if v.Status == wire.ArgCut {
			l.cut["file name"]++
		}
		return ""
	}
	file := string(v.Str)
	if file[0] != '/' {
		dir := p.cwd
		if fd := dirOf(e, name); fd != nil && fd.Kind != wire.VStr { // AT_FDCWD is a text
			if dir = p.dirs[fd.Int]; dir == "" {
				dir, _ = os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", e.PID, fd.Int))
			}
		}
		if !strings.HasPrefix(dir, "/") {
			l.cut["relative name"]++
			return ""
		}
		file = dir + "/" + file
	}
	if strings.Contains(file, "/../") || strings.HasSuffix(file, "/..") { // of a link's target, not of the link
		if real, err := filepath.EvalSymlinks(file); err == nil {
			file = real
		}
	}
	file = path.Clean(file)
	self := "/proc/" + strconv.Itoa(int(e.PID))
	if rest, ok := strings.CutPrefix(file, self); ok && (rest == "" || rest[0] == '/') {
		file = "/proc/self" + rest
	}
	return file
}

// dirOf is the descriptor before a name, if there is one.
func dirOf(e *report.Event, name string) *wire.Value {
	for i := 1; i < len(e.Args) && i < len(e.Probe.Args); i++ {
		if e.Probe.Args[i].Name == name && strings.HasSuffix(e.Probe.Args[i-1].Name, "fd") {
			return &e.Args[i-1]
		}
	}
	return nil
}

// Policy is what was learned besides what old has: all lists, also those with nothing in them.
func (l *Learner) Policy(old *policy.Policy) *policy.Policy {
	programs := maps.Clone(l.programs)
	for _, file := range l.running {
		programs[file] = true
	}
	files := maps.Clone(l.files)
	for _, file := range old.Files {
		if st, err := os.Stat(file); err != nil || !st.IsDir() {
			files[file] = true
		}
	}
	p := &policy.Policy{Programs: sorted(programs), Connects: sorted(l.connects), Files: folders(files), SQL: sorted(l.sql)}
	p.Merge(old)
	return p
}

// Unknown says what could not be learned, by what it was.
func (l *Learner) Unknown() map[string]int { return l.cut }

func sorted(set map[string]bool) []string {
	return append([]string{}, slices.Sorted(maps.Keys(set))...)
}

// folders puts a folder in place of its files where several are there: not those
// that were only looked for, nor the journals of a database. Not a folder right below the root: /etc and
// /tmp hold too much.
func folders(files map[string]bool) []string {
	in, isDir := map[string]int{}, map[string]bool{}
	for f := range files {
		st, err := os.Stat(f)
		switch {
		case err != nil || journal(f):
		case st.IsDir():
			isDir[f] = true
		default:
			in[path.Dir(f)]++
		}
	}
	out := map[string]bool{}
	several := func(d string) bool {
		return in[d] >= folderOf && strings.Count(d, "/") >= 2 && !strings.HasPrefix(d, "/proc/")
	}
	for f := range files {
		switch d := path.Dir(f); {
		case isDir[f] && several(f):
			out[f] = true
		case isDir[f]:
			out[strings.TrimSuffix(f, "/")+"/."] = true
		case several(d):
			out[d] = true
			if hooks.Target(f) != path.Join(hooks.Target(d), path.Base(f)) {
				out[f] = true // a link
			}
		default:
			out[f] = true
		}
	}
	return sorted(out)
}

// journal: SQLite's files beside a database come and go.
func journal(f string) bool {
	return strings.HasSuffix(f, "-journal") || strings.HasSuffix(f, "-wal") || strings.HasSuffix(f, "-shm")
}
