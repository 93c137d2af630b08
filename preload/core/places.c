/* places.c: the book of patched functions, and memory for code near them.
 *
 * A function keeps its trampoline, stubs and pad for as long as its object is loaded,
 * patched or not: a thread may sleep in one of them for hours. What a site does
 * (a slot) belongs to a function and a definition: put in a second time it is the
 * same slot. So a probe that comes and goes ten thousand times takes no more
 * memory than once.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include "frame.h"
#include "places.h"
#include "sys.h"

#define NEAR_LEAST (64ull << 10)
#define KEEP (64u << 10)

static uint32_t bucket(uint64_t key)
{
	return (key * 0x9e3779b97f4a7c15ull) >> 54;
}

int seam_places_ready(void)
{
	if (!seam->places) {
		void *p = mmap(0, sizeof *seam->places, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			return -1;
		seam->places = p;
	}
	return 0;
}

struct seam_place *seam_place_at(uint64_t fn)
{
	struct seam_places *b = seam->places;
	for (uint32_t i = b->by_fn[bucket(fn)]; i; i = b->place[i - 1].next)
		if (b->place[i - 1].fn == fn)
			return &b->place[i - 1];
	return 0;
}

struct seam_place *seam_place_new(uint64_t fn, uint64_t build, const struct seam_site *s)
{
	struct seam_places *b = seam->places;
	uint32_t i = b->free;
	if (i)
		b->free = b->place[i - 1].next;
	else if (b->n < MAX_PLACES)
		i = ++b->n;
	else
		return 0;
	struct seam_place *p = &b->place[i - 1];
	uint16_t *head = &b->by_fn[bucket(fn)];
	*p = (struct seam_place){ .fn = fn, .build = build, .patch_len = s->patch_len, .next = *head };
	memcpy(p->orig, s->orig, s->patch_len);
	*head = i;
	return p;
}

void seam_place_gone(struct seam_place *p)
{
	struct seam_places *b = seam->places;
	uint32_t i = p - b->place + 1;
	uint16_t *at = &b->by_fn[bucket(p->fn)];
	p->form = FORM_NONE; /* first: a child may be forked anywhere here */
	while (*at && *at != i)
		at = &b->place[*at - 1].next;
	if (*at)
		*at = p->next;
	for (uint32_t k = 0; k < seam->nruns; k++)
		if (b->slot[k].place == i)
			b->slot[k].place = 0;
	p->fn = 0;
	p->next = b->free;
	b->free = i;
}

void seam_places_left(struct seam_load *l)
{
	struct seam_places *b = seam->places;
	for (uint32_t k = 0; b && k < b->n && !l->cut; k++) {
		struct seam_place *p = &b->place[k];
		int there = !p->fn;
		for (uint32_t i = 0; i < l->nobj && !there; i++)
			there = l->obj[i].text_hi && p->fn >= l->obj[i].text_lo && p->fn < l->obj[i].text_hi && !l->obj[i].is_new;
		if (!there)
			seam_place_gone(p);
	}
}

uint64_t seam_build(const struct seam_plan *plan)
{
	uint64_t id[4] = { plan->dev, plan->ino, plan->fsize, plan->mtime_ns };
	return seam_hash(FNV_START, id, sizeof id);
}

/* Two sites with the same signature do the same for the same function of the same file. */
uint64_t seam_signature(const struct seam_plan *plan, const struct seam_site *s)
{
	int internal = s->kind == SEAM_SITE_GUARD || s->kind == SEAM_SITE_WATCH;
	uint64_t head[3] = { seam_build(plan), s->vaddr, (uint64_t)s->watch << 32 | (uint64_t)s->kind << 8 | s->flags };
	uint64_t h = seam_hash(FNV_START, head, sizeof head);
	if (!internal) {
		uint8_t how[10] = { s->instrument, s->nregs, s->nstack, s->ncopy, s->nops, s->nfilt, s->fail_op, s->ret_width, s->handover };
		h = seam_hash(h, how, sizeof how);
		h = seam_hash(h, s->fail_val, sizeof s->fail_val);
		h = seam_hash(h, (const char *)plan + s->ops_off, s->nops * sizeof(struct seam_op));
		h = seam_hash(h, (const char *)plan + s->def_off, s->def_len);
		h = seam_mix_conditions(h, plan, s);
	}
	return (h ^ h >> 29) | 1;
}

int seam_slot_of(uint64_t sig, const struct seam_place *p)
{
	struct seam_places *b = seam->places;
	uint32_t mine = p - b->place + 1;
	int idle = -1;
	for (uint32_t i = b->by_sig[bucket(sig)]; i; i = b->slot[i - 1].next) {
		const struct seam_slot *s = &b->slot[i - 1];
		if (s->sig == sig && s->place == mine)
			return i - 1;
		if (s->sig == sig && !s->place)
			idle = i - 1;
	}
	return idle;
}

void seam_slot_note(uint32_t slot, uint64_t sig, struct seam_place *p, uint64_t entry)
{
	struct seam_places *b = seam->places;
	struct seam_slot *s = &b->slot[slot];
	if (!s->sig) {
		uint16_t *head = &b->by_sig[bucket(sig)];
		s->sig = sig;
		s->next = *head;
		*head = slot + 1;
	}
	s->place = p - b->place + 1;
	s->entry = entry;
}

unsigned char *seam_near(uint64_t lo, uint64_t hi, uint32_t n)
{
	struct seam_places *b = seam->places;
	struct seam_near *m = 0;
	n = (n + 15) & ~15u;
	for (uint32_t i = 0; i < b->nnear && !m; i++) {
		struct seam_near *c = &b->near[i];
		if (c->size - c->used >= n && seam_reaches(c->base, hi) && seam_reaches(c->base + c->size, lo) &&
		    seam_reaches(hi, c->base) && seam_reaches(lo, c->base + c->size) && !seam_near_open(c->base))
			m = c;
	}
	if (!m) {
		if (b->nnear == MAX_NEAR)
			return 0;
		unsigned char *mem = seam_pages_near(lo, hi, NEAR_LEAST);
		if (!mem)
			return 0;
		m = &b->near[b->nnear++];
		*m = (struct seam_near){ .base = (uint64_t)mem, .size = NEAR_LEAST, .open = 1 };
	}
	m->used += n;
	return (unsigned char *)m->base + m->used - n;
}

/* Other threads may be in this code: it stays executable while it is written. */
int seam_near_open(uint64_t at)
{
	struct seam_places *b = seam->places;
	for (uint32_t i = 0; i < b->nnear; i++) {
		struct seam_near *m = &b->near[i];
		if (at < m->base || at >= m->base + m->size)
			continue;
		if (!m->open && sys3(SYS_mprotect, m->base, m->size, PROT_READ | PROT_WRITE | PROT_EXEC))
			return -1;
		m->open = 1;
		return 0;
	}
	return -1;
}

int seam_near_close(void)
{
	struct seam_places *b = seam->places;
	int rc = 0;
	for (uint32_t i = 0; i < b->nnear; i++)
		if (b->near[i].open) {
			b->near[i].open = 0; /* first: who finds it so makes it writable */
			if (sys3(SYS_mprotect, b->near[i].base, b->near[i].size, PROT_READ | PROT_EXEC))
				rc = -1;
		}
	return rc;
}

const void *seam_lasting(const void *p, uint32_t n)
{
	struct seam_places *b = seam->places;
	struct seam_kept *k = b->kept;
	uint32_t size = (n + 7) & ~7u;
	if (!n)
		return p;
	if (!k || k->room < size) {
		uint64_t most = sizeof *k + (size > KEEP ? size : KEEP);
		k = mmap(0, most, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (k == MAP_FAILED)
			return 0;
		k->room = most - sizeof *k;
		b->kept = k;
	}
	k->room -= size;
	k->used += size;
	char *to = (char *)(k + 1) + k->used - size;
	if (p)
		memcpy(to, p, n);
	return to;
}

int seam_tell_once(uint64_t hash)
{
	struct seam_places *b = seam->places;
	const uint32_t room = sizeof b->told / sizeof *b->told;
	for (uint32_t i = 0, at = bucket(hash | 1) % room; i < room; i++, at = (at + 1) % room) {
		if (b->told[at] == (hash | 1))
			return 0;
		if (!b->told[at]) {
			b->told[at] = hash | 1;
			return 1;
		}
	}
	return 0;
}
