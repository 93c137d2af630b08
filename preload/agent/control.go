package agent

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/preload/core"
	"github.com/seam-project/seam/wire"
)

// The reader ends the probes whose time is over. This long after, it has not: it is
// gone, and the agent does it.
const expiryGrace = 2 * time.Second

// retryExpiry is how long an agent waits that could not.
const retryExpiry = 10 * time.Second

// control is the spec that is in force, and what the reader asks about it. It belongs
// to the goroutine that drains.
type control struct {
	path   string    // of the spec file
	expiry time.Time // when the next probe's time is over, the zero time: none
	in     []byte    // read from the connection, not yet decoded
	deaf   bool      // nothing more comes on this connection
}

func newControl() *control {
	c := &control{}
	c.note(core.SpecPath())
	return c
}

// note reads from a spec file when its probes end.
func (c *control) note(path string) {
	c.path, c.expiry = path, time.Time{}
	text, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(text, []byte("\nuntil ")) {
		return
	}
	spec, err := hooks.ParseSpec(text)
	if err != nil {
		return
	}
	for _, at := range spec.Until {
		if t := time.Unix(0, at); c.expiry.IsZero() || t.Before(c.expiry) {
			c.expiry = t
		}
	}
}

// reset is for a new connection.
func (c *control) reset() { c.in, c.deaf = nil, false }

// listen does what the reader asks. What it returns is to be written to the
// connection; detach: the reader wants to hear nothing more.
func (c *control) listen(conn socket) (answer []byte, detach bool) {
	var buf [4096]byte
	for !c.deaf && !detach {
		n, err := conn.poll(buf[:])
		if n == 0 {
			c.deaf = err == nil || err != unix.EAGAIN && err != unix.EINTR
			break
		}
		c.in = append(c.in, buf[:n]...)
		for !detach {
			var m wire.Control
			size, err := wire.DecodeControl(c.in, &m)
			if err != nil {
				c.deaf = true // it does not speak our language
				break
			}
			if size == 0 {
				break
			}
			c.in = c.in[size:]
			switch m.Type {
			case wire.MsgRespec, wire.MsgDetach:
				answer = c.respec(answer, m.N, m.Spec)
				detach = m.Type == wire.MsgDetach
			}
		}
	}
	return answer, detach
}

// respec has the process watch what another file asks for, and says what came of it.
func (c *control) respec(answer []byte, n uint64, path string) []byte {
	s, err := respec(path)
	if err == nil {
		c.note(path)
	} else {
		s = &wire.Status{Error: err.Error()}
	}
	s.N = n
	return wire.AppendStatus(answer, time.Now().UnixNano(), s)
}

// respec is Respec in the words of the stream.
func respec(path string) (*wire.Status, error) {
	st, err := Respec(path)
	if err != nil {
		return nil, err
	}
	s := &wire.Status{Spec: st.Hash, Probes: make([]wire.ProbeStatus, len(st.Probes))}
	for i := range st.Probes {
		from, to := &st.Probes[i], &s.Probes[i]
		for _, site := range from.Sites {
			to.IDs = append(to.IDs, uint32(site.ID))
		}
		for _, r := range from.Refused {
			if r.Reason.Info().Note {
				continue // it is patched, in a lesser way
			}
			if to.Refused++; to.Refused == 1 {
				to.Reason, to.Detail = r.Reason.String(), r.Symbol
				if r.Detail != "" {
					to.Detail += ": " + r.Detail
				}
			}
		}
		switch {
		case len(to.IDs) > 0:
			to.State = wire.ProbeApplied
		case to.Refused > 0:
			to.State = wire.ProbeRefused
		default:
			to.State = wire.ProbeDormant
		}
	}
	return s, nil
}

// expire ends probes whose time has been over for a while.
func (c *control) expire(now time.Time) (answer []byte) {
	if c.expiry.IsZero() || now.Before(c.expiry.Add(expiryGrace)) {
		return nil
	}
	path, err := withoutExpired(c.path, now)
	if err == nil {
		_, err = respec(path)
	}
	if err != nil {
		c.expiry = now.Add(retryExpiry)
		return wire.AppendError(nil, now.UnixNano(), "expiry", fmt.Sprintf("probes whose time is over stay: %v", err), "the process must be able to read and write seam's cache", 1)
	}
	c.note(path)
	return nil
}

// withoutExpired writes a spec without the probes whose time is over, next to the one
// at path.
func withoutExpired(path string, now time.Time) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	spec, err := hooks.ParseSpec(text)
	if err != nil {
		return "", err
	}
	until := spec.Until
	probes := spec.Probes
	spec.Until, spec.Probes = nil, nil
	for i, p := range probes {
		at, ends := until[i]
		if ends && !now.Before(time.Unix(0, at)) {
			continue
		}
		if ends {
			if spec.Until == nil {
				spec.Until = map[int]int64{}
			}
			spec.Until[len(spec.Probes)] = at
		}
		spec.Probes = append(spec.Probes, p)
	}
	b, err := spec.Encode()
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return "", err
	}
	to := filepath.Join(filepath.Dir(path), fmt.Sprintf("%016x-expired.spec", hooks.FNV1a(b)))
	_, err = f.Write(b)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), to)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return to, err
}
