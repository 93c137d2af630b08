/* filters.c: a program that is started under system call filters which nobody
 * here knows.
 *
 * A process that was under them when it was launched is watched as any other. One that
 * came under more since (bwrap --seccomp, a supervisor that sandboxes its workers) is left
 * alone: a filter may kill for a call that a watcher needs and the program does not, and
 * there is no asking it. How many there are is read from a file, with the calls
 * that the loader has just made.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "load.h"
#include "sys.h"

static long value_of(const char *status, const char *key)
{
	const char *p = strstr(status, key);
	return p ? strtol(p + strlen(key), 0, 10) : -1;
}

/* expected: SEAM_FILTERS, or NULL. 1: there are more. */
int seam_more_filters(const char *expected)
{
	char buf[8192];
	if (!expected || !*expected)
		return 0;
	long base = strtol(expected, 0, 10), n = 0, got;
	int fd = sys4(SYS_openat, AT_FDCWD, "/proc/self/status", O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0) /* no /proc: a filter that forbids this question is rarer than that */
		return base == 0 && sys1(SYS_prctl, 21 /* PR_GET_SECCOMP */) > 0;
	while (n < (long)sizeof buf - 1 && (got = sys3(SYS_read, fd, buf + n, sizeof buf - 1 - n)) > 0)
		n += got;
	sys1(SYS_close, fd);
	buf[n] = 0;
	n = value_of(buf, "\nSeccomp_filters:");
	return (n >= 0 ? n : value_of(buf, "\nSeccomp:")) > base;
}
