/* forkwithin.c: a function that forks, and returns in both processes: what was measured of the call began in
 * another process. More children than there are places for what a thread has of its own: those of children that ended
 * are taken until somebody looks. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noipa)) int work(int n) { return n + 1; }

__attribute__((noipa)) int make_child(int n)
{
	pid_t pid = fork();
	if (pid)
		return pid;
	for (int i = 0; i < 3; i++)
		n = work(n);
	return 0;
}

int main(int argc, char **argv)
{
	int children = argc > 1 ? atoi(argv[1]) : 60, bad = 0;
	for (int i = 0; i < children; i++) {
		int status, pid = make_child(i);
		if (!pid)
			_exit(work(6));
		waitpid(pid, &status, 0);
		if (status != 7 << 8)
			bad++;
	}
	printf("%d children, %d did not end as they should\n", children, bad);
	return bad != 0;
}
