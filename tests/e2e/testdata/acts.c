/* Calls for rules to act on, and what becomes of them.
 *
 *   acts seq N          N writes of 10 bytes: "i result errno" each
 *   acts many T P N     P processes with T threads that each call access N times: how many failed
 *   acts codes          a call of each way to fail
 *   acts execs          ways to start /bin/true
 *   acts delay          a call, with signals meanwhile
 *   acts leave          calls that a signal handler, or a cancellation, leaves during their delay
 *   acts confined N     N calls under a filter that kills for a sleep
 *   acts getppid N      N calls
 *   acts hold N         N calls and how many were odd, again and again until there is a file "stop"
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

extern char **environ;
static long calls;
static struct { long failed, wrong; } *sum;

static void *caller(void *arg)
{
	for (long i = 0; i < calls; i++) {
		errno = 77;
		int r = access("/", F_OK);
		if (r == -1 && errno == EBUSY)
			__atomic_add_fetch(&sum->failed, 1, __ATOMIC_RELAXED);
		else if (r != 0 || errno != 77)
			__atomic_add_fetch(&sum->wrong, 1, __ATOMIC_RELAXED);
	}
	return arg;
}

static void *nothing(void *arg) { return arg; }

static void codes(void)
{
	pthread_t t;
	struct addrinfo *list;
	errno = 77;
	int r = pthread_create(&t, 0, nothing, 0);
	printf("pthread_create %d %d\n", r, errno);
	errno = 77;
	r = getaddrinfo("127.0.0.1", 0, 0, &list);
	printf("getaddrinfo %d %d\n", r, errno);
	errno = 77;
	FILE *f = fopen("/etc/passwd", "r");
	printf("fopen %d %d\n", f != 0, errno);
	errno = 77;
	r = fork();
	if (r == 0)
		_exit(0);
	printf("fork %d %d\n", r, errno);
	errno = 77;
	r = vfork();
	if (r == 0)
		_exit(0);
	printf("vfork %d %d\n", r, errno);
	char *m = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strcpy(m, "/etc/passwd");
	errno = 77;
	r = munmap(m, 8192);
	printf("munmap %d %d %d\n", r, errno, access(m, F_OK));
	errno = 77;
	m = mmap(0, 12288, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	printf("mmap %d %d\n", m == MAP_FAILED, errno);
	errno = 77;
	m = malloc(123457);
	printf("malloc %d %d\n", m != 0, errno);
	errno = 77;
	r = posix_memalign((void **)&m, 64, 123457);
	printf("posix_memalign %d %d\n", r, errno);
}

static void execs(void)
{
	char *argv[] = { "true", 0 };
	pid_t pid;
	int status;
	errno = 0;
	int r = execve("/bin/true", argv, environ);
	printf("execve %d %d\n", r, errno);
	errno = 0;
	r = execlp("true", "true", (char *)0);
	printf("execlp %d %d\n", r, errno);
	r = posix_spawn(&pid, "/bin/true", 0, 0, argv, environ);
	printf("posix_spawn %d\n", r);
	status = system("true");
	printf("system %#x\n", status);
	FILE *p = popen("true", "r");
	printf("popen %#x\n", p ? pclose(p) : -1);
	if ((pid = vfork()) == 0) {
		execve("/bin/true", argv, environ);
		_exit(errno);
	}
	waitpid(pid, &status, 0);
	printf("vfork %d\n", WEXITSTATUS(status));
	fflush(stdout);
	if ((pid = fork()) == 0) {
		execv("/bin/true", argv);
		_exit(errno);
	}
	waitpid(pid, &status, 0);
	printf("fork %d\n", WEXITSTATUS(status));
}

static void confined(long n);
static volatile int ticks;
static void tick(int sig) { ticks++; (void)sig; }

static void delay(void)
{
	struct itimerval it = { { 0, 5000 }, { 0, 5000 } };
	struct timespec a, b;
	signal(SIGALRM, tick);
	setitimer(ITIMER_REAL, &it, 0);
	ticks = 0;
	errno = 77;
	clock_gettime(CLOCK_MONOTONIC, &a);
	int same = getppid() > 0;
	clock_gettime(CLOCK_MONOTONIC, &b);
	int e = errno, n = ticks;
	it = (struct itimerval){ 0 };
	setitimer(ITIMER_REAL, &it, 0);
	printf("%d %d %d %d\n", same, e, n > 0, (b.tv_sec - a.tv_sec) * 1e9 + b.tv_nsec - a.tv_nsec >= 60e6);
}

static sigjmp_buf away;
static void jump(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *u = context;
	(void)info;
	if (u->uc_mcontext.gregs[REG_RAX] == -EINTR) /* it came in a system call, which is the delay's */
		siglongjmp(away, sig);
}

static volatile int waiter;

static void *waits(void *arg)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, 0);
	waiter = syscall(SYS_gettid);
	getppid();
	return arg;
}

static void leave(void)
{
	struct itimerval it = { { 0, 3000 }, { 0, 3000 } };
	struct sigaction sa = { .sa_sigaction = jump, .sa_flags = SA_SIGINFO };
	char path[64], text[64] = "";
	pthread_t t;
	void *end = 0;
	volatile int left = 0;
	sigaction(SIGALRM, &sa, 0);
	setitimer(ITIMER_REAL, &it, 0);
	for (int i = 0; i < 20; i++) {
		if (sigsetjmp(away, 1)) {
			left++;
			continue;
		}
		getppid();
	}
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, 0);
	pthread_create(&t, 0, waits, 0);
	do { /* until it is in the delay's system call */
		FILE *f;
		snprintf(path, sizeof path, "/proc/self/task/%d/syscall", waiter);
		if (!waiter || !(f = fopen(path, "r")))
			continue;
		text[0] = 0;
		if (!fgets(text, sizeof text, f))
			text[0] = 0;
		fclose(f);
	} while (!waiter || atoi(text) != SYS_clock_nanosleep);
	pthread_cancel(t);
	pthread_join(t, &end);
	printf("%d %d\n", left, end == PTHREAD_CANCELED);
	pid_t pid = vfork();
	if (pid == 0)
		_exit(getpgrp() > 0 ? 7 : 8);
	int status;
	waitpid(pid, &status, 0);
	printf("%d\n", WEXITSTATUS(status));
	confined(1);
}

static void confined(long n)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_nanosleep, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_readlink, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = { sizeof code / sizeof *code, code };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0))
		_exit(90);
	for (long i = 0; i < n; i++)
		if (getppid() < 0)
			_exit(91);
	printf("alive\n");
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	long n = argc > 2 ? atol(argv[2]) : 0;
	if (!strcmp(how, "seq")) {
		int fd = open("out", O_RDWR | O_CREAT | O_TRUNC, 0600);
		for (long i = 1; i <= n; i++) {
			errno = 0;
			long r = pwrite(fd, "0123456789", 10, 0);
			printf("%ld %ld %d\n", i, r, errno);
		}
	} else if (!strcmp(how, "many") && argc == 5) {
		calls = atol(argv[4]);
		sum = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		for (long p = 0; p < atol(argv[3]); p++)
			if (fork() == 0) {
				pthread_t t[16];
				for (long i = 0; i < n; i++)
					pthread_create(&t[i], 0, caller, 0);
				for (long i = 0; i < n; i++)
					pthread_join(t[i], 0);
				_exit(0);
			}
		while (wait(0) > 0)
			;
		printf("%ld %ld\n", sum->failed, sum->wrong);
	} else if (!strcmp(how, "codes"))
		codes();
	else if (!strcmp(how, "execs"))
		execs();
	else if (!strcmp(how, "delay"))
		delay();
	else if (!strcmp(how, "leave"))
		leave();
	else if (!strcmp(how, "confined"))
		confined(n);
	else if (!strcmp(how, "getppid") || !strcmp(how, "hold")) {
		int again;
		do {
			struct timespec nap = { 0, 10000000 };
			long odd = 0;
			for (long i = 0; i < n; i++)
				odd += getppid() == 12345;
			printf("%ld\n", odd);
			fflush(stdout);
			again = !strcmp(how, "hold") && access("stop", F_OK);
			if (again)
				nanosleep(&nap, 0);
		} while (again);
	} else
		return 2;
	return 0;
}
