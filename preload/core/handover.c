/* handover.c: a host thread leaves a question to the agent and waits, briefly.
 *
 * Steps, and what the other side can see at each:
 *   1. claim   FREE -> CLAIMED   the agent ignores it
 *   2. fill, CLAIMED -> ASKED, ring the process's bell
 *   3. agent:  ASKED -> TAKEN, works with a C library on its own thread, writes the reply, -> DONE
 *   4. host:   copies the reply, -> FREE; or, at its deadline, ASKED -> FREE, or
 *              TAKEN -> ABANDONED: then the agent sets FREE when it comes back to it
 */
#include "hot.h"

#define HO_DEADLINE_NS 100000000ll    /* a hand-over */
#define START_DEADLINE_NS 500000000ll /* the agent's start, once per process */

static void start_and_wait(void *unused)
{
	if (seam_go_start() == 0)
		seam_go_wait(START_DEADLINE_NS);
}

struct seam_handover *seam_claim_handover(void)
{
	struct seam_handover *h = seam->handovers;
	seam->handed = 1;
	for (uint32_t i = 0; i < SEAM_HANDOVERS; i++) {
		uint32_t is = SEAM_HO_FREE;
		if (h[i].state == SEAM_HO_FREE &&
		    __atomic_compare_exchange_n(&h[i].state, &is, SEAM_HO_CLAIMED, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return &h[i];
	}
	return 0;
}

int seam_agent_runs(struct seam_tls *t)
{
	uint32_t s = __atomic_load_n(&seam->go_state, __ATOMIC_ACQUIRE);
	if (s == SEAM_GO_ON)
		return 1;
	if (s != SEAM_GO_OFF && s != SEAM_GO_STARTING)
		return 0;
	if (seam->start == SEAM_START_NEVER || (uint32_t)sys0(SYS_getpid) != seam->pid || (uint32_t)sys0(SYS_gettid) != t->tid)
		return 0;
	seam_aside(start_and_wait, 0);
	s = __atomic_load_n(&seam->go_state, __ATOMIC_ACQUIRE);
	if (s == SEAM_GO_STARTING)
		seam->go_reason = SEAM_WHY_TIMEOUT;
	return s == SEAM_GO_ON;
}

/* A thread that was taken out of seam_hand_over by a jump is in it no more. */
void seam_release_handovers(const struct seam_tls *t)
{
	struct seam_handover *h = seam->handovers;
	for (uint32_t i = 0; i < SEAM_HANDOVERS; i++, h++) {
		if (h->pid != seam->pid || h->tid != t->tid)
			continue;
		uint32_t s = __atomic_load_n(&h->state, __ATOMIC_ACQUIRE);
		while (s == SEAM_HO_ASKED || s == SEAM_HO_TAKEN || s == SEAM_HO_DONE)
			if (__atomic_compare_exchange_n(&h->state, &s, s == SEAM_HO_TAKEN ? SEAM_HO_ABANDONED : SEAM_HO_FREE, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
				break;
	}
}

/* Wait until h is done, at most ns: 1. Else that is counted, and h is not this thread's any
 * more: 0 nobody had taken it, -1 whoever did frees it. */
int seam_await(struct seam_handover *h, int64_t ns, unsigned lost)
{
	struct ktime t0, now;
	sys2(SYS_clock_gettime, 1, &t0);
	for (;;) {
		uint32_t s = __atomic_load_n(&h->state, __ATOMIC_ACQUIRE);
		if (s == SEAM_HO_DONE)
			return 1;
		if (s == SEAM_HO_FREE) { /* a child that a signal handler forked here: it was its parent's */
			count_lost(lost);
			return 0;
		}
		sys2(SYS_clock_gettime, 1, &now);
		int64_t left = ns - ((now.sec - t0.sec) * 1000000000 + now.nsec - t0.nsec);
		if (left > 0) {
			futex_wait(&h->state, s, left);
			continue;
		}
		/* nobody took it: it is ours again. Else whoever did frees it. */
		uint32_t to_state = s == SEAM_HO_ASKED ? SEAM_HO_FREE : SEAM_HO_ABANDONED;
		if (__atomic_compare_exchange_n(&h->state, &s, to_state, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
			count_lost(lost);
			return s == SEAM_HO_ASKED ? 0 : -1;
		}
	}
}

static unsigned hand_over(struct seam_tls *t, const struct seam_run *r, const uint64_t *words, uint64_t ret,
	unsigned char *to, unsigned char *end)
{
	if (!seam_agent_runs(t)) {
		count_lost(SEAM_HO_NOAGENT);
		return 0;
	}
	struct seam_handover *h = seam_claim_handover();
	if (!h) {
		count_lost(SEAM_HO_NOAGENT);
		return 0;
	}
	h->pid = seam->pid;
	h->tid = t->tid;
	h->site = r->id;
	h->what = r->handover;
	h->reply_len = 0;
	h->ret = ret;
	h->lib_base = r->lib_base;
	for (unsigned i = 0; i < SEAM_MAX_WORDS; i++)
		h->words[i] = i < (unsigned)r->nregs + r->nstack ? words[i] : 0;
	__atomic_store_n(&h->state, SEAM_HO_ASKED, __ATOMIC_RELEASE);
	struct seam_proc *p = my_proc();
	__atomic_add_fetch(&p->ho_bell, 1, __ATOMIC_RELEASE);
	futex_wake(&p->ho_bell, 1);

	if (seam_await(h, HO_DEADLINE_NS, SEAM_HO_TIMEOUT) <= 0)
		return 0;
	unsigned len = h->reply_len, room = end - to > 8 ? end - to - 8 : 0;
	if (len > sizeof h->reply)
		len = sizeof h->reply;
	if (len > room)
		len = room;
	struct seam_item *item = (struct seam_item *)to;
	item->len = len;
	item->status = SEAM_READ_OK;
	item->op = SEAM_OPIDX_REPLY;
	copy_bytes(to + sizeof *item, h->reply, len);
	unsigned used = sizeof *item + len;
	while (used % 8)
		to[used++] = 0;
	__atomic_store_n(&h->state, SEAM_HO_FREE, __ATOMIC_RELEASE);
	return used;
}

/* Returns bytes of a reply item written at `to`, a multiple of 8, or 0. */
unsigned seam_hand_over(struct seam_tls *t, const struct seam_run *r, const uint64_t *words, uint64_t ret,
	unsigned char *to, unsigned char *end)
{
	if (!begin_calls()) {
		count_lost(SEAM_HO_NOAGENT);
		return 0;
	}
	unsigned n = hand_over(t, r, words, ret, to, end);
	end_calls();
	return n;
}
