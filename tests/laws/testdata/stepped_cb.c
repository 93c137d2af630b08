/* Callbacks after the call: one that looks, and says each second time that it changed the result, to
 * what it was; it also changes registers that the function leaves alone. */
#include "seam_callback.h"

static int look(struct seam_call *c)
{
	static long n;
	__asm__ volatile("movl $-1, %%ecx; movl $-1, %%esi; movl $-1, %%edi; movl $-1, %%r8d; movl $-1, %%r9d; movl $-1, %%r10d; movl $-1, %%r11d"
		: : : "rcx", "rsi", "rdi", "r8", "r9", "r10", "r11");
	return n++ % 2 ? SEAM_CHANGED : SEAM_CONTINUE;
}

const struct seam_callback seam_callbacks[] = { SEAM_CALLBACK(SEAM_POST, "stepped*:work", look), SEAM_CALLBACK(SEAM_POST, "ipara*:leaf", look), SEAM_CALLBACK(SEAM_POST, "registers*:spill", look) };
