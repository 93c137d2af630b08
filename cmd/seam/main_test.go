package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/launcher"
)

// TestMain lets the test binary be seam, without a library in it: targets run
// unwatched, everything around them is as it is.
func TestMain(m *testing.M) {
	if os.Getenv("SEAM_TEST_MAIN") != "" {
		a := &app{out: os.Stdout, err: os.Stderr, environ: launcher.Environ(),
			library: func(*launcher.Cache) (string, error) { return "", nil }}
		if os.Getenv("SEAM_TEST_MAIN") == "bare" {
			a.library = func(*launcher.Cache) (string, error) { return "", launcher.ErrNoLibrary }
		}
		os.Exit(a.main(os.Args[1:]))
	}
	var err error
	if cache, err = os.MkdirTemp("", "seam-cmd-test-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(cache)
	os.Exit(code)
}

// cache is XDG_CACHE_HOME of the seams that tests start.
var cache string

type result struct {
	out, err string
	code     int
	signal   syscall.Signal
}

func seam(t *testing.T, env []string, args ...string) result {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append([]string{"SEAM_TEST_MAIN=1", "PATH=" + os.Getenv("PATH"), "XDG_CACHE_HOME=" + cache}, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	ws := cmd.ProcessState.Sys().(syscall.WaitStatus)
	r := result{out: out.String(), err: errs.String(), code: ws.ExitStatus()}
	if ws.Signaled() {
		r.signal = ws.Signal()
	}
	return r
}

// TestErrors has all that can be typed wrong: standard output stays empty,
// standard error is exactly this.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(dir+"/text", []byte("hello\n"), 0o600)
	long := "/" + strings.Repeat("x", 120)
	for _, tc := range []struct {
		args string // separated by blanks
		env  []string
		code int
		want string
	}{
		{"rum", nil, 125, "seam: error: unknown command 'rum'\nseam: hint: did you mean 'seam run'?\n"},
		{"./app", nil, 125, "seam: error: unknown command './app'\nseam: hint: to watch a program: seam run -- ./app\n"},
		{"run", nil, 125, "seam: error: no program given\nseam: hint: seam run [flags] -- program args…\n"},
		{"run --bufer 1M true", nil, 125, "seam: error: seam run has no flag --bufer\nseam: hint: did you mean --buffer? (flags for the program go behind its name)\n"},
		{"listen --soket x", nil, 125, "seam: error: seam listen has no flag --soket\nseam: hint: did you mean --socket?\n"},
		{"run -z true", nil, 125, "seam: error: seam run has no flag -z\nseam: hint: see: seam help run\n"},
		{"run --probe", nil, 125, "seam: error: --probe needs a value\nseam: hint: see: seam help run\n"},
		{"run --buffer 3q true", nil, 125, "seam: error: --buffer: not a size: '3q'\nseam: hint: a number of bytes, or with a unit: 512KiB, 8MiB\n"},
		{"run --buffer 1 true", nil, 125, "seam: error: --buffer: '1' is out of range\nseam: hint: from 64KiB to 1GiB\n"},
		{"run --on-full drop true", nil, 125, "seam: error: --on-full: unknown policy 'drop'\nseam: hint: did you mean drop-oldest or drop-newest? one of: drop-oldest, drop-newest, block\n"},
		{"run --on-full blok true", nil, 125, "seam: error: --on-full: unknown policy 'blok'\nseam: hint: did you mean block? one of: drop-oldest, drop-newest, block\n"},
		{"run --block-timeout 5 true", nil, 125, "seam: error: --block-timeout: not a time: '5'\nseam: hint: a number with a unit: 50ms, 1.5s\n"},
		{"run --block-timeout 1h true", nil, 125, "seam: error: --block-timeout: '1h' is out of range\nseam: hint: from 1ms to 1m0s\n"},
		{"run -H fil true", nil, 125, "seam: error: unknown pack 'fil'\nseam: hint: did you mean file? one of: file, net, proc, sqlite, security, all, none\n"},
		{"run -H none true", nil, 125, "seam: error: nothing to watch\nseam: hint: give a probe (-p 'libc:open*') or a pack (-H file)\n"},
		{"run -p libc: true", nil, 125, "seam: error: probe \"libc:\": expected a function name\n    libc:\n         ^\nseam: hint: a probe is LIB:FUNCTION, for instance libc:open*\n"},
		{"run true", []string{"SEAM_BUFFER=lots"}, 125, "seam: error: SEAM_BUFFER: not a size: 'lots'\nseam: hint: a number of bytes, or with a unit: 512KiB, 8MiB\n"},
		{"run no-such-program", nil, 127, "seam: error: no such program: 'no-such-program'\nseam: hint: it was looked for in PATH\n"},
		{"run /", nil, 126, "seam: error: '/' is a directory\nseam: hint: name a program in it\n"},
		{"exec " + dir + "/text", nil, 126, "seam: error: '" + dir + "/text' can't be executed: permission denied\nseam: hint: chmod +x " + dir + "/text\n"},
		{"exec true", nil, 125, "seam: error: seam exec needs --socket: nobody else will read what the program reports\nseam: hint: start 'seam listen --socket PATH' and give the same path\n"},
		{"run -o /no/such/dir/f true", nil, 125, "seam: error: save stream: open /no/such/dir/f: no such file or directory\nseam: hint: give --output a file in a directory that exists and is writable\n"},
		{"run --report /no/such/dir/f true", nil, 125, "seam: error: write report: open /no/such/dir/f: no such file or directory\nseam: hint: give --report a file in a directory that exists and is writable\n"},
		{"env x", nil, 125, "seam: error: seam env takes no arguments: 'x'\nseam: hint: see: seam help env\n"},
		{"env -f json", nil, 125, "seam: error: unknown format 'json'\nseam: hint: one of: shell, env-file, systemd\n"},
		{"env --socket " + long, nil, 125, "seam: error: use socket '" + long + "': the path is longer than 107 bytes\n"},
		{"report", nil, 125, "seam: error: seam report needs one file\nseam: hint: save one with: seam run -o FILE -- program\n"},
		{"doctor", nil, 125, "seam: error: no program given\nseam: hint: seam doctor [flags] program\n"},
		{"hooks shw", nil, 125, "seam: error: unknown subcommand of seam hooks 'shw'\nseam: hint: did you mean show? one of: ls, show, check, header\n"},
		{"hooks show sqlite3_stp", nil, 125, "seam: error: unknown pack or function 'sqlite3_stp'\nseam: hint: did you mean sqlite3_step or sqlite3_exec or sqlite3_open?\n"},
		{"help rnu", nil, 125, "seam: error: unknown command 'rnu'\nseam: hint: did you mean 'seam run'?\n"},
		{"run true", []string{"SEAM_TEST_MAIN=bare"}, 125, "seam: error: this seam was built without its library\nseam: hint: build it with: make build\n"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			r := seam(t, tc.env, strings.Fields(tc.args)...)
			if r.code != tc.code || r.out != "" || r.err != tc.want {
				t.Errorf("exit status %d, want %d\nout: %q\n got %s\nwant %s", r.code, tc.code, r.out, r.err, tc.want)
			}
		})
	}
}

// TestRefusedFiles: what seam says of files it can't read, with the system's words in it.
func TestRefusedFiles(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(dir+"/text", []byte("hello\n"), 0o600)
	for _, args := range [][]string{{"report", dir + "/none"}, {"report", dir + "/text"}, {"run", "--socket", "/no/such/dir/at/all/s", "true"}} {
		r := seam(t, nil, args...)
		if r.code != 125 || r.out != "" || !strings.HasPrefix(r.err, "seam: error: ") {
			t.Errorf("%v: exit status %d, out %q, err %q", args, r.code, r.out, r.err)
		}
	}
}

func TestQuietRunIsSilent(t *testing.T) {
	r := seam(t, nil, "run", "-q", "/bin/true", "--help")
	if r.code != 0 || r.err != "" || r.out == "" { // the help is true's: flags end at its name
		t.Errorf("%+v", r)
	}
	r = seam(t, nil, "run", "-q", "sh", "-c", "echo out; echo err >&2; exit 7", "-q")
	if want := (result{out: "out\n", err: "err\n", code: 7}); r != want {
		t.Errorf("got %+v, want %+v", r, want)
	}
	r = seam(t, []string{"SEAM_QUIET=1"}, "run", "--", "sh", "-c", "kill -USR1 $$")
	if r.signal != syscall.SIGUSR1 || r.out+r.err != "" {
		t.Errorf("got %+v, want SIGUSR1", r)
	}
}

func TestReportGoesWhereItIsSent(t *testing.T) {
	dir := t.TempDir()
	r := seam(t, nil, "run", "echo", "hello")
	if r.code != 0 || r.out != "hello\n" || !strings.Contains(r.err, "0 produced, 0 delivered, 0 dropped") {
		t.Errorf("plain: %+v", r)
	}
	r = seam(t, nil, "run", "--report", dir+"/r.json", "--json", "-o", dir+"/capture", "echo", "hello")
	if r != (result{out: "hello\n"}) {
		t.Errorf("to a file: %+v", r)
	}
	text, _ := os.ReadFile(dir + "/r.json")
	var rep struct {
		Version int
		Target  []string
	}
	if err := json.Unmarshal(text, &rep); err != nil || rep.Version != 1 || strings.Join(rep.Target, " ") != "echo hello" {
		t.Errorf("report: %v\n%s", err, text)
	}
	if st, err := os.Stat(dir + "/capture"); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("capture: %v, %v", st, err)
	}
	if r = seam(t, nil, "report", dir+"/capture"); r.code != 0 || r.err != "" || !strings.Contains(r.out, "0 produced") {
		t.Errorf("report of the capture: %+v", r)
	}
}

// TestWarnings: a probe that matches nothing is said before the start, and the
// program runs.
func TestWarnings(t *testing.T) {
	r := seam(t, nil, "run", "--report", "/dev/null", "-p", "libc:opne", "true")
	if want := "seam: warning: probe 'libc:opne' matches nothing in libc.so.6; nearest: open"; r.code != 0 || !strings.HasPrefix(r.err, want) {
		t.Errorf("got %+v", r)
	}
	r = seam(t, []string{"SEAM_PROBES=libc:open\nlibc:close"}, "run", "--report", "/dev/null", "true")
	if r != (result{}) {
		t.Errorf("probes from the environment: %+v", r)
	}
}

func TestExec(t *testing.T) {
	r := seam(t, []string{"A=1"}, "exec", "--socket", "/tmp/nobody-listens", "sh", "-c", "echo $$ $PPID; echo $SEAM_SOCKET; test -r $SEAM_SPEC")
	m := regexp.MustCompile(`^(\d+) (\d+)\n/tmp/nobody-listens\n$`).FindStringSubmatch(r.out)
	if r.code != 0 || r.err != "" || m == nil || m[2] != itoa(os.Getpid()) {
		t.Errorf("got %+v; our pid is %d", r, os.Getpid())
	}
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

func TestEnv(t *testing.T) {
	r := seam(t, nil, "env", "--socket", "/tmp/s", "--format", "env-file")
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	if r.code != 0 || r.err != "" || len(lines) != 2 || lines[1] != "SEAM_SOCKET=/tmp/s" {
		t.Fatalf("got %+v", r)
	}
	raw, err := os.ReadFile(strings.TrimPrefix(lines[0], "SEAM_SPEC="))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := hooks.ParseSpec(raw)
	if err != nil || len(spec.Probes) != len(hooks.DefaultPacks())+1 || spec.Probes[len(spec.Probes)-1].Has == "" || !strings.HasPrefix(spec.Plans, filepath.Join(cache, "seam", "plans")) {
		t.Errorf("spec: %+v, %v", spec, err)
	}
}

func TestDoctor(t *testing.T) {
	r := seam(t, nil, "doctor", "/bin/true", "-p", "libc:open", "-p", "libc:opne", "--json")
	var d diagnosis
	if err := json.Unmarshal([]byte(r.out), &d); err != nil || r.code != 0 || r.err != "" {
		t.Fatalf("%v: %+v", err, r)
	}
	if len(d.Plans) != 1 || len(d.Plans[0].Sites) != 1 || d.Plans[0].Sites[0].Name != "open" || d.Totals.Full != 1 || len(d.Warnings) != 1 {
		t.Errorf("diagnosis %+v", d)
	}
	r = seam(t, nil, "doctor", "/bin/true", "--explain", "open")
	for _, want := range []string{"verdict    can be watched\n", "open: full at 0x", "trampoline", "1 functions in full, 0 entry only, 0 count only; 0 refused\n"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("%q is not in\n%s", want, r.out)
		}
	}
	r = seam(t, nil, "doctor", "--library", "libc.so.6", "--library", "libstdc++", "--json")
	var cs []coverage
	if err := json.Unmarshal([]byte(r.out), &cs); err != nil || r.code != 0 || len(cs) != 2 {
		t.Fatalf("%v: %+v", err, r)
	}
	for _, c := range cs {
		if c.Functions < 1000 || c.Inline+c.Picked+c.Pointer+c.Refused != c.Functions || c.Refused*100 > c.Functions {
			t.Errorf("%+v", c)
		}
	}
	if r = seam(t, nil, "doctor", "--library", "libc.so.6"); !strings.Contains(r.out, "protected: patching this function could break") {
		t.Errorf("%+v", r)
	}
	for _, bad := range [][]string{{"--library", "libnonesuch.so.1"}, {"--library", "/etc/passwd"}, {"--library", "libc.so.6", "/bin/true"}} {
		if r = seam(t, nil, append([]string{"doctor"}, bad...)...); r.code != 125 || !strings.HasPrefix(r.err, "seam: error: ") || !strings.Contains(r.err, "\nseam: hint: ") {
			t.Errorf("%v: %+v", bad, r)
		}
	}
	static := filepath.Join(t.TempDir(), "static")
	src := static + ".c"
	os.WriteFile(src, []byte("int main(void) { return 0; }"), 0o600)
	if out, err := exec.Command("gcc", "-static", "-o", static, src).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r = seam(t, nil, "doctor", static)
	if r.code != 126 || r.err != "" || !strings.Contains(r.out, "refused    '"+static+"' is statically linked\nhint ") {
		t.Errorf("static: %+v", r)
	}
}

func TestParseSize(t *testing.T) {
	for in, want := range map[string]int64{"0": 0, "65536": 65536, "64k": 64 << 10, "8MiB": 8 << 20, "8m": 8 << 20, "8MB": 8 << 20, "1GiB": 1 << 30, "12B": 12} {
		if n, err := parseSize(in); err != nil || n != want {
			t.Errorf("%s: %d, %v; want %d", in, n, err, want)
		}
	}
	for _, in := range []string{"", "k", "-1", "1.5M", "1kk", "1iB", "99999999999999999999", "9999999999G"} {
		if n, err := parseSize(in); err == nil {
			t.Errorf("%q is %d", in, n)
		}
	}
}

// TestTable: each command runs something, each option belongs to a command, and
// no command has a name twice.
func TestTable(t *testing.T) {
	a := &app{}
	for _, o := range options {
		for _, in := range o.in {
			if commandNamed(in) == nil {
				t.Errorf("--%s is for '%s', which is no command", o.name, in)
			}
		}
	}
	for _, c := range commands() {
		a.flags(c) // panics when a flag is there twice
		var b bytes.Buffer
		a.commandHelp(&b, c)
		for _, o := range optionsOf(c) {
			if !strings.Contains(b.String(), "--"+o.name) || o.env != "" && !strings.Contains(b.String(), "["+o.env+"]") {
				t.Errorf("help of %s misses --%s or its variable", c.name, o.name)
			}
		}
	}
}

func TestDeclList(t *testing.T) {
	for _, c := range []struct {
		text string
		want declList
	}{
		{"int a(int)\nint b(int)", declList{"int a(int)", "int b(int)"}},
		{"struct s { int a;\n\tint b; // more\n};\nint a(struct s *s);\nint b(struct s *s)\nint c(void);", declList{"struct s { int a;\n\tint b; // more\n};\nint a(struct s *s);\nint b(struct s *s)", "int c(void)"}},
		{"\n \n// nothing\nint a(int x,\n int y)\n", declList{"// nothing\nint a(int x,\n int y)"}},
		{";", nil},
	} {
		var got declList
		if err := got.Set(c.text); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, %v; want %q", c.text, got, err, c.want)
		}
	}
}
