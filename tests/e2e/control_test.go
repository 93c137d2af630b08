package e2e

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seam-project/seam/collector/control"
	"github.com/seam-project/seam/tests/harness"
)

// A desk is where collectors of one test are found: a cache of its own.
type desk struct {
	t   *testing.T
	env []string
}

func newDesk(t *testing.T) *desk {
	dir, err := os.MkdirTemp("/tmp", "seam-e2e-") // short: sockets are in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return &desk{t, []string{"XDG_CACHE_HOME=" + dir}}
}

// seam runs a command that must succeed, and returns its output.
func (d *desk) seam(args ...string) string {
	d.t.Helper()
	res := d.try(args...)
	if res.Code != 0 || res.Signal != 0 {
		d.t.Fatalf("seam %v: %v", args, res)
	}
	return res.Stdout
}

func (d *desk) try(args ...string) harness.Result {
	d.t.Helper()
	return harness.Run(d.t, harness.Cmd{Args: append([]string{harness.Seam(d.t)}, args...), Env: d.env})
}

// start starts a seam command that goes on.
func (d *desk) start(args ...string) *harness.Running {
	d.t.Helper()
	return harness.Start(d.t, harness.Cmd{Args: append([]string{harness.Seam(d.t)}, args...), Env: d.env, Stays: true})
}

func (d *desk) ps() (list []control.ProcessView) {
	d.t.Helper()
	if err := json.Unmarshal([]byte(d.seam("ps", "--json")), &list); err != nil {
		d.t.Fatal(err)
	}
	return list
}

func (d *desk) probes() (list []control.ProbeView) {
	d.t.Helper()
	if err := json.Unmarshal([]byte(d.seam("probe", "ls", "--json")), &list); err != nil {
		d.t.Fatal(err)
	}
	return list
}

func (d *desk) probe(id string) *control.ProbeView {
	d.t.Helper()
	for _, p := range d.probes() {
		if p.ID == id {
			return &p
		}
	}
	return nil
}

// live waits until a process with this program is connected, and returns its id.
func (d *desk) live(program string) (pid int) {
	d.t.Helper()
	eventually(d.t, program+" is connected", func() bool {
		for _, p := range d.ps() {
			if p.State == control.StateLive && p.Program == program {
				pid = p.PID
			}
		}
		return pid != 0
	})
	return pid
}

// code is the first bytes of a function of libc, in a process or, 0, in the file.
func code(t *testing.T, pid int, name string) []byte {
	t.Helper()
	const n = 16
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", max(pid, os.Getpid()*(1-min(pid, 1)))))
	if err != nil {
		t.Fatal(err)
	}
	path, base := "/lib/x86_64-linux-gnu/libc.so.6", uint64(0)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	for line := range strings.Lines(string(maps)) {
		f := strings.Fields(line)
		if len(f) == 6 && f[5] == path && f[2] == "00000000" {
			base, _ = strconv.ParseUint(f[0][:strings.IndexByte(f[0], '-')], 16, 64)
		}
	}
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	syms, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range syms {
		if s.Name != name {
			continue
		}
		b := make([]byte, n)
		if pid == 0 {
			for _, p := range f.Progs {
				if p.Type == elf.PT_LOAD && s.Value >= p.Vaddr && s.Value < p.Vaddr+p.Filesz {
					p.ReadAt(b, int64(s.Value-p.Vaddr))
				}
			}
			return b
		}
		mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
		if err != nil {
			t.Fatal(err)
		}
		defer mem.Close()
		if _, err := mem.ReadAt(b, int64(base+s.Value)); err != nil {
			t.Fatal(err)
		}
		return b
	}
	t.Fatalf("libc has no %s", name)
	return nil
}

// patched: a function of libc is not what it is in the file.
func patched(t *testing.T, pid int, name string) bool {
	t.Helper()
	return !bytes.Equal(code(t, pid, name), code(t, 0, name))
}

// looper is a python program that opens a file and asks for its parent until the
// file named stop is there. It says how often.
const looper = `
import os, sys, time
n = 0
while not os.path.exists(sys.argv[1]):
    os.close(os.open("/dev/null", os.O_RDONLY)); os.getppid(); n += 1
    time.sleep(0.002)
print("done", n > 0)
`

// stopper is a file whose being there ends a program.
func stopper(t *testing.T) (path string, stop func()) {
	path = filepath.Join(t.TempDir(), "stop")
	return path, func() {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Error(err)
		}
	}
}

// Probes come and go while a program runs, and it does not notice.
func TestProbesOfARun(t *testing.T) {
	d := newDesk(t)
	file, stop := stopper(t)
	report := filepath.Join(t.TempDir(), "report.json")
	run := d.start("run", "-q", "--json", "--report", report, "--control", "-p", "libc:getppid", "--", harness.Program(t, "python3"), "-c", looper, file)
	pid := d.live(filepath.Base(realpath(t, harness.Program(t, "python3"))))
	if patched(t, pid, "close") {
		t.Fatal("close is patched already")
	}
	id := strings.TrimSpace(d.seam("probe", "add", "libc:close"))
	p := d.probe(id)
	if p == nil || len(p.Processes) != 1 || p.Processes[0].State != "applied" || p.Processes[0].Functions != 1 || p.By != "user" {
		t.Fatalf("%+v", p)
	}
	if !patched(t, pid, "close") {
		t.Error("close is not patched")
	}
	eventually(t, "calls of close are counted", func() bool { p := d.probe(id); return p.Calls > 10 && p.Processes[0].Calls == p.Calls })
	d.seam("probe", "rm", id)
	if patched(t, pid, "close") {
		t.Error("close is still patched")
	}
	if d.probe(id) != nil {
		t.Error("the probe is still there")
	}

	// what became of others is said, and why
	none := d.probe(strings.TrimSpace(d.seam("probe", "add", "libnothing:f")))
	if none.Processes[0].State != "dormant" {
		t.Errorf("%+v", none)
	}
	refused := d.probe(strings.TrimSpace(d.seam("probe", "add", "libc:environ")))
	if refused.Processes[0].State != "refused" || !strings.Contains(refused.Processes[0].Reason, "data-symbol") {
		t.Errorf("%+v", refused)
	}
	pack := d.probe(strings.TrimSpace(d.seam("probe", "add", "file")))
	if !pack.Pack || pack.Processes[0].Functions < 5 {
		t.Errorf("%+v", pack)
	}
	bad := d.try("probe", "add", "libc:close fi")
	if bad.Code == 0 || !strings.Contains(bad.Stderr, "^") {
		t.Errorf("%v", bad)
	}

	// after about so many calls it is over
	few := strings.TrimSpace(d.seam("probe", "add", "libc:getppid", "--calls", "5"))
	_ = few
	d.seam("probe", "rm", "p1") // it had getppid
	eventually(t, "a probe with a number of calls ends", func() bool { return d.probe(few) == nil })
	eventually(t, "getppid is as it was", func() bool { return !patched(t, pid, "getppid") })

	d.seam("detach")
	for _, name := range []string{"close", "open64", "read", "write", "getppid"} {
		if patched(t, pid, name) {
			t.Errorf("%s is still patched", name)
		}
	}
	if list := d.ps(); len(list) != 1 || list[0].State != control.StateDetached {
		t.Errorf("%+v", list)
	}
	stop()
	if res := run.Wait(); res.Stdout != "done True\n" || res.Code != 0 {
		t.Errorf("%v", res)
	}
	law(t, readReport(t, report))
}

func realpath(t *testing.T, path string) string {
	t.Helper()
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	return real
}

// A server that forks for each connection: its children live too short for an agent of
// their own, and its own does not start: it calls nothing that is watched. Twenty more
// when it is to end: these begin after the probe was added.
const forker = `
import os, sys, time
left = 20
while left:
    if os.path.exists(sys.argv[1]): left -= 1
    pid = os.fork()
    if pid == 0:
        for i in range(5): os.getpgid(0); os.umask(0o22)
        os._exit(0)
    os.waitpid(pid, 0)
    time.sleep(0.005)
print("done")
`

func TestProbesOfAForkingServer(t *testing.T) {
	d := newDesk(t)
	file, stop := stopper(t)
	report := filepath.Join(t.TempDir(), "report.json")
	run := d.start("run", "-q", "--json", "--report", report, "--control", "-p", "libc:umask", "--", harness.Program(t, "python3"), "-c", forker, file)
	eventually(t, "the server is known", func() bool { return len(d.ps()) > 0 })
	id := strings.TrimSpace(d.seam("probe", "add", "libc:getpgid"))
	if p := d.probe(id); len(p.Processes) == 0 {
		t.Errorf("%+v", p)
	}
	stop()
	if res := run.Wait(); res.Stdout != "done\n" || res.Code != 0 {
		t.Errorf("%v", res)
	}
	rep := readReport(t, report)
	law(t, rep)
	calls := map[string]uint64{}
	for _, f := range rep.Functions {
		calls[f.Name] += f.Calls
	}
	// in each child the first call that is watched is umask's; from there on getpgid is, too
	if calls["getpgid"] < 20*4 || calls["umask"] < 20*5 {
		t.Errorf("%v", calls)
	}
}

// A shell whose children are new programs each: they begin with the probes that are in
// force then.
func TestCollect(t *testing.T) {
	d := newDesk(t)
	file, stop := stopper(t)
	config := filepath.Join(t.TempDir(), "probes.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(config+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(config+".new", config); err != nil {
			t.Fatal(err)
		}
	}
	write("probes:\n  - libc:getppid\n")
	collect := d.start("collect", "--json", "--config", config)
	eventually(t, "the collector runs", func() bool { return d.try("probe", "ls").Code == 0 })
	if res := d.try("env", "-p", "libc:read"); res.Code == 0 || !strings.Contains(res.Stderr, "says what is watched") {
		t.Errorf("%v", res)
	}
	env := d.seam("env", "--format", "env-file")
	shell := exec.Command(harness.Program(t, "bash"), "-c", `while [ ! -e "$0" ]; do /bin/cat /dev/null; done; echo done`, file)
	shell.Env = append(append(harness.Environ(t), d.env...), strings.Fields(env)...)
	var out bytes.Buffer
	shell.Stdout = &out
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	defer shell.Process.Kill()

	// a file with an error changes nothing, and the place of the error is said
	eventually(t, "the probe of the file is there", func() bool { ps := d.probes(); return len(ps) == 1 && ps[0].By == config })
	write("probes:\n  - libc:getppid\n  - libc:posix_fadvise if\n")
	eventually(t, "the error is told", func() bool {
		return regexp.MustCompile(`probes\.yaml:3:\d+: `).MatchString(collect.Stderr())
	})
	if ps := d.probes(); len(ps) != 1 || ps[0].Probe != "libc:getppid" {
		t.Errorf("%+v", ps)
	}
	// a good one is applied, and what was there stays
	before := d.probes()[0].ID
	write("probes:\n  - libc:posix_fadvise\n  - libc:getppid\n")
	eventually(t, "the new probe is there", func() bool { return len(d.probes()) == 2 })
	if d.probe(before) == nil {
		t.Error("the probe that stayed in the file is another now")
	}
	// cat calls posix_fadvise; each is a program of its own, which started with it
	eventually(t, "calls of programs that were started later", func() bool { return strings.Contains(collect.Stdout(), `"name":"posix_fadvise"`) })
	stop()
	if err := shell.Wait(); err != nil || out.String() != "done\n" {
		t.Errorf("%q: %v", out.String(), err)
	}
	collect.Signal(syscall.SIGTERM)
	if res := collect.Wait(); res.Code != 0 {
		t.Errorf("seam collect: %v", res)
	}
	if res := d.try("probe", "ls"); res.Code == 0 || !strings.Contains(res.Stderr, "no collector is running") {
		t.Errorf("%v", res)
	}
}

// A probe with a lifespan is gone when its time is over, though its collector was killed.
func TestLifespanWithoutCollector(t *testing.T) {
	d := newDesk(t)
	file, stop := stopper(t)
	collect := d.start("collect", "-p", "libc:getppid")
	eventually(t, "the collector runs", func() bool { return d.try("probe", "ls").Code == 0 })
	python := d.start("exec", "--socket", socketOf(d), "--", harness.Program(t, "python3"), "-c", looper, file)
	d.seam("probe", "add", "libc:close", "--for", "1h")
	pid := d.live(filepath.Base(realpath(t, harness.Program(t, "python3"))))
	d.seam("probe", "add", "libc:dup", "--for", "3s")
	eventually(t, "dup is patched", func() bool { return patched(t, pid, "dup") })
	collect.Signal(syscall.SIGKILL)
	eventually(t, "dup is as it was", func() bool { return !patched(t, pid, "dup") })
	if !patched(t, pid, "close") || !patched(t, pid, "getppid") {
		t.Error("a probe is gone whose time is not over")
	}
	stop()
	if res := python.Wait(); res.Stdout != "done True\n" || res.Code != 0 {
		t.Errorf("%v", res)
	}
	collect.Wait()
}

// socketOf is the socket of the desk's collector, as a program of a few lines asks for it.
func socketOf(d *desk) string {
	d.t.Helper()
	res := harness.Run(d.t, harness.Cmd{Env: d.env, Args: []string{harness.Program(d.t, "python3"), "-c", `
import glob, json, os, socket
s = socket.socket(socket.AF_UNIX)
s.connect(glob.glob(os.environ["XDG_CACHE_HOME"] + "/seam/control/*")[0])
f = s.makefile("rw")
print('{"do": "info"}', file=f, flush=True)
print(json.loads(f.readline())["socket"])
print('{"do": "nonsense"}', file=f, flush=True)
assert json.loads(f.readline())["ok"] is False
print('garbage', file=f, flush=True)
assert "hint" in json.loads(f.readline())
`}})
	if res.Code != 0 {
		d.t.Fatalf("%v", res)
	}
	return strings.TrimSpace(res.Stdout)
}

// A process that was started dormant is attached to: by a reader of its own, which leaves
// it as it was, and for a collector.
func TestAttachPython(t *testing.T) {
	for _, how := range []string{"alone", "collector"} {
		t.Run(how, func(t *testing.T) {
			d := newDesk(t)
			file, stop := stopper(t)
			python := exec.Command(harness.Program(t, "python3"), "-c", looper, file)
			python.Env = append(append(harness.Environ(t), d.env...), strings.Fields(d.seam("env", "--dormant", "--format", "env-file"))...)
			var out bytes.Buffer
			python.Stdout = &out
			if err := python.Start(); err != nil {
				t.Fatal(err)
			}
			defer python.Process.Kill()
			pid := python.Process.Pid
			eventually(t, "it is listed as dormant", func() bool {
				for _, p := range d.ps() {
					if p.PID == pid && p.State == control.StateDormant {
						return true
					}
				}
				return false
			})
			if how == "alone" {
				report := filepath.Join(t.TempDir(), "report.json")
				a := d.start("attach", "-q", "--json", "--report", report, "--pid", fmt.Sprint(pid), "-p", "libc:getppid")
				eventually(t, "it is watched", func() bool { return patched(t, pid, "getppid") })
				time.Sleep(50 * time.Millisecond)
				a.Signal(syscall.SIGINT)
				if res := a.Wait(); res.Code != 0 {
					t.Errorf("%v", res)
				}
				if patched(t, pid, "getppid") {
					t.Error("it is still patched")
				}
				rep := readReport(t, report)
				if len(rep.Functions) != 1 || rep.Functions[0].Calls == 0 {
					t.Errorf("%+v", rep.Functions)
				}
			} else {
				collect := d.start("collect", "-p", "libc:getppid")
				eventually(t, "the collector runs", func() bool { return d.try("probe", "ls").Code == 0 })
				d.seam("attach", "--pid", fmt.Sprint(pid), "-p", "libc:close")
				id := strings.TrimSpace(d.seam("probe", "add", "libc:open64"))
				eventually(t, "its calls are read", func() bool {
					all := d.probes()
					return len(all) == 3 && all[0].Calls > 0 && all[1].Calls > 0 && d.probe(id).Calls > 0
				})
				d.seam("detach", "--pid", fmt.Sprint(pid))
				for _, name := range []string{"getppid", "close", "open64"} {
					if patched(t, pid, name) {
						t.Errorf("%s is still patched", name)
					}
				}
				collect.Signal(syscall.SIGTERM)
				collect.Wait()
			}
			stop()
			if err := python.Wait(); err != nil || out.String() != "done True\n" {
				t.Errorf("%q: %v", out.String(), err)
			}
		})
	}
}

// With several collectors the one that is meant must be named.
func TestSeveralCollectors(t *testing.T) {
	d := newDesk(t)
	dir := t.TempDir()
	var all []*harness.Running
	for _, name := range []string{"a", "b"} {
		short := fmt.Sprintf("/tmp/seam-e2e-%d-%s", os.Getpid(), name)
		defer os.Remove(short)
		all = append(all, d.start("collect", "--socket", filepath.Join(dir, name), "--control="+short, "-p", "libc:"+name))
		eventually(t, "it runs", func() bool { return d.try("probe", "ls", "--control", short).Code == 0 })
	}
	res := d.try("probe", "ls")
	if res.Code == 0 || strings.Count(res.Stderr, "--control /") != 2 {
		t.Errorf("%v", res)
	}
	if out := d.seam("probe", "ls", "--control", fmt.Sprintf("/tmp/seam-e2e-%d-b", os.Getpid())); !strings.Contains(out, "libc:b") {
		t.Errorf("%q", out)
	}
	if st, err := os.Stat(fmt.Sprintf("/tmp/seam-e2e-%d-b", os.Getpid())); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st.Mode(), err)
	}
	for _, r := range all {
		r.Signal(syscall.SIGTERM)
		r.Wait()
	}
}
