/* load.c: the constructor. In order:
 *
 *   1. nothing to do (no SEAM_SPEC, AT_SECURE, a spec we cannot read): return
 *   2. which loaded objects does the spec name? none: return
 *   3. their plans, from the cache; what is missing is planned by the agent, here
 *      and now, with a deadline
 *   4. no site in any plan: return
 *   5. arena, patches, hello
 *
 * It must leave no trace in a process it does not patch: no thread, no
 * descriptor, no signal setting, no changed errno.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "frame.h"
#include "places.h"
#include "sys.h"

SEAM_DATA struct seam_core *seam;
SEAM_DATA struct seam_run *seam_runs;
SEAM_DATA volatile uint32_t *seam_alive, *seam_epoch;
SEAM_DATA int64_t seam_errno_off;
SEAM_DATA uint32_t seam_use_tsc;
__thread struct seam_tls seam_tls;

#define LIBC_TID 0x2d0 /* glibc, x86-64: struct pthread.tid, from the thread pointer; checked */
#define PLAN_DEADLINE_NS 1000000000ll
#define AGENT_PLANS_NS 200000000ll
#define EVENT_NS 4000000000ll /* a loader event waits for a change of the spec */

static uint64_t fnv(uint64_t h, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const unsigned char *)p)[i]) * 0x100000001b3ull;
	return h;
}

/* Segments that touch become one; between others may be nothing. */
static void add_run(struct seam_object *o, uint64_t lo, uint64_t hi)
{
	if (o->nruns && o->runs[o->nruns - 1].hi >= lo)
		o->runs[o->nruns - 1].hi = hi;
	else if (o->nruns < sizeof o->runs / sizeof *o->runs) {
		o->runs[o->nruns].lo = lo;
		o->runs[o->nruns++].hi = hi;
	}
}

static int collect(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct seam_load *l = arg;
	if (l->nobj == MAX_OBJECTS)
		return l->cut = 1;
	struct seam_object *o = &l->obj[l->nobj];
	*o = (struct seam_object){ .bias = info->dlpi_addr, .text_lo = ~0ull };
	const char *name = info->dlpi_name[0] ? info->dlpi_name : l->nobj ? "" : l->exe;
	size_t n = strlen(name) + 1;
	if (n > sizeof l->names - l->names_used)
		return l->cut = 1;
	o->path = memcpy(l->names + l->names_used, name, n); /* the loader frees its own at dlclose */
	l->names_used += n;
	o->phdr = info->dlpi_phdr;
	o->nphdr = info->dlpi_phnum;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uint64_t lo = o->bias + p->p_vaddr, hi = lo + p->p_memsz;
		if (p->p_type == PT_LOAD && (p->p_flags & PF_R))
			add_run(o, lo & ~4095ull, (hi + 4095) & ~4095ull);
		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
			continue;
		if (lo < o->text_lo)
			o->text_lo = lo;
		if (hi > o->text_hi)
			o->text_hi = hi;
		o->text_prot |= PROT_READ | PROT_EXEC | (p->p_flags & PF_W ? PROT_WRITE : 0);
	}
	o->elsewhere = l->elsewhere;
	for (uint32_t i = 0; i < l->nobj && o->elsewhere; i++)
		if (l->obj[i].text_lo == o->text_lo)
			return 0; /* the loader itself is in each namespace, and is one */
	for (uint32_t i = 0; i < l->spec.nhas && !o->defines; i++)
		o->defines = seam_exported(info, l->spec.has[i]) != 0;
	l->nobj++;
	return 0;
}

/* The spec asks for it: by its name, or by what it defines. */
static int wanted(struct seam_load *l, struct seam_object *o)
{
	if (seam_spec_wants(&l->spec, o->path))
		return 1;
	/* the system's own libraries have no .symtab: not even opened; the kernel's object is no file, and this library is known */
	if (o->path[0] != '/' || !strncmp(o->path, "/lib", 4) || !strncmp(o->path, "/usr/lib/", 9) ||
	    ((uint64_t)wanted >= o->text_lo && (uint64_t)wanted < o->text_hi))
		return o->defines;
	for (uint32_t i = 0; i < l->spec.nhas && !o->defines; i++)
		o->defines = seam_file_names(o->path, l->spec.has[i]);
	return o->defines;
}

/* List what is loaded; mark what was not there at the last look. An object is
 * known by where it lies: what is loaded where another was unloaded between two
 * looks was seen leaving, because unloading is an event too. */
static void look(struct seam_load *l)
{
	uint32_t n = 0;
	l->nobj = l->nmissing = l->names_used = l->elsewhere = l->cut = 0;
	if (l->awake)
		seam_each_object(collect, l);
	else
		dl_iterate_phdr(collect, l);
	l->elsewhere = 1;
	seam_elsewhere(l->debug, collect, l);
	for (uint32_t i = 0; i < l->nobj; i++) {
		struct seam_object *o = &l->obj[i];
		o->is_new = 1;
		for (uint32_t k = 0; k < l->nold && o->is_new; k++)
			o->is_new = l->old[k] != o->text_lo;
	}
	if (seam && seam->places)
		seam_places_left(l);
	for (uint32_t i = 0; i < l->nobj; i++)
		if (l->obj[i].text_hi)
			l->old[n++] = l->obj[i].text_lo;
	l->nold = n;
	seam_done_left(l);
}

/* The address ranges of what is loaded, for read.c. Its readers are kept out
 * (begin_copy) while this changes, or there are none yet. */
static void note_images(struct seam_load *l)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < l->nobj; i++)
		for (uint32_t k = 0; k < l->obj[i].nruns && n < sizeof seam->images / sizeof *seam->images; k++) {
			uint32_t at = n++;
			for (; at && seam->images[at - 1].lo > l->obj[i].runs[k].lo; at--)
				seam->images[at] = seam->images[at - 1];
			seam->images[at].lo = l->obj[i].runs[k].lo;
			seam->images[at].hi = l->obj[i].runs[k].hi;
		}
	seam->nimages = n;
}

static void add_unsafe(uint64_t lo, uint64_t hi)
{
	if (seam->nunsafe < sizeof seam->unsafe / sizeof *seam->unsafe) {
		seam->unsafe[seam->nunsafe].lo = lo;
		seam->unsafe[seam->nunsafe++].hi = hi;
	}
}

/* Code from which a call into seam is no place to create a thread: chunk.c, seam_safe_place. */
static void find_unsafe(struct seam_load *l)
{
	uint64_t alloc = seam_waking.malloc;
	for (uint32_t i = 0; i < l->nobj; i++) {
		struct seam_object *o = &l->obj[i];
		const char *base = strrchr(o->path, '/');
		base = base ? base + 1 : o->path;
		if (!strncmp(base, "libc.so", 7) || !strncmp(base, "ld-linux", 8) || !strncmp(base, "libpthread", 10) ||
		    (alloc >= o->text_lo && alloc < o->text_hi))
			add_unsafe(o->text_lo, o->text_hi);
	}
}

static int within(uint64_t off, uint64_t n, uint64_t each, uint64_t size)
{
	return off <= size && n <= (size - off) / each;
}

static int filters_sane(const void *mem, uint32_t off, uint32_t n, uint64_t size)
{
	const struct seam_filter *q = (const void *)((const char *)mem + off);
	if (!within(off, n, sizeof *q, size))
		return 0;
	for (; n; n--, q++)
		if (q->arg >= SEAM_MAX_WORDS || q->len > sizeof q->str ||
		    (q->what == SEAM_FILT_INT && q->width != 1 && q->width != 2 && q->width != 4 && q->width != 8) ||
		    (q->what == SEAM_FILT_ADDR && q->width >= SEAM_MAX_WORDS && q->width != 0xff))
			return 0;
	return 1;
}

/* A plan from a file: trusted only as far as it is whole and meant for this object. */
const struct seam_plan *seam_plan_check(void *mem, uint64_t size, uint64_t spec_hash, const struct seam_object *o)
{
	struct seam_plan *p = mem;
	if (size < sizeof *p || memcmp(p->magic, SEAM_PLAN_MAGIC, 8) || p->version != SEAM_PLAN_VERSION || p->size != size ||
	    p->spec_hash != spec_hash || p->dev != o->dev || p->ino != o->ino || p->fsize != o->size || p->mtime_ns != o->mtime_ns ||
	    p->check != seam_hash(FNV_START, (char *)mem + 24, size - 24) ||
	    !within(p->sites_off, p->nsites, sizeof(struct seam_site), size) || !within(p->refusals_off, p->refusals_len, 1, size))
		return 0;
	struct seam_site *s = (void *)((char *)mem + p->sites_off);
	for (uint32_t i = 0; i < p->nsites; i++, s++)
		if (s->vaddr + o->bias < o->text_lo || s->vaddr + o->bias + s->patch_len > o->text_hi || (s->patch_len && s->patch_len < 5) ||
		    s->patch_len > SEAM_MAX_PATCH || s->kind < SEAM_SITE_FULL || s->kind > SEAM_SITE_WATCH || s->nregs > 6 ||
		    s->nregs + s->nstack > SEAM_MAX_WORDS || s->ncopy < s->nstack ||
		    !within(s->tramp_off, s->tramp_len, 1, size) || !within(s->fix_off, s->nfix, sizeof(struct seam_fix), size) ||
		    !within(s->ops_off, s->nops, sizeof(struct seam_op), size) ||
		    !within(s->filt_off, s->nfilt, sizeof(struct seam_filter), size) || !within(s->def_off, s->def_len, 1, size) ||
		    s->nrules > SEAM_MAX_RULES || !within(s->rules_off, s->nrules, sizeof(struct seam_rule), size) ||
		    s->name_off >= size || !memchr((char *)mem + s->name_off, 0, size - s->name_off))
			return 0;
		else {
			struct seam_fix *f = (void *)((char *)mem + s->fix_off);
			for (uint32_t j = 0; j < s->nfix; j++)
				if (f[j].at + (f[j].kind == SEAM_FIX_REL32 ? 4u : 8u) > s->tramp_len)
					return 0;
			struct seam_op *op = (void *)((char *)mem + s->ops_off);
			for (uint32_t j = 0; j < s->nops; j++)
				if (op[j].arg >= SEAM_MAX_WORDS || (op[j].len >= SEAM_MAX_WORDS && op[j].len != 0xff))
					return 0;
			struct seam_rule *u = (void *)((char *)mem + s->rules_off);
			if (!filters_sane(mem, s->filt_off, s->nfilt, size))
				return 0;
			for (uint32_t j = 0; j < s->nrules; j++)
				if (u[j].id >= SEAM_MAX_RULES || u[j].nerr > SEAM_RULE_ERRS || u[j].count_arg > 5 || !filters_sane(mem, u[j].filt_off, u[j].nfilt, size))
					return 0;
		}
	if (!within(p->deps_off, p->ndeps, sizeof(struct seam_dep), size))
		return 0;
	const struct seam_dep *d = (void *)((char *)mem + p->deps_off);
	for (uint32_t i = 0; i < p->ndeps; i++)
		if (d[i].path_off >= size || !memchr((char *)mem + d[i].path_off, 0, size - d[i].path_off))
			return 0;
	return p;
}

/* The other files that a plan was made from are what they were. */
static int fresh(const struct seam_plan *p)
{
	const struct seam_dep *d = (const void *)((const char *)p + p->deps_off);
	for (uint32_t i = 0; i < p->ndeps; i++) {
		struct stat st;
		if (sys2(SYS_stat, (const char *)p + d[i].path_off, &st) || !S_ISREG(st.st_mode))
			memset(&st, 0, sizeof st);
		if (st.st_dev != d[i].dev || st.st_ino != d[i].ino || (uint64_t)st.st_size != d[i].fsize ||
		    st.st_mtim.tv_sec * 1000000000ull + st.st_mtim.tv_nsec != d[i].mtime_ns)
			return 0;
	}
	return 1;
}

static void load_plan(struct seam_load *l, struct seam_object *o)
{
	char path[4096];
	if (snprintf(path, sizeof path, "%s/%s.plan", l->spec.plans, o->key) >= (int)sizeof path)
		return;
	int fd = sys3(SYS_open, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (fd < 0)
		return;
	struct stat st;
	if (!sys2(SYS_fstat, fd, &st) && st.st_uid == geteuid() && !(st.st_mode & 022) && st.st_size >= (off_t)sizeof(struct seam_plan) && st.st_size < 1 << 26) {
		/* copied, not mapped: a file that is cut while it is mapped kills its readers */
		char *mem = mmap(0, st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (mem != MAP_FAILED) {
			off_t n = 0;
			ssize_t got;
			while (n < st.st_size && (got = sys3(SYS_read, fd, mem + n, st.st_size - n)) > 0)
				n += got;
			o->plan = n == st.st_size ? seam_plan_check(mem, n, l->spec.hash, o) : 0;
			if (o->plan && !fresh(o->plan))
				o->plan = 0;
			if (!o->plan)
				munmap(mem, st.st_size);
		}
	}
	sys1(SYS_close, fd);
}

static int identify(struct seam_load *l, struct seam_object *o)
{
	struct stat st;
	if (sys2(SYS_stat, o->path, &st))
		return -1;
	uint64_t id[5] = { l->spec.hash, o->dev = st.st_dev, o->ino = st.st_ino, o->size = st.st_size,
		o->mtime_ns = st.st_mtim.tv_sec * 1000000000ull + st.st_mtim.tv_nsec };
	snprintf(o->key, sizeof o->key, "%016llx", (unsigned long long)fnv(FNV_START, id, sizeof id));
	return 0;
}

/* The core, then a page that is wiped in forked children, then how sites are run. */
#define CORE_SIZE ((sizeof *seam + 4095) & ~4095ul)
#define RUNS_SIZE ((sizeof(struct seam_run) * SEAM_MAX_SLOTS + 4095) & ~4095ul)

/* Before anything was patched. */
void seam_drop_core(void)
{
	if (seam)
		munmap(seam, CORE_SIZE + 4096 + RUNS_SIZE);
	seam = 0;
}

static int setup_core(const struct seam_load *l)
{
	size_t core = CORE_SIZE, runs = RUNS_SIZE;
	char *p = mmap(0, core + 4096 + runs, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -1;
	if (madvise(p + core, 4096, MADV_WIPEONFORK)) {
		munmap(p, core + 4096 + runs);
		return -1; /* before Linux 4.14: a fork would go unnoticed */
	}
	seam = (void *)p;
	seam->runs = seam_runs = (void *)(p + core + 4096);
	seam_alive = (void *)(p + core);
	seam->gen = 1;
	seam->shared_from = ~0u; /* the first sites can't be another process's too */
	*seam_alive = 1;
	seam->pid = sys0(SYS_getpid);
	seam->libc_pid = seam_waking.pid;
	seam_errno_off = (char *)&errno - (char *)__builtin_thread_pointer();
	seam->maps_gen = 1;
	sys4(SYS_rt_sigprocmask, 0, 0, &seam->load_mask, sizeof seam->load_mask);
	/* what a process that confines itself (confine.c) cannot ask the kernel any more */
	if (*(uint32_t *)((char *)__builtin_thread_pointer() + LIBC_TID) == (uint32_t)sys0(SYS_gettid))
		seam->tid_off = LIBC_TID;
	seam->brk_end = seam_waking.curbrk;
	struct seam_want vdso = { getauxval(AT_SYSINFO_EHDR), 0, "__vdso_clock_gettime" };
	if (vdso.bias)
		(l->awake ? seam_each_object : dl_iterate_phdr)(seam_find_symbol, &vdso);
	seam->vdso_clock = (long (*)(long, void *))vdso.found;
	return 0;
}

/* Load the plans of new objects that the spec wants. 1: there was one to load. */
static int fetch_plans(struct seam_load *l)
{
	int any = 0;
	for (uint32_t i = 0; i < l->nobj; i++) {
		struct seam_object *o = &l->obj[i];
		if (!o->is_new || !o->text_hi || !o->path[0] || !wanted(l, o))
			continue;
		if (identify(l, o)) {
			any |= o->unplanned = o->path[0] == '/'; /* else the kernel's own object */
			continue;
		}
		any = o->wanted = 1;
		if (!l->live)
			seam_done_find(l, o);
		if (!o->plan)
			load_plan(l, o);
		if (o->plan && l->live && !o->plan->live_off) {
			munmap((void *)o->plan, o->plan->size);
			o->plan = 0;
		}
		l->nmissing += !o->plan;
	}
	return any;
}

/* Sites that somebody asked for, or refusals to tell. */
static int worth_it(struct seam_load *l)
{
	for (uint32_t i = 0; i < l->nobj; i++) {
		const struct seam_plan *p = l->obj[i].plan;
		if (l->obj[i].unplanned)
			return 1;
		if (!p)
			continue;
		const struct seam_site *s = (const void *)((const char *)p + p->sites_off);
		if (p->refusals_len > 1)
			return 1;
		for (uint32_t j = 0; j < p->nsites; j++)
			if (s[j].kind != SEAM_SITE_GUARD && s[j].kind != SEAM_SITE_WATCH)
				return 1;
	}
	return 0;
}

static int open_arena(struct seam_load *l)
{
	if (seam_arena_create(l))
		return -1;
	seam->proc = seam_register_process(seam->pid, 0, 0xffffffff);
	return 0;
}

static void announce_arena(struct seam_load *l)
{
	__atomic_store_n(&seam->arena_ready, 1, __ATOMIC_RELEASE);
	futex_wake(&seam->arena_ready, 1);
	if (l->memfd >= 0) {
		if (seam_say_hello(l->memfd, l->spec.planner))
			seam->reader_adopts = seam->reader_drains = 0; /* then what is left at the end is the agent's to send: exit.c */
		sys1(SYS_close, l->memfd);
	}
}

static void put_in(struct seam_load *l)
{
	static const unsigned char unplanned[] = { 0x91, 0x93, 0xa1, '*', 31 /* see preload/plan/reasons.go */, 0xa0 };
	for (uint32_t i = 0; i < l->nobj; i++) {
		const struct seam_plan *p = l->obj[i].plan;
		if (l->obj[i].unplanned && l->obj[i].is_new)
			seam_add_refusals(l->obj[i].path, unplanned, sizeof unplanned);
		if (p && p->refusals_len > 1 && !l->obj[i].done)
			seam_add_refusals(l->obj[i].path, (const char *)p + p->refusals_off, p->refusals_len);
	}
	seam_apply(l);
}

/* The loader calls the function at r_debug.r_brk whenever its list has changed:
 * for debuggers, and for us. New objects are mapped then, none of their code has run
 * and nobody has a pointer into them (glibc 2.36 calls it before relocation). */
static int watch_loader(void)
{
	const struct r_debug *d = seam_waking.loader;
	seam->loader = d;
	return d && d->r_brk ? seam_apply_loader(d->r_brk) : -1;
}

/* Have the plans made that the cache lacks: by the agent if it runs, else by a
 * process of its own, else, in the constructor, by an agent that is started for it. */
static void plan_missing(struct seam_load *l, int may_start)
{
	if (!l->nmissing)
		return;
	if (seam->go_state == SEAM_GO_ON) {
		/* not for long: an agent that has just started may need a thread more, and
		 * to make one takes a lock that whoever loads a library holds */
		__atomic_store_n(&seam->load, l, __ATOMIC_SEQ_CST);
		seam_ask(AGENT_PLANS_NS);
		__atomic_store_n(&seam->load, 0, __ATOMIC_SEQ_CST);
		l->nmissing = 0;
		for (uint32_t i = 0; i < l->nobj; i++)
			l->nmissing += l->obj[i].wanted && !l->obj[i].plan;
	}
	if (l->nmissing && !seam_run_planner(l)) {
		l->nmissing = 0;
		for (uint32_t i = 0; i < l->nobj; i++)
			if (l->obj[i].wanted && !l->obj[i].plan) {
				load_plan(l, &l->obj[i]);
				l->nmissing += !l->obj[i].plan;
			}
	}
	if (!l->nmissing)
		return;
	__atomic_store_n(&seam->load, l, __ATOMIC_SEQ_CST);
	if (seam->go_state != SEAM_GO_ON && may_start && l->spec.start != SEAM_START_NEVER && seam_go_start() == 0)
		seam_go_wait(PLAN_DEADLINE_NS);
	__atomic_store_n(&seam->load, 0, __ATOMIC_SEQ_CST);
	for (uint32_t i = 0; i < l->nobj; i++)
		l->obj[i].unplanned |= l->obj[i].wanted && !l->obj[i].plan && l->obj[i].is_new;
}

/* Nothing of this process will be seen, and why: SEAM_WAKE_*. */
static void tell_absent(const char *socket, int32_t why)
{
	if (why == SEAM_WAKE_SPEC)
		seam_tell_absent(socket, "the file that says what to watch could not be read", "see that the program may read what SEAM_SPEC names");
	else if (why == SEAM_WAKE_MEMORY || why == SEAM_WAKE_ARENA)
		seam_tell_absent(socket, "there was no memory for what seam records", "raise the limits of address space and locked memory, or use a smaller --buffer");
}

/* How LD_PRELOAD names this library: not by the path it was found at, which has
 * what the loader put in for $PLATFORM. */
static int preloaded_as(char *to, size_t room)
{
	static const char name[] = "/libseam.so";
	const char *v = getenv("LD_PRELOAD");
	while (v && *v) {
		size_t n = strcspn(v, ": ");
		if (n >= sizeof name - 1 && n < room && !memcmp(v + n - (sizeof name - 1), name, sizeof name - 1)) {
			memcpy(to, v, n);
			to[n] = 0;
			return 1;
		}
		v += n;
		v += strspn(v, ": ");
	}
	return 0;
}

/* Watch what spec asks for. The others are the values of the variables with which this
 * process was started, or woken; reader may be NULL, and so may library: no
 * other program is followed then. The result is for seam attach. */
int32_t seam_load(struct seam_load *l, const char *spec, const char *socket, const char *reader, const char *library)
{
	long n = sys3(SYS_readlink, "/proc/self/exe", l->exe, sizeof l->exe - 1);
	l->exe[n > 0 ? n : 0] = 0;
	const char *executed = (const char *)getauxval(AT_EXECFN);
	if (n < 0 && executed && executed[0] == '/') /* no /proc: what execve was given, if that can be told from it */
		strncpy(l->exe, executed, sizeof l->exe - 1);
	/* a reader that has the say changes what a link leads to: from here on it is this file */
	char *file = l->spec_path; /* all zeros so far */
	n = sys3(SYS_readlink, spec, file, sizeof l->spec_path - 1);
	file[n > 0 ? n : 0] = 0;
	if (file[0] != '/') {
		if (strlen(spec) >= sizeof l->spec_path)
			return SEAM_WAKE_SPEC;
		strcpy(file, spec);
	}
	if (seam_spec_read(&l->spec, file, 0))
		return SEAM_WAKE_SPEC;
	l->debug = seam_waking.debug;
	look(l);
	int latent, any = fetch_plans(l);
	latent = seam_spec_latent(&l->spec);
	if (!any && !latent)
		return SEAM_WAKE_NOTHING;
	if (setup_core(l))
		return SEAM_WAKE_MEMORY;
	strcpy(seam->spec_path, file);
	if (socket && strlen(socket) < sizeof seam->socket)
		strcpy(seam->socket, socket);
	seam->start = l->spec.start;
	seam->spec_hash = l->spec.hash;
	seam->reader_drains = reader && !strcmp(reader, "drains");
	seam->reader_adopts = seam->reader_drains || (reader && !strcmp(reader, "seam"));
	if (library)
		seam_follow_init(l->spec.follow, library, spec, socket, reader, l->awake ? 0 : getenv("SEAM_FILTERS"));
	seam_clock_init();
	seam_go_init(l->awake ? seam_each_object : dl_iterate_phdr);
	find_unsafe(l);
	note_images(l);
	seam->heap_lo = sys1(SYS_brk, 0); /* where it grows from; what was there before us is asked for each time */
	seam->stack_end = (uint64_t)seam_waking.argv;
	if (!l->awake)
		plan_missing(l, 1);
	int now = worth_it(l);
	if (!now && l->spec.control && !l->awake) { /* it may be told to watch something: somebody must be there to hear it */
		now = 1;
		if (seam->start != SEAM_START_NEVER)
			seam->start = SEAM_START_NOW;
	}
	if (!now && !latent)
		return SEAM_WAKE_NOTHING;
	if (!l->awake) /* else it was done while that was possible */
		seam_watch_forks();
	if (now && open_arena(l))
		return SEAM_WAKE_ARENA;
	seam_native_load(l);
	put_in(l);
	/* whatever is patched may come once more: dlmopen makes even a second libc */
	if (!watch_loader())
		seam->late = l;
	if (now)
		announce_arena(l);
	/* Who only records needs no agent yet, and does not wait. A callback that has
	 * none is skipped, and so is an order. */
	if (now && !l->awake && seam->start == SEAM_START_NOW && seam->go_state == SEAM_GO_OFF && seam_go_start() == 0 &&
	    (l->spec.nrules || l->spec.control))
		seam_go_wait(PLAN_DEADLINE_NS);
	l->awake = 0; /* from here on it is asked by threads that load a library */
	return SEAM_WAKE_DONE;
}

/* New objects are there: patch what is wanted in them. */
static void loaded(void *late)
{
	struct seam_load *l = late;
	look(l);
	note_images(l);
	seam_maps_loader(1);
	if (!fetch_plans(l))
		return;
	plan_missing(l, 0);
	int first = !seam->arena && worth_it(l);
	if (first && open_arena(l))
		tell_absent(seam->socket, SEAM_WAKE_ARENA);
	if (!seam->arena)
		return;
	put_in(l);
	if (first) {
		seam_native_tell();
		announce_arena(l);
	}
}

/* New objects that the spec names, in a process that has confined itself. */
static void refuse_new(struct seam_load *l)
{
	static const unsigned char blob[] = { 0x91, 0x93, 0xa1, '*', 26 /* confined, see preload/plan/reasons.go */, 0xa0 };
	for (uint32_t i = 0; i < l->nobj && seam->arena; i++)
		if (l->obj[i].is_new && l->obj[i].text_hi && l->obj[i].path[0] && seam_spec_wants(&l->spec, l->obj[i].path))
			seam_add_refusals(l->obj[i].path, blob, sizeof blob);
}

/* Called at r_brk, on the thread that loads, which holds the loader's lock: so one
 * at a time in a process, and not in a signal handler. */
void seam_loader_event(void)
{
	struct seam_load *l = seam->late;
	int saved = errno;
	const struct r_debug *d = seam->loader;
	int at_rest = seam_loader_at_rest(d);
	if (!at_rest || !l || seam_tls.guard == SEAM_GUARD_AGENT) {
		if (!l)
			seam->nimages = 0; /* the list is not kept: nothing in it can be relied upon */
		seam_maps_loader(at_rest);
		if (!at_rest && seam->patching && seam_tls.guard != SEAM_GUARD_AGENT && begin_calls()) {
			seam_patching_wait();
			end_calls();
		}
		return;
	}
	uint64_t guard = guard_core();
	if (!begin_calls()) { /* what is loaded now is not patched: that takes system calls */
		look(l);
		note_images(l);
		refuse_new(l);
		seam_maps_loader(1);
		seam_tls.guard = guard;
		errno = saved;
		return;
	}
	if (!seam->arena) { /* nothing is registered yet that a fork could have made stale, but this */
		seam->pid = sys0(SYS_getpid);
		if (!*seam_alive)
			*seam_alive = ++seam->gen;
	}
	if (*seam_alive == seam->gen || seam_enter_process()) {
		if (!seam_patching_begin(EVENT_NS, 1)) {
			seam_aside(loaded, seam->late);
			seam_patching_end();
		} else
			__atomic_add_fetch(&seam->missed, 1, __ATOMIC_SEQ_CST); /* who changes the spec just now looks again */
	}
	seam_maps_loader(1);
	end_calls();
	seam_tls.guard = guard;
	errno = saved;
}

static void watch(int argc, char **argv, const char *spec)
{
	char lib[4096];
	const char *socket = getenv("SEAM_SOCKET");
	struct seam_load *l = mmap(0, sizeof *l, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (l == MAP_FAILED) {
		tell_absent(socket, SEAM_WAKE_MEMORY);
		return;
	}
	l->argc = argc;
	l->argv = argv;
	seam_ask_loader(argc, argv);
	tell_absent(socket, seam_load(l, spec, socket, getenv("SEAM_READER"), preloaded_as(lib, sizeof lib) ? lib : 0));
	if (!seam || seam->late != l)
		munmap(l, sizeof *l);
}

__attribute__((constructor(101))) static void seam_constructor(int argc, char **argv, char **envp)
{
	const char *spec = getenv("SEAM_SPEC");
	if ((!spec && !getenv("SEAM_DORMANT")) || getauxval(AT_SECURE))
		return;
	int saved = errno;
	seam_tls.guard = SEAM_GUARD_CORE; /* our own calls are not the program's */
	if (!seam_more_filters(getenv("SEAM_FILTERS")) && !seam_declines(getenv("SEAM_SOCKET"))) {
		if (spec)
			watch(argc, argv, spec);
		else
			seam_sleep(argc, argv);
	}
	seam_tls.guard = 0;
	errno = saved;
}

/* ---- for a change of the spec ------------------------------------------- */

/* Without the loader's lock, which a child that is forked meanwhile would never get:
 * its list does not change while seam->patching says that we are here. */
void seam_look(struct seam_load *l)
{
	l->awake = 1;
	look(l);
	l->awake = 0;
	for (uint32_t i = 0; i < l->nobj; i++)
		l->obj[i].is_new = 1;
}

void seam_fetch(struct seam_load *l)
{
	fetch_plans(l);
	plan_missing(l, 0);
}

int seam_arena_first(struct seam_load *l)
{
	if (seam->arena || !worth_it(l))
		return 0;
	if (open_arena(l))
		return -1;
	announce_arena(l);
	return 0;
}

/* ---- what the agent asks and answers about missing plans ---------------- */

int seam_missing(int i, const char **path)
{
	struct seam_load *l = __atomic_load_n(&seam->load, __ATOMIC_SEQ_CST);
	if (!l)
		return 0;
	for (uint32_t k = 0; k < l->nobj; k++)
		if (l->obj[k].wanted && !l->obj[k].plan && i-- == 0) {
			*path = l->obj[k].path;
			return k + 1;
		}
	return 0;
}

const char *seam_missing_spec(int *live)
{
	struct seam_load *l = __atomic_load_n(&seam->load, __ATOMIC_SEQ_CST);
	*live = l && l->live;
	return l && l->spec_path[0] ? l->spec_path : seam->spec_path;
}

void seam_put_plan(int k, const void *p, uint64_t size)
{
	struct seam_load *l = __atomic_load_n(&seam->load, __ATOMIC_SEQ_CST);
	if (!l || k < 1 || k > (int)l->nobj)
		return;
	char *mem = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		return;
	memcpy(mem, p, size);
	l->obj[k - 1].plan = seam_plan_check(mem, size, l->spec.hash, &l->obj[k - 1]);
}
