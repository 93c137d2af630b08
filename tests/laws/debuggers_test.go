package laws

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seam-project/seam/tests/harness"
)

func debugged(t *testing.T) (exe string, flags []string) {
	exe = program(t, "debugged.c", "-O1", "-fno-inline", "-rdynamic")
	return exe, p("libc:qsort", "libc:nanosleep", exe+":step", exe+":compare")
}

// frames picks the functions of gdb's backtraces, innermost first, one line each.
func frames(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		if m := frame.FindStringSubmatch(line); m != nil {
			if m[1] == "0" {
				b.WriteString("\n")
			}
			name := m[2]
			if strings.Contains(line, "libseam.so") {
				name = "seam"
			}
			b.WriteString(name + " ")
		}
	}
	return b.String() + "\n"
}

var frame = regexp.MustCompile(`^#(\d+) +(?:0x[0-9a-f]+ in )?(\S+) \(`)

// gdb sees through our frames, stops at functions that are patched, steps in
// them, and lets go.
func TestDebugger(t *testing.T) {
	exe, flags := debugged(t)
	gdb := []string{harness.Program(t, "gdb"), "-q", "-nx", "-batch", "-ex", "set confirm off", "-ex", "set debuginfod enabled off", "-ex", "set startup-with-shell off"}
	do := func(commands ...string) []string {
		args := append([]string(nil), gdb...)
		for _, c := range commands {
			args = append(args, "-ex", c)
		}
		return args
	}
	for _, start := range []string{"demand", "now"} { // gdb is slow, and without an agent nothing differs from the first
		flags := with(flags, "--start", start)
		t.Run("run "+start, func(t *testing.T) {
			args := append(do("break main", "run", "break qsort", "break debugged.c:step if n == 2", "break compare if compared == 3",
				"continue", "bt", "continue", "bt", "finish", "continue", "bt", "stepi", "stepi", "stepi", "bt", "finish", "delete", "continue"), "--args", exe, "0")
			res, rep := watched(t, flags, args...)
			rep.exact(t)
			said := frames(res.Stdout)
			for _, want := range []string{`\n\S*qsort\S* main \n`, `\ncompare (\S+ )*\S*qsort\S* seam main \n`, `\nstep main \n`, `\n(step )?(\?\? )*(seam )*main \n`} {
				if !regexp.MustCompile(want).MatchString(said) {
					t.Errorf("no backtrace is like %q:\n%s\n%v", want, said, res)
				}
			}
			// gdb 13 loses its way at the end of any program with threads, with seam or without.
			if !strings.Contains(res.Stdout, "\n6 1140\n") || start != "now" && !strings.Contains(res.Stdout, "exited with code 05") {
				t.Errorf("the program did not end as it should: %v", res)
			}
			if n, _ := rep.function("step"); n != 20 {
				t.Errorf("%d calls of step are told, want 20", n)
			}
		})
		t.Run("attach "+start, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "report.json")
			run := harness.Start(t, harness.Cmd{Args: append(append([]string{harness.Seam(t), "run", "-q", "--json", "--report", file}, flags...), "--", exe, "100")})
			pid := childOf(t, run.PID(), exe)
			res := harness.Run(t, harness.Cmd{Args: do(fmt.Sprintf("attach %d", pid), "bt", "break nanosleep", "continue", "bt", "delete", "detach")})
			said := frames(res.Stdout)
			if !regexp.MustCompile(`nanosleep (seam )?main \n(.*\n)?\S*nanosleep\S* main \n`).MatchString(said) {
				t.Errorf("backtraces: %s\n%v", said, res)
			}
			if res := run.Wait(); res.Stdout != "6 1140\n" || res.Code != 5 {
				t.Errorf("the program did not end as it should: %v", res)
			}
			rep := readReport(t, file)
			rep.exact(t)
			if n, _ := rep.function("nanosleep"); n != 100 {
				t.Errorf("%d calls of nanosleep are told, want 100", n)
			}
		})
	}
}

// childOf waits for the process that pid started to be exe, and to have begun.
func childOf(t *testing.T, pid int, exe string) int {
	t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for _, child := range children(pid) {
			if path, err := filepath.EvalSymlinks(fmt.Sprintf("/proc/%d/exe", child)); err == nil && path == exe && asleep(child) {
				return child
			}
		}
	}
	t.Fatalf("no child of %d is %s", pid, exe)
	return 0
}

// Tracers of system calls and of library calls, around seam and inside it.
func TestTracers(t *testing.T) {
	exe, flags := debugged(t)
	out := filepath.Join(t.TempDir(), "trace")
	strace := []string{harness.Program(t, "strace"), "-f", "-o", out}
	for _, start := range starts {
		flags := with(flags, "--start", start)
		t.Run("strace inside "+start, func(t *testing.T) {
			same(t, flags, append(strace, exe, "1")...).exact(t)
		})
		t.Run("strace outside "+start, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "report.json")
			args := append(append(append(strace, harness.Seam(t), "run", "-q", "--json", "--report", file), flags...), "--", exe, "1")
			if res := harness.Run(t, harness.Cmd{Args: args}); res != (harness.Result{Stdout: "6 1140\n", Code: 5}) {
				t.Errorf("%v", res)
			}
			rep := readReport(t, file)
			rep.exact(t)
			if n, _ := rep.function("step"); n != 20 {
				t.Errorf("%d calls of step are told, want 20", n)
			}
		})
	}
	t.Run("ltrace inside", func(t *testing.T) {
		same(t, flags, harness.Program(t, "ltrace"), "-f", "-o", out, exe, "1").exact(t)
	})
}

// Under valgrind the library stands back: what valgrind says is about the program.
func TestValgrind(t *testing.T) {
	exe, flags := debugged(t)
	valgrind := harness.Program(t, "valgrind")
	for name, args := range map[string][]string{
		"run":   {valgrind, "-q", exe, "0"},
		"child": {"/bin/sh", "-c", `"$0" -q --trace-children=yes /bin/sh -c '"$0" 0; echo $?' "$1"`, valgrind, exe},
	} {
		t.Run(name, func(t *testing.T) {
			rep := same(t, with(flags, "--start", "now"), args...)
			rep.exact(t)
			if len(rep.Errors) != 1 || rep.Errors[0].Code != "valgrind" {
				t.Errorf("the report does not say that valgrind's programs are not watched: %+v", rep.Errors)
			}
		})
	}
}

// children lists the processes that pid started.
func children(pid int) (list []int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, f := range tasks {
		b, _ := os.ReadFile(f)
		for _, w := range strings.Fields(string(b)) {
			if n, err := strconv.Atoi(w); err == nil {
				list = append(list, n)
			}
		}
	}
	return list
}

// asleep says whether the main thread of pid waits in the kernel.
func asleep(pid int) bool {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/stat", pid, pid))
	return strings.Contains(string(b), ") S ")
}
