/* hammer: what is patched changes while threads are in it.
 *
 *   hammer CYCLES SPEC EMPTY       8 busy threads; CYCLES times SPEC is put in and
 *                                  taken out again, with exact calls in between
 *
 * It asks its own agent (preload/agent/respec_seamtest.go), by bare system calls, so that
 * asking is no call of a patched function. Prints what it did, for the test to compare
 * with what was recorded. Exit status 1, and a line: a result was wrong.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "ask.h"

#define THREADS 8

/* Compilers know what some of these return: they are called through pointers. */
static pid_t (*volatile p_getppid)(void) = getppid;
static pid_t (*volatile p_getpgid)(pid_t) = getpgid;
static pid_t (*volatile p_getsid)(pid_t) = getsid;
static char *(*volatile p_getenv)(const char *) = getenv;
static long (*volatile p_strtol)(const char *, char **, int) = strtol;
static void *(*volatile p_malloc)(size_t) = malloc;
static void (*volatile p_free)(void *) = free;
static ssize_t (*volatile p_read)(int, void *, size_t) = read;
static ssize_t (*volatile p_write)(int, const void *, size_t) = write;
static int (*volatile p_lock)(pthread_mutex_t *) = pthread_mutex_lock;
static int (*volatile p_unlock)(pthread_mutex_t *) = pthread_mutex_unlock;
static int (*volatile p_gettime)(clockid_t, struct timespec *) = clock_gettime;
static int (*volatile p_atoi)(const char *) = atoi;
static pid_t (*volatile p_getpid)(void) = getpid;
static off_t (*volatile p_lseek)(int, off_t, int) = lseek;
static int (*volatile p_snprintf)(char *, size_t, const char *, ...) = snprintf;
static char *(*volatile p_strtok)(char *, const char *, char **) = strtok_r;

static volatile int stop;
static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;
static volatile long guarded;
static long turns[THREADS];
static int zero, null;
static pid_t self, parent, group, session;

static void *busy(void *arg)
{
	long n = 0;
	unsigned char buf[64];
	while (!stop) {
		char text[32], copy[32], *rest = 0, *end;
		struct timespec t;
		void *p = p_malloc(16 + n % 200);
		if (!p || p_getpid() != self || p_strtol("12345x", &end, 10) != 12345 || *end != 'x' || p_atoi("77") != 77)
			wrong("getpid, strtol or atoi");
		if (strcmp(p_getenv("HAMMER"), "on") || p_getenv("HAMMERED"))
			wrong("getenv");
		p_free(p);
		buf[63] = 1;
		if (p_read(zero, buf, 64) != 64 || buf[63] || p_write(null, buf, 64) != 64 || p_read(-1, buf, 1) != -1 || errno != EBADF)
			wrong("read or write");
		if (p_gettime(CLOCK_MONOTONIC, &t) || t.tv_nsec < 0 || t.tv_nsec > 999999999 || p_lseek(null, 0, SEEK_CUR) != 0)
			wrong("clock_gettime or lseek");
		if (p_lock(&shared))
			wrong("lock");
		long was = guarded;
		guarded = was + 1;
		if (guarded != was + 1 || p_unlock(&shared))
			wrong("what the mutex guards");
		if (p_snprintf(text, sizeof text, "%ld,%s,%.1f", n, "x", 1.5) < 7)
			wrong("snprintf");
		memcpy(copy, text, sizeof copy);
		if (!p_strtok(copy, ",", &rest) || atol(copy) != n || strcmp(p_strtok(0, ",", &rest), "x") || strcmp(rest, "1.5"))
			wrong("strtok_r");
		n++;
	}
	*(long *)arg = n;
	return 0;
}

/* Exported functions of libc whose bytes in memory are not those of the file. */
static int changed(struct dl_phdr_info *info, size_t size __attribute__((unused)), void *arg __attribute__((unused)))
{
	if (!strstr(info->dlpi_name, "libc.so"))
		return 0;
	int fd = open(info->dlpi_name, O_RDONLY);
	struct stat st;
	fstat(fd, &st);
	const char *file = mmap(0, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	const Elf64_Ehdr *e = (const void *)file;
	const Elf64_Shdr *sh = (const void *)(file + e->e_shoff);
	for (int i = 0; i < e->e_shnum; i++) {
		if (sh[i].sh_type != SHT_DYNSYM)
			continue;
		const Elf64_Sym *s = (const void *)(file + sh[i].sh_offset);
		const char *names = file + sh[sh[i].sh_link].sh_offset;
		for (unsigned k = 0; k < sh[i].sh_size / sizeof *s; k++) {
			if ((s[k].st_info & 15) != STT_FUNC || !s[k].st_value)
				continue;
			for (int h = 0; h < info->dlpi_phnum; h++) {
				const Elf64_Phdr *p = &info->dlpi_phdr[h];
				if (p->p_type == PT_LOAD && s[k].st_value - p->p_vaddr < p->p_filesz &&
				    memcmp((void *)(info->dlpi_addr + s[k].st_value), file + p->p_offset + s[k].st_value - p->p_vaddr, s[k].st_size))
					printf("changed %s\n", names + s[k].st_name);
			}
		}
	}
	munmap((void *)file, st.st_size);
	close(fd);
	return 1;
}

static long memory(void)
{
	char line[256];
	long kib = 0;
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	while (f && fgets(line, sizeof line, f))
		sscanf(line, "Anonymous: %ld", &kib);
	if (f)
		fclose(f);
	return kib;
}

static long mappings(void)
{
	long n = 0;
	FILE *f = fopen("/proc/self/maps", "r");
	for (int c; f && (c = getc(f)) != EOF;)
		n += c == '\n';
	if (f)
		fclose(f);
	return n;
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	ask_init();
	long cycles = atol(argv[1]), counted = 0;
	setenv("HAMMER", "on", 1);
	zero = open("/dev/zero", O_RDONLY);
	null = open("/dev/null", O_RDWR);
	self = bare(SYS_getpid, 0, 0, 0, 0);
	parent = bare(SYS_getppid, 0, 0, 0, 0);
	group = bare(SYS_getpgid, 0, 0, 0, 0);
	session = bare(SYS_getsid, 0, 0, 0, 0);
	pthread_t t[THREADS];
	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], 0, busy, &turns[i]);
	char both[9000];
	long mem[2] = { 0 }, maps[2] = { 0 };
	for (long c = 0; c < cycles; c++) {
		respec(argv[2]);
		if (!strncmp(answer, "error", 5))
			wrong(answer);
		if (c == 0)
			printf("%s", answer);
		for (int i = 0; i < 7; i++, counted++)
			if (p_getppid() != parent || p_getpgid(0) != group || p_getsid(0) != session)
				wrong("an exact call");
		respec(argv[3]);
		for (int i = 0; i < 5; i++)
			if (p_getppid() != parent || p_getpgid(0) != group || p_getsid(0) != session)
				wrong("an exact call that is not recorded");
		if (c == 2 || c == cycles - 1) {
			mem[c != 2] = memory();
			maps[c != 2] = mappings();
		}
	}
	if (argc > 4) { /* as fast as the agent can */
		snprintf(both, sizeof both, "%s %s %s", argv[2], argv[3], argv[4]);
		respec(both);
		if (!strncmp(answer, "error", 5))
			wrong(answer);
		printf("fast%s", strstr(answer, "took") + 4);
		mem[1] = memory();
		maps[1] = mappings();
	}
	stop = 1;
	long sum = 0;
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], 0);
		sum += turns[i];
	}
	if (guarded != sum)
		wrong("the mutex let two in");
	printf("counted %ld\nturns %ld\nmemory %ld %ld\nmappings %ld %ld\n", counted, sum, mem[0], mem[1], maps[0], maps[1]);
	dl_iterate_phdr(changed, 0);
	fflush(stdout);
	return 0;
}
