package attach

import (
	"bufio"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// An Error is why a process can't be reached, and what to do about it.
type Error struct {
	PID  int
	Msg  string // what is the matter with the process
	Hint string
}

func (e *Error) Error() string { return fmt.Sprintf("process %d %s", e.PID, e.Msg) }

const (
	libraryName = "libseam.so"
	startIt     = `start it with: eval "$(seam env --dormant)"`
)

// A Mapping is a part of a file that a process has mapped executable.
type Mapping struct {
	Path   string
	Lo, Hi uint64
	Off    uint64
	Ino    uint64
	Gone   bool // another file has its name by now, or none
}

// A Process is one that has the library mapped.
type Process struct {
	PID     int
	Library string    // path of the library it has mapped
	Code    []Mapping // the first executable mapping of each file, by address
	wake    uint64    // address of seam_wake
	waking  uint64    // address of seam_waking
}

// Open looks at a process: it may be attached to, and has the library, which must be
// the one that is at reference: the two sides know each other's memory.
func Open(pid int, reference string) (*Process, error) {
	p := &Process{PID: pid}
	if err := p.reachable(); err != nil {
		return nil, err
	}
	maps, err := os.ReadFile(p.proc("maps"))
	if err != nil {
		return nil, p.why(err)
	}
	bias, err := p.readMaps(maps)
	if err != nil {
		return nil, err
	}
	if p.Library == "" {
		return nil, &Error{pid, "does not have seam's library", "a process can only be attached to when it was started for it; " + startIt}
	}
	if same, err := sameFile(p.proc("root"+p.Library), reference); err != nil {
		return nil, p.why(err)
	} else if !same {
		return nil, &Error{pid, "has the library of another build of seam", "attach with the seam whose environment it was started with"}
	}
	return p, p.symbols(bias)
}

func (p *Process) proc(name string) string { return fmt.Sprintf("/proc/%d/%s", p.PID, name) }

// reachable checks what can be told from outside, in words that help more than the
// kernel's EPERM.
func (p *Process) reachable() error {
	b, err := os.ReadFile(p.proc("status"))
	if err != nil {
		return p.why(err)
	}
	field := func(name string) string {
		_, after, _ := bytes.Cut(b, []byte("\n"+name+":"))
		line, _, _ := bytes.Cut(after, []byte("\n"))
		return string(bytes.TrimSpace(line))
	}
	if tracer := field("TracerPid"); tracer != "0" && tracer != "" {
		return &Error{p.PID, "is being traced by process " + tracer, "end strace, gdb or whatever that is first"}
	}
	switch state := field("State"); {
	case strings.HasPrefix(state, "Z"), strings.HasPrefix(state, "X"):
		return &Error{p.PID, "has ended", ""}
	case strings.HasPrefix(state, "T"):
		return &Error{p.PID, "is stopped", fmt.Sprintf("continue it first: kill -CONT %d", p.PID)}
	}
	if uid, _, _ := strings.Cut(field("Uid"), "\t"); os.Geteuid() != 0 && uid != strconv.Itoa(os.Geteuid()) {
		return &Error{p.PID, "belongs to user " + uid, "attach as that user, or as root"}
	}
	if mine, theirs := link("/proc/self/ns/mnt"), link(p.proc("ns/mnt")); mine != theirs && theirs != "" {
		return &Error{p.PID, "sees other files than this seam (another mount namespace)", "run seam where it runs: docker exec, nsenter"}
	}
	theirs, err1 := strconv.Atoi(field("Seccomp_filters"))
	own, err2 := strconv.Atoi(ownFilters())
	if err1 == nil && err2 == nil && theirs > own {
		return &Error{p.PID, "has confined itself with system call filters",
			"a filter may end it for what seam does; watch it from its start instead (seam run)"}
	}
	return nil
}

func ownFilters() string {
	b, _ := os.ReadFile("/proc/self/status")
	_, after, _ := bytes.Cut(b, []byte("\nSeccomp_filters:"))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	return string(bytes.TrimSpace(line))
}

func link(path string) string {
	s, _ := os.Readlink(path)
	return s
}

// why puts an error of the kernel's into words.
func (p *Process) why(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ESRCH):
		return &Error{p.PID, "does not exist", ""}
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		hint := "attach as root"
		if b, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope"); err == nil && len(b) > 0 && b[0] != '0' {
			hint += ", or let users attach to their own processes: sysctl kernel.yama.ptrace_scope=0"
		} else if os.Geteuid() == 0 {
			hint = "the container lacks the capability for it: docker run --cap-add SYS_PTRACE"
		}
		return &Error{p.PID, "may not be attached to: " + errno(err), hint}
	}
	return fmt.Errorf("attach to process %d: %w", p.PID, err)
}

func errno(err error) string {
	var e unix.Errno
	if errors.As(err, &e) {
		return e.Error()
	}
	return err.Error()
}

// readMaps fills Code and Library; it returns where the library begins.
func (p *Process) readMaps(maps []byte) (bias uint64, err error) {
	s := bufio.NewScanner(bytes.NewReader(maps))
	s.Buffer(nil, 64<<10)
	seen := map[string]bool{}
	first := map[string]uint64{}
	for s.Scan() {
		// lo-hi perms offset dev inode path
		f := strings.SplitN(s.Text(), " ", 6)
		if len(f) < 6 {
			continue
		}
		path, gone := strings.CutSuffix(strings.TrimLeft(f[5], " "), " (deleted)")
		if !filepath.IsAbs(path) {
			continue
		}
		lo, hi, _ := strings.Cut(f[0], "-")
		m := Mapping{Path: path, Gone: gone}
		var errs [4]error
		m.Lo, errs[0] = strconv.ParseUint(lo, 16, 64)
		m.Hi, errs[1] = strconv.ParseUint(hi, 16, 64)
		m.Off, errs[2] = strconv.ParseUint(f[2], 16, 64)
		m.Ino, errs[3] = strconv.ParseUint(f[4], 10, 64)
		if err := errors.Join(errs[:]...); err != nil {
			return 0, fmt.Errorf("read maps of process %d: %w", p.PID, err)
		}
		if _, ok := first[path]; !ok && m.Off == 0 {
			first[path] = m.Lo
		}
		if !strings.Contains(f[1], "x") || seen[path] {
			continue
		}
		seen[path] = true
		var st unix.Stat_t
		m.Gone = gone || unix.Stat(path, &st) != nil || st.Ino != m.Ino
		p.Code = append(p.Code, m)
		if filepath.Base(path) == libraryName && p.Library == "" {
			p.Library = path
		}
	}
	return first[p.Library], s.Err()
}

// Objects are the files of which the process has code mapped.
func (p *Process) Objects() []string {
	var paths []string
	for _, m := range p.Code {
		paths = append(paths, m.Path)
	}
	return paths
}

func (p *Process) symbols(bias uint64) error {
	f, err := elf.Open(p.proc("root" + p.Library))
	if err != nil {
		return fmt.Errorf("read '%s': %w", p.Library, err)
	}
	defer f.Close()
	syms, err := f.DynamicSymbols()
	if err != nil {
		return fmt.Errorf("read '%s': %w", p.Library, err)
	}
	for name, at := range map[string]*uint64{"seam_wake": &p.wake, "seam_waking": &p.waking} {
		i := slices.IndexFunc(syms, func(s elf.Symbol) bool { return s.Name == name })
		if i < 0 {
			return fmt.Errorf("read '%s': no symbol %s", p.Library, name)
		}
		*at = bias + syms[i].Value
	}
	return nil
}

// waking is struct seam_waking of preload/core/load.h, as far as it matters here.
type waking struct {
	Magic, StackLo, StackHi, Loader uint64
	Result                          int32
	PID                             uint32
}

const (
	wakeMagic    = 0x31454b41574d4553
	wakingSize   = 40
	resultOffset = 32
)

// state reads the process's struct seam_waking.
func (p *Process) state(mem *os.File) (*waking, error) {
	var b [wakingSize]byte
	if _, err := mem.ReadAt(b[:], int64(p.waking)); err != nil {
		return nil, p.why(err)
	}
	w := &waking{}
	if _, err := binary.Decode(b[:], binary.LittleEndian, w); err != nil {
		return nil, err
	}
	return w, nil
}

// Dormant tells whether the process waits to be woken.
func (p *Process) Dormant() (bool, error) {
	mem, err := os.Open(p.proc("mem"))
	if err != nil {
		return false, p.why(err)
	}
	defer mem.Close()
	w, err := p.state(mem)
	if err != nil {
		return false, err
	}
	return w.Magic == wakeMagic && w.Result != resultDone, nil
}

func sameFile(a, b string) (bool, error) {
	x, err := os.ReadFile(a)
	if err != nil {
		return false, err
	}
	y, err := os.ReadFile(b)
	return err == nil && bytes.Equal(x, y), err
}
