/* A program for the sanitizers: threads, files, a fork, then one of the faults
 * they look for. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *worker(void *arg)
{
	for (int i = 0; i < 500; i++) {
		char *p = malloc(64 + i % 100);
		strcpy(p, "/etc/passwd");
		int fd = open(p, O_RDONLY);
		if (fd < 0 || read(fd, p, 30) != 30 || close(fd))
			abort();
		free(p);
	}
	return arg;
}

static long shared;
static void *race(void *arg)
{
	shared++;
	return arg;
}

int main(int argc, char **argv)
{
	const char *fault = argc > 1 ? argv[1] : "";
	pthread_t t[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], 0, worker, 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], 0);
	pid_t child = fork();
	if (!child) {
		worker(0);
		_exit(open("/nonexistent", O_RDONLY) < 0 ? errno : 0);
	}
	int status;
	waitpid(child, &status, 0);
	printf("child %d\n", WEXITSTATUS(status));
	fflush(stdout);
	volatile char *q = malloc(10);
	volatile int big = 2147483647;
	if (!strcmp(fault, "overflow"))
		q[10] = 1;
	if (!strcmp(fault, "free")) {
		free((void *)q);
		q[0] = 1;
	}
	if (!strcmp(fault, "leak"))
		q = 0;
	if (!strcmp(fault, "integer"))
		big += argc;
	if (!strcmp(fault, "race")) {
		for (int i = 0; i < 2; i++)
			pthread_create(&t[i], 0, race, 0);
		for (int i = 0; i < 2; i++)
			pthread_join(t[i], 0);
	}
	free((void *)q);
	return 4;
}
