/* gothreads.c: what the Go runtime gets instead of four libc functions.
 *
 * Hidden definitions: only objects of this library (runtime/cgo) bind to them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include "load.h"
#include "sys.h"

/* libc ends the process when its last thread ends, and counts the agent's too.
 * Take them out, so that the end of the host's last thread is the end. The
 * counter is GLIBC_PRIVATE, seen in 2.34 to 2.36; where it is not found, a
 * process whose last host thread calls pthread_exit stays.
 *
 * A new thread is counted until it takes itself out, and so the host's last
 * thread may find that it is not the last. Then whoever brings the count to
 * nothing has the process end, by the keeper. Unless the host is in exit() already:
 * a count of nothing before a thread is made says so, and stays said. */
static int hold_count(void)
{
	uint32_t *n = seam->nptl_nthreads;
	if (!n)
		return 0;
	for (uint32_t was = __atomic_load_n(n, __ATOMIC_SEQ_CST); was;)
		if (__atomic_compare_exchange_n(n, &was, was + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return 1; /* until this is given back no host thread takes itself for the last */
	__atomic_store_n(&seam->host_exits, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static void not_counted(void)
{
	uint32_t *n = seam->nptl_nthreads;
	if (n && !__atomic_sub_fetch(n, 1, __ATOMIC_SEQ_CST) && !__atomic_load_n(&seam->host_exits, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&seam->host_gone, 1, __ATOMIC_SEQ_CST);
		futex_wake(&seam->host_gone, 1);
	}
}

void seam_agent_begins(void)
{
	seam_tls.guard = SEAM_GUARD_AGENT;
	not_counted(); /* first: what follows may be its end */
	seam_agent_born();
}

static int make(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *arg)
{
	int begun = seam_libc_begins();
	__atomic_add_fetch(&seam->births, 1, __ATOMIC_SEQ_CST);
	int held = hold_count();
	int rc = seam->pthread_create(t, a, fn, arg);
	if (held)
		not_counted();
	if (rc)
		__atomic_sub_fetch(&seam->births, 1, __ATOMIC_SEQ_CST);
	seam_libc_ends(begun);
	return rc;
}

int seam_agent_thread(size_t stack, void *(*fn)(void *))
{
	pthread_attr_t attr;
	pthread_t t;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, stack);
	int rc = make(&t, &attr, fn, 0);
	pthread_attr_destroy(&attr);
	return rc;
}

void seam_keep(void)
{
	sig_block_host();
	seam_tls.idle = 1;
	while (!__atomic_load_n(&seam->host_gone, __ATOMIC_SEQ_CST))
		futex_wait(&seam->host_gone, 0, -1);
	seam_tls.idle = 0;
	seam_tls.guard = 0; /* what the host's exit handlers call is the host's */
	sys4(SYS_rt_sigprocmask, SIG_SETMASK, &seam->load_mask, 0, 8);
	exit(0);
}

void seam_park_thread(void)
{
	uint32_t never = 0;
	sig_block_host();
	seam_tls.idle = 1;
	for (;;)
		futex_wait(&never, 0, -1);
}

struct start { void *(*fn)(void *); void *arg; };

static void *agent_thread(void *p)
{
	struct start s = *(struct start *)p;
	seam_agent_begins();
	free(p);
	s.fn(s.arg);
	seam_park_thread(); /* it is not in libc's count: its end would take off another's */
	return 0;
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
	int rc = make(t, a, agent_thread, s);
	if (rc && rc != EAGAIN)
		seam_park();
	if (rc)
		free(s);
	return rc;
}

/* libc's, which allocate: a fork must not find us in there. */
__attribute__((visibility("hidden")))
int pthread_getattr_np(pthread_t t, pthread_attr_t *a)
{
	int begun = seam_libc_begins();
	int rc = seam_waking.pthread_getattr_np(t, a);
	seam_libc_ends(begun);
	return rc;
}

__attribute__((visibility("hidden")))
int pthread_attr_destroy(pthread_attr_t *a)
{
	int begun = seam_libc_begins();
	int rc = seam_waking.pthread_attr_destroy(a);
	seam_libc_ends(begun);
	return rc;
}

__attribute__((visibility("hidden"), noreturn))
void abort(void)
{
	seam_park();
	__builtin_unreachable();
}
