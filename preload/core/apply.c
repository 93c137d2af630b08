/* apply.c: plans become patches.
 *
 *      function            thunk pool (our text)      trampoline page (near the object)
 *   ┌──────────────┐       ┌──────────────────┐       ┌───────────────────────────┐
 *   │ jmp ─────────┼──────►│ mov $slot, %r11d │  ┌───►│ displaced instructions    │
 *   │ (rest)  ◄────┼───┐   │ jmp common_*  ───┼──┘    │ jmp function + patch_len ─┼──┐
 *   └──────────────┘   │   └──────────────────┘       ├───────────────────────────┤  │
 *                      └──────────────────────────────┼───────────────────────────┼──┘
 *                          when the thunk is out of   │ island: jmp *0(%rip), ptr │
 *                          a rel32's reach: jmp ─────►│   ──► thunk               │
 *                                                     └───────────────────────────┘
 *
 * Runs in the constructor, before the program and before any other thread:
 *   1. per object: get pages within reach, write trampolines, make them r-x
 *   2. fill in the slot (runs[]) and the arena's site
 *   3. the object's text: writable, write the jumps, back to what it was
 * A site whose bytes are not those of the plan is left alone.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include "frame.h"
#include "places.h"
#include "sys.h"

#define PAGE 4096ull
#define REACH ((1ull << 31) - (1ull << 20))
#define ISLAND 16
#define MAX_RECORD 2000u    /* bytes of one record: size8 has 8 bits */
#define REPLY_MAX 512u

int seam_reaches(uint64_t from, uint64_t to)
{
	int64_t d = to - from;
	return d > -(int64_t)REACH && d < (int64_t)REACH;
}

/* Pages from which [lo, hi) can be reached, and that it reaches. */
unsigned char *seam_pages_near(uint64_t lo, uint64_t hi, uint64_t size)
{
	void *p = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p != MAP_FAILED) {
		if (seam_reaches((uint64_t)p, hi) && seam_reaches((uint64_t)p + size, lo) && seam_reaches(hi, (uint64_t)p) && seam_reaches(lo, (uint64_t)p + size))
			return p;
		munmap(p, size);
	}
	for (uint64_t gap = 1 << 20; gap < 1ull << 30; gap += gap < 1 << 26 ? 1 << 20 : 1 << 26) {
		uint64_t want[2] = { (lo - size - gap) & ~(PAGE - 1), (hi + gap + PAGE) & ~(PAGE - 1) };
		for (int i = 0; i < 2; i++) {
			p = mmap((void *)want[i], size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
			if (p == (void *)want[i])
				return p;
			if (p != MAP_FAILED)
				munmap(p, size); /* a kernel before 4.17 took it for a hint */
		}
	}
	return 0;
}

/* The thunk needs a register and puts the caller's r11 aside: movq THUNK_R11(%rsp), %r11. */
static const unsigned char restore_r11[] = { 0x4c, 0x8b, 0x5c, 0x24, 0x100 + THUNK_R11 };

uint32_t seam_tramp_size(const struct seam_site *s)
{
	return (sizeof restore_r11 + s->tramp_len + 15) & ~15u;
}

uint64_t seam_trampoline(const struct seam_plan *plan, const struct seam_site *s, uint64_t bias, unsigned char *to)
{
	unsigned char *start = to;
	memcpy(to, restore_r11, sizeof restore_r11);
	to += sizeof restore_r11;
	memcpy(to, (const char *)plan + s->tramp_off, s->tramp_len);
	const struct seam_fix *fix = (const void *)((const char *)plan + s->fix_off);
	for (uint32_t i = 0; i < s->nfix; i++) {
		uint64_t target = fix[i].target + bias;
		if (fix[i].kind == SEAM_FIX_REL32) {
			uint64_t next = (uint64_t)to + fix[i].at + fix[i].addend;
			if (!seam_reaches(next, target))
				return 0;
			int32_t d = target - next;
			memcpy(to + fix[i].at, &d, 4);
		} else
			memcpy(to + fix[i].at, &target, 8);
	}
	return (uint64_t)start;
}

/* Bytes of payload, at most, of the ops of one moment; caps are cut to fit a record. */
static uint32_t payload_of(struct seam_op *ops, unsigned n, unsigned when, uint32_t room)
{
	uint32_t sum = 0;
	for (unsigned i = 0; i < n; i++) {
		if (!(ops[i].when & when))
			continue;
		if (sum + 40 > room) {
			ops[i].when = 0; /* does not fit: never run */
			continue;
		}
		if (sum + ops[i].cap + 24 > room)
			ops[i].cap = room - sum - 24;
		sum += (ops[i].cap + 4 + 8 + 7) & ~7u;
	}
	return sum;
}

/* The failure rule as a range of results, for the assembly. 0: it is none. */
static int fail_range(struct seam_run *r)
{
	int64_t v = r->fail_val[0], least = r->ret4 ? INT32_MIN : INT64_MIN;
	r->fail_lo = v;
	r->fail_span = 0;
	switch (r->fail_op) {
	case SEAM_FAIL_EQ:
		return 1;
	case SEAM_FAIL_NE:
		r->fail_not = 1;
		return 1;
	case SEAM_FAIL_LT:
		r->fail_lo = least;
		r->fail_span = v - least - 1;
		return v > least;
	case SEAM_FAIL_NEVER:
		r->fail_lo = 0;
		r->fail_span = ~0ull;
		r->fail_not = 1;
		return 1;
	default:
		return 0;
	}
}

/* The arena's id for a site. Forked processes that load the same library use the
 * same ids: key says which function of which file it is. -1: the table is full. */
static int site_id(uint64_t key, int *fresh)
{
	struct seam_arena *a = seam->arena;
	struct seam_asite *as = arena_at(seam->fixed.sites_off);
	uint32_t n = __atomic_load_n(&a->sites_used, __ATOMIC_ACQUIRE);
	*fresh = 0;
	for (uint32_t i = seam->shared_from; i < n && i < seam->fixed.nsites; i++)
		if (__atomic_load_n(&as[i].key, __ATOMIC_ACQUIRE) == key)
			return i;
	*fresh = 1;
	do
		if (n >= seam->fixed.nsites || n > 0xffff)
			return -1;
	while (!__atomic_compare_exchange_n(&a->sites_used, &n, n + 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	return n;
}

static unsigned guard_kind(const char *name)
{
	static const struct { const char *name; unsigned kind; } k[] = {
		{ "munmap", SEAM_GUARD_RANGE }, { "mremap", SEAM_GUARD_RANGE }, { "mprotect", SEAM_GUARD_RANGE }, { "pkey_mprotect", SEAM_GUARD_RANGE },
		{ "__munmap", SEAM_GUARD_RANGE }, { "__mprotect", SEAM_GUARD_RANGE }, { "__mremap", SEAM_GUARD_RANGE },
		{ "mmap", SEAM_GUARD_MMAP }, { "mmap64", SEAM_GUARD_MMAP }, { "__mmap", SEAM_GUARD_MMAP },
		{ "prctl", SEAM_GUARD_PRCTL }, { "__prctl", SEAM_GUARD_PRCTL }, { "syscall", SEAM_GUARD_SYSCALL },
		{ "capset", SEAM_GUARD_CAPSET }, { "unshare", SEAM_GUARD_UNSHARE }, { "setns", SEAM_GUARD_SETNS },
	};
	for (size_t i = 0; i < sizeof k / sizeof *k; i++)
		if (!strcmp(name, k[i].name))
			return k[i].kind;
	return SEAM_GUARD_ANY;
}

/* 1: seam_act_idle can tell of some call that no rule is for it. */
static int may_idle(const struct seam_run *r)
{
	for (uint32_t i = 0; i < r->nrules; i++) {
		const struct seam_filter *q = (const void *)(r->plan + r->rules[i].filt_off), *end = q + r->rules[i].nfilt;
		while (q < end && q->what != SEAM_FILT_INT)
			q++;
		if (q == end)
			return 0;
	}
	return 1;
}

/* Callbacks for each call, at most one of them before it, are all that is special about r. */
static unsigned fast_callbacks(struct seam_run *r)
{
	unsigned fast = 0;
	if (r->special & ~(SEAM_SP_RULES | SEAM_SP_FILTER) || r->nfilt || r->early || r->kind != SEAM_SITE_FULL || r->instrument != SEAM_LOG || r->nrules >= 64)
		return 0;
	for (uint32_t i = 0; i < r->nrules; i++) {
		const struct seam_rule *q = &r->rules[i];
		if (q->what != SEAM_ACT_NATIVE || q->nfilt || (!q->flags && (fast & SEAM_FAST_PRE)))
			return 0;
		if (!q->flags)
			r->fast_pre = i;
		fast |= q->flags ? SEAM_FAST_POST : SEAM_FAST_PRE;
	}
	return fast;
}

int seam_fill_run(struct seam_run *r, struct seam_plan *plan, struct seam_site *s, uint64_t bias, uint64_t tramp, uint64_t key)
{
	int internal = s->kind == SEAM_SITE_GUARD || s->kind == SEAM_SITE_WATCH; /* leaves no records: it needs no place in the arena, which may not be there yet */
	int fresh = 0, id = internal ? 0 : site_id(key | 1, &fresh);
	if (id < 0)
		return -1;
	struct seam_asite *as = internal ? 0 : (struct seam_asite *)arena_at(seam->fixed.sites_off) + id;
	struct seam_op *ops = (void *)((char *)plan + s->ops_off);
	const struct seam_filter *filt = (const void *)((const char *)plan + s->filt_off);

	r->orig = tramp;
	r->id = id;
	r->kind = s->kind;
	r->instrument = s->instrument;
	r->nregs = s->nregs;
	r->nstack = s->nstack;
	r->ncopy = s->ncopy;
	r->nops = s->nops;
	r->flags = s->flags;
	r->watch = s->watch;
	r->nfilt = s->nfilt;
	r->fail_op = s->fail_op;
	r->ret4 = s->ret_width == 4;
	r->handover = s->handover;
	r->ops = ops;
	r->filt = filt;
	r->site = as;
	r->lib_base = bias;
	r->plan = (const char *)plan;
	r->rules = (const void *)((const char *)plan + s->rules_off);
	r->nrules = !internal && seam->fixed.nrules ? s->nrules : 0;
	for (unsigned i = 0; i < r->nrules; i++)
		if (r->rules[i].id >= seam->fixed.nrules)
			r->nrules = i; /* of another spec: cannot be */
	for (unsigned i = 0; i < r->nrules; i++)
		if (r->rules[i].what == SEAM_ACT_NATIVE)
			r->native |= r->rules[i].flags ? r->rules[i].flags : 1;
	if (r->native && seam_native_describe(r, (const char *)plan + s->name_off))
		return -1;
	memcpy(r->fail_val, s->fail_val, sizeof r->fail_val);
	r->size = sizeof(struct seam_rec) + 8 * (s->nregs + s->nstack);
	for (unsigned i = 0; i < s->nops; i++) {
		r->early += (ops[i].when & SEAM_WHEN_ENTER) != 0;
		r->late += (ops[i].when & SEAM_WHEN_LEAVE) != 0;
	}
	r->payload_max = r->early ? payload_of(ops, s->nops, SEAM_WHEN_ENTER, MAX_RECORD - r->size) + 8 : 0;
	for (unsigned i = 0; i < s->nops && r->early == 1; i++)
		if ((ops[i].when & SEAM_WHEN_ENTER) && ops[i].op == SEAM_OP_STR && ops[i].arg < 6 && ops[i].cap >= 8) {
			r->one_str = ops[i].arg + 1;
			r->str_op = i;
			r->str_cap = ops[i].cap & ~7;
			r->str_item = SEAM_READ_OK << 16 | i << 24;
			r->str_fast = r->one_str <= 2 && r->str_cap >= FAST_STRING && s->kind == SEAM_SITE_FULL && s->instrument == SEAM_LOG ? r->one_str : 0;
		}
	r->payload_max_late = r->late ? payload_of(ops, s->nops, SEAM_WHEN_LEAVE, MAX_RECORD - LEAVE_SIZE - REPLY_MAX) + 8 : 0;
	if (r->handover)
		r->payload_max_late += REPLY_MAX;
	for (unsigned i = 0; i < s->nfilt; i++) {
		if (filt[i].what == SEAM_FILT_MINDUR)
			r->min_ticks = seam_ticks(filt[i].value);
		r->late_filter |= filt[i].what == SEAM_FILT_MINDUR || filt[i].what == SEAM_FILT_FAILED;
	}
	r->guard_kind = s->flags & SEAM_SF_GUARD ? guard_kind((const char *)plan + s->name_off) : SEAM_GUARD_ANY;
	r->head = id | (s->kind == SEAM_SITE_FULL ? SEAM_REC_ENTER : SEAM_REC_ENTRY) << 16 | r->size / 8 << 24;
	r->head_late = id | SEAM_REC_LEAVE << 16 | (uint32_t)(LEAVE_SIZE / 8) << 24;
	r->need = r->size + SIX_WORDS + r->payload_max + (r->nrules ? 8 : 0);
	r->need_late = LEAVE_SIZE + r->payload_max_late + (r->nrules ? 8 : 0);
	int ranged = fail_range(r);
	r->special = (!r->nrules ? 0 : may_idle(r) ? SEAM_SP_RULES : SEAM_SP_FILTER) | (r->nfilt && !seam_sieved(r) ? SEAM_SP_FILTER : 0) | (r->flags & SEAM_SF_GUARD ? SEAM_SP_GUARD : 0) |
		(r->watch ? SEAM_SP_WATCH : 0) |
		(r->late_filter || s->instrument == SEAM_HIST ? SEAM_SP_LATE : 0) | (r->late_filter ? SEAM_SP_FILTER : 0) |
		(r->nstack || r->ncopy || !seam_use_tsc ? SEAM_SP_STACK : 0) | (r->str_fast ? SEAM_SP_STRING : r->early ? SEAM_SP_FILTER : 0) |
		(r->late || r->handover || !ranged || (r->flags & SEAM_SF_FORKS) ? SEAM_SP_RESULT : 0);

	r->fast = fast_callbacks(r);
	if (r->fast & SEAM_FAST_POST)
		r->special |= SEAM_SP_STACK; /* its return is seam_leave's */
	if (!fresh) {
		r->hist = internal ? 0 : as->hist;
		if (r->instrument == SEAM_HIST && r->hist >= seam->fixed.nhists)
			return -1;
		seam->nruns++;
		return 0;
	}
	as->hist = 0xffffffff;
	if (s->instrument == SEAM_HIST) {
		r->hist = __atomic_fetch_add(&seam->arena->hists_used, 1, __ATOMIC_RELAXED);
		if (r->hist >= seam->fixed.nhists)
			return -1; /* its id stays unused */
		as->hist = r->hist;
	}
	as->addr = s->vaddr + bias;
	as->kind = s->kind;
	as->instrument = s->instrument;
	as->nwords = s->nregs + s->nstack;
	as->flags = s->flags;
	if (s->def_len) {
		as->def_off = seam_blob((const char *)plan + s->def_off, s->def_len);
		as->def_len = as->def_off ? s->def_len : 0;
	}
	__atomic_store_n(&as->key, key | 1, __ATOMIC_RELEASE);
	seam->nruns++;
	return 0;
}

void seam_refuse(const char *object, const char *symbol, unsigned reason)
{
	if (!seam->arena)
		return; /* a guard site: reading behind arguments is slower without, and says nothing */
	/* msgpack: [[symbol, reason, ""]] */
	unsigned char buf[80];
	size_t n = strnlen(symbol, 64);
	buf[0] = 0x91;
	buf[1] = 0x93;
	buf[2] = 0xd9; /* str 8 */
	buf[3] = n;
	memcpy(buf + 4, symbol, n);
	buf[4 + n] = reason;
	buf[5 + n] = 0xa0;
	seam_add_refusals(object, buf, n + 6);
}

unsigned char *seam_thunk(unsigned kind, uint32_t slot)
{
	unsigned char *pool = kind == SEAM_SITE_FULL ? seam_thunks_full : kind == SEAM_SITE_COUNT ? seam_thunks_count : seam_thunks_entry;
	return pool + 16ull * slot;
}

/* Write the jump over a function whose bytes are those expected, in pages that
 * are writable now. */
static void write_jump(uint64_t at, const struct seam_site *s, uint64_t to)
{
	unsigned char code[SEAM_MAX_PATCH];
	int32_t d = to - (at + 5);
	code[0] = 0xe9;
	__builtin_memcpy(code + 1, &d, 4);
	for (unsigned i = 5; i < s->patch_len; i++)
		code[i] = 0xcc; /* never reached: a trap shows if that is wrong */
	for (unsigned i = 0; i < s->patch_len; i++)
		((volatile unsigned char *)at)[i] = code[i];
}

/* Pages of code stay executable while they are written: this library calls the
 * kernel itself, but a thread of the host may be running in the same pages. */
int seam_open_text(uint64_t lo, uint64_t hi)
{
	lo &= ~(PAGE - 1);
	return sys3(SYS_mprotect, lo, ((hi + PAGE - 1) & ~(PAGE - 1)) - lo, PROT_READ | PROT_WRITE | PROT_EXEC);
}
void seam_close_text(uint64_t lo, uint64_t hi, int prot)
{
	lo &= ~(PAGE - 1);
	sys3(SYS_mprotect, lo, ((hi + PAGE - 1) & ~(PAGE - 1)) - lo, prot);
}

/* Some calls the core must see the end of, whatever else is asked of their sites. */
int seam_sees_end(const struct seam_site *s)
{
	return s->kind == SEAM_SITE_GUARD || (s->flags & SEAM_SF_GUARD) || s->watch == SEAM_WATCH_SPAWN ||
		s->watch == SEAM_WATCH_WAIT4 || s->watch == SEAM_WATCH_WAITID;
}

/* Memory for an object's trampolines, that can be written: what it had when it was
 * here before, if that is near enough. */
static unsigned char *pages_for(struct seam_object *o, uint64_t size)
{
	const struct seam_plan *plan = o->plan;
	uint64_t lo = plan->text_lo + o->bias, hi = plan->text_hi + o->bias;
	if (o->done && o->done->mem && size <= o->done->mem_size) {
		uint64_t at = (uint64_t)o->done->mem;
		if (seam_reaches(at, hi) && seam_reaches(at + size, lo) && seam_reaches(hi, at) && seam_reaches(lo, at + size) &&
		    !sys3(SYS_mprotect, at, size, PROT_READ | PROT_WRITE))
			return o->done->mem;
		munmap(o->done->mem, o->done->mem_size);
		o->done->mem = 0;
	}
	return seam_pages_near(lo, hi, size);
}

/* The entry of a function that is unpatched: its object has just come. */
static struct seam_place *place_of(uint64_t fn, const struct seam_plan *plan, const struct seam_site *s, uint64_t tramp)
{
	struct seam_place *p = seam_place_at(fn);
	if (p)
		seam_place_gone(p); /* that object left while nobody looked */
	p = seam_place_new(fn, seam_build(plan), s);
	if (p)
		p->tramp = tramp;
	return p;
}

/* A return to an address that was pushed and not called is an attack there. */
int seam_shadow_stack(void)
{
	uint64_t ssp = 0;
	__asm__ volatile("rdsspq %0" : "+r"(ssp)); /* does nothing without one */
	return ssp != 0;
}

/* The pages that jumps are about to make private, each run of them in one go, and before
 * anybody has read them: a fault for each costs twice as much, and once more for one that
 * was mapped already. Sites are in order. */
static void touch_text(const struct seam_object *o, const struct seam_site *s, uint32_t n)
{
	uint64_t from = 0, to = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t at = s[i].vaddr + o->bias, lo = at & ~(PAGE - 1);
		if (!s[i].patch_len || s[i].picker)
			continue;
		if (lo > to || lo < from) {
			if (to)
				seam_populate((void *)from, to - from);
			from = lo;
		}
		to = (at + s[i].patch_len + PAGE - 1) & ~(PAGE - 1);
	}
	if (to)
		seam_populate((void *)from, to - from);
}

static void apply_object(struct seam_load *l, struct seam_object *o)
{
	struct seam_plan *plan = (struct seam_plan *)o->plan;
	struct seam_site *s = (void *)((char *)plan + plan->sites_off);
	uint64_t size = 0;
	for (uint32_t i = 0; i < plan->nsites; i++)
		size += seam_tramp_size(&s[i]) + ISLAND + (s[i].nfilt ? SEAM_SIEVE : 0);
	if (!plan->nsites) {
		seam_done_note(l, o, 0, 0);
		return;
	}
	size = (size + PAGE - 1) & ~(PAGE - 1);
	unsigned char *mem = pages_for(o, size), *at = mem;
	seam_done_note(l, o, mem, size);
	if (!mem) {
		seam_refuse(o->path, "*", NO_MEMORY_NEAR);
		return;
	}
	/* one change of protection for the whole text: one for each function would
	 * cost milliseconds; only pages that are written to become private */
	if (seam_open_text(o->text_lo, o->text_hi)) {
		seam_refuse(o->path, "*", PATCH_FORBIDDEN);
		return;
	}
	touch_text(o, s, plan->nsites);
	seam_populate(mem, size);
	seam_populate(&seam->places->place[seam->places->n], plan->nsites * sizeof(struct seam_place));
	seam_populate(&seam->places->slot[seam->nruns], plan->nsites * sizeof(struct seam_slot));
	for (uint32_t i = 0; i < plan->nsites; i++) {
		const char *name = (const char *)plan + s[i].name_off;
		uint64_t fn = s[i].vaddr + o->bias;
		s[i].reserved[0] = 0;
		if (!o->done)
			s[i].reserved[1] = 0;
		if (!s[i].patch_len || (s[i].picker && !seam_picked(o, s, &s[i])))
			continue;
		int again = s[i].reserved[1] != 0;
		if (!again && seam->nruns >= SEAM_MAX_SLOTS) {
			seam_refuse(o->path, name, SITE_TABLE_FULL);
			continue;
		}
		if ((s[i].flags & SEAM_SF_PUSHES) && seam_shadow_stack()) {
			seam_refuse(o->path, name, CALL_IN_PROLOGUE);
			continue;
		}
		if (memcmp((void *)fn, s[i].orig, s[i].patch_len)) {
			seam_refuse(o->path, name, BYTES_DIFFER);
			continue;
		}
		uint64_t tramp = seam_trampoline(plan, &s[i], o->bias, at);
		if (!tramp) {
			seam_refuse(o->path, name, NO_MEMORY_NEAR);
			continue;
		}
		at += seam_tramp_size(&s[i]);
		uint64_t sig = again ? seam->places->slot[s[i].reserved[1] - 1].sig : seam_signature(plan, &s[i]);
		struct seam_place *place = place_of(fn, plan, &s[i], tramp);
		int idle = again || !place ? -1 : seam_slot_of(sig, place);
		uint32_t slot = again ? s[i].reserved[1] - 1 : idle >= 0 ? (uint32_t)idle : seam->nruns;
		if (place && (again || idle >= 0)) {
			seam->runs[slot].orig = tramp;
			seam->runs[slot].lib_base = o->bias;
		} else if (!place || seam_fill_run(&seam->runs[slot], plan, &s[i], o->bias, tramp, sig)) {
			seam_refuse(o->path, name, SITE_TABLE_FULL);
			continue;
		}
		seam->runs[slot].elsewhere = o->elsewhere;
		uint64_t thunk = (uint64_t)seam_thunk(seam_sees_end(&s[i]) ? SEAM_SITE_FULL : s[i].kind, slot);
		if (seam_sieved(&seam->runs[slot])) {
			seam_sieve(at, &seam->runs[slot], (uint64_t)seam_thunk(SEAM_SITE_COUNT, slot), thunk);
			thunk = (uint64_t)at;
			at += SEAM_SIEVE;
		}
		seam_slot_note(slot, sig, place, thunk);
		if (!seam_reaches(fn, thunk)) {
			memcpy(at, "\xff\x25\0\0\0\0", 6); /* jmp *0(%rip) */
			memcpy(at + 6, &thunk, 8);
			thunk = (uint64_t)at;
			at += ISLAND;
		}
		s[i].reserved[0] = thunk;
		s[i].reserved[1] = slot + 1;
	}
	if (sys3(SYS_mprotect, mem, size, PROT_READ | PROT_EXEC)) {
		seam_close_text(o->text_lo, o->text_hi, o->text_prot);
		seam_refuse(o->path, "*", PATCH_FORBIDDEN);
		return;
	}
	int guards = 0;
	for (uint32_t i = 0; i < plan->nsites; i++) {
		if (!s[i].reserved[0] || !s[i].patch_len)
			continue;
		struct seam_place *place = seam_place_at(s[i].vaddr + o->bias);
		place->form = FORM_LOAD;
		place->slot = s[i].reserved[1];
		write_jump(s[i].vaddr + o->bias, &s[i], s[i].reserved[0]);
		struct seam_run *r = &seam->runs[s[i].reserved[1] - 1];
		guards += (r->flags & SEAM_SF_GUARD) && r->guard_kind <= SEAM_GUARD_MMAP;
	}
	seam_close_text(o->text_lo, o->text_hi, o->text_prot);
	if (guards) {
		seam->guarded = 1;
		__atomic_add_fetch(&seam->maps_gen, 1, __ATOMIC_SEQ_CST); /* what was read before, nobody guarded */
		sys3(SYS_membarrier, 16 /* REGISTER_PRIVATE_EXPEDITED */, 0, 0);
	}
}

void seam_apply(struct seam_load *l)
{
	if (seam_places_ready()) {
		for (uint32_t i = 0; i < l->nobj; i++)
			if (l->obj[i].plan && l->obj[i].is_new)
				seam_refuse(l->obj[i].path, "*", NO_MEMORY_NEAR);
		return;
	}
	ksigset old = sig_block_all();
	for (uint32_t i = 0; i < l->nobj; i++)
		if (l->obj[i].plan && l->obj[i].is_new)
			apply_object(l, &l->obj[i]);
	for (uint32_t i = 0; i < l->nobj; i++)
		if (l->obj[i].plan && l->obj[i].is_new)
			seam_point(l, &l->obj[i]);
	sig_restore(old);
	if (seam->shared_from == ~0u && seam->arena)
		seam->shared_from = seam->arena->sites_used; /* sites put in later may be another process's too */
}

/* A function that is a return and padding: `ret`, or `endbr64; ret`. Its
 * trampoline is the same again. */
int seam_apply_loader(uint64_t fn)
{
	static const unsigned char endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	struct seam_site s = { .patch_len = 5 };
	unsigned at = memcmp((void *)fn, endbr, 4) ? 0 : 4;
	memcpy(s.orig, (void *)fn, 5);
	if (s.orig[at] != 0xc3 || fn % 16 || seam->nruns >= SEAM_MAX_SLOTS)
		return -1;
	/* what follows the return up to the next 16 bytes is the assembler's padding */
	unsigned char *mem = seam_pages_near(fn, fn, PAGE);
	if (!mem)
		return -1;
	memcpy(mem, s.orig, at + 1);
	struct seam_run *r = &seam->runs[seam->nruns];
	r->orig = (uint64_t)mem;
	r->kind = SEAM_SITE_LOADER;
	uint64_t thunk = (uint64_t)seam_thunk(SEAM_SITE_ENTRY, seam->nruns);
	if (!seam_reaches(fn, thunk)) {
		memcpy(mem + 16, "\xff\x25\0\0\0\0", 6);
		memcpy(mem + 22, &thunk, 8);
		thunk = (uint64_t)mem + 16;
	}
	if (sys3(SYS_mprotect, mem, PAGE, PROT_READ | PROT_EXEC) || seam_open_text(fn, fn + 5))
		return -1;
	write_jump(fn, &s, thunk);
	seam_close_text(fn, fn + 5, PROT_READ | PROT_EXEC);
	seam->nruns++;
	return 0;
}
