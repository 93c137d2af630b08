package agent

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// socket is a connection to the reader, in the agent's own descriptor table.
// Plain system calls: package net would bring a resolver and a poller into the
// program.
type socket int

var errForeign = errors.New("the reader belongs to another user")

// dial connects to the reader at path. A reader of another user is refused:
// what is written there is for nobody else's eyes.
func dial(path string) (socket, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	s := socket(fd)
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		s.Close()
		return -1, err
	}
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil || int(cred.Uid) != os.Geteuid() {
		s.Close()
		return -1, errForeign
	}
	return s, nil
}

// Write blocks while the reader does not read; meanwhile the arena fills and
// no host thread waits.
func (s socket) Write(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		m, err := unix.SendmsgN(int(s), b[n:], nil, nil, unix.MSG_NOSIGNAL)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return n, err
		}
		n += m
	}
	return n, nil
}

// poll reads what is there, without waiting.
func (s socket) poll(b []byte) (int, error) {
	n, _, err := unix.Recvfrom(int(s), b, unix.MSG_DONTWAIT)
	return max(n, 0), err
}

func (s socket) Close() error { return unix.Close(int(s)) }
