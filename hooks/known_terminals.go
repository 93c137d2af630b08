package hooks

const knownTerminals = `
## Terminals
int     isatty(fd fd) fails 0 errno
char   *ttyname(fd fd) fails null errno
errno_t ttyname_r(fd fd, out char *name, size_t size)
int     tcgetattr(fd fd, out struct termios *termios) fails -1 errno
int     tcsetattr(fd fd, enum(tcsetattr) when, const struct termios *termios) fails -1 errno
int     tcdrain(fd fd) fails -1 errno
int     tcflow(fd fd, enum(tcflow) action) fails -1 errno
int     tcflush(fd fd, enum(tcflush) queue) fails -1 errno
int     tcsendbreak(fd fd, int duration) fails -1 errno
pid_t   tcgetpgrp(fd fd) fails -1 errno
int     tcsetpgrp(fd fd, pid_t group) fails -1 errno
pid_t   tcgetsid(fd fd) fails -1 errno
void    cfmakeraw(struct termios *termios)
unsigned cfgetispeed|cfgetospeed(const struct termios *termios)
int     cfsetispeed|cfsetospeed|cfsetspeed(struct termios *termios, unsigned speed) fails -1 errno
fd      posix_openpt(flags(open) flags) fails -1 errno
fd      getpt(void) fails -1 errno
int     grantpt|unlockpt(fd fd) fails -1 errno
char   *ptsname(fd fd) fails null errno
errno_t ptsname_r(fd fd, out char *name, size_t size)
int     openpty(out fd *master, out fd *slave, void *name, const struct termios *termios, const struct winsize *winsize) fails -1 errno
pid_t   forkpty(out fd *master, void *name, const struct termios *termios, const struct winsize *winsize) fails -1 errno forks
int     login_tty(fd fd) fails -1 errno
void    login(const void *entry)
int     logout(const char *line) fails 0
void    logwtmp(const char *line, const char *name, const char *host)
int     vhangup(void) fails -1 errno
int     ttyslot(void)
`

const knownIPC = `
## Semaphores, shared memory, message queues
int     sem_init(void *sem, int shared, unsigned value) fails -1 errno
int     sem_destroy|sem_wait|sem_trywait|sem_post(void *sem) fails -1 errno
int     sem_timedwait(void *sem, const struct timespec *deadline) fails -1 errno
int     sem_clockwait(void *sem, enum(clock) clock, const struct timespec *deadline) fails -1 errno
int     sem_getvalue(void *sem, out int *value) fails -1 errno
sem_t  *sem_open(const char *name, flags(open) oflag, mode_t mode, unsigned value, ...) fails null errno
int     sem_close(void *sem) fails -1 errno
int     sem_unlink(const char *name) fails -1 errno
fd      shm_open(const char *name, flags(open) oflag, mode_t mode) fails -1 errno
int     shm_unlink(const char *name) fails -1 errno
int     shmget(key_t key, size_t size, flags(ipcget) flags) fails -1 errno
void   *shmat(int id, const void *addr, flags(shmat) flags) fails -1 errno
int     shmdt(const void *addr) fails -1 errno
int     shmctl(int id, enum(ipcctl) cmd, void *buf) fails -1 errno
int     semget(key_t key, int n, flags(ipcget) flags) fails -1 errno
int     semop(int id, const struct sembuf *ops[n], size_t n) fails -1 errno
int     semtimedop(int id, const struct sembuf *ops[n], size_t n, const struct timespec *timeout) fails -1 errno
int     semctl(int id, int num, enum(ipcctl) cmd, unsigned long arg, ...) fails -1 errno
int     msgget(key_t key, flags(ipcget) flags) fails -1 errno
int     msgsnd(int id, const void *msg, size_t size, flags(msgop) flags) fails -1 errno
ssize_t msgrcv(int id, void *msg, size_t size, long type, flags(msgop) flags) fails -1 errno
int     msgctl(int id, enum(ipcctl) cmd, void *buf) fails -1 errno
key_t   ftok(const char *file, int id) fails -1 errno
fd      mq_open(const char *name, flags(open) oflag, mode_t mode, const struct mq_attr *attr, ...) fails -1 errno
fd      __mq_open_2(const char *name, flags(open) oflag) fails -1 errno
int     mq_close(fd mq) fails -1 errno
int     mq_unlink(const char *name) fails -1 errno
int     mq_send(fd mq, secret const void *msg[len], size_t len, unsigned priority) fails -1 errno
int     mq_timedsend(fd mq, secret const void *msg[len], size_t len, unsigned priority, const struct timespec *deadline) fails -1 errno
ssize_t mq_receive(fd mq, out secret void *msg[ret], size_t len, out unsigned *priority) fails -1 errno
ssize_t mq_timedreceive(fd mq, out secret void *msg[ret], size_t len, out unsigned *priority, const struct timespec *deadline) fails -1 errno
int     mq_getattr(fd mq, out struct mq_attr *attr) fails -1 errno
int     mq_setattr(fd mq, const struct mq_attr *attr, out struct mq_attr *old) fails -1 errno
int     mq_notify(fd mq, const void *event) fails -1 errno
`
