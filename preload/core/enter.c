/* enter.c: the hot path. One recorded call costs two clock readings and some
 * twenty stores into memory that only this thread writes.
 *
 * seam_enter runs before the original, seam_leave after it, both on the host's
 * thread, possibly in a signal handler, possibly in a vfork child. Between the
 * two nothing is held: an original that never returns leaves nothing behind.
 */
#include "hot.h"
#include "nativecall.h"

static inline int int_holds(const struct seam_filter *q, const struct seam_frame *f)
{
	uint64_t w = q->arg < 6 ? f->words[q->arg] : f->stack[q->arg - 6];
	unsigned sh = 64 - 8 * q->width;
	int64_t v = q->is_signed ? (int64_t)(w << sh) >> sh : (int64_t)(w << sh >> sh);
	switch (q->cmp) {
	case SEAM_CMP_EQ: return v == q->value;
	case SEAM_CMP_NE: return v != q->value;
	case SEAM_CMP_LT: return v < q->value;
	case SEAM_CMP_LE: return v <= q->value;
	case SEAM_CMP_GT: return v > q->value;
	case SEAM_CMP_GE: return v >= q->value;
	default:          return (v & q->value) != 0;
	}
}

/* 1: of each rule a condition on an integer argument does not hold. Looks at the
 * arguments alone, so it needs no guard. */
int seam_act_idle(const struct seam_frame *f)
{
	const struct seam_run *r = f->run;
	for (uint32_t i = 0; i < r->nrules; i++) {
		const struct seam_filter *q = (const struct seam_filter *)(r->plan + r->rules[i].filt_off), *end = q + r->rules[i].nfilt;
		while (q < end && (q->what != SEAM_FILT_INT || int_holds(q, f)))
			q++;
		if (q == end)
			return 0;
	}
	return 1;
}

/* What is decided on the arguments alone. */
int seam_holds(struct seam_tls *t, const struct seam_filter *q, unsigned n, const struct seam_frame *f)
{
	for (; n; n--, q++) {
		if (q->what == SEAM_FILT_INT) {
			if (!int_holds(q, f))
				return 0;
		} else if (q->what == SEAM_FILT_PREFIX) {
			uint64_t w = q->arg < 6 ? f->words[q->arg] : f->stack[q->arg - 6];
			if (seam_read_prefix(t, w, q->str, q->len) != (q->cmp == SEAM_CMP_EQ))
				return 0;
		} else if (q->what >= SEAM_FILT_RULED && !seam_act_holds(t, q, f))
			return 0;
	}
	return 1;
}

static inline int ready(struct seam_tls *t)
{
	return t->gen == *seam_alive && t->epoch == *seam_epoch;
}

/* The six words are always stored: cheaper than a loop; what is too much is
 * overwritten by what follows. */
static inline struct seam_rec *begin_enter(struct seam_tls *t, const struct seam_frame *f)
{
	struct seam_rec *rec = (struct seam_rec *)t->pos;
	uint64_t *w = (uint64_t *)(rec + 1);
	w[0] = f->words[0]; w[1] = f->words[1]; w[2] = f->words[2];
	w[3] = f->words[3]; w[4] = f->words[4]; w[5] = f->words[5];
	return rec;
}

/* Publish: the store to `committed` comes last. */
static inline void end_record(struct seam_tls *t, struct seam_rec *rec, uint32_t head, uint32_t seq, uint64_t ts, uint32_t size)
{
	*(uint64_t *)rec = head | (uint64_t)seq << 32;
	rec->ts = ts;
	barrier(); /* below pos are whole records, should a signal handler jump out of here */
	t->pos += size;
	__atomic_store_n(&t->chunk->committed, (uint32_t)(t->pos - t->base), __ATOMIC_RELEASE);
}

/* An ENTER record with stack words or items. There is room: r->need. */
static void write_enter(struct seam_tls *t, const struct seam_run *r, struct seam_frame *f)
{
	struct seam_rec *rec = begin_enter(t, f);
	uint64_t *w = (uint64_t *)(rec + 1);
	uint32_t head = r->head, size = r->size;
	for (unsigned i = 0; i < r->nstack; i++)
		w[r->nregs + i] = f->stack[i];
	if (r->early) {
		unsigned char *to = t->pos + size;
		uint64_t all[SEAM_MAX_WORDS], *words = f->words; /* not the record's: others can write there */
		if (r->nstack) {
			for (unsigned i = 0; i < r->nregs; i++)
				all[i] = f->words[i];
			for (unsigned i = 0; i < r->nstack; i++)
				all[r->nregs + i] = f->stack[i];
			words = all;
		}
		unsigned n = r->one_str ? seam_read_string(t, r, f->words[r->one_str - 1], to) : seam_read_items(t, r, words, 0, SEAM_WHEN_ENTER, to, to + r->payload_max);
		head += n / 8 << 24 | (n ? SEAM_RF_PAYLOAD << 16 : 0);
		size += n;
	}
	if (unlikely(f->how & HOW_ACTED)) {
		*(uint64_t *)(t->pos + size) = f->acted;
		head += 1 << 24 | SEAM_RF_RULES << 16;
		size += 8;
		if ((f->how & HOW_REFUSED) && r->kind != SEAM_SITE_FULL)
			head -= (SEAM_REC_ENTRY - SEAM_REC_ENTER) << 16; /* its end is known */
	}
	end_record(t, rec, head, f->seq, f->ts, size);
}

static inline int is_failed(const struct seam_run *r, uint64_t ret)
{
	int64_t v = r->ret4 ? (int64_t)(int32_t)ret : (int64_t)ret;
	switch (r->fail_op) {
	case SEAM_FAIL_EQ:    return v == r->fail_val[0];
	case SEAM_FAIL_NE:    return v != r->fail_val[0];
	case SEAM_FAIL_LT:    return v < r->fail_val[0];
	case SEAM_FAIL_NOTIN: return v != r->fail_val[0] && v != r->fail_val[1] && v != r->fail_val[2];
	default:              return 0;
	}
}

/* What a filter kept out is counted in the counter of the (logging) site. */
static inline void count(struct seam_tls *t, const struct seam_run *r)
{
	if (likely(t->counters != 0))
		t->counters[r->id]++;
	else
		seam_count_shared(t, r->id);
}

static inline void count_filtered(struct seam_tls *t, const struct seam_run *r)
{
	if (r->instrument == SEAM_LOG)
		count(t, r);
}

/* The end of a call to an entry-only site that a rule refused. */
static void write_refused(struct seam_tls *t, const struct seam_run *r, const struct seam_frame *f)
{
	if (t->pos + r->need_late > t->end && !seam_make_room(t, r, 0))
		return;
	struct seam_rec *rec = (struct seam_rec *)t->pos;
	uint64_t *w = (uint64_t *)(rec + 1);
	w[0] = f->rax;
	w[1] = f->ret ? f->ret - 1 : 0;
	end_record(t, rec, r->head_late | (is_failed(r, f->rax) ? SEAM_RF_FAILED << 16 : 0), f->seq, now_ticks(), LEAVE_SIZE);
}

/* What common_full does not do itself. 1 and up: call the original and then
 * seam_leave, which with CALL_PLAIN need not be this one. 0: just go on to the original. */
uint32_t seam_enter(struct seam_frame *f)
{
	const struct seam_run *r = f->run;
	struct seam_tls *t = self();

	f->orig = r->orig;
	f->ncopy = r->ncopy;
	f->how = !(r->special & SEAM_SP_GUARD) ? 0 : r->guard_kind <= SEAM_GUARD_MMAP ? (seam_maps_begin(f, r) ? HOW_GUARD : 0) :
		seam_confine(f, r) ? HOW_CONFINE : 0;
	if (unlikely(r->kind == SEAM_SITE_SILENT))
		return f->how;
	if (r->kind == SEAM_SITE_GUARD) {
		if (r->special & SEAM_SP_WATCH)
			f->how |= seam_before_process(r, f);
		return f->how;
	}
	if (unlikely(!take_guard(t, f))) {
		seam_count_skip(t);
		return f->how; /* a guard must see the end of the call */
	}
	if (unlikely(!ready(t))) {
		if (!seam_thread_setup(t)) {
			seam_count_drop(t, r);
			seam_act_skipped(r);
			goto pass;
		}
		seam_catch_up(t, f);
	}
	if (r->nrules) {
		int acted = r->fast && f->wait ? 0 : seam_act(t, r, f);
		if (unlikely(r->native) && !ready(t) && !seam_thread_setup(t)) /* a callback forked: this is the child */
			goto pass;
		if (acted)
			goto record; /* whatever else the site keeps: all that is done to a call is told */
	}
	if (r->nfilt && !seam_holds(t, r->filt, r->nfilt, f)) {
		count_filtered(t, r);
		goto pass;
	}
	if (r->instrument == SEAM_COUNT) { /* a guard site, or with filters */
		count(t, r);
		goto pass;
	}
	if (r->special & SEAM_SP_LATE) {
		f->how |= HOW_LATE;
		f->ts = now_ticks();
		goto call;
	}
record:
	f->seq = ++t->seq;
	if (t->pos + r->need > t->end && !seam_make_room(t, r, f))
		goto pass;
	f->ts = now_ticks();
	write_enter(t, r, f);
	if (r->kind != SEAM_SITE_FULL) { /* entry-only, and here as a guard */
		if (f->how & HOW_REFUSED)
			write_refused(t, r, f);
		goto pass;
	}
	f->how |= HOW_RECORDED;
call:
	barrier();
	t->guard = 0;
	if (unlikely(f->how & HOW_ACTED))
		seam_act_now(f);
	if ((r->special & SEAM_SP_WATCH) && !(f->how & HOW_REFUSED))
		f->how |= seam_before_process(r, f);
	return f->how == HOW_RECORDED && !(r->special & ~(SEAM_SP_RULES | SEAM_SP_FILTER | SEAM_SP_STRING)) ? CALL_PLAIN : 1;
pass:
	barrier();
	t->guard = 0;
	if (unlikely(f->how & HOW_ACTED))
		seam_act_now(f);
	if ((r->special & SEAM_SP_WATCH) && !(f->how & HOW_REFUSED))
		f->how |= seam_before_process(r, f);
	return f->how & (HOW_GUARD | HOW_CONFINE | HOW_SPAWN | HOW_WAIT | HOW_NATIVE | HOW_CALLBACK);
}

/* seam_enter for a site that reads one string, and nothing else that is special, when the
 * assembly could not: the string is long, or its page has to be asked for. Whatever is not as usual
 * goes there. */
uint32_t seam_enter_string(struct seam_frame *f)
{
	const struct seam_run *r = f->run;
	struct seam_tls *t = &seam_tls;
	uint64_t was = 0;

	if (unlikely(r->kind != SEAM_SITE_FULL || r->instrument != SEAM_LOG))
		return seam_enter(f);
	__asm__ volatile("cmpxchgq %2, %1" : "+a"(was), "+m"(t->guard) : "r"((uint64_t)f) : "cc", "memory");
	if (unlikely(was != 0))
		return seam_enter(f);
	if (unlikely(!ready(t) || t->pos + r->need > t->end)) {
		barrier();
		t->guard = 0;
		return seam_enter(f);
	}
	f->seq = ++t->seq;
	uint64_t ts = now_ticks();
	struct seam_rec *rec = begin_enter(t, f);
	unsigned n = seam_read_string(t, r, f->words[r->one_str - 1], t->pos + r->size);
	end_record(t, rec, r->head + (n / 8 << 24 | SEAM_RF_PAYLOAD << 16), f->seq, ts, r->size + n);
	barrier();
	t->guard = 0;
	return CALL_PLAIN;
}

/* The rest of a call whose callback changed or refused it. */
static __attribute__((noinline)) uint32_t after_native(struct seam_tls *t, const struct seam_run *r, struct seam_frame *f)
{
	f->ncopy = 0;
	if (!(f->how & HOW_REFUSED))
		f->orig = r->orig;
	f->acted = 1ull << r->rules[r->fast_pre].id;
	f->wait = f->cut = 0;
	f->how |= HOW_ACTED;
	if (ready(t) || seam_thread_setup(t)) {
		f->seq = ++t->seq;
		if (t->pos + r->need <= t->end || seam_make_room(t, r, f)) {
			f->ts = now_ticks();
			write_enter(t, r, f);
			f->how |= HOW_RECORDED;
		}
	}
	barrier();
	t->guard = 0;
	seam_act_now(f);
	return f->how;
}

/* seam_enter for a site with callbacks and nothing else that is special. CALL_RECORD,
 * and CALL_GUARDED with the guard taken: they have been called, nothing was changed, and the call is to be recorded as any other.
 * f->wait, which has no other meaning there: not 0 when no callback is left to be called before it. */
uint32_t seam_enter_native(struct seam_frame *f)
{
	const struct seam_run *r = f->run;
	struct seam_tls *t = self();

	f->data = 0;
	f->wait = !(r->fast & SEAM_FAST_PRE);
	if (f->wait && likely(r->kind == SEAM_SITE_FULL && seam_use_tsc))
		return CALL_RECORD;
	if (unlikely(r->kind != SEAM_SITE_FULL || !seam_use_tsc || t != &seam_tls || !take_guard(t, f)))
		return seam_enter(f);
	f->how = 0;
	if (unlikely(native_pre(r, f, described(r)->pre, r->rules[r->fast_pre].id)))
		return after_native(t, r, f);
	f->wait = 1;
	return CALL_GUARDED;
}

static int bucket(uint64_t v)
{
	if (v < 4)
		return v;
	unsigned e = 63 - __builtin_clzll(v);
	return (e - 1) * 4 + ((v >> (e - 2)) & 3);
}

static void histogram(const struct seam_tls *t, const struct seam_run *r, uint64_t ticks, int failed)
{
	if (likely(t->hists != 0)) {
		struct seam_hist *own = t->hists + r->hist;
		own->bucket[bucket(ticks)]++;
		own->count++;
		own->sum += ticks;
		own->errors += failed;
		if (ticks > own->max)
			own->max = ticks;
		return;
	}
	unsigned shard = t->tid % SEAM_HISTS_SHARED;
	struct seam_hist *h = (struct seam_hist *)arena_at(seam->fixed.hist_off) + (size_t)shard * seam->fixed.nhists + r->hist;
	__atomic_add_fetch(&h->bucket[bucket(ticks)], 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&h->count, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&h->sum, ticks, __ATOMIC_RELAXED);
	if (failed)
		__atomic_add_fetch(&h->errors, 1, __ATOMIC_RELAXED);
	uint64_t max = __atomic_load_n(&h->max, __ATOMIC_RELAXED);
	while (ticks > max && !__atomic_compare_exchange_n(&h->max, &max, ticks, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* The record of an entry, when the call is over. 0: there was no room. */
static int enter_late(struct seam_tls *t, const struct seam_run *r, struct seam_frame *f)
{
	f->seq = ++t->seq;
	if (t->pos + r->need > t->end && !seam_make_room(t, r, f))
		return 0;
	write_enter(t, r, f);
	return 1;
}

/* Calls whose record, if any, is only decided now: histograms, and filters on
 * failure or duration. Both records are written together. 1: go on to LEAVE. */
static int late_enter(struct seam_tls *t, const struct seam_run *r, struct seam_frame *f, uint64_t now, int failed)
{
	if (r->instrument == SEAM_HIST && !r->late_filter) {
		histogram(t, r, now - f->ts, failed);
		return 0;
	}
	for (unsigned i = 0; i < r->nfilt; i++) {
		const struct seam_filter *q = &r->filt[i];
		if ((q->what == SEAM_FILT_FAILED && !failed) ||
		    (q->what == SEAM_FILT_MINDUR && now - f->ts < r->min_ticks)) {
			count_filtered(t, r);
			return 0;
		}
	}
	if (r->instrument == SEAM_HIST) {
		histogram(t, r, now - f->ts, failed);
		return 0;
	}
	return enter_late(t, r, f);
}

static inline uint32_t host_errno(void)
{
	uint32_t e;
	__asm__ volatile("movl %%fs:(%1), %0" : "=r"(e) : "r"(seam_errno_off));
	return e;
}

/* The callbacks of a SEAM_FAST_POST site that are called after it: they have no conditions. */
static inline uint64_t all_after(const struct seam_run *r)
{
	return ((1ull << r->nrules) - 1) & ~((uint64_t)(r->fast & SEAM_FAST_PRE) << r->fast_pre);
}

/* seam_leave for such a site and a recorded call, in the middle of the assembly's leave: the guard is
 * taken, f->ts is when the call returned. 0: nothing was changed, and there is room for the LEAVE record.
 * 1: all is done, and the guard is free. */
uint32_t seam_after_native(struct seam_frame *f)
{
	const struct seam_run *r = f->run;
	struct seam_tls *t = &seam_tls;
	const struct seam_described *d = described(r);
	uint64_t acted = 0;

	if (likely(d->after != 0)) {
		if (likely(d->after_at == SEAM_POST) || is_failed(r, f->ret))
			acted = (uint64_t)native_after(r, f, d->after, d->after_id, d->after_at) << d->after_id;
	} else {
		f->natives = all_after(r);
		acted = seam_native_post(r, f, is_failed(r, f->ret));
	}
	if (unlikely(t->gen != *seam_alive))
		goto out; /* it forked: the call is the parent's */
	if (unlikely(t->pos + r->need_late > t->end) && !seam_make_room(t, r, 0))
		goto out;
	if (likely(!acted))
		return 0;
	struct seam_rec *rec = (struct seam_rec *)t->pos;
	uint64_t *w = (uint64_t *)(rec + 1);
	w[0] = f->ret;
	w[1] = host_errno();
	w[2] = acted;
	end_record(t, rec, (r->head_late | (is_failed(r, f->ret) ? SEAM_RF_FAILED << 16 : 0) | SEAM_RF_RULES << 16) + (1 << 24), f->seq, f->ts, LEAVE_SIZE + 8);
out:
	barrier();
	t->guard = 0;
	return 1;
}

void seam_leave(struct seam_frame *f)
{
	const struct seam_run *r = f->run;
	uint64_t now = now_ticks();

	if (f->how & HOW_GUARD)
		seam_maps_end();
	if (unlikely(f->how & HOW_CONFINE))
		seam_confine_end(f->ret);
	if (unlikely(f->how & (HOW_SPAWN | HOW_WAIT)))
		seam_after_process(r, f);
	struct seam_tls *t = self();
	if (!(f->how & (HOW_RECORDED | HOW_LATE | HOW_NATIVE | HOW_CALLBACK)))
		return;
	if ((r->flags & SEAM_SF_FORKS) && f->ret == 0)
		return; /* in the child: the call is the parent's */
	if (unlikely(!take_guard(t, f))) {
		seam_return_lost(r);
		return;
	}
	if (t->gen != *seam_alive)
		goto out; /* we are the child that this very call made: the call is the parent's */
	uint64_t acted = 0;
	if ((f->how & HOW_RECORDED) && (r->fast & SEAM_FAST_POST)) {
		f->natives = all_after(r);
		f->how |= HOW_NATIVE;
	}
	if (unlikely(f->how & HOW_NATIVE) && !(f->how & HOW_REFUSED)) {
		acted = seam_native_post(r, f, is_failed(r, f->ret));
		if (t->gen != *seam_alive)
			goto out; /* it forked */
	}
	if (unlikely(f->how & HOW_CALLBACK) && !(f->how & HOW_REFUSED))
		acted |= seam_callbacks_after(t, f, is_failed(r, f->ret));
	uint32_t err = host_errno();
	int failed = is_failed(r, f->ret);
	if (!(f->how & HOW_RECORDED)) {
		if (unlikely(acted)) { /* that is told, whatever else the site keeps */
			f->ts = f->how & HOW_LATE ? f->ts : now;
			if (!enter_late(t, r, f))
				goto out;
		} else if (!(f->how & HOW_LATE) || !late_enter(t, r, f, now, failed))
			goto out;
	}
	if (t->pos + r->need_late > t->end && !seam_make_room(t, r, 0))
		goto out;
	struct seam_rec *rec = (struct seam_rec *)t->pos;
	uint64_t *w = (uint64_t *)(rec + 1);
	unsigned char *to = t->pos + LEAVE_SIZE, *end = t->pos + r->need_late;
	uint32_t head = r->head_late | (failed ? SEAM_RF_FAILED << 16 : 0);
	w[0] = f->ret;
	w[1] = err;
	if ((r->special & SEAM_SP_RESULT) && !(f->how & HOW_REFUSED)) { /* of a call that was not made nothing is to be read */
		uint64_t words[SEAM_MAX_WORDS];
		for (unsigned i = 0; i < 6; i++)
			words[i] = f->words[i];
		for (unsigned i = 0; i < r->nstack; i++)
			words[r->nregs + i] = f->stack[i];
		if (r->late)
			to += seam_read_items(t, r, words, f->ret, SEAM_WHEN_LEAVE | (failed ? 0 : SEAM_WHEN_OK), to, end);
		if (failed && r->handover) {
			unsigned n = seam_hand_over(t, r, words, f->ret, to, end);
			head |= n ? SEAM_RF_REPLY << 16 : 0;
			to += n;
		}
		uint32_t items = to - (t->pos + LEAVE_SIZE);
		head += items / 8 << 24 | (items ? SEAM_RF_PAYLOAD << 16 : 0);
	}
	if (unlikely(acted)) {
		*(uint64_t *)to = acted;
		to += 8;
		head += 1 << 24 | SEAM_RF_RULES << 16;
	}
	end_record(t, rec, head, f->seq, now, to - t->pos);
out:
	barrier();
	t->guard = 0;
}

/* Entry-only sites: the record stands alone. Also the internal guard sites. */
void seam_enter_only(struct seam_frame *f)
{
	const struct seam_run *r = f->run;

	f->orig = r->orig;
	f->how = 0;
	if (unlikely(r->kind == SEAM_SITE_LOADER)) {
		seam_loader_event();
		return;
	}
	if (unlikely(r->kind == SEAM_SITE_SILENT))
		return;
	if (unlikely(r->kind == SEAM_SITE_WATCH)) {
		seam_before_process(r, f);
		return;
	}
	struct seam_tls *t = self();
	if (unlikely(!take_guard(t, f))) {
		seam_count_skip(t);
		return;
	}
	if (unlikely(!ready(t))) {
		if (!seam_thread_setup(t)) {
			seam_count_drop(t, r);
			seam_act_skipped(r);
			goto out;
		}
		seam_catch_up(t, f);
	}
	if (r->nrules) {
		int acted = seam_act(t, r, f);
		if (unlikely(r->native) && !ready(t) && !seam_thread_setup(t)) /* a callback forked: this is the child */
			goto out;
		if (acted)
			goto record;
	}
	if (r->nfilt && !seam_holds(t, r->filt, r->nfilt, f)) {
		count_filtered(t, r);
		goto out;
	}
	if (r->instrument == SEAM_COUNT) { /* with filters: those without are common_count's */
		count(t, r);
		goto out;
	}
record:
	f->seq = ++t->seq;
	if (t->pos + r->need > t->end && !seam_make_room(t, r, f))
		goto out;
	f->ts = now_ticks();
	write_enter(t, r, f);
	if (f->how & HOW_REFUSED)
		write_refused(t, r, f);
	else if (r->flags & (SEAM_SF_EXIT | SEAM_SF_EXEC)) {
		if (unlikely(f->how & HOW_ACTED)) { /* not yet, if there is a delay */
			barrier();
			t->guard = 0;
			seam_act_now(f);
			f->how = 0;
			if (!take_guard(t, f))
				goto done;
		}
		seam_process_ends(t, r, f);
	}
out:
	barrier();
	t->guard = 0;
	if (unlikely(f->how & HOW_ACTED))
		seam_act_now(f);
done:
	if ((r->special & SEAM_SP_WATCH) && !(f->how & HOW_REFUSED))
		seam_before_process(r, f);
}
