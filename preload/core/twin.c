/* twin.c: processes that run in our memory, on the TLS of the thread that made
 * them: children of vfork, posix_spawn, and clone with CLONE_VM.
 *
 * Such a child can't be told from its maker by anything that lies in memory, and
 * asking the kernel in each call would cost more than the call. So the call that
 * makes it is watched, and puts SEAM_GUARD_SHARED into the guard of its thread's
 * TLS, which every call tests anyway. While it is there, calls go the slow way and
 * ask who they are. The state of each task, the maker's too, is out of line then:
 * its twin. The maker's is put back when it is alone again.
 *
 *   vfork        shared until the maker's next call: it was suspended until then
 *   posix_spawn  shared until it returns; the maker calls, too
 *   clone        with CLONE_VM, without CLONE_SETTLS: as vfork, or, without
 *                CLONE_VFORK, for good: both run at the same time
 *
 * A child that was given a TLS of its own needs no twin; its first call
 * (seam_thread_setup) finds that it is another process.
 */
#include "hot.h"

#define CLONE_VM_ 0x100u
#define CLONE_VFORK_ 0x4000u
#define CLONE_SETTLS_ 0x80000u
#define ESRCH_ (-3)

static void zero(void *p, size_t n)
{
	for (size_t i = 0; i < n / 8; i++)
		((volatile uint64_t *)p)[i] = 0;
}

static struct seam_tls *find(const struct seam_tls *of, uint32_t tid)
{
	for (int i = 0; i < SEAM_TWINS; i++)
		if (seam->twins[i].tid == tid && seam->twins[i].of == of)
			return &seam->twins[i].tls;
	return 0;
}

/* A place for the state of task tid, NULL: there is none. */
static struct seam_tls *place(struct seam_tls *of, uint32_t tid)
{
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < SEAM_TWINS; i++) {
			uint32_t was = seam->twins[i].tid;
			if (round == 0 ? was != 0 : sys2(SYS_tkill, was, 0) != ESRCH_)
				continue;
			if (!__atomic_compare_exchange_n(&seam->twins[i].tid, &was, tid, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
				continue;
			if (was)
				seam_retire(&seam->twins[i].tls);
			zero(&seam->twins[i].tls, sizeof seam->twins[i].tls);
			seam->twins[i].of = of;
			return &seam->twins[i].tls;
		}
	return 0;
}

/* This thread is alone on its TLS again: its children were made while it was
 * suspended, and it runs, so they have left. */
static void alone(struct seam_tls *own, struct seam_tls *twin)
{
	own->guard = SEAM_GUARD_CORE;
	barrier();
	for (int i = 0; i < SEAM_TWINS; i++) {
		if (seam->twins[i].of != own || !seam->twins[i].tid)
			continue;
		if (&seam->twins[i].tls == twin) {
			twin->guard = SEAM_GUARD_CORE;
			copy_bytes(own, twin, sizeof *own);
		} else
			seam_retire(&seam->twins[i].tls);
		seam->twins[i].of = 0;
		__atomic_store_n(&seam->twins[i].tid, 0, __ATOMIC_RELEASE);
	}
	own->shared = 0;
	barrier();
	own->guard = 0;
}

struct seam_tls *seam_whose(void)
{
	struct seam_tls *own = &seam_tls, *t;
	if (own->gen != *seam_alive) { /* a forked child: nobody else is in this memory */
		own->shared = 0;
		own->guard = 0;
		return own;
	}
	if (seam_quiet()) { /* who we are cannot be asked: a vfork child passes for its maker */
		t = own->shared & SEAM_SHARED_CLONE ? 0 : find(own, own->tid);
		if (t)
			return t;
		seam->nobody.guard = SEAM_GUARD_NOBODY;
		return &seam->nobody;
	}
	uint32_t tid = sys0(SYS_gettid);
	t = find(own, tid);
	if (t && tid == own->tid && t->guard == 0) {
		own->shared &= ~SEAM_SHARED_VFORK;
		if (!own->shared) {
			alone(own, t);
			return own;
		}
	}
	if (!t)
		t = place(own, tid);
	if (!t) {
		t = &seam->nobody;
		t->guard = SEAM_GUARD_NOBODY;
	}
	return t;
}

/* 1: it was not shared so before. What a twin makes needs nothing more: its maker
 * has shared its TLS for longer than the twin lives. */
static int share(uint32_t how)
{
	struct seam_tls *own = &seam_tls, *t = self();
	uint64_t none = 0;
	if (!how || !seam->arena || seam_quiet())
		return 0;
	if (t != own) {
		int new = t->tid == own->tid && !(own->shared & how);
		if (new)
			own->shared |= how;
		return new;
	}
	if (!__atomic_compare_exchange_n(&own->guard, &none, SEAM_GUARD_CORE, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return 0;
	if ((own->gen == *seam_alive || seam_thread_setup(own)) && (t = place(own, own->tid))) {
		copy_bytes(t, own, sizeof *t);
		t->guard = 0;
		own->counters = 0; /* counting without a look at the guard would mix them all */
		own->shared = how;
		barrier();
		own->guard = SEAM_GUARD_SHARED;
		return 1;
	}
	barrier();
	own->guard = 0;
	return 0;
}

static uint32_t kind_of(uint64_t clone_flags)
{
	if (!(clone_flags & CLONE_VM_) || (clone_flags & CLONE_SETTLS_))
		return 0;
	return clone_flags & CLONE_VFORK_ ? SEAM_SHARED_VFORK : SEAM_SHARED_CLONE;
}

uint32_t seam_before_process(const struct seam_run *r, struct seam_frame *f)
{
	switch (r->watch) {
	case SEAM_WATCH_VFORK:
		share(SEAM_SHARED_VFORK);
		return 0;
	case SEAM_WATCH_CLONE:
		share(kind_of(f->words[2]));
		return 0;
	case SEAM_WATCH_SPAWN:
		return share(SEAM_SHARED_SPAWN) ? HOW_SPAWN : 0;
	case SEAM_WATCH_WAIT4:
	case SEAM_WATCH_WAITID:
		return seam->arena ? HOW_WAIT : 0;
	case SEAM_WATCH_EXIT:
		if (seam->arena)
			seam_process_exits(f->words[0]);
		return 0;
	case SEAM_WATCH_SYSCALL:
		if (f->words[0] == SYS_clone) {
			share(kind_of(f->words[1]));
			return 0;
		}
	}
	if (seam->follow)
		seam_exec_environment(r, f);
	return 0;
}

void seam_after_process(const struct seam_run *r, const struct seam_frame *f)
{
	if (f->how & HOW_SPAWN) {
		seam_tls.shared &= ~SEAM_SHARED_SPAWN;
		self(); /* alone again, if nothing else is shared */
	}
	if (f->how & HOW_WAIT)
		seam_child_ended(r, f);
}

/* Processes in our memory, by pid. Its first thread registers a process: nobody
 * else has a tid that is its pid, so that an old entry does not matter. */
uint32_t seam_guest(uint32_t pid, uint32_t tid)
{
	const struct seam_proc *procs = arena_at(seam->fixed.procs_off);
	for (int i = 0; i < SEAM_GUESTS && pid != tid; i++)
		if (seam->guests[i].pid == pid && procs[seam->guests[i].proc].uid == seam->guests[i].uid)
			return seam->guests[i].proc;
	uint32_t proc = seam_register_process(pid, 0, seam->proc);
	uint32_t i = __atomic_fetch_add(&seam->next_guest, 1, __ATOMIC_RELAXED) % SEAM_GUESTS;
	__atomic_store_n(&seam->guests[i].pid, 0, __ATOMIC_RELEASE);
	seam->guests[i].proc = proc;
	seam->guests[i].uid = procs[proc].uid;
	__atomic_store_n(&seam->guests[i].pid, pid, __ATOMIC_RELEASE);
	return proc;
}

int32_t seam_guest_known(uint32_t pid)
{
	for (int i = 0; i < SEAM_GUESTS; i++)
		if (seam->guests[i].pid == pid)
			return seam->guests[i].proc;
	return -1;
}

void seam_no_twins(void)
{
	for (int i = 0; i < SEAM_TWINS; i++) {
		seam->twins[i].tid = 0;
		seam->twins[i].of = 0;
	}
	for (int i = 0; i < SEAM_GUESTS; i++)
		seam->guests[i].pid = 0;
}
