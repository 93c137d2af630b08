/* decline.c: processes in which the library does nothing, or can't, and tells the reader so.
 *
 * Valgrind runs a program's code by translating it, and complains on the program's
 * standard error about what seam does that programs do not: bytes past a string's
 * end, system calls with odd arguments, code that changes. What it says of a
 * program must be about the program.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "load.h"
#include "sys.h"

/* Valgrind's client request RUNNING_ON_VALGRIND. Elsewhere the rotations come
 * to a whole turn and nothing happens. */
static int under_valgrind(void)
{
	const uint64_t request[6] = { 0x1001 };
	uint64_t answer = 0;
	__asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi; rolq $61, %%rdi; rolq $51, %%rdi; xchgq %%rbx, %%rbx"
		: "+d"(answer) : "a"(request) : "cc", "memory");
	return answer != 0;
}

static unsigned char *put_str(unsigned char *to, const char *s)
{
	size_t n = strlen(s);
	*to++ = 0xd9; /* str 8 */
	*to++ = n;
	memcpy(to, s, n);
	return to + n;
}

/* A hello without an arena, and an error. Each text has at most 255 bytes. */
static void tell(const char *socket, const char *code, const char *text, const char *advice)
{
	static const char hello[] = "\x92\x00\x83\xa1v\x01\xa4" "from\xa4" "core\xa3pid\xce";
	unsigned char buf[1024], *to = buf;
	int s = socket ? seam_dial(socket) : -1;
	if (s < 0)
		return;
	memcpy(to, hello, sizeof hello - 1);
	to += sizeof hello - 1;
	uint32_t pid = __builtin_bswap32(sys0(SYS_getpid));
	memcpy(to, &pid, sizeof pid);
	to += sizeof pid;
	*to++ = 0x96;
	*to++ = 5;
	struct ktime t = { 0, 0 };
	sys2(SYS_clock_gettime, 0 /* CLOCK_REALTIME */, &t);
	uint64_t now = __builtin_bswap64(t.sec * 1000000000ull + t.nsec);
	*to++ = 0xcf;
	memcpy(to, &now, sizeof now);
	to += sizeof now;
	to = put_str(put_str(put_str(to, code), text), advice);
	*to++ = 1;
	struct iovec v = { buf, to - buf };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	sendmsg(s, &m, MSG_NOSIGNAL);
	close(s);
}

void seam_tell_absent(const char *socket, const char *why, const char *advice)
{
	tell(socket, "not-watched", why, advice);
}

int seam_declines(const char *socket)
{
	if (!under_valgrind())
		return 0;
	tell(socket, "valgrind", "programs that valgrind runs are not watched", "run them without valgrind");
	return 1;
}
