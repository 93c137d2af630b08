/* native.h: what the loading of callbacks (nativeload.c) leaves to the calling of them (native.c). */
#ifndef SEAM_NATIVE_H
#define SEAM_NATIVE_H
#include "core.h"
#include "../../hooks/native/seam_callback.h"

#define SEAM_NATIVE_ERRORS 1000u /* then a callback is called no more */

struct seam_native {            /* the callback of one rule */
	int    (*call)(struct seam_call *); /* NULL: it is none, or could not be loaded */
	void    *context;
	long   (*around)(int (*)(void *), void *); /* keeps the registers that it uses; NULL: general ones only */
	const uint64_t *failures; /* seam_rule_state.skipped of its rule */
};
/* What a run's callbacks are told of its function; and for the core itself: */
struct seam_described {
	struct seam_function told;
	const struct seam_native *pre; /* SEAM_FAST_PRE: which */
	const struct seam_native *after; /* the only one that is called after it; NULL: there are others */
	uint8_t after_id, after_at; /* its rule's, and SEAM_POST or SEAM_FAILING */
};
static inline const struct seam_described *described(const struct seam_run *r) { return (const void *)r->function; }

struct seam_natives {
	struct seam_native of[SEAM_MAX_RULES];
	struct { char file[600], function[200], why[400]; } text[SEAM_MAX_RULES]; /* why: it could not be loaded, "" it was */
	uint32_t n;
};

void seam_native_tell_off(uint32_t id, const char *function); /* with libc */
#endif
