/* LTTng's way to trace functions of other libraries: a preload library that wraps them, with tracepoints. */
#define _GNU_SOURCE
#define TRACEPOINT_CREATE_PROBES
#define TRACEPOINT_DEFINE
#include "tp.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/types.h>

/* LTTng's own calls are not traced. */
static __thread int inside __attribute__((tls_model("initial-exec")));

#define ORIGINAL(name) \
	static __typeof__(&name) real; \
	if (__builtin_expect(!real, 0)) \
		real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define WRAP(type, name, params, args, entry) \
	type name params \
	{ \
		ORIGINAL(name); \
		if (inside) \
			return real args; \
		inside = 1; \
		entry; \
		inside = 0; \
		type ret = real args; \
		int err = errno; \
		inside = 1; \
		tracepoint(field, exit, (long)ret, err); \
		inside = 0; \
		errno = err; \
		return ret; \
	}
#define THREE(name, a, b, c) tracepoint(field, three_entry, #name, (long)(a), (long)(b), (long)(c))
#define NAME(function, name, a, b) tracepoint(field, name_entry, #function, name, (long)(a), (long)(b))

long work_six(long, long, long, long, long, long);
long site_call(long);
char *getenv(const char *);
ssize_t read(int, void *, size_t), write(int, const void *, size_t);
ssize_t recv(int, void *, size_t, int), send(int, const void *, size_t, int), writev(int, const void *, int);
int close(int), sqlite3_step(void *);

WRAP(long, work_six, (long a, long b, long c, long d, long e, long f), (a, b, c, d, e, f),
	tracepoint(field, work_six_entry, a, b, c, d, e, f))
WRAP(long, site_call, (long a), (a), THREE(site_call, a, 0, 0))
WRAP(char *, getenv, (const char *name), (name), tracepoint(field, getenv_entry, name))
WRAP(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n), THREE(read, fd, p, n))
WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n), THREE(write, fd, p, n))
WRAP(ssize_t, writev, (int fd, const void *p, int n), (fd, p, n), THREE(writev, fd, p, n))
WRAP(ssize_t, recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags), THREE(recv, fd, p, n))
WRAP(ssize_t, send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags), THREE(send, fd, p, n))
WRAP(int, close, (int fd), (fd), THREE(close, fd, 0, 0))
WRAP(int, sqlite3_step, (void *st), (st), THREE(sqlite3_step, st, 0, 0))

/* The mode is always there, used or not. */
static mode_t mode_of(int flags, va_list ap)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
}
#define OPEN(name, body, params, args) \
	static int body params; \
	int name(const char *path, int flags, ...) \
	{ \
		va_list ap; \
		va_start(ap, flags); \
		mode_t mode = mode_of(flags, ap); \
		va_end(ap); \
		return body args; \
	} \
	static int body params
#define OPEN_BODY(name) \
	ORIGINAL(name); \
	if (inside) \
		return real(path, flags, mode); \
	inside = 1; \
	NAME(name, path, flags, mode); \
	inside = 0; \
	int ret = real(path, flags, mode), err = errno; \
	inside = 1; \
	tracepoint(field, exit, (long)ret, err); \
	inside = 0; \
	errno = err; \
	return ret
OPEN(open, open_body, (const char *path, int flags, mode_t mode), (path, flags, mode)) { OPEN_BODY(open); }
OPEN(open64, open64_body, (const char *path, int flags, mode_t mode), (path, flags, mode)) { OPEN_BODY(open64); }
