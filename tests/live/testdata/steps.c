/* steps: one thing after the other, for the test to compare with what was recorded.
 *
 *   steps ARG…      as they come:
 *     spec:PATH     ask for this spec; what came of it is printed
 *     NAME:N        call that function N times
 *     follow:N      fork now; the child takes the rest of the arguments, after N calls of getsid, and
 *                   the parent, which it does not wait for until then, the arguments up to "child"
 *     plugin:PATH   dlopen, call late_work 10 times, dlclose
 *     keep:PATH     dlopen; late_work is then one of the functions
 *     remove:PATH   delete this file
 *     rigid:0       no memory of this process becomes executable from here on
 *     confine:0     a filter that kills for what a program like this does not need
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ask.h"

/* Functions of which the first instruction is what the name says. Between them is filler. */
__asm__(
	".macro fn name\n.globl \\name\n.type \\name, @function\n\\name: .cfi_startproc\n.endm\n"
	".macro nf name\n.cfi_endproc\n.size \\name, .-\\name\n.endm\n"
	".text\n.balign 64, 0xcc\n"
	"fn filler1\n mov %edi, %eax\n ret\nnf filler1\n .balign 32, 0xcc\n"
	/* five bytes, in one word */
	"fn five\n mov $7, %eax\n add %edi, %eax\n ret\nnf five\n .balign 32, 0xcc\n"
	/* two bytes, then more */
	"fn two\n mov %edi, %eax\n add $7, %eax\n nop\n ret\nnf two\n .balign 32, 0xcc\n"
	/* one push, then two bytes; the same register is what is pushed */
	"fn push1\n push %rbx\n .cfi_adjust_cfa_offset 8\n mov %edi, %ebx\n lea 7(%rbx), %eax\n pop %rbx\n .cfi_adjust_cfa_offset -8\n ret\nnf push1\n .balign 32, 0xcc\n"
	/* two pushes, then five bytes: across words, so two */
	"fn push2\n push %rbx\n .cfi_adjust_cfa_offset 8\n push %rbp\n .cfi_adjust_cfa_offset 8\n mov $7, %ebx\n lea (%rbx,%rdi), %eax\n pop %rbp\n .cfi_adjust_cfa_offset -8\n pop %rbx\n .cfi_adjust_cfa_offset -8\n ret\nnf push2\n .balign 32, 0xcc\n"
	/* the jump over it crosses words: what was put in at the start stays, silent */
	".skip 5, 0xcc\nfn across\n mov $7, %eax\n add %edi, %eax\n ret\nnf across\n .balign 32, 0xcc\n"
	/* two bytes that lie in two words: not while the program runs */
	".skip 7, 0xcc\nfn never\n mov $7, %eax\n add %edi, %eax\n ret\nnf never\n .balign 32, 0xcc\n"
	/* they jump back into their own start, from near and from far: a thread may be on its way */
	"fn loops\n dec %esi\n jg loops\n lea 7(%rdi), %eax\n ret\nnf loops\n .balign 32, 0xcc\n"
	"fn turns\n mov %esi, %ecx\n1: dec %ecx\n mov %edi, %eax\n jg 1b\n add $7, %eax\n ret\nnf turns\n .balign 32, 0xcc\n");
int five(int, int), two(int, int), push1(int, int), push2(int, int), across(int, int), never(int, int), loops(int, int), turns(int, int);

static const struct { const char *name; int (*fn)(int, int); } own[] = {
	{ "five", five }, { "two", two }, { "push1", push1 }, { "push2", push2 }, { "across", across }, { "never", never }, { "loops", loops }, { "turns", turns },
};

static pid_t (*volatile p_getsid)(pid_t) = getsid;
static pid_t (*volatile p_getpgid)(pid_t) = getpgid;
static pid_t (*volatile p_getppid)(void) = getppid;

static int (*volatile p_late)(int);

static void call(const char *name, long n)
{
	for (long i = 0; i < n && !strcmp(name, "late_work"); i++)
		if (p_late(i) != i + 2)
			wrong(name);
	for (long i = 0; i < n; i++) {
		for (unsigned k = 0; k < sizeof own / sizeof *own; k++)
			if (!strcmp(name, own[k].name) && own[k].fn(i, 3) != i + 7)
				wrong(name);
		if ((!strcmp(name, "getsid") && p_getsid(0) != bare(SYS_getsid, 0, 0, 0, 0)) ||
		    (!strcmp(name, "getpgid") && p_getpgid(0) != bare(SYS_getpgid, 0, 0, 0, 0)) ||
		    (!strcmp(name, "getppid") && p_getppid() != bare(SYS_getppid, 0, 0, 0, 0)))
			wrong(name);
	}
}

static void plugin(const char *path)
{
	void *h = dlopen(path, RTLD_NOW);
	int (*volatile work)(int) = h ? (int (*)(int))dlsym(h, "late_work") : 0;
	for (int i = 0; i < 10; i++)
		if (!work || work(i) != i + 2)
			wrong("late_work");
	dlclose(h);
}

static void rigid(void)
{
	if (prctl(65 /* PR_SET_MDWE */, 1, 0, 0, 0))
		printf("no MDWE\n");
}

static void confine(void)
{
	static const int allowed[] = { SYS_write, SYS_read, SYS_close, SYS_exit_group, SYS_wait4, SYS_getsid, SYS_munmap, SYS_fstat };
	const unsigned n = sizeof allowed / sizeof *allowed;
	struct sock_filter f[32] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)) };
	for (unsigned i = 0; i < n; i++)
		f[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], n - i, 0);
	f[1 + n] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	f[2 + n] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = { n + 3, f };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		wrong("confine");
}

int main(int argc, char **argv)
{
	int gate[2], child = 0;
	ask_init();
	for (int i = 1; i < argc; i++) {
		char *arg = strchr(argv[i], ':');
		if (!strcmp(argv[i], "child")) {
			if (!child)
				break;
			continue;
		}
		if (!arg)
			return 2;
		*arg++ = 0;
		if (!strcmp(argv[i], "spec")) {
			respec(arg);
			printf("%s\n", answer);
			fflush(stdout);
		} else if (!strcmp(argv[i], "plugin"))
			plugin(arg);
		else if (!strcmp(argv[i], "keep")) {
			void *h = dlopen(arg, RTLD_NOW);
			if (!h || !(p_late = (int (*)(int))dlsym(h, "late_work")))
				wrong("dlopen");
		} else if (!strcmp(argv[i], "remove"))
			bare(SYS_unlink, (long)arg, 0, 0, 0);
		else if (!strcmp(argv[i], "rigid"))
			rigid();
		else if (!strcmp(argv[i], "confine"))
			confine();
		else if (!strcmp(argv[i], "follow")) {
			if (pipe(gate))
				wrong("pipe");
			child = fork() == 0;
			if (!child)
				continue;
			char c;
			bare(SYS_close, gate[1], 0, 0, 0);
			bare(SYS_read, gate[0], (long)&c, 1, 0); /* until the parent has done its part */
			call("getsid", atol(arg));
			while (i + 1 < argc && strcmp(argv[i + 1], "child"))
				i++;
		} else
			call(argv[i], atol(arg));
	}
	if (!child) {
		bare(SYS_close, gate[1], 0, 0, 0);
		int status = 0;
		if (wait(&status) > 0 && status)
			wrong("the child");
	}
	return 0;
}
