package hooks

const knownSystem = `
## Loader
void   *dlopen(const char *file, flags(dlopen) mode) fails null entry
void   *dlmopen(long ns, const char *file, flags(dlopen) mode) fails null entry
void   *dlsym(void *handle, const char *name) fails null entry
void   *dlvsym(void *handle, const char *name, const char *version) fails null entry
int     dlclose(void *handle) fails != 0
char   *dlerror(void)
int     dladdr(const void *addr, void *info) fails 0
int     dladdr1(const void *addr, void *info, out void **extra, int flags) fails 0
int     dlinfo(void *handle, int request, void *info) fails -1 entry
int     dl_iterate_phdr(void *callback, void *data) entry
int     _dl_find_object(void *addr, void *result) fails -1
int     backtrace(void *buffer, int size) entry
void    backtrace_symbols_fd(const void *buffer, int size, fd fd)
void   *backtrace_symbols(const void *buffer, int size) fails null errno
## System and limits
long    syscall(long number, long arg1, long arg2, long arg3, long arg4, long arg5, long arg6, ...) fails -1 errno stack 1
int     uname(out struct utsname *buf) fails -1 errno
int     sysinfo(out struct sysinfo *info) fails -1 errno
long    sysconf(enum(sysconf) name) errno
size_t  confstr(int name, out char *buf, size_t size) fails 0 errno
int     getpagesize|getdtablesize(void)
int     get_nprocs|get_nprocs_conf(void)
long    get_phys_pages|get_avphys_pages(void)
int     getloadavg(void *loads, int n) fails -1
unsigned long getauxval(unsigned long type) errno
long    gethostid(void)
int     sethostid(long id) fails -1 errno
int     setdomainname(const char *name[len]{64}, size_t len) fails -1 errno
int     getrusage(enum(rusagewho) who, out struct rusage *usage) fails -1 errno
long    ulimit(int cmd, long limit, ...) fails -1 errno
int     klogctl(int type, void *buf, int len) fails -1 errno
int     ioperm(unsigned long from, unsigned long n, int on) fails -1 errno
int     iopl(int level) fails -1 errno
int     capget|capset(void *header, void *data) fails -1 errno
int     init_module(void *image, unsigned long len, const char *params) fails -1 errno
int     delete_module(const char *name, flags(open) flags) fails -1 errno
int     arch_prctl(int code, unsigned long addr) fails -1 errno
char   *gnu_get_libc_version|gnu_get_libc_release(void)
## Logs and messages
void    syslog(flags(syslog) priority, const char *format, ...) entry
void    vsyslog(flags(syslog) priority, const char *format, void *ap)
void    __syslog_chk(flags(syslog) priority, int flag, const char *format, ...) entry
void    openlog(const char *ident, flags(openlog) option, flags(syslog) facility)
void    closelog(void)
int     setlogmask(int mask)
void    err|errx(int status, const char *format, ...) exit
void    verr|verrx(int status, const char *format, void *ap) exit
void    warn|warnx(const char *format, ...) entry
void    vwarn|vwarnx(const char *format, void *ap)
void    error(int status, errno_t errnum, const char *format, ...) entry
void    error_at_line(int status, errno_t errnum, const char *file, unsigned line, const char *format, ...) entry
void    __assert_fail(const char *assertion, const char *file, unsigned line, const char *function) exit
void    __assert_perror_fail(errno_t errnum, const char *file, unsigned line, const char *function) exit
## Random numbers
ssize_t getrandom(void *buf, size_t len, flags(grnd) flags) fails -1 errno
int     getentropy(void *buf, size_t len) fails -1 errno
uint32_t arc4random(void)
void    arc4random_buf(void *buf, size_t len)
uint32_t arc4random_uniform(uint32_t bound)
int     rand(void)
int     rand_r(unsigned *seed)
void    srand|srandom(unsigned seed)
long    random(void)
char   *initstate(unsigned seed, void *state, size_t size){0} fails null errno
char   *setstate(void *state){0} fails null errno
double  drand48(void)
long    lrand48|mrand48(void)
double  erand48(void *state)
long    nrand48|jrand48(void *state)
void    srand48(long seed)
`

const knownMisc = `
## Regular expressions
int     regcomp(void *regex, const char *pattern, flags(regcomp) flags) fails != 0
int     regexec(const void *regex, const char *s, size_t nmatch, void *matches, flags(regexec) flags) fails not 0 1
size_t  regerror(int code, const void *regex, out char *buf, size_t size)
void    regfree(void *regex)
`
