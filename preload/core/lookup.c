/* lookup.c: what the agent asks of the address space, on its own threads. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <sys/uio.h>
#include "core.h"
#include "sys.h"

/* The dynamic symbol table of one object, by its load bias. dlsym would need a
 * handle, and would take the loader's lock, which the waiting host thread may hold. */
struct want { uint64_t bias, found; const char *name; };

static int find(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct want *w = arg;
	if (info->dlpi_addr != w->bias)
		return 0;
	const ElfW(Sym) *sym = 0;
	const char *str = 0;
	const uint32_t *gnu = 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type != PT_DYNAMIC)
			continue;
		for (const ElfW(Dyn) *d = (void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr); d->d_tag != DT_NULL; d++) {
			/* glibc has relocated these in place; other loaders have not */
			uint64_t p = d->d_un.d_ptr < info->dlpi_addr ? d->d_un.d_ptr + info->dlpi_addr : d->d_un.d_ptr;
			if (d->d_tag == DT_SYMTAB)
				sym = (void *)p;
			else if (d->d_tag == DT_STRTAB)
				str = (void *)p;
			else if (d->d_tag == DT_GNU_HASH)
				gnu = (void *)p;
		}
	}
	if (!sym || !str || !gnu)
		return 1;
	uint32_t h = 5381;
	for (const unsigned char *c = (void *)w->name; *c; c++)
		h = h * 33 + *c;
	uint32_t nbuckets = gnu[0], offset = gnu[1], nbloom = gnu[2];
	const uint32_t *buckets = gnu + 4 + 2 * nbloom, *chain = buckets + nbuckets;
	if (!nbuckets)
		return 1;
	for (uint32_t i = buckets[h % nbuckets]; i >= offset && i; i++) {
		uint32_t e = chain[i - offset];
		if ((e | 1) == (h | 1) && sym[i].st_value && !strcmp(str + sym[i].st_name, w->name)) {
			w->found = info->dlpi_addr + sym[i].st_value;
			return 1;
		}
		if (e & 1)
			break;
	}
	return 1;
}

uint64_t seam_symbol(uint64_t bias, const char *name)
{
	struct want w = { bias, 0, name };
	dl_iterate_phdr(find, &w);
	return w.found;
}

/* Bytes at addr that can be read, at most n: the kernel does the reading. Stops
 * at a page that cannot be read. */
unsigned seam_peek(uint64_t addr, void *to, unsigned n)
{
	unsigned done = 0;
	while (done < n) {
		unsigned step = 4096 - (addr + done) % 4096;
		if (step > n - done)
			step = n - done;
		struct iovec l = { (char *)to + done, step }, r = { (void *)(addr + done), step };
		if (sys6(SYS_process_vm_readv, seam->pid, (long)&l, 1, (long)&r, 1, 0) != (long)step)
			break;
		done += step;
	}
	return done;
}
