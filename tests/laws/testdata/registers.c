/* Every register that a function is called with, and every one it returns with,
 * with fresh random values in each of many calls. */
#include <cpuid.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct regs { uint64_t g[15], flags, rsp, pad[7]; unsigned char x[16384 - 192]; };
struct regs *seen, *give;
void call_with(struct regs *in, void *fn, struct regs *out);
long spill(void);

static const char *names[] = { "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15" };
static struct { unsigned off, len; } part[20];
static uint64_t parts, state = 88172645463325252ull, bad;
static uint64_t rnd(void) { state ^= state << 13; state ^= state >> 7; return state ^= state << 17; }
static void complain(const char *when, const char *what, uint64_t want, uint64_t got)
{
	if (bad++ < 20)
		printf("%s: %s is %#lx, was %#lx\n", when, what, got, want);
}
static void fill(struct regs *r)
{
	for (int i = 0; i < 15; i++)
		r->g[i] = rnd();
	r->g[0] &= ~0xffull; /* al: a variadic call's vector registers, at most 8 */
	r->g[0] |= rnd() % 9;
	memset(r->x, 0, sizeof r->x);
	*(uint16_t *)r->x = 0x37f;        /* x87 control word: as the ABI has it */
	*(uint32_t *)(r->x + 24) = 0x1f80 | (rnd() & 3) << 13; /* MXCSR: some rounding mode */
	*(uint64_t *)(r->x + 512) = parts | 2;
	for (int i = 0; i < 256; i++)
		r->x[160 + i] = rnd();
	for (int i = 2; i < 20; i++)
		for (unsigned j = 0; parts >> i & 1 && j < part[i].len; j++)
			r->x[part[i].off + j] = rnd();
}
static void vectors(const char *when, struct regs *want, struct regs *got)
{
	uint64_t bv = *(uint64_t *)(got->x + 512);
	if (*(uint32_t *)(want->x + 24) != *(uint32_t *)(got->x + 24))
		complain(when, "mxcsr", *(uint32_t *)(want->x + 24), *(uint32_t *)(got->x + 24));
	if (bv & 1 && *(uint16_t *)got->x != 0x37f)
		complain(when, "x87 control word", 0x37f, *(uint16_t *)got->x);
	if (bv & 1 && got->x[4])
		complain(when, "x87 tags", 0, got->x[4]);
	if (memcmp(want->x + 160, got->x + 160, 256))
		complain(when, "xmm", 0, 1);
	for (int i = 2; i < 20; i++)
		if (parts >> i & 1 && memcmp(want->x + part[i].off, got->x + part[i].off, part[i].len))
			complain(when, "vector part", i, 0);
}
int main(int argc, char **argv)
{
	unsigned a, b, c, d, lo, hi;
	__asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	parts = lo & 0xe4; /* AVX, AVX-512 */
	for (int i = 2; i < 20; i++)
		if (parts >> i & 1 && __get_cpuid_count(0xd, i, &a, &b, &c, &d))
			part[i].len = a, part[i].off = b;
	struct regs *in, *out;
	if (posix_memalign((void **)&in, 64, 4 * sizeof *in))
		return 1;
	memset(in, 0, 4 * sizeof *in);
	out = in + 1;
	seen = in + 2;
	give = in + 3;
	int n = atoi(argv[1]), all = argc > 2, refused = argc > 3;
	for (int i = 0; i < n; i++) {
		fill(in);
		fill(give);
		memset(out->x + 512, 0, 64);
		memset(seen->x + 512, 0, 64);
		call_with(in, spill, out);
		if (refused) { /* the call is not made: all is as before, but for the result */
			for (int k = 0; k < 15; k++)
				if (out->g[k] != (k ? in->g[k] : (uint64_t)-7))
					complain("refused", names[k], k ? in->g[k] : (uint64_t)-7, out->g[k]);
			vectors("refused", in, out);
			if (out->flags & 0x400)
				complain("refused", "direction flag", 0, 1);
			continue;
		}
		for (int k = 0; k < 15; k++)
			if (k != 6 && (k != 10 || all)) /* rbp: the interceptor's frame pointer */
				if (seen->g[k] != in->g[k])
					complain("at entry", names[k], in->g[k], seen->g[k]);
		vectors("at entry", in, seen);
		if (seen->rsp % 16)
			complain("at entry", "stack alignment", 0, seen->rsp % 16);
		if (seen->flags & 0x400)
			complain("at entry", "direction flag", 0, 1);
		for (int k = 0; k < 15; k++) {
			int saved = k == 1 || k == 6 || k >= 11, result = k == 0 || k == 3;
			if (saved || result || all)
				if (out->g[k] != (result ? give->g[k] : in->g[k]))
					complain("on return", names[k], result ? give->g[k] : in->g[k], out->g[k]);
		}
		vectors("on return", give, out);
		if (out->flags & 0x400)
			complain("on return", "direction flag", 0, 1);
	}
	printf("%d calls, %ld wrong\n", n, bad);
	return bad != 0;
}
