package hooks

// barePack are prototypes of libc functions that no pack hooks, for probes
// that name them.
const barePack = `
void   *malloc(size_t size) fails null errno
void   *calloc(size_t n, size_t size) fails null errno
void   *realloc(void *ptr, size_t size) errno
void   *reallocarray(void *ptr, size_t n, size_t size) errno
void    free|cfree(void *ptr)
void   *memalign|aligned_alloc(size_t alignment, size_t size) fails null errno
void   *valloc|pvalloc(size_t size) fails null errno
errno_t posix_memalign(out void **ptr, size_t alignment, size_t size)
size_t  malloc_usable_size(void *ptr)
int     malloc_trim(size_t pad)
void   *mmap|mmap64(void *addr, size_t length, flags(prot) prot, flags(map) flags, fd fd, off_t offset) fails -1 errno
int     munmap(void *addr, size_t length) fails -1 errno
int     mprotect(void *addr, size_t length, flags(prot) prot) fails -1 errno
int     msync(void *addr, size_t length, int flags) fails -1 errno
int     madvise(void *addr, size_t length, enum(madvise) advice) fails -1 errno
int     mlock|munlock(const void *addr, size_t length) fails -1 errno
void   *mremap(void *addr, size_t length, size_t new_length, flags(mremap) flags, void *new_addr, ...) fails -1 errno
int     brk(void *addr) fails -1 errno
void   *sbrk(intptr_t increment) fails -1 errno
void   *dlopen(const char *file, flags(dlopen) mode) fails null entry
void   *dlmopen(long ns, const char *file, flags(dlopen) mode) fails null entry
void   *dlsym(void *handle, const char *name) fails null entry
void   *dlvsym(void *handle, const char *name, const char *version) fails null entry
int     dlclose(void *handle) fails != 0
char   *getenv|secure_getenv(const char *name){0}
int     setenv(const char *name, secret const char *value, int overwrite) fails -1 errno
int     unsetenv(const char *name) fails -1 errno
int     putenv(const char *assignment) fails != 0 errno
unsigned sleep(unsigned seconds)
int     usleep(useconds_t usec) fails -1 errno
int     nanosleep(const struct timespec *req, struct timespec *rem) fails -1 errno
errno_t clock_nanosleep(enum(clock) clock, flags(clockflags) flags, const struct timespec *req, struct timespec *rem)
int     clock_gettime(enum(clock) clock, out struct timespec *ts) fails -1 errno
int     clock_settime(enum(clock) clock, const struct timespec *ts) fails -1 errno
int     gettimeofday(out struct timeval *tv, void *tz) fails -1 errno
time_t  time(out time_t *t) fails -1
unsigned alarm(unsigned seconds)
int     pause(void) fails -1 errno
int     poll(struct pollfd *fds, nfds_t n, int timeout) fails -1 errno
int     ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const void *sigmask) fails -1 errno
int     select(int nfds, void *readfds, void *writefds, void *exceptfds, struct timeval *timeout) fails -1 errno
int     pselect(int nfds, void *readfds, void *writefds, void *exceptfds, const struct timespec *timeout, const void *sigmask) fails -1 errno
fd      epoll_create(int size) fails -1 errno
fd      epoll_create1(flags(epollcreate) flags) fails -1 errno
int     epoll_ctl(fd epfd, enum(epollctl) op, fd fd, struct epoll_event *event) fails -1 errno
int     epoll_wait(fd epfd, void *events, int max, int timeout) fails -1 errno
int     epoll_pwait(fd epfd, void *events, int max, int timeout, const void *sigmask) fails -1 errno
fd      eventfd(unsigned initial, flags(eventfd) flags) fails -1 errno
fd      timerfd_create(enum(clock) clock, flags(timerfd) flags) fails -1 errno
int     timerfd_settime(fd fd, flags(timerset) flags, const struct itimerspec *value, void *old) fails -1 errno
fd      signalfd(fd fd, const void *mask, int flags) fails -1 errno
int     sigaction|__sigaction(enum(signal) sig, const void *act, void *old) fails -1 errno
void   *signal|bsd_signal|sysv_signal(enum(signal) sig, void *handler) fails -1 errno
int     sigprocmask(enum(sigmask) how, const void *set, void *old) fails -1 errno
errno_t pthread_sigmask(enum(sigmask) how, const void *set, void *old)
errno_t pthread_create(out pthread_t *thread, const void *attr, void *start, void *arg)
errno_t pthread_join(pthread_t thread, out void **result)
errno_t pthread_detach(pthread_t thread)
errno_t pthread_mutex_lock|pthread_mutex_trylock|pthread_mutex_unlock(void *mutex)
errno_t pthread_cond_wait(void *cond, void *mutex)
errno_t pthread_cond_timedwait(void *cond, void *mutex, const struct timespec *deadline)
errno_t pthread_cond_signal|pthread_cond_broadcast(void *cond)
errno_t pthread_rwlock_rdlock|pthread_rwlock_wrlock|pthread_rwlock_unlock(void *lock)
int     sem_wait|sem_trywait|sem_post(void *sem) fails -1 errno
int     sched_yield(void) fails -1 errno
uid_t   getuid|geteuid(void)
gid_t   getgid|getegid(void)
ssize_t getrandom(void *buf, size_t len, flags(grnd) flags) fails -1 errno
int     getentropy(void *buf, size_t len) fails -1 errno
int     puts(secret const char *s) fails -1
int     fputs(secret const char *s, FILE *stream) fails -1
int     putchar|putc_unlocked(int c) fails -1
int     fputc|putc|_IO_putc(int c, FILE *stream) fails -1
int     fgetc|getc|_IO_getc(FILE *stream)
char   *fgets(void *buf, int size, FILE *stream){0}
ssize_t getline(void *lineptr, void *n, FILE *stream) fails -1
int     fseek(FILE *stream, long offset, enum(seek) whence) fails -1 errno
int     fseeko|fseeko64(FILE *stream, off_t offset, enum(seek) whence) fails -1 errno
long    ftell(FILE *stream) fails -1 errno
off_t   ftello|ftello64(FILE *stream) fails -1 errno
int     printf(const char *format, ...) entry
int     fprintf(FILE *stream, const char *format, ...) entry
int     sprintf(void *buf, const char *format, ...) entry
int     snprintf(void *buf, size_t size, const char *format, ...) entry
void    syslog(int priority, const char *format, ...) entry
void    openlog(const char *ident, int option, int facility)
int     atoi(const char *s)
char   *strdup(const char *s) fails null errno
char   *strerror(int errnum)
void    perror(const char *s)
char   *setlocale(int category, const char *locale) fails null
long    syscall(long number, long arg1, long arg2, long arg3, long arg4, long arg5, long arg6, ...) fails -1 errno stack 1
int     isatty(fd fd) fails 0 errno
char   *ttyname(fd fd) fails null errno
int     tcgetattr(fd fd, void *termios) fails -1 errno
int     tcsetattr(fd fd, int actions, const void *termios) fails -1 errno
struct passwd *getpwnam(const char *name) fails null
struct passwd *getpwuid(uid_t uid) fails null
struct group *getgrnam(const char *name) fails null
struct group *getgrgid(gid_t gid) fails null
char   *getlogin(void) fails null errno
int     uname(void *buf) fails -1 errno
long    sysconf(int name) errno
char   *crypt(secret const char *key, secret const char *salt){0}
char   *getpass(const char *prompt){0} fails null
fd      posix_openpt(flags(open) flags) fails -1 errno
int     openpty(out fd *master, out fd *slave, void *name, const void *termios, const void *winsize) fails -1 errno
pid_t   forkpty(out fd *master, void *name, const void *termios, const void *winsize) fails -1 errno forks
fd      shm_open(const char *name, flags(open) oflag, mode_t mode) fails -1 errno
int     shm_unlink(const char *name) fails -1 errno
int     shmget(key_t key, size_t size, int flags) fails -1 errno
void   *shmat(int id, const void *addr, int flags) fails -1 errno
int     shmdt(const void *addr) fails -1 errno
int     semget(key_t key, int n, int flags) fails -1 errno
int     msgget(key_t key, int flags) fails -1 errno
`
