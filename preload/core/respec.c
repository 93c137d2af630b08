/* respec.c: another spec, in a process that runs.
 *
 * Called on a thread of the agent, or, in a process that has none and shares the arena
 * with one that has (a forked child), on a host's thread at a safe call (catchup.c).
 *
 *   1. read the spec; what can't be read changes nothing
 *   2. tell the processes that share the arena where it is
 *   3. keep the loader out, list what is loaded, get plans
 *   4. live.c
 *   5. from here on libraries that come later are patched by the new spec
 *
 * The loader and this wait for one another, with a deadline: it announces itself before
 * it unmaps anything (seam_loader_event), and looks at `patching`; here `patching` is
 * set first and loader_busy looked at then.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include "places.h"
#include "sys.h"

#define LOCK_NS 4000000000ll    /* for another change, or the loader, to be over: plans may take two seconds */
#define NAP_NS 200000ll
#define PUBLISH_TRIES 50

static int64_t now_ns(void)
{
	struct ktime t;
	sys2(SYS_clock_gettime, 1, &t);
	return t.sec * 1000000000 + t.nsec;
}

int seam_patching_begin(int64_t ns, int loader)
{
	int64_t end = now_ns() + ns;
	struct ktime nap = { 0, NAP_NS };
	for (;;) {
		uint32_t free = 0;
		if (__atomic_compare_exchange_n(&seam->patching, &free, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
			if (loader || (!__atomic_load_n(&seam->loader_busy, __ATOMIC_SEQ_CST) && seam_loader_at_rest(seam->loader)))
				return 0;
			seam_patching_end();
		}
		if (now_ns() >= end)
			return -1;
		sys2(SYS_nanosleep, &nap, 0);
	}
}

void seam_patching_end(void)
{
	__atomic_store_n(&seam->patching, 0, __ATOMIC_SEQ_CST);
}

/* The loader is about to unmap, perhaps: nobody may be writing there. */
void seam_patching_wait(void)
{
	int64_t end = 0;
	struct ktime nap = { 0, NAP_NS };
	while (__atomic_load_n(&seam->patching, __ATOMIC_SEQ_CST)) {
		int64_t now = now_ns();
		if (!end)
			end = now + LOCK_NS;
		if (now >= end)
			return;
		sys2(SYS_nanosleep, &nap, 0);
	}
}

/* Where the newest spec is, for all who share the arena. Its number. */
static uint32_t publish(const char *path)
{
	struct seam_arena *a = seam->arena;
	struct ktime nap = { 0, NAP_NS };
	uint32_t seq;
	for (int tries = 0;; tries++) {
		seq = __atomic_load_n(&a->spec_seq, __ATOMIC_RELAXED);
		if ((seq & 1) && tries < PUBLISH_TRIES)
			sys2(SYS_nanosleep, &nap, 0); /* another's, at the same moment: the last one counts */
		else if (__atomic_compare_exchange_n(&a->spec_seq, &seq, seq | 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			break; /* still odd: whoever wrote was killed */
	}
	seq &= ~1u;
	strncpy(a->spec_path, path, sizeof a->spec_path - 1);
	__atomic_store_n(&a->spec_seq, seq + 2, __ATOMIC_RELEASE);
	return seq + 2;
}

static void tell_refusals(struct seam_load *l)
{
	for (uint32_t i = 0; i < l->nobj && seam->arena; i++) {
		const struct seam_object *o = &l->obj[i];
		const struct seam_plan *p = o->plan;
		if (o->unplanned && seam_tell_once(o->ino * 31 ^ o->bias ^ UNPLANNED))
			seam_refuse(o->path, "*", UNPLANNED);
		if (!p)
			continue;
		uint64_t h = o->bias ^ o->ino;
		for (uint32_t k = 0; k < p->refusals_len; k++)
			h = (h ^ ((const unsigned char *)p)[p->refusals_off + k]) * 0x100000001b3ull;
		if (p->refusals_len > 1 && seam_tell_once(h))
			seam_add_refusals(o->path, (const char *)p + p->refusals_off, p->refusals_len);
		const struct seam_site *s = (const void *)((const char *)p + p->sites_off);
		for (uint32_t j = 0; j < p->nsites; j++)
			if (s[j].reserved[0] && s[j].probe != SEAM_NO_PROBE && seam_tell_once(o->ino * 31 ^ s[j].vaddr << 8 ^ s[j].reserved[0]))
				seam_refuse(o->path, (const char *)p + s[j].name_off, s[j].reserved[0]);
	}
}

static struct seam_outcome *outcome(struct seam_load *l)
{
	uint64_t size = sizeof(struct seam_outcome);
	for (int pass = 0;; pass++) {
		struct seam_outcome *out = 0;
		char *at = 0;
		if (pass) {
			size = (size + 4095) & ~4095ull;
			out = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (out == MAP_FAILED)
				return 0;
			*out = (struct seam_outcome){ .size = size, .hash = l->spec.hash };
			at = (char *)(out + 1);
		}
		for (uint32_t i = 0; i < l->nobj; i++) {
			const struct seam_object *o = &l->obj[i];
			const struct seam_plan *p = o->plan;
			const struct seam_site *s = p ? (const void *)((const char *)p + p->sites_off) : 0;
			uint32_t sites = p ? p->nsites : 0;
			for (uint32_t j = 0; (p || o->unplanned) && j <= sites; j++) {
				int site = j < sites;
				struct seam_outcome_rec r = { .kind = 1, .reason = UNPLANNED, .probe = SEAM_NO_PROBE, .id = 0xffffffff, .len = { strlen(o->path), 1 } };
				const char *text = "*";
				if (p) {
					r = (struct seam_outcome_rec){ .kind = 2, .len = { strlen(o->path), p->refusals_len } };
					text = (const char *)p + p->refusals_off;
				}
				if (site) {
					if (s[j].probe == SEAM_NO_PROBE || !(s[j].reserved[0] | s[j].reserved[1])) /* or what an IFUNC did not pick */
						continue;
					text = (const char *)p + s[j].name_off;
					r = (struct seam_outcome_rec){ .kind = 1, .reason = s[j].reserved[0], .probe = s[j].probe,
						.id = s[j].reserved[0] ? 0xffffffff : seam->runs[s[j].reserved[1] - 1].id, .len = { strlen(o->path), strlen(text) } };
				}
				uint32_t n = (sizeof r + r.len[0] + r.len[1] + 7) & ~7u;
				if (!pass) {
					size += n;
					continue;
				}
				memcpy(at, &r, sizeof r);
				memcpy(at + sizeof r, o->path, r.len[0]);
				memcpy(at + sizeof r + r.len[0], text, r.len[1]);
				at += n;
			}
		}
		if (pass) {
			out->len = at - (char *)(out + 1);
			return out;
		}
	}
}

void seam_outcome_free(struct seam_outcome *o)
{
	if (o)
		munmap(o, o->size);
}

static int respec(struct seam_load *l, const char *path, int tell, struct seam_outcome **out)
{
	struct seam_load *was = seam->late;
	if (was) {
		memcpy(l->exe, was->exe, sizeof l->exe);
		l->argc = was->argc;
		l->argv = was->argv;
		l->debug = was->debug;
		l->nold = was->nold;
		memcpy(l->old, was->old, sizeof l->old);
		l->ndone = was->ndone;
		memcpy(l->done, was->done, sizeof l->done);
		for (uint32_t i = 0; i < l->ndone; i++)
			l->done[i].plan = 0; /* made for another spec */
	} else
		l->debug = seam_loader_debug();
	strncpy(l->spec_path, path, sizeof l->spec_path - 1);
	l->live = 1;
	seam_look(l);
	seam_fetch(l);
	for (uint32_t i = 0; i < l->nobj; i++)
		l->obj[i].unplanned |= l->obj[i].wanted && !l->obj[i].plan;
	if (seam_places_ready() || seam_arena_first(l))
		return SEAM_RESPEC_MEMORY;
	uint32_t seq = tell && seam->arena ? publish(path) : 0;
	seam_live(l);
	if (seq) /* not before: a child that is forked in the middle of it begins anew */
		seam->spec_seen = seq;
	tell_refusals(l);
	if (out)
		*out = outcome(l);
	for (uint32_t i = 0; i < l->nobj; i++)
		if (l->obj[i].plan)
			munmap((void *)l->obj[i].plan, l->obj[i].plan->size);
	memset(l->obj, 0, sizeof l->obj);
	l->nobj = 0;
	l->live = 0;
	seam->late = l;
	seam->spec_hash = l->spec.hash;
	struct seam_load *before = seam->late_before;
	seam->late_before = was; /* first: a child may be forked here, and would unmap it once more */
	if (before) /* of the one before last nobody has a pointer any more, an agent that was late with a plan neither */
		munmap(before, sizeof *before);
	return SEAM_RESPEC_DONE;
}

static int once(const char *path, int tell, struct seam_outcome **out)
{
	struct seam_load *l = mmap(0, sizeof *l, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (l == MAP_FAILED)
		return SEAM_RESPEC_MEMORY;
	ksigset old = sig_block(KSIG_HOST); /* a handler that jumps away would leave it half done */
	int rc = seam_spec_read(&l->spec, path, !tell /* from the arena, where others write, too */) ? SEAM_RESPEC_BAD_SPEC : SEAM_RESPEC_DONE;
	if (!rc && seam_patching_begin(tell ? LOCK_NS : 0, 0))
		rc = SEAM_RESPEC_BUSY;
	else if (!rc) {
		rc = respec(l, path, tell, out);
		seam_patching_end();
	}
	sig_restore(old);
	if (rc)
		munmap(l, sizeof *l);
	else if (tell && seam->arena)
		__atomic_add_fetch(&seam->arena->epoch, 1, __ATOMIC_ACQ_REL); /* who shares it looks at its next call */
	if (!rc && tell && seam->arena)
		my_proc()->spec_seq = seam->spec_seen;
	return rc;
}

/* Again, for a library that was loaded meanwhile and could not wait: nothing in it
 * is patched yet, and threads are in it. */
static int begin(const char *path, int tell, struct seam_outcome **out)
{
	for (int round = 0;; round++) {
		uint32_t missed = __atomic_load_n(&seam->missed, __ATOMIC_SEQ_CST);
		if (seam_quiet())
			return SEAM_RESPEC_CONFINED;
		int rc = once(path, tell, out);
		if (rc || missed == __atomic_load_n(&seam->missed, __ATOMIC_SEQ_CST) || round == 3)
			return rc;
		if (out) {
			seam_outcome_free(*out);
			*out = 0;
		}
	}
}

int seam_respec(const char *path, struct seam_outcome **out)
{
	*out = 0;
	return begin(path, 1, out);
}

void seam_follow_spec(void *unused)
{
	struct seam_arena *a = seam->arena;
	char path[sizeof a->spec_path];
	uint32_t seq = __atomic_load_n(&a->spec_seq, __ATOMIC_ACQUIRE);
	memcpy(path, a->spec_path, sizeof path);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	path[sizeof path - 1] = 0;
	if ((seq & 1) || seq != __atomic_load_n(&a->spec_seq, __ATOMIC_RELAXED))
		return; /* it is being written: at the next call */
	if (begin(path, 0, 0) == SEAM_RESPEC_BUSY)
		return; /* at another call */
	seam->spec_seen = seq; /* whatever else came of it: not again at each call */
	my_proc()->spec_seq = seq;
}
