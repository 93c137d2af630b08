/* endthreads.c: the agent's threads, ended from outside and for good, when the
 * host is about to confine itself (confine.c).
 *
 * They block every signal but libc's own two. So each is sent 33, by which
 * libc asks all threads to change their user id; for as long as this takes, the
 * action of 33 is ours. A thread ends itself in the handler if it can hold nothing of
 * the host's: it was interrupted in Go's own code (nothing of Go's is ever called by
 * libc), or in our own last wait. Else it is asked again, until the deadline.
 * What libc sends by 33 itself goes to libc's handler.
 *
 * The kernel closes the descriptors, which are theirs alone, and marks the arena as
 * ownerless (gostart.c). Their stacks and Go's heap stay mapped.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <ucontext.h>
#include "core.h"
#include "facts.h"
#include "sys.h"

#define SIG33 33
#define BIT33 (1ull << (SIG33 - 1))
enum { ENDING_SOON = 1, ENDING_NOW = 2 }; /* seam_core.ending */
#define AGAIN_NS 200000         /* between two askings */

struct kaction { uint64_t handler, flags, restorer, mask; };

__asm__(
	"	.text\n"
	"	.type	seam_restore_rt, @function\n"
	"seam_restore_rt:\n"
	"	movl	$15, %eax\n" /* rt_sigreturn */
	"	syscall\n"
	"	.size	seam_restore_rt, .-seam_restore_rt\n");
extern char seam_restore_rt[] __attribute__((visibility("hidden")));

static void on33(int sig, siginfo_t *si, void *context)
{
	if (si->si_code != SI_QUEUE || si->si_value.sival_ptr != (void *)seam) {
		if (seam->was.handler > 1)
			((void (*)(int, siginfo_t *, void *))seam->was.handler)(sig, si, context);
		return;
	}
	uint64_t rip = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP], pending = 0;
	if (seam_tls.guard != SEAM_GUARD_AGENT || seam_tls.hold ||
	    !(seam_tls.idle || (rip >= seam->base + seam_facts.text_lo && rip < seam->base + seam_facts.text_hi)))
		return;
	sys2(SYS_rt_sigpending, &pending, sizeof pending);
	if (pending & BIT33)
		return; /* libc may be asking, and waits for the answer */
	sys1(SYS_exit, 0);
}

/* On each of the agent's threads, before it does anything. */
void seam_agent_born(void)
{
	uint32_t i = __atomic_fetch_add(&seam->nagents, 1, __ATOMIC_SEQ_CST);
	if (i < SEAM_MAX_AGENTS)
		__atomic_store_n(&seam->agents[i], sys0(SYS_gettid), __ATOMIC_SEQ_CST);
	__atomic_sub_fetch(&seam->births, 1, __ATOMIC_SEQ_CST);
	sig_block_host();
	if (seam->ending == ENDING_NOW)
		sys1(SYS_exit, 0);
}

void seam_hold(void) { seam_tls.hold = 1; }
void seam_unhold(void)
{
	seam_tls.hold = 0;
	if (seam->ending == ENDING_NOW)
		sys1(SYS_exit, 0);
}

/* How many of them live. */
static unsigned ask_all(void)
{
	unsigned alive = __atomic_load_n(&seam->births, __ATOMIC_SEQ_CST);
	uint32_t n = __atomic_load_n(&seam->nagents, __ATOMIC_SEQ_CST);
	siginfo_t si = { .si_signo = SIG33, .si_code = SI_QUEUE };
	si.si_pid = seam->pid;
	si.si_value.sival_ptr = seam;
	for (uint32_t i = 0; i < n && i < SEAM_MAX_AGENTS; i++)
		if (seam->agents[i] && sys4(SYS_rt_tgsigqueueinfo, seam->pid, seam->agents[i], SIG33, &si) != -3 /* ESRCH */)
			alive++;
	return alive + (n > SEAM_MAX_AGENTS ? n - SEAM_MAX_AGENTS : 0);
}

int seam_end_agent(int64_t ns, int again)
{
	struct kaction ours = { (uint64_t)on33, SA_SIGINFO | SA_RESTART | SA_ONSTACK | 0x04000000 /* SA_RESTORER */, (uint64_t)seam_restore_rt, ~0ull };
	struct ktime t0, t, nap = { 0, AGAIN_NS };
	unsigned alive;
	uint32_t free = 0;
	/* one at a time: what is put back must be libc's */
	if (!__atomic_compare_exchange_n(&seam->ender, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		for (int64_t left = ns; left > 0 && __atomic_load_n(&seam->ender, __ATOMIC_ACQUIRE); left -= AGAIN_NS)
			sys2(SYS_nanosleep, &nap, 0);
		return seam->nagents ? -1 : 0;
	}
	ksigset old = sig_block_all();
	__atomic_store_n(&seam->ending, ENDING_SOON, __ATOMIC_SEQ_CST);
	/* what was sent and not noted the next would send again; a reader that adopts can tell */
	if ((again || !seam->reader_adopts) && seam_flush())
		again = 0;
	__atomic_store_n(&seam->ending, ENDING_NOW, __ATOMIC_SEQ_CST);
	__atomic_store_n(&seam->go_state, SEAM_GO_PARKED, __ATOMIC_SEQ_CST);
	futex_wake(&seam->go_state, 1 << 30);
	sys4(SYS_rt_sigaction, SIG33, 0, &seam->was, 8);
	sys4(SYS_rt_sigaction, SIG33, &ours, 0, 8);
	sys2(SYS_clock_gettime, 1, &t0);
	for (;;) {
		alive = ask_all();
		sys2(SYS_clock_gettime, 1, &t);
		if (!alive || (t.sec - t0.sec) * 1000000000 + t.nsec - t0.nsec > ns)
			break;
		sys2(SYS_nanosleep, &nap, 0);
	}
	sys4(SYS_rt_sigaction, SIG33, &seam->was, 0, 8);
	seam->ended++;
	if (!alive) {
		__atomic_store_n(&seam->nagents, 0, __ATOMIC_SEQ_CST);
		for (int i = 0; i < SEAM_MAX_AGENTS; i++)
			seam->agents[i] = 0;
		__atomic_store_n(&seam->ending, 0, __ATOMIC_SEQ_CST);
		seam->owns = 0;
	}
	seam->go_reason = !alive && again ? SEAM_WHY_NONE : SEAM_WHY_CONFINED;
	__atomic_store_n(&seam->go_state, !alive && again ? SEAM_GO_OFF : SEAM_GO_FAILED, __ATOMIC_SEQ_CST);
	if (seam->arena) {
		struct seam_proc *p = my_proc();
		p->go_reason = seam->go_reason;
		p->go_state = seam->go_state;
	}
	__atomic_store_n(&seam->ender, 0, __ATOMIC_RELEASE);
	sig_restore(old);
	return alive ? -1 : 0;
}
