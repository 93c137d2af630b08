/* Every string length, at every distance from the end of the readable memory,
 * under every cap, against what strnlen would say. Prints "ok" or what differs. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
/* read.c forbids itself these names; this driver uses them under others */
static void *fill(void *p, int c, size_t n) { return memset(p, c, n); }
static int (*say)(const char *, ...) = printf;
#include "../../../preload/core/read.c"

struct seam_core *seam;
__thread struct seam_tls seam_tls;
volatile uint32_t *seam_alive, *seam_epoch;
uint32_t seam_use_tsc;
void seam_loader_event(void) {}
struct seam_tls *seam_whose(void) { return &seam_tls; }

static unsigned char *page;

static int check(unsigned before_end, unsigned len, unsigned cap, int across)
{
	struct seam_tls *t = &seam_tls;
	unsigned char out[512], *s = page + 2 * 4096 - before_end - (across ? 4096 : 0);
	unsigned readable = before_end + (across ? 4096 : 0);
	fill(page, 'x', 2 * 4096);
	for (unsigned i = 0; i < len && i < readable; i++)
		s[i] = 'a' + i % 26;
	if (len < readable)
		s[len] = 0;
	fill(out, 0xee, sizeof out);
	int cut, n;
	int kernel = begin_copy(t);
	n = copy_string(t, (uint64_t)s, out, cap, &cut, kernel | (before_end & 1));
	end_copy(t);
	unsigned want = len < cap ? len : cap;
	int want_cut = len >= cap || (len >= readable && want > readable - 1) ? 1 : 0;
	if (want > readable) {
		want = readable;
		want_cut = 1;
	}
	if (len == cap)
		want_cut = cut; /* whether the byte behind the last is looked at is left open */
	if (n != (int)want || cut != want_cut || memcmp(out, s, n)) {
		say("before_end %u len %u cap %u across %d: got %d cut %d, want %u cut %d\n", before_end, len, cap, across, n, cut, want, want_cut);
		return 1;
	}
	for (unsigned i = cap + 8; i < sizeof out; i++)
		if (out[i] != 0xee) {
			say("wrote at %u, cap %u\n", i, cap);
			return 1;
		}
	return 0;
}

int main(void)
{
	static struct seam_core core;
	static struct seam_thread thread;
	seam = &core;
	core.guarded = 1;
	core.maps_gen = 1;
	seam_tls.ent = &thread;
	page = mmap(0, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(page + 2 * 4096, 4096, PROT_NONE);
	int bad = 0;
	for (unsigned before = 1; before < 70; before++)
		for (unsigned len = 0; len < 80; len++)
			for (unsigned cap = 8; cap <= 64; cap += 8)
				for (int across = 0; across < 2; across++)
					if ((bad += check(before, len, cap, across)) > 5)
						return 1;
	int cut;
	unsigned char out[64];
	if (copy_string(&seam_tls, (uint64_t)page + 2 * 4096, out, 32, &cut, 0) != -1 || copy_string(&seam_tls, 1, out, 32, &cut, 0) != -1 ||
	    copy_string(&seam_tls, ~0ull - 3, out, 32, &cut, 0) != -1)
		return puts("unreadable memory was read"), 1;
	if (bad)
		return 1;
	puts("ok");
	return 0;
}
