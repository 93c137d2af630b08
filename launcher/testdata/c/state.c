/* state: prints all that a process inherits; what is printed must not depend on
 * whether the process was started directly or by seam.
 *
 *	state                       print
 *	state odd program args...   make odd what can be, and execute program
 *	state wait                  print READY, then signals as they come, until SIGTERM
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void print(int argc, char **argv)
{
	char line[4096], path[300];
	FILE *out = fdopen(dup2(2, 200), "w"), *f; /* descriptor 1 may be closed */
	int i;

	for (i = 0; i < argc; i++)
		fprintf(out, "arg %s\n", argv[i]);
	for (i = 0; environ[i]; i++)
		fprintf(out, "env %s\n", environ[i]);
	f = fopen("/proc/self/status", "r");
	while (fgets(line, sizeof line, f))
		if ((!strncmp(line, "Sig", 3) && line[3] != 'Q') || !strncmp(line, "Shd", 3) || !strncmp(line, "Umask", 5) ||
		    !strncmp(line, "Threads", 7) || !strncmp(line, "NoNew", 5) || !strncmp(line, "Cpus_allowed:", 13) ||
		    !strncmp(line, "Cap", 3) || !strncmp(line, "Groups", 6) || !strncmp(line, "Uid", 3))
			fputs(line, out);
	fclose(f);
	f = fopen("/proc/self/limits", "r");
	while (fgets(line, sizeof line, f))
		fputs(line, out);
	fclose(f);
	fprintf(out, "pgrp %d sid %d nice %d sched %d\n", getpgrp(), getsid(0), nice(0), sched_getscheduler(0));
	fprintf(out, "cwd %s\n", getcwd(line, sizeof line));
	for (i = 0; i < 1024; i++) {
		if (i == 200)
			continue;
		int fl = fcntl(i, F_GETFL), fd = fcntl(i, F_GETFD);
		if (fl < 0)
			continue;
		snprintf(path, sizeof path, "/proc/self/fd/%d", i);
		ssize_t n = readlink(path, line, sizeof line - 1);
		line[n < 0 ? 0 : n] = 0;
		fprintf(out, "fd %d %s flags %o %d\n", i, line, fl, fd);
	}
	fflush(out);
}

static void make_odd(void)
{
	int ignore[] = { SIGPIPE, SIGQUIT, SIGUSR2, SIGTSTP, SIGURG, SIGPROF, SIGHUP, SIGXFSZ, SIGRTMIN + 3 };
	int block[] = { SIGUSR1, SIGCHLD, SIGWINCH, SIGPROF, SIGRTMIN + 5 };
	struct rlimit rl = { 777, 4000 };
	sigset_t set;
	unsigned i;

	for (i = 0; i < sizeof ignore / sizeof *ignore; i++)
		signal(ignore[i], SIG_IGN);
	if (getenv("ODD_CHLD"))
		signal(SIGCHLD, SIG_IGN);
	sigemptyset(&set);
	for (i = 0; i < sizeof block / sizeof *block; i++)
		sigaddset(&set, block[i]);
	sigprocmask(SIG_SETMASK, &set, 0);
	setrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max = 0;
	setrlimit(RLIMIT_CORE, &rl);
	umask(027);
	dup2(open("/dev/null", O_RDONLY), 77);
	open("/dev/zero", O_RDWR);
	if (getenv("ODD_CLOSED")) {
		close(0);
		close(1);
	}
}

static volatile sig_atomic_t done;

static void seen(int sig)
{
	char s[] = "GOT 00\n";
	s[4] += sig / 10;
	s[5] += sig % 10;
	if (write(1, s, sizeof s - 1) < 0 || sig == SIGTERM)
		done = 1;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "odd")) {
		make_odd();
		execv(argv[2], argv + 2);
		return 99;
	}
	if (argc > 1 && !strcmp(argv[1], "wait")) {
		int sigs[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGCONT, SIGRTMIN + 6 };
		struct sigaction sa = { .sa_handler = seen };
		sigset_t all, old;
		unsigned i;
		sigfillset(&sa.sa_mask);
		for (i = 0; i < sizeof sigs / sizeof *sigs; i++)
			sigaction(sigs[i], &sa, 0);
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, &old);
		printf("READY %d\n", getpid());
		fflush(stdout);
		while (!done)
			sigsuspend(&old);
		return 7;
	}
	print(argc, argv);
	return 0;
}
