// execs [STATIC SETUID]: executes itself in every way libc has, with an environment
// of its own that has nothing of seam's. Each program that is executed prints how it
// was, what of the environment arrived, and calls getppid once.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static char *self;
static char *clean[] = {"A=1", "LD_PRELOAD=libm.so.6 libdl.so.2", "SEAMLESS=x", "", 0};

static int set(const char *name) { return getenv(name) != 0; }

static int show(const char *how)
{
	const char *pre = getenv("LD_PRELOAD");
	getppid();
	printf("%s: A=%s SEAMLESS=%s ours=%d theirs=%d spec=%d socket=%d reader=%d filters=%d\n", how, getenv("A"), getenv("SEAMLESS"),
		pre && strstr(pre, "libseam.so"), pre && strstr(pre, "libm.so.6") && strstr(pre, "libdl.so.2"),
		set("SEAM_SPEC"), set("SEAM_SOCKET"), set("SEAM_READER"), set("SEAM_FILTERS"));
	return 0;
}

static void execute(const char *how)
{
	char *argv[] = {self, "show", (char *)how, 0};
	if (!strcmp(how, "execve"))
		execve(self, argv, clean);
	else if (!strcmp(how, "execle"))
		execle(self, self, "show", how, (char *)0, clean);
	else if (!strcmp(how, "execvpe"))
		execvpe(self, argv, clean);
	else if (!strcmp(how, "fexecve"))
		fexecve(open(self, O_RDONLY | O_CLOEXEC), argv, clean);
	else if (!strcmp(how, "execveat"))
		execveat(AT_FDCWD, self, argv, clean, 0);
	else if (!strcmp(how, "execveat-empty"))
		execveat(open(self, O_PATH | O_CLOEXEC), "", argv, clean, AT_EMPTY_PATH);
	else if (!strcmp(how, "syscall"))
		syscall(SYS_execve, self, argv, clean);
	else if (!strcmp(how, "syscall-at"))
		syscall(SYS_execveat, AT_FDCWD, self, argv, clean, 0);
	else if (!strcmp(how, "execv")) {
		environ = clean;
		execv(self, argv);
	} else if (!strcmp(how, "execvp")) {
		environ = clean;
		execvp(self, argv);
	} else if (!strcmp(how, "execl")) {
		environ = clean;
		execl(self, self, "show", how, (char *)0);
	}
	_exit(90);
}

static void wait_for(pid_t pid)
{
	int status;
	fflush(stdout);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		printf("failed: %d %x\n", pid, status);
}

static void *in_thread(void *how)
{
	pid_t pid = fork();
	if (pid == 0)
		execute(how);
	wait_for(pid);
	return 0;
}

static void spawn(char *program, char *how, char **env)
{
	char *argv[] = {program, "show", how, 0};
	pid_t pid;
	if (posix_spawn(&pid, program, 0, 0, argv, env) == 0)
		wait_for(pid);
	else
		printf("%s: can't\n", how);
}

int main(int argc, char **argv)
{
	static const char *ways[] = {"execve", "execle", "execvpe", "fexecve", "execveat", "execveat-empty", "syscall", "syscall-at", "execv", "execvp", "execl"};
	if (argc > 2 && !strcmp(argv[1], "show"))
		return show(argv[2]);
	self = argv[0];
	setvbuf(stdout, 0, _IOLBF, 0);
	for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
		pid_t pid = fork();
		if (pid == 0)
			execute(ways[i]);
		wait_for(pid);
	}
	for (int i = 0; i < 3; i++) { // the child shares our memory
		pid_t pid = vfork();
		if (pid == 0) {
			char *v[] = {self, "show", "vfork", 0};
			execve("/nonexistent/program", v, clean);
			execve(self, v, clean);
			_exit(91);
		}
		wait_for(pid);
	}
	pthread_t t;
	pthread_create(&t, 0, in_thread, "execve");
	pthread_join(t, 0);
	spawn(self, "posix_spawn", clean);
	char *v[] = {self, "show", "posix_spawnp", 0};
	pid_t pid;
	if (posix_spawnp(&pid, self, 0, 0, v, clean) == 0)
		wait_for(pid);

	char command[4200], **mine = environ;
	environ = clean;
	snprintf(command, sizeof command, "'%s' show system", self);
	if (system(command))
		printf("system failed\n");
	snprintf(command, sizeof command, "'%s' show popen", self);
	FILE *p = popen(command, "r");
	while (p && fgets(command, sizeof command, p))
		fputs(command, stdout);
	pclose(p);
	environ = mine;

	// what cannot be watched, and what does not fit
	if (argc > 1)
		spawn(argv[1], "static", clean);
	if (argc > 2)
		spawn(argv[2], "setuid", clean);
	static char *large[9000];
	for (int i = 0; i < 8998; i++)
		large[i] = i ? "B=2" : "A=1";
	spawn(self, "large", large);
	spawn(self, "null", 0);
	errno = 0;
	char **volatile nowhere = (char **)8;
	if (execve(self, argv, nowhere) != -1 || errno != EFAULT)
		printf("a bad environment: %d\n", errno);
	errno = 0;
	if (execve("/nonexistent/program", argv, clean) != -1 || errno != ENOENT)
		printf("no program: %d\n", errno);
	if (strcmp(clean[0], "A=1") || strcmp(clean[1], "LD_PRELOAD=libm.so.6 libdl.so.2") || clean[4])
		printf("the environment was changed\n");
	spawn(self, "own", environ);
	return 0;
}
