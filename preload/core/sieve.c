/* sieve.c: a filter on one integer argument, as machine code before the thunk.
 *
 *   function:  jmp sieve
 *   sieve:     cmp $value, argument       at a function's start the flags are nobody's
 *              jcc wanted
 *              jmp thunk of kept out      counts the call, goes on to the original
 *   wanted:    jmp thunk                  records it
 *
 * A call that is kept out costs what a counted one does, and a comparison. Such
 * filters are decided here alone; all others in enter.c.
 */
#include <string.h>
#include "load.h"

/* What decides a 4-byte unsigned, and any other integer, by enum seam_cmp: the second byte of jcc. */
static const unsigned char below[] = { 0, 0x74, 0x75, 0x72, 0x76, 0x77, 0x73, 0x75 };
static const unsigned char less[] = { 0, 0x74, 0x75, 0x7c, 0x7e, 0x7f, 0x7d, 0x75 };

/* 1: the filter is one that a sieve can decide as enter.c would. */
int seam_sieved(const struct seam_run *r)
{
	const struct seam_filter *q = r->filt;
	if (r->nfilt != 1 || r->nrules || r->kind != SEAM_SITE_FULL || r->instrument != SEAM_LOG || r->watch || (r->flags & SEAM_SF_GUARD) ||
	    q->what != SEAM_FILT_INT || q->arg >= 6 || q->cmp >= sizeof less || !q->cmp)
		return 0;
	if (q->width == 8)
		return q->value == (int32_t)q->value;
	return q->width == 4 && (q->is_signed ? q->value == (int32_t)q->value : q->value == (uint32_t)q->value);
}

static unsigned char *jump(unsigned char *at, uint64_t to)
{
	int64_t d = to - ((uint64_t)at + 5);
	if (d == (int32_t)d) {
		int32_t rel = d;
		*at = 0xe9;
		memcpy(at + 1, &rel, 4);
		return at + 5;
	}
	memcpy(at, "\xff\x25\0\0\0\0", 6); /* jmp *0(%rip) */
	memcpy(at + 6, &to, 8);
	return at + 14;
}

/* Write the sieve of r, SEAM_SIEVE bytes at most; kept_out and wanted are thunks. */
void seam_sieve(unsigned char *at, const struct seam_run *r, uint64_t kept_out, uint64_t wanted)
{
	static const unsigned char reg[6] = { 7, 6, 2, 1, 8, 9 }; /* rdi rsi rdx rcx r8 r9 */
	const struct seam_filter *q = r->filt;
	int wide = q->width == 8, test = q->cmp == SEAM_CMP_AND;
	int32_t value = q->value;
	unsigned n = reg[q->arg];
	if (wide || n >= 8)
		*at++ = 0x40 | wide << 3 | n >> 3; /* REX.W, REX.B */
	*at++ = test ? 0xf7 : 0x81;
	*at++ = (test ? 0xc0 : 0xf8) | (n & 7);
	memcpy(at, &value, 4);
	at += 4;
	*at = wide || q->is_signed ? less[q->cmp] : below[q->cmp];
	unsigned char *over = at + 1;
	at = jump(at + 2, kept_out);
	*over = at - (over + 1);
	jump(at, wanted);
}
