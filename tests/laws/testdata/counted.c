/* Says each signal it gets, and at SIGUSR2 how many there were. */
#include <signal.h>
#include <stdio.h>
int main(void)
{
	sigset_t all;
	int sig, n[65] = { 0 };
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, 0);
	puts("ready");
	fflush(stdout);
	while (!sigwait(&all, &sig)) {
		n[sig]++;
		if (sig == SIGUSR2)
			break;
		printf("%d\n", sig);
		fflush(stdout);
	}
	printf("term %d usr1 %d rt %d\n", n[SIGTERM], n[SIGUSR1], n[40]);
	return 0;
}
