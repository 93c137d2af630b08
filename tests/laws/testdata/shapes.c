/* Every way in which C passes and returns things. Nothing here has a prototype
 * that seam knows. */
#include <complex.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define API __attribute__((noinline, noipa, visibility("default")))
struct big { long a[9]; };
struct two { long a, b; };
struct dbl { double a, b; };
struct mix { double a; long b; };
API long sum10(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j)
{ return a + 2*b + 3*c + 4*d + 5*e + 6*f + 7*g + 8*h + 9*i + 10*j; }
API struct big give_big(long x) { struct big b; for (int i = 0; i < 9; i++) b.a[i] = x * i; return b; }
API long take_big(struct big b, long x) { long s = x; for (int i = 0; i < 9; i++) s = s * 3 + b.a[i]; return s; }
API struct two give_two(long x) { return (struct two){ x, ~x }; }
API struct dbl give_dbl(double x) { return (struct dbl){ x, -x }; }
API struct mix give_mix(double x) { return (struct mix){ x, (long)x * 3 }; }
API long double give_ld(long double x) { return x * 1.0000000001L; }
API _Complex long double give_cld(long double x) { return x + 2.0L * x * I; }
API __int128 give_128(long x) { return (__int128)x * x * x * x * x; }
API double sum_doubles(double a, double b, double c, double d, double e, double f, double g, double h, double i, double j)
{ return a + b/2 + c/3 + d/4 + e/5 + f/6 + g/7 + h/8 + i/9 + j/10; }
API long mixed(int a, double b, char c, float d, short e, long f, long g, double h, long i, long j)
{ return a + b * 2 + c * 3 + d * 4 + e * 5 + f * 6 + g * 7 + h * 8 + i * 9 + j * 10; }
API double variadic(int n, ...)
{
	va_list v;
	double s = 0;
	va_start(v, n);
	for (int i = 0; i < n; i++)
		s = s * 1.5 + (i % 2 ? va_arg(v, double) : va_arg(v, int));
	va_end(v);
	return s;
}
static long (*volatile again)(long);
API long deep(long n) { volatile char pad[64]; pad[n % 64] = n; return n ? again(n - 1) + pad[n % 64] * 0 + 1 : 0; }
API char *aligned(long n) { __attribute__((aligned(32))) static char b[64]; __attribute__((aligned(32))) volatile char l[32]; l[0] = n; return (unsigned long)l % 32 ? 0 : b; }
static long with_chain(long n)
{
	long acc = n;
	__attribute__((noinline)) long inner(long x) { acc += x; return acc * 2; } /* gets n's frame in r10 */
	long (*volatile f)(long) = inner;
	return f(3) + f(4) + acc;
}
typedef float v8 __attribute__((vector_size(32)));
API v8 __attribute__((target("avx"))) give_v8(v8 a, v8 b) { return a * b + a; }
static __attribute__((target("avx"))) float use_v8(int i)
{
	v8 a = { i, 1, 2, 3, 4, 5, 6, 7 }, b = a + 1, c = give_v8(a, b);
	return c[0] + c[3] * 2 + c[7] * 3;
}
int main(void)
{
	again = deep;
	for (int i = 0; i < 300; i++) {
		struct big b = give_big(i);
		struct two t = give_two(i);
		struct dbl d = give_dbl(i / 3.0);
		struct mix m = give_mix(i / 7.0);
		_Complex long double c = give_cld(i / 11.0L);
		__int128 q = give_128(i * 1000003l);
		printf("%ld %ld %ld %ld %ld %.17g %.17g %.17g %ld", sum10(i, 2, 3, 4, 5, 6, 7, 8, 9, 10), b.a[8], take_big(b, i), t.a, t.b, d.a, d.b, m.a, m.b);
		printf(" %.20Lg %.20Lg %.20Lg %lx %lx", give_ld(i / 13.0L), creall(c), cimagl(c), (long)(q >> 64), (long)q);
		printf(" %.17g %ld %.17g", sum_doubles(i, 1, 2, 3, 4, 5, 6, 7, 8, 9), mixed(i, 2.5, 3, 4.5f, 5, 6, 7, 8.5, 9, 10), variadic(9, i, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5));
		printf(" %ld %d %ld %g\n", deep(i), aligned(i) != 0, with_chain(i), __builtin_cpu_supports("avx") ? use_v8(i) : 0.0);
	}
	return 0;
}
