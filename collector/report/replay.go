package report

import (
	"fmt"
	"io"
	"os"

	"github.com/seam-project/seam/collector/capture"
	"github.com/seam-project/seam/wire"
)

// FromFile makes the report of a capture file. When the file is cut or corrupt
// it returns the report of what could be read and an error that says where
// reading ended; the report is nil only when nothing could be read at all.
func FromFile(path string, o Options) (*Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open capture: %w", err)
	}
	defer f.Close()
	r, err := FromCapture(f, o, nil)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return r, err
}

// maxReplay bounds the connections of a capture that are open at once, each of
// which has a decoder.
const maxReplay = 8192

// FromCapture is FromFile for a reader. obs, which may be nil, is told of each
// event.
func FromCapture(in io.Reader, o Options, obs Observer) (*Report, error) {
	c, err := capture.NewReader(in)
	if err != nil {
		return nil, err
	}
	b := NewBuilder(o)
	conns := make(map[uint64]*replay)
	order := []uint64{}
	for {
		id, data, end, nerr := c.Next()
		if nerr != nil {
			if nerr != io.EOF {
				err = nerr
			}
			break
		}
		p := conns[id]
		switch {
		case p == nil && end:
			continue
		case p == nil:
			if len(conns) >= maxReplay {
				nerr = &capture.Error{Offset: c.Offset(), Err: fmt.Errorf("%w: more than %d connections at once", capture.ErrCorrupt, maxReplay)}
				break
			}
			p = b.replay(obs)
			conns[id] = p
			order = append(order, id)
		}
		if nerr != nil {
			err = nerr
			break
		}
		if end {
			p.close()
			delete(conns, id)
			continue
		}
		p.feed(data)
	}
	for _, id := range order { // still open when the capture ended
		if p := conns[id]; p != nil {
			p.close()
		}
	}
	return b.Report(), err
}

// A replay decodes one connection of a capture on a goroutine of its own, in
// lockstep with the reader of the file: feed returns when the decoder asks for
// more. So events are handled in the order of the file, as they were at first.
type replay struct {
	data chan []byte
	want chan struct{}
	rest []byte
	eof  bool
}

func (b *Builder) replay(obs Observer) *replay {
	p := &replay{data: make(chan []byte), want: make(chan struct{})}
	go func() {
		dec := wire.NewDecoder(p)
		s := b.Stream(obs)
		s.Close(Run(dec, s))
		for !p.eof { // what follows an error is not looked at
			p.want <- struct{}{}
			_, ok := <-p.data
			p.eof = !ok
		}
		close(p.want) // close waits for it
	}()
	<-p.want
	return p
}

// Read implements io.Reader for the decoder.
func (p *replay) Read(b []byte) (int, error) {
	for len(p.rest) == 0 {
		if p.eof {
			return 0, io.EOF
		}
		p.want <- struct{}{}
		d, ok := <-p.data
		if !ok {
			p.eof = true
			return 0, io.EOF
		}
		p.rest = d
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func (p *replay) feed(d []byte) {
	p.data <- d
	<-p.want
}

func (p *replay) close() {
	close(p.data)
	for range p.want {
	}
}

// Run decodes the stream of s until it ends or breaks the protocol; its result
// is for s.Close.
func Run(dec *wire.Decoder, s *Stream) error {
	for {
		if err := dec.Next(s); err != nil {
			return err
		}
		if s.Err() != nil {
			return s.Err()
		}
	}
}
