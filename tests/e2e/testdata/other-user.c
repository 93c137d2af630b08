/* other-user N: two children become another user, as a server's workers do, and
 * call work N times each. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline, noipa, visibility("default"))) long work(long n) { return n + 1; }

int main(int argc, char **argv)
{
	long n = atol(argv[1]);
	for (int child = 0; child < 2; child++)
		if (!fork()) {
			if (setgid(65534) || setuid(65534))
				_exit(9);
			for (long i = 0; i < n; i++)
				work(i);
			_exit(0);
		}
	int status, wrong = 0;
	while (wait(&status) > 0)
		wrong |= status;
	printf("done %d\n", wrong);
	return 0;
}
