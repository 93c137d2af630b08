/* A library whose functions are reached in every way there is. way_short and way_picked_short
 * can't be patched: four bytes, and the next function behind them. */
#include <stddef.h>

int way_plain(int n);
int way_short(int n);
int way_picked(int n);
int way_picked_short(int n);

__attribute__((noinline)) int way_plain(int n)
{
	static volatile int seen;
	seen = n;
	return n + 1;
}

__asm__(".text\n.balign 16\n"
	".globl way_short\n.type way_short,@function\nway_short:\n"
	".cfi_startproc\nlea 1(%rdi), %eax\nret\n.cfi_endproc\n.size way_short, .-way_short\n"
	".type short_pick,@function\nshort_pick:\n"
	".cfi_startproc\nlea 1(%rdi), %eax\nret\n.cfi_endproc\n.size short_pick, .-short_pick\n"
	".type short_end,@function\nshort_end:\n"
	".cfi_startproc\nlea 2(%rdi), %eax\nret\n.cfi_endproc\n.size short_end, .-short_end\n");
int short_pick(int n) __attribute__((visibility("hidden")));
int short_end(int n) __attribute__((visibility("hidden")));

__attribute__((noinline)) static int pick_one(int n) { return n + 1; }
__attribute__((noinline)) static int pick_two(int n) { return n - 1; }

static int never;
static int (*choose(void))(int) { return *(volatile int *)&never ? pick_two : pick_one; }
static int (*choose_short(void))(int) { return *(volatile int *)&never ? short_end : short_pick; }
int way_picked(int n) __attribute__((ifunc("choose")));
int way_picked_short(int n) __attribute__((ifunc("choose_short")));

typedef int function(int);
static function *const table[] = { way_plain, way_short, way_picked, way_picked_short };
static function *before[4];

/* Runs before seam does: the loader begins with those that depend on nothing. */
__attribute__((constructor)) static void begin(void)
{
	for (int i = 0; i < 4; i++)
		before[i] = *(function *volatile const *)&table[i];
}

/* 100 calls through the library's own procedure linkage table, of its own table, ... */
int way_inside(int which)
{
	int sum = 0;
	for (int i = 0; i < 100; i++)
		sum += which == 0 ? way_plain(i) : which == 1 ? way_short(i) : which == 2 ? way_picked(i) : way_picked_short(i);
	return sum;
}
int way_table(int which)
{
	int sum = 0;
	for (int i = 0; i < 100; i++)
		sum += ((function *volatile const *)table)[which](i);
	return sum;
}
int way_before(int which)
{
	int sum = 0;
	for (int i = 0; i < 100; i++)
		sum += before[which](i);
	return sum;
}
