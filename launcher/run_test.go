package launcher

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// TestInherited compares all that a process inherits, started directly and by us,
// from a parent that is odd in every way.
func TestInherited(t *testing.T) {
	state := func(t *testing.T, env []string, how ...string) []string {
		args := append([]string{"odd"}, how...)
		cmd := exec.Command(stateProgram(), append(args, stateProgram(), "one", "", "two words")...)
		// Duplicates and entries without = are there for direct children, too.
		cmd.Env = append([]string{"PATH=/usr/bin", "A=1", "A=2", "novalue", "LD_BIND_NOW="}, env...)
		var out bytes.Buffer
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stderr = w
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %v", cmd.Args, err)
		}
		w.Close()
		io.Copy(&out, r)
		pipe := regexp.MustCompile(`pipe:\[\d+\]`)
		return strings.Split(pipe.ReplaceAllString(out.String(), "pipe"), "\n")
	}
	for _, tc := range []struct {
		name string
		env  []string
	}{
		{"odd", nil},
		{"chld", []string{"ODD_CHLD=1"}},
		{"closed", []string{"ODD_CLOSED=1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			direct := state(t, tc.env)
			if len(direct) < 40 {
				t.Fatalf("the direct run printed only %d lines", len(direct))
			}
			if diff := cmp.Diff(direct, state(t, tc.env, starter(), "exec")); diff != "" {
				t.Errorf("exec: -direct +ours\n%s", diff)
			}
			if diff := cmp.Diff(direct, state(t, tc.env, starter(), "run")); diff != "" {
				t.Errorf("run: -direct +ours\n%s", diff)
			}
		})
	}
}

func TestExitStatus(t *testing.T) {
	for _, tc := range []struct {
		script string
		code   int
		signal syscall.Signal
	}{
		{"exit 0", 0, 0},
		{"exit 3", 3, 0},
		{"exit 125", 125, 0},
		{"exit 255", 255, 0},
		{"kill -TERM $$", 0, unix.SIGTERM},
		{"kill -KILL $$", 0, unix.SIGKILL},
		{"kill -SEGV $$", 0, unix.SIGSEGV},
		{"kill -ABRT $$", 0, unix.SIGABRT},
		{"kill -PIPE $$", 0, unix.SIGPIPE},
		{"kill -INT $$", 0, unix.SIGINT},
		{"kill -QUIT $$", 0, unix.SIGQUIT},
		{"kill -40 $$", 0, 40},
	} {
		t.Run(tc.script, func(t *testing.T) {
			cmd := exec.Command(starter(), "run", "/bin/sh", "-c", tc.script)
			out, _ := cmd.CombinedOutput()
			ws := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if tc.signal != 0 {
				if !ws.Signaled() || ws.Signal() != tc.signal {
					t.Errorf("ended with %v, want signal %v", cmd.ProcessState, tc.signal)
				}
				if ws.CoreDump() {
					t.Error("we dumped core ourselves")
				}
			} else if !ws.Exited() || ws.ExitStatus() != tc.code {
				t.Errorf("ended with %v, want exit status %d", cmd.ProcessState, tc.code)
			}
			if len(out) != 0 {
				t.Errorf("output: %q", out)
			}
		})
	}
}

// waiting starts "state wait" and returns it when it is ready, with the
// target's process id.
func waiting(t *testing.T, before ...string) (cmd *exec.Cmd, lines *bufio.Scanner, target int) {
	t.Helper()
	args := append(before, starter(), "run", stateProgram(), "wait")
	cmd = exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal: nothing signals the group
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines = bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the target did not start")
	}
	if _, err := fmt.Sscanf(lines.Text(), "READY %d", &target); err != nil {
		t.Fatalf("the target said %q", lines.Text())
	}
	timer := time.AfterFunc(20*time.Second, func() { unix.Kill(target, unix.SIGKILL) })
	t.Cleanup(func() { timer.Stop(); cmd.Process.Kill() })
	// Whoever started the test may ignore signals (nohup, a shell's &), and the target may
	// be ready before the starter catches them again.
	for end := time.Now().Add(10 * time.Second); ignores(t, cmd.Process.Pid, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the starter still ignores signals")
		}
	}
	return cmd, lines, target
}

func TestSignalsAreForwarded(t *testing.T) {
	cmd, lines, _ := waiting(t)
	for _, sig := range []syscall.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM, 40, unix.SIGTERM} {
		cmd.Process.Signal(sig)
		if !lines.Scan() || lines.Text() != fmt.Sprintf("GOT %02d", sig) {
			t.Fatalf("%v: the target said %q", sig, lines.Text())
		}
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 7 {
		t.Errorf("exit status %d, want 7", code)
	}
}

// TestIgnoredSignalsAreForwarded starts a target that catches what it finds ignored,
// as shells start what runs in the background.
func TestIgnoredSignalsAreForwarded(t *testing.T) {
	cmd, lines, _ := waiting(t, "/bin/sh", "-c", `trap "" INT QUIT HUP; exec "$@"`, "sh")
	for _, sig := range []syscall.Signal{unix.SIGINT, unix.SIGQUIT, unix.SIGHUP, unix.SIGTERM} {
		cmd.Process.Signal(sig)
		if !lines.Scan() || lines.Text() != fmt.Sprintf("GOT %02d", sig) {
			t.Fatalf("%v: the target said %q", sig, lines.Text())
		}
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 7 {
		t.Errorf("exit status %d, want 7", code)
	}
}

// ignores says whether a process ignores any of some signals.
func ignores(t *testing.T, pid int, sigs ...syscall.Signal) bool {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(b), "SigIgn:\t")
	mask, err := strconv.ParseUint(after[:16], 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	for _, sig := range sigs {
		if mask>>(sig-1)&1 != 0 {
			return true
		}
	}
	return false
}

// TestStopsWithTarget stops the target; its starter must be seen to stop, and
// continuing the starter must continue the target.
func TestStopsWithTarget(t *testing.T) {
	for _, sig := range []syscall.Signal{unix.SIGSTOP, unix.SIGTSTP} {
		t.Run(unix.SignalName(sig), func(t *testing.T) {
			if sig == unix.SIGTSTP {
				// An orphaned group doesn't stop for SIGTSTP; the pty test has this case.
				testTerminal(t)
				return
			}
			cmd, lines, target := waiting(t)
			unix.Kill(target, sig)
			var ws unix.WaitStatus
			if _, err := unix.Wait4(cmd.Process.Pid, &ws, unix.WUNTRACED, nil); err != nil || !ws.Stopped() || ws.StopSignal() != sig {
				t.Fatalf("starter: %v, status %#x", err, ws)
			}
			cmd.Process.Signal(unix.SIGCONT)
			if !lines.Scan() || lines.Text() != "GOT 18" {
				t.Fatalf("when we were continued the target said %q", lines.Text())
			}
			cmd.Process.Signal(unix.SIGUSR1)
			if !lines.Scan() || lines.Text() != fmt.Sprintf("GOT %02d", unix.SIGUSR1) {
				t.Fatalf("after continuing the target said %q", lines.Text())
			}
			cmd.Process.Signal(unix.SIGTERM)
			cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != 7 {
				t.Errorf("exit status %d, want 7", code)
			}
		})
	}
}

// testTerminal drives an interactive shell on a pseudo-terminal: ^Z, bg, fg, ^C.
func testTerminal(t *testing.T) {
	pty := newTerminal(t, "/bin/bash", "--norc", "--noprofile", "--noediting", "-i")
	pty.send("PS1='%%'; set -o notify\n")
	pty.expect("%%")
	pty.send(starter() + " run " + stateProgram() + " wait\n")
	pty.expect("READY ")
	pty.send("\x1a")
	pty.expect("Stopped") // the shell has the terminal back
	pty.send("fg\n")
	pty.expect("GOT 18") // and has given it to the job
	pty.send("\x03")
	pty.expect("GOT 02") // exactly one: the terminal's, not ours besides
	pty.send("\x1c")
	pty.expect("GOT 03")
	pty.send("\x1a")
	pty.expect("Stopped")
	pty.send("bg\n")
	pty.expect("GOT 18")
	pty.send("kill %1; wait %1; echo status=$((0+$?))\n")
	pty.expect("GOT 15")
	pty.expect("status=7")
	for got, want := range map[string]int{"GOT 02": 1, "GOT 03": 1, "GOT 18": 2, "GOT 15": 1} {
		if n := strings.Count(pty.all.String(), got); n != want {
			t.Errorf("%s came %d times, want %d", got, n, want)
		}
	}
	pty.send(starter() + " run sleep 1000\n")
	pty.expect("sleep 1000")
	for end := time.Now().Add(20 * time.Second); !pty.hasChildNamed("sleep"); {
		if time.Now().After(end) {
			t.Fatal("sleep did not start")
		}
		time.Sleep(5 * time.Millisecond)
	}
	pty.send("\x03")
	pty.send("echo status=$((0+$?))\n")
	pty.expect("status=130")
}

type terminal struct {
	t      *testing.T
	master *os.File
	shell  *exec.Cmd
	unread string
	all    strings.Builder
}

func newTerminal(t *testing.T, argv ...string) *terminal {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	p := &terminal{t: t, master: os.NewFile(uintptr(fd), "ptmx"), shell: exec.Command(argv[0], argv[1:]...)}
	p.shell.Stdin, p.shell.Stdout, p.shell.Stderr = slave, slave, slave
	p.shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := p.shell.Start(); err != nil {
		t.Fatal(err)
	}
	p.master.SetReadDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() {
		p.master.Close() // hangs up what is left
		p.shell.Process.Kill()
		p.shell.Wait()
	})
	return p
}

func (p *terminal) send(s string) {
	if _, err := p.master.WriteString(s); err != nil {
		p.t.Fatal(err)
	}
}

// expect reads until text has come, and leaves what is behind it unread.
func (p *terminal) expect(text string) {
	p.t.Helper()
	buf := make([]byte, 4096)
	for {
		if i := strings.Index(p.unread, text); i >= 0 {
			p.unread = p.unread[i+len(text):]
			return
		}
		n, err := p.master.Read(buf)
		p.unread += string(buf[:n])
		p.all.Write(buf[:n])
		if err != nil {
			p.t.Fatalf("waiting for %q: %v; so far:\n%s", text, err, p.all.String())
		}
	}
}

// hasChildNamed says whether a process of the session has that name by now.
func (p *terminal) hasChildNamed(name string) bool {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		raw, _ := os.ReadFile(path)
		head, tail, ok := strings.Cut(string(raw), ") ")
		if f := strings.Fields(tail); ok && len(f) > 3 && f[3] == fmt.Sprint(p.shell.Process.Pid) && strings.HasSuffix(head, "("+name) {
			return true
		}
	}
	return false
}
