/* Sieves for every argument, width, sign and comparison, over values at every
 * edge: each must decide as the rule in abi.h says. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "../../../preload/core/sieve.c"

typedef long fn(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
static long kept_out(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) { return 0; }
static long wanted(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) { return 1; }

static const int64_t edges[] = { 0, 1, -1, 2, -2, 99, -99, 0x7f, 0x80, 0x7fffffff, 0x80000000, -0x7fffffffl, -0x80000000l, 0xffffffff,
	0xfffffffe, 0x100000000, 0x100000001, -0x80000001l, INT64_MAX, INT64_MIN, INT64_MIN + 1 };
#define N (sizeof edges / sizeof *edges)

static int holds(const struct seam_filter *q, uint64_t w)
{
	int64_t v = q->width == 8 ? (int64_t)w : q->is_signed ? (int64_t)(int32_t)w : (int64_t)(uint32_t)w;
	switch (q->cmp) {
	case SEAM_CMP_EQ: return v == q->value;
	case SEAM_CMP_NE: return v != q->value;
	case SEAM_CMP_LT: return v < q->value;
	case SEAM_CMP_LE: return v <= q->value;
	case SEAM_CMP_GT: return v > q->value;
	case SEAM_CMP_GE: return v >= q->value;
	default:          return (v & q->value) != 0;
	}
}

int main(void)
{
	unsigned long decided = 0, left = 0, beyond = 0;
	for (int far = 0; far < 2; far++) {
		/* near the thunks, and where only an indirect jump reaches them */
		unsigned char *near = (unsigned char *)(((uint64_t)kept_out & ~4095ull) + (64 << 20)), *at =
			mmap(far ? 0 : near, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (at == MAP_FAILED)
			return 2;
		beyond += llabs((int64_t)((uint64_t)at - (uint64_t)kept_out)) > INT32_MAX;
		for (unsigned arg = 0; arg < 6; arg++)
		for (unsigned width = 4; width <= 8; width += 4)
		for (unsigned sign = 0; sign < 2; sign++)
		for (unsigned cmp = SEAM_CMP_EQ; cmp <= SEAM_CMP_AND; cmp++)
		for (unsigned k = 0; k < N; k++) {
			struct seam_filter q = { .what = SEAM_FILT_INT, .arg = arg, .cmp = cmp, .width = width, .is_signed = sign, .value = edges[k] };
			struct seam_run r = { .nfilt = 1, .kind = SEAM_SITE_FULL, .instrument = SEAM_LOG, .filt = &q };
			if (!seam_sieved(&r)) {
				left++;
				continue;
			}
			memset(at, 0xcc, SEAM_SIEVE + 1);
			seam_sieve(at, &r, (uint64_t)kept_out, (uint64_t)wanted);
			if (at[SEAM_SIEVE] != 0xcc) {
				printf("longer than SEAM_SIEVE\n");
				return 1;
			}
			for (unsigned v = 0; v < N; v++) {
				uint64_t w[6] = { 11, 12, 13, 14, 15, 16 };
				w[arg] = edges[v];
				decided++;
				if (((fn *)at)(w[0], w[1], w[2], w[3], w[4], w[5]) != holds(&q, w[arg])) {
					printf("argument %u, %u bytes, signed %u, comparison %u with %ld: wrong for %ld\n", arg, width, sign, cmp, edges[k], edges[v]);
					return 1;
				}
			}
		}
	}
	if (!left || !beyond || decided < 50000) {
		printf("too little was tried: %lu decided, %lu left to C, %lu beyond reach\n", decided, left, beyond);
		return 1;
	}
	puts("ok");
}
