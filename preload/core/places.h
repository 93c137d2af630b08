/* places.h: which functions of this process are patched, and how. Kept by
 * places.c; changed by apply.c while nobody runs there, by live.c while threads do. */
#ifndef SEAM_PLACES_H
#define SEAM_PLACES_H
#include "frame.h"
#include "load.h"

#define MAX_PLACES 4096
#define MAX_NEAR 256

enum { FORM_NONE = 0, FORM_WORD = SEAM_LIVE_WORD, FORM_SHORT = SEAM_LIVE_SHORT,
       FORM_LOAD = 3 };         /* a jump over all displaced instructions: put in before anybody ran there */

struct seam_place {             /* a function that is patched, or was */
	uint64_t fn;            /* its address; 0: this entry is free */
	uint64_t build;         /* says which file it is of */
	uint64_t tramp;         /* its displaced instructions, and the jump back: good in every form */
	uint64_t stub;          /* where a live jump leads (live.c); 0 none yet */
	uint64_t plain;         /* as stub, for a jump at the very start; 0 none yet */
	uint64_t pad;           /* filler that holds its 5-byte jump; 0 none yet */
	uint8_t  orig[SEAM_MAX_PATCH];
	uint8_t  patch_len, at, undo, form;
	uint16_t slot;          /* +1, what it is patched for; with FORM_NONE: was, last */
	uint16_t next;          /* of the same hash, or free, +1 */
	uint16_t want;          /* live.c: slot that it is to have, +1; 0 none */
	uint8_t  silent;        /* the jump could not be taken out: its calls pass */
	uint8_t  touched;       /* live.c: this change is under way */
	const struct seam_live *live; /* live.c: of the plan that wants it */
};

struct seam_slot {              /* what is known of seam->runs[i] besides */
	uint64_t sig;           /* what it does for which function; 0: not used */
	uint64_t entry;         /* first instruction: its thunk, or its sieve */
	uint16_t place;         /* +1; 0: none, its object is gone */
	uint16_t next;          /* of the same hash, +1 */
	uint8_t  kind, special; /* of its run, while that is silent */
};

struct seam_near {              /* memory for code within reach of an object's */
	uint64_t base, size, used;
	int      open;          /* can be written now */
};

struct seam_kept { uint64_t room, used; };

struct seam_places {
	uint32_t n, nnear, ntold;
	uint16_t free;          /* +1 */
	uint16_t by_fn[1024], by_sig[1024];
	struct seam_place place[MAX_PLACES];
	struct seam_slot slot[SEAM_MAX_SLOTS];
	struct seam_near near[MAX_NEAR];
	uint64_t told[1024];    /* hashes of refusals that are in the arena */
	struct seam_kept *kept; /* what runs refer to, of plans that are gone */
	volatile int opened;    /* text is, or was when this process was forked, writable */
};

int  seam_places_ready(void);                           /* 0, or -1: no memory */
struct seam_place *seam_place_at(uint64_t fn);          /* or NULL */
struct seam_place *seam_place_new(uint64_t fn, uint64_t build, const struct seam_site *s); /* or NULL: the table is full */
void seam_place_gone(struct seam_place *p);             /* its object is unloaded */
void seam_places_left(struct seam_load *l);             /* after a look: forget those of objects that are gone */
uint64_t seam_build(const struct seam_plan *plan);
uint64_t seam_signature(const struct seam_plan *plan, const struct seam_site *s);
int  seam_slot_of(uint64_t sig, const struct seam_place *p); /* a slot that does this for p, or for nobody now; -1 */
void seam_slot_note(uint32_t slot, uint64_t sig, struct seam_place *p, uint64_t entry);
unsigned char *seam_near(uint64_t lo, uint64_t hi, uint32_t n); /* n bytes, aligned to 16, writable until seam_near_close; or NULL */
int  seam_near_open(uint64_t at);                       /* make what has been taken before writable again; 0 or -1 */
int  seam_near_close(void);                             /* all of it executable, and not writable; 0 or -1 */
const void *seam_lasting(const void *p, uint32_t n);       /* a copy, or for NULL just room, for as long as the process lives; or NULL */
int  seam_tell_once(uint64_t hash);                     /* 1: it was not told before */


/* outlive.c */
int  seam_outlive(struct seam_run *r, const struct seam_site *s); /* r refers to its plan no more; 0, or -1: no memory */
uint64_t seam_mix_conditions(uint64_t h, const struct seam_plan *plan, const struct seam_site *s);

/* apply.c */
int  seam_reaches(uint64_t from, uint64_t to);
unsigned char *seam_pages_near(uint64_t lo, uint64_t hi, uint64_t size);
uint32_t seam_tramp_size(const struct seam_site *s);
uint64_t seam_trampoline(const struct seam_plan *plan, const struct seam_site *s, uint64_t bias, unsigned char *to);
int  seam_fill_run(struct seam_run *r, struct seam_plan *plan, struct seam_site *s, uint64_t bias, uint64_t tramp, uint64_t sig);
unsigned char *seam_thunk(unsigned kind, uint32_t slot);
int  seam_sees_end(const struct seam_site *s);
int  seam_open_text(uint64_t lo, uint64_t hi);
void seam_close_text(uint64_t lo, uint64_t hi, int prot);
void seam_refuse(const char *object, const char *symbol, unsigned reason);
int  seam_shadow_stack(void);                           /* 1: this thread has one */
enum { CALL_IN_PROLOGUE = 2, IFUNC = 6, BYTES_DIFFER = 20, NO_MEMORY_NEAR = 21, PATCH_FORBIDDEN = 22, SITE_TABLE_FULL = 23, UNPLANNED = 31, RULE_NOT_APPLIED = 32, NOT_LIVE = 33 }; /* preload/plan/reasons.go */
#endif
