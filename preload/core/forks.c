/* forks.c: libc's fork, seen by the handlers it calls around it.
 *
 * The agent makes a program multi-threaded that may not be prepared for it: an
 * allocator with a lock, but no handler of forks (AddressSanitizer's of GCC 12 is
 * one), is right in a program with one thread. Were a thread of the agent in
 * that allocator at the moment of a fork, the child would wait for the lock for
 * ever. The agent's own memory is from memory.c; but libc itself allocates when
 * it makes a thread, and libc's fork does not reset each of the loader's locks
 * (dl_iterate_phdr's, 2.36). So no thread of ours enters those while the host
 * forks, and a fork waits for one that is in there. Both waits have a bound,
 * because a fork may itself be waiting for something.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include "load.h"
#include "sys.h"

#define WAIT_NS  20000000 /* most that a fork, or a new agent thread, is delayed */
#define NAP_NS   50000

/* Begins what a fork must not find an agent thread in. The result is for the end. */
int seam_libc_begins(void)
{
	int unheld = seam_tls.guard == SEAM_GUARD_AGENT && !seam_tls.hold;
	if (unheld)
		seam_hold(); /* what is counted up is counted down */
	for (;;) {
		__atomic_add_fetch(&seam->in_libc, 1, __ATOMIC_SEQ_CST);
		uint32_t n = __atomic_load_n(&seam->forks, __ATOMIC_SEQ_CST);
		if (!n)
			return unheld;
		__atomic_sub_fetch(&seam->in_libc, 1, __ATOMIC_SEQ_CST);
		__atomic_add_fetch(&seam->fork_waits, 1, __ATOMIC_SEQ_CST);
		long rc = futex_wait(&seam->forks, n, WAIT_NS);
		__atomic_sub_fetch(&seam->fork_waits, 1, __ATOMIC_SEQ_CST);
		if (rc == -110 /* ETIMEDOUT */)
			break;
	}
	__atomic_add_fetch(&seam->in_libc, 1, __ATOMIC_SEQ_CST);
	return unheld;
}

void seam_libc_ends(int unheld)
{
	__atomic_sub_fetch(&seam->in_libc, 1, __ATOMIC_SEQ_CST);
	if (unheld)
		seam_unhold();
}

static void fork_over(void)
{
	__atomic_sub_fetch(&seam->forks, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&seam->fork_waits, __ATOMIC_SEQ_CST)) /* a host without an agent may have forbidden itself the call */
		futex_wake(&seam->forks, 1 << 30);
}

/* Ours is the last of these handlers before the fork, and the first after it:
 * the library is the first to ask for one. So errno tells the parent whether
 * there is a child; libc gives it back what it was. */
static void prepare(void)
{
	if (!seam)
		return; /* dormant */
	seam->forker = seam_quiet() ? seam->pid : (uint32_t)sys0(SYS_getpid);
	/* A parent may be gone before its child has run an instruction: the count
	 * says that there is one to wait for. */
	if (seam->arena)
		__atomic_add_fetch(&seam->arena->forking, 1, __ATOMIC_ACQ_REL);
	seam_tls.forking = 1;
	seam_tls.fork_errno = errno;
	__atomic_add_fetch(&seam->forks, 1, __ATOMIC_SEQ_CST);
	struct ktime nap = { 0, NAP_NS };
	for (int i = 0; i < WAIT_NS / NAP_NS && __atomic_load_n(&seam->in_libc, __ATOMIC_SEQ_CST); i++)
		sys2(SYS_nanosleep, &nap, 0);
	errno = 0;
}

static void parent(void)
{
	if (!seam || !seam_tls.forking)
		return;
	seam_tls.forking = 0;
	fork_over();
	int e = errno;
	if (e == 0)
		errno = seam_tls.fork_errno;
	else if ((e == EAGAIN || e == ENOMEM || e == ENOSYS || e == EPERM) && seam->arena) /* else a handler of another library's left it */
		__atomic_sub_fetch(&seam->arena->forking, 1, __ATOMIC_ACQ_REL); /* there is no child */
}

static void child(void)
{
	if (!seam) {
		seam_waking.pid = sys0(SYS_getpid);
		return;
	}
	int counted = seam_tls.forking;
	if (counted)
		errno = seam_tls.fork_errno;
	seam_tls.forking = 0;
	seam->forks = seam->in_libc = seam->fork_waits = 0;
	/* libc's locks are in order here; Go's threads are gone */
	seam->libc_pid = seam_quiet() ? seam_own_tid() : (uint32_t)sys0(SYS_getpid);
	seam->go_state = seam->confined ? SEAM_GO_FAILED : SEAM_GO_OFF;
	seam->go_reason = seam->confined ? SEAM_WHY_CONFINED : SEAM_WHY_NONE;
	seam->ender = seam->ending = seam->births = seam->nagents = seam->host_exits = seam->host_gone = seam->calling = seam->patching = 0;
	seam->owns = 0;
	/* Be in the process table at once: a reader that finds all processes in it
	 * gone takes the account for final. */
	if (seam->arena) {
		uint64_t guard = guard_core();
		seam_enter_process();
		if (counted)
			__atomic_sub_fetch(&seam->arena->forking, 1, __ATOMIC_ACQ_REL);
		seam_tls.guard = guard;
	}
}

int seam_watch_forks(void) { return pthread_atfork(prepare, parent, child); }
