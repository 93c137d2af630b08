/* Reads texts, each behind its length (4 bytes), and answers each with its shape: the
 * length of it, of its first statement, and whether that is whole (4 bytes each), and the shape. */
#include <stdio.h>
#include <stdlib.h>
static void *(*get_memory)(size_t) = malloc;
static void (*give_back)(void *) = free;
#include "../../../preload/core/shape.c"

struct seam_core *seam;
__thread struct seam_tls seam_tls;
volatile uint32_t *seam_alive, *seam_epoch;
uint32_t seam_use_tsc;
struct seam_tls *seam_whose(void) { return &seam_tls; }
int seam_left_by_jump(struct seam_tls *t, const struct seam_frame *f) { (void)t; (void)f; return 0; }

int main(void)
{
	uint32_t n;
	while (fread(&n, 4, 1, stdin) == 1) {
		/* as large as they may have to be, so that a sanitizer sees one byte more */
		char *src = get_memory(n ? n : 1), *dst = get_memory(n + n / 2 + 8);
		if (n && fread(src, n, 1, stdin) != 1)
			return 1;
		uint32_t out[3];
		unsigned next;
		out[0] = seam_shape(src, n, dst);
		out[1] = seam_shape_first(dst, out[0], &next);
		out[2] = next != 0;
		fwrite(out, 4, 3, stdout);
		fwrite(dst, 1, out[0], stdout);
		fflush(stdout);
		give_back(src);
		give_back(dst);
	}
	return 0;
}
