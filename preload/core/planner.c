/* planner.c: plans for libraries that nobody could foresee, by another process.
 *
 * Go cannot be started inside dlopen: creating a thread needs a lock that the
 * loader holds (glibc 2.36: dl_load_tls_lock). So the seam command makes the plan:
 *
 *   1. clone with CLONE_VM and CLONE_VFORK, on a stack of its own: nothing is copied,
 *      this thread waits until the exec. No exit signal: the host's SIGCHLD
 *      handlers and waits do not see it
 *   2. the child leaves the host's descriptors and executes `seam plan`
 *   3. wait for its end, with a deadline
 */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "load.h"
#include "sys.h"

#define DEADLINE_NS 1000000000ll
#define STACK 65536
#define MAX_ARGS 64

static int child(void *arg)
{
	char **argv = arg, *envp[] = { 0 };
	sys3(SYS_close_range, 0, ~0u, 0);
	for (int i = 0; i < 3; i++)
		sys3(SYS_open, "/dev/null", 2 /* O_RDWR */, 0);
	sys3(SYS_execve, argv[0], argv, envp);
	sys1(SYS_exit, 127);
	return 0;
}

/* 0 when the planner ended well. All signals are blocked meanwhile: the child
 * must not run a handler of the host's in the host's memory. */
int seam_run_planner(struct seam_load *l)
{
	char *argv[MAX_ARGS + 5], *stack;
	int n = 0, done = -1;
	if (!l->spec.planner[0])
		return -1;
	argv[n++] = (char *)l->spec.planner;
	argv[n++] = "plan";
	if (l->live)
		argv[n++] = "live";
	argv[n++] = l->spec_path[0] ? l->spec_path : seam->spec_path;
	for (uint32_t i = 0; i < l->nobj && n < MAX_ARGS; i++)
		if (l->obj[i].wanted && !l->obj[i].plan)
			argv[n++] = (char *)l->obj[i].path;
	argv[n] = 0;
	stack = mmap(0, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return -1;
	ksigset old = sig_block_all();
	int pid = clone(child, stack + STACK, CLONE_VM | CLONE_VFORK, argv);
	sig_restore(old);
	if (pid > 0) {
		struct ktime t0, t, nap = { 0, 200000 };
		sys2(SYS_clock_gettime, 1, &t0);
		for (;;) {
			int status = 0;
			long r = sys4(SYS_wait4, pid, &status, WNOHANG | __WALL, 0);
			if (r == pid) {
				done = status ? -1 : 0;
				break;
			}
			sys2(SYS_clock_gettime, 1, &t);
			if (r < 0 || (t.sec - t0.sec) * 1000000000 + t.nsec - t0.nsec > DEADLINE_NS) {
				sys2(SYS_kill, pid, 9);
				sys4(SYS_wait4, pid, &status, __WALL, 0);
				break;
			}
			sys2(SYS_nanosleep, &nap, 0);
		}
	}
	munmap(stack, STACK);
	return done;
}
