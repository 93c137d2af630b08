/* clock.c: the time stamp counter where it can be trusted, else CLOCK_MONOTONIC. */
#define _GNU_SOURCE
#include <cpuid.h>
#include <time.h>
#include "core.h"

/* Ticks in a nanosecond, once measured. */
SEAM_DATA static double rate;

static uint64_t monotonic(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

void seam_clock_init(void)
{
	unsigned a, b, c, d;
	seam->clock = monotonic;
	/* invariant TSC: constant rate in all power states, the same on all cores */
	seam_use_tsc = __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
}

/* The rate is measured, for 200 us, only when a filter on duration needs it here. */
uint64_t seam_ticks(int64_t ns)
{
	if (ns <= 0)
		return 0;
	if (!seam_use_tsc)
		return ns;
	if (rate == 0) {
		uint64_t n0 = monotonic(), t0 = __builtin_ia32_rdtsc(), n;
		while ((n = monotonic()) - n0 < 200000)
			;
		rate = (double)(__builtin_ia32_rdtsc() - t0) / (double)(n - n0);
	}
	return (double)ns * rate;
}
