/* abi.h: every structure that crosses a boundary, in one place.
 *
 * Three parties share these bytes:
 *   planner (Go, preload/plan)  writes plan files,     the core reads them;
 *   core    (C, this folder)    writes the arena,      drainers (Go, wire/arena) read it;
 *   core and agent (Go)         meet in the hand-over slots.
 *
 * Law of change: a field is appended or a reserved one is named, never moved.
 * Anything else bumps SEAM_PLAN_VERSION or SEAM_ARENA_VERSION. The Go mirrors
 * (preload/plan/planfile.go, wire/arena/layout.go) are compared with this file
 * field by field, by tests that compile it.
 *
 * All integers are little-endian and naturally aligned. No pointers: offsets are
 * from the start of the plan file or of the arena.
 */
#ifndef SEAM_ABI_H
#define SEAM_ABI_H
#include <stdint.h>

/* ---- Plan file: what to patch in one ELF file, for one spec ------------- */

#define SEAM_PLAN_MAGIC   "SEAMPLAN"
#define SEAM_PLAN_VERSION 9

struct seam_plan {              /* at offset 0 */
	char     magic[8];
	uint32_t version;
	uint32_t size;          /* of the whole file, bytes */
	uint64_t check;         /* of bytes [24, size): hash.c */
	uint64_t spec_hash;     /* of the spec this plan was made for */
	uint64_t dev, ino, fsize, mtime_ns; /* identity of the ELF file */
	uint32_t nsites, sites_off;         /* struct seam_site[nsites] */
	uint32_t refusals_off, refusals_len;/* msgpack: array of [name, reason id, detail]; opaque to the core */
	uint64_t text_lo, text_hi;          /* vaddr range of executable segments */
	uint32_t ndeps, deps_off;           /* struct seam_dep[ndeps] */
	uint32_t live_off;      /* struct seam_live[nsites], 0: the plan is only for a process that begins */
	uint32_t pad;
	uint64_t reserved[2];
};

/* Another file that the plan was made from, or a place where one was looked
 * for: the plan is good as long as the same file, or still none, is there. */
struct seam_dep {               /* 40 bytes */
	uint64_t dev, ino, fsize, mtime_ns; /* all 0: nothing was there */
	uint32_t path_off;                  /* NUL-terminated */
	uint32_t pad;
};

enum { /* seam_site.kind: which thunk the patch jumps to */
	SEAM_SITE_FULL  = 1,    /* enter, call the original, leave */
	SEAM_SITE_ENTRY = 2,    /* enter, jump to the original, stack untouched */
	SEAM_SITE_COUNT = 3,    /* count, jump to the original */
	SEAM_SITE_GUARD = 4,    /* internal: enter, call the original, leave; no record */
	SEAM_SITE_WATCH = 5,    /* internal: enter, jump to the original; no record */
};
enum { /* seam_site.instrument */
	SEAM_LOG = 1, SEAM_COUNT = 2, SEAM_HIST = 3,
};
enum { /* seam_site.fail_op: when has the call failed (compared at ret_width, signed) */
	SEAM_FAIL_NEVER = 0,
	SEAM_FAIL_EQ    = 1,    /* ret == fail_val[0] */
	SEAM_FAIL_NE    = 2,    /* ret != fail_val[0] */
	SEAM_FAIL_LT    = 3,    /* ret <  fail_val[0] */
	SEAM_FAIL_NOTIN = 4,    /* ret not in fail_val[0..3) */
};
enum { /* seam_site.flags */
	SEAM_SF_ERRNO    = 1,   /* errno is meaningful when the call failed */
	SEAM_SF_HANDOVER = 2,   /* on failure, hand over to the agent (seam_site.handover says what) */
	SEAM_SF_NORETURN = 4,   /* does not return, or in another process: nothing to wait for */
	SEAM_SF_FORKS    = 8,   /* returns twice: fork family */
	SEAM_SF_EXEC     = 16,  /* replaces the process image */
	SEAM_SF_EXIT     = 32,  /* ends the process */
	SEAM_SF_PUSHES   = 128, /* the trampoline pushes a return address: not where there is a shadow stack */
	SEAM_SF_GUARD    = 64,  /* the address space or what is allowed may change: see SEAM_SITE_GUARD */
};

#define SEAM_MAX_WORDS 12       /* captured argument words per call */
#define SEAM_MAX_PATCH 24       /* displaced bytes, at most */

struct seam_site {              /* 144 bytes */
	uint64_t vaddr;         /* of the function's first byte */
	uint8_t  kind, instrument, flags, patch_len; /* patch_len 0: by the pointers to it, see pointers.c */
	uint8_t  nregs;         /* argument words in registers to capture, 0..6 */
	uint8_t  nstack;        /* stack words to capture, after the registers */
	uint8_t  ncopy;         /* stack words to copy for the call, >= nstack */
	uint8_t  nops;          /* capture operations */
	uint8_t  orig[SEAM_MAX_PATCH]; /* the bytes that must be found there */
	uint32_t tramp_off, tramp_len; /* relocated prologue with its jump back */
	uint32_t fix_off, nfix;        /* struct seam_fix[nfix] */
	uint32_t ops_off;              /* struct seam_op[nops] */
	uint32_t filt_off;             /* struct seam_filter[nfilt] */
	uint8_t  nfilt, fail_op, ret_width, handover;
	uint32_t def_off, def_len;     /* msgpack probe definition (hooks.EncodeDef); opaque to the core */
	uint32_t name_off;             /* NUL-terminated symbol name */
	int64_t  fail_val[3];
	uint32_t watch;         /* enum seam_watch: what the core itself must know of this call */
	uint8_t  from, proto;   /* where its symbol and its prototype were found; for people (plan.Source, plan.ProtoSource) */
	uint16_t probe;         /* index in the spec's probes, SEAM_NO_PROBE: the core's own */
	uint64_t picker;        /* vaddr of an IFUNC's resolver: this is one of the functions it may pick; 0: not an IFUNC */
	uint64_t reserved[2];
	uint32_t rules_off, nrules; /* struct seam_rule[], in the order of the spec */
};
#define SEAM_NO_PROBE 0xffff

/* How a site can be put in while threads run: one instruction is overwritten, by
 * one store (live.c). Those before it have pushed `undo` bytes. */
#define SEAM_LIVE_PADS 6
enum { SEAM_LIVE_NO = 0,
       SEAM_LIVE_WORD = 1,      /* 5-byte jump, within an aligned word */
       SEAM_LIVE_SHORT = 2 };   /* 2-byte jump, within an aligned word, to a 5-byte one in a pad between functions */
struct seam_live {              /* 48 bytes */
	uint8_t at;             /* of the instruction, from the function's start */
	uint8_t undo, form, npads;
	int8_t  rel[SEAM_LIVE_PADS];    /* pads, from the end of the 2-byte jump */
	uint8_t fill[SEAM_LIVE_PADS][5]; /* what is there before */
	uint8_t pad[8];
};

enum seam_watch { /* see process.c, twin.c, follow.c */
	SEAM_WATCH_NONE     = 0,
	SEAM_WATCH_VFORK    = 1, /* the child shares this thread's memory and TLS; this thread waits */
	SEAM_WATCH_CLONE    = 2, /* the same, if flags (argument 2) say so */
	SEAM_WATCH_SPAWN    = 3, /* posix_spawn: the same, inside the call */
	SEAM_WATCH_WAIT4    = 4, /* tells how a child ended */
	SEAM_WATCH_WAITID   = 5,
	SEAM_WATCH_EXECVE   = 6, /* replaces the program: the environment may be changed */
	SEAM_WATCH_EXECVEAT = 7,
	SEAM_WATCH_FEXECVE  = 8,
	SEAM_WATCH_SYSCALL  = 9, /* syscall(2): may be one that executes, or a clone */
	SEAM_WATCH_EXIT     = 10,/* ends the process */
};

enum { SEAM_FIX_REL32 = 1,      /* tramp[at..at+4] = target + bias - (address of tramp[at] + addend) */
       SEAM_FIX_ABS64 = 2 };    /* tramp[at..at+8] = target + bias */
struct seam_fix {               /* 16 bytes */
	uint16_t at; uint8_t kind; uint8_t addend; /* addend: bytes from `at` to the end of the instruction */
	uint32_t pad;
	uint64_t target;        /* vaddr in the ELF file */
};

enum { /* seam_op.op: what to read behind an argument word */
	SEAM_OP_STR  = 1,       /* C string at word `arg`, up to cap bytes */
	SEAM_OP_BUF  = 2,       /* word `arg` points at min(cap, length) bytes; length is word `len` (0xff: the return value) times `unit` */
	SEAM_OP_BUFP = 3,       /* as BUF, the length is a uint32 that word `len` points at */
	SEAM_OP_MEM  = 4,       /* exactly cap bytes at word `arg` */
	SEAM_OP_STRV = 5,       /* NULL-terminated vector of C strings, cap bytes in all, each followed by NUL */
	SEAM_OP_PSTR = 6,       /* word `arg` points at a pointer to a C string */
	SEAM_OP_RETSTR = 7,     /* the return value is a C string */
	SEAM_OP_BUF32 = 8,      /* as BUF, the length is an int: of its register only the low 32 bits count */
};
enum { SEAM_WHEN_ENTER = 1, SEAM_WHEN_LEAVE = 2, /* exactly one of these */
       SEAM_WHEN_OK = 4 };      /* with LEAVE: only if the call did not fail */
struct seam_op {                /* 8 bytes */
	uint8_t op, arg, len, when;
	uint16_t cap, unit;
};

enum { /* seam_filter.what */
	SEAM_FILT_INT    = 1,   /* word `arg` OP value */
	SEAM_FILT_PREFIX = 2,   /* C string at word `arg` starts with str[0..len) (cmp NE: does not) */
	SEAM_FILT_FAILED = 3,   /* only failed calls */
	SEAM_FILT_MINDUR = 4,   /* only calls of at least value nanoseconds */
	SEAM_FILT_RULED  = 5,   /* only calls that a rule acted on */
	SEAM_FILT_ADDR   = 6,   /* socket address at word `arg`, of the length in word `width` (0xff: unknown), is one of str (struct seam_addr_range; cmp NE: of that kind, and not one) */
	SEAM_FILT_FDPATH = 7,   /* what descriptor `arg` is open on starts with str[0..len), as /proc/self/fd says (cmp NE: does not) */
	SEAM_FILT_WITHIN = 8,   /* each file named (struct seam_names in str) is one of the struct seam_set at value, or below one, or a folder of which it has /dir/. (cmp NE: not each); value counts from the plan's start */
	SEAM_FILT_ADDRS  = 9,   /* one of the `count` struct seam_filter at value holds (cmp NE: none does, and it is an IP or a Unix address); count: struct seam_addr_list in str */
	SEAM_FILT_HAS    = 10,  /* C string at word `arg` contains str[0..len) (cmp NE: does not) */
	SEAM_FILT_SHAPE  = 11,  /* the shape of the SQL (struct seam_sql in str) is one of the struct seam_set at value (cmp NE: is not) */
};
enum { SEAM_CMP_EQ = 1, SEAM_CMP_NE, SEAM_CMP_LT, SEAM_CMP_LE, SEAM_CMP_GT, SEAM_CMP_GE, SEAM_CMP_AND };
struct seam_filter {            /* 80 bytes; all must hold */
	uint8_t what, arg, cmp, len;
	uint8_t width;          /* FILT_INT: bytes of the integer, 1,2,4,8 */
	uint8_t is_signed;
	uint8_t pad[2];
	int64_t value;
	char    str[64];
};

/* seam_filter.str of SEAM_FILT_ADDR */
struct seam_addr_range {        /* 20 bytes */
	uint8_t kind;           /* AF_INET: the first `bits` of addr[0..4); AF_INET6: of addr; AF_UNIX: the path starts with the text behind this */
	uint8_t bits;           /* AF_UNIX: bytes of the text, at most 44 */
	uint16_t port;          /* 0: any */
	uint8_t addr[16];
};

/* seam_filter.str of SEAM_FILT_WITHIN: how the call names files */
#define SEAM_NO_WORD 0xff
struct seam_names {             /* 20 bytes */
	uint8_t n;              /* names: 1 or 2 */
	uint8_t fd;             /* 1: the word is a descriptor */
	uint8_t arg[2];         /* words */
	uint8_t dir[2];         /* word of the descriptor that a relative name counts from; SEAM_NO_WORD: the working directory */
	uint8_t keep[2];        /* 1: a link that is the last part of the name is not followed */
	uint8_t flags;          /* word with flags that say the same, SEAM_NO_WORD: none */
	uint8_t empty;          /* 1: with AT_EMPTY_PATH among them, an empty name is the descriptor's file; 0: it names none */
	uint8_t pad[2];
	uint32_t nofollow;      /* in flags: the last link is not followed */
	uint32_t follow;        /* in flags: it is, in spite of keep */
};

/* seam_filter.str of SEAM_FILT_ADDRS */
struct seam_addr_list { uint32_t n, pad; };

/* seam_filter.str of SEAM_FILT_SHAPE */
#define SEAM_SQL_MOST 4096      /* bytes of a statement, and of its shape; a longer one has no shape */
struct seam_sql {               /* 4 bytes */
	uint8_t arg;            /* word */
	uint8_t len;            /* word of its length, an int; negative, or SEAM_NO_WORD: up to the NUL */
	uint8_t all;            /* 1: each statement of the text must hold; 0: the first, as prepare compiles no more */
	uint8_t own;            /* 1: what the object's own code asks holds in any case */
};

/* A set of texts, sorted by their FNV-1a 64. */
struct seam_set {               /* 8 bytes, entries follow */
	uint32_t n, pad;
};
struct seam_set_entry {         /* 16 bytes */
	uint64_t hash;
	uint32_t off, len;      /* the text, from the plan's start */
};

#define SEAM_MAX_RULES 64
#define SEAM_RULE_ERRS 24
enum { /* seam_rule.what */
	SEAM_ACT_FAULT = 1,     /* the original is not called: result and errno are the rule's */
	SEAM_ACT_SHORT = 2,     /* the argument that counts is lowered */
	SEAM_ACT_DELAY = 3,     /* the original is called later */
	SEAM_ACT_DENY  = 4,     /* as FAULT, in another name */
	SEAM_ACT_AUDIT = 5,     /* nothing but the event */
	SEAM_ACT_BREAK = 6,     /* the thread waits before the call until it is released: breaks.c */
	SEAM_ACT_NATIVE = 16,   /* a callback of the user's, see native.c */
	SEAM_ACT_CALLBACK = 32, /* a Go callback of the agent's is asked: number `count`, position count_arg */
};
enum { SEAM_POS_PRE = 1, SEAM_POS_POST = 2, SEAM_POS_FAILING = 3 }; /* seam_rule.count_arg of a callback */
enum { /* seam_rule.flags */
	SEAM_RULE_ERRNO = 1,    /* err is stored in errno */
	SEAM_RULE_CODE  = 2,    /* err is the result */
	SEAM_RULE_NEG   = 4,    /* CODE: the result is -err */
	SEAM_RULE_POST  = 8,    /* NATIVE: called after the original, not before it */
	SEAM_RULE_FAILING = 16, /* NATIVE: called after the original, if it failed */
};
struct seam_rule {              /* 72 bytes: what one rule means at one site; when it acts is in the arena */
	uint8_t  what, flags;
	uint8_t  id;            /* index in the arena's table, and the bit in a record */
	uint8_t  nfilt;         /* conditions; all must hold */
	uint8_t  nerr;          /* err[0..nerr): one of these, drawn if there is more than one; 0: errno is left alone */
	uint8_t  count_arg;     /* SHORT: the register word that is lowered; CALLBACK: SEAM_POS_* */
	uint8_t  pad[2];
	uint32_t filt_off;      /* struct seam_filter[nfilt], from the plan's start */
	uint32_t count;         /* SHORT: to this, at least 1; CALLBACK: its number among those compiled in */
	int64_t  ret;
	uint16_t err[SEAM_RULE_ERRS];
};

/* ---- Arena: the bounded queue ------------------------------------------- */

#define SEAM_ARENA_MAGIC   "SEAMAREN"
#define SEAM_ARENA_VERSION 3

enum { SEAM_DROP_OLDEST = 0, SEAM_DROP_NEWEST = 1, SEAM_BLOCK = 2 };
enum { SEAM_CLOCK_TSC = 0, SEAM_CLOCK_MONO = 1 };   /* unit of every timestamp in the arena */
enum { SEAM_START_DEMAND = 0, SEAM_START_FIRST = 1, SEAM_START_NOW = 2, SEAM_START_NEVER = 3 }; /* when Go starts */

#define SEAM_OWNER_COLLECTOR 0x3ffffffeu /* arena.owner: the collector drains */
#define SEAM_OWNER_DIED      0x40000000u /* FUTEX_OWNER_DIED: the kernel set it, the owner is gone */

struct seam_arena {             /* at offset 0, one page; regions follow */
	/* written once by the core that made the arena */
	char     magic[8];
	uint32_t version, page;
	uint64_t size;          /* of the whole mapping, bytes */
	uint8_t  id[16];        /* random */
	uint64_t spec_hash;
	uint32_t policy, clock;
	uint64_t block_ns;      /* SEAM_BLOCK: longest wait of one call */
	uint64_t tsc0, mono0_ns, real0_ns;  /* read together at creation */
	uint32_t procs_off, nprocs;         /* struct seam_proc[] */
	uint32_t threads_off, nthreads;     /* struct seam_thread[] */
	uint32_t metas_off, nchunks;        /* struct seam_chunk[] */
	uint32_t free_off;                  /* uint64_t bitmap[(nchunks+63)/64], 1 = free */
	uint32_t sites_off, nsites;         /* struct seam_asite[]; the index is the probe's id in the stream */
	uint32_t defs_off, defs_size;       /* opaque blobs named by seam_asite and seam_arena.refusals */
	uint32_t counters_off, nshards;     /* uint64_t[nshards][nsites]; the sum over shards is the count; of a LOG site: calls its filters kept out */
	uint32_t hist_off, nhists;          /* struct seam_hist[nshards_hist][nhists] */
	uint32_t nshards_hist;
	uint32_t handover_off, nhandover;   /* 0 of them: hand-overs are in each process's own memory */
	uint32_t chunk_size;
	uint64_t data_off;                  /* chunks: chunk i is at data_off + i * chunk_size */
	uint32_t info_off, info_len;        /* in defs: msgpack map about the process {exe, argv, cwd, ...} */
	uint32_t order_off;                 /* uint32_t[nchunks]: index of the chunk that got uid, at uid % nchunks (core) */
	uint32_t ends_off, nends;           /* struct seam_end[]: entry n is at n % nends */
	uint32_t rules_off, nrules;         /* struct seam_rule_state[]; behind them: */
	uint32_t nnotes;                    /* struct seam_note[]: note n is at n % nnotes */
	uint32_t parks_off, nparks;         /* struct seam_parks, struct seam_break[nrules], struct seam_parked[nparks]; 0: no breakpoints here */

	/* written by many; each word on its own line where it is busy */
	uint32_t epoch    __attribute__((aligned(64))); /* bumped: threads take the slow path once (written by owner, reader) */
	uint32_t sites_used;    /* core; sites are added by any process that shares the arena */
	uint32_t defs_used;     /* core */
	uint32_t wish;          /* reader: 1 = start the agent at the next safe call */
	uint32_t hists_used;    /* core */
	uint32_t refusals;      /* core: in defs, the last struct seam_refusals added, 0 none; store-release */
	uint32_t owner    __attribute__((aligned(64))); /* who drains: 0 nobody, a thread id (robust), SEAM_OWNER_COLLECTOR */
	uint32_t owner_pid;
	uint64_t chunk_uid __attribute__((aligned(64))); /* last uid given to a chunk, from 1 */
	uint32_t nfull;         /* chunks FULL and not yet taken by the drainer */
	uint32_t work;          /* futex: bumped when a chunk becomes FULL and `sleeping` is set */
	uint32_t sleeping;      /* while a drainer waits on work: how many FULL chunks are worth waking it for; else 0 */
	uint32_t space;         /* futex: bumped by the drainer when it frees chunks and `waiting` is set */
	uint32_t waiting;       /* producers blocked for space */
	uint32_t thread_uid;    /* last uid given to a thread, from 1 */
	uint32_t threads_used;  /* entries of the thread table ever used: bound of scans */
	uint32_t threads_hint;  /* where to look for a free entry */
	uint32_t proc_uid;      /* last uid given to a process, from 1 */
	uint32_t forking;       /* core: children that were begun and are not in the process table yet */
	uint32_t shards;        /* bitmap: counter shards that a live thread owns */
	uint32_t ends;          /* ends of children noted so far */
	uint32_t notes;         /* notes left so far */
	/* losses and skips, all in calls unless said; atomic adds, never reset */
	uint64_t lost[16] __attribute__((aligned(64)));  /* by enum seam_lost */
	uint64_t pad1;
	/* drainer: calls it has sent, with a redo record so that a drainer killed
	 * between two stores leaves an exact count (wire/arena/commit.go) */
	uint64_t delivered, delivered_next; /* they differ while a commit is under way */
	uint64_t commit_uid;
	uint32_t commit_chunk, commit_upto;
	uint64_t oldest_uid __attribute__((aligned(64))); /* producers: no FULL chunk has a lower uid, as far as known */
	/* core: another spec than that the arena was made for, for all who share it */
	uint32_t spec_seq __attribute__((aligned(64))); /* 0: none yet; odd: it is being written */
	char     spec_path[2044];
};

enum seam_lost { /* closed list, ids never reused */
	SEAM_LOST_OLDEST    = 0, /* calls overwritten by newer ones (drop-oldest) */
	SEAM_LOST_NEWEST    = 1, /* calls not recorded: arena full */
	SEAM_LOST_TIMEOUT   = 2, /* calls not recorded: arena full after waiting (block) */
	SEAM_LOST_RETURN    = 3, /* returns whose record was lost (their call is counted above or delivered as entry) */
	SEAM_LOST_NOTHREAD  = 4, /* calls not recorded: thread or process table full */
	SEAM_SKIP_REENTRANT = 5, /* not produced: call made inside seam itself, or by a signal handler that interrupted it, or that such a handler prevented by a jump */
	SEAM_SKIP_AGENT     = 6, /* not produced: call made by the agent's own threads */
	SEAM_HO_TIMEOUT     = 7, /* hand-overs abandoned after their deadline */
	SEAM_HO_NOAGENT     = 8, /* hand-overs not made: no agent to be had */
	SEAM_START_FAILED   = 9, /* agent starts that failed or timed out */
	SEAM_ARG_UNREAD     = 10,/* arguments that could not be read (bad pointer) */
	SEAM_ARG_CUT        = 11,/* arguments cut to their cap or to the chunk */
	SEAM_EXEC_AS_IS     = 12,/* programs executed with the environment as it was, though another was asked for */
	SEAM_CONFINED       = 13,/* processes that confined themselves while they were watched */
	SEAM_EXEC_OUT_OF_REACH = 14, /* programs executed without seam: they could not have read its library */
	SEAM_LOST_KINDS     = 15,
};

/* A link of the chain at seam_arena.refusals, one per object, in defs. Behind it:
 * name_len bytes, the object's path, then len bytes, its seam_plan refusals. */
struct seam_refusals {          /* 16 bytes */
	uint32_t next;          /* in defs, 0 none */
	uint32_t len;
	uint32_t name_len;
	uint32_t pad;
};

enum { SEAM_PROC_FREE = 0, SEAM_PROC_LIVE = 1, SEAM_PROC_DEAD = 2 /* set by a drainer; may be reused */, SEAM_PROC_SETUP = 3 };
enum { /* seam_proc.confined */
	SEAM_CONF_QUIET   = 1,  /* a system call filter: seam makes no system call there any more */
	SEAM_CONF_NOTSC   = 2,  /* the time stamp counter is forbidden */
	SEAM_CONF_THREADS = 4,  /* the agent's threads were ended: they would have stood outside */
	SEAM_CONF_STAYED  = 8,  /* they could not be ended in time */
	SEAM_CONF_TOLD    = 256,/* times any of the above: that is on the stream */
	SEAM_CONF_NOAGENT = 1 << 16, /* drainer: go_reason is on the stream */
};
enum { SEAM_GO_OFF = 0, SEAM_GO_STARTING = 1, SEAM_GO_ON = 2, SEAM_GO_FAILED = 3, SEAM_GO_PARKED = 4 };
struct seam_proc {              /* 128 bytes */
	uint32_t state, pid, ppid;
	uint32_t go_state;      /* core, agent */
	uint64_t start_ts, end_ts;
	uint32_t ho_bell;       /* futex: bumped when a hand-over is left for this process */
	uint32_t go_reason;     /* why Go did not start: id from the closed list of refusals */
	char     comm[16];
	uint32_t end_status;    /* exit status if it was seen (exit, _exit), else 0xffffffff */
	uint32_t parent;        /* index of the parent's entry, or 0xffffffff */
	uint32_t uid;           /* unique in the arena, from 1 */
	uint32_t ns;            /* process id namespace: numbers mean the same in entries with the same ns */
	uint64_t dropped;       /* calls of this process lost; atomic */
	uint32_t confined;      /* SEAM_CONF_*: how it confined itself; from SEAM_CONF_TOLD on the drainer's */
	uint32_t spec_seq;      /* seam_arena.spec_seq of the spec that is in force there */
	uint32_t cb_bell;       /* futex: bumped when a callback is to be run in this process */
	uint32_t cb_asleep;     /* agent's threads that wait on it */
	uint32_t pad[8];
};

/* How a child ended, as its parent was told by wait. */
struct seam_end {               /* 32 bytes */
	uint64_t ts;
	uint32_t pid, ppid;
	uint32_t wstatus;       /* as wait4 gives it */
	uint32_t pad[2];
	uint32_t number;        /* which end this is, from 1; stored last */
};

enum { SEAM_THREAD_FREE = 0, SEAM_THREAD_LIVE = 1, SEAM_THREAD_SETUP = 2, SEAM_THREAD_REAPED = 3 };
/* Recycling: whoever finds the thread dead moves LIVE to REAPED, brings `produced` up to
 * the last call in its chunk, hands that back, clears its bit in seam_arena.shards, and
 * sets FREE. Every step can be done again: whoever does it may be killed, too. The next
 * thread counts on from `produced`, so the sum over the table never goes down. */
struct seam_thread {            /* 128 bytes */
	uint32_t state, tid, pid;
	uint32_t proc;          /* index of its seam_proc */
	uint32_t uid;           /* unique in the arena, from 1 */
	uint32_t chunk;         /* index of the chunk it fills, +1; 0 none */
	uint64_t produced;      /* calls entered, of all threads that had this entry; up to date at each chunk and each drop */
	uint64_t drop_produced; /* drop_chunk 0: `produced` when the drop is done */
	uint64_t start_ts;
	char     comm[16];
	uint32_t shard;         /* counter shard it alone writes, +1; 0 none (shard 0 is everybody's, by atomic adds) */
	uint32_t copying;       /* 1 while it reads behind an argument: see read.c */
	uint64_t chunk_base;    /* produced before the current chunk */
	/* the drop under way (drop.c): there is one while drop_seq and drop_done differ */
	uint64_t drop_seq, drop_done;
	uint32_t drop_site, drop_calls;
	uint32_t drop_chunk, drop_upto; /* chunk index +1, and its `consumed` when the drop is done */
	uint64_t drop_seen;     /* drop_seq whose addition to the count another thread has seen */
	uint32_t ns;            /* as seam_proc.ns */
	uint32_t pad2;
};

enum { SEAM_CHUNK_FREE = 0, SEAM_CHUNK_ACTIVE = 1, SEAM_CHUNK_FULL = 2, SEAM_CHUNK_STOLEN = 3,
       SEAM_CHUNK_BUSY = 0x100 }; /* flag: a drainer is reading; a producer may fill it but not steal it */
struct seam_chunk {             /* 64 bytes, one line: written by its thread while ACTIVE */
	uint64_t uid;           /* increases with every taking, over all chunks */
	uint32_t state;
	uint32_t committed;     /* bytes of complete records; store-release by the producer */
	uint32_t consumed;      /* bytes given away by a drainer */
	uint32_t thread;        /* index of its seam_thread */
	uint32_t tid, pid;
	uint32_t thread_uid, proc_uid;
	uint32_t first_seq;     /* sequence number before the first record */
	uint32_t sending;       /* above consumed: a drainer writes the bytes up to here to a stream (wire/arena/commit.go) */
	uint32_t proc;          /* index of its seam_proc */
	uint32_t pad[3];
};

struct seam_asite {             /* 64 bytes */
	uint32_t def_off, def_len; /* in defs */
	uint64_t addr;          /* of the function, in the process that made the arena */
	uint64_t dropped;       /* calls of this probe lost, all reasons: SEAM_DROPPED_*; atomic */
	uint64_t returns_lost;
	uint32_t hist;          /* index of its histogram, or 0xffffffff */
	uint8_t  kind, instrument, nwords, flags; /* as in seam_site; nwords = nregs + nstack */
	uint64_t key;           /* core: which function of which file; 0 while it is being filled */
	uint64_t reserved[2];
};

/* seam_asite.dropped: the count, and who added to it last: bits 44-55 the index
 * of its seam_thread, 56-63 the low bits of its drop_seq (drop.c). */
#define SEAM_DROPPED_COUNT ((1ull << 44) - 1)
#define SEAM_DROPPED_THREADS 4096

/* Log-linear: values below 4 have their own bucket, above 4 per power of two.
 * index(v) = v < 4 ? v : (e-1)*4 + ((v >> (e-2)) & 3), e = 63 - clz(v). */
#define SEAM_HIST_BUCKETS 252
struct seam_hist {              /* 2048 bytes; unit: arena.clock ticks */
	uint64_t bucket[SEAM_HIST_BUCKETS];
	uint64_t count, sum, max, errors;
};

struct seam_rule_state {        /* 128 bytes: of one rule, in all processes; the first line: atomic adds */
	uint64_t matched;       /* calls for which its conditions held; a callback's are not counted */
	uint64_t acted;
	uint64_t skipped;       /* calls it could not be applied to: no place in the thread table, or no system call allowed for a delay; of a callback: those where it said that it failed */
	uint32_t text_off, text_len; /* in defs: "fault write:errno=ENOSPC"; len 0: this entry is not used */
	uint32_t off;           /* of a callback, as what follows: SEAM_OFF_*, 0 it is on */
	uint32_t stuck;         /* calls that were not waited for any longer and are still in it */
	uint64_t timeouts, errors;
	uint64_t reserved[1];
	/* written once, from the spec; of a breakpoint, again when another has the entry. Of the calls that match, counted from 1 */
	uint64_t nth, every;    /* act on this one, on each multiple; 0: not asked */
	uint64_t max;           /* times it acts, at most; 0: no bound */
	uint64_t chance;        /* acts when the draw for this call is below; 0: always */
	uint64_t seed;          /* draw k is a function of seed and k */
	uint64_t after;         /* clock ticks since the arena was made; earlier calls do not match */
	uint64_t delay, jitter; /* ns: delay - jitter to delay + jitter; of a callback: delay is how long a call waits for it; of a breakpoint delay is the longest wait, jitter its serial, which grows */
};

enum { SEAM_OFF_ERRORS = 1, SEAM_OFF_USER = 2 }; /* seam_rule_state.off */

/* What a callback had to say, or what is to be said of it: it reaches the reader
 * by whoever drains. */
enum { SEAM_NOTE_SAID = 1, SEAM_NOTE_ERROR = 2, SEAM_NOTE_PANIC = 3, SEAM_NOTE_TIMEOUT = 4, SEAM_NOTE_OFF = 5, SEAM_NOTE_FATAL = 6,
       SEAM_NOTE_MISUSE = 7 };
struct seam_note {              /* 256 bytes */
	uint32_t number;        /* which note this is, from 1; stored last; 0 while it is written */
	uint8_t  code;          /* SEAM_NOTE_* */
	uint8_t  rule;          /* the callback's, from 0 */
	uint16_t len;           /* of text */
	uint32_t pid, tid;      /* of the call; 0 not of one */
	uint64_t count;         /* how often so far */
	uint32_t told;          /* drainer: 1 it is on the stream */
	uint32_t pad;
	char     text[224];
};

/* Threads that wait at breakpoints. The state of an entry is its ticket << 2 | one of these;
 * a ticket is not used again soon, so a reader that exchanges the word means this very wait. */
enum { SEAM_PARK_FREE = 0, SEAM_PARK_CLAIMED = 1, SEAM_PARK_PARKED = 2, SEAM_PARK_RELEASED = 3 };
#define SEAM_PARK_PAYLOAD 2048
#define SEAM_PARK_STACK 14000
struct seam_parks {             /* 64 bytes */
	uint32_t beat;          /* collector: it is there; another number at least each second */
	uint32_t deaf;          /* core: beat + 1 as it was when threads gave it up; nobody parks until it changes */
	uint32_t keeper;        /* collector: its process id as processes with ns 0 number it; 0 unknown */
	uint32_t ticket;        /* core: last one given */
	uint32_t bell;          /* bumped when a thread has parked */
	uint32_t pad[11];
};
struct seam_break {             /* 32 bytes: of a rule that is a breakpoint, as seam_rule_state */
	uint64_t armed;         /* its serial; 0 once the collector has taken it back: nobody parks there, and who does leaves */
	uint64_t expired;       /* of those it parked: left at their deadline */
	uint64_t abandoned;     /* left because the collector was gone */
	uint32_t text_room, writing; /* core: bytes at text_off; 1 while a newer breakpoint takes this entry */
};
struct seam_parked {            /* 16384 bytes, of which untouched pages cost nothing */
	uint32_t state;         /* futex. Reader: PARKED -> RELEASED, and wake; PARKED or CLAIMED -> FREE when the thread is gone */
	uint32_t pid, tid, site;
	uint32_t rule;          /* index */
	uint32_t ns;            /* as seam_proc.ns */
	uint64_t serial;        /* of the breakpoint */
	uint64_t since, deadline, looked; /* CLOCK_MONOTONIC, ns; looked: when it last looked around, each 0.1 s unless it is stopped */
	uint64_t frame;         /* core: address of the call's frame */
	uint64_t caller, sp, bp;/* where the call returns to, and the registers it then finds */
	uint64_t words[SEAM_MAX_WORDS];
	char     comm[16];
	uint32_t items_len;     /* bytes of payload: items as in a record */
	uint32_t stack_len;     /* bytes of stack, from sp up */
	uint64_t pad[16];
	uint8_t  payload[SEAM_PARK_PAYLOAD];
	uint8_t  stack[SEAM_PARK_STACK];
};

enum { SEAM_REC_ENTER = 1, SEAM_REC_LEAVE = 2, SEAM_REC_ENTRY = 3 /* entry-only: no leave follows */ };
enum { SEAM_RF_FAILED = 0x10, SEAM_RF_PAYLOAD = 0x20, SEAM_RF_REPLY = 0x40,
       SEAM_RF_RULES = 0x80 /* the last 8 bytes are the set of rules that acted on the call, before it or, in a LEAVE, after it: a bit each */ };
struct seam_rec {               /* 16 bytes, then the body */
	uint16_t site;
	uint8_t  kind;          /* enum in the low 4 bits, SEAM_RF_* above */
	uint8_t  size8;         /* of the whole record, in units of 8 bytes */
	uint32_t seq;           /* ENTER, ENTRY: this thread's call number; LEAVE: that of its ENTER */
	uint64_t ts;
	/* ENTER, ENTRY: uint64_t words[asite.nwords]; then payload items
	 * LEAVE: uint64_t ret; uint32_t err; uint32_t zero; then payload items
	 * The record has payload iff SEAM_RF_PAYLOAD. An entry-only site's call that a rule
	 * refused is an ENTER and a LEAVE. */
};
struct seam_item {              /* a payload item: 4 bytes, then len bytes, padded with zeros to a multiple of 8 */
	uint16_t len;           /* bytes that follow */
	uint8_t  status;        /* enum seam_read */
	uint8_t  op;            /* index into the site's ops; SEAM_OPIDX_REPLY: a hand-over's reply */
};
#define SEAM_OPIDX_REPLY 0xff
enum seam_read { SEAM_READ_OK = 0, SEAM_READ_CUT = 1, SEAM_READ_NULL = 2, SEAM_READ_BAD = 3, SEAM_READ_SKIPPED = 4 };

enum { SEAM_HO_FREE = 0, SEAM_HO_CLAIMED = 1, SEAM_HO_ASKED = 2, SEAM_HO_TAKEN = 3, SEAM_HO_DONE = 4, SEAM_HO_ABANDONED = 5 };
struct seam_handover {          /* 1024 bytes; in struct seam_core, for core and agent of one process */
	uint32_t state;         /* futex */
	uint32_t pid, tid, site;
	uint8_t  what;          /* seam_site.handover */
	uint8_t  pad[3];
	uint32_t reply_len;
	uint64_t words[SEAM_MAX_WORDS];
	uint64_t ret;
	uint64_t lib_base;      /* load bias of the object the site is in */
	char     reply[888];
};

/* seam_handover.reply, while a callback is asked (what is SEAM_HO_CALLBACK) */
#define SEAM_HO_CALLBACK 255
enum { SEAM_CALL_RET = 1, SEAM_CALL_ERRNO = 2, SEAM_CALL_REFUSE = 4 }; /* seam_called.out */
struct seam_called {            /* 136 bytes */
	uint32_t callback;      /* its number */
	uint8_t  rule, position, failed, nwords;
	uint32_t err;           /* errno, position POST and FAILING */
	uint32_t asleep;        /* futex: 1 the host's thread is not looking */
	uint32_t server;        /* agent: the thread that runs it */
	uint32_t out;           /* agent: SEAM_CALL_*: what is to be done */
	uint32_t changed;       /* agent: words that are to be replaced, a bit each */
	uint32_t out_err;
	uint64_t out_ret;
	uint64_t out_words[SEAM_MAX_WORDS];
};

#endif
