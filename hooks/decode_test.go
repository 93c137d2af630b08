package hooks

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

// render shows a msgpack value as JSON, with bytes as text.
func render(t *testing.T, b []byte) string {
	t.Helper()
	var v any
	if err := msgpack.Unmarshal(b, &v); err != nil {
		t.Fatalf("not msgpack: %x: %v", b, err)
	}
	var e strings.Builder
	enc := json.NewEncoder(&e)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(e.String())
}

const m1 = math.MaxUint64

// zt is a C string as an item holds it.
func zt(op int, s string) []byte { return item8(op, statusOK, []byte(s)) }

func le64(v ...uint64) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint64(b, x)
	}
	return b
}

func le32(v ...uint32) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, x)
	}
	return b
}

func TestAppendCall(t *testing.T) {
	const p = 0x7f0000001000 // some pointer
	inet := []byte{2, 0, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}
	for _, c := range []struct {
		name         string
		words        []uint64
		enter, leave []byte
		ret          uint64
		failed       bool
		want         string // args, then result
	}{
		{"open", []uint64{p, 0x80000, 0xdead}, zt(0, "/etc/passwd"), nil, 3, false, `["/etc/passwd","O_RDONLY|O_CLOEXEC",null] 3`},
		{"open", []uint64{p, 0x241, 0o644}, zt(0, "a"), nil, m1, true, `["a","O_WRONLY|O_CREAT|O_TRUNC","0644"] -1`},
		{"open", []uint64{0, 0x1000000000, 0}, item8(0, statusNull, nil), nil, 0xffffffff, true, `[null,"O_RDONLY",null] -1`},
		{"openat", []uint64{0xffffff9c, p, 0x101000, 0}, item8(0, statusCut, []byte("/lo")), nil, 4, false, `["AT_FDCWD",[1,"/lo"],"O_RDONLY|O_SYNC",null] 4`},
		{"openat", []uint64{7, p, 0, 0}, item8(0, statusBad, nil), nil, m1, true, `[7,[3],"O_RDONLY",null] -1`},
		{"open", []uint64{p, 0, 0}, nil, nil, 3, false, `[[4],"O_RDONLY",null] 3`},
		{"read", []uint64{3, p, 4096}, nil, nil, 17, false, `[3,[5,17],4096] 17`},
		{"read", []uint64{3, p, 4096}, nil, nil, m1, true, `[3,null,4096] -1`},
		{"write", []uint64{m1, p, 12}, nil, nil, m1, true, `[-1,[5,12],12] -1`},
		{"write", []uint64{1, 0, 12}, nil, nil, 12, false, `[1,null,12] 12`},
		{"pread64", []uint64{3, p, 10, 1 << 40}, nil, nil, 0, false, `[3,[5,0],10,1099511627776] 0`},
		{"lseek", []uint64{3, m1, 1}, nil, nil, 99, false, `[3,-1,"SEEK_CUR"] 99`},
		{"pipe", []uint64{p}, nil, item8(0, statusOK, le32(3, 4)), 0, false, `[[3,4]] 0`},
		{"pipe", []uint64{p}, nil, nil, m1, true, `[null] -1`},
		{"readlink", []uint64{p, p, 64}, zt(0, "/proc/self/exe"), zt(1, "/bin/ls"), 7, false, `["/proc/self/exe","/bin/ls",64] 7`},
		{"readlink", []uint64{p, p, 64}, zt(0, "/x"), item8(1, statusOK, []byte{0xff, 'a'}), 2, false, `["/x","/2E=",64] 2`}, // bin
		{"fcntl", []uint64{3, 3, 0xdead}, nil, nil, 2, false, `[3,"F_GETFL",null] 2`},
		{"fcntl", []uint64{3, 2, 1}, nil, nil, 0, false, `[3,"F_SETFD",1] 0`},
		{"fcntl", []uint64{3, 9999, 1}, nil, nil, m1, true, `[3,9999,1] -1`},
		{"mkdir", []uint64{p, 0o1777}, zt(0, "d"), nil, 0, false, `["d","01777"] 0`},
		{"access", []uint64{p, 0}, zt(0, "d"), nil, 0, false, `["d","0"] 0`},
		{"access", []uint64{p, 6}, zt(0, "d"), nil, 0, false, `["d","R_OK|W_OK"] 0`},
		{"chown", []uint64{p, 0xffffffff, 100}, zt(0, "d"), nil, 0, false, `["d",-1,100] 0`},
		{"posix_fallocate", []uint64{3, 0, 5}, nil, nil, 28, true, `[3,0,5] "ENOSPC"`},
		{"umask", []uint64{0o22}, nil, nil, 0o77, false, `["022"] "077"`},
		{"getcwd", []uint64{p, 100}, nil, zt(0, "/home"), p, false, `[139637976731648,100] "/home"`},
		{"realpath", []uint64{p, 0}, zt(0, "x"), zt(1, "/a/x"), p, false, `["x",null] "/a/x"`},
		{"fopen", []uint64{p, p}, append(zt(0, "f"), zt(1, "r")...), nil, 0, true, `["f","r"] null`},
		{"utimensat", []uint64{0xffffff9c, p, p, 0x100}, append(zt(0, "f"), item8(1, statusOK, le64(5, 500000000, 0, 1<<30-2))...), nil, 0, false, `["AT_FDCWD","f",["5.5","UTIME_OMIT"],"AT_SYMLINK_NOFOLLOW"] 0`},

		{"socket", []uint64{10, 0x80801, 0}, nil, nil, 5, false, `["AF_INET6","SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC",0] 5`},
		{"connect", []uint64{5, p, 16}, item8(0, statusOK, inet), nil, 0, false, `[5,"127.0.0.1:80",16] 0`},
		{"connect", []uint64{5, p, 110}, item8(0, statusOK, append([]byte{1, 0}, "/run/s\x00\x00"...)), nil, 0, false, `[5,"unix:/run/s",110] 0`},
		{"accept4", []uint64{5, p, p, 0x80000}, nil, item8(0, statusOK, inet), 6, false, `[5,"127.0.0.1:80",139637976731648,"SOCK_CLOEXEC"] 6`},
		{"accept", []uint64{5, 0, 0}, nil, nil, 6, false, `[5,null,null] 6`},
		{"setsockopt", []uint64{5, 1, 2, p, 4}, nil, nil, 0, false, `[5,"SOL_SOCKET","SO_REUSEADDR",[5,4],4] 0`},
		{"setsockopt", []uint64{5, 6, 1, p, 4}, nil, nil, 0, false, `[5,"IPPROTO_TCP","TCP_NODELAY",[5,4],4] 0`},
		{"setsockopt", []uint64{5, 77, 1, p, 4}, nil, nil, 0, false, `[5,77,1,[5,4],4] 0`},
		{"recvfrom", []uint64{5, p, 100, 0x40, p, p}, nil, item8(0, statusOK, inet), 9, false, `[5,[5,9],100,"MSG_DONTWAIT","127.0.0.1:80",139637976731648] 9`},
		{"getaddrinfo", []uint64{p, p, 0, p}, append(zt(0, "localhost"), zt(1, "http")...), nil, 0xfffffffe, true, `["localhost","http",null,null] "EAI_NONAME"`},
		{"getaddrinfo", []uint64{p, 0, p, p}, append(zt(0, "h"), item8(2, statusOK, le32(1, 2, 1, 0))...), item8(3, statusOK, le64(p)), 0, false,
			`["h",null,{"family":"AF_INET","flags":"AI_PASSIVE","protocol":0,"socktype":"SOCK_STREAM"},139637976731648] "0"`},

		{"execve", []uint64{p, p, p}, append(zt(0, "/bin/sh"), zt(1, "sh\x00-c\x00x --password y\x00")...), nil, m1, true, `["/bin/sh",["sh","-c","x --password ***"],139637976731648] -1`},
		{"execvp", []uint64{p, p}, append(zt(0, "a"), item8(1, statusCut, []byte("a\x00--token\x00abc"))...), nil, m1, true, `["a",[1,["a","--token","***"]]] -1`},
		{"waitpid", []uint64{m1, p, 1}, nil, item8(0, statusOK, le32(3<<8)), 77, false, `[-1,"exit 3","WNOHANG"] 77`},
		{"waitpid", []uint64{5, p, 0}, nil, item8(0, statusOK, le32(0x89)), 5, false, `[5,"signal SIGKILL (core)","0"] 5`},
		{"waitpid", []uint64{5, p, 1}, nil, item8(0, statusOK, le32(0x1234)), 0, false, `[5,null,"WNOHANG"] 0`},
		{"kill", []uint64{0xfffffff6, 15}, nil, nil, 0, false, `[-10,"SIGTERM"] 0`},
		{"kill", []uint64{1, 0}, nil, nil, 0, false, `[1,0] 0`},
		{"system", []uint64{p}, zt(0, "true"), nil, 0x100, false, `["true"] "exit 1"`},
		{"system", []uint64{p}, zt(0, "true"), nil, m1, true, `["true"] -1`},
		{"posix_spawn", []uint64{p, p, 0, 0, p, p}, append(zt(1, "/bin/a"), zt(2, "a\x00")...), item8(0, statusOK, le32(4711)), 0, false, `[4711,"/bin/a",null,null,["a"],139637976731648] 0`},
		{"getrlimit", []uint64{7, p}, nil, item8(0, statusOK, le64(1024, m1)), 0, false, `["RLIMIT_NOFILE",{"cur":1024,"max":"unlimited"}] 0`},
		{"waitid", []uint64{0, 0, p, 4}, nil, item8(0, statusOK, le32(17, 0, 1, 0, 99, 0, 3, 0)), 0, false, `["P_ALL",0,{"pid":99,"status":"exit 3"},"WEXITED"] 0`},
		{"waitid", []uint64{0, 0, p, 4}, nil, item8(0, statusOK, le32(17, 0, 2, 0, 99, 0, 9, 0)), 0, false, `["P_ALL",0,{"pid":99,"status":"signal SIGKILL"},"WEXITED"] 0`},

		{"sqlite3_prepare_v2", []uint64{p, p, 0xffffffff, p, 0}, zt(0, "select 'x' , 5"), item8(1, statusOK, le64(0x55)), 0, false, `[139637976731648,"select ?, ?",-1,85,null] "SQLITE_OK"`},
		{"sqlite3_prepare_v2", []uint64{p, p, 8, p, 0}, item8(0, statusCut, []byte("select 1garbage")), item8(1, statusOK, le64(0x55)), 0, false, `[139637976731648,"select ?",8,85,null] "SQLITE_OK"`},
		{"sqlite3_prepare16_v2", []uint64{p, p, 0xffffffff, p, 0}, item8(0, statusCut, []byte("s\x00\xe9\x00\x00\x00x\x00")), item8(1, statusOK, le64(0x55)), 0, false, `[139637976731648,"sé",-1,85,null] "SQLITE_OK"`},
		{"sqlite3_step", []uint64{p}, nil, nil, 2067, true, `[139637976731648] "SQLITE_CONSTRAINT_UNIQUE"`},
		{"sqlite3_step", []uint64{p}, nil, nil, 2570, true, `[139637976731648] "SQLITE_IOERR(2570)"`},
		{"sqlite3_bind_int", []uint64{p, 2}, nil, nil, 0, false, `[139637976731648,2,[5]] "SQLITE_OK"`},
		{"sqlite3_bind_text", []uint64{p, 2, p, 9, 0}, nil, nil, 0, false, `[139637976731648,2,[5,9],9,null] "SQLITE_OK"`},
		{"sqlite3_bind_text", []uint64{p, 2, p, m1, 0}, nil, nil, 0, false, `[139637976731648,2,[5],-1,null] "SQLITE_OK"`},
		{"sqlite3_bind_double", []uint64{p, 2}, nil, nil, 0, false, `[139637976731648,2,[4]] "SQLITE_OK"`},
		{"sqlite3_open", []uint64{p, p}, zt(0, ":memory:"), item8(1, statusOK, le64(9)), 0, false, `[":memory:",9] "SQLITE_OK"`},
		{"?", []uint64{1, m1}, nil, nil, 5, false, `[1,18446744073709551615] 5`},
	} {
		h, ok := Lookup("", c.name)
		if !ok {
			h = Unknown(c.name)
		}
		d := NewDecoder(h, NewSQLCache(8))
		got := render(t, d.AppendCall(nil, c.words, c.enter, c.leave, c.ret, c.failed)) + " " + render(t, d.AppendRet(nil, c.ret, c.failed))
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// An enter and its leave together say what the whole call says.
func TestEnterAndLeave(t *testing.T) {
	h, _ := Lookup("", "readlink")
	d := NewDecoder(h, nil)
	words := []uint64{0x10, 0x20, 64}
	if got := render(t, d.AppendEnter(nil, words, zt(0, "/x"))); got != `["/x",null,64]` {
		t.Error(got)
	}
	if got := render(t, d.AppendLeave(nil, nil, zt(1, "/y"), 2, false)); got != `[null,"/y",null]` {
		t.Error(got)
	}
	if got := render(t, d.AppendLeave(nil, words, nil, m1, true)); got != `[null,null,null]` {
		t.Error(got)
	}
	msg := item8(opReply, statusOK, []byte("no such table: x"))
	d.AppendLeave(nil, words, append(zt(1, "/y"), msg...), 2, true)
	if got, ok := d.Reply(); !ok || string(got) != "no such table: x" {
		t.Errorf("reply %q", got)
	}
	d.AppendLeave(nil, words, nil, 2, true)
	if _, ok := d.Reply(); ok {
		t.Error("the reply of the call before")
	}
}

func TestErrOf(t *testing.T) {
	for _, c := range []struct {
		name   string
		ret    uint64
		errno  uint32
		failed bool
		want   int32
	}{
		{"open", 3, 2, false, 0}, {"open", m1, 2, true, 2}, {"open", m1, 0, true, -1}, {"open", m1, 1 << 20, true, -1},
		{"posix_spawn", 13, 2, true, 13}, {"sqlite3_step", 5, 11, true, -1}, {"getaddrinfo", 0xfffffffe, 2, true, -1},
	} {
		h, _ := Lookup("", c.name)
		if got := h.ErrOf(c.ret, c.errno, c.failed); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestSockaddr(t *testing.T) {
	six := func(addr string, scope uint32) []byte {
		a := netip.MustParseAddr(addr).As16()
		b := append([]byte{10, 0, 1, 187, 0, 0, 0, 0}, a[:]...)
		return binary.LittleEndian.AppendUint32(b, scope)
	}
	for _, c := range []struct {
		b    []byte
		want string
	}{
		{six("::1", 0), "[::1]:443"}, {six("::", 0), "[::]:443"}, {six("fe80::1", 3), "[fe80::1%3]:443"}, {six("2001:db8::1:0:0:1", 0), "[2001:db8::1:0:0:1]:443"},
		{six("::ffff:1.2.3.4", 0), "[::ffff:1.2.3.4]:443"}, {six("1:2:3:4:5:6:7:8", 0), "[1:2:3:4:5:6:7:8]:443"}, {six("1:0:3:4:5:6:7:8", 0), "[1:0:3:4:5:6:7:8]:443"}, {six("1::", 0), "[1::]:443"},
		{[]byte{2, 0, 0x1f, 0x90, 10, 0, 0, 255}, "10.0.0.255:8080"}, {[]byte{1, 0}, "unix:"}, {append([]byte{1, 0, 0}, "abc\x00"...), "unix:@abc"}, {append([]byte{1, 0}, "/a"...), "unix:/a"},
		{append([]byte{16, 0, 0, 0}, le32(77, 3)...), "netlink:77/3"}, {[]byte{0, 0}, "unspec"}, {nil, "unspec"}, {[]byte{2, 0}, "AF_INET"}, {[]byte{200, 1}, "family 456"}, {[]byte{17, 0}, "AF_PACKET"},
	} {
		if got := string(AppendSockaddr(nil, c.b)); got != c.want {
			t.Errorf("%v: %s, want %s", c.b, got, c.want)
		}
	}
}

func FuzzSockaddr(f *testing.F) {
	f.Add([]byte{10, 0, 0, 80, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	f.Fuzz(func(t *testing.T, b []byte) {
		got := string(AppendSockaddr(nil, b))
		if len(b) == 24 && b[0] == 10 && b[1] == 0 {
			a := netip.AddrFrom16([16]byte(b[8:24]))
			want := fmt.Sprintf("[%s]:%d", a, int(b[2])<<8|int(b[3]))
			if got != want {
				t.Fatalf("%s, want %s", got, want)
			}
		}
	})
}

// The structures are read at the places where this machine's C compiler puts
// their fields.
func TestStructLayout(t *testing.T) {
	checks := map[string][]string{
		"struct stat":         {"st_ino:8", "st_mode:24", "st_size:48"},
		"struct statx":        {"stx_mode:28", "stx_ino:32", "stx_size:40"},
		"struct msghdr":       {"msg_namelen:8", "msg_iovlen:24", "msg_controllen:40", "msg_flags:48"},
		"struct mmsghdr":      {"msg_len:56"},
		"struct addrinfo":     {"ai_family:4", "ai_socktype:8", "ai_protocol:12"},
		"siginfo_t":           {"si_code:8", "si_pid:16", "si_status:24"},
		"struct pollfd":       {"events:4"},
		"struct epoll_event":  {"data:4"},
		"struct itimerspec":   {"it_value:16"},
		"struct rlimit":       {"rlim_max:8"},
		"struct sockaddr_in6": {"sin6_port:2", "sin6_addr:8", "sin6_scope_id:24"},
	}
	var src strings.Builder
	src.WriteString("#define _GNU_SOURCE\n#include <stddef.h>\n#include <sys/stat.h>\n#include <sys/socket.h>\n#include <netdb.h>\n#include <signal.h>\n#include <poll.h>\n#include <sys/epoll.h>\n#include <time.h>\n#include <sys/resource.h>\n#include <netinet/in.h>\n")
	for s, fields := range checks {
		for _, f := range fields {
			name, at, _ := strings.Cut(f, ":")
			fmt.Fprintf(&src, "_Static_assert(offsetof(%s, %s) == %s, \"%s.%s\");\n", s, name, at, s, name)
		}
	}
	file := filepath.Join(t.TempDir(), "layout.c")
	if err := os.WriteFile(file, []byte(src.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gcc", "-fsyntax-only", file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// The constants are those of this machine's C headers.
func TestSetValues(t *testing.T) {
	var src strings.Builder
	src.WriteString("#define _GNU_SOURCE\n")
	for _, h := range []string{"fcntl.h", "unistd.h", "sys/stat.h", "sys/socket.h", "netinet/in.h", "netinet/tcp.h", "netdb.h", "sys/wait.h", "sys/mman.h", "sys/prctl.h", "sys/ptrace.h", "sys/resource.h",
		"sys/epoll.h", "sys/eventfd.h", "sys/timerfd.h", "sys/inotify.h", "sys/xattr.h", "sys/ioctl.h", "sys/file.h", "sys/uio.h", "sys/random.h", "sched.h", "signal.h", "time.h", "dlfcn.h", "sqlite3.h", "linux/fs.h", "linux/close_range.h", "linux/falloc.h"} {
		fmt.Fprintf(&src, "#if __has_include(<%s>)\n#include <%s>\n#endif\n", h, h)
	}
	n := 0
	for name, v := range constants() {
		if name == "NULL" || strings.HasPrefix(name, "SIGRT") || strings.HasPrefix(name, "__") {
			continue
		}
		n++
		if name == "O_LARGEFILE" {
			continue // 0 in a 64-bit header, 0100000 to the kernel
		}
		fmt.Fprintf(&src, "#ifdef %s\n_Static_assert((long)(%s) == %dL || (unsigned)(%s) == %dUL, \"%s\");\n#endif\n", name, name, v, name, uint32(v), name)
	}
	if n < 400 {
		t.Fatalf("%d constants", n)
	}
	file := filepath.Join(t.TempDir(), "sets.c")
	if err := os.WriteFile(file, []byte(src.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gcc", "-fsyntax-only", file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestSetsRender(t *testing.T) {
	for _, c := range []struct {
		set  string
		v    uint64
		want string
	}{
		{"open", 0, "O_RDONLY"}, {"open", 3, "0x3"}, {"open", 0x410000, "O_RDONLY|O_TMPFILE"}, {"open", 0x10000, "O_RDONLY|O_DIRECTORY"}, {"open", 1 << 30, "O_RDONLY|0x40000000"},
		{"msg", 0, "0"}, {"msg", 0x4040, "MSG_DONTWAIT|MSG_NOSIGNAL"}, {"clone", 17, "SIGCHLD"}, {"clone", 0x100 | 17, "SIGCHLD|CLONE_VM"}, {"map", 0x22, "MAP_PRIVATE|MAP_ANONYMOUS"},
		{"flock", 6, "LOCK_EX|LOCK_NB"}, {"access", 4, "R_OK"}, {"access", 0x14, "R_OK|0x10"}, {"epoll", 0x80000001, "EPOLLIN|EPOLLET"},
	} {
		if got := string(sets()[c.set].appendTo(nil, c.v)); got != c.want {
			t.Errorf("%s %#x: %s, want %s", c.set, c.v, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	if ErrnoName(2) != "ENOENT" || ErrnoName(99999) != "" || ErrnoName(-1) != "" {
		t.Error("errno names")
	}
	for n, want := range map[int]string{9: "SIGKILL", 0: "", -5: "", 34: "SIGRTMIN", 36: "SIGRTMIN+2", 32: "", 65: ""} {
		if got := SignalName(n); got != want {
			t.Errorf("signal %d: %q", n, got)
		}
	}
	for s, want := range map[uint32]string{0: "exit 0", 0xff00: "exit 255", 9: "signal SIGKILL", 0x8b: "signal SIGSEGV (core)", 0x137f: "stopped SIGSTOP", 0xffff: "continued"} {
		if got := string(appendWaitStatus(nil, s)); got != want {
			t.Errorf("status %#x: %q", s, got)
		}
	}
	for _, c := range []struct {
		name string
		v    int64
		ok   bool
	}{{"SQLITE_OK", 0, true}, {"SQLITE_DONE", 101, true}, {"SQLITE_IOERR(2570)", 2570, true}, {"SQLITE_NOPE", 0, false}, {"(x)", 0, false}} {
		if v, ok := EnumValue("sqlite", c.name); v != c.v || ok != c.ok {
			t.Errorf("%s: %d %v", c.name, v, ok)
		}
	}
	for ty := TInt; ty <= TErrno; ty++ {
		if got, ok := ParseType(ty.String()); !ok || got != ty {
			t.Errorf("type %d is %q", ty, ty)
		}
	}
}

func FuzzDecodeItems(f *testing.F) {
	f.Add("open", zt(0, "/etc"), uint64(3), uint64(0x241))
	f.Add("recvfrom", item8(0, statusOK, []byte{2, 0, 0, 80, 1, 2, 3, 4}), uint64(9), uint64(0))
	f.Add("sqlite3_prepare16_v2", item8(0, statusCut, []byte("s\x00")), uint64(0), uint64(1))
	f.Add("execve", item8(1, statusCut, []byte("a\x00--token\x00b")), uint64(0), uint64(1))
	f.Add("waitid", []byte{0xff, 0xff, 0, 0}, uint64(0), uint64(1))
	f.Fuzz(func(t *testing.T, name string, items []byte, ret, word uint64) {
		h, ok := Lookup("", name)
		if !ok {
			h = Unknown("f")
		}
		d := NewDecoder(h, NewSQLCache(2))
		words := []uint64{word, word, word, word, word, word, word, word}
		for n := range len(words) {
			wellFormed(t, d.AppendCall(nil, words[:n], items, items, ret, ret&1 == 1))
			wellFormed(t, d.AppendRet(nil, ret, ret&1 == 1))
			wellFormed(t, d.AppendEnter(nil, words[:n], items))
			wellFormed(t, d.AppendLeave(nil, nil, items, ret, false))
		}
		for i := range h.Args {
			d.Text(i, words)
			d.OutPointer(i)
		}
	})
}

// What is decoded per event must not allocate.
func TestDecodeDoesNotAllocate(t *testing.T) {
	const p = 0x7f0000001000
	for _, c := range []struct {
		name  string
		words []uint64
		enter []byte
		leave []byte
	}{
		{"write", []uint64{1, p, 12}, nil, nil},
		{"openat", []uint64{7, p, 0x80041, 0o644}, zt(0, "/etc/passwd"), nil},
		{"connect", []uint64{5, p, 16}, item8(0, statusOK, []byte{2, 0, 0, 80, 127, 0, 0, 1}), nil},
		{"fstat", []uint64{5, p}, nil, item8(0, statusOK, make([]byte, 64))},
		{"sqlite3_prepare_v2", []uint64{p, p, 0xffffffff, p, 0}, zt(0, "select 'x' , 5"), item8(1, statusOK, le64(0x55))},
		{"execve", []uint64{p, p, p}, append(zt(0, "/bin/sh"), zt(1, "sh\x00-c\x00x=1\x00")...), nil},
	} {
		h, _ := Lookup("", c.name)
		d := NewDecoder(h, NewSQLCache(8))
		buf := make([]byte, 0, 1024)
		if n := testing.AllocsPerRun(100, func() {
			b := d.AppendCall(buf, c.words, c.enter, c.leave, 0, false)
			d.AppendRet(b, 0, false)
		}); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	h, _ := Lookup("", "openat")
	d := NewDecoder(h, nil)
	buf := make([]byte, 0, 1024)
	words, items := []uint64{7, 1, 0x80000, 0}, zt(0, "/etc/passwd")
	b.ReportAllocs()
	for b.Loop() {
		buf = d.AppendCall(buf[:0], words, items, nil, 3, false)
		buf = d.AppendRet(buf, 3, false)
	}
}
