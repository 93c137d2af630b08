package laws

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// host is a program that is known to take badly to a guest: it counts threads,
// waits for signals, closes every descriptor, forks and goes on, or enters namespaces.
type host struct {
	name  string
	sh    string // what bash runs; $1 is what arg made
	arg   func(*testing.T) string
	file  map[string]string // in its folder
	root  bool              // needs to be started by root
	alone bool              // it enters a user namespace, which a process with threads must not
}

func hosts(t *testing.T) []host {
	for _, prog := range []string{"bwrap", "dumb-init", "tini", "unshare", "setpriv", "git", "perl", "node", "python3", "ssh-keygen", "openssl",
		"make", "tmux", "busybox", "bash", "java", "nginx", "redis-server", "gunicorn", "sudo", "curl", "ssh", "/usr/sbin/sshd", "screen", "firejail",
		"/usr/lib/python3/dist-packages/seccomp.cpython-311-x86_64-linux-gnu.so"} {
		harness.Program(t, prog)
	}
	return []host{
		{name: "bwrap", sh: `bwrap --unshare-user --dev-bind / / --unshare-pid --proc /proc sh -c 'ls /proc/self/fd | wc -l; id -u; exit 3'`},
		{name: "dumb-init", sh: `dumb-init sh -c 'kill -TERM $$'; echo $?; dumb-init -- sh -c 'exit 9'`},
		{name: "tini", sh: `tini -s -- sh -c '(sleep 0.05; echo late) & exec sh -c "exit 4"'; echo $?; tini -s -- sh -c 'kill -USR1 $$'`},
		{name: "unshare", alone: true, sh: `unshare -Ur sh -c 'id -u; cat /proc/self/uid_map | tr -s " "; unshare -m true; echo $?'; unshare -U true`},
		{name: "setpriv", sh: `setpriv --no-new-privs grep -E '^(NoNewPrivs|Seccomp|Cap)' /proc/self/status; setpriv --pdeathsig KILL true`},
		{name: "sigwait", sh: sigwait},
		{name: "job control", sh: `exec bash -c 'set -m; sleep 60 & kill -STOP %1; sleep 0.05; jobs | tr -d "+-"; kill -CONT %1; kill %1; wait %1; echo $?; (trap "echo usr1; exit 2" USR1; kill -USR1 $BASHPID; sleep 5); echo $?'`},
		{name: "git", sh: `export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@b GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
git init -q -b main r; cd r; for i in 1 2 3; do echo $i > f$i; git add .; git commit -qm $i; done; git log --format=%H; git gc -q; git fsck; git grep -c 2`},
		{name: "perl", sh: `perl -e 'use threads; $SIG{CHLD} = sub { 1 while waitpid(-1, 1) > 0; }; for (1..5) { my $p = fork; exit $_ if !$p; } sleep 0.1; my @t = map { my $n = $_; threads->create(sub { $n * 2 }) } 1..4; print join(",", map { $_->join } @t), "\n"; open(my $p, "-|", "echo piped"); print <$p>; close $p; exit 6'`},
		{name: "node", sh: `node -e 'const cp = require("child_process"), w = require("worker_threads");
const k = new w.Worker("require(\"worker_threads\").parentPort.postMessage(6 * 7)", { eval: true });
k.on("message", m => { console.log(m); try { null.x } catch (e) { console.log("caught") } console.log(cp.spawnSync("sh", ["-c", "exit 5"]).status); process.on("SIGUSR2", () => { console.log("usr2"); process.exit(8) }); process.kill(process.pid, "SIGUSR2"); setTimeout(() => {}, 5000) })'`},
		{name: "multiprocessing", file: map[string]string{"m.py": multiprocessing}, sh: `python3 m.py`},
		{name: "faulthandler", sh: `ulimit -c 0; python3 -X faulthandler -c 'import ctypes, sys; sys.stdout.flush(); ctypes.string_at(8)' 2>&1 | sed 's/0x[0-9a-f]*/X/g'; echo "${PIPESTATUS[0]}"`},
		{name: "openssh", sh: `ssh-keygen -q -t ed25519 -N '' -C test -f key && ssh-keygen -y -P '' -f key | cmp - <(cut -d' ' -f1-2 key.pub; ) ; ssh-keygen -lf key | wc -w; eval "$(ssh-agent -s | grep -v echo)"; ssh-add -q key; ssh-add -l | wc -l; ssh-agent -k | wc -l; rm key key.pub`},
		{name: "openssl", sh: `openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=a -days 1 2>/dev/null; openssl verify -CAfile c.pem c.pem; rm k.pem c.pem`},
		{name: "make", file: map[string]string{"Makefile": "all: a b c d\n%:\n\t@sleep 0.02; echo made $@ > $@.out\n"}, sh: `make -j2; cat *.out; make -n | wc -l; rm *.out; make -j2 -k bad`},
		{name: "tmux", sh: `export TERM=xterm TMUX_TMPDIR=$PWD; tmux -f /dev/null new-session -d -s s 'echo inside > out; tmux wait-for -S done; sleep 60'; tmux wait-for done; cat out; tmux list-windows -F '#{window_panes}'; tmux kill-server; while [ -e tmux-*/default ] && tmux ls 2>/dev/null; do sleep 0.02; done; rm -rf tmux-* out`},
		{name: "busybox", sh: `busybox sh -c 'seq 5 | sort -r | head -n 2; (exit 3); echo $?; ls /nonexistent; sleep 0.01 & wait; exec busybox awk "BEGIN { exit 7 }"'`},
		{name: "java", arg: classes, sh: `java -XX:+UseSerialGC -cp "$1" T`},
		{name: "nginx", file: map[string]string{"n.conf": nginx}, sh: `mkdir t; touch page; exec 2>&1; nginx -e e.log -p $PWD -c n.conf; echo $?
for i in 1 2 3 4; do curl -s --unix-socket s http://l/; done; pid=$(cat pid); nginx -e e.log -p $PWD -c n.conf -s reload; for i in 1 2 3 4; do curl -s --unix-socket s http://l/; done
nginx -e e.log -p $PWD -c n.conf -s quit; while kill -0 $pid 2>/dev/null; do sleep 0.02; done; ls; grep -c emerg e.log; rm -r *`},
		{name: "redis", sh: `redis-server --port 0 --unixsocket $PWD/s --daemonize yes --pidfile $PWD/pid --logfile $PWD/log --dir $PWD >/dev/null
until redis-cli -s s ping 2>/dev/null; do sleep 0.02; done; redis-benchmark -s s -n 2000 -c 20 -q -t set,get >/dev/null; echo $?; redis-cli -s s set a 1; redis-cli -s s bgsave; redis-cli -s s config set save ""; pid=$(cat pid)
redis-cli -s s incr a; redis-cli -s s shutdown nosave; while kill -0 $pid 2>/dev/null; do sleep 0.02; done; rm -f *; ls`},
		{name: "gunicorn", file: map[string]string{"app.py": "import os\ndef app(e, r):\n    r('200 OK', [('Content-Length', '3')])\n    return [b'ok\\n']\n"},
			sh: `gunicorn --preload --graceful-timeout 1 -w 3 -b unix:$PWD/s -p pid --log-file log --daemon app:app; until [ -S s ]; do sleep 0.02; done; pid=$(cat pid)
for i in $(seq 6); do curl -s --unix-socket s http://l/; done; kill -HUP $pid; for i in $(seq 4); do curl -s --unix-socket s http://l/; done; kill -TERM $pid; while kill -0 $pid 2>/dev/null; do sleep 0.02; done; rm -rf log pid s __pycache__`},
		{name: "screen", sh: `export TERM=xterm SCREENDIR=$PWD/d; mkdir -m 700 d; screen -D -m sh -c 'echo inside > out; exit 3'; echo $?; cat out; rm -r d out`},
		{name: "firejail", root: true, sh: `firejail --quiet --noprofile --net=none --seccomp sh -c 'echo in; ls /proc/self/fd | wc -l; mount -t tmpfs x /mnt 2>/dev/null; exit 5'`},
		{name: "seccomp", file: map[string]string{"s.py": sandboxed}, sh: `/usr/bin/python3 s.py; rm s.py`},
		{name: "sshd", root: true, file: map[string]string{"conf": "StrictModes no\nUsePAM no\nPidFile none\nLogLevel QUIET\n"}, sh: `mkdir -p /run/sshd; for k in host key; do ssh-keygen -q -t ed25519 -N '' -f $k; done; echo "HostKey $PWD/host" >>conf; echo "AuthorizedKeysFile $PWD/key.pub" >>conf
s() { ssh -F /dev/null -o ProxyCommand="/usr/sbin/sshd -i -f $PWD/conf" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -i key "$@"; }
s root@l 'echo over; id -u; exit 7'; echo $?; echo piped | s root@l 'cat; kill -TERM $$'; echo $?; rm host* key* conf`},
		{name: "sudo", root: true, sh: `sudo -n id -u; sudo -n -u nobody id -un; sudo -n -u nobody sh -c 'exit 5'`},
	}
}

// A program that forbids itself most system calls, in Python, by libseccomp.
const sandboxed = `
import os, seccomp, threading
f = seccomp.SyscallFilter(seccomp.ERRNO(1))
for s in ("read write exit_group exit rt_sigaction rt_sigreturn rt_sigprocmask munmap mmap mprotect brk close futex openat newfstatat lseek getpid "
          "madvise clone3 set_robust_list rseq sched_getaffinity gettid ioctl unlink getdents64 wait4 execve").split():
    f.add_rule(seccomp.ALLOW, s)
f.load()
try:
    os.mkdir("/tmp/never")
except PermissionError as e:
    print(e)
t = threading.Thread(target=lambda: print("thread"))
t.start()
t.join()
for i in range(300):
    open("/etc/passwd").close()
print("done")
`

// A process that blocks its signals and waits for them: no thread of the agent's may take one.
const sigwait = `python3 -c '
import os, signal, subprocess, threading
S = [signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD, signal.SIGPROF, signal.SIGURG, signal.SIGIO]
signal.pthread_sigmask(signal.SIG_BLOCK, S)
for s in S * 20:
    os.kill(os.getpid(), s)
    open("/etc/passwd").close()
    assert signal.sigtimedwait([s], 10), s
for i in range(20):
    p = subprocess.Popen(["true"])
    sum(range(20000))
    assert signal.sigtimedwait([signal.SIGCHLD], 10)
    p.wait()
print(len(os.listdir("/proc/self/fd")), signal.sigpending())
'`

const multiprocessing = `
import multiprocessing as mp, os, sys
def square(n): return n * n
def fill(q):
    for i in range(200): q.put(i)
if __name__ == "__main__":
    for how in ("fork", "spawn", "forkserver"):
        c = mp.get_context(how)
        with c.Pool(3) as p: print(how, sum(p.map(square, range(500))))
        q = c.Queue(); p = c.Process(target=fill, args=(q,)); p.start()
        print(sum(q.get() for i in range(200))); p.join(); print(p.exitcode)
    sys.exit(2)
`

const java = `
import java.nio.file.*;
public class T {
	static int depth(int n) { return depth(n + 1); }
	public static void main(String[] a) throws Exception {
		int n = 0;
		for (int i = 0; i < 30000; i++) try { String s = i % 2 == 0 ? null : "x"; n += s.length(); } catch (NullPointerException e) { n++; }
		System.out.println(n);
		try { depth(0); } catch (StackOverflowError e) { System.out.println("deep"); }
		for (int i = 0; i < 3; i++) {
			Process p = new ProcessBuilder("/bin/sh", "-c", "echo child; exit " + i).inheritIO().start();
			System.out.println(p.waitFor());
		}
		Files.write(Path.of("f"), "hello".getBytes()); System.out.println(new String(Files.readAllBytes(Path.of("f")))); Files.delete(Path.of("f"));
		Thread[] t = new Thread[6];
		for (int i = 0; i < t.length; i++) (t[i] = new Thread(() -> { byte[][] k = new byte[50][]; for (int j = 0; j < 3000; j++) k[j % 50] = new byte[10000]; })).start();
		for (Thread x : t) x.join();
		System.gc();
		System.exit(5);
	}
}
`

const nginx = `
worker_processes 2; pid pid; error_log e.log;
events { worker_connections 64; }
http { access_log off; client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;
server { listen unix:s; location / { return 200 "ok\n"; } } }
`

// initdb takes seconds: one cluster is made, and copied for each run.
const postgres = `cp -r "$1" db; cd db; exec 2>&1; export PGHOST=$PWD PGUSER=u PGDATABASE=postgres
pg() { /usr/lib/postgresql/15/bin/$1 "${@:2}"; }
pg pg_ctl -D . -l log -w -s -o "-c listen_addresses= -k $PWD -c fsync=off -c max_connections=40" start; echo $?
psql -XAtq -c 'create table t(a int primary key, b text); insert into t select i, repeat(chr(65 + i % 26), 100) from generate_series(1, 5000) i; select count(*), sum(a) from t' -c 'select * from missing' -c 'select pg_backend_pid() > 0'
pg pgbench -i -q -s 1 >/dev/null 2>&1; echo $?; pg pgbench -n -c 8 -j 2 -t 40 2>/dev/null | grep actually; for i in 1 2 3 4 5 6 7 8 9 10; do psql -XAtq -c "select count(*) from t" & done; wait
pid=$(head -n 1 postmaster.pid); pg pg_ctl -D . -m fast -w -s stop; echo $?; kill -0 $pid 2>/dev/null; echo $?; grep -cE 'PANIC|terminated by signal' log; cd ..; rm -r db`

func TestHosts(t *testing.T) {
	for _, h := range hosts(t) {
		t.Run(h.name, func(t *testing.T) {
			if h.root && os.Getuid() != 0 {
				t.Skip("becomes other users: needs root")
			}
			run := harness.Cmd{Args: []string{harness.Program(t, "bash"), "-c", h.sh, "sh"}, Dir: t.TempDir(), Deadline: 2 * deadline}
			if h.arg != nil {
				run.Args = append(run.Args, h.arg(t))
			}
			fresh(t, run.Dir, h.file)
			bare := harness.Run(t, run)
			for _, start := range starts {
				if h.alone && start == "now" {
					continue // the agent's threads are there before the host says that it must be alone
				}
				fresh(t, run.Dir, h.file)
				got, rep := watchedCmd(t, []string{"--start", start}, run)
				compareHost(t, start, bare, got, rep)
			}
		})
	}
}

// fresh empties a folder but for these files.
func fresh(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	old, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range old {
		if err := os.RemoveAll(filepath.Join(dir, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func compareHost(t *testing.T, start string, bare, got harness.Result, rep *report) {
	t.Helper()
	got.Stderr = withoutWarnings(got.Stderr)
	if got != bare {
		t.Errorf("--start %s\nbare:    %v\nwatched: %v", start, bare, got)
	}
	rep.exact(t)
	if rep.Account.Produced == 0 {
		t.Errorf("--start %s: nothing was seen", start)
	}
}

// classes compiles the Java program, once.
func classes(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(harness.Shared(t), "classes")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "T.java")
	if err := os.WriteFile(file, []byte(java), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := harness.Run(t, harness.Cmd{Args: []string{harness.Program(t, "javac"), "-d", dir, file}, Deadline: 4 * deadline}); r.Code != 0 {
		t.Fatalf("javac: %v", r)
	}
	return dir
}

// PostgreSQL will not be run by root: then all of it, seam too, is the user
// postgres's, in a folder of that user's.
func TestPostgreSQL(t *testing.T) {
	harness.Program(t, "/usr/lib/postgresql/15/bin/postgres")
	dir, err := os.MkdirTemp("/tmp", "seam-pg-") // short: a socket is in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	seam := filepath.Join(dir, "seam")
	if r := harness.Run(t, harness.Cmd{Args: []string{"/bin/cp", harness.Seam(t), seam}}); r.Code != 0 {
		t.Fatal(r)
	}
	as := []string{"/usr/bin/env", "HOME=" + dir, "XDG_CACHE_HOME=" + filepath.Join(dir, "cache"), "TMPDIR=" + dir}
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
		as = append([]string{"/sbin/runuser", "-u", "postgres", "--"}, as...)
	}
	cluster := filepath.Join(dir, "cluster")
	initdb := append(as, "/usr/lib/postgresql/15/bin/initdb", "-D", cluster, "-U", "u", "-A", "trust", "-N", "--locale=C.UTF-8")
	if r := harness.Run(t, harness.Cmd{Args: initdb, Dir: dir, Deadline: 4 * deadline}); r.Code != 0 {
		t.Fatalf("initdb: %v", r)
	}
	load := []string{harness.Program(t, "bash"), "-c", postgres, "sh", cluster}
	bare := harness.Run(t, harness.Cmd{Args: append(as, load...), Dir: dir, Deadline: 4 * deadline})
	for _, start := range starts {
		t.Run(start, func(t *testing.T) {
			file := filepath.Join(dir, "report-"+start)
			args := append(append(as, seam, "run", "--json", "--report", file, "--start", start, "--"), load...)
			got := harness.Run(t, harness.Cmd{Args: args, Dir: dir, Deadline: 4 * deadline})
			compareHost(t, start, bare, got, readReport(t, file))
		})
	}
}
