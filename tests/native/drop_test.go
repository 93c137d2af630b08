package native

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/wire/arena"
	"github.com/seam-project/seam/wire/arena/arenatest"
)

// TestKilledWhileDropping kills a thread after each instruction of counting calls
// as lost. Whoever finds it dead then makes the count and what it stands for
// agree, also when another thread has added to the same count meanwhile.
func TestKilledWhileDropping(t *testing.T) {
	dir := t.TempDir()
	exe := filepath.Join(dir, "drop")
	if out, err := exec.Command("gcc", "-O2", "-g", "-Wall", "-Wno-unused-parameter", "-Wno-unused-function", "-o", exe, "testdata/drop.c").CombinedOutput(); err != nil {
		t.Fatalf("compile: %v\n%s", err, out)
	}
	before, after := 0, 0
	for _, what := range []string{"chunk", "own"} {
		for _, other := range []string{"0", "1"} {
			over := false
			for steps := 0; !over; steps++ {
				if steps == 2000 {
					t.Fatal("it never ends")
				}
				// Two marks on the count: one of nobody, and the very one that
				// the next drop would leave, from a drop long ago.
				for _, dropped := range map[string][]uint64{"0": {7 | 4<<56}, "1": {7, 7 | 4<<56}}[other] {
					m := arenatest.New(arenatest.Config{Chunks: 3, ChunkSize: 512, Threads: 4, Defs: [][]byte{[]byte("def")}, Sites: []arena.Site{{Nwords: 1}}})
					th := m.Thread(0, 0)
					m.Thread(1, 0)
					for range 3 {
						th.Call(0, []uint64{1}, 2)
					}
					th.HandBack()
					m.Ch[0].State = arena.ChunkStolen
					m.Th[0].DropSeq, m.Th[0].DropDone = 3, 3
					m.Sites[0].Dropped = dropped
					file := filepath.Join(dir, "arena")
					if err := os.WriteFile(file, m.B, 0o600); err != nil {
						t.Fatal(err)
					}
					out, err := exec.Command(exe, file, strconv.Itoa(steps), other, what).CombinedOutput()
					if err != nil {
						t.Fatalf("%s other %s, %d steps: %v\n%s", what, other, steps, err, out)
					}
					over = strings.TrimSpace(string(out)) == "done"
					if mark := check(t, file, what, other == "1", over, steps); mark {
						after++
					} else {
						before++
					}
				}
			}
		}
	}
	if before < 20 || after < 20 {
		t.Errorf("%d kills before the addition, %d after it: the test tests little", before, after)
	}
}

// check settles the arena in file and compares; it tells whether the drop counts.
func check(t *testing.T, file, what string, other, over bool, steps int) bool {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	mem, err := unix.Mmap(-1, 0, len(b), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(mem)
	copy(mem, b)
	m := arenatest.Wrap(mem, *(*arena.Header)(unsafe.Pointer(&mem[0])))
	a, err := arena.FromMemory(unsafe.Pointer(&mem[0]), uint64(len(mem)))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // whoever settles it may be killed, too, and another does it again
		a.Rescue()
		a.Reap(nil, func(pid, tid, ns uint32) bool { return false })
	}
	bal := a.Account(nil)
	produced, dropped := uint64(3), uint64(7)
	if other {
		produced, dropped = produced+1, dropped+1
	}
	counted := bal.Dropped != dropped
	left := m.Ch[0].Committed - m.Ch[0].Consumed
	switch {
	case what == "own" && counted:
		produced, dropped = produced+1, dropped+1
	case what == "chunk" && counted:
		dropped += 3
	}
	if bal.Produced != produced || bal.Dropped != dropped || what == "chunk" && (left == 0) != counted || over && !counted {
		t.Errorf("%s, another %v, killed after %d instructions (over %v): produced %d, dropped %d, %d bytes left in the chunk",
			what, other, steps, over, bal.Produced, bal.Dropped, left)
	}
	return counted
}
