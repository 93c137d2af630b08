package hooks

import (
	"encoding/binary"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// structSizes says how many bytes of a known structure are captured: enough
// for the fields that are shown in appendStruct, no more.
var structSizes = sync.OnceValue(func() map[string]uint16 {
	return map[string]uint16{
		"fdpair":      8,
		"timespec":    16,
		"timespec2":   32,
		"timeval":     16,
		"timeval2":    32,
		"itimerspec":  32,
		"stat":        64,
		"statx":       48,
		"msghdr":      56,
		"mmsghdr":     64,
		"addrinfo":    16,
		"siginfo":     32,
		"rlimit":      16,
		"epoll_event": 12,
	}
})

// structSize is how many bytes of a structure of seam's own are captured; 0
// when it is not known.
func structSize(name string) uint16 {
	if n := structSizes()[name]; n > 0 {
		return n
	}
	if l := ownStruct(name); l != nil {
		return l.captured()
	}
	return 0
}

// stride is the size of a structure of seam's own as an element or a member;
// 0 when only a part of it is described.
func stride(name string) uint16 {
	switch name {
	case "fdpair", "timespec", "timeval", "timespec2", "timeval2", "itimerspec", "rlimit", "epoll_event":
		return structSizes()[name]
	}
	return 0
}

// appendStruct appends a structure as a map of its telling fields, or as what
// a person would write for it. Bytes too few for it are said to be unreadable.
func (d *Decoder) appendStruct(dst []byte, name string, b []byte) []byte {
	size := structSizes()[name]
	if size == 0 {
		if l := ownStruct(name); l != nil {
			return d.appendFields(dst, l.fields, b)
		}
	}
	if size == 0 || len(b) < int(size) {
		return appendStatus(dst, statusBad)
	}
	u32 := func(at int) uint64 { return uint64(binary.LittleEndian.Uint32(b[at:])) }
	u64 := func(at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }
	i32 := func(at int) int64 { return int64(int32(u32(at))) }
	switch name {
	case "fdpair":
		return appendInt(appendInt(appendArray(dst, 2), i32(0)), i32(4))
	case "timespec":
		return d.appendSeconds(dst, u64(0), u64(8), 9)
	case "timeval":
		return d.appendSeconds(dst, u64(0), u64(8), 6)
	case "timespec2":
		dst = d.appendSeconds(appendArray(dst, 2), u64(0), u64(8), 9)
		return d.appendSeconds(dst, u64(16), u64(24), 9)
	case "timeval2":
		dst = d.appendSeconds(appendArray(dst, 2), u64(0), u64(8), 6)
		return d.appendSeconds(dst, u64(16), u64(24), 6)
	case "itimerspec":
		dst = d.appendSeconds(appendStr(appendMap(dst, 2), "interval"), u64(0), u64(8), 9)
		return d.appendSeconds(appendStr(dst, "value"), u64(16), u64(24), 9)
	case "stat":
		// x86-64: dev ino nlink mode uid gid pad rdev size
		dst = d.appendFileMode(appendMap(dst, 4), u32(24))
		dst = appendUint(appendStr(dst, "ino"), u64(8))
		return appendInt(appendStr(dst, "size"), int64(u64(48)))
	case "statx":
		dst = d.appendFileMode(appendMap(dst, 4), uint64(binary.LittleEndian.Uint16(b[28:])))
		dst = appendUint(appendStr(dst, "ino"), u64(32))
		return appendInt(appendStr(dst, "size"), int64(u64(40)))
	case "msghdr":
		return d.appendMsghdr(appendMap(dst, 4), b)
	case "mmsghdr":
		dst = d.appendMsghdr(appendMap(dst, 5), b)
		return appendUint(appendStr(dst, "len"), u32(56))
	case "addrinfo":
		dst = d.appendSet(appendStr(appendMap(dst, 4), "flags"), "ai", u32(0))
		dst = d.appendSet(appendStr(dst, "family"), "af", u32(4))
		dst = d.appendSet(appendStr(dst, "socktype"), "sock", u32(8))
		return appendInt(appendStr(dst, "protocol"), i32(12))
	case "siginfo":
		return d.appendSiginfo(dst, b)
	case "rlimit":
		dst = appendLimit(appendStr(appendMap(dst, 2), "cur"), u64(0))
		return appendLimit(appendStr(dst, "max"), u64(8))
	case "epoll_event":
		dst = d.appendSet(appendStr(appendMap(dst, 2), "events"), "epoll", u32(0))
		return appendUint(appendStr(dst, "data"), u64(4))
	}
	return appendStatus(dst, statusBad)
}

// appendSeconds renders seconds and their fraction of that many digits: 1.5.
// The special nanoseconds of utimensat keep their names.
func (d *Decoder) appendSeconds(dst []byte, sec, frac uint64, digits int) []byte {
	switch {
	case digits == 9 && frac == 1<<30-1:
		return appendStr(dst, "UTIME_NOW")
	case digits == 9 && frac == 1<<30-2:
		return appendStr(dst, "UTIME_OMIT")
	}
	d.buf = strconv.AppendInt(d.buf[:0], int64(sec), 10)
	if frac != 0 {
		d.buf = append(d.buf, '.')
		at := len(d.buf)
		d.buf = strconv.AppendUint(d.buf, frac, 10)
		for pad := digits - (len(d.buf) - at); pad > 0; pad-- {
			d.buf = append(d.buf, 0)
			copy(d.buf[at+1:], d.buf[at:])
			d.buf[at] = '0'
		}
		for d.buf[len(d.buf)-1] == '0' {
			d.buf = d.buf[:len(d.buf)-1]
		}
	}
	return appendText(dst, d.buf)
}

// appendFileMode appends the pairs type and mode.
func (d *Decoder) appendFileMode(dst []byte, mode uint64) []byte {
	kind := "unknown"
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		kind = "file"
	case unix.S_IFDIR:
		kind = "dir"
	case unix.S_IFLNK:
		kind = "symlink"
	case unix.S_IFIFO:
		kind = "fifo"
	case unix.S_IFSOCK:
		kind = "socket"
	case unix.S_IFCHR:
		kind = "char"
	case unix.S_IFBLK:
		kind = "block"
	}
	dst = appendStr(appendStr(dst, "type"), kind)
	d.buf = strconv.AppendUint(append(d.buf[:0], '0'), mode&0o7777, 8)
	return appendText(appendStr(dst, "mode"), d.buf)
}

// appendMsghdr appends the pairs namelen, iovlen, controllen, flags.
func (d *Decoder) appendMsghdr(dst, b []byte) []byte {
	dst = appendUint(appendStr(dst, "namelen"), uint64(binary.LittleEndian.Uint32(b[8:])))
	dst = appendUint(appendStr(dst, "iovlen"), binary.LittleEndian.Uint64(b[24:]))
	dst = appendUint(appendStr(dst, "controllen"), binary.LittleEndian.Uint64(b[40:]))
	return d.appendSet(appendStr(dst, "flags"), "msg", uint64(binary.LittleEndian.Uint32(b[48:])))
}

// appendSiginfo appends what waitid says of a child.
func (d *Decoder) appendSiginfo(dst, b []byte) []byte {
	pid := int64(int32(binary.LittleEndian.Uint32(b[16:])))
	if pid == 0 {
		return appendNil(dst) // WNOHANG, and no child had changed
	}
	status := binary.LittleEndian.Uint32(b[24:])
	switch code := binary.LittleEndian.Uint32(b[8:]); code {
	case 1: // CLD_EXITED
		status = status & 0xff << 8
	case 2, 3: // CLD_KILLED, CLD_DUMPED
		status = status&0x7f | (code-2)<<7
	case 6: // CLD_CONTINUED
		status = 0xffff
	default:
		status = status&0xff<<8 | 0x7f
	}
	dst = appendInt(appendStr(appendMap(dst, 2), "pid"), pid)
	d.buf = appendWaitStatus(d.buf[:0], status)
	return appendText(appendStr(dst, "status"), d.buf)
}

// appendSet appends a field of flags or of an enumeration by name.
func (d *Decoder) appendSet(dst []byte, set string, v uint64) []byte {
	d.buf = sets()[set].appendTo(d.buf[:0], v)
	return appendText(dst, d.buf)
}

func appendLimit(dst []byte, v uint64) []byte {
	if v == ^uint64(0) {
		return appendStr(dst, "unlimited")
	}
	return appendUint(dst, v)
}
