package e2e

import (
	"debug/elf"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seam-project/seam/preload/plan/debuginfo"
	"github.com/seam-project/seam/tests/harness"
)

// calls runs a program under seam run --live and returns what it printed of
// each call, without process, time and duration: `parse_line("hello", 3) = 107`.
func calls(t *testing.T, flags []string, c harness.Cmd) (harness.Result, []string) {
	t.Helper()
	c.Args = append(append(append([]string{harness.Seam(t), "run", "--live"}, flags...), "--"), c.Args...)
	res := harness.Run(t, c)
	var out []string
	for line := range strings.Lines(res.Stderr) {
		if f := strings.Fields(line); len(f) < 4 || !strings.HasPrefix(f[2], "+0.") {
			continue
		}
		_, line, _ = strings.Cut(line, "+0.")
		_, line, _ = strings.Cut(line, " ")
		line, _, _ = strings.Cut(strings.TrimSpace(line), " <")
		out = append(out, line)
	}
	return res, out
}

func tool(t *testing.T, name string, args ...string) {
	t.Helper()
	if r := harness.Run(t, harness.Cmd{Args: append([]string{harness.Program(t, name)}, args...)}); r.Code != 0 {
		t.Fatalf("%s %v: %v", name, args, r)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o755); err != nil {
		t.Fatal(err)
	}
}

var staticCalls = []string{
	`parse_line("hello", 3) = 107`,
	`parse_ints(97, 200, 60000, -5, GREEN, 1, NULL) = 60298`,
	`parse_ints(98, 1, 2, 3, BLUE, 0, NULL) = 103`,
	`parse_ints(99, 1, 2, 3, 77, 0, NULL) = 182`,
	`parse_float(1, _, _, 4) = 11`,
	`parse_pair(_, 9) = _`,
	`parse_mixed(1, _, 2) = 10`,
	`parse_many(1, 2, 3, 4, 5, 6, 7, "eight", _, _) = 144`,
	`parse_login("me", (withheld, 2 bytes)) = 9`,
}

// TestDWARFArguments: static functions are decoded as the source declares them,
// at every level of optimisation and in both forms of DWARF.
func TestDWARFArguments(t *testing.T) {
	for _, flags := range [][]string{{"-g", "-O0"}, {"-g", "-O2"}, {"-gdwarf-4", "-O2"}, {"-gdwarf-4", "-O0", "-fno-omit-frame-pointer"}, {"-g", "-Os", "-gz=zlib"},
		{"-g", "-O2", "-no-pie"}} {
		t.Run(strings.Join(flags, " "), func(t *testing.T) {
			prog := compile(t, "static.c", flags...)
			want := harness.Run(t, harness.Cmd{Args: []string{prog}})
			got, lines := calls(t, []string{"-p", prog + ":parse_*"}, harness.Cmd{Args: []string{prog}})
			if got.Stdout != want.Stdout || got.Code != want.Code {
				t.Errorf("with seam %v, without %v", got, want)
			}
			all := strings.Join(lines, "\n")
			for _, c := range staticCalls {
				if !strings.Contains(all, c) {
					t.Errorf("%s is missing", c)
				}
			}
			if !strings.Contains(all, "parse_big(_, 9) = 0x") {
				t.Error("a structure that is returned in memory shifts no argument")
			}
			if strings.Contains(got.Stderr, "hunter2") || t.Failed() {
				t.Errorf("got\n%s\n%s", all, got.Stderr)
			}
		})
	}
}

// TestCopiesOfFunctions: gcc leaves arguments out of copies of a function. What
// is shown is what it says of the copy, under the function's name.
func TestCopiesOfFunctions(t *testing.T) {
	prog := compile(t, "static.c", "-g", "-O2")
	_, lines := calls(t, []string{"-p", prog + ":copied"}, harness.Cmd{Args: []string{prog}})
	if len(lines) != 2 || !strings.HasPrefix(lines[0], `copied("one", _, `) || !strings.HasPrefix(lines[1], `copied("two", _, `) {
		t.Errorf("%q", lines)
	}
	// A declaration is of the function, not of a copy with other arguments.
	_, lines = calls(t, []string{"-p", prog + ":copied", "--proto", "int copied(const char *name, const char *always, int n)"}, harness.Cmd{Args: []string{prog}})
	if len(lines) != 2 || !strings.HasPrefix(lines[0], `copied("one", _, `) {
		t.Errorf("%q", lines)
	}
}

// TestDebugFiles: names and arguments from a file elsewhere, if it is the right
// one; and no plan outlives the file that it was made from.
func TestDebugFiles(t *testing.T) {
	full := compile(t, "static.c", "-g", "-O1", "-Wl,--build-id")
	f, err := elf.Open(full)
	if err != nil {
		t.Fatal(err)
	}
	st, _ := os.Stat(full)
	raw, _ := os.Open(full)
	defer raw.Close()
	id := hex.EncodeToString(debuginfo.New(raw, st.Size(), full).BuildID)
	f.Close()
	if len(id) != 40 {
		t.Fatalf("build-id %q", id)
	}

	dir := t.TempDir()
	app, debug := filepath.Join(dir, "app"), filepath.Join(dir, "made.debug")
	tool(t, "objcopy", "--only-keep-debug", full, debug)
	tool(t, "objcopy", "--compress-debug-sections=zlib", debug)
	tool(t, "strip", "-o", app, full)
	other := filepath.Join(dir, "other.debug")
	tool(t, "objcopy", "--only-keep-debug", compile(t, "worker.c", "-rdynamic", "-g", "-Wl,--build-id"), other)

	seen := func(flags ...string) int {
		t.Helper()
		_, lines := calls(t, append(flags, "-p", app+":parse_*"), harness.Cmd{Args: []string{app}})
		n := 0
		for _, l := range lines {
			for _, c := range staticCalls {
				if l == c {
					n++
				}
			}
		}
		return n
	}
	root := filepath.Join(dir, "root")
	place := filepath.Join(root, ".build-id", id[:2], id[2:]+".debug")
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		t.Fatal(err)
	}
	if n := seen("--debug-dir", root); n != 0 {
		t.Errorf("stripped, and %d calls are known", n)
	}
	copyFile(t, debug, place) // the plan in the cache says that there was none
	if n := seen("--debug-dir", root); n != len(staticCalls) {
		t.Errorf("by build-id: %d calls of %d", n, len(staticCalls))
	}
	copyFile(t, other, place)
	if n := seen("--debug-dir", root); n != 0 {
		t.Errorf("the debug file of another program: %d calls", n)
	}

	if err := os.Mkdir(filepath.Join(dir, "root2"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, where := range []string{"link.debug", ".debug/link.debug", "root2" + dir + "/link.debug"} {
		at := filepath.Join(dir, where)
		copyFile(t, debug, filepath.Join(dir, "link", "link.debug"))
		tool(t, "strip", "-o", app, full)
		tool(t, "objcopy", "--add-gnu-debuglink="+filepath.Join(dir, "link", "link.debug"), app)
		copyFile(t, debug, at)
		if n := seen("--debug-dir", filepath.Join(dir, "root2")); n != len(staticCalls) {
			t.Errorf("by .gnu_debuglink, %s: %d calls of %d", where, n, len(staticCalls))
		}
		b, err := os.ReadFile(at)
		if err != nil {
			t.Fatal(err)
		}
		// In the last section's padding or headers: still an ELF file of that build-id.
		b[len(b)-1] ^= 1
		if err := os.WriteFile(at, b, 0o755); err != nil {
			t.Fatal(err)
		}
		if n := seen("--debug-dir", filepath.Join(dir, "root2")); n != 0 {
			t.Errorf("by .gnu_debuglink with a wrong check sum, %s: %d calls", where, n)
		}
		os.Remove(at)
	}
}

// TestOffsets: an address is taken only if a function starts there.
func TestOffsets(t *testing.T) {
	full := compile(t, "static.c", "-g", "-O2")
	f, err := elf.Open(full)
	if err != nil {
		t.Fatal(err)
	}
	syms, err := f.Symbols()
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	var at, size uint64
	for _, s := range syms {
		if s.Name == "parse_line" {
			at, size = s.Value, s.Size
		}
	}
	if at == 0 || size < 5 {
		t.Fatalf("parse_line at %#x, %d bytes", at, size)
	}
	stripped := filepath.Join(t.TempDir(), "app")
	tool(t, "strip", "-o", stripped, full)
	for _, prog := range []string{full, stripped} {
		_, r := watch(t, []string{"-p", fmt.Sprintf("%s:+%#x", prog, at), "-p", fmt.Sprintf("%s:+%#x", prog, at+3)}, harness.Cmd{Args: []string{prog}})
		exact(t, r)
		if fn := function(r, fmt.Sprintf("+%#x", at)); fn.Calls != 1 || fn.Kind != "call" {
			t.Errorf("%+v", r.Functions)
		}
		if len(r.Refusals) != 1 || r.Refusals[0].Reason != "not-a-function-start" {
			t.Errorf("refused: %+v", r.Refusals)
		}
	}
}

// TestProto: the user's word goes before the compiler's, and what it leaves out
// of the stack costs the program nothing.
func TestProto(t *testing.T) {
	prog := compile(t, "static.c", "-g", "-O2")
	want := harness.Run(t, harness.Cmd{Args: []string{prog}})
	for _, tc := range []struct{ decl, call string }{
		{"short parse_line(const char *text, unsigned char count) fails 107", `parse_line("hello", 3) = 107`},
		{"void parse_line(long text)", "parse_line("},
		{"int parse_many(int a)", "parse_many(1)"}, // takes seven words on the stack
		{"int parse_many(int a, ...)", "parse_many(1)"},
	} {
		got, lines := calls(t, []string{"-p", prog + ":parse_*", "--proto", tc.decl}, harness.Cmd{Args: []string{prog}})
		if got.Stdout != want.Stdout || got.Code != want.Code {
			t.Errorf("%s: with seam %v, without %v", tc.decl, got, want)
		}
		if all := strings.Join(lines, "\n"); !strings.Contains(all, tc.call) {
			t.Errorf("%s:\n%s", tc.decl, all)
		}
	}
	for decl, says := range map[string]string{
		"int work(int n, intt m)":                   "column 17",
		"int work(int n":                            "column 15",
		"int work(void *stmt) fails -1 handover db": "column 31",
	} {
		r := harness.Run(t, harness.Cmd{Args: []string{harness.Seam(t), "run", "-p", "x", "--proto", decl, "--", prog}})
		if r.Code == 0 || r.Stdout != "" || !strings.Contains(r.Stderr, decl) || !strings.Contains(r.Stderr, "^") {
			t.Errorf("%q: %v", decl, r)
			continue
		}
		var col int
		fmt.Sscanf(says, "column %d", &col)
		if !strings.Contains(r.Stderr, "    "+strings.Repeat(" ", col-1)+"^\n") {
			t.Errorf("%q: not at %s:\n%s", decl, says, r.Stderr)
		}
	}
}

func TestCPlusPlusNames(t *testing.T) {
	gxx := harness.Program(t, "g++")
	prog := filepath.Join(t.TempDir(), "parser")
	tool(t, filepath.Base(gxx), "-g", "-O1", "-o", prog, "testdata/parser.cpp")
	_, lines := calls(t, []string{"-p", prog + ":ns::Parser::pa*"}, harness.Cmd{Args: []string{prog}})
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "ns::Parser::parse(0x") || !strings.HasSuffix(lines[0], `, "xyz", Slow) = 132`) {
		t.Errorf("%q", lines)
	}
}

// TestLinkedInSqlite: the pack finds sqlite inside a program, whoever starts the
// program, and fetches its messages.
func TestLinkedInSqlite(t *testing.T) {
	harness.Program(t, "/usr/include/sqlite3.h")
	lib := harness.Program(t, "/usr/lib/x86_64-linux-gnu/libsqlite3.a")
	full := compile(t, "sqlite.c", "-O1", lib, "-lm", "-pthread")
	dir := t.TempDir()
	stripped := filepath.Join(dir, "app")
	tool(t, "objcopy", "--only-keep-debug", full, filepath.Join(dir, "app.debug"))
	tool(t, "strip", "-o", stripped, full)
	tool(t, "objcopy", "--add-gnu-debuglink="+filepath.Join(dir, "app.debug"), stripped)
	exported := compile(t, "sqlite.c", "-O2", "-rdynamic", lib, "-lm", "-pthread")
	for name, args := range map[string][]string{
		"itself": {full, "1", "20"}, "by a shell": {"/bin/sh", "-c", full + " 1 20; exit"},
		"exported, by a shell": {"/bin/sh", "-c", exported + " 1 20; exit"}, "by its debug file": {stripped, "1", "20"},
	} {
		t.Run(name, func(t *testing.T) {
			want := harness.Run(t, harness.Cmd{Args: args})
			got, r := watch(t, []string{"-H", "sqlite"}, harness.Cmd{Args: args})
			if got.Stdout != want.Stdout || got.Code != want.Code {
				t.Errorf("with seam %v, without %v", got, want)
			}
			exact(t, r)
			var insert, bad bool
			for _, s := range r.SQL {
				insert = insert || s.SQL == "insert into n values(?)" && s.Executions == 20
				bad = bad || strings.Contains(s.LastError, "no such function: nofunction_")
			}
			if !insert || !bad {
				t.Errorf("statements: %+v", r.SQL)
			}
		})
	}
}

// TestDoctorSources: where a function and its arguments are known from.
func TestDoctorSources(t *testing.T) {
	prog := compile(t, "static.c", "-g", "-O1")
	r := harness.Run(t, harness.Cmd{Args: []string{harness.Seam(t), "doctor", "-p", prog + ":parse_*", "-p", "libc:read", "--proto", "int parse_line(const char *s)", prog}})
	for _, want := range []string{"found in     8 .symtab", "arguments    1 --proto, 7 DWARF"} {
		if r.Code != 0 || !strings.Contains(r.Stdout, want) {
			t.Errorf("%q is missing in %v", want, r)
		}
	}
}
