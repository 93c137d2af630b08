/* load.h: what the constructor's parts tell each other. Nothing here is used
 * once the program runs. */
#ifndef SEAM_LOAD_H
#define SEAM_LOAD_H
#include "core.h"

struct dl_phdr_info;

#define MAX_OBJECTS 512
#define MAX_GLOBS 256
#define MAX_HAS 8

struct seam_spec {              /* the lines of a spec file, see docs/architecture.md */
	uint64_t hash, buffer;
	uint32_t on_full, block_ms, start, follow, control;
	const char *plans, *planner;    /* "": none */
	uint32_t nglobs, has_paths, nhas;
	uint32_t nrules;
	const char *rules[SEAM_MAX_RULES];     /* kind and text */
	uint64_t when[SEAM_MAX_RULES][8];       /* seam_rule_state.nth to jitter, times in ns */
	const char *natives[SEAM_MAX_RULES];    /* of a callback: index, 1 if it is plain, dev, ino, size, mtime_ns, path; or NULL */
	const char *has[MAX_HAS];       /* objects that define one of these are wanted, too */
	struct { const char *text; int is_path, matched; } globs[MAX_GLOBS];
	char     text[65536];   /* the file's head, cut into strings */
};

struct seam_object {
	const char *path;       /* as the loader knows it; the program's real path */
	uint64_t bias, text_lo, text_hi;
	uint32_t nruns;
	struct { uint64_t lo, hi; } runs[4];    /* pages that can be read, in order */
	int      text_prot;
	const struct seam_plan *plan;
	uint64_t dev, ino, size, mtime_ns;
	char     key[24];
	int      wanted, is_new, defines;
	int      unplanned;     /* wanted, and there is no plan to be had */
	const void *phdr;       /* its program headers, while it is loaded */
	uint32_t nphdr;
	int      elsewhere;     /* in another namespace than ours */
	struct seam_done *done; /* it was here before; NULL: it was not */
	struct seam_done *now;  /* its entry, once it is patched; NULL: there was no place */
};

/* An object that was patched. It stays listed when it is unloaded: when the same
 * file comes again, it gets the same slots, and what memory it had. */
struct seam_done {
	uint64_t dev, ino, size, mtime_ns, text_lo, bias;
	const struct seam_plan *plan;           /* NULL: this entry is not used */
	unsigned char *mem;                     /* its trampolines, mem_size bytes; NULL: none */
	uint64_t mem_size;
	unsigned char *pointers;                /* those of pointers.c; NULL: none */
	int loaded;
};

struct seam_load {              /* one mapping; kept if libraries may come later */
	uint32_t nobj, nmissing;                /* what is small lies together: each page that is written costs a fault */
	int      elsewhere;                     /* while looking: these are another namespace's */
	int      cut;                           /* not all that is loaded is in obj */
	uint32_t nold, ndone, names_used;
	const void *debug;                      /* the loader's struct r_debug, or NULL */
	int      live;                          /* plans must say how to patch what runs */
	int      argc;
	char   **argv;
	int      memfd;
	int      awake;         /* in a process that runs: see wake.c for what may be done then */
	char     exe[4096];
	char     spec_path[4096];
	struct seam_object obj[MAX_OBJECTS];    /* what is loaded now */
	uint64_t old[MAX_OBJECTS];              /* biases of what was there at the last look, ascending */
	struct seam_done done[MAX_OBJECTS];
	char     names[65536];                  /* paths of obj */
	struct seam_spec spec;
};

/* hash.c */
#define FNV_START 0xcbf29ce484222325ull
uint64_t seam_hash(uint64_t h, const void *p, size_t n);      /* of n bytes, beginning at h */

/* namespaces.c */
const void *seam_loader_debug(void);
int  seam_each_object(int (*each)(struct dl_phdr_info *, size_t, void *), void *arg); /* dl_iterate_phdr, without a lock */
void seam_elsewhere(const void *debug, int (*each)(struct dl_phdr_info *, size_t, void *), void *arg);

/* again.c: objects that were here before */
void seam_done_left(struct seam_load *l);                     /* after a look: which of them are gone */
void seam_done_find(struct seam_load *l, struct seam_object *o); /* o is new: has it been here? */
void seam_done_note(struct seam_load *l, struct seam_object *o, unsigned char *mem, uint64_t size); /* its plan is applied */

/* What only the loader can tell, and what `seam attach` must know of a process
 * that was started dormant: launcher/attach reads it, so fields stay where they are. */
struct seam_waking {
	uint64_t magic;         /* SEAM_WAKE_MAGIC: dormant */
	uint64_t stack_lo, stack_hi;    /* for seam_wake; its arguments are at the top */
	const void *loader;   /* struct r_debug */
	int32_t  result;        /* of seam_wake, SEAM_WAKE_*; 0: not yet */
	uint32_t pid;           /* in which libc's own fork handling has run */
	const void *debug;      /* seam_loader_debug() */
	uint64_t malloc;
	void    *pthread_create, *nptl_nthreads, *curbrk;
	char   **argv;
	int      argc;
	int    (*pthread_getattr_np)(pthread_t, pthread_attr_t *);
	int    (*pthread_attr_destroy)(pthread_attr_t *);
};
#define SEAM_WAKE_MAGIC 0x31454b41574d4553ull /* "SEMWAKE1" */
#define SEAM_WAKE_STACK (192u << 10)
enum { /* seam_waking.result; launcher/attach has words for them */
	SEAM_WAKE_DONE = 1,
	SEAM_WAKE_AWAKE,        /* not dormant */
	SEAM_WAKE_LOADER,       /* a library is just being loaded: later */
	SEAM_WAKE_MEMORY,
	SEAM_WAKE_SPEC,         /* the spec cannot be read */
	SEAM_WAKE_NOTHING,      /* the spec names nothing here */
	SEAM_WAKE_ARENA,        /* no arena */
};

/* wake.c */
extern struct seam_waking seam_waking;
void seam_ask_loader(int argc, char **argv);
void seam_sleep(int argc, char **argv);
/* load.c */
int32_t seam_load(struct seam_load *l, const char *spec, const char *socket, const char *reader, const char *library);
void seam_drop_core(void);
int  seam_watch_forks(void);   /* forks.c; not 0: out of memory */

/* load.c, for respec.c */
void seam_look(struct seam_load *l);                          /* list what is loaded, all of it new */
void seam_fetch(struct seam_load *l);                         /* plans of what is wanted: cache, agent, planner */
int  seam_arena_first(struct seam_load *l);                   /* 0: there is an arena, or nobody wants one */
/* respec.c: one at a time changes what is patched. 0, or -1: not within ns. loader: it is the loader's own thread */
int  seam_patching_begin(int64_t ns, int loader);
void seam_patching_end(void);
void seam_patching_wait(void);                                /* until nobody does, at most 4 s */
/* live.c */
void seam_live(struct seam_load *l);                          /* what is patched becomes what the plans of l say */
/* pointers.c */
int  seam_picked(const struct seam_object *o, const struct seam_site *all, const struct seam_site *s); /* 1: of an IFUNC, this one is to be patched */
void seam_point(struct seam_load *l, struct seam_object *o);  /* the sites that are reached by the pointers to them */
void seam_point_live(struct seam_load *l);                    /* of these, those that the plans do not want any more fall silent */

int  seam_spec_read(struct seam_spec *s, const char *path, int own); /* 0, or -1: not a spec; own: nor one that another user could have written */
int  seam_spec_wants(struct seam_spec *s, const char *path);
uint64_t seam_exported(const struct dl_phdr_info *info, const char *name);
int  seam_file_names(const char *path, const char *name);     /* 1: the name is one of its .symtab */
int  seam_spec_latent(const struct seam_spec *s);             /* names objects that are not there yet */
const struct seam_plan *seam_plan_check(void *mem, uint64_t size, uint64_t spec_hash, const struct seam_object *o);
void seam_first_rules(const struct seam_spec *spec);         /* ruletable.c */
uint64_t seam_set_rules(const struct seam_spec *spec);
void seam_populate(const void *p, uint64_t n);               /* what is about to be written, in one go: a fault for each page costs more */
int  seam_arena_create(struct seam_load *l);                  /* 0 or -1; l->memfd: to hand over, or -1 */
void seam_apply(struct seam_load *l);                         /* plans of new objects */
void seam_native_load(struct seam_load *l);                   /* nativeload.c: callbacks of the spec; before anything is patched */
void seam_native_tell(void);                                  /* ... what could not be loaded, when there is an arena */
#define SEAM_SIEVE 48
int  seam_sieved(const struct seam_run *r);                   /* 1: it has a filter that seam_sieve can decide */
void seam_sieve(unsigned char *at, const struct seam_run *r, uint64_t kept_out, uint64_t wanted); /* SEAM_SIEVE bytes at most */
int  seam_apply_loader(uint64_t fn);                          /* patch r_debug.r_brk; 0, or -1: not as expected */
void seam_loader_event(void);                                 /* the loader says that its list is consistent */
int  seam_run_planner(struct seam_load *l);                   /* plans for what is missing into the cache; 0 or -1 */
int  seam_dial(const char *path);                             /* a socket, or -1 */
int  seam_say_hello(int memfd, const char *launcher);         /* 0, or -1: the reader does not have it */
int  seam_declines(const char *socket);                       /* 1: not in this process; the reader has been told */
void seam_tell_absent(const char *socket, const char *why, const char *advice); /* nothing of this process will be seen */
int  seam_more_filters(const char *expected);                 /* 1: leave this process alone */
uint32_t seam_blob(const void *p, uint32_t len);              /* into the arena's defs: offset or 0 */
void seam_add_refusals(const char *object, const void *refusals, uint32_t len); /* msgpack: [[symbol, reason, detail], ...] */
#endif
