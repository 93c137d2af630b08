package e2e

import (
	"bytes"
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/seam-project/seam/tests/harness"
)

// reader is a third-party reader: it knows docs/protocol.md and no more.
type reader struct {
	t    *testing.T
	path string
	ln   *net.UnixListener
	use  func(net.Conn) // what it does with a connection
	work sync.WaitGroup

	mu        sync.Mutex
	conns     int
	names     map[string]string // probe by arena and id
	delivered map[string]uint64 // calls by arena
	byName    map[string]uint64
	byPID     map[int64]uint64
	bye       map[string]map[string]any // by arena
	trouble   []string
}

// newReader listens; use is what it does with each connection, nil means read it.
func newReader(t *testing.T, use func(net.Conn)) *reader {
	t.Helper()
	dir := t.TempDir()
	r := &reader{t: t, path: filepath.Join(dir, "sock"), use: use,
		names: map[string]string{}, delivered: map[string]uint64{}, byName: map[string]uint64{}, byPID: map[int64]uint64{}, bye: map[string]map[string]any{}}
	if len(r.path) > 100 {
		r.path = filepath.Join(harness.Shared(t), filepath.Base(filepath.Dir(dir)))
		r.path = r.path[:min(len(r.path), 100)]
	}
	if r.use == nil {
		r.use = func(c net.Conn) { r.read(c) }
	}
	r.listen()
	return r
}

func (r *reader) listen() {
	r.t.Helper()
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: r.path, Net: "unix"})
	if err != nil {
		r.t.Fatal(err)
	}
	r.ln = ln
	r.t.Cleanup(func() { ln.Close() })
	r.work.Add(1)
	go func() {
		defer r.work.Done()
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.conns++
			r.mu.Unlock()
			r.work.Add(1)
			go func() {
				defer r.work.Done()
				defer c.Close()
				r.use(c)
			}()
		}
	}()
}

// close stops listening and waits until all that was connected has been read.
func (r *reader) close() {
	r.ln.Close()
	r.work.Wait()
}

func (r *reader) connections() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.conns
}

func (r *reader) byes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.bye)
}

func (r *reader) complain(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trouble = append(r.trouble, what)
}

// read follows one connection to its end.
func (r *reader) read(c io.Reader) {
	d := msgpack.NewDecoder(c)
	d.UseLooseInterfaceDecoding(true) // all integers become int64 or uint64
	d.SetMapDecoder(func(d *msgpack.Decoder) (any, error) { return d.DecodeUntypedMap() })
	arena := ""
	for {
		v, err := d.DecodeInterfaceLoose()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, net.ErrClosed) {
				r.complain("decode: " + err.Error())
			}
			return
		}
		m, ok := v.([]any)
		if !ok || len(m) < 2 {
			r.complain("a value is not an array")
			return
		}
		r.mu.Lock()
		switch number(m[0]) {
		case 0:
			arena = text(entry(m[1], "arena"))
		case 1:
			r.names[arena+string(rune(number(m[1])))] = text(entry(m[2], "name"))
		case 2:
			for _, s := range m[3].([]any) {
				section := s.([]any)
				for _, e := range section[6].([]any) {
					ev := e.([]any)
					if k := number(ev[0]); k == 0 || k == 1 {
						name, known := r.names[arena+string(rune(number(ev[1])))]
						if !known {
							r.trouble = append(r.trouble, "an event comes before its probe")
						}
						r.delivered[arena]++
						r.byName[name]++
						r.byPID[number(section[0])]++
					}
				}
			}
		case 7:
			if m, ok := m[2].(map[any]any); ok {
				bye := map[string]any{}
				for k, v := range m {
					bye[text(k)] = v
				}
				r.bye[arena] = bye
			}
		}
		r.mu.Unlock()
	}
}

func number(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case uint64:
		return int64(v)
	}
	return -1
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

func entry(m any, key string) any {
	if m, ok := m.(map[any]any); ok {
		return m[key]
	}
	return nil
}

// law checks the balance of every arena that said bye.
func (r *reader) law() {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.trouble {
		r.t.Error(s)
	}
	for id, bye := range r.bye {
		p, d, dropped := number(bye["produced"]), number(bye["delivered"]), number(bye["dropped"])
		if p != d+dropped || uint64(d) != r.delivered[id] {
			r.t.Errorf("bye says produced %d, delivered %d, dropped %d; this reader counted %d", p, d, dropped, r.delivered[id])
		}
	}
}

// execed is the command that becomes c and reports to a socket.
func execed(t testing.TB, socket string, flags []string, c harness.Cmd) harness.Cmd {
	t.Helper()
	args := append([]string{harness.Seam(t), "exec", "--socket", socket}, flags...)
	c.Args = append(append(args, "--"), c.Args...)
	return c
}

func TestThirdPartyReader(t *testing.T) {
	prog := compile(t, "calls.c")
	for _, start := range []string{"demand", "first", "now"} {
		t.Run(start, func(t *testing.T) {
			r := newReader(t, nil)
			y := newTally(t)
			// The end waits for the reader only briefly: leave it little to read then.
			flags := append([]string{"--start", start, "--on-full", "block", "--block-timeout", "60s", "--buffer", "128k"}, onlyGetppid...)
			res := harness.Run(t, execed(t, r.path, flags, harness.Cmd{Args: []string{prog, y.path, "300000", "2"}}))
			if res != (harness.Result{Code: 5}) {
				t.Errorf("the program: %v", res)
			}
			r.close()
			r.law()
			if r.byName["getppid"] != y.calls() || r.byes() != 1 {
				t.Errorf("the reader got %d calls of %d, and %d byes", r.byName["getppid"], y.calls(), r.byes())
			}
		})
	}
}

func TestReaderInDocs(t *testing.T) {
	harness.Program(t, "/usr/lib/python3/dist-packages/msgpack/")
	py := harness.Program(t, "python3")
	prog := compile(t, "calls.c")
	dir := t.TempDir()
	socket := filepath.Join(harness.Shared(t), "docs-reader")
	run := harness.Start(t, harness.Cmd{Args: []string{py, filepath.Join(harness.Root(), "docs", "reader.py"), socket}, Dir: dir})
	eventually(t, "the reader's socket", func() bool {
		c, err := net.Dial("unix", socket)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	y := newTally(t)
	flags := append([]string{"--start", "now"}, onlyGetppid...)
	if res := harness.Run(t, execed(t, socket, flags, harness.Cmd{Args: []string{prog, y.path, "1000", "1"}})); res != (harness.Result{Code: 5}) {
		t.Errorf("the program: %v", res)
	}
	eventually(t, "the reader's word on the law", func() bool { return bytes.Contains([]byte(run.Stdout()), []byte("\nbye: ")) })
	run.Signal(2)
	out := run.Wait().Stdout
	if n := bytes.Count([]byte(out), []byte("getppid[] = ")); n != 1000 {
		t.Errorf("docs/reader.py printed %d of 1000 calls", n)
	}
	if !bytes.Contains([]byte(out), []byte("bye: produced = delivered + dropped holds\n")) {
		t.Errorf("docs/reader.py: %q", out[max(0, len(out)-300):])
	}
}
