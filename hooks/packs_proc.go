package hooks

// procPack covers processes: how they start, what they become, how they end,
// and whom they signal.
const procPack = `
pid_t   fork|_Fork|__fork|__libc_fork(void) fails -1 errno forks
pid_t   vfork|__vfork(void) fails -1 errno forks entry
int     clone|__clone(void *fn, void *stack, flags(clone) flags, void *arg, ...) fails -1 errno forks entry
int     unshare(flags(clone) flags) fails -1 errno
int     setns(fd fd, flags(clone) type) fails -1 errno
int     execve(const char *file, char *const argv[], void *envp) fails -1 errno exec
int     execv|execvp(const char *file, char *const argv[]) fails -1 errno exec
int     execvpe(const char *file, char *const argv[], void *envp) fails -1 errno exec
int     fexecve(fd fd, char *const argv[], void *envp) fails -1 errno exec
int     execveat(dirfd fd, const char *file, char *const argv[], void *envp, flags(at) flags) fails -1 errno exec
int     execl|execlp|execle(const char *file, const char *arg0, ...) fails -1 errno exec entry
errno_t posix_spawn|posix_spawnp(out pid_t *pid, const char *file, void *actions, void *attr, char *const argv[], void *envp)
errno_t pidfd_spawn|pidfd_spawnp(out fd *pidfd, const char *file, void *actions, void *attr, char *const argv[], void *envp)
fd      pidfd_open(pid_t pid, unsigned flags) fails -1 errno
int     pidfd_send_signal(fd pidfd, enum(signal) sig, void *info, unsigned flags) fails -1 errno
fd      pidfd_getfd(fd pidfd, fd target, unsigned flags) fails -1 errno
pid_t   wait(out wstatus *status) fails -1 errno
pid_t   waitpid(pid_t pid, out wstatus *status, flags(wait) options) fails -1 errno
pid_t   wait3(out wstatus *status, flags(wait) options, void *usage) fails -1 errno
pid_t   wait4(pid_t pid, out wstatus *status, flags(wait) options, void *usage) fails -1 errno
int     waitid(enum(idtype) type, id_t id, out struct siginfo *info, flags(wait) options) fails -1 errno
void    exit(int status) exit
void    _exit|_Exit|quick_exit(int status) exit
void    abort(void) exit
void    pthread_exit(void *result) noreturn
int     kill(pid_t pid, enum(signal) sig) fails -1 errno
int     killpg(pid_t group, enum(signal) sig) fails -1 errno
int     tgkill(pid_t pid, pid_t tid, enum(signal) sig) fails -1 errno
int     raise(enum(signal) sig) fails != 0 errno
int     sigqueue(pid_t pid, enum(signal) sig, void *value) fails -1 errno
errno_t pthread_kill(pthread_t thread, enum(signal) sig)
wstatus system(const char *command) fails -1 errno
FILE   *popen(const char *command, const char *mode) fails null errno
wstatus pclose(FILE *stream) fails -1 errno
int     daemon(int nochdir, int noclose) fails -1 errno entry
pid_t   getpid(void)
pid_t   getppid(void)
pid_t   gettid(void)
pid_t   setsid(void) fails -1 errno
pid_t   getsid(pid_t pid) fails -1 errno
int     setpgid|__setpgid(pid_t pid, pid_t group) fails -1 errno
pid_t   getpgid|__getpgid(pid_t pid) fails -1 errno
int     setpgrp(void) fails -1 errno
pid_t   getpgrp(void)
int     setuid|seteuid(uid_t uid) fails -1 errno
int     setgid|setegid(gid_t gid) fails -1 errno
int     setreuid(uid_t ruid, uid_t euid) fails -1 errno
int     setregid(gid_t rgid, gid_t egid) fails -1 errno
int     setresuid(uid_t ruid, uid_t euid, uid_t suid) fails -1 errno
int     setresgid(gid_t rgid, gid_t egid, gid_t sgid) fails -1 errno
uid_t   setfsuid(uid_t uid)
gid_t   setfsgid(gid_t gid)
int     setgroups(size_t n, const void *groups) fails -1 errno
int     initgroups(const char *user, gid_t gid) fails -1 errno
int     prctl(enum(prctl) option, unsigned long arg2, unsigned long arg3, unsigned long arg4, unsigned long arg5, ...) fails -1 errno
long    ptrace(enum(ptrace) request, pid_t pid, void *addr, void *data, ...) fails -1 errno
int     nice(int inc) errno
int     getpriority(int which, id_t who) errno
int     setpriority(int which, id_t who, int prio) fails -1 errno
int     getrlimit|getrlimit64(enum(rlimit) resource, out struct rlimit *limit) fails -1 errno
int     setrlimit|setrlimit64(enum(rlimit) resource, const struct rlimit *limit) fails -1 errno
int     prlimit|prlimit64(pid_t pid, enum(rlimit) resource, const struct rlimit *limit, out struct rlimit *old) fails -1 errno
int     personality(unsigned long persona) fails -1 errno
int     pivot_root(const char *root, const char *put_old) fails -1 errno
int     reboot(int cmd) fails -1 errno
`
