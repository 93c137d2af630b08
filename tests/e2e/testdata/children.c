// children FILE HOW CALLS: makes processes in the way HOW says. Each calls getppid
// CALLS times and notes in FILE what it is and how often it called, so that what
// seam says of each process can be compared with what it did. Prints nothing.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 8000
struct entry {
	uint32_t pid, ppid;
	_Atomic uint32_t calls;
	uint32_t status; // it will end with; as wait4 gives it
};
static struct {
	_Atomic uint32_t n, gone;
	struct entry e[MOST];
} *file;
static long calls;
static char **args;
extern char **environ;

// System calls that seam does not see.
static long bare(long n, long a, long b)
{
	long r;
	__asm__ volatile("syscall" : "=a"(r) : "0"(n), "D"(a), "S"(b), "d"(0L) : "rcx", "r11", "memory");
	return r;
}

static struct entry *begin(void)
{
	struct entry *e = &file->e[atomic_fetch_add(&file->n, 1)];
	e->pid = bare(SYS_getpid, 0, 0);
	e->ppid = bare(SYS_getppid, 0, 0);
	return e;
}

static void work(struct entry *e)
{
	for (long i = 0; i < calls; i++) {
		getppid();
		atomic_fetch_add(&e->calls, 1);
	}
}

static void leave(struct entry *e, int code)
{
	e->status = code << 8;
	_exit(code);
}

static void reap(int n)
{
	for (int status; n > 0; n--)
		if (waitpid(-1, &status, __WALL) < 0)
			_exit(97);
}

static void forks(int wide, int deep)
{
	for (int i = 0; i < wide; i++)
		if (fork() == 0) {
			struct entry *e = begin();
			work(e);
			if (deep > 1)
				forks(2, deep - 1);
			leave(e, 10 + i);
		}
	reap(wide);
}

static void *forking_thread(void *unused)
{
	forks(2, 2);
	return 0;
}

static void threads(void)
{
	pthread_t t[4];
	for (int i = 0; i < 4; i++)
		if (fork() == 0) { // waits would mix up the children of several threads
			struct entry *e = begin();
			pthread_create(&t[i], 0, forking_thread, 0);
			work(e);
			pthread_join(t[i], 0);
			leave(e, 4);
		}
	reap(4);
}

static void vforks(struct entry *me, int n)
{
	for (int i = 0; i < n; i++) {
		pid_t pid = vfork();
		if (pid == 0) {
			struct entry *e = begin();
			work(e);
			if (i % 3 == 0)
				leave(e, 20);
			char *argv[] = {args[0], args[1], "plain", args[3], 0};
			if (i % 3 == 1) {
				atomic_fetch_sub(&file->n, 1); // the same process will begin anew
				args[4] = 0;
				char more[16];
				snprintf(more, sizeof more, "%d", (int)atomic_load(&e->calls));
				char *with[] = {args[0], args[1], "plain", args[3], more, 0};
				execve(args[0], with, environ);
			}
			execve("/nonexistent/program", argv, environ);
			leave(e, 21);
		}
		work(me);
		reap(1);
	}
}

static void *vforking_thread(void *entry)
{
	for (int i = 0; i < 50; i++) {
		pid_t pid = vfork();
		if (pid == 0) {
			struct entry *e = begin();
			work(e);
			leave(e, 22);
		}
		work(entry);
	}
	return 0;
}

static void vfork_threads(struct entry *me)
{
	pthread_t t[3];
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], 0, vforking_thread, me);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], 0);
	reap(150);
}

static void spawns(struct entry *me)
{
	char *argv[] = {args[0], args[1], "plain", args[3], 0};
	char *none[] = {"/nonexistent/program", 0};
	posix_spawn_file_actions_t fa;
	pid_t pid;
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, 1, 9);
	posix_spawn_file_actions_addopen(&fa, 8, "/dev/null", O_RDONLY, 0);
	for (int i = 0; i < 3; i++) {
		if (posix_spawn(&pid, args[0], &fa, 0, argv, environ))
			_exit(93);
		work(me);
		if (posix_spawnp(&pid, none[0], &fa, 0, none, environ) == 0)
			_exit(92);
		reap(1);
	}
}

static int cloned(void *unused)
{
	struct entry *e = begin();
	work(e);
	work(e);
	atomic_fetch_add(&file->gone, 1);
	e->status = 30 << 8;
	bare(SYS_exit, 30, 0);
	return 0;
}

static void clones(struct entry *me, int flags)
{
	char *stack[6];
	for (int i = 0; i < 6; i++) {
		stack[i] = malloc(65536);
		if (clone(cloned, stack[i] + 65536, flags | SIGCHLD, 0) < 0)
			_exit(91);
		if (i % 2)
			work(me);
	}
	work(me);
	while (atomic_load(&file->gone) < 6)
		sched_yield();
	reap(6);
	work(me);
}

static void bare_forks(struct entry *me)
{
	for (int i = 0; i < 4; i++) {
		if (bare(SYS_fork, 0, 0) == 0) {
			struct entry *e = begin();
			work(e);
			if (i % 2 && bare(SYS_fork, 0, 0) == 0) {
				e = begin();
				work(e);
				leave(e, 41);
			}
			if (i % 2)
				reap(1);
			leave(e, 40);
		}
		work(me);
	}
	reap(4);
}

static void daemons(struct entry *me) // the parent and the session's leader are gone at once
{
	if (fork() == 0) {
		struct entry *e = begin();
		e->ppid = me->pid; // it may be gone by now
		work(e);
		setsid();
		if (fork() == 0) {
			while (bare(SYS_getppid, 0, 0) == e->pid)
				sched_yield();
			struct entry *d = begin();
			d->ppid = e->pid; // made by it
			work(d);
			leave(d, 0);
		}
		leave(e, 0);
	}
	_exit(0);
}

static void ends(void)
{
	static const int by[] = {SIGKILL, SIGTERM, SIGSEGV, SIGABRT};
	for (int i = 0; i < 4; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			struct entry *e = begin();
			work(e);
			e->status = by[i];
			kill(bare(SYS_getpid, 0, 0), by[i]);
			pause();
		}
		siginfo_t info;
		if (i == 2)
			waitid(P_PID, pid, &info, WEXITED);
		else
			reap(1);
	}
	for (int i = 0; i < 2; i++) {
		if (fork() == 0) {
			struct entry *e = begin();
			work(e);
			leave(e, i ? 3 : 0);
		}
		wait(0); // does not ask how
	}
}

int main(int argc, char **argv)
{
	args = argv;
	int fd = open(argv[1], O_RDWR);
	file = mmap(0, sizeof *file, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (file == MAP_FAILED)
		return 99;
	close(fd);
	calls = atol(argv[3]);
	struct entry *me = begin();
	const char *how = argv[2];
	if (argc > 4)
		me->calls = atoi(argv[4]); // in this process before its exec
	work(me);
	if (!strcmp(how, "fork"))
		forks(3, 3);
	else if (!strcmp(how, "many"))
		for (int i = 0; i < 3000; i++)
			forks(1, 1);
	else if (!strcmp(how, "thread"))
		threads();
	else if (!strcmp(how, "vfork"))
		vforks(me, 9);
	else if (!strcmp(how, "vfork-threads"))
		vfork_threads(me);
	else if (!strcmp(how, "spawn"))
		spawns(me);
	else if (!strcmp(how, "clone"))
		clones(me, 0);
	else if (!strcmp(how, "clone-vfork"))
		clones(me, CLONE_VM | CLONE_VFORK);
	else if (!strcmp(how, "clone-vm"))
		clones(me, CLONE_VM);
	else if (!strcmp(how, "bare"))
		bare_forks(me);
	else if (!strcmp(how, "daemon"))
		daemons(me);
	else if (!strcmp(how, "ends"))
		ends();
	me->status = 5 << 8;
	return 5;
}
