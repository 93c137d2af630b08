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
#define POPULATE_WRITE 23 /* MADV_POPULATE_WRITE, Linux 5.14: one call instead of a fault per page */

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

/* Apply the relocations that postlink kept from the loader. Twice does no harm:
 * a child may have been forked in the middle. */
static int relocate(void)
{
	const struct seam_reloc *r = (const void *)(seam->base + seam_facts.relocs), *end = r + seam_facts.nrelocs;
	uint64_t relro = seam->relro_hi - seam->relro_lo;
	if (sys3(SYS_mprotect, seam->relro_lo, relro, PROT_READ | PROT_WRITE))
		return -1;
	sys3(SYS_madvise, seam->relro_lo, relro, POPULATE_WRITE); /* may fail: then each page faults */
	for (; r < end; r++)
		*(uint64_t *)(seam->base + r->at) = seam->base + r->addend;
	return sys3(SYS_mprotect, seam->relro_lo, relro, PROT_READ) ? -1 : 0;
}

/* The image is the part of the writable segments that is in the file, and the
 * zeros behind it. Before Go has run the zeros are zeros: the core's few
 * variables are placed in .data (SEAM_DATA). They need no copy. */
static int save_or_restore(void)
{
	if (seam->pristine) {
		for (uint32_t i = 0; i < seam->nsegs; i++) {
			memcpy((void *)seam->segs[i].addr, seam->pristine + seam->segs[i].off, seam->segs[i].len);
			memset((void *)(seam->segs[i].addr + seam->segs[i].len), 0, seam->segs[i].zeros);
		}
		return 0;
	}
	uint64_t total = 0;
	for (uint32_t i = 0; i < seam->nsegs; i++) {
		seam->segs[i].off = total;
		total += (seam->segs[i].len + 63) & ~63ull;
	}
	void *p = mmap(0, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p == MAP_FAILED)
		return -1;
	for (uint32_t i = 0; i < seam->nsegs; i++)
		memcpy((char *)p + seam->segs[i].off, (void *)seam->segs[i].addr, seam->segs[i].len);
	seam->pristine = p;
	return 0;
}

void seam_image_find(void)
{
	dl_iterate_phdr(find_segments, 0);
}

uint32_t seam_image_ready(void)
{
	if (!seam->pristine) {
		if (relocate())
			return SEAM_WHY_IMAGE;
		if (clear_sigtable())
			return SEAM_WHY_FACTS;
	}
	return save_or_restore() ? SEAM_WHY_IMAGE : SEAM_WHY_NONE;
}
