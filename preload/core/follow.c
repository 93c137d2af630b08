/* follow.c: the environment that a program is executed with (--follow-exec).
 *
 * Whatever was asked for, a program that could not read our library is executed
 * without it: the loader would say so on the program's stderr (after chroot, in a
 * container's root, as another user).
 *
 * A copy of the host's array of pointers is made, with seam's part put back
 * (always) or taken out (never, or out of reach); the host's own is not touched. This runs in
 * vfork children and between fork and exec, where nothing may be allocated and any lock
 * may be held by a thread that is not there: the copy is in one of a few places made
 * at load. A place is its thread's until that thread executes again, or is gone: after
 * a successful exec nobody is there to give it back.
 *
 * What can't be helped is executed as it is, and counted: no place, an environment
 * that is too large, and, for `always`, programs on which a preloaded library is
 * lost or does harm (set-user-ID, static, 32-bit, another C library).
 */
#define _GNU_SOURCE
#include "hot.h"
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PLACES 32
#define PLACE_SIZE (64u << 10)
#define VALUE_MAX 8192      /* of LD_PRELOAD, bytes */
#define MOST_SCRIPTS 4      /* one script's interpreter may be another's */

enum { INHERIT = 0, ALWAYS = 1, NEVER = 2 }; /* hooks.Follow */
#define SYS_FACCESSAT2 439
enum { SPEC, SOCKET, READER, FILTERS, VARS };

struct seam_follow {
	uint32_t mode;
	const char *lib;                /* our path, as LD_PRELOAD has it */
	const char *vars[VARS];         /* "SEAM_SPEC=...", "": not set */
	char     text[4096 + VARS * 4352]; /* of these, one behind the other: a page is written, not one for each */
	struct { uint32_t tid; struct seam_tls *of; } users[PLACES]; /* tid 0: free */
	char     places[PLACES][PLACE_SIZE];
};

static unsigned length(const char *s)
{
	unsigned n = 0;
	while (s[n])
		n++;
	return n;
}

static int same(const char *a, const char *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (a[i] != b[i])
			return 0;
	return 1;
}

/* A C string of the host's; its length, -1: it can't be read, or is too long. */
static int host_string(uint64_t from, char *to, unsigned max)
{
	unsigned have = 0;
	while (have < max) {
		unsigned step = 4096 - (from + have) % 4096;
		if (step > max - have)
			step = max - have;
		if (seam_copy(from + have, to + have, step) != step)
			return -1;
		for (unsigned end = have + step; have < end; have++)
			if (!to[have])
				return have;
	}
	return -1;
}

/* Which of ours a variable is: VARS for LD_PRELOAD, -1 for none. */
static int which(uint64_t var)
{
	static const char *const names[VARS + 1] = { "SEAM_SPEC=", "SEAM_SOCKET=", "SEAM_READER=", "SEAM_FILTERS=", "LD_PRELOAD=" };
	char head[12] = { 0 };
	if (seam_copy(var, head, 10) != 10) /* shorter, at the end of a page: none of ours */
		return -1;
	if (head[0] != 'S' && head[0] != 'L')
		return -1;
	seam_copy(var, head, sizeof head);
	for (int i = 0; i <= VARS; i++) {
		unsigned n = length(names[i]);
		if (same(head, names[i], n < sizeof head ? n : sizeof head))
			return i;
	}
	return -1;
}

/* The place of the calling thread. A task that shares its TLS with one that was
 * suspended uses the same: when both could need it, the TLS is not all that is compared. */
static char *take_place(void)
{
	struct seam_follow *w = seam->follow;
	uint32_t tid = sys0(SYS_gettid);
	int lasting = seam_tls.guard == SEAM_GUARD_SHARED && (seam_tls.shared & SEAM_SHARED_CLONE);
	for (int i = 0; i < PLACES; i++)
		if (w->users[i].tid == tid || (w->users[i].tid && w->users[i].of == &seam_tls && !lasting)) {
			w->users[i].tid = tid;
			w->users[i].of = &seam_tls;
			return w->places[i];
		}
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < PLACES; i++) {
			uint32_t was = w->users[i].tid;
			if (round == 0 ? was != 0 : sys2(SYS_tkill, was, 0) != -3 /* ESRCH */)
				continue;
			if (__atomic_compare_exchange_n(&w->users[i].tid, &was, tid, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
				w->users[i].of = &seam_tls;
				return w->places[i];
			}
		}
	return 0;
}

enum verdict { GOES, STAYS, UNKNOWN /* the kernel will say what is wrong with it */ };

/* Whether a program is one that can be watched. It is opened for a moment. */
static enum verdict look_at(int dirfd, const char *path, int flags)
{
	char head[256], interp[256];
	for (int depth = 0; depth < MOST_SCRIPTS; depth++) {
		struct stat st;
		if (sys4(SYS_newfstatat, dirfd, path, &st, flags & (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)))
			return UNKNOWN;
		if ((st.st_mode & S_ISUID) || (st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
			return STAYS;
		char self_fd[32] = "/proc/self/fd/";
		if (!path[0]) { /* it may be open for execution only */
			unsigned n = 14, v = dirfd, div = 1;
			while (v / div >= 10)
				div *= 10;
			for (; div; div /= 10)
				self_fd[n++] = '0' + v / div % 10;
			self_fd[n] = 0;
			path = self_fd;
		}
		int fd = sys4(SYS_openat, dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
		if (fd < 0)
			return UNKNOWN;
		long n = sys4(SYS_pread64, fd, head, sizeof head - 1, 0);
		if (n < 4 || head[0] != '#' || head[1] != '!') {
			const Elf64_Ehdr *e = (const void *)head;
			enum verdict v = UNKNOWN;
			if (n >= (long)sizeof *e && same((const char *)e->e_ident, ELFMAG, SELFMAG)) {
				v = STAYS;
				if (e->e_ident[EI_CLASS] == ELFCLASS64 && e->e_machine == EM_X86_64)
					for (unsigned i = 0; i < e->e_phnum && i < 64; i++) {
						Elf64_Phdr p;
						if (sys4(SYS_pread64, fd, &p, sizeof p, e->e_phoff + i * sizeof p) != sizeof p)
							break;
						if (p.p_type != PT_INTERP)
							continue;
						long k = sys4(SYS_pread64, fd, interp, p.p_filesz < sizeof interp ? p.p_filesz : sizeof interp, p.p_offset);
						static const char glibc[] = "ld-linux-x86-64.so.2";
						unsigned g = sizeof glibc;
						if (k >= (long)g && same(interp + k - g, glibc, g))
							v = GOES;
					}
			}
			sys1(SYS_close, fd);
			return v;
		}
		sys1(SYS_close, fd);
		head[n] = 0;
		unsigned from = 2, to = 0;
		while (head[from] == ' ' || head[from] == '\t')
			from++;
		while (head[from] && head[from] != ' ' && head[from] != '\t' && head[from] != '\n' && to < sizeof interp - 1)
			interp[to++] = head[from++];
		interp[to] = 0;
		dirfd = AT_FDCWD;
		flags = 0;
		path = interp;
		if (!to)
			return UNKNOWN;
	}
	return UNKNOWN;
}

/* The preloaded libraries with ours in front, or without it. Their length; 0:
 * none are left; -1: does not fit. *changed: they differ from what there was. */
static int libraries(const struct seam_follow *w, uint32_t mode, const char *was, unsigned n, char *to, unsigned room, int *changed)
{
	unsigned ours = length(w->lib), out = 0, at = 0;
	int there = 0;
	while (at < n) { /* the loader takes colons and blanks for separators */
		unsigned end = at;
		while (end < n && was[end] != ':' && was[end] != ' ')
			end++;
		there |= end - at == ours && same(was + at, w->lib, ours);
		at = end + 1;
	}
	*changed = mode == ALWAYS ? !there : there;
	if (!*changed)
		return n;
	if (mode == ALWAYS) {
		if (ours + 1 + n > room)
			return -1;
		copy_bytes(to, w->lib, ours);
		if (!n)
			return ours;
		to[ours] = ':';
		copy_bytes(to + ours + 1, was, n);
		return ours + 1 + n;
	}
	for (at = 0; at < n;) {
		unsigned end = at;
		while (end < n && was[end] != ':' && was[end] != ' ')
			end++;
		if (end > at && !(end - at == ours && same(was + at, w->lib, ours))) {
			if (out + 1 + end - at > room)
				return -1;
			if (out)
				to[out++] = ':';
			copy_bytes(to + out, was + at, end - at);
			out += end - at;
		}
		at = end + 1;
	}
	return out;
}

struct block { uint64_t *vars; char *place, *low; unsigned n; int full; };

static void add(struct block *b, uint64_t var)
{
	if ((char *)&b->vars[b->n + 2] > b->low)
		b->full = 1;
	else
		b->vars[b->n++] = var;
}

/* Room for a string of n bytes and its end, from the top of the place downwards. */
static char *string(struct block *b, unsigned n)
{
	if ((char *)&b->vars[b->n + 2] + n + 1 > b->low) {
		b->full = 1;
		return 0;
	}
	b->low -= n + 1;
	return b->low;
}

/* The new LD_PRELOAD; `old` is the host's variable, 0: it has none. 0: as it was. */
static void preload(struct block *b, const struct seam_follow *w, uint32_t mode, uint64_t old, int *changed)
{
	static const char name[] = "LD_PRELOAD=";
	const unsigned head = sizeof name - 1;
	unsigned room = length(w->lib) + 1 + VALUE_MAX, n = 0;
	char *was = string(b, head + VALUE_MAX), *to = string(b, head + room);
	if (b->full)
		return;
	if (old) {
		int got = host_string(old, was, head + VALUE_MAX);
		if (got < (int)head) {
			b->full = 1;
			return;
		}
		n = got - head;
	}
	int differs, len = libraries(w, mode, was + head, n, to + head, room, &differs);
	if (!differs) {
		if (old)
			add(b, old);
		return;
	}
	*changed = 1;
	if (len < 0)
		b->full = 1;
	if (len <= 0)
		return;
	copy_bytes(to, name, head);
	to[head + len] = 0;
	add(b, (uint64_t)to);
}

/* The environment that is to be used instead; 0: the host's own. */
static uint64_t compose(const struct seam_follow *w, uint32_t mode, uint64_t envp)
{
	struct block b = { .place = take_place() };
	int changed = 0, preloaded = 0, complete = 0;
	if (!b.place)
		goto as_it_is;
	b.vars = (uint64_t *)b.place;
	b.low = b.place + PLACE_SIZE;
	for (int pass = 0; pass < 2; pass++) /* an environment that has a spec has the rest, too: that of a seam within, perhaps */
		for (uint64_t at = envp; envp && !b.full; at += 8) {
			uint64_t var;
			if (seam_copy(at, &var, 8) != 8)
				return 0; /* EFAULT is for the kernel to say */
			if (!var)
				break;
			int k = which(var);
			if (pass == 0) {
				complete |= k == SPEC;
				continue;
			}
			if (k == VARS) {
				preloaded = 1;
				preload(&b, w, mode, var, &changed);
			} else if (k >= 0 && (mode == NEVER || !complete))
				changed = 1;
			else
				add(&b, var);
		}
	if (mode == ALWAYS) {
		if (!preloaded)
			preload(&b, w, mode, 0, &changed);
		for (int i = 0; i < VARS && !complete; i++)
			if (w->vars[i][0]) {
				add(&b, (uint64_t)w->vars[i]);
				changed = 1;
			}
	}
	if (!changed)
		return 0;
	if (b.full)
		goto as_it_is;
	b.vars[b.n] = 0;
	return (uint64_t)b.vars;
as_it_is:
	if (seam->arena)
		count_lost(SEAM_EXEC_AS_IS);
	return 0;
}

static int readable(const char *path)
{
	long rc = sys4(SYS_FACCESSAT2, AT_FDCWD, path, R_OK, AT_EACCESS);
	if (rc == -38 /* ENOSYS, before Linux 5.8 */)
		rc = sys3(SYS_faccessat, AT_FDCWD, path, R_OK); /* with the real ids */
	return rc == 0;
}

/* Whether a program executed now could read our library, and what it has to do. */
static int in_reach(void)
{
	return readable(seam->file) && readable(seam->spec_path);
}

void seam_exec_environment(const struct seam_run *r, struct seam_frame *f)
{
	uint64_t *w = f->words, *envp;
	int dirfd = AT_FDCWD, flags = 0;
	uint64_t path;
	if (seam_tls.guard == SEAM_GUARD_AGENT || seam_tls.guard == SEAM_GUARD_CORE)
		return;
	if (seam_quiet()) { /* what is executed would be left alone, too: see filters.c */
		if (seam->arena)
			count_lost(SEAM_EXEC_AS_IS);
		return;
	}
	switch (r->watch) {
	case SEAM_WATCH_EXECVE:
		path = w[0], envp = &w[2];
		break;
	case SEAM_WATCH_EXECVEAT:
		dirfd = w[0], path = w[1], envp = &w[3], flags = w[4];
		break;
	case SEAM_WATCH_FEXECVE:
		dirfd = w[0], path = 0, envp = &w[2], flags = AT_EMPTY_PATH;
		break;
	case SEAM_WATCH_SYSCALL:
		if (w[0] == SYS_execve)
			path = w[1], envp = &w[3];
		else if (w[0] == SYS_execveat)
			dirfd = w[1], path = w[2], envp = &w[4], flags = w[5];
		else
			return;
		break;
	default:
		return;
	}
	uint32_t mode = seam->follow ? seam->follow->mode : INHERIT;
	int reach = in_reach();
	if (!seam->follow || (mode == INHERIT && reach))
		return;
	if (!reach)
		mode = NEVER;
	uint64_t other = compose(seam->follow, mode, *envp);
	if (!other)
		return;
	if (mode != seam->follow->mode && seam->arena)
		count_lost(SEAM_EXEC_OUT_OF_REACH);
	if (mode == ALWAYS) {
		char name[4096] = "";
		if (path && host_string(path, name, sizeof name) < 0)
			return;
		switch (look_at(dirfd, name, flags)) {
		case STAYS:
			if (seam->arena)
				count_lost(SEAM_EXEC_AS_IS);
			return;
		case UNKNOWN: /* not there, or for somebody else to read: what it will be called with does no harm */
		case GOES:
			break;
		}
	}
	*envp = other;
}

/* NAME=VALUE at *to, which is moved behind it; "" when there is no value, or a very long one. */
static const char *variable(char **to, const char *name, const char *value)
{
	unsigned n = length(name), k = value ? length(value) : 0;
	char *at = *to;
	if (!value || n + 1 + k + 1 > 4352)
		return "";
	copy_bytes(at, name, n);
	at[n] = '=';
	copy_bytes(at + n + 1, value, k + 1);
	*to = at + n + 1 + k + 1;
	return at;
}

void seam_follow_init(uint32_t mode, const char *lib, const char *spec, const char *socket, const char *reader, const char *filters)
{
	unsigned n = length(lib);
	struct seam_follow *w = (void *)sys6(SYS_mmap, 0, sizeof *w, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if ((uint64_t)w > -4096ull || n >= 4096)
		return;
	char *to = w->text + n + 1;
	w->mode = mode;
	copy_bytes(w->text, lib, n + 1);
	w->lib = w->text;
	w->vars[SPEC] = variable(&to, "SEAM_SPEC", spec);
	w->vars[SOCKET] = variable(&to, "SEAM_SOCKET", socket);
	w->vars[READER] = variable(&to, "SEAM_READER", reader);
	w->vars[FILTERS] = variable(&to, "SEAM_FILTERS", filters);
	seam->follow = w;
}
