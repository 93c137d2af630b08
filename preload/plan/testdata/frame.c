/* Functions without a prototype that the planner knows. yes_: may be called
 * through a frame. no_: reads its caller's stack, or may; only its entry can be
 * recorded. */
#define _GNU_SOURCE
#include <alloca.h>
#include <stdarg.h>
#include <string.h>

extern void use(void *, ...);
typedef struct { long a[5]; } big;

long yes_leaf(long a, long b) { return a * b + 1; }
long yes_six(long a, long b, long c, long d, long e, long f) { char buf[100]; use(buf, a, b); return a + b + c + d + e + f; }
long yes_double(double a, double b, double c, long d) { return a * b + c + d; }
long yes_array(long n) { long v[200]; use(v); return v[n & 127]; }
long yes_alloca(long n) { char *p = alloca(n); use(p); return p[n / 2]; }
long yes_vla(long n) { long v[n]; use(v); for (long i = 1; i < n; i++) v[0] += v[i]; return v[0]; }
long yes_aligned(long n) { long v[8] __attribute__((aligned(64))); use(v); return v[n & 7]; }
long yes_switch(long n, long *p)
{
	char buf[64];
	use(buf);
	switch (n) {
	case 0: use(p); return 4;
	case 1: use(p, 1); return p[3] * 7;
	case 2: use(p, 2, buf); return 19;
	case 3: return p[1] / p[2];
	case 4: use(buf, p); use(p, p); return 0;
	case 5: use(buf); return p[9];
	case 6: return p[1] ^ p[4];
	default: return -1;
	}
}
long yes_switch_leaf(long n, long *p)
{
	switch (n) {
	case 0: return p[1] * 3;
	case 1: return p[3] * 7;
	case 2: p[2]++; return 19;
	case 3: return p[1] / p[2];
	case 4: p[1] = 9; return p[7];
	case 5: return p[9] % 11;
	case 6: return p[1] ^ p[4];
	default: return -1;
	}
}
long yes_big_frame(long n) { char v[100000]; use(v); return v[n]; }
long yes_passes_stack_arguments(long a) { use(&a, a, a, a, a, a, a, a, a, a); return a; }
long yes_returns_struct_field(big *p) { return p->a[3]; }
big yes_returns_big(long a) { big b = { { a, a + 1, a + 2 } }; return b; }
static __attribute__((noinline)) long local(long a) { char b[30]; use(b); return a + b[0]; }
long yes_tail_calls_local(long a) { return local(a + 1); }
long yes_tail_calls_exported(long a) { return yes_leaf(a, 3); }

long no_seven(long a, long b, long c, long d, long e, long f, long g) { return a + b + c + d + e + f + g; }
long no_ninth(long a, long b, long c, long d, long e, long f, long g, long h, long i) { char v[100]; use(v); return v[3] + i; }
long no_seven_framed(long a, long b, long c, long d, long e, long f, long g) { char *p = alloca(a); use(p); return g; }
long no_float_nine(double a, double b, double c, double d, double e, double f, double g, double h, double i) { return i; }
long no_struct(big b) { return b.a[2]; }
long no_struct_later(long n, big b) { char v[300]; use(v); if (n) return b.a[n]; return 0; }
long no_variadic(int n, ...)
{
	va_list ap;
	long sum = 0;
	va_start(ap, n);
	while (n--)
		sum += va_arg(ap, long);
	va_end(ap);
	return sum;
}
void *no_return_address(void) { return __builtin_return_address(0); }
void *no_frame_address(long a) { char v[50]; use(v, a); return __builtin_return_address(0); }
long no_address_of_argument(long a, long b, long c, long d, long e, long f, long g) { use(&g); return g; }
static __attribute__((noinline)) long local7(long a, long b, long c, long d, long e, long f, long g) { char v[30]; use(v, a, b, c, d, e, f); return g; }
long no_tail_calls_seven(long a, long b, long c, long d, long e, long f, long g) { return local7(b, a, c, d, e, f, g); }
long no_tail_calls_exported(long a, long b, long c, long d, long e, long f, long g) { return no_seven(b, a, c, d, e, f, g); }
long no_tail_calls_pointer(long (*f)(long), long b) { return f(b); }
long no_tail_calls_unknown(void *p) { extern long unknown(void *); return unknown(p); }
