/* Strings of each length, with the end of what can be read at each distance behind them, as
 * first and as second argument, with bytes of all kinds. Prints what must have been recorded of
 * each call: at most 256 bytes, in hex, and whether that is all. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define API __attribute__((noinline, visibility("default")))
API long first(const char *s) { __asm__ volatile("" : : "r"(s) : "memory"); return (long)s * 3 + 1; }
API long second(long a, const char *s) { __asm__ volatile("" : : "r"(s) : "memory"); return (long)s * 3 + a * 5; }
API long wide(const char *s, long b, long c, long d, long e, long f) { __asm__ volatile("" : : "r"(s) : "memory"); return (long)s + b + 2 * c + 3 * d + 4 * e + 5 * f; }

static char pages[3 * 4096] __attribute__((aligned(4096)));
static long wrong;

static void call(int kind, const char *s, unsigned most)
{
	unsigned n = strnlen(s, most);
	/* of a string of exactly 256 bytes nobody says whether the NUL is looked at */
	printf("%s %s ", kind == 0 ? "first" : kind == 1 ? "second" : "wide", n == 256 ? "either" : n == most || n > 256 ? "cut" : "whole");
	for (unsigned i = 0; i < n && i < 256; i++)
		printf("%02x", (unsigned char)s[i]);
	puts("");
	long r, want;
	switch (kind) {
	case 0: r = first(s); want = (long)s * 3 + 1; break;
	case 1: r = second(7, s); want = (long)s * 3 + 35; break;
	default: r = wide(s, 1, 2, 3, 4, 5); want = (long)s + 55; break;
	}
	wrong += r != want;
}

int main(void)
{
	static const unsigned lens[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 23, 24, 25, 31, 32, 63, 64, 65, 100, 119, 120, 121, 126, 127, 128, 129, 135, 136, 137, 255, 256, 257 };
	char *end = pages + 2 * 4096;
	mprotect(end, 4096, PROT_NONE);
	for (unsigned kind = 0; kind < 3; kind++)
		for (unsigned bytes = 0; bytes < 3; bytes++)
			for (unsigned l = 0; l < sizeof lens / sizeof *lens; l++)
				for (unsigned behind = 0; behind < 12; behind++) {
					/* behind the NUL: 0-8 bytes to the end, or a page; 10: no NUL; 11: over the border of two pages */
					unsigned len = lens[l], room = behind < 9 ? len + 1 + behind : behind == 9 ? 2000 : behind == 10 ? len : 4096 + len / 2 + 1;
					char *s = end - room;
					if (!room)
						continue;
					memset(pages, 0xff, 2 * 4096);
					for (unsigned i = 0; i < len; i++)
						s[i] = bytes == 0 ? 'a' + (i + len) % 26 : bytes == 1 && i % 7 ? 'A' + i % 26 : 0x80 + (i * 37 + len) % 0x80;
					if (behind != 10)
						s[len] = 0;
					call(kind, s, room);
				}
	return wrong != 0;
}
