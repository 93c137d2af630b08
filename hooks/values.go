package hooks

import (
	"encoding/binary"
	"strconv"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

const atFDCWD = unix.AT_FDCWD

// ErrnoName is the symbol of an errno ("ENOENT"), "" when there is none.
func ErrnoName(n int) string { return unix.ErrnoName(unix.Errno(n)) }

// SignalName is the symbol of a signal ("SIGKILL", "SIGRTMIN+2"), "" when
// there is none.
func SignalName(n int) string {
	if n <= 0 || n > 64 {
		return ""
	}
	if s := unix.SignalName(unix.Signal(n)); s != "" {
		return s
	}
	// 32 and 33 are the C library's own.
	if n >= 34 {
		if n == 34 {
			return "SIGRTMIN"
		}
		return "SIGRTMIN+" + strconv.Itoa(n-34)
	}
	return ""
}

// EnumValue is the value that a set's name stands for: the inverse of how
// enumerations appear in the stream.
func EnumValue(set, name string) (int64, bool) {
	for _, e := range valsOf(set, nil) {
		if e.Name == name {
			return e.Value, true
		}
	}
	s := sets()[set]
	if s == nil {
		return 0, false
	}
	for i := range s.vals {
		if s.vals[i].name == name {
			return int64(int32(s.vals[i].v)), true
		}
	}
	if n := len(name); n > 2 && name[n-1] == ')' {
		// An extended code without a name of its own: SQLITE_IOERR(2570).
		for i := n - 2; i > 0; i-- {
			if name[i] == '(' {
				v, err := strconv.ParseInt(name[i+1:n-1], 10, 32)
				return v, err == nil
			}
		}
	}
	return 0, false
}

// appendWaitStatus renders a wait status: exit 3, signal SIGKILL (core),
// stopped SIGTSTP, continued.
func appendWaitStatus(dst []byte, s uint32) []byte {
	sig := func(dst []byte, n uint32) []byte {
		if name := SignalName(int(n)); name != "" {
			return append(dst, name...)
		}
		return strconv.AppendUint(dst, uint64(n), 10)
	}
	switch {
	case s == 0xffff:
		return append(dst, "continued"...)
	case s&0xff == 0x7f:
		return sig(append(dst, "stopped "...), s>>8&0xff)
	case s&0x7f == 0:
		return strconv.AppendUint(append(dst, "exit "...), uint64(s>>8&0xff), 10)
	}
	dst = sig(append(dst, "signal "...), s&0x7f)
	if s&0x80 != 0 {
		dst = append(dst, " (core)"...)
	}
	return dst
}

func openHasMode(flags uint64) bool {
	return flags&unix.O_CREAT != 0 || flags&unix.O_TMPFILE == unix.O_TMPFILE
}

func fcntlHasArg(cmd uint64) bool {
	switch uint32(cmd) {
	case unix.F_GETFD, unix.F_GETFL, unix.F_GETOWN, unix.F_GETSIG, unix.F_GETLEASE, unix.F_GETPIPE_SZ, unix.F_GET_SEALS:
		return false
	}
	return true
}

// optionSet is the set of a socket option's level.
func optionSet(level uint32) string {
	switch level {
	case unix.SOL_SOCKET:
		return "so"
	case unix.IPPROTO_TCP:
		return "tcp"
	case unix.IPPROTO_IP:
		return "ip"
	case unix.IPPROTO_IPV6:
		return "ip6"
	}
	return ""
}

// AppendSockaddr renders a socket address: 127.0.0.1:80, [::1]:443,
// unix:/path, unix:@abstract.
func AppendSockaddr(dst, b []byte) []byte {
	if len(b) < 2 {
		return append(dst, "unspec"...)
	}
	switch family := binary.LittleEndian.Uint16(b); {
	case family == unix.AF_INET && len(b) >= 8:
		for i, c := range b[4:8] {
			if i > 0 {
				dst = append(dst, '.')
			}
			dst = strconv.AppendUint(dst, uint64(c), 10)
		}
		return appendPort(dst, b)
	case family == unix.AF_INET6 && len(b) >= 24:
		dst = appendIPv6(append(dst, '['), b[8:24])
		if len(b) >= 28 {
			if scope := binary.LittleEndian.Uint32(b[24:]); scope != 0 {
				dst = strconv.AppendUint(append(dst, '%'), uint64(scope), 10)
			}
		}
		return appendPort(append(dst, ']'), b)
	case family == unix.AF_UNIX:
		return appendUnix(append(dst, "unix:"...), b[2:])
	case family == unix.AF_NETLINK && len(b) >= 12:
		dst = strconv.AppendUint(append(dst, "netlink:"...), uint64(binary.LittleEndian.Uint32(b[4:])), 10)
		return strconv.AppendUint(append(dst, '/'), uint64(binary.LittleEndian.Uint32(b[8:])), 10)
	case family == unix.AF_VSOCK && len(b) >= 12:
		dst = strconv.AppendUint(append(dst, "vsock:"...), uint64(binary.LittleEndian.Uint32(b[8:])), 10)
		return strconv.AppendUint(append(dst, ':'), uint64(binary.LittleEndian.Uint32(b[4:])), 10)
	case family == unix.AF_UNSPEC:
		return append(dst, "unspec"...)
	default:
		if name, ok := sets()["af"].lookup(uint64(family)); ok {
			return append(dst, name...)
		}
		return strconv.AppendUint(append(dst, "family "...), uint64(family), 10)
	}
}

func appendPort(dst, b []byte) []byte {
	return strconv.AppendUint(append(dst, ':'), uint64(binary.BigEndian.Uint16(b[2:])), 10)
}

func appendUnix(dst, path []byte) []byte {
	if len(path) > 0 && path[0] == 0 && len(path) > 1 {
		// Abstract: all bytes count; trailing zeros are padding of a sloppy caller.
		dst = append(dst, '@')
		path = path[1:]
		for len(path) > 0 && path[len(path)-1] == 0 {
			path = path[:len(path)-1]
		}
		return append(dst, path...)
	}
	for i, c := range path {
		if c == 0 {
			path = path[:i]
			break
		}
	}
	return append(dst, path...)
}

// appendIPv6 renders 16 bytes as RFC 5952 says.
func appendIPv6(dst, b []byte) []byte {
	var w [8]uint16
	v4 := true
	for i := range w {
		w[i] = binary.BigEndian.Uint16(b[2*i:])
		if i < 5 && w[i] != 0 || i == 5 && w[i] != 0xffff {
			v4 = false
		}
	}
	if v4 {
		dst = append(dst, "::ffff:"...)
		for i, c := range b[12:16] {
			if i > 0 {
				dst = append(dst, '.')
			}
			dst = strconv.AppendUint(dst, uint64(c), 10)
		}
		return dst
	}
	from, n := -1, 1 // the longest run of two or more zero groups
	for i := 0; i < 8; i++ {
		j := i
		for j < 8 && w[j] == 0 {
			j++
		}
		if j-i > n {
			from, n = i, j-i
		}
		if j > i {
			i = j
		}
	}
	for i := 0; i < 8; i++ {
		if i == from {
			dst = append(dst, "::"...)
			i += n - 1
			continue
		}
		if i > 0 && i != from+n {
			dst = append(dst, ':')
		} else if i > 0 && from < 0 {
			dst = append(dst, ':')
		}
		dst = strconv.AppendUint(dst, uint64(w[i]), 16)
	}
	return dst
}

// appendUTF16 converts little-endian UTF-16 up to a NUL; ended says whether
// there was one. A lone surrogate becomes U+FFFD.
func appendUTF16(dst, b []byte) (_ []byte, ended bool) {
	for len(b) >= 2 {
		r := rune(binary.LittleEndian.Uint16(b))
		b = b[2:]
		if r == 0 {
			return dst, true
		}
		if r >= 0xd800 && r < 0xdc00 && len(b) >= 2 {
			if lo := rune(binary.LittleEndian.Uint16(b)); lo >= 0xdc00 && lo < 0xe000 {
				r = 0x10000 + (r-0xd800)<<10 + (lo - 0xdc00)
				b = b[2:]
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst, false
}
