/* callback.c: a Go callback is asked about a call (docs/callbacks.md).
 *
 * The host's thread leaves a request in a hand-over slot (handover.c), rings the
 * bell of the agent's callback threads and waits, for as long as the callback's
 * rule says. Then it does what the answer says: other argument words, a refusal,
 * another result. Without an answer the call goes on as it is.
 *
 * Two who are awake need no system call of each other: an agent's thread looks
 * for a while for the next request before it sleeps, and the host's thread for
 * the answer. `cb_asleep` and `asleep` say who must be woken.
 */
#include "hot.h"

#define START_DEADLINE_NS 500000000ll /* the agent's start, once per process */
#define STUCK_MAX 3                   /* calls that a callback may hold up for ever */
#define UNTAKEN_MAX 3                 /* requests, one after the other, that nobody takes */
#define LOOKS 500                     /* for the answer, before sleeping: some 10 to 30 us */
#define VAIN 4                        /* looks in vain, one after the other, after which it is */
#define TRY 64                        /* tried each so many times only: the other side has no processor */

static inline struct seam_rule_state *state_of(const struct seam_rule *q)
{
	return (struct seam_rule_state *)arena_at(seam->fixed.rules_off) + q->id;
}

/* Leave a note for the reader. Any thread, at any time: no lock; of more notes than
 * there are places the oldest are lost. */
void seam_note(unsigned code, unsigned rule, uint32_t pid, uint32_t tid, uint64_t count, const char *text, unsigned len)
{
	struct seam_arena *a = seam->arena;
	if (!seam->fixed.nnotes)
		return;
	uint32_t n = __atomic_fetch_add(&a->notes, 1, __ATOMIC_ACQ_REL);
	struct seam_note *p = (struct seam_note *)((struct seam_rule_state *)arena_at(seam->fixed.rules_off) + seam->fixed.nrules) + n % seam->fixed.nnotes;
	__atomic_store_n(&p->number, 0, __ATOMIC_RELEASE);
	if (len > sizeof p->text)
		len = sizeof p->text;
	p->code = code;
	p->rule = rule;
	p->len = len;
	p->pid = pid;
	p->tid = tid;
	p->count = count;
	p->told = 0;
	copy_bytes(p->text, text, len);
	__atomic_store_n(&p->number, n + 1, __ATOMIC_RELEASE);
}

/* 1: the agent can be asked. It is started here if this is a place for it. */
static int ask_possible(struct seam_tls *t, const struct seam_frame *f)
{
	uint32_t s = __atomic_load_n(&seam->go_state, __ATOMIC_ACQUIRE);
	if (likely(s == SEAM_GO_ON && seam->untaken < UNTAKEN_MAX))
		return 1;
	if (s == SEAM_GO_ON)
		return 0; /* an agent that takes no requests: it has no callbacks, or too many threads hang in them */
	if ((s != SEAM_GO_OFF && s != SEAM_GO_STARTING) || seam->go_reason == SEAM_WHY_TIMEOUT || seam->start == SEAM_START_NEVER)
		return 0;
	return seam_safe_place(t, f) && seam_agent_runs(t);
}

static struct seam_called *ask(struct seam_tls *t, const struct seam_run *r, struct seam_frame *f, const struct seam_rule *q,
	int failed, struct seam_handover *h)
{
	struct seam_rule_state *s = state_of(q);
	struct seam_called *c = (struct seam_called *)h->reply;
	h->pid = seam->pid;
	h->tid = t->tid;
	h->site = r->id;
	h->what = SEAM_HO_CALLBACK;
	h->ret = f->ret;
	h->lib_base = r->lib_base;
	for (unsigned i = 0; i < SEAM_MAX_WORDS; i++)
		h->words[i] = i < r->nregs ? f->words[i] : i < (unsigned)r->nregs + r->nstack ? f->stack[i - r->nregs] : 0;
	c->callback = q->count;
	c->rule = q->id;
	c->position = q->count_arg;
	c->failed = failed;
	c->nwords = r->nregs + r->nstack;
	__asm__ volatile("movl %%fs:(%1), %0" : "=r"(c->err) : "r"(seam_errno_off));
	c->asleep = c->out = c->changed = c->server = 0;
	__atomic_store_n(&h->state, SEAM_HO_ASKED, __ATOMIC_RELEASE);
	struct seam_proc *p = my_proc();
	__atomic_add_fetch(&p->cb_bell, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&p->cb_asleep, __ATOMIC_SEQ_CST))
		futex_wake(&p->cb_bell, 1);
	uint32_t vain = seam->vain;
	if (vain < VAIN || vain % TRY == 0) {
		for (unsigned i = 0; i < LOOKS; i++) {
			if (__atomic_load_n(&h->state, __ATOMIC_ACQUIRE) == SEAM_HO_DONE) {
				seam->vain = seam->untaken = 0;
				return c;
			}
			__builtin_ia32_pause();
		}
	}
	seam->vain = vain + 1;
	__atomic_store_n(&c->asleep, 1, __ATOMIC_SEQ_CST);
	int done = seam_await(h, rule_ns(q->id, s->delay), SEAM_HO_TIMEOUT);
	if (done > 0) {
		seam->untaken = 0;
		return c;
	}
	__atomic_add_fetch(&s->timeouts, 1, __ATOMIC_RELAXED);
	if (done == 0 && __atomic_add_fetch(&seam->untaken, 1, __ATOMIC_RELAXED) == UNTAKEN_MAX) {
		static const char why[] = "no thread of this process' agent runs callbacks: it asks for none any more";
		seam_note(SEAM_NOTE_OFF, q->id, seam->pid, t->tid, UNTAKEN_MAX, why, sizeof why - 1);
	}
	if (done < 0) {
		__atomic_add_fetch(&p->cb_bell, 1, __ATOMIC_SEQ_CST); /* somebody else there tells of it */
		futex_wake(&p->cb_bell, 1);
		if (__atomic_add_fetch(&s->stuck, 1, __ATOMIC_RELAXED) >= STUCK_MAX && !(__atomic_fetch_or(&s->off, SEAM_OFF_ERRORS, __ATOMIC_RELAXED) & SEAM_OFF_ERRORS)) {
			static const char why[] = "switched off: calls are held up in it that were not waited for any longer";
			seam_note(SEAM_NOTE_OFF, q->id, seam->pid, t->tid, STUCK_MAX, why, sizeof why - 1);
		}
	}
	return 0;
}

static void set_errno(uint32_t err)
{
	__asm__ volatile("movl %0, %%fs:(%1)" : : "r"(err), "r"(seam_errno_off) : "memory");
}

/* Ask callback q about the call of f, whose guard is held. 1: it was asked, and f says what it wants. */
int seam_callback(struct seam_tls *t, const struct seam_run *r, struct seam_frame *f, const struct seam_rule *q, int failed)
{
	struct seam_rule_state *s = state_of(q);
	if (!begin_calls()) {
		__atomic_add_fetch(&s->skipped, 1, __ATOMIC_RELAXED);
		return 0;
	}
	struct seam_handover *h = 0;
	struct seam_called *c = 0;
	if (ask_possible(t, f) && (h = seam_claim_handover()))
		c = ask(t, r, f, q, failed, h);
	if (!c) {
		__atomic_add_fetch(&s->skipped, 1, __ATOMIC_RELAXED);
		end_calls();
		return 0;
	}
	__atomic_add_fetch(&s->acted, 1, __ATOMIC_RELAXED);
	if (q->count_arg == SEAM_POS_PRE) {
		/* what the core itself must know of a call is what its caller asked for */
		/* how many: from the site, not from the slot, which others can write */
		for (unsigned i = 0; i < (unsigned)r->nregs + r->nstack && i < SEAM_MAX_WORDS && !(r->flags & SEAM_SF_GUARD) && !r->watch; i++)
			if (c->changed >> i & 1)
				*(i < r->nregs ? &f->words[i] : &f->stack[i - r->nregs]) = c->out_words[i];
		if (c->out & SEAM_CALL_REFUSE) {
			f->rax = c->out_ret;
			f->ret = c->out & SEAM_CALL_ERRNO ? c->out_err + 1ull : 0;
			f->orig = (uint64_t)seam_refused;
			f->how |= HOW_REFUSED;
		}
	} else {
		if (c->out & SEAM_CALL_RET)
			f->ret = c->out_ret;
		if (c->out & SEAM_CALL_ERRNO)
			set_errno(c->out_err);
	}
	__atomic_store_n(&h->state, SEAM_HO_FREE, __ATOMIC_RELEASE);
	end_calls();
	return 1;
}

/* After the original of a call with HOW_CALLBACK, with the guard held: those of its callbacks
 * that are for now. The original's result is in f. Returns the rules of those that ran, a bit each. */
uint64_t seam_callbacks_after(struct seam_tls *t, struct seam_frame *f, int failed)
{
	const struct seam_run *r = f->run;
	uint64_t acted = 0;
	for (uint32_t i = 0; i < r->nrules; i++) {
		const struct seam_rule *q = &r->rules[i];
		if (q->what != SEAM_ACT_CALLBACK || q->count_arg == SEAM_POS_PRE || !(f->natives >> i & 1) ||
		    (q->count_arg == SEAM_POS_FAILING && !failed))
			continue;
		if (seam_due(state_of(q)) && seam_callback(t, r, f, q, failed))
			acted |= 1ull << q->id;
	}
	return acted;
}

/* A note about the callback that this thread, one of the agent's, runs. */
void seam_note_here(unsigned code, const char *text, unsigned len)
{
	struct seam_handover *h = seam->handovers;
	uint32_t tid = sys0(SYS_gettid);
	for (uint32_t i = 0; i < SEAM_HANDOVERS; i++, h++) {
		struct seam_called *c = (struct seam_called *)h->reply;
		uint32_t s = __atomic_load_n(&h->state, __ATOMIC_ACQUIRE);
		if (h->pid == seam->pid && h->what == SEAM_HO_CALLBACK && (s == SEAM_HO_TAKEN || s == SEAM_HO_ABANDONED) && c->server == tid)
			seam_note(code, c->rule, h->pid, h->tid, 1, text, len);
	}
}

/* The agent ends, on one of its own threads: what that thread ran, and whoever
 * waits for it, are told. */
void seam_callbacks_end(void)
{
	static const char why[] = "the agent ended in it, and runs no callback any more: a fatal error of Go (a stack or the memory used up, os.Exit)";
	if (!seam->arena)
		return;
	seam_note_here(SEAM_NOTE_FATAL, why, sizeof why - 1);
	struct seam_handover *h = seam->handovers;
	for (uint32_t i = 0; i < SEAM_HANDOVERS; i++, h++) {
		struct seam_called *c = (struct seam_called *)h->reply;
		uint32_t s = __atomic_load_n(&h->state, __ATOMIC_ACQUIRE);
		if (h->pid != seam->pid || h->what != SEAM_HO_CALLBACK || s != SEAM_HO_TAKEN)
			continue;
		c->out = c->changed = 0;
		if (__atomic_compare_exchange_n(&h->state, &s, SEAM_HO_DONE, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			futex_wake(&h->state, 1);
	}
}
