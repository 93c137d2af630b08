/* Many threads, each making a known number of calls: threads MODE. */
#define _GNU_SOURCE
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
int main(int argc, char **argv)
{
	static pthread_t t[1000];
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
	} else if (!strcmp(m, "brief")) {
		for (int i = 0; i < 20000; i += 8) {
			for (int k = 0; k < 8; k++)
				if (pthread_create(&t[k], &a, brief, 0))
					return 1;
			for (int k = 0; k < 8; k++)
				pthread_join(t[k], 0);
		}
		printf("work %d", 100000);
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
