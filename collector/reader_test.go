package collector_test

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/seam-project/seam/collector/internal/streamtest"
)

// The reader in docs, with Debian's python3-msgpack, understands the stream.
func TestPythonReader(t *testing.T) {
	src, err := os.ReadFile("../docs/reader.py")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(src), "\n"); n > 20 {
		t.Errorf("docs/reader.py has %d lines, more than the 20 that are promised", n)
	}
	if out, err := exec.Command("/usr/bin/python3", "-c", "import msgpack").CombinedOutput(); err != nil {
		t.Fatalf("python3-msgpack is needed (apt install python3-msgpack): %v\n%s", err, out)
	}
	path := filepath.Join(t.TempDir(), "sock")
	cmd := exec.Command("/usr/bin/python3", "../docs/reader.py", path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	conn := dialSoon(t, path)
	defer conn.Close()
	good := Demo()
	half := len(good.B) / 2
	conn.Write(good.B[:half])
	time.Sleep(10 * time.Millisecond) // values are cut anywhere
	conn.Write(good.B[half:])
	bad := dialSoon(t, path) // beside the first, which stays open
	bad.Write(new(Stream).Hello("agent", 2, 9, 1, "p").Defs().Batch(9, 1, 1, Call(Getpid, 1, 0, 1, 9, 0)).Bye(2, 2, 0, nil).B)
	bad.Write([]byte{0x93, 2, 7}) // and ends inside a value
	bad.Close()

	var all []string
	byes := 0
	for byes < 2 {
		select {
		case l, ok := <-lines:
			if !ok {
				t.Fatalf("the reader ended; it printed:\n%s", strings.Join(all, "\n"))
			}
			all = append(all, l)
			if strings.HasPrefix(l, "bye") {
				byes++
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("the reader printed only:\n%s", strings.Join(all, "\n"))
		}
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{
		"100 open['/etc/passwd', 'O_RDONLY|O_CLOEXEC'] = 3", "9 getpid[] = 9",
		"bye: produced = delivered + dropped holds", "bye: produced = delivered + dropped DOES NOT HOLD",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}

// dialSoon connects to a socket that is about to be listened on.
func dialSoon(t *testing.T, path string) *net.UnixConn {
	t.Helper()
	for range 2000 {
		if c, err := net.Dial("unix", path); err == nil {
			return c.(*net.UnixConn)
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("nobody listens on %s", path)
	return nil
}
