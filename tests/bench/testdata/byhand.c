/* The limit: what a person would write for one function, storing the same bytes
 * as seam's records into a ring of the thread's own that stays in the cache. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

struct enter { uint16_t site; uint8_t kind, size8; uint32_t seq; uint64_t ts, word[6]; };
struct leave { uint16_t site; uint8_t kind, size8; uint32_t seq; uint64_t ts, ret, err; };
struct enter_string { uint16_t site; uint8_t kind, size8; uint32_t seq; uint64_t ts, word; uint32_t arg, len; char bytes[]; };
enum { RING = 256 << 10, CAP = 256 };

static __thread struct { char *at, *end, *ring; uint32_t seq; } me __attribute__((tls_model("initial-exec")));
static long (*original)(long, long, long, long, long, long);
static char *(*original_getenv)(const char *);
static ssize_t (*original_write)(int, const void *, size_t);
static int (*original_step)(void *);

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
	original_write = dlsym(RTLD_NEXT, "write");
	original_step = dlsym(RTLD_NEXT, "sqlite3_step");
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

static inline uint32_t enter_words(uint16_t site, uint64_t a, uint64_t b, uint64_t c)
{
	if (me.at + sizeof(struct enter) > me.end)
		turn();
	*(struct enter *)me.at = (struct enter){ site, 1, 8, ++me.seq, ticks(), { a, b, c } };
	me.at += sizeof(struct enter);
	return me.seq;
}
static inline void leave_word(uint16_t site, uint32_t seq, uint64_t ret)
{
	if (me.at + sizeof(struct leave) > me.end)
		turn();
	*(struct leave *)me.at = (struct leave){ site, 2, 4, seq, ticks(), ret, errno };
	me.at += sizeof(struct leave);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
	if (!original_write)
		find();
	uint32_t seq = enter_words(3, fd, (uint64_t)bytes, n);
	ssize_t ret = original_write(fd, bytes, n);
	leave_word(3, seq, ret);
	return ret;
}

int sqlite3_step(void *statement)
{
	uint32_t seq = enter_words(4, (uint64_t)statement, 0, 0);
	int ret = original_step(statement);
	leave_word(4, seq, ret);
	return ret;
}
