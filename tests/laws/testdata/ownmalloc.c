/* ownmalloc: an allocator with a lock, and no handler of forks: right in a program
 * that has one thread when it forks, as AddressSanitizer's is. Whoever is not the
 * first thread stays in it for a while, so that a fork finds it held. Forks for as
 * many milliseconds as its argument says; each child allocates. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char heap[64 << 20] __attribute__((aligned(64)));
static size_t used;
static volatile int locked, others;

static void enter(void)
{
	while (__sync_lock_test_and_set(&locked, 1))
		syscall(SYS_sched_yield);
	if (syscall(SYS_gettid) != syscall(SYS_getpid)) {
		struct timespec t = { 0, 200000 };
		others++;
		syscall(SYS_nanosleep, &t, 0);
	}
}

void *malloc(size_t n)
{
	enter();
	char *p = heap + used;
	used += (n + 16 + 63) & ~63ul;
	__sync_lock_release(&locked);
	if (used > sizeof heap)
		return 0;
	*(size_t *)p = n;
	return p + 16;
}

void free(void *p)
{
	enter();
	__sync_lock_release(&locked);
}

void *calloc(size_t n, size_t each) { return malloc(n * each); } /* the heap is used once */

void *realloc(void *old, size_t n)
{
	void *p = malloc(n);
	if (p && old)
		memcpy(p, old, ((size_t *)old)[-2] < n ? ((size_t *)old)[-2] : n);
	return p;
}

static long ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	int n = 0, bad = 0, status;
	for (long until = ms() + atoi(argv[1]); ms() < until; n++) {
		pid_t child = fork();
		if (!child) {
			for (int i = 0; i < 20; i++) {
				getppid();
				free(malloc(i));
			}
			_exit(3);
		}
		if (waitpid(child, &status, 0) != child || status != 3 << 8)
			bad++;
	}
	printf("%s, %d bad\n", n > 0 ? "forked" : "did not fork", bad);
	if (argc > 2)
		fprintf(stderr, "%d forks, %d calls of other threads\n", n, others);
	return 0;
}
