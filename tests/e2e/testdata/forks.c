// forks TALLY HOW CALLS: getppid is called CALLS times by each process that HOW
// makes; all count. Prints nothing, so that no buffer is duplicated.
#define _GNU_SOURCE
#include "count.h"
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static struct tally *tally;
static long calls;
extern char **environ;

static void work(void)
{
	atomic_fetch_add(&tally->started, 1);
	for (long i = 0; i < calls; i++) {
		getppid();
		atomic_fetch_add(&tally->calls, 1);
	}
	atomic_fetch_add(&tally->ended, 1);
}

static void reap(int n)
{
	for (int status; n > 0; n--)
		if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 3)
			_exit(97);
}

static void wide(void) // eight children at once
{
	for (int i = 0; i < 8; i++)
		if (fork() == 0) {
			work();
			_exit(3);
		}
	work();
	reap(8);
}

static void nested(int depth) // each child has a child
{
	work();
	if (depth == 0)
		return;
	if (fork() == 0) {
		nested(depth - 1);
		_exit(3);
	}
	work();
	reap(1);
}

static void orphan(void) // the child works when its parent is gone
{
	int gone[2];
	char c;
	if (pipe(gone))
		_exit(96);
	work();
	if (fork() == 0) {
		close(gone[1]);
		if (read(gone[0], &c, 1) != 0)
			_exit(95);
		work();
		if (fork() == 0) { // and so does its own
			work();
			_exit(3);
		}
		reap(1);
		_exit(3);
	}
}

static void chain(char **argv, int left) // exec, again and again, same process
{
	char n[16];
	work();
	if (left == 0)
		_exit(3);
	snprintf(n, sizeof n, "%d", left - 1);
	execl(argv[0], argv[0], argv[1], "chain", argv[3], n, NULL);
	_exit(94);
}

static void spawn(char **argv) // vfork and posix_spawn, also of what does not exist
{
	char *child[] = {argv[0], argv[1], "plain", argv[3], NULL};
	char *const none[] = {"/nonexistent/program", NULL};
	pid_t pid;
	work();
	for (int i = 0; i < 4; i++) {
		pid = vfork();
		if (pid == 0) {
			getppid();
			execve(i % 2 ? argv[0] : none[0], child, environ);
			_exit(3);
		}
		atomic_fetch_add(&tally->calls, 1); // the child's getppid
		reap(1);
		if (posix_spawn(&pid, argv[0], NULL, NULL, child, environ))
			_exit(93);
		reap(1);
		if (posix_spawn(&pid, none[0], NULL, NULL, none, environ) == 0)
			_exit(92);
	}
}

int main(int argc, char **argv)
{
	tally = tally_open(argv[1]);
	calls = atol(argv[3]);
	if (!strcmp(argv[2], "wide"))
		wide();
	else if (!strcmp(argv[2], "nested"))
		nested(6);
	else if (!strcmp(argv[2], "orphan"))
		orphan();
	else if (!strcmp(argv[2], "chain"))
		chain(argv, argc > 4 ? atoi(argv[4]) : 5);
	else if (!strcmp(argv[2], "spawn"))
		spawn(argv);
	else
		work();
	return 3;
}
