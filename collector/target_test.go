package collector_test

import (
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/wire"
	"github.com/seam-project/seam/wire/arena"
	"github.com/seam-project/seam/wire/arena/arenatest"
	"github.com/seam-project/seam/wire/drain"
)

// The tests' targets are this test binary, started again: they do what the core
// and the agent do, with real sockets, memory and deaths.

const (
	roleEnv   = "SEAM_TEST_ROLE"
	socketEnv = "SEAM_TEST_SOCKET"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		defer os.Exit(0)
		roles[role](os.Getenv(socketEnv))
		return
	}
	os.Exit(m.Run())
}

var roles = map[string]func(socket string){
	// No agent ever: 100 calls, and it is killed.
	"core": func(socket string) {
		m, fd := newArena()
		sayCore(socket, m, fd)
		calls(m, 0, 100)
		die()
	},
	// The core says hello and the process ends at once, in order.
	"brief": func(socket string) {
		m, fd := newArena()
		calls(m, 0, 3)
		sayCore(socket, m, fd)
	},
	// An agent delivers 60 calls in order; 40 are left when it is killed.
	"agent": func(socket string) {
		m, fd := newArena()
		sayCore(socket, m, fd)
		d := drain.New(own(m), dial(socket), agent())
		th := calls(m, 0, 60)
		must(d.Pass())
		more(th, 40)
		die()
	},
	// An agent delivers all there is before it is killed.
	"dry": func(socket string) {
		m, fd := newArena()
		sayCore(socket, m, fd)
		d := drain.New(own(m), dial(socket), agent())
		calls(m, 0, 60)
		must(d.Pass())
		die()
	},
	// Killed after its batch went out and before that was noted in the arena.
	"torn": func(socket string) {
		m, fd := newArena()
		sayCore(socket, m, fd)
		w := &killer{c: dial(socket), after: 2} // hello and definitions, then the batch
		d := drain.New(own(m), w, agent())
		th := calls(m, 0, 60)
		must(d.Pass())
		more(th, 1)
		must(d.Pass())
		panic("still alive")
	},
	// Killed in the middle of writing a batch.
	"cut": func(socket string) {
		m, fd := newArena()
		sayCore(socket, m, fd)
		d := drain.New(own(m), &killer{c: dial(socket), after: 2, half: true}, agent())
		calls(m, 0, 60)
		must(d.Pass())
		panic("still alive")
	},
	// The core's hello is read after all of an agent's stream, the last batch of
	// which the agent did not live to note in the arena.
	"late": func(socket string) {
		m, fd := newArena()
		w := &killer{c: dial(socket), after: 3}
		d := drain.New(own(m), w, agent())
		calls(m, 0, 60)
		w.fail = 2
		d.Pass()
		w.c.Close()
		time.Sleep(20 * time.Millisecond)
		sayCore(socket, m, fd)
		die()
	},
	// An agent that ends in order.
	"bye": func(socket string) {
		m, fd := newArena()
		sayCore(socket, m, fd)
		d := drain.New(own(m), dial(socket), agent())
		calls(m, 0, 10)
		must(d.Finish())
	},
	// A process with a forked child; the agent dies, the child goes on until
	// somebody has drained what it wrote.
	"fork": func(socket string) {
		m, fd := newArena()
		sayCore(socket, m, fd)
		d := drain.New(own(m), dial(socket), agent())
		calls(m, 0, 10)
		must(d.Pass())
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), roleEnv+"=child")
		cmd.ExtraFiles = []*os.File{os.NewFile(uintptr(fd), "arena")}
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		for atomic.LoadUint32(&m.Proc[1].State) != arena.ProcLive {
			time.Sleep(time.Millisecond)
		}
		die()
	},
	"child": func(string) {
		m := mapped(3)
		p := &m.Proc[1]
		p.Pid, p.Ppid, p.Parent, p.EndStatus = uint32(os.Getpid()), uint32(os.Getppid()), 0, arena.NoStatus
		atomic.StoreUint32(&p.Uid, 2)
		atomic.StoreUint32(&p.State, arena.ProcLive)
		parent := m.Proc[0].Pid
		for arena.Alive(parent, 0) && os.Getppid() == int(parent) {
			time.Sleep(time.Millisecond)
		}
		calls(m, 1, 50)
		for a := m.Arena(); a.Delivered() < 60; {
			time.Sleep(time.Millisecond)
		}
		calls(m, 2, 5) // left behind
		die()
	},
	// exec: the same pid, another arena.
	"exec": func(socket string) {
		m, fd := newArena()
		sayCore(socket, m, fd)
		calls(m, 0, 7)
		unix.CloseOnExec(fd)
		os.Setenv(roleEnv, "brief")
		panic(syscall.Exec("/proc/self/exe", []string{"after-exec"}, os.Environ()))
	},
	// An agent delivers that a statement is prepared and has its first row, and
	// that another failed in an exec which still runs; the rest is left.
	"sql": func(socket string) {
		m, fd := newSQL()
		sayCore(socket, m, fd)
		d := drain.New(own(m), dial(socket), agent())
		finish := startSQL(m)
		must(d.Pass())
		finish()
		die()
	},
	// The same, and the batch went out twice.
	"sql-again": func(socket string) {
		m, fd := newSQL()
		sayCore(socket, m, fd)
		w := &killer{c: dial(socket), after: 10, fail: 2, short: true}
		d := drain.New(own(m), w, agent())
		finish := startSQL(m)
		d.Pass()
		w.c.Close()
		time.Sleep(20 * time.Millisecond)
		d.Reset(dial(socket))
		must(d.Pass())
		finish()
		die()
	},
	// The core's hello, with the memory, is read after all of the agent's stream.
	"sql-late": func(socket string) {
		m, fd := newSQL()
		c := dial(socket)
		d := drain.New(own(m), c, agent())
		finish := startSQL(m)
		must(d.Pass())
		c.Close()
		time.Sleep(20 * time.Millisecond)
		finish()
		sayCore(socket, m, fd)
		die()
	},
	// The agent reports what runs and says bye; then its process ends.
	"sql-bye": func(socket string) {
		m, fd := newSQL()
		sayCore(socket, m, fd)
		d := drain.New(own(m), dial(socket), agent())
		startSQL(m)
		must(d.Finish())
		die()
	},
	// Lives on as long as it is not killed, with an agent.
	"daemon": func(socket string) {
		m, fd := newArena()
		sayCore(socket, m, fd)
		d := drain.New(own(m), dial(socket), agent())
		calls(m, 0, 10)
		must(d.Pass())
		fmt.Println("up")
		time.Sleep(time.Minute)
	},
}

const (
	sqlOpen = iota
	sqlPrepare
	sqlStep
	sqlExec
)

func newSQL() (*arenatest.Mem, int) {
	return arenaOf("libsqlite3.so.0", "sqlite3_open", "sqlite3_prepare_v2", "sqlite3_step", "sqlite3_exec")
}

// startSQL writes calls some of which have not returned; these do in finish.
func startSQL(m *arenatest.Mem) (finish func()) {
	const db, st = 0xdb, 0x57
	th := m.Thread(0, 0)
	m.Th[0].Pid, m.Th[0].Tid = uint32(os.Getpid()), uint32(os.Getpid())
	item := func(site, arg int, data string) []byte {
		h, _ := hooks.Lookup("libsqlite3.so.0", []string{"sqlite3_open", "sqlite3_prepare_v2", "sqlite3_step", "sqlite3_exec"}[site])
		for i, op := range hooks.Ops(h) {
			if int(op.Arg) == int(h.Args[arg].Word) {
				return arenatest.Item(byte(i), 0, data)
			}
		}
		panic("argument is not captured")
	}
	enter := func(site int, handle uint64, items []byte) uint32 {
		words := make([]uint64, m.Sites[site].Nwords)
		words[0] = handle
		for i := range words[1:] {
			words[1+i] = ^uint64(0)
		}
		seq, _ := th.Enter(arena.RecEnter, site, words, items)
		return seq
	}
	handle := func(v byte) string { return string([]byte{v, 0, 0, 0, 0, 0, 0, 0}) }
	th.Leave(sqlOpen, enter(sqlOpen, 0x1000, item(sqlOpen, 0, "a.db")), 0, -1, item(sqlOpen, 1, handle(db)))
	th.Leave(sqlPrepare, enter(sqlPrepare, db, item(sqlPrepare, 1, "SELECT 1")), 0, -1, item(sqlPrepare, 3, handle(st)))
	th.Leave(sqlStep, enter(sqlStep, st, nil), 100, -1, nil)
	exec := enter(sqlExec, db, item(sqlExec, 1, "SELECT nope(2)"))
	th.Leave(sqlPrepare, enter(sqlPrepare, db, item(sqlPrepare, 1, "SELECT nope(2)")), 1, 0, nil)
	return func() {
		th.Leave(sqlExec, exec, 1, 0, arenatest.Item(arena.OpReply, 0, "no such function"))
		th.Leave(sqlStep, enter(sqlStep, st, nil), 101, -1, nil)
	}
}

func die() {
	unix.Kill(os.Getpid(), unix.SIGKILL)
	select {}
}

func must(_ uint64, err error) {
	if err != nil {
		panic(err)
	}
}

type killer struct {
	c     net.Conn
	after int
	half  bool
	fail  int  // the write that reports an error after it was done
	short bool // and that not all was written
	n     int
}

func (k *killer) Write(p []byte) (int, error) {
	if k.n++; k.n == k.after {
		if k.half {
			p = p[:len(p)/2]
		}
		k.c.Write(p)
		die()
	}
	n, err := k.c.Write(p)
	if k.n == k.fail {
		err = unix.EIO
		if k.short {
			n--
		}
	}
	return n, err
}

// newArena makes an arena in a sealed memfd, as the core does.
func newArena() (*arenatest.Mem, int) { return arenaOf("libc.so.6", "getpid") }

// arenaOf makes one with sites for functions of a library.
func arenaOf(lib string, names ...string) (*arenatest.Mem, int) {
	cfg := arenatest.Config{Chunks: 8, ChunkSize: 4096}
	for _, name := range names {
		h, ok := hooks.Lookup(lib, name)
		if !ok {
			h = hooks.Unknown(name)
		}
		regs, stack, _ := hooks.Words(h)
		cfg.Defs = append(cfg.Defs, hooks.EncodeDef(h, lib, "", hooks.Log))
		cfg.Sites = append(cfg.Sites, arena.Site{Nwords: uint8(regs + stack), Flags: arena.SiteErrno})
	}
	info := wire.AppendMap(nil, 2)
	info = wire.AppendString(wire.AppendString(info, "exe"), "/usr/bin/target")
	info = wire.AppendString(info, "argv")
	info = wire.AppendString(wire.AppendArray(info, 1), os.Args[0])
	cfg.Info = info
	tmp := arenatest.New(cfg)
	rand.Read(tmp.H.Id[:])
	tmp.H.Real0Ns = uint64(time.Now().UnixNano())
	tmp.Proc[0].Pid, tmp.Proc[0].Ppid = uint32(os.Getpid()), uint32(os.Getppid())
	fd, err := unix.MemfdCreate("seam", unix.MFD_ALLOW_SEALING)
	if err != nil {
		panic(err)
	}
	if _, err := unix.Write(fd, tmp.B); err != nil {
		panic(err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL); err != nil {
		panic(err)
	}
	return mapped(fd), fd
}

func mapped(fd int) *arenatest.Mem {
	var st unix.Stat_t
	unix.Fstat(fd, &st)
	b, err := unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	a := arenatest.Wrap(b, arena.Header{Nprocs: 1, Nthreads: 1, Nchunks: 1, ProcsOff: 0}) // to reach the header
	return arenatest.Wrap(b, *a.H)
}

// calls makes a thread that makes n calls.
func calls(m *arenatest.Mem, slot, n int) *arenatest.Thread {
	th := m.Thread(slot, 0)
	m.Th[slot].Pid, m.Th[slot].Tid = uint32(os.Getpid()), uint32(os.Getpid())
	more(th, n)
	return th
}

func more(th *arenatest.Thread, n int) {
	for range n {
		th.Call(0, nil, uint64(os.Getpid()))
	}
}

func own(m *arenatest.Mem) *arena.Arena {
	a := m.Arena()
	if !a.TryOwn(uint32(os.Getpid()), uint32(os.Getpid())) {
		panic("somebody owns the arena")
	}
	return a
}

func agent() drain.Options {
	return drain.Options{Hello: wire.Hello{PID: os.Getpid(), PPID: os.Getppid(), From: "agent", Exe: "/usr/bin/target", Argv: os.Args}}
}

func dial(socket string) *net.UnixConn {
	c, err := net.Dial("unix", socket)
	if err != nil {
		panic(err)
	}
	return c.(*net.UnixConn)
}

func sayCore(socket string, m *arenatest.Mem, fd int) {
	c := dial(socket)
	b := wire.AppendHello(nil, &wire.Hello{V: wire.Version, PID: os.Getpid(), Arena: m.H.Id, From: "core"})
	if _, _, err := c.WriteMsgUnix(b, unix.UnixRights(fd), nil); err != nil {
		panic(err)
	}
	c.Close()
}

// target starts a target in a role.
func target(t *testing.T, socket, role string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"target-" + role}
	cmd.Env = append(os.Environ(), roleEnv+"="+role, socketEnv+"="+socket)
	cmd.Stderr = os.Stderr
	return cmd
}

func openFDs(t *testing.T) int {
	t.Helper()
	l, err := os.ReadDir("/proc/" + strconv.Itoa(os.Getpid()) + "/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(l)
}
