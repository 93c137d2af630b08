package hooks

import (
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// Sets that the decoder treats in its own way instead of by table.
const (
	wstatusSet = "wstatus" // a wait status: "exit 3", "signal SIGKILL"
	utf16Set   = "utf16"   // SQL text of two-byte characters
	dirfdSet   = "dirfd"   // a descriptor or AT_FDCWD
	sockoptSet = "sockopt" // an option whose name depends on the level before it
	signalSet  = "signal"
	sqliteSet  = "sqlite" // a result code, primary or extended
)

type named struct {
	v    uint64
	name string
}

// valueSet names the values of an integer: those under mask as alternatives,
// the rest as bits. A pure enumeration has all bits in mask, pure flags none.
type valueSet struct {
	mask uint64
	vals []named
	bits []named // combined bits before the bits they are made of
}

func enumOf(n ...named) *valueSet  { return &valueSet{mask: ^uint64(0), vals: n} }
func flagsOf(n ...named) *valueSet { return &valueSet{bits: n} }

func knownSet(name string) bool {
	switch name {
	case wstatusSet, sockoptSet, signalSet:
		return true
	}
	return sets()[name] != nil || ownSet(name) != nil
}

func setNames() []string {
	var s []string
	for n := range sets() {
		s = append(s, n)
	}
	for n := range declared().sets {
		s = append(s, n)
	}
	s = append(s, wstatusSet, sockoptSet, signalSet)
	slices.Sort(s)
	return s
}

var sets = sync.OnceValue(func() map[string]*valueSet {
	return map[string]*valueSet{
		"open": {mask: unix.O_ACCMODE,
			vals: []named{{unix.O_RDONLY, "O_RDONLY"}, {unix.O_WRONLY, "O_WRONLY"}, {unix.O_RDWR, "O_RDWR"}},
			bits: []named{{unix.O_CREAT, "O_CREAT"}, {unix.O_EXCL, "O_EXCL"}, {unix.O_NOCTTY, "O_NOCTTY"}, {unix.O_TRUNC, "O_TRUNC"},
				{unix.O_APPEND, "O_APPEND"}, {unix.O_NONBLOCK, "O_NONBLOCK"}, {unix.O_SYNC, "O_SYNC"}, {unix.O_DSYNC, "O_DSYNC"},
				{unix.O_ASYNC, "O_ASYNC"}, {unix.O_DIRECT, "O_DIRECT"}, {0o100000, "O_LARGEFILE"}, {unix.O_TMPFILE, "O_TMPFILE"},
				{unix.O_DIRECTORY, "O_DIRECTORY"}, {unix.O_NOFOLLOW, "O_NOFOLLOW"}, {unix.O_NOATIME, "O_NOATIME"},
				{unix.O_CLOEXEC, "O_CLOEXEC"}, {unix.O_PATH, "O_PATH"}}},
		"at": flagsOf(named{unix.AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW"}, named{unix.AT_REMOVEDIR, "AT_REMOVEDIR"},
			named{unix.AT_SYMLINK_FOLLOW, "AT_SYMLINK_FOLLOW"}, named{unix.AT_NO_AUTOMOUNT, "AT_NO_AUTOMOUNT"}, named{unix.AT_EMPTY_PATH, "AT_EMPTY_PATH"},
			named{unix.AT_STATX_FORCE_SYNC, "AT_STATX_FORCE_SYNC"}, named{unix.AT_STATX_DONT_SYNC, "AT_STATX_DONT_SYNC"}),
		// The bit of AT_REMOVEDIR means AT_EACCESS to faccessat.
		"ataccess": flagsOf(named{unix.AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW"}, named{unix.AT_EACCESS, "AT_EACCESS"}, named{unix.AT_EMPTY_PATH, "AT_EMPTY_PATH"}),
		"access": {mask: ^uint64(7), vals: []named{{0, ""}},
			bits: []named{{unix.R_OK, "R_OK"}, {unix.W_OK, "W_OK"}, {unix.X_OK, "X_OK"}}},
		"seek":   enumOf(named{0, "SEEK_SET"}, named{1, "SEEK_CUR"}, named{2, "SEEK_END"}, named{3, "SEEK_DATA"}, named{4, "SEEK_HOLE"}),
		"rename": flagsOf(named{unix.RENAME_NOREPLACE, "RENAME_NOREPLACE"}, named{unix.RENAME_EXCHANGE, "RENAME_EXCHANGE"}, named{unix.RENAME_WHITEOUT, "RENAME_WHITEOUT"}),
		"falloc": flagsOf(named{unix.FALLOC_FL_KEEP_SIZE, "FALLOC_FL_KEEP_SIZE"}, named{unix.FALLOC_FL_PUNCH_HOLE, "FALLOC_FL_PUNCH_HOLE"},
			named{unix.FALLOC_FL_COLLAPSE_RANGE, "FALLOC_FL_COLLAPSE_RANGE"}, named{unix.FALLOC_FL_ZERO_RANGE, "FALLOC_FL_ZERO_RANGE"},
			named{unix.FALLOC_FL_INSERT_RANGE, "FALLOC_FL_INSERT_RANGE"}, named{unix.FALLOC_FL_UNSHARE_RANGE, "FALLOC_FL_UNSHARE_RANGE"}),
		"flock": {mask: 0xb, vals: []named{{unix.LOCK_SH, "LOCK_SH"}, {unix.LOCK_EX, "LOCK_EX"}, {unix.LOCK_UN, "LOCK_UN"}}, bits: []named{{unix.LOCK_NB, "LOCK_NB"}}},
		"lockf": enumOf(named{0, "F_ULOCK"}, named{1, "F_LOCK"}, named{2, "F_TLOCK"}, named{3, "F_TEST"}),
		"rwf": flagsOf(named{unix.RWF_HIPRI, "RWF_HIPRI"}, named{unix.RWF_DSYNC, "RWF_DSYNC"}, named{unix.RWF_SYNC, "RWF_SYNC"},
			named{unix.RWF_NOWAIT, "RWF_NOWAIT"}, named{unix.RWF_APPEND, "RWF_APPEND"}),
		"splice":      flagsOf(named{unix.SPLICE_F_MOVE, "SPLICE_F_MOVE"}, named{unix.SPLICE_F_NONBLOCK, "SPLICE_F_NONBLOCK"}, named{unix.SPLICE_F_MORE, "SPLICE_F_MORE"}, named{unix.SPLICE_F_GIFT, "SPLICE_F_GIFT"}),
		"closerange":  flagsOf(named{unix.CLOSE_RANGE_UNSHARE, "CLOSE_RANGE_UNSHARE"}, named{unix.CLOSE_RANGE_CLOEXEC, "CLOSE_RANGE_CLOEXEC"}),
		"memfd":       flagsOf(named{unix.MFD_CLOEXEC, "MFD_CLOEXEC"}, named{unix.MFD_ALLOW_SEALING, "MFD_ALLOW_SEALING"}, named{unix.MFD_HUGETLB, "MFD_HUGETLB"}),
		"xattr":       flagsOf(named{unix.XATTR_CREATE, "XATTR_CREATE"}, named{unix.XATTR_REPLACE, "XATTR_REPLACE"}),
		"inotifyinit": flagsOf(named{unix.IN_CLOEXEC, "IN_CLOEXEC"}, named{unix.IN_NONBLOCK, "IN_NONBLOCK"}),
		"inotify": flagsOf(named{unix.IN_ALL_EVENTS, "IN_ALL_EVENTS"}, named{unix.IN_CLOSE, "IN_CLOSE"}, named{unix.IN_MOVE, "IN_MOVE"}, named{unix.IN_ACCESS, "IN_ACCESS"}, named{unix.IN_MODIFY, "IN_MODIFY"},
			named{unix.IN_ATTRIB, "IN_ATTRIB"}, named{unix.IN_CLOSE_WRITE, "IN_CLOSE_WRITE"}, named{unix.IN_CLOSE_NOWRITE, "IN_CLOSE_NOWRITE"}, named{unix.IN_OPEN, "IN_OPEN"},
			named{unix.IN_MOVED_FROM, "IN_MOVED_FROM"}, named{unix.IN_MOVED_TO, "IN_MOVED_TO"}, named{unix.IN_CREATE, "IN_CREATE"}, named{unix.IN_DELETE, "IN_DELETE"},
			named{unix.IN_DELETE_SELF, "IN_DELETE_SELF"}, named{unix.IN_MOVE_SELF, "IN_MOVE_SELF"}, named{unix.IN_ONLYDIR, "IN_ONLYDIR"}, named{unix.IN_DONT_FOLLOW, "IN_DONT_FOLLOW"},
			named{unix.IN_EXCL_UNLINK, "IN_EXCL_UNLINK"}, named{unix.IN_MASK_ADD, "IN_MASK_ADD"}, named{unix.IN_ISDIR, "IN_ISDIR"}, named{unix.IN_ONESHOT, "IN_ONESHOT"}),
		"fcntl": enumOf(named{unix.F_DUPFD, "F_DUPFD"}, named{unix.F_GETFD, "F_GETFD"}, named{unix.F_SETFD, "F_SETFD"}, named{unix.F_GETFL, "F_GETFL"}, named{unix.F_SETFL, "F_SETFL"},
			named{unix.F_GETLK, "F_GETLK"}, named{unix.F_SETLK, "F_SETLK"}, named{unix.F_SETLKW, "F_SETLKW"}, named{unix.F_SETOWN, "F_SETOWN"}, named{unix.F_GETOWN, "F_GETOWN"},
			named{unix.F_SETSIG, "F_SETSIG"}, named{unix.F_GETSIG, "F_GETSIG"}, named{unix.F_OFD_GETLK, "F_OFD_GETLK"}, named{unix.F_OFD_SETLK, "F_OFD_SETLK"}, named{unix.F_OFD_SETLKW, "F_OFD_SETLKW"},
			named{unix.F_SETLEASE, "F_SETLEASE"}, named{unix.F_GETLEASE, "F_GETLEASE"}, named{unix.F_NOTIFY, "F_NOTIFY"}, named{unix.F_DUPFD_CLOEXEC, "F_DUPFD_CLOEXEC"},
			named{unix.F_SETPIPE_SZ, "F_SETPIPE_SZ"}, named{unix.F_GETPIPE_SZ, "F_GETPIPE_SZ"}, named{unix.F_ADD_SEALS, "F_ADD_SEALS"}, named{unix.F_GET_SEALS, "F_GET_SEALS"}),
		"ioctl": enumOf(named{unix.TCGETS, "TCGETS"}, named{unix.TCSETS, "TCSETS"}, named{unix.TCSETSW, "TCSETSW"}, named{unix.TCSETSF, "TCSETSF"}, named{unix.TIOCGWINSZ, "TIOCGWINSZ"},
			named{unix.TIOCSWINSZ, "TIOCSWINSZ"}, named{unix.TIOCGPGRP, "TIOCGPGRP"}, named{unix.TIOCSPGRP, "TIOCSPGRP"}, named{unix.TIOCSCTTY, "TIOCSCTTY"}, named{unix.TIOCNOTTY, "TIOCNOTTY"},
			named{unix.TIOCINQ, "FIONREAD"}, named{0x5421, "FIONBIO"}, named{0x5451, "FIOCLEX"}, named{0x5450, "FIONCLEX"}, named{unix.FICLONE, "FICLONE"}, named{unix.FICLONERANGE, "FICLONERANGE"},
			named{unix.SIOCGIFCONF, "SIOCGIFCONF"}, named{unix.SIOCGIFFLAGS, "SIOCGIFFLAGS"}, named{unix.SIOCGIFADDR, "SIOCGIFADDR"}),

		"af": enumOf(named{unix.AF_UNSPEC, "AF_UNSPEC"}, named{unix.AF_UNIX, "AF_UNIX"}, named{unix.AF_INET, "AF_INET"}, named{unix.AF_INET6, "AF_INET6"}, named{unix.AF_NETLINK, "AF_NETLINK"},
			named{unix.AF_PACKET, "AF_PACKET"}, named{unix.AF_VSOCK, "AF_VSOCK"}, named{unix.AF_ALG, "AF_ALG"}, named{unix.AF_BLUETOOTH, "AF_BLUETOOTH"}, named{unix.AF_CAN, "AF_CAN"},
			named{unix.AF_TIPC, "AF_TIPC"}, named{unix.AF_XDP, "AF_XDP"}, named{unix.AF_KEY, "AF_KEY"}, named{unix.AF_RDS, "AF_RDS"}, named{unix.AF_AX25, "AF_AX25"}),
		"sock": {mask: 0xf,
			vals: []named{{unix.SOCK_STREAM, "SOCK_STREAM"}, {unix.SOCK_DGRAM, "SOCK_DGRAM"}, {unix.SOCK_RAW, "SOCK_RAW"}, {unix.SOCK_RDM, "SOCK_RDM"},
				{unix.SOCK_SEQPACKET, "SOCK_SEQPACKET"}, {unix.SOCK_DCCP, "SOCK_DCCP"}, {unix.SOCK_PACKET, "SOCK_PACKET"}, {0, ""}},
			bits: []named{{unix.SOCK_NONBLOCK, "SOCK_NONBLOCK"}, {unix.SOCK_CLOEXEC, "SOCK_CLOEXEC"}}},
		"msg": flagsOf(named{unix.MSG_OOB, "MSG_OOB"}, named{unix.MSG_PEEK, "MSG_PEEK"}, named{unix.MSG_DONTROUTE, "MSG_DONTROUTE"}, named{unix.MSG_CTRUNC, "MSG_CTRUNC"}, named{unix.MSG_TRUNC, "MSG_TRUNC"},
			named{unix.MSG_DONTWAIT, "MSG_DONTWAIT"}, named{unix.MSG_EOR, "MSG_EOR"}, named{unix.MSG_WAITALL, "MSG_WAITALL"}, named{unix.MSG_CONFIRM, "MSG_CONFIRM"}, named{unix.MSG_ERRQUEUE, "MSG_ERRQUEUE"},
			named{unix.MSG_NOSIGNAL, "MSG_NOSIGNAL"}, named{unix.MSG_MORE, "MSG_MORE"}, named{unix.MSG_WAITFORONE, "MSG_WAITFORONE"}, named{unix.MSG_FASTOPEN, "MSG_FASTOPEN"}, named{unix.MSG_CMSG_CLOEXEC, "MSG_CMSG_CLOEXEC"}, named{unix.MSG_ZEROCOPY, "MSG_ZEROCOPY"}),
		"shut": enumOf(named{0, "SHUT_RD"}, named{1, "SHUT_WR"}, named{2, "SHUT_RDWR"}),
		"sol": enumOf(named{unix.SOL_SOCKET, "SOL_SOCKET"}, named{unix.IPPROTO_IP, "IPPROTO_IP"}, named{unix.IPPROTO_TCP, "IPPROTO_TCP"}, named{unix.IPPROTO_UDP, "IPPROTO_UDP"},
			named{unix.IPPROTO_IPV6, "IPPROTO_IPV6"}, named{unix.SOL_NETLINK, "SOL_NETLINK"}, named{unix.SOL_PACKET, "SOL_PACKET"}, named{unix.SOL_ALG, "SOL_ALG"}, named{282, "SOL_TLS"}),
		"so": enumOf(named{unix.SO_DEBUG, "SO_DEBUG"}, named{unix.SO_REUSEADDR, "SO_REUSEADDR"}, named{unix.SO_TYPE, "SO_TYPE"}, named{unix.SO_ERROR, "SO_ERROR"}, named{unix.SO_DONTROUTE, "SO_DONTROUTE"},
			named{unix.SO_BROADCAST, "SO_BROADCAST"}, named{unix.SO_SNDBUF, "SO_SNDBUF"}, named{unix.SO_RCVBUF, "SO_RCVBUF"}, named{unix.SO_SNDBUFFORCE, "SO_SNDBUFFORCE"}, named{unix.SO_RCVBUFFORCE, "SO_RCVBUFFORCE"},
			named{unix.SO_KEEPALIVE, "SO_KEEPALIVE"}, named{unix.SO_OOBINLINE, "SO_OOBINLINE"}, named{unix.SO_PRIORITY, "SO_PRIORITY"}, named{unix.SO_LINGER, "SO_LINGER"}, named{unix.SO_REUSEPORT, "SO_REUSEPORT"},
			named{unix.SO_PASSCRED, "SO_PASSCRED"}, named{unix.SO_PEERCRED, "SO_PEERCRED"}, named{unix.SO_RCVTIMEO, "SO_RCVTIMEO"}, named{unix.SO_SNDTIMEO, "SO_SNDTIMEO"}, named{unix.SO_RCVLOWAT, "SO_RCVLOWAT"}, named{unix.SO_SNDLOWAT, "SO_SNDLOWAT"},
			named{unix.SO_BINDTODEVICE, "SO_BINDTODEVICE"}, named{unix.SO_ATTACH_FILTER, "SO_ATTACH_FILTER"}, named{unix.SO_PEERNAME, "SO_PEERNAME"}, named{unix.SO_TIMESTAMP, "SO_TIMESTAMP"},
			named{unix.SO_ACCEPTCONN, "SO_ACCEPTCONN"}, named{unix.SO_PEERSEC, "SO_PEERSEC"}, named{unix.SO_PASSSEC, "SO_PASSSEC"}, named{unix.SO_MARK, "SO_MARK"}, named{unix.SO_PROTOCOL, "SO_PROTOCOL"}, named{unix.SO_DOMAIN, "SO_DOMAIN"},
			named{unix.SO_INCOMING_CPU, "SO_INCOMING_CPU"}, named{unix.SO_ZEROCOPY, "SO_ZEROCOPY"}, named{unix.SO_PEERGROUPS, "SO_PEERGROUPS"}),
		"tcp": enumOf(named{unix.TCP_NODELAY, "TCP_NODELAY"}, named{unix.TCP_MAXSEG, "TCP_MAXSEG"}, named{unix.TCP_CORK, "TCP_CORK"}, named{unix.TCP_KEEPIDLE, "TCP_KEEPIDLE"}, named{unix.TCP_KEEPINTVL, "TCP_KEEPINTVL"},
			named{unix.TCP_KEEPCNT, "TCP_KEEPCNT"}, named{unix.TCP_SYNCNT, "TCP_SYNCNT"}, named{unix.TCP_LINGER2, "TCP_LINGER2"}, named{unix.TCP_DEFER_ACCEPT, "TCP_DEFER_ACCEPT"}, named{unix.TCP_INFO, "TCP_INFO"},
			named{unix.TCP_QUICKACK, "TCP_QUICKACK"}, named{unix.TCP_CONGESTION, "TCP_CONGESTION"}, named{unix.TCP_USER_TIMEOUT, "TCP_USER_TIMEOUT"}, named{unix.TCP_FASTOPEN, "TCP_FASTOPEN"}, named{unix.TCP_FASTOPEN_CONNECT, "TCP_FASTOPEN_CONNECT"}, named{unix.TCP_ULP, "TCP_ULP"}),
		"ip": enumOf(named{unix.IP_TOS, "IP_TOS"}, named{unix.IP_TTL, "IP_TTL"}, named{unix.IP_OPTIONS, "IP_OPTIONS"}, named{unix.IP_PKTINFO, "IP_PKTINFO"}, named{unix.IP_MTU_DISCOVER, "IP_MTU_DISCOVER"}, named{unix.IP_RECVERR, "IP_RECVERR"},
			named{unix.IP_FREEBIND, "IP_FREEBIND"}, named{unix.IP_MULTICAST_IF, "IP_MULTICAST_IF"}, named{unix.IP_MULTICAST_TTL, "IP_MULTICAST_TTL"}, named{unix.IP_MULTICAST_LOOP, "IP_MULTICAST_LOOP"}, named{unix.IP_ADD_MEMBERSHIP, "IP_ADD_MEMBERSHIP"},
			named{unix.IP_DROP_MEMBERSHIP, "IP_DROP_MEMBERSHIP"}, named{unix.IP_BIND_ADDRESS_NO_PORT, "IP_BIND_ADDRESS_NO_PORT"}, named{unix.IP_TRANSPARENT, "IP_TRANSPARENT"}),
		"ip6": enumOf(named{unix.IPV6_V6ONLY, "IPV6_V6ONLY"}, named{unix.IPV6_UNICAST_HOPS, "IPV6_UNICAST_HOPS"}, named{unix.IPV6_MULTICAST_HOPS, "IPV6_MULTICAST_HOPS"}, named{unix.IPV6_RECVERR, "IPV6_RECVERR"},
			named{unix.IPV6_RECVPKTINFO, "IPV6_RECVPKTINFO"}, named{unix.IPV6_TCLASS, "IPV6_TCLASS"}, named{unix.IPV6_JOIN_GROUP, "IPV6_JOIN_GROUP"}, named{unix.IPV6_MTU_DISCOVER, "IPV6_MTU_DISCOVER"}),
		"ai": flagsOf(named{0x1, "AI_PASSIVE"}, named{0x2, "AI_CANONNAME"}, named{0x4, "AI_NUMERICHOST"}, named{0x8, "AI_V4MAPPED"}, named{0x10, "AI_ALL"},
			named{0x20, "AI_ADDRCONFIG"}, named{0x40, "AI_IDN"}, named{0x80, "AI_CANONIDN"}, named{0x400, "AI_NUMERICSERV"}),
		"ni": flagsOf(named{1, "NI_NUMERICHOST"}, named{2, "NI_NUMERICSERV"}, named{4, "NI_NOFQDN"}, named{8, "NI_NAMEREQD"}, named{16, "NI_DGRAM"}),
		"eai": enumOf(named{0, "0"}, neg(-1, "EAI_BADFLAGS"), neg(-2, "EAI_NONAME"), neg(-3, "EAI_AGAIN"), neg(-4, "EAI_FAIL"), neg(-5, "EAI_NODATA"), neg(-6, "EAI_FAMILY"),
			neg(-7, "EAI_SOCKTYPE"), neg(-8, "EAI_SERVICE"), neg(-9, "EAI_ADDRFAMILY"), neg(-10, "EAI_MEMORY"), neg(-11, "EAI_SYSTEM"), neg(-12, "EAI_OVERFLOW")),

		"wait":   flagsOf(named{unix.WNOHANG, "WNOHANG"}, named{unix.WUNTRACED, "WUNTRACED"}, named{unix.WEXITED, "WEXITED"}, named{unix.WCONTINUED, "WCONTINUED"}, named{unix.WNOWAIT, "WNOWAIT"}, named{unix.WNOTHREAD, "__WNOTHREAD"}, named{unix.WALL, "__WALL"}, named{unix.WCLONE, "__WCLONE"}),
		"idtype": enumOf(named{0, "P_ALL"}, named{1, "P_PID"}, named{2, "P_PGID"}, named{3, "P_PIDFD"}),
		"clone": {mask: 0xff, vals: []named{{0, ""}, {uint64(unix.SIGCHLD), "SIGCHLD"}},
			bits: []named{{unix.CLONE_VM, "CLONE_VM"}, {unix.CLONE_FS, "CLONE_FS"}, {unix.CLONE_FILES, "CLONE_FILES"}, {unix.CLONE_SIGHAND, "CLONE_SIGHAND"}, {unix.CLONE_PIDFD, "CLONE_PIDFD"},
				{unix.CLONE_PTRACE, "CLONE_PTRACE"}, {unix.CLONE_VFORK, "CLONE_VFORK"}, {unix.CLONE_PARENT, "CLONE_PARENT"}, {unix.CLONE_THREAD, "CLONE_THREAD"}, {unix.CLONE_NEWNS, "CLONE_NEWNS"},
				{unix.CLONE_SYSVSEM, "CLONE_SYSVSEM"}, {unix.CLONE_SETTLS, "CLONE_SETTLS"}, {unix.CLONE_PARENT_SETTID, "CLONE_PARENT_SETTID"}, {unix.CLONE_CHILD_CLEARTID, "CLONE_CHILD_CLEARTID"}, {unix.CLONE_UNTRACED, "CLONE_UNTRACED"},
				{unix.CLONE_CHILD_SETTID, "CLONE_CHILD_SETTID"}, {unix.CLONE_NEWCGROUP, "CLONE_NEWCGROUP"}, {unix.CLONE_NEWUTS, "CLONE_NEWUTS"}, {unix.CLONE_NEWIPC, "CLONE_NEWIPC"}, {unix.CLONE_NEWUSER, "CLONE_NEWUSER"},
				{unix.CLONE_NEWPID, "CLONE_NEWPID"}, {unix.CLONE_NEWNET, "CLONE_NEWNET"}, {unix.CLONE_IO, "CLONE_IO"}}},
		"prctl": enumOf(named{unix.PR_SET_PDEATHSIG, "PR_SET_PDEATHSIG"}, named{unix.PR_GET_PDEATHSIG, "PR_GET_PDEATHSIG"}, named{unix.PR_GET_DUMPABLE, "PR_GET_DUMPABLE"}, named{unix.PR_SET_DUMPABLE, "PR_SET_DUMPABLE"},
			named{unix.PR_GET_KEEPCAPS, "PR_GET_KEEPCAPS"}, named{unix.PR_SET_KEEPCAPS, "PR_SET_KEEPCAPS"}, named{unix.PR_SET_NAME, "PR_SET_NAME"}, named{unix.PR_GET_NAME, "PR_GET_NAME"}, named{unix.PR_GET_SECCOMP, "PR_GET_SECCOMP"},
			named{unix.PR_SET_SECCOMP, "PR_SET_SECCOMP"}, named{unix.PR_CAPBSET_READ, "PR_CAPBSET_READ"}, named{unix.PR_CAPBSET_DROP, "PR_CAPBSET_DROP"}, named{unix.PR_SET_TIMERSLACK, "PR_SET_TIMERSLACK"},
			named{unix.PR_SET_MM, "PR_SET_MM"}, named{unix.PR_SET_CHILD_SUBREAPER, "PR_SET_CHILD_SUBREAPER"}, named{unix.PR_GET_CHILD_SUBREAPER, "PR_GET_CHILD_SUBREAPER"}, named{unix.PR_SET_NO_NEW_PRIVS, "PR_SET_NO_NEW_PRIVS"},
			named{unix.PR_GET_NO_NEW_PRIVS, "PR_GET_NO_NEW_PRIVS"}, named{unix.PR_SET_PTRACER, "PR_SET_PTRACER"}, named{unix.PR_CAP_AMBIENT, "PR_CAP_AMBIENT"}, named{unix.PR_SET_VMA, "PR_SET_VMA"}),
		"ptrace": enumOf(named{0, "PTRACE_TRACEME"}, named{1, "PTRACE_PEEKTEXT"}, named{2, "PTRACE_PEEKDATA"}, named{4, "PTRACE_POKETEXT"}, named{5, "PTRACE_POKEDATA"}, named{7, "PTRACE_CONT"},
			named{8, "PTRACE_KILL"}, named{9, "PTRACE_SINGLESTEP"}, named{12, "PTRACE_GETREGS"}, named{13, "PTRACE_SETREGS"}, named{16, "PTRACE_ATTACH"}, named{17, "PTRACE_DETACH"}, named{24, "PTRACE_SYSCALL"}, named{0x4206, "PTRACE_SEIZE"}),
		"rusagewho": enumOf(named{0, "RUSAGE_SELF"}, neg(-1, "RUSAGE_CHILDREN"), named{1, "RUSAGE_THREAD"}),
		"rlimit": enumOf(named{0, "RLIMIT_CPU"}, named{1, "RLIMIT_FSIZE"}, named{2, "RLIMIT_DATA"}, named{3, "RLIMIT_STACK"}, named{4, "RLIMIT_CORE"}, named{5, "RLIMIT_RSS"}, named{6, "RLIMIT_NPROC"},
			named{7, "RLIMIT_NOFILE"}, named{8, "RLIMIT_MEMLOCK"}, named{9, "RLIMIT_AS"}, named{10, "RLIMIT_LOCKS"}, named{11, "RLIMIT_SIGPENDING"}, named{12, "RLIMIT_MSGQUEUE"}, named{13, "RLIMIT_NICE"}, named{14, "RLIMIT_RTPRIO"}),
		"sigmask": enumOf(named{0, "SIG_BLOCK"}, named{1, "SIG_UNBLOCK"}, named{2, "SIG_SETMASK"}),

		"prot": flagsOf(named{unix.PROT_READ, "PROT_READ"}, named{unix.PROT_WRITE, "PROT_WRITE"}, named{unix.PROT_EXEC, "PROT_EXEC"}),
		"map": {mask: 0xf, vals: []named{{unix.MAP_SHARED, "MAP_SHARED"}, {unix.MAP_PRIVATE, "MAP_PRIVATE"}, {unix.MAP_SHARED_VALIDATE, "MAP_SHARED_VALIDATE"}, {0, ""}},
			bits: []named{{unix.MAP_FIXED, "MAP_FIXED"}, {unix.MAP_ANONYMOUS, "MAP_ANONYMOUS"}, {unix.MAP_GROWSDOWN, "MAP_GROWSDOWN"}, {unix.MAP_DENYWRITE, "MAP_DENYWRITE"}, {unix.MAP_LOCKED, "MAP_LOCKED"},
				{unix.MAP_NORESERVE, "MAP_NORESERVE"}, {unix.MAP_POPULATE, "MAP_POPULATE"}, {unix.MAP_NONBLOCK, "MAP_NONBLOCK"}, {unix.MAP_STACK, "MAP_STACK"}, {unix.MAP_HUGETLB, "MAP_HUGETLB"}, {unix.MAP_FIXED_NOREPLACE, "MAP_FIXED_NOREPLACE"}}},
		"mremap": flagsOf(named{1, "MREMAP_MAYMOVE"}, named{2, "MREMAP_FIXED"}, named{4, "MREMAP_DONTUNMAP"}),
		"madvise": enumOf(named{0, "MADV_NORMAL"}, named{1, "MADV_RANDOM"}, named{2, "MADV_SEQUENTIAL"}, named{3, "MADV_WILLNEED"}, named{4, "MADV_DONTNEED"}, named{8, "MADV_FREE"}, named{10, "MADV_DONTFORK"},
			named{11, "MADV_DOFORK"}, named{14, "MADV_HUGEPAGE"}, named{15, "MADV_NOHUGEPAGE"}, named{18, "MADV_WIPEONFORK"}),
		"dlopen":      flagsOf(named{1, "RTLD_LAZY"}, named{2, "RTLD_NOW"}, named{4, "RTLD_NOLOAD"}, named{8, "RTLD_DEEPBIND"}, named{0x100, "RTLD_GLOBAL"}, named{0x1000, "RTLD_NODELETE"}),
		"epollctl":    enumOf(named{1, "EPOLL_CTL_ADD"}, named{2, "EPOLL_CTL_DEL"}, named{3, "EPOLL_CTL_MOD"}),
		"epollcreate": flagsOf(named{unix.EPOLL_CLOEXEC, "EPOLL_CLOEXEC"}),
		"eventfd":     flagsOf(named{unix.EFD_CLOEXEC, "EFD_CLOEXEC"}, named{unix.EFD_NONBLOCK, "EFD_NONBLOCK"}, named{unix.EFD_SEMAPHORE, "EFD_SEMAPHORE"}),
		"timerfd":     flagsOf(named{unix.TFD_CLOEXEC, "TFD_CLOEXEC"}, named{unix.TFD_NONBLOCK, "TFD_NONBLOCK"}),
		"timerset":    flagsOf(named{1, "TFD_TIMER_ABSTIME"}, named{2, "TFD_TIMER_CANCEL_ON_SET"}),
		"epoll": flagsOf(named{unix.EPOLLIN, "EPOLLIN"}, named{unix.EPOLLPRI, "EPOLLPRI"}, named{unix.EPOLLOUT, "EPOLLOUT"}, named{unix.EPOLLERR, "EPOLLERR"}, named{unix.EPOLLHUP, "EPOLLHUP"},
			named{unix.EPOLLRDHUP, "EPOLLRDHUP"}, named{unix.EPOLLEXCLUSIVE, "EPOLLEXCLUSIVE"}, named{unix.EPOLLONESHOT, "EPOLLONESHOT"}, named{0x80000000, "EPOLLET"}),
		"clock": enumOf(named{0, "CLOCK_REALTIME"}, named{1, "CLOCK_MONOTONIC"}, named{2, "CLOCK_PROCESS_CPUTIME_ID"}, named{3, "CLOCK_THREAD_CPUTIME_ID"}, named{4, "CLOCK_MONOTONIC_RAW"},
			named{5, "CLOCK_REALTIME_COARSE"}, named{6, "CLOCK_MONOTONIC_COARSE"}, named{7, "CLOCK_BOOTTIME"}, named{11, "CLOCK_TAI"}),
		"clockflags": flagsOf(named{1, "TIMER_ABSTIME"}),
		"grnd":       flagsOf(named{1, "GRND_NONBLOCK"}, named{2, "GRND_RANDOM"}, named{4, "GRND_INSECURE"}),

		sqliteSet: enumOf(named{0, "SQLITE_OK"}, named{1, "SQLITE_ERROR"}, named{2, "SQLITE_INTERNAL"}, named{3, "SQLITE_PERM"}, named{4, "SQLITE_ABORT"}, named{5, "SQLITE_BUSY"}, named{6, "SQLITE_LOCKED"},
			named{7, "SQLITE_NOMEM"}, named{8, "SQLITE_READONLY"}, named{9, "SQLITE_INTERRUPT"}, named{10, "SQLITE_IOERR"}, named{11, "SQLITE_CORRUPT"}, named{12, "SQLITE_NOTFOUND"}, named{13, "SQLITE_FULL"},
			named{14, "SQLITE_CANTOPEN"}, named{15, "SQLITE_PROTOCOL"}, named{16, "SQLITE_EMPTY"}, named{17, "SQLITE_SCHEMA"}, named{18, "SQLITE_TOOBIG"}, named{19, "SQLITE_CONSTRAINT"}, named{20, "SQLITE_MISMATCH"},
			named{21, "SQLITE_MISUSE"}, named{22, "SQLITE_NOLFS"}, named{23, "SQLITE_AUTH"}, named{24, "SQLITE_FORMAT"}, named{25, "SQLITE_RANGE"}, named{26, "SQLITE_NOTADB"}, named{27, "SQLITE_NOTICE"},
			named{28, "SQLITE_WARNING"}, named{100, "SQLITE_ROW"}, named{101, "SQLITE_DONE"},
			named{275, "SQLITE_CONSTRAINT_CHECK"}, named{531, "SQLITE_CONSTRAINT_COMMITHOOK"}, named{787, "SQLITE_CONSTRAINT_FOREIGNKEY"}, named{1043, "SQLITE_CONSTRAINT_FUNCTION"}, named{1299, "SQLITE_CONSTRAINT_NOTNULL"},
			named{1555, "SQLITE_CONSTRAINT_PRIMARYKEY"}, named{1811, "SQLITE_CONSTRAINT_TRIGGER"}, named{2067, "SQLITE_CONSTRAINT_UNIQUE"}, named{2323, "SQLITE_CONSTRAINT_VTAB"}, named{2579, "SQLITE_CONSTRAINT_ROWID"},
			named{261, "SQLITE_BUSY_RECOVERY"}, named{517, "SQLITE_BUSY_SNAPSHOT"}, named{773, "SQLITE_BUSY_TIMEOUT"}, named{262, "SQLITE_LOCKED_SHAREDCACHE"}),
		"sqliteopen": flagsOf(named{0x1, "SQLITE_OPEN_READONLY"}, named{0x2, "SQLITE_OPEN_READWRITE"}, named{0x4, "SQLITE_OPEN_CREATE"}, named{0x40, "SQLITE_OPEN_URI"}, named{0x80, "SQLITE_OPEN_MEMORY"},
			named{0x8000, "SQLITE_OPEN_NOMUTEX"}, named{0x10000, "SQLITE_OPEN_FULLMUTEX"}, named{0x20000, "SQLITE_OPEN_SHAREDCACHE"}, named{0x40000, "SQLITE_OPEN_PRIVATECACHE"}, named{0x1000000, "SQLITE_OPEN_NOFOLLOW"}, named{0x2000000, "SQLITE_OPEN_EXRESCODE"}),
		"sqliteprep": flagsOf(named{1, "SQLITE_PREPARE_PERSISTENT"}, named{2, "SQLITE_PREPARE_NORMALIZE"}, named{4, "SQLITE_PREPARE_NO_VTAB"}),
	}
})

// neg is a negative value of a four-byte enumeration.
func neg(v int32, name string) named { return named{uint64(uint32(v)), name} }

// AppendFlags renders v as names joined by |, what has no name in hex.
func (s *valueSet) appendTo(dst []byte, v uint64) []byte {
	start := len(dst)
	rest := v
	if s.mask != 0 {
		part := v & s.mask
		for i := range s.vals {
			if s.vals[i].v == part {
				dst = append(dst, s.vals[i].name...)
				rest &^= s.mask
				break
			}
		}
	}
	for i := range s.bits {
		b := &s.bits[i]
		if rest&b.v == b.v && b.v != 0 {
			dst = appendBar(dst, start)
			dst = append(dst, b.name...)
			rest &^= b.v
		}
	}
	if rest != 0 || len(dst) == start {
		dst = appendBar(dst, start)
		if rest == 0 {
			return append(dst, '0')
		}
		dst = append(dst, "0x"...)
		dst = strconv.AppendUint(dst, rest, 16)
	}
	return dst
}

func appendBar(dst []byte, start int) []byte {
	if len(dst) > start {
		dst = append(dst, '|')
	}
	return dst
}

// lookup finds the name of an enumeration's value.
func (s *valueSet) lookup(v uint64) (string, bool) {
	for i := range s.vals {
		if s.vals[i].v == v {
			return s.vals[i].name, true
		}
	}
	return "", false
}

// constants maps every name of every set to its value, for filters.
var constants = sync.OnceValue(func() map[string]int64 {
	m := map[string]int64{"AT_FDCWD": unix.AT_FDCWD, "F_OK": 0, "NULL": 0}
	for _, s := range sets() {
		for _, n := range slices.Concat(s.vals, s.bits) {
			if len(n.name) > 1 {
				m[n.name] = int64(n.v)
				if s.mask == ^uint64(0) && n.v > 1<<31 && n.v < 1<<32 {
					m[n.name] = int64(int32(n.v))
				}
			}
		}
	}
	for name, s := range declared().sets {
		if name == "signals" {
			continue // there a signal's name is a bit
		}
		for _, e := range s.vals {
			m[e.Name] = e.Value
		}
	}
	for i := 1; i < 65; i++ {
		if n := unix.SignalName(unix.Signal(i)); n != "" {
			m[n] = int64(i)
		}
	}
	return m
})
