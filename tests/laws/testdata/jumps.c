/* Ways out of a call other than its return, and stacks that are not the thread's. */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#define API __attribute__((noinline, noipa, visibility("default")))
static jmp_buf home;
static sigjmp_buf shome;
static int cleaned;
static void clean(void *p) { cleaned++; }
API long work(long n) { return n + 1; }
API long jumps(long n) { longjmp(home, n); }
API long through(long n) { if (n < 0) return n; return jumps(n) + 1; }
API long sjumps(long n) { siglongjmp(shome, n); }
API void exits(long n) { pthread_cleanup_push(clean, 0); work(n); pthread_exit((void *)n); pthread_cleanup_pop(0); }
API void exits_outer(long n) { pthread_cleanup_push(clean, 0); exits(n); pthread_cleanup_pop(0); }
API void sleeps(long n) { pthread_cleanup_push(clean, 0); for (;;) { work(n); pthread_testcancel(); usleep(100); } pthread_cleanup_pop(0); }
API long forks(long n)
{
	pid_t p = fork();
	if (!p) {
		long s = 0;
		for (int i = 0; i < 50; i++)
			s += work(i);
		_exit(s == 1275 ? 7 : 8); /* the call never returns in the child */
	}
	int st;
	waitpid(p, &st, 0);
	return WEXITSTATUS(st);
}
API long forks_returns(long n) { if (n < 0) return n; for (int i = 0; i < 3; i++) work(i); return fork(); }
API void on_signal(int s) { for (int i = 0; i < 20; i++) work(i); }
API void on_altstack(int s) { char local; stack_t st; sigaltstack(0, &st); for (int i = 0; i < 20; i++) work(i); if (!(st.ss_flags & SS_ONSTACK)) _exit(99); siglongjmp(shome, 5); }
static void *run_exits(void *p) { exits_outer((long)p); return 0; }
static void *run_sleeps(void *p) { sleeps(1); return 0; }
static ucontext_t mainc, co[4];
static long cosum;
API void coroutine(int id) { for (int i = 0; i < 2000; i++) { cosum += work(i); swapcontext(&co[id], &mainc); } }
API long switches(long id) { swapcontext(&mainc, &co[id]); return id; }

int main(void)
{
	long sum = 0;
	volatile int i;
	for (i = 0; i < 20000; i++) {
		int v = setjmp(home);
		if (!v)
			through(i + 1);
		sum += v;
	}
	printf("longjmp %ld\n", sum);
	for (i = 0, sum = 0; i < 20000; i++) {
		int v = sigsetjmp(shome, 1);
		if (!v)
			sjumps(i + 1);
		sum += v;
	}
	printf("siglongjmp %ld\n", sum);
	for (i = 0, sum = 0; i < 200; i++) {
		pthread_t t;
		void *r;
		pthread_create(&t, 0, run_exits, (void *)(long)i);
		pthread_join(t, &r);
		sum += (long)r;
	}
	printf("pthread_exit %ld cleaned %d\n", sum, cleaned);
	for (i = 0, cleaned = 0; i < 100; i++) {
		pthread_t t;
		void *r;
		pthread_create(&t, 0, run_sleeps, 0);
		usleep(300);
		pthread_cancel(t);
		pthread_join(t, &r);
		sum += r == PTHREAD_CANCELED;
	}
	printf("pthread_cancel %ld cleaned %d\n", sum, cleaned);
	stack_t st = { .ss_sp = malloc(16384), .ss_size = 16384 };
	struct sigaction sa = { .sa_handler = on_signal }, alt = { .sa_handler = on_altstack, .sa_flags = SA_ONSTACK };
	sigaltstack(&st, 0);
	sigaction(SIGUSR1, &sa, 0);
	sigaction(SIGSEGV, &alt, 0);
	for (i = 0; i < 300; i++)
		raise(SIGUSR1);
	for (i = 0, sum = 0; i < 300; i++) {
		int v = sigsetjmp(shome, 1);
		if (!v)
			*(volatile int *)8 = 1;
		sum += v;
	}
	printf("segv on another stack %ld\n", sum);
	for (i = 0; i < 4; i++) {
		getcontext(&co[i]);
		co[i].uc_stack.ss_sp = malloc(32768);
		co[i].uc_stack.ss_size = 32768;
		co[i].uc_link = &mainc;
		makecontext(&co[i], (void (*)(void))coroutine, 1, (int)i);
	}
	for (i = 0; i < 8000; i++)
		switches(i % 4);
	printf("coroutines %ld\n", cosum);
	for (i = 0, sum = 0; i < 20; i++)
		sum += forks(i);
	printf("fork inside %ld\n", sum);
	fflush(stdout);
	for (i = 0; i < 10; i++) {
		long pid = forks_returns(i);
		if (!pid) {
			for (int k = 0; k < 50; k++)
				work(k);
			_exit(3);
		}
		int ws;
		waitpid(pid, &ws, 0);
		if (WEXITSTATUS(ws) != 3)
			return 1;
	}
	for (i = 0, sum = 0; i < 20; i++) {
		pid_t pid = vfork();
		if (!pid) {
			char *const a[] = { "/bin/true", 0 };
			work(1);
			if (i % 2)
				execv(a[0], a);
			_exit(4);
		}
		int ws;
		waitpid(pid, &ws, 0);
		sum += WEXITSTATUS(ws);
	}
	printf("vfork %ld\n", sum);
	return 0;
}
