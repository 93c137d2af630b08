/* The program that all tools are measured with.
 *
 *   field bursts THREADS BURST ROUNDS   prints "function median min", ns per call, of thread 0
 *   field sustain FUNCTION N            N calls at full rate, prints ns per call
 *   field kill FUNCTION N               the same, then SIGKILL for itself
 *   field fork FUNCTION N CHILDREN      the same in each of CHILDREN processes that live at once
 *   field dlsym N                       work_six by a pointer from dlsym(RTLD_DEFAULT)
 *   field late PLUGIN N                 work_six by a library that is loaded now
 *   field threads N THREADS             N calls in all, by THREADS threads
 *   field string LENGTH N               getenv of a name of that length
 *   field memory N                      N calls, then the process's own VmHWM, VmRSS, Pss in KiB
 *
 * In bursts a pause follows each, in which a drainer can keep up: so the call is measured
 * and not a full queue. Only thread 0 is busy meanwhile, so that its core stays awake. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

long work_six(long, long, long, long, long, long);

enum { KINDS = 4, MAX_ROUNDS = 1000, MAX_THREADS = 256 };
static const char *const names[KINDS] = { "work_six", "getenv", "write", "sqlite3_step" };
static const char text[] = "a-string-of-exactly-32-bytes-ok!";
static const uint64_t pause_ticks = 1500000; /* half a millisecond or so */
static pthread_barrier_t start;
static int threads, burst, rounds, null;

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
static void die(const char *what)
{
	perror(what);
	exit(3);
}
static int kind(const char *name)
{
	for (int k = 0; k < KINDS; k++)
		if (!strcmp(name, names[k]))
			return k;
	fprintf(stderr, "field: no function %s\n", name);
	exit(2);
}

static sqlite3_stmt *prepared(void)
{
	sqlite3 *db;
	sqlite3_stmt *st;
	if (sqlite3_open(":memory:", &db) ||
	    sqlite3_exec(db, "pragma journal_mode = off; create table t(a, b); begin", 0, 0, 0) ||
	    sqlite3_prepare_v2(db, "insert into t values(1, 'two')", -1, &st, 0))
		die("sqlite");
	return st;
}

/* One loop for each function: nothing but the call is in it. A step that is done starts again by itself. */
static void calls(int k, long n, sqlite3_stmt *st)
{
	volatile long sink = 0;
	switch (k) {
	case 0:
		for (long i = 0; i < n; i++)
			sink += work_six(i, 2, 3, 4, 5, 6);
		break;
	case 1:
		for (long i = 0; i < n; i++)
			sink += (long)getenv(text);
		break;
	case 2:
		for (long i = 0; i < n; i++)
			sink += write(null, text, sizeof text);
		break;
	default:
		for (long i = 0; i < n; i++)
			sink += sqlite3_step(st);
	}
}

static void *bursts(void *arg)
{
	double (*t)[MAX_ROUNDS] = calloc(KINDS, sizeof *t);
	sqlite3_stmt *st = prepared();
	for (int r = 0; r < rounds; r++)
		for (int k = 0; k < KINDS; k++) {
			for (uint64_t until = __builtin_ia32_rdtsc() + pause_ticks; arg && __builtin_ia32_rdtsc() < until; )
				;
			if (threads > 1)
				pthread_barrier_wait(&start);
			double t0 = now();
			calls(k, burst, st);
			t[k][r] = (now() - t0) / burst;
		}
	for (int k = 0; arg && k < KINDS; k++) {
		qsort(t[k], rounds, sizeof **t, order);
		printf("%s %.2f %.2f\n", names[k], t[k][rounds / 2], t[k][rounds / 50]);
	}
	return 0;
}

static long each;
static void *share(void *arg)
{
	pthread_barrier_wait(&start);
	calls(0, each, arg);
	return 0;
}

static void print_memory(void)
{
	static const char *const files[] = { "/proc/self/status", "/proc/self/smaps_rollup" };
	static const char *const keys[] = { "VmHWM:", "VmRSS:", "Pss:" };
	for (int f = 0; f < 2; f++) {
		FILE *in = fopen(files[f], "r");
		char line[256];
		while (in && fgets(line, sizeof line, in))
			for (int k = 0; k < 3; k++)
				if (!strncmp(line, keys[k], strlen(keys[k])))
					printf("%ld ", atol(line + strlen(keys[k])));
		if (in)
			fclose(in);
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	long n = atol(argv[argc - 1]);
	null = open("/dev/null", O_WRONLY);
	if (!strcmp(what, "bursts") && argc == 5) {
		threads = atoi(argv[2]), burst = atoi(argv[3]), rounds = atoi(argv[4]);
		if (threads < 1 || threads > MAX_THREADS || rounds < 1 || rounds > MAX_ROUNDS)
			return 2;
		clearenv(); /* getenv is then a call of a few ns */
		pthread_t other[MAX_THREADS];
		pthread_barrier_init(&start, 0, threads);
		for (int i = 1; i < threads; i++)
			if (pthread_create(&other[i], 0, bursts, 0))
				die("pthread_create");
		bursts(&n);
		for (int i = 1; i < threads; i++)
			pthread_join(other[i], 0);
		return 0;
	}
	if ((!strcmp(what, "sustain") || !strcmp(what, "kill")) && argc == 4) {
		int k = kind(argv[2]);
		sqlite3_stmt *st = prepared();
		double t0 = now();
		calls(k, n, st);
		if (*what == 'k')
			kill(getpid(), SIGKILL);
		printf("%.2f\n", (now() - t0) / n);
		return 0;
	}
	if (!strcmp(what, "fork") && argc == 5) {
		int k = kind(argv[2]), gate[2], bad = 0;
		sqlite3_stmt *st = prepared();
		if (pipe(gate))
			die("pipe");
		double t0 = now();
		for (long i = 0; i < n; i++) {
			pid_t p = fork();
			if (p < 0)
				die("fork");
			if (!p) { /* until all are there */
				char c;
				close(gate[1]);
				if (read(gate[0], &c, 1))
					_exit(3);
				calls(k, atol(argv[3]), st);
				_exit(0);
			}
		}
		close(gate[1]);
		for (int status; wait(&status) > 0; )
			bad |= status;
		printf("%.2f\n", (now() - t0) / n);
		return bad != 0;
	}
	if (!strcmp(what, "dlsym")) {
		long (*p)(long, long, long, long, long, long) = dlsym(RTLD_DEFAULT, "work_six");
		volatile long sink = 0;
		for (long i = 0; p && i < n; i++)
			sink += p(i, 2, 3, 4, 5, 6);
		return !p;
	}
	if (!strcmp(what, "late") && argc == 4) {
		void *h = dlopen(argv[2], RTLD_LAZY);
		void (*go)(long) = h ? dlsym(h, "plugin_go") : 0;
		if (!go) {
			fprintf(stderr, "field: %s\n", dlerror());
			return 3;
		}
		go(n);
		return 0;
	}
	if (!strcmp(what, "threads") && argc == 4) {
		if (n < 1 || n > MAX_THREADS)
			return 2;
		each = atol(argv[2]) / n;
		pthread_t all[MAX_THREADS];
		pthread_attr_t small;
		pthread_attr_init(&small);
		pthread_attr_setstacksize(&small, 128 << 10);
		pthread_barrier_init(&start, 0, n + 1);
		for (long i = 0; i < n; i++)
			if (pthread_create(&all[i], &small, share, 0))
				die("pthread_create");
		double t0 = now(); /* before: the others may be done when this one goes on */
		pthread_barrier_wait(&start);
		for (long i = 0; i < n; i++)
			pthread_join(all[i], 0);
		printf("%.2f\n", (now() - t0) / (each * n));
		return 0;
	}
	if (!strcmp(what, "string") && argc == 4) {
		long length = atol(argv[2]);
		char *name = malloc(length + 1);
		memset(name, 'x', length);
		name[length] = 0;
		clearenv();
		volatile long sink = 0;
		double best = 1e18;
		for (int r = 0; r < 50; r++) {
			for (uint64_t until = __builtin_ia32_rdtsc() + pause_ticks; __builtin_ia32_rdtsc() < until; )
				;
			double t0 = now();
			for (long i = 0; i < n; i++)
				sink += (long)getenv(name);
			double t = (now() - t0) / n;
			best = t < best ? t : best;
		}
		printf("%.2f\n", best);
		return 0;
	}
	if (!strcmp(what, "memory")) {
		calls(0, n, 0);
		print_memory();
		return 0;
	}
	fprintf(stderr, "field: see field.c\n");
	return 2;
}
