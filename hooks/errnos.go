package hooks

import (
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// errnoText says which errors a function can return: those that its description
// in POSIX or Linux names and that a caller may have to live with, not those of a
// program that passes nonsense (EFAULT is left out). For functions that return a
// code of their own library these are its codes.
//
//	functions: errors
const errnoText = `
open open64 __open_2 __open64_2 openat openat64 __openat_2 __openat64_2 creat creat64: EACCES EBADF EBUSY EDQUOT EEXIST EINTR EINVAL EISDIR ELOOP EMFILE ENAMETOOLONG ENFILE ENODEV ENOENT ENOMEM ENOSPC ENOTDIR ENXIO EOVERFLOW EPERM EROFS ETXTBSY EWOULDBLOCK
open_by_handle_at: EBADF EINVAL ELOOP EPERM ESTALE EMFILE ENFILE ENOMEM
name_to_handle_at: EBADF EINVAL EOVERFLOW ENOENT ENOTDIR EOPNOTSUPP
close: EBADF EINTR EIO ENOSPC EDQUOT
close_range: EINVAL EMFILE ENOMEM
dup: EBADF EMFILE
dup2 dup3: EBADF EBUSY EINTR EINVAL EMFILE
fcntl fcntl64: EACCES EAGAIN EBADF EBUSY EDEADLK EINTR EINVAL EMFILE ENOLCK EPERM
ioctl: EBADF EINVAL ENOTTY EIO EPERM EINTR
pipe pipe2: EINVAL EMFILE ENFILE
memfd_create: EINVAL EMFILE ENFILE ENOMEM EPERM
read __read_chk: EAGAIN EBADF EINTR EINVAL EIO EISDIR ECONNRESET ETIMEDOUT
pread pread64 __pread_chk __pread64_chk: EAGAIN EBADF EINTR EINVAL EIO EISDIR ENXIO EOVERFLOW ESPIPE
write: EAGAIN EBADF EDESTADDRREQ EDQUOT EFBIG EINTR EINVAL EIO ENOSPC EPERM EPIPE ECONNRESET
pwrite pwrite64: EAGAIN EBADF EDQUOT EFBIG EINTR EINVAL EIO ENOSPC ENXIO EOVERFLOW EPERM EPIPE ESPIPE
readv preadv preadv64 preadv2 preadv64v2: EAGAIN EBADF EINTR EINVAL EIO EISDIR EOPNOTSUPP
writev pwritev pwritev64 pwritev2 pwritev64v2: EAGAIN EBADF EDQUOT EFBIG EINTR EINVAL EIO ENOSPC EPERM EPIPE EOPNOTSUPP
sendfile sendfile64: EAGAIN EBADF EINVAL EIO ENOMEM EOVERFLOW ESPIPE
splice tee vmsplice: EAGAIN EBADF EINVAL ENOMEM ESPIPE
copy_file_range: EBADF EFBIG EINVAL EIO EISDIR ENOMEM ENOSPC EOPNOTSUPP EOVERFLOW EPERM ETXTBSY EXDEV
lseek lseek64 llseek: EBADF EINVAL ENXIO EOVERFLOW ESPIPE
stat stat64 lstat lstat64 __xstat __xstat64 __lxstat __lxstat64: EACCES ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EOVERFLOW
fstat fstat64 __fxstat __fxstat64: EBADF ENOMEM EOVERFLOW
fstatat fstatat64 __fxstatat __fxstatat64 statx: EACCES EBADF EINVAL ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EOVERFLOW
statfs statfs64 statvfs statvfs64: EACCES EINTR EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOSYS ENOTDIR EOVERFLOW
fstatfs fstatfs64 fstatvfs fstatvfs64: EBADF EINTR EIO ENOMEM ENOSYS EOVERFLOW
access euidaccess eaccess: EACCES EINVAL EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EPERM EROFS ETXTBSY
faccessat: EACCES EBADF EINVAL EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EPERM EROFS ETXTBSY
unlink unlinkat remove: EACCES EBUSY EIO EISDIR ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EPERM EROFS
rmdir: EACCES EBUSY EINVAL ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR ENOTEMPTY EPERM EROFS
rename renameat renameat2: EACCES EBUSY EDQUOT EEXIST EINVAL EISDIR ELOOP EMLINK ENAMETOOLONG ENOENT ENOMEM ENOSPC ENOTDIR ENOTEMPTY EPERM EROFS EXDEV
link linkat: EACCES EDQUOT EEXIST EIO ELOOP EMLINK ENAMETOOLONG ENOENT ENOMEM ENOSPC ENOTDIR EPERM EROFS EXDEV
symlink symlinkat: EACCES EDQUOT EEXIST EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOSPC ENOTDIR EPERM EROFS
readlink __readlink_chk readlinkat __readlinkat_chk: EACCES EBADF EINVAL EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR
mkdir mkdirat mkfifo mkfifoat mknod mknodat __xmknod __xmknodat: EACCES EDQUOT EEXIST EINVAL ELOOP EMLINK ENAMETOOLONG ENOENT ENOMEM ENOSPC ENOTDIR EPERM EROFS
chmod lchmod fchmodat chown lchown fchownat: EACCES EBADF EINVAL EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EPERM EROFS EOPNOTSUPP
fchmod fchown: EBADF EIO EPERM EROFS
truncate truncate64: EACCES EFBIG EINTR EINVAL EIO EISDIR ELOOP ENAMETOOLONG ENOENT ENOTDIR EPERM EROFS ETXTBSY
ftruncate ftruncate64: EBADF EFBIG EINTR EINVAL EIO EPERM EROFS ETXTBSY
fsync fdatasync syncfs: EBADF EDQUOT EINTR EINVAL EIO ENOSPC EROFS
sync_file_range: EBADF EINVAL EIO ENOMEM ENOSPC ESPIPE
fallocate fallocate64: EBADF EFBIG EINTR EINVAL EIO ENODEV ENOSPC ENOSYS EOPNOTSUPP EPERM ESPIPE ETXTBSY
posix_fallocate posix_fallocate64: EBADF EFBIG EINTR EINVAL ENODEV ENOSPC EOPNOTSUPP ESPIPE
posix_fadvise posix_fadvise64: EBADF EINVAL ESPIPE
readahead: EBADF EINVAL
flock: EBADF EINTR EINVAL ENOLCK EWOULDBLOCK
lockf lockf64: EACCES EAGAIN EBADF EDEADLK EINTR EINVAL ENOLCK
mkstemp mkstemp64 mkostemp mkostemp64 mkstemps mkstemps64 mkostemps mkostemps64: EACCES EEXIST EINVAL EMFILE ENFILE ENOENT ENOSPC ENOTDIR EROFS
mkdtemp: EACCES EDQUOT EEXIST EINVAL ENOENT ENOSPC ENOTDIR EROFS
tmpfile tmpfile64: EACCES EEXIST EINTR EMFILE ENFILE ENOMEM ENOSPC EROFS
fopen fopen64 freopen freopen64: EACCES EEXIST EINTR EINVAL EISDIR ELOOP EMFILE ENAMETOOLONG ENFILE ENOENT ENOMEM ENOSPC ENOTDIR ENXIO EPERM EROFS ETXTBSY
fdopen: EBADF EINVAL EMFILE ENOMEM
fclose fflush fcloseall: EAGAIN EBADF EFBIG EINTR EIO ENOSPC EPIPE EDQUOT
opendir: EACCES EMFILE ENFILE ENOENT ENOMEM ENOTDIR ELOOP ENAMETOOLONG
fdopendir: EBADF ENOMEM ENOTDIR
closedir dirfd: EBADF EINTR EINVAL
scandir scandir64 scandirat scandirat64: EACCES EMFILE ENFILE ENOENT ENOMEM ENOTDIR
getdents64: EBADF EINVAL ENOENT ENOTDIR
nftw nftw64 ftw ftw64: EACCES EINVAL ELOOP EMFILE ENAMETOOLONG ENFILE ENOENT ENOMEM ENOTDIR
chdir chroot: EACCES EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EPERM
fchdir: EACCES EBADF ENOTDIR
getcwd __getcwd_chk getwd get_current_dir_name: EACCES EINVAL ENOENT ENOMEM ERANGE ENAMETOOLONG
realpath __realpath_chk canonicalize_file_name: EACCES EINVAL EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR
utime utimes lutimes futimes futimesat utimensat futimens: EACCES EBADF EINVAL ELOOP ENAMETOOLONG ENOENT ENOTDIR EPERM EROFS
setxattr lsetxattr fsetxattr: EBADF EDQUOT EEXIST ENODATA ENOSPC ENOTSUP EPERM ERANGE EACCES ENOENT
getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr: E2BIG EACCES EBADF ENODATA ENOENT ENOTSUP EPERM ERANGE
inotify_init inotify_init1: EINVAL EMFILE ENFILE ENOMEM
inotify_add_watch: EACCES EBADF EEXIST EINVAL ENAMETOOLONG ENOENT ENOMEM ENOSPC ENOTDIR
inotify_rm_watch: EBADF EINVAL
fanotify_init: EINVAL EMFILE ENOMEM ENOSYS EPERM
fanotify_mark: EBADF EINVAL ENODEV ENOENT ENOMEM ENOSPC ENOSYS ENOTDIR EXDEV
mount: EACCES EBUSY EINVAL ELOOP EMFILE ENAMETOOLONG ENODEV ENOENT ENOMEM ENOTBLK ENOTDIR ENXIO EPERM EROFS
umount umount2: EAGAIN EBUSY EINVAL ENAMETOOLONG ENOENT ENOMEM EPERM

socket: EACCES EAFNOSUPPORT EINVAL EMFILE ENFILE ENOBUFS ENOMEM EPROTONOSUPPORT
socketpair: EAFNOSUPPORT EMFILE ENFILE ENOMEM EOPNOTSUPP EPROTONOSUPPORT
connect: EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF ECONNREFUSED EINPROGRESS EINTR EISCONN ENETUNREACH EHOSTUNREACH ENOTSOCK EPERM EPROTOTYPE ETIMEDOUT ENOENT
bind: EACCES EADDRINUSE EADDRNOTAVAIL EBADF EINVAL ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR ENOTSOCK EROFS
listen: EADDRINUSE EBADF ENOTSOCK EOPNOTSUPP
accept accept4: EAGAIN EBADF ECONNABORTED EINTR EINVAL EMFILE ENFILE ENOBUFS ENOMEM ENOTSOCK EOPNOTSUPP EPERM EPROTO
getsockname getpeername: EBADF EINVAL ENOBUFS ENOTCONN ENOTSOCK
send sendto sendmsg sendmmsg: EACCES EAGAIN EALREADY EBADF ECONNRESET EDESTADDRREQ EINTR EINVAL EISCONN EMSGSIZE ENOBUFS ENOMEM ENOTCONN ENOTSOCK EOPNOTSUPP EPIPE ENETUNREACH EHOSTUNREACH
recv __recv_chk recvfrom __recvfrom_chk recvmsg recvmmsg: EAGAIN EBADF ECONNREFUSED ECONNRESET EINTR EINVAL ENOMEM ENOTCONN ENOTSOCK ETIMEDOUT
shutdown: EBADF EINVAL ENOTCONN ENOTSOCK
setsockopt getsockopt: EBADF EINVAL ENOPROTOOPT ENOTSOCK EDOM EISCONN ENOMEM EPERM
sockatmark isfdtype: EBADF ENOTTY
getaddrinfo: EAI_AGAIN EAI_FAIL EAI_FAMILY EAI_MEMORY EAI_NONAME EAI_NODATA EAI_SERVICE EAI_SYSTEM
getnameinfo: EAI_AGAIN EAI_FAIL EAI_FAMILY EAI_MEMORY EAI_NONAME EAI_OVERFLOW EAI_SYSTEM
gethostbyname_r gethostbyname2_r gethostbyaddr_r: EAGAIN ERANGE
if_nametoindex: ENODEV
gethostname getdomainname: EINVAL ENAMETOOLONG
sethostname: EINVAL EPERM

fork _Fork __fork __libc_fork vfork __vfork: EAGAIN ENOMEM ENOSYS
clone __clone: EAGAIN EINVAL ENOMEM ENOSPC EPERM EUSERS
unshare setns: EBADF EINVAL ENOMEM ENOSPC EPERM EUSERS
execve execv execvp execvpe fexecve execveat execl execlp execle: E2BIG EACCES EAGAIN EINVAL EIO EISDIR ELIBBAD ELOOP EMFILE ENAMETOOLONG ENFILE ENOENT ENOEXEC ENOMEM ENOTDIR EPERM ETXTBSY
posix_spawn posix_spawnp pidfd_spawn pidfd_spawnp: E2BIG EACCES EAGAIN EINVAL ENOENT ENOEXEC ENOMEM
pidfd_open: EINVAL EMFILE ENFILE ENODEV ENOMEM ESRCH
pidfd_send_signal: EBADF EINVAL EPERM ESRCH
pidfd_getfd: EBADF EINVAL EMFILE ENFILE EPERM ESRCH
wait waitpid wait3 wait4 waitid: ECHILD EINTR EINVAL ESRCH
kill killpg tgkill raise sigqueue: EAGAIN EINVAL EPERM ESRCH
pthread_kill: EINVAL ESRCH
system popen pclose: EAGAIN ECHILD EINVAL EMFILE ENFILE ENOMEM
daemon: EAGAIN ENOMEM ENODEV
setsid: EPERM
getsid getpgid __getpgid: EPERM ESRCH
setpgid __setpgid setpgrp: EACCES EINVAL EPERM ESRCH
setuid seteuid setgid setegid setreuid setregid setresuid setresgid: EAGAIN EINVAL EPERM
setgroups initgroups: EINVAL ENOMEM EPERM
prctl: EACCES EBADF EBUSY EINVAL ENXIO EOPNOTSUPP EPERM
ptrace: EBUSY EINVAL EIO EPERM ESRCH
nice getpriority setpriority: EACCES EINVAL EPERM ESRCH
getrlimit getrlimit64 setrlimit setrlimit64 prlimit prlimit64: EINVAL EPERM ESRCH
personality: EINVAL
pivot_root: EBUSY EINVAL ENOTDIR EPERM
reboot: EINVAL EPERM

malloc calloc realloc reallocarray memalign aligned_alloc valloc pvalloc: ENOMEM
posix_memalign: EINVAL ENOMEM
mmap mmap64: EACCES EAGAIN EBADF EINVAL ENFILE ENODEV ENOMEM EOVERFLOW EPERM ETXTBSY
munmap: EINVAL ENOMEM
mprotect pkey_mprotect: EACCES EINVAL ENOMEM
mremap: EAGAIN EINVAL ENOMEM
madvise msync: EAGAIN EBADF EINVAL EIO ENOMEM EPERM EBUSY
mlock mlock2 munlock mlockall munlockall: EAGAIN EINVAL ENOMEM EPERM
brk sbrk: ENOMEM
getrandom: EAGAIN EINTR EINVAL ENOSYS
pthread_create: EAGAIN EINVAL EPERM
pthread_join pthread_tryjoin_np pthread_timedjoin_np pthread_clockjoin_np: EBUSY EDEADLK EINVAL ESRCH ETIMEDOUT
pthread_detach pthread_cancel: EINVAL ESRCH
pthread_key_create: EAGAIN ENOMEM
pthread_setspecific: EINVAL ENOMEM
pthread_mutex_lock pthread_mutex_timedlock pthread_mutex_clocklock: EAGAIN EDEADLK EINVAL EOWNERDEAD ENOTRECOVERABLE ETIMEDOUT
pthread_mutex_trylock: EAGAIN EBUSY EINVAL EOWNERDEAD ENOTRECOVERABLE
pthread_mutex_unlock: EINVAL EPERM
pthread_mutex_init pthread_cond_init pthread_rwlock_init pthread_barrier_init: EAGAIN EBUSY EINVAL ENOMEM EPERM
pthread_cond_timedwait pthread_cond_clockwait: EINVAL EPERM ETIMEDOUT
pthread_rwlock_rdlock pthread_rwlock_wrlock pthread_rwlock_tryrdlock pthread_rwlock_trywrlock: EAGAIN EBUSY EDEADLK EINVAL
poll __poll_chk ppoll select pselect: EBADF EINTR EINVAL ENOMEM
epoll_create epoll_create1 eventfd timerfd_create signalfd: EINVAL EMFILE ENFILE ENODEV ENOMEM
epoll_ctl: EBADF EEXIST EINVAL ELOOP ENOENT ENOMEM ENOSPC EPERM
epoll_wait epoll_pwait epoll_pwait2: EBADF EINTR EINVAL
nanosleep usleep: EINTR EINVAL
clock_nanosleep: EINTR EINVAL
clock_gettime clock_getres: EINVAL
clock_settime settimeofday: EINVAL EPERM
sem_wait sem_timedwait sem_trywait: EAGAIN EINTR EINVAL ETIMEDOUT
sem_open shm_open: EACCES EEXIST EINVAL EMFILE ENAMETOOLONG ENFILE ENOENT ENOMEM
shmget: EACCES EEXIST EINVAL ENFILE ENOENT ENOMEM ENOSPC EPERM
shmat: EACCES EIDRM EINVAL ENOMEM
semget msgget: EACCES EEXIST ENOENT ENOMEM ENOSPC
semop semtimedop: E2BIG EACCES EAGAIN EFBIG EIDRM EINTR EINVAL ENOMEM ERANGE
msgsnd: EACCES EAGAIN EIDRM EINTR EINVAL ENOMEM
msgrcv: E2BIG EACCES EAGAIN EIDRM EINTR EINVAL ENOMSG
mq_open: EACCES EEXIST EINVAL EMFILE ENAMETOOLONG ENFILE ENOENT ENOMEM ENOSPC
mq_send mq_timedsend mq_receive mq_timedreceive: EAGAIN EBADF EINTR EINVAL EMSGSIZE ETIMEDOUT
getpwnam_r getpwuid_r getgrnam_r getgrgid_r: EINTR EIO EMFILE ENFILE ENOMEM ERANGE
getgroups: EINVAL
setenv putenv: EINVAL ENOMEM
unsetenv: EINVAL

sqlite3_open sqlite3_open_v2 sqlite3_open16: SQLITE_ERROR SQLITE_PERM SQLITE_BUSY SQLITE_NOMEM SQLITE_IOERR SQLITE_CANTOPEN SQLITE_AUTH
sqlite3_close: SQLITE_BUSY
sqlite3_prepare sqlite3_prepare_v2 sqlite3_prepare_v3 sqlite3_prepare16 sqlite3_prepare16_v2 sqlite3_prepare16_v3: SQLITE_ERROR SQLITE_BUSY SQLITE_LOCKED SQLITE_NOMEM SQLITE_IOERR SQLITE_CORRUPT SQLITE_SCHEMA SQLITE_AUTH SQLITE_NOTADB
sqlite3_step sqlite3_exec sqlite3_get_table: SQLITE_ERROR SQLITE_ABORT SQLITE_BUSY SQLITE_LOCKED SQLITE_NOMEM SQLITE_READONLY SQLITE_INTERRUPT SQLITE_IOERR SQLITE_CORRUPT SQLITE_FULL SQLITE_SCHEMA SQLITE_CONSTRAINT SQLITE_AUTH
sqlite3_bind_blob sqlite3_bind_text sqlite3_bind_text16 sqlite3_bind_blob64 sqlite3_bind_text64: SQLITE_NOMEM SQLITE_TOOBIG SQLITE_MISUSE SQLITE_RANGE
sqlite3_bind_int sqlite3_bind_int64 sqlite3_bind_double sqlite3_bind_null sqlite3_bind_value sqlite3_bind_pointer sqlite3_bind_zeroblob sqlite3_bind_zeroblob64: SQLITE_NOMEM SQLITE_MISUSE SQLITE_RANGE
`

// documented maps a function to the names of its errors.
var documented = sync.OnceValue(func() map[string][]string {
	m := make(map[string][]string, 512)
	for line := range strings.Lines(errnoText) {
		names, errs, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		list := strings.Fields(errs)
		for n := range strings.FieldsSeq(names) {
			m[n] = list
		}
	}
	return m
})

// Errors are the names of the errors that a function can return, in the order of
// the table; nil when they are not known.
func Errors(function string) []string { return documented()[function] }

// FunctionErrors is a row of the table: functions that have the same errors.
type FunctionErrors struct {
	Functions, Errors []string
}

// AllErrors is the table, part by part.
func AllErrors() (parts [][]FunctionErrors) {
	for part := range strings.SplitSeq(errnoText, "\n\n") {
		var rows []FunctionErrors
		for line := range strings.Lines(part) {
			if names, errs, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
				rows = append(rows, FunctionErrors{strings.Fields(names), strings.Fields(errs)})
			}
		}
		parts = append(parts, rows)
	}
	return parts
}

var errnoNumbers = sync.OnceValue(func() map[string]uint16 {
	m := map[string]uint16{"EWOULDBLOCK": uint16(unix.EWOULDBLOCK), "ENOTSUP": uint16(unix.ENOTSUP), "EOPNOTSUPP": uint16(unix.EOPNOTSUPP), "EDEADLOCK": uint16(unix.EDEADLK)}
	for n := 1; n < 140; n++ {
		if name := ErrnoName(n); name != "" {
			m[name] = uint16(n)
		}
	}
	return m
})

// errnoNumber is the value of an errno's name.
func errnoNumber(name string) (uint16, bool) {
	n, ok := errnoNumbers()[name]
	return n, ok
}

// codeOf is the value of a name in the set of a function's results.
func codeOf(h *Hook, name string) (int64, bool) {
	for _, v := range valsOf(h.Ret.Set, h.Ret.Vals) {
		if v.Name == name {
			return v.Value, true
		}
	}
	if s := sets()[h.Ret.Set]; s != nil {
		for _, v := range slices.Concat(s.vals, s.bits) {
			if v.name == name {
				return int64(v.v), true
			}
		}
	}
	return 0, false
}

// isDocumented reports whether a function is known to return this error; true
// when nothing is known of it.
func isDocumented(function string, errno uint16) bool {
	list := documented()[function]
	for _, name := range list {
		if n, ok := errnoNumber(name); ok && n == errno {
			return true
		}
	}
	return len(list) == 0
}
