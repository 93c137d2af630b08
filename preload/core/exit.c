/* exit.c: the end of a process whose reader cannot drain the arena itself.
 *
 * seam's own readers adopt what is left, and nobody waits. A reader that only
 * knows the stream gets the rest from the agent, which is given FLUSH_NS.
 */
#include <errno.h>
#include "load.h"
#include "sys.h"

#define FLUSH_NS 200000000ll

static int anything_recorded(void)
{
	return seam->arena->chunk_uid != 0;
}

static int another_drains(void)
{
	uint32_t owner = __atomic_load_n(&seam->arena->owner, __ATOMIC_ACQUIRE);
	return owner && !(owner & SEAM_OWNER_DIED) && seam->arena->owner_pid != seam->pid;
}

/* Have the agent send all there is, and, if it is to end, stop at a point where what
 * it sent is noted. 0, or -1: it did not in time. */
int seam_flush(void)
{
	if (!seam->arena || !seam->socket[0] || !anything_recorded() || another_drains())
		return 0;
	if (seam_go_wait(FLUSH_NS))
		return -1;
	uint32_t mine = __atomic_add_fetch(&seam->flush_asked, 1, __ATOMIC_ACQ_REL);
	__atomic_add_fetch(&seam->arena->work, 1, __ATOMIC_RELEASE);
	futex_wake(&seam->arena->work, 1 << 30);
	struct ktime t0, t;
	sys2(SYS_clock_gettime, 1, &t0);
	for (;;) {
		uint32_t done = __atomic_load_n(&seam->flush_done, __ATOMIC_ACQUIRE);
		if (done == mine)
			return 0;
		sys2(SYS_clock_gettime, 1, &t);
		int64_t left = FLUSH_NS - ((t.sec - t0.sec) * 1000000000 + t.nsec - t0.nsec);
		if (left <= 0)
			return -1;
		futex_wait(&seam->flush_done, done, left);
	}
}

/* An agent that does not run yet would find nobody to send to. One that is busy is somebody. */
static int nobody_listens(void)
{
	int s = seam_dial(seam->socket);
	if (s >= 0)
		sys1(SYS_close, s);
	return s < 0 && (errno == ENOENT || errno == ECONNREFUSED);
}

__attribute__((destructor)) static void seam_flush_at_exit(void)
{
	if (!seam || !seam->arena || seam_reader_takes_rest() || !begin_calls())
		return;
	int saved = errno;
	if ((uint32_t)sys0(SYS_getpid) == seam->pid && seam->socket[0] && anything_recorded() &&
	    (seam->go_state == SEAM_GO_ON || !nobody_listens())) {
		if (seam->go_state == SEAM_GO_OFF && seam->start != SEAM_START_NEVER && seam->arena->owner == 0)
			seam_go_start();
		seam_flush();
	}
	errno = saved;
	end_calls();
}
