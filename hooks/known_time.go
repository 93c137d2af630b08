package hooks

const knownTime = `
## Time
unsigned sleep(unsigned seconds)
int     usleep(useconds_t usec) fails -1 errno
useconds_t ualarm(useconds_t usec, useconds_t interval)
int     nanosleep(const struct timespec *req, struct timespec *rem) fails -1 errno
errno_t clock_nanosleep(enum(clock) clock, flags(clockflags) flags, const struct timespec *req, struct timespec *rem)
int     clock_gettime|clock_getres(enum(clock) clock, out struct timespec *ts) fails -1 errno
int     clock_settime(enum(clock) clock, const struct timespec *ts) fails -1 errno
errno_t clock_getcpuclockid(pid_t pid, out clockid_t *clock)
int     clock_adjtime(enum(clock) clock, void *buf) fails -1 errno
int     adjtimex|ntp_adjtime(void *buf) fails -1 errno
int     adjtime(const struct timeval *delta, out struct timeval *old) fails -1 errno
int     gettimeofday(out struct timeval *tv, void *tz) fails -1 errno
int     settimeofday(const struct timeval *tv, const void *tz) fails -1 errno
int     timespec_get(out struct timespec *ts, int base) fails 0
time_t  time(out time_t *t) fails -1
clock_t clock(void) fails -1
clock_t times(out struct tms *buf) fails -1 errno
double  difftime(time_t a, time_t b)
time_t  mktime|timegm|timelocal(struct tm *tm) fails -1 errno
struct tm *gmtime|localtime(in time_t *t) fails null errno
struct tm *gmtime_r|localtime_r(in time_t *t, out struct tm *result) fails null errno
char   *asctime(const struct tm *tm)
char   *asctime_r(const struct tm *tm, void *buf)
char   *ctime(in time_t *t)
char   *ctime_r(in time_t *t, void *buf)
size_t  strftime(out char *buf, size_t max, const char *format, const struct tm *tm)
size_t  strftime_l(out char *buf, size_t max, const char *format, const struct tm *tm, locale_t locale)
char   *strptime(const char *s, const char *format, out struct tm *tm){0} fails null
struct tm *getdate(const char *s) fails null
void    tzset(void)
unsigned alarm(unsigned seconds)
int     pause(void) fails -1 errno
int     getitimer(enum(itimer) which, out struct itimerval *value) fails -1 errno
int     setitimer(enum(itimer) which, const struct itimerval *value, out struct itimerval *old) fails -1 errno
int     timer_create(enum(clock) clock, void *event, out void **timer) fails -1 errno
int     timer_delete(timer_t timer) fails -1 errno
int     timer_settime(timer_t timer, flags(clockflags) flags, const struct itimerspec *value, out struct itimerspec *old) fails -1 errno
int     timer_gettime(timer_t timer, out struct itimerspec *value) fails -1 errno
int     timer_getoverrun(timer_t timer) fails -1 errno
`
