/* drop.c: counting calls as lost, exactly once whatever kills the thread that counts.
 *
 * Two words must change together: the site's count, which all threads add to, and
 * what says that these calls need no counting any more (the chunk's `consumed`, or
 * the thread's `produced`). A thread can be killed between any two instructions,
 * and whoever finds it dead (wire/arena/drop.go) has to know whether the addition
 * was made. So it says in its entry what it is about to do, and each addition
 * leaves its mark in the count:
 *
 *   1 write the redo record                    site, calls, chunk and upto, or produced
 *   2 drop_seq = number of this drop           the record is armed
 *   3 compare and swap the site's count        count + calls, mark: thread and number
 *   4 consumed = upto, or produced             same value, however often
 *   5 drop_done = drop_seq                     disarmed
 *
 * A mark is overwritten by the next thread that adds to the same site. That one
 * first stores the number in the drop_seen of the thread whose mark it is: the
 * addition was made. A number is only used when its mark does not stand in the
 * count already, so that an old mark is never taken for a new one.
 */
#include "hot.h"

#define MARK_SHIFT 44
#define SEQ_SHIFT 56

static inline struct seam_thread *threads(void) { return arena_at(seam->fixed.threads_off); }

static inline uint64_t mark_of(uint32_t thread, uint64_t seq)
{
	return (uint64_t)thread << MARK_SHIFT | seq << SEQ_SHIFT;
}

/* `word` is about to be overwritten: tell whose mark it is that it was there. */
static void acknowledge(const struct seam_asite *s, uint32_t site, uint64_t word)
{
	uint32_t i = word >> MARK_SHIFT & (SEAM_DROPPED_THREADS - 1);
	if (i >= seam->fixed.nthreads)
		return;
	struct seam_thread *o = &threads()[i];
	uint64_t seen = __atomic_load_n(&o->drop_seen, __ATOMIC_ACQUIRE);
	uint64_t seq = __atomic_load_n(&o->drop_seq, __ATOMIC_ACQUIRE);
	if (seq == seen || seq == __atomic_load_n(&o->drop_done, __ATOMIC_ACQUIRE) || (seq & 0xff) != word >> SEQ_SHIFT || o->drop_site != site)
		return; /* the mark of a drop that is over */
	if (__atomic_load_n(&s->dropped, __ATOMIC_ACQUIRE) == word)
		__atomic_compare_exchange_n(&o->drop_seen, &seen, seq, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Step 3. Nobody else adds with this mark. */
static void add_marked(struct seam_asite *s, uint32_t site, uint64_t word, uint32_t calls, uint64_t mark)
{
	uint64_t next;
	do {
		acknowledge(s, site, word);
		next = ((word + calls) & SEAM_DROPPED_COUNT) | mark;
	} while (!__atomic_compare_exchange_n(&s->dropped, &word, next, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
}

/* Steps 4 and 5, from the record. What the thread itself knows comes first: a handler that jumps out
 * of here comes back by seam_settle_drop, as long as the record is armed. */
static void finish(struct seam_tls *t, uint64_t seq)
{
	struct seam_thread *e = t->ent;
	uint32_t chunk = __atomic_load_n(&e->drop_chunk, __ATOMIC_RELAXED);
	if (chunk && chunk <= seam->fixed.nchunks)
		__atomic_store_n(&((struct seam_chunk *)arena_at(seam->fixed.metas_off))[chunk - 1].consumed, e->drop_upto, __ATOMIC_RELEASE);
	else {
		t->produced = e->drop_produced;
		t->produced_seq = t->drop_call;
		__atomic_store_n(&e->produced, e->drop_produced, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&e->drop_done, seq, __ATOMIC_RELEASE);
}

/* c is NULL for the thread's own call, which has its number, and is produced by this. */
void seam_drop(struct seam_tls *t, uint32_t site, uint32_t calls, struct seam_chunk *c, uint32_t upto)
{
	struct seam_thread *e = t->ent;
	struct seam_asite *s = (struct seam_asite *)arena_at(seam->fixed.sites_off) + site;
	uint32_t me = e - threads();
	uint64_t word = __atomic_load_n(&s->dropped, __ATOMIC_RELAXED), seq = e->drop_seq + 1;
	if ((word & ~SEAM_DROPPED_COUNT) == mark_of(me, seq))
		seq++;
	e->drop_site = site;
	e->drop_calls = calls;
	e->drop_chunk = c ? c - (struct seam_chunk *)arena_at(seam->fixed.metas_off) + 1 : 0;
	e->drop_upto = upto;
	e->drop_produced = t->produced + (uint32_t)(t->seq - t->produced_seq);
	t->drop_call = t->seq;
	__atomic_store_n(&e->drop_seq, seq, __ATOMIC_RELEASE);
	add_marked(s, site, word, calls, mark_of(me, seq));
	finish(t, seq);
}

/* A drop of this very thread that a signal handler left by a jump: as wire/arena/drop.go
 * does it for a thread that is dead. */
void seam_settle_drop(struct seam_tls *t)
{
	struct seam_thread *e = t->ent;
	uint64_t seq = e->drop_seq, mark = mark_of(e - threads(), seq);
	uint32_t site = __atomic_load_n(&e->drop_site, __ATOMIC_RELAXED);
	if (seq == e->drop_done || site >= seam->fixed.nsites)
		return;
	struct seam_asite *s = (struct seam_asite *)arena_at(seam->fixed.sites_off) + site;
	uint64_t word = __atomic_load_n(&s->dropped, __ATOMIC_ACQUIRE);
	if ((word & ~SEAM_DROPPED_COUNT) != mark && __atomic_load_n(&e->drop_seen, __ATOMIC_ACQUIRE) != seq)
		add_marked(s, site, word, e->drop_calls, mark);
	finish(t, seq);
}
