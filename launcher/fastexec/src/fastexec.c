// The start of a program that was prepared before: read from its memo (launcher/memo.go), which says
// what the answer was read from, and what it was.
//
// It runs at the entry of bin/seam, before Go's runtime: no libc, no memory but the stack and one mapping,
// no relocation and no writable data, as it is put into Go's linker as bytes (the Makefile). So there is
// no array of pointers in it. On any doubt it returns, having changed nothing, and Go does it all anew.
#include <asm/stat.h>
#include <asm/statfs.h>
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

enum {
	MAX_KEY = 48 << 10,  // bytes; launcher/memo.go has the same limits
	MAX_MEMO = 128 << 10, // bytes
	MAX_ARGS = 64,       // that the program may be behind
	MAX_PATH = 4096,
	STATUS = 8 << 10, // more than the kernel writes, unless there are many groups
	MAX_ADDED = 8,    // variables
	MAX_CHANGED = 64, // variables that are part of the key
};

// What a memo begins with; launcher/memo.go writes it.
struct memo {
	u8 magic[8];
	u64 sum; // of all that follows it
	u32 size, key, watches, changed, added, zero;
};

enum kind {
	FILE_AS_IT_WAS = 1, // that stat finds: the same file, unchanged
	NOTHING,            // stat finds none
	FOLDER,             // that lstat finds: the same one, whatever came into it
	MOUNT,              // flags of the file system there
	EMPTY,              // a folder with nothing in it, or none
};

struct watch {
	u32 kind, path; // path: bytes that follow, with NULs to a multiple of 8
	u64 dev, ino, size, mode_uid, mtime, mtime_ns, ctime, ctime_ns;
};

struct room {
	u8 key[MAX_KEY + MAX_PATH];
	u8 memo[MAX_MEMO] __attribute__((aligned(8)));
	char path[2 * MAX_PATH];
	char text[STATUS];
	char *env[]; // one for each that we got, those that are added, and the end
};

static long call6(long n, long a, long b, long c, long d, long e, long f)
{
	long r;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return r;
}

static long call(long n, long a, long b, long c, long d)
{
	return call6(n, a, b, c, d, 0, 0);
}

static u64 length(const char *s)
{
	u64 n = 0;
	while (s[n])
		n++;
	return n;
}

static int equal(const void *a, const void *b, u64 n)
{
	const u8 *x = a, *y = b;
	for (u64 i = 0; i < n; i++)
		if (x[i] != y[i])
			return 0;
	return 1;
}

static void copy(void *to, const void *from, u64 n)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

// hash continues an FNV-1a hash.
static u64 hash(u64 h, const u8 *b, u64 n)
{
	for (u64 i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3;
	return h;
}

// begins: line is that prefix and more.
static int begins(const char *line, const char *prefix)
{
	for (; *prefix; line++, prefix++)
		if (*line != *prefix)
			return 0;
	return 1;
}

// listed: line begins with one of names, each of which ends with a NUL, and the list with another.
// With whole, a name is followed by '=' or by nothing.
static int listed(const char *line, const char *names, int whole)
{
	for (; *names; names += length(names) + 1)
		if (begins(line, names)) {
			char after = line[length(names)];
			if (!whole || !after || after == '=')
				return 1;
		}
	return 0;
}

// The variables that Go reads, or sets; launcher/memo.go has the same.
static int ours(const char *kv)
{
	return begins(kv, "SEAM_") || listed(kv, "PATH\0HOME\0LD_PRELOAD\0LD_LIBRARY_PATH\0XDG_CACHE_HOME\0XDG_CONFIG_HOME\0"
		"XDG_RUNTIME_DIR\0TMPDIR\0", 1);
}

static const char *variable(char **envp, const char *name)
{
	u64 n = length(name);
	for (; *envp; envp++)
		if (begins(*envp, name) && (*envp)[n] == '=')
			return *envp + n + 1;
	return 0;
}

// text reads a small file, whole. The result is below size, which leaves room for a NUL, or negative.
static long text(const char *path, char *to, long size)
{
	long fd = call(__NR_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0), n = 0, got;
	if (fd < 0)
		return -1;
	do {
		got = call(__NR_read, fd, (long)to + n, size - n, 0);
		if (got > 0)
			n += got;
	} while (got > 0 && n < size);
	call(__NR_close, fd, 0, 0, 0);
	return got == 0 && n < size ? n : -1;
}

struct key {
	u8 *at;
	u64 n; // MAX_KEY + 1 and more: it did not fit
};

static void add(struct key *k, const void *b, u64 n)
{
	if (n > MAX_KEY || k->n + n > MAX_KEY)
		k->n = MAX_KEY + 1;
	else {
		copy(k->at + k->n, b, n);
		k->n += n;
	}
}

static void add_string(struct key *k, const char *s)
{
	add(k, s, length(s) + 1);
}

// state adds who we are, and when: all that the kernel's answers depend on beside the files.
static int state(struct room *m, struct key *k)
{
	static const char lines[] = "Uid:\0Gid:\0Groups:\0CapInh:\0CapPrm:\0CapEff:\0CapBnd:\0CapAmb:\0NoNewPrivs:\0Seccomp:\0Seccomp_filters:\0";
	long n = text("/proc/self/status", m->text, STATUS);
	if (n < 0)
		return 0;
	m->text[n] = 0;
	for (long at = 0; at < n;) {
		long end = at;
		while (end < n && m->text[end] != '\n')
			end++;
		if (end == n)
			return 0;
		if (listed(m->text + at, lines, 0))
			add(k, m->text + at, end + 1 - at);
		at = end + 1;
	}
	add(k, "", 1);
	// A file that was not written back when the machine crashed is not what it was.
	if ((n = text("/proc/sys/kernel/random/boot_id", m->text, STATUS)) < 0)
		return 0;
	add(k, m->text, n);
	add(k, "", 1);
	if ((n = call(__NR_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)m->path, MAX_PATH)) < 0 || n == MAX_PATH)
		return 0;
	add(k, m->path, n);
	add(k, "", 1);
	return 1;
}

// folder writes where memos are, as OpenCache would find its directory first. The result is the
// length, with room in m->path for a name, or 0.
static u64 folder(struct room *m, char **envp, long euid)
{
	const char *top = variable(envp, "XDG_CACHE_HOME"), *sub = "/seam";
	if (!top || *top != '/') {
		top = variable(envp, "HOME");
		sub = "/.cache/seam";
	}
	if (!top || *top != '/' || length(top) > MAX_PATH / 2)
		return 0;
	u64 n = length(top);
	copy(m->path, top, n);
	copy(m->path + n, sub, length(sub) + 1);
	n += length(sub);
	struct stat st;
	if (call(__NR_newfstatat, AT_FDCWD, (long)m->path, (long)&st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode) ||
		st.st_uid != (u32)euid || (st.st_mode & 0777) != 0700)
		return 0;
	copy(m->path + n, "/..", 4);
	if (call(__NR_newfstatat, AT_FDCWD, (long)m->path, (long)&st, 0) < 0 || (st.st_uid != (u32)euid && st.st_uid != 0) ||
		((st.st_mode & 022) && !(st.st_mode & S_ISVTX)))
		return 0;
	copy(m->path + n, "/starts/", 9);
	return n + 8;
}

// load reads the memo with this name, if it is ours and nobody else can have written it.
static int load(struct room *m, u64 name, long euid, u64 folder)
{
	for (int i = 0; i < 16; i++) {
		u8 d = name >> (60 - 4 * i) & 15;
		m->path[folder + i] = d < 10 ? '0' + d : 'a' + d - 10;
	}
	m->path[folder + 16] = 0;
	long fd = call(__NR_openat, AT_FDCWD, (long)m->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0)
		return 0;
	struct stat st;
	long n = -1;
	if (call(__NR_fstat, fd, (long)&st, 0, 0) == 0 && S_ISREG(st.st_mode) && st.st_uid == (u32)euid && !(st.st_mode & 077) &&
		st.st_size >= (long)sizeof(struct memo) && st.st_size < MAX_MEMO)
		n = call(__NR_read, fd, (long)m->memo, MAX_MEMO, 0);
	call(__NR_close, fd, 0, 0, 0);
	const struct memo *h = (const struct memo *)m->memo;
	return n >= (long)sizeof *h && n == st.st_size && h->size == n && equal(h->magic, "seamst01", 8) &&
		hash(0xcbf29ce484222325, (const u8 *)&h->size, n - 16) == h->sum;
}

struct entry { // linux_dirent64
	u64 ino, off;
	unsigned short size;
	u8 type;
	char name[];
};

// empty says whether there is nothing in a folder.
static int empty(const char *path)
{
	u8 buf[512] __attribute__((aligned(8)));
	long fd = call(__NR_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC | O_DIRECTORY, 0), n, found = 0;
	if (fd < 0)
		return fd == -2; // ENOENT
	while ((n = call(__NR_getdents64, fd, (long)buf, sizeof buf, 0)) > 0)
		for (long at = 0; at < n; at += ((struct entry *)(buf + at))->size) {
			const char *name = ((struct entry *)(buf + at))->name;
			found |= name[0] != '.' || (name[1] && (name[1] != '.' || name[2]));
		}
	call(__NR_close, fd, 0, 0, 0);
	return n == 0 && !found;
}

// holds says whether what a watch tells of is as it was.
static int holds(const struct watch *w)
{
	const char *path = (const char *)(w + 1);
	struct stat st;
	struct statfs fs;
	long r;
	switch (w->kind) {
	case FILE_AS_IT_WAS:
		return call(__NR_newfstatat, AT_FDCWD, (long)path, (long)&st, 0) == 0 && st.st_dev == w->dev && st.st_ino == w->ino &&
			(u64)st.st_size == w->size && (st.st_mode | (u64)st.st_uid << 32) == w->mode_uid && st.st_mtime == w->mtime &&
			st.st_mtime_nsec == w->mtime_ns && st.st_ctime == w->ctime && st.st_ctime_nsec == w->ctime_ns;
	case NOTHING:
		r = call(__NR_newfstatat, AT_FDCWD, (long)path, (long)&st, 0);
		return r == -2 || r == -20; // ENOENT, ENOTDIR
	case FOLDER:
		return call(__NR_newfstatat, AT_FDCWD, (long)path, (long)&st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == w->dev && st.st_ino == w->ino &&
			(st.st_mode | (u64)st.st_uid << 32) == w->mode_uid;
	case MOUNT:
		return call(__NR_statfs, (long)path, (long)&fs, 0, 0) == 0 && (u64)fs.f_flags == w->dev;
	case EMPTY:
		return empty(path);
	}
	return 0;
}

// strings checks that there are n of them at at, the last of which ends at end.
static int strings(const u8 *at, const u8 *end, u32 n)
{
	for (; n; n--) {
		while (at < end && *at)
			at++;
		if (at++ >= end)
			return 0;
	}
	return at == end;
}

// use starts the program, if the memo is for this key and all is as it was. argv is the program's.
static void use(struct room *m, const struct key *k, char **argv, char **envp)
{
	struct memo *h = (struct memo *)m->memo;
	u8 *at = m->memo + sizeof *h, *end = m->memo + h->size;
	if (h->key != k->n || k->n > (u64)(end - at) || !equal(at, k->at, k->n))
		return;
	at += (k->n + 7) & ~7ul;
	for (u32 i = 0; i < h->watches; i++) {
		const struct watch *w = (const struct watch *)at;
		if (at > end || (u64)(end - at) < sizeof *w || w->path % 8 || !w->path || w->path > (u64)(end - at) - sizeof *w ||
			at[sizeof *w + w->path - 1] || !holds(w))
			return;
		at += sizeof *w + w->path;
	}
	if (at > end || h->changed > MAX_CHANGED || h->added > MAX_ADDED || !strings(at, end, 1 + h->changed + h->added))
		return;
	char *path = (char *)at;
	// For each variable of the key: nothing for one that is dropped, else what it becomes.
	u32 changed = 0, n = 0;
	at += length(path) + 1;
	for (; *envp; envp++) {
		char *kv = *envp;
		if (ours(kv)) {
			if (changed++ == h->changed)
				return;
			kv = (char *)at;
			at += length(kv) + 1;
			if (*kv == 0)
				continue;
		}
		m->env[n++] = kv;
	}
	if (changed != h->changed)
		return;
	for (u32 i = 0; i < h->added; i++) {
		m->env[n++] = (char *)at;
		at += length((char *)at) + 1;
	}
	m->env[n] = 0;
	call(__NR_execve, (long)path, (long)argv, (long)m->env, 0);
}

// relative: a path that depends on the directory we are in.
static int relative(const char *s)
{
	if (*s == '/')
		return 0;
	for (; *s; s++)
		if (*s == '/')
			return 1;
	return 0;
}

static void look(struct room *m, u64 argc, char **argv, char **envp)
{
	struct key k = {m->key, 0};
	const char *wish = variable(envp, "SEAM_MEMO");
	if ((wish && equal(wish, "off", 4)) || !state(m, &k))
		return;
	for (char **e = envp; *e; e++)
		if (ours(*e))
			add_string(&k, *e);
	add(&k, "", 1);
	long euid = call(__NR_geteuid, 0, 0, 0, 0);
	u64 dir = folder(m, envp, euid);
	if (!dir || k.n > MAX_KEY)
		return;
	u64 base = hash(0xcbf29ce484222325, k.at, k.n);
	// Where the program's name is among the arguments, only Go's flags know. But those that
	// were read before they came to it are read so again.
	for (u32 i = 1; i < argc && i <= MAX_ARGS; i++) {
		u64 from = k.n;
		add_string(&k, argv[i]);
		if (k.n > MAX_KEY)
			return;
		base = hash(base, k.at + from, k.n - from);
		if (i == 1)
			continue;
		struct key whole = k;
		add(&whole, &i, 4);
		if (relative(argv[i])) {
			long n = call(__NR_getcwd, (long)m->text, MAX_PATH, 0, 0);
			if (n <= 1 || m->text[0] != '/')
				return;
			add(&whole, m->text, n);
		}
		if (whole.n > MAX_KEY)
			return;
		if (load(m, hash(base, k.at + k.n, whole.n - k.n), euid, dir))
			use(m, &whole, argv + i, envp);
	}
}

// seam_fastexec is called with the stack as the kernel made it: argc, argv, environment.
__attribute__((section(".text.entry"))) void seam_fastexec(u64 *sp)
{
	u64 argc = sp[0], envc = 0;
	char **argv = (char **)(sp + 1), **envp = argv + argc + 1;
	if (argc < 3 || length(argv[1]) != 4 || !begins(argv[1], "exec"))
		return;
	while (envp[envc])
		envc++;
	u64 size = sizeof(struct room) + (envc + MAX_ADDED + 1) * sizeof(char *);
	long m = call6(__NR_mmap, 0, size, 3 /* read, write */, 0x22 /* private, anonymous */, -1, 0);
	if (m < 0 && m > -4096)
		return;
	look((struct room *)m, argc, argv, envp);
	call(__NR_munmap, m, size, 0, 0);
}
