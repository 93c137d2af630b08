// static: functions that nobody exports, called with arguments that the test
// knows. gcc makes copies of some of them (-O2).
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum color { RED, GREEN = 5, BLUE = -1 };
struct pair { int a, b; };
struct mixed { double d; long l; };
struct big { long v[5]; };
typedef unsigned short u16;
#define OUT_OF_LINE __attribute__((noinline))
#define KEEP asm volatile("" ::: "memory")

static OUT_OF_LINE int parse_line(const char *line, int n) { KEEP; return line[0] + n; }
static OUT_OF_LINE long parse_ints(char c, unsigned char u, u16 s, long l, enum color k, bool yes, void *p)
{
	KEEP;
	return c + u + s + l + k + yes + (p != NULL);
}
static OUT_OF_LINE int parse_float(int a, double x, float y, int b) { KEEP; return a + x + y + b; }
static OUT_OF_LINE struct pair parse_pair(struct pair p, int z) { KEEP; p.a += z; return p; }
static OUT_OF_LINE int parse_mixed(int a, struct mixed m, int z) { KEEP; return a + m.d + m.l + z; }
static OUT_OF_LINE struct big parse_big(struct big b, int z) { KEEP; b.v[0] += z; return b; }
static OUT_OF_LINE int parse_many(int a, int b, int c, int d, int e, int f, int g, const char *h, struct big i, int j)
{
	KEEP;
	return a + b + c + d + e + f + g + h[0] + i.v[4] + j;
}
static OUT_OF_LINE int parse_login(const char *user, const char *password) { KEEP; return strlen(user) + strlen(password); }
static OUT_OF_LINE int copied(const char *name, int always, int n) { KEEP; return name[0] + always + n; }

int main(int argc, char **argv)
{
	struct big b = { { 1, 2, 3, 4, 5 } };
	struct pair p = { 1, 2 };
	struct mixed m = { 0.5, 7 };
	/* through pointers that the compiler cannot follow: no copies are made */
	int (*volatile line)(const char *, int) = parse_line;
	long (*volatile ints)(char, unsigned char, u16, long, enum color, bool, void *) = parse_ints;
	int (*volatile flt)(int, double, float, int) = parse_float;
	struct pair (*volatile pair)(struct pair, int) = parse_pair;
	int (*volatile mixed)(int, struct mixed, int) = parse_mixed;
	struct big (*volatile bigf)(struct big, int) = parse_big;
	int (*volatile many)(int, int, int, int, int, int, int, const char *, struct big, int) = parse_many;
	int (*volatile login)(const char *, const char *) = parse_login;
	long r = line("hello", 3) + ints('a', 200, 60000, -5, GREEN, true, NULL) + ints('b', 1, 2, 3, BLUE, false, NULL) +
		ints('c', 1, 2, 3, (enum color)77, false, NULL);
	r += flt(1, 2.5, 3.5, 4) + pair(p, 9).a + mixed(1, m, 2) + bigf(b, 9).v[0] + many(1, 2, 3, 4, 5, 6, 7, "eight", b, 10) + login("me", "hunter2");
	r += copied("one", 42, argc) + copied("two", 42, 2);
	printf("%ld\n", r);
	return argc > 1;
}
