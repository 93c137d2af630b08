/* hot.h: included first by every file that runs on the host's thread inside a
 * call (enter.c, act.c, chunk.c, drop.c, read.c, process.c, handover.c).
 *
 * Rules of these files: no libc, no errno, no lock, no allocation, no
 * unbounded loop, no vector or x87 register. The compiler is told below;
 * the names that would break the rules do not compile.
 */
#ifndef SEAM_HOT_H
#define SEAM_HOT_H
#pragma GCC target("general-regs-only")
#pragma GCC optimize("no-tree-loop-distribute-patterns") /* loops stay loops: no memcpy, no memset */
#include <stddef.h>
#include <stdint.h>
#include "core.h"
#include "frame.h"
#include "sys.h"
#pragma GCC poison memcpy memset memmove strlen malloc free errno pthread_mutex_lock printf dlsym getpid abort

extern __thread struct seam_tls seam_tls __attribute__((tls_model("initial-exec")));

void seam_loader_event(void); /* load.c: the one exception to the rules, inside dlopen */

#define barrier() __asm__ volatile("" ::: "memory") /* for signal handlers on this thread */

/* The state of the calling task: its TLS, unless that is another's too (twin.c). */
static inline struct seam_tls *self(void)
{
	struct seam_tls *t = &seam_tls;
	return likely(t->guard != SEAM_GUARD_SHARED) ? t : seam_whose();
}

/* The guard, for the call with frame f. In one instruction: a signal handler may
 * switch to another coroutine of this thread. 0: somebody has it. */
static inline int take_guard(struct seam_tls *t, const struct seam_frame *f)
{
	uint64_t was = 0;
	__asm__ volatile("cmpxchgq %2, %1" : "+a"(was), "+m"(t->guard) : "r"((uint64_t)f) : "cc", "memory");
	return likely(was == 0) || seam_left_by_jump(t, f);
}

static inline uint64_t now_ticks(void)
{
	if (likely(seam_use_tsc)) {
		uint32_t lo, hi;
		__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
		return (uint64_t)hi << 32 | lo;
	}
	return seam->clock();
}
static inline void copy_bytes(void *to, const void *from, size_t n)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}
#endif
