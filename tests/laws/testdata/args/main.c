/* main.c: args MODE SEED ROUNDS FOLDER [FUNCTION...]
 *
 * MODE is calls (each function in a child), vfork (each call in a vfork child of
 * it) or threads (threads.c). One line is written for each call. A line that
 * says "ends" or "blocks" is the last of its process; the next call gets a new one. */
#include "args.h"
#include <arpa/nameser.h>
#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 6
#define LOOK_MS 100
#define LOOKS 6         /* asleep, and nothing changes, for so long: it blocks */
#define MOST_BLOCKED 2  /* of one function; the others would, too, and cost time */
#define SPINS 1         /* seconds of processor time: it spins. All calls of one process together need a fraction */
#define IN_ONE 100      /* calls in one process, at most */

static uint64_t seed;
static int rounds;
static const char *mode, *folder;
static struct log *logs;
static volatile int *next_function;
char shm_path[64];

/* ---- is a process blocked? ---------------------------------------------------- */

static int slurp(const char *path, char *buf, int size)
{
	int fd = open(path, O_RDONLY), n = fd < 0 ? -1 : read(fd, buf, size - 1);
	close(fd);
	buf[n < 0 ? 0 : n] = 0;
	return n;
}

#define MOST_BELOW 64
/* A process and what it started, the process first; has[i]: it has a child. */
static int below(int root, int *pids, char *has)
{
	static int all[8192], parents[8192];
	int n = 0, found = 1;
	DIR *d = opendir("/proc");
	for (struct dirent *e; (e = readdir(d)) && n < 8192;) {
		char path[300], line[512], *at;
		if (!isdigit(e->d_name[0]))
			continue;
		snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
		if (slurp(path, line, sizeof line) > 0 && (at = strrchr(line, ')')) && strlen(at) > 4) {
			all[n] = atoi(e->d_name);
			parents[n++] = atoi(at + 4);
		}
	}
	closedir(d);
	pids[0] = root;
	for (int i = 0; i < found; i++)
		for (int k = 0; k < n && found < MOST_BELOW; k++)
			if (parents[k] == pids[i]) {
				pids[found++] = all[k];
				has[i] = 1;
			}
	return found;
}

static void kill_below(int root)
{
	char has[MOST_BELOW] = { 0 };
	int pids[MOST_BELOW], n = below(root, pids, has);
	while (--n > 0)
		kill(pids[n], SIGKILL);
}

/* 0 if a thread of the tree runs, is about to, or waits for a disk (state D, which
 * is also how one waits for its vfork child); else the sum of all switches:
 * the same sum later means that none has run meanwhile. */
static long asleep(int root)
{
	char has[MOST_BELOW] = { 0 };
	int pids[MOST_BELOW], n = below(root, pids, has);
	long sum = 1;
	int runs = 0;
	while (--n >= 0 && !runs) {
		char path[300], text[4096], *at;
		snprintf(path, sizeof path, "/proc/%d/task", pids[n]);
		DIR *tasks = opendir(path);
		for (struct dirent *e; tasks && !runs && (e = readdir(tasks));) {
			if (!isdigit(e->d_name[0]))
				continue;
			snprintf(path, sizeof path, "/proc/%d/task/%s/status", pids[n], e->d_name);
			if (slurp(path, text, sizeof text) <= 0 || ((at = strstr(text, "\nState:")) && strchr(has[n] ? "RI" : "RID", at[8])))
				runs = 1;
			if ((at = strstr(text, "\nvoluntary_ctxt_switches:")))
				sum += atol(at + 25);
		}
		if (tasks)
			closedir(tasks);
	}
	if (runs)
		return 0;
	return sum;
}

/* ---- one function ------------------------------------------------------------- */

static void set_up_child(void)
{
	raw(SYS_setpgid, 0, 0);
	raw(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	raw(SYS_close_range, 3, ~0u, 0);
	make_descriptors();
	raw(SYS_setrlimit, RLIMIT_CPU, (long)&(struct rlimit){ SPINS, SPINS + 5 }, 0);
	/* names are asked of a port where nobody listens: the answer comes at once */
	res_init();
	_res.nscount = 1;
	_res.retry = 1;
	_res.nsaddr_list[0] = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

struct vforked { struct log *l; const struct function *f; void *addr; int call; };
static void vforked(struct vforked *v) { one_call(v->l, v->f, v->addr, seed, v->call); }

/* The child has this frame and this stack until it ends. */
static __attribute__((noinline)) long in_vfork(struct vforked *v)
{
	register long pid __asm__("rax") = SYS_vfork;
	register struct vforked *arg __asm__("r12") = v;
	register void (*fn)(struct vforked *) __asm__("r13") = vforked;
	__asm__ volatile("mov %%rsp, %%rbx\n and $-16, %%rsp\n syscall\n test %%rax, %%rax\n jnz 1f\n"
		"mov %%r12, %%rdi\n call *%%r13\n xor %%edi, %%edi\n mov $231, %%eax\n syscall\n 1: mov %%rbx, %%rsp"
		: "+r"(pid) : "r"(arg), "r"(fn) : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
	return pid;
}

static void child(struct log *l, const struct function *f, void *addr, int from, int n)
{
	set_up_child();
	if (!strcmp(mode, "threads")) {
		threads_call(l, f, addr, seed, n);
		_exit(0);
	}
	for (int i = from; i < n; i++)
		if (strcmp(mode, "vfork")) {
			one_call(l, f, addr, seed, i);
		} else {
			struct vforked v = { l, f, addr, i };
			uint32_t done = l->done;
			int st = 0;
			long pid = in_vfork(&v);
			raw(SYS_wait4, pid, (long)&st, (long)__WALL, 0);
			if (l->done == done) {
				say(l, WIFSIGNALED(st) ? " ends signal " : " ends exit ");
				say_num(l, WIFSIGNALED(st) ? WTERMSIG(st) : WEXITSTATUS(st));
				say(l, "\n");
				l->done++;
			}
		}
	raw(SYS_exit_group, 0);
}

static void how_it_ended(struct log *l, int st)
{
	say(l, WIFSIGNALED(st) ? " ends signal " : WIFSTOPPED(st) ? " stops " : " ends exit ");
	say_num(l, WIFSIGNALED(st) ? WTERMSIG(st) : WIFSTOPPED(st) ? WSTOPSIG(st) : WEXITSTATUS(st));
	say(l, "\n");
}

/* waitpid of a child of which the caller may be the tracer: its threads are
 * reported one by one, and before them it is not. */
static int reap(int pid, int *st, int flags)
{
	int who, s;
	while ((who = waitpid(-1, &s, flags | __WALL)) > 0)
		if (who == pid) {
			*st = s;
			return 1;
		} else if (WIFSTOPPED(s)) {
			kill(who, SIGKILL);
		}
	return 0;
}

/* Waits for a child; says 1 if it blocks or spins. */
static int supervise(struct log *l, int pid)
{
	int fd = raw(SYS_pidfd_open, pid, 0), st = 0, ended = 0, looks = 0;
	long was = 0;
	while (!ended && looks < LOOKS) {
		struct pollfd p = { fd, POLLIN, 0 };
		if (poll(&p, 1, LOOK_MS) > 0) {
			ended = reap(pid, &st, 0);
			break;
		}
		ended = reap(pid, &st, WNOHANG | WUNTRACED);
		long is = asleep(pid);
		looks = is && is == was ? looks + 1 : 0;
		was = is;
	}
	close(fd);
	if (!ended) {
		say(l, " blocks\n");
	} else if (l->begun != l->done || !WIFEXITED(st) || WEXITSTATUS(st)) {
		how_it_ended(l, st);
	}
	l->done = l->begun;
	if (!ended || WIFSTOPPED(st)) {
		kill(pid, SIGKILL); /* first: without its vfork child it would go on */
		reap(pid, &(int){ 0 }, 0);
	}
	while (waitpid(-1, 0, WNOHANG | __WALL) >= 0) /* those it left to us */
		kill_below(getpid());
	return !ended || (WIFSIGNALED(st) && WTERMSIG(st) == SIGXCPU);
}

static void one_function(int i)
{
	const struct function *f = &functions[i];
	struct log *l = &logs[i];
	char path[200];
	void *addr = dlsym(RTLD_DEFAULT, f->name);
	if (!addr)
		addr = dlvsym(RTLD_DEFAULT, f->name, "GLIBC_2.2.5"); /* there for old programs only */
	int n = f->few && rounds > 2 ? 2 : rounds, blocked = 0;
	if (!addr) {
		say(l, f->name);
		say(l, " is not in this libc\n");
		return;
	}
	snprintf(path, sizeof path, "%s/%s", folder, f->name);
	snprintf(shm_path, sizeof shm_path, "/seam-args-%08d-%04d", getpid(), i);
	if (mkdir(path, 0700) || chdir(path))
		exit(3);
	make_folder();
	for (int tries = 0; (int)l->done < n && blocked < MOST_BLOCKED && tries <= n; tries++) {
		int pid = fork(), to = l->done + IN_ONE < (unsigned)n ? (int)l->done + IN_ONE : n;
		if (!pid)
			child(l, f, addr, l->done, to);
		blocked += supervise(l, pid);
		chmod(path, 0700);
		if (chdir(path))
			exit(3);
		if (!strcmp(mode, "threads"))
			break;
	}
	if (strncmp(f->name, "shm_", 4) == 0)
		shm_unlink(shm_path);
	if (chdir(folder))
		exit(3);
}

static void worker(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i; (i = __atomic_fetch_add(next_function, 1, __ATOMIC_RELAXED)) < nfunctions;)
		if (logs[i].alive)
			logs[i].alive = 0, one_function(i);
	_exit(0);
}

int main(int argc, char **argv)
{
	if (argc < 5 || geteuid() == 0) {
		fputs("args MODE SEED ROUNDS FOLDER [FUNCTION...], not as root: it calls everything there is\n", stderr);
		return 2;
	}
	mode = argv[1];
	seed = strtoul(argv[2], 0, 0);
	rounds = atoi(argv[3]);
	folder = argv[4];
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1 << 20, 1 << 20 });
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 256, 256 });
	char file[300];
	snprintf(file, sizeof file, "%s/cut", folder);
	make_memory(file);
	dlopen("libcrypt.so.1", RTLD_NOW | RTLD_GLOBAL);
	logs = mmap(0, nfunctions * sizeof *logs + 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (logs == MAP_FAILED)
		return 2;
	next_function = (int *)&logs[nfunctions];
	for (int i = 0; i < nfunctions; i++) {
		logs[i].alive = argc == 5;
		for (int a = 5; a < argc; a++)
			if (!strcmp(argv[a], functions[i].name))
				logs[i].alive = 1;
	}
	int pids[WORKERS], status = 0;
	for (int i = 0; i < WORKERS; i++)
		if (!(pids[i] = fork()))
			worker();
	for (int i = 0; i < WORKERS; i++) {
		int st;
		waitpid(pids[i], &st, 0);
		if (st)
			fprintf(stderr, "worker %d: %x\n", i, st), status = 3;
	}
	for (int i = 0; i < nfunctions; i++)
		fwrite(logs[i].text, 1, logs[i].len, stdout);
	return status;
}
