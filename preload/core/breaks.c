/* breaks.c: a thread waits at a breakpoint, before the call, until it is released.
 *
 * A breakpoint is a rule (act.c). A call that it is for takes an entry of the arena's
 * table, says there who and where it is, and waits on the entry's first word. The
 * collector, which maps the arena too, reads the entries, and releases a thread by
 * exchanging that word. Nothing of the agent is needed.
 *
 *   FREE -> CLAIMED     the thread, in the call's guard: its entry, filled in
 *   CLAIMED -> PARKED   the call is recorded, the guard is free
 *   PARKED -> RELEASED  the collector
 *   any -> FREE         the thread, when it leaves; the collector, when the thread is gone
 *
 * A thread leaves
 *   - when it is released;
 *   - at its deadline;
 *   - when its breakpoint is taken back (`armed`): each SLICE it looks, and is woken for it;
 *   - when the collector is gone: its process is not there, or `beat` has stood still for GONE_NS.
 *     The first who finds out says so (`deaf`), and nobody waits for that collector again;
 *   - when the process forbids itself system calls;
 *   - in a child that a signal handler forked meanwhile: the entry is its parent's.
 * So each wait has an end. Signals are handled at once, and the wait goes on. A thread for
 * which there is no entry does not wait.
 *
 * A handler that jumps out of the wait leaves its entry behind: until its thread takes another
 * from a frame that is not below it, or its deadline is over.
 */
#include "hot.h"

#define CLOCK_MONOTONIC_ 1
#define PR_GET_NAME_ 16
#define ESRCH_ 3
#define SLICE_NS 100000000ll    /* how often a thread looks around */
#define GONE_NS 3000000000ull   /* a collector that has not moved for so long... */
#define GONE_LOOKS 20           /* ... as a thread has seen so often (both may have been stopped) is gone */
#define LEFT_NS 1000000000ull   /* after its deadline nobody is in an entry any more */
#define TICKETS ((1u << 30) - 1)

static inline struct seam_parks *parks(void) { return arena_at(seam->fixed.parks_off); }
static inline struct seam_break *break_of(uint32_t rule) { return (struct seam_break *)(parks() + 1) + rule; }
static inline struct seam_parked *parked(uint32_t i) { return (struct seam_parked *)break_of(seam->fixed.nrules) + i; }

static uint64_t mono_ns(void)
{
	struct ktime t = { 0, 0 };
	sys2(SYS_clock_gettime, CLOCK_MONOTONIC_, &t);
	return t.sec * 1000000000ull + t.nsec;
}

/* Whether somebody is there who could release a thread, as far as is known. */
static int deaf(void)
{
	const struct seam_parks *k = parks();
	return __atomic_load_n(&k->deaf, __ATOMIC_RELAXED) == __atomic_load_n(&k->beat, __ATOMIC_RELAXED) + 1;
}

/* An entry in state CLAIMED, or NULL: there is none. */
static struct seam_parked *claim(uint32_t pid, uint32_t tid, uint64_t frame, uint64_t now)
{
	struct seam_parked *got = 0;
	for (uint32_t i = 0; i < seam->fixed.nparks; i++) {
		struct seam_parked *p = parked(i);
		uint32_t s = __atomic_load_n(&p->state, __ATOMIC_ACQUIRE);
		int left = s && ((p->pid == pid && p->tid == tid && p->frame <= frame) /* by a jump */ ||
			((s & 3) != SEAM_PARK_CLAIMED && p->deadline + LEFT_NS < now));
		if (left) {
			p->tid = 0; /* what is claimed has no thread until it says so */
			if (__atomic_compare_exchange_n(&p->state, &s, SEAM_PARK_FREE, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
				s = SEAM_PARK_FREE;
		}
		if (s || got)
			continue;
		uint32_t ticket = __atomic_add_fetch(&parks()->ticket, 1, __ATOMIC_RELAXED) & TICKETS;
		if (__atomic_compare_exchange_n(&p->state, &s, ticket << 2 | SEAM_PARK_CLAIMED, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			got = p;
	}
	return got;
}

/* Who it is and where, for the reader. The guard is held. */
static void describe(struct seam_tls *t, const struct seam_run *r, struct seam_parked *p, const struct seam_frame *f)
{
	unsigned n = r->nregs + r->nstack;
	for (unsigned i = 0; i < SEAM_MAX_WORDS; i++)
		p->words[i] = i >= n ? 0 : i < r->nregs ? f->words[i] : f->stack[i - r->nregs];
	p->site = r->id;
	p->frame = (uint64_t)f;
	p->caller = f->caller;
	p->sp = (uint64_t)f->stack;
	p->bp = f->caller_rbp;
	p->ns = seam->ns;
	sys2(SYS_prctl, PR_GET_NAME_, p->comm);
	uint64_t words[SEAM_MAX_WORDS];
	for (unsigned i = 0; i < SEAM_MAX_WORDS; i++)
		words[i] = p->words[i];
	p->items_len = r->early ? seam_read_items(t, r, words, 0, SEAM_WHEN_ENTER, p->payload, p->payload + sizeof p->payload) : 0;
	p->stack_len = seam_copy(p->sp, p->stack, sizeof p->stack);
}

int seam_break_take(struct seam_tls *t, const struct seam_run *r, const struct seam_rule *q, struct seam_frame *f)
{
	if (!seam->fixed.nparks)
		return 0;
	uint64_t serial = __atomic_load_n(&break_of(q->id)->armed, __ATOMIC_ACQUIRE);
	if (!serial || f->parked) /* of several breakpoints at one call the first has it */
		return -1;
	if (deaf() || !begin_calls())
		return 0;
	uint32_t pid = sys0(SYS_getpid), tid = sys0(SYS_gettid);
	uint64_t now = mono_ns();
	struct seam_parked *p = claim(pid, tid, (uint64_t)f, now);
	if (p) {
		p->pid = pid;
		p->tid = tid;
		p->rule = q->id;
		p->serial = serial;
		p->since = p->looked = now;
		p->deadline = now + rule_ns(q->id, ((struct seam_rule_state *)arena_at(seam->fixed.rules_off))[q->id].delay);
		describe(t, r, p, f);
		f->parked = (uint64_t)q->id << 32 | (p - parked(0) + 1);
	}
	end_calls();
	return p != 0;
}

static void leave(struct seam_parked *p, uint32_t ticket)
{
	uint32_t s = __atomic_load_n(&p->state, __ATOMIC_RELAXED);
	if (s >> 2 == ticket)
		p->tid = 0;
	while (s >> 2 == ticket && !__atomic_compare_exchange_n(&p->state, &s, SEAM_PARK_FREE, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		;
}

void seam_break_give(struct seam_frame *f)
{
	struct seam_parked *p = parked((uint32_t)f->parked - 1);
	leave(p, p->state >> 2);
	f->parked = 0;
}

/* What a waiting thread knows of the collector. */
struct watch { uint32_t beat, looks; uint64_t since; };

/* 1: it is gone. */
static int gone(struct watch *w, uint64_t now)
{
	struct seam_parks *k = parks();
	uint32_t beat = __atomic_load_n(&k->beat, __ATOMIC_RELAXED);
	if (beat != w->beat || !w->since) {
		*w = (struct watch){ beat, 0, now };
		return 0;
	}
	int dead = k->keeper && !seam->ns && sys2(SYS_kill, k->keeper, 0) == -ESRCH_;
	if (!dead && !(++w->looks >= GONE_LOOKS && now - w->since > GONE_NS))
		return 0;
	__atomic_store_n(&k->deaf, beat + 1, __ATOMIC_RELAXED);
	return 1;
}

void seam_break_wait(struct seam_frame *f)
{
	struct seam_parked *p = parked((uint32_t)f->parked - 1);
	uint32_t rule = f->parked >> 32;
	struct seam_break *s = break_of(rule);
	uint64_t serial = p->serial, deadline = p->deadline, most = 0; /* most: whoever wrote a deadline there */
	uint32_t ticket = p->state >> 2, here = ticket << 2 | SEAM_PARK_PARKED, gen = *seam_alive, was = ticket << 2 | SEAM_PARK_CLAIMED;
	struct watch w = { 0, 0, 0 };
	if (!__atomic_compare_exchange_n(&p->state, &was, here, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return; /* taken for a dead thread's: it stood still here for long */
	__atomic_add_fetch(&parks()->bell, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&p->state, __ATOMIC_SEQ_CST) == here && __atomic_load_n(&s->armed, __ATOMIC_SEQ_CST) == serial && begin_calls()) {
		uint64_t now = mono_ns();
		int over = 0;
		p->looked = now;
		if (!most)
			most = now + seam->longest[rule];
		if (now >= (deadline < most ? deadline : most)) {
			__atomic_add_fetch(&s->expired, 1, __ATOMIC_RELAXED);
			over = 1;
		} else if (gone(&w, now)) {
			__atomic_add_fetch(&s->abandoned, 1, __ATOMIC_RELAXED);
			over = 1;
		} else
			futex_wait(&p->state, here, deadline - now < SLICE_NS ? (int64_t)(deadline - now) : SLICE_NS);
		if (*seam_alive != gen)
			return; /* a forked child: entry and count of callers are its parent's */
		end_calls();
		if (over)
			break;
	}
	if (*seam_alive == gen)
		leave(p, ticket);
}
