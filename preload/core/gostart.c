/* gostart.c: the Go runtime, on demand, without a trace, more than once.
 *
 * Rules R1, R2, R3, R5 and R6 of RATIONALE.md are here. Order matters:
 *
 *   load      seam_go_init: find our writable segments. Go has not run.
 *   start     a keeper, which makes a helper thread and then waits for the host's
 *             end (gothreads.c); the helper, all signals blocked:
 *             1. unshare files and fs, close everything, /dev/null three times
 *             2. the image (goimage.c): first generation: relocate it, clear Go's
 *                signal table, keep a copy; later ones: put the copy back
 *             3. call Go's entry with a private argv/env/auxv block
 *             4. own the arena by robust futex, then sleep for ever: the kernel
 *                marks the futex when the process is gone, however it went
 *
 * Between 2 and 3 no other thread may use a static variable of this library:
 * the core keeps none that changes (core.h), and libc calls made here resolve
 * through a read-only, fully bound GOT (-z now).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include "facts.h"
#include "load.h"
#include "sys.h"

/* Filled by preload/postlink. In .data so that the bytes exist in the file. */
__attribute__((section(".data.seam_facts"), used))
const volatile struct seam_facts seam_facts = { .magic = 1 };

#define GO_MIN_ADDRESS_SPACE (4ull << 30) /* Go dies below 1 GiB; measured, see RATIONALE.md */
#define HELPER_STACK (256 << 10)
#define KEEPER_STACK (1 << 20) /* for the host's exit handlers */
#define THREAD_NAPS 20       /* of THREAD_NAP_NS: how long an execve may take until it cannot fail any more */
#define THREAD_NAP_NS 2000000

void seam_go_init(seam_objects *each)
{
	seam_image_find(each);
	seam->pthread_create = seam_waking.pthread_create;
	seam->nptl_nthreads = seam_waking.nptl_nthreads;
	seam->go_reason = SEAM_WHY_NONE;
	if (seam_facts.magic != SEAM_FACTS_MAGIC || seam->nsegs == 0 || !seam->pthread_create || seam->base >> 32 == 0) {
		seam->go_reason = SEAM_WHY_FACTS;
		seam->go_state = SEAM_GO_FAILED;
	}
}

/* Go reads its arguments, environment and auxiliary vector from one block, as
 * the kernel would lay it out. Ours holds nothing of the host's. */
static uint64_t *private_block(void)
{
	static char name[] = "seam";
	static const unsigned long keys[] = { AT_PAGESZ, AT_RANDOM, AT_HWCAP, AT_HWCAP2, AT_SYSINFO_EHDR, AT_SECURE, AT_CLKTCK };
	uint64_t *b = seam->auxblock, *p = b, cpus[128] = { 0 };
	sys3(SYS_sched_getaffinity, 0, sizeof cpus, cpus);
	int n = 0;
	for (size_t i = 0; i < sizeof cpus / sizeof *cpus; i++)
		n += __builtin_popcountll(cpus[i]);
	/* The bounds of the agent's parallelism and memory in the program. Set later,
	 * from Go, each would stop all of Go's threads for it. */
	char *env[] = { n == 1 ? "GOMAXPROCS=1" : "GOMAXPROCS=2", "GOGC=200", "GOMEMLIMIT=64MiB", "GOTRACEBACK=none" };
	*p++ = (uint64_t)name;
	*p++ = 0; /* end of argv */
	for (size_t i = 0; i < sizeof env / sizeof *env; i++)
		*p++ = (uint64_t)env[i];
	*p++ = 0; /* end of environment */
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		uint64_t v = getauxval(keys[i]);
		if (!v)
			continue;
		*p++ = keys[i];
		*p++ = v;
	}
	*p++ = AT_NULL;
	*p = 0;
	return b;
}

static void fail(uint32_t why)
{
	seam->go_reason = why;
	__atomic_store_n(&seam->go_state, SEAM_GO_FAILED, __ATOMIC_RELEASE);
	if (seam->arena) {
		__atomic_add_fetch(&seam->arena->lost[SEAM_START_FAILED], 1, __ATOMIC_RELAXED);
		struct seam_proc *pr = (struct seam_proc *)((char *)seam->arena + seam->fixed.procs_off) + seam->proc;
		pr->go_reason = why;
		pr->go_state = SEAM_GO_FAILED;
	}
	futex_wake(&seam->go_state, 1 << 30);
}

/* Own the arena with the kernel as witness. */
static void own_arena(void)
{
	while (!__atomic_load_n(&seam->arena_ready, __ATOMIC_ACQUIRE))
		futex_wait(&seam->arena_ready, 0, -1); /* started in the constructor, to plan */
	seam_tls.idle = 1;
	uint32_t *w = &seam->arena->owner, tid = sys0(SYS_gettid);
	seam->robust_entry.next = &seam->robust;
	seam->robust_entry.word = w;
	seam->robust.next = &seam->robust;
	seam->robust.off = (char *)w - (char *)&seam->robust_entry;
	seam->robust.pending = &seam->robust_entry;
	sys2(SYS_set_robust_list, &seam->robust, sizeof seam->robust);
	for (;;) {
		uint32_t was = __atomic_load_n(w, __ATOMIC_ACQUIRE);
		if (was == 0 || (was & SEAM_OWNER_DIED)) {
			if (__atomic_compare_exchange_n(w, &was, tid, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
				break;
			continue;
		}
		futex_wait(w, was, 1000000000); /* another agent, or the collector, drains */
	}
	seam->arena->owner_pid = seam->pid;
	seam->robust.next = &seam->robust_entry;
	seam->robust.pending = 0;
	__atomic_store_n(&seam->owns, 1, __ATOMIC_RELEASE);
	futex_wake(&seam->owns, 1 << 30);
}

static void *helper(void *arg)
{
	seam_agent_begins();
	if (sys1(SYS_unshare, CLONE_FILES | CLONE_FS)) {
		fail(SEAM_WHY_FILES);
		seam_park_thread();
	}
	if (sys3(SYS_close_range, 0, ~0u, 0)) {
		struct rlimit rl = { 1024, 1024 };
		getrlimit(RLIMIT_NOFILE, &rl);
		for (unsigned i = 0; i < rl.rlim_cur && i < 1 << 20; i++)
			sys1(SYS_close, i);
	}
	for (int i = 0; i < 3; i++) /* a chroot may have no /dev/null: any descriptor will do */
		if (sys3(SYS_open, "/dev/null", O_RDWR | O_CLOEXEC, 0) < 0 && sys2(SYS_memfd_create, "seam-null", 1) < 0) {
			fail(SEAM_WHY_FILES);
			seam_park_thread();
		}
	uint32_t why = seam_image_ready();
	if (why) {
		fail(why);
		seam_park_thread();
	}
	__atomic_store_n(&seam->go_generation, seam->go_generation + 1, __ATOMIC_RELAXED);
	void (*rt0)(long, uint64_t *) = (void *)(seam->base + seam_facts.rt0);
	rt0(1, private_block());
	own_arena();
	seam_park_thread();
	return 0;
}

/* The one thread of ours that has the host's descriptors: it makes the others, and
 * may have to run the host's exit handlers. */
static void *keeper(void *arg)
{
	seam_agent_begins();
	/* While another thread executes a program the kernel makes none (copy_fs: in_exec): then
	 * either we end with it, or its execve fails. */
	struct ktime nap = { 0, THREAD_NAP_NS };
	int rc;
	for (int n = 0; (rc = seam_agent_thread(HELPER_STACK, helper)) == EAGAIN && n < THREAD_NAPS; n++)
		sys2(SYS_nanosleep, &nap, 0);
	if (rc)
		fail(SEAM_WHY_THREAD);
	seam_keep();
}

/* 0: a keeper is born. -1: there is an agent, or one is being started. */
static int start(void)
{
	uint32_t off = SEAM_GO_OFF;
	if (!__atomic_compare_exchange_n(&seam->go_state, &off, SEAM_GO_STARTING, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return off == SEAM_GO_FAILED || off == SEAM_GO_PARKED ? (int)seam->go_reason : -1;
	struct rlimit rl;
	if ((uint32_t)sys0(SYS_getpid) != seam->libc_pid) {
		fail(SEAM_WHY_FORK); /* made by a raw clone: libc's locks may be held by threads that do not exist here */
		return SEAM_WHY_FORK;
	}
	if (!getrlimit(RLIMIT_AS, &rl) && rl.rlim_cur < GO_MIN_ADDRESS_SPACE) {
		fail(SEAM_WHY_ADDRESS_SPACE);
		return SEAM_WHY_ADDRESS_SPACE;
	}
	ksigset old = sig_block_all();
	int rc = seam_agent_thread(KEEPER_STACK, keeper);
	sig_restore(old);
	if (rc)
		fail(SEAM_WHY_THREAD);
	return rc ? SEAM_WHY_THREAD : 0;
}

int seam_go_start(void)
{
	int saved = errno;
	uint64_t guard = guard_core();
	__atomic_add_fetch(&seam->births, 1, __ATOMIC_SEQ_CST); /* before it can be seen as starting */
	int rc = start();
	__atomic_sub_fetch(&seam->births, 1, __ATOMIC_SEQ_CST);
	seam_tls.guard = guard;
	errno = saved;
	return rc < 0 ? 0 : rc;
}

int seam_go_wait(int64_t ns)
{
	struct ktime t0, t;
	sys2(SYS_clock_gettime, 1, &t0);
	for (;;) {
		uint32_t s = __atomic_load_n(&seam->go_state, __ATOMIC_ACQUIRE);
		if (s == SEAM_GO_ON)
			return 0;
		if (s != SEAM_GO_STARTING)
			return -1;
		sys2(SYS_clock_gettime, 1, &t);
		int64_t left = ns - ((t.sec - t0.sec) * 1000000000 + t.nsec - t0.nsec);
		if (left <= 0)
			return -1;
		futex_wait(&seam->go_state, SEAM_GO_STARTING, left);
	}
}

static void publish_state(uint32_t s)
{
	__atomic_store_n(&seam->go_state, s, __ATOMIC_RELEASE);
	if (seam->arena)
		((struct seam_proc *)((char *)seam->arena + seam->fixed.procs_off))[seam->proc].go_state = s;
	futex_wake(&seam->go_state, 1 << 30);
}

void seam_go_ready(void)
{
	publish_state(SEAM_GO_ON);
}

void seam_give_back(void)
{
	if (seam->arena && seam->arena->owner_pid == seam->pid) {
		__atomic_or_fetch(&seam->arena->owner, SEAM_OWNER_DIED, __ATOMIC_ACQ_REL);
		futex_wake(&seam->arena->owner, 1);
	}
}

/* Where Go's fatal errors end (postlink redirects exit, dieFromSignal, raise,
 * raiseproc and abort here): give the arena back and keep this thread for ever.
 * The stack may be a small goroutine stack: no libc, little stack. */
void seam_park(void)
{
	sig_block_host();
	if (seam) {
		publish_state(SEAM_GO_PARKED);
		seam_callbacks_end();
		seam_give_back();
	}
	uint32_t never = 0;
	seam_tls.idle = 1;
	for (;;)
		futex_wait(&never, 0, -1);
}
