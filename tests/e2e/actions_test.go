package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/tests/harness"
)

// rule is what the n-th rule did.
func rule(t testing.TB, r *report.Report, n int) report.Rule {
	t.Helper()
	for _, u := range r.Rules {
		if u.N == n {
			return u
		}
	}
	t.Fatalf("no rule %d: %+v", n, r.Rules)
	return report.Rule{}
}

// acts runs testdata/acts.c with some flags and returns its lines.
func acts(t *testing.T, flags []string, args ...string) ([]string, *report.Report) {
	t.Helper()
	prog := compile(t, "acts.c", "-pthread")
	res, r := watch(t, flags, harness.Cmd{Args: append([]string{prog}, args...), Dir: t.TempDir()})
	if res.Code != 0 || res.Stderr != "" {
		t.Fatalf("%q: %v", args, res)
	}
	exact(t, r)
	return strings.Split(strings.TrimSpace(res.Stdout), "\n"), r
}

// failedAt lists the calls that did not write all 10 bytes.
func failedAt(lines []string) (at []int) {
	for i, l := range lines {
		if l != fmt.Sprintf("%d 10 0", i+1) {
			at = append(at, i+1)
		}
	}
	return at
}

// Which calls a rule acts on, one by one.
func TestWhichCallsFail(t *testing.T) {
	for _, tc := range []struct {
		rule    string
		at      []int
		matched uint64
	}{
		{"pwrite:errno=ENOSPC,nth=3", []int{3}, 20},
		{"pwrite:errno=ENOSPC,every=6", []int{6, 12, 18}, 20},
		{"pwrite:errno=ENOSPC,every=6,max=2", []int{6, 12}, 20},
		{"pwrite:errno=ENOSPC,max=2", []int{1, 2}, 20},
		{"pwrite64:errno=ENOSPC,after=10m", nil, 0},
		{"libc:pwrite:errno=ENOSPC,after=1ns,nth=20", []int{20}, 20},
		{"libc:pwrite*:errno=28,nth=1", []int{1}, 20},
		{"file:errno=ENOSPC,count==10,nth=4", []int{4}, 20},
		{"pwrite:errno=ENOSPC,nth=2,when=count==11", nil, 0},
		{"pwrite:errno=ENOSPC,nth=2,when=count>=10,offset==0", []int{2}, 20},
		{"pwrite:errno=ENOSPC,nth=2,path^=/proc", nil, 0},
		{"pwrite:errno=ENOSPC,nth=2,path!^=/proc", []int{2}, 20},
		{"pwrite:errno=ENOSPC,p=1,max=3", []int{1, 2, 3}, 20},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			lines, r := acts(t, []string{"--fault", tc.rule, "-H", "none"}, "seq", "20")
			at := failedAt(lines)
			if !slices.Equal(at, tc.at) {
				t.Errorf("failed: %v, want %v", at, tc.at)
			}
			for _, i := range at {
				if want := fmt.Sprintf("%d -1 28", i); lines[i-1] != want {
					t.Errorf("%q, want %q", lines[i-1], want)
				}
			}
			if u := rule(t, r, 1); u.Kind != "fault" || u.Matched != tc.matched || u.Acted != uint64(len(tc.at)) || u.Skipped != 0 {
				t.Errorf("%+v", u)
			}
			if f := function(r, "pwrite64"); f.Calls+function(r, "pwrite").Calls != uint64(len(tc.at)) {
				t.Errorf("each act is an event, and nothing else: %+v", r.Functions)
			}
		})
	}
}

// What a function's own probe keeps does not matter to a rule, nor the rule to it.
func TestRulesAndProbes(t *testing.T) {
	for _, tc := range []struct {
		probe  string
		calls  uint64
		record bool
	}{
		{"libc:pwrite64", 20, true},
		{"libc:pwrite64 if count == 11", 3, true},
		{"libc:pwrite64 failed", 3, true},
		{"libc:pwrite64@count", 20, false},
		{"libc:pwrite64@hist", 20, false},
	} {
		t.Run(tc.probe, func(t *testing.T) {
			prog := compile(t, "acts.c", "-pthread")
			res, r := watch(t, []string{"-p", tc.probe, "--fault", "pwrite:errno=EIO,every=6"}, harness.Cmd{Args: []string{prog, "seq", "20"}, Dir: t.TempDir()})
			if at := failedAt(strings.Split(strings.TrimSpace(res.Stdout), "\n")); !slices.Equal(at, []int{6, 12, 18}) {
				t.Errorf("failed: %v", at)
			}
			if tc.record {
				exact(t, r)
			} else if a := r.Account; a.Produced != 3 || a.Delivered != 3 || a.Unaccounted != 0 {
				t.Errorf("of a function that is counted the acts alone are events: %+v", a)
			}
			if f := function(r, "pwrite64"); f.Calls != tc.calls || f.Errors != 3 {
				t.Errorf("%+v, want %d calls", f, tc.calls)
			}
		})
	}
}

// The k-th draw is a function of the seed: the same run can be had again.
func TestSeedMakesRunsTheSame(t *testing.T) {
	run := func(rule string) []int {
		lines, _ := acts(t, []string{"--fault", rule, "-H", "none"}, "seq", "300")
		return failedAt(lines)
	}
	first := run("pwrite:errno=EIO,p=0.1,seed=42")
	if n := len(first); n < 10 || n > 60 {
		t.Errorf("%d of 300 calls failed at p=0.1", n)
	}
	if again := run("pwrite:errno=EIO,p=0.1,seed=42"); !slices.Equal(first, again) {
		t.Errorf("the same seed: %v, then %v", first, again)
	}
	if other := run("pwrite:errno=EIO,p=0.1,seed=43"); slices.Equal(first, other) {
		t.Errorf("another seed, the same calls: %v", other)
	}
	// Without a seed the report tells the one that was taken.
	lines, r := acts(t, []string{"--fault", "pwrite:any,p=0.1", "-H", "none"}, "seq", "300")
	u := rule(t, r, 1)
	if !strings.HasPrefix(u.Text, "pwrite:any,p=0.1,seed=") {
		t.Fatalf("%+v", u)
	}
	if i := slices.Index(r.Again, "--fault"); i < 0 || r.Again[i+1] != u.Text || r.Again[len(r.Again)-1] != "300" {
		t.Errorf("again: %q", r.Again)
	}
	again, _ := acts(t, []string{"--fault", u.Text, "-H", "none"}, "seq", "300")
	if !slices.Equal(lines, again) {
		t.Errorf("%q, errors and all: not the same again", u.Text)
	}
	errors := map[string]bool{}
	for _, l := range lines {
		if f := strings.Fields(l); f[1] == "-1" {
			errors[f[2]] = true
		}
	}
	if len(errors) < 3 {
		t.Errorf("any: only %v", errors)
	}
}

// Counting over threads and forked processes loses no call and takes none twice.
func TestCountsAreExact(t *testing.T) {
	const threads, procs, each = 4, 3, 4000
	const total = threads * procs * each
	for _, tc := range []struct {
		rule   string
		failed int
	}{
		{"access:errno=EBUSY,nth=20000", 1},
		{"access:errno=EBUSY,every=7", total / 7},
		{"access:errno=EBUSY,max=1234", 1234},
		{"access:errno=EBUSY,every=2,max=999,path^=/", 999},
		{"access:errno=EBUSY,path^=/etc", 0},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			lines, r := acts(t, []string{"--fault", tc.rule, "-H", "none", "--buffer", "64M"}, "many", strconv.Itoa(threads), strconv.Itoa(procs), strconv.Itoa(each))
			if want := fmt.Sprintf("%d 0", tc.failed); lines[0] != want {
				t.Errorf("failed, wrong: %s, want %s", lines[0], want)
			}
			matched := uint64(total)
			if strings.Contains(tc.rule, "/etc") {
				matched = 0
			}
			if u := rule(t, r, 1); u.Matched != matched || u.Acted != uint64(tc.failed) || u.Skipped != 0 {
				t.Errorf("%+v", u)
			}
			if f := function(r, "access"); f.Calls != uint64(tc.failed) || errnoCount(f.ByErrno, "EBUSY") != uint64(tc.failed) {
				t.Errorf("%+v", f)
			}
		})
	}
}

// Each kind of function fails in its own way, and the core is not confused by a
// call that it watches and that was not made.
func TestWaysToFail(t *testing.T) {
	lines, r := acts(t, []string{"-H", "none",
		"--fault", "pthread_create:errno=EAGAIN", "--fault", "getaddrinfo:ret=EAI_AGAIN", "--fault", "fopen:errno=EMFILE,path^=/etc/passwd",
		"--fault", "fork:errno=EAGAIN", "--fault", "vfork:errno=ENOMEM", "--fault", "munmap:errno=EINVAL,length==8192",
		"--fault", "mmap:errno=ENOMEM,length==12288", "--fault", "malloc:errno=ENOMEM,size==123457", "--fault", "posix_memalign:errno=ENOMEM"}, "codes")
	want := []string{"pthread_create 11 77", "getaddrinfo -3 77", "fopen 0 24", "fork -1 11", "vfork -1 12", "munmap -1 22 0", "mmap 1 12", "malloc 0 12", "posix_memalign 12 77"}
	if !slices.Equal(lines, want) {
		t.Errorf("%q, want %q", lines, want)
	}
	for n := 1; n <= 9; n++ {
		if u := rule(t, r, n); u.Acted != 1 {
			t.Errorf("%+v", u)
		}
	}
	if len(r.Processes) != 1 {
		t.Errorf("%d processes: fork was refused", len(r.Processes))
	}
}

// A transfer cut short is one that programs must expect.
func TestShortTransfers(t *testing.T) {
	lines, r := acts(t, []string{"--fault", "pwrite:short=4,every=5", "-H", "none"}, "seq", "20")
	if at := failedAt(lines); !slices.Equal(at, []int{5, 10, 15, 20}) || lines[4] != "5 4 0" {
		t.Errorf("short: %v, %q", at, lines[4])
	}
	if u := rule(t, r, 1); u.Acted != 4 {
		t.Errorf("%+v", u)
	}
	if lines, r = acts(t, []string{"--fault", "pwrite:short=10", "-H", "none"}, "seq", "20"); failedAt(lines) != nil || rule(t, r, 1).Acted != 0 {
		t.Errorf("nothing to cut: %q, %+v", lines, r.Rules)
	}
	file := filepath.Join(t.TempDir(), "text")
	write(t, file, strings.Repeat("some text of some length\n", 400))
	for _, c := range [][]string{{"/bin/cat", file}, {harness.Program(t, "python3"), "-c", "import sys; sys.stdout.write(open(sys.argv[1]).read())", file}} {
		want := harness.Run(t, harness.Cmd{Args: c})
		got, r := watch(t, []string{"--fault", "read:short=7,path^=" + filepath.Dir(file), "--fault", "write:short=5"}, harness.Cmd{Args: c})
		if got != want || want.Code != 0 {
			t.Errorf("%q: %v\nwant %v", c, got, want)
		}
		if u := rule(t, r, 1); u.Acted < 1000 {
			t.Errorf("%q: %+v", c, u)
		}
	}
}

// A delay takes its time, whatever signals come, and changes nothing else.
func TestDelay(t *testing.T) {
	lines, r := acts(t, []string{"--delay", "getppid:60ms", "-p", "libc:getppid"}, "delay")
	if lines[0] != "1 77 1 1" {
		t.Errorf("result, errno, signals, time: %q", lines[0])
	}
	if f := function(r, "getppid"); f.MaxNS < 60e6 {
		t.Errorf("the delay is part of the call: %+v", f)
	}
	lines, r = acts(t, []string{"--delay", "getppid:20ms,jitter=19ms,seed=1", "-p", "libc:getppid"}, "getppid", "12")
	if f := function(r, "getppid"); f.MaxNS < 20e6 || f.P50NS == f.MaxNS || rule(t, r, 1).Acted != 12 || lines[0] != "0" {
		t.Errorf("%+v %+v", f, r.Rules)
	}
}

// A delay can be left, by a jump or by cancellation, and leaves nothing behind: not in
// the thread, not in a child that shares its memory, not for a process that confines itself.
func TestDelaysThatAreLeft(t *testing.T) {
	prog := compile(t, "acts.c", "-pthread")
	res, r := watch(t, []string{"--delay", "getppid:20s,max=21", "--delay", "getpgrp:20ms", "-p", "libc:getp*"}, harness.Cmd{Args: []string{prog, "leave"}})
	if res.Stdout != "20 1\n7\nalive\n" || res.Code != 0 {
		t.Errorf("%v", res)
	}
	if a := r.Account; a.Produced != a.Delivered+a.Dropped || a.Unaccounted != 0 || a.Dropped != 0 {
		t.Errorf("account: %+v", a)
	}
	if f := function(r, "getppid"); f.Calls != 22 || f.InFlight > 21 {
		t.Errorf("%+v", f)
	}
	if a, b := rule(t, r, 1), rule(t, r, 2); a.Acted != 21 || b.Acted != 1 {
		t.Errorf("%+v %+v", a, b)
	}
}

// The end of a process can wait, too; what it recorded meanwhile is there.
func TestDelayedEnd(t *testing.T) {
	prog := compile(t, "acts.c", "-pthread")
	want := harness.Run(t, harness.Cmd{Args: []string{prog, "getppid", "5"}})
	got, r := watch(t, []string{"--delay", "exit:20ms", "--delay", "_exit:20ms", "-p", "libc:getppid"}, harness.Cmd{Args: []string{prog, "getppid", "5"}})
	if got != want {
		t.Errorf("%v\nwant %v", got, want)
	}
	exact(t, r)
	if a, b := rule(t, r, 1), rule(t, r, 2); a.Acted != 1 || b.Acted != 1 || function(r, "getppid").Calls != 5 {
		t.Errorf("%+v %+v", a, b)
	}
	if p := r.Processes[0]; p.EndNS-p.StartNS < 40e6 || p.Status == nil || *p.Status != 0 {
		t.Errorf("%+v", p)
	}
}

// Armed rules that never act change nothing in real programs, in all their processes.
func TestArmedRulesChangeNothing(t *testing.T) {
	const never = "nth=1000000000000"
	flags := []string{"--fault", "file:any," + never, "--fault", "file:errno=EIO,path^=/nowhere", "--delay", "net:1ms," + never,
		"--deny", "proc:" + never, "--fault", "sqlite:any," + never, "--fault", "malloc:errno=ENOMEM," + never, "--fault", "read:short=1," + never}
	bash := harness.Program(t, "bash")
	for name, script := range map[string]string{
		"git": `export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
git -c init.defaultBranch=main init -q r; cd r; git config user.name A; git config user.email a@example.org
for i in 1 2 3; do echo $i >f$i; done; git add .; git commit -q -m one; git log --format=%H; git fsck`,
		"tar": `mkdir s; for i in $(seq 20); do echo "$i" >s/$i; done; tar --sort=name --mtime=@0 --owner=0 --group=0 -czf a.tgz s; tar -tzf a.tgz | wc -l; cksum <a.tgz; cat nothing; (exit 3); echo $?`,
		"python3": `python3 -c '
import sqlite3, os, subprocess, threading, socket
c = sqlite3.connect("a.db"); c.execute("create table t(a)"); c.executemany("insert into t values(?)", [(i,) for i in range(100)]); c.commit()
print(c.execute("select sum(a) from t").fetchone(), subprocess.run(["/bin/echo", "x"], capture_output=True).stdout)
ts = [threading.Thread(target=lambda: open("/etc/passwd").read()) for _ in range(8)]
[t.start() for t in ts]; [t.join() for t in ts]
a, b = socket.socketpair(); a.send(b"hello"); print(b.recv(9))
p = os.fork()
if p == 0: os._exit(len(os.listdir("/")) > 0 and 5)
print(os.WEXITSTATUS(os.waitpid(p, 0)[1]))'`,
	} {
		t.Run(name, func(t *testing.T) {
			harness.Program(t, name)
			_, r := same(t, flags, harness.Cmd{Args: []string{bash, "-c", script}}, nil)
			exact(t, r)
			for _, u := range r.Rules {
				if u.Acted != 0 {
					t.Errorf("%+v", u)
				}
			}
		})
	}
}

// A rule given to a process that runs already acts as one it was started with.
func TestRulesOfAttachedProcess(t *testing.T) {
	prog := compile(t, "acts.c", "-pthread")
	c := harness.Cmd{Args: []string{"/bin/bash", "-c", `eval "$("$0" env --dormant)"; exec "$@"`, harness.Seam(t), prog, "hold", "1000"}}
	dir := t.TempDir()
	c.Dir = dir
	target := harness.Start(t, c)
	eventually(t, "the target's first line", func() bool { return strings.HasPrefix(target.Stdout(), "0\n") })
	file := filepath.Join(dir, "report.json")
	reader := harness.Start(t, harness.Cmd{Args: []string{harness.Seam(t), "attach", "--pid", strconv.Itoa(target.PID()), "--json", "--report", file, "-q", "-H", "none",
		"--fault", "getppid:ret=12345,every=10"}, Dir: dir})
	eventually(t, "rules in the target", func() bool { return strings.Contains(target.Stdout(), "\n100\n") })
	write(t, filepath.Join(dir, "stop"), "")
	if res := target.Wait(); res.Code != 0 {
		t.Errorf("%v", res)
	}
	if res := reader.Wait(); res.Code != 0 {
		t.Fatalf("%v", res)
	}
	r := readReport(t, file)
	law(t, r)
	if u := rule(t, r, 1); u.Acted < 100 || u.Acted != u.Matched/10 || function(r, "getppid").Calls != u.Acted {
		t.Errorf("%+v", u)
	}
}

// Under a system call filter nothing is slept, and that is counted; what takes no
// system call goes on.
func TestRulesInConfinedProcess(t *testing.T) {
	prog := compile(t, "acts.c", "-pthread")
	res, r := watch(t, []string{"--delay", "getppid:1ms", "--fault", "getppid:ret=7,nth=3", "-p", "libc:getppid"}, harness.Cmd{Args: []string{prog, "confined", "5"}})
	if res.Stdout != "alive\n" || res.Code != 0 {
		t.Fatalf("%v", res)
	}
	if d, f := rule(t, r, 1), rule(t, r, 2); d.Acted != 0 || d.Skipped != 5 || f.Acted != 1 {
		t.Errorf("%+v %+v", d, f)
	}
}

// A program that is not to be executed is not, by whatever way.
func TestDenyExec(t *testing.T) {
	want := harness.Run(t, harness.Cmd{Args: []string{compile(t, "acts.c", "-pthread"), "execs"}})
	if want.Code != 0 || want.Stdout != "" {
		t.Fatalf("without a rule the program is another at once: %v", want)
	}
	lines, r := acts(t, []string{"--deny", "execve:path!^=/usr/lib"}, "execs")
	if got, want := strings.Join(lines, "; "), "execve -1 13; execlp -1 13; posix_spawn 13; system 0x7f00; popen 0xffffffff; vfork 13; fork 13"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	// execlp tries each folder of the path
	if u := rule(t, r, 1); u.Acted < 7 || u.Acted != u.Matched {
		t.Errorf("%+v", u)
	}
	if f := function(r, "execve"); errnoCount(f.ByErrno, "EACCES") != f.Calls || f.Calls != rule(t, r, 1).Acted {
		t.Errorf("%+v", f)
	}
	bash := harness.Program(t, "bash")
	script := "/bin/true; echo $?; /usr/bin/true; echo $?; (exec /bin/true); echo $?"
	res, r := watch(t, []string{"--deny", "execve:path!^=/usr/bin"}, harness.Cmd{Args: []string{bash, "-c", script}})
	if res.Stdout != "126\n0\n126\n" || !strings.Contains(res.Stderr, "/bin/true: Permission denied") {
		t.Errorf("%v", res)
	}
	exact(t, r)
	res, r = watch(t, []string{"--deny", "execve:path!^=/usr/bin", "--audit"}, harness.Cmd{Args: []string{bash, "-c", script}})
	if res.Stdout != "0\n0\n0\n" || res.Stderr != "" {
		t.Errorf("audit: %v", res)
	}
	if u := rule(t, r, 1); u.Kind != "audit" || u.Acted != 2 {
		t.Errorf("audit: %+v", u)
	}
}

// A connection off the list is refused with an error that programs know.
func TestDenyConnect(t *testing.T) {
	port := webServer(t)
	url := fmt.Sprintf("http://127.0.0.1:%d/page.txt", port)
	curl := []string{harness.Program(t, "curl"), "-sS", "--noproxy", "*", url}
	py := []string{harness.Program(t, "python3"), "-c", "import urllib.request, sys\ntry: print(len(urllib.request.urlopen(sys.argv[1]).read()))\nexcept Exception as e: print(e)", url}
	for _, tc := range []struct {
		cond   string
		denied bool
	}{
		{"addr!~10.0.0.0/8", true}, {"addr!~127.0.0.0/8", false}, {"addr~127.0.0.1", true}, {"addr~127.0.0.1:" + strconv.Itoa(port), true},
		{"addr~127.0.0.1:1", false}, {"addr~fd00::/8", false}, {"addr!~::1/128", true}, {"addr~unix", false}, {"addr!~10.0.0.0/8,addr!~127.0.0.0/8", false},
		{"addr~0.0.0.0/1", true}, {"addr~128.0.0.0/1", false},
	} {
		t.Run(tc.cond, func(t *testing.T) {
			res, r := watch(t, []string{"--deny", "connect:" + tc.cond}, harness.Cmd{Args: curl})
			if tc.denied != (res.Code == 7) || tc.denied == (len(res.Stdout) == 65536) {
				t.Errorf("curl: %d bytes, %v", len(res.Stdout), res.Code)
			}
			if (rule(t, r, 1).Acted > 0) != tc.denied && tc.cond != "addr~unix" { // the name service may be asked, by such a socket
				t.Errorf("%+v", r.Rules)
			}
		})
	}
	res, _ := watch(t, []string{"--deny", "connect:addr!~10.0.0.0/8"}, harness.Cmd{Args: py})
	if !strings.Contains(res.Stdout, "Errno 13") {
		t.Errorf("python: %v", res)
	}
	if res, _ = watch(t, []string{"--fault", "connect:errno=ECONNREFUSED"}, harness.Cmd{Args: py}); !strings.Contains(res.Stdout, "refused") {
		t.Errorf("python: %v", res)
	}
	if res, _ = watch(t, []string{"--deny", "connect:addr!~127.0.0.0/8"}, harness.Cmd{Args: py}); res.Stdout != "65536\n" {
		t.Errorf("python: %v", res)
	}
}

// A rule that is wrong is said to be before anything runs, and where.
func TestBadRules(t *testing.T) {
	run := func(flags ...string) []string {
		return append(append([]string{"run"}, flags...), "--", "/bin/sh", "-c", "TOUCH")
	}
	for _, tc := range []struct {
		flag, rule string
		wants      []string
	}{
		{"--fault", "wirte:errno=EIO", []string{"unknown function \"wirte\"", "write", "\n    ^"}},
		{"--fault", "write:errno=ENOSPCE", []string{"unknown errno", "ENOSPC?", "                ^"}},
		{"--fault", "write:errno=EIO,when=fo==3", []string{"no argument \"fo\"", "fd, buf or count", "                         ^"}},
		{"--fault", "write:errno=EIO,whne=fd==3", []string{"unknown item", "when"}},
		{"--fault", "write:errno=EIO,fd=3", []string{"unknown item", "equality is =="}},
		{"--fault", "write:ENOSPC", []string{"unknown item", "errno=ENOSPC"}},
		{"--fault", "write", []string{"expected what is to happen"}},
		{"--fault", "write:errno=EIO,nth=0", []string{"from 1 on"}},
		{"--fault", "write:errno=EIO,nth=3,every=2", []string{"nth and every"}},
		{"--fault", "write:errno=EIO,p=2", []string{"not a probability"}},
		{"--fault", "write:errno=EIO,", []string{"nothing after the ','"}},
		{"--fault", "writev:short=1", []string{"vector"}},
		{"--fault", "fread:short=1", []string{"end of the file"}},
		{"--fault", "write:short=0", []string{"at least 1"}},
		{"--fault", "sqlite3_step:errno=EIO", []string{"not tell its failure in errno", "SQLITE_"}},
		{"--fault", "sqlite3_step:ret=SQLITE_BUSSY", []string{"known result"}},
		{"--fault", "_exit:errno=EIO", []string{"does not return"}},
		{"--fault", "write:200ms,errno=EIO", []string{"belongs to a delay"}},
		{"--delay", "connect:errno=EIO", []string{"expected a time"}},
		{"--delay", "connect:2h", []string{"at most 1m0s"}},
		{"--delay", "connect:1ms,jitter=2ms", []string{"more jitter"}},
		{"--deny", "connect:addr~10.0.0/8", []string{"not a range", "10.0.0.0/8"}},
		{"--deny", "connect:fd~10.0.0.0/8", []string{"not a socket address"}},
		{"--deny", "execve:path^=", []string{"start of a string"}},
		{"--deny", "open:any", []string{"one error"}},
	} {
		t.Run(tc.rule, func(t *testing.T) { refused(t, run(tc.flag, tc.rule), tc.wants...) })
	}
	refused(t, run("--audit"), "--audit without --deny")
	res := harness.Run(t, harness.Cmd{Args: []string{harness.Seam(t), "run", "--fault", "close:errno=EDOM,nth=99", "--", "/bin/true"}})
	if res.Code != 0 || !strings.Contains(res.Stderr, "seam: warning: close is not known to fail with EDOM") {
		t.Errorf("%v", res)
	}
}
