package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// listening starts a reader and waits until it can be connected to.
func listening(t *testing.T, seam, socket string) *harness.Running {
	t.Helper()
	os.Remove(socket) // of one that was killed
	listen := harness.Start(t, harness.Cmd{Args: []string{seam, "listen", "--json", "--socket", socket}})
	eventually(t, "the socket", func() bool { _, err := os.Stat(socket); return err == nil })
	return listen
}

// A program was left to a reader that adopts; then that is killed, and another comes. The other gets
// what the program did.
func TestReaderThatAdoptsIsKilled(t *testing.T) {
	socket, fifo := filepath.Join(t.TempDir(), "s"), filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	listen := listening(t, harness.Seam(t), socket)
	target := harness.Start(t, harness.Cmd{Args: []string{harness.Seam(t), "exec", "--socket", socket, "-H", "proc", "--", "/bin/cat", fifo}})
	var w *os.File
	eventually(t, "the program has the other end open", func() (open bool) {
		var err error
		w, err = os.OpenFile(fifo, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		return err == nil
	})
	listen.Signal(syscall.SIGKILL)
	listen.Wait()
	next := listening(t, harness.Seam(t), socket)
	w.Close()
	if res := target.Wait(); res.Code != 0 || res.Stderr != "" {
		t.Error(res)
	}
	eventually(t, "the end", func() bool { return strings.Contains(next.Stdout(), `"name":"exit"`) })
	next.Signal(syscall.SIGTERM)
	next.Wait()
}

// A short program under seam exec leaves its calls to a reader that is the same seam: no agent has to
// start for them at its end. Of any other reader it can't know. Either way all calls arrive.
func TestReaderThatAdopts(t *testing.T) {
	other := filepath.Join(t.TempDir(), "seam")
	if b, err := os.ReadFile(harness.Seam(t)); err != nil {
		t.Fatal(err)
	} else if err := os.WriteFile(other, b, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, reader string
		starts       bool
	}{{"the same", harness.Seam(t), false}, {"another", other, true}} {
		t.Run(c.name, func(t *testing.T) {
			socket := filepath.Join(t.TempDir(), "s")
			listen := listening(t, c.reader, socket)
			trace := filepath.Join(t.TempDir(), "trace")
			res := harness.Run(t, harness.Cmd{Args: []string{"/usr/bin/strace", "-f", "-o", trace, "-e", "trace=execve,clone,clone3", harness.Seam(t), "exec", "--socket", socket, "--", "/bin/true"}})
			if res.Code != 0 || res.Stderr != "" {
				t.Fatal(res)
			}
			b, err := os.ReadFile(trace)
			if err != nil {
				t.Fatal(err)
			}
			_, target, ok := strings.Cut(string(b), `execve("/bin/true"`)
			if starts := strings.Contains(target, "clone"); !ok || starts != c.starts {
				t.Errorf("an agent was started: %v\n%s", starts, b)
			}
			eventually(t, "the end", func() bool { return strings.Contains(listen.Stdout(), `"name":"exit"`) })
			listen.Signal(syscall.SIGTERM)
			if out := listen.Wait(); strings.Count(out.Stdout, `"name":"exit"`) != 1 || strings.Contains(out.Stdout, `"dropped":1`) {
				t.Errorf("the reader has: %s", out.Stdout)
			}
		})
	}
}
