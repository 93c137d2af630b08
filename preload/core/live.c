/* live.c: functions are patched, and restored, while other threads run in them.
 *
 * How a function looks in memory, by form:
 *
 *   LOAD    jmp thunk                over all displaced instructions; apply.c wrote it before anybody ran there
 *   WORD    push…; jmp stub          over one instruction of 5 bytes or more, the jump in one aligned word
 *   SHORT   push…; jmp.short pad     over one instruction of 2 bytes or more, the jump in one aligned word;
 *           pad: jmp stub            in filler between functions
 *
 *   stub    lea n(%rsp), %rsp        takes back what was pushed: the trampoline pushes it again
 *           jmp *entry               entry: a word behind the stub; the slot's thunk, or its sieve
 *
 * What another thread can execute is at every moment a whole program, the old or the
 * new: it never is in the middle of what is written, as that is one instruction, and
 * never reads half of it, as it is written by one store into an aligned word.
 *
 * Adding a site:
 *   1. run, trampoline, stub are written.                        Nobody leads there.
 *   2. The pad's jump is written.                                Filler: nobody gets there.
 *   3. membarrier(SYNC_CORE): no processor holds older code of 1 and 2.
 *   4. One store: the jump over the instruction.                 A thread before it, or in one of the pushes,
 *      gets to the stub or, if it was fetched before, runs the old instruction; one behind it is not touched.
 *   5. membarrier: from here on every call is recorded. The caller is told.
 * Changing what a site does (another filter, another instrument): 1 and 3, and one store into
 *   the stub's word. In the form LOAD, the first time, one store of the jump itself: it lies in one
 *   word, too, or the change is refused. A call is the old site's or the new one's.
 * Removing a site:
 *   1. LOAD: bytes of the function behind the word with the jump.  Nobody gets there: before them is a jump.
 *   2. One store: the original bytes, all that the jump hides in that word. A thread before it runs them;
 *      one in the jump, pad or stub has left, and goes on to thunk and trampoline. Nobody is
 *      inside the jump's bytes: it is one instruction.
 *   3. membarrier: from here on no call is recorded. The caller is told.
 *   Calls that are under way come back through the thunk; their frames name the slot and the
 *   trampoline. These, the stub and the pad stay as they are for as long as the object does: a thread may sleep
 *   there. The pad's jump stays in the filler.
 *   A jump of form LOAD that crosses words can't be taken out by one store. It stays, and its
 *   calls pass (SEAM_SITE_SILENT).
 *
 * The core's own sites (guards, watches) stay, whatever the spec: what somebody's
 * probe was also good for becomes a site of the core's own.
 *
 * One thread at a time, with the loader kept out: respec.c.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include "frame.h"
#include "places.h"
#include "sys.h"

#define WORD 8ull
#define STUB 32u
#define TARGET 16u              /* of a stub: where its entry is */
#define MEMBARRIER_REGISTER_SYNC_CORE 64
#define MEMBARRIER_SYNC_CORE 32

/* Every processor that runs our threads fetches anew. A kernel without it (before 4.16,
 * or behind a filter) does the same when a page is made less than it was: it interrupts them. */
static void sync_cores(void)
{
	if (!sys3(SYS_membarrier, MEMBARRIER_SYNC_CORE, 0, 0))
		return;
	if (!sys3(SYS_membarrier, MEMBARRIER_REGISTER_SYNC_CORE, 0, 0) && !sys3(SYS_membarrier, MEMBARRIER_SYNC_CORE, 0, 0))
		return;
	long m = sys6(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m < 0 && m > -4096)
		return;
	*(volatile char *)m = 1;
	sys3(SYS_mprotect, m, 4096, PROT_READ);
	sys2(SYS_munmap, m, 4096);
}

/* The bytes at `at`, all in one aligned word. */
static void store(uint64_t at, const void *bytes, unsigned n)
{
	uint64_t *w = (uint64_t *)(at & ~(WORD - 1)), v = *w;
	memcpy((char *)&v + at % WORD, bytes, n);
	__atomic_store_n(w, v, __ATOMIC_SEQ_CST);
}

static void jump(unsigned char *to, uint64_t at, uint64_t target)
{
	int32_t d = target - (at + 5);
	to[0] = 0xe9;
	memcpy(to + 1, &d, 4);
}

static int leads_to(uint64_t at, uint64_t target)
{
	unsigned char want[5];
	jump(want, at, target);
	return target && !memcmp((void *)at, want, 5);
}

static struct seam_object *object_of(struct seam_load *l, uint64_t fn)
{
	for (uint32_t i = 0; i < l->nobj; i++)
		if (l->obj[i].text_hi && fn >= l->obj[i].text_lo && fn < l->obj[i].text_hi)
			return &l->obj[i];
	return 0;
}

static int internal(const struct seam_run *r) { return r->kind == SEAM_SITE_GUARD || r->kind == SEAM_SITE_WATCH; }

/* What memory says: an object may have been loaded anew, and a fork may have
 * come in the middle of a change. */
static void refresh(struct seam_load *l)
{
	struct seam_places *b = seam->places;
	for (uint32_t i = 0; i < b->n; i++) {
		struct seam_place *p = &b->place[i];
		p->want = p->touched = 0;
		p->live = 0;
		if (!p->fn)
			continue;
		if (!object_of(l, p->fn)) {
			if (!l->cut)
				seam_place_gone(p);
			continue;
		}
		if (!memcmp((void *)p->fn, p->orig, p->patch_len))
			p->form = FORM_NONE;
		if (p->pad && !leads_to(p->pad, p->stub))
			p->pad = 0;
	}
}

static unsigned char *stub(struct seam_object *o, unsigned undo)
{
	unsigned char *s = seam_near(o->text_lo, o->text_hi, STUB), *at = s;
	if (!s)
		return 0;
	memset(s, 0xcc, STUB);
	if (undo) {
		static const unsigned char lea[] = { 0x48, 0x8d, 0x64, 0x24 }; /* lea n(%rsp), %rsp: flags stay */
		memcpy(at, lea, sizeof lea);
		at[sizeof lea] = undo;
		at += sizeof lea + 1;
	}
	int32_t d = s + TARGET - (at + 6);
	at[0] = 0xff; /* jmp *d(%rip) */
	at[1] = 0x25;
	memcpy(at + 2, &d, 4);
	memset(s + TARGET, 0, 8);
	return s;
}

static int point(uint64_t stub, uint64_t entry)
{
	if (seam_near_open(stub))
		return -1;
	__atomic_store_n((uint64_t *)(stub + TARGET), entry, __ATOMIC_SEQ_CST);
	return 0;
}

/* One of a site's rules is not the arena's. */
static int other_rules(const struct seam_plan *plan, const struct seam_site *s, uint64_t same)
{
	const struct seam_rule *u = (const void *)((const char *)plan + s->rules_off);
	for (uint32_t i = 0; i < s->nrules; i++)
		if (!(same >> u[i].id & 1))
			return 1;
	return 0;
}

/* A slot for what s does, new or known. -1: the table is full; -2: no memory near. */
static int slot_for(struct seam_object *o, struct seam_place *p, struct seam_plan *plan, struct seam_site *s)
{
	uint64_t sig = seam_signature(plan, s);
	int slot = seam_slot_of(sig, p);
	if (slot >= 0) {
		struct seam_run *r = &seam->runs[slot];
		r->orig = p->tramp;
		r->lib_base = o->bias;
		if (seam->places->slot[slot].place)
			return slot;
	} else {
		if (seam->nruns >= SEAM_MAX_SLOTS)
			return -1;
		slot = seam->nruns;
		struct seam_run *r = &seam->runs[slot];
		memset(r, 0, sizeof *r); /* an attempt may have failed here */
		if (seam_fill_run(r, plan, s, o->bias, p->tramp, sig))
			return -1;
		if (seam_outlive(r, s)) {
			seam->nruns--;
			return -2;
		}
	}
	struct seam_run *r = &seam->runs[slot];
	r->elsewhere = o->elsewhere;
	uint64_t entry = (uint64_t)seam_thunk(seam_sees_end(s) ? SEAM_SITE_FULL : s->kind, slot);
	if (seam_sieved(r)) {
		unsigned char *at = seam_near(o->text_lo, o->text_hi, SEAM_SIEVE);
		if (!at)
			return -2;
		seam_sieve(at, r, (uint64_t)seam_thunk(SEAM_SITE_COUNT, slot), entry);
		entry = (uint64_t)at;
	}
	seam_slot_note(slot, sig, p, entry);
	return slot;
}

/* What a plan wants of one function. 0, or why not. */
static unsigned want(struct seam_object *o, struct seam_plan *plan, struct seam_site *s, const struct seam_live *live)
{
	uint64_t fn = s->vaddr + o->bias;
	struct seam_place *p = seam_place_at(fn);
	if ((s->flags & SEAM_SF_PUSHES) && seam_shadow_stack())
		return CALL_IN_PROLOGUE;
	if (p && (p->build != seam_build(plan) || p->patch_len != s->patch_len || memcmp(p->orig, s->orig, s->patch_len))) {
		if (p->form != FORM_NONE)
			return BYTES_DIFFER;
		seam_place_gone(p);
		p = 0;
	}
	if (!p || p->form == FORM_NONE) {
		if (memcmp((void *)fn, s->orig, s->patch_len))
			return BYTES_DIFFER;
		if (live->form == SEAM_LIVE_NO)
			return NOT_LIVE;
	}
	if (!p && !(p = seam_place_new(fn, seam_build(plan), s)))
		return SITE_TABLE_FULL;
	if (!p->tramp) {
		unsigned char *at = seam_near(o->text_lo, o->text_hi, seam_tramp_size(s));
		if (!at || !(p->tramp = seam_trampoline(plan, s, o->bias, at)))
			return NO_MEMORY_NEAR;
	}
	int slot = slot_for(o, p, plan, s);
	if (slot < 0)
		return slot == -1 ? SITE_TABLE_FULL : NO_MEMORY_NEAR;
	p->want = slot + 1;
	p->live = live;
	s->reserved[1] = slot + 1;
	return 0;
}

/* The core's own part of a site that nobody else wants any more: slot +1, or 0. */
static uint32_t own_part(struct seam_object *o, struct seam_place *p)
{
	const struct seam_run *r = &seam->runs[p->slot - 1];
	if (r->kind == SEAM_SITE_SILENT || (!internal(r) && !r->watch && !(r->flags & SEAM_SF_GUARD)))
		return 0;
	if (internal(r))
		return p->slot;
	struct { struct seam_plan plan; char name[8]; } none = { { .dev = o->dev, .ino = o->ino, .fsize = o->size, .mtime_ns = o->mtime_ns }, "" };
	struct seam_site s = { .vaddr = p->fn - o->bias, .watch = r->watch, .flags = r->flags & SEAM_SF_GUARD, .ret_width = 8,
		.patch_len = p->patch_len, .name_off = sizeof none.plan };
	s.kind = SEAM_SITE_WATCH;
	if (seam_sees_end(&s))
		s.kind = SEAM_SITE_GUARD;
	unsigned guard = r->guard_kind;
	int slot = slot_for(o, p, &none.plan, &s);
	if (slot < 0)
		return p->slot; /* it goes on as it is */
	seam->runs[slot].guard_kind = guard;
	seam->runs[slot].ops = 0;
	seam->runs[slot].filt = 0;
	return slot + 1;
}

/* From here on its calls pass, though they come by. */
static void silence(struct seam_place *p)
{
	struct seam_run *r = &seam->runs[p->slot - 1];
	struct seam_slot *s = &seam->places->slot[p->slot - 1];
	if (p->silent)
		return;
	s->kind = r->kind;
	s->special = r->special;
	r->kind = SEAM_SITE_SILENT;
	__atomic_store_n(&r->special, r->special | SEAM_SP_WATCH, __ATOMIC_SEQ_CST); /* to C, which looks at the kind */
	p->silent = 1;
}

static void speak(struct seam_place *p)
{
	struct seam_run *r = &seam->runs[p->slot - 1];
	const struct seam_slot *s = &seam->places->slot[p->slot - 1];
	r->kind = s->kind;
	__atomic_store_n(&r->special, s->special, __ATOMIC_SEQ_CST);
	p->silent = 0;
}

static int in_word(const struct seam_place *p) { return p->fn % WORD + 5 <= WORD; }

/* Before text is written: whatever a change needs near the function. 0, or why it can't be. */
static unsigned prepare(struct seam_object *o, struct seam_place *p)
{
	uint64_t entry = p->want ? seam->places->slot[p->want - 1].entry : 0;
	if (p->form == FORM_NONE) {
		p->at = p->live->at;
		p->undo = p->live->undo;
		if (!p->stub && !(p->stub = (uint64_t)stub(o, p->undo)))
			return NO_MEMORY_NEAR;
		return point(p->stub, entry) ? PATCH_FORBIDDEN : 0;
	}
	if (!p->want)
		return 0;
	if (p->form == FORM_LOAD) {
		if (!p->plain && !in_word(p))
			return NOT_LIVE;
		if (!p->plain && !(p->plain = (uint64_t)stub(o, 0)))
			return NO_MEMORY_NEAR;
		return point(p->plain, entry) ? PATCH_FORBIDDEN : 0;
	}
	return point(p->stub, entry) ? PATCH_FORBIDDEN : 0;
}

/* The first of the plan's pads that is still filler gets the jump. */
static unsigned take_pad(struct seam_place *p)
{
	uint64_t from = p->fn + p->at + 2;
	for (unsigned i = 0; i < p->live->npads && !p->pad; i++) {
		uint64_t at = from + p->live->rel[i];
		unsigned char code[5];
		if (memcmp((void *)at, p->live->fill[i], 5))
			continue;
		jump(code, at, p->stub);
		for (unsigned k = 0; k < 5; k++)
			((volatile unsigned char *)at)[k] = code[k];
		p->pad = at;
	}
	return p->pad ? 0 : NOT_LIVE;
}

static void put_in(struct seam_place *p)
{
	unsigned char code[5];
	uint64_t at = p->fn + p->at;
	p->slot = p->want;
	p->form = p->live->form;
	if (p->form == FORM_WORD) {
		jump(code, at, p->stub);
		store(at, code, 5);
	} else {
		code[0] = 0xeb;
		code[1] = p->pad - (at + 2);
		store(at, code, 2);
	}
}

static void take_out(struct seam_place *p)
{
	unsigned from = p->form == FORM_LOAD ? 0 : p->at, n = p->form == FORM_LOAD ? p->patch_len : p->form == FORM_WORD ? 5 : 2;
	uint64_t at = p->fn + from;
	unsigned in = WORD - at % WORD < n ? WORD - at % WORD : n;
	if (p->form == FORM_LOAD && !in_word(p)) {
		silence(p);
		return;
	}
	for (unsigned i = in; i < n; i++)
		((volatile unsigned char *)at)[i] = p->orig[from + i];
	store(at, p->orig + from, in);
	p->form = FORM_NONE;
}

/* One object's functions, between open_text and close_text. */
static void change(struct seam_object *o)
{
	struct seam_places *b = seam->places;
	for (uint32_t i = 0; i < b->n; i++) {
		struct seam_place *p = &b->place[i];
		if (!p->touched || p->fn < o->text_lo || p->fn >= o->text_hi)
			continue;
		if (p->form == FORM_NONE) {
			if (p->want)
				put_in(p);
		} else if (!p->want)
			take_out(p);
		else {
			if (p->silent) /* nothing leads to the silent one any more */
				speak(p);
			p->slot = p->want;
			if (p->form == FORM_LOAD && !leads_to(p->fn, p->plain)) {
				unsigned char code[5];
				jump(code, p->fn, p->plain);
				store(p->fn, code, 5);
			}
		}
	}
}

/* The site of p, in the plans, is refused. What was there goes. */
static void fail(struct seam_load *l, struct seam_place *p, unsigned reason)
{
	struct seam_object *o = object_of(l, p->fn);
	struct seam_plan *plan = (struct seam_plan *)o->plan;
	struct seam_site *s = plan ? (void *)((char *)plan + plan->sites_off) : 0;
	for (uint32_t j = 0; plan && j < plan->nsites; j++)
		if (s[j].reserved[1] && s[j].reserved[1] == p->want)
			s[j].reserved[0] = reason;
	p->want = p->touched = 0;
	const struct seam_run *r = p->form != FORM_NONE ? &seam->runs[p->slot - 1] : 0;
	if (r && !internal(r) && !r->watch && !(r->flags & SEAM_SF_GUARD)) /* what the core needs itself goes on */
		silence(p);
}

/* What is to change, and why not. */
static void compare(struct seam_load *l)
{
	struct seam_places *b = seam->places;
	for (uint32_t i = 0; i < b->n; i++) {
		struct seam_place *p = &b->place[i];
		struct seam_object *o = p->fn ? object_of(l, p->fn) : 0;
		if (!o || o->unplanned) /* what is wanted there is not known: it stays as it is, and the spec's state says so */
			continue;
		if (p->form != FORM_NONE && !p->want)
			p->want = own_part(o, p);
		if (p->form != FORM_NONE && p->want == p->slot) {
			if (p->silent)
				speak(p);
			continue;
		}
		if (p->form == FORM_NONE && !p->want)
			continue;
		if (p->silent && !p->want)
			continue;
		p->touched = 1;
		unsigned reason = prepare(o, p);
		if (reason)
			fail(l, p, reason);
	}
}

void seam_live(struct seam_load *l)
{
	struct seam_places *b = seam->places;
	unsigned char open[MAX_OBJECTS] = { 0 };
	refresh(l);
	if (b->opened) /* forked in the middle of a change */
		for (uint32_t i = 0; i < b->n; i++) {
			struct seam_object *o = b->place[i].fn ? object_of(l, b->place[i].fn) : 0;
			if (o)
				seam_close_text(o->text_lo, o->text_hi, o->text_prot);
		}
	b->opened = 0;
	uint64_t same = seam_set_rules(&l->spec);
	for (uint32_t i = 0; i < l->nobj; i++) {
		struct seam_plan *plan = (struct seam_plan *)l->obj[i].plan;
		if (!plan || !plan->live_off)
			continue;
		struct seam_site *s = (void *)((char *)plan + plan->sites_off);
		const struct seam_live *live = (const void *)((char *)plan + plan->live_off);
		for (uint32_t j = 0; j < plan->nsites; j++) {
			s[j].reserved[1] = 0;
			if (other_rules(plan, &s[j], same)) { /* they need another arena */
				s[j].nrules = 0;
				if (seam_tell_once(l->obj[i].ino ^ s[j].vaddr << 8))
					seam_refuse(l->obj[i].path, (const char *)plan + s[j].name_off, RULE_NOT_APPLIED);
			}
			s[j].reserved[0] = 0;
			if (s[j].patch_len && (!s[j].picker || seam_picked(&l->obj[i], s, &s[j])))
				s[j].reserved[0] = want(&l->obj[i], plan, &s[j], &live[j]);
		}
	}
	seam_point_live(l);
	compare(l);
	if (seam_near_close())
		for (uint32_t i = 0; i < b->n; i++)
			if (b->place[i].touched)
				fail(l, &b->place[i], PATCH_FORBIDDEN);
	for (uint32_t i = 0; i < b->n; i++) {
		struct seam_place *p = &b->place[i];
		struct seam_object *o = p->touched ? object_of(l, p->fn) : 0;
		if (!o)
			continue;
		unsigned char *state = &open[o - l->obj];
		b->opened = 1;
		if (!*state)
			*state = seam_open_text(o->text_lo, o->text_hi) ? 2 : 1;
		if (*state == 2)
			fail(l, p, PATCH_FORBIDDEN);
		else if (p->form == FORM_NONE && p->live->form == SEAM_LIVE_SHORT && !p->pad && take_pad(p))
			fail(l, p, NOT_LIVE);
	}
	sync_cores();
	for (uint32_t i = 0; i < l->nobj; i++)
		if (open[i] == 1) {
			change(&l->obj[i]);
			seam_close_text(l->obj[i].text_lo, l->obj[i].text_hi, l->obj[i].text_prot);
		}
	b->opened = 0;
	sync_cores();
	if (seam->shared_from == ~0u && seam->arena)
		seam->shared_from = seam->arena->sites_used;
}
