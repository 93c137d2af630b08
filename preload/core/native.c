/* native.c: callbacks of the user's, in shared objects (docs/native.md).
 *
 * A callback is a rule (act.c) whose action is a function. It is called on the
 * host's thread, which holds the guard: what it calls runs unrecorded. Around it errno
 * and, unless its code was seen to use general registers only, vector registers are kept.
 * It gets copies: what it changed is taken over when it says so, and forgotten when it fails.
 *
 * A shared object is loaded once, in the constructor, and stays for as long as the process lives: a
 * thread may be in it at any time. Forked children have it as everything else.
 */
#include "hot.h"
#include "../../hooks/native/seam_callback.h"
#include "nativecall.h"

_Static_assert(sizeof(struct seam_callback) == 160, "as hooks/native reads it");
_Static_assert(SEAM_MAX_ARGS == SEAM_MAX_WORDS, "all that is known of a call");

static void say_off(void *arg)
{
	const struct seam_run *r = arg;
	for (uint32_t i = 0; i < r->nrules; i++)
		if (r->rules[i].what == SEAM_ACT_NATIVE && native_state(r->rules[i].id)->skipped >= SEAM_NATIVE_ERRORS)
			seam_native_tell_off(r->rules[i].id, r->function->name);
}

/* It failed: the thousandth time it is switched off, for all who share the arena. */
static __attribute__((noinline)) void failed_itself(const struct seam_run *r, uint32_t id)
{
	if (__atomic_add_fetch(&native_state(id)->skipped, 1, __ATOMIC_RELAXED) != SEAM_NATIVE_ERRORS || !begin_calls())
		return;
	seam_aside(say_off, (void *)r);
	end_calls();
}

/* What a callback before the call did: rc is not SEAM_CONTINUE. 1: it changed or refused the call. */
int seam_native_did(const struct seam_run *r, struct seam_frame *f, uint32_t id, int rc, const struct seam_call *c)
{
	/* what the core itself must know of a call is what its caller asked for */
	if (rc < 0 || rc > SEAM_REFUSED || (rc == SEAM_CHANGED && ((r->flags & SEAM_SF_GUARD) || r->watch))) {
		failed_itself(r, id);
		return 0;
	}
	__atomic_add_fetch(&native_state(id)->acted, 1, __ATOMIC_RELAXED);
	if (rc == SEAM_REFUSED) {
		f->rax = c->result;
		f->ret = c->error ? (uint64_t)(uint32_t)c->error + 1 : 0;
		f->orig = (uint64_t)seam_refused;
		f->how |= HOW_REFUSED;
		return 1;
	}
	for (unsigned i = 0; i < 6; i++)
		f->words[i] = c->arg[i];
	for (unsigned i = 0; i < r->nstack && i < SEAM_MAX_ARGS - 6; i++)
		f->stack[i] = c->arg[6 + i]; /* the callee's own, by the ABI */
	return 1;
}

int seam_native_pre(const struct seam_run *r, struct seam_frame *f, const struct seam_rule *q)
{
	return native_pre(r, f, &seam->natives->of[q->id], q->id);
}

/* The same after the call. 1: it changed the result, or errno. */
int seam_native_did_after(const struct seam_run *r, struct seam_frame *f, uint32_t id, int rc, const struct seam_call *c)
{
	if (rc != SEAM_CHANGED) {
		failed_itself(r, id);
		return 0;
	}
	__atomic_add_fetch(&native_state(id)->acted, 1, __ATOMIC_RELAXED);
	f->ret = c->result;
	set_errno(c->error);
	return 1;
}

uint64_t seam_native_post(const struct seam_run *r, struct seam_frame *f, int failed)
{
	uint64_t acted = 0;
	for (uint64_t left = f->natives; left; left &= left - 1) {
		const struct seam_rule *q = &r->rules[__builtin_ctzll(left)];
		if (q->what == SEAM_ACT_NATIVE && ((q->flags & SEAM_RULE_POST) || failed) &&
		    native_after(r, f, &seam->natives->of[q->id], q->id, q->flags & SEAM_RULE_POST ? SEAM_POST : SEAM_FAILING))
			acted |= 1ull << q->id;
	}
	return acted;
}
