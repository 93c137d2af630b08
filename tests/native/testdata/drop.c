/* drop FILE STEPS OTHER WHAT: a thread counts calls as lost (drop.c) and is killed after
 * STEPS instructions of it; with OTHER another thread then counts 5 of the same site.
 * FILE is an arena. WHAT is chunk or own. Prints "killed" or "done". */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../../preload/core/drop.c" /* forbids names that the headers above use */

struct seam_core *seam;
uint32_t seam_use_tsc;
__thread struct seam_tls seam_tls __attribute__((tls_model("initial-exec")));

int main(int argc, char **argv)
{
	long steps = atol(argv[2]);
	int fd = open(argv[1], O_RDWR), own = !strcmp(argv[4], "own");
	struct stat st;
	fstat(fd, &st);
	static struct seam_core core;
	seam = &core;
	core.arena = mmap(0, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	core.fixed = *core.arena;
	struct seam_thread *th = threads();
	struct seam_chunk *c = (struct seam_chunk *)arena_at(core.arena->metas_off);
	struct seam_tls a = { .ent = &th[0], .produced = th[0].produced + own }, b = { .ent = &th[1], .produced = th[1].produced + 1 };
	pid_t p = fork();
	if (!p) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		seam_drop(&a, 0, own ? 1 : 3, own ? 0 : c, own ? 0 : c->committed);
		raise(SIGUSR1);
		_exit(0);
	}
	int status;
	waitpid(p, &status, 0);
	ptrace(PTRACE_SETOPTIONS, p, 0, PTRACE_O_EXITKILL);
	/* on to the first instruction of seam_drop: raise has some, whose number does not matter */
	struct { unsigned long r[27]; } regs;
	const unsigned long lo = (unsigned long)seam_drop;
	int inside = 0, over = 0;
	for (long n = 0; n < steps || !inside; ) {
		if (ptrace(PTRACE_SINGLESTEP, p, 0, 0) || waitpid(p, &status, 0) < 0 || !WIFSTOPPED(status))
			return 2;
		if (WSTOPSIG(status) == SIGUSR1) {
			over = 1;
			break;
		}
		ptrace(PTRACE_GETREGS, p, 0, &regs);
		inside |= regs.r[16] == lo; /* rip */
		n += inside;
	}
	kill(p, SIGKILL);
	waitpid(p, &status, 0);
	if (atoi(argv[3]))
		seam_drop(&b, 0, 1, 0, 0);
	puts(over ? "done" : "killed");
	return 0;
}
