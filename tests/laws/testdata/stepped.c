/* A signal at every instruction of a hooked call, whose handler makes hooked
 * calls itself. Says how many calls of work and tick there were.
 *
 *   stepped ROUNDS [string]     string: what work gets is a pointer to one */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "step.h"

__attribute__((noinline, visibility("default"))) long work(long a) { __asm__ volatile(""); return a + 1; }
__attribute__((noinline, visibility("default"))) long tick(long a) { __asm__ volatile(""); return a + 1; }
static volatile long works, ticks, sum, wrong;

static void on_trap(int sig)
{
	long n = ++ticks;
	if (tick(n) != n + 1)
		wrong++;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 100, string = argc > 2;
	static const char *const text[] = { "thirty bytes, which are ASCII", "nöt all of thëse are ASCII, ö", "", "x" };
	struct sigaction sa = { .sa_handler = on_trap };
	sigaction(SIGTRAP, &sa, 0);
	work(string ? (long)text[0] : 0);
	works++;
	tick(0);
	for (int i = 0; i < rounds; i++) {
		long a = string ? (long)text[i % 4] : i;
		step_on();
		long r = work(a);
		step_off();
		works++;
		if (r != a + 1)
			wrong++;
	}
	printf("work %ld tick %ld wrong %ld\n", works, ticks + 1, wrong);
	return 0;
}
