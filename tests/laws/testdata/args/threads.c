/* threads.c: one function, called by several threads, while another one takes
 * the memory away that their arguments are in. What a call returns is a matter
 * of luck; where the program dies is not. */
#include "args.h"
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define CALLERS 3

static struct log *the_log;
static const struct function *fn;
static void *address;
static uint64_t the_seed;
static int calls;
static volatile int stop;
static int my_pid;
static volatile int tids[CALLERS];
static uint64_t seam_lo, seam_hi;

static int find_seam(struct dl_phdr_info *i, size_t size, void *unused)
{
	if (!strstr(i->dlpi_name, "libseam"))
		return 0;
	seam_lo = ~0ul;
	for (int n = 0; n < i->dlpi_phnum; n++)
		if (i->dlpi_phdr[n].p_type == PT_LOAD) {
			uint64_t lo = i->dlpi_addr + i->dlpi_phdr[n].p_vaddr, hi = lo + i->dlpi_phdr[n].p_memsz;
			seam_lo = lo < seam_lo ? lo : seam_lo;
			seam_hi = hi > seam_hi ? hi : seam_hi;
		}
	return 1;
}

/* A fault outside seam is the program's own: its libc read what it was given. */
static void on_fault(int sig, siginfo_t *si, void *uc)
{
	uint64_t ip = ((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP];
	if (ip >= seam_lo && ip < seam_hi)
		raw(SYS_exit_group, 99);
	say(the_log, " dies of its arguments\n");
	raw(SYS_exit_group, 0);
}

static void *caller(void *who)
{
	struct call c;
	tids[(long)who] = raw(SYS_gettid);
	for (int i = 0; i < calls; i++) {
		generate(&c, fn, the_seed, i * CALLERS + (int)(long)who, 1);
		uint64_t *w = c.w;
		__atomic_add_fetch(&the_log->alive, 1, __ATOMIC_RELAXED);
		((uint64_t (*)(uint64_t, ...))address)(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], 0ul, 0ul);
		if (raw(SYS_getpid) != my_pid)
			raw(SYS_exit_group, 0); /* a child that it made */
	}
	return 0;
}

/* Where a thread waits: 1 in seam. */
static int waits_in_seam(int tid)
{
	char path[64], text[256], *at;
	snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
	int fd = open(path, O_RDONLY), n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n < 0 ? 0 : n] = 0;
	uint64_t ip = (at = strrchr(text, ' ')) ? strtoul(at, 0, 16) : 0;
	return ip >= seam_lo && ip < seam_hi;
}

/* Some calls wait for what never comes. No call waits in seam for so long. */
#define STUCK 1500000000l
static void look_at_callers(void)
{
	static uint32_t was;
	static long since;
	struct timespec t;
	raw(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&t);
	long now = t.tv_sec * 1000000000l + t.tv_nsec;
	if (the_log->alive != was || !since) {
		was = the_log->alive;
		since = now;
	} else if (now - since > STUCK) {
		for (int i = 0; i < CALLERS; i++)
			if (waits_in_seam(tids[i]))
				raw(SYS_exit_group, 98);
		say(the_log, " waits\n");
		raw(SYS_exit_group, 0);
	}
}

static void *unmapper(void *unused)
{
	void *at = (void *)CHURN;
	for (unsigned how = 0; !stop; how++) {
		mmap(at, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		memset(at, '/', 8 * PAGE);
		strcpy((char *)at + 3 * PAGE - 4, "no/such");
		look_at_callers();
		switch (how % 4) {
		case 0: munmap(at, 8 * PAGE); break;
		case 1: mprotect((char *)at + PAGE, 5 * PAGE, PROT_NONE); break;
		case 2: mremap(at, 8 * PAGE, PAGE, 0); break;
		case 3: mmap((char *)at + 2 * PAGE, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); break;
		}
	}
	return 0;
}

void threads_call(struct log *l, const struct function *f, void *addr, uint64_t seed, int n)
{
	pthread_t t[CALLERS], u;
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	dl_iterate_phdr(find_seam, 0);
	sigaction(SIGSEGV, &sa, 0);
	sigaction(SIGBUS, &sa, 0);
	my_pid = raw(SYS_getpid);
	the_log = l, fn = f, address = addr, the_seed = seed, calls = n;
	fill_memory();
	say(l, f->name);
	pthread_create(&u, 0, unmapper, 0);
	for (long i = 0; i < CALLERS; i++)
		pthread_create(&t[i], 0, caller, (void *)i);
	for (int i = 0; i < CALLERS; i++)
		pthread_join(t[i], 0);
	stop = 1;
	pthread_join(u, 0);
	say(l, " lives\n");
	raw(SYS_exit_group, 0);
}
