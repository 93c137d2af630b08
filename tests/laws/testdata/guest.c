/* A program that looks at what it owns: guest MODE. It says what it saw; seam
 * must change none of it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#define API __attribute__((noinline, noipa, visibility("default")))

API long work(long n) { return n + 1; }
API long fails(long n) { errno = n; return -1; }

/* Enough calls for a few hundred chunks: whoever starts on demand has started. */
static void load(void)
{
	for (int i = 0; i < 40000; i++)
		work(i);
	struct timespec t = { 0, 30000000 };
	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, 0);
}

static void status(const char *which)
{
	char path[64], line[256];
	snprintf(path, sizeof path, "/proc/self/%s", which);
	FILE *f = fopen(path, "r");
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, "SigQ", 4)) /* counts for all processes of the user */
			continue;
		else if (!strncmp(line, "Sig", 3) || !strncmp(line, "Shd", 3) || !strncmp(line, "Seccomp", 7) || !strncmp(line, "CapEff", 6))
			if (!strncmp(line, "SigCgt", 6)) /* 32 and 33: glibc's own, in any program with threads */
				printf("SigCgt %lx\n", strtoul(line + 7, 0, 16) & ~(3ul << 31));
			else
				fputs(line, stdout);
	fclose(f);
}

static void dispositions(void)
{
	for (int s = 1; s < 65; s == 31 ? s = 34 : s++) {
		struct { void *h; unsigned long flags; void *restorer; unsigned long mask; } a = { 0 };
		syscall(SYS_rt_sigaction, s, 0, &a, 8);
		if (a.h || a.flags)
			printf("%d: %lx flags %lx mask %lx\n", s, a.h == SIG_IGN ? 1ul : a.h ? 2ul : 0, a.flags, a.mask);
	}
	stack_t st;
	sigaltstack(0, &st);
	printf("altstack %d\n", st.ss_flags);
}

static volatile int got;
static void on(int s) { got++; }

static int signals(void)
{
	struct sigaction sa = { .sa_handler = on };
	sigaction(SIGSEGV, &sa, 0);
	sigaction(SIGCHLD, &sa, 0);
	sigaction(SIGURG, &sa, 0);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 2; i++) {
		status("status");
		dispositions();
		load();
	}
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGPROF);
	sigaddset(&set, SIGPIPE);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, 0);
	int n = 0, fd = signalfd(-1, &set, SFD_CLOEXEC);
	for (int i = 0; i < 200; i++) {
		struct signalfd_siginfo si;
		int sig = i % 3 == 0 ? SIGTERM : i % 3 == 1 ? SIGUSR2 : SIGRTMIN;
		kill(getpid(), sig);
		n += read(fd, &si, sizeof si) == sizeof si && si.ssi_signo == (unsigned)sig;
	}
	printf("signalfd %d\n", n);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, 0);
	for (n = 0; n < 20; n++) {
		struct itimerval it = { { 0, 0 }, { 0, 1000 } };
		struct timespec to = { 10, 0 };
		siginfo_t si;
		setitimer(ITIMER_REAL, &it, 0);
		for (int i = 0; i < 1000; i++)
			work(i);
		if (sigtimedwait(&set, &si, &to) != SIGALRM)
			break;
	}
	printf("sigwait %d\n", n);
	return 0;
}

static void list_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			printf(" %s", e->d_name);
	closedir(d);
	puts("");
}

static int fds(void)
{
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 300; i++) {
			int fd = open("/dev/null", O_RDONLY);
			if (fd != 3)
				printf("open gave %d\n", fd);
			close(fd);
		}
		list_fds();
		if (round == 0)
			load();
		if (round == 1)
			closefrom(3);
	}
	syscall(SYS_close_range, 3, ~0u, 0);
	load();
	list_fds();
	fflush(stdout);
	pid_t p = fork();
	if (!p) {
		execl("/bin/ls", "ls", "/proc/self/fd", (char *)0);
		_exit(9);
	}
	int st;
	waitpid(p, &st, 0);
	int pipes[2];
	char c;
	pipe(pipes);
	load();
	close(pipes[1]);
	printf("eof %zd\n", read(pipes[0], &c, 1)); /* nobody else holds the writing end */
	return 0;
}

/* A test that kills the agent names a file, which the agent removes as it dies:
 * the calls after that are the ones the test is about. */
static void wait_for_the_agents_death(void)
{
	const char *f = getenv("SEAM_TEST_CRASH");
	if (!f)
		return;
	while (!access(f, F_OK))
		usleep(1000);
	usleep(20000);
}

static int errnos(void)
{
	long wrong = 0;
	for (int i = 0; i < 60000; i++) {
		if (i == 30000)
			wait_for_the_agents_death();
		errno = 1000 + i % 7;
		work(i);
		wrong += errno != 1000 + i % 7;
		fails(1 + i % 50);
		wrong += errno != 1 + i % 50;
		if (i % 100 == 0) {
			wrong += open("/nonexistent/x", O_RDONLY) != -1 || errno != ENOENT;
			errno = 77;
			struct stat st;
			wrong += stat("/", &st) != 0 || errno != 77;
		}
	}
	printf("errno wrong %ld\n", wrong);
	return 0;
}

/* ---- pointers that cannot be read -------------------------------------- */

static char *none, *edge, *edge_nul;
static void *holes(void)
{
	char *m = mmap(0, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(m + 4096, 4096);
	mprotect(m + 3 * 4096, 4096, PROT_NONE);
	memset(m, 'a', 4096);
	memset(m + 8192, 'b', 4096);
	none = m + 3 * 4096;
	edge = m + 4096 - 6;      /* unterminated at the end of its page */
	edge_nul = m + 3 * 4096 - 6;
	strcpy(edge_nul, "/dev/");
	return m + 4096;
}
#define TRY(call) do { errno = 0; long r_ = (long)(call); printf("%s: %ld %d\n", #call, r_, errno); } while (0)
static int pointers(void)
{
	char *hole = holes();
	char *bad[] = { 0, (char *)1, (char *)4095, hole, none, edge, edge_nul, (char *)-1, (char *)-4096, (char *)0x800000000000, (char *)0xdeadbeefdeadbeef };
	for (int round = 0; round < 3; round++)
		for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
			char *b = bad[i];
			struct stat st;
			char *const av[] = { "x", b, 0 };
			printf("-- %u\n", i);
			TRY(open(b, O_RDONLY));
			TRY(openat(AT_FDCWD, b, O_RDONLY));
			TRY(access(b, 0));
			if (i != 6)
				TRY(stat("/", (struct stat *)b) && 0);
			TRY(stat(b, &st));
			TRY(lstat(b, &st));
			TRY(unlink(b));
			TRY(rename(b, b));
			TRY(mkdir(b, 0));
			TRY(chdir(b) && 0);
			TRY(readlink(b, b, 10));
			TRY(connect(0, (struct sockaddr *)b, 16));
			TRY(connect(-1, (struct sockaddr *)b, 1 << 30));
			TRY(bind(-1, (struct sockaddr *)b, 110));
			TRY(sendto(-1, b, 100, 0, (struct sockaddr *)b, 16));
			TRY(sendmsg(-1, (struct msghdr *)b, 0));
			TRY(recvmsg(-1, (struct msghdr *)b, 0));
			TRY(accept(-1, (struct sockaddr *)b, (socklen_t *)b));
			TRY(write(-1, b, 1ul << 62));
			TRY(read(-1, b, 1ul << 62));
			TRY(writev(-1, (struct iovec *)b, 3));
			TRY(readv(-1, (struct iovec *)b, 1 << 20));
			TRY(execve(b, (char **)b, (char **)b));
			TRY(execve("/nonexistent", (char **)av, (char **)av));
			TRY(execve("/nonexistent", (char **)b, 0));
			TRY(waitpid(-2, (int *)b, 0));
			TRY(pipe((int *)b) && 0);
		}
	return 0;
}

static char *volatile target;
static volatile int stop;
static void *unmapper(void *how)
{
	while (!stop) {
		char *m = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memset(m, '/', 8192);
		strcpy(m + 4096 - 8, "nowhere/at/all");
		target = m + 4096 - 8;
		for (volatile int i = 0; i < 300; i++)
			;
		switch ((long)how) {
		case 0: munmap(m, 8192); break;
		case 1: mprotect(m, 8192, PROT_NONE); munmap(m, 8192); break;
		case 2: m = mremap(m, 8192, 1 << 20, MREMAP_MAYMOVE); munmap(m, 1 << 20); break;
		case 3: mmap(m, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); munmap(m, 8192); break;
		}
	}
	return 0;
}
static void *opener(void *p)
{
	long n = 0;
	while (!stop) {
		int fd = open(target, O_RDONLY);
		n += fd >= 0;
		if (fd >= 0)
			close(fd);
	}
	return (void *)n;
}
static int unmaps(void)
{
	pthread_t t[6];
	long opened = 0;
	target = "/nowhere";
	for (long i = 0; i < 4; i++)
		pthread_create(&t[i], 0, unmapper, (void *)i);
	for (int i = 4; i < 6; i++)
		pthread_create(&t[i], 0, opener, 0);
	sleep(2);
	stop = 1;
	for (int i = 0; i < 6; i++) {
		void *r;
		pthread_join(t[i], &r);
		opened += i >= 4 ? (long)r : 0;
	}
	puts(opened >= 0 ? "alive" : "impossible"); /* how many is a matter of luck */
	return 0;
}

/* A name in a mapped file that another process cuts. */
static int truncated(const char *file)
{
	int go[2], done[2];
	char c;
	if (pipe(go) || pipe(done))
		return 1;
	pid_t p = fork();
	if (!p) {
		close(go[1]);
		while (read(go[0], &c, 1) == 1) {
			if (truncate(file, 0))
				_exit(1);
			write(done[1], "", 1);
		}
		_exit(0);
	}
	close(go[0]);
	for (int i = 0; i < 50; i++) {
		int fd = open(file, O_RDWR | O_CREAT, 0600);
		if (fd < 0 || pwrite(fd, "/nonexistent/name", 18, 0) != 18)
			return 1;
		char *m = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0);
		errno = 0;
		if (open(m, O_RDONLY) != -1 || errno != ENOENT)
			puts("before: wrong");
		write(go[1], "", 1);
		read(done[0], &c, 1);
		errno = 0;
		if (open(m, O_RDONLY) != -1 || errno != EFAULT)
			puts("after: wrong");
		munmap(m, 4096);
		close(fd);
	}
	close(go[1]);
	waitpid(p, 0, 0);
	puts("done");
	return 0;
}

/* A name in a library that was unloaded. */
static int unloaded(const char *lib)
{
	for (int i = 0; i < 20; i++) {
		void *h = dlopen(lib, RTLD_NOW);
		if (!h)
			return 1;
		const char *name = *(const char **)dlsym(h, "a_name");
		errno = 0;
		if (open(name, O_RDONLY) != -1 || errno != ENOENT)
			puts("before: wrong");
		dlclose(h);
		errno = 0;
		if (open(name, O_RDONLY) != -1 || errno != EFAULT)
			puts("after: wrong");
	}
	puts("done");
	return 0;
}

/* A name on a heap that was given back, and in memory unmapped by a bare system call. */
static int bare_unmap(void)
{
	for (int i = 0; i < 20; i++) {
		char *m = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		strcpy(m, "/nonexistent/x");
		open(m, O_RDONLY);
		syscall(SYS_munmap, m, 4096);
		errno = 0;
		if (open(m, O_RDONLY) != -1 || errno != EFAULT)
			puts("munmap: wrong");
		char *b = sbrk(8192);
		b = (char *)(((unsigned long)b + 8191) & ~4095ul) - 64;
		strcpy(b, "/nonexistent/y");
		open(b, O_RDONLY);
		sbrk(-8192);
	}
	puts("done");
	return 0;
}

/* ---- limits ------------------------------------------------------------- */

static void limit(int what, rlim_t n)
{
	struct rlimit r = { n, n };
	if (setrlimit(what, &r))
		exit(90);
}
static void *small(void *p)
{
	for (int i = 0; i < 3000; i++) {
		work(i);
		struct stat st;
		stat("/", &st);
		if (open("/nonexistent", O_RDONLY) >= 0)
			return 0;
	}
	return p;
}
static int stacks(void)
{
	long n = 0;
	pthread_attr_t a;
	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 16384);
	for (long i = 1; i <= 40; i++) {
		pthread_t t[4];
		for (int k = 0; k < 4; k++)
			if (pthread_create(&t[k], &a, small, (void *)i))
				return 1;
		for (int k = 0; k < 4; k++) {
			void *r;
			pthread_join(t[k], &r);
			n += (long)r;
		}
	}
	printf("small stacks %ld\n", n);
	return 0;
}

/* ---- ends --------------------------------------------------------------- */

static void *last(void *p)
{
	struct timespec t = { 0, 100000000 };
	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, 0);
	load();
	puts("last");
	return 0;
}
static void said(void) { puts("atexit"); fflush(stdout); }
static int ends(const char *how)
{
	load();
	setvbuf(stdout, 0, _IOLBF, 0);
	atexit(said);
	at_quick_exit(said);
	if (!strcmp(how, "return")) return 41;
	if (!strcmp(how, "exit")) exit(42);
	if (!strcmp(how, "_exit")) _exit(43);
	if (!strcmp(how, "quick_exit")) quick_exit(44);
	if (!strcmp(how, "abort")) abort();
	if (!strcmp(how, "term")) kill(getpid(), SIGTERM);
	if (!strcmp(how, "segv")) *(volatile int *)8 = 1;
	if (!strcmp(how, "kill")) kill(getpid(), SIGKILL);
	if (!strcmp(how, "last")) { pthread_t t; pthread_create(&t, 0, last, 0); pthread_detach(t); pthread_exit(0); }
	if (!strcmp(how, "main")) pthread_exit(0);
	return 99;
}

/* ---- sandboxes ---------------------------------------------------------- */

#define ALLOW(n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, n, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
/* Five system calls are allowed, to the letter, and three for fork; `other` is what
 * becomes of the rest. */
static int filter(unsigned other, unsigned flags, int fork)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(SYS_read), ALLOW(SYS_write), ALLOW(SYS_exit), ALLOW(SYS_exit_group), ALLOW(SYS_rt_sigreturn),
		ALLOW(fork ? SYS_clone : SYS_read), ALLOW(fork ? SYS_set_robust_list : SYS_read), ALLOW(fork ? SYS_wait4 : SYS_read),
		BPF_STMT(BPF_RET | BPF_K, other),
	};
	struct sock_fprog p = { sizeof code / sizeof *code, code };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return flags == ~0u ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0) : syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}

/* What is written without any memory management: a system call nobody foresaw would show. */
static void put(const char *what, long n)
{
	char b[80];
	int k = 0;
	while (*what)
		b[k++] = *what++;
	b[k++] = ' ';
	char digits[20];
	int d = 0;
	unsigned long v = n < 0 ? -n : n;
	if (n < 0)
		b[k++] = '-';
	do
		digits[d++] = '0' + v % 10;
	while (v /= 10);
	while (d)
		b[k++] = digits[--d];
	b[k++] = '\n';
	if (write(1, b, k) != k)
		syscall(SYS_exit_group, 9);
}

API long did(long n) { return n + 2; }

/* All that a confined program may do, enough of it for several chunks. */
static long confined_work(void)
{
	long n = 0;
	char b[4], *volatile unmapped = (char *)0x10000;
	for (int i = 0; i < 3000; i++) {
		n += work(i) + did(i) == 2 * i + 3;
		errno = 0;
		n += fails(7) == -1 && errno == 7;
		n += read(-1, b, 4) == -1 && errno == EBADF;
		n += write(-1, unmapped, 4) == -1 && errno == EBADF;
	}
	return n;
}

static volatile int others_run, others_go;
static volatile long others[3];
static void *other(void *p)
{
	__atomic_add_fetch(&others_run, 1, __ATOMIC_SEQ_CST);
	while (!others_go)
		work(1);
	long n = confined_work();
	for (*(volatile long *)p = n;;)
		__builtin_ia32_pause(); /* a thread's end is not among the five */
}

/* Its outer calls are under way when the rule comes: they return under it. */
API long work_and(int (*f)(void)) { volatile long none[4] = { 0 }; return f() + none[1]; }
static int strict(void) { return prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0); }
static int no_tsc(void) { return prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0); }
static int killing(void) { return filter(SECCOMP_RET_KILL_PROCESS, ~0u, 0); }
static int by_number(void) { return filter(SECCOMP_RET_KILL_PROCESS, 0, 0); }
static int refusing(void) { return filter(SECCOMP_RET_ERRNO | ENOSYS, ~0u, 0); }
static int forking(void) { return filter(SECCOMP_RET_KILL_PROCESS, ~0u, 1); }
static int for_all(void) { return filter(SECCOMP_RET_KILL_PROCESS, SECCOMP_FILTER_FLAG_TSYNC, 0); }
static int landlocked(void)
{
	struct { unsigned long fs; } attr = { 1 << 1 /* write to files */ };
	int fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	if (fd < 0)
		return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); /* a kernel without it */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_landlock_restrict_self, fd, 0))
		return -1;
	return close(fd);
}
static int uncapable(void)
{
	struct { unsigned version; int pid; } head = { 0x20080522, 0 };
	struct { unsigned e, p, i; } none[2] = { { 0 } };
	return capset(&head, none);
}
/* The questions that libraries ask to find out what the kernel can do. */
static int asking(void)
{
	int n = 0;
	for (int i = 0; i < 10; i++) {
		n += prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0, 0, 0) == -1 && errno == EFAULT;
		n += syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, 0) == -1 && errno == EINVAL;
		n += syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, 0) == -1 && errno == EFAULT;
	}
	return n;
}
/* A filter that the kernel does not take: nothing is forbidden. */
static int refused(void)
{
	struct sock_fprog p = { 0, 0 };
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0) == -1 && errno == EINVAL;
}

static int outside(void)
{
	/* threads of this process that are not under the rule of this one */
	char path[64], line[256], mine[256] = "";
	int n = 0;
	for (int round = 0; round < 2; round++) {
		DIR *d = opendir("/proc/self/task");
		struct dirent *e;
		while ((e = readdir(d))) {
			if (e->d_name[0] == '.' || (round == 0) != (atoi(e->d_name) == gettid()))
				continue;
			snprintf(path, sizeof path, "/proc/self/task/%s/status", e->d_name);
			FILE *f = fopen(path, "r");
			while (f && fgets(line, sizeof line, f))
				if (!strncmp(line, "CapEff", 6)) {
					if (round == 0)
						strcpy(mine, line);
					else
						n += strcmp(mine, line) != 0;
				}
			if (f)
				fclose(f);
		}
		closedir(d);
	}
	return n;
}

static int sandbox(const char *how)
{
	static const struct { const char *how; int (*f)(void); int threads, forks; } all[] = {
		{ "strict", strict }, { "tsc", no_tsc }, { "kill", killing }, { "seccomp", by_number }, { "errno", refusing },
		{ "tsync", for_all, 3 }, { "tsync-alone", for_all }, { "threads", killing, 2 }, { "fork", forking, 0, 1 },
		{ "landlock", landlocked }, { "capset", uncapable }, { "asking", asking }, { "refused", refused },
	};
	pthread_t t[3];
	load();
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		if (strcmp(how, all[i].how))
			continue;
		for (int k = 0; k < all[i].threads; k++)
			if (pthread_create(&t[k], 0, other, (void *)&others[k]))
				return 91;
		while (others_run < all[i].threads) /* a thread's start is not among the five either */
			__builtin_ia32_pause();
		put("before", confined_work());
		long r = work_and(all[i].f);
		others_go = 1;
		put(how, r);
		put("after", confined_work());
		if (!strcmp(how, "capset"))
			put("outside", outside());
		if (!strcmp(how, "tsc") || !strcmp(how, "asking") || !strcmp(how, "refused") || !strcmp(how, "landlock")) {
			load(); /* an agent may start again */
			for (int k = 0; k < 100; k++)
				access("/nonexistent", 0);
		}
		for (int k = 0; k < all[i].threads; k++) {
			while (!others[k])
				__builtin_ia32_pause();
			put("thread", others[k]);
		}
		if (all[i].forks) {
			int st = 0;
			pid_t p = fork();
			if (p == 0) {
				put("child", confined_work());
				_exit(5);
			}
			put("ended", waitpid(p, &st, 0) == p ? WEXITSTATUS(st) : -1);
		}
		if (strcmp(how, "strict"))
			_exit(17);
		syscall(SYS_exit, 17);
	}
	return 97;
}

/* ---- the agent's own threads, told by what they are not ----------------- */

static int agent(void)
{
	load();
	int tid = gettid(), threads = 0, open_masks = 0;
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		threads++;
		char path[64], line[256];
		snprintf(path, sizeof path, "/proc/self/task/%s/status", e->d_name);
		FILE *f = fopen(path, "r");
		while (f && fgets(line, sizeof line, f)) {
			unsigned long m;
			/* SIGKILL, SIGSTOP, and libc's own 32 and 33 */
			if (atoi(e->d_name) != tid && sscanf(line, "SigBlk: %lx", &m) == 1 && (m | 3ul << 31 | 1ul << 8 | 1ul << 18) != ~0ul)
				open_masks++;
		}
		if (f)
			fclose(f);
	}
	printf("%s thread, %d take signals\n", threads == 1 ? "one" : "more than one", open_masks);
	return 0;
}

static int ids(void)
{
	load();
	for (int i = 0; i < 50; i++)
		if (setgid(getgid()) || setuid(getuid()) || setresuid(-1, geteuid(), -1))
			return 1;
	puts("ids set");
	return 0;
}

static void *idle(void *p) { pause(); return 0; }

int main(int argc, char **argv)
{
	setvbuf(stdout, 0, _IOFBF, 65536);
	const char *m = argv[1], *a = argc > 2 ? argv[2] : "";
	if (!strcmp(m, "signals")) return signals();
	if (!strcmp(m, "fds")) return fds();
	if (!strcmp(m, "errno")) return errnos();
	if (!strcmp(m, "pointers")) return pointers();
	if (!strcmp(m, "unmaps")) return unmaps();
	if (!strcmp(m, "truncated")) return truncated(a);
	if (!strcmp(m, "unloaded")) return unloaded(a);
	if (!strcmp(m, "bare-unmap")) return bare_unmap();
	if (!strcmp(m, "stacks")) return stacks();
	if (!strcmp(m, "ends")) return ends(a);
	if (!strcmp(m, "agent")) return agent();
	if (!strcmp(m, "ids")) return ids();
	if (!strcmp(m, "sandbox")) return sandbox(a);
	if (!strcmp(m, "chroot")) {
		if (chroot(a) || chdir("/"))
			return 92;
		load();
		return errnos();
	}
	if (!strcmp(m, "limits")) {
		if (!strcmp(a, "files")) limit(RLIMIT_NOFILE, 8);
		if (!strcmp(a, "processes")) { limit(RLIMIT_NPROC, 1); if (getuid() == 0 && setresuid(65534, 65534, -1)) return 2; }
		if (!strcmp(a, "memory")) limit(RLIMIT_AS, 200ul << 20);
		load();
		errnos();
		pthread_t t;
		printf("thread %d\n", strcmp(a, "processes") ? pthread_create(&t, 0, idle, 0) : 0);
		fflush(stdout);
		return 0;
	}
	return 98;
}
