/* frame.h: the frame that the assembly builds and C fills, and every offset the
 * assembly uses. layout.c asserts that they are the same.
 */
#ifndef SEAM_FRAME_H
#define SEAM_FRAME_H

#define SEAM_MAX_SLOTS 4096

#define FRAME_WORDS    0    /* rdi rsi rdx rcx r8 r9 */
#define FRAME_RAX      48   /* al: vector registers used by a variadic call */
#define FRAME_R10      56   /* static chain */
#define FRAME_RUN      64
#define FRAME_ORIG     72
#define FRAME_NCOPY    80
#define FRAME_RET      88
#define FRAME_RDX      96
#define FRAME_TS       104
#define FRAME_SEQ      112
#define FRAME_HOW      116
#define FRAME_LEFT     120  /* rcx rsi rdi r8 r9 r10 r11 as the original left them */
#define FRAME_WAIT     184
#define FRAME_DATA     200
#define FRAME_R11      208  /* the caller's r11: the thunk stored it at THUNK_R11(%rsp) */
#define FRAME_SIZE     224  /* a multiple of 16 */
#define THUNK_R11      -24  /* below two pushes, within the 128 bytes that signal handlers leave alone */

#define HOW_RECORDED   1
#define HOW_LATE       2
#define HOW_GUARD      4
#define HOW_SPAWN      8    /* this call has marked its TLS as shared */
#define HOW_WAIT       16   /* a child's end is to be noted */
#define HOW_CONFINE    32   /* seam_confine_end is to be told of its result */
#define HOW_ACTED      64   /* rules acted on this call: `acted` */
#define CALL_PLAIN     0x100 /* from seam_enter: the assembly does the rest */
#define CALL_GUARDED   0x102 /* the same, and the guard is the call's already */
#define CALL_RECORD    0x101 /* from seam_enter_native: so does it, from the record on */
#define HOW_REFUSED    128  /* one of them: the original is not called */
#define HOW_NATIVE     0x1000 /* callbacks are to be called after it: `natives` */
#define HOW_CALLBACK   0x4000 /* Go callbacks are to be asked after it */

#define SIZEOF_RUN     192
#define RUN_ORIG       0
#define RUN_HEAD       8
#define RUN_NEED       12
#define RUN_SIZE       16   /* bytes of an ENTER record without payload */
#define RUN_HEAD_LATE  20
#define RUN_SPECIAL    24
#define RUN_RET4       27
#define RUN_FAIL_NOT   28
#define RUN_FAST       30
#define FAST_PRE       1
#define FAST_POST      2
#define RUN_FAIL_LO    32
#define RUN_FAIL_SPAN  40
#define RUN_ID         48
#define RUN_NREGS      52
#define RUN_STR_FAST   65
#define RUN_HIST       68
#define RUN_STR_ITEM   84
#define SP_RULES       1
#define SP_LATE        8
#define SP_STACK       16
#define SP_STRING      32
#define SP_WATCH       128

#define TLS_GEN        0
#define TLS_EPOCH      4
#define TLS_GUARD      8
#define TLS_COUNTERS   16
#define TLS_POS        24
#define TLS_END        32
#define TLS_BASE       40
#define TLS_CHUNK      48
#define TLS_SEQ        56
#define TLS_ENT        64
#define TLS_MAPS       88   /* pages_gen, pages_void */
#define TLS_PAGES      96
#define TLS_HISTS      256
#define HIST_SHIFT     11   /* of struct seam_hist, 2048 bytes */
#define HIST_COUNT     2016
#define HIST_SUM       2024
#define HIST_MAX       2032
#define HIST_ERRORS    2040
#define CORE_MAPS      8    /* maps_gen, maps_busy */
#define THREAD_COPYING 68

#define CHUNK_COMMITTED 12
#define REC_FAILED     0x100000 /* SEAM_RF_FAILED in the first word of a record */
#define REC_PAYLOAD    0x200000 /* SEAM_RF_PAYLOAD */
#define FAST_STRING    128  /* a string of less bytes is read in the assembly */
#define SIX_WORDS      48   /* enter stores six words, however many the site has */
#define LEAVE_SIZE     32   /* bytes of a LEAVE record without payload */

#ifndef __ASSEMBLER__
#include <stdint.h>
struct seam_run;
struct seam_frame {
	uint64_t words[6];
	uint64_t rax, r10;
	const struct seam_run *run; /* in */
	uint64_t orig;          /* out of enter: where to go on */
	uint64_t ncopy;         /* out of enter: stack words to copy */
	uint64_t ret;           /* in to leave: the result registers */
	union { uint64_t rdx, parked; }; /* HOW_ACTED, before the call: the entry taken for a breakpoint +1, and above 32 its rule */
	uint64_t ts;            /* enter to leave */
	uint32_t seq;
	uint32_t how;           /* HOW_* */
	uint64_t left[7];       /* FRAME_LEFT */
	uint64_t acted;         /* HOW_ACTED: the rules, a bit each */
	uint64_t wait;          /* HOW_ACTED: ns to wait before the call */
	uint64_t natives;       /* HOW_NATIVE: the run's rules that are callbacks and whose conditions held, a bit each by index */
	uint64_t data;          /* seam_call.data; set to 0 when the first callback is called */
	uint64_t r11;           /* FRAME_R11 */
	uint64_t cut;           /* HOW_ACTED: register word << 32 | what it is lowered to; 0 none */
	uint64_t caller_rbp;    /* pushed by the thunk: directly above the frame */
	uint64_t caller;        /* return address */
	uint64_t stack[];       /* stack arguments */
};
#endif
#endif
