/* lookup.c: what the agent asks of the address space, on its own threads, and
 * what defines a function. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include "core.h"
#include "sys.h"

/* The dynamic symbol table of one object, by its load bias. dlsym would need a
 * handle, and would take the loader's lock, which the waiting host thread may hold. */

/* The address of what a loaded object exports, or 0. */
uint64_t seam_exported(const struct dl_phdr_info *info, const char *name)
{
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
		return 0;
	uint32_t h = 5381;
	for (const unsigned char *c = (void *)name; *c; c++)
		h = h * 33 + *c;
	uint32_t nbuckets = gnu[0], offset = gnu[1], nbloom = gnu[2];
	const uint32_t *buckets = gnu + 4 + 2 * nbloom, *chain = buckets + nbuckets;
	if (!nbuckets)
		return 0;
	for (uint32_t i = buckets[h % nbuckets]; i >= offset && i; i++) {
		uint32_t e = chain[i - offset];
		if ((e | 1) == (h | 1) && sym[i].st_value && sym[i].st_shndx != SHN_UNDEF && !strcmp(str + sym[i].st_name, name))
			return info->dlpi_addr + sym[i].st_value;
		if (e & 1)
			break;
	}
	return 0;
}

int seam_find_symbol(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct seam_want *w = arg;
	if (info->dlpi_addr != w->bias)
		return 0;
	w->found = seam_exported(info, w->name);
	return 1;
}

struct in { uint64_t bias, addr; int yes; };

static int covers(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct in *w = arg;
	if (info->dlpi_addr != w->bias)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type == PT_LOAD && p->p_flags & PF_X && w->addr - w->bias - p->p_vaddr < p->p_filesz)
			w->yes = 1;
	}
	return 1;
}

/* 1: addr is code of the object with that load bias. */
int seam_is_code(uint64_t bias, uint64_t addr)
{
	struct in w = { bias, addr, 0 };
	int begun = seam_libc_begins();
	dl_iterate_phdr(covers, &w);
	seam_libc_ends(begun);
	return w.yes;
}

/* Is the name among those of the .symtab of a file? The program waits, so: a few
 * reads, and no tables larger than this are looked at. */
#define MAX_NAMES (8 << 20)

int seam_file_names(const char *path, const char *name)
{
	ElfW(Ehdr) e;
	ElfW(Shdr) sh[128];
	char *str = MAP_FAILED;
	uint64_t strsize = 0;
	int yes = 0, fd = sys3(SYS_open, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	size_t want = strlen(name) + 1;
	if (sys4(SYS_pread64, fd, &e, sizeof e, 0) != sizeof e || memcmp(e.e_ident, ELFMAG, SELFMAG) ||
	    e.e_ident[EI_CLASS] != ELFCLASS64 || e.e_shentsize != sizeof *sh || !e.e_shnum || e.e_shnum > sizeof sh / sizeof *sh)
		goto out;
	if (sys4(SYS_pread64, fd, sh, e.e_shnum * sizeof *sh, e.e_shoff) != (long)(e.e_shnum * sizeof *sh))
		goto out;
	for (int i = 0; i < e.e_shnum; i++) {
		if (sh[i].sh_type != SHT_SYMTAB || sh[i].sh_link >= e.e_shnum)
			continue;
		ElfW(Shdr) *s = &sh[sh[i].sh_link];
		strsize = s->sh_size;
		if (strsize < want || strsize > MAX_NAMES)
			break;
		str = mmap(0, strsize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (str != MAP_FAILED && sys4(SYS_pread64, fd, str, strsize, s->sh_offset) == (long)strsize)
			for (char *p = str; !yes && (p = memmem(p, strsize - (p - str), name, want)); p++)
				yes = p == str || !p[-1];
		break;
	}
out:
	if (str != MAP_FAILED)
		munmap(str, strsize);
	sys1(SYS_close, fd);
	return yes;
}

uint64_t seam_symbol(uint64_t bias, const char *name)
{
	struct seam_want w = { bias, 0, name };
	int begun = seam ? seam_libc_begins() : 0;
	dl_iterate_phdr(seam_find_symbol, &w);
	if (seam)
		seam_libc_ends(begun);
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
