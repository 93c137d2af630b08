/* Watched: calls, threads, forks and mappings, and each result is checked, while a
 * forked child writes nonsense into the arena that it shares.
 *
 * scribble SEED WHERE MS [SPEC]
 *   WHERE  head: what is written once; words: the rest of the first page; tables: what is
 *          between that and the records; records; spec: nothing but that there is a newer spec, SPEC
 * Exit status: 0; 1 a wrong result, told on stderr; 3 there is no arena.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "abi.h"

static volatile int over;
static off_t size;
static pid_t parent;

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

#define MUST(x) do { if (!(x)) { dprintf(2, "line %d: %s, errno %d\n", __LINE__, #x, errno); exit(1); } } while (0)

static void calls(void)
{
	struct stat st;
	char c;
	int fd = open("/dev/null", O_RDWR);
	MUST(fd >= 0);
	MUST(read(fd, &c, 1) == 0);
	MUST(write(fd, "text", 4) == 4);
	MUST(close(fd) == 0);
	MUST(stat("/etc/passwd", &st) == 0 && st.st_size == size);
	errno = 0;
	MUST(open("/nowhere/at/all", O_RDONLY) == -1 && errno == ENOENT);
	MUST(getppid() == parent);
	char *m = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(m != MAP_FAILED);
	m[4096] = 1;
	MUST(munmap(m, 8192) == 0);
}

static void *brief(void *arg)
{
	for (int i = 0; i < 20; i++)
		calls();
	return arg;
}

static void *worker(void *arg)
{
	while (!over)
		calls();
	return arg;
}

/* No libc from here on: its calls are patched. */
static uint64_t draw(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	return *s ^= *s << 17;
}

static void new_spec(struct seam_arena *a, const char *path)
{
	snprintf(a->spec_path, sizeof a->spec_path, "%s", path);
	__atomic_add_fetch(&a->spec_seq, 2, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&a->epoch, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
}

static void scribble(unsigned char *arena, uint64_t lo, uint64_t hi, uint64_t seed)
{
	uint64_t s = seed * 0x9e3779b97f4a7c15ull | 1;
	for (;;) {
		uint64_t at = lo + draw(&s) % (hi - lo), r = draw(&s), v = r >> 8;
		volatile uint32_t *w = (volatile uint32_t *)(arena + (at & ~3ull));
		switch (r & 7) {
		case 0: v = 0; break;
		case 1: v = ~0u; break;
		case 2: v &= 0xff; break;
		case 3: v = *w + 1; break;
		case 4: v = *w ^ 1u << (v & 31); break;
		case 5: v |= 0x80000000u; break;
		}
		*w = v;
		if ((r & 0xff0000) == 0)
			syscall(SYS_sched_yield);
	}
}

int main(int argc, char **argv)
{
	uint64_t lo = 0, hi = 0, seed = strtoull(argv[1], 0, 10), end;
	char line[512];
	FILE *f = fopen("/proc/self/maps", "r");
	while (f && fgets(line, sizeof line, f))
		if (strstr(line, "seam-arena")) {
			sscanf(line, "%lx-%lx", &lo, &hi);
			break;
		}
	if (!lo)
		return 3;
	fclose(f);
	const struct seam_arena *a = (const void *)lo;
	uint64_t data = a->data_off, epoch = offsetof(struct seam_arena, epoch), page = a->page, from, to;
	switch (*argv[2]) {
	case 'h': from = 0; to = epoch; break;
	case 'w': from = epoch; to = page; break;
	case 't': from = page; to = data; break;
	default: from = data; to = hi - lo; break;
	}
	struct stat st;
	MUST(stat("/etc/passwd", &st) == 0);
	size = st.st_size;
	parent = getppid();
	pid_t child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (*argv[2] == 's')
			new_spec((struct seam_arena *)lo, argv[4]);
		scribble((unsigned char *)lo, from, to, seed);
	}
	end = now_ms() + atoi(argv[3]);
	pthread_t w, b;
	MUST(pthread_create(&w, 0, worker, 0) == 0);
	while (now_ms() < end) {
		MUST(pthread_create(&b, 0, brief, 0) == 0);
		calls();
		pid_t p = fork();
		if (!p) {
			parent = getppid();
			calls();
			_exit(7);
		}
		int status = 0;
		MUST(waitpid(p, &status, 0) == p && WIFEXITED(status) && WEXITSTATUS(status) == 7);
		MUST(pthread_join(b, 0) == 0);
	}
	over = 1;
	MUST(pthread_join(w, 0) == 0);
	kill(child, SIGKILL);
	MUST(waitpid(child, 0, 0) == child);
	puts("done");
	return 0;
}
