// worker [LIBRARY]: calls its own exported functions, and late_work of a library
// that it loads late. It prints how often it did what.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

__attribute__((noipa)) long do_work(long n, const char *what)
{
	volatile long sum = 0;
	for (long i = 0; i < n; i++)
		sum += i * (what[0] + 1);
	return sum;
}

static long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

__attribute__((noipa)) int slow_work(int ms)
{
	return ms ? poll(NULL, 0, ms) : 7;
}

int main(int argc, char **argv)
{
	long total = 0, slow = 0;
	for (long i = 0; i < 100; i++)
		total += do_work(i % 10, i % 2 ? "odd" : "even");
	printf("total %ld\n", total);
	for (int i = 0; i < 50; i++) {
		long t = now();
		slow_work(i % 25 ? 0 : 60);
		slow += now() - t >= 30000000;
	}
	printf("slow %ld\n", slow);
	for (int i = 0; i < 40; i++) {
		access(i % 4 ? "/etc/passwd" : "/etc/no-such-file", R_OK);
		access(i % 2 ? "/proc/self/stat" : "/nowhere/at/all", F_OK);
		lseek(-1, i, i % 3);
	}
	if (argc > 1) {
		void *lib = dlopen(argv[1], RTLD_NOW);
		int (*late)(int) = lib ? (int (*)(int))dlsym(lib, "late_work") : NULL;
		if (!late)
			abort();
		int n = 0;
		for (int i = 0; i < 30; i++)
			n += late(i);
		printf("late %d\n", n);
	}
	return 1;
}
