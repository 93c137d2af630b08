/* core.h: the core's own state and the parts it is made of.
 *
 * State rules
 *  - All mutable state lives in `struct seam_core`, in its own mapping. The
 *    library's .data and .bss are put back to what they were before Go's first
 *    start when a forked child restarts Go (gostart.c), so a static variable
 *    that changes after load would jump back in time. `seam` is set once, before
 *    the copy is taken.
 *  - Per-thread state is `struct seam_tls`, initial-exec TLS: zero on a new thread.
 */
#ifndef SEAM_CORE_H
#define SEAM_CORE_H
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include "abi.h"

/* For variables of the core: in the part of the image that is copied. */
#define SEAM_DATA __attribute__((section(".data.seam")))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define SEAM_CACHED_PAGES 16

/* How one site is run. In the core's mapping, constant once its patch is in.
 * The first line is all that a plain recorded call reads. */
struct seam_run {
	uint64_t orig;          /* trampoline: the relocated start of the original */
	uint32_t head;          /* first word of an ENTER record without payload: site, kind, size8 */
	uint32_t need;          /* bytes to have free at enter */
	uint32_t size;          /* bytes of an ENTER record without payload */
	uint32_t head_late;
	uint8_t  special;       /* SEAM_SP_*: 0 is all done in assembly */
	uint8_t  ncopy;
	uint8_t  str_op;        /* one_str: index of the op */
	uint8_t  ret4;          /* the result is a 4-byte integer */
	uint8_t  fail_not;      /* failed = ((ret - fail_lo) <= fail_span) != fail_not */
	uint8_t  native;        /* SEAM_RULE_POST or SEAM_RULE_FAILING of any of its callbacks, 1 one before the call; 0: it has none */
	uint8_t  fast;          /* SEAM_FAST_*: callbacks are all that is special about it */
	uint8_t  fast_pre;      /* index of the rule that is called before */
	uint64_t fail_lo, fail_span;
	uint16_t id;            /* index in the arena's site table */
	uint8_t  instrument, handover;
	uint8_t  nregs, nstack, nops, nfilt;
	uint8_t  early, late;   /* ops to run at enter, at leave */
	uint8_t  late_filter;   /* a filter needs the result: nothing is written before leave */
	uint8_t  guard_kind;    /* SEAM_GUARD_* */
	uint8_t  watch;         /* enum seam_watch */
	uint8_t  flags, kind, fail_op;
	uint8_t  one_str;       /* the only op at enter is a string: its word +1 */
	uint8_t  str_fast;      /* the same, if the assembly can read it: 1 or 2, else 0 */
	uint16_t str_cap;       /* one_str: bytes, a multiple of 8 */
	uint32_t hist;
	uint32_t need_late;     /* bytes to have free at leave */
	uint32_t payload_max;   /* bytes of payload at enter, at most */
	uint32_t payload_max_late;
	uint32_t str_item;      /* one_str: the upper half of its item's first word, if all of it was read */
	uint64_t min_ticks;
	int64_t  fail_val[3];
	const struct seam_op *ops;
	const struct seam_filter *filt;
	struct seam_asite *site;
	uint64_t lib_base;
	uint64_t elsewhere;     /* of an object in another namespace: its callers may be auditors, which run inside the loader */
	const struct seam_rule *rules;
	const char *plan;       /* what seam_rule.filt_off counts from */
	uint32_t nrules;
	uint32_t pointer;       /* 1: put in by pointers.c */
	const struct seam_function *function; /* what callbacks are told of it */
};
enum {
	SEAM_SP_RULES = 1,      /* each with a condition on an integer; alone, they are looked at first */
	SEAM_SP_FILTER = 2,     /* filters, but for those that a sieve decides, other rules, or more that is read than: */
	SEAM_SP_STRING = 32,    /* one string, which the assembly reads if nothing else is special: str_fast */
	SEAM_SP_LATE = 8,       /* a record, if any, is decided on at leave; alone: a histogram, in assembly */
	SEAM_SP_GUARD = 4, SEAM_SP_STACK = 16,
	SEAM_SP_RESULT = 64,    /* leave reads behind arguments, hands over, or has a rule that is not a range */
	SEAM_SP_WATCH = 128,
};
enum { SEAM_FAST_PRE = 1, SEAM_FAST_POST = 2 };
#define SEAM_SITE_LOADER 6    /* internal kind: r_debug.r_brk */
#define SEAM_SITE_SILENT 7    /* a jump that could not be taken out: on to the original */
enum { /* seam_run.guard_kind: what the call may change */
	SEAM_GUARD_ANY = 0, SEAM_GUARD_RANGE = 1, SEAM_GUARD_MMAP = 2, /* mappings: read.c. RANGE, MMAP: (address, length, ...) */
	SEAM_GUARD_PRCTL, SEAM_GUARD_SYSCALL, SEAM_GUARD_CAPSET, SEAM_GUARD_UNSHARE, SEAM_GUARD_SETNS, /* what is allowed: confine.c */
};
#define SEAM_MAX_AGENTS 64
#define SEAM_HANDOVERS 32
struct ktime;

struct seam_tls {
	uint32_t gen;             /* *seam_alive when this thread was last set up; 0: never */
	uint32_t epoch;
	uint64_t guard;           /* not 0: inside seam: the address of the call's frame, or a SEAM_GUARD_ */
	uint64_t *counters;       /* this thread's own shard, or NULL */
	unsigned char *pos, *end; /* free space of the current chunk */
	unsigned char *base;      /* its first byte */
	struct seam_chunk *chunk;
	uint32_t seq;             /* number of the last call: what its entry has produced, modulo 2^32 */
	uint32_t tid;
	struct seam_thread *ent;
	uint64_t produced;        /* calls produced up to seq `produced_seq` */
	uint32_t produced_seq;
	uint32_t ask_kernel;      /* this copy is the kernel's to make: mappings are changing */
	uint32_t pages_gen;       /* maps_gen of what `pages` knows; this word and the next are compared with maps_gen and maps_busy at once */
	uint32_t pages_void;      /* SEAM_PAGES_VOID: `pages` is good for one copy, so not for the assembly; else 0 */
	uint64_t pages[SEAM_CACHED_PAGES]; /* page numbers known to be readable */
	uint32_t uid;             /* of ent */
	int32_t  forking, fork_errno; /* in libc's fork: forks.c */
	uint32_t steals;          /* chunks taken from the oldest calls */
	uint32_t idle;            /* agent's thread: in our own last wait, holds nothing */
	uint32_t hold;            /* agent's thread: holds something of the host's */
	uint32_t confining;       /* seam_confine to seam_confine_end: SEAM_CONF_* */
	uint32_t shared;          /* SEAM_SHARED_*, while the guard is SEAM_GUARD_SHARED */
	struct seam_hist *hists;  /* this thread's own shard of the histograms, or NULL: one of the first SEAM_HISTS_SHARED, by atomic adds */
	uint32_t drop_call;       /* seq of the call that is being counted as dropped: drop.c */
};
#define SEAM_HISTS_SHARED 4u
#define SEAM_PAGES_VOID 0x80000000u /* maps_busy is never that */
#define SEAM_SHARED_VFORK 1u    /* until this thread's next call another process may run on its TLS */
#define SEAM_SHARED_SPAWN 2u    /* the same, until the call that began it returns */
#define SEAM_SHARED_CLONE 4u    /* the same, for good */

#define SEAM_TWINS 64
#define SEAM_GUESTS 64

struct seam_core {
	struct seam_arena *arena;
	volatile uint32_t maps_gen, maps_busy; /* address-space guard, see read.c; one aligned word for the assembly */
	uint64_t arena_size;
	struct seam_run *runs;  /* by slot */
	uint32_t nruns;
	uint32_t shared_from;   /* ids from here on may have been given by another process */

	/* process */
	uint32_t pid;           /* of the process that last passed the slow path */
	uint32_t libc_pid;      /* pid in which libc's own fork handling has run */
	uint32_t forker;        /* pid of the process that called libc's fork last */
	uint32_t proc;          /* index of our seam_proc */
	uint32_t start;         /* SEAM_START_* */
	uint64_t block_ns;
	uint64_t (*clock)(void); /* when the TSC cannot be used: CLOCK_MONOTONIC through the vDSO */
	volatile uint32_t confined; /* SEAM_CONF_*, see confine.c */
	volatile uint32_t calling;  /* threads that are where system calls are made */
	uint32_t ended;         /* how often the agent's threads were ended */
	uint32_t tid_off;       /* of its thread id, from the thread pointer; 0 unknown */
	const uint64_t *brk_end; /* libc's __curbrk, or NULL */
	long (*vdso_clock)(long, void *); /* clock_gettime of the vDSO, or NULL */
	uint64_t clock_tick0, clock_ns0, clock_rate; /* clock.c: ticks per ns, 32.32 */
	uint64_t base;          /* load address of this library */
	uint32_t gen;           /* last value given to *seam_alive */
	uint32_t nunsafe;       /* code whose calls are no place to start Go: libc, the loader, allocators */
	struct { uint64_t lo, hi; } unsafe[4];
	volatile uint32_t untaken; /* requests in turn that no thread of the agent took, see callback.c */
	volatile uint32_t vain; /* how often an answer was looked for in vain, see callback.c */
	uint32_t jumps;         /* not 0: signal handlers have jumped out of the middle of seam, see jump.c */
	uint32_t stuck;         /* 1: the last wait for space was in vain, at: */
	uint32_t stuck_at;
	uint64_t reaping;       /* clock ticks since when somebody looks for dead threads; 0: nobody */
	uint64_t reaped_none;   /* clock ticks when it was last hardly worth it */
	uint32_t guarded;       /* guard sites are in: page checks may be cached */
	uint32_t arena_ready;   /* futex: 1 once the arena can be owned */
	uint32_t owns;          /* futex: 1 once the agent of this process drains the arena */
	uint32_t reader_adopts; /* the reader drains what is left of a process that ended */
	uint32_t reader_drains; /* and the arena of one that lives: an agent is not started for that */
	uint32_t reader_pid;    /* that was seen, not told: it does while this process runs this program */
	uint64_t reader_dev, reader_ino;
	uint32_t flush_asked, flush_done; /* futexes: exit and agent, see exit.c */
	uint64_t load_mask;     /* signal mask of the thread that loaded us */
	char     socket[108];   /* "" : nobody to tell */
	uint64_t spec_hash;
	uint32_t ns;            /* as seam_proc.ns */
	struct seam_natives *natives; /* NULL: the spec had no callbacks */
	struct seam_follow *follow; /* NULL: what the host executes is left alone */

	/* twin.c: tasks that run on another thread's TLS, and processes in our memory */
	struct { uint32_t tid; struct seam_tls *of; struct seam_tls tls; } twins[SEAM_TWINS]; /* tid 0: free */
	struct seam_tls nobody;
	struct { uint32_t pid, proc, uid; } guests[SEAM_GUESTS]; /* pid 0: free */
	uint32_t next_guest;

	struct seam_places *places; /* which functions are patched; NULL: none has been */
	volatile uint32_t patching; /* futex: 1 while the places are being changed, see respec.c */
	uint32_t missed;        /* objects that were loaded while that was so, and not patched */
	uint32_t spec_seen;     /* arena.spec_seq of the spec that is in force here */
	struct seam_load *load; /* while the agent is asked to plan: what */
	struct seam_load *late; /* not NULL: the loader is watched */
	struct seam_load *late_before; /* of the spec before */
	const void *loader;     /* its struct r_debug */
	uint32_t plan_asked, plan_done; /* futexes: loader event and agent */

	uint32_t loader_busy;   /* between two of the loader's announcements */

	uint64_t heap_lo;       /* start of the brk heap */
	uint64_t stack_end;     /* of the first thread */
	uint32_t nimages;       /* loaded objects, for read.c: readable address ranges, by address */
	struct { uint64_t lo, hi; } images[1024];

	/* Go, see gostart.c */
	uint32_t go_state;      /* SEAM_GO_*, futex */
	uint32_t go_reason;
	uint32_t go_generation; /* starts so far in this process and its ancestors */
	uint32_t go_tried_ms;   /* time of the last failed start, coarse ms */
	uint32_t *nptl_nthreads; /* libc's count of threads, or NULL */
	uint32_t host_exits;    /* libc ends the process: its last thread was the last */
	uint32_t host_gone;     /* futex: libc did not, because of a thread of ours */
	int (*pthread_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *); /* libc's */
	unsigned char *kept;    /* copies of the pages in seam_facts.kept; NULL before the first start */
	uint32_t nsegs;
	struct { uint64_t addr, len, zeros; } segs[8]; /* whole pages: of the file, then zeros */
	const char *file;       /* path of this library */
	uint64_t relro_lo, relro_hi; /* read-only after relocation, whole pages */
	uint64_t auxblock[64];
	volatile uint32_t ender; /* 1: a thread is in seam_end_agent */
	volatile uint32_t births, ending; /* agent threads on their way into `agents`; not 0: they are to end, see endthreads.c */
	volatile uint32_t in_libc, fork_waits, forks; /* agent threads where a fork must not find them, waiting to go there; futex: threads in libc's fork. See forks.c */
	volatile uint32_t nagents;
	volatile uint32_t agents[SEAM_MAX_AGENTS]; /* their thread ids */
	struct { uint64_t handler, flags, restorer, mask; } was; /* libc's action for its own signal 33, meanwhile */
	/* robust futex head of the thread that owns the arena */
	struct { void *next; long off; void *pending; } robust;
	struct { void *next; uint32_t *word; } robust_entry;

	char spec_path[4096];
	/* What is written once in the arena's head, as it was written: others who share the
	 * arena, perhaps as another user, may write there. What changes is asked of the arena. */
	struct seam_arena fixed;
	struct seam_handover handovers[SEAM_HANDOVERS]; /* not in the arena: the agent runs code for them */
	uint32_t handed;        /* 1: one of them was taken */
	uint64_t longest[SEAM_MAX_RULES]; /* that a rule may hold up a call, ns, by the spec */
};
#pragma GCC visibility push(hidden)
struct seam_frame;
extern struct seam_core *seam; /* NULL: nothing is patched */

/* First word of a page the kernel wipes in a forked child: 0 there. Else the
 * process's generation, never 0. */
extern volatile uint32_t *seam_alive;
/* Constants after load, outside struct seam_core for one indirection less. */
extern struct seam_run *seam_runs;     /* seam->runs */
extern volatile uint32_t *seam_epoch;  /* the arena's */
extern int64_t seam_errno_off;         /* errno's place relative to the thread pointer */
extern uint32_t seam_use_tsc;

extern __thread struct seam_tls seam_tls __attribute__((tls_model("initial-exec")));
#define SEAM_GUARD_AGENT 1ull /* one of the agent's threads */
#define SEAM_GUARD_CORE  2ull /* the core at work outside of a call */
#define SEAM_GUARD_SHARED 3ull /* other tasks run on this TLS: the state of each is elsewhere, see twin.c */
#define SEAM_GUARD_NOBODY 4ull /* a task for which there is no place */

/* What the core itself calls is not the program's. Returns what to put back. */
static inline uint64_t guard_core(void)
{
	uint64_t was = seam_tls.guard;
	if (!was)
		seam_tls.guard = SEAM_GUARD_CORE;
	return was;
}

/* gostart.c */
enum { SEAM_WHY_NONE, SEAM_WHY_FACTS, SEAM_WHY_ADDRESS_SPACE, SEAM_WHY_FORK, SEAM_WHY_THREAD, SEAM_WHY_FILES, SEAM_WHY_IMAGE, SEAM_WHY_TIMEOUT, SEAM_WHY_CONFINED };
struct dl_phdr_info;
typedef int seam_objects(int (*)(struct dl_phdr_info *, size_t, void *), void *); /* dl_iterate_phdr, or seam_each_object */
void seam_image_find(seam_objects *each);  /* where our writable segments are */
uint32_t seam_image_ready(void);          /* make them what Go expects; SEAM_WHY_*. On the helper thread */
void seam_go_init(seam_objects *each);     /* in the constructor, before the image can change */
int  seam_go_start(void);                  /* ask for the agent; does not wait. 0 or a SEAM_WHY_ */
int  seam_go_wait(int64_t ns);             /* until it runs; 0 or -1 */
void seam_go_ready(void);                  /* agent: I run */
void seam_give_back(void);                 /* agent: let another agent, or the reader, drain the arena */
void seam_park(void);                      /* the agent is dead; never returns */
/* gothreads.c */
int seam_agent_thread(size_t stack, void *(*fn)(void *)); /* make a detached thread; errno's number */
void seam_agent_begins(void);              /* ... whose function calls this first */
void seam_keep(void) __attribute__((noreturn)); /* wait until no host thread is left, then end the process */
void seam_park_thread(void);               /* never returns */

/* endthreads.c: the agent's threads, ended from outside */
void seam_agent_born(void);                /* on each of them, first */
int  seam_end_agent(int64_t ns, int again); /* 0, or -1: some live on; again: another may be started */
int  seam_libc_begins(void);               /* around what of libc a fork must not find an agent's thread in: forks.c */
void seam_libc_ends(int begun);
void seam_hold(void);                      /* agent: holds a lock of the host's from here on */
void seam_unhold(void);

/* confine.c */
uint32_t seam_confine(const struct seam_frame *f, const struct seam_run *r); /* 1: seam_confine_end must follow */
void seam_confine_end(uint64_t ret);

/* exit.c */
int  seam_reader_takes_rest(void);         /* the reader adopts, and is still there */
int  seam_flush(void);                     /* have the agent send what there is; 0, or -1: not in time */

/* thunk_amd64.S */
extern unsigned char seam_thunks_full[], seam_thunks_entry[], seam_thunks_count[];
long seam_keep_sse(long (*fn)(long, void *), long a, void *b); /* fn(a, b), xmm registers kept */
void seam_with_vectors(void (*fn)(void *), void *arg, void *stack);
/* aside.c */
void seam_aside(void (*fn)(void *), void *arg); /* fn may use libc; not called when there is no memory */

/* chunk.c: everything the hot path leaves to the slow one */
int  seam_make_room(struct seam_tls *t, const struct seam_run *r, const struct seam_frame *f); /* 1: pos..end has room; 0: the loss is counted */
void seam_count_drop(struct seam_tls *t, const struct seam_run *r);
void seam_return_lost(const struct seam_run *r);
void seam_drop(struct seam_tls *t, uint32_t site, uint32_t calls, struct seam_chunk *c, uint32_t upto); /* drop.c */
void seam_settle_drop(struct seam_tls *t);  /* one of its own that a signal handler left by a jump */
void seam_count_skip(struct seam_tls *t);
void seam_count_shared(struct seam_tls *t, uint32_t id); /* a counter without an own shard */
int  seam_thread_setup(struct seam_tls *t);
int  seam_safe_place(const struct seam_tls *t, const struct seam_frame *f); /* 1: libc may be entered by us here */
void seam_retire(struct seam_tls *t);      /* its task will not write any more */
void seam_repair(struct seam_tls *t);      /* after a jump out of the middle: see jump.c */

/* jump.c */
int  seam_left_by_jump(struct seam_tls *t, const struct seam_frame *f); /* 1: the guard was stale and is f's now */

/* clock.c */
void seam_clock_init(void);
void seam_clock_confine(uint32_t notsc);   /* before the time stamp counter, or system calls, are forbidden */
uint64_t seam_ticks(int64_t ns);           /* ns as clock ticks */

/* process.c */
int  seam_enter_process(void);             /* first call in a new process; 1: we may record */
uint32_t seam_register_process(uint32_t pid, uint32_t ppid, uint32_t parent); /* ppid 0: ask; its index */
void seam_process_exits(uint32_t status);
uint32_t seam_own_tid(void);               /* of this thread; when no system call may be made, what libc remembers, or 0 */
void seam_child_ended(const struct seam_run *r, const struct seam_frame *f);
void seam_process_ends(const struct seam_tls *t, const struct seam_run *r, const struct seam_frame *f);

/* twin.c */
struct seam_tls *seam_whose(void);         /* whose state the calling task has to use, when SEAM_GUARD_SHARED */
uint32_t seam_before_process(const struct seam_run *r, struct seam_frame *f); /* HOW_*: what seam_after_process must be told */
void seam_after_process(const struct seam_run *r, const struct seam_frame *f);
uint32_t seam_guest(uint32_t pid, uint32_t tid); /* index of another process in our memory */
int32_t seam_guest_known(uint32_t pid);    /* the same of one that has called already, -1 if it has not */
void seam_no_twins(void);                  /* in a forked child */

/* follow.c */
void seam_follow_init(uint32_t mode, const char *lib, const char *spec, const char *socket, const char *reader, const char *filters); /* lib, ...: values of variables */
void seam_exec_environment(const struct seam_run *r, struct seam_frame *f);

/* read.c */
unsigned seam_copy(uint64_t from, void *to, unsigned n); /* the kernel's copy; bytes that could be read */
unsigned seam_read_items(struct seam_tls *t, const struct seam_run *r, const uint64_t *words,
	uint64_t ret, unsigned when, unsigned char *to, unsigned char *end);
unsigned seam_read_string(struct seam_tls *t, const struct seam_run *r, uint64_t from, unsigned char *to);
unsigned seam_read_bytes(struct seam_tls *t, uint64_t addr, void *to, unsigned n); /* bytes that could be read */
int  seam_read_text(struct seam_tls *t, uint64_t addr, void *to, unsigned max, int *cut); /* a C string of at most max bytes, a multiple of 8; its length, -1 unreadable; cut: there is more */
int  seam_read_prefix(struct seam_tls *t, uint64_t addr, const char *str, unsigned len); /* 1 same, 0 differs or unreadable */
int  seam_mapped(uint64_t addr);            /* 8 bytes can be read at addr, a multiple of 8; asks the kernel */
int  seam_maps_begin(const struct seam_frame *f, const struct seam_run *r); /* 1: seam_maps_end must follow */
void seam_maps_end(void);
void seam_maps_confine(void);              /* when `confined` has become quiet, before it is */
void seam_maps_loader(int consistent);     /* the loader is about to change its list, or has changed it */

/* enter.c */
int  seam_act_idle(const struct seam_frame *f);
int  seam_holds(struct seam_tls *t, const struct seam_filter *q, unsigned n, const struct seam_frame *f); /* 1: all of n conditions on the arguments */

/* act.c */
int  seam_act(struct seam_tls *t, const struct seam_run *r, struct seam_frame *f); /* 1: f says what rules do to this call */
void seam_act_now(struct seam_frame *f);   /* do it, with the guard free */
void seam_act_skipped(const struct seam_run *r);
/* breaks.c */
int  seam_break_take(struct seam_tls *t, const struct seam_run *r, const struct seam_rule *q, struct seam_frame *f); /* 1: f->parked; 0: it can't be, -1: nobody wants it */
void seam_break_give(struct seam_frame *f); /* f->parked, unused */
void seam_break_wait(struct seam_frame *f); /* until f->parked is released; guard free */
int  seam_act_holds(struct seam_tls *t, const struct seam_filter *q, const struct seam_frame *f); /* conditions that take more than a comparison */
int  seam_list_holds(struct seam_tls *t, const struct seam_filter *q, const struct seam_frame *f); /* lists.c: conditions that look something up */
void seam_refused(void);                   /* thunk_amd64.S: stands for an original that is not called; rax is the result */

/* native.c */
struct seam_function;
struct seam_rule;
int  seam_native_pre(const struct seam_run *r, struct seam_frame *f, const struct seam_rule *q); /* 1: it changed or refused the call */
uint64_t seam_native_post(const struct seam_run *r, struct seam_frame *f, int failed); /* those that changed the result, a bit each */
int  seam_native_describe(struct seam_run *r, const char *name); /* 0, or -1: no memory */
/* native_amd64.S */
long seam_native_vectors(int (*fn)(void *), void *arg); /* fn(arg); no vector, mask or x87 register is changed */
long seam_native_few_xmm(int (*fn)(void *), void *arg); /* the same, for one that uses xmm0-3, no more of them than 128 bits */
long seam_native_any_xmm(int (*fn)(void *), void *arg); /* xmm0-15 */
void seam_native_modes(void);              /* which ways this processor has */

void seam_wished(struct seam_tls *t, const struct seam_frame *f); /* chunk.c: start the agent, if somebody wants one and may have it here */
/* namespaces.c */
int  seam_loader_at_rest(const void *debug); /* 1: none of the loader's lists is being changed */
/* catchup.c */
void seam_catch_up(struct seam_tls *t, const struct seam_frame *f); /* another process that shares the arena may have a newer spec */
/* respec.c */
struct seam_outcome;
int  seam_respec(const char *path, struct seam_outcome **out); /* make what is patched equal to a spec file; SEAM_RESPEC_* */
void seam_outcome_free(struct seam_outcome *o);
void seam_follow_spec(void *unused);       /* the same, to the newest of the arena */
enum { SEAM_RESPEC_DONE = 0, SEAM_RESPEC_BAD_SPEC = 1, SEAM_RESPEC_CONFINED = 2, SEAM_RESPEC_BUSY = 3, SEAM_RESPEC_MEMORY = 4 };
struct seam_outcome {           /* what came of it, in its own mapping */
	uint64_t size, hash;    /* size: of the mapping */
	uint32_t len, pad;      /* bytes of records that follow: struct seam_outcome_rec, its two strings, or one and a blob */
};
struct seam_outcome_rec {       /* 16 bytes */
	uint8_t  kind;          /* 1 a site; 2 an object's refusals, msgpack, as the second string */
	uint8_t  reason;        /* of a site: 0 it is in, else why not */
	uint16_t probe;         /* in the spec */
	uint32_t id;            /* in the arena's site table, 0xffffffff none */
	uint32_t len[2];        /* of object, of symbol */
};

/* handover.c */
struct seam_handover *seam_claim_handover(void); /* NULL: all are taken */
int  seam_agent_runs(struct seam_tls *t);  /* 1: it does, having been started if need be */
int  seam_await(struct seam_handover *h, int64_t ns, unsigned lost);
/* own.c */
void seam_limit_memory(uint64_t max);      /* agent: of Go's heap, bytes */
/* callback.c */
int  seam_callback(struct seam_tls *t, const struct seam_run *r, struct seam_frame *f, const struct seam_rule *q, int failed);
uint64_t seam_callbacks_after(struct seam_tls *t, struct seam_frame *f, int failed);
int  seam_due(struct seam_rule_state *s);  /* act.c */
void seam_callbacks_end(void);
void seam_note_here(unsigned code, const char *text, unsigned len); /* agent: of what this thread runs */
/* faults.c */
int  seam_faults_begin(void);              /* agent: this thread begins to run a callback; 1: faults there are caught */
void seam_faults_end(void);
void seam_note(unsigned code, unsigned rule, uint32_t pid, uint32_t tid, uint64_t count, const char *text, unsigned len);
void seam_release_handovers(const struct seam_tls *t); /* those this thread has left behind */
unsigned seam_hand_over(struct seam_tls *t, const struct seam_run *r, const uint64_t *words, uint64_t ret,
	unsigned char *to, unsigned char *end);

/* lookup.c, for the agent */
uint64_t seam_symbol(uint64_t bias, const char *name);
struct seam_want { uint64_t bias, found; const char *name; };
int      seam_find_symbol(struct dl_phdr_info *info, size_t size, void *want);
int      seam_is_code(uint64_t bias, uint64_t addr);
unsigned seam_peek(uint64_t addr, void *to, unsigned n);

/* ask.c */
void seam_ask(int64_t ns);                 /* have a running agent plan what seam->load lacks */

/* load.c, for the agent */
int seam_missing(int i, const char **path);
void seam_put_plan(int k, const void *p, uint64_t size);
const char *seam_missing_spec(int *live);  /* which spec to plan for; live: with how to patch it while it runs */

#define SEAM_ALIVE_CHANGING 0xffffffffu /* *seam_alive while a forked child registers itself */
#pragma GCC visibility pop

static inline void *arena_at(uint64_t off) { return (char *)seam->arena + off; }
/* ns that rule id may hold up a call: what the arena says, within what the spec does. */
static inline uint64_t rule_ns(uint32_t id, uint64_t said)
{
	return said < seam->longest[id] ? said : seam->longest[id];
}
static inline struct seam_proc *my_proc(void)
{
	return (struct seam_proc *)arena_at(seam->fixed.procs_off) + seam->proc;
}
/* 1: no system call may be made on the host's threads any more. */
static inline int seam_quiet(void) { return unlikely(seam->confined & SEAM_CONF_QUIET); }

static inline void end_calls(void)
{
	uint32_t n = seam->calling; /* a forked child begins at 0, wherever it was forked */
	while (n && !__atomic_compare_exchange_n(&seam->calling, &n, n - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
}

/* Around everything that makes system calls on a host's thread. 0: it must not,
 * and there is nothing to end. A thread that confines the process waits until all are out. */
static inline int begin_calls(void)
{
	__atomic_add_fetch(&seam->calling, 1, __ATOMIC_SEQ_CST);
	if (likely(!seam_quiet()))
		return 1;
	end_calls();
	return 0;
}

static inline void count_lost(unsigned kind)
{
	__atomic_add_fetch(&seam->arena->lost[kind], 1, __ATOMIC_RELAXED);
}
#endif
