package hooks

const knownThreads = `
## Threads
errno_t pthread_create(out pthread_t *thread, const void *attr, void *start, void *arg)
errno_t pthread_join(pthread_t thread, out void **result)
errno_t pthread_tryjoin_np(pthread_t thread, out void **result)
errno_t pthread_timedjoin_np(pthread_t thread, out void **result, const struct timespec *deadline)
errno_t pthread_clockjoin_np(pthread_t thread, out void **result, enum(clock) clock, const struct timespec *deadline)
errno_t pthread_detach(pthread_t thread)
errno_t pthread_cancel(pthread_t thread)
void    pthread_testcancel(void)
errno_t pthread_setcancelstate(enum(cancelstate) state, out int *old)
errno_t pthread_setcanceltype(enum(canceltype) type, out int *old)
pthread_t pthread_self(void)
int     pthread_equal(pthread_t a, pthread_t b)
errno_t pthread_once(void *once, void *init)
errno_t pthread_atfork(void *prepare, void *parent, void *child)
errno_t pthread_key_create(out pthread_key_t *key, void *destructor)
errno_t pthread_key_delete(pthread_key_t key)
void   *pthread_getspecific(pthread_key_t key)
errno_t pthread_setspecific(pthread_key_t key, const void *value)
errno_t pthread_setname_np(pthread_t thread, const char *name)
errno_t pthread_getname_np(pthread_t thread, out char *name, size_t size)
errno_t pthread_setschedparam(pthread_t thread, enum(sched) policy, const struct sched_param *param)
errno_t pthread_getschedparam(pthread_t thread, out enum(sched) *policy, out struct sched_param *param)
errno_t pthread_setschedprio(pthread_t thread, int priority)
errno_t pthread_setaffinity_np(pthread_t thread, size_t size, const void *cpus)
errno_t pthread_getaffinity_np(pthread_t thread, size_t size, void *cpus)
errno_t pthread_getcpuclockid(pthread_t thread, out clockid_t *clock)
int     pthread_getconcurrency(void)
errno_t pthread_setconcurrency(int level)
errno_t pthread_attr_init|pthread_attr_destroy(void *attr)
errno_t pthread_getattr_np(pthread_t thread, void *attr)
errno_t pthread_attr_setdetachstate(void *attr, enum(detachstate) state)
errno_t pthread_attr_getdetachstate(const void *attr, out enum(detachstate) *state)
errno_t pthread_attr_setstacksize|pthread_attr_setguardsize(void *attr, size_t size)
errno_t pthread_attr_getstacksize|pthread_attr_getguardsize(const void *attr, out size_t *size)
errno_t pthread_attr_setstack(void *attr, void *addr, size_t size)
errno_t pthread_attr_getstack(const void *attr, out void **addr, out size_t *size)
errno_t pthread_attr_setschedpolicy(void *attr, enum(sched) policy)
errno_t pthread_attr_getschedpolicy(const void *attr, out enum(sched) *policy)
errno_t pthread_attr_setschedparam(void *attr, const struct sched_param *param)
errno_t pthread_attr_getschedparam(const void *attr, out struct sched_param *param)
errno_t pthread_attr_setinheritsched|pthread_attr_setscope(void *attr, int value)
errno_t pthread_attr_setaffinity_np(void *attr, size_t size, const void *cpus)
errno_t pthread_attr_setsigmask_np(void *attr, const struct sigset *mask)
errno_t pthread_mutex_init(void *mutex, const void *attr)
errno_t pthread_mutex_lock|pthread_mutex_trylock|pthread_mutex_unlock|pthread_mutex_destroy|pthread_mutex_consistent(void *mutex)
errno_t pthread_mutex_timedlock(void *mutex, const struct timespec *deadline)
errno_t pthread_mutex_clocklock(void *mutex, enum(clock) clock, const struct timespec *deadline)
errno_t pthread_mutexattr_init|pthread_mutexattr_destroy(void *attr)
errno_t pthread_mutexattr_settype(void *attr, enum(mutextype) type)
errno_t pthread_mutexattr_gettype(const void *attr, out enum(mutextype) *type)
errno_t pthread_mutexattr_setpshared|pthread_mutexattr_setrobust|pthread_mutexattr_setprotocol(void *attr, int value)
errno_t pthread_cond_init(void *cond, const void *attr)
errno_t pthread_cond_wait(void *cond, void *mutex)
errno_t pthread_cond_timedwait(void *cond, void *mutex, const struct timespec *deadline)
errno_t pthread_cond_clockwait(void *cond, void *mutex, enum(clock) clock, const struct timespec *deadline)
errno_t pthread_cond_signal|pthread_cond_broadcast|pthread_cond_destroy(void *cond)
errno_t pthread_condattr_init|pthread_condattr_destroy(void *attr)
errno_t pthread_condattr_setclock(void *attr, enum(clock) clock)
errno_t pthread_condattr_setpshared(void *attr, int shared)
errno_t pthread_rwlock_init(void *lock, const void *attr)
errno_t pthread_rwlock_rdlock|pthread_rwlock_wrlock|pthread_rwlock_unlock|pthread_rwlock_tryrdlock|pthread_rwlock_trywrlock|pthread_rwlock_destroy(void *lock)
errno_t pthread_rwlock_timedrdlock|pthread_rwlock_timedwrlock(void *lock, const struct timespec *deadline)
errno_t pthread_rwlock_clockrdlock|pthread_rwlock_clockwrlock(void *lock, enum(clock) clock, const struct timespec *deadline)
errno_t pthread_spin_init(void *lock, int shared)
errno_t pthread_spin_lock|pthread_spin_trylock|pthread_spin_unlock|pthread_spin_destroy(void *lock)
errno_t pthread_barrier_init(void *barrier, const void *attr, unsigned count)
int     pthread_barrier_wait(void *barrier) fails not 0 -1
errno_t pthread_barrier_destroy(void *barrier)
enum(thrd) thrd_create(out pthread_t *thread, void *start, void *arg) fails not 0
enum(thrd) thrd_join(pthread_t thread, out int *result) fails not 0
enum(thrd) thrd_detach(pthread_t thread) fails not 0
pthread_t thrd_current(void)
int     thrd_equal(pthread_t a, pthread_t b)
void    thrd_exit(int result) noreturn
int     thrd_sleep(const struct timespec *duration, struct timespec *remaining) fails < 0
void    thrd_yield(void)
enum(thrd) mtx_init(void *mutex, int type) fails not 0
enum(thrd) mtx_lock|mtx_trylock|mtx_unlock(void *mutex) fails not 0
enum(thrd) mtx_timedlock(void *mutex, const struct timespec *deadline) fails not 0
void    mtx_destroy(void *mutex)
enum(thrd) cnd_init|cnd_signal|cnd_broadcast(void *cond) fails not 0
enum(thrd) cnd_wait(void *cond, void *mutex) fails not 0
enum(thrd) cnd_timedwait(void *cond, void *mutex, const struct timespec *deadline) fails not 0
void    cnd_destroy(void *cond)
void    call_once(void *flag, void *fn)
enum(thrd) tss_create(out pthread_key_t *key, void *destructor) fails not 0
void   *tss_get(pthread_key_t key)
enum(thrd) tss_set(pthread_key_t key, void *value) fails not 0
void    tss_delete(pthread_key_t key)
## Scheduling and processors
int     sched_yield(void) fails -1 errno
int     sched_setscheduler(pid_t pid, enum(sched) policy, const struct sched_param *param) fails -1 errno
enum(sched) sched_getscheduler(pid_t pid) fails -1 errno
int     sched_setparam(pid_t pid, const struct sched_param *param) fails -1 errno
int     sched_getparam(pid_t pid, out struct sched_param *param) fails -1 errno
int     sched_get_priority_max|sched_get_priority_min(enum(sched) policy) fails -1 errno
int     sched_rr_get_interval(pid_t pid, out struct timespec *interval) fails -1 errno
int     sched_setaffinity(pid_t pid, size_t size, const void *cpus) fails -1 errno
int     sched_getaffinity(pid_t pid, size_t size, void *cpus) fails -1 errno
int     sched_getcpu(void) fails -1 errno
int     getcpu(out unsigned *cpu, out unsigned *node) fails -1 errno
`
