/* arena.c: making the arena, and telling the collector of it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "load.h"
#include "sys.h"

#define CHUNK 4096u
#define NTHREADS 2048u
#define NPROCS 4096u /* also how many that ended are remembered until a drainer tells of them */
#define NENDS 4096u
#define NSHARDS 16u
#define NSHARDS_HIST (SEAM_HISTS_SHARED + 8) /* the threads with the counter shards 1 to 8 have one of their own */
#define NNOTES 64u
#define NPARKS 128u
#define RULE_TEXT 576u /* of a rule that comes later: its kind, and hooks.maxRuleText */
#define SPARE_SITES 3072u   /* for libraries and probes that come later; untouched, it costs address space only */
#define SPARE_HISTS 256u
#define SPARE_DEFS (2u << 20)

static uint64_t place(uint64_t *at, uint64_t bytes)
{
	uint64_t off = *at;
	*at = (*at + bytes + 63) & ~63ull;
	return off;
}

/* Processes that share the arena add to it at the same time. */
static uint32_t take_defs(uint32_t len)
{
	struct seam_arena *a = seam->arena;
	uint32_t used = __atomic_load_n(&a->defs_used, __ATOMIC_RELAXED);
	do
		if (used > seam->fixed.defs_size || len > seam->fixed.defs_size - used)
			return 0;
	while (!__atomic_compare_exchange_n(&a->defs_used, &used, used + len, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return used;
}

uint32_t seam_blob(const void *p, uint32_t len)
{
	uint32_t off = take_defs((len + 7) & ~7u);
	if (off)
		memcpy(arena_at(seam->fixed.defs_off + off), p, len);
	return off;
}

/* A link in the chain of refusals (abi.h). What does not fit is not told. */
void seam_add_refusals(const char *object, const void *refusals, uint32_t len)
{
	struct seam_arena *a = seam->arena;
	struct seam_refusals head = { .next = __atomic_load_n(&a->refusals, __ATOMIC_ACQUIRE), .len = len, .name_len = strlen(object) };
	uint32_t off = take_defs((sizeof head + head.name_len + len + 7) & ~7u);
	if (!off)
		return;
	struct seam_refusals *to = arena_at(seam->fixed.defs_off + off);
	memcpy(to + 1, object, head.name_len);
	memcpy((char *)(to + 1) + head.name_len, refusals, len);
	do
		*to = head;
	while (!__atomic_compare_exchange_n(&a->refusals, &head.next, off, 0, __ATOMIC_RELEASE, __ATOMIC_ACQUIRE));
}

/* msgpack, as little of it as two small maps need */
struct pack { unsigned char *p, *end; };
static void pack_bytes(struct pack *k, const void *b, size_t n)
{
	if ((size_t)(k->end - k->p) < n)
		n = 0;
	memcpy(k->p, b, n);
	k->p += n;
}
static void pack_byte(struct pack *k, unsigned b)
{
	unsigned char c = b;
	pack_bytes(k, &c, 1);
}
static void pack_str(struct pack *k, const char *s)
{
	size_t n = strnlen(s, 1024);
	pack_byte(k, 0xda); /* str 16 */
	pack_byte(k, n >> 8);
	pack_byte(k, n);
	pack_bytes(k, s, n);
}
static void pack_u32(struct pack *k, uint32_t v)
{
	pack_byte(k, 0xce);
	for (int i = 24; i >= 0; i -= 8)
		pack_byte(k, v >> i);
}

static void write_info(struct seam_load *l)
{
	unsigned char buf[8192];
	struct pack k = { buf, buf + sizeof buf };
	char cwd[1024];
	int n = l->argc < 0 || !l->argv ? 0 : l->argc > 64 ? 64 : l->argc;
	pack_byte(&k, 0x83);
	pack_str(&k, "exe");
	pack_str(&k, l->exe);
	pack_str(&k, "cwd");
	pack_str(&k, getcwd(cwd, sizeof cwd) ? cwd : "");
	pack_str(&k, "argv");
	unsigned char *count = k.p;
	pack_byte(&k, 0xdc); /* array 16 */
	pack_byte(&k, 0);
	pack_byte(&k, 0);
	int done = 0;
	for (; done < n && k.end - k.p > 1100; done++)
		pack_str(&k, l->argv[done]);
	count[2] = done;
	seam->arena->info_off = seam_blob(buf, k.p - buf);
	seam->arena->info_len = k.p - buf;
}

static uint64_t ns_of(clockid_t c)
{
	struct timespec t;
	clock_gettime(c, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

void seam_populate(const void *p, uint64_t n)
{
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; an older kernel says EINVAL and faults later */
#endif
	uint64_t lo = (uint64_t)p & ~(uint64_t)(CHUNK - 1);
	madvise((void *)lo, (uint64_t)p + n - lo, MADV_POPULATE_WRITE);
}

int seam_arena_create(struct seam_load *l)
{
	_Static_assert(NTHREADS <= SEAM_DROPPED_THREADS, "a mark in seam_asite.dropped names a thread");
	uint32_t nsites = SPARE_SITES, nhists = SPARE_HISTS;
	uint64_t defs = SPARE_DEFS;
	for (uint32_t i = 0; i < l->nobj; i++) {
		const struct seam_plan *p = l->obj[i].plan;
		if (!p)
			continue;
		const struct seam_site *s = (const void *)((const char *)p + p->sites_off);
		nsites += p->nsites;
		defs += p->refusals_len + 64 + strlen(l->obj[i].path);
		for (uint32_t j = 0; j < p->nsites; j++) {
			nhists += s[j].instrument == SEAM_HIST && !(s[j].picker && s[j].patch_len); /* of an IFUNC one at most */
			defs += s[j].def_len + 8;
		}
	}
	for (uint32_t i = 0; i < l->spec.nrules; i++)
		defs += strlen(l->spec.rules[i]) + 8;
	/* breakpoints may come while it runs */
	uint32_t nrules = l->spec.control ? SEAM_MAX_RULES : l->spec.nrules, nparks = l->spec.control ? NPARKS : 0;
	if (l->spec.control)
		defs += SEAM_MAX_RULES * RULE_TEXT;
	uint64_t buffer = l->spec.buffer < 16 * CHUNK ? 16 * CHUNK : l->spec.buffer;
	uint32_t nchunks = buffer / CHUNK;
	uint64_t at = CHUNK;
	uint64_t procs = place(&at, NPROCS * sizeof(struct seam_proc));
	uint64_t threads = place(&at, NTHREADS * sizeof(struct seam_thread));
	uint64_t metas = place(&at, nchunks * sizeof(struct seam_chunk));
	uint64_t bits = place(&at, (nchunks + 63) / 64 * 8);
	uint64_t order = place(&at, nchunks * 4ull);
	uint64_t sites = place(&at, nsites * sizeof(struct seam_asite));
	uint64_t counters = place(&at, (uint64_t)NSHARDS * nsites * 8);
	uint64_t ends = place(&at, NENDS * sizeof(struct seam_end));
	uint32_t nnotes = l->spec.nrules ? NNOTES : 0;
	uint64_t rules = place(&at, nrules * sizeof(struct seam_rule_state) + nnotes * sizeof(struct seam_note));
	uint64_t parks = place(&at, nparks ? sizeof(struct seam_parks) + nrules * sizeof(struct seam_break) + nparks * sizeof(struct seam_parked) : 0);
	uint64_t hist = place(&at, (uint64_t)NSHARDS_HIST * nhists * sizeof(struct seam_hist));
	uint64_t defs_off = place(&at, defs);
	at = (at + CHUNK - 1) & ~(uint64_t)(CHUNK - 1);
	uint64_t size = at + (uint64_t)nchunks * CHUNK;
	if (defs > 1u << 30 || at > 1u << 31)
		return -1;

	/* A file beyond RLIMIT_FSIZE would bring SIGXFSZ upon the host. Anonymous
	 * memory has no such limit, and no descriptor to hand over: then only the
	 * agent can drain. */
	struct rlimit rl;
	struct seam_arena *a = MAP_FAILED;
	int fd = -1;
	if (!getrlimit(RLIMIT_FSIZE, &rl) && rl.rlim_cur >= size)
		fd = memfd_create("seam-arena", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd >= 0 && !ftruncate(fd, size) && !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		a = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (a == MAP_FAILED) {
		if (fd >= 0)
			close(fd);
		fd = -1;
		a = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (a == MAP_FAILED)
			return -1;
		seam->reader_adopts = seam->reader_drains = 0;
	}
	l->memfd = fd;
	madvise(a, size, MADV_DONTDUMP); /* the program's core file is the program's: no arguments of calls long gone, no MiB more to write */
	/* what is about to be filled, in one go: a fault for each page costs more */
	seam_populate(a, 2 * CHUNK); /* and the first process */
	uint64_t first[] = { threads, metas, bits, at };
	for (int i = 0; i < 4; i++)
		seam_populate((char *)a + first[i], 1);
	seam_populate((char *)a + sites, (nsites - SPARE_SITES) * sizeof(struct seam_asite));
	seam_populate((char *)a + defs_off, defs - SPARE_DEFS);
	seam_populate(seam->runs, (nsites - SPARE_SITES) * sizeof(struct seam_run));
	memcpy(a->magic, SEAM_ARENA_MAGIC, 8);
	a->version = SEAM_ARENA_VERSION;
	a->page = CHUNK;
	a->size = size;
	if (getrandom(a->id, sizeof a->id, GRND_NONBLOCK) != sizeof a->id)
		memcpy(a->id, (void *)getauxval(AT_RANDOM), sizeof a->id); /* 16 bytes from the kernel, new at each exec */
	a->spec_hash = l->spec.hash;
	a->policy = l->spec.on_full;
	a->block_ns = l->spec.block_ms * 1000000ull;
	a->clock = seam_use_tsc ? SEAM_CLOCK_TSC : SEAM_CLOCK_MONO;
	a->procs_off = procs;     a->nprocs = NPROCS;
	a->threads_off = threads; a->nthreads = NTHREADS;
	a->metas_off = metas;     a->nchunks = nchunks;
	a->free_off = bits;
	a->order_off = order;
	a->sites_off = sites;     a->nsites = nsites;
	a->defs_off = defs_off;   a->defs_size = defs;
	a->counters_off = counters; a->nshards = NSHARDS;
	a->hist_off = hist;       a->nhists = nhists; a->nshards_hist = NSHARDS_HIST;
	a->handover_off = ends;   a->nhandover = 0;
	a->ends_off = ends;       a->nends = NENDS;
	a->rules_off = rules;     a->nrules = nrules; a->nnotes = nnotes;
	a->parks_off = parks;     a->nparks = nparks;
	a->chunk_size = CHUNK;
	a->data_off = at;
	a->defs_used = 8; /* offset 0 means none */
	a->epoch = 1;
	for (uint32_t i = 0; i < nchunks; i++)
		((uint64_t *)((char *)a + bits))[i / 64] |= 1ull << i % 64;
	seam->arena = a;
	seam_epoch = &a->epoch;
	seam->arena_size = size;
	seam->block_ns = a->block_ns;
	a->real0_ns = ns_of(CLOCK_REALTIME);
	a->mono0_ns = ns_of(CLOCK_MONOTONIC);
	a->tsc0 = seam_use_tsc ? __builtin_ia32_rdtsc() : a->mono0_ns;
	seam->fixed = *a; /* what a neighbour writes there is not believed */
	write_info(l);
	seam_first_rules(&l->spec);
	return 0;
}

/* A connection to our user's reader at path, or -1. Never waits: a reader that is
 * not there, or busy, is told by the agent later. pid: who listens, 0 if that can't be seen from here. */
static int dial(const char *path, int *pid)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = strlen(path);
	if (!n || n >= sizeof to.sun_path)
		return -1;
	memcpy(to.sun_path, path, n);
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0)
		return -1;
	struct ucred peer;
	socklen_t len = sizeof peer;
	if (!connect(s, (struct sockaddr *)&to, sizeof to) && !getsockopt(s, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
	    peer.uid == geteuid()) {
		*pid = peer.pid;
		return s;
	}
	close(s);
	return -1;
}

int seam_dial(const char *path)
{
	int pid;
	return dial(path, &pid);
}

/* The file that a process runs, 0 or an error. */
static long program_of(int pid, struct stat *st)
{
	char exe[32], *p = exe + sizeof exe;
	if (pid <= 0)
		return -1;
	memcpy(p -= 5, "/exe", 5);
	do
		*--p = '0' + pid % 10;
	while (pid /= 10);
	memcpy(p -= 6, "/proc/", 6);
	return sys2(SYS_stat, p, st);
}

/* A reader that is the seam we were started by adopts, though nobody has said so: seam exec can't know who will read. */
static void know_reader(int pid, const char *launcher)
{
	struct stat its, ours;
	if (seam->reader_adopts || !launcher[0] || program_of(pid, &its) || sys2(SYS_stat, launcher, &ours) ||
	    its.st_dev != ours.st_dev || its.st_ino != ours.st_ino)
		return;
	seam->reader_pid = pid;
	seam->reader_dev = its.st_dev;
	seam->reader_ino = its.st_ino;
	seam->reader_adopts = 1;
}

int seam_reader_takes_rest(void)
{
	struct stat st;
	if (seam->reader_pid && (program_of(seam->reader_pid, &st) || st.st_dev != seam->reader_dev || st.st_ino != seam->reader_ino)) {
		seam->reader_pid = 0; /* it is gone, and another may be there */
		seam->reader_adopts = 0;
	}
	return seam->reader_adopts;
}

/* One connection, one message, the arena's descriptor with it; closed at once.
 * -1: the reader does not have the arena. */
int seam_say_hello(int memfd, const char *launcher)
{
	int pid, s = dial(seam->socket, &pid);
	if (s < 0)
		return -1;
	unsigned char buf[128];
	struct pack k = { buf, buf + sizeof buf };
	pack_byte(&k, 0x92);
	pack_byte(&k, 0);
	pack_byte(&k, 0x84);
	pack_str(&k, "v");
	pack_byte(&k, 1);
	pack_str(&k, "pid");
	pack_u32(&k, seam->pid);
	pack_str(&k, "from");
	pack_str(&k, "core");
	pack_str(&k, "arena");
	pack_byte(&k, 0xc4); /* bin 8 */
	pack_byte(&k, sizeof seam->arena->id);
	pack_bytes(&k, seam->arena->id, sizeof seam->arena->id);
	union { struct cmsghdr h; char space[CMSG_SPACE(sizeof(int))]; } c = { 0 };
	struct iovec v = { buf, k.p - buf };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &memfd, sizeof memfd);
	int said = sendmsg(s, &m, MSG_NOSIGNAL) == (ssize_t)v.iov_len ? 0 : -1;
	close(s);
	if (!said)
		know_reader(pid, launcher);
	return said;
}
