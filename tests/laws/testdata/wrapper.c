/* A preloaded library as people write them: wrappers that look up the next
 * function in a constructor, and would crash before that; and counts of what the
 * program does, told at its end. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WRAP(type, name, params, args) \
	static type (*next_##name) params; \
	static long count_##name; \
	type name params \
	{ \
		__atomic_add_fetch(&count_##name, 1, __ATOMIC_RELAXED); \
		return next_##name args; \
	}

WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
WRAP(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n))
WRAP(int, close, (int fd), (fd))
WRAP(void *, mmap, (void *at, size_t n, int prot, int flags, int fd, off_t off), (at, n, prot, flags, fd, off))
WRAP(int, munmap, (void *p, size_t n), (p, n))
WRAP(int, madvise, (void *p, size_t n, int how), (p, n, how))
WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(int, connect, (int fd, const struct sockaddr *to, socklen_t n), (fd, to, n))
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
WRAP(int, ftruncate, (int fd, off_t n), (fd, n))
WRAP(int, memfd_create, (const char *name, unsigned flags), (name, flags))
WRAP(int, clock_gettime, (clockid_t c, struct timespec *t), (c, t))
WRAP(int, nanosleep, (const struct timespec *t, struct timespec *left), (t, left))
WRAP(uid_t, geteuid, (void), ())

#define NEXT(name) next_##name = dlsym(RTLD_NEXT, #name)
__attribute__((constructor)) static void begin(void)
{
	NEXT(write); NEXT(read); NEXT(close); NEXT(mmap); NEXT(munmap); NEXT(madvise); NEXT(socket); NEXT(connect);
	NEXT(sendmsg); NEXT(ftruncate); NEXT(memfd_create); NEXT(clock_gettime); NEXT(nanosleep); NEXT(geteuid);
}

/* Of the program's own calls; how often it asks the time depends on the time. */
__attribute__((destructor)) static void end(void)
{
	printf("write %ld read %ld close %ld mmap %ld munmap %ld socket %ld connect %ld sendmsg %ld ftruncate %ld memfd_create %ld geteuid %ld\n",
	       count_write, count_read, count_close, count_mmap, count_munmap, count_socket, count_connect, count_sendmsg,
	       count_ftruncate, count_memfd_create, count_geteuid);
}
