/* failedfork: forks that the kernel refuses, then one that it does not. Prints what
 * errno was after each. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	struct rlimit was, none = { 0, 0 };
	getrlimit(RLIMIT_NPROC, &was);
	none.rlim_max = was.rlim_max;
	if (!getuid() && (setgid(65534) || setuid(65534))) /* root has no such limit */
		return 1;
	for (int i = 0; i < 3; i++) {
		pid_t pid;
		setrlimit(RLIMIT_NPROC, i < 2 ? &none : &was);
		errno = ENOTDIR;
		pid = fork();
		if (!pid)
			_exit(errno == ENOTDIR ? 5 : 6);
		printf("%s, %s", pid < 0 ? "refused" : "made", strerror(errno));
		int status = 0;
		if (pid > 0)
			waitpid(pid, &status, 0);
		printf(", %d\n", WEXITSTATUS(status));
	}
	return 0;
}
