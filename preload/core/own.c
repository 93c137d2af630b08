/* own.c: system calls under libc's names, for this library alone.
 *
 * Hidden definitions: every object of this library binds to them, runtime/cgo too.
 * libc's are not used because another preloaded library may have put its own
 * before them. Such a wrapper may count on its constructor, which runs after
 * ours when its library comes first in LD_PRELOAD; may take a lock; may tell a
 * time that is not (libfaketime); and the calls are not the program's, which is
 * what it was put there to see.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "core.h"
#include "sys.h"

#define OWN __attribute__((visibility("hidden")))

static long result(long r)
{
	if ((unsigned long)r < -4095ul)
		return r;
	errno = -r;
	return -1;
}

/* What Go may map for its heap, bytes, once it runs callbacks of users; it maps
 * each part of it at a given place, and never gives it back. In the image that
 * each start of Go gets anew. At the end of it Go finds that there is no memory, which is fatal to
 * the agent alone (gostart.c). */
static uint64_t heap_max, heap_used; /* heap_max 0: no bound */
static struct { void *at; size_t n; } heap[64]; /* its parts until there is one */
static uint32_t nheap;

/* A forked child starts Go anew and has no use for the heap. Without it a callback
 * that forks has a child that faults at once, where it would hang in half a Go. */
void seam_limit_memory(uint64_t max)
{
	__atomic_store_n(&heap_max, max, __ATOMIC_SEQ_CST);
	for (uint32_t i = 0; i < nheap && i < sizeof heap / sizeof *heap; i++)
		madvise(heap[i].at, heap[i].n, MADV_DONTFORK);
}

static void *heap_part(void *at, size_t n, int prot, int flags)
{
	uint64_t max = __atomic_load_n(&heap_max, __ATOMIC_SEQ_CST);
	if (__atomic_add_fetch(&heap_used, n, __ATOMIC_RELAXED) > max && max)
		return (void *)result(-ENOMEM);
	long p = sys6(SYS_mmap, (long)at, n, prot, flags, -1, 0);
	if (p == (long)at && max)
		sys3(SYS_madvise, p, n, MADV_DONTFORK);
	else if (p == (long)at) {
		uint32_t i = __atomic_fetch_add(&nheap, 1, __ATOMIC_RELAXED);
		if (i < sizeof heap / sizeof *heap) {
			heap[i].at = at;
			heap[i].n = n;
		}
	}
	return (void *)result(p);
}

OWN void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
	if ((flags & (MAP_FIXED | MAP_ANONYMOUS)) == (MAP_FIXED | MAP_ANONYMOUS) && (prot & PROT_WRITE))
		return heap_part(at, n, prot, flags);
	return (void *)result(sys6(SYS_mmap, (long)at, n, prot, flags, fd, off));
}
OWN int munmap(void *p, size_t n) { return result(sys2(SYS_munmap, p, n)); }
OWN int madvise(void *p, size_t n, int advice) { return result(sys3(SYS_madvise, p, n, advice)); }
OWN int memfd_create(const char *name, unsigned flags) { return result(sys2(SYS_memfd_create, name, flags)); }
OWN int ftruncate(int fd, off_t size) { return result(sys2(SYS_ftruncate, fd, size)); }
OWN int close(int fd) { return result(sys1(SYS_close, fd)); }
OWN int fcntl(int fd, int op, ...)
{
	va_list v;
	va_start(v, op);
	long arg = va_arg(v, long);
	va_end(v);
	return result(sys3(SYS_fcntl, fd, op, arg));
}
OWN int socket(int domain, int type, int protocol) { return result(sys3(SYS_socket, domain, type, protocol)); }
OWN int connect(int fd, const struct sockaddr *to, socklen_t n) { return result(sys3(SYS_connect, fd, to, n)); }
OWN int getsockopt(int fd, int level, int name, void *value, socklen_t *n)
{
	return result(sys5(SYS_getsockopt, fd, level, name, value, n));
}
OWN ssize_t sendmsg(int fd, const struct msghdr *m, int flags) { return result(sys3(SYS_sendmsg, fd, m, flags)); }
OWN uid_t geteuid(void) { return sys0(SYS_geteuid); }
OWN int getrlimit(enum __rlimit_resource what, struct rlimit *l) { return result(sys2(SYS_getrlimit, what, l)); }
OWN ssize_t getrandom(void *p, size_t n, unsigned flags) { return result(sys3(SYS_getrandom, p, n, flags)); }
OWN char *getcwd(char *buf, size_t n) { return result(sys2(SYS_getcwd, buf, n)) < 0 ? 0 : buf; }
OWN int clock_gettime(clockid_t c, struct timespec *t) { return result(sys2(SYS_clock_gettime, c, t)); }
OWN int nanosleep(const struct timespec *t, struct timespec *left) { return result(sys2(SYS_nanosleep, t, left)); }
