/* Signal handlers that do not return, that run on strange stacks, that call what is
 * hooked: handlers MODE. What it counted is on standard error. */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#define API __attribute__((noinline, noipa, visibility("default")))
API long work(long n) { return n + 1; }
API long named(const char *s) { return *s; }
API long tick(long n) { return n + 1; }
API long after(long n) { return n + 1; }

static atomic_long works, ticks, wrong, jumps, ready;
static __thread sigjmp_buf back;
static __thread volatile sig_atomic_t armed;
static volatile int stop;

/* A deep call: the handler's jump passes over frames of different sizes. */
static __attribute__((noinline)) void deep(int n)
{
	volatile char room[64];
	room[n & 63] = 1;
	if (n > 0) {
		deep(n - 1);
		room[1] = 2;
		return;
	}
	works++;
	wrong += work(n) != n + 1;
}

static void jump(int s)
{
	for (int i = 0; i < 2; i++) {
		ticks++;
		wrong += tick(i) != i + 1;
	}
	if (armed) {
		armed = 0;
		jumps++;
		siglongjmp(back, 1);
	}
}

static void *jumped(void *p)
{
	static const char *names[] = { "a", "some name", "a longer name that is read as well" };
	ready++;
	for (volatile long i = 0; !stop; i++) {
		if (sigsetjmp(back, 1)) {
			for (int k = 0; k < 3; k++) { /* shallower than what was left */
				works++;
				wrong += work(k) != k + 1;
			}
			continue;
		}
		armed = 1;
		for (int k = 0; k < 200; k++) {
			works++;
			wrong += work(k) != k + 1;
			works++;
			wrong += named(names[k % 3]) != names[k % 3][0];
			if (k % 16 == 0)
				deep(k % 7);
		}
		armed = 0;
	}
	/* whatever happened: from here on every call is told */
	for (int i = 0; i < 1000; i++)
		wrong += after(i) != i + 1;
	return 0;
}

static void storm(void *(*fn)(void *), int nthreads, int signals)
{
	pthread_t t[4];
	for (int i = 0; i < nthreads; i++)
		pthread_create(&t[i], 0, fn, 0);
	while (ready < nthreads)
		usleep(100);
	for (int i = 0; i < signals; i++) {
		struct timespec ts = { 0, 20000 };
		pthread_kill(t[i % nthreads], SIGUSR1);
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, 0);
	}
	stop = 1;
	for (int i = 0; i < nthreads; i++)
		pthread_join(t[i], 0);
}

/* SIGSEGV of the program's own making, in the middle of a hooked call. */
API long touch(volatile long *p) { return *p; }
static void *volatile nowhere;
static void segv(int s, siginfo_t *i, void *c)
{
	wrong += i->si_addr != nowhere || s != SIGSEGV;
	siglongjmp(back, 1);
}
static void faults(void)
{
	struct sigaction sa = { .sa_sigaction = segv, .sa_flags = SA_SIGINFO };
	long page = sysconf(_SC_PAGESIZE);
	char *none = mmap(0, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGSEGV, &sa, 0);
	for (volatile int i = 0; i < 5000; i++) {
		works++;
		work(1);
		nowhere = i % 2 ? none + 16 : (char *)8;
		if (!sigsetjmp(back, 1)) {
			wrong += touch(nowhere) != 12345; /* does not return */
			wrong++;
		}
	}
	munmap(none, page);
}

/* Handlers on an alternate stack as small as the kernel allows, and a little. */
static void small(int s)
{
	stack_t st;
	sigaltstack(0, &st);
	wrong += !(st.ss_flags & SS_ONSTACK);
	ticks++;
	wrong += tick(s) != s + 1;
}
static void *on_small(void *p)
{
	size_t size = sysconf(_SC_MINSIGSTKSZ) + 2048;
	long page = sysconf(_SC_PAGESIZE);
	char *m = mmap(0, 16 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t room = (size + page - 1) & -page;
	mprotect(m + page, room, PROT_READ | PROT_WRITE); /* below and above: nothing */
	stack_t st = { .ss_sp = m + page + room - size, .ss_size = size };
	wrong += sigaltstack(&st, 0) != 0;
	ready++;
	while (!stop) {
		works++;
		wrong += work(1) != 2;
	}
	sigset_t set;
	sigfillset(&set);
	pthread_sigmask(SIG_BLOCK, &set, 0);
	st.ss_flags = SS_DISABLE;
	sigaltstack(&st, 0);
	munmap(m, 16 * page);
	return 0;
}

/* Coroutines that a timer switches: a handler that leaves by swapcontext, out of
 * seam or not, and comes back where it was. */
static ucontext_t main_context, co[3];
static volatile int now_runs;
static volatile long switches;
static void preempt(int s)
{
	int was = now_runs, next = (was + 1) % 3;
	ticks++;
	wrong += tick(1) != 2;
	switches++;
	now_runs = next;
	swapcontext(&co[was], &co[next]);
}
static void routine(int k)
{
	for (;;) {
		works++;
		wrong += work(k) != k + 1;
		if (k == 0 && switches > 600)
			break;
	}
	struct itimerval off = { 0 };
	setitimer(ITIMER_REAL, &off, 0);
	signal(SIGALRM, SIG_IGN);
	setcontext(&main_context);
}
static void coroutines(void)
{
	static char stacks[3][65536];
	struct sigaction sa = { .sa_handler = preempt };
	sigaction(SIGALRM, &sa, 0);
	for (int i = 0; i < 3; i++) {
		getcontext(&co[i]);
		co[i].uc_stack.ss_sp = stacks[i];
		co[i].uc_stack.ss_size = sizeof stacks[i];
		makecontext(&co[i], (void (*)(void))routine, 1, i);
	}
	struct itimerval it = { { 0, 300 }, { 0, 300 } };
	setitimer(ITIMER_REAL, &it, 0);
	swapcontext(&main_context, &co[0]);
}

/* A profiler: the timer's signal comes to whoever runs, and the handler calls. */
static void sample(int s)
{
	ticks++;
	wrong += tick(s) != s + 1;
}
static void *burn(void *p)
{
	while (!stop) {
		works++;
		wrong += work(2) != 3;
	}
	return 0;
}
static void profiled(void)
{
	struct sigaction sa = { .sa_handler = sample, .sa_flags = SA_RESTART };
	struct itimerval it = { { 0, 1000 }, { 0, 1000 } }, off = { 0 };
	pthread_t t[2];
	sigaction(SIGPROF, &sa, 0);
	sigaction(SIGVTALRM, &sa, 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], 0, burn, 0);
	setitimer(ITIMER_PROF, &it, 0);
	setitimer(ITIMER_VIRTUAL, &it, 0);
	while (ticks < 60)
		usleep(1000);
	setitimer(ITIMER_PROF, &off, 0);
	setitimer(ITIMER_VIRTUAL, &off, 0);
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], 0);
}

/* Signals to the process: they come to a thread of the program's, none other. The
 * threads block them most of the time, so that the kernel looks for another taker. */
static int host[3];
static atomic_long elsewhere;
static void where(int s)
{
	int me = gettid(), ours = 0;
	for (int i = 0; i < 3; i++)
		ours |= host[i] == me;
	elsewhere += !ours;
	ticks++;
	wrong += tick(s) != s + 1;
}
static void *mostly_blocked(void *p)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	host[(long)p] = gettid();
	while (!stop) {
		pthread_sigmask(SIG_BLOCK, &set, 0);
		for (int i = 0; i < 500; i++) {
			works++;
			wrong += work(i) != i + 1;
		}
		pthread_sigmask(SIG_UNBLOCK, &set, 0);
	}
	return 0;
}
static void takers(void)
{
	struct sigaction sa = { .sa_handler = where, .sa_flags = SA_RESTART }; /* no SA_ONSTACK */
	pthread_t t[2];
	sigaction(SIGUSR1, &sa, 0);
	sigaction(SIGRTMIN, &sa, 0);
	host[0] = gettid();
	for (long i = 1; i < 3; i++)
		pthread_create(&t[i - 1], 0, mostly_blocked, (void *)i);
	while (!host[1] || !host[2])
		usleep(100);
	sigset_t set, old;
	sigfillset(&set);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	for (int i = 0; i < 1500; i++) {
		kill(getpid(), i % 2 ? SIGUSR1 : SIGRTMIN);
		usleep(50);
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], 0);
	pthread_sigmask(SIG_SETMASK, &old, 0);
	printf("elsewhere %ld\n", (long)elsewhere);
}

int main(int argc, char **argv)
{
	const char *m = argv[1];
	struct sigaction sa = { .sa_handler = jump };
	if (!strcmp(m, "jump")) {
		sigaction(SIGUSR1, &sa, 0);
		storm(jumped, 2, 2500);
	}
	if (!strcmp(m, "fault"))
		faults();
	if (!strcmp(m, "altstack")) {
		/* not SA_NODEFER: the stack has room for one handler */
		sa = (struct sigaction){ .sa_handler = small, .sa_flags = SA_ONSTACK | SA_RESTART };
		sigaction(SIGUSR1, &sa, 0);
		storm(on_small, 2, 2000);
	}
	if (!strcmp(m, "coroutines"))
		coroutines();
	if (!strcmp(m, "profiled"))
		profiled();
	if (!strcmp(m, "takers"))
		takers();
	fprintf(stderr, "work %ld tick %ld jumps %ld\n", (long)works, (long)ticks, (long)jumps);
	printf("wrong %ld\n", (long)wrong);
	return wrong != 0;
}
