/* lists.c: conditions on an argument that look something up in a list: is the file
 * below one of some folders, is the address one of some, does a text contain another.
 *
 * What a file's name leads to is found as the kernel would: from the working
 * directory or a descriptor on, part by part, `..` and links followed, one readlink for
 * each part. Nothing is opened, so the program's descriptors stay as they are. It is
 * the answer of one moment: a link that is changed between it and the call is not seen.
 *
 * All is bounded: names to NAME bytes, links to LINKS. What exceeds it is in no list.
 * The buffers lie on the program's stack, so those for names are small (a handler may run on a
 * stack of 8 KiB). Those for statements take 10 KiB: what compiles SQL needs more itself.
 */
#include "hot.h"
#include "shape.h"

#define AF_UNIX_ 1
#define AF_INET_ 2
#define AF_INET6_ 10
#define AT_FDCWD_ (-100)
#define AT_EMPTY_PATH_ 0x1000
#define NAME 1024               /* longest name, bytes with its NUL */
#define LINKS 40                /* as the kernel */
#define WINDOW 192
#define MOST_TEXT (64u << 10)   /* so far a text is searched */

static uint64_t word(const struct seam_frame *f, unsigned i)
{
	return i < 6 ? f->words[i] : f->stack[i - 6];
}

#define HASH_BEGIN 0xcbf29ce484222325ull
static inline uint64_t hash_byte(uint64_t h, unsigned char c)
{
	return (h ^ c) * 0x100000001b3ull;
}

static int set_has(const char *plan, int64_t at, uint64_t hash, const char *text, unsigned len)
{
	const struct seam_set *set = (const void *)(plan + at);
	const struct seam_set_entry *e = (const void *)(set + 1);
	uint32_t lo = 0, hi = set->n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (e[mid].hash < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < set->n && e[lo].hash == hash; lo++) {
		const char *s = plan + e[lo].off;
		unsigned i = 0;
		if (e[lo].len != len)
			continue;
		while (i < len && s[i] == text[i])
			i++;
		if (i == len)
			return 1;
	}
	return 0;
}

/* ---- files -------------------------------------------------------------- */

/* rest holds what is still to be walked, in [at, NAME); out what was: empty for the
 * root, else /a/b, and a NUL. */
struct walk {
	unsigned n, at;
	char out[NAME + 2], rest[NAME];
};
enum { NOWHERE, THERE, NO_FILE }; /* NO_FILE: a pipe, a socket, the descriptor itself */

static unsigned put_number(char *to, uint32_t v)
{
	unsigned digits = 1;
	for (uint32_t rest = v; rest >= 10; rest /= 10)
		digits++;
	for (unsigned i = digits; i--; v /= 10)
		to[i] = '0' + v % 10;
	to[digits] = 0;
	return digits;
}

/* What a descriptor is open on. */
static int of_descriptor(int32_t fd, struct walk *w)
{
	char link[32] = "/proc/thread-self/fd/";
	if (fd < 0)
		return NO_FILE; /* the call fails */
	put_number(link + 21, fd);
	long n = sys3(SYS_readlink, link, w->out, NAME - 1);
	if (n <= 0 || n == NAME - 1)
		return NOWHERE;
	w->n = n;
	w->out[n] = 0;
	return w->out[0] == '/' ? THERE : NO_FILE;
}

/* Where a relative name counts from. */
static int begin_at(int32_t dir, struct walk *w)
{
	if (dir != AT_FDCWD_) {
		if (of_descriptor(dir, w) != THERE)
			return NOWHERE;
	} else {
		long n = sys2(SYS_getcwd, w->out, NAME);
		if (n < 2 || w->out[0] != '/') /* a folder that can't be reached has no name */
			return NOWHERE;
		w->n = n - 1;
	}
	if (w->n == 1)
		w->n = 0;
	return THERE;
}

static int reads(const struct walk *w, const char *s)
{
	unsigned i = 0;
	while (i < w->n && s[i] && w->out[i] == s[i])
		i++;
	return i == w->n && !s[i];
}

static int below_proc(const struct walk *w)
{
	const char *proc = "/proc/";
	unsigned i = 0;
	while (proc[i] && w->out[i] == proc[i])
		i++;
	return !proc[i];
}

static void leave_last(struct walk *w)
{
	while (w->n && w->out[--w->n] != '/')
		;
	w->out[w->n] = 0;
}

/* The last part of out is a link, to rest[0..n): what it says comes before the rest. */
static int follow(struct walk *w, unsigned n)
{
	if (w->rest[0] != '/' && below_proc(w))
		for (unsigned i = 0; i < n; i++)
			if (w->rest[i] == ':')
				return NO_FILE; /* /proc/self/fd/1: pipe:[123] */
	for (unsigned i = n; i--;)
		w->rest[w->at - n + i] = w->rest[i];
	w->at -= n;
	if (w->rest[w->at] == '/') {
		w->n = 0;
		w->out[0] = 0;
	} else
		leave_last(w);
	return THERE;
}

/* Walks rest. keep: a link at the very end is what is meant. ask: the kernel may be asked. */
static int walk(struct walk *w, int keep, int ask)
{
	unsigned links = 0;
	for (;;) {
		while (w->at < NAME && w->rest[w->at] == '/')
			w->at++;
		if (w->at == NAME)
			return THERE;
		unsigned from = w->at;
		while (w->at < NAME && w->rest[w->at] != '/')
			w->at++;
		unsigned n = w->at - from;
		const char *part = w->rest + from;
		if (n == 1 && part[0] == '.')
			continue;
		if (n == 2 && part[0] == '.' && part[1] == '.') {
			if (reads(w, "/proc/thread-self"))
				return NOWHERE; /* that is in /proc/PID/task, and kept as it is: below */
			leave_last(w);
			continue;
		}
		if (w->n + 1 + n >= NAME)
			return NOWHERE;
		w->out[w->n++] = '/';
		for (unsigned i = 0; i < n; i++)
			w->out[w->n++] = part[i];
		w->out[w->n] = 0;
		/* these two are the program's own, whatever its number is */
		if (!ask || (keep && w->at == NAME) || reads(w, "/proc/self") || reads(w, "/proc/thread-self"))
			continue;
		long r = sys3(SYS_readlink, w->out, w->rest, w->at);
		if (r > 0) {
			if (r == (long)w->at || ++links > LINKS)
				return NOWHERE;
			if (follow(w, r) == NO_FILE)
				return NO_FILE;
		} else if (r != -22 /* EINVAL: it is no link */)
			ask = 0; /* not there, or not to be seen: nor is what is behind it */
	}
}

/* What name i of the call leads to. */
static int leads_to(struct seam_tls *t, const struct seam_names *a, unsigned i, const struct seam_frame *f, struct walk *w)
{
	int ask, cut, is = THERE;
	uint64_t addr = word(f, a->arg[i]), flags = a->flags == SEAM_NO_WORD ? 0 : word(f, a->flags);
	w->n = 0;
	w->at = NAME;
	w->out[0] = 0;
	if (a->fd) {
		if (!begin_calls())
			return NOWHERE;
		is = of_descriptor(addr, w);
		end_calls();
		return is;
	}
	if (!addr)
		return NO_FILE;
	int n = seam_read_text(t, addr, w->rest, NAME, &cut);
	if (n == 0) { /* with AT_EMPTY_PATH the descriptor, else nothing */
		if (!a->empty || !(flags & AT_EMPTY_PATH_) || a->dir[i] == SEAM_NO_WORD)
			return NO_FILE;
		if (!begin_calls())
			return NOWHERE;
		is = (int32_t)word(f, a->dir[i]) == AT_FDCWD_ ? begin_at(AT_FDCWD_, w) : of_descriptor(word(f, a->dir[i]), w);
		end_calls();
		return is;
	}
	if (n < 0 || cut)
		return NOWHERE;
	w->at = NAME - n;
	for (unsigned k = n; k--;)
		w->rest[w->at + k] = w->rest[k];
	ask = begin_calls();
	if (w->rest[w->at] != '/')
		is = ask ? begin_at(a->dir[i] == SEAM_NO_WORD ? AT_FDCWD_ : (int32_t)word(f, a->dir[i]), w) : NOWHERE;
	if (is == THERE)
		is = walk(w, (a->keep[i] && !(flags & a->follow)) || (flags & a->nofollow), ask);
	if (ask)
		end_calls();
	return is;
}

/* 1: out is one of the set, or below one; or, for an entry /a/b/., a folder itself. */
static int within(const char *plan, int64_t set, struct walk *w)
{
	uint64_t h = hash_byte(HASH_BEGIN, '/');
	if (set_has(plan, set, h, "/", 1))
		return 1;
	h = HASH_BEGIN;
	for (unsigned i = 0; i < w->n; i++) {
		if (i && w->out[i] == '/' && set_has(plan, set, h, w->out, i))
			return 1;
		h = hash_byte(h, w->out[i]);
	}
	if (w->n && set_has(plan, set, h, w->out, w->n))
		return 1;
	w->out[w->n] = '/';
	w->out[w->n + 1] = '.';
	return set_has(plan, set, hash_byte(hash_byte(h, '/'), '.'), w->out, w->n + 2);
}

static __attribute__((noinline)) int files_hold(struct seam_tls *t, const struct seam_filter *q, const struct seam_frame *f)
{
	const struct seam_names *a = (const void *)q->str;
	struct walk w;
	int in = 1;
	for (unsigned i = 0; in && i < a->n; i++) {
		int is = leads_to(t, a, i, f, &w);
		in = is == NO_FILE || (is == THERE && within(f->run->plan, q->value, &w));
	}
	return in == (q->cmp == SEAM_CMP_EQ);
}

/* ---- addresses ---------------------------------------------------------- */

static int addresses_hold(struct seam_tls *t, const struct seam_filter *q, const struct seam_frame *f)
{
	const struct seam_addr_list *l = (const void *)q->str;
	const struct seam_filter *e = (const void *)(f->run->plan + q->value);
	uint16_t family;
	for (uint32_t i = 0; i < l->n; i++)
		if (seam_act_holds(t, &e[i], f))
			return q->cmp == SEAM_CMP_EQ;
	return q->cmp == SEAM_CMP_NE && seam_read_bytes(t, word(f, q->arg), &family, 2) == 2 &&
		(family == AF_UNIX_ || family == AF_INET_ || family == AF_INET6_ || (!family && q->arg != 1 /* act.c: CONNECTS_TO */));
}

/* ---- texts -------------------------------------------------------------- */

static __attribute__((noinline)) int text_holds(struct seam_tls *t, const struct seam_filter *q, const struct seam_frame *f)
{
	char buf[64 + WINDOW];
	uint64_t addr = word(f, q->arg);
	unsigned have = 0;
	int cut = addr != 0, has = 0;
	for (unsigned done = 0; cut && !has && done < MOST_TEXT;) {
		int n = seam_read_text(t, addr + done, buf + have, WINDOW, &cut);
		if (n <= 0)
			break;
		done += n;
		have += n;
		for (unsigned i = 0; !has && i + q->len <= have; i++) {
			unsigned k = 0;
			while (k < q->len && buf[i + k] == q->str[k])
				k++;
			has = k == q->len;
		}
		if ((unsigned)n < WINDOW)
			break;
		unsigned keep = q->len - 1u < have ? q->len - 1u : have; /* the text may begin here and go on in the next window */
		for (unsigned i = 0; i < keep; i++)
			buf[i] = buf[have - keep + i];
		have = keep;
	}
	return has == (q->cmp == SEAM_CMP_EQ);
}

/* ---- SQL ---------------------------------------------------------------- */

/* What a library asks itself is not the program's: it was called by its own code. */
static int by_itself(const struct seam_frame *f)
{
	const struct seam_plan *p = (const void *)f->run->plan;
	uint64_t at = f->caller - f->run->lib_base;
	return at >= p->text_lo && at < p->text_hi;
}

/* 1: each statement of the text, or the first, is in the set; so is a text without one. */
static __attribute__((noinline)) int statements_hold(struct seam_tls *t, const struct seam_filter *q, const struct seam_frame *f)
{
	const struct seam_sql *a = (const void *)q->str;
	struct { char src[SEAM_SQL_MOST], dst[SEAM_SHAPE_MOST]; } b;
	uint64_t addr = word(f, a->arg);
	int64_t given = a->len == SEAM_NO_WORD ? -1 : (int32_t)word(f, a->len);
	int cut = 0, n, in = 1;
	if (!addr || (a->own && by_itself(f)))
		return q->cmp == SEAM_CMP_EQ;
	if (given < 0) {
		n = seam_read_text(t, addr, b.src, SEAM_SQL_MOST, &cut);
	} else {
		unsigned want = given < SEAM_SQL_MOST ? given : SEAM_SQL_MOST;
		n = seam_read_bytes(t, addr, b.src, want);
		cut = (unsigned)n < want || given > SEAM_SQL_MOST;
		for (int i = 0; i < n; i++)
			if (!b.src[i]) {
				n = i;
				cut = 0;
			}
	}
	if (n < 0)
		return q->cmp == SEAM_CMP_NE;
	const char *s = b.dst;
	unsigned left = seam_shape(b.src, n, b.dst), next = 1;
	while (in && next) {
		while (left && (*s == ' ' || *s == ';')) {
			s++;
			left--;
		}
		if (!left && !cut)
			break;
		unsigned len = seam_shape_first(s, left, &next);
		uint64_t h = HASH_BEGIN;
		for (unsigned i = 0; i < len; i++)
			h = hash_byte(h, s[i]);
		in = (next || !cut) && set_has(f->run->plan, q->value, h, s, len);
		s += next;
		left -= next;
		if (!a->all)
			break;
	}
	return in == (q->cmp == SEAM_CMP_EQ);
}

int seam_list_holds(struct seam_tls *t, const struct seam_filter *q, const struct seam_frame *f)
{
	switch (q->what) {
	case SEAM_FILT_WITHIN:
		return files_hold(t, q, f);
	case SEAM_FILT_ADDRS:
		return addresses_hold(t, q, f);
	case SEAM_FILT_HAS:
		return text_holds(t, q, f);
	case SEAM_FILT_SHAPE:
		return statements_hold(t, q, f);
	default:
		return 0;
	}
}
