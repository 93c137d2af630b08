/* siglongjmp out of a signal handler, at the n-th instruction of a hooked call,
 * for all n: what follows must still be seen. With an argument work gets a pointer to a string. */
#include <setjmp.h>
#include <stdio.h>
#include "step.h"
__attribute__((noinline, visibility("default"))) long work(long a) { __asm__ volatile(""); return a + 1; }
__attribute__((noinline, visibility("default"))) long after(long a) { __asm__ volatile(""); return a + 1; }
static sigjmp_buf out;
static volatile long left;
static void on_trap(int sig)
{
	if (--left == 0)
		siglongjmp(out, 1);
}
int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_trap };
	long a = argc > 1 ? (long)argv[1] : 0;
	volatile long n, jumps = 0, afters = 0;
	sigaction(SIGTRAP, &sa, 0);
	work(a);
	for (n = 1; n < 400; n++) {
		left = n;
		if (sigsetjmp(out, 1) == 0) {
			step_on();
			work(a);
			step_off();
			break; /* beyond the last instruction */
		}
		jumps++;
		for (int i = 0; i < 10; i++, afters++)
			after(i);
	}
	printf("jumps %ld after %ld\n", jumps, afters);
	return 0;
}
