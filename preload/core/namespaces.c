/* namespaces.c: the loader's other lists of objects.
 *
 * dlmopen, and the loader itself for auditors (LD_AUDIT), load into namespaces that
 * dl_iterate_phdr does not show to us. Debuggers find them by r_debug_extended
 * (glibc 2.35), and so do we. The lists change only between two of the loader's
 * announcements, under its lock.
 */
#define _GNU_SOURCE
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include "load.h"
#include "sys.h"

struct r_debug_next {           /* struct r_debug_extended, which older headers lack */
	struct r_debug base;
	struct r_debug_next *next;
};

static const struct r_debug_next *after(const struct r_debug_next *d)
{
	return d->base.r_version >= 2 ? d->next : 0;
}

/* The loader's own struct r_debug, or NULL. Not a copy that a program may have of it. */
const void *seam_loader_debug(void)
{
	uint64_t base = getauxval(AT_BASE);
	return base ? (const void *)seam_symbol(base, "_r_debug") : 0;
}

/* 1: no list is being changed. */
int seam_loader_at_rest(const void *debug)
{
	for (const struct r_debug_next *d = debug; d; d = after(d))
		if (d->base.r_state != RT_CONSISTENT)
			return 0;
	return 1;
}

/* As seam_mapped, which needs the core: the first look comes before it. */
static int mapped(uint64_t addr)
{
	return seam ? seam_mapped(addr) : sys4(SYS_rt_sigprocmask, 0x7fff, addr, 0, 8) == -22;
}

/* The program headers of a loaded object: where its first page says. */
static const ElfW(Ehdr) *header(const struct link_map *m)
{
	const ElfW(Ehdr) *e = (const void *)m->l_addr;
	if (!e || m->l_addr % 4096 || !mapped(m->l_addr) || memcmp(e->e_ident, ELFMAG, SELFMAG) ||
	    e->e_phentsize != sizeof(ElfW(Phdr)) || e->e_phoff + e->e_phnum * sizeof(ElfW(Phdr)) > 4096)
		return 0;
	return e;
}

/* As dl_iterate_phdr, without the loader's lock, for a moment when no other thread
 * moves (wake.c). An object that is prelinked to an address is left out. */
int seam_each_object(int (*each)(struct dl_phdr_info *, size_t, void *), void *arg)
{
	int rc = 0, first = 1;
	for (const struct link_map *m = ((const struct r_debug *)seam_waking.loader)->r_map; m && !rc; m = m->l_next, first = 0) {
		struct dl_phdr_info info = { .dlpi_addr = m->l_addr, .dlpi_name = first ? "" : m->l_name };
		const ElfW(Ehdr) *e = first ? 0 : header(m);
		if (first) { /* the program: only the kernel says where its headers are */
			info.dlpi_phdr = (const void *)getauxval(AT_PHDR);
			info.dlpi_phnum = getauxval(AT_PHNUM);
		} else if (e) {
			info.dlpi_phdr = (const void *)((const char *)e + e->e_phoff);
			info.dlpi_phnum = e->e_phnum;
		} else
			continue;
		rc = each(&info, sizeof info, arg);
	}
	return rc;
}

/* As dl_iterate_phdr, for the objects of all namespaces but our own. */
void seam_elsewhere(const void *debug, int (*each)(struct dl_phdr_info *, size_t, void *), void *arg)
{
	const struct r_debug_next *d = debug;
	for (d = d ? after(d) : 0; d; d = after(d))
		for (const struct link_map *m = d->base.r_map; m; m = m->l_next) {
			const ElfW(Ehdr) *e = header(m);
			if (!e)
				continue;
			struct dl_phdr_info info = { .dlpi_addr = m->l_addr, .dlpi_name = m->l_name,
				.dlpi_phdr = (const void *)((const char *)e + e->e_phoff), .dlpi_phnum = e->e_phnum };
			if (each(&info, sizeof info, arg))
				return;
		}
}
