#include "textflag.h"

// seam_start is where the kernel enters bin/seam, which is linked with -E=seam_start. A start that was prepared before
// needs no Go: seam_fastexec (src/fastexec.c) does not come back from it. Else all goes on as if nothing had been, at
// ../entry_amd64.s: with the stack pointer and DX as the kernel set them.
TEXT seam_start(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVQ	SP, R13
	MOVQ	DX, R14
	MOVQ	SP, DI
	ANDQ	$~15, SP
	CALL	seam_fastexec(SB)
	MOVQ	R13, SP
	MOVQ	R14, DX
	JMP	seam_entry(SB)
