/* gothreads.c: what the Go runtime gets instead of two libc functions.
 *
 * Hidden definitions: only objects of this library (runtime/cgo) bind to them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include "core.h"
#include "sys.h"

struct start { void *(*fn)(void *); void *arg; };

static void *agent_thread(void *p)
{
	struct start s = *(struct start *)p;
	seam_tls.guard = SEAM_GUARD_AGENT;
	free(p);
	seam_agent_born();
	seam_not_counted();
	s.fn(s.arg);
	seam_park_thread(); /* it is not in libc's count: its end would take off another's */
	return 0;
}

/* libc ends the process when its last thread ends, and counts the agent's too.
 * Take them out, so that the end of the host's last thread is the end. The
 * counter is GLIBC_PRIVATE, seen in 2.34 to 2.36; where it is not found, a
 * process whose last host thread calls pthread_exit stays. */
void seam_not_counted(void)
{
	if (seam->nptl_nthreads)
		__atomic_sub_fetch(seam->nptl_nthreads, 1, __ATOMIC_ACQ_REL);
}

void seam_park_thread(void)
{
	uint32_t never = 0;
	sig_block_host();
	seam_tls.idle = 1;
	for (;;)
		futex_wait(&never, 0, -1);
}

/* Every thread of the Go runtime is born here and marked as the agent's. When
 * no thread can be had the runtime would abort the process: park instead. */
__attribute__((visibility("hidden")))
int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *arg)
{
	struct start *s = malloc(sizeof *s);
	if (!s)
		seam_park();
	*s = (struct start){ fn, arg };
	__atomic_add_fetch(&seam->births, 1, __ATOMIC_SEQ_CST);
	int rc = seam->pthread_create(t, a, agent_thread, s);
	if (rc)
		__atomic_sub_fetch(&seam->births, 1, __ATOMIC_SEQ_CST);
	if (rc && rc != EAGAIN)
		seam_park();
	if (rc)
		free(s);
	return rc;
}

__attribute__((visibility("hidden"), noreturn))
void abort(void)
{
	seam_park();
	__builtin_unreachable();
}
