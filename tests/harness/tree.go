package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// tree is the processes that come from one command: its descendants, and those
// whose environment has the command's tag, however they lost their parents.
type tree struct {
	root int
	tag  string
}

type process struct {
	pid, ppid int
	state     byte
	comm      string
}

// processes lists all there are, by process id.
func processes() map[int]process {
	all := make(map[int]process)
	dirs, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return all
	}
	for _, path := range dirs {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
		if open < 0 || end < open {
			continue
		}
		p := process{comm: string(b[open+1 : end])}
		p.pid, _ = strconv.Atoi(strings.TrimSpace(string(b[:open])))
		if _, err := fmt.Sscanf(string(b[end+1:]), " %c %d", &p.state, &p.ppid); err == nil {
			all[p.pid] = p
		}
	}
	return all
}

// members lists the tree's processes that are alive, in order of their ids.
func (t *tree) members() []process {
	all := processes()
	in := make(map[int]bool)
	tag := []byte(t.tag + "\x00")
	for pid := range all {
		if pid == os.Getpid() {
			continue
		}
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err == nil && bytes.Contains(env, tag) {
			in[pid] = true
		}
	}
	if p, ok := all[t.root]; ok && p.ppid == os.Getpid() {
		in[t.root] = true
	}
	for grown := true; grown; {
		grown = false
		for pid, p := range all {
			if !in[pid] && in[p.ppid] {
				in[pid], grown = true, true
			}
		}
	}
	var list []process
	for pid := range in {
		if p := all[pid]; p.state != 'Z' && p.state != 'X' {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b process) int { return a.pid - b.pid })
	return list
}

// left lists what still runs when the command has ended, after a moment for
// those that are about to end.
func (t *tree) left() []string {
	var list []process
	for range 100 {
		if list = t.members(); len(list) == 0 {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	var names []string
	for _, p := range list {
		names = append(names, fmt.Sprintf("%d (%s)", p.pid, p.comm))
	}
	return names
}

// kill kills the tree. New members may be born while it does, so it looks again.
func (t *tree) kill() {
	for range 20 {
		list := t.members()
		if len(list) == 0 {
			return
		}
		for _, p := range list {
			t.killOne(p.pid)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// killOne kills a process only if the number still belongs to the tree once the
// pidfd holds it: another one may have got it meanwhile.
func (t *tree) killOne(pid int) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if slices.ContainsFunc(t.members(), func(p process) bool { return p.pid == pid }) {
		unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	}
}

// mostTraced bounds how many processes of a tree are traced.
const mostTraced = 12

// backtraces tells where every thread of the tree is.
func (t *tree) backtraces(tb testing.TB) string {
	gdb := Program(tb, "gdb")
	var b strings.Builder
	for i, p := range t.members() {
		if i == mostTraced {
			b.WriteString("… further processes not traced\n")
			break
		}
		fmt.Fprintf(&b, "---- process %d (%s), parent %d, state %c\n", p.pid, p.comm, p.ppid, p.state)
		for _, name := range []string{"wchan", "status"} {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.pid, name))
			if err != nil {
				continue
			}
			if name == "status" {
				text = signalLines(text)
			}
			fmt.Fprintf(&b, "%s: %s\n", name, bytes.TrimSpace(text))
		}
		b.WriteString(backtrace(gdb, p.pid))
	}
	return b.String()
}

// signalLines keeps what a status file says of threads and signals.
func signalLines(status []byte) []byte {
	var keep [][]byte
	for line := range bytes.Lines(status) {
		if bytes.HasPrefix(line, []byte("Sig")) || bytes.HasPrefix(line, []byte("Shd")) || bytes.HasPrefix(line, []byte("Threads")) {
			keep = append(keep, bytes.TrimSpace(line))
		}
	}
	return bytes.Join(keep, []byte("; "))
}

func backtrace(gdb string, pid int) string {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, gdb, "-nx", "-p", strconv.Itoa(pid), "-batch",
		"-ex", "set debuginfod enabled off", "-ex", "thread apply all bt")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return fmt.Sprintf("%sgdb: %v\n", out, err)
	}
	return string(out)
}
