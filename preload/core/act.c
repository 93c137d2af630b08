/* act.c: rules that do something to a call: fail it, cut it short, delay it, refuse it.
 *
 * A site with rules leaves the assembly (SEAM_SP_RULES, SEAM_SP_FILTER) for seam_enter, which asks
 * seam_act while it holds the guard. What is decided goes into the frame and the
 * record; it is done by seam_act_now, after the record and without the guard:
 *
 *   fail, refuse   errno is stored, and the frame's `orig` is seam_refused, which
 *                  returns at once with the frame's rax. Nothing else changes: the
 *                  original is the only one that does not notice
 *   short          the word in the frame that the original gets as its count
 *   delay          a sleep, then the call
 *   breakpoint     breaks.c
 *
 * Counting is exact: each call for which a rule's conditions hold takes the next
 * number, in all threads and processes that share the arena, and the decision is a
 * function of that number and of the rule alone.
 */
#include "hot.h"

#define AF_UNSPEC_ 0
#define AF_UNIX_ 1
#define AF_INET_ 2
#define AF_INET6_ 10
#define CLOCK_MONOTONIC_ 1
#define CONNECTS_TO 1           /* word of connect's address */
#define SLICE_NS 10000000ull    /* a thread that confines the process waits for the end of one */

static inline struct seam_rule_state *state_of(const struct seam_rule *q)
{
	return (struct seam_rule_state *)arena_at(seam->fixed.rules_off) + q->id;
}

/* Draw k of a rule: well mixed, and the same in each run. */
static uint64_t draw(uint64_t seed, uint64_t k)
{
	uint64_t v = seed + k * 0x9e3779b97f4a7c15ull;
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9ull;
	v = (v ^ v >> 27) * 0x94d049bb133111ebull;
	return v ^ v >> 31;
}

/* A number in [0, n), from draw k; stream keeps the draws of one call apart. */
static uint64_t below(uint64_t seed, uint64_t k, uint64_t stream, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)draw(seed ^ stream, k) * n) >> 64);
}

/* 1: it acts once more than it has. */
static int take(struct seam_rule_state *s, uint64_t max)
{
	uint64_t n = __atomic_load_n(&s->acted, __ATOMIC_RELAXED);
	do
		if (max && n >= max)
			return 0;
	while (!__atomic_compare_exchange_n(&s->acted, &n, n + 1, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return 1;
}

/* Of the calls that match, a rule is for number k. */
static int is_for(const struct seam_rule_state *s, uint64_t k)
{
	uint64_t nth = __atomic_load_n(&s->nth, __ATOMIC_RELAXED), every = __atomic_load_n(&s->every, __ATOMIC_RELAXED);
	uint64_t chance = __atomic_load_n(&s->chance, __ATOMIC_RELAXED);
	return !(nth && k != nth) && !(every && k % every) && !(chance && draw(s->seed, k) >= chance);
}

/* A callback's conditions hold for one more call. 1: it is one of those that are asked for. */
int seam_due(struct seam_rule_state *s)
{
	uint64_t k = __atomic_add_fetch(&s->matched, 1, __ATOMIC_RELAXED);
	return is_for(s, k) && !(s->max && __atomic_load_n(&s->acted, __ATOMIC_RELAXED) >= s->max);
}

/* The result of a call that rule q refuses. f->ret: errno + 1, or 0 to leave it. */
static void refuse(const struct seam_rule *q, uint64_t k, struct seam_frame *f)
{
	int64_t err = q->nerr ? q->err[q->nerr > 1 ? below(state_of(q)->seed, k, 1, q->nerr) : 0] : 0;
	f->rax = !(q->flags & SEAM_RULE_CODE) ? q->ret : q->flags & SEAM_RULE_NEG ? -err : err;
	f->ret = (q->flags & SEAM_RULE_ERRNO) && q->nerr ? err + 1 : 0;
	f->orig = (uint64_t)seam_refused;
	f->how |= HOW_REFUSED;
}

int seam_act(struct seam_tls *t, const struct seam_run *r, struct seam_frame *f)
{
	uint64_t acted = 0;
	int decided = 0; /* of rules that change the call the first has it; delays add up */
	f->wait = f->cut = f->natives = f->data = f->parked = 0;
	for (uint32_t i = 0; i < r->nrules; i++) {
		const struct seam_rule *q = &r->rules[i];
		struct seam_rule_state *s = state_of(q);
		if (q->what == SEAM_ACT_NATIVE && decided && !q->flags)
			continue; /* it is not made, or not as it was meant */
		if (q->what == SEAM_ACT_CALLBACK && (s->off || (f->how & HOW_REFUSED)))
			continue;
		if (q->nfilt && !seam_holds(t, (const struct seam_filter *)(r->plan + q->filt_off), q->nfilt, f))
			continue;
		if (s->after && now_ticks() - seam->fixed.tsc0 < s->after)
			continue;
		if (q->what == SEAM_ACT_NATIVE) {
			if (q->flags) {
				f->natives |= 1ull << i;
				f->how |= HOW_NATIVE;
			} else if (seam_native_pre(r, f, q)) {
				acted |= 1ull << q->id;
				decided |= f->how & HOW_REFUSED;
			}
			continue;
		}
		if (q->what == SEAM_ACT_CALLBACK) {
			if (q->count_arg != SEAM_POS_PRE) {
				f->natives |= 1ull << i;
				f->how |= HOW_CALLBACK;
			} else if (seam_due(s) && seam_callback(t, r, f, q, 0)) {
				acted |= 1ull << q->id;
				decided |= (f->how & HOW_REFUSED) != 0;
			}
			continue;
		}
		uint64_t k = __atomic_add_fetch(&s->matched, 1, __ATOMIC_RELAXED);
		if (!is_for(s, k))
			continue;
		int changes = q->what != SEAM_ACT_DELAY && q->what != SEAM_ACT_AUDIT && q->what != SEAM_ACT_BREAK;
		if ((changes && decided) || (q->what == SEAM_ACT_SHORT && f->words[q->count_arg] <= q->count))
			continue;
		if (q->what == SEAM_ACT_DELAY && seam_quiet()) {
			__atomic_add_fetch(&s->skipped, 1, __ATOMIC_RELAXED);
			continue;
		}
		if (q->what == SEAM_ACT_BREAK) {
			int may = seam_break_take(t, r, q, f);
			if (may <= 0) {
				if (!may)
					__atomic_add_fetch(&s->skipped, 1, __ATOMIC_RELAXED);
				continue;
			}
		}
		if (!take(s, s->max)) {
			if (q->what == SEAM_ACT_BREAK)
				seam_break_give(f);
			continue;
		}
		acted |= 1ull << q->id;
		decided |= changes;
		switch (q->what) {
		case SEAM_ACT_FAULT:
		case SEAM_ACT_DENY:
			refuse(q, k, f);
			break;
		case SEAM_ACT_SHORT:
			f->cut = (uint64_t)q->count_arg << 32 | q->count;
			break;
		case SEAM_ACT_DELAY:
			f->wait += rule_ns(q->id, s->delay - s->jitter + (s->jitter ? below(s->seed, k, 2, 2 * s->jitter + 1) : 0));
			break;
		}
	}
	if (!acted)
		return 0;
	f->acted = acted;
	f->how |= HOW_ACTED;
	return 1;
}

/* Handlers of signals run at once, in between; the delay goes on until its time is
 * over, and then the call is made. A process that forbids itself system calls
 * meanwhile cuts the delay short. */
static void nap(uint64_t ns)
{
	struct ktime now, until;
	if (!begin_calls())
		return;
	sys2(SYS_clock_gettime, CLOCK_MONOTONIC_, &until);
	end_calls();
	uint64_t end = until.sec * 1000000000ull + until.nsec + ns;
	for (;;) {
		if (!begin_calls())
			return;
		sys2(SYS_clock_gettime, CLOCK_MONOTONIC_, &now);
		uint64_t at = now.sec * 1000000000ull + now.nsec;
		if (at >= end) {
			end_calls();
			return;
		}
		at = end - at > SLICE_NS ? at + SLICE_NS : end;
		until = (struct ktime){ at / 1000000000, at % 1000000000 };
		sys4(SYS_clock_nanosleep, CLOCK_MONOTONIC_, 1 /* TIMER_ABSTIME */, &until, 0);
		end_calls();
	}
}

void seam_act_now(struct seam_frame *f)
{
	if (f->wait)
		nap(f->wait);
	if (f->parked)
		seam_break_wait(f);
	if (f->cut)
		f->words[f->cut >> 32] = (uint32_t)f->cut;
	if ((f->how & HOW_REFUSED) && f->ret) {
		uint32_t err = f->ret - 1;
		__asm__ volatile("movl %0, %%fs:(%1)" : : "r"(err), "r"(seam_errno_off) : "memory");
	}
}

void seam_act_skipped(const struct seam_run *r)
{
	for (uint32_t i = 0; i < r->nrules; i++)
		if (r->rules[i].what != SEAM_ACT_NATIVE)
			__atomic_add_fetch(&state_of(&r->rules[i])->skipped, 1, __ATOMIC_RELAXED);
}

static int same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned i = 0;
	for (; i < bits / 8; i++)
		if (a[i] != b[i])
			return 0;
	return !(bits % 8) || !((a[i] ^ b[i]) >> (8 - bits % 8));
}

/* A path has a part that is `..`: it need not lead to where it begins. */
static int climbs(const uint8_t *path, unsigned n)
{
	for (unsigned i = 0; i + 1 < n && path[i]; i++)
		if (path[i] == '.' && path[i + 1] == '.' && (!i || path[i - 1] == '/') && (i + 2 >= n || !path[i + 2] || path[i + 2] == '/'))
			return 1;
	return 0;
}

/* A socket address against a range. An IPv4 range holds for IPv4 written as IPv6, too.
 * Of another family than the range's, neither ~ nor !~ holds, but that an IP address
 * is out of each range of the other kind. */
static int addr_holds(struct seam_tls *t, const struct seam_filter *q, const struct seam_frame *f)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	const struct seam_addr_range *want = (const void *)q->str;
	struct { uint16_t family, port; uint8_t rest[108]; } a = { 0 };
	uint64_t w = q->arg < 6 ? f->words[q->arg] : f->stack[q->arg - 6];
	uint64_t len = q->width == 0xff ? sizeof a : (uint32_t)(q->width < 6 ? f->words[q->width] : f->stack[q->width - 6]);
	unsigned n = seam_read_bytes(t, w, &a, len < sizeof a ? len : sizeof a);
	if (n < 2)
		return 0;
	if (a.family == AF_UNSPEC_ && q->arg != CONNECTS_TO)
		a.family = AF_INET_; /* the kernel's sendto takes it so; for connect it means to undo one */
	int is = 0;
	if (want->kind == AF_UNIX_) {
		const uint8_t *path = (const uint8_t *)&a.port;
		is = a.family == AF_UNIX_ && n - 2 >= want->bits && !(want->bits && climbs(path, n - 2));
		for (unsigned i = 0; is && i < want->bits; i++)
			is = path[i] == (uint8_t)q->str[sizeof *want + i];
		return is == (q->cmp == SEAM_CMP_EQ);
	}
	if (!(a.family == AF_INET_ && n >= 8) && !(a.family == AF_INET6_ && n >= 24))
		return 0;
	const uint8_t *ip = a.family == AF_INET_ ? a.rest : a.rest + 4;
	int v4 = a.family == AF_INET_;
	if (!v4 && same_bits(ip, mapped, 96)) {
		ip += 12;
		v4 = 1;
	}
	is = v4 == (want->kind == AF_INET_) && same_bits(ip, want->addr, want->bits) &&
		(!want->port || want->port == (uint16_t)(a.port << 8 | a.port >> 8));
	return is == (q->cmp == SEAM_CMP_EQ);
}

/* What a descriptor is open on. Where it cannot be asked it starts with nothing. */
static int fd_path_holds(const struct seam_filter *q, const struct seam_frame *f)
{
	char name[32] = "/proc/thread-self/fd/", path[sizeof q->str];
	uint64_t w = q->arg < 6 ? f->words[q->arg] : f->stack[q->arg - 6];
	unsigned at = 21, digits = 1;
	long n = -1;
	uint32_t fd = w;
	for (uint32_t v = fd; v >= 10; v /= 10)
		digits++;
	for (unsigned i = digits; i--; fd /= 10)
		name[at + i] = '0' + fd % 10;
	name[at + digits] = 0;
	if ((int32_t)w >= 0 && begin_calls()) {
		n = sys3(SYS_readlink, name, path, sizeof path);
		end_calls();
	}
	int same = n >= q->len;
	for (unsigned i = 0; same && i < q->len; i++)
		same = path[i] == q->str[i];
	return same == (q->cmp == SEAM_CMP_EQ);
}

int seam_act_holds(struct seam_tls *t, const struct seam_filter *q, const struct seam_frame *f)
{
	switch (q->what) {
	case SEAM_FILT_ADDR:
		return addr_holds(t, q, f);
	case SEAM_FILT_FDPATH:
		return fd_path_holds(q, f);
	case SEAM_FILT_RULED: /* a call that a rule acted on does not come here */
		return 0;
	default:
		return seam_list_holds(t, q, f);
	}
}
