/* A child in a process id namespace of its own, whose threads have numbers that
 * mean other threads, or none, outside. ticks() is called 4,200 times. With an
 * argument the parent does not wait for it. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noipa, visibility("default"))) int ticks(int n) { return 3 * n + 12345; }

static void *busy(void *unused)
{
	for (int round = 0; round < 8; round++) {
		for (int i = 0; i < 100; i++)
			ticks(i);
		usleep(100000); /* whoever looks for dead threads looks meanwhile */
	}
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 0; i < 1000; i++)
		ticks(i);
	if (unshare(CLONE_NEWPID))
		return 77;
	pid_t pid = fork();
	if (pid == 0) {
		pthread_t t[4];
		for (int i = 0; i < 4; i++)
			pthread_create(&t[i], 0, busy, 0);
		for (int i = 0; i < 4; i++)
			pthread_join(t[i], 0);
		_exit(3);
	}
	if (argc > 1)
		return 3;
	int status;
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}
