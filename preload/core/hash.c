/* hash.c: FNV-1a over 64-bit words, in four lanes: one lane waits for its own
 * multiplication most of the time. preload/plan/planfile.go has the same.
 */
#include <string.h>
#include "load.h"

#define PRIME 0x100000001b3ull

uint64_t seam_hash(uint64_t h, const void *p, size_t n)
{
	const unsigned char *b = p;
	uint64_t w[4];
	if (n >= sizeof w) {
		uint64_t lane[4] = { h, h + 1, h + 2, h + 3 };
		for (; n >= sizeof w; b += sizeof w, n -= sizeof w) {
			memcpy(w, b, sizeof w);
			for (int i = 0; i < 4; i++)
				lane[i] = (lane[i] ^ w[i]) * PRIME;
		}
		for (int i = 0; i < 4; i++)
			h = (h ^ lane[i]) * PRIME;
	}
	for (; n >= 8; b += 8, n -= 8) {
		memcpy(w, b, 8);
		h = (h ^ w[0]) * PRIME;
	}
	for (; n; n--)
		h = (h ^ *b++) * PRIME;
	return h;
}
