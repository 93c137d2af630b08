package launcher

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// The loader ignores LD_PRELOAD when the kernel sets AT_SECURE, that is when
// executing the file changes who the process is. The bits of the file alone
// don't say that: root executing a set-user-ID-root program gains nothing. What
// follows is the kernel's own reckoning (fs/exec.c bprm_fill_uid,
// security/commoncap.c cap_bprm_creds_from_file), without the security modules'
// say.

// identity is who would execute the file.
type identity struct {
	uid, euid, gid, egid int
	noNewPrivs           bool
	ambient, bounding    uint64
	inheritable          uint64
}

// file is what of an executable matters here.
type privilegedFile struct {
	mode     uint32
	uid, gid int
	nosuid   bool
	caps     []byte // security.capability, nil if there is none
}

// raisesPrivileges says why executing path would set AT_SECURE; "" if it won't.
func raisesPrivileges(path string) string {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return ""
	}
	f := privilegedFile{mode: st.Mode, uid: int(st.Uid), gid: int(st.Gid), nosuid: mountFlags(path)&unix.ST_NOSUID != 0}
	var buf [64]byte
	if n, err := unix.Getxattr(path, "security.capability", buf[:]); err == nil {
		f.caps = buf[:n]
	}
	return secure(self(), f)
}

// mayRaise says whether there is anything about the file by which executing it could.
func mayRaise(path string) bool {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil || st.Mode&(unix.S_ISUID|unix.S_ISGID) != 0 {
		return true
	}
	_, err := unix.Getxattr(path, "security.capability", nil)
	return err != unix.ENODATA && err != unix.ENOTSUP
}

// self reads the identity of the calling process.
func self() identity {
	who := identity{uid: os.Getuid(), euid: os.Geteuid(), gid: os.Getgid(), egid: os.Getegid(), bounding: ^uint64(0)}
	if n, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err == nil {
		who.noNewPrivs = n == 1
	}
	raw, _ := os.ReadFile("/proc/thread-self/status")
	for line := range strings.Lines(string(raw)) {
		var set *uint64
		key, hex, _ := strings.Cut(line, ":")
		switch key {
		case "CapBnd":
			set = &who.bounding
		case "CapAmb":
			set = &who.ambient
		case "CapInh":
			set = &who.inheritable
		default:
			continue
		}
		if v, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 64); err == nil {
			*set = v
		}
	}
	return who
}

// secure reckons AT_SECURE and says where it comes from.
func secure(who identity, f privilegedFile) string {
	euid, egid := who.euid, who.egid
	why := ""
	if !f.nosuid && !who.noNewPrivs {
		if f.mode&unix.S_ISUID != 0 {
			euid = f.uid
			why = fmt.Sprintf("set-user-ID %s", userName(f.uid))
		}
		// Set-group-ID without group execution is the mark of mandatory locking.
		if f.mode&(unix.S_ISGID|unix.S_IXGRP) == unix.S_ISGID|unix.S_IXGRP {
			egid = f.gid
			if why == "" || euid == who.uid {
				why = fmt.Sprintf("set-group-ID %d", f.gid)
			}
		}
	}
	if euid != who.uid || egid != who.gid {
		if why == "" {
			why = "seam itself runs with an effective user or group that isn't its real one"
		}
		return why
	}
	if who.uid == 0 || f.nosuid {
		return "" // real root gains nothing by file capabilities; a nosuid mount has none
	}
	permitted, inheritable, effective, ok := parseCaps(f.caps)
	if !ok {
		return ""
	}
	gained := permitted&who.bounding | inheritable&who.inheritable
	if effective || gained&^who.ambient != 0 {
		return "file capabilities"
	}
	return ""
}

// parseCaps takes a security.capability attribute apart (struct vfs_cap_data,
// revisions 1 to 3).
func parseCaps(b []byte) (permitted, inheritable uint64, effective, ok bool) {
	le := binary.LittleEndian
	if len(b) < 4 {
		return 0, 0, false, false
	}
	magic := le.Uint32(b)
	effective = magic&1 != 0
	pairs := 0
	switch magic >> 24 {
	case 1:
		pairs = 1
	case 2, 3:
		pairs = 2
	}
	if pairs == 0 || len(b) < 4+8*pairs {
		return 0, 0, false, false
	}
	for i := range pairs {
		permitted |= uint64(le.Uint32(b[4+8*i:])) << (32 * i)
		inheritable |= uint64(le.Uint32(b[8+8*i:])) << (32 * i)
	}
	return permitted, inheritable, effective, true
}

func userName(uid int) string {
	if uid == 0 {
		return "root"
	}
	return fmt.Sprint(uid)
}

// mountFlags returns the ST_* flags of the file system path is on.
func mountFlags(path string) int64 {
	var fs unix.Statfs_t
	if unix.Statfs(path, &fs) != nil {
		return 0
	}
	return int64(fs.Flags)
}
