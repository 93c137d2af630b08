/* process.c: one entry per process that writes into the arena.
 *
 * A forked child notices itself at its first call: the page of seam_alive was
 * wiped by the kernel, however it was forked. A vfork child shares our memory
 * and stays unnoticed: what it does is recorded as its parent's.
 */
#include "hot.h"

static struct seam_proc *procs(void) { return arena_at(seam->arena->procs_off); }

/* An entry to write into: free, or of a process that is gone. */
static struct seam_proc *take_entry(void)
{
	struct seam_arena *a = seam->arena;
	for (uint32_t round = 0; round < 3; round++)
		for (uint32_t i = 0; i < a->nprocs; i++) {
			struct seam_proc *p = &procs()[i];
			uint32_t st = round == 0 ? SEAM_PROC_FREE : round == 1 ? SEAM_PROC_DEAD : SEAM_PROC_LIVE;
			if (p->state != st || (round == 2 && sys2(SYS_kill, p->pid, 0) != -3 /* ESRCH */))
				continue;
			if (__atomic_compare_exchange_n(&p->state, &st, SEAM_PROC_SETUP, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
				return p;
		}
	return 0;
}

void seam_register_process(uint32_t parent)
{
	struct seam_arena *a = seam->arena;
	struct seam_proc *p = take_entry();
	if (!p) {
		seam->proc = a->nprocs - 1; /* table full: the last entry stands for all others */
		return;
	}
	p->pid = seam->pid;
	p->ppid = sys0(SYS_getppid);
	p->go_state = seam->go_state;
	p->go_reason = seam->go_reason;
	p->start_ts = now_ticks();
	p->end_ts = 0;
	p->end_status = 0xffffffff;
	p->parent = parent;
	p->ho_bell = 0;
	p->uid = __atomic_add_fetch(&a->proc_uid, 1, __ATOMIC_RELAXED);
	sys2(SYS_prctl, 16 /* PR_GET_NAME */, p->comm);
	seam->proc = p - procs();
	__atomic_store_n(&p->state, SEAM_PROC_LIVE, __ATOMIC_RELEASE);
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
	uint32_t parent = seam->proc;
	seam->maps_busy = seam->loader_busy = 0; /* of threads that are not here */
	seam->pid = sys0(SYS_getpid);
	/* Go's threads did not come along. In a child of libc's fork the atfork
	 * handler has said so already; after a raw clone nobody has. */
	if (seam->go_state != SEAM_GO_OFF && seam->libc_pid != seam->pid) {
		seam->go_state = SEAM_GO_FAILED;
		seam->go_reason = SEAM_WHY_FORK;
	}
	seam_register_process(parent);
	if (++seam->gen >= SEAM_ALIVE_CHANGING - 1)
		seam->gen = 1;
	__atomic_store_n(seam_alive, seam->gen, __ATOMIC_RELEASE);
	return 1;
}

/* Before a call that ends the process or replaces its image. */
void seam_process_ends(const struct seam_run *r, const struct seam_frame *f)
{
	struct seam_proc *p = my_proc();
	if ((uint32_t)sys0(SYS_getpid) != seam->pid)
		return; /* a vfork child: not the end of this one */
	p->end_ts = f->ts;
	if ((r->flags & SEAM_SF_EXIT) && r->nregs > 0)
		p->end_status = (uint32_t)f->words[0] & 0xff;
}
