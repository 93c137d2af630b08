package attach

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWithin(t *testing.T) {
	ranges := []Range{{10, 15}, {20, 27}}
	for addr, want := range map[uint64]bool{9: false, 10: false, 11: true, 14: true, 15: false, 20: false, 21: true, 26: true, 27: false, 99: false} {
		if got := within(ranges, addr); got != want {
			t.Errorf("%d: %v", addr, got)
		}
	}
}

// Which interrupted system calls are made again, and where a thread stands then.
func TestAgain(t *testing.T) {
	s := &stopper{p: &Process{PID: os.Getpid()}}
	eintr, minus := -int64(unix.EINTR), ^uint64(0)
	for _, tc := range []struct {
		orig, rax uint64
		again     bool
	}{
		{unix.SYS_EPOLL_WAIT, uint64(eintr), true},
		{unix.SYS_EPOLL_WAIT, 1, false},
		{unix.SYS_CLOSE, uint64(eintr), false}, // it has closed
		{minus, uint64(eintr), false},          // not in a system call
	} {
		th := &thread{tid: os.Getpid(), regs: unix.PtraceRegs{Orig_rax: tc.orig, Rax: tc.rax, Rip: 100}}
		if got := s.again(th); got != tc.again {
			t.Errorf("%+v: %v", tc, got)
		}
		if tc.again && (th.regs.Rip != 98 || th.regs.Rax != tc.orig || th.regs.Orig_rax != minus) {
			t.Errorf("%+v", th.regs)
		}
	}
}

func TestMaps(t *testing.T) {
	p := &Process{PID: 1}
	base, err := p.readMaps([]byte(`560000000000-560000001000 r--p 00000000 fe:00 5 /no/such/app
560000001000-560000002000 r-xp 00001000 fe:00 5 /no/such/app
7f0000000000-7f0000001000 r--p 00000000 fe:00 7 /x/libseam.so
7f0000001000-7f0000002000 r-xp 00001000 fe:00 7 /x/libseam.so
7f0000003000-7f0000004000 r-xp 00003000 fe:00 7 /x/libseam.so
7f0000005000-7f0000006000 r-xp 00000000 fe:00 9 /gone.so (deleted)
7fff00000000-7fff00001000 r-xp 00000000 00:00 0 [vdso]
`))
	if err != nil || base != 0x7f0000000000 || p.Library != "/x/libseam.so" {
		t.Errorf("%x %q %v", base, p.Library, err)
	}
	if got := strings.Join(p.Objects(), " "); got != "/no/such/app /x/libseam.so /gone.so" {
		t.Error(got)
	}
	if m := p.Code[1]; m.Lo != 0x7f0000001000 || m.Off != 0x1000 || !p.Code[2].Gone {
		t.Errorf("%+v", p.Code)
	}
}

func TestOpenRefuses(t *testing.T) {
	_, err := Open(os.Getpid(), "/nowhere")
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(e.Msg, "library") || e.Hint == "" {
		t.Errorf("%v", err)
	}
	if _, err := Open(1<<22+1, "/nowhere"); !errors.As(err, &e) || e.Msg != "does not exist" {
		t.Errorf("%v", err)
	}
}
