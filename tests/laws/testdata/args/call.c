/* call.c: one call, and what it did: result, errno, memory, children. */
#include "args.h"
#include <errno.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <pthread.h>
#include <unistd.h>

void say(struct log *l, const char *s)
{
	uint32_t n = l->len;
	while (*s && n < sizeof l->text - 1)
		l->text[n++] = *s++;
	l->len = n;
}
void say_num(struct log *l, long v)
{
	char b[24], *p = b + 23;
	unsigned long u = v < 0 ? -(unsigned long)v : (unsigned long)v;
	*p = 0;
	do
		*--p = '0' + u % 10;
	while (u /= 10);
	if (v < 0)
		*--p = '-';
	say(l, p);
}
static void say_hex(struct log *l, uint64_t v)
{
	char b[20], *p = b + 19;
	*p = 0;
	do
		*--p = "0123456789abcdef"[v & 15];
	while (v >>= 4);
	say(l, p);
}

/* What two runs have in common of a result. */
static void say_result(struct log *l, const struct function *f, uint64_t ret)
{
	int64_t v = f->ret_size == 4 ? (int64_t)(int32_t)ret : f->ret_size == 1 ? (int64_t)(int8_t)ret : f->ret_size == 2 ? (int64_t)(int16_t)ret : (int64_t)ret;
	switch (f->ret) {
	case T_VOID:
		return;
	case T_PTR: case T_STRING: case T_STRV: case T_BUFFER: case T_STRUCT:
		if (ret + 4096 < 8192)
			say_num(l, ret);
		else if (ret >= BASE && ret < BASE + 0x1000000)
			say(l, "0x"), say_hex(l, ret);
		else
			say(l, "pointer");
		return;
	case T_PID:
		say_num(l, v <= 0 ? v : v == raw(SYS_getpid) ? 1 : 2);
		return;
	}
	if (f->result == RESULT_NONE)
		say(l, "?");
	else if (f->result == RESULT_SIGN)
		say(l, v < 0 ? "negative" : v ? "positive" : "0");
	else
		say_num(l, v);
}

typedef uint64_t (*any_function)(uint64_t, ...);

/* A child that has ended, for those that wait for one. */
static void make_zombie(void)
{
	long pid = raw(SYS_fork);
	if (!pid)
		raw(SYS_exit_group, 7);
	char info[128];
	raw(SYS_waitid, (long)P_PID, pid, (long)info, (long)(WEXITED | WNOWAIT), 0);
}

/* Children that the call made, in order of what became of them. */
static void say_children(struct log *l)
{
	int st[8], n = 0, s = 0;
	while (raw(SYS_wait4, -1, (long)&s, (long)__WALL, 0) > 0 && n < 8) {
		int i = n++;
		for (; i > 0 && st[i - 1] > s; i--)
			st[i] = st[i - 1];
		st[i] = s;
	}
	for (int i = 0; i < n; i++) {
		say(l, " child ");
		say_hex(l, st[i]);
	}
}

/* What would last, or come later. */
static void undo(const struct function *f, struct call *c, uint64_t ret)
{
	if (!strcmp(f->name, "pthread_create") && !(int)ret)
		pthread_join(*(pthread_t *)c->w[0], 0);
	if (!strcmp(f->name, "shmget") && (int)ret >= 0)
		raw(SYS_shmctl, (long)(int)ret, IPC_RMID, 0);
	if (!strcmp(f->name, "semget") && (int)ret >= 0)
		raw(SYS_semctl, (long)(int)ret, 0, IPC_RMID, 0);
	if (!strcmp(f->name, "msgget") && (int)ret >= 0)
		raw(SYS_msgctl, (long)(int)ret, IPC_RMID, 0);
}

void one_call(struct log *l, const struct function *f, void *addr, uint64_t seed, int call)
{
	static struct call c;
	uint64_t where, what, *w = c.w;
	fill_memory();
	generate(&c, f, seed, call, 0);
	sum_memory(0, 0);
	say(l, f->name);
	say(l, "#");
	say_num(l, call);
	say(l, "(");
	say(l, c.text);
	say(l, ") =");
	if (!strncmp(f->name, "wait", 4))
		make_zombie();
	long me = raw(SYS_getpid);
	l->begun++;
	errno = 1234;
	uint64_t ret = ((any_function)addr)(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], 0ul, 0ul);
	int err = errno;
	if (raw(SYS_getpid) != me)
		raw(SYS_exit_group, 0); /* a child that it made */
	undo(f, &c, ret); /* a new thread may crash: then nothing was said */
	say(l, " ");
	say_result(l, f, ret);
	say(l, " errno ");
	say_num(l, err);
	sum_memory(&where, &what);
	if (where) {
		say(l, " wrote ");
		say_hex(l, where & 0xffffffff);
		say(l, ":");
		say_hex(l, what & 0xffffffff);
	}
	say_children(l);
	say(l, "\n");
	l->done++;
}
