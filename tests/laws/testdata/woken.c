// woken: a program that is attached to while it runs. It prints "ready" when its
// threads are where they are to be, and goes on until its standard input ends.
//
//   woken blocked    each thread waits in another system call
//   woken busy       threads allocate, open and ask, as fast as they can
//   woken signals    a timer interrupts threads at every moment
//   woken lingers    a thread is nearly always between the first and the second instruction of a function
//   woken handled    the same, and nearly always in a signal handler that has interrupted it there
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NAP_MS 1500

static int event, data[2], pair[2], sems;
static volatile int over, ready;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t sem;

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
static struct timespec nap = { NAP_MS / 1000, NAP_MS % 1000 * 1000000 };
static struct timespec until(clockid_t c)
{
	struct timespec t;
	clock_gettime(c, &t);
	t.tv_sec += (t.tv_nsec + nap.tv_nsec) / 1000000000 + nap.tv_sec;
	t.tv_nsec = (t.tv_nsec + nap.tv_nsec) % 1000000000;
	return t;
}

/* Waits with a timeout: 0 and no errno, or what a timeout is there, and never early. */
static long t_nanosleep(void) { return nanosleep(&nap, 0); }
static long t_absolute(void) { struct timespec t = until(CLOCK_MONOTONIC); return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0); }
static long t_poll(void) { struct pollfd p = { event, POLLERR, 0 }; return poll(&p, 0, NAP_MS); }
static long t_ppoll(void) { sigset_t s; sigemptyset(&s); sigaddset(&s, SIGUSR2); return ppoll(0, 0, &nap, &s); }
static long t_select(void) { struct timeval t = { NAP_MS / 1000, NAP_MS % 1000 * 1000 }; return select(0, 0, 0, 0, &t); }
static long t_epoll(void) { struct epoll_event e; return epoll_wait(epoll_create1(0), &e, 1, NAP_MS); }
static long t_epoll_mask(void) { struct epoll_event e; sigset_t s; sigfillset(&s); return epoll_pwait(epoll_create1(0), &e, 1, NAP_MS, &s); }
static long t_futex(void)
{
	struct timespec t = until(CLOCK_REALTIME);
	pthread_mutex_lock(&lock);
	int r = pthread_cond_timedwait(&cond, &lock, &t);
	pthread_mutex_unlock(&lock);
	return r;
}
static long t_signal(void) { sigset_t s; sigemptyset(&s); sigaddset(&s, SIGUSR1); return sigtimedwait(&s, 0, &nap); }
static long t_semop(void) { struct sembuf b = { 0, -1, 0 }; return semtimedop(sems, &b, 1, &nap); }
static long t_recv(void)
{
	char c;
	struct timeval t = { NAP_MS / 1000, NAP_MS % 1000 * 1000 };
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
	return recv(pair[0], &c, 1, 0);
}
/* Waits without: until the end. */
static long f_read(void) { char c[4]; return read(data[0], c, sizeof c); }
static long f_epoll(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	int fd = epoll_create1(0);
	epoll_ctl(fd, EPOLL_CTL_ADD, event, &e);
	return epoll_wait(fd, &e, 1, -1);
}
static long f_sem(void) { return sem_wait(&sem); }

static struct wait { const char *name; long (*fn)(void); int timed; long ret; int err; int early; pthread_t t; } waits[] = {
	{ "nanosleep", t_nanosleep, 1 }, { "clock_nanosleep", t_absolute, 1 }, { "poll", t_poll, 1 }, { "ppoll", t_ppoll, 1 },
	{ "select", t_select, 1 }, { "epoll_wait", t_epoll, 1 }, { "epoll_pwait", t_epoll_mask, 1 }, { "pthread_cond_timedwait", t_futex, 1 },
	{ "sigtimedwait", t_signal, 1 }, { "semtimedop", t_semop, 1 }, { "recv", t_recv, 1 },
	{ "read", f_read, 0 }, { "epoll_wait for ever", f_epoll, 0 }, { "sem_wait", f_sem, 0 },
};
#define NWAITS (int)(sizeof waits / sizeof *waits)

static void *waiter(void *p)
{
	struct wait *w = p;
	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	int64_t t0 = now();
	errno = 0;
	w->ret = w->fn();
	w->err = errno;
	w->early = w->timed && now() - t0 < NAP_MS - 1;
	return 0;
}

static void say_ready(void)
{
	printf("ready\n");
	fflush(stdout);
}

static void await_end(void)
{
	char c;
	while (read(0, &c, 1) > 0)
		;
}

static int blocked(void)
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigprocmask(SIG_BLOCK, &s, 0);
	signal(SIGTRAP, SIG_IGN);
	event = eventfd(0, 0);
	sem_init(&sem, 0, 0);
	sems = semget(IPC_PRIVATE, 1, 0600);
	if (pipe(data) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || sems < 0)
		return 1;
	for (int i = 0; i < NWAITS; i++)
		pthread_create(&waits[i].t, 0, waiter, &waits[i]);
	while (ready < NWAITS)
		usleep(1000);
	usleep(20000);
	say_ready();
	await_end();
	if (write(data[1], "abc", 3) != 3 || write(event, "\1\0\0\0\0\0\0\0", 8) != 8 || sem_post(&sem))
		return 1;
	for (int i = 0; i < NWAITS; i++) {
		pthread_join(waits[i].t, 0);
		printf("%s: %ld, errno %d%s\n", waits[i].name, waits[i].ret, waits[i].err, waits[i].early ? ", early" : "");
	}
	semctl(sems, 0, IPC_RMID);
	return 0;
}

static void *worker(void *p)
{
	unsigned long n = 0, bad = 0, x = (uintptr_t)p;
	while (!over) {
		size_t size = (x = x * 6364136223846793005ul + 1442695040888963407ul) >> 56;
		unsigned char *m = malloc(size + 1), *z = calloc(1, size + 1);
		memset(m, (int)size, size + 1);
		m = realloc(m, 2 * size + 2);
		bad += m[size] != (unsigned char)size || z[size];
		free(m);
		free(z);
		int fd = open("/dev/null", O_RDWR);
		bad += fd < 0 || write(fd, "x", 1) != 1 || close(fd);
		errno = 0;
		bad += open("/nowhere/at/all", O_RDONLY) != -1 || errno != ENOENT;
		bad += getppid() == getpid();
		if (!n++)
			__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	}
	return (void *)(uintptr_t)bad;
}

static int busy(int nthreads)
{
	pthread_t t[16];
	void *bad;
	int rc = 0;
	for (int i = 0; i < nthreads; i++)
		pthread_create(&t[i], 0, worker, (void *)(uintptr_t)(i + 1));
	while (ready < nthreads)
		usleep(1000);
	say_ready();
	await_end();
	over = 1;
	for (int i = 0; i < nthreads; i++) {
		pthread_join(t[i], &bad);
		rc |= bad != 0;
	}
	printf("%s\n", rc ? "bad" : "good");
	return rc;
}

static volatile unsigned long ticks, wrong;
static void tick(int sig, siginfo_t *i, void *c)
{
	int saved = errno;
	ticks++;
	wrong += write(1, "", 0) != 0;
	errno = saved;
}

static int signals(void)
{
	struct sigaction a = { .sa_sigaction = tick, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct itimerval t = { { 0, 300 }, { 0, 300 } };
	sigaction(SIGALRM, &a, 0);
	setitimer(ITIMER_REAL, &t, 0);
	int rc = busy(4);
	t.it_interval.tv_usec = t.it_value.tv_usec = 0;
	setitimer(ITIMER_REAL, &t, 0);
	printf("%s\n", ticks && !wrong ? "ticked" : "no ticks");
	return rc;
}

/* Its second instruction takes long, and lies within what a jump overwrites. */
void *lingers(void *to, int unused1, int unused2, size_t n);
__asm__(".text; .globl lingers; .type lingers, @function; .p2align 4\n"
	"lingers: push %rbx; rep stosb; pop %rbx; mov %rdi, %rax; ret; .size lingers, . - lingers\n");

static void spin(int ms)
{
	for (int64_t t = now(); now() < t + ms;)
		;
}

static void handler(int sig) { spin(6); }

static void *lingerer(void *p)
{
	size_t n = 64 << 20;
	char *to = malloc(n);
	void *bad = 0;
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGALRM);
	if (p)
		pthread_sigmask(SIG_UNBLOCK, &s, 0);
	while (!over) {
		if (lingers(to, 0, 0, n) != to + n)
			bad = to;
		__atomic_store_n(&ready, 1, __ATOMIC_SEQ_CST);
		usleep(1000);
	}
	if (lingers(to, 0, 0, 16) != to + 16) /* one call at least that begins when it is watched */
		bad = to;
	return bad;
}

static int linger(int handled)
{
	struct itimerval t = { { 0, 8000 }, { 0, 8000 } };
	struct sigaction a = { .sa_handler = handler, .sa_flags = SA_RESTART };
	sigset_t s;
	pthread_t th;
	void *bad;
	sigemptyset(&s);
	sigaddset(&s, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &s, 0);
	sigaction(SIGALRM, &a, 0);
	if (handled)
		setitimer(ITIMER_REAL, &t, 0);
	pthread_create(&th, 0, lingerer, handled ? &th : 0);
	while (!ready)
		usleep(1000);
	say_ready();
	await_end();
	over = 1;
	pthread_join(th, &bad);
	printf("%s\n", bad ? "bad" : "good");
	return bad != 0;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	if (!strcmp(argv[1], "lingers"))
		return linger(0);
	if (!strcmp(argv[1], "handled"))
		return linger(1);
	if (!strcmp(argv[1], "blocked"))
		return blocked();
	if (!strcmp(argv[1], "busy"))
		return busy(8);
	if (!strcmp(argv[1], "signals"))
		return signals();
	return 2;
}
