/* inject FROM TO CALL ERRNO N FILE -- PROGRAM ARG...
 *
 * Runs a program in which the Nth system call number CALL fails with ERRNO: of all its
 * processes and threads, counted from close(-FROM) to close(-TO), which the program
 * makes as marks. FROM 0 is the moment at which the library reads its spec: the
 * open of a file below a "specs" folder. How many were seen goes to FILE. Ends as the program does.
 * strace could do it from the program's start only, where the calls are the loader's. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static int from, to, open_, seen, nth, err;
static long call;

/* Threads, and whether the system call they are in is to fail. */
static struct task { pid_t tid; int fails; } tasks[512];

static struct task *task(pid_t tid)
{
	struct task *free_ = 0;
	for (int i = 0; i < 512; i++) {
		if (tasks[i].tid == tid)
			return &tasks[i];
		if (!tasks[i].tid && !free_)
			free_ = &tasks[i];
	}
	if (!free_)
		exit(124);
	*free_ = (struct task){ .tid = tid };
	return free_;
}

static int opens_spec(pid_t tid, unsigned long addr)
{
	char path[512] = { 0 };
	struct iovec here = { path, sizeof path - 1 }, there = { (void *)addr, sizeof path - 1 };
	if (process_vm_readv(tid, &here, 1, &there, 1, 0) < 0) {
		here.iov_len = there.iov_len = 4096 - addr % 4096 < sizeof path ? 4096 - addr % 4096 : sizeof path - 1;
		if (process_vm_readv(tid, &here, 1, &there, 1, 0) < 0)
			return 0;
	}
	return strstr(path, "/specs/") != 0;
}

static void at_call(struct task *t)
{
	struct user_regs_struct r;
	struct __ptrace_syscall_info what;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof what, &what) < 0 || ptrace(PTRACE_GETREGS, t->tid, 0, &r))
		return;
	if (what.op != PTRACE_SYSCALL_INFO_ENTRY) {
		if (t->fails) {
			r.rax = -err;
			ptrace(PTRACE_SETREGS, t->tid, 0, &r);
		}
		t->fails = 0;
		return;
	}
	long nr = r.orig_rax;
	if (nr == SYS_close && (int)r.rdi == -from && from)
		open_ = 1;
	if (nr == SYS_close && (int)r.rdi == -to)
		open_ = -1;
	if (!from && !open_ && nr == SYS_open && opens_spec(t->tid, r.rdi))
		open_ = 1;
	if (open_ == 1 && nr == call && ++seen == nth) {
		t->fails = 1;
		r.orig_rax = -1; /* no such call: the kernel does nothing */
		ptrace(PTRACE_SETREGS, t->tid, 0, &r);
	}
}

/* Where a thread dies, and who called: all on its stack that is code of the same file. */
static void tell_end(pid_t tid, int sig)
{
	char path[64], line[512];
	struct user_regs_struct r;
	unsigned long lo, hi, off, stack[512], base = 0, end = 0;
	snprintf(path, sizeof path, "/proc/%d/maps", tid);
	FILE *f = fopen(path, "r");
	if (!f || ptrace(PTRACE_GETREGS, tid, 0, &r))
		return;
	fprintf(stderr, "inject: signal %d in thread %d at %llx, %d of the calls seen\n", sig, tid, r.rip, seen);
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "%lx-%lx %*s %lx", &lo, &hi, &off) == 3 && r.rip >= lo && r.rip < hi) {
			base = lo - off, end = hi;
			fprintf(stderr, "inject: %s", line);
		}
	fclose(f);
	struct iovec here = { stack, sizeof stack }, there = { (void *)r.rsp, sizeof stack };
	long n = process_vm_readv(tid, &here, 1, &there, 1, 0);
	fprintf(stderr, "inject: rax %llx rbx %llx rcx %llx rdx %llx rsi %llx rdi %llx rsp %llx; +%llx", r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rsp, r.rip - base);
	for (long i = 0; i < n / 8; i++)
		if (stack[i] >= base && stack[i] < end)
			fprintf(stderr, " +%lx", stack[i] - base);
	fprintf(stderr, "\n");
}

int main(int argc, char **argv)
{
	from = atoi(argv[1]), to = atoi(argv[2]), call = atol(argv[3]), err = atoi(argv[4]), nth = atoi(argv[5]);
	pid_t first = fork(), tid;
	int status, end = 0;
	if (!first) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execv(argv[8], argv + 8);
		_exit(126);
	}
	waitpid(first, &status, 0);
	ptrace(PTRACE_SETOPTIONS, first, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
	ptrace(PTRACE_SYSCALL, first, 0, 0);
	while ((tid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (tid < 0)
			continue;
		struct task *t = task(tid);
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			t->tid = 0;
			if (tid == first)
				end = status;
			continue;
		}
		int sig = WSTOPSIG(status);
		if (sig == (SIGTRAP | 0x80)) {
			at_call(t);
			sig = 0;
		} else if (status >> 16 || sig == SIGSTOP || sig == SIGTRAP) {
			sig = 0; /* an event, a new thread's first stop, or exec's trap */
		} else if (sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGABRT) {
			tell_end(tid, sig);
		}
		ptrace(PTRACE_SYSCALL, tid, 0, sig);
	}
	FILE *f = fopen(argv[6], "w");
	fprintf(f, "%d\n", seen);
	fclose(f);
	if (WIFSIGNALED(end)) {
		signal(WTERMSIG(end), SIG_DFL);
		raise(WTERMSIG(end));
	}
	return WEXITSTATUS(end);
}
