/* gcc knows which registers a function of the same file leaves alone (-fipa-ra)
 * and keeps its own values there across the call. */
#include <stdio.h>
__attribute__((noinline, visibility("default"))) int leaf(int x) { return x * 3 + 1; }
__attribute__((noinline)) static long loop(long a, long b, long c, long d, long e, long f, int n)
{
	long s = 0;
	for (int i = 0; i < n; i++) {
		s += leaf(i) + a * b + c * d + e * f;
		a += s; b ^= a; c += b; d -= c; e += d; f ^= e;
	}
	return s + a + b + c + d + e + f;
}
int main(int argc, char **argv)
{
	printf("%ld\n", loop(argc, 2, 3, 4, 5, 6, 1000));
	return 0;
}
