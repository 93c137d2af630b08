package collector_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seam-project/seam/collector"
	. "github.com/seam-project/seam/collector/internal/streamtest"
	"github.com/seam-project/seam/collector/live"
	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/wire"
)

// collect runs f with a collector and returns the report, which must be the
// same as that of the capture.
func collect(t *testing.T, o collector.Options, f func(c *collector.Collector)) *report.Report {
	t.Helper()
	var saved bytes.Buffer
	if o.Save == nil {
		o.Save = &saved
	}
	c, err := collector.Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	c.SetTarget([]string{"some", "target"})
	served := make(chan error, 1)
	go func() { served <- c.Serve() }()
	f(c)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r := c.Finish(ctx)
	if ctx.Err() != nil {
		t.Error("Finish waited for something that does not come")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if len(r.Target) != 2 {
		t.Errorf("target %q", r.Target)
	}
	if saved.Len() > 0 {
		again, err := report.FromCapture(&saved, o.Report, nil)
		if err != nil {
			t.Fatal(err)
		}
		var a, b bytes.Buffer
		r.WriteJSON(&a)
		again.WriteJSON(&b)
		if d := cmp.Diff(a.String(), b.String()); d != "" {
			t.Errorf("the capture gives another report (-at first +again):\n%s", d)
		}
	}
	return r
}

func TestTargets(t *testing.T) {
	tests := []struct {
		role      string
		delivered uint64
		arenas    int
		procs     int
	}{
		{"core", 100, 1, 1},
		{"brief", 3, 1, 1},
		{"agent", 100, 1, 1},
		{"dry", 60, 1, 1},
		{"torn", 60, 1, 1},
		{"late", 60, 1, 1},
		{"cut", 60, 1, 1},
		{"bye", 10, 1, 1},
		{"fork", 65, 1, 2},
		{"exec", 10, 2, 1},
	}
	for _, tt := range tests {
		t.Run(tt.role, func(t *testing.T) {
			r := collect(t, collector.Options{}, func(c *collector.Collector) {
				target(t, c.Socket(), tt.role).Run()
			})
			a := r.Account
			if a.Delivered != tt.delivered || a.Produced != tt.delivered || a.Unaccounted != 0 || a.Incomplete != 0 || a.Arenas != tt.arenas || a.Duplicates != 0 {
				t.Errorf("account %+v, want %d calls exactly once", a, tt.delivered)
			}
			if len(r.Errors) != 0 {
				t.Errorf("errors %+v", r.Errors)
			}
			if len(r.Processes) != tt.procs {
				t.Errorf("processes %+v, want %d", r.Processes, tt.procs)
			}
			for _, p := range r.Processes {
				if !p.Ended && tt.role != "exec" {
					t.Errorf("process %d has not ended: %+v", p.PID, p)
				}
			}
			if len(r.Functions) != 1 || r.Functions[0].Name != "getpid" || r.Functions[0].Calls != tt.delivered {
				t.Errorf("functions %+v", r.Functions)
			}
		})
	}
}

// What an agent knew of SQL is not lost when the collector takes over.
func TestStatementsOfTargets(t *testing.T) {
	for _, tt := range []struct {
		role    string
		calls   uint64
		running uint64
		message string
	}{
		{"sql", 6, 0, "no such function"},
		{"sql-again", 6, 0, "no such function"},
		{"sql-late", 6, 0, "no such function"},
		{"sql-bye", 5, 1, ""},
	} {
		t.Run(tt.role, func(t *testing.T) {
			r := collect(t, collector.Options{}, func(c *collector.Collector) {
				target(t, c.Socket(), tt.role).Run()
			})
			if a := r.Account; a.Delivered != tt.calls || a.Produced != tt.calls || a.Unaccounted != 0 || a.Incomplete != 0 {
				t.Errorf("account %+v", a)
			}
			if again := r.Account.Duplicates > 0; again != (tt.role == "sql-again") {
				t.Errorf("%d duplicates", r.Account.Duplicates)
			}
			if len(r.Errors) != 0 || len(r.SQL) != 2 {
				t.Fatalf("errors %+v, SQL %+v", r.Errors, r.SQL)
			}
			for _, s := range r.SQL {
				ok := s.DB == "a.db" && s.Executions == 1
				switch s.SQL {
				case "SELECT ?":
					ok = ok && s.Rows == 1 && s.Errors == 0 && s.Running == tt.running
				case "SELECT nope(?)":
					ok = ok && s.Rows == 0 && s.Errors == 1 && s.LastError == tt.message
				default:
					ok = false
				}
				if !ok {
					t.Errorf("%+v", s)
				}
			}
		})
	}
}

func TestManyShortProcesses(t *testing.T) {
	const n = 40
	var before, after int
	r := collect(t, collector.Options{}, func(c *collector.Collector) {
		before = openFDs(t)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range n / 4 {
					if err := target(t, c.Socket(), "brief").Run(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for range 1000 { // not only at the end
			if after = openFDs(t); after <= before+2 {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	if after > before+2 {
		t.Errorf("%d descriptors open, %d before", after, before)
	}
	if a := r.Account; a.Delivered != 3*n || a.Arenas != n || a.Unaccounted != 0 || a.Incomplete != 0 {
		t.Errorf("account %+v", a)
	}
}

func TestProcessThatLivesOn(t *testing.T) {
	c, err := collector.Listen(collector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go c.Serve()
	cmd := target(t, c.Socket(), "daemon")
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	out.Read(make([]byte, 3))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	r := c.Finish(ctx)
	if a := r.Account; a.Delivered != 10 || a.Incomplete != 1 || a.Unaccounted != 0 {
		t.Errorf("account %+v, want 10 calls of an arena that is not complete", a)
	}
	if cmd.Process.Signal(syscall.Signal(0)) != nil {
		t.Error("the process was hurt")
	}
	var b strings.Builder
	r.WriteText(&b, report.TextOptions{})
	if !strings.Contains(b.String(), "1 queue ended without a final account") {
		t.Errorf("it is not told:\n%s", b.String())
	}
}

func send(t *testing.T, c *collector.Collector, b []byte) {
	t.Helper()
	conn := dialSoon(t, c.Socket())
	defer conn.Close()
	conn.Write(b)
}

func TestBadPeersHurtOnlyThemselves(t *testing.T) {
	var logged atomic.Int32
	var slow *os.File
	r := collect(t, collector.Options{ErrLog: func(string, string) { logged.Add(1) }}, func(c *collector.Collector) {
		good := dialSoon(t, c.Socket())
		demo := Demo().B
		good.Write(demo[:700])
		send(t, c, []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
		send(t, c, nil)
		send(t, c, []byte{0xc1})
		send(t, c, wire.AppendHello(nil, &wire.Hello{V: 2}))
		send(t, c, append(new(Stream).Hello("agent", 9, 1, 1).B, 0x92, 9, 0xce, 0x7f, 0xff, 0xff, 0xff))    // a batch of 2 GiB to come
		send(t, c, append(new(Stream).Hello("agent", 8, 1, 1).B, 0xdd, 0xff, 0xff, 0xff, 0xff))             // an array of 4 Gi elements
		send(t, c, append(new(Stream).Hello("agent", 7, 1, 1).B, bytes.Repeat([]byte{0x91}, 1<<20)...))     // nested without end
		send(t, c, append(new(Stream).Hello("agent", 6, 1, 1).B, 0x92, 9, 0xc6, 0x7f, 0xff, 0xff, 0xff, 1)) // a size that is not a number
		conn := dialSoon(t, c.Socket())                                                                     // slow: it never finishes its hello
		conn.Write([]byte{0x92})
		slow, _ = conn.File()
		conn.Close()
		good.Write(demo[700:])
		good.Close()
		time.Sleep(20 * time.Millisecond)
		slow.Close()
	})
	if r.Account.Delivered != 15 || r.Account.Unaccounted != 0 {
		t.Errorf("account %+v, want the good peer's 15 calls", r.Account)
	}
	n := uint64(0)
	for _, e := range r.Errors {
		if e.Code == "bad-stream" {
			n += e.Count
		}
	}
	if n < 5 {
		t.Errorf("errors %+v, want each bad peer counted", r.Errors)
	}
	if logged.Load() != 1 {
		t.Errorf("told %d times, want once", logged.Load())
	}
}

func TestArenaThatIsNone(t *testing.T) {
	r := collect(t, collector.Options{}, func(c *collector.Collector) {
		for _, f := range []func() (*os.File, error){
			func() (*os.File, error) { return os.Open("/dev/zero") },
			func() (*os.File, error) { return os.CreateTemp(t.TempDir(), "") },
		} {
			file, err := f()
			if err != nil {
				t.Fatal(err)
			}
			conn := dialSoon(t, c.Socket())
			rights := syscall.UnixRights(int(file.Fd()), int(file.Fd()))
			if _, _, err := conn.WriteMsgUnix(new(Stream).Hello("core", 3, 77, 1).B, rights, nil); err != nil {
				t.Fatal(err)
			}
			conn.Close()
			file.Close()
		}
	})
	if len(r.Errors) == 0 || r.Errors[0].Code != "bad-arena" || r.Account.Incomplete != 1 {
		t.Errorf("errors %+v, account %+v", r.Errors, r.Account)
	}
}

func TestOtherUserIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	dir, err := os.MkdirTemp("/tmp", "seam-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	os.Chmod(dir, 0o755)
	r := collect(t, collector.Options{Socket: dir + "/s"}, func(c *collector.Collector) {
		as := func() error {
			cmd := exec.Command("/usr/bin/python3", "-c", "import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\ns.send(b'x')\ns.recv(1)", c.Socket())
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			return cmd.Run()
		}
		if as() == nil {
			t.Error("another user could connect at all: the socket's mode is wrong")
		}
		os.Chmod(c.Socket(), 0o666) // even so
		as()
	})
	if len(r.Errors) != 1 || r.Errors[0].Code != "other-user" || r.Errors[0].Advice == "" {
		t.Errorf("errors %+v, want the refusal and an advice", r.Errors)
	}
}

type smallDisk struct {
	bytes.Buffer
	n int
}

func (d *smallDisk) Write(p []byte) (int, error) {
	if d.Len()+len(p) > d.n {
		return 0, errors.New("no space left on device")
	}
	return d.Buffer.Write(p)
}

func TestFullDiskUnderCapture(t *testing.T) {
	var told atomic.Value
	disk := &smallDisk{n: 300}
	r := collect(t, collector.Options{Save: disk, ErrLog: func(msg, hint string) { told.Store(msg) }}, func(c *collector.Collector) {
		conn := dialSoon(t, c.Socket())
		for b := Demo().B; len(b) > 0; b = b[min(100, len(b)):] {
			conn.Write(b[:min(100, len(b))])
			time.Sleep(time.Millisecond)
		}
		conn.Close()
	})
	if r.Account.Delivered != 15 {
		t.Errorf("the run did not go on: %+v", r.Account)
	}
	if len(r.Errors) != 2 || r.Errors[1].Code != "capture" || !strings.Contains(r.Errors[1].Text, "not saved") {
		t.Errorf("errors %+v", r.Errors)
	}
	if s, _ := told.Load().(string); !strings.Contains(s, "no space left") {
		t.Errorf("told %q", s)
	}
	if _, err := report.FromCapture(&disk.Buffer, report.Options{}, nil); err != nil {
		t.Errorf("what was saved before can't be read: %v", err)
	}
}

func TestLiveAndOnEvent(t *testing.T) {
	var out bytes.Buffer
	var names []string
	p := live.NewPrinter(&out, live.Options{})
	collect(t, collector.Options{Live: p, OnEvent: func(e *collector.Event) {
		if e.Kind == wire.EvCall {
			names = append(names, e.Probe.Name)
		}
	}}, func(c *collector.Collector) { send(t, c, Demo().B) })
	if len(names) != 12 || names[0] != "open" {
		t.Errorf("events %v", names)
	}
	if n := strings.Count(out.String(), "\n"); n != 18 {
		t.Errorf("%d lines, want 18:\n%s", n, out.String())
	}
}

func TestCloseWithoutFinish(t *testing.T) {
	c, err := collector.Listen(collector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	path := c.Socket()
	go c.Serve()
	conn := dialSoon(t, path)
	defer conn.Close()
	conn.Write(new(Stream).Hello("agent", 1, 1, 1).B)
	done := make(chan struct{})
	go func() {
		c.Close()
		c.Close()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("Close hangs on an open connection")
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is still there: %v", err)
	}
}
