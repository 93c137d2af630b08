/* nativeload.c: the shared objects with callbacks, loaded before the program begins.
 *
 * With dlopen, in the constructor: their own libraries come with them and their
 * constructors run, as if the program had been linked with them, on its first thread and
 * before any other code of its own. What can't be loaded is told, and the program runs without it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "native.h"
#include "places.h"
#include "sys.h"

enum { NATIVE_NOT_LOADED = 35, NATIVE_OFF = 36 }; /* preload/plan/reasons.go */

static void tell(const char *file, const char *function, unsigned reason, const char *detail)
{
	/* msgpack: [[function, reason, detail]] */
	unsigned char buf[600], *to = buf;
	size_t n = strnlen(function, 128), d = strnlen(detail, 400);
	if (!seam->arena)
		return;
	*to++ = 0x91;
	*to++ = 0x93;
	*to++ = 0xd9; /* str 8 */
	*to++ = n;
	memcpy(to, function, n);
	to += n;
	*to++ = reason;
	*to++ = 0xda; /* str 16 */
	*to++ = d >> 8;
	*to++ = d;
	memcpy(to, detail, d);
	seam_add_refusals(file, buf, to + d - buf);
}

void seam_native_tell_off(uint32_t id, const char *function)
{
	tell(seam->natives->text[id].file, function, NATIVE_OFF, "");
}

void seam_native_tell(void)
{
	for (uint32_t i = 0; seam->natives && i < seam->natives->n; i++)
		if (seam->natives->text[i].why[0])
			tell(seam->natives->text[i].file, seam->natives->text[i].function, NATIVE_NOT_LOADED, seam->natives->text[i].why);
}

/* The entry that a rule means. NULL: *why says. */
static const struct seam_callback *entry(const char *line, int awake, char file[600], unsigned *uses, const char **why)
{
	char *at = (char *)line;
	uint64_t v[6];
	struct stat st;
	for (int i = 0; i < 6; i++)
		v[i] = strtoull(at, &at, 10);
	*uses = v[1];
	snprintf(file, 600, "%s", at + (*at == ' '));
	*why = "the program runs already: a callback must be there when it is started";
	if (awake)
		return 0;
	*why = "it is not there, or can't be read";
	if (sys2(SYS_stat, file, &st))
		return 0;
	*why = "it was changed since seam read it";
	if (st.st_dev != v[2] || st.st_ino != v[3] || (uint64_t)st.st_size != v[4] || st.st_mtim.tv_sec * 1000000000ull + st.st_mtim.tv_nsec != v[5])
		return 0;
	/* local: its symbols are nobody else's; for good: a thread may be in it at any time */
	void *h = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!h) {
		if (!(*why = dlerror()))
			*why = "no reason was given";
		return 0;
	}
	const struct seam_callback *table = dlsym(h, "seam_callbacks");
	void *sym = 0;
	Dl_info info;
	*why = "its table is not the one that seam read";
	if (!table || !dladdr1(table, &info, &sym, RTLD_DL_SYMENT) || !sym ||
	    v[0] >= ((const ElfW(Sym) *)sym)->st_size / sizeof *table || table[v[0]].abi != SEAM_CALLBACK_ABI || !table[v[0]].call)
		return 0;
	return &table[v[0]];
}

void seam_native_load(struct seam_load *l)
{
	uint32_t any = 0;
	for (uint32_t i = 0; i < l->spec.nrules; i++)
		any |= l->spec.natives[i] != 0;
	if (!any)
		return;
	struct seam_natives *b = mmap(0, sizeof *b, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b == MAP_FAILED)
		return; /* nothing else will work either */
	seam_native_modes();
	b->n = l->spec.nrules;
	for (uint32_t i = 0; i < b->n; i++) {
		const char *text = l->spec.rules[i], *end = strstr(text, " from /"), *why = 0;
		if (!l->spec.natives[i])
			continue;
		text += strcspn(text, " "); /* the kind */
		snprintf(b->text[i].function, sizeof b->text[i].function, "%.*s", (int)(end ? end - text : 0), text);
		unsigned uses;
		const struct seam_callback *c = entry(l->spec.natives[i], l->awake, b->text[i].file, &uses, &why);
		if (c) {
			/* hooks.Registers */
			b->of[i].around = uses == 1 ? 0 : uses == 2 ? seam_native_few_xmm : uses == 3 ? seam_native_any_xmm : seam_native_vectors;
			b->of[i].context = c->context;
			b->of[i].call = c->call;
		} else
			snprintf(b->text[i].why, sizeof b->text[i].why, "%s", why);
	}
	seam->natives = b;
	if (seam->arena)
		seam_native_tell();
}

/* What callbacks are told of a function. */
int seam_native_describe(struct seam_run *r, const char *name)
{
	uint32_t n = strlen(name) + 1;
	struct seam_described *d = (void *)seam_lasting(0, sizeof *d + n);
	if (!d || !seam->natives)
		return -1;
	memcpy(d + 1, name, n);
	*d = (struct seam_described){ .told = { .size = sizeof d->told, .id = r->id, .name = (char *)(d + 1), .args = r->nregs + r->nstack } };
	unsigned after = 0;
	for (uint32_t i = r->nrules; i--;)
		if (r->rules[i].what == SEAM_ACT_NATIVE) {
			struct seam_native *q = &seam->natives->of[r->rules[i].id];
			q->failures = &((struct seam_rule_state *)arena_at(seam->fixed.rules_off))[r->rules[i].id].skipped;
			if (!r->rules[i].flags) {
				d->pre = q;
				continue;
			}
			d->after = after++ ? 0 : q;
			d->after_id = r->rules[i].id;
			d->after_at = r->rules[i].flags & SEAM_RULE_POST ? SEAM_POST : SEAM_FAILING;
		}
	r->function = &d->told;
	return 0;
}
