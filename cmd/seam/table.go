package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"golang.org/x/sys/unix"
)

// table prints rows: aligned, with a heading, on a terminal; tab-separated, bare,
// elsewhere.
type table struct {
	w     io.Writer
	align *tabwriter.Writer
}

func newTable(w io.Writer, heading ...string) *table {
	t := &table{w: w}
	if isTerminal(w) {
		t.align = tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		t.w = t.align
		t.row(heading...)
	}
	return t
}

func (t *table) row(cells ...string) {
	fmt.Fprintln(t.w, strings.Join(cells, "\t"))
}

func (t *table) flush() error {
	if t.align == nil {
		return nil
	}
	return t.align.Flush()
}

// isTerminal goes around File.Fd, which would make a descriptor blocking that
// the target shares.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	tty := false
	raw.Control(func(fd uintptr) {
		_, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		tty = err == nil
	})
	return tty
}
