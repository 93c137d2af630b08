/* pointers.c: functions whose code can't be patched, by the pointers to them.
 *
 * A pointer to a function comes from its entry in its object's symbol table, or is
 * there already, in a word that the loader has filled:
 *
 *   symbol table   .dynsym: the value becomes the thunk. All that is bound from then on
 *                  leads there: dlsym and dlvsym (RTLD_NEXT too: no frame of ours is in between),
 *                  lazy binding, the slots and tables of libraries that come later
 *   filled words   of all objects: slots of the GOT, and tables of functions in data.
 *                  Each word that has a relocation and holds the function's address becomes the thunk
 *   not relocated  the object's own tables: the relocation's addend becomes the thunk
 *                  (r_brk comes before relocation)
 *
 * An IFUNC's symbol becomes that of an ordinary function. Not reached: direct calls
 * inside the object, and addresses that code has computed before.
 */
#define _GNU_SOURCE
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include "frame.h"
#include "places.h"
#include "sys.h"

#define PAGE 4096ull
#define TRAMP 32u       /* movq THUNK_R11(%rsp), %r11; jmp *0(%rip); address */

struct tables {
	ElfW(Sym) *sym;
	uint32_t nsym;
	const uint32_t *gnu, *hash;
	ElfW(Rela) *rela, *plt;
	uint64_t nrela, nplt;
	const uint64_t *relr;
	uint64_t nrelr;
};

static uint64_t place(const struct seam_object *o, uint64_t p)
{
	return p < o->bias ? p + o->bias : p; /* glibc has relocated these in place; other loaders have not */
}

/* Symbols are not counted anywhere but, in effect, in the hash table. */
static uint32_t count_symbols(const struct tables *t)
{
	uint32_t last = 0;
	if (t->hash)
		return t->hash[1];
	if (!t->gnu)
		return 0;
	uint32_t nbuckets = t->gnu[0], offset = t->gnu[1];
	const uint32_t *buckets = t->gnu + 4 + 2 * t->gnu[2], *chain = buckets + nbuckets;
	for (uint32_t i = 0; i < nbuckets; i++)
		if (buckets[i] > last)
			last = buckets[i];
	if (last < offset)
		return offset;
	while (!(chain[last - offset] & 1))
		last++;
	return last + 1;
}

static int read_tables(const struct seam_object *o, struct tables *t)
{
	const ElfW(Phdr) *ph = o->phdr;
	memset(t, 0, sizeof *t);
	for (uint32_t i = 0; i < o->nphdr; i++) {
		if (ph[i].p_type != PT_DYNAMIC)
			continue;
		for (const ElfW(Dyn) *d = (void *)(o->bias + ph[i].p_vaddr); d->d_tag != DT_NULL; d++) {
			uint64_t v = d->d_un.d_val, p = place(o, v);
			switch (d->d_tag) {
			case DT_SYMTAB: t->sym = (void *)p; break;
			case DT_GNU_HASH: t->gnu = (void *)p; break;
			case DT_HASH: t->hash = (void *)p; break;
			case DT_RELA: t->rela = (void *)p; break;
			case DT_RELASZ: t->nrela = v / sizeof *t->rela; break;
			case DT_JMPREL: t->plt = (void *)p; break;
			case DT_PLTRELSZ: t->nplt = v / sizeof *t->plt; break;
			case 36 /* DT_RELR */: t->relr = (void *)p; break;
			case 35 /* DT_RELRSZ */: t->nrelr = v / 8; break;
			}
		}
	}
	t->nsym = t->sym ? count_symbols(t) : 0;
	return t->sym != 0;
}

/* The words that relocations fill with addresses. rela is NULL for those in short form. */
typedef void visit(void *arg, uint64_t *word, ElfW(Rela) *rela);
static void each_word(const struct seam_object *o, const struct tables *t, visit *fn, void *arg)
{
	for (int k = 0; k < 2; k++) {
		ElfW(Rela) *r = k ? t->plt : t->rela, *end = r + (k ? t->nplt : t->nrela);
		for (; r && r < end; r++)
			switch (ELF64_R_TYPE(r->r_info)) {
			case R_X86_64_64:
			case R_X86_64_GLOB_DAT:
			case R_X86_64_JUMP_SLOT:
			case R_X86_64_RELATIVE:
			case R_X86_64_IRELATIVE:
				fn(arg, (uint64_t *)(o->bias + r->r_offset), r);
			}
	}
	uint64_t at = 0;
	for (uint64_t i = 0; i < t->nrelr; i++) {
		uint64_t e = t->relr[i];
		if (!(e & 1)) {
			fn(arg, (uint64_t *)(o->bias + e), 0);
			at = e + 8;
			continue;
		}
		for (uint64_t bits = e >> 1, k = at; bits; bits >>= 1, k += 8)
			if (bits & 1)
				fn(arg, (uint64_t *)(o->bias + k), 0);
		at += 63 * 8;
	}
}

/* 1: the loader has relocated o. At r_brk it has not. */
static int relocated(const struct seam_object *o, const struct tables *t)
{
	if (!o->bias)
		return 1; /* the program, which is there before all others */
	for (uint64_t i = 0; i < t->nrela; i++)
		if (ELF64_R_TYPE(t->rela[i].r_info) == R_X86_64_RELATIVE)
			return *(uint64_t *)(o->bias + t->rela[i].r_offset) == o->bias + t->rela[i].r_addend;
	if (t->nrelr)
		return *(uint64_t *)(o->bias + t->relr[0]) >= o->bias;
	/* a slot holds an address in the file until then */
	uint64_t size = 0;
	for (uint32_t i = 0; i < o->nruns; i++)
		size = o->runs[i].hi - o->bias;
	for (int k = 0; k < 2; k++) {
		const ElfW(Rela) *r = k ? t->plt : t->rela, *end = r + (k ? t->nplt : t->nrela);
		for (; r && r < end; r++)
			if (ELF64_R_TYPE(r->r_info) == R_X86_64_JUMP_SLOT)
				return *(uint64_t *)(o->bias + r->r_offset) > size;
	}
	return 1;
}

/* What may be done with the page at addr, when all is as the loader leaves it. */
static int protection(const struct seam_object *o, uint64_t addr, int done)
{
	const ElfW(Phdr) *p = o->phdr;
	int prot = 0;
	for (uint32_t i = 0; i < o->nphdr; i++) {
		uint64_t at = addr - o->bias, lo = p[i].p_vaddr & ~(PAGE - 1), hi = p[i].p_vaddr + p[i].p_memsz;
		if (p[i].p_type == PT_LOAD && at >= lo && at < ((hi + PAGE - 1) & ~(PAGE - 1)))
			prot = (p[i].p_flags & PF_R ? PROT_READ : 0) | (p[i].p_flags & PF_W ? PROT_WRITE : 0) | (p[i].p_flags & PF_X ? PROT_EXEC : 0);
		if (p[i].p_type == PT_GNU_RELRO && done && at >= lo && at < (hi & ~(PAGE - 1)))
			return PROT_READ;
	}
	return prot;
}

/* Writing words, with as few changes of protection as can be. */
struct pen {
	const struct seam_object *o;
	uint64_t page;          /* that is open; 0: none */
	int prot, done;         /* what it goes back to; o is relocated */
};
static void put_down(struct pen *w)
{
	if (w->page && !(w->prot & PROT_WRITE))
		sys3(SYS_mprotect, w->page, PAGE, w->prot);
	w->page = 0;
}
static int take_up(struct pen *w, const void *at)
{
	uint64_t page = (uint64_t)at & ~(PAGE - 1);
	if (w->page == page)
		return 1;
	put_down(w);
	w->prot = protection(w->o, page, w->done);
	if (!w->prot || (!(w->prot & PROT_WRITE) && sys3(SYS_mprotect, page, PAGE, w->prot | PROT_WRITE)))
		return 0;
	w->page = page;
	return 1;
}
static void write_word(struct pen *w, uint64_t *at, uint64_t v)
{
	if (!((uint64_t)at & 7) && take_up(w, at))
		__atomic_store_n(at, v, __ATOMIC_RELEASE);
}

/* What the pointers of one object's sites become. */
struct change { uint64_t symbol, target, thunk; }; /* address of the symbol; of the code: not the same for an IFUNC */
struct changes {
	const struct seam_object *owner;
	struct change *c;
	uint32_t n;
	uint64_t filter[64];    /* a bit for each target, by its middle bits */
	struct pen pen;
};

static uint64_t thunk_for(const struct changes *ch, uint64_t target)
{
	uint64_t bit = target >> 2;
	if (!(ch->filter[bit >> 6 & 63] >> (bit & 63) & 1))
		return 0;
	for (uint32_t i = 0; i < ch->n; i++)
		if (ch->c[i].target == target)
			return ch->c[i].thunk;
	return 0;
}

static void filled(void *arg, uint64_t *word, ElfW(Rela) *rela)
{
	struct changes *ch = arg;
	uint64_t thunk = thunk_for(ch, *word);
	if (thunk)
		write_word(&ch->pen, word, thunk);
}

static void unfilled(void *arg, uint64_t *word, ElfW(Rela) *rela)
{
	struct changes *ch = arg;
	uint64_t bias = ch->owner->bias, thunk;
	if (rela && ELF64_R_TYPE(rela->r_info) != R_X86_64_RELATIVE)
		return; /* by its symbol, or by asking an IFUNC */
	thunk = thunk_for(ch, bias + (rela ? (uint64_t)rela->r_addend : *word));
	if (thunk)
		write_word(&ch->pen, rela ? (uint64_t *)&rela->r_addend : word, thunk - bias);
}

static void change_symbols(struct changes *ch, const struct tables *t)
{
	uint64_t bias = ch->owner->bias;
	for (uint32_t i = 1; i < t->nsym; i++) {
		ElfW(Sym) *s = &t->sym[i];
		unsigned type = ELF64_ST_TYPE(s->st_info);
		if (s->st_shndx == SHN_UNDEF || s->st_shndx == SHN_ABS || (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE))
			continue;
		for (uint32_t k = 0; k < ch->n; k++)
			if (ch->c[k].symbol == bias + s->st_value && take_up(&ch->pen, &s->st_value) && take_up(&ch->pen, &s->st_info)) {
				/* who looks it up meanwhile gets one or the other, or, of an IFUNC, asks its picker */
				if (type == STT_GNU_IFUNC)
					__atomic_store_n(&s->st_info, ELF64_ST_INFO(ELF64_ST_BIND(s->st_info), STT_FUNC), __ATOMIC_RELEASE);
				if (take_up(&ch->pen, &s->st_value))
					__atomic_store_n(&s->st_value, ch->c[k].thunk - bias, __ATOMIC_RELEASE);
				break;
			}
	}
}

/* What an IFUNC picks, 0 when it can't be asked: its own object must be relocated. */
static uint64_t ask(const struct seam_object *o, const struct seam_site *s)
{
	struct tables t;
	if (!read_tables(o, &t) || !relocated(o, &t))
		return 0;
	return ((uint64_t (*)(void))(s->picker + o->bias))();
}

int seam_picked(const struct seam_object *o, const struct seam_site *all, const struct seam_site *s)
{
	uint64_t target = s->vaddr + o->bias;
	if (s->picker && ask(o, s) != target)
		return 0;
	for (const struct seam_site *e = all; e < s; e++)
		if (e->reserved[1] && e->patch_len && e->vaddr == s->vaddr)
			return 0; /* it is what another one picks, too: patched once */
	return 1;
}

/* The site at s, which all pointers to `target` are to lead to. 0: it can't be. */
static uint64_t prepare(struct seam_object *o, struct seam_plan *plan, struct seam_site *s, uint64_t target, unsigned char *at)
{
	const char *name = (const char *)plan + s->name_off;
	int again = o->done && s->reserved[1];
	uint32_t slot = again ? s->reserved[1] - 1 : seam->nruns;
	if (!again && seam->nruns >= SEAM_MAX_SLOTS) {
		seam_refuse(o->path, name, SITE_TABLE_FULL);
		return 0;
	}
	uint64_t sig = seam_signature(plan, s);
	static const unsigned char code[] = { 0x4c, 0x8b, 0x5c, 0x24, 0x100 + THUNK_R11, 0xff, 0x25, 0, 0, 0, 0 };
	memcpy(at, code, sizeof code);
	memcpy(at + sizeof code, &target, 8);
	if (again) {
		seam->runs[slot].orig = (uint64_t)at;
		seam->runs[slot].lib_base = o->bias;
	} else if (memset(&seam->runs[slot], 0, sizeof *seam->runs), seam_fill_run(&seam->runs[slot], plan, s, o->bias, (uint64_t)at, sig)) {
		seam_refuse(o->path, name, SITE_TABLE_FULL);
		return 0;
	}
	seam->runs[slot].elsewhere = o->elsewhere;
	seam->runs[slot].pointer = 1;
	seam->places->slot[slot].sig = sig;
	s->reserved[1] = slot + 1;
	s->reserved[0] = (uint64_t)seam_thunk(seam_sees_end(s) ? SEAM_SITE_FULL : s->kind, slot);
	return s->reserved[0];
}

/* Which code is behind each site, and where its calls are to go. */
static void decide(struct seam_object *o, struct changes *ch, unsigned char *mem)
{
	struct seam_plan *plan = (struct seam_plan *)o->plan;
	struct seam_site *all = (void *)((char *)plan + plan->sites_off);
	for (uint32_t i = 0; i < plan->nsites; i++) {
		struct seam_site *s = &all[i];
		if (s->patch_len)
			continue;
		s->reserved[0] = 0;
		if (!o->done)
			s->reserved[1] = 0;
		struct change c = { s->vaddr + o->bias, s->picker ? ask(o, s) : s->vaddr + o->bias, 0 };
		if (!c.target) {
			seam_refuse(o->path, (const char *)plan + s->name_off, IFUNC);
			continue;
		}
		int patched = 0;
		for (uint32_t k = 0; k < i && !patched; k++)
			patched = all[k].reserved[1] && all[k].patch_len && all[k].vaddr + o->bias == c.target;
		if (patched)
			continue; /* its code is */
		for (uint32_t k = 0; k < ch->n && !c.thunk; k++)
			if (ch->c[k].target == c.target)
				c.thunk = ch->c[k].thunk; /* two names of one function */
		if (!c.thunk)
			c.thunk = prepare(o, plan, s, c.target, mem + TRAMP * ch->n);
		if (!c.thunk)
			continue;
		ch->c[ch->n++] = c;
		ch->filter[c.target >> 8 & 63] |= 1ull << (c.target >> 2 & 63);
	}
}

void seam_point(struct seam_load *l, struct seam_object *o)
{
	const struct seam_plan *plan = o->plan;
	const struct seam_site *all = (const void *)((const char *)plan + plan->sites_off);
	uint64_t n = 0;
	for (uint32_t i = 0; i < plan->nsites; i++)
		n += !all[i].patch_len;
	if (!n)
		return;
	uint64_t code = (n * TRAMP + PAGE - 1) & ~(PAGE - 1), notes = (sizeof(struct changes) + n * sizeof(struct change) + PAGE - 1) & ~(PAGE - 1);
	struct changes *ch = mmap(0, notes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *mem = o->done ? o->done->pointers : 0;
	if (mem)
		sys3(SYS_mprotect, mem, code, PROT_READ | PROT_WRITE);
	else
		mem = mmap(0, code, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ch == MAP_FAILED || mem == MAP_FAILED) {
		seam_refuse(o->path, "*", NO_MEMORY_NEAR);
		return;
	}
	ch->owner = o;
	ch->c = (struct change *)(ch + 1);
	decide(o, ch, mem);
	if (o->now)
		o->now->pointers = mem;
	if (sys3(SYS_mprotect, mem, code, PROT_READ | PROT_EXEC)) {
		seam_refuse(o->path, "*", PATCH_FORBIDDEN);
		ch->n = 0;
	}
	struct tables t;
	if (ch->n && read_tables(o, &t)) {
		ch->pen = (struct pen){ .o = o, .done = relocated(o, &t) };
		change_symbols(ch, &t);
		put_down(&ch->pen);
	}
	for (uint32_t i = 0; i < l->nobj && ch->n; i++) {
		struct seam_object *x = &l->obj[i];
		if (x->bias == seam->base || !read_tables(x, &t))
			continue; /* what this library calls is not the program's */
		int done = relocated(x, &t);
		ch->pen = (struct pen){ .o = x, .done = done };
		if (done || x == o)
			each_word(x, &t, done ? filled : unfilled, ch);
		put_down(&ch->pen);
	}
	munmap(ch, notes);
}

static int wanted(struct seam_load *l, uint64_t sig, uint32_t slot)
{
	for (uint32_t i = 0; i < l->nobj; i++) {
		struct seam_plan *plan = (struct seam_plan *)l->obj[i].plan;
		struct seam_site *s = plan ? (void *)((char *)plan + plan->sites_off) : 0;
		for (uint32_t j = 0; plan && j < plan->nsites; j++)
			if (!s[j].patch_len && seam_signature(plan, &s[j]) == sig) {
				s[j].reserved[1] = slot + 1;
				return 1;
			}
	}
	return 0;
}

/* In a process that runs nobody knows who has such a pointer: what is there stays,
 * and speaks or is silent; what is not is refused. */
void seam_point_live(struct seam_load *l)
{
	for (uint32_t k = 0; k < seam->nruns; k++) {
		struct seam_run *r = &seam->runs[k];
		struct seam_slot *s = &seam->places->slot[k];
		if (!r->pointer)
			continue;
		int want = wanted(l, s->sig, k), silent = r->kind == SEAM_SITE_SILENT;
		if (want && silent) {
			r->kind = s->kind;
			__atomic_store_n(&r->special, s->special, __ATOMIC_SEQ_CST);
		} else if (!want && !silent) {
			s->kind = r->kind;
			s->special = r->special;
			r->kind = SEAM_SITE_SILENT;
			__atomic_store_n(&r->special, r->special | SEAM_SP_WATCH, __ATOMIC_SEQ_CST); /* to C, which looks at the kind */
		}
	}
	for (uint32_t i = 0; i < l->nobj; i++) {
		struct seam_plan *plan = (struct seam_plan *)l->obj[i].plan;
		struct seam_site *s = plan ? (void *)((char *)plan + plan->sites_off) : 0;
		for (uint32_t j = 0; plan && j < plan->nsites; j++) {
			if (s[j].patch_len || s[j].reserved[1])
				continue;
			int patched = 0; /* an IFUNC: what it picks is */
			for (uint32_t k = 0; k < plan->nsites && !patched && s[j].picker; k++)
				patched = s[k].picker == s[j].picker && s[k].patch_len && s[k].reserved[1];
			s[j].reserved[0] = patched ? 0 : NOT_LIVE;
		}
	}
}
