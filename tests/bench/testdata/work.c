/* The functions that are probed: about 1 ns each, so that what is added shows. */
#include <stdint.h>
#define KEEP __attribute__((noinline, visibility("default")))
KEEP long work_six(long a, long b, long c, long d, long e, long f) { return a + 2 * b + c + d + e + f; }
KEEP long work_count(long a, long b) { return a + 3 * b + 7; }
KEEP long work_filtered(long a, long b) { return 3 * a + 5 * b + 7; }
KEEP long work_hist(long a, long b) { return 2 * a + 5 * b + 1; }
KEEP long work_ruled(long a, long b, long c, long d, long e, long f) { return a + 2 * b + c + d + e + 3 * f; }
KEEP long work_chance(long a, long b, long c, long d, long e, long f) { return a + 2 * b + c + d + e + 5 * f; }
KEEP long work_native(long a, long b, long c, long d, long e, long f) { return a + 2 * b + c + d + e + 6 * f; }
KEEP long work_after(long a, long b, long c, long d, long e, long f) { return a + 2 * b + c + d + e + 7 * f; }
KEEP long work_vectors(long a, long b, long c, long d, long e, long f) { return a + 2 * b + c + d + e + 8 * f; }
KEEP long work_break(long a, long b, long c, long d, long e, long f) { return a + 2 * b + c + d + e + 9 * f; }
KEEP long work_plain(long a, long b) { return 7 * a + 3 * b + 1; }
