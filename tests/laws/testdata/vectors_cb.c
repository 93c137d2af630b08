/* Callbacks that clobber every register that the ABI lets a function clobber. */
#include "seam_callback.h"

static int tramples(struct seam_call *c)
{
	static volatile float zero;
	zero = 1 / zero; /* a flag in mxcsr */
	zero = 0;
	if (__builtin_cpu_supports("avx512bw"))
		__asm__ volatile(".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n vpternlogd $0xff, %zmm\\r, %zmm\\r, %zmm\\r\n .endr\n"
			".irp r, 0,1,2,3,4,5,6,7\n kxnorq %k\\r, %k\\r, %k\\r\n .endr\n");
	else if (__builtin_cpu_supports("avx2"))
		__asm__ volatile(".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n vpcmpeqd %ymm\\r, %ymm\\r, %ymm\\r\n .endr\n");
	else
		__asm__ volatile(".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n pcmpeqd %xmm\\r, %xmm\\r\n .endr\n");
	return SEAM_CONTINUE;
}

/* Also x87: on its own, since once that was used all registers are saved in another way. */
static int tramples_x87(struct seam_call *c)
{
	static volatile long double wide = 3;
	for (int i = 0; i < 8; i++)
		__asm__ volatile("fldt %0\n fldt %0\n fldt %0\n fldt %0\n fldt %0\n fldt %0\n fldt %0\n fldt %0\n"
			"fstp %%st\n fstp %%st\n fstp %%st\n fstp %%st\n fstp %%st\n fstp %%st\n fstp %%st\n fstp %%st" : : "m"(*&wide));
	return tramples(c);
}

const struct seam_callback seam_callbacks[] = {
	SEAM_CALLBACK(SEAM_PRE, "vectors_host*:quiet_before", tramples),
	SEAM_CALLBACK(SEAM_POST, "vectors_host*:quiet_after", tramples),
	SEAM_CALLBACK(SEAM_POST, "vectors_host*:wide", tramples_x87),
};
