/* ends TALLY PAIRS HOW CORE THREADS
 *
 * Itself run by seam, it runs itself PAIRS times in an environment without seam and PAIRS
 * times as it is, by turns. Each child makes
 * calls, tells the time, and ends as HOW says, while THREADS others go on calling.
 * With CORE it may leave a core file; the first of each side stays, as core.plain and core.watched.
 * Prints a line for each side: "plain" or "watched", each wait status and how often,
 * then the nanoseconds from the end to wait's return: sorted, all of them. */
#define _GNU_SOURCE
#include "tally.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define API __attribute__((noinline, noipa, visibility("default")))
#define CALLS 3000
API long logged(long n, const char *what) { return n + what[0]; }

extern char **environ;

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void *calling(void *slot)
{
	typeof(tally->slot[0]) *s = &tally->slot[(long)slot];
	for (long i = 0; !slot ? i < CALLS : 1; i++) {
		s->before[0]++;
		logged(i, "what");
		s->after[0]++;
	}
	return 0;
}

static void *ends_in_thread(void *unused)
{
	tally->word[0] = now();
	exit(7);
}

static int end(const char *how)
{
	pthread_t t;
	volatile int *nothing = 0;
	tally->word[0] = now();
	if (!strcmp(how, "return"))
		return 3;
	if (!strcmp(how, "exit"))
		exit(4);
	if (!strcmp(how, "_exit"))
		_exit(5);
	if (!strcmp(how, "quick_exit"))
		quick_exit(6);
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "SIGTERM"))
		kill(getpid(), SIGTERM);
	if (!strcmp(how, "SIGKILL"))
		kill(getpid(), SIGKILL);
	if (!strcmp(how, "SIGSEGV"))
		*nothing = 1;
	if (!strcmp(how, "last thread")) /* libc ends the process, when it counts right */
		pthread_exit(0);
	if (!strcmp(how, "exit in a thread") && !pthread_create(&t, 0, ends_in_thread, 0))
		pthread_join(t, 0);
	return 99;
}

static int child(const char *how, int core, int threads)
{
	struct rlimit none = { 0, 0 }, all = { RLIM_INFINITY, RLIM_INFINITY };
	pthread_t t;
	tally->slots = 1 + threads;
	setrlimit(RLIMIT_CORE, core ? &all : &none);
	for (long i = 1; i <= threads; i++)
		pthread_create(&t, 0, calling, (void *)i);
	calling(0);
	return end(how);
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(uint64_t *)a, y = *(uint64_t *)b;
	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	if (argc == 5) {
		tally_open(argv[1]);
		return child(argv[2], atoi(argv[3]), atoi(argv[4]));
	}
	int pairs = atoi(argv[2]), core = atoi(argv[4]), nstat[2] = { 0 }, k = 0;
	struct { int status, n; } stat[2][16];
	static uint64_t took[2][4096];
	static char plain[4096];
	static char *without[256];
	if (argc != 6 || pairs > 4096)
		return 2;
	for (char **e = environ; *e && k < 255; e++)
		if (strncmp(*e, "SEAM_", 5) && strncmp(*e, "LD_PRELOAD=", 11))
			without[k++] = *e;
	snprintf(plain, sizeof plain, "%s.plain", argv[1]);
	for (int i = 0; i < 2 * pairs; i++) {
		int watched = i & 1, status;
		tally_open(watched ? argv[1] : plain);
		pid_t p = fork();
		if (!p) {
			char *args[] = { argv[0], watched ? argv[1] : plain, argv[3], argv[4], argv[5], 0 };
			execve("/proc/self/exe", args, watched ? environ : without);
			_exit(97);
		}
		while (waitpid(p, &status, 0) < 0 && errno == EINTR)
			;
		took[watched][i / 2] = now() - tally->word[0];
		munmap(tally, sizeof *tally);
		for (k = 0; k < nstat[watched] && stat[watched][k].status != status; k++)
			;
		if (k == nstat[watched] && k < 16) {
			stat[watched][k].status = status;
			stat[watched][k].n = 0;
			nstat[watched]++;
		}
		if (k < 16)
			stat[watched][k].n++;
		if (core && i >= 2)
			unlink("core");
		else if (core)
			rename("core", watched ? "core.watched" : "core.plain");
	}
	for (int w = 0; w < 2; w++) {
		printf("%s", w ? "watched" : "plain");
		for (k = 0; k < nstat[w]; k++)
			printf(" %#x*%d", stat[w][k].status, stat[w][k].n);
		printf(" :");
		qsort(took[w], pairs, sizeof **took, by_size);
		for (int i = 0; i < pairs; i++)
			printf(" %llu", (unsigned long long)took[w][i]);
		printf("\n");
	}
	return 0;
}
