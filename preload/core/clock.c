/* clock.c: the time stamp counter where it can be trusted, else CLOCK_MONOTONIC.
 *
 * A process that confines itself may lose both: the counter (prctl(PR_SET_TSC),
 * strict seccomp) and system calls. What it reads then, in the unit the arena has:
 *
 *   counter forbidden                CLOCK_MONOTONIC by system call
 *   system calls forbidden           the counter, as before
 *   both, or there was no counter    CLOCK_MONOTONIC_COARSE of the vDSO, which is
 *                                    plain memory; a few ms coarse
 */
#define _GNU_SOURCE
#pragma GCC target("general-regs-only")
#include <cpuid.h>
#include <time.h>
#include "core.h"
#include "sys.h"

#define CALIBRATE_NS 200000
#define MONOTONIC 1
#define MONOTONIC_COARSE 6

static uint64_t ns_of(const struct ktime *t) { return t->sec * 1000000000ull + t->nsec; }

static long ask_kernel(long which, void *t) { return sys2(SYS_clock_gettime, which, t); }

/* Runs on the hot path: vector registers stay as they are. */
static uint64_t monotonic(void)
{
	struct ktime t = { 0, 0 };
	long (*ask)(long, void *) = seam->vdso_clock ? seam->vdso_clock : ask_kernel;
	seam_keep_sse(ask, MONOTONIC, &t);
	return ns_of(&t);
}

static uint64_t in_ticks(uint64_t ns)
{
	if (ns <= seam->clock_ns0)
		return seam->clock_tick0; /* the coarse clock lags behind the fine one */
	return seam->clock_tick0 + (uint64_t)(((unsigned __int128)(ns - seam->clock_ns0) * seam->clock_rate) >> 32);
}

static uint64_t by_kernel(void)
{
	struct ktime t = { 0, 0 };
	ask_kernel(MONOTONIC, &t);
	return in_ticks(ns_of(&t));
}

static uint64_t by_memory(void)
{
	struct ktime t = { 0, 0 };
	if (!seam->vdso_clock)
		return seam->clock_tick0; /* time stands still: better than the end of the host */
	seam_keep_sse(seam->vdso_clock, MONOTONIC_COARSE, &t);
	return in_ticks(ns_of(&t));
}

void seam_clock_init(void)
{
	unsigned a, b, c, d;
	seam->clock = monotonic;
	/* invariant TSC: constant rate in all power states, the same on all cores */
	seam_use_tsc = __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
}

/* Ticks in a nanosecond, 32.32; measured, once, over CALIBRATE_NS at least. */
static uint64_t measure(uint64_t n0, uint64_t t0)
{
	uint64_t n;
	while ((n = monotonic()) - n0 < CALIBRATE_NS)
		;
	return (uint64_t)(((unsigned __int128)(__builtin_ia32_rdtsc() - t0) << 32) / (n - n0));
}

/* For filters on duration. */
uint64_t seam_ticks(int64_t ns)
{
	if (ns <= 0)
		return 0;
	if (!seam->clock_rate)
		seam->clock_rate = seam_use_tsc ? measure(monotonic(), __builtin_ia32_rdtsc()) : 1ull << 32;
	return (uint64_t)(((unsigned __int128)ns * seam->clock_rate) >> 32);
}

void seam_clock_confine(uint32_t notsc)
{
	uint64_t (*next)(void) = seam_quiet() ? by_memory : by_kernel;
	if (!notsc && seam_use_tsc)
		return;
	const struct seam_arena *a = seam->arena;
	if (seam_use_tsc && a) {
		seam->clock_rate = measure(seam->fixed.mono0_ns, seam->fixed.tsc0);
		seam->clock_ns0 = monotonic();
		seam->clock_tick0 = __builtin_ia32_rdtsc();
	} else if (!seam->clock_ns0) {
		seam->clock_rate = 1ull << 32;
		seam->clock_ns0 = seam->clock_tick0 = monotonic();
	}
	__atomic_store_n(&seam->clock, next, __ATOMIC_RELEASE);
	seam_use_tsc = 0;
	/* calls that are done in the assembly read the counter there */
	for (uint32_t i = 0; i < seam->nruns; i++)
		if (seam->runs[i].kind == SEAM_SITE_FULL)
			__atomic_or_fetch(&seam->runs[i].special, SEAM_SP_STACK, __ATOMIC_RELAXED);
}
