/* Many threads, each making a known number of calls: threads MODE. */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#define API __attribute__((noinline, noipa, visibility("default")))
API long work(long n) { return n + 1; }
API long tick(long n) { return n + 1; }
static pthread_barrier_t here;
static atomic_long wrong, ticks, works;
static void *live(void *p)
{
	for (int i = 0; i < 3; i++)
		wrong += work(i) != i + 1;
	pthread_barrier_wait(&here);
	for (int i = 0; i < 7; i++)
		wrong += work(i) != i + 1;
	pthread_barrier_wait(&here);
	return 0;
}
static void *brief(void *p)
{
	for (int i = 0; i < 5; i++)
		wrong += work(i) != i + 1;
	return 0;
}
static void *busy(void *p)
{
	for (long i = 0; i < 300000; i++)
		wrong += work(i) != i + 1;
	return 0;
}
static volatile int stop;
static void handler(int s)
{
	for (int i = 0; i < 3; i++) {
		ticks++;
		wrong += tick(i) != i + 1;
	}
}
static void *stormed(void *p)
{
	for (long i = 0; !stop; i++) {
		works++;
		wrong += work(i) != i + 1;
	}
	return 0;
}

/* Cancelled in hooked calls that block: where they wait, or anywhere. What the
 * clean-up handlers call is recorded, too. */
static int pipes[2];
static void cleanup(void *p)
{
	works += 2;
	wrong += work(1) != 2;
	wrong += work(2) != 3;
}
static void *waits(void *p)
{
	char c;
	struct timespec ts = { 100, 0 };
	pthread_cleanup_push(cleanup, 0);
	switch ((long)p) {
	case 0: wrong += read(pipes[0], &c, 1) != -2; break;
	case 1: wrong += clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, 0) != -2; break;
	case 2: wrong += sigsuspend(&(sigset_t){ 0 }) != -2; break;
	default: {
		struct pollfd f = { pipes[0], POLLIN };
		wrong += poll(&f, 1, -1) != -2;
	} }
	wrong++; /* not reached */
	pthread_cleanup_pop(0);
	return 0;
}
static void *anywhere(void *p)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, 0);
	for (long i = 0;; i++)
		wrong += tick(i) != i + 1;
	return 0;
}
static void cancelled(pthread_t t)
{
	void *r;
	pthread_cancel(t);
	pthread_join(t, &r);
	wrong += r != PTHREAD_CANCELED;
}
static void cancels(void)
{
	pthread_t t;
	pipe(pipes);
	for (long i = 0; i < 400; i++) {
		pthread_create(&t, 0, waits, (void *)(i % 4));
		if (i % 8 < 4)
			usleep(50);
		cancelled(t);
	}
	for (long i = 0; i < 400; i++) {
		pthread_create(&t, 0, anywhere, 0);
		usleep(50);
		cancelled(t);
	}
}

/* More threads at once than there is room for. */
static void *crowd(void *p)
{
	for (int i = 0; i < 3; i++)
		wrong += work(i) != i + 1;
	pthread_barrier_wait(&here);
	wrong += work(1) != 2;
	pthread_barrier_wait(&here);
	return 0;
}

/* The first thread ends; the others go on, one after the other, and the last one's end is the
 * end of the process. */
static void *relay(void *p)
{
	long n = (long)p;
	pthread_t next;
	usleep(1000);
	for (int i = 0; i < 100; i++)
		wrong += work(i) != i + 1;
	if (n > 0 && !pthread_create(&next, 0, relay, (void *)(n - 1)))
		pthread_detach(next);
	if (n == 0) {
		printf("work 2100 wrong %ld\n", wrong);
		fflush(stdout);
	}
	return 0;
}

/* Names: of the program, set before and after the first call, by another thread. */
static atomic_int named, go_on;
static void *by_itself(void *p)
{
	pthread_setname_np(pthread_self(), "early");
	wrong += work(1) != 2;
	return 0;
}
static void *afterwards(void *p)
{
	wrong += work(1) != 2;
	pthread_setname_np(pthread_self(), "late");
	wrong += work(1) != 2;
	return 0;
}
static void *by_another(void *p)
{
	wrong += work(1) != 2;
	sleep(1); /* the drainer's to see, before it has a name of its own */
	named = 1;
	while (!go_on)
		usleep(100);
	wrong += work(1) != 2;
	sleep(3); /* the drainer's to see */
	wrong += work(1) != 2;
	return 0;
}
static void names(void)
{
	pthread_t t;
	wrong += work(1) != 2;
	void *(*each[])(void *) = { by_itself, afterwards };
	for (int i = 0; i < 2; i++) {
		pthread_create(&t, 0, each[i], 0);
		pthread_join(t, 0);
	}
	pthread_create(&t, 0, by_another, 0);
	while (!named)
		usleep(100);
	pthread_setname_np(t, "given");
	go_on = 1;
	pthread_join(t, 0);
	for (int i = 0; i < 8; i++) {
		pthread_create(&t, 0, by_itself, 0);
		pthread_join(t, 0);
	}
}

int main(int argc, char **argv)
{
	static pthread_t t[2500];
	pthread_attr_t a;
	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 65536);
	const char *m = argv[1];
	if (!strcmp(m, "live")) {
		pthread_barrier_init(&here, 0, 1001);
		for (int i = 0; i < 1000; i++)
			if (pthread_create(&t[i], &a, live, 0))
				return 1;
		pthread_barrier_wait(&here);
		pthread_barrier_wait(&here);
		for (int i = 0; i < 1000; i++)
			pthread_join(t[i], 0);
		printf("work %d", 10000);
	} else if (!strcmp(m, "crowd")) {
		pthread_barrier_init(&here, 0, 2501);
		pthread_attr_setstacksize(&a, 16384);
		for (int i = 0; i < 2500; i++)
			if (pthread_create(&t[i], &a, crowd, 0))
				return 1;
		pthread_barrier_wait(&here);
		pthread_barrier_wait(&here);
		for (int i = 0; i < 2500; i++)
			pthread_join(t[i], 0);
		usleep(200000); /* dead threads are looked for every 67 ms at the latest (REAP_EVERY in chunk.c) */
		for (int i = 0; i < 100; i++) /* there is room again */
			wrong += tick(i) != i + 1;
		printf("work %d tick 100", 10000);
	} else if (!strcmp(m, "cancel")) {
		cancels();
		printf("work %ld", works);
	} else if (!strcmp(m, "relay")) {
		pthread_t first;
		pthread_create(&first, 0, relay, (void *)20);
		pthread_detach(first);
		pthread_exit(0);
	} else if (!strcmp(m, "names")) {
		names();
		printf("work %d", 1 + 1 + 2 + 3 + 8);
	} else if (!strcmp(m, "brief")) {
		int n = argc > 2 ? atoi(argv[2]) : 20000;
		for (int i = 0; i < n; i += 8) {
			for (int k = 0; k < 8; k++)
				if (pthread_create(&t[k], &a, brief, 0))
					return 1;
			for (int k = 0; k < 8; k++)
				pthread_join(t[k], 0);
		}
		printf("work %d", 5 * n);
	} else if (!strcmp(m, "two")) {
		pthread_create(&t[0], 0, busy, 0);
		pthread_create(&t[1], 0, busy, 0);
		pthread_join(t[0], 0);
		pthread_join(t[1], 0);
		printf("work %d", 600000);
	} else if (!strcmp(m, "storm")) {
		struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };
		sigaction(SIGALRM, &sa, 0);
		sigaction(SIGUSR1, &sa, 0);
		for (int i = 0; i < 2; i++)
			pthread_create(&t[i], 0, stormed, 0);
		for (int i = 0; i < 6000; i++) {
			struct timespec ts = { 0, 50000 };
			pthread_kill(t[i % 2], SIGUSR1);
			clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, 0);
		}
		stop = 1;
		for (int i = 0; i < 2; i++)
			pthread_join(t[i], 0);
		printf("work %ld tick %ld", works, ticks);
	}
	printf(" wrong %ld\n", wrong);
	return 0;
}
