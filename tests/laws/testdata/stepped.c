/* A signal at every instruction of a hooked call, whose handler makes hooked
 * calls itself. Says how many calls there were: stepped.c, work and tick. */
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
	int rounds = argc > 1 ? atoi(argv[1]) : 100;
	struct sigaction sa = { .sa_handler = on_trap };
	sigaction(SIGTRAP, &sa, 0);
	work(0);
	works++;
	tick(0);
	for (int i = 0; i < rounds; i++) {
		step_on();
		long r = work(i);
		step_off();
		works++;
		if (r != i + 1)
			wrong++;
	}
	printf("work %ld tick %ld wrong %ld\n", works, ticks + 1, wrong);
	return 0;
}
