package hooks

const knownFiles = `
## Files and directories
int     dirfd(DIR *dir) fails -1 errno
errno_t readdir_r|readdir64_r(DIR *dir, void *entry, out void **result)
void    seekdir(DIR *dir, long pos)
long    telldir(DIR *dir) fails -1 errno
int     scandirat|scandirat64(dirfd fd, const char *dir, out void **list, void *filter, void *compare) fails -1 errno
int     alphasort|alphasort64|versionsort|versionsort64(const void *a, const void *b)
FTS    *fts_open|fts64_open(void *paths, int options, void *compare) fails null errno
FTSENT *fts_read|fts64_read(FTS *fts)
FTSENT *fts_children|fts64_children(FTS *fts, int options)
int     fts_set|fts64_set(FTS *fts, FTSENT *entry, int instruction) fails != 0
int     fts_close|fts64_close(FTS *fts) fails -1 errno
void    globfree|globfree64(void *result)
int     fnmatch(const char *pattern, const char *s, flags(fnmatch) flags) fails not 0 1
int     wordexp(const char *words, void *result, flags(wordexp) flags) fails != 0
void    wordfree(void *result)
long    pathconf(const char *file, enum(pathconf) name) errno
long    fpathconf(fd fd, enum(pathconf) name) errno
int     revoke(const char *file) fails -1 errno
int     acct(const char *file) fails -1 errno
int     quotactl(int cmd, const char *special, id_t id, void *addr) fails -1 errno
int     swapon(const char *file, int flags) fails -1 errno
int     swapoff(const char *file) fails -1 errno
int     process_mrelease(fd pidfd, unsigned flags) fails -1 errno
FILE   *setmntent(const char *file, const char *mode) fails null errno
struct mntent *getmntent(FILE *stream)
struct mntent *getmntent_r(FILE *stream, void *entry, void *buf, int size)
int     addmntent(FILE *stream, const void *entry) fails != 0
int     endmntent(FILE *stream)
char   *hasmntopt(const void *entry, const char *option)
fd      fsopen(const char *type, unsigned flags) fails -1 errno
fd      fsmount(fd fs, unsigned flags, unsigned attrs) fails -1 errno
int     fsconfig(fd fs, unsigned cmd, const char *key, secret const void *value, int aux) fails -1 errno
fd      fspick(dirfd dir, const char *file, unsigned flags) fails -1 errno
fd      open_tree(dirfd dir, const char *file, unsigned flags) fails -1 errno
int     move_mount(dirfd from, const char *from_file, dirfd to, const char *to_file, unsigned flags) fails -1 errno
int     mount_setattr(dirfd dir, const char *file, unsigned flags, void *attr, size_t size) fails -1 errno
int     aio_read|aio_read64|aio_write|aio_write64(void *control) fails -1 errno
int     aio_error|aio_error64(const void *control) fails -1 errno
ssize_t aio_return|aio_return64(void *control) fails -1 errno
int     aio_cancel|aio_cancel64(fd fd, void *control) fails -1 errno
int     aio_fsync|aio_fsync64(int op, void *control) fails -1 errno
int     aio_suspend|aio_suspend64(const void *list, int n, const struct timespec *timeout) fails -1 errno
int     lio_listio|lio_listio64(int mode, const void *list, int n, void *event) fails -1 errno
unsigned gnu_dev_major|gnu_dev_minor(dev_t dev)
dev_t   gnu_dev_makedev(unsigned major, unsigned minor)
int     posix_spawn_file_actions_init|posix_spawn_file_actions_destroy(void *actions) fails != 0
errno_t posix_spawn_file_actions_addopen(void *actions, fd fd, const char *file, flags(open) oflag, mode_t mode)
errno_t posix_spawn_file_actions_addclose(void *actions, fd fd)
errno_t posix_spawn_file_actions_adddup2(void *actions, fd fd, fd to)
errno_t posix_spawn_file_actions_addchdir_np(void *actions, const char *dir)
errno_t posix_spawn_file_actions_addfchdir_np(void *actions, fd fd)
errno_t posix_spawnattr_init|posix_spawnattr_destroy(void *attr)
errno_t posix_spawnattr_setflags(void *attr, flags(spawn) flags)
errno_t posix_spawnattr_setpgroup(void *attr, pid_t group)
errno_t posix_spawnattr_setsigmask|posix_spawnattr_setsigdefault(void *attr, const struct sigset *set)
`

const knownEvents = `
## Waiting for events
int     poll(struct pollfd *fds[n], nfds_t n, int timeout) fails -1 errno
int     __poll_chk(struct pollfd *fds[n], nfds_t n, int timeout, size_t size) fails -1 errno
int     ppoll(struct pollfd *fds[n], nfds_t n, const struct timespec *timeout, const struct sigset *sigmask) fails -1 errno
int     select(int nfds, void *readfds, void *writefds, void *exceptfds, struct timeval *timeout) fails -1 errno
int     pselect(int nfds, void *readfds, void *writefds, void *exceptfds, const struct timespec *timeout, const struct sigset *sigmask) fails -1 errno
fd      epoll_create(int size) fails -1 errno
fd      epoll_create1(flags(epollcreate) flags) fails -1 errno
int     epoll_ctl(fd epfd, enum(epollctl) op, fd fd, struct epoll_event *event) fails -1 errno
int     epoll_wait(fd epfd, out struct epoll_event *events[ret], int max, int timeout) fails -1 errno
int     epoll_pwait(fd epfd, out struct epoll_event *events[ret], int max, int timeout, const struct sigset *sigmask) fails -1 errno
int     epoll_pwait2(fd epfd, out struct epoll_event *events[ret], int max, const struct timespec *timeout, const struct sigset *sigmask) fails -1 errno
fd      eventfd(unsigned initial, flags(eventfd) flags) fails -1 errno
int     eventfd_read(fd fd, out uint64_t *value) fails -1 errno
int     eventfd_write(fd fd, uint64_t value) fails -1 errno
fd      timerfd_create(enum(clock) clock, flags(timerfd) flags) fails -1 errno
int     timerfd_settime(fd fd, flags(timerset) flags, const struct itimerspec *value, out struct itimerspec *old) fails -1 errno
int     timerfd_gettime(fd fd, out struct itimerspec *value) fails -1 errno
fd      signalfd(fd fd, const struct sigset *mask, flags(signalfd) flags) fails -1 errno
`
