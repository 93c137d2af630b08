/* sys.h: system calls without libc.
 *
 * The core must not call libc where libc's own functions are being patched,
 * where errno must not change, and in signal handlers. These return the
 * kernel's value: negative errno on failure.
 */
#ifndef SEAM_SYS_H
#define SEAM_SYS_H
#include <stdint.h>
#include <sys/syscall.h>

static inline long sys6(long n, long a, long b, long c, long d, long e, long f)
{
	long ret;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	__asm__ volatile("syscall" : "=a"(ret)
		: "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		: "rcx", "r11", "memory");
	return ret;
}
#define sys0(n)             sys6(n, 0, 0, 0, 0, 0, 0)
#define sys1(n, a)          sys6(n, (long)(a), 0, 0, 0, 0, 0)
#define sys2(n, a, b)       sys6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define sys3(n, a, b, c)    sys6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define sys4(n, a, b, c, d) sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define sys5(n, a, b, c, d, e) sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

/* The kernel's signal set: 64 bits, one per signal. */
typedef uint64_t ksigset;
#define KSIG_ALL (~(ksigset)0)
/* All but libc's own two, 32 (cancel) and 33 (setuid in all threads): a thread
 * that blocks 33 hangs a host that calls setuid. */
#define KSIG_HOST (~((ksigset)3 << 31))

/* Those that an instruction raises: the kernel ends a process that blocks one and raises it. */
#define KSIG_SYNC ((ksigset)1 << 3 | (ksigset)1 << 4 | (ksigset)1 << 6 | (ksigset)1 << 7 | (ksigset)1 << 10 | (ksigset)1 << 30) /* ILL TRAP BUS FPE SEGV SYS */

static inline ksigset sig_block(ksigset set)
{
	ksigset old = 0;
	sys4(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &set, &old, sizeof old);
	return old;
}
static inline ksigset sig_block_all(void) { return sig_block(KSIG_ALL); }
static inline void sig_block_host(void)
{
	sig_block(KSIG_HOST);
}
static inline void sig_restore(ksigset old)
{
	sys4(SYS_rt_sigprocmask, 2, &old, 0, sizeof old);
}

#define FUTEX_WAIT_ 0
#define FUTEX_WAKE_ 1
struct ktime { int64_t sec, nsec; };
static inline long futex_wait(volatile uint32_t *w, uint32_t val, int64_t ns)
{
	struct ktime t = { ns / 1000000000, ns % 1000000000 };
	return sys4(SYS_futex, w, FUTEX_WAIT_, val, ns < 0 ? 0 : &t);
}
static inline void futex_wake(volatile uint32_t *w, int n)
{
	sys3(SYS_futex, w, FUTEX_WAKE_, n);
}
#endif
