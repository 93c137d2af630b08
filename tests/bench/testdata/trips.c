/* trips.c: how long each of many calls takes: the median and the 99th of 100 parts, ns.
 *
 *   trips COUNT GAP    a call, then GAP microseconds of nothing
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int work_trip(int n);

static long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000l + t.tv_nsec;
}

static int order(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	long n = atol(argv[1]), gap = atol(argv[2]), *took = malloc(n * sizeof *took), wrong = 0;
	for (int i = 0; i < 5000 && work_trip(i) != i + 2; i++)
		usleep(1000); /* until the agent runs */
	for (long i = 0; i < n; i++) {
		if (gap)
			usleep(gap);
		long t0 = now();
		wrong += work_trip(i) != i + 2;
		took[i] = now() - t0;
	}
	qsort(took, n, sizeof *took, order);
	printf("%ld %ld %ld\n", took[n / 2], took[n * 99 / 100], wrong);
	return 0;
}
