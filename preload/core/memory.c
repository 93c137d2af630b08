/* memory.c: malloc and free for this library alone.
 *
 * Hidden definitions: only objects of this library (runtime/cgo, the agent's C
 * strings) bind to them. The host's allocator may not be made for threads, or for
 * forks with threads (forks.c); and what it is asked is the host's. Here it is a
 * few short-lived things: slots, taken by one atomic operation, so that a fork
 * at any moment leaves nothing locked; what does not fit is mapped.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "core.h"

#define OWN __attribute__((visibility("hidden")))
#define SLOTS 64
#define SLOT  256
#define HEAD  16 /* before a mapping: its size */

static unsigned char slots[SLOTS][SLOT] __attribute__((aligned(64)));
static uint64_t taken; /* a bit each */

OWN void *malloc(size_t n)
{
	uint64_t was = __atomic_load_n(&taken, __ATOMIC_RELAXED);
	while (n <= SLOT && ~was) {
		int i = __builtin_ctzll(~was);
		if (__atomic_compare_exchange_n(&taken, &was, was | 1ull << i, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return slots[i];
	}
	size_t *p = n > (size_t)1 << 40 ? MAP_FAILED : mmap(0, n + HEAD, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		errno = ENOMEM;
		return 0;
	}
	*p = n + HEAD;
	return (char *)p + HEAD;
}

OWN void free(void *p)
{
	int e = errno;
	size_t i = ((unsigned char *)p - slots[0]) / SLOT;
	if ((unsigned char *)p >= slots[0] && i < SLOTS)
		__atomic_and_fetch(&taken, ~(1ull << i), __ATOMIC_RELEASE);
	else if (p)
		munmap((char *)p - HEAD, *(size_t *)((char *)p - HEAD));
	errno = e;
}
