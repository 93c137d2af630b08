package laws

import (
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/tests/harness"
)

// Law 5 for every function of every prototype: called with pointers, sizes,
// strings, vectors and structures that bite, it returns what it returns without
// seam, sets the same errno, writes the same memory, or dies of the same signal.
//
// testdata/args makes the calls, each function in a process of its own; the
// same seed makes the same ones. SEAM_ARGS_TIME makes it go on with other seeds
// for so long (make fuzz-args), SEAM_ARGS_SEED=N makes it run one.
func TestArguments(t *testing.T) {
	f := newArgs(t)
	for _, l := range limits {
		t.Logf("not fuzzed: %s %s: %s", l.functions, l.arg, l.why)
	}
	if s := os.Getenv("SEAM_ARGS_SEED"); s != "" {
		seed, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		f.round(t, seed, 24, f.ways())
		return
	}
	long, _ := time.ParseDuration(os.Getenv("SEAM_ARGS_TIME"))
	if long == 0 {
		f.round(t, 1, 3, slices.DeleteFunc(f.ways(), func(w way) bool { return w.long }))
		return
	}
	end := time.Now().Add(long)
	for seed := 2; time.Now().Before(end) && !t.Failed(); seed++ {
		f.round(t, seed, 24, f.ways())
		t.Logf("seed %d: %d calls compared so far", seed, f.compared)
	}
}

// args is the fuzzer, ready to run as a user who can do little harm.
type args struct {
	exe, seam, dir string
	user           []string // runs a command as that user
	env            []string
	runs           int
	compared       int
	aliases        map[string][]string
}

func newArgs(t *testing.T) *args {
	t.Helper()
	harness.Program(t, "/usr/include/sqlite3.h")
	// Not harness.Shared: another user has to get there.
	dir, err := os.MkdirTemp("/tmp", "seam-args-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	f := &args{exe: filepath.Join(dir, "args"), seam: filepath.Join(dir, "seam"), dir: dir, aliases: aliases(t)}
	table := filepath.Join(dir, "table.c")
	home := filepath.Join(dir, "home")
	for _, err := range []error{os.Chmod(dir, 0o755), os.WriteFile(table, []byte(argsTable(t)), 0o644), os.Mkdir(home, 0o700), copyFile(f.seam, harness.Seam(t))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	sources, _ := filepath.Glob(testdata("args/*.c"))
	cc := append([]string{harness.Program(t, "gcc"), "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-pthread", "-I", testdata("args"), "-o", f.exe, table}, sources...)
	if r := harness.Run(t, harness.Cmd{Args: append(cc, "-lsqlite3")}); r.Code != 0 {
		t.Fatalf("compile: %v", r)
	}
	if os.Getuid() == 0 {
		const nobody = 61234 // with no files and no processes
		if err := os.Chown(home, nobody, nobody); err != nil {
			t.Fatal(err)
		}
		id := strconv.Itoa(nobody)
		f.user = []string{harness.Program(t, "setpriv"), "--reuid", id, "--regid", id, "--clear-groups"}
	}
	f.env = []string{"HOME=" + home, "XDG_CACHE_HOME=" + home, "TMPDIR=" + home}
	return f
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}

// way is one way to watch the calls.
type way struct {
	name, mode string // mode: of testdata/args/main.c
	flags      []string
	counts     bool // every call is told, or counted as dropped
	long       bool // not in the short run
}

// each is -p for every function without a pack, written by suffix.
func each(suffix func(h *hooks.Hook) string, packs bool) []string {
	var flags []string
	for _, h := range argsHooks() {
		if h.Pack != "" && !packs {
			continue
		}
		lib := "libc"
		if h.Pack == "sqlite" {
			lib = "libsqlite3"
		} else if h.Name == "crypt" {
			lib = "libcrypt"
		}
		flags = append(flags, "-p", lib+":"+h.Name+suffix(h))
	}
	return flags
}

// filtered is a condition on the arguments of a function, another one for its neighbour.
func filtered(h *hooks.Hook) string {
	sum := fnv.New32a()
	sum.Write([]byte(h.Name))
	var fits []string
	for i := range h.Args {
		switch a := &h.Args[i]; a.Type {
		case hooks.TString:
			if !a.Out {
				fits = append(fits, fmt.Sprintf(" if %s ^= \"/dev\"", a.Name), fmt.Sprintf(" if %s !^= \"/dev/null/and/what/else/there/is\"", a.Name))
			}
		case hooks.TInt, hooks.TFD, hooks.TUint, hooks.TFlags, hooks.TEnum, hooks.TPid:
			if !a.Out {
				fits = append(fits, fmt.Sprintf(" if %d < 3", i))
			}
		}
	}
	if h.Fail.Op != hooks.FailNever && !h.EntryOnly {
		fits = append(fits, " failed")
	}
	if !h.EntryOnly {
		fits = append(fits, " slower 1ms")
	}
	if len(fits) == 0 {
		return ""
	}
	return fits[sum.Sum32()%uint32(len(fits))]
}

func (f *args) ways() []way {
	plain := func(h *hooks.Hook) string { return "" }
	all := append([]string{"-H", "all"}, each(plain, false)...)
	at := func(instrument string) []string {
		return each(func(h *hooks.Hook) string { return "@" + instrument }, true)
	}
	return []way{
		{"log", "calls", all, true, true},
		{"agent", "calls", with(all, "--start", "now"), true, false},
		{"no agent, small buffer", "calls", with(all, "--start", "never", "--buffer", "64k", "--on-full", "drop-newest"), true, false},
		{"count", "calls", at("count"), true, true},
		{"hist", "calls", at("hist"), false, false},
		{"filters", "calls", each(filtered, true), false, false},
		{"all of libc", "calls", p("libc:*", "libsqlite3:*@count"), false, true},
		{"vfork", "vfork", all, true, false},
		{"unmapped meanwhile", "threads", all, false, false},
		{"unmapped meanwhile, filters", "threads", each(filtered, true), false, true},
	}
}

// run makes the calls, and returns what the program wrote.
func (f *args) run(t *testing.T, mode string, seed, rounds int, only []string, watch ...string) string {
	t.Helper()
	f.runs++
	// Names of the same length: a path in a table moves nothing.
	dir := filepath.Join(f.dir, "home", fmt.Sprintf("run%06d", f.runs))
	cmd := append(slices.Clone(f.user), "/bin/mkdir", dir)
	if r := harness.Run(t, harness.Cmd{Args: cmd}); r.Code != 0 {
		t.Fatal(r)
	}
	cmd = append(append(slices.Clone(f.user), watch...), f.exe, mode, strconv.Itoa(seed), strconv.Itoa(rounds), dir)
	cmd = append(cmd, only...)
	r := harness.Run(t, harness.Cmd{Args: cmd, Dir: "/", Env: f.env, Deadline: 10 * time.Minute})
	if r.Code != 0 || r.Signal != 0 || withoutWarnings(r.Stderr) != "" {
		t.Fatalf("the fuzzer itself failed: %v", harness.Result{Stdout: "", Stderr: r.Stderr, Code: r.Code, Signal: r.Signal})
	}
	os.RemoveAll(dir)
	return r.Stdout
}

var wrote = regexp.MustCompile(` wrote [0-9a-f]+:[0-9a-f]+`)

// writesLuck are functions that write what may be the same twice and then is not:
// free space on a disk, processor time, and bytes of libc's stack that nothing has set.
var writesLuck = []string{"statfs", "statfs64", "fstatfs", "fstatfs64", "statvfs", "statvfs64", "fstatvfs", "fstatvfs64",
	"wait3", "wait4", "sigaction", "__sigaction"}

// compare says where two outputs differ. Where and what a function writes is compared
// unless two runs without seam differ in it (times, ids, addresses).
func compare(t *testing.T, bare, other string, varies map[string]bool) (n int) {
	t.Helper()
	a, b := strings.Split(bare, "\n"), strings.Split(other, "\n")
	n, told := len(a), 0
	for i := range max(len(a), len(b)) {
		var la, lb string
		if i < len(a) {
			la = a[i]
		}
		if i < len(b) {
			lb = b[i]
		}
		name, _, _ := strings.Cut(la, "#")
		if varies[name] || slices.Contains(writesLuck, name) {
			la, lb = wrote.ReplaceAllString(la, ""), wrote.ReplaceAllString(lb, "")
		}
		if la != lb {
			t.Errorf("without seam: %s\nwith seam:    %s", la, lb)
			if told++; told == 10 || len(a) != len(b) && told == 3 {
				t.Log("… and more")
				break
			}
		}
	}
	return n
}

// changesFaults are functions after which the program no longer says where it died.
var changesFaults = []string{"sigaction", "__sigaction", "signal", "bsd_signal", "sysv_signal", "sigprocmask", "pthread_sigmask"}

// steady are the functions with pointers that neither ended nor held up their
// process: there is a call after the hostile one.
func steady(out string) []string {
	ends := make(map[string]bool)
	for line := range strings.Lines(out) {
		name, _, _ := strings.Cut(line, "#")
		ends[name] = ends[name] || strings.Contains(line, " ends ") || strings.Contains(line, " blocks") || strings.Contains(line, " stops ")
	}
	var names []string
	for _, h := range argsHooks() {
		points := slices.ContainsFunc(h.Args, func(a hooks.Arg) bool { return a.Size == 8 && a.Type != hooks.TInt && a.Type != hooks.TUint || a.Out })
		if !ends[h.Name] && points && !slices.Contains(changesFaults, h.Name) {
			names = append(names, h.Name)
		}
	}
	return names
}

// round makes the calls of one seed: without seam, twice, and in each way with it.
func (f *args) round(t *testing.T, seed, rounds int, ways []way) {
	bare, varies := make(map[string]string), make(map[string]bool)
	for _, mode := range []string{"calls", "vfork"} {
		bare[mode] = f.run(t, mode, seed, rounds, nil)
	}
	again := f.run(t, "calls", seed, rounds, nil)
	a, b := strings.Split(bare["calls"], "\n"), strings.Split(again, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			name, _, _ := strings.Cut(a[i], "#")
			varies[name] = true
		}
	}
	t.Run(fmt.Sprintf("seed %d/without", seed), func(t *testing.T) { compare(t, bare["calls"], again, varies) })
	t.Logf("what these write is not compared: %v", slices.Sorted(maps.Keys(varies)))
	absent := f.absent(t, bare["calls"])
	for _, w := range ways {
		t.Run(fmt.Sprintf("seed %d/%s", seed, w.name), func(t *testing.T) {
			report := filepath.Join(f.dir, "home", fmt.Sprintf("report%d", f.runs))
			n := rounds
			if w.mode == "threads" {
				n *= 20
			}
			var only []string
			if w.mode == "threads" {
				only = steady(bare["calls"])
			}
			itself := "" // what these calls do to the program without seam
			if w.mode == "threads" {
				itself = f.run(t, w.mode, seed, n, only)
			}
			got := f.run(t, w.mode, seed, n, only, append(append([]string{f.seam, "run", "--json", "--report", report}, w.flags...), "--")...)
			rep := readArgsReport(t, report)
			// Agents live in children that are killed: what one had sent and not
			// yet marked is sent again, and counted once.
			rep.Account.Duplicates = 0
			rep.exact(t)
			if w.mode == "threads" {
				for line := range strings.Lines(got) {
					// 6 and 13 are what libc does about a bad argument
					if (strings.Contains(line, "ends signal 11") || strings.Contains(line, "ends signal 7") || strings.Contains(line, "ends exit 9")) && !strings.Contains(itself, line) {
						t.Errorf("died (signal, exit 99) or hung (exit 98) in seam: %s", line)
					}
				}
				return
			}
			f.compared += compare(t, bare[w.mode], got, varies)
			if w.counts {
				f.covered(t, got, rep, absent)
			}
		})
	}
}
