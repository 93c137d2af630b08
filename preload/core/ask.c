/* ask.c: have a running agent make plans, from a loader event. */
#include "core.h"
#include "sys.h"

void seam_ask(int64_t ns)
{
	uint32_t mine = __atomic_add_fetch(&seam->plan_asked, 1, __ATOMIC_ACQ_REL);
	futex_wake(&seam->plan_asked, 1 << 30);
	struct ktime t0, t;
	sys2(SYS_clock_gettime, 1, &t0);
	for (;;) {
		uint32_t done = __atomic_load_n(&seam->plan_done, __ATOMIC_ACQUIRE);
		if (done == mine)
			return;
		sys2(SYS_clock_gettime, 1, &t);
		int64_t left = ns - ((t.sec - t0.sec) * 1000000000 + t.nsec - t0.nsec);
		if (left <= 0)
			return;
		futex_wait(&seam->plan_done, done, left);
	}
}
