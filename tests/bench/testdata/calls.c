/* Times bursts of calls, with pauses in which a drainer can keep up, so that the
 * cost of the call is measured and not that of a full queue.
 *
 *   calls burst THREADS     prints "function median min" in ns per call, of thread 0
 *   calls sustain N         calls work_six N times, prints ns per call and the
 *                           CPU seconds of this thread and of the whole process
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

long work_six(long, long, long, long, long, long), work_ruled(long, long, long, long, long, long), work_chance(long, long, long, long, long, long),
	work_native(long, long, long, long, long, long), work_after(long, long, long, long, long, long), work_vectors(long, long, long, long, long, long),
	work_break(long, long, long, long, long, long), work_count(long, long),
	work_filtered(long, long), work_hist(long, long), work_plain(long, long);

enum { BURST = 2000, ROUNDS = 300, KINDS = 12, PAUSE_NS = 500000 };
static const char text[] = "a-string-of-exactly-32-bytes-ok!";
static const char *names[KINDS] = { "six", "string", "count", "filtered", "hist", "ruled", "chance", "native", "after", "vectors", "break", "plain" };
static pthread_barrier_t start;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}
static int order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void *bursts(void *arg)
{
	static double all[KINDS][ROUNDS];
	double mine[KINDS][ROUNDS], (*t)[ROUNDS] = arg ? all : mine;
	volatile long sink = 0;
	for (int r = 0; r < ROUNDS; r++)
		for (int k = 0; k < KINDS; k++) {
			/* busy, so that the core stays awake and its caches warm */
			for (double until = now() + PAUSE_NS; now() < until; )
				sink += work_plain(r, k);
			pthread_barrier_wait(&start);
			double t0 = now();
#define LOOP(call) for (long i = 0; i < BURST; i++) sink += call
			switch (k) {
			case 0: LOOP(work_six(i, 2, 3, 4, 5, 6)); break;
			case 1: LOOP((long)getenv(text)); break;
			case 2: LOOP(work_count(i, 2)); break;
			case 3: LOOP(work_filtered(i, 2)); break;
			case 4: LOOP(work_hist(i, 2)); break;
			case 5: LOOP(work_ruled(i, 2, 3, 4, 5, 6)); break;
			case 6: LOOP(work_chance(i, 2, 3, 4, 5, 6)); break;
			case 7: LOOP(work_native(i, 2, 3, 4, 5, 6)); break;
			case 8: LOOP(work_after(i, 2, 3, 4, 5, 6)); break;
			case 9: LOOP(work_vectors(i, 2, 3, 4, 5, 6)); break;
			case 10: LOOP(work_break(i, 2, 3, 4, 5, 6)); break;
			default: LOOP(work_plain(i, 2)); break;
			}
			t[k][r] = (now() - t0) / BURST;
		}
	if (arg)
		for (int k = 0; k < KINDS; k++) {
			qsort(t[k], ROUNDS, sizeof **t, order);
			printf("%s %.2f %.2f\n", names[k], t[k][ROUNDS / 2], t[k][ROUNDS / 50]);
		}
	return 0;
}

static double cpu(int who)
{
	struct rusage u;
	getrusage(who, &u);
	return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "burst")) {
		int n = atoi(argv[2]);
		clearenv(); /* getenv, of a 32-byte name, is then a call of a few ns with a string */
		pthread_t other[16];
		pthread_barrier_init(&start, 0, n);
		for (int i = 1; i < n && i < 16; i++)
			pthread_create(&other[i], 0, bursts, 0);
		bursts(&n);
		for (int i = 1; i < n && i < 16; i++)
			pthread_join(other[i], 0);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "sustain")) {
		long n = atol(argv[2]);
		volatile long sink = 0;
		double t0 = now();
		for (long i = 0; i < n; i++)
			sink += work_six(i, 2, 3, 4, 5, 6);
		double t = now() - t0;
		struct timespec tail = { 0, 300000000 };
		double mine = cpu(RUSAGE_THREAD);
		nanosleep(&tail, 0); /* let the agent finish, so that its time is all counted */
		printf("%.2f %.3f %.3f\n", t / n, mine, cpu(RUSAGE_SELF));
		return 0;
	}
	return 2;
}
