/* Calls nwork.c's functions in the ways that the tests of callbacks want. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

int work(int n);
long work8(long a, long b, long c, long d, long e, long f, long g, long h);
extern jmp_buf nwork_env;

static void call(int n)
{
	errno = 77;
	int r = work(n);
	printf("%d %d %d\n", n, r, errno);
}

static void *many(void *n)
{
	long bad = 0;
	for (long i = 0; i < (long)n; i++)
		bad += work(i) != 2 * i;
	return (void *)bad;
}

static void *until(void *file)
{
	long bad = 0;
	while (access(file, F_OK)) {
		bad += (long)many((void *)100);
		usleep(500);
	}
	return (void *)bad;
}

static void *leaves(void *n)
{
	work((long)n);
	return (void *)1;
}

static volatile long handled, wrong;
static void handler(int s)
{
	int saved = errno;
	wrong += work(21) != 42;
	handled++;
	errno = saved;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, 0, _IOLBF, 0);
	if (!strcmp(argv[1], "basic")) {
		int n[] = { 1, 5, 6, 20, -3 };
		for (unsigned i = 0; i < sizeof n / sizeof *n; i++)
			call(n[i]);
		printf("%ld\n", work8(1, 2, 3, 4, 5, 6, 7, 8));
	} else if (!strcmp(argv[1], "many")) {
		printf("bad %ld\n", (long)many((void *)atol(argv[2])));
	} else if (!strcmp(argv[1], "fork")) {
		int me = getpid();
		call(2);
		call(3);
		if (getpid() != me) {
			call(4);
			_exit(7);
		}
		int st = 0;
		int pid = wait(&st);
		printf("child %d\n", pid > 0 && WIFEXITED(st) && WEXITSTATUS(st) == 7);
		call(5);
	} else if (!strcmp(argv[1], "jump")) {
		volatile long jumped = 0, bad = 0;
		for (volatile long i = 1; i < 400; i++) {
			if (setjmp(nwork_env))
				jumped++;
			else
				bad += work(i) != 2 * i;
		}
		pthread_t t;
		void *left = 0;
		pthread_create(&t, 0, leaves, (void *)5001);
		pthread_join(t, &left);
		bad += left != (void *)1;
		pthread_create(&t, 0, leaves, (void *)6001);
		usleep(20000);
		pthread_cancel(t);
		pthread_join(t, &left);
		printf("jumped %ld bad %ld cancelled %d\n", jumped, bad, left == PTHREAD_CANCELED);
	} else if (!strcmp(argv[1], "threads")) {
		pthread_t t[8];
		pthread_attr_t a;
		pthread_attr_init(&a);
		if (pthread_attr_setstacksize(&a, 16384))
			return 3;
		long bad = 0;
		for (int i = 0; i < 8; i++)
			if (pthread_create(&t[i], &a, many, (void *)1000))
				return 3;
		for (int i = 0; i < 8; i++) {
			void *v;
			pthread_join(t[i], &v);
			bad += (long)v;
		}
		printf("bad %ld\n", bad);
	} else if (!strcmp(argv[1], "until")) { /* 8 threads call, until a file is there */
		pthread_t t[8];
		long bad = 0;
		for (int i = 0; i < 8; i++)
			if (pthread_create(&t[i], 0, until, argv[2]))
				return 3;
		for (int i = 0; i < 8; i++) {
			void *v;
			pthread_join(t[i], &v);
			bad += (long)v;
		}
		printf("bad %ld\n", bad);
	} else if (!strcmp(argv[1], "signal")) {
		struct itimerval every = { { 0, 500 }, { 0, 500 } };
		signal(SIGALRM, handler);
		setitimer(ITIMER_REAL, &every, 0);
		long bad = 0;
		for (long i = 0; handled < 200; i = (i + 1) & 0xffff)
			bad += work(i) != 2 * i;
		memset(&every, 0, sizeof every);
		setitimer(ITIMER_REAL, &every, 0);
		printf("bad %ld\n", bad + wrong);
	} else if (!strcmp(argv[1], "files")) { /* the examples of docs/native.md */
		char b[10];
		int bad = open("/srv/none", O_WRONLY), err = errno, fd = open("/dev/zero", O_RDONLY);
		printf("%d %d, %d, %zd, ", bad, err, fd > 2, read(fd, b, sizeof b));
		printf("%zd\n", write(fd, b, 1));
	} else if (!strcmp(argv[1], "vfork")) {
		long bad = 0;
		for (int i = 0; i < 20; i++) {
			int pid = vfork();
			if (!pid)
				_exit(work(i) == 2 * i ? 0 : 1);
			int st = 1;
			waitpid(pid, &st, 0);
			bad += st != 0 || work(i) != 2 * i;
		}
		printf("bad %ld\n", bad);
	}
	return 0;
}
