/* faults.c: a fault in a Go callback is a panic there, and nothing to the host.
 *
 * Only in an agent that has callbacks, and only where the host has no handler: while
 * the host's disposition of SIGSEGV, SIGBUS and SIGFPE is the default one, ours is
 * put in its place. On a thread that is not the agent's it does what the default
 * does: the program ends by the signal, at the same instruction. A host that sets a handler of its own,
 * then or later, by whatever means, has that handler: ours is gone, and a fault
 * in a callback is what a fault of the host's is.
 *
 * The agent's threads block these signals but for those that run callbacks, while
 * they do: a signal that is sent to the process is the host's threads' to take.
 *
 * In Go's code the handler does what Go's own would: it makes the faulting instruction look like
 * a call of runtime.sigpanic. In C code that a callback called the thread is stopped for good: the
 * C library may be in any state.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <ucontext.h>
#include "facts.h"
#include "core.h"
#include "sys.h"

#define SA_RESTORER_ 0x04000000

/* The kernel's struct sigaction. */
struct kaction { void *handler; uint64_t flags; void (*restorer)(void); uint64_t mask; };

static const int caught[] = { SIGSEGV, SIGBUS, SIGFPE };
#define CAUGHT ((ksigset)1 << (SIGSEGV - 1) | (ksigset)1 << (SIGBUS - 1) | (ksigset)1 << (SIGFPE - 1))

void seam_sigreturn(void);
__asm__(".text\n.hidden seam_sigreturn\n.globl seam_sigreturn\n.type seam_sigreturn, @function\nnop\n"
	"seam_sigreturn:\n\tmov $15, %eax\n\tsyscall\n.size seam_sigreturn, .-seam_sigreturn\n");

static int in_go(uint64_t at)
{
	return at >= seam->base + seam_facts.text_lo && at < seam->base + seam_facts.text_hi;
}

/* What the default does: at the same instruction, or, sent by somebody, again. */
static void by_default(int sig, siginfo_t *info)
{
	struct kaction dfl = { .handler = SIG_DFL };
	sys4(SYS_rt_sigaction, sig, &dfl, 0, 8);
	if (info->si_code <= 0)
		sys4(SYS_rt_tgsigqueueinfo, sys0(SYS_getpid), sys0(SYS_gettid), sig, info);
}

static void stop_here(void)
{
	static const char why[] = "a fault in C code that it called: its thread is stopped";
	seam_note_here(SEAM_NOTE_PANIC, why, sizeof why - 1);
	sig_block_host();
	uint32_t never = 0;
	for (;;)
		futex_wait(&never, 0, -1);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	greg_t *reg = ((ucontext_t *)context)->uc_mcontext.gregs;
	uint64_t *sp = (uint64_t *)reg[REG_RSP], pc = reg[REG_RIP];
	if (seam_tls.guard != SEAM_GUARD_AGENT || info->si_code <= 0) {
		by_default(sig, info);
		return;
	}
	if (in_go(pc)) {
		*--sp = pc;
		reg[REG_RSP] = (greg_t)sp;
	} else if (pc || !in_go(*sp)) /* 0: a call of a nil function, from Go */
		stop_here();
	reg[REG_RIP] = (greg_t)(seam->base + seam_facts.sigpanic);
}

/* A thread of the agent's begins to run a callback. Returns whether faults are caught there. */
int seam_faults_begin(void)
{
	int ours = 1;
	for (unsigned i = 0; i < sizeof caught / sizeof *caught; i++) {
		struct kaction is = { 0 }, mine = { on_fault, SA_SIGINFO | SA_ONSTACK | SA_RESTORER_, seam_sigreturn, 0 };
		sys4(SYS_rt_sigaction, caught[i], 0, &is, 8);
		if (is.handler == SIG_DFL) {
			struct kaction was = { 0 };
			sys4(SYS_rt_sigaction, caught[i], &mine, &was, 8);
			is.handler = on_fault;
			if (was.handler != SIG_DFL && was.handler != on_fault) { /* the host, in the same moment */
				sys4(SYS_rt_sigaction, caught[i], &was, 0, 8);
				is = was;
			}
		}
		ours &= is.handler == on_fault;
	}
	if (ours) {
		ksigset set = CAUGHT;
		sys4(SYS_rt_sigprocmask, 1 /* SIG_UNBLOCK */, &set, 0, sizeof set);
	}
	return ours;
}

void seam_faults_end(void)
{
	ksigset set = CAUGHT;
	sys4(SYS_rt_sigprocmask, 0 /* SIG_BLOCK */, &set, 0, sizeof set);
}
