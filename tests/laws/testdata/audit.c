/* An auditor: the loader asks it about every object and every binding. */
#define _GNU_SOURCE
#include <link.h>

unsigned la_version(unsigned v) { return v; }
unsigned la_objopen(struct link_map *map, Lmid_t ns, uintptr_t *cookie)
{
	return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}
uintptr_t la_symbind64(Elf64_Sym *sym, unsigned i, uintptr_t *from, uintptr_t *to, unsigned *flags, const char *name)
{
	return sym->st_value;
}
