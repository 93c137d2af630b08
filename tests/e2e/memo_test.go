package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/tests/harness"
)

// A seam exec with a cache of its own, and two programs: starting tells what it was given, other that it
// was started instead.
type starts struct {
	*testing.T
	dir, cache      string
	seam            string
	program, other  string
	env, flags      []string
	args            []string
	wd              string
	forged, genuine []byte
	memo            string
}

// printed begins what `other` prints: it is an echo.
const printed = "-0\n"

func newStarts(t *testing.T) *starts {
	t.Helper()
	dir := t.TempDir()
	s := &starts{T: t, dir: dir, cache: filepath.Join(dir, "cache", "seam"), seam: harness.Seam(t),
		program: filepath.Join(dir, "a"), other: filepath.Join(dir, "b"), flags: []string{"--socket", "/none/s", "-p", "libc:getppid"}, args: []string{"-0"}}
	s.env = []string{"PATH=" + harness.Path, "HOME=" + dir, "XDG_CACHE_HOME=" + filepath.Dir(s.cache)}
	s.copy("/usr/bin/env", s.program)
	s.copy("/bin/echo", s.other)
	return s
}

func (s *starts) copy(from, to string) {
	s.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o755)
	}
	if err == nil {
		err = os.WriteFile(to, b, 0o755)
	}
	if err != nil {
		s.Fatal(err)
	}
}

// command is what run runs.
func (s *starts) command() []string {
	return slices.Concat([]string{s.seam, "exec"}, s.flags, []string{"--", s.program}, s.args)
}

// run starts it, with the environment to the byte. The result is what it wrote.
func (s *starts) run(argv ...string) string {
	s.Helper()
	if len(argv) == 0 {
		argv = s.command()
	}
	r, w, err := os.Pipe()
	if err != nil {
		s.Fatal(err)
	}
	defer r.Close()
	null, _ := os.Open("/dev/null")
	defer null.Close()
	p, err := os.StartProcess(argv[0], argv, &os.ProcAttr{Dir: s.wd, Env: s.env, Files: []*os.File{null, w, w}})
	w.Close()
	if err != nil {
		s.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		s.Fatal(err)
	}
	st, err := p.Wait()
	if err != nil {
		s.Fatal(err)
	}
	return string(out) + "status " + st.String()
}

// memos are the files that there are.
func (s *starts) memos() []string {
	m, _ := filepath.Glob(filepath.Join(s.cache, "starts", "*"))
	return m
}

// old waits until no file has changed of late: only then does seam rely on its times.
func (s *starts) old() { time.Sleep(1200 * time.Millisecond) }

// prepare starts it once, and forges the memo of that: now it starts `other`, and so tells when it is used.
func (s *starts) prepare() {
	s.Helper()
	if out := s.run(); strings.HasPrefix(out, printed) || !strings.HasSuffix(out, "status exit status 0") {
		s.Fatalf("started anew: %s", out)
	}
	m := s.memos()
	if len(m) != 1 {
		s.Fatalf("memos: %v", m)
	}
	s.memo = m[0]
	b, err := os.ReadFile(s.memo)
	if err != nil {
		s.Fatal(err)
	}
	s.genuine = b
	// The last time it stands there with nothing behind it is the file to execute.
	at := bytes.LastIndex(b, []byte("\x00"+s.resolved()+"\x00"))
	if at < 0 {
		s.Fatalf("the memo does not name %s", s.resolved())
	}
	s.forged = slices.Clone(b)
	copy(s.forged[at+1:], strings.TrimSuffix(s.resolved(), "a")+"b")
	sum(s.forged)
	s.forge()
	s.expect(true, "nothing has changed")
}

// resolved is the program, as it is executed.
func (s *starts) resolved() string {
	if strings.Contains(s.program, "/") {
		return s.program
	}
	return filepath.Join(s.dir, s.program)
}

func (s *starts) forge() {
	s.Helper()
	if err := os.WriteFile(s.memo, s.forged, 0o600); err != nil {
		s.Fatal(err)
	}
}

func sum(memo []byte) {
	h := fnv.New64a()
	h.Write(memo[16:])
	binary.LittleEndian.PutUint64(memo[8:], h.Sum64())
}

// expect starts it and sees whether the memo was used.
func (s *starts) expect(used bool, why string) {
	s.Helper()
	if out := s.run(); strings.HasPrefix(out, printed) != used {
		s.Errorf("%s: memo used: %v: %.300s", why, !used, out)
	}
}

// What a program is started with is the same to the byte, whether it is found anew or in a memo.
func TestMemoStartsTheSame(t *testing.T) {
	t.Parallel()
	s := newStarts(t)
	s.old()
	for _, c := range []struct {
		name string
		env  []string
	}{
		{"plain", nil},
		{"odd", []string{"", "=", "A", "A=", "B=1", "B=2", "LD_PRELOADX=1", "LD_PRELOAD", "SEAM_X=1", "SEAM_SPEC", "XSEAM_SPEC=1"}},
		{"outer", []string{"SEAM_SPEC=/none", "Z=1", "LD_PRELOAD=/lib/x86_64-linux-gnu/libm.so.6 /lib/x86_64-linux-gnu/libdl.so.2", "SEAM_SOCKET=x", "SEAM_READER=seam", "SEAM_FILTERS=7", "SEAM_DORMANT=1", "Y=2", "SEAM_SPEC=/again"}},
		{"twice", []string{"LD_PRELOAD=/lib/x86_64-linux-gnu/libm.so.6", "LD_PRELOAD=:", "LD_PRELOAD="}},
		{"large", []string{"L=" + strings.Repeat("x", 100_000), "SEAM_LONG=" + strings.Repeat("y", 20_000)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := *s
			s.T, s.cache = t, filepath.Join(s.dir, c.name, "seam")
			s.env = append([]string{s.env[0], s.env[1], "XDG_CACHE_HOME=" + filepath.Dir(s.cache)}, c.env...)
			anew := s.run()
			if len(s.memos()) != 1 {
				t.Fatalf("no memo: %s", anew)
			}
			if got := s.run(); got != anew {
				t.Errorf("from the memo:\n%q\nanew:\n%q", got, anew)
			}
			s.program, s.args = "/bin/cat", []string{"/proc/self/status", "/proc/self/cmdline"}
			state := regexp.MustCompile(`(?m)^(Sig...|Shd...|Cap...|Seccomp\S*|NoNew\S*|Umask|cat.*|Name):.*$|/proc/self/cmdline`)
			want := state.FindAllString(s.run(), -1)
			if got := state.FindAllString(s.run(), -1); len(want) < 10 || !slices.Equal(got, want) {
				t.Errorf("from the memo:\n%q\nanew:\n%q", got, want)
			}
			// The first of these two is still a real one; what comes after it proves that memos were used.
			s.program, s.args = filepath.Join(s.dir, "a"), []string{"-0"}
			for _, m := range s.memos() {
				os.Remove(m)
			}
			s.prepare()
		})
	}
}

// Whatever a start was found from: once it changes, the memo is not used.
func TestMemoStale(t *testing.T) {
	t.Parallel()
	env := func(kv string) func(*starts) { return func(s *starts) { s.env = append(s.env, kv) } }
	appendTo := func(name string) func(*starts) {
		return func(s *starts) {
			if filepath.Ext(name) == ".plan" || filepath.Ext(name) == ".spec" {
				m, _ := filepath.Glob(filepath.Join(s.cache, "*", "*"+filepath.Ext(name)))
				if len(m) == 0 {
					s.Fatalf("no %s", name)
				}
				os.Remove(m[0])
				return
			}
			// Its size and its modification time stay, what is in it changes.
			file := filepath.Join(s.dir, name)
			st, err := os.Stat(file)
			if err != nil {
				s.Fatal(err)
			}
			f, err := os.OpenFile(file+".new", os.O_CREATE|os.O_WRONLY, 0o755)
			if err != nil {
				s.Fatal(err)
			}
			b, _ := os.ReadFile(file)
			f.Write(b)
			f.Close()
			os.Chtimes(file+".new", st.ModTime(), st.ModTime())
			if err := os.Rename(file+".new", file); err != nil {
				s.Fatal(err)
			}
		}
	}
	touch := func(name string) func(*starts) {
		return func(s *starts) {
			file := filepath.Join(s.dir, name)
			st, err := os.Stat(file)
			if err == nil {
				err = os.Chmod(file, st.Mode()|0o001)
			}
			if err == nil {
				err = os.Chtimes(file, st.ModTime(), st.ModTime())
			}
			if err != nil {
				s.Fatal(err)
			}
		}
	}
	inPath := func(s *starts) {
		s.program = "a"
		s.env[0] = "PATH=" + filepath.Join(s.dir, "first") + ":" + s.dir + ":" + harness.Path
	}
	script := func(s *starts) {
		s.copy("/bin/echo", filepath.Join(s.dir, "interp"))
		os.WriteFile(s.program, []byte("#!"+filepath.Join(s.dir, "interp")+"\n"), 0o755)
	}
	envScript := func(s *starts) {
		s.copy("/bin/echo", filepath.Join(s.dir, "p2", "tool"))
		s.env[0] = "PATH=" + filepath.Join(s.dir, "p1") + ":" + filepath.Join(s.dir, "p2") + ":" + harness.Path
		os.WriteFile(s.program, []byte("#!/usr/bin/env tool\n"), 0o755)
	}
	preload := func(s *starts) {
		s.copy("/lib/x86_64-linux-gnu/libm.so.6", filepath.Join(s.dir, "lib", "libmine.so"))
		s.env = append(s.env, "LD_PRELOAD="+filepath.Join(s.dir, "lib", "libmine.so"))
	}
	cases := []struct {
		name          string
		setup, change func(*starts)
	}{
		{"a variable: PATH", nil, func(s *starts) { s.env[0] += ":/none" }},
		{"a variable: LD_PRELOAD", nil, env("LD_PRELOAD=/none.so")},
		{"a variable: LD_LIBRARY_PATH", nil, env("LD_LIBRARY_PATH=/none")},
		{"a variable: seam's", nil, env("SEAM_BUFFER=1MiB")},
		{"a variable: HOME", nil, func(s *starts) { s.env[1] += "/." }},
		{"the wish for none", nil, env("SEAM_MEMO=off")},
		{"a flag", nil, func(s *starts) { s.flags = append(s.flags, "-p", "libc:getuid") }},
		{"another socket", nil, func(s *starts) { s.flags[1] = "/none/t" }},
		{"the program replaced", nil, appendTo("a")},
		{"the program's mode", nil, touch("a")},
		{"the program set-user-ID", nil, func(s *starts) { os.Chmod(s.program, 0o755|os.ModeSetuid) }},
		{"the program not executable", nil, func(s *starts) { os.Chmod(s.program, 0o644) }},
		{"the program gone", nil, func(s *starts) { os.Remove(s.program) }},
		{"a program earlier in PATH", inPath, func(s *starts) { s.copy("/usr/bin/env", filepath.Join(s.dir, "first", "a")) }},
		{"a script's interpreter", script, appendTo("interp")},
		{"a script", script, touch("a")},
		{"what a script's env runs", envScript, touch("p2/tool")},
		{"what a script's env runs, earlier", envScript, func(s *starts) { s.copy("/bin/echo", filepath.Join(s.dir, "p1", "tool")) }},
		{"a preloaded library", preload, appendTo("lib/libmine.so")},
		{"a preloaded library gone", preload, func(s *starts) { os.Remove(filepath.Join(s.dir, "lib", "libmine.so")) }},
		{"a library that is found earlier", func(s *starts) { s.env = append(s.env, "LD_LIBRARY_PATH="+filepath.Join(s.dir, "later")) },
			func(s *starts) {
				s.copy("/lib/x86_64-linux-gnu/libc.so.6", filepath.Join(s.dir, "later", "libc.so.6"))
			}},
		{"a debug file that comes", func(s *starts) { s.flags = []string{"--socket", "/none/s", "-H", "sqlite"} }, func(s *starts) {
			name := debugLink(s)
			os.WriteFile(filepath.Join(s.dir, name), []byte("x"), 0o644)
		}},
		{"the plan", nil, appendTo(".plan")},
		{"the spec", nil, appendTo(".spec")},
		{"the plan cache's mode", nil, func(s *starts) {
			m, _ := filepath.Glob(filepath.Join(s.cache, "plans-*"))
			os.Chmod(m[0], 0o755)
		}},
		{"the library", nil, func(s *starts) {
			m, _ := filepath.Glob(filepath.Join(s.cache, "*", "libseam.so"))
			os.Chmod(m[0], 0o444)
		}},
		{"the library's views", nil, func(s *starts) {
			m, _ := filepath.Glob(filepath.Join(s.cache, "*", "libasan.so-ok", "haswell"))
			os.Remove(m[0])
		}},
		{"seam itself", func(s *starts) { s.copy(s.seam, filepath.Join(s.dir, "seam")); s.seam = filepath.Join(s.dir, "seam") }, appendTo("seam")},
		{"seam by another name", func(s *starts) { s.copy(s.seam, filepath.Join(s.dir, "seam")); s.seam = filepath.Join(s.dir, "seam") },
			func(s *starts) {
				os.Rename(s.seam, s.seam+"2")
				s.seam += "2"
			}},
		{"a collector", nil, func(s *starts) { os.MkdirAll(filepath.Join(s.cache, "control", "1"), 0o700) }},
		{"another directory", func(s *starts) { s.wd, s.program = s.dir, "./a" },
			func(s *starts) { s.wd = filepath.Join(s.dir, "elsewhere"); s.copy("/usr/bin/env", s.wd+"/a") }},
		{"the memo is others' to read", nil, func(s *starts) { os.Chmod(s.memo, 0o644) }},
		{"the memo is a link", nil, func(s *starts) {
			os.Rename(s.memo, s.memo+"x")
			os.Symlink(s.memo+"x", s.memo)
		}},
		{"the cache is others' to write", nil, func(s *starts) { os.Chmod(s.cache, 0o777) }},
		{"the folder around it is others' to write", nil, func(s *starts) { os.Chmod(filepath.Dir(s.cache), 0o777) }},
	}
	var all []*starts
	for _, c := range cases {
		s := newStarts(t)
		if c.setup != nil {
			c.setup(s)
		}
		all = append(all, s)
	}
	all[0].old() // they all are
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := all[i]
			s.T = t
			s.prepare()
			c.change(s)
			s.expect(false, c.name)
		})
	}
}

// debugLink is the name of the debug file that a program asks for.
func debugLink(s *starts) string {
	out, err := exec.Command("objcopy", "-O", "binary", "--only-section=.gnu_debuglink", "--set-section-flags", ".gnu_debuglink=alloc", s.program, "/dev/stdout").Output()
	if err != nil {
		s.Fatal(err)
	}
	name, _, ok := bytes.Cut(out, []byte{0})
	if !ok || len(name) == 0 {
		s.Skip("the program asks for none")
	}
	return string(name)
}

// Who starts it matters: a memo made with other privileges, or by another user, is not used.
func TestMemoIsForOneIdentity(t *testing.T) {
	t.Parallel()
	s := newStarts(t)
	s.old()
	s.prepare()
	anew := func(why string, argv ...string) {
		t.Helper()
		s.forge()
		if out := s.run(append(argv, s.command()...)...); strings.HasPrefix(out, printed) {
			t.Errorf("%s: the memo was used", why)
		}
	}
	anew("no new privileges", "/usr/bin/setpriv", "--no-new-privs")
	if os.Geteuid() == 0 {
		anew("fewer capabilities", "/usr/bin/setpriv", "--bounding-set", "-sys_admin")
		anew("another group", "/usr/bin/setpriv", "--regid", "65534", "--clear-groups")
		s.forge()
		if err := os.Chown(s.memo, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		s.expect(false, "the memo is another user's")
		s.forge()
		if err := os.Chown(s.memo, 0, 0); err != nil {
			t.Fatal(err)
		}
		s.expect(true, "it is ours again")
		caps := binary.LittleEndian.AppendUint32(nil, 0x02000001)
		caps = append(caps, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
		s.forge()
		if err := unix.Setxattr(s.program, "security.capability", caps, 0); err != nil {
			t.Skipf("file capabilities can't be set here: %v", err)
		}
		s.expect(false, "the program has capabilities")
	}
}

// The arguments after the program's name are handed over; they are no part of what is remembered.
func TestMemoArguments(t *testing.T) {
	t.Parallel()
	s := newStarts(t)
	s.old()
	s.prepare()
	s.args = []string{"one", "", "three"}
	if out := s.run(); out != "one  three\nstatus exit status 0" {
		t.Errorf("%q", out)
	}
	// Another program with the same words in front.
	s.program += "x"
	s.copy("/bin/echo", s.program)
	if out := s.run(); out != "one  three\nstatus exit status 0" || len(s.memos()) != 1 {
		t.Errorf("%q, %v", out, s.memos()) // it has just changed: no memo yet
	}
	// An error is found anew, and so said, each time.
	s.program = "/none"
	for range 2 {
		if out := s.run(); !strings.Contains(out, "no such program: '/none'") {
			t.Errorf("%q", out)
		}
	}
	// So is a warning.
	s.program, s.flags = "/bin/true", append(s.flags, "-p", "libc:getpppid")
	n := len(s.memos())
	for range 2 {
		if out := s.run(); !strings.Contains(out, "nearest: getppid") {
			t.Errorf("%q", out)
		}
	}
	if len(s.memos()) != n {
		t.Errorf("%d memos, were %d", len(s.memos()), n)
	}
}

// A start in a home with no XDG_CACHE_HOME; and one with no home at all, which is found anew each time.
func TestMemoHome(t *testing.T) {
	t.Parallel()
	s := newStarts(t)
	s.env = []string{s.env[0], "XDG_CACHE_HOME=relative", "HOME=" + s.dir}
	s.cache = filepath.Join(s.dir, ".cache", "seam")
	s.old()
	s.prepare()
	s.env = []string{s.env[0], "TMPDIR=" + s.dir}
	if out := s.run(); !strings.HasSuffix(out, "status exit status 0") || strings.HasPrefix(out, printed) {
		t.Errorf("%q", out)
	}
}

// Whatever is in a memo, seam does not fall over it: what is not whole is not used, and what only looks whole
// reaches no further than its own bytes.
func TestMemoDamaged(t *testing.T) {
	t.Parallel()
	s := newStarts(t)
	s.old()
	s.prepare()
	put := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(s.memo, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []int{0, 1, 15, 16, 39, 40, 41, len(s.forged) / 2, len(s.forged) - 1} {
		put(s.forged[:n])
		s.expect(false, fmt.Sprintf("cut to %d bytes", n))
	}
	put(append(slices.Clone(s.forged), 0))
	s.expect(false, "a byte more")
	rnd := rand.New(rand.NewSource(1))
	for range 40 {
		b := slices.Clone(s.forged)
		b[rnd.Intn(len(b))] ^= 1 << rnd.Intn(8)
		put(b)
		s.expect(false, "a bit has changed")
	}
	// With the right sum: it may be used then, but nothing breaks.
	for i := range 300 {
		b := slices.Clone(s.forged)
		for range 1 + rnd.Intn(3) {
			at := rnd.Intn(len(b) - 16)
			if i%2 == 0 {
				at = rnd.Intn(28) // the counts
			}
			b[16+at] = byte(rnd.Intn(256))
		}
		if i%5 == 0 {
			b = b[:40+rnd.Intn(len(b)-40)]
			binary.LittleEndian.PutUint32(b[16:], uint32(len(b)))
		}
		sum(b)
		put(b)
		if out := s.run(); strings.Contains(out, "signal") {
			t.Fatalf("round %d: %s", i, out)
		}
	}
}

// There are never many memos.
func TestMemosAreFew(t *testing.T) {
	t.Parallel()
	s := newStarts(t)
	s.old()
	s.prepare()
	for i := range 400 {
		if err := os.WriteFile(filepath.Join(filepath.Dir(s.memo), fmt.Sprintf("%016x", i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.flags[1] = "/none/t"
	s.run()
	if n := len(s.memos()); n > 200 || n < 100 {
		t.Errorf("%d memos", n)
	}
}

// The watches are complete: there is no file that a start looks at, and its memo does not.
func TestMemoWatchesAll(t *testing.T) {
	t.Parallel()
	s := newStarts(t)
	s.env[0] = "PATH=/none:" + s.dir + ":" + harness.Path
	s.env = append(s.env, "LD_LIBRARY_PATH=/none/lib")
	s.program = "a"
	s.flags = []string{"--socket", "/none/s"} // the default packs: they look at most
	s.old()
	s.run()
	file := filepath.Join(s.dir, "trace")
	s.env = append(s.env, "SEAM_X=1") // another key: found anew
	out := s.run(append([]string{"/usr/bin/strace", "-f", "-s", "4096", "-o", file, "-e", "trace=%file,%network"}, s.command()...)...)
	trace, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	memos := s.memos()
	if len(memos) != 2 {
		t.Fatalf("memos: %v: %s", memos, out)
	}
	newest := slices.MaxFunc(memos, func(a, b string) int {
		x, _ := os.Stat(a)
		y, _ := os.Stat(b)
		return x.ModTime().Compare(y.ModTime())
	})
	memo, err := os.ReadFile(newest)
	if err != nil {
		t.Fatal(err)
	}
	path := regexp.MustCompile(`^\d+ +(\w+)\((?:AT_FDCWD, )?"([^"]*)"`)
	looked := 0
	for i, line := range strings.Split(string(trace), "\n") {
		m := path.FindStringSubmatch(line)
		if m == nil || i == 0 {
			continue
		}
		if m[1] == "execve" {
			break
		}
		switch p := m[2]; {
		case strings.HasPrefix(p, "/proc/"), strings.HasPrefix(p, "/sys/"): // in the key, or Go's own
		case strings.Contains(p, "/cache/seam/starts"), p == s.cache+"/..":
		case strings.Contains(line, "NOFOLLOW) = 0"), m[1] == "readlinkat", m[1] == "mkdirat": // on the way to a file that is watched, or its folder is
		case p == s.cache, p == filepath.Dir(s.cache), p == filepath.Join(s.cache, "control"): // fastexec.c looks at these itself, or for nothing in them
		case strings.HasSuffix(p, ".compared"): // says of libseam.so what the watch says
		case !bytes.Contains(memo, []byte(p+"\x00")):
			t.Errorf("not watched: %s", line)
		default:
			looked++
		}
	}
	if looked < 15 {
		t.Errorf("only %d files were looked at:\n%s", looked, trace)
	}
}

// Descriptors that were closed stay closed, and what was ignored is ignored, from a memo as anew.
// grep's own mask is asked for: the shell blocks signals while it waits.
func TestMemoInherits(t *testing.T) {
	t.Parallel()
	s := newStarts(t)
	s.program, s.args = "/bin/sh", nil
	s.args = []string{"-c", "ls /proc/self/fd; grep Sig /proc/self/status"}
	shell := "trap '' HUP PROF CHLD; exec " + strings.Join(s.command()[:len(s.command())-2], " ") + ` -c 'readlink /proc/$$/fd/* ; grep ^Sig[BI] /proc/self/status' <&- 2>&-`
	anew := s.run("/bin/sh", "-c", shell)
	if n := len(s.memos()); n != 1 {
		t.Fatalf("%d memos: %s", n, anew)
	}
	plain := s.run("/bin/sh", "-c", strings.Replace(shell, strings.Join(s.command()[:len(s.command())-3], " "), "", 1))
	number := regexp.MustCompile(`pipe:\[\d+\]|/proc/\d+`)
	clean := func(out string) string { return number.ReplaceAllString(out, "X") }
	if memo := s.run("/bin/sh", "-c", shell); clean(memo) != clean(anew) || !strings.Contains(memo, "SigIgn") {
		t.Errorf("from the memo: %q\nanew: %q\nplain: %q", memo, anew, plain)
	} else if ign := regexp.MustCompile(`SigIgn.*`); ign.FindString(memo) != ign.FindString(plain) {
		t.Errorf("from the memo: %q\nplain: %q", memo, plain)
	}
	var st syscall.Stat_t
	if err := syscall.Stat(s.memos()[0], &st); err != nil || st.Mode&0o777 != 0o600 {
		t.Errorf("mode %o, %v", st.Mode, err)
	}
}
