/* generate.c: the arguments of a call, from its seed alone. A call is nice, a
 * little hostile or very: so that what a hostile argument leads to is reached at all. */
#include "args.h"
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

uint64_t mix(uint64_t x) /* splitmix64 */
{
	x += 0x9e3779b97f4a7c15ul;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ul;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebul;
	return x ^ (x >> 31);
}

static __thread uint64_t state, next;   /* next: where RW is free */
static __thread unsigned hostile_pct, churning;
static __thread struct call *now;
static unsigned rnd(unsigned n) { return (state = mix(state)) % n; }
static int hostile(void) { return rnd(100) < hostile_pct; }
#define PICK(list) (list)[rnd(sizeof(list) / sizeof *(list))]

static void note(const char *s)
{
	while (*s && now->len < sizeof now->text - 2)
		now->text[now->len++] = *s++;
	now->text[now->len] = 0;
}
static void note_hex(uint64_t v)
{
	char b[20], *p = b + 19;
	*p = 0;
	do
		*--p = "0123456789abcdef"[v & 15];
	while (v >>= 4);
	note("0x");
	note(p);
}

/* ---- pointers --------------------------------------------------------------- */

static uint64_t bad_pointer(void)
{
	static const uint64_t at[] = { 0, 0, 1, 8, 4095, 4096, -1ul, -8ul, -4095ul, -4096ul, 0x7ffffffff000, 0x7fffffffefff, 0x7fffffffffff, 0x800000000000,
		0xdeadbeefdeadbeef, 0xffff800000000000, 0xffffffff81000000, 0xffffffffff600000, HOLE, HOLE + 4095, RW_END, EDGE_END,
		NONE, NONE - 1, NONE - 7, NONE + 4095, CUT, CUT - 1, CUT + 4093, EXEC, EXEC + 5, RO, RO + 64, RO + 2 * PAGE - 3,
		EDGE_END - 1, EDGE_END - 5, EDGE_END - 8, EDGE_END - 255, EDGE_END - 257, RW_END - 12, 1ul << 46 };
	uint64_t p = PICK(at);
	note("!");
	return p;
}

/* n bytes: somewhere, misaligned, across a page's end, at the end of what can
 * be read, or (whole == 0, hostile) half of them behind it. */
static uint64_t place(unsigned n, int whole)
{
	if (churning && rnd(2))
		return CHURN + rnd(8 * PAGE);
	if (!whole && hostile()) {
		if (rnd(2))
			return bad_pointer();
		note("half");
		return EDGE_END - n / 2 - rnd(2) * 4;
	}
	switch (rnd(6)) {
	case 0:
		if (n < PAGE) {
			note("end");
			return EDGE_END - n;
		}
		break;
	case 1:
		if (n > 1 && n < 2 * PAGE) {
			note("cross");
			return RW + 6 * PAGE - 1 - rnd(n - 1 < PAGE ? n - 1 : PAGE);
		}
		break;
	}
	uint64_t p = next + (rnd(4) ? 0 : 1 + rnd(7));
	next = (p + n + 15) & ~7ul;
	if (next > RW + 4 * PAGE)
		next = RW + 64;
	return n > 5 * PAGE ? RW : p;
}

/* Copies as far as there is memory for it. */
static void put(uint64_t at, const void *from, unsigned n)
{
	if (churning)
		return; /* what is there is the other thread's business */
	for (unsigned i = 0; i < n; i++, at++)
		if ((at >= RW && at < RW_END) || (at >= EDGE_END - PAGE && at < EDGE_END) || (at >= NONE - PAGE && at < NONE))
			*(char *)at = ((const char *)from)[i];
}

static uint64_t string(int rule)
{
	static const char *const text[] = { "f", "f", "d", "l", "s", "no/such", "", ".", "/", "/dev/null", "/bin/true", "a", "new", "d/new", "l/x", "A=B", "r", "w+", "rb",
		"%s%n%d", "%p", "\xff\xfe\x80", "\x01\x1b[2J\n\x7f", "caf\xc3\xa9", "\xed\xa0\x80", "127.0.0.1", "::1", "80", "ftp://u:pw@h/x?token=1", "user.a", "tmp-XXXXXX", "XXXXXX",
		"exit 3", "/proc/self/stat", "SELECT 1", "SELEC", "SELECT * FROM t WHERE x='secret", "root", "LD_PRELOAD", ":memory:", "C" };
	static char big[6000];
	if (hostile())
		return bad_pointer();
	static const char *const small[] = { "d", "no/such", "d/", "f", "", "l" };
	const char *s = rule == R_TREE ? PICK(small) : PICK(text);
	unsigned n = strlen(s), kind = rnd(8);
	if (kind == 0) {
		static const unsigned sizes[] = { 63, 64, 65, 255, 256, 257, 1023, 1024, 1025, 1536, 4095, 4096, 5000 };
		n = PICK(sizes);
		int with = rnd(3);
		char part[2] = { with == 1 ? (char)0xe2 : 'n', with == 2 ? '/' : (char)0x82 };
		/* several threads write the same here, or something else as good */
		for (unsigned i = 0; i < n; i++)
			big[i] = with ? part[i % 2] : 'b';
		s = big;
		note("long");
		note_hex(n);
	} else {
		note("\"");
		for (unsigned i = 0; i < n; i++) {
			char c[2] = { s[i] >= ' ' && s[i] < 127 ? s[i] : '?', 0 };
			note(c);
		}
		note("\"");
	}
	if (kind == 1) { /* without its end, up to the end of what can be read */
		note("...");
		uint64_t p = EDGE_END - n;
		put(p, s, n);
		return p;
	}
	uint64_t p = place(n + 1, 1);
	put(p, s, n);
	put(p + n, "", 1);
	return p;
}

/* A structure, array or vector of no known kind: words that may be anything. */
static uint64_t soup(unsigned words)
{
	uint64_t w[64], p;
	for (unsigned i = 0; i < words; i++)
		switch (rnd(6)) {
		case 0: w[i] = rnd(4); break;
		case 1: w[i] = hostile() ? -1ul : 0; break;
		case 2: w[i] = hostile() ? bad_pointer() : RW + 64 * rnd(64); break;
		case 3: w[i] = RO + 64 * rnd(64); break;
		case 4: w[i] = (uint64_t)rnd(64) << 32 | rnd(64); break;
		default: w[i] = 0;
		}
	p = place(8 * words, 0);
	put(p, w, 8 * words);
	return p;
}

static uint64_t vector(void)
{
	uint64_t w[300];
	unsigned n = rnd(16) ? rnd(5) : 257 + rnd(40), end = !hostile() || rnd(2);
	uint64_t some = n > 5 ? string(R_NONE) : 0;
	note("[");
	for (unsigned i = 0; i < n; i++)
		w[i] = some ? some : string(R_NONE);
	note("]");
	w[n] = 0;
	n += end;
	uint64_t p = place(8 * n, 0);
	if (!end)
		p = EDGE_END - 8 * n;
	put(p, w, 8 * n);
	return p;
}

static uint64_t buffer(uint64_t *room)
{
	static const unsigned sizes[] = { 0, 1, 7, 8, 16, 64, 100, 256, 1000, 4096 };
	unsigned n = *room = PICK(sizes);
	return place(n, 0);
}

static uint64_t size(uint64_t room)
{
	static const uint64_t odd[] = { 0, 1, 7, 8, 16, 255, 4096, 65536, INT_MAX, 1ul << 31, (1ul << 32) + 1, 1ul << 47, 1ul << 62, LONG_MAX, 1ul << 63, -1ul, -4096ul, 0x1111111111111112 };
	return hostile() ? PICK(odd) : room;
}

static uint64_t iovec(void)
{
	struct { uint64_t base, len; } v[5];
	unsigned n = 1 + rnd(5);
	for (unsigned i = 0; i < n; i++) {
		uint64_t room;
		v[i].base = hostile() ? bad_pointer() : buffer(&room);
		v[i].len = size(8 + rnd(50));
	}
	uint64_t p = place(16 * n, 0);
	put(p, v, 16 * n);
	return p;
}

static uint64_t address(uint64_t *room)
{
	union { struct sockaddr_un un; struct sockaddr_in in; struct sockaddr_in6 in6; unsigned short family; char b[128]; } a;
	memset(&a, 0, sizeof a);
	switch (rnd(6)) {
	case 0: a.un.sun_family = AF_UNIX; strcpy(a.un.sun_path, rnd(2) ? "s" : "new"); *room = sizeof a.un; break;
	case 1: a.un.sun_family = AF_UNIX; memset(a.un.sun_path, 'p', 108); *room = sizeof a.un; break; /* no end */
	case 2: a.in.sin_family = AF_INET; a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK); a.in.sin_port = htons(1); *room = sizeof a.in; break;
	case 3: a.in6.sin6_family = AF_INET6; a.in6.sin6_addr = in6addr_loopback; a.in6.sin6_port = htons(1); *room = sizeof a.in6; break;
	case 4: a.family = rnd(50); *room = 2 + rnd(30); break;
	default: a.family = 0xa5a5; *room = 128; break;
	}
	uint64_t p = place(*room, 0);
	put(p, &a, *room);
	return p;
}

static uint64_t structure(const char *set)
{
	uint64_t w[8] = { 0 }, p, room;
	unsigned n = 16;
	if (!strncmp(set, "time", 4) || !strcmp(set, "itimerspec")) {
		/* at once, never, or wrong: not a while */
		static const uint64_t t[][2] = { { 0, 0 }, { 0, 1 }, { 0, -1ul }, { 0, 1000000000 }, { -1ul, 0 }, { 1ul << 40, 0 }, { LONG_MAX, 0 }, { 0, (1 << 30) - 1 }, { 0, (1 << 30) - 2 } };
		for (int i = 0; i < 4; i += 2)
			memcpy(w + i, PICK(t), 16);
		n = strcmp(set, "timespec") && strcmp(set, "timeval") ? 32 : 16;
	} else if (!strcmp(set, "msghdr") || !strcmp(set, "mmsghdr")) {
		w[0] = rnd(2) ? 0 : address(&room);
		w[1] = w[0] ? size(room) & 0xffffffff : 0;
		w[2] = iovec();
		w[3] = size(1 + rnd(3));
		w[4] = rnd(2) ? 0 : soup(4);
		w[5] = w[4] ? size(32) : 0;
		w[6] = w[7] = hostile() ? -1ul : 0;
		n = strcmp(set, "msghdr") ? 64 : 56;
	} else if (!strcmp(set, "addrinfo")) {
		static const int families[] = { 0, 0, AF_INET, AF_INET6, AF_UNIX, -1, 99 };
		w[0] = (uint64_t)(unsigned)PICK(families) << 32 | (rnd(2) ? 0 : rnd(256));
		w[1] = (uint64_t)rnd(20) << 32 | rnd(5);
		if (hostile())
			w[3] = 77;
		n = 48;
	} else if (!strcmp(set, "rlimit")) {
		w[0] = hostile() ? size(0) : 100 + rnd(100);
		w[1] = hostile() ? size(0) : 1000000;
	} else if (!strcmp(set, "pollfd")) {
		for (int i = 0; i < 8; i++)
			w[i] = (uint64_t)rnd(0x10000) << 32 | rnd(30);
		n = 64;
	} else {
		n = strcmp(set, "stat") && strcmp(set, "statx") ? 64 : 256;
	}
	if (n > 64)
		return place(n, 0);
	p = place(n, 0);
	put(p, w, n);
	return p;
}

static int callback(void) { return 0; }

static uint64_t pointer(const struct arg *a)
{
	if (hostile())
		return bad_pointer();
	if (!churning) {
		if (!strcmp(a->name, "stream"))
			return (uint64_t)stream();
		if (!strcmp(a->name, "dir"))
			return (uint64_t)dir();
		if (!strcmp(a->name, "db"))
			return (uint64_t)db();
		if (!strcmp(a->name, "stmt"))
			return (uint64_t)stmt();
	}
	if (!strcmp(a->name, "iov"))
		return iovec();
	if (!strcmp(a->name, "envp"))
		return vector();
	if (!strcmp(a->name, "fn") || !strcmp(a->name, "start") || !strcmp(a->name, "filter") || !strcmp(a->name, "errfn"))
		return rnd(3) ? (uint64_t)callback : 0;
	if (!strcmp(a->name, "destructor") || !strcmp(a->name, "callback"))
		return rnd(3) ? 0 : -(uint64_t)rnd(2);
	if (rnd(4) == 0)
		return 0;
	return soup(1 + rnd(40));
}

/* Shared memory has names for the whole machine. */
static uint64_t shm_name(void)
{
	if (hostile())
		return bad_pointer();
	uint64_t p = place(strlen(shm_path) + 1, 1);
	put(p, shm_path, strlen(shm_path) + 1);
	return p;
}

/* ---- numbers ---------------------------------------------------------------- */

static const uint64_t any[] = { 0, 0, 1, 2, 3, 4, 7, 16, 100, 4096, INT_MAX, (uint32_t)INT_MIN, -1ul, -2ul, -100ul, 0x5a5a5a5a, 0x80000, 0x1000, 0x40, 0x241, 1ul << 32, 1ul << 40, LONG_MAX, 1ul << 63 };

static uint64_t number(const struct arg *a)
{
	static const uint64_t sleeps[] = { 0, 0, UINT_MAX, INT_MAX };
	static const uint64_t timeouts[] = { 0, 0, -1ul, INT_MAX };
	static const uint64_t calls[] = { SYS_read, SYS_write, SYS_openat, SYS_close, SYS_getuid, -1ul, 9999, LONG_MAX };
	switch (a->rule) {
	case R_SLEEP: return PICK(sleeps);
	case R_SYSCALL: return PICK(calls);
	case R_NOT_USER: return rnd(2) + (rnd(4) ? 0 : 77);
	case R_OWN: return rnd(3) ? 0 : rnd(2) ? (uint64_t)getpid() : 5000000;
	case R_KEY: return 0;
	case R_WAIT: return rnd(2) ? 0 : 7;
	case R_CLONE: return (PICK(any) & ~(uint64_t)0xff7f098fff) | (rnd(4) ? SIGCHLD : 0);
	case R_PRCTL:
		for (;;) {
			uint64_t v = rnd(2) ? rnd(70) : PICK(any);
			if ((uint32_t)v != 22 && (uint32_t)v != 26 && (uint32_t)v != 59)
				return v;
		}
	}
	if (!strcmp(a->name, "timeout"))
		return PICK(timeouts);
	if (a->type == T_ENUM && !strcmp(a->set, "ioctl") && rnd(3))
		return rnd(2) ? 0x5400 + rnd(0x60) : 0x8900 + rnd(0x60);
	if (a->type == T_ENUM && rnd(2))
		return rnd(40);
	if (a->type == T_FLAGS && rnd(2))
		return rnd(2) ? 1ul << rnd(32) : rnd(8);
	uint64_t v = PICK(any);
	return hostile() ? v : v & 0xff;
}

static uint64_t process(const struct arg *a)
{
	static const int64_t other[] = { 5000000, -5000000, INT_MIN, INT_MAX };
	if (a->rule != R_NOT_ALL && rnd(4) == 0)
		return -1ul;
	return hostile() ? PICK(other) : rnd(2) ? 0 : getpid();
}

void generate(struct call *c, const struct function *f, uint64_t seed, int call, int churn)
{
	static const unsigned levels[] = { 0, 15, 50 };
	uint64_t h = seed, room[10] = { 0 };
	for (const char *s = f->name; *s; s++)
		h = mix(h ^ (uint64_t)*s);
	state = mix(h ^ (uint64_t)call << 32);
	hostile_pct = PICK(levels);
	next = RW + 64;
	now = c;
	c->len = 0;
	churning = churn;
	for (int i = 0; i < 10; i++) {
		const struct arg *a = &f->a[i];
		uint64_t v;
		if (i >= f->nargs) {
			c->w[i] = f->variadic && i < 9 && rnd(3) ? string(R_NONE) : 0; /* execl's list has an end */
			continue;
		}
		note(i ? "," : "");
		switch (a->type) {
		case T_FD: {
			static const uint64_t fds[] = { -1ul, -100ul, 99, INT_MAX, (uint32_t)INT_MIN, 1023, 1 };
			v = hostile() ? PICK(fds) : 3 + rnd(20);
			break;
		}
		case T_STRING: case T_SQL: v = a->rule == R_SHM ? shm_name() : string(a->rule); break;
		case T_STRV: v = vector(); break;
		case T_BUFFER: v = a->len >= 0 || a->out ? buffer(&room[a->len >= 0 ? a->len : 0]) : soup(8); break;
		case T_SOCKADDR: {
			uint64_t r = 0;
			v = address(&r);
			if (a->len >= 0)
				room[a->len] = r;
			break;
		}
		case T_STRUCT: v = hostile() ? bad_pointer() : structure(a->set); break;
		case T_PTR: v = pointer(a); break;
		case T_PID: v = a->out ? soup(1) : process(a); break;
		default:
			if (a->out) {
				v = soup(1);
			} else {
				int counts = 0;
				for (int j = 0; j < f->nargs; j++)
					counts |= f->a[j].len == i;
				if (counts)
					v = size(room[i]);
				else if (a->rule == R_NONE && a->type == T_UINT && a->size == 8 && rnd(2))
					v = size(64 + rnd(500));
				else
					v = number(a);
			}
		}
		/* a pointer to the count: what was the count is put behind it */
		if (a->rule == R_NONE && !strcmp(a->name, "len") && a->type == T_PTR) {
			uint32_t n = size(16);
			v = place(4, 0);
			put(v, &n, 4);
		}
		if (a->rule == R_ALIGNED)
			v &= ~7ul;
		/* an integer's upper half is anything, by the ABI */
		if (a->size <= 4 && !a->out && a->type != T_STRING && rnd(8) == 0)
			v = (uint32_t)v | 0xbadbad00000000ul;
		if (a->rule == R_OWN || (a->type == T_PID && (int)v > 0 && (int)v == getpid()))
			note("own");
		else
			/* an address of the program, its heap or a library has no name that is the same in two runs */
			note_hex(a->size <= 4 && !a->out ? (uint32_t)v : v >= 0x400000 && v < BASE ? 0x400000 : v >> 40 == 0x55 || v >> 40 == 0x56 ? 0x550000 : v >> 40 == 0x7f && v < 0x7fffffffe000 ? 0x7f0000 : v);
		c->w[i] = v;
	}
}
