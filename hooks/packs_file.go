package hooks

// filePack covers files and directories. The content of read and write is
// withheld: only its size is shown.
const filePack = `
fd      open|open64(const char *file, flags(open) oflag, mode_t mode, ...) fails -1 errno
fd      __open_2|__open64_2(const char *file, flags(open) oflag) fails -1 errno
fd      openat|openat64(dirfd fd, const char *file, flags(open) oflag, mode_t mode, ...) fails -1 errno
fd      __openat_2|__openat64_2(dirfd fd, const char *file, flags(open) oflag) fails -1 errno
fd      creat|creat64(const char *file, mode_t mode) fails -1 errno
fd      open_by_handle_at(fd mount, void *handle, flags(open) oflag) fails -1 errno
int     name_to_handle_at(dirfd fd, const char *file, void *handle, out int *mount_id, flags(at) flags) fails -1 errno
int     close(fd fd) fails -1 errno
int     close_range(unsigned first, unsigned last, flags(closerange) flags) fails -1 errno
void    closefrom(fd low)
fd      dup(fd fd) fails -1 errno
fd      dup2(fd fd, fd to) fails -1 errno
fd      dup3(fd fd, fd to, flags(open) flags) fails -1 errno
int     fcntl|fcntl64(fd fd, enum(fcntl) cmd, long arg, ...) fails -1 errno
int     ioctl(fd fd, enum(ioctl) request, unsigned long arg, ...) fails -1 errno
int     pipe(out struct fdpair *fds) fails -1 errno
int     pipe2(out struct fdpair *fds, flags(open) flags) fails -1 errno
fd      memfd_create(const char *name, flags(memfd) flags) fails -1 errno
ssize_t read(fd fd, out secret void *buf[ret], size_t count) fails -1 errno
ssize_t __read_chk(fd fd, out secret void *buf[ret], size_t count, size_t buflen) fails -1 errno
ssize_t write(fd fd, secret const void *buf[count], size_t count) fails -1 errno
ssize_t pread|pread64(fd fd, out secret void *buf[ret], size_t count, off_t offset) fails -1 errno
ssize_t __pread_chk|__pread64_chk(fd fd, out secret void *buf[ret], size_t count, off_t offset, size_t buflen) fails -1 errno
ssize_t pwrite|pwrite64(fd fd, secret const void *buf[count], size_t count, off_t offset) fails -1 errno
ssize_t readv|writev(fd fd, const void *iov, int iovcnt) fails -1 errno
ssize_t preadv|preadv64|pwritev|pwritev64(fd fd, const void *iov, int iovcnt, off_t offset) fails -1 errno
ssize_t preadv2|preadv64v2|pwritev2|pwritev64v2(fd fd, const void *iov, int iovcnt, off_t offset, flags(rwf) flags) fails -1 errno
ssize_t sendfile|sendfile64(fd out_fd, fd in_fd, off_t *offset, size_t count) fails -1 errno
ssize_t splice(fd in_fd, off_t *in_off, fd out_fd, off_t *out_off, size_t len, flags(splice) flags) fails -1 errno
ssize_t tee(fd in_fd, fd out_fd, size_t len, flags(splice) flags) fails -1 errno
ssize_t vmsplice(fd fd, const void *iov, size_t iovcnt, flags(splice) flags) fails -1 errno
ssize_t copy_file_range(fd in_fd, off_t *in_off, fd out_fd, off_t *out_off, size_t len, unsigned flags) fails -1 errno
off_t   lseek|lseek64|llseek(fd fd, off_t offset, enum(seek) whence) fails -1 errno
int     stat|stat64|lstat|lstat64(const char *file, out struct stat *st) fails -1 errno
int     fstat|fstat64(fd fd, out struct stat *st) fails -1 errno
int     fstatat|fstatat64(dirfd fd, const char *file, out struct stat *st, flags(at) flags) fails -1 errno
int     __xstat|__xstat64|__lxstat|__lxstat64(int ver, const char *file, out struct stat *st) fails -1 errno
int     __fxstat|__fxstat64(int ver, fd fd, out struct stat *st) fails -1 errno
int     __fxstatat|__fxstatat64(int ver, dirfd fd, const char *file, out struct stat *st, flags(at) flags) fails -1 errno
int     statx(dirfd fd, const char *file, flags(at) flags, unsigned mask, out struct statx *st) fails -1 errno
int     statfs|statfs64|statvfs|statvfs64(const char *file, void *buf) fails -1 errno
int     fstatfs|fstatfs64|fstatvfs|fstatvfs64(fd fd, void *buf) fails -1 errno
int     access|euidaccess|eaccess(const char *file, flags(access) mode) fails -1 errno
int     faccessat(dirfd fd, const char *file, flags(access) mode, flags(ataccess) flags) fails -1 errno
int     unlink|rmdir|remove(const char *file) fails -1 errno
int     unlinkat(dirfd fd, const char *file, flags(at) flags) fails -1 errno
int     rename(const char *from, const char *to) fails -1 errno
int     renameat(dirfd from_fd, const char *from, dirfd to_fd, const char *to) fails -1 errno
int     renameat2(dirfd from_fd, const char *from, dirfd to_fd, const char *to, flags(rename) flags) fails -1 errno
int     link|symlink(const char *from, const char *to) fails -1 errno
int     linkat(dirfd from_fd, const char *from, dirfd to_fd, const char *to, flags(at) flags) fails -1 errno
int     symlinkat(const char *from, dirfd to_fd, const char *to) fails -1 errno
ssize_t readlink(const char *file, out char *buf[ret]{256}, size_t size) fails -1 errno
ssize_t __readlink_chk(const char *file, out char *buf[ret]{256}, size_t size, size_t buflen) fails -1 errno
ssize_t readlinkat(dirfd fd, const char *file, out char *buf[ret]{256}, size_t size) fails -1 errno
ssize_t __readlinkat_chk(dirfd fd, const char *file, out char *buf[ret]{256}, size_t size, size_t buflen) fails -1 errno
int     mkdir|mkfifo(const char *file, mode_t mode) fails -1 errno
int     mkdirat|mkfifoat(dirfd fd, const char *file, mode_t mode) fails -1 errno
int     mknod(const char *file, mode_t mode, dev_t dev) fails -1 errno
int     mknodat(dirfd fd, const char *file, mode_t mode, dev_t dev) fails -1 errno
int     __xmknod(int ver, const char *file, mode_t mode, dev_t *dev) fails -1 errno
int     __xmknodat(int ver, dirfd fd, const char *file, mode_t mode, dev_t *dev) fails -1 errno
int     chmod|lchmod(const char *file, mode_t mode) fails -1 errno
int     fchmod(fd fd, mode_t mode) fails -1 errno
int     fchmodat(dirfd fd, const char *file, mode_t mode, flags(at) flags) fails -1 errno
int     chown|lchown(const char *file, uid_t uid, gid_t gid) fails -1 errno
int     fchown(fd fd, uid_t uid, gid_t gid) fails -1 errno
int     fchownat(dirfd fd, const char *file, uid_t uid, gid_t gid, flags(at) flags) fails -1 errno
mode_t  umask(mode_t mask)
int     truncate|truncate64(const char *file, off_t length) fails -1 errno
int     ftruncate|ftruncate64(fd fd, off_t length) fails -1 errno
int     fsync|fdatasync|syncfs(fd fd) fails -1 errno
int     sync_file_range(fd fd, off_t offset, off_t len, unsigned flags) fails -1 errno
void    sync(void)
int     fallocate|fallocate64(fd fd, flags(falloc) mode, off_t offset, off_t len) fails -1 errno
errno_t posix_fallocate|posix_fallocate64(fd fd, off_t offset, off_t len)
errno_t posix_fadvise|posix_fadvise64(fd fd, off_t offset, off_t len, int advice)
ssize_t readahead(fd fd, off_t offset, size_t count) fails -1 errno
int     flock(fd fd, flags(flock) operation) fails -1 errno
int     lockf|lockf64(fd fd, enum(lockf) cmd, off_t len) fails -1 errno
fd      mkstemp|mkstemp64(out char *template) fails -1 errno
fd      mkostemp|mkostemp64(out char *template, flags(open) flags) fails -1 errno
fd      mkstemps|mkstemps64(out char *template, int suffixlen) fails -1 errno
fd      mkostemps|mkostemps64(out char *template, int suffixlen, flags(open) flags) fails -1 errno
char   *mkdtemp(char *template) fails null errno
FILE   *tmpfile|tmpfile64(void) fails null errno
FILE   *fopen|fopen64(const char *file, const char *mode) fails null errno
FILE   *freopen|freopen64(const char *file, const char *mode, FILE *stream) fails null errno
FILE   *fdopen(fd fd, const char *mode) fails null errno
int     fclose(FILE *stream) fails -1 errno
int     fcloseall(void) fails -1 errno
int     fflush(FILE *stream) fails -1 errno
size_t  fread(out secret void *buf[ret], size_t size, size_t n, FILE *stream)
size_t  __fread_chk(out secret void *buf[ret], size_t buflen, size_t size, size_t n, FILE *stream)
size_t  fwrite(const void *buf, size_t size, size_t n, FILE *stream)
DIR    *opendir(const char *dir) fails null errno
DIR    *fdopendir(fd fd) fails null errno
int     closedir(DIR *dir) fails -1 errno
struct dirent *readdir|readdir64(DIR *dir)
void    rewinddir(DIR *dir)
int     scandir|scandir64(const char *dir, out struct dirent ***list, void *filter, void *compare) fails -1 errno
ssize_t getdents64(fd fd, void *buf, size_t size) fails -1 errno
int     nftw|nftw64(const char *dir, void *fn, int depth, int flags) fails -1 errno
int     ftw|ftw64(const char *dir, void *fn, int depth) fails -1 errno
int     glob|glob64(const char *pattern, int flags, void *errfn, void *result)
int     chdir|chroot(const char *dir) fails -1 errno
int     fchdir(fd fd) fails -1 errno
char   *getcwd(void *buf, size_t size) fails null errno
char   *__getcwd_chk(void *buf, size_t size, size_t buflen) fails null errno
char   *getwd(void *buf) fails null errno
char   *get_current_dir_name(void) fails null errno
char   *realpath(const char *file, void *resolved) fails null errno
char   *__realpath_chk(const char *file, void *resolved, size_t size) fails null errno
char   *canonicalize_file_name(const char *file) fails null errno
int     utime(const char *file, void *times) fails -1 errno
int     utimes|lutimes(const char *file, struct timeval2 *times) fails -1 errno
int     futimes(fd fd, struct timeval2 *times) fails -1 errno
int     futimesat(dirfd fd, const char *file, struct timeval2 *times) fails -1 errno
int     utimensat(dirfd fd, const char *file, struct timespec2 *times, flags(at) flags) fails -1 errno
int     futimens(fd fd, struct timespec2 *times) fails -1 errno
int     setxattr|lsetxattr(const char *file, const char *name, secret const void *value[size], size_t size, flags(xattr) flags) fails -1 errno
int     fsetxattr(fd fd, const char *name, secret const void *value[size], size_t size, flags(xattr) flags) fails -1 errno
ssize_t getxattr|lgetxattr(const char *file, const char *name, out secret void *value[ret], size_t size) fails -1 errno
ssize_t fgetxattr(fd fd, const char *name, out secret void *value[ret], size_t size) fails -1 errno
ssize_t listxattr|llistxattr(const char *file, void *list, size_t size) fails -1 errno
ssize_t flistxattr(fd fd, void *list, size_t size) fails -1 errno
int     removexattr|lremovexattr(const char *file, const char *name) fails -1 errno
int     fremovexattr(fd fd, const char *name) fails -1 errno
fd      inotify_init(void) fails -1 errno
fd      inotify_init1(flags(inotifyinit) flags) fails -1 errno
int     inotify_add_watch(fd fd, const char *file, flags(inotify) mask) fails -1 errno
int     inotify_rm_watch(fd fd, int wd) fails -1 errno
fd      fanotify_init(unsigned flags, flags(open) event_flags) fails -1 errno
int     fanotify_mark(fd fd, unsigned flags, uint64_t mask, dirfd dir, const char *file) fails -1 errno
int     mount(const char *source, const char *target, const char *type, unsigned long flags, secret const void *data) fails -1 errno
int     umount(const char *target) fails -1 errno
int     umount2(const char *target, int flags) fails -1 errno
`
