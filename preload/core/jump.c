/* jump.c: signal handlers that leave seam by a jump.
 *
 * A handler that interrupts seam in the middle of a record finds the guard set, and
 * what it calls is not recorded. If it returns, all is well. If it does not -
 * siglongjmp, an exception, the end of its thread - the guard would stay set.
 *
 * The guard holds the address of the frame that set it. So the next call can tell
 * whether that frame is still there. It is gone when
 *   - its memory is used by the frame of this call, or is not mapped any more;
 *   - it no longer holds what the thunk stored in it before the guard was set;
 *   - it lies below this call's frame on the same stack, and we are not on the
 *     alternate one. Two addresses are taken to be of one stack when they are near the
 *     top of this thread's.
 * A handler that switches stacks (swapcontext) is coming back: none of the three holds.
 *
 * From the first such jump on, whoever changes chunks does it with signals blocked:
 * see chunk.c. Until then nothing is paid for; a loss is counted once all the same (drop.c).
 */
#include "hot.h"

#define NEAR (256ull << 10)
#define SS_ONSTACK_ 1

struct kstack { uint64_t sp; int32_t flags, pad; uint64_t size; };

static int is_run(uint64_t p)
{
	uint64_t off = p - (uint64_t)seam->runs;
	return off < sizeof(struct seam_run) * SEAM_MAX_SLOTS && off % sizeof(struct seam_run) == 0;
}

static int on_alternate_stack(void)
{
	struct kstack st = { 0 };
	if (seam_quiet())
		return 1; /* for all we know */
	return sys2(SYS_sigaltstack, 0, &st) || (st.flags & SS_ONSTACK_);
}

static int was_left(uint64_t old, uint64_t now)
{
	const struct seam_frame *o = (const struct seam_frame *)old;
	uint64_t apart = now > old ? now - old : old - now;
	if (apart < FRAME_SIZE)
		return 1;
	if (!seam_mapped((uint64_t)&o->run) || !is_run((uint64_t)o->run))
		return 1;
	if (now < old)
		return 0;
	uint64_t tp = (uint64_t)__builtin_thread_pointer();
	uint64_t top = now < tp && tp - now < NEAR ? tp : seam->stack_end;
	return now < top && top - old < NEAR && !on_alternate_stack();
}

int seam_left_by_jump(struct seam_tls *t, const struct seam_frame *f)
{
	uint64_t g = t->guard;
	if (g <= SEAM_GUARD_NOBODY || !was_left(g, (uint64_t)f))
		return 0;
	/* ours before anything is changed: a handler may come now, too */
	if (!__atomic_compare_exchange_n(&t->guard, &g, (uint64_t)f, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return 0;
	__atomic_store_n(&seam->jumps, 1, __ATOMIC_RELAXED);
	if (seam->arena) {
		seam_release_handovers(t);
		seam_repair(t);
	}
	return 1;
}
