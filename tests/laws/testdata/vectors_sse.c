/* Callbacks that are seen to use xmm registers only, all or the first four of them, and clobber
 * those, and a flag of mxcsr. */
#include "seam_callback.h"

static volatile float zero;

static int few(struct seam_call *c)
{
	zero = 1 / zero;
	zero = 0;
	__asm__ volatile(".irp r, 0,1,2,3\n pcmpeqd %xmm\\r, %xmm\\r\n .endr\n");
	return SEAM_CONTINUE;
}

static int any(struct seam_call *c)
{
	__asm__ volatile(".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n pcmpeqd %xmm\\r, %xmm\\r\n .endr\n");
	return few(c);
}

const struct seam_callback seam_callbacks[] = {
	SEAM_CALLBACK(SEAM_PRE, "vectors_host*:quiet_before", few),
	SEAM_CALLBACK(SEAM_POST, "vectors_host*:quiet_after", any),
	SEAM_CALLBACK(SEAM_PRE, "vectors_host*:wide", any),
	SEAM_CALLBACK(SEAM_POST, "vectors_host*:wide", few),
};
