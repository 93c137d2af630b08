/* A library that comes late: its constructor calls what is watched, too. */
#include <stdio.h>

#ifndef NUMBER
#define NUMBER 1
#endif

int late_work(int n);

/* The same layout in each build, other code: a stale patch would show. */
__attribute__((noinline)) int late_inner(int n) { return n * NUMBER + 1; }
__attribute__((noinline)) int late_work(int n) { return late_inner(n) + 1; }

__attribute__((constructor)) static void begin(void)
{
	static volatile int sum;
	for (int i = 0; i < 3; i++)
		sum += late_work(i);
}
