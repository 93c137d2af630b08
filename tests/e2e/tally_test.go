package e2e

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tally is the page that a C program shares with its test: struct tally of
// testdata/count.h.
type tally struct {
	path string
	mem  []byte
}

func newTally(t testing.TB) *tally {
	t.Helper()
	y := &tally{path: filepath.Join(t.TempDir(), "tally")}
	if err := os.WriteFile(y.path, make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(y.path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	y.mem, err = unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(y.mem) })
	return y
}

func (y *tally) word(i int) uint64 {
	return atomic.LoadUint64((*uint64)(unsafe.Pointer(&y.mem[8*i])))
}

func (y *tally) pid() int        { return int(y.word(0)) }
func (y *tally) calls() uint64   { return y.word(1) }
func (y *tally) started() uint64 { return y.word(3) }
func (y *tally) ended() uint64   { return y.word(4) }
