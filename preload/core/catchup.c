/* catchup.c: a process that shares its arena with one that was given another
 * spec, and has no agent to be told: it finds out at the first call after the epoch
 * was bumped, and changes itself at the first call that is a safe place to do so.
 */
#include "hot.h"

void seam_catch_up(struct seam_tls *t, const struct seam_frame *f)
{
	const struct seam_arena *a = seam->arena;
	if (unlikely(a->wish))
		seam_wished(t, f);
	if (likely(__atomic_load_n(&a->spec_seq, __ATOMIC_ACQUIRE) == seam->spec_seen) || seam_quiet())
		return;
	if (seam->patching || seam->loader_busy || !seam_loader_at_rest(seam->loader))
		goto later; /* another thread is at it, or was, in the process that forked this one */
	if (seam->go_state == SEAM_GO_ON || seam->go_state == SEAM_GO_STARTING)
		return; /* the agent looks by itself */
	if (!begin_calls())
		return;
	if (seam_safe_place(t, f))
		seam_aside(seam_follow_spec, 0);
	end_calls();
	if (a->spec_seq == seam->spec_seen)
		return;
later:
	t->epoch = a->epoch - 1; /* the next call comes here again */
}
