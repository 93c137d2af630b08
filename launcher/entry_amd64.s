#include "textflag.h"

// seam_entry is where the kernel enters bin/seam, which is linked with -E=seam_entry.
// What a program started by seam must find as it was - ignored signals, the
// signal mask, closed standard descriptors - is changed by the Go runtime before
// the first line of Go runs: it installs handlers over SIG_IGN and opens /dev/null
// over closed descriptors. So it is read here, with no runtime at all: no Go stack,
// no g. The stack pointer must be what the kernel set when we jump.
//
//	BX signal or descriptor   R12 result so far   R13, R14 SP and DX at entry
//	SP the kernel's struct sigaction
TEXT seam_entry(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVQ	SP, R13
	MOVQ	DX, R14
	SUBQ	$64, SP
	ANDQ	$~15, SP

	XORL	R12, R12
	MOVL	$1, BX
signals:
	MOVL	$13, AX			// rt_sigaction(sig, NULL, sp, 8)
	MOVL	BX, DI
	XORL	SI, SI
	MOVQ	SP, DX
	MOVL	$8, R10
	SYSCALL
	TESTQ	AX, AX
	JNE	nextsignal
	CMPQ	0(SP), $1		// SIG_IGN
	JNE	nextsignal
	MOVL	BX, CX
	DECL	CX
	MOVL	$1, AX
	SHLQ	CX, AX
	ORQ	AX, R12
nextsignal:
	INCL	BX
	CMPL	BX, $64
	JLE	signals
	MOVQ	R12, ·entryIgnored(SB)

	MOVQ	$0, 0(SP)
	MOVL	$14, AX			// rt_sigprocmask(SIG_BLOCK, NULL, sp, 8)
	XORL	DI, DI
	XORL	SI, SI
	MOVQ	SP, DX
	MOVL	$8, R10
	SYSCALL
	MOVQ	0(SP), AX
	MOVQ	AX, ·entryBlocked(SB)

	XORL	R12, R12
	XORL	BX, BX
descriptors:
	MOVL	$72, AX			// fcntl(fd, F_GETFD)
	MOVL	BX, DI
	MOVL	$1, SI
	XORL	DX, DX
	SYSCALL
	TESTQ	AX, AX
	JGE	nextdescriptor
	MOVL	BX, CX
	MOVL	$1, AX
	SHLQ	CX, AX
	ORQ	AX, R12
nextdescriptor:
	INCL	BX
	CMPL	BX, $3
	JLT	descriptors
	MOVQ	R12, ·entryClosed(SB)
	MOVQ	$1, ·entrySeen(SB)

	MOVQ	R13, SP
	MOVQ	R14, DX
	JMP	_rt0_amd64_linux(SB)
