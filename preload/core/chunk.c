/* chunk.c: where a thread gets its space from, and what happens when there is none.
 *
 * A chunk's life, and who moves it on:
 *
 *   FREE ──take──► ACTIVE ──full──► FULL ──drained──► FREE
 *    ▲   producer     │   producer    │     drainer
 *    └────────────────┘ drainer,      └──stolen──► STOLEN ──► ACTIVE
 *       thread is dead                   producer (drop-oldest)
 *
 * BUSY is or'ed in by a drainer while it reads; a producer keeps it and never
 * steals a chunk that has it. A free chunk is a set bit in the arena's bitmap; whoever
 * clears the bit owns the chunk. The lowest bit is taken first, so that a
 * drainer that keeps up lets the same few chunks be written again and again while they are in
 * the cache: ever-new pages cost more than twice as much per record.
 */
#include "hot.h"

#define START_AT 16         /* full chunks that are worth starting the agent for */
#define REAP_WORTH 64       /* dead threads: with less, the next look waits for */
#define REAP_EVERY (1ull << 26) /* clock ticks: some 20 ms of a TSC, 67 ms of CLOCK_MONOTONIC */

static inline struct seam_chunk *metas(void) { return arena_at(seam->fixed.metas_off); }
static inline struct seam_proc *procs(void) { return arena_at(seam->fixed.procs_off); }
static inline struct seam_thread *threads(void) { return arena_at(seam->fixed.threads_off); }

static inline struct seam_proc *proc_of(uint32_t i) { return i < seam->fixed.nprocs ? procs() + i : 0; }

static void count_to(struct seam_tls *t, uint32_t seq)
{
	t->produced += (uint32_t)(seq - t->produced_seq);
	t->produced_seq = seq;
}

/* Bring the thread's account up to call number seq. */
static void sync_to(struct seam_tls *t, uint32_t seq)
{
	count_to(t, seq);
	__atomic_store_n(&t->ent->produced, t->produced, __ATOMIC_RELEASE);
}

void seam_count_skip(struct seam_tls *t)
{
	if (!seam->arena)
		return;
	count_lost(t->guard == SEAM_GUARD_AGENT ? SEAM_SKIP_AGENT : t->guard == SEAM_GUARD_NOBODY ? SEAM_LOST_NOTHREAD : SEAM_SKIP_REENTRANT);
}

/* A call that was produced and got no record: it has its number, or its thread
 * has no place in the table. */
void seam_count_drop(struct seam_tls *t, const struct seam_run *r)
{
	if (!t->ent) {
		count_lost(SEAM_LOST_NOTHREAD); /* stands for a call produced and dropped, of no probe */
		return;
	}
	sync_to(t, t->seq - 1);
	seam_drop(t, r->id, 1, 0, 0); /* produced and dropped, both or neither */
	struct seam_proc *p = proc_of(__atomic_load_n(&t->ent->proc, __ATOMIC_RELAXED));
	if (p)
		__atomic_add_fetch(&p->dropped, 1, __ATOMIC_RELAXED);
}

void seam_return_lost(const struct seam_run *r)
{
	count_lost(SEAM_LOST_RETURN);
	__atomic_add_fetch(&r->site->returns_lost, 1, __ATOMIC_RELAXED);
}

static uint64_t *free_words(void) { return arena_at(seam->fixed.free_off); }

static struct seam_chunk *take_free(void)
{
	uint64_t *w = free_words();
	unsigned n = (seam->fixed.nchunks + 63) / 64;
	for (unsigned i = 0; i < n; i++) {
		uint64_t v = __atomic_load_n(&w[i], __ATOMIC_RELAXED);
		while (v) {
			unsigned b = __builtin_ctzll(v);
			if (unlikely(64 * i + b >= seam->fixed.nchunks))
				break;
			if (__atomic_compare_exchange_n(&w[i], &v, v & ~(1ull << b), 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
				return metas() + 64 * i + b;
		}
	}
	return 0;
}

/* Threads that come and go leave chunks behind that are hardly used and not FULL. */
static int half_taken(void)
{
	unsigned n = (seam->fixed.nchunks + 63) / 64;
	for (unsigned i = 0; i < (n + 1) / 2; i++)
		if (__atomic_load_n(&free_words()[i], __ATOMIC_RELAXED))
			return 0;
	return 1;
}

/* Count calls and returns of one site as lost, those in a chunk up to `upto`. */
static void lose(struct seam_tls *t, struct seam_chunk *c, uint32_t site, uint32_t calls, uint32_t returns, uint32_t upto)
{
	struct seam_asite *sites = arena_at(seam->fixed.sites_off);
	if (returns)
		__atomic_add_fetch(&sites[site].returns_lost, returns, __ATOMIC_RELAXED);
	if (calls)
		seam_drop(t, site, calls, c, upto);
	else
		__atomic_store_n(&c->consumed, upto, __ATOMIC_RELEASE);
}

/* Whoever shares the arena may write nonsense, at any time: what is read there is read once,
 * and nothing is read beyond the chunk. */
static inline uint32_t head_at(const unsigned char *base, uint32_t at)
{
	return __atomic_load_n((const uint32_t *)(base + at), __ATOMIC_RELAXED);
}

static inline uint32_t committed(const struct seam_chunk *c)
{
	uint32_t n = __atomic_load_n(&c->committed, __ATOMIC_RELAXED);
	return n < seam->fixed.chunk_size ? n : seam->fixed.chunk_size;
}

/* Calls at *at whose returns follow them, all of one function and of one size; *at is then behind
 * them. Each record says where the next one is, a chain of loads; here the first two say it for all,
 * and the processor need not wait: writing off a chunk takes a third of the time. */
static uint32_t pairs(const unsigned char *base, uint32_t *at, uint32_t end)
{
	uint32_t enter = head_at(base, *at), size = 8 * (enter >> 24), n = 0, i = *at;
	if ((enter >> 16 & 0xf) != SEAM_REC_ENTER || size < sizeof(struct seam_rec) || i + size + sizeof(struct seam_rec) > end)
		return 0;
	uint32_t leave = head_at(base, i + size) | REC_FAILED, both = size + 8 * (leave >> 24);
	if ((leave >> 16 & 0xf) != SEAM_REC_LEAVE || (leave & 0xffff) != (enter & 0xffff) || both - size < sizeof(struct seam_rec))
		return 0;
	for (; i + both <= end && head_at(base, i) == enter && (head_at(base, i + size) | REC_FAILED) == leave; i += both)
		n++;
	*at = i;
	return n;
}

/* Count what a chunk still holds as lost; neighbours of one site at once. What is
 * counted is not there any more, whoever looks. */
static void write_off(struct seam_tls *t, struct seam_chunk *c)
{
	struct seam_arena *a = seam->arena;
	unsigned char *base = (unsigned char *)a + seam->fixed.data_off + (uint64_t)(c - metas()) * seam->fixed.chunk_size;
	uint32_t end = committed(c), at = __atomic_load_n(&c->consumed, __ATOMIC_RELAXED), site = 0;
	uint32_t calls = 0, returns = 0, site_calls = 0, site_returns = 0;
	while (at + sizeof(struct seam_rec) <= end) {
		uint32_t head = head_at(base, at), n;
		if (unlikely((head & 0xffff) != site)) {
			if ((head & 0xffff) >= seam->fixed.nsites)
				break;
			lose(t, c, site, site_calls, site_returns, at);
			site_calls = site_returns = 0;
			site = head & 0xffff;
		}
		if ((n = pairs(base, &at, end))) {
			site_calls += n;
			site_returns += n;
			calls += n;
			returns += n;
			continue;
		}
		if (head >> 24 < 2)
			break;
		uint32_t leave = (head >> 16 & 0xf) == SEAM_REC_LEAVE;
		site_calls += !leave;
		site_returns += leave;
		calls += !leave;
		returns += leave;
		at += 8 * (head >> 24);
	}
	lose(t, c, site, site_calls, site_returns, end);
	__atomic_add_fetch(&a->lost[SEAM_LOST_OLDEST], calls, __ATOMIC_RELAXED);
	struct seam_proc *p = proc_of(__atomic_load_n(&c->proc, __ATOMIC_RELAXED));
	if (p && p->uid == c->proc_uid)
		__atomic_add_fetch(&p->dropped, calls, __ATOMIC_RELAXED);
	__atomic_add_fetch(&a->lost[SEAM_LOST_RETURN], returns, __ATOMIC_RELAXED);
}

static int steal(struct seam_tls *t, struct seam_chunk *c)
{
	uint32_t full = SEAM_CHUNK_FULL;
	if (!__atomic_compare_exchange_n(&c->state, &full, SEAM_CHUNK_STOLEN, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return 0;
	__atomic_sub_fetch(&seam->arena->nfull, 1, __ATOMIC_RELAXED);
	write_off(t, c);
	return 1;
}

/* The FULL chunk with the lowest uid, or nearly so. `order` says which chunk got
 * a uid; the cursor oldest_uid moves over uids that are no longer worth a look.
 * What it passes by (a chunk that is still ACTIVE, or BUSY) is found by the scan
 * of all chunks when the cursor has run into the newest. */
static struct seam_chunk *steal_oldest(struct seam_tls *t)
{
	struct seam_arena *a = seam->arena;
	struct seam_chunk *m = metas();
	const uint32_t *order = arena_at(seam->fixed.order_off);
	uint64_t newest = __atomic_load_n(&a->chunk_uid, __ATOMIC_RELAXED);
	uint64_t uid = __atomic_load_n(&a->oldest_uid, __ATOMIC_RELAXED);
	if (uid + seam->fixed.nchunks < newest)
		uid = newest - seam->fixed.nchunks;
	for (uint32_t n = 0; n <= seam->fixed.nchunks && uid <= newest; n++, uid++) {
		uint32_t i = __atomic_load_n(&order[uid % seam->fixed.nchunks], __ATOMIC_RELAXED);
		struct seam_chunk *c = &m[i];
		if (i < seam->fixed.nchunks && c->uid == uid && c->state == SEAM_CHUNK_FULL && steal(t, c)) {
			__atomic_store_n(&a->oldest_uid, uid + 1, __ATOMIC_RELAXED);
			return c;
		}
	}
	for (uint32_t i = 0; i < seam->fixed.nchunks; i++)
		if (m[i].state == SEAM_CHUNK_FULL && steal(t, &m[i]))
			return &m[i];
	return 0;
}

/* ACTIVE -> FULL, whatever a drainer is doing with it. */
static void hand_back(struct seam_chunk *c)
{
	struct seam_arena *a = seam->arena;
	uint32_t s = SEAM_CHUNK_ACTIVE;
	while (!__atomic_compare_exchange_n(&c->state, &s, SEAM_CHUNK_FULL | (s & SEAM_CHUNK_BUSY), 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		if ((s & ~SEAM_CHUNK_BUSY) != SEAM_CHUNK_ACTIVE)
			return;
	uint32_t n = __atomic_add_fetch(&a->nfull, 1, __ATOMIC_RELAXED);
	uint32_t at = __atomic_load_n(&a->sleeping, __ATOMIC_RELAXED);
	if (at && n >= at && begin_calls()) {
		__atomic_add_fetch(&a->work, 1, __ATOMIC_RELEASE);
		futex_wake(&a->work, 1);
		end_calls();
	}
}

/* The last call entered in a chunk of a thread that is gone, counted from the
 * chunk's first_seq: what the thread's `produced` lacks. */
static uint32_t calls_in(const struct seam_chunk *c)
{
	struct seam_arena *a = seam->arena;
	unsigned char *base = (unsigned char *)a + seam->fixed.data_off + (uint64_t)(c - metas()) * seam->fixed.chunk_size;
	uint32_t first = __atomic_load_n(&c->first_seq, __ATOMIC_RELAXED), last = first, end = committed(c);
	for (uint32_t at = 0; at + sizeof(struct seam_rec) <= end; ) {
		uint32_t head = head_at(base, at);
		if (head >> 24 < 2)
			break;
		if ((head >> 16 & 0xf) != SEAM_REC_LEAVE)
			last = head_at(base, at + 4);
		at += 8 * (head >> 24);
	}
	return last - first;
}

/* The thread of this entry writes no more: give back what it held. */
static void recycle(struct seam_thread *e)
{
	uint32_t live = SEAM_THREAD_LIVE;
	if (e->drop_seq != e->drop_done)
		return; /* ended in the middle of counting: a drainer knows how to end that */
	if (!__atomic_compare_exchange_n(&e->state, &live, SEAM_THREAD_REAPED, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return;
	uint32_t i = __atomic_load_n(&e->chunk, __ATOMIC_RELAXED) - 1; /* 0: it has none */
	if (i < seam->fixed.nchunks) {
		struct seam_chunk *c = metas() + i;
		if (c->thread_uid == e->uid && (c->state & ~SEAM_CHUNK_BUSY) == SEAM_CHUNK_ACTIVE) {
			uint64_t in = e->chunk_base + calls_in(c);
			if (in > e->produced) /* before the chunk is handed back: it may be gone at once */
				__atomic_store_n(&e->produced, in, __ATOMIC_RELEASE);
			hand_back(c);
		}
	}
	uint32_t shard = __atomic_exchange_n(&e->shard, 0, __ATOMIC_ACQ_REL);
	if (shard)
		__atomic_and_fetch(&seam->arena->shards, ~(1u << (shard - 1)), __ATOMIC_RELEASE);
	__atomic_store_n(&e->state, SEAM_THREAD_FREE, __ATOMIC_RELEASE);
}

void seam_retire(struct seam_tls *t)
{
	struct seam_thread *e = t->ent;
	if (e && e->uid == t->uid) /* else a drainer has seen its end */
		recycle(e);
	t->ent = 0;
	t->gen = 0;
}

/* Threads that ended without a word, of this process or another that shares the
 * arena. Nothing tells us of a thread's end (a pthread key would be one more thing in
 * the host, and not there for all threads), so this is asked when space is short. */
static void reap_with_calls(struct seam_tls *t)
{
	struct seam_thread *th = threads();
	uint64_t now = now_ticks(), busy = __atomic_load_n(&seam->reaping, __ATOMIC_ACQUIRE);
	if (busy && now - busy < REAP_EVERY) { /* somebody is at it: what he finds is for us, too */
		for (int n = 0; n < 1000 && __atomic_load_n(&seam->reaping, __ATOMIC_ACQUIRE) == busy; n++)
			sys0(SYS_sched_yield);
		return;
	}
	if (!__atomic_compare_exchange_n(&seam->reaping, &busy, now, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	uint32_t found = 0, others = 0;
	struct seam_thread *others_last = 0;
	uint32_t used = __atomic_load_n(&seam->arena->threads_used, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < used && i < seam->fixed.nthreads; i++) {
		struct seam_thread *e = &th[i];
		if (e->state == SEAM_THREAD_LIVE && e->ns == seam->ns && e != t->ent && sys3(SYS_tgkill, e->pid, e->tid, 0) == -3 /* ESRCH */) {
			recycle(e);
			found++;
		} else if (__atomic_load_n(&e->state, __ATOMIC_ACQUIRE) == SEAM_THREAD_REAPED) {
			others_last = e; /* a drainer is at it: in a moment it is free */
			others++;
		}
	}
	for (int n = 0; !found && others_last && n < 1000 && __atomic_load_n(&others_last->state, __ATOMIC_ACQUIRE) == SEAM_THREAD_REAPED; n++)
		sys0(SYS_sched_yield);
	if (found + others < REAP_WORTH)
		seam->reaped_none = now;
	__atomic_store_n(&seam->reaping, 0, __ATOMIC_RELEASE);
}

static void reap_threads(struct seam_tls *t)
{
	if (now_ticks() - seam->reaped_none < REAP_EVERY || !begin_calls())
		return;
	reap_with_calls(t);
	end_calls();
}

/* Whether a call made from `caller` is one where libc may be entered by us, to
 * create a thread: the caller is not libc, the loader or an allocator, which
 * could hold a lock; we are not in a signal handler, as far as the mask tells;
 * not in a vfork child, which has our memory but not our identity. */
int seam_safe_place(const struct seam_tls *t, const struct seam_frame *f)
{
	if (!f || ((const struct seam_run *)f->run)->elsewhere)
		return 0;
	for (uint32_t i = 0; i < seam->nunsafe; i++)
		if (f->caller >= seam->unsafe[i].lo && f->caller < seam->unsafe[i].hi)
			return 0;
	ksigset mask = 0;
	sys4(SYS_rt_sigprocmask, 0, 0, &mask, sizeof mask);
	if (mask != 0 && mask != seam->load_mask)
		return 0;
	return (uint32_t)sys0(SYS_getpid) == seam->pid && (uint32_t)sys0(SYS_gettid) == t->tid;
}

static void start_go(void *unused) { seam_go_start(); }

void seam_wished(struct seam_tls *t, const struct seam_frame *f)
{
	struct seam_arena *a = seam->arena;
	if (__atomic_load_n(&seam->go_state, __ATOMIC_RELAXED) != SEAM_GO_OFF || seam->start == SEAM_START_NEVER)
		return;
	if (!a->wish && seam->start == SEAM_START_DEMAND && (a->nfull < START_AT || seam->reader_drains) && !half_taken())
		return;
	uint32_t owner = __atomic_load_n(&a->owner, __ATOMIC_RELAXED);
	if (owner != 0 && !(owner & SEAM_OWNER_DIED))
		return; /* somebody drains */
	if (!begin_calls())
		return;
	if (seam_safe_place(t, f))
		seam_aside(start_go, 0);
	end_calls();
}

static struct seam_chunk *wait_with_calls(struct seam_tls *t)
{
	struct seam_arena *a = seam->arena;
	struct ktime t0, now;
	struct seam_chunk *c = 0;
	/* A reader that has stopped costs one deadline, not one for each call: no
	 * more waiting until the drainer has freed something. */
	if (__atomic_load_n(&seam->stuck, __ATOMIC_RELAXED) && __atomic_load_n(&a->space, __ATOMIC_ACQUIRE) == seam->stuck_at)
		return 0;
	sys2(SYS_clock_gettime, 1, &t0);
	__atomic_add_fetch(&a->waiting, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		uint32_t seen = __atomic_load_n(&a->space, __ATOMIC_ACQUIRE);
		if ((c = take_free()) || seam_quiet())
			break;
		if (__atomic_load_n(&a->sleeping, __ATOMIC_RELAXED)) {
			__atomic_add_fetch(&a->work, 1, __ATOMIC_RELEASE);
			futex_wake(&a->work, 1);
		}
		sys2(SYS_clock_gettime, 1, &now);
		int64_t left = (int64_t)seam->block_ns - ((now.sec - t0.sec) * 1000000000 + now.nsec - t0.nsec);
		if (left <= 0) {
			seam->stuck_at = seen;
			/* the first to give up stays counted as a waiter: so the drainer
			 * goes on to say when there is space */
			if (!__atomic_exchange_n(&seam->stuck, 1, __ATOMIC_ACQ_REL))
				return 0;
			break;
		}
		futex_wait(&a->space, seen, left);
	}
	if (c && __atomic_exchange_n(&seam->stuck, 0, __ATOMIC_ACQ_REL))
		__atomic_sub_fetch(&a->waiting, 1, __ATOMIC_SEQ_CST);
	__atomic_sub_fetch(&a->waiting, 1, __ATOMIC_SEQ_CST);
	return c;
}

static struct seam_chunk *wait_for_space(struct seam_tls *t)
{
	if (!begin_calls())
		return 0;
	struct seam_chunk *c = wait_with_calls(t);
	end_calls();
	return c;
}

/* Why there was no chunk, for the call that is about to be counted as dropped. */
static struct seam_chunk *take_chunk(struct seam_tls *t)
{
	struct seam_chunk *c = take_free();
	if (c)
		return c;
	/* each time would be a reading of the clock more */
	if (seam->fixed.policy == SEAM_DROP_OLDEST && ++t->steals % 16 && (c = steal_oldest(t)))
		return c;
	reap_threads(t);
	if ((c = take_free()))
		return c;
	switch (seam->fixed.policy) {
	case SEAM_DROP_OLDEST:
		if ((c = steal_oldest(t)))
			return c;
		count_lost(SEAM_LOST_NEWEST);
		return 0;
	case SEAM_BLOCK:
		if ((c = wait_for_space(t)))
			return c;
		count_lost(SEAM_LOST_TIMEOUT);
		return 0;
	default:
		count_lost(SEAM_LOST_NEWEST);
		return 0;
	}
}

/* Hand back the chunk this thread fills. f is the call that gets the first record of
 * the next one, if it is a call: it has its number already. The account is brought up to
 * the call before it while the chunk is still ours: once it is handed back, what
 * it holds may be counted as dropped. Returns the number of that call. */
static uint32_t give_up_chunk(struct seam_tls *t, const struct seam_frame *f)
{
	uint32_t before = f ? t->seq - 1 : t->seq;
	sync_to(t, before);
	if (t->chunk) {
		struct seam_chunk *old = t->chunk;
		t->chunk = 0; /* first: seam_repair looks at it */
		barrier();
		t->pos = t->end = t->base = 0;
		t->ent->chunk = 0;
		hand_back(old);
	}
	return before;
}

static int get_chunk(struct seam_tls *t, uint32_t before)
{
	struct seam_arena *a = seam->arena;
	struct seam_chunk *c = take_chunk(t);
	if (!c)
		return 0;
	uint64_t uid = __atomic_add_fetch(&a->chunk_uid, 1, __ATOMIC_RELAXED);
	c->uid = uid;
	((uint32_t *)arena_at(seam->fixed.order_off))[uid % seam->fixed.nchunks] = c - metas();
	/* in this order: a chunk of ours that is found STOLEN is read from consumed to committed */
	__atomic_store_n(&c->committed, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&c->sending, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&c->consumed, 0, __ATOMIC_RELEASE);
	c->thread = t->ent - threads();
	c->tid = t->tid;
	c->pid = t->ent->pid;
	c->thread_uid = t->ent->uid;
	uint32_t proc = __atomic_load_n(&t->ent->proc, __ATOMIC_RELAXED);
	struct seam_proc *p = proc_of(proc);
	c->proc = proc;
	c->proc_uid = p ? p->uid : 0;
	c->first_seq = before;
	t->ent->chunk_base = t->produced;
	__atomic_store_n(&c->state, SEAM_CHUNK_ACTIVE, __ATOMIC_RELEASE);
	t->ent->chunk = c - metas() + 1;
	t->base = (unsigned char *)a + seam->fixed.data_off + (uint64_t)(c - metas()) * seam->fixed.chunk_size;
	t->pos = t->base;
	t->end = t->base + seam->fixed.chunk_size;
	barrier();
	t->chunk = c;
	return 1;
}

/* Signal handlers that jump out of here would leave chunks behind that are
 * nobody's until all is over. Where one has jumped out of seam before, they wait. */
struct held { int held; ksigset old; };
static struct held hold_handlers(void)
{
	struct held h = { __atomic_load_n(&seam->jumps, __ATOMIC_RELAXED), 0 };
	h.held = unlikely(h.held) && begin_calls();
	if (h.held)
		h.old = sig_block(KSIG_ALL & ~KSIG_SYNC); /* a host may step through us */
	return h;
}
static void let_handlers(struct held h)
{
	if (unlikely(h.held)) {
		sig_restore(h.old);
		end_calls();
	}
}

/* For the call that f enters, or, without f, for a return. What a site needs is
 * less than a chunk: apply.c caps the payload of every site. */
int seam_make_room(struct seam_tls *t, const struct seam_run *r, const struct seam_frame *f)
{
	struct held h = hold_handlers();
	uint32_t before = give_up_chunk(t, f);
	let_handlers(h);
	seam_wished(t, f);
	h = hold_handlers();
	int got = get_chunk(t, before);
	if (!got && f)
		seam_count_drop(t, r);
	else if (!got)
		seam_return_lost(r);
	let_handlers(h);
	return got;
}

/* Make this thread's state one that calls can go on from, wherever in the middle
 * of a record it was left. All stores there are in an order that allows it:
 * records below `pos` are whole, `chunk` is 0 unless base, pos and end are its. A call that has its
 * number but neither a record nor a loss gives the number back: it counts as skipped. */
void seam_repair(struct seam_tls *t)
{
	t->ask_kernel = 0;
	if (t->gen != *seam_alive || !t->ent)
		return; /* of another process, or not set up to the end: that comes first */
	seam_settle_drop(t);
	uint32_t last = t->produced_seq;
	__atomic_store_n(&t->ent->copying, 0, __ATOMIC_RELEASE);
	if (t->chunk) {
		__atomic_store_n(&t->chunk->committed, (uint32_t)(t->pos - t->base), __ATOMIC_RELEASE);
		last = t->chunk->first_seq + calls_in(t->chunk);
	} else {
		t->pos = t->end = t->base = 0;
		t->ent->chunk = 0;
		for (uint32_t i = 0; i < seam->fixed.nchunks; i++) {
			struct seam_chunk *c = metas() + i;
			if ((c->state & ~SEAM_CHUNK_BUSY) == SEAM_CHUNK_ACTIVE && c->thread_uid == t->ent->uid)
				hand_back(c);
		}
	}
	if (t->seq != last) {
		t->seq = last;
		count_lost(SEAM_SKIP_REENTRANT);
	}
}

/* A shard of the counters that only this thread writes, while there are some. */
static void own_shard(struct seam_tls *t)
{
	struct seam_arena *a = seam->arena;
	uint32_t v = __atomic_load_n(&a->shards, __ATOMIC_RELAXED);
	for (;;) {
		uint32_t free_bits = ~v & ((1u << seam->fixed.nshards) - 1) & ~1u;
		if (!free_bits)
			return;
		unsigned b = __builtin_ctz(free_bits);
		if (__atomic_compare_exchange_n(&a->shards, &v, v | 1u << b, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
			t->ent->shard = b + 1;
			if (SEAM_HISTS_SHARED + b <= seam->fixed.nshards_hist)
				t->hists = (struct seam_hist *)arena_at(seam->fixed.hist_off) + (uint64_t)(SEAM_HISTS_SHARED + b - 1) * seam->fixed.nhists;
			t->counters = (uint64_t *)arena_at(seam->fixed.counters_off) + (uint64_t)b * seam->fixed.nsites;
			return;
		}
	}
}

void seam_count_shared(struct seam_tls *t, uint32_t id)
{
	uint64_t *shared = arena_at(seam->fixed.counters_off);
	__atomic_add_fetch(&shared[id], 1, __ATOMIC_RELAXED);
}

void seam_count_slow(struct seam_frame *f)
{
	const struct seam_run *r = f->run;
	struct seam_tls *t = self();
	f->orig = r->orig;
	if (unlikely(r->kind == SEAM_SITE_SILENT))
		return;
	if (!take_guard(t, f)) {
		seam_count_skip(t);
		return;
	}
	int known = t->gen == *seam_alive && t->epoch == *seam_epoch;
	if (!known && (known = seam_thread_setup(t)))
		seam_catch_up(t, f);
	if (known && t->counters)
		t->counters[r->id]++;
	else
		seam_count_shared(t, r->id); /* also without a place in the thread table */
	t->guard = 0;
	if (r->special & SEAM_SP_WATCH)
		seam_before_process(r, f);
}

static int setup(struct seam_tls *t)
{
	struct seam_arena *a = seam->arena;
	uint32_t gen = *seam_alive;
	if (t->gen != gen)
		t->ent = 0;
	if (gen == 0 || gen == SEAM_ALIVE_CHANGING) {
		if (!seam_enter_process())
			return 0;
		gen = *seam_alive;
	}
	if (t->gen == gen) { /* only the epoch changed */
		t->epoch = __atomic_load_n(&a->epoch, __ATOMIC_ACQUIRE);
		return 1;
	}
	t->chunk = 0;
	t->pos = t->end = t->base = 0;
	t->counters = 0;
	t->hists = 0;
	t->ent = 0;
	struct seam_thread *th = threads();
	for (int round = 0; round < 2 && !t->ent; round++) {
		uint32_t from = __atomic_load_n(&a->threads_hint, __ATOMIC_RELAXED);
		for (uint32_t n = 0; n < seam->fixed.nthreads; n++) {
			uint32_t i = (from + n) % seam->fixed.nthreads, st = SEAM_THREAD_FREE;
			if (th[i].state != SEAM_THREAD_FREE)
				continue;
			if (!__atomic_compare_exchange_n(&th[i].state, &st, SEAM_THREAD_SETUP, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
				continue;
			t->ent = &th[i];
			__atomic_store_n(&a->threads_hint, i + 1, __ATOMIC_RELAXED);
			uint32_t used = __atomic_load_n(&a->threads_used, __ATOMIC_RELAXED);
			while (used <= i && !__atomic_compare_exchange_n(&a->threads_used, &used, i + 1, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
				;
			break;
		}
		if (!t->ent)
			reap_threads(t);
	}
	if (!t->ent)
		return 0;
	struct seam_thread *e = t->ent;
	int may = begin_calls();
	uint32_t pid = may ? (uint32_t)sys0(SYS_getpid) : seam->pid;
	t->tid = seam_own_tid();
	t->produced = e->produced; /* the entry's threads count on from one another */
	t->seq = t->produced_seq = t->produced;
	e->tid = t->tid;
	e->pid = pid;
	e->proc = pid == seam->pid ? seam->proc : seam_guest(pid, t->tid);
	e->ns = seam->ns;
	e->uid = t->uid = __atomic_add_fetch(&a->thread_uid, 1, __ATOMIC_RELAXED);
	e->chunk = 0;
	e->chunk_base = e->produced;
	e->shard = e->copying = 0;
	e->start_ts = now_ticks();
	if (may) {
		sys2(SYS_prctl, 16 /* PR_GET_NAME */, e->comm);
		end_calls();
	} else
		copy_bytes(e->comm, my_proc()->comm, sizeof e->comm);
	own_shard(t);
	t->pages_gen = 0;
	t->epoch = __atomic_load_n(&a->epoch, __ATOMIC_ACQUIRE);
	__atomic_store_n(&e->state, SEAM_THREAD_LIVE, __ATOMIC_RELEASE);
	t->gen = gen;
	return 1;
}

/* A thread's first call, its first after a fork, or after the epoch was bumped. */
int seam_thread_setup(struct seam_tls *t)
{
	struct held h = hold_handlers();
	int ok = setup(t);
	let_handlers(h);
	return ok;
}
