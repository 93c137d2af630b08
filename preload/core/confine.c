/* confine.c: the host confines itself while it is watched.
 *
 * A guest that goes on as before would have the host killed by its own rule, or
 * would stand, with its threads, outside of the fence. So libc's ways there are guard
 * sites, and before such a call is made:
 *
 *   a filter on system calls   QUIET: from here on seam makes no system call on a thread
 *   (seccomp, strict or not)   of the host, reads only memory that is known to be readable,
 *                              starts no agent, and hands nothing over; the agent's threads end
 *   strict, or PR_SET_TSC      NOTSC: nor does it read the time stamp counter
 *   landlock, capset           these count for the calling thread alone: the agent's threads
 *                              end. Another agent may start, inside the fence
 *   unshare and setns of a     these want a process with one thread: the same
 *   user namespace, ...
 *
 * The order: the flag; wait until no other thread is where calls are made (core.h,
 * begin_calls) or reads behind an argument; end the agent; let the host go on. When
 * the host's call fails, what was begun is taken back.
 *
 * What a reader cannot be told by an agent it finds in the arena, if it adopts it.
 * A bare `syscall` instruction in the host's own code is not seen.
 */
#include "hot.h"

#define PR_SET_SECCOMP_ 22
#define PR_SET_TSC_ 26
#define PR_TSC_SIGSEGV_ 2
#define SECCOMP_MODE_STRICT_ 1
#define SECCOMP_MODE_FILTER_ 2
#define SECCOMP_SET_MODE_STRICT_ 0
#define SECCOMP_SET_MODE_FILTER_ 1
#define NAMESPACE_OF_ONE_THREAD 0x10010900ull /* CLONE_NEWUSER, CLONE_THREAD, CLONE_SIGHAND, CLONE_VM */
#define END_NS 2000000000ll     /* for the agent's end, at most: it takes 1 ms, and longer where its threads wait for a processor */
#define ENDS_MAX 4              /* a new agent costs some MB of address space for good */
#define UNDO_START 0x80000000u  /* in seam_tls.confining: the start of an agent was forbidden, none was ended */
#define OUT_ROUNDS 20000        /* of 10 us: until other threads are out */

/* What a call asks for, as SEAM_CONF_*; 0 nothing that concerns us. */
static uint32_t asks_prctl(uint64_t option, uint64_t a, uint64_t b)
{
	if (option == PR_SET_SECCOMP_ && a == SECCOMP_MODE_STRICT_)
		return SEAM_CONF_QUIET | SEAM_CONF_NOTSC;
	if (option == PR_SET_SECCOMP_ && a == SECCOMP_MODE_FILTER_ && b) /* without a filter it is a question */
		return SEAM_CONF_QUIET;
	if (option == PR_SET_TSC_ && a == PR_TSC_SIGSEGV_)
		return SEAM_CONF_NOTSC;
	return 0;
}

static uint32_t asks(const struct seam_frame *f, unsigned kind)
{
	const uint64_t *w = f->words;
	switch (kind) {
	case SEAM_GUARD_PRCTL:
		return asks_prctl((uint32_t)w[0], w[1], w[2]);
	case SEAM_GUARD_CAPSET:
		return SEAM_CONF_THREADS;
	case SEAM_GUARD_UNSHARE:
		return w[0] & NAMESPACE_OF_ONE_THREAD ? SEAM_CONF_THREADS : 0;
	case SEAM_GUARD_SETNS:
		return SEAM_CONF_THREADS;
	case SEAM_GUARD_SYSCALL:
		switch (w[0]) {
		case SYS_prctl:
			return asks_prctl((uint32_t)w[1], w[2], w[3]);
		case SYS_seccomp:
			if ((uint32_t)w[1] == SECCOMP_SET_MODE_STRICT_ && !w[2] && !w[3])
				return SEAM_CONF_QUIET | SEAM_CONF_NOTSC;
			return (uint32_t)w[1] == SECCOMP_SET_MODE_FILTER_ && w[3] ? SEAM_CONF_QUIET : 0;
		case SYS_capset:
		case SYS_landlock_restrict_self:
		case SYS_setns:
			return SEAM_CONF_THREADS;
		case SYS_unshare:
			return w[1] & NAMESPACE_OF_ONE_THREAD ? SEAM_CONF_THREADS : 0;
		}
	}
	return 0;
}

/* Wait, briefly, until no other thread makes or will make a system call of ours. */
static void wait_until_out(void)
{
	struct ktime nap = { 0, 10000 };
	if (seam->arena)
		futex_wake(&seam->arena->space, 1 << 30); /* who waits there looks at the flag */
	for (int i = 0; i < OUT_ROUNDS && __atomic_load_n(&seam->calling, __ATOMIC_SEQ_CST); i++)
		sys2(SYS_nanosleep, &nap, 0);
	seam_maps_confine();
}

/* Nobody starts an agent from here on. 1: nobody has. */
static int forbid_start(void)
{
	uint32_t off = SEAM_GO_OFF;
	if (!__atomic_compare_exchange_n(&seam->go_state, &off, SEAM_GO_FAILED, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return 0;
	seam->go_reason = SEAM_WHY_CONFINED;
	return 1;
}

struct end { uint32_t quiet, how, forbidden; };

static void end_agent(void *arg)
{
	struct end *e = arg;
	e->forbidden = e->quiet && forbid_start();
	if (e->forbidden || (!seam->nagents && !seam->births))
		return;
	e->how = seam_end_agent(END_NS, !e->quiet && seam->ended < ENDS_MAX) ? SEAM_CONF_STAYED : SEAM_CONF_THREADS;
}

uint32_t seam_confine(const struct seam_frame *f, const struct seam_run *r)
{
	uint32_t what = asks(f, r->guard_kind);
	if (likely(!what) || seam_tls.guard == SEAM_GUARD_AGENT || seam_quiet())
		return 0;
	struct seam_tls *t = self();
	uint64_t guard = t->guard;
	uint32_t keep = what & ~SEAM_CONF_THREADS & ~seam->confined;
	if (!guard)
		t->guard = SEAM_GUARD_CORE;
	/* A vfork child has our memory: what it forbids itself its parent refrains
	 * from, too, from here on; but the parent's agent stays. */
	int vforked = *seam_alive && (uint32_t)sys0(SYS_getpid) != seam->pid;
	struct end e = { what & SEAM_CONF_QUIET, 0, 0 };
	if (!vforked) {
		if (seam->arena && t->gen != *seam_alive)
			seam_thread_setup(t); /* know who we are while it can be asked */
		if (what & (SEAM_CONF_QUIET | SEAM_CONF_THREADS))
			/* first: its last words, and those who wait for it, need system calls */
			seam_aside(end_agent, &e);
		else
			e.forbidden = forbid_start(); /* its threads would inherit the rule, and read the clock */
		if (e.how && seam->arena)
			__atomic_or_fetch(&my_proc()->confined, e.how, __ATOMIC_RELAXED);
	}
	if (keep) {
		__atomic_or_fetch(&seam->confined, keep, __ATOMIC_SEQ_CST);
		if (keep & SEAM_CONF_QUIET)
			wait_until_out();
		seam_clock_confine(keep & SEAM_CONF_NOTSC);
	}
	t->confining = keep | (e.forbidden ? UNDO_START : 0);
	t->guard = guard;
	return keep;
}

/* The host's call is over. An error means that nothing is forbidden. */
void seam_confine_end(uint64_t ret)
{
	struct seam_tls *t = self();
	uint32_t undo = t->confining & UNDO_START, keep = t->confining & ~UNDO_START;
	t->confining = 0;
	if ((int32_t)ret < 0) {
		/* the clock stays the slower one */
		__atomic_and_fetch(&seam->confined, ~keep, __ATOMIC_SEQ_CST);
		uint32_t failed = SEAM_GO_FAILED;
		/* an agent that was ended is not started again: it may have been in the middle of something */
		if (undo && __atomic_compare_exchange_n(&seam->go_state, &failed, SEAM_GO_OFF, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			seam->go_reason = SEAM_WHY_NONE;
	}
	if (!seam->arena)
		return;
	struct seam_proc *p = my_proc();
	if ((int32_t)ret >= 0 &&
	    !(__atomic_fetch_or(&p->confined, keep, __ATOMIC_RELAXED) & (SEAM_CONF_QUIET | SEAM_CONF_NOTSC)))
		count_lost(SEAM_CONFINED);
	p->go_reason = seam->go_reason;
	p->go_state = seam->go_state;
}
