package hooks

const knownSignals = `
## Signals
int     sigaction|__sigaction(enum(signal) sig, const struct sigaction *act, out struct sigaction *old) fails -1 errno
void   *signal|bsd_signal|ssignal|sysv_signal|__sysv_signal(enum(signal) sig, void *handler) fails -1 errno
void   *sigset(enum(signal) sig, void *handler) fails -1 errno
int     sigprocmask(enum(sigmask) how, const struct sigset *set, out struct sigset *old) fails -1 errno
errno_t pthread_sigmask(enum(sigmask) how, const struct sigset *set, out struct sigset *old)
errno_t pthread_sigqueue(pthread_t thread, enum(signal) sig, void *value)
int     sigpending(out struct sigset *set) fails -1 errno
int     sigsuspend(const struct sigset *mask) fails -1 errno
int     sigpause|__sigpause(int sig) fails -1 errno
errno_t sigwait(const struct sigset *set, out enum(signal) *sig)
enum(signal) sigwaitinfo(const struct sigset *set, void *info) fails -1 errno
enum(signal) sigtimedwait(const struct sigset *set, void *info, const struct timespec *timeout) fails -1 errno
int     sigaltstack(const struct sigaltstack *stack, out struct sigaltstack *old) fails -1 errno
int     sigemptyset|sigfillset(out struct sigset *set) fails -1 errno
int     sigaddset|sigdelset(struct sigset *set, enum(signal) sig) fails -1 errno
int     sigismember(const struct sigset *set, enum(signal) sig) fails -1 errno
int     sigisemptyset(const struct sigset *set)
int     sigorset|sigandset(void *dst, const struct sigset *a, const struct sigset *b) fails -1 errno
int     sighold|sigrelse|sigignore(enum(signal) sig) fails -1 errno
int     siginterrupt(enum(signal) sig, int flag) fails -1 errno
int     gsignal(enum(signal) sig) fails != 0 errno
void    psignal(enum(signal) sig, const char *s)
void    psiginfo(const void *info, const char *s)
## Jumps and contexts
void    longjmp|_longjmp|siglongjmp|__longjmp_chk(void *env, int value) noreturn
int     getcontext(void *context) fails -1 errno entry
int     setcontext(const void *context) noreturn
int     swapcontext(void *save, const void *context) fails -1 errno entry
void    makecontext(void *context, void *fn, int argc, ...) entry
`
