#include "args.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void *map(uint64_t at, uint64_t len, int prot, int flags, int fd)
{
	void *p = mmap((void *)at, len, prot, flags | MAP_FIXED_NOREPLACE, fd, 0);
	if (p != (void *)at) {
		perror("args: map");
		exit(2);
	}
	return p;
}

void make_memory(const char *file)
{
	int anon = MAP_PRIVATE | MAP_ANONYMOUS, rw = PROT_READ | PROT_WRITE;
	map(RW, 8 * PAGE, rw, anon, -1);
	map(EDGE_END - PAGE, PAGE, rw, anon, -1);
	map(NONE - PAGE, 2 * PAGE, rw, anon, -1);
	mprotect((void *)NONE, PAGE, PROT_NONE);
	char *ro = map(RO, 2 * PAGE, rw, anon, -1);
	memset(ro, 'r', 2 * PAGE);
	for (unsigned i = 0; i < 2 * PAGE; i += 64)
		strcpy(ro + i, i % 128 ? "no/such" : "f");
	mprotect(ro, 2 * PAGE, PROT_READ);
	int fd = open(file, O_RDWR | O_CREAT, 0600);
	if (ftruncate(fd, 1))
		perror("args: truncate");
	map(CUT - PAGE, 2 * PAGE, rw, MAP_PRIVATE, fd);
	close(fd);
	map(EXEC, PAGE, PROT_EXEC, anon, -1);
}

static const struct { uint64_t at, len; } parts[] = { { RW, 8 * PAGE }, { EDGE_END - PAGE, PAGE }, { NONE - PAGE, PAGE } };

#define PATTERN 0xa5a5a5a5a5a5a5a5ul

void fill_memory(void)
{
	for (int i = 0; i < 3; i++)
		for (uint64_t *w = (uint64_t *)parts[i].at; (uint64_t)w < parts[i].at + parts[i].len; w++)
			*w = PATTERN;
}

static uint64_t before[10 * PAGE / 8];

void sum_memory(uint64_t *where, uint64_t *what)
{
	unsigned n = 0;
	int first = !where;
	if (!first)
		*where = *what = 0;
	for (int i = 0; i < 3; i++)
		for (uint64_t *w = (uint64_t *)parts[i].at; (uint64_t)w < parts[i].at + parts[i].len; w++, n++) {
			if (first)
				before[n] = *w;
			else if (before[n] != *w) {
				*where = mix(*where ^ n);
				*what = mix(*what ^ *w);
			}
		}
}
