/* goimage.c: the library's writable image, as Go must find it each time it starts.
 *
 * The loader relocates only what the core needs. Go's own 19,000 pointers are
 * left to us, in a table that preload/postlink made (facts.h): a process that
 * never starts Go never touches those pages, about 100 faults less at load.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include "core.h"
#include "facts.h"
#include "sys.h"

#define SIGTABLE_LEN 65
#define PAGE 4096ull
#define POPULATE_WRITE 23 /* MADV_POPULATE_WRITE, Linux 5.14: one call instead of a fault per page */
#define DONTNEED_LOCKED 24 /* MADV_DONTNEED_LOCKED, Linux 5.18: after mlockall */

struct sigtab { int32_t flags; const char *name; int64_t len; };

/* Go's view of what each signal is for. With no flags it installs no handler,
 * changes no SA_ONSTACK and unblocks nothing. 32 and 33 stay: they are glibc's
 * own. 34 is the program's SIGRTMIN (Go takes it for musl's). */
static int clear_sigtable(void)
{
	struct sigtab *t = (void *)(seam->base + seam_facts.sigtable);
	static const char hup[] = "SIGHUP: terminal line hangup";
	if (t[1].len != sizeof hup - 1 || memcmp(t[1].name, hup, sizeof hup - 1))
		return -1;
	for (int i = 0; i < SIGTABLE_LEN; i++)
		if (i < 32 || i > 33)
			t[i].flags = 0;
	return 0;
}

static int find_segments(struct dl_phdr_info *info, size_t size, void *arg)
{
	uint64_t relro_lo = 0, relro_hi = 0;
	uint64_t here = (uint64_t)&seam_facts;
	int ours = 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uint64_t lo = info->dlpi_addr + p->p_vaddr;
		if (p->p_type == PT_LOAD && here >= lo && here < lo + p->p_memsz)
			ours = 1;
		if (p->p_type == PT_GNU_RELRO) {
			relro_lo = lo & ~4095ull;
			relro_hi = (lo + p->p_memsz) & ~4095ull;
		}
	}
	if (!ours)
		return 0;
	seam->base = info->dlpi_addr;
	seam->file = info->dlpi_name; /* stays: the library is never unloaded */
	seam->relro_lo = relro_lo;
	seam->relro_hi = relro_hi;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type != PT_LOAD || !(p->p_flags & PF_W))
			continue;
		uint64_t lo = info->dlpi_addr + p->p_vaddr, hi = lo + p->p_filesz, end = lo + p->p_memsz;
		if (lo >= relro_lo && lo < relro_hi)
			lo = relro_hi < hi ? relro_hi : hi;
		if (lo == hi || seam->nsegs == 8)
			continue;
		seam->segs[seam->nsegs].addr = lo;
		seam->segs[seam->nsegs].len = hi - lo;
		seam->segs[seam->nsegs].zeros = end - hi;
		seam->nsegs++;
	}
	return 1;
}

/* Apply the relocations that postlink kept from the loader, from address lo on.
 * Twice does no harm, since a child may have been forked in the middle: what is to be
 * relocated lies in the first 4 GiB, and what was does not (seam_go_init). */
static void relocate(uint64_t lo)
{
	const uint64_t *r = (const void *)(seam->base + seam_facts.relocs), *end = r + seam_facts.nrelocs, base = seam->base;
	uint64_t *at = 0;
	for (; r < end; r++) {
		uint64_t bits = *r >> 1;
		uint64_t *p = at;
		if (!(*r & 1)) {
			p = (uint64_t *)(base + *r);
			at = p + 1;
			bits = 1;
		} else
			at += 63;
		if ((uint64_t)at <= lo)
			continue;
		for (; bits; bits &= bits - 1) {
			uint64_t *q = p + __builtin_ctzll(bits);
			if ((uint64_t)q >= lo && *q >> 32 == 0)
				*q += base;
		}
	}
}

/* The pages from address lo on that relocate() writes to, each run of them in one go. It may fail: then each page faults. */
static void populate(uint64_t lo)
{
	const uint64_t *r = (const void *)(seam->base + seam_facts.relocs), *end = r + seam_facts.nrelocs;
	uint64_t from = 0, to = 0, at = 0;
	for (; r <= end; r++) {
		if (r < end && (*r & 1)) {
			at += 63 * 8;
			continue;
		}
		uint64_t up = (at + PAGE - 1) & ~(PAGE - 1);
		if (to < up)
			to = up; /* where the last words of a run may be: a page too much at most */
		at = r < end ? seam->base + *r : 0;
		if (at && (at & ~(PAGE - 1)) <= to && from)
			continue;
		if (from < to && from >= lo)
			sys3(SYS_madvise, from, to - from, POPULATE_WRITE);
		from = at & ~(PAGE - 1);
	}
}

static int first_time(void)
{
	uint64_t relro = seam->relro_hi - seam->relro_lo;
	unsigned char *p = (void *)sys6(SYS_mmap, 0, SEAM_KEPT_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if ((uint64_t)p >= -4095ull || sys3(SYS_mprotect, seam->relro_lo, relro, PROT_READ | PROT_WRITE))
		return -1;
	populate(0);
	relocate(0);
	if (sys3(SYS_mprotect, seam->relro_lo, relro, PROT_READ))
		return -1;
	for (int i = 0; i < SEAM_KEPT_PAGES && seam_facts.kept[i]; i++)
		memcpy(p + i * PAGE, (void *)(seam->base + seam_facts.kept[i]), PAGE);
	seam->kept = p;
	return 0;
}

static int kept_page(uint64_t at)
{
	for (int i = 0; i < SEAM_KEPT_PAGES && seam_facts.kept[i]; i++)
		if (seam->base + seam_facts.kept[i] == at)
			return i;
	return -1;
}

static int drop(uint64_t lo, uint64_t hi)
{
	if (lo >= hi)
		return 0;
	return sys3(SYS_madvise, lo, hi - lo, MADV_DONTNEED) && sys3(SYS_madvise, lo, hi - lo, DONTNEED_LOCKED) ? -1 : 0;
}

/* As the file has it: the pages that Go wrote to are given back to the kernel, which
 * reads them from the file again. The pages that the core shares with Go are
 * copied instead, with the same bytes where the core's are: a host thread may be
 * reading them. */
static int again(void)
{
	uint64_t lowest = ~0ull;
	for (uint32_t i = 0; i < seam->nsegs; i++) {
		uint64_t lo = seam->segs[i].addr, file = lo + seam->segs[i].len, end = (file + seam->segs[i].zeros + PAGE - 1) & ~(PAGE - 1);
		lowest = lo < lowest ? lo : lowest;
		uint64_t from = lo;
		for (uint64_t at = lo; at < end; at += PAGE) {
			int k = kept_page(at);
			if (k < 0)
				continue;
			if (drop(from, at))
				return -1;
			memcpy((void *)at, seam->kept + k * PAGE, PAGE);
			from = at + PAGE;
		}
		if (drop(from, end))
			return -1;
		if (file & (PAGE - 1)) /* what follows in the file is not ours */
			memset((void *)file, 0, PAGE - (file & (PAGE - 1)));
	}
	populate(lowest);
	relocate(lowest);
	return 0;
}

void seam_image_find(seam_objects *each)
{
	each(find_segments, 0);
}

uint32_t seam_image_ready(void)
{
	if (seam->kept ? again() : first_time())
		return SEAM_WHY_IMAGE;
	return clear_sigtable() ? SEAM_WHY_FACTS : SEAM_WHY_NONE;
}
