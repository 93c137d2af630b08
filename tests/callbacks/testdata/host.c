/* host.c: calls functions of libcb.so and says what came of it.
 *
 *   host FUNCTION COUNT [VALUE]   in order: one line for each result that differs from the one before
 *   host text                     pointers good and bad
 *   host children FUNCTION COUNT  the same in a child, and in a child of that
 *   host threads N COUNT          cb_many by N threads, COUNT times or more, while callbacks come and go 20 times or more
 *   host segv FUNCTION            with a handler of its own for SIGSEGV
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int cb_many(int), cb_control(int), cb_text(const char *);

static int (*find(const char *name))(int)
{
	char full[64];
	snprintf(full, sizeof full, "cb_%s", name);
	int (*f)(int) = (int (*)(int))dlsym(RTLD_DEFAULT, full);
	if (!f) {
		printf("no %s\n", full);
		exit(2);
	}
	return f;
}

/* Until callbacks run: the agent starts at the first call, which waits for it half a second at most. */
static pid_t warmed;
static void warm(void)
{
	if (warmed == getpid() || !getenv("LD_PRELOAD"))
		return; /* or there is none */
	warmed = getpid();
	for (int i = 0; i < 20000 && find("ping")(0) != 101; i++)
		usleep(1000);
}

static void series(const char *name, long count, int v)
{
	int (*f)(int) = find(name);
	int last_ret = 0, last_err = 0;
	long same = 0;
	warm();
	for (long i = 0; i < count; i++) {
		errno = 0;
		int ret = f(v), err = errno;
		if (i && (ret != last_ret || err != last_err)) {
			printf("%ld times %d %d\n", same, last_ret, last_err);
			same = 0;
		}
		same++;
		last_ret = ret;
		last_err = err;
	}
	printf("%ld times %d %d\n", same, last_ret, last_err);
	fflush(stdout);
}

static long each;
static volatile int running;
static volatile long turns;
static void *hammer(void *bad)
{
	for (long i = 0; i < each || turns < 40; i++) {
		int r = cb_many((int)i);
		if (r != i + 1 && r != i + 1001)
			++*(long *)bad;
	}
	__atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static void threads(int n, long count)
{
	pthread_t t[64];
	long bad[64] = { 0 }, all = 0;
	warm();
	each = count;
	running = n;
	for (int i = 0; i < n; i++)
		pthread_create(&t[i], 0, hammer, &bad[i]);
	while (__atomic_load_n(&running, __ATOMIC_SEQ_CST)) {
		cb_control(turns & 1);
		turns = turns + 1;
		usleep(200);
	}
	for (int i = 0; i < n; i++) {
		pthread_join(t[i], 0);
		all += bad[i];
	}
	cb_control(1);
	int on = cb_many(0);
	cb_control(0);
	int off = cb_many(0);
	printf("%ld wrong, on %d, off %d, %s\n", all, on, off, turns >= 40 ? "changed" : "never changed");
}

static sigjmp_buf out;
static volatile sig_atomic_t caught;
static volatile long where;
static void handler(int sig, siginfo_t *si, void *ctx)
{
	caught++;
	where = (long)si->si_addr;
	siglongjmp(out, 1);
}

/* As a virtual machine that finds its null pointers by the fault. */
static void segv(const char *name)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER }, was, now;
	warm();
	sigaction(SIGSEGV, &sa, &was);
	printf("before: %s\n", was.sa_handler == SIG_DFL ? "default" : "not default");
	for (int i = 0; i < 200; i++) {
		if (i % 50 == 0)
			find(name)(3);
		if (!sigsetjmp(out, 1))
			*(volatile int *)(long)(16 + i) = 1;
		else if (where != 16 + i)
			printf("address %lx\n", where);
	}
	sigaction(SIGSEGV, 0, &now);
	printf("caught %d, then %s\n", (int)caught, now.sa_sigaction == handler && now.sa_flags & SA_SIGINFO ? "the same" : "another");
	int r = find(name)(3);
	sigaction(SIGSEGV, &was, 0);
	sigaction(SIGSEGV, 0, &now);
	printf("%d, after: %s\n", r, now.sa_handler == SIG_DFL ? "default" : "not default");
	fflush(stdout);
	find(name)(3);
	*(volatile int *)24 = 1;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	if (!strcmp(argv[1], "text")) {
		char *p = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		mprotect(p + 4096, 4096, PROT_NONE);
		memset(p, 'x', 4096);
		warm();
		printf("%d %d %d %d %d\n", cb_text("hello"), cb_text(0), cb_text((char *)0xdead0000), cb_text(p + 4090), cb_text(p + 5000));
	} else if (!strcmp(argv[1], "children")) {
		series(argv[2], atol(argv[3]), 3);
		if (fork() == 0) {
			series(argv[2], atol(argv[3]), 3);
			if (fork() == 0) {
				series(argv[2], atol(argv[3]), 3);
				_exit(0);
			}
			wait(0);
			_exit(0);
		}
		wait(0);
	} else if (!strcmp(argv[1], "threads"))
		threads(atoi(argv[2]), atol(argv[3]));
	else if (!strcmp(argv[1], "cold")) { /* nobody answers: do not wait until somebody does */
		warmed = getpid();
		series(argv[2], atol(argv[3]), 3);
	} else if (!strcmp(argv[1], "segv"))
		segv(argv[2]);
	else {
		series(argv[1], atol(argv[2]), argc > 3 ? atoi(argv[3]) : 3);
		for (int i = 4; i + 1 < argc; i += 2)
			series(argv[i], atol(argv[i + 1]), 3);
	}
	return 0;
}
