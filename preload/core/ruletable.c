/* ruletable.c: the arena's table of rules: those it was made with, and breakpoints, which
 * come and go. A plan names a rule by its index.
 */
#define _GNU_SOURCE
#include <string.h>
#include "load.h"
#include "sys.h"

#define LOCK_TRIES 50
#define LOCK_NAP_NS 200000

/* len bytes at off of the texts; NULL: there are none, whoever wrote that. */
static char *text_at(uint32_t off, uint32_t len)
{
	return off < seam->fixed.defs_size && len <= seam->fixed.defs_size - off ? arena_at(seam->fixed.defs_off + off) : 0;
}

/* Entry i of the arena's table becomes rule i of a spec. room: for its text, where that of
 * the one before is. Returns the room from now on. */
static uint32_t set_rule(const struct seam_spec *spec, uint32_t i, uint32_t room)
{
	struct seam_rule_state *s = (struct seam_rule_state *)arena_at(seam->fixed.rules_off) + i;
	uint32_t len = strlen(spec->rules[i]);
	char *to = len > room ? 0 : text_at(s->text_off, len);
	if (!to) {
		s->text_off = seam_blob(spec->rules[i], len);
		room = s->text_off ? len : 0;
	} else
		memcpy(to, spec->rules[i], len);
	s->text_len = room ? len : 0;
	memcpy(&s->nth, spec->when[i], sizeof spec->when[i]);
	s->after = seam_ticks(s->after);
	return room;
}

static int is_break(const char *text) { return text && !strncmp(text, "break ", 6); }

/* A breakpoint takes its entry from an older one. Processes that share the arena do
 * it at the same time: the first does, and nobody who comes with an older one. 1: the entry is its. */
static int set_break(const struct seam_spec *spec, uint32_t i)
{
	struct seam_rule_state *s = (struct seam_rule_state *)arena_at(seam->fixed.rules_off) + i;
	struct seam_break *k = (struct seam_break *)((struct seam_parks *)arena_at(seam->fixed.parks_off) + 1) + i;
	uint64_t serial = spec->when[i][7];
	struct ktime nap = { 0, LOCK_NAP_NS };
	uint32_t none = 0;
	for (int tries = 0; !__atomic_compare_exchange_n(&k->writing, &none, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED) && tries < LOCK_TRIES; tries++) {
		none = 0;
		sys2(SYS_nanosleep, &nap, 0); /* in vain: whoever wrote was killed */
	}
	if (s->jitter < serial && (!s->text_len || is_break(text_at(s->text_off, 6)))) {
		__atomic_store_n(&k->armed, 0, __ATOMIC_SEQ_CST); /* threads of the old one leave */
		s->matched = s->acted = s->skipped = k->expired = k->abandoned = 0;
		k->text_room = set_rule(spec, i, k->text_room);
		__atomic_store_n(&k->armed, serial, __ATOMIC_SEQ_CST);
	}
	int ours = s->jitter == serial && serial;
	__atomic_store_n(&k->writing, 0, __ATOMIC_RELEASE);
	return ours;
}

/* The arena's rules are made those of a spec, as far as they can be: the arena has the
 * rules it was made with, and room for breakpoints. The set of those that are as the spec says. */
uint64_t seam_set_rules(const struct seam_spec *spec)
{
	const struct seam_arena *a = seam->arena;
	uint64_t same = 0;
	if (!a)
		return 0;
	const struct seam_rule_state *s = arena_at(seam->fixed.rules_off);
	for (uint32_t i = 0; i < spec->nrules && i < seam->fixed.nrules; i++) {
		const char *text = spec->rules[i], *there = text_at(s[i].text_off, strlen(text));
		seam->longest[i] = spec->when[i][6] + (is_break(text) ? 0 : spec->when[i][7]);
		if (is_break(text) && seam->fixed.nparks ? set_break(spec, i) :
		    there && s[i].text_len == strlen(text) && !memcmp(there, text, strlen(text)))
			same |= 1ull << i;
	}
	return same;
}

/* Of an arena that was just made. */
void seam_first_rules(const struct seam_spec *spec)
{
	for (uint32_t i = 0; i < spec->nrules; i++)
		if (!is_break(spec->rules[i]))
			set_rule(spec, i, 0);
	seam_set_rules(spec);
}
