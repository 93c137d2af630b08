/* process.c: one entry per process that writes into the arena.
 *
 * A forked child notices itself at its first call: the page of seam_alive was
 * wiped by the kernel, however it was forked. A child that shares our memory
 * is found by twin.c.
 */
#include "hot.h"

static struct seam_proc *procs(void) { return arena_at(seam->fixed.procs_off); }

/* An entry to write into: free, or of a process that is gone. They are taken in
 * turn, so that a drainer has the longest time to tell of those that are gone. */
static struct seam_proc *take_entry(void)
{
	struct seam_arena *a = seam->arena;
	uint32_t from = __atomic_load_n(&a->proc_uid, __ATOMIC_RELAXED) % seam->fixed.nprocs;
	for (uint32_t n = 0; n < seam->fixed.nprocs; n++) {
		struct seam_proc *p = &procs()[(from + n) % seam->fixed.nprocs];
		uint32_t st = p->state;
		if (st == SEAM_PROC_SETUP || (st == SEAM_PROC_LIVE && (seam_quiet() || p->ns != seam->ns || sys2(SYS_kill, p->pid, 0) != -3 /* ESRCH */)))
			continue;
		if (__atomic_compare_exchange_n(&p->state, &st, SEAM_PROC_SETUP, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return p;
	}
	return 0;
}

uint32_t seam_register_process(uint32_t pid, uint32_t ppid, uint32_t parent)
{
	uint32_t now = seam_quiet() ? ppid : (uint32_t)sys0(SYS_getppid);
	struct seam_arena *a = seam->arena;
	struct seam_proc *p = take_entry();
	if (!p)
		return seam->fixed.nprocs - 1; /* table full: the last entry stands for all others */
	p->pid = pid;
	p->ppid = ppid ? ppid : now;
	/* another process in our memory may use our agent, but has none */
	p->go_state = pid == seam->pid ? seam->go_state : SEAM_GO_OFF;
	p->go_reason = pid == seam->pid ? seam->go_reason : SEAM_WHY_NONE;
	p->start_ts = now_ticks();
	p->end_ts = 0;
	p->end_status = 0xffffffff;
	p->parent = parent;
	p->ho_bell = 0;
	p->confined = seam->confined;
	p->dropped = 0;
	p->uid = __atomic_add_fetch(&a->proc_uid, 1, __ATOMIC_RELAXED);
	/* the first process of a new process id namespace has no parent that it could name */
	p->ns = now == 0 && parent != 0xffffffff ? p->uid : seam->ns;
	if (!seam_quiet())
		sys2(SYS_prctl, 16 /* PR_GET_NAME */, p->comm);
	else if (parent < seam->fixed.nprocs)
		copy_bytes(p->comm, procs()[parent].comm, sizeof p->comm);
	__atomic_store_n(&p->state, SEAM_PROC_LIVE, __ATOMIC_RELEASE);
	return p - procs();
}

/* Who made this process; 0: its parent. That may be init by now, when its maker is gone. */
static uint32_t maker(uint32_t before)
{
	if (seam->libc_pid == seam->pid)
		return seam->forker;
	return seam_quiet() || sys2(SYS_kill, before, 0) == -3 /* ESRCH */ ? before : 0;
}

/* Without a system call: libc keeps it in the thread's control block, in a child
 * of libc's fork too. */
uint32_t seam_own_tid(void)
{
	if (!seam_quiet())
		return sys0(SYS_gettid);
	return seam->tid_off ? *(const uint32_t *)((const char *)__builtin_thread_pointer() + seam->tid_off) : 0;
}

int seam_enter_process(void)
{
	uint32_t zero = 0;
	if (!__atomic_compare_exchange_n(seam_alive, &zero, SEAM_ALIVE_CHANGING, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
		/* another thread of this new process is at it: brief, and bounded */
		for (int i = 0; i < 1000 && *seam_alive == SEAM_ALIVE_CHANGING; i++)
			__builtin_ia32_pause();
		return *seam_alive != SEAM_ALIVE_CHANGING && *seam_alive != 0;
	}
	uint32_t parent = seam->proc, before = seam->pid;
	seam->maps_busy = seam->loader_busy = seam->reaping = seam->calling = seam->patching = 0; /* of threads that are not here */
	seam->load = 0;
	seam->untaken = seam->in_libc = seam->fork_waits = seam->forks = seam->ender = seam->ending = seam->births = seam->nagents = seam->host_exits = seam->host_gone = 0;
	uint32_t pid = seam_quiet() ? seam_own_tid() : (uint32_t)sys0(SYS_getpid);
	int known = !seam_quiet() || (pid != 0 && pid != before && pid != seam_tls.tid);
	if (known)
		seam->pid = pid;
	/* Go's threads did not come along. In a child of libc's fork forks.c has said
	 * so already; after a raw clone nobody has. */
	if (seam->go_state != SEAM_GO_OFF && seam->libc_pid != seam->pid && !seam->confined) {
		seam->go_state = SEAM_GO_FAILED;
		seam->go_reason = SEAM_WHY_FORK;
	}
	seam_no_twins();
	for (int i = 0; i < SEAM_HANDOVERS && seam->handed; i++) /* else their pages are left alone */
		seam->handovers[i].state = SEAM_HO_FREE;
	/* made by a bare system call, and we may not ask: it passes for its parent */
	if (known)
		seam->proc = seam_register_process(seam->pid, maker(before), parent);
	seam->ns = my_proc()->ns;
	if (++seam->gen >= SEAM_ALIVE_CHANGING - 1)
		seam->gen = 1;
	__atomic_store_n(seam_alive, seam->gen, __ATOMIC_RELEASE);
	return 1;
}

/* Before a call that ends the process or replaces its image. */
void seam_process_ends(const struct seam_tls *t, const struct seam_run *r, const struct seam_frame *f)
{
	uint32_t i = __atomic_load_n(&t->ent->proc, __ATOMIC_RELAXED);
	if (i >= seam->fixed.nprocs)
		return;
	struct seam_proc *p = &procs()[i];
	if (!seam_quiet() && (uint32_t)sys0(SYS_getpid) != p->pid)
		return; /* a child that shares our memory, and was made by a bare system call */
	p->end_ts = f->ts;
	if ((r->flags & SEAM_SF_EXIT) && r->nregs > 0)
		p->end_status = (uint32_t)f->words[0] & 0xff;
}

/* _exit: all orderly ends of a process come this way. */
void seam_process_exits(uint32_t status)
{
	uint32_t pid = !seam_quiet() ? (uint32_t)sys0(SYS_getpid) : *seam_alive ? seam->pid : 0;
	int32_t i = pid == seam->pid ? (int32_t)seam->proc : seam_guest_known(pid);
	if (i < 0 || procs()[i].pid != pid)
		return; /* nothing is known of it */
	procs()[i].end_ts = now_ticks();
	procs()[i].end_status = status & 0xff;
}

/* wait told the host how a child ended: a drainer will want to know, too. The
 * call has succeeded, but what it wrote may be gone already. */
void seam_child_ended(const struct seam_run *r, const struct seam_frame *f)
{
	uint32_t pid, status;
	if (r->watch == SEAM_WATCH_WAIT4) {
		pid = f->ret;
		if ((int32_t)pid <= 0 || !f->words[1] || seam_copy(f->words[1], &status, sizeof status) != sizeof status)
			return;
		if ((status & 0xff) == 0x7f || (status & 0xffff) == 0xffff)
			return; /* stopped, continued */
	} else {
		struct { int32_t signo, err, code, pad; uint32_t pid, uid; int32_t status; } info;
		if ((int32_t)f->ret != 0 || !f->words[2] || seam_copy(f->words[2], &info, sizeof info) != sizeof info)
			return;
		pid = info.pid;
		if (info.code == 1 /* CLD_EXITED */)
			status = (info.status & 0xff) << 8;
		else if (info.code == 2 || info.code == 3 /* CLD_KILLED, CLD_DUMPED */)
			status = (info.status & 0x7f) | (info.code == 3 ? 0x80 : 0);
		else
			return;
		if (!pid)
			return;
	}
	struct seam_arena *a = seam->arena;
	uint32_t n = __atomic_fetch_add(&a->ends, 1, __ATOMIC_RELAXED);
	struct seam_end *e = (struct seam_end *)arena_at(seam->fixed.ends_off) + n % seam->fixed.nends;
	__atomic_store_n(&e->number, 0, __ATOMIC_RELEASE);
	e->ts = now_ticks();
	e->pid = pid;
	e->ppid = seam_quiet() ? seam->pid : (uint32_t)sys0(SYS_getpid);
	e->wstatus = status;
	__atomic_store_n(&e->number, n + 1, __ATOMIC_RELEASE);
}
