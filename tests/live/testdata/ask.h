/* ask.h: asking one's own agent for another spec (preload/agent/respec_seamtest.go), by bare
 * system calls: asking is no call of a patched function. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

static long bare(long n, long a, long b, long c, long d)
{
	long ret;
	register long r10 __asm__("r10") = d;
	__asm__ volatile("syscall" : "=a"(ret) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return ret;
}

static void wrong(const char *what)
{
	char line[200];
	int n = snprintf(line, sizeof line, "wrong: %s\n", what);
	bare(SYS_write, 2, (long)line, n, 0);
	bare(SYS_exit_group, 1, 0, 0, 0);
}

static void nap(long ns)
{
	struct timespec t = { ns / 1000000000, ns % 1000000000 };
	bare(SYS_nanosleep, (long)&t, 0, 0, 0);
}

static char next[4096], tmp[4096], done[4096], answer[65536];

static void ask_init(void)
{
	const char *base = getenv("SEAM_TEST_RESPEC");
	if (!base)
		wrong("SEAM_TEST_RESPEC is not set");
	snprintf(next, sizeof next, "%s.next", base);
	snprintf(tmp, sizeof tmp, "%s.asked", base);
	snprintf(done, sizeof done, "%s.done", base);
}

/* One change of the spec: what the agent said of it is in `answer`. */
static void respec(const char *what)
{
	int fd = bare(SYS_open, (long)tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600, 0);
	if (fd < 0 || bare(SYS_write, fd, (long)what, strlen(what), 0) != (long)strlen(what))
		wrong("write the request");
	bare(SYS_close, fd, 0, 0, 0);
	if (bare(SYS_rename, (long)tmp, (long)next, 0, 0))
		wrong("rename the request");
	while ((fd = bare(SYS_open, (long)done, O_RDONLY | O_CLOEXEC, 0, 0)) < 0)
		nap(500000);
	long n = bare(SYS_read, fd, (long)answer, sizeof answer - 1, 0);
	answer[n > 0 ? n : 0] = 0;
	bare(SYS_close, fd, 0, 0, 0);
	bare(SYS_unlink, (long)done, 0, 0, 0);
}
