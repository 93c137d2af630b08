/* Coroutines on stacks of their own, 16 KiB each, that give way to each other in
 * the middle of watched calls: coroutines N. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#define API __attribute__((noinline, noipa, visibility("default")))
#define EACH 200
#define STACK 16384

static ucontext_t home, *all;
static int *left, now, n;
static long wrong;

static void give_way(void)
{
	int me = now;
	do
		now = (now + 1) % n;
	while (!left[now] && now != me);
	if (now != me)
		swapcontext(&all[me], &all[now]);
}

/* Entered by one coroutine, and returned from when all others had their turn. */
API long turn(long k) { volatile long keep[4] = { k }; give_way(); return keep[0] + 1; }

static void body(void)
{
	int me = now;
	while (left[me]) {
		wrong += turn(me) != me + 1;
		errno = 0;
		char name[64];
		snprintf(name, sizeof name, "/nonexistent/%d", me);
		wrong += open(name, O_RDONLY) != -1 || errno != ENOENT;
		left[me]--;
	}
	for (int i = 0; i < n; i++)
		if (left[i]) {
			now = i;
			setcontext(&all[i]);
		}
	setcontext(&home);
}

int main(int argc, char **argv)
{
	volatile int done = 0;
	n = atoi(argv[1]);
	all = calloc(n, sizeof *all);
	left = calloc(n, sizeof *left);
	for (int i = 0; i < n; i++) {
		char *m = mmap(0, STACK + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		mprotect(m, 4096, PROT_NONE);
		getcontext(&all[i]);
		all[i].uc_stack.ss_sp = m + 4096;
		all[i].uc_stack.ss_size = STACK;
		makecontext(&all[i], body, 0);
		left[i] = EACH;
	}
	getcontext(&home);
	if (!done++)
		setcontext(&all[0]);
	printf("wrong %ld\n", wrong);
	return 0;
}
