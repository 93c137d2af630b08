/* read.c: reading what an argument points at, without ever faulting.
 *
 * A page is read directly once the kernel said that it can be read, and until
 * the address space may have changed:
 *
 *  ask     rt_sigprocmask with an impossible `how` copies 8 bytes from the
 *          pointer before it refuses `how`: EFAULT or EINVAL, no other effect.
 *          It needs no descriptor and is allowed in any sandbox libc runs in.
 *  cache   each thread keeps the last pages that passed, for one generation, if
 *          they are of its stack, the heap or a loaded object.
 *  change  munmap, mremap, mprotect, mmap over something, brk, ftruncate, ... are
 *          patched too (guard sites): while one runs the kernel copies, afterwards
 *          what was known of pages is void. close_to_readers has the steps.
 *
 * In a process that has forbidden itself system calls (confine.c) nothing can be
 * asked: the heap, the stack and loaded objects are read, and everything else is not.
 *
 * Not covered: another thread that unmaps by a bare system call, or another process
 * that truncates a mapped file, within the nanoseconds between the question and
 * the copy. Without guard sites every page is asked for, each time.
 */
#include "hot.h"

#define MEMBARRIER_PRIVATE_EXPEDITED 8
#define MEMBARRIER_REGISTER_PRIVATE_EXPEDITED 16
#define PAGE 4096ull
#define FIRST_STACK (64ull << 20) /* a stack that is no farther from its end is the first thread's: 128 MiB are kept free below it */
#define BAD_HOW 0x5ea /* neither SIG_BLOCK, SIG_UNBLOCK nor SIG_SETMASK */

static int in_image(uint64_t addr)
{
	uint32_t lo = 0, hi = seam->nimages;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		if (addr >= seam->images[mid].hi)
			lo = mid + 1;
		else if (addr < seam->images[mid].lo)
			hi = mid;
		else
			return 1;
	}
	return 0;
}

/* Memory that goes away only through a guard site: the heap, stacks, loaded
 * objects. Anything else may be a mapped file that another process cuts, or be unmapped by a
 * bare system call: it is asked for each time. */
static int stays(uint64_t addr)
{
	uint64_t sp = (uint64_t)__builtin_frame_address(0), tp = (uint64_t)__builtin_thread_pointer();
	/* a thread's own stack, below its control block; not far, should this be another kind of stack */
	if (addr >= sp && ((addr < tp && addr - sp < 256 << 10) || addr < seam->stack_end))
		return 1;
	if (addr >= seam->heap_lo && addr < (uint64_t)sys1(SYS_brk, 0))
		return 1;
	return in_image(addr);
}

/* Without asking the kernel, only what cannot be otherwise. A thread's stack is
 * known in the page it is in; the first thread's from there to its end, unless this
 * runs on another stack. */
static int known(uint64_t addr)
{
	uint64_t sp = (uint64_t)__builtin_frame_address(0);
	if (addr >= sp && (addr / PAGE == sp / PAGE || (addr < seam->stack_end && seam->stack_end - sp < FIRST_STACK)))
		return 1;
	if (seam->brk_end && addr >= seam->heap_lo && addr < *seam->brk_end)
		return 1;
	return in_image(addr);
}

int seam_mapped(uint64_t addr)
{
	if (seam_quiet())
		return known(addr);
	return sys4(SYS_rt_sigprocmask, BAD_HOW, addr, 0, 8) == -22 /* EINVAL */;
}

static int readable(struct seam_tls *t, uint64_t addr)
{
	uint64_t page = addr / PAGE;
	uint64_t *slot = &t->pages[page % SEAM_CACHED_PAGES];
	if (likely(*slot == page))
		return 1;
	if (addr < PAGE || addr >> 47)
		return 0;
	if (!seam_mapped(addr & ~7ull))
		return 0;
	if (seam_quiet() || stays(addr))
		*slot = page;
	return 1;
}

/* From here to end_copy no mapping goes away under us. 1: one is going away now,
 * and the kernel has to do the reading. */
static inline int begin_copy(struct seam_tls *t)
{
	__atomic_store_n(&t->ent->copying, 1, __ATOMIC_RELAXED);
	__asm__ volatile("" ::: "memory"); /* membarrier on the other side makes this enough */
	if (seam_quiet())
		__atomic_thread_fence(__ATOMIC_SEQ_CST); /* there is none */
	uint32_t gen = __atomic_load_n(&seam->maps_gen, __ATOMIC_RELAXED);
	if (unlikely(t->pages_gen != gen || !seam->guarded)) {
		for (int i = 0; i < SEAM_CACHED_PAGES; i++)
			t->pages[i] = ~0ull; /* 0 is a page, too */
		t->pages_gen = gen;
		t->pages_void = seam->guarded && !seam_quiet() ? 0 : SEAM_PAGES_VOID; /* when either changes, so does gen */
	}
	return __atomic_load_n(&seam->maps_busy, __ATOMIC_RELAXED) != 0;
}
static inline void end_copy(struct seam_tls *t)
{
	__asm__ volatile("" ::: "memory");
	__atomic_store_n(&t->ent->copying, 0, __ATOMIC_RELEASE);
}

static inline uint64_t has_zero(uint64_t v)
{
	return (v - 0x0101010101010101ull) & ~v & 0x8080808080808080ull;
}

/* The kernel's copy: exact whatever happens meanwhile, and ten times as dear.
 * Returns how many bytes could be read. */
static __attribute__((noinline)) unsigned kernel_copy(uint64_t from, unsigned char *to, unsigned n)
{
	unsigned done = 0;
	while (done < n && !seam_quiet()) {
		unsigned step = PAGE - (from + done) % PAGE;
		if (step > n - done)
			step = n - done;
		struct { uint64_t base, len; } l = { (uint64_t)to + done, step }, r = { from + done, step };
		if (sys6(SYS_process_vm_readv, sys0(SYS_getpid), (long)&l, 1, (long)&r, 1, 0) != (long)step)
			break;
		done += step;
	}
	return done;
}

static __attribute__((noinline)) int kernel_string(uint64_t from, unsigned char *to, unsigned max, int *cut)
{
	unsigned have = 0;
	while (have < max) { /* a page at a time: behind the string may be nothing */
		unsigned step = PAGE - (from + have) % PAGE;
		if (step > max - have)
			step = max - have;
		unsigned got = kernel_copy(from + have, to + have, step);
		for (unsigned i = 0; i < got; i++)
			if (!to[have + i])
				return have + i;
		have += got;
		if (got < step) {
			*cut = 1;
			return have ? (int)have : -1;
		}
	}
	*cut = 1;
	return max;
}

/* Copy a C string of at most max bytes, a multiple of 8; returns its length, or
 * -1 when its first byte can't be read. *cut: there is more, or it became
 * unreadable. Whole words are written: up to 7 bytes behind what it returns. */
static inline __attribute__((always_inline)) int copy_string(struct seam_tls *t, uint64_t from, unsigned char *to, unsigned max, int *cut, int kernel)
{
	unsigned n = 0;
	*cut = 0;
	if (unlikely(kernel))
		return kernel_string(from, to, max, cut);
	if (unlikely(!readable(t, from)))
		return -1;
	for (;;) {
		uint64_t left = PAGE - (from + n) % PAGE; /* in this page */
		unsigned stop = left < max - n ? n + (left & ~7ull) : max;
		while (n < stop) {
			uint64_t v = *(const uint64_t *)(from + n), z = has_zero(v);
			*(uint64_t *)(to + n) = v;
			if (z) {
				n += __builtin_ctzll(z) / 8;
				if (unlikely(n > max))
					break;
				return n;
			}
			n += 8;
		}
		if (n >= max)
			break;
		for (unsigned i = (from + n) % PAGE ? 8 : 0; i && (from + n) % PAGE; i--) {
			unsigned char c = *(const unsigned char *)(from + n);
			to[n] = c;
			if (!c)
				return n;
			if (++n >= max)
				break;
		}
		if (n >= max)
			break;
		if (!readable(t, from + n))
			break;
		/* the words from here on are not aligned to `to`, which does not matter */
		if (max - n < 8) {
			for (; n < max; n++)
				if (!(to[n] = *(const unsigned char *)(from + n)))
					return n;
			break;
		}
	}
	*cut = 1;
	return n < max ? n : max;
}

/* Copy n bytes; returns how many could be read. */
static unsigned copy_memory(struct seam_tls *t, uint64_t from, unsigned char *to, unsigned n)
{
	unsigned done = 0;
	if (unlikely(t->ask_kernel))
		return kernel_copy(from, to, n);
	while (done < n) {
		unsigned step = PAGE - (from + done) % PAGE;
		if (step > n - done)
			step = n - done;
		if (!readable(t, from + done))
			break;
		copy_bytes(to + done, (const void *)(from + done), step);
		done += step;
	}
	return done;
}

static int load(struct seam_tls *t, uint64_t addr, void *to, unsigned n)
{
	return copy_memory(t, addr, to, n) == n;
}

int seam_read_prefix(struct seam_tls *t, uint64_t addr, const char *str, unsigned len)
{
	unsigned char buf[72];
	int cut, same = 0;
	int kernel = begin_copy(t);
	int n = addr ? copy_string(t, addr, buf, (len + 7) & ~7u, &cut, kernel) : -1;
	end_copy(t);
	if (n >= (int)len) {
		same = 1;
		for (unsigned i = 0; i < len; i++)
			same &= buf[i] == (unsigned char)str[i];
	}
	return same;
}

int seam_read_text(struct seam_tls *t, uint64_t addr, void *to, unsigned max, int *cut)
{
	int kernel = begin_copy(t);
	int n = addr ? copy_string(t, addr, to, max, cut, kernel) : -1;
	end_copy(t);
	return n;
}

unsigned seam_read_bytes(struct seam_tls *t, uint64_t addr, void *to, unsigned n)
{
	t->ask_kernel = begin_copy(t);
	n = addr ? copy_memory(t, addr, to, n) : 0;
	end_copy(t);
	return n;
}

struct out { unsigned n, status; };

static struct out read_vector(struct seam_tls *t, uint64_t v, unsigned char *to, unsigned max)
{
	struct out o = { 0, SEAM_READ_OK };
	for (unsigned i = 0; i < 256; i++) {
		uint64_t p;
		int cut;
		if (!load(t, v + 8 * i, &p, 8)) {
			o.status = i ? SEAM_READ_CUT : SEAM_READ_BAD;
			return o;
		}
		if (!p)
			return o;
		if (o.n + 16 > max)
			break;
		int n = copy_string(t, p, to + o.n, (max - o.n - 8) & ~7u, &cut, t->ask_kernel);
		if (n < 0) {
			o.status = SEAM_READ_CUT;
			return o;
		}
		o.n += n;
		to[o.n++] = 0;
		if (cut)
			break;
	}
	o.status = SEAM_READ_CUT;
	return o;
}

static struct out read_one(struct seam_tls *t, const struct seam_op *op, const uint64_t *words, uint64_t ret,
	unsigned char *to, unsigned room)
{
	struct out o = { 0, SEAM_READ_OK };
	uint64_t p = op->op == SEAM_OP_RETSTR ? ret : words[op->arg];
	unsigned cap = op->cap < room ? op->cap : room;
	int cut, n;

	if (!p) {
		o.status = SEAM_READ_NULL;
		return o;
	}
	switch (op->op) {
	case SEAM_OP_PSTR:
		if (!load(t, p, &p, 8))
			goto bad;
		if (!p) {
			o.status = SEAM_READ_NULL;
			return o;
		}
		/* fall through */
	case SEAM_OP_STR:
	case SEAM_OP_RETSTR:
		if ((n = copy_string(t, p, to, cap & ~7u, &cut, t->ask_kernel)) < 0)
			goto bad;
		o.n = n;
		o.status = cut ? SEAM_READ_CUT : SEAM_READ_OK;
		return o;
	case SEAM_OP_BUF:
	case SEAM_OP_BUF32:
	case SEAM_OP_BUFP:
	case SEAM_OP_MEM: {
		uint64_t len = op->cap;
		if (op->op == SEAM_OP_BUF || op->op == SEAM_OP_BUF32) {
			len = op->len == 0xff ? ret : words[op->len];
			if (op->op == SEAM_OP_BUF32)
				len = (uint64_t)(int32_t)len;
			if ((int64_t)len < 0)
				len = 0; /* a failed call's -1 */
			len = len > ~0ull / (op->unit ? op->unit : 1) ? cap + 1 : len * (op->unit ? op->unit : 1);
		} else if (op->op == SEAM_OP_BUFP) {
			uint32_t l;
			if (!words[op->len] || !load(t, words[op->len], &l, 4))
				goto bad;
			len = l;
		}
		unsigned want = len < cap ? len : cap;
		o.n = copy_memory(t, p, to, want);
		o.status = o.n < want ? (o.n ? SEAM_READ_CUT : SEAM_READ_BAD) : len > cap ? SEAM_READ_CUT : SEAM_READ_OK;
		return o;
	}
	case SEAM_OP_STRV:
		return read_vector(t, p, to, cap);
	}
bad:
	o.status = SEAM_READ_BAD;
	return o;
}

/* Zeros behind an item, up to the next multiple of 8 and beyond: nothing of the
 * memory behind a string may be told. Returns the item's size. */
static inline unsigned end_item(struct seam_item *item, unsigned len)
{
	unsigned used = sizeof *item + len;
	__builtin_memset((unsigned char *)item + used, 0, 8); /* one store */
	return (used + 7) & ~7u;
}

/* The commonest case by far: one string at enter, and nothing else. */
unsigned seam_read_string(struct seam_tls *t, const struct seam_run *r, uint64_t from, unsigned char *to)
{
	struct seam_item *item = (struct seam_item *)to;
	int cut = 0, n = 0;
	if (unlikely(!from)) {
		item->status = SEAM_READ_NULL;
	} else {
		int kernel = begin_copy(t);
		n = copy_string(t, from, to + sizeof *item, r->str_cap, &cut, kernel);
		end_copy(t);
		item->status = cut ? SEAM_READ_CUT : SEAM_READ_OK;
		if (unlikely(cut))
			count_lost(SEAM_ARG_CUT);
		if (unlikely(n < 0)) {
			n = 0;
			item->status = SEAM_READ_BAD;
			count_lost(SEAM_ARG_UNREAD);
		}
	}
	item->len = n;
	item->op = r->str_op;
	return end_item(item, n);
}

/* Run the ops of one moment; returns bytes written, a multiple of 8. */
unsigned seam_read_items(struct seam_tls *t, const struct seam_run *r, const uint64_t *words, uint64_t ret,
	unsigned when, unsigned char *to, unsigned char *end)
{
	unsigned char *at = to;
	t->ask_kernel = begin_copy(t);
	for (unsigned i = 0; i < r->nops; i++) {
		const struct seam_op *op = &r->ops[i];
		if ((op->when & (SEAM_WHEN_ENTER | SEAM_WHEN_LEAVE)) != (when & (SEAM_WHEN_ENTER | SEAM_WHEN_LEAVE)))
			continue;
		if ((op->when & SEAM_WHEN_OK) && !(when & SEAM_WHEN_OK))
			continue;
		if (at + 24 > end)
			break;
		struct seam_item *item = (struct seam_item *)at;
		/* 8: copy_string writes whole words */
		struct out o = read_one(t, op, words, ret, at + sizeof *item, (end - at) - sizeof *item - 8);
		item->len = o.n;
		item->status = o.status;
		item->op = i;
		if (unlikely(o.status == SEAM_READ_BAD))
			count_lost(SEAM_ARG_UNREAD);
		else if (unlikely(o.status == SEAM_READ_CUT))
			count_lost(SEAM_ARG_CUT);
		at += end_item(item, o.n);
	}
	end_copy(t);
	return at - to;
}

static int in_our_memory(uint32_t pid)
{
	if (pid == seam->pid)
		return 1;
	for (int i = 0; i < SEAM_GUESTS; i++)
		if (seam->guests[i].pid == pid)
			return 1;
	return 0;
}

/* A mapping is about to go away. Numbered, with what a reader can do:
 *   1. busy++          a reader that looks from now on has the kernel copy
 *   2. membarrier      every running thread has seen 1, or is seen as copying by 3
 *   3. wait until no thread copies (nanoseconds; longer if one was preempted in it)
 *   4. the original    only the kernel copies
 *   5. gen++, busy--   readers start over: what they knew of pages is void */
static void barrier_all(void)
{
	if (sys3(SYS_membarrier, MEMBARRIER_PRIVATE_EXPEDITED, 0, 0) == -1 /* EPERM: not registered in this process */) {
		sys3(SYS_membarrier, MEMBARRIER_REGISTER_PRIVATE_EXPEDITED, 0, 0);
		sys3(SYS_membarrier, MEMBARRIER_PRIVATE_EXPEDITED, 0, 0);
	}
}

static void wait_for_copies(uint32_t used, int calls)
{
	struct seam_thread *th = arena_at(seam->fixed.threads_off);
	const struct seam_tls *me = self();
	int most = calls ? 2000 : 200000, all = 16 * most; /* all: the table may be nonsense */
	for (uint32_t i = 0; i < used && all > 0; i++) {
		if (th[i].state != SEAM_THREAD_LIVE || !in_our_memory(th[i].pid) || &th[i] == me->ent)
			continue;
		for (int n = 0; n < most && all > 0 && __atomic_load_n(&th[i].copying, __ATOMIC_ACQUIRE); n++, all--) {
			if (n < 200 || !calls)
				__builtin_ia32_pause();
			else
				sys0(SYS_sched_yield);
		}
	}
}

static void close_to_readers(void)
{
	__atomic_add_fetch(&seam->maps_busy, 1, __ATOMIC_SEQ_CST);
	if (!seam->arena)
		return;
	uint32_t used = __atomic_load_n(&seam->arena->threads_used, __ATOMIC_RELAXED);
	if (used <= 1 || used > seam->fixed.nthreads)
		return;
	int calls = begin_calls();
	if (calls)
		barrier_all();
	wait_for_copies(used, calls);
	if (calls)
		end_calls();
}

/* The flag is set, system calls are still allowed: from here on each reader has
 * seen it. What is known of other memory is void. */
void seam_maps_confine(void)
{
	__atomic_add_fetch(&seam->maps_busy, 1, __ATOMIC_SEQ_CST);
	barrier_all();
	if (seam->arena)
		wait_for_copies(__atomic_load_n(&seam->arena->threads_used, __ATOMIC_RELAXED) % (seam->fixed.nthreads + 1), 1);
	seam_maps_end();
}

/* Of what is known to be readable (known, above) a part may not be any more, and
 * nobody can be asked: that range is given up. No reader looks now. */
static void forget(uint64_t at, uint64_t len)
{
	uint64_t end = at + len < at ? ~0ull : at + len;
	for (uint32_t i = 0; i < seam->nimages; i++)
		if (at < seam->images[i].hi && end > seam->images[i].lo)
			seam->images[i].hi = seam->images[i].lo;
	if (seam->brk_end && at < *seam->brk_end && end > seam->heap_lo)
		seam->brk_end = 0;
	if (at < seam->stack_end && end > seam->stack_end - FIRST_STACK)
		seam->stack_end = 0;
}

unsigned seam_copy(uint64_t from, void *to, unsigned n)
{
	return kernel_copy(from, to, n);
}

int seam_maps_begin(const struct seam_frame *f, const struct seam_run *r)
{
	if (r->guard_kind == SEAM_GUARD_MMAP && !(f->words[3] & 0x100010 /* MAP_FIXED | MAP_FIXED_NOREPLACE */))
		return 0;
	close_to_readers();
	if (seam_quiet() && r->guard_kind != SEAM_GUARD_ANY)
		forget(f->words[0], f->words[1]);
	return 1;
}

void seam_maps_end(void)
{
	__atomic_add_fetch(&seam->maps_gen, 1, __ATOMIC_SEQ_CST);
	__atomic_sub_fetch(&seam->maps_busy, 1, __ATOMIC_SEQ_CST);
}

/* The loader unmaps by itself: closed from its announcement to its next. */
void seam_maps_loader(int consistent)
{
	if (!consistent && !seam->loader_busy) {
		seam->loader_busy = 1;
		close_to_readers();
	} else if (consistent && seam->loader_busy) {
		seam->loader_busy = 0;
		seam_maps_end();
	}
}
