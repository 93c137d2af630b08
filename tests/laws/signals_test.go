package laws

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seam-project/seam/tests/harness"
)

// Programs that live by signals: each ends and says what it does without seam.
func TestSignalPrograms(t *testing.T) {
	python := harness.Program(t, "python3")
	node := harness.Program(t, "node")
	perl := harness.Program(t, "perl")
	bash := harness.Program(t, "bash")
	java := harness.Program(t, "java")
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// Compiled ahead: the compiler is a program of its own.
	if r := harness.Run(t, harness.Cmd{Args: []string{harness.Program(t, "javac"), "-d", dir, file("Signals.java", signalsJava)}, Deadline: 6 * deadline}); r.Code != 0 {
		t.Fatalf("compile: %v", r)
	}
	for name, args := range map[string][]string{
		// A handler for SIGSEGV that writes where each thread is and dies of the signal anew.
		"faulthandler": {python, "-X", "faulthandler", "-c", "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(9,), daemon=True).start(); time.sleep(0.1); ctypes.string_at(8)"},
		// SIGALRM and SIGPROF by timers, sigwait, sigtimedwait, set_wakeup_fd.
		"python timers": {python, file("timers.py", timersPy)},
		// An alarm whose handler dies inside a read that blocks.
		"perl alarm": {perl, "-e", `use POSIX; my $n = 0; for (1..40) { eval { sigaction SIGALRM, POSIX::SigAction->new(sub { die "late\n" }); require Time::HiRes; Time::HiRes::ualarm(2000); pipe my $r, my $w; sysread $r, my $b, 1; 1 } or do { $n++ if $@ eq "late\n" } } print "$n\n"`},
		// The shell's own: traps, a timeout that leaves read by longjmp, a broken pipe.
		"bash": {bash, "-c", `n=0; trap 'n=$((n+1))' USR1; for i in {1..50}; do kill -USR1 $$; done; for i in 1 2 3; do read -t 0.01 x < <(sleep 0.2); echo "read $?"; done; yes | head -1; echo "${PIPESTATUS[0]}"; (trap '' PIPE; yes 2>/dev/null | head -1; echo "${PIPESTATUS[0]}"); echo $n`},
		// Implicit null checks, safepoints and stack overflows are SIGSEGV in a JVM.
		"java": {java, "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m", "-cp", dir, "Signals"},
		// The profiler is a thread that sends SIGPROF to the others.
		"node": {node, "--cpu-prof", "--cpu-prof-dir", filepath.Join(dir, "prof"), "--cpu-prof-interval", "200", file("busy.js", busyJS)},
	} {
		for _, start := range []string{"demand", "now"} {
			t.Run(name+" "+start, func(t *testing.T) {
				flags := []string{"-q", "-H", "file,net,proc", "--start", start}
				c := harness.Cmd{Args: args, Deadline: 3 * deadline}
				bare := harness.Run(t, c)
				got, rep := watchedCmd(t, flags, c)
				for _, r := range []*harness.Result{&bare, &got} {
					r.Stderr = threadIDs.ReplaceAllString(r.Stderr, "0x")
				}
				if got != bare {
					t.Errorf("seam changed the program\nbare:    %v\nwatched: %v", bare, got)
				}
				rep.exact(t)
				if rep.Account.Delivered == 0 {
					t.Error("no call was seen: the test tests nothing")
				}
			})
		}
	}
	profiles, err := filepath.Glob(filepath.Join(dir, "prof", "*.cpuprofile"))
	if err != nil || len(profiles) != 4 {
		t.Errorf("node wrote %d profiles in four runs: %v", len(profiles), err)
	}
	for _, path := range profiles {
		if info, err := os.Stat(path); err != nil || info.Size() < 1000 {
			t.Errorf("%s: no profile: %v %v", path, info, err)
		}
	}
}

var threadIDs = regexp.MustCompile(`0x[0-9a-f]{4,}`)

const timersPy = `import os, signal, threading, time
seen = {"alarm": 0, "prof": 0}
def on(name):
    def handler(*_): seen[name] += 1
    return handler
signal.signal(signal.SIGALRM, on("alarm"))
signal.signal(signal.SIGPROF, on("prof"))
r, w = os.pipe2(os.O_NONBLOCK)
signal.set_wakeup_fd(w)
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
signal.setitimer(signal.ITIMER_PROF, 0.002, 0.002)
n = 0
while seen["alarm"] < 30 or seen["prof"] < 30:
    with open("/dev/null") as f: n += len(f.read())
    os.stat("/")
signal.setitimer(signal.ITIMER_REAL, 0)
signal.setitimer(signal.ITIMER_PROF, 0)
signal.set_wakeup_fd(-1)
kinds = set(os.read(r, 4096))
print("woken by", sorted(kinds) == sorted([signal.SIGALRM, signal.SIGPROF]), n)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM})
t = threading.Thread(target=lambda: [os.kill(os.getpid(), s) or time.sleep(0.001) for _ in range(50) for s in (signal.SIGUSR1, signal.SIGTERM)])
t.start()
got = {signal.SIGUSR1: 0, signal.SIGTERM: 0}
while t.is_alive() or signal.sigpending():
    i = signal.sigtimedwait({signal.SIGUSR1, signal.SIGTERM}, 0.01)
    if i: got[i.si_signo] += 1
    os.stat("/")
t.join()
os.kill(os.getpid(), signal.SIGUSR2)
print("waited", min(got.values()) > 0, signal.sigwait({signal.SIGUSR2}) == signal.SIGUSR2)
`

const signalsJava = `import java.util.*;
public class Signals {
    static class Node { Node next; int v; }
    static int depth(int n) { return 1 + depth(n + 1); }
    public static void main(String[] a) throws Exception {
        int nulls = 0, overflows = 0;
        Node some = new Node();
        for (int i = 0; i < 200000; i++) {
            Node n = i % 7 == 0 ? null : some;
            try { n.v += 1; } catch (NullPointerException e) { nulls++; }
        }
        for (int i = 0; i < 5; i++)
            try { depth(0); } catch (StackOverflowError e) { overflows++; }
        List<Thread> ts = new ArrayList<>();
        int[] sums = new int[4];
        for (int k = 0; k < 4; k++) {
            final int me = k;
            Thread t = new Thread(() -> { for (int i = 0; i < 200; i++) { sums[me] += new java.io.File("/").exists() ? 1 : 0; if (i % 50 == 0) System.gc(); } });
            ts.add(t);
            t.start();
        }
        for (Thread t : ts) t.join();
        Process p = new ProcessBuilder("true").start();
        System.out.println(nulls + " " + overflows + " " + Arrays.toString(sums) + " " + p.waitFor());
    }
}
`

const busyJS = `const fs = require('fs');
let n = 0;
const until = Date.now() + 300;
while (Date.now() < until) n += fs.readFileSync('/proc/self/comm').length > 0;
process.on('SIGUSR2', () => { console.log('got it', n > 0); process.exit(7); });
process.kill(process.pid, 'SIGUSR2');
setTimeout(() => {}, 5000);
`

// Signals that are ignored or blocked when seam starts are so for the program.
func TestIgnoredSignals(t *testing.T) {
	sh := []string{"/bin/sh", "-c", `trap '' HUP INT QUIT PIPE ALRM TERM USR1 CHLD PROF VTALRM XCPU URG; exec "$@"`, "sh"}
	status := []string{"/bin/grep", "-E", "^Sig[BIC]", "/proc/self/status"}
	bare := harness.Run(t, harness.Cmd{Args: append(sh, status...)})
	args := append(append([]string(nil), sh...), harness.Seam(t), "run", "-q", "--")
	if got := harness.Run(t, harness.Cmd{Args: append(args, status...)}); got != bare {
		t.Errorf("bare:    %v\nwatched: %v", bare, got)
	}
}

// A signal to the whole process group reaches the program once, as one to seam
// alone does.
func TestGroupSignals(t *testing.T) {
	exe := program(t, "counted.c", "-w")
	r := harness.Start(t, harness.Cmd{Args: []string{harness.Seam(t), "run", "-q", "-H", "file", "--", exe}, Deadline: 2 * deadline})
	lines := func(n int) {
		t.Helper()
		for until := time.Now().Add(deadline); strings.Count(r.Stdout(), "\n") < n; time.Sleep(time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("no answer: %q", r.Stdout())
			}
		}
	}
	lines(1)
	const each = 8
	sent := 1
	for range each {
		for _, to := range []struct {
			pid int
			sig syscall.Signal
		}{{-r.PID(), syscall.SIGTERM}, {r.PID(), syscall.SIGUSR1}, {-r.PID(), 40}} {
			if err := syscall.Kill(to.pid, to.sig); err != nil {
				t.Fatal(err)
			}
			sent++
			lines(sent)
		}
		time.Sleep(20 * time.Millisecond) // for what comes twice
		sent = strings.Count(r.Stdout(), "\n")
	}
	r.Signal(syscall.SIGUSR2)
	got := r.Wait()
	if want := fmt.Sprintf("term %d usr1 %d rt %d\n", each, each, each); !strings.HasSuffix(got.Stdout, want) {
		t.Errorf("%v\nwant %q at the end", got, want)
	}
}
