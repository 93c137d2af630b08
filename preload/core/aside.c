/* aside.c: libc, from inside a call of the host's.
 *
 * What libc does may need more stack than the host's thread has left: 16 KiB is
 * a whole stack, and on a processor with AMX the registers alone are 11 KiB. So it is done
 * on a stack that lives as long as the call.
 */
#include "hot.h"

#define STACK (128ull << 10)
#define GUARD 4096ull

void seam_aside(void (*fn)(void *), void *arg)
{
	long m = sys6(SYS_mmap, 0, STACK, 3 /* PROT_READ | PROT_WRITE */, 0x22 /* MAP_PRIVATE | MAP_ANONYMOUS */, -1, 0);
	if (m < 0 && m > -4096)
		return; /* no memory for a stack: none for anything fn is about */
	sys3(SYS_mprotect, m, GUARD, 0);
	seam_with_vectors(fn, arg, (char *)m + STACK);
	sys2(SYS_munmap, m, STACK);
}
