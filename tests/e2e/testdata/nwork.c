/* The library whose functions the callbacks of nwork_cb.c are for. */
#include <errno.h>
#include <setjmp.h>

jmp_buf nwork_env; /* where a callback of case JUMP goes */

__attribute__((noinline)) int work(int n)
{
	if (n < 0) {
		errno = EINVAL;
		return -1;
	}
	return 2 * n;
}

__attribute__((noinline)) long work8(long a, long b, long c, long d, long e, long f, long g, long h)
{
	return a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * f + 1000000 * g + 10000000 * h;
}
