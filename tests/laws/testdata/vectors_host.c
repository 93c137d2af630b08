/* Calls functions that touch no register but eax, with every vector, mask and x87
 * register holding something, and says whether that is still so. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct state {
	unsigned char zmm[32][64];
	uint64_t k[8];
	uint32_t mxcsr, pad;
} __attribute__((aligned(64)));

void sse_before(struct state *in, struct state *out), sse_after(struct state *in, struct state *out);
void avx_before(struct state *in, struct state *out), avx_after(struct state *in, struct state *out);
long double wide(void);

__asm__(
	".text\n"
	".irp name, quiet_before, quiet_after\n"
	".balign 16\n.globl \\name\n.type \\name, @function\n"
	"\\name:\n leal (%rdi,%rdi), %eax\n nopl 0(%rax)\n nopl 0(%rax)\n ret\n"
	".size \\name, .-\\name\n"
	".endr\n"
	".balign 16\n.globl wide\n.type wide, @function\n"
	"wide:\n fld1\n nopl 0(%rax)\n nopl 0(%rax)\n ret\n .size wide, .-wide\n"
	".macro frame name, fn, load, store\n"
	".globl \\name\n.type \\name, @function\n"
	"\\name:\n pushq %rbx\n movq %rsi, %rbx\n"
	" ldmxcsr 2112(%rdi)\n"
	" \\load\n"
	" movl $3, %edi\n call \\fn\n"
	" \\store\n"
	" stmxcsr 2112(%rbx)\n movl %eax, 2116(%rbx)\n popq %rbx\n ret\n"
	".size \\name, .-\\name\n"
	".endm\n"
	".macro sse_load\n .set i, 0\n .irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n movaps i(%rdi), %xmm\\r\n .set i, i+64\n .endr\n .endm\n"
	".macro sse_store\n .set i, 0\n .irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n movaps %xmm\\r, i(%rbx)\n .set i, i+64\n .endr\n .endm\n"
	".macro avx_load\n .set i, 0\n .irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n vmovaps i(%rdi), %ymm\\r\n .set i, i+64\n .endr\n .endm\n"
	".macro avx_store\n .set i, 0\n .irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n vmovaps %ymm\\r, i(%rbx)\n .set i, i+64\n .endr\n vzeroupper\n .endm\n"
	".macro all_load from\n .set i, 64*\\from\n .irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n .if \\r >= \\from\n vmovaps i(%rdi), %zmm\\r\n .set i, i+64\n .endif\n .endr\n"
	" .set i, 2048\n .irp r, 0,1,2,3,4,5,6,7\n kmovq i(%rdi), %k\\r\n .set i, i+8\n .endr\n .endm\n"
	".macro all_store from\n .set i, 64*\\from\n .irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n .if \\r >= \\from\n vmovaps %zmm\\r, i(%rbx)\n .set i, i+64\n .endif\n .endr\n"
	" .set i, 2048\n .irp r, 0,1,2,3,4,5,6,7\n kmovq %k\\r, i(%rbx)\n .set i, i+8\n .endr\n .endm\n"
	".macro high_load\n sse_load\n all_load 16\n .endm\n"
	".macro high_store\n sse_store\n all_store 16\n .endm\n"
	".macro full_load\n all_load 0\n .endm\n"
	".macro full_store\n all_store 0\n vzeroupper\n .endm\n"
	".irp level, sse, avx, high, full\n"
	".irp when, before, after\n"
	" frame \\level\\()_\\when, quiet_\\when, \\level\\()_load, \\level\\()_store\n"
	".endr\n.endr\n");

void high_before(struct state *in, struct state *out), high_after(struct state *in, struct state *out);
void full_before(struct state *in, struct state *out), full_after(struct state *in, struct state *out);

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*before)(struct state *, struct state *), (*after)(struct state *, struct state *); unsigned regs, size, masks; } levels[] = {
		{ "sse", sse_before, sse_after, 16, 16, 0 },
		{ "avx", avx_before, avx_after, 16, 32, 0 },
		{ "high", high_before, high_after, 32, 16, 1 }, /* zmm16-31 and masks, with the upper halves of the others at rest */
		{ "full", full_before, full_after, 32, 64, 1 },
	};
	static struct state in, out;
	int bad = 0, ran = 0;
	unsigned n = 1 + (__builtin_cpu_supports("avx2") != 0) + 2 * (__builtin_cpu_supports("avx512bw") != 0);
	for (int round = 0; round < 3; round++)
		for (unsigned l = 0; l < n; l++)
			for (int after = 0; after < 2; after++) {
				for (unsigned i = 0; i < sizeof in.zmm; i++)
					((unsigned char *)in.zmm)[i] = i * 7 + i / 64 + round;
				for (unsigned i = 0; i < 8; i++)
					in.k[i] = 0x0123456789abcdefull * (i + 1 + round);
				in.mxcsr = 0x1f80;
				memset(&out, 0, sizeof out);
				(after ? levels[l].after : levels[l].before)(&in, &out);
				for (unsigned r = 0; r < levels[l].regs; r++) {
					unsigned size = r < 16 ? levels[l].size : 64;
					if (memcmp(in.zmm[r], out.zmm[r], size)) {
						printf("%s: register %u changed %s\n", levels[l].name, r, after ? "after" : "before");
						bad++;
					}
				}
				if (levels[l].masks && memcmp(in.k, out.k, sizeof in.k)) {
					printf("%s: masks changed\n", levels[l].name);
					bad++;
				}
				if (out.mxcsr != in.mxcsr || out.pad != 6) {
					printf("%s: mxcsr %x result %u\n", levels[l].name, out.mxcsr, out.pad);
					bad++;
				}
				ran++;
			}
	for (int i = 0; i < 3; i++)
		if (wide() != 1) {
			printf("the long double changed\n");
			bad++;
		}
	printf("ran %d bad %d\n", ran, bad);
	return bad != 0;
}
