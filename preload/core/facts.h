/* facts.h: what the core must know about the Go runtime it is linked with.
 *
 * Written into the finished library by preload/postlink, which reads the symbol
 * table, checks each fact against the code and data it names, and refuses to
 * finish the build when one is not as expected. All are addresses relative
 * to the library's load base. The core checks again before it starts Go.
 */
#ifndef SEAM_FACTS_H
#define SEAM_FACTS_H
#include <stdint.h>

#define SEAM_FACTS_MAGIC 0x3153544341464d53ull /* "SMFACTS1" */
#define SEAM_KEPT_PAGES 8
struct seam_facts {
	uint64_t magic;
	uint64_t rt0;           /* _rt0_amd64_linux_lib */
	uint64_t sigtable;      /* runtime.sigtable, 65 entries of 24 bytes */
	uint64_t pthread_key;   /* runtime/cgo's static pthread_g */
	uint64_t pthread_key_created;
	uint64_t parked;        /* bit i: the i-th fatal function jumps to seam_park */
	uint64_t relocs;        /* uint64_t[nrelocs]: Go's, not applied by the loader. As DT_RELR has them; the addends are in place */
	uint64_t nrelocs;
	uint64_t kept[SEAM_KEPT_PAGES]; /* pages of Go's data that hold something of the core or of the loader, 0: no more */
	uint64_t data_lo, data_hi; /* of what is relocated there, the part behind what is read-only once relocated */
	uint64_t text_lo, text_hi; /* runtime.text, runtime.etext: Go's code and nothing else */
	uint64_t sigpanic;      /* runtime.sigpanic0: where an instruction that faults is made to go */
};
extern const volatile struct seam_facts seam_facts;
#endif
