package torture

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// long says whether the figures of docs/torture.md are wanted.
var long = os.Getenv("SEAM_TORTURE") == "long"

// rounds is how often to do something: short in every test run, far in the long one.
func rounds(short, far int) int {
	if long {
		return far
	}
	return short
}

// random is the source of a test's random choices. Its seed is printed; the
// variable SEAM_TORTURE_SEED repeats a run.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(20260101)
	if s := os.Getenv("SEAM_TORTURE_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("SEAM_TORTURE_SEED: %v", err)
		}
		seed = n
	}
	t.Logf("SEAM_TORTURE_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

var (
	compileMu sync.Mutex
	compiled  = map[string]string{}
)

// compile builds testdata/name, once, and returns the path of what was built.
// as is its file name.
func compile(t testing.TB, name, as string, flags ...string) string {
	t.Helper()
	compileMu.Lock()
	defer compileMu.Unlock()
	out := filepath.Join(harness.Shared(t), as)
	if compiled[as] != "" {
		return out
	}
	args := append([]string{harness.Program(t, "gcc"), "-O2", "-g", "-Wall", "-Werror", "-pthread", "-o", out,
		filepath.Join(harness.Root(), "tests/torture/testdata", name)}, flags...)
	if r := harness.Run(t, harness.Cmd{Args: args}); r.Code != 0 || r.Signal != 0 {
		t.Fatalf("compile %s: %v", name, r)
	}
	compiled[as] = out
	return out
}

// fakeSQLite is a directory with a libsqlite3.so.0 whose errors the agent must
// be asked about (testdata/fakesqlite.c), and the flags to link with it.
func fakeSQLite(t testing.TB) (flags []string) {
	t.Helper()
	lib := compile(t, "fakesqlite.c", "libsqlite3.so.0", "-shared", "-fPIC", "-Wl,-soname,libsqlite3.so.0")
	return []string{lib, "-Wl,-rpath," + filepath.Dir(lib)}
}

// tally is the file that a target counts in: struct tally of testdata/tally.h.
type tally struct {
	path string
	mem  []byte
}

const (
	tallySlots = 512
	tallySize  = 8*64 + 64*tallySlots
)

func newTally(t testing.TB) *tally {
	t.Helper()
	y := &tally{path: filepath.Join(t.TempDir(), "tally")}
	f, err := os.Create(y.path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(tallySize); err != nil {
		t.Fatal(err)
	}
	if y.mem, err = unix.Mmap(int(f.Fd()), 0, tallySize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(y.mem) })
	return y
}

func (y *tally) at(i int) uint64 {
	return atomic.LoadUint64((*uint64)(unsafe.Pointer(&y.mem[8*i])))
}

func (y *tally) pid() int          { return int(y.at(0)) }
func (y *tally) slots() int        { return int(y.at(1)) }
func (y *tally) word(i int) uint64 { return y.at(2 + i) }

// slotPID is the process of a slot's thread.
func (y *tally) slotPID(i int) int { return int(y.at(64 + 8*i + 6)) }

// calls is how often function f (0 to 2) was called, over all slots: at least
// and at most, since a call may have been under way.
func (y *tally) calls(f int) (least, most uint64) {
	for i := range min(y.slots(), tallySlots) {
		most += y.at(64 + 8*i + f)
		least += y.at(64 + 8*i + 3 + f)
	}
	return
}

// watched is c under seam with some flags; its report goes to the file.
func watched(t testing.TB, flags []string, c harness.Cmd) (cmd harness.Cmd, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "report.json")
	if i := slices.Index(flags, "--start"); i >= 0 && flags[i+1] == "demand" {
		flags = append([]string{"--drain", "agent"}, flags...) // else there would be no demand
	}
	args := append([]string{harness.Seam(t), "run", "-q", "--json", "--report", file}, flags...)
	c.Args = append(append(args, "--"), c.Args...)
	return c, file
}

func watch(t testing.TB, flags []string, c harness.Cmd) (harness.Result, *report.Report) {
	t.Helper()
	c, file := watched(t, flags, c)
	res := harness.Run(t, c)
	return res, readReport(t, file)
}

func readReport(t testing.TB, file string) *report.Report {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := new(report.Report)
	if err := json.Unmarshal(b, r); err != nil {
		t.Fatalf("read report: %v\n%s", err, b)
	}
	return r
}

// law checks the account, whatever was dropped.
func law(t testing.TB, r *report.Report) {
	t.Helper()
	a := &r.Account
	if a.Produced != a.Delivered+a.Dropped || a.Unaccounted != 0 || len(a.Broken) != 0 || a.Incomplete != 0 {
		t.Errorf("the account is not exact: %+v", *a)
	}
	var calls, dropped uint64
	for _, f := range r.Functions {
		dropped += f.Dropped
		if f.Kind == "call" || f.Kind == "entry" {
			calls += f.Calls
		}
	}
	if calls != a.Delivered || dropped != a.Dropped-a.DroppedBy["no_thread"] {
		t.Errorf("the functions have %d calls and %d dropped, the account %d and %d", calls, dropped, a.Delivered, a.Dropped)
	}
	for _, e := range r.Errors {
		t.Errorf("seam met an error: %s: %s (%d times)", e.Code, e.Text, e.Count)
	}
}

// accounted is how many calls of a function were delivered, and counted as dropped.
func accounted(r *report.Report, name string) (delivered, dropped uint64) {
	for _, f := range r.Functions {
		if f.Name == name {
			delivered += f.Calls
			dropped += f.Dropped
		}
	}
	return
}

// eventually waits for something that a busy machine may take long to do.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Microsecond) {
		if done() {
			return
		}
	}
	t.Fatalf("no %s", strings.TrimSpace(what))
}
