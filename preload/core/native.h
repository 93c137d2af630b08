/* native.h: what the loading of callbacks (nativeload.c) leaves to the calling of them (native.c). */
#ifndef SEAM_NATIVE_H
#define SEAM_NATIVE_H
#include "core.h"

#define SEAM_NATIVE_ERRORS 1000u /* then a callback is called no more */

struct seam_call;
struct seam_native {            /* the callback of one rule */
	int    (*call)(struct seam_call *); /* NULL: it is none, or could not be loaded */
	void    *context;
	uint32_t plain;         /* it uses general registers only */
};
struct seam_natives {
	struct seam_native of[SEAM_MAX_RULES];
	struct { char file[600], function[200], why[400]; } text[SEAM_MAX_RULES]; /* why: it could not be loaded, "" it was */
	uint32_t n;
};

void seam_native_tell_off(uint32_t id, const char *function); /* with libc */
#endif
