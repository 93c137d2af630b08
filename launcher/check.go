package launcher

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Target is a program that Check found fit to be started.
type Target struct {
	Program string   // as it was given
	Path    string   // the file to execute
	Argv    []string // the arguments to execute it with, Argv[0] as given
	ELF     string   // the ELF file that ends up running: Path itself, or the end of its #! chain
	Loader  string   // the program interpreter ELF asks for
	Via     []string // scripts and trampolines on the way from Path to ELF, outermost first
	Notes   []string // what the user might want to know

	seen *watches // what this was found from; nil: nobody asked
}

// How deep a chain of #! lines goes before the kernel gives up, and the part of
// a #! line that the kernel reads (BINPRM_BUF_SIZE).
const (
	maxScripts  = 4
	maxHashBang = 256
)

// defaultPath is what execvp searches when PATH isn't set.
const defaultPath = "/bin:/usr/bin"

// Check finds the program that argv names as execvp would, follows its #! lines
// and says what will run, or returns a *Refusal.
func Check(argv, environ []string) (*Target, error) { return check(argv, environ, nil) }

func check(argv, environ []string, seen *watches) (*Target, error) {
	if len(argv) == 0 {
		return nil, errors.New("check target: no program given")
	}
	search := defaultPath
	if p, ok := lookupEnv(environ, "PATH"); ok {
		search = p
	}
	c := checker{search: search, seen: seen}
	path, err := c.find(argv[0])
	if err != nil {
		return nil, err
	}
	t := &Target{Program: argv[0], Path: path, Argv: argv, seen: seen}
	if err := c.follow(t, path, argv[1:], 0); err != nil {
		return nil, err
	}
	return t, nil
}

type checker struct {
	search string // PATH
	seen   *watches
}

// find looks a program up as execvp does: a name with a slash as it is, others
// along PATH, past files that may not be executed.
func (c *checker) find(name string) (string, error) {
	if name == "" {
		return "", &Refusal{Reason: NotFound, Object: name, Hint: "give the name of a program after the flags"}
	}
	if strings.Contains(name, "/") {
		return name, c.executable(name)
	}
	var denied error
	for _, dir := range filepath.SplitList(c.search) {
		path := dir + "/" + name
		if dir == "" {
			path = name // an empty element is the current directory
		}
		err := c.executable(path)
		if err == nil {
			if dir == "" {
				path = "./" + name
			}
			return path, nil
		}
		var r *Refusal
		if errors.As(err, &r) && r.Reason == NotExecutable && denied == nil {
			denied = err
		}
	}
	if denied != nil {
		return "", denied
	}
	hint := "it was looked for in PATH"
	if st, err := os.Stat(name); err == nil && st.Mode().IsRegular() {
		hint = fmt.Sprintf("there is one in this directory: write ./%s", name)
	}
	return "", &Refusal{Reason: NotFound, Object: name, Hint: hint}
}

func (c *checker) executable(path string) error {
	c.seen.file(path)
	return executable(path)
}

// executable says why the kernel would not execute path.
func executable(path string) error {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, unix.ENOTDIR):
		r := &Refusal{Reason: NotFound, Object: path}
		if dest, e := os.Readlink(path); e == nil {
			r.Detail = "it is a link to " + dest + ", which doesn't exist"
		}
		return r
	case err != nil:
		return &Refusal{Reason: NotExecutable, Object: path, Detail: bareError(err).Error()}
	case st.IsDir():
		return &Refusal{Reason: IsDirectory, Object: path, Hint: "name a program in it"}
	case !st.Mode().IsRegular():
		return &Refusal{Reason: NotExecutable, Object: path, Detail: "it is not a regular file"}
	}
	if err := unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS); err != nil {
		r := &Refusal{Reason: NotExecutable, Object: path, Detail: err.Error()}
		switch {
		case st.Mode()&0o111 == 0:
			r.Hint = "chmod +x " + ShellQuote(path)
		case mountFlags(path)&unix.ST_NOEXEC != 0:
			r.Hint = "it is on a file system that is mounted noexec"
		}
		return r
	}
	return nil
}

// follow looks at one file of the chain. args are the arguments after the
// program's name.
func (c *checker) follow(t *Target, path string, args []string, depth int) error {
	c.seen.file(path)
	head, err := readHead(path)
	if err != nil {
		if errors.Is(err, os.ErrPermission) {
			// Executable but not readable: the loader could run it, but nobody can
			// look inside, and its process will not let itself be looked at either.
			return &Refusal{Reason: NotExecutable, Object: path, Detail: "it can't be read: permission denied",
				Hint: "seam must read a program to patch it"}
		}
		return &Refusal{Reason: NotExecutable, Object: path, Detail: bareError(err).Error()}
	}
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		return c.program(t, path, args)
	case bytes.HasPrefix(head, []byte("#!")):
		return c.script(t, path, head, args, depth)
	}
	// The kernel says ENOEXEC, upon which execvp and every shell run the file as
	// a shell script, unless it is plainly something else.
	if line, _, _ := bytes.Cut(head, []byte("\n")); bytes.IndexByte(line, 0) >= 0 {
		return &Refusal{Reason: NotELF, Object: path, Hint: "seam starts ELF programs and scripts"}
	}
	if depth > 0 {
		return &Refusal{Reason: BadInterpreter, Object: path, Detail: "it is neither a program nor a script with a #! line"}
	}
	c.seen.never("the arguments change")
	t.Notes = append(t.Notes, fmt.Sprintf("'%s' has no #! line: run by /bin/sh", path))
	t.Via = append(t.Via, path)
	t.Path = "/bin/sh"
	t.Argv = append([]string{"/bin/sh", path}, args...)
	return c.program(t, "/bin/sh", nil)
}

// readHead reads what the kernel looks at to decide what a file is.
func readHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	buf := make([]byte, maxHashBang)
	n, err := io.ReadFull(f, buf)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return buf[:n], err
}

// program judges the ELF file that would end up running.
func (c *checker) program(t *Target, path string, args []string) error {
	c.seen.file(path)
	o, err := readObjectFile(path)
	var shape errShape
	var machine errMachine
	switch {
	case err == nil:
	case errors.As(err, &shape):
		return &Refusal{Reason: Damaged, Object: path, Detail: err.Error()}
	case errors.As(err, &machine):
		return &Refusal{Reason: OtherMachine, Object: path,
			Detail: fmt.Sprintf("%s; seam's library is 64-bit %s", err, machineName(nativeMachine)),
			Hint:   "use a build of the program for this machine"}
	case errors.Is(err, errNotELF):
		return &Refusal{Reason: NotELF, Object: path}
	default:
		return &Refusal{Reason: NotExecutable, Object: path, Detail: bareError(err).Error()}
	}
	if o.kind != etExec && o.kind != etDyn {
		return &Refusal{Reason: NotProgram, Object: path, Detail: "it is an object file or a core dump"}
	}
	if o.interp == "" {
		if isLoader(o.soname) {
			return c.loader(t, path, args)
		}
		return staticRefusal(path, o)
	}
	base := filepath.Base(o.interp)
	switch {
	case strings.HasPrefix(base, "ld-musl-"):
		return &Refusal{Reason: Musl, Object: path, Detail: "its loader is " + o.interp,
			Hint: "seam supports programs linked against glibc"}
	case !isLoader(base):
		return &Refusal{Reason: UnknownLoader, Object: path, Detail: o.interp,
			Hint: "seam supports programs linked against glibc"}
	}
	c.seen.file(o.interp)
	if _, err := os.Stat(o.interp); err != nil {
		return &Refusal{Reason: NotExecutable, Object: path,
			Detail: fmt.Sprintf("its loader %s: %s", o.interp, bareError(err)),
			Hint:   "the program was built for another system"}
	}
	c.seen.mount(path)
	if mayRaise(path) {
		c.seen.never("the program has privileges")
	}
	if why := raisesPrivileges(path); why != "" {
		return &Refusal{Reason: Privileged, Object: path, Detail: why,
			Hint: "the loader ignores LD_PRELOAD for such programs; run seam as the user the program becomes, or a copy without the privilege"}
	}
	t.ELF, t.Loader = path, o.interp
	return nil
}

func staticRefusal(path string, o *object) error {
	r := &Refusal{Reason: Static, Object: path, Hint: "nothing can be preloaded into it; use a dynamically linked build"}
	if o.kind == etDyn {
		r.Detail = "it names no program interpreter (static-pie, or a library)"
	}
	if isGo(path) {
		r.Detail = "it is a Go program built without cgo"
		r.Hint = "pure Go programs don't call the C library, so there is nothing to watch"
	}
	return r
}

// isGo looks for the marker that Go's linker leaves near the start of a
// program's data (debug/buildinfo), in the first part of the file only.
func isGo(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	buf := make([]byte, 64<<10)
	n, _ := io.ReadFull(f, buf)
	return bytes.Contains(buf[:n], []byte("\x04\x00\x00\x00Go\x00\x00")) ||
		bytes.Contains(buf[:n], []byte("Go build ID: \"")) || bytes.Contains(buf[:n], []byte("\xff Go buildinf:"))
}

func isLoader(name string) bool {
	for _, l := range glibcLoaders {
		if name == l {
			return true
		}
	}
	return false
}

// loader handles "ld.so [options] program args": the loader preloads for the
// program it runs just the same.
func (c *checker) loader(t *Target, path string, args []string) error {
	c.seen.never("the program is among the loader's arguments")
	for i := 0; i < len(args); i++ {
		switch a := args[i]; a {
		case "--library-path", "--preload", "--audit", "--argv0", "--glibc-hwcaps-prepend", "--glibc-hwcaps-mask", "--inhibit-rpath":
			i++
		default:
			if strings.HasPrefix(a, "-") {
				continue
			}
			if !strings.Contains(a, "/") {
				if _, err := os.Stat(a); err != nil {
					t.ELF, t.Loader = path, path // ld.so will look along the library path
					return nil
				}
			}
			if err := executable(a); err != nil {
				return err
			}
			t.Via = append(t.Via, path)
			return c.program(t, a, nil)
		}
	}
	t.ELF, t.Loader = path, path
	return nil
}

// bareError takes the path off an error that will be shown next to it.
func bareError(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func lookupEnv(environ []string, key string) (string, bool) {
	for _, kv := range environ {
		if len(kv) > len(key) && kv[len(key)] == '=' && kv[:len(key)] == key {
			return kv[len(key)+1:], true
		}
	}
	return "", false
}
