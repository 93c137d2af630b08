/* outlive.c: what a run refers to in its plan is copied, because the plan goes; and
 * what tells two such things apart.
 *
 * A condition on a list says where the list is in the plan. So the copy of a site's
 * rules and conditions is a small plan of its own: a header, then rules, conditions
 * and lists, with offsets from its start.
 */
#include <string.h>
#include "places.h"

/* The list of a condition, if it has one: bytes of it in the plan, without the texts of a set. */
static uint32_t list_size(const char *plan, const struct seam_filter *q)
{
	switch (q->what) {
	case SEAM_FILT_WITHIN:
	case SEAM_FILT_SHAPE:
		return sizeof(struct seam_set) + ((const struct seam_set *)(plan + q->value))->n * sizeof(struct seam_set_entry);
	case SEAM_FILT_ADDRS:
		return ((const struct seam_addr_list *)q->str)->n * sizeof(struct seam_filter);
	default:
		return 0;
	}
}

static uint64_t size_of(const char *plan, const struct seam_filter *q, uint32_t n)
{
	uint64_t size = n * sizeof *q;
	for (uint32_t i = 0; i < n; i++) {
		size += list_size(plan, &q[i]);
		if (q[i].what == SEAM_FILT_WITHIN || q[i].what == SEAM_FILT_SHAPE) {
			const struct seam_set *set = (const void *)(plan + q[i].value);
			const struct seam_set_entry *e = (const void *)(set + 1);
			for (uint32_t k = 0; k < set->n; k++)
				size += e[k].len;
			size += 8;
		}
	}
	return size;
}

/* Copies n conditions and their lists to to + at; returns where the next thing goes. */
static uint32_t copy(char *to, uint32_t at, const char *plan, const struct seam_filter *q, uint32_t n)
{
	struct seam_filter *c = memcpy(to + at, q, n * sizeof *q);
	at += n * sizeof *q;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t size = list_size(plan, &q[i]);
		if (!size)
			continue;
		c[i].value = at;
		memcpy(to + at, plan + q[i].value, size);
		struct seam_set *set = (void *)(to + at);
		struct seam_set_entry *e = (void *)(set + 1);
		at += size;
		if (q[i].what == SEAM_FILT_ADDRS)
			continue;
		for (uint32_t k = 0; k < set->n; k++) {
			memcpy(to + at, plan + e[k].off, e[k].len);
			e[k].off = at;
			at += e[k].len;
		}
		at = (at + 7) & ~7u;
	}
	return at;
}

int seam_outlive(struct seam_run *r, const struct seam_site *s)
{
	const char *plan = r->plan;
	uint64_t size = sizeof(struct seam_plan) + r->nrules * sizeof *r->rules + size_of(plan, r->filt, s->nfilt);
	for (uint32_t i = 0; i < r->nrules; i++)
		size += size_of(plan, (const void *)(plan + r->rules[i].filt_off), r->rules[i].nfilt);
	r->ops = seam_lasting(r->ops, s->nops * sizeof(struct seam_op));
	if (!r->ops || size > UINT32_MAX / 2)
		return -1;
	if (!r->nrules && !s->nfilt)
		return 0;
	char *to = (char *)seam_lasting(0, size);
	if (!to)
		return -1;
	memcpy(to, plan, sizeof(struct seam_plan)); /* lists.c asks it where the object's code is */
	uint32_t at = sizeof(struct seam_plan);
	struct seam_rule *u = memcpy(to + at, r->rules, r->nrules * sizeof *u);
	at += r->nrules * sizeof *u;
	for (uint32_t i = 0; i < r->nrules; i++) {
		uint32_t from = at;
		at = copy(to, at, plan, (const void *)(plan + u[i].filt_off), u[i].nfilt);
		u[i].filt_off = from;
	}
	copy(to, at, plan, r->filt, s->nfilt);
	r->filt = (const void *)(to + at);
	r->rules = u;
	r->plan = to;
	return 0;
}

/* Conditions count by what they say and what is in their lists, not by where that is. */
static uint64_t mix_filters(uint64_t h, const char *plan, const struct seam_filter *q, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct seam_filter c = q[i];
		uint32_t size = list_size(plan, &q[i]);
		if (size)
			c.value = 0;
		h = seam_hash(h, &c, sizeof c);
		if (q[i].what == SEAM_FILT_ADDRS)
			h = seam_hash(h, plan + q[i].value, size);
		else if (size) {
			const struct seam_set *set = (const void *)(plan + q[i].value);
			const struct seam_set_entry *e = (const void *)(set + 1);
			for (uint32_t k = 0; k < set->n; k++)
				h = seam_hash(h, &e[k].hash, sizeof e[k].hash);
		}
	}
	return h;
}

uint64_t seam_mix_conditions(uint64_t h, const struct seam_plan *p, const struct seam_site *s)
{
	const char *plan = (const char *)p;
	h = mix_filters(h, plan, (const void *)(plan + s->filt_off), s->nfilt);
	const struct seam_rule *u = (const void *)(plan + s->rules_off);
	for (uint32_t i = 0; i < s->nrules; i++) {
		struct seam_rule c = u[i];
		c.filt_off = 0;
		h = seam_hash(h, &c, sizeof c);
		h = mix_filters(h, plan, (const void *)(plan + u[i].filt_off), u[i].nfilt);
	}
	return h;
}
