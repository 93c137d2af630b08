/* libcb.c: functions for callbacks; what each returns without one is plain to see. */
#include <errno.h>
#include <sys/types.h>

#define PLAIN(name) __attribute__((noinline)) int cb_##name(int v) { __asm__ volatile("" : "+r"(v)); return v + 1; }
PLAIN(change)
PLAIN(refuse)
PLAIN(post)
PLAIN(func)
PLAIN(panic)
PLAIN(nil)
PLAIN(recurse)
PLAIN(alloc)
PLAIN(loop)
PLAIN(self)
PLAIN(fork)
PLAIN(block)
PLAIN(err)
PLAIN(goexit)
PLAIN(exit)
PLAIN(slow)
PLAIN(many)
PLAIN(control)
PLAIN(ping)
PLAIN(misuse)

__attribute__((noinline)) int cb_fails(int v)
{
	__asm__ volatile("" : "+r"(v));
	if (v >= 0)
		return v + 1;
	errno = ENOENT;
	return -1;
}

__attribute__((noinline)) int cb_text(const char *text)
{
	__asm__ volatile("" : "+r"(text));
	return 1;
}

/* what callbacks call */
const char *cb_message(int v) { return v == 7 ? "seven" : "other"; }
int cb_add(int a, int b) { return a + b; }
