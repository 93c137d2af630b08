#include "textflag.h"

// seam_entry is where the kernel enters bin/seam, after a look at whether the start was prepared before (fastexec).
// What a program started by seam must find as it was - ignored signals, the
// signal mask, closed standard descriptors - is changed by the Go runtime before
// the first line of Go runs: it installs handlers over SIG_IGN and opens /dev/null
// over closed descriptors. So it is read here, with no runtime at all: no Go stack,
// no g. The stack pointer must be what the kernel set when we jump.
//
//	BX signal or descriptor   R12 result so far   R13, R14 SP and DX at entry
//	SP the kernel's struct sigaction
//
// Started by (inherited).fork with an argv[0] that no user gives, it only ignores
// SIGPROF and executes argv[1]: the runtime takes that signal for its own and sets it to its
// default in each process it forks.
TEXT seam_entry(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	CMPQ	0(SP), $3		// argc; argv[0] is followed by longer strings
	JLT	start
	MOVQ	8(SP), BX
	MOVQ	$0x666f727067697301, AX	// "\x01sigprof"
	CMPQ	0(BX), AX
	JNE	start
	MOVQ	SP, R13
	SUBQ	$64, SP
	MOVQ	$1, 0(SP)		// SIG_IGN
	MOVQ	$0, 8(SP)
	MOVQ	$0, 16(SP)
	MOVQ	$0, 24(SP)
	MOVL	$13, AX			// rt_sigaction(SIGPROF, sp, NULL, 8)
	MOVL	$27, DI
	MOVQ	SP, SI
	XORL	DX, DX
	MOVL	$8, R10
	SYSCALL
	MOVQ	0(R13), CX
	MOVL	$59, AX			// execve(argv[1], argv+2, envp)
	MOVQ	16(R13), DI
	LEAQ	24(R13), SI
	LEAQ	16(R13)(CX*8), DX
	SYSCALL
	MOVL	$231, AX		// exit_group(127)
	MOVL	$127, DI
	SYSCALL

start:
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
