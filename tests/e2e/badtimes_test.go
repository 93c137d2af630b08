package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seam-project/seam/tests/harness"
)

// refused checks that seam ends with its own status, an error and a hint, and that
// it did not start the program.
func refused(t *testing.T, args []string, wants ...string) {
	t.Helper()
	marker := filepath.Join(t.TempDir(), "started")
	args = append([]string{harness.Seam(t)}, args...)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "TOUCH", "touch "+marker)
	}
	res := harness.Run(t, harness.Cmd{Args: args})
	if res.Code != 125 || res.Stdout != "" {
		t.Errorf("%q: %v; want exit status 125", args, res)
	}
	for _, want := range append(wants, "seam: error: ", "seam: hint: ") {
		if !strings.Contains(res.Stderr, want) {
			t.Errorf("%q says %q, which lacks %q", args, res.Stderr, want)
		}
	}
	if _, err := os.Stat(marker); err == nil {
		t.Errorf("%q: the program was started", args)
	}
}

func TestBadArguments(t *testing.T) {
	sh := []string{"--", "/bin/sh", "-c", "TOUCH"}
	run := func(flags ...string) []string { return append(append([]string{"run"}, flags...), sh...) }
	for _, tc := range []struct {
		name  string
		args  []string
		wants []string
	}{
		{"unknown flag", run("--liev"), []string{"no flag --liev", "--live"}},
		{"unknown short flag", run("-Z"), []string{"no flag -Z"}},
		{"flag without value", []string{"run", "--buffer"}, []string{"--buffer needs a value"}},
		{"unknown policy", run("--on-full", "drop"), []string{"drop-oldest"}},
		{"bad size", run("--buffer", "8XB"), []string{"8XB"}},
		{"tiny size", run("--buffer", "1"), []string{"64KiB"}},
		{"bad time", run("--block-timeout", "5"), []string{"50ms"}},
		{"unknown pack", run("-H", "sqlit"), []string{"sqlite"}},
		{"unknown command", []string{"rnu", "x"}, []string{"unknown command", "seam run"}},
		{"no program", []string{"run"}, []string{"no program"}},
		{"probe without function", run("-p", "libc:"), []string{`"libc:"`, "^"}},
		{"probe with a bad instrument", run("-p", "libc:open@histo"), []string{"histo", "^"}},
		{"probe with a bad condition", run("-p", "libc:open if file === 3"), []string{"^"}},
		{"probe with an open string", run("-p", `libc:open if file ^= "x`), []string{"^"}},
		{"probe with a bad time", run("-p", "libc:open slower 5 parsecs"), []string{"^"}},
		{"probe with a bad glob", run("-p", "libc:[a-"), []string{"^"}},
		{"socket in no directory", run("--socket", "/nonexistent/dir/sock"), []string{"/nonexistent/dir"}},
		{"socket in no writable directory", run("--socket", "/proc/sock"), []string{"/proc/sock"}},
		{"socket that is a file", run("--socket", "/etc/passwd"), []string{"not a socket"}},
		{"socket with a long path", run("--socket", "/tmp/"+strings.Repeat("x", 200)), []string{"107"}},
		{"output in no directory", run("-o", "/nonexistent/dir/file"), []string{"/nonexistent/dir/file"}},
		{"report in no directory", run("--report", "/nonexistent/dir/file"), []string{"/nonexistent/dir/file"}},
		{"exec without socket", []string{"exec", "--", "/bin/true"}, []string{"--socket"}},
		{"capture file that is none", []string{"report", "/etc/passwd"}, nil},
		{"capture file that is not there", []string{"report", "/nonexistent"}, []string{"/nonexistent"}},
	} {
		t.Run(tc.name, func(t *testing.T) { refused(t, tc.args, tc.wants...) })
	}
}

func TestProbeThatMatchesNothing(t *testing.T) {
	res := harness.Run(t, harness.Cmd{Args: []string{harness.Seam(t), "run", "-p", "libc:opne", "--", "/bin/echo", "x"}})
	if res.Code != 0 || res.Stdout != "x\n" || !strings.Contains(res.Stderr, "libc:opne") || !strings.Contains(res.Stderr, "open") {
		t.Errorf("a probe without match and its nearest names: %v", res)
	}
}

func TestFullDisk(t *testing.T) {
	prog := compile(t, "calls.c")
	t.Run("device", func(t *testing.T) {
		y := newTally(t)
		c := harness.Cmd{Args: append(append([]string{harness.Seam(t), "run", "-o", "/dev/full"}, onlyGetppid...), "--", prog, y.path, "1000", "1")}
		res := harness.Run(t, c)
		if res.Code != 5 || res.Stdout != "" {
			t.Errorf("the program: %v", res)
		}
		for _, want := range []string{"no space left on device", "seam: hint: ", "1,000 produced, 1,000 delivered, 0 dropped"} {
			if !strings.Contains(res.Stderr, want) {
				t.Errorf("%q is not said in %q", want, res.Stderr)
			}
		}
	})
	// A disk with 1 MiB: what fits must still tell. Mounted where nobody else sees it.
	t.Run("part", func(t *testing.T) {
		unshare, bash := harness.Program(t, "unshare"), harness.Program(t, "bash")
		private := []string{unshare, "-m"}
		if os.Geteuid() != 0 {
			private = []string{unshare, "-Urm"}
		}
		y := newTally(t)
		dir := t.TempDir()
		script := `mkdir disk && mount -t tmpfs -o size=1m none disk && "$@"; code=$?; cp disk/part saved; exit $code`
		c := harness.Cmd{Dir: dir, Args: append(append(append(private, bash, "-c", script, "bash", harness.Seam(t), "run", "-o", "disk/part"), onlyGetppid...), "--", prog, y.path, "200000", "1")}
		res := harness.Run(t, c)
		if res.Code != 5 || !strings.Contains(res.Stderr, "seam: hint: ") || !strings.Contains(res.Stderr, "no space left on device") {
			t.Errorf("the program: %v", res)
		}
		told := harness.Run(t, harness.Cmd{Dir: dir, Args: []string{harness.Seam(t), "report", "saved"}})
		if !strings.Contains(told.Stdout, "getppid") || !strings.Contains(told.Stderr, "seam: error: ") {
			t.Errorf("the report of the part that was saved: %v", told)
		}
	})
}

// TestFileSizeLimit: the limit is the program's; going beyond it in its name would
// kill it with SIGXFSZ.
func TestFileSizeLimit(t *testing.T) {
	bash := harness.Program(t, "bash")
	for _, start := range []string{"demand", "now"} {
		same(t, []string{"--start", start}, harness.Cmd{Args: []string{bash, "-c", `ulimit -f 64; ls -d / /nonexistent; cat /etc/passwd | wc -l; echo $?`}}, nil)
		res := harness.Run(t, harness.Cmd{Args: []string{bash, "-c", `ulimit -f 64; exec "$0" run -q --start ` + start + ` -- ls -d /`, harness.Seam(t)}})
		if res != (harness.Result{Stdout: "/\n"}) {
			t.Errorf("under the limit from the start: %v", res)
		}
	}
}

func TestDamagedCapture(t *testing.T) {
	seam := harness.Seam(t)
	dir := t.TempDir()
	res := harness.Run(t, harness.Cmd{Dir: dir, Args: []string{seam, "run", "-o", "whole", "--report", "told", "--", "/bin/ls", "/"}})
	if res.Code != 0 {
		t.Fatal(res)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "whole"))
	if err != nil {
		t.Fatal(err)
	}
	report := func(name string, content []byte) harness.Result {
		write(t, filepath.Join(dir, name), string(content))
		return harness.Run(t, harness.Cmd{Dir: dir, Args: []string{seam, "report", name}})
	}
	told, err := os.ReadFile(filepath.Join(dir, "told"))
	if err != nil {
		t.Fatal(err)
	}
	if again := report("again", whole); again.Code != 0 || again.Stdout != strings.Replace(string(told), "/bin/ls /", "again", 1) && again.Stdout != string(told) {
		t.Errorf("seam report: %v\nseam run: %s", again, told)
	}
	if empty := report("empty", nil); empty.Code != 125 || !strings.Contains(empty.Stderr, "seam: error: ") {
		t.Errorf("an empty file: %v", empty)
	}
	for cut := 1; cut < len(whole); cut = cut*5/3 + 1 {
		if r := report("cut", whole[:cut]); r.Signal != 0 || strings.Contains(r.Stderr, "panic") || r.Code != 0 && !strings.Contains(r.Stderr, "seam: error: ") {
			t.Errorf("cut at %d: %v", cut, r)
		}
	}
	for at := 20; at < len(whole); at = at*2 + 7 {
		bad := append([]byte(nil), whole...)
		for i := at; i < min(at+9, len(bad)); i++ {
			bad[i] ^= byte(0xa5 + i)
		}
		if r := report("bad", bad); r.Signal != 0 || strings.Contains(r.Stderr, "panic") || r.Code != 0 && !strings.Contains(r.Stderr, "seam: error: ") {
			t.Errorf("damaged at %d: %v", at, r)
		}
	}
}

// TestReadersThatMisbehave: whatever a reader does, the program runs as without it.
func TestReadersThatMisbehave(t *testing.T) {
	prog := compile(t, "calls.c")
	hold := make(chan struct{})
	for _, tc := range []struct {
		name string
		use  func(net.Conn)
	}{
		{"sends garbage", func(c net.Conn) {
			b := make([]byte, 1<<16)
			for i := range b {
				b[i] = byte(i*i + i>>8)
			}
			c.SetDeadline(time.Now().Add(5 * time.Second))
			for {
				if _, err := c.Write(b); err != nil {
					return
				}
			}
		}},
		{"stops reading", func(c net.Conn) {
			c.Read(make([]byte, 1000))
			<-hold
		}},
		{"never reads", func(c net.Conn) { <-hold }},
		{"dies in a batch", func(c net.Conn) {
			n := 0
			for b := make([]byte, 777); n < 40_000; {
				k, err := c.Read(b)
				if err != nil {
					return
				}
				n += k
			}
		}},
		{"closes at once", func(c net.Conn) {}},
	} {
		for _, policy := range []string{"drop-oldest", "drop-newest", "block"} {
			t.Run(tc.name+" "+policy, func(t *testing.T) {
				r := newReader(t, tc.use)
				y := newTally(t)
				flags := append([]string{"--buffer", "64k", "--on-full", policy, "--block-timeout", "1ms", "--start", "first"}, onlyGetppid...)
				calls := uint64(30000)
				if policy == "block" {
					calls = 1500 // each may wait for the reader as long as the timeout says
				}
				res := harness.Run(t, execed(t, r.path, flags, harness.Cmd{Args: []string{prog, y.path, strconv.FormatUint(calls, 10), "1"}}))
				if res != (harness.Result{Code: 5}) || y.calls() != calls {
					t.Errorf("the program: %v, %d calls", res, y.calls())
				}
				if r.connections() == 0 {
					t.Error("nobody connected")
				}
				r.ln.Close()
			})
		}
	}
	close(hold)
}

// TestReaderIsReplaced: one that dies in a batch is followed by one that reads all;
// what the first got is not known, but the law holds for what was sent.
func TestReaderIsReplaced(t *testing.T) {
	prog := compile(t, "calls.c")
	var r *reader
	first := true
	r = newReader(t, func(c net.Conn) {
		r.mu.Lock()
		mine := first && r.conns > 1 // the first connection is the core's, with hello alone
		if mine {
			first = false
		}
		r.mu.Unlock()
		if mine {
			c.Read(make([]byte, 5000))
			return
		}
		r.read(c)
	})
	y := newTally(t)
	flags := append([]string{"--on-full", "block", "--block-timeout", "60s", "--buffer", "256k", "--start", "now"}, onlyGetppid...)
	res := harness.Run(t, execed(t, r.path, flags, harness.Cmd{Args: []string{prog, y.path, "100000", "1"}}))
	if res != (harness.Result{Code: 5}) {
		t.Errorf("the program: %v", res)
	}
	r.close()
	if first {
		t.Fatal("no reader died")
	}
	if r.byes() != 1 {
		t.Fatalf("%d byes", r.byes())
	}
	for id, bye := range r.bye {
		p, d, dropped := number(bye["produced"]), number(bye["delivered"]), number(bye["dropped"])
		if p != 100000 || p != d+dropped {
			t.Errorf("produced %d, delivered %d, dropped %d", p, d, dropped)
		}
		if got := int64(r.delivered[id]); got > d || got == 0 {
			t.Errorf("the second reader got %d calls, %d were sent in all", got, d)
		}
	}
	for _, s := range r.trouble {
		t.Error(s)
	}
}

func TestNoReader(t *testing.T) {
	prog := compile(t, "calls.c")
	for _, start := range []string{"demand", "now", "never"} {
		y := newTally(t)
		flags := append([]string{"--start", start, "--buffer", "64k"}, onlyGetppid...)
		socket := filepath.Join(t.TempDir(), "none")
		res := harness.Run(t, execed(t, socket, flags, harness.Cmd{Args: []string{prog, y.path, "50000", "2"}}))
		if res != (harness.Result{Code: 5}) || y.calls() != 100000 {
			t.Errorf("%s: %v, %d calls", start, res, y.calls())
		}
	}
}

func TestListenIsKilled(t *testing.T) {
	prog := compile(t, "calls.c")
	socket := filepath.Join(harness.Shared(t), "listen-killed")
	listen := harness.Start(t, harness.Cmd{Args: []string{harness.Seam(t), "listen", "--socket", socket}})
	eventually(t, "the socket", func() bool { _, err := os.Stat(socket); return err == nil })
	y := newTally(t)
	target := harness.Start(t, execed(t, socket, append([]string{"--start", "now"}, onlyGetppid...), harness.Cmd{Args: []string{prog, y.path, "0", "1"}}))
	eventually(t, "calls", func() bool { return y.calls() > 1000 })
	listen.Signal(syscall.SIGKILL)
	listen.Wait()
	n := y.calls()
	eventually(t, "further calls", func() bool { return y.calls() > n+100_000 })

	// The next one takes over the socket's name, and the target finds it.
	next := harness.Start(t, harness.Cmd{Args: []string{harness.Seam(t), "listen", "--socket", socket}})
	eventually(t, "events at the second reader", func() bool { return strings.Contains(next.Stdout(), `"name":"getppid"`) })
	next.Signal(syscall.SIGTERM)
	if res := next.Wait(); res.Code != 0 {
		t.Errorf("seam listen: exit status %d, %q", res.Code, res.Stderr)
	}
	target.Signal(syscall.SIGKILL)
	target.Wait()
}
