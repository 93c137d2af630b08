/* A program for breakpoints: work(n) is where its threads wait. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

__attribute__((noinline, aligned(16))) int work(int n) /* patched while it runs: an instruction in one aligned word */
{
	__asm__ volatile("" ::: "memory");
	return n + 1000;
}

static void say(const char *what, int n)
{
	char line[64];
	int len = snprintf(line, sizeof line, "%s %d\n", what, n);
	if (write(1, line, len) != len)
		abort();
}

/* The next byte of the fifo that $GO names: the test says go on. */
static int go(void)
{
	static int fd = -1;
	unsigned char c;
	if (fd < 0 && (fd = open(getenv("GO"), O_RDWR)) < 0)
		abort();
	return read(fd, &c, 1) == 1 ? c : -1;
}

static void *one(void *arg)
{
	int n = (long)arg;
	char name[16];
	snprintf(name, sizeof name, "worker-%d", n);
	pthread_setname_np(pthread_self(), name);
	say("result", work(n));
	return 0;
}

static volatile int signals;
static void count(int sig) { signals++; }

static pthread_t main_thread;
static void *pester(void *unused)
{
	go(); /* when the main thread has been seen to wait */
	for (int i = 1; i <= 50; i++) {
		pthread_kill(main_thread, SIGUSR1);
		while (signals < i)
			usleep(100);
	}
	say("signals", signals);
	return 0;
}

static void forks(int sig) { signals = fork() == 0 ? 1 : 2; }

static sigjmp_buf out;
static void jumps(int sig) { siglongjmp(out, 1); }

/* Two accounts, each with its lock; a transfer takes both. */
static pthread_mutex_t locks[2] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };
__attribute__((noinline)) int lock_account(int id)
{
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 2;
	return pthread_mutex_timedlock(&locks[id], &end);
}
static void *transfer(void *arg)
{
	int from = (long)arg, to = !from;
	if (lock_account(from))
		abort();
	if (lock_account(to))
		say("deadlock: waited in vain for account", to);
	else {
		say("done", from);
		pthread_mutex_unlock(&locks[to]);
	}
	pthread_mutex_unlock(&locks[from]);
	return 0;
}

int main(int argc, char **argv)
{
	const char *mode = argv[1];
	int n = argc > 2 ? atoi(argv[2]) : 0;
	pthread_t t[160];
	main_thread = pthread_self();
	if (!strcmp(mode, "threads")) {
		for (int i = 0; i < n; i++)
			pthread_create(&t[i], 0, one, (void *)(long)i);
		for (int i = 0; i < n; i++)
			pthread_join(t[i], 0);
	} else if (!strcmp(mode, "forks")) {
		for (int i = 0; i < n; i++)
			if (fork() == 0) {
				one((void *)(long)i);
				_exit(0);
			}
		while (wait(0) > 0)
			;
	} else if (!strcmp(mode, "loop")) { /* until it is told 'q' */
		for (int i = 0; i < n; i++)
			say("result", work(i));
		for (int c; (c = go()) != 'q';)
			say("result", work(c));
	} else if (!strcmp(mode, "signals")) {
		struct sigaction a = { .sa_handler = count };
		sigaction(SIGUSR1, &a, 0);
		pthread_create(&t[0], 0, pester, 0);
		errno = 77;
		int got = work(1), err = errno;
		say("result", got);
		say("errno", err);
		pthread_join(t[0], 0);
	} else if (!strcmp(mode, "handler-forks")) {
		struct sigaction a = { .sa_handler = forks };
		sigaction(SIGUSR1, &a, 0);
		int got = work(1);
		if (signals == 1) {
			say("child", got);
			_exit(0);
		}
		wait(0);
		say("result", got);
	} else if (!strcmp(mode, "handler-jumps")) {
		struct sigaction a = { .sa_handler = jumps, .sa_flags = SA_NODEFER };
		sigaction(SIGUSR1, &a, 0);
		if (!sigsetjmp(out, 1))
			work(1);
		say("jumped", 0);
		say("result", work(2));
	} else if (!strcmp(mode, "exit")) { /* a thread waits, and the process ends */
		pthread_create(&t[0], 0, one, (void *)1);
		go();
		exit(3);
	} else if (!strcmp(mode, "fork-beside")) { /* a thread waits, and another forks */
		pthread_create(&t[0], 0, one, (void *)1);
		go();
		if (fork() == 0) {
			say("child", 0);
			one((void *)2);
			_exit(0);
		}
		wait(0);
		pthread_join(t[0], 0);
	} else if (!strcmp(mode, "cancel")) {
		pthread_create(&t[0], 0, one, (void *)1);
		go();
		pthread_cancel(t[0]);
		say("cancelled", 0);
		void *end;
		pthread_join(t[0], &end);
		say("ended by it", end == PTHREAD_CANCELED);
	} else if (!strcmp(mode, "bank")) {
		pthread_create(&t[0], 0, transfer, (void *)0);
		pthread_create(&t[1], 0, transfer, (void *)1);
		pthread_join(t[0], 0);
		pthread_join(t[1], 0);
	}
	return 0;
}
