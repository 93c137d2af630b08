/* The limit: what a person would write for one function, storing the same bytes
 * as seam's records into a ring of the thread's own that stays in the cache. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct enter { uint16_t site; uint8_t kind, size8; uint32_t seq; uint64_t ts, word[6]; };
struct leave { uint16_t site; uint8_t kind, size8; uint32_t seq; uint64_t ts, ret, err; };
struct enter_string { uint16_t site; uint8_t kind, size8; uint32_t seq; uint64_t ts, word; uint32_t arg, len; char bytes[]; };
enum { RING = 256 << 10, CAP = 256 };

static __thread struct { char *at, *end, *ring; uint32_t seq; } me __attribute__((tls_model("initial-exec")));
static long (*original)(long, long, long, long, long, long);
static char *(*original_getenv)(const char *);

static inline uint64_t ticks(void)
{
	uint32_t lo, hi;
	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}
__attribute__((constructor)) static void find(void)
{
	original = dlsym(RTLD_NEXT, "work_six");
	original_getenv = dlsym(RTLD_NEXT, "getenv");
}
static __attribute__((noinline)) void turn(void)
{
	if (!me.ring)
		me.ring = malloc(RING);
	me.at = me.ring;
	me.end = me.ring + RING;
}

long work_six(long a, long b, long c, long d, long e, long f)
{
	if (me.at + sizeof(struct enter) > me.end)
		turn();
	uint32_t seq = ++me.seq;
	struct enter *in = (void *)me.at;
	*in = (struct enter){ 1, 1, 8, seq, ticks(), { a, b, c, d, e, f } };
	me.at += sizeof *in;
	long ret = original(a, b, c, d, e, f);
	if (me.at + sizeof(struct leave) > me.end)
		turn();
	struct leave *out = (void *)me.at;
	*out = (struct leave){ 1, 2, 4, seq, ticks(), ret, errno };
	me.at += sizeof *out;
	return ret;
}

/* The string is trusted to be one: no page is asked for. */
char *getenv(const char *name)
{
	if (!original_getenv)
		find();
	size_t n = strnlen(name, CAP);
	size_t size = (sizeof(struct enter_string) + n + 7) & ~7ul;
	if (me.at + size > me.end)
		turn();
	uint32_t seq = ++me.seq;
	struct enter_string *in = (void *)me.at;
	*in = (struct enter_string){ 2, 1, size / 8, seq, ticks(), (uint64_t)name, 0, n };
	memcpy(in->bytes, name, n);
	me.at += size;
	char *ret = original_getenv(name);
	if (me.at + sizeof(struct leave) > me.end)
		turn();
	struct leave *out = (void *)me.at;
	*out = (struct leave){ 2, 2, 4, seq, ticks(), (uint64_t)ret, errno };
	me.at += sizeof *out;
	return ret;
}
