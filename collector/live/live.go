// Package live prints events as they come: aligned text for a terminal, one
// JSON object per line for a program.
//
// Everything that came from a target and goes to a terminal is escaped, so that
// a traced program can't steer it.
package live

import (
	"io"
	"sync"

	"github.com/seam-project/seam/collector/report"
)

// Options say how events are printed.
type Options struct {
	JSON  bool // one object per line; see AppendJSON
	Color bool // text only: failed calls in red
	Width int  // text only: columns to cut lines to; 0 does not cut
}

// A Printer prints events to a writer, one Write per some lines. It is a
// report.Observer and may be used by several streams at once.
type Printer struct {
	mu   sync.Mutex
	w    io.Writer
	o    Options
	buf  []byte
	line []byte
	err  error
}

// NewPrinter returns a Printer that writes to w. After the first error of w it
// prints nothing more; see Err.
func NewPrinter(w io.Writer, o Options) *Printer { return &Printer{w: w, o: o} }

// flushAt is how many bytes are gathered before they are written at the latest.
const flushAt = 32 << 10

// Observe implements report.Observer.
func (p *Printer) Observe(e *report.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return
	}
	if p.o.JSON {
		p.buf = AppendJSON(p.buf, e)
		p.buf = append(p.buf, '\n')
	} else {
		p.line = appendText(p.line[:0], e)
		p.add(e)
	}
	if len(p.buf) >= flushAt {
		p.flush()
	}
}

// Flush writes what is gathered. Streams call it when they have nothing more to
// read for now.
func (p *Printer) Flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flush()
	return p.err
}

// Err returns the error that ended the printing.
func (p *Printer) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

func (p *Printer) flush() {
	if len(p.buf) == 0 || p.err != nil {
		return
	}
	_, p.err = p.w.Write(p.buf)
	p.buf = p.buf[:0]
}

// add appends p.line, cut to the width and coloured.
func (p *Printer) add(e *report.Event) {
	line := p.line
	if p.o.Width > 0 {
		cols := 0
		for i, c := range line {
			if c&0xc0 == 0x80 { // inside a rune
				continue
			}
			if cols++; cols >= p.o.Width && i < len(line)-1 {
				line = append(line[:i], "…"...)
				break
			}
		}
	}
	failed := p.o.Color && e.Err != 0
	if failed {
		p.buf = append(p.buf, "\x1b[31m"...)
	}
	p.buf = append(p.buf, line...)
	if failed {
		p.buf = append(p.buf, "\x1b[0m"...)
	}
	p.buf = append(p.buf, '\n')
}
